"""Imported by the server that kernels are forked from, and nowhere else: loads what notebooks use, and warms it."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import pkgutil
import shutil
from importlib import import_module

FOLDERS = "QIEVAL_TEMPORARY"  # the variable that names the batch's temporary folders

ROOMS = ("study", "methods", "analyses", "present")
NOT_FOR_NOTEBOOKS = {"__main__", "simulate", "template", "dictionary"}
# What notebooks and analyses import only when they need it, and what makes pages of executed notebooks.
LIBRARIES = (
    "ipykernel.kernelapp",
    "lifelines",
    "nbconvert",
    "pyarrow.parquet",
    "scipy.optimize",
    "scipy.stats",
    "statsmodels.api",
)


def load() -> None:
    """Import everything a kernel may need; what cannot be imported is left for the notebook to complain about."""
    names = list(LIBRARIES)
    for room in ROOMS:
        package = import_module(f"qieval.{room}")
        names += [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    for name in names:
        if not NOT_FOR_NOTEBOOKS & set(name.split(".")):
            with contextlib.suppress(Exception):
                import_module(name)


def warm() -> None:
    """Draw one figure, which finds the fonts and fills what matplotlib remembers."""
    from qieval.present.theme import drawing, finished

    with drawing(2.0) as figure:
        ax = figure.subplots()
        ax.plot([0, 1], [0, 1], "o-", label="a")
        ax.set_xlabel("".join(map(chr, range(32, 127))))
        finished(figure, name="warm", alt="", caption="")


def _tidy_up(folders: list[str], server: int) -> None:
    """The server is the last to end, also after a SIGKILL of the batch, and leaves nothing behind."""
    if os.getpid() == server:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


atexit.register(_tidy_up, os.environ.get(FOLDERS, "").split(os.pathsep), os.getpid())
load()
with contextlib.suppress(Exception):  # a cold kernel is only slower
    warm()
# What the server holds is never garbage: looking for it would copy the memory that forks share.
gc.collect()
gc.freeze()
