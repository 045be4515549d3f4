"""The page that lists all reports of a folder, those that need attention first."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import qieval
from qieval.batch.report import STATUS, styles, templates


def write_index(folder: Path) -> Path:
    """Write ``index.html`` from the ``report.json`` of every report in the folder; returns its path."""
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("[!.]*/report.json"))]
    order = list(STATUS)
    records.sort(key=lambda record: (order.index(record["status"]), record["title"].casefold()))
    # The fullest report sets the order of the columns, so that one without some questions does not turn it round.
    fullest_first = sorted(records, key=lambda record: -len(record["cells"]))
    columns = list(dict.fromkeys(cell["column"] for record in fullest_first for cell in record["cells"]))
    rows = [
        record | {"symbol": STATUS[record["status"]], "by_column": {cell["column"]: cell for cell in record["cells"]}}
        for record in records
    ]
    counts = {status: sum(record["status"] == status for record in records) for status in order}
    text = (
        templates()
        .get_template("index.html.j2")
        .render(
            rows=rows,
            columns=columns,
            counts=counts,
            made_on=f"{datetime.now():%Y-%m-%d %H:%M}",
            version=qieval.__version__,
            styles=styles(),
            trend=trend,
        )
    )
    path = folder / "index.html"
    unfinished = folder / f".index.{os.getpid()}.html"
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
    return path


def trend(values: Sequence[float | None], line: float | None) -> dict[str, Any]:
    """The points of a small line, 120 by 26 units: pieces between gaps, the height of `line`, and the last dot."""
    known = [value for value in values if value is not None]
    low, high = min([*known, *([line] if line is not None else [])]), max(known)
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
        pieces[-1].append(f"{last[0]},{last[1]}")
    return {
        "pieces": [" ".join(piece) for piece in pieces if piece],
        "line": height(line) if line is not None else None,
        "last": last,
    }
