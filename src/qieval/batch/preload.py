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

# How often Python looks for garbage: figures are made of so many objects that it would do little else.
RARELY = (20_000, 20, 20)

ROOMS = ("study", "methods", "analyses", "present")
NOT_FOR_NOTEBOOKS = {"__main__", "simulate", "template", "dictionary"}
# What notebooks and analyses import only when they need it, and what makes pages of executed notebooks.
LIBRARIES = (
    "IPython.core.completerlib",
    "qieval.batch.making",
    "qieval.batch.shell",
    "lifelines",
    "nbconvert",
    "pandas.io.formats.csvs",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
    "scipy.optimize",
    "scipy.stats",
    "sqlite3",
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
    """Draw a figure and make a page, which finds the fonts, reads the templates and fills what libraries remember."""
    import nbformat

    from qieval.batch.pages import Numbering, section_html, templates
    from qieval.present.theme import drawing, finished

    v4 = nbformat.v4
    shown = v4.new_output("display_data", data={"text/html": "<p>a</p>", "text/plain": "a"})
    cells = [v4.new_markdown_cell("# A\n\n**b**"), v4.new_code_cell("1", outputs=[shown])]
    section_html(v4.new_notebook(cells=cells), "warm", Numbering())
    templates().get_template("report.html.j2")
    with drawing(2.0) as figure:
        ax = figure.subplots()
        ax.plot([0, 1], [0, 1], "o-", label="a")
        ax.set_xlabel("".join(map(chr, range(32, 127))))
        finished(figure, name="warm", alt="", caption="")


def _tidy_up(folders: list[str], server: int, batch: int) -> None:
    """After a SIGKILL of the batch the server is the last to end; otherwise the batch removes its folders itself."""
    if os.getpid() == server and os.getppid() != batch:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


gc.disable()  # while loading: next to nothing of it is garbage, and looking for it takes half a second
atexit.register(_tidy_up, os.environ.get(FOLDERS, "").split(os.pathsep), os.getpid(), os.getppid())
load()
with contextlib.suppress(Exception):  # a cold kernel is only slower
    warm()
# What the server holds is never garbage: looking for it would copy the memory that forks share.
gc.collect()
gc.freeze()
gc.enable()
gc.set_threshold(*RARELY)
