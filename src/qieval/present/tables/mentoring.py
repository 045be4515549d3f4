"""Visits planned and done, by group and by facility."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qieval.analyses.mentoring import Mentoring
from qieval.present.display import Table
from qieval.present.numbers import (
    DASH,
    day,
    of,
    percent,
    ratio,
    text,
    whole,
)
from qieval.present.wording.mentoring import group_name


def visits(result: Mentoring) -> Table:
    """One row per mentor type and setting, never a row for the sum, which hides what these show."""
    data = result.groups
    shown = {"Mentors": [group_name(group) for group in data.itertuples()]} | _counted(data)
    share: tuple[str, ...] = ()
    if data["share"].notna().any():
        shown |= {
            "Of those planned, made": data["planned_done"].map(whole),
            "Share of those planned": _shares(data),
        }
        share = ("Of those planned, made", "Share of those planned")
    return Table(
        name="visits",
        caption="Mentoring visits planned and done",
        shown=pd.DataFrame(shown),
        data=data,
        numeric=(*_COUNTED, *share),
    )


def by_hub(result: Mentoring) -> Table | None:
    """One row per hub and mentor type, for the facilities of that hub."""
    data = result.hubs
    if data.empty:
        return None
    shown = {
        "Facilities of hub": data["hub"].map(lambda name: name if isinstance(name, str) else "no hub recorded"),
        "Mentors": data["mentor_type"].str.capitalize(),
    }
    return Table(
        name="visits_by_hub",
        caption="Mentoring visits planned and done, by hub",
        shown=pd.DataFrame(shown | _counted(data)),
        data=data,
        numeric=_COUNTED,
        folded=True,
    )


def comparisons(result: Mentoring) -> Table | None:
    """One row per two groups: how many times as many visits for each planned."""
    data = result.comparisons
    if data.empty:
        return None
    ratios = _ratios(data)
    shown = pd.DataFrame(
        {
            "Compared": [f"{row.first.capitalize()} : {row.other}" for row in data.itertuples()],
            "Among": [_among(row) for row in data.itertuples()],
            "First": [of(int(row.done), int(row.planned)) for row in data.itertuples()],
            "Second": [of(int(row.other_done), int(row.other_planned)) for row in data.itertuples()],
            "Ratio of ratios": [estimate for estimate, _ in ratios],
            "95% interval": [interval for _, interval in ratios],
        }
    )
    return Table(
        name="visits_compared",
        caption="Visits done for each planned, one group against another",
        shown=shown,
        data=data,
        numeric=("First", "Second", "Ratio of ratios", "95% interval"),
        folded=True,
    )


_COUNTED = ("Planned", "Done", "Done per planned", "95% interval")


def _counted(data: pd.DataFrame) -> dict[str, Any]:
    """Planned, done and their ratio with its interval, as text."""
    ratios = _ratios(data)
    return {
        "Planned": data["planned"].map(whole),
        "Done": data["done"].map(whole),
        "Done per planned": [estimate for estimate, _ in ratios],
        "95% interval": [interval for _, interval in ratios],
    }


def _ratios(data: pd.DataFrame) -> list[tuple[str, str]]:
    return [ratio(row.ratio, row.low, row.high) for row in data.itertuples()]


def _shares(data: pd.DataFrame) -> list[str]:
    return [
        DASH if pd.isna(row.share) else f"{percent(row.share)} ({percent(row.share_low)} to {percent(row.share_high)})"
        for row in data.itertuples()
    ]


def _among(row: Any) -> str:
    if row.within is None:
        return "all settings"
    return f"{row.within} facilities" if row.between == "mentor_type" else f"visits by {row.within} mentors"


def facilities_visited(result: Mentoring) -> Table | None:
    """One row per facility to be visited."""
    data = result.facilities
    if data.empty:
        return None
    shown = pd.DataFrame(
        {
            "Facility": data["facility"],
            "Setting": data["setting"].map(text),
            "Hub": data["hub"].map(text),
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
