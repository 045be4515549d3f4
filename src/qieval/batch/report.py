"""One page per collaborative, made from its executed notebooks and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat

import qieval
from qieval.batch.execute import Run
from qieval.batch.folders import without_folders
from qieval.batch.harvest import Harvest, harvest
from qieval.batch.pages import Numbering, headings, section_html, shared_text, templates
from qieval.batch.plan import Job
from qieval.batch.records import STATUS


@dataclass(frozen=True, kw_only=True)
class Section:
    """One notebook's part of the report."""

    name: str
    title: str
    html: str = ""
    parts: tuple[tuple[str, str], ...] = ()  # id and title of each heading in it
    harvest: Harvest = field(default_factory=Harvest)
    failure: str = ""
    left_out: str = ""
    note: str = ""


def write_report(job: Job, runs: Iterable[Run], folder: Path, *, has_previous: bool = False) -> dict[str, Any]:
    """Write ``report.html``, ``figures/``, ``tables/`` and ``report.json`` into `folder`; returns the latter's content.

    The executed notebooks are in ``folder / "notebooks"`` already, and if `has_previous` the last report that was
    made is in ``folder / "previous"``.
    """

    def shared(lines: Iterable[str]) -> list[str]:
        return [without_folders(line, job.home, job.parameters.data) for line in lines]

    sections = _sections(job, runs, folder)
    failures = {section.name: section.failure for section in sections if section.failure}
    status = "not made" if job.errors else "section failed" if failures else "made"
    record = {
        "collaborative": job.parameters.collaborative,
        "title": job.parameters.title,
        "status": status,
        "made_on": f"{datetime.now():%Y-%m-%d %H:%M}",
        "version": qieval.__version__,
        "data_cut": f"{job.parameters.data_cut:%Y-%m-%d}",
        "fingerprint": job.fingerprint,
        "errors": shared(job.errors),
        "failures": failures,
        "left_out": {section.name: section.left_out for section in sections if section.left_out},
        "sections": [section.name for section in sections if not section.left_out],
        "answers": {section.name: section.harvest.answer for section in sections if section.harvest.answer},
        "cells": [cell for section in sections for cell in section.harvest.cells],
        "values": {s.name: s.harvest.values for s in sections if s.harvest.values is not None},
    }
    text = (
        templates()
        .get_template("report.html.j2")
        .render(
            record=record,
            sections=sections,
            warnings=shared(job.warnings),
            summary=job.summary,
            symbol=STATUS[status],
            has_previous=has_previous,
            folders=[name for name in ("figures", "tables", "notebooks") if _holds_something(folder / name)],
            styles=shared_text("style.css"),
        )
    )
    (folder / "report.html").write_text(text, encoding="utf-8")
    (folder / "report.json").write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    return record


def _sections(job: Job, runs: Iterable[Run], folder: Path) -> list[Section]:
    """The parts of the report in their order, also of notebooks that failed or were left out."""
    by_name = {run.notebook.name: run for run in runs}
    reasons = {notebook.name: reason for notebook, reason in job.left_out}
    numbering = Numbering()
    sections = []
    for notebook in sorted([*job.notebooks, *(nb for nb, _ in job.left_out)], key=lambda nb: (nb.order, nb.name)):
        name, title = notebook.name, notebook.title
        if name in reasons:
            note = job.parameters.notes.get(name, "")
            sections.append(Section(name=name, title=title, left_out=reasons[name], note=note))
            continue
        run = by_name[name]
        executed = nbformat.read(run.output, as_version=4) if run.output.exists() else nbformat.v4.new_notebook()
        html, parts = headings(section_html(executed, name, numbering), name)
        # What a failed notebook computed before it failed is shown in its section, and used nowhere else.
        found = Harvest() if run.failure else harvest(executed, name, folder)
        sections.append(
            Section(name=name, title=title, html=html, parts=tuple(parts), harvest=found, failure=run.failure)
        )
    return sections


def _holds_something(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
