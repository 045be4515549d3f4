"""The six statistics of one indicator, and each facility's."""

from __future__ import annotations

import math

import pandas as pd

from qieval.analyses.six_statistics import PUBLISHED_COLLABORATIVES, PUBLISHED_LOW_BASELINE, IndicatorStatistics
from qieval.present.display import Table, file_name
from qieval.present.numbers import DASH, axis_label, number, percent, value, values, whole
from qieval.present.wording.six_statistics import (
    estimate_words,
    interval_words,
    is_shared_level,
    lacking_words,
    points,
    published,
    statistic_words,
)


def statistics(found: IndicatorStatistics) -> Table | None:
    """One row per statistic: over facilities with its interval, all together, and as published."""
    if found.refused is not None:
        return None
    data = found.statistics.assign(published=[_published_value(row, found) for row in _rows(found)])
    shown = pd.DataFrame(
        {
            "Statistic": [statistic_words(row["statistic"], _level(row), found) for row in _rows(found)],
            "Over facilities": [
                lacking_words(row) if row["lacking"] else _text(row["estimate"], row, found) for row in _rows(found)
            ],
            "95% interval": [interval_words(row, found) for row in _rows(found)],
            "Facilities": [whole(row["n"]) for row in _rows(found)],
            "All together": [_text(row["together"], row, found) for row in _rows(found)],
            "By chance alone": [_text(row["by_chance"], row, found) for row in _rows(found)],
            f"{PUBLISHED_COLLABORATIVES} published": [_published(row, found) for row in _rows(found)],
        }
    )
    return Table(
        name=f"six_statistics_{file_name(found.indicator.indicator_id)}",
        caption=f"{axis_label(found.indicator)}: the six statistics beside the published collaboratives",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[1:]),
    )


def facilities(found: IndicatorStatistics) -> Table | None:
    """One row per facility assessed."""
    data, one = found.facilities, found.indicator
    if data.empty:
        return None
    shown = {
        "Facility": data["facility"],
        "Months": data["baseline_months"].add(data["months"]).map(whole),
        "Baseline": values(data["baseline"], one),
        "Level reached": values(data["level_reached"], one),
        "Gain": [_gain(x, found) for x in data["gain"]],
        "Gain by chance": [DASH if math.isnan(x) else _gain(x, found) for x in data["gain_by_chance"]],
    }
    for level in found.levels:
        shown[f"Months to {value(level, one)}"] = [
            "began there" if before else (whole(took) if reached else "not reached")
            for before, took, reached in zip(
                data[f"at_before_{level:g}"], data[f"months_to_{level:g}"], data[f"reached_{level:g}"], strict=True
            )
        ]
    if found.levels:
        shown[f"Months kept at {value(found.levels[0], one)}"] = [
            f"{kept:.0f} of {observed}" if not math.isnan(kept) else DASH
            for kept, observed in zip(data["months_kept"], data["months_observed"], strict=True)
        ]
    frame = pd.DataFrame(shown)
    return Table(
        name=f"six_statistics_by_facility_{file_name(one.indicator_id)}",
        caption=f"{axis_label(one)}: the six statistics, facility by facility",
        shown=frame,
        data=data,
        numeric=tuple(frame.columns[1:]),
        folded=True,
    )


def _rows(found: IndicatorStatistics) -> list[pd.Series]:
    return [row for _, row in found.statistics.iterrows()]


def _level(row: pd.Series) -> float | None:
    return None if math.isnan(row["level"]) else float(row["level"])


def _text(x: float, row: pd.Series, found: IndicatorStatistics) -> str:
    return DASH if math.isnan(x) else estimate_words(x, row, found)


def _gain(x: float, found: IndicatorStatistics) -> str:
    """A gain in points, or as a number on the scale that the caption names."""
    return points(x, found) if found.indicator.kind == "proportion" else value(x, found.indicator)


def _published_value(row: pd.Series, found: IndicatorStatistics) -> float:
    comparable = is_shared_level(found) or (row["statistic"] == "gain" and found.indicator.kind == "proportion")
    known = published(row["statistic"], _level(row))
    return known.value if known is not None and comparable else math.nan


def _published(row: pd.Series, found: IndicatorStatistics) -> str:
    if row["statistic"] == "baseline" and found.indicator.kind == "proportion":
        return f"{PUBLISHED_LOW_BASELINE} below {percent(0.5)}"
    known = published(row["statistic"], _level(row))
    if known is None or math.isnan(_published_value(row, found)):
        return DASH
    if row["statistic"] == "gain":
        spread = f" (spread {100 * known.spread:.1f})" if known.spread is not None else ""
        return f"{number(100 * known.value)} points{spread}"
    if row["statistic"] == "months_to_reach":
        spread = f" (spread {known.spread:.1f})" if known.spread is not None else ""
        return f"{number(known.value)}{spread}"
    return percent(known.value)
