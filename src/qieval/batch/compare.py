"""The page that sets the collaboratives of a folder side by side: nothing is pooled, and nothing computed anew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qieval
from qieval.batch.pages import replace_text, shared_text, templates
from qieval.batch.records import Record, last_made, main_indicator
from qieval.present.wording import comparison as wording
from qieval.present.wording.six_statistics import published

WIDTH = 140  # units of a strip


@dataclass(frozen=True, kw_only=True)
class Scale:
    """One axis for all rows of a column."""

    low: float
    high: float
    ticks: tuple[float, ...]
    factor: float = 1.0  # of a tick as it is written, e.g. 100 for points

    def at(self, x: float) -> float:
        """The place on the strip, at its end for what lies beyond."""
        share = (min(max(x, self.low), self.high) - self.low) / (self.high - self.low)
        return round(6 + share * (WIDTH - 12), 1)


def write_compare(folder: Path, records: Sequence[Record]) -> Path:
    """Write ``compare.html`` with a row for every report in `records` that was made; returns its path."""
    return replace_text(folder / "compare.html", compare_page(records))


def compare_page(records: Sequence[Record]) -> str:
    """The page over the reports that were made."""
    made = [record for record in records if record["status"] != "not made"]
    effects = scale_over([change for record in made if (change := _change(record))], 100)
    lengths = scale_over([length for record in made if (length := _length(record))], 1)
    rows = [_row(record, effects, lengths) for record in made]
    beside = [record for record in made if _is_beside(record)]
    strips = {key: _strip_scale(key, beside) for key in wording.STRIPS}
    return (
        templates()
        .get_template("compare.html.j2")
        .render(
            rows=sorted(rows, key=lambda row: (row["effect"] is None, row["title"].casefold())),
            effects=_axis(effects),
            lengths=_axis(lengths),
            beside=[_beside(record, strips) for record in beside],
            published=_published(strips),
            strips=[(key, wording.strip_title(key), _axis(strips[key])) for key in wording.STRIPS],
            published_name=wording.PUBLISHED_NAME,
            about=wording.published_about(),
            lacking=wording.lacking(len(made) - len(beside)) if len(beside) < len(made) else "",
            width=WIDTH,
            made_on=last_made(list(records)),
            version=qieval.__version__,
            styles=shared_text("style.css"),
            script=shared_text("sort.js"),
        )
    )


def _row(record: Record, effects: Scale | None, lengths: Scale | None) -> dict[str, Any]:
    """One collaborative: its change, its time, its visits and its gain kept."""
    main, change, length = main_indicator(record), _change(record), _length(record)
    cells = {cell["column"]: cell for cell in record["cells"]}
    kept = cells.get("Gain kept")
    return {
        "collaborative": record["collaborative"],
        "title": record["title"],
        "indicator": main["name"] if main else "",
        "less_is_better": main is not None and main["better"] == "down",
        "facilities": main["facilities"] if main else None,
        "effect": change["estimate"] if change else None,
        "effect_text": _effect_text(main, change),
        "month": main["months_after_joining"] if main is not None and change else None,
        "effect_strip": _strip(change, effects),
        "length": length["estimate"] if length else None,
        "length_text": wording.months_interval(length) if length else "–",
        "length_strip": _strip(length, lengths),
        "visits": cells["Visits done of planned"]["text"] if "Visits done of planned" in cells else "–",
        "kept": kept["text"] if kept else "–",
        "kept_sort": kept.get("sort") if kept else None,
    }


def _effect_text(main: dict[str, Any] | None, change: dict[str, float | None] | None) -> str:
    if main is None:
        return "–"
    return wording.points_interval(change) if change else wording.why_no_effect(main)


def _change(record: Record) -> dict[str, float | None] | None:
    """The change of a proportion against its own trend, turned so that more is better; other units share no axis."""
    main = main_indicator(record)
    if main is None or main["kind"] != "proportion" or main["against_own_trend"] is None:
        return None
    return wording.turned(main["against_own_trend"], main["better"])


def _length(record: Record) -> dict[str, float | None] | None:
    """The median duration of a project, in months."""
    found = record["values"].get("durations")
    if not found or found["median_months"] is None:
        return None
    return {"estimate": found["median_months"], "low": found["median_low"], "high": found["median_high"]}


def _is_beside(record: Record) -> bool:
    main = main_indicator(record)
    return bool(main and main.get("six_statistics") and "share_reaching_0.8" in main["six_statistics"])


def _beside(record: Record, strips: dict[str, Scale]) -> dict[str, Any]:
    """One collaborative's statistics on the axes of the published ones."""
    main = main_indicator(record)
    assert main is not None
    found = {key: main["six_statistics"].get(key) or _NOTHING for key in wording.STRIPS}
    written = {key: _WRITTEN[wording.STRIPS[key][0]](found[key]) for key in found}
    return {
        "collaborative": record["collaborative"],
        "title": record["title"],
        "indicator": main["name"],
        "cells": [
            {
                "text": written[key],
                "sort": found[key]["estimate"],
                "strip": _strip(found[key], strips[key]),
                "facilities": found[key]["facilities"],
            }
            for key in wording.STRIPS
        ],
    }


