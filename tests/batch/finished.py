"""Finished reports made in a moment, from notebooks that were never run: for tests of what is done with them."""

import io
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import nbformat
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing

from qieval.batch.execute import Run
from qieval.batch.manifest import Manifest, as_json, sizes_in
from qieval.batch.plan import Job, Notebook, Request
from qieval.batch.report import write_report
from qieval.present.display import Cell, Figure, KeyFigures, Table, Text
from qieval.study.parameters import Parameters

EFFECT = {"estimate": 0.3, "low": 0.2, "high": 0.4}


def figure(name: str = "run_chart", *, points: int = 3, title: str = "Births in the facility") -> Figure:
    """A line through so many points, as our figures are drawn."""
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "qieval", "font.family": "DejaVu Sans"}):
        drawn = Drawing(figsize=(7.6, 5), dpi=200)
        ax = drawn.subplots()
        ax.plot(range(points), [x * 37 % 11 for x in range(points)], marker="o")
        ax.set_title(title)
        svg, png = io.StringIO(), io.BytesIO()
        FigureCanvasSVG(drawn).print_svg(svg, metadata={"Date": None, "Creator": None})
        FigureCanvasAgg(drawn).print_png(png)
    alt = f"Line chart of {points} points, for those who cannot see it"
    return Figure(name=name, alt=alt, caption=f"{title}, by month.", svg=svg.getvalue(), png=png.getvalue())


def table(name: str = "facilities", *, rows: int = 2, folded: bool = False) -> Table:
    data = pd.DataFrame({"facility": [f"Facility {n}" for n in range(rows)], "births": range(rows)})
    return Table(
        name=name, caption="Births by facility", shown=data.astype(str), data=data, numeric=("births",), folded=folded
    )


def answer(*sentences: str) -> Text:
    return Text(sentences=sentences or ("Care improved. The median was 44% and is 63%.",))


def main_indicator(**changes: Any) -> dict[str, Any]:
    """The key figures of a proportion that improved."""
    return {
        "name": "Early breastfeeding", "kind": "proportion", "better": "up", "unit": "%", "verdict": "improved",
        "facilities": 24, "against_own_trend": EFFECT, "months_after_joining": 12, "six_statistics": None,
    } | changes  # fmt: skip


def key_figures(values: dict[str, Any], *cells: Cell, notebook: str = "effectiveness") -> KeyFigures:
    return KeyFigures(notebook=notebook, cells=cells, values=values, version="0", fingerprint="abc")


def notebook(*shown: Any, heading: str = "# Effectiveness\n\nDid care improve?") -> nbformat.NotebookNode:
    """An executed notebook whose only code cell shows these things."""
    outputs = []
    for thing in shown:
        data, metadata = thing._repr_mimebundle_()
        outputs.append(nbformat.v4.new_output("display_data", data=data, metadata=json.loads(json.dumps(metadata))))
    cell = nbformat.v4.new_code_cell("secret = 1", outputs=outputs)
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(heading), cell])


def make_report(
    out: Path,
    name: str = "one",
    *shown: Any,
    title: str = "",
    errors: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
    failure: str = "",
    question: str = "effectiveness",
) -> Path:
    """The folder of a finished report with one section that shows these things."""
    folder = out / name
    (folder / "notebooks").mkdir(parents=True)
    output = folder / "notebooks" / f"{question}.ipynb"
    asked = Notebook(name=question, path=output, title=question.capitalize(), order=1, needs=())
    parameters = Parameters.model_validate(
        {"collaborative": name, "title": title or f"Collaborative {name}", "data": "x", "data_cut": "2024-06-30"}
    )
    job = Job(
        request=Request(source=Path("x.yaml"), parameters=parameters, home=out), summary="", fingerprint="",
        errors=errors, warnings=warnings, notebooks=() if errors else (asked,), left_out=(),
    )  # fmt: skip
    if not errors:
        nbformat.write(notebook(*shown), output)
    runs = [] if errors else [Run(notebook=asked, output=output, failure=failure, seconds=1.0)]
    status = write_report(job, runs, folder)["status"]
    manifest = Manifest(collaborative=name, status=status, files="", rows="", sizes=sizes_in(folder))
    (folder / "manifest.json").write_text(json.dumps(as_json(manifest)), encoding="utf-8")
    return folder


def a_record(name: str = "one", **changes: Any) -> dict[str, Any]:
    """What ``report.json`` of a report without any section holds."""
    return {
        "collaborative": name, "title": f"Collaborative {name}", "status": "made", "made_on": "2024-07-01 10:00",
        "version": "0", "data_cut": "2024-06-30", "fingerprint": "abc", "errors": [], "failures": {}, "left_out": {},
        "sections": [], "answers": {}, "cells": [], "values": {},
    } | changes  # fmt: skip
