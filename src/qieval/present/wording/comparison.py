"""Words for the page that sets collaboratives side by side; every figure is put so that more is better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from qieval.analyses.six_statistics import (
    PUBLISHED_CHARTS,
    PUBLISHED_COLLABORATIVES,
    SOURCE,
    Name,
)
from qieval.present.numbers import DASH, MINUS, count, months, percent
from qieval.present.wording.six_statistics import published

Interval = Mapping[str, float | None]  # estimate, low and high; None where there is no such number


def turned(found: Interval, better: str) -> dict[str, float | None]:
    """A change with its limits, turned so that more is better."""
    if better == "up":
        return {name: found[name] for name in ("estimate", "low", "high")}
    return {name: None if found[of] is None else -found[of] for name, of in  # type: ignore[operator]
            (("estimate", "estimate"), ("low", "high"), ("high", "low"))}  # fmt: skip


def points(share: float | None) -> str:
    """A difference of proportions in points, with its sign, e.g. 0.297 as +30."""
    if share is None:
        return DASH
    nearest = math.floor(100 * abs(share) + 0.5)
    return f"{'' if nearest == 0 else '+' if share > 0 else MINUS}{nearest}"


def points_interval(found: Interval) -> str:
    """An estimate and its 95% interval in points, e.g. +30 (+24 to +35)."""
    return _with_limits(found, points)


def share_interval(found: Interval) -> str:
    """A proportion and its 95% interval, e.g. 58% (39% to 76%)."""
    return _with_limits(found, lambda share: DASH if share is None else percent(share))


def months_interval(found: Interval) -> str:
    """A length and its 95% interval, e.g. 8.0 (3.0 to no upper limit)."""
    if found["estimate"] is None:
        return DASH
    low = "no lower limit" if found["low"] is None else months(found["low"])
    high = "no upper limit" if found["high"] is None else months(found["high"])
    limits = "" if found["low"] is None and found["high"] is None else f" ({low} to {high})"
    return f"{months(found['estimate'])}{limits}"


def _with_limits(found: Interval, written: Any) -> str:
    if found["estimate"] is None:
        return DASH
    if found["low"] is None or found["high"] is None:
        return str(written(found["estimate"]))
    return f"{written(found['estimate'])} ({written(found['low'])} to {written(found['high'])})"


def why_no_effect(main: Mapping[str, Any]) -> str:
    """Why a main indicator has no place on the axis of changes."""
    if main["against_own_trend"] is None:
        return "no change against the own trend could be told"
    return f"in its own unit ({main['unit']}), see the report"


def published_row() -> dict[str, str]:
    """What is printed of the published collaboratives, by statistic and level, in words."""
    words = {}
    for key, (statistic, level) in STRIPS.items():
        known = published(statistic, level)
        if known is None:
            words[key] = "not published"
        elif statistic == "gain":
            spread = "" if known.spread is None else f" (SD {percent(known.spread).removesuffix('%')})"
            words[key] = f"{points(known.value)}{spread}"
        elif statistic == "months_to_reach":
            spread = "" if known.spread is None else f" (SD {months(known.spread)})"
            words[key] = f"{months(known.value)}{spread}"
        else:
            words[key] = percent(known.value)
    return words


STRIPS: dict[str, tuple[Name, float | None]] = {  # the statistics that are published, as key figures name them
    "gain": ("gain", None),
    "share_reaching_0.8": ("share_reaching", 0.8),
    "months_to_reach_0.8": ("months_to_reach", 0.8),
    "share_reaching_0.9": ("share_reaching", 0.9),
    "months_to_reach_0.9": ("months_to_reach", 0.9),
    "share_kept_0.8": ("share_kept", 0.8),
}


def strip_title(key: str) -> str:
    """The heading of a published statistic, with its unit."""
    statistic, level = STRIPS[key]
    at = "" if level is None else percent(level)
    return {
        "gain": "Gain, points",
        "share_reaching": f"Facilities that reached {at}",
        "months_to_reach": f"Months to {at}",
        "share_kept": f"Months kept at {at}",
    }[statistic]


PUBLISHED_NAME = f"{PUBLISHED_COLLABORATIVES} published"  # heads their line


def published_about() -> str:
    """How a collaborative here and the published ones may be read beside one another."""
    return (
        f"The first line is {PUBLISHED_COLLABORATIVES} published collaboratives ({PUBLISHED_CHARTS} charts; {SOURCE}): "
        "their mean, with the spread over charts where one is printed. Below, a dot is the mean over facilities with "
        "its 95% interval; an open diamond is one chart of all facilities together, which is what the published charts "
        "are. The gain is from the baseline to the best months in a row, so it is larger than the change against the "
        "own trend, and some of it would come about by chance."
    )


def lacking(n: int) -> str:
    """How many collaboratives have no line beside the published ones, and why."""
    return (
        f"{count(n, 'collaborative has', 'collaboratives have')} no line here: the main indicator is no proportion of "
        "which more is better, or too few facilities have months enough."
    )
