"""An evaluation workbench for health-care improvement collaboratives."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qieval.errors import DataError, ParameterError, ReportError
    from qieval.study.study import Study, open_study

__version__ = "0.1.0"
__all__ = ["DataError", "ParameterError", "ReportError", "Study", "__version__", "open_study"]

_HOME = {
    "DataError": "qieval.errors",
    "ParameterError": "qieval.errors",
    "ReportError": "qieval.errors",
    "Study": "qieval.study.study",
    "open_study": "qieval.study.study",
}


def __getattr__(name: str) -> Any:
    """Loaded on first use: `qieval --help` must not wait for pandas."""
    if name not in _HOME:
        raise AttributeError(f"module 'qieval' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