_NOTHING = {"estimate": None, "low": None, "high": None, "together": None, "facilities": 0}
_WRITTEN = {
    "gain": wording.points_interval,
    "share_reaching": wording.share_interval,
    "months_to_reach": wording.months_interval,
    "share_kept": wording.share_interval,
}


def _published(strips: dict[str, Scale]) -> list[dict[str, Any]]:
    """The published mean of each statistic, and the band of one standard deviation, where printed."""
    row = []
    for key, words in wording.published_row().items():
        known, scale = published(*wording.STRIPS[key]), strips[key]
        band = None
        if known is not None and known.spread is not None:
            band = (scale.at(known.value - known.spread), scale.at(known.value + known.spread))
        row.append({"text": words, "at": scale.at(known.value) if known is not None else None, "band": band})
    return row


def _strip_scale(key: str, records: Sequence[Record]) -> Scale:
    """From 0 to 100%, or from 0 to the longest time; a gain may be a loss."""
    found = [main["six_statistics"].get(key) for record in records if (main := main_indicator(record))]
    statistic, level = wording.STRIPS[key]
    known = published(statistic, level)
    printed = {"estimate": 0.0, "low": 0.0, "high": known.value + (known.spread or 0) if known else 1.0}
    if statistic == "months_to_reach":
        scale = scale_over([printed, *filter(None, found)], 1)
        assert scale is not None
        return scale
    lowest = min([0.0, *(one["low"] for one in found if one and one["low"] is not None)])
    low = math.floor(lowest * 4) / 4 if statistic == "gain" else 0.0
    return Scale(low=low, high=1.0, ticks=tuple(sorted({low, 0.0, 0.5, 1.0})), factor=100)


def scale_over(found: Sequence[dict[str, Any]], factor: float) -> Scale | None:
    """An axis with 0 in it that holds all estimates and limits, with ticks at round numbers; None for nothing."""
    known = [x for one in found for x in (one["estimate"], one["low"], one["high"]) if x is not None]
    if not known:
        return None
    low, high = min(0.0, *known) * factor, max(0.0, *known) * factor
    step = next(s for s in (*(base * 10**power for power in range(9) for base in (1, 2, 5)),) if (high - low) / s <= 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:
        last += 1
    ticks = tuple(step * n / factor for n in range(first, last + 1))
    return Scale(low=ticks[0], high=ticks[-1], ticks=ticks, factor=factor)


def _axis(scale: Scale | None) -> list[tuple[float, str]]:
    """Place and number of each tick."""
    return [(scale.at(tick), f"{tick * scale.factor:g}".replace("-", "−")) for tick in scale.ticks] if scale else []


def _strip(found: dict[str, Any] | None, scale: Scale | None) -> dict[str, Any] | None:
    """Where a dot, the ends of its interval and a diamond lie; an interval without an end reaches the edge."""
    if found is None or scale is None or found["estimate"] is None:
        return None
    low, high, together = found["low"], found["high"], found.get("together")
    has_interval = low is not None or high is not None
    return {
        "dot": scale.at(found["estimate"]),
        "low": scale.at(scale.low if low is None else low) if has_interval else None,
        "high": scale.at(scale.high if high is None else high) if has_interval else None,
        "is_open": has_interval and high is None,
        "zero": scale.at(0.0),
        "together": scale.at(together) if together is not None else None,
    }
