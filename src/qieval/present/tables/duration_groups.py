"""Groups of projects with their medians and means, and how they compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from qieval.analyses.duration_groups import Grouping
from qieval.present.display import Table
from qieval.present.numbers import DASH, months, ratio
from qieval.present.wording.duration_groups import FACTORS, group_name


def groups(groupings: Sequence[Grouping]) -> Table | None:
    """One row per group: counts, median, mean up to a common month, and its ratio to the first group."""
    if not groupings:
        return None
    rows = []
    for grouping in groupings:
        table = grouping.table.assign(factor=grouping.factor, horizon=grouping.horizon)
        for name, found in (("time_ratio", grouping.time_ratio), ("hazard_ratio", grouping.hazard_ratio)):
            by_group = found.table.set_index("group") if found is not None else pd.DataFrame(columns=["ratio"])
            for column in ("ratio", "low", "high"):
                named = name if column == "ratio" else f"{name}_{column}"
                table[named] = table["group"].map(by_group[column]) if column in by_group else float("nan")
        rows.append(table)
    data = pd.concat(rows, ignore_index=True)
    shown = pd.DataFrame(
        {
            "Group": [f"{FACTORS[row.factor]}: {group_name(row.group)}" for row in data.itertuples()],
            "Projects": data["n"].map(str),
            "Ended": data["ended"].map(str),
            "Completed": data["completed"].map(str),
            "Median months": [_with_limits(months, r.median, r.low, r.high) for r in data.itertuples()],
            "Mean months up to": [_mean(row) for row in data.itertuples()],
            "Times as long": [
                _with_limits(ratio, r.time_ratio, r.time_ratio_low, r.time_ratio_high) for r in data.itertuples()
            ],
            "Ends as often": [
                _with_limits(ratio, r.hazard_ratio, r.hazard_ratio_low, r.hazard_ratio_high) for r in data.itertuples()
            ],
        }
    )
    return Table(
        name="durations_by_group",
        caption="Durations by group, with 95% intervals; ratios are to the first group that can tell",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[1:]),
    )


def _with_limits(show: Callable[[float], str], x: float, low: float, high: float) -> str:
    if pd.isna(x):
        return DASH
    return f"{show(x)} ({show(low)} to {'no limit' if high == float('inf') else show(high)})"


def _mean(row: Any) -> str:
    mean, horizon = row.mean, row.horizon
    if pd.isna(mean) or pd.isna(horizon):
        return DASH
    return f"{months(horizon)}: {months(mean)} ({months(row.mean_low)} to {months(row.mean_high)})"
