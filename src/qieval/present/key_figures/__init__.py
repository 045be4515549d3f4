"""The few figures of each question that the index page shows, a module per question; a notebook uses its own alone."""

from __future__ import annotations

import math
from collections.abc import Mapping

import qieval
from qieval.present.display import Cell, KeyFigures
from qieval.study.study import Study


def collected(notebook: str, cells: list[Cell], values: Mapping[str, object], study: Study) -> KeyFigures:
    """The cells and values of a notebook, with what they were computed from."""
    return KeyFigures(
        notebook=notebook, cells=cells, values=dict(values), version=qieval.__version__, fingerprint=study.fingerprint
    )


def known(x: float) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return float(x) if math.isfinite(x) else None
