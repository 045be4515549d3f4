"""The page that lists all reports of a folder, those that need attention first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import qieval
from qieval.batch.compare import write_compare
from qieval.batch.pages import replace_text, shared_text, templates
from qieval.batch.records import JUDGED, RESULTS, STATUS, Record, last_made, main_indicator, read_records, record_files
from qieval.batch.workbook import write_workbook
from qieval.present.numbers import count, months, of

FILES = {"PDF": "report.pdf", "Word": "report.docx", "Figures": "figures", "Tables": "tables"}
REASONS_SHOWN = 3  # of a report that was not made; its page has them all
QUICK = 30  # reports, over which pages are written in less than half a second
BAR = 90  # units of the longest bar of visits


def write_index(folder: Path) -> Path:
    """Write ``index.html``, ``compare.html`` and ``key_figures.xlsx`` from the reports in the folder.

    Returns the path of the first. Each file is whole at any moment.
    """
    records = read_records(folder)
    path = replace_text(folder / "index.html", index_page(folder, records))
    write_compare(folder, records)
    write_workbook(folder, records)  # last, since it is what may be open in Excel
    return path


def write_index_in_haste(folder: Path) -> None:
    """Write them for whoever has stopped a batch, unless there are so many reports that he would have to wait.

    Then they stay as they were until the next batch.
    """
    if 0 < sum(1 for _ in record_files(folder)) <= QUICK:
        write_index(folder)


def index_page(folder: Path, records: Sequence[Record]) -> str:
    """The page over `records`, with links to what there is of each in `folder`."""
    # The fullest report sets the order of the columns, so that one without some questions does not turn it round.
    fullest_first = sorted(records, key=lambda record: -len(record["cells"]))
    columns = list(dict.fromkeys(cell["column"] for record in fullest_first for cell in record["cells"]))
    rows = [_row(folder, record) for record in records]
    return (
        templates()
        .get_template("index.html.j2")
        .render(
            rows=rows,
            columns=columns,
            numeric={name for row in rows for name, cell in row["cells"].items() if _is_number(cell)},
            counts={status: sum(record["status"] == status for record in records) for status in STATUS},
            # As the last batch that was asked for each report left it: not all are asked for in every batch.
            reused=sum(record["status"] == "made" and bool(record.get("reused")) for record in records),
            tiles=_tiles(records),
            made_on=last_made(list(records)),
            version=qieval.__version__,
            styles=shared_text("style.css"),
            script=shared_text("sort.js"),
        )
    )


def _row(folder: Path, record: Record) -> dict[str, Any]:
    """What the page shows of one report."""
    own = folder / record["collaborative"]
    return {
        "collaborative": record["collaborative"],
        "title": record["title"],
        "status": record["status"],
        "symbol": STATUS[record["status"]],
        "left_out": [] if record["errors"] else list(record["left_out"]),
        "reasons": _reasons(record),
        "more": max(len(record["errors"]) - REASONS_SHOWN, 0),
        "cells": {cell["column"]: _cell(cell, record) for cell in record["cells"]},
        "files": [(label, name) for label, name in FILES.items() if (own / name).exists()],
    }


def _reasons(record: Record) -> list[tuple[str, str]]:
    """Why there is no report, or a part of it is lacking: where (file and row, or section), and what."""
    lines = [f"{name.capitalize()}: {reason}" for name, reason in record["failures"].items()]
    parted = [line.partition(": ") for line in [*record["errors"][:REASONS_SHOWN], *lines]]
    return [(where, what) if what else ("", where) for where, _, what in parted]


def _cell(cell: dict[str, Any], record: Record) -> dict[str, Any]:
    """A key figure as the page shows it: with its small line, the symbol of a result, or bars of visits."""
    shown: dict[str, Any] = {"text": cell["text"], "sort": cell.get("sort"), "trend": None, "bars": [], "symbol": ""}
    main = main_indicator(record)
    if "trend" in cell:
        shown["trend"] = trend(cell["trend"], cell.get("line"))
    if cell["column"] == "Result" and main:
        shown["symbol"] = RESULTS.get(main["verdict"], "")
    if cell["column"] == "Visits done of planned":
        groups = record["values"]["mentoring"]["groups"]
        shown["bars"] = bars(cell["text"].splitlines(), groups)
        known = [group["ratio"] for group in groups if group["ratio"] is not None]
        shown["sort"] = min(known, default=None)  # the group with the fewest visits for its plan
    return shown


def _is_number(cell: dict[str, Any]) -> bool:
    return cell["sort"] is not None and not cell["bars"]


def _tiles(records: Sequence[Record]) -> list[tuple[str, str]]:
    """What can be said of all reports together without weighing one against another: counts and ranges."""
    tiles = []
    verdicts = [main["verdict"] for record in records if (main := main_indicator(record))]
    judged = [verdict for verdict in verdicts if verdict in JUDGED]
    if judged:
        improved = of(judged.count("improved"), len(judged))
        tiles.append((improved, "improved, by the run chart of the main indicator"))
    if len(verdicts) > len(judged):
        untold = len(verdicts) - len(judged)
        tiles.append((f"{untold:,}", "cannot be judged yet"))
    lengths = [found["median_months"] for r in records if (found := r["values"].get("durations"))]
    known = sorted(length for length in lengths if length is not None)
    if known:
        span = (
            months(known[0]) if months(known[0]) == months(known[-1]) else f"{months(known[0])} to {months(known[-1])}"
        )
        over = "median project" if len(known) == 1 else f"median project, over {count(len(known), 'collaborative')}"
        tiles.append((f"{span} months", over))
    never = [found["never_visited"] for r in records if (found := r["values"].get("mentoring"))]
    told = [n for n in never if n is not None]
    if told:
        tiles.append((count(sum(told), "facility", "facilities"), "never visited by a mentor"))
    return tiles


def trend(values: Sequence[float | None], line: float | None) -> dict[str, Any]:
    """The points of a small line, 120 by 26 units: pieces between gaps, the height of `line`, and the last dot."""
    known = [value for value in values if value is not None]
    low, high = (
        min([*known, *([line] if line is not None else [])]),
        max([*known, *([line] if line is not None else [])]),
    )
    span = (high - low) or 1.0
    step = 112 / max(len(values) - 1, 1)

    def height(value: float) -> float:
        return round(22 - 18 * (value - low) / span, 1)

    pieces: list[list[str]] = [[]]
    last = (4.0, 13.0)
    for position, value in enumerate(values):
        if value is None:
            pieces.append([])
            continue
        last = (round(4 + position * step, 1), height(value))
        pieces[-1].append(f"{last[0]:g},{last[1]:g}")
    return {
        "pieces": [" ".join(piece) for piece in pieces if piece],
        "line": height(line) if line is not None else None,
        "last": last,
    }


def bars(lines: Sequence[str], groups: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per line of text the length of a bar of visits done and the place of the tick of those planned, on one scale."""
    known = [group[name] for group in groups for name in ("done", "planned") if group[name] is not None]
    if len(lines) != len(groups) or not known or max(known) == 0:
        return []
    scale = BAR / max(known)
    return [
        {
            "text": line,
            "done": round(group["done"] * scale, 1) if group["done"] is not None else None,
            "planned": round(group["planned"] * scale, 1) if group["planned"] is not None else None,
        }
        for line, group in zip(lines, groups, strict=True)
    ]
