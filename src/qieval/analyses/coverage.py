"""Did mentoring reach every facility, as often as planned, and lately?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.visits import FEWEST_FACILITIES, visits
from qieval.methods.rates import Proportion, clustered_share, proportion
from qieval.study.schema import MENTOR_TYPES, SETTINGS
from qieval.study.study import Study


@dataclass(frozen=True, eq=False, kw_only=True)
class Coverage:
    """Facilities reached, each counting once whatever the number of its visits."""

    refused: Literal["totals_only", "no_facility"] | None
    data_cut: pd.Timestamp
    n: int  # facilities to be visited
    visited: Proportion | None  # at least once
    recent: dict[int, Proportion]  # by days before the data cut: visited since
    n_support_over: int  # facilities whose support had ended by the data cut
    # One row for all facilities, then per setting, then per mentor type: group ("all", a setting or a mentor type),
    # n (facilities with a plan), as_planned (visited as often as planned), share, share_low, share_high,
    # planned, capped (done, no facility beyond its own plan), mean, mean_low, mean_high (over facilities),
    # total, total_low, total_high (of all planned). Intervals are missing below FEWEST_FACILITIES.
    as_planned: pd.DataFrame
    days_since: pd.DataFrame  # facility, setting, last_visit, days (missing: never visited), longest first
    never: pd.DataFrame  # facility, setting, hub, planned, days (since joining): those never visited

    @property
    def has_interval(self) -> bool:
        """Whether there are facilities enough for an interval over facilities."""
        return self.n >= FEWEST_FACILITIES


def coverage(study: Study) -> Coverage:
    """Shares of facilities visited at all, lately, and as often as planned.

    Visits beyond a facility's own plan count for nothing here: extra visits to one cannot make up for those that
    another was promised. Per mentor type each plan is that of the type.
    """
    cut = pd.Timestamp(study.parameters.data_cut)
    if not study.has("visits"):
        return _refused("totals_only", cut)
    found = visits(study)
    to_visit = found.facilities
    n = len(to_visit)
    if n == 0:
        return _refused("no_facility", cut)
    days = (cut - to_visit["last_visit"]).dt.days
    since = to_visit[["facility", "setting", "last_visit"]].assign(days=days.astype(float))
    never = to_visit.loc[to_visit["done"] == 0]
    return Coverage(
        refused=None,
        data_cut=cut,
        n=n,
        visited=proportion(n - len(never), n),
        recent={within: proportion(int((days < within).sum()), n) for within in _recent_days(study)},
        n_support_over=int(to_visit["support_ended_on"].notna().sum()),
        as_planned=_as_planned(found.rows, to_visit),
        days_since=since.sort_values(["days", "facility"], ascending=[False, True], ignore_index=True),
        never=never[["facility", "setting", "hub", "planned"]]
        .assign(days=(cut - never["followed_from"]).dt.days.astype(float))
        .sort_values("facility", ignore_index=True),
    )


def _recent_days(study: Study) -> tuple[int, ...]:
    return study.parameters.options.mentoring.recent_days


def _as_planned(rows: pd.DataFrame, to_visit: pd.DataFrame) -> pd.DataFrame:
    parts = {"all": to_visit[["planned", "done"]]}
    for setting in SETTINGS:
        parts[setting] = to_visit.loc[to_visit["setting"] == setting, ["planned", "done"]]
    for mentor_type in MENTOR_TYPES:
        own = rows.loc[rows["mentor_type"] == mentor_type]
        parts[mentor_type] = own.groupby("facility_id")[["planned", "done"]].sum()
    return pd.DataFrame(
        [{"group": group} | _capped(part) for group, part in parts.items() if (part["planned"] > 0).any()]
    )


def _capped(counts: pd.DataFrame) -> dict[str, float]:
    """What became of the plans of these facilities, each capped at its own."""
    due = counts.loc[counts["planned"] > 0]
    planned, capped = due["planned"].to_numpy(float), due[["planned", "done"]].min(axis=1).to_numpy(float)
    n, as_planned = len(due), int((due["done"] >= due["planned"]).sum())
    limits: tuple[float, ...] = (np.nan,) * 6
    if n >= FEWEST_FACILITIES:
        met = proportion(as_planned, n)
        limits = (met.low, met.high, *clustered_share(capped / planned, np.ones(n))[1:])
        limits += clustered_share(capped, planned)[1:]
    return {
        "n": n,
        "as_planned": as_planned,
        "share": as_planned / n,
        "share_low": limits[0],
        "share_high": limits[1],
        "planned": planned.sum(),
        "capped": capped.sum(),
        "mean": (capped / planned).mean(),
        "mean_low": limits[2],
        "mean_high": limits[3],
        "total": capped.sum() / planned.sum(),
        "total_low": limits[4],
        "total_high": limits[5],
    }


def _refused(why: Literal["totals_only", "no_facility"], cut: pd.Timestamp) -> Coverage:
    return Coverage(
        refused=why,
        data_cut=cut,
        n=0,
        visited=None,
        recent={},
        n_support_over=0,
        as_planned=pd.DataFrame(),
        days_since=pd.DataFrame(),
        never=pd.DataFrame(),
    )
