"""One page per collaborative, made from its executed notebooks and nothing else."""

from __future__ import annotations

import base64
import copy
import json
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import nbformat

import qieval
from qieval.batch.execute import Run
from qieval.batch.plan import Job
from qieval.errors import ReportError
from qieval.present.display import KEY_FIGURES, METADATA
from qieval.present.wording.study import summary

TEMPLATES = Path(__file__).parent / "templates"
NOT_IN_REPORT = "not-in-report"  # tag of cells that serve the reader of the notebook only

STATUS = {  # of a report: symbol and words; the order is that of the index page
    "not made": "✕",
    "section failed": "!",
    "made": "✓",
}


@dataclass(frozen=True, kw_only=True)
class Section:
    """One notebook's part of the report."""

    name: str
    title: str
    html: str
    failure: str = ""
    left_out: str = ""
    note: str = ""


def write_report(job: Job, runs: Iterable[Run], folder: Path, *, has_previous: bool = False) -> dict[str, Any]:
    """Write ``report.html``, ``figures/``, ``tables/`` and ``report.json`` into `folder`; returns the latter's content.

    The executed notebooks are in ``folder / "notebooks"`` already, and if `has_previous` the last report that was
    made is in ``folder / "previous"``.
    """
    sections, cells, values = [], [], {}
    by_name = {run.notebook.name: run for run in runs}
    reasons = {notebook.name: reason for notebook, reason in job.left_out}
    ordered = sorted([*job.notebooks, *(nb for nb, _ in job.left_out)], key=lambda nb: (nb.order, nb.name))
    for notebook in ordered:
        if notebook.name in reasons:
            note = job.parameters.notes.get(notebook.name, "")
            left_out = Section(
                name=notebook.name, title=notebook.title, html="", left_out=reasons[notebook.name], note=note
            )
            sections.append(left_out)
            continue
        run = by_name[notebook.name]
        executed = nbformat.read(run.output, as_version=4) if run.output.exists() else nbformat.v4.new_notebook()
        html = section_html(executed)
        sections.append(Section(name=notebook.name, title=notebook.title, html=html, failure=run.failure))
        if not run.failure:
            found = _harvest(executed, notebook.name, folder)
            if found:
                cells += found["cells"]
                values[notebook.name] = found["values"]
    failed = [section.name for section in sections if section.failure]
    status = "not made" if job.errors else "section failed" if failed else "made"
    record = {
        "collaborative": job.parameters.collaborative,
        "title": job.parameters.title,
        "status": status,
        "made_on": f"{datetime.now():%Y-%m-%d %H:%M}",
        "version": qieval.__version__,
        "data_cut": f"{job.parameters.data_cut:%Y-%m-%d}",
        "fingerprint": job.study.fingerprint if job.study is not None else "",
        "errors": list(job.errors),
        "failures": {section.name: section.failure for section in sections if section.failure},
        "left_out": reasons,
        "sections": [section.name for section in sections if not section.left_out],
        "cells": cells,
        "values": values,
    }
    page = templates().get_template("report.html.j2")
    text = page.render(
        record=record,
        sections=sections,
        warnings=job.warnings,
        summary=summary(job.study) if job.study is not None else "",
        symbol=STATUS[status],
        has_previous=has_previous,
        styles=styles(),
    )
    (folder / "report.html").write_text(text, encoding="utf-8")
    (folder / "report.json").write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    return record


def section_html(executed: nbformat.NotebookNode) -> str:
    """A notebook's text and outputs as a fragment of a page, without its code and its first heading."""
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    own = copy.deepcopy(executed)
    own["cells"] = [_demoted(cell, is_first=position == 0) for position, cell in enumerate(_shown(own["cells"]))]
    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_cell_tags = {NOT_IN_REPORT}
    exporter = HTMLExporter(
        config=config,
        template_name="section",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_anchor_links=True,
    )
    body, _ = exporter.from_notebook_node(own)
    return body


def _shown(cells: Iterable[Any]) -> list[Any]:
    """All cells but the marks papermill puts beside a failed one; the report has words of its own for that."""
    kept = [cell for cell in cells if not any("papermill-error" in tag for tag in cell["metadata"].get("tags", []))]
    for cell in kept:
        for output in cell.get("outputs", []):
            # The value of a cell's last line is shown like anything displayed; nbconvert's templates know them apart.
            if output["output_type"] == "execute_result":
                output["output_type"] = "display_data"
    return kept


def _demoted(cell: Any, *, is_first: bool) -> Any:
    """A text cell whose headings fit under the heading of the section; the notebook's title is that heading."""
    if cell["cell_type"] != "markdown":
        return cell
    lines = cell["source"].splitlines()
    if is_first and lines and lines[0].startswith("# "):
        lines = lines[1:]
    moved = cell.copy()
    moved["source"] = "\n".join(re.sub(r"^(#+ )", r"##\1", line) for line in lines)
    return moved


def _harvest(executed: nbformat.NotebookNode, notebook: str, folder: Path) -> dict[str, Any] | None:
    """Save every figure and table an executed notebook shows; returns its key figures."""
    key = None
    for cell in executed["cells"]:
        for output in cell.get("outputs", []):
            data, own = output.get("data", {}), output.get("metadata", {}).get(METADATA, {})
            if KEY_FIGURES in data:
                key = data[KEY_FIGURES]
            elif own.get("kind") == "figure":
                base = folder / "figures" / f"{notebook}_{own['name']}"
                base.parent.mkdir(exist_ok=True)
                base.with_suffix(".svg").write_text(data["image/svg+xml"], encoding="utf-8")
                base.with_suffix(".png").write_bytes(base64.b64decode(data["image/png"]))
            elif own.get("kind") == "table":
                path = folder / "tables" / f"{notebook}_{own['name']}.csv"
                path.parent.mkdir(exist_ok=True)
                # Excel reads UTF-8 only with the mark at its start.
                path.write_text(data["text/csv"], encoding="utf-8-sig", newline="")
    return key


@lru_cache(maxsize=1)
def templates() -> jinja2.Environment:
    """The pages' templates; everything put into them is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


@lru_cache(maxsize=1)
def styles() -> str:
    """The style sheet of all pages; it goes into each, so that a page works alone."""
    return (TEMPLATES / "style.css").read_text(encoding="utf-8")


PREVIOUS = "previous"  # the last report that was made, kept inside the folder of one that was not


def keep_previous(final: Path, making: Path) -> bool:
    """Put a copy of the last report that was made beside the page that says why there is no new one.

    Returns whether there was one.

    A misspelt file name must not cost the report of last month.
    """
    former = final / PREVIOUS if (final / PREVIOUS).is_dir() else final
    record = former / "report.json"
    if not record.exists() or json.loads(record.read_text(encoding="utf-8"))["status"] == "not made":
        return False
    shutil.copytree(former, making / PREVIOUS)
    return True


def replace_folder(new: Path, final: Path) -> None:
    """Put a finished folder in its place; the old one is moved away first and removed last.

    Raises
    ------
    ReportError
        If the place cannot be written to, for instance because a file in it is open in Excel.
    """
    old = final.with_name(f".{final.name}.old-{os.getpid()}")
    try:
        if final.exists():
            final.rename(old)
        new.rename(final)
    except OSError as error:
        if old.exists() and not final.exists():
            old.rename(final)
        raise ReportError(
            f"{final}: cannot be replaced ({error.strerror}) -> close any file of it that is open, and run again"
        ) from None
    shutil.rmtree(old, ignore_errors=True)
