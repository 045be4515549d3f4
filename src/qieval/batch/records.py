"""What the reports of a folder say of themselves, in ``report.json``; all pages across reports are made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]

MANIFEST = "manifest.json"  # beside the record of every report that was finished; see `qieval.batch.manifest`

STATUS = {  # of a report: symbol and words; the order is that of the index page
    "not made": "✕",
    "section failed": "!",
    "made": "✓",
}
# What the run chart of the main indicator says, in the order of the index page: what needs attention first.
RESULTS = {
    "worsened": "▼",
    "who reported changed": "…",
    "baseline unstable": "…",
    "no baseline": "…",
    "too few months": "…",
    "back at baseline": "◇",
    "no signal": "■",
    "improved": "▲",
}
# What every record holds, and of which kind.
_KINDS: dict[str, type] = {
    **dict.fromkeys(("collaborative", "title", "status", "made_on", "version", "data_cut", "fingerprint"), str),
    **dict.fromkeys(("errors", "sections", "cells"), list),
    **dict.fromkeys(("failures", "left_out", "answers", "values"), dict),
}
DAMAGED = "report.json: is damaged, or of another version of qieval -> run this report again"
NOT_FINISHED = "manifest.json: is missing: not finished, or made by an older qieval -> run this report again"
JUDGED = ("worsened", "back at baseline", "no signal", "improved")  # the others say why nothing can be told


def read_records(folder: Path) -> list[Record]:
    """The record of every report in the folder, those that need attention first.

    One that is damaged or was never finished hides none of the others: it counts as a report that was not made.
    """
    return sorted(map(_record_or_reason, record_files(folder)), key=_attention)


def record_files(folder: Path) -> Iterator[Path]:
    """The file of the record of every report in the folder."""
    return folder.glob("[!.]*/report.json")


def _record_or_reason(path: Path) -> Record:
    if not path.with_name(MANIFEST).is_file():
        return _not_made(path.parent.name, NOT_FINISHED)
    record = read_record(path)
    return _not_made(path.parent.name, DAMAGED) if record is None else record


def read_record(path: Path) -> Record | None:
    """The record of one report; None if it is damaged, or as no report is written today.

    Its folder says whose it is, also if that was renamed: links lead there, and nowhere else.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        whole = all(isinstance(record[name], kind) for name, kind in _KINDS.items()) and record["status"] in STATUS
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return record | {"collaborative": path.parent.name} if whole else None


def _not_made(name: str, reason: str) -> Record:
    blank: Record = {field: kind() for field, kind in _KINDS.items()}
    return blank | {"collaborative": name, "title": name, "status": "not made", "errors": [reason]}


def _attention(record: Record) -> tuple[int, int, str, str]:
    main = main_indicator(record)
    verdict = main.get("verdict") if main else None
    rank = list(RESULTS).index(verdict) if verdict in RESULTS else len(RESULTS)
    return list(STATUS).index(record["status"]), rank, record["title"].casefold(), record["collaborative"]


def main_indicator(record: Record) -> dict[str, Any] | None:
    """The key figures of the main indicator, the first of its study; None where no indicator was reported on."""
    return next(iter(record["values"].get("effectiveness", {}).values()), None)


def last_made(records: list[Record]) -> str:
    """When the newest of the reports was made; not now, so that the same reports always give the same pages."""
    return max((record["made_on"] for record in records), default="")
