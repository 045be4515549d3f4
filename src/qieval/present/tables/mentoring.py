"""Visits planned and done, by group and by facility."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from qieval.analyses.mentoring import Mentoring
from qieval.present.display import Table
from qieval.present.numbers import (
    DASH,
    day,
    ratio,
    ratio_interval,
    text,
    whole,
)
from qieval.present.wording.mentoring import group_name

Show = Callable[[Any], str]


def visits(result: Mentoring) -> Table:
    """One row per mentor type and setting, and the sum of all below, which hides what the rows show."""
    data = result.groups
    shown = pd.DataFrame(
        {
            "Mentors": [group_name(group) for group in data.itertuples()],
            "Planned": data["planned"].map(whole),
            "Done": data["done"].map(whole),
            "Done per planned": data["ratio"].map(ratio),
            "95% interval": [
                DASH if pd.isna(group.ratio) else ratio_interval(group.low, group.high) for group in data.itertuples()
            ],
        }
    )
    return Table(
        name="visits",
        caption="Mentoring visits planned and done",
        shown=shown,
        data=data,
        numeric=("Planned", "Done", "Done per planned", "95% interval"),
    )


def facilities_visited(result: Mentoring) -> Table | None:
    """One row per facility to be visited."""
    data = result.facilities
    if data.empty:
        return None
    shown = pd.DataFrame(
        {
            "Facility": data["facility"],
            "Setting": data["setting"].map(text),
            "Planned": data["planned"].map(whole),
            "Done": data["done"].map(whole),
            "Last visit": data["last_visit"].map(day),
        }
    )
    return Table(
        name="visits_by_facility",
        caption="Visits by facility, the least visited first",
        shown=shown,
        data=data,
        numeric=("Planned", "Done"),
        folded=True,
    )
