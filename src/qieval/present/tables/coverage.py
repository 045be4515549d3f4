"""Facilities reached, and those that were not."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qieval.analyses.coverage import Coverage
from qieval.analyses.visits import FEWEST_FACILITIES
from qieval.present.display import Table
from qieval.present.numbers import DASH, of, percent, text, whole
from qieval.present.wording.coverage import group_label


def as_planned(result: Coverage) -> Table | None:
    """One row for all, per setting and per kind of mentor: facilities served as planned, each capped at its plan."""
    data = result.as_planned
    if data.empty:
        return None
    shown = pd.DataFrame(
        {
            "Facilities": data["group"].map(group_label),
            "As often as planned": [of(int(row.as_planned), int(row.n)) for row in data.itertuples()],
            "Share of facilities": [_with_limits(row, "share") for row in data.itertuples()],
            "Planned visits covered": [of(int(row.capped), int(row.planned)) for row in data.itertuples()],
            "Of all planned": [_with_limits(row, "total") for row in data.itertuples()],
            "Average facility": [_with_limits(row, "mean") for row in data.itertuples()],
        }
    )
    return Table(
        name="visited_as_planned",
        caption="Facilities visited as often as planned, none counted beyond its own plan",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[1:]),
    )


def never_visited(result: Coverage) -> Table | None:
    """One row per facility never visited."""
    data = result.never
    if data.empty:
        return None
    shown = pd.DataFrame(
        {
            "Facility": data["facility"],
            "Setting": data["setting"].map(text),
            "Hub": data["hub"].map(text),
            "Visits planned": data["planned"].map(whole),
            "Days since joining": data["days"].map(whole),
        }
    )
    return Table(
        name="never_visited",
        caption="Facilities never visited",
        shown=shown,
        data=data,
        numeric=("Visits planned", "Days since joining"),
    )


def _with_limits(row: Any, what: str) -> str:
    estimate, low, high = (getattr(row, f"{what}{end}") for end in ("", "_low", "_high"))
    if row.n < FEWEST_FACILITIES:  # the counts beside it say more
        return DASH
    return percent(estimate) if pd.isna(low) else f"{percent(estimate)} ({percent(low)} to {percent(high)})"
