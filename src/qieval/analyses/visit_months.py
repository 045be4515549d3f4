"""When were visits planned and made, month by month?"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from qieval.analyses.mentoring import with_ratio
from qieval.analyses.visits import visits
from qieval.study.schema import MENTOR_TYPES
from qieval.study.study import Study


@dataclass(frozen=True, eq=False, kw_only=True)
class VisitMonths:
    """Plans in the month they were due and visits in the month they were made, up to the data cut."""

    totals_only: bool
    # One row per mentor type and month from the first to the last: mentor_type, period, planned, done, ratio, low,
    # high, planned_so_far, done_so_far.
    months: pd.DataFrame
    # One row per facility and month since it is followed: facility, setting, period, done, missed (planned then and
    # never made).
    calendar: pd.DataFrame
    facilities: tuple[str, ...]  # in the order to draw: by the month followed from, then as in their table
    support_ended: dict[str, pd.Timestamp]  # by facility, where it had ended by the data cut


def visit_months(study: Study) -> VisitMonths:
    """The calendar of visits; empty for totals, which have no months."""
    if not study.has("visits"):
        return VisitMonths(
            totals_only=True, months=pd.DataFrame(), calendar=pd.DataFrame(), facilities=(), support_ended={}
        )
    found = visits(study)
    rows = found.rows
    keys = ["facility_id", "facility", "mentor_type"]
    due, made = rows.loc[rows["planned"]], rows.loc[rows["done"]]
    # An empty frame would take on the rows of whatever is assigned to it: each column comes from the frame itself.
    counted = pd.concat(
        [
            due[keys].assign(
                period=_month(due["planned_on"]), planned=1, done=0, planned_done=due["done"], missed=~due["done"]
            ),
            made[keys].assign(period=_month(made["done_on"]), planned=0, done=1, planned_done=False, missed=False),
        ],
        ignore_index=True,
    ).astype(dict.fromkeys(["planned", "done", "planned_done", "missed"], int))
    to_visit = found.facilities.sort_values("followed_from", kind="stable", na_position="last")
    ended = to_visit.dropna(subset=["support_ended_on"]).set_index("facility")["support_ended_on"]
    return VisitMonths(
        totals_only=False,
        months=_by_type(counted, found.data_cut),
        calendar=_calendar(counted, to_visit, found.data_cut),
        facilities=tuple(to_visit["facility"]),
        support_ended=ended.to_dict(),
    )


def _month(days: pd.Series) -> pd.Series:
    return days.dt.to_period("M").dt.to_timestamp()


def _by_type(counted: pd.DataFrame, cut: pd.Timestamp) -> pd.DataFrame:
    if counted.empty:
        return pd.DataFrame()
    span = pd.date_range(counted["period"].min(), _month(pd.Series([cut])).iloc[0], freq="MS")
    types = [kind for kind in MENTOR_TYPES if (counted["mentor_type"] == kind).any()]
    every = pd.MultiIndex.from_product([types, span], names=["mentor_type", "period"]).to_frame(index=False)
    every = every.assign(planned=0, done=0, planned_done=0)
    months = with_ratio(pd.concat([every, counted[every.columns]]), ["mentor_type", "period"])
    so_far = months.groupby("mentor_type", sort=False)[["planned", "done"]].cumsum()
    return months.assign(planned_so_far=so_far["planned"], done_so_far=so_far["done"])


def _calendar(counted: pd.DataFrame, to_visit: pd.DataFrame, cut: pd.Timestamp) -> pd.DataFrame:
    """Months without a visit are rows of zeros from when the facility is followed; before that there is no row."""
    spans = [
        pd.DataFrame({"facility": one.facility, "setting": one.setting, "period": span})
        for one in to_visit.itertuples()
        if pd.notna(one.followed_from)
        and len(span := pd.date_range(one.followed_from.to_period("M").to_timestamp(), cut, freq="MS"))
    ]
    sums = counted.groupby(["facility", "period"], as_index=False)[["done", "missed"]].sum()
    if not spans:
        return pd.DataFrame(columns=["facility", "setting", "period", "done", "missed"])
    return (
        pd.concat(spans)
        .merge(sums, on=["facility", "period"], how="outer")
        .loc[lambda frame: frame["facility"].isin(to_visit["facility"])]
        .fillna({"done": 0, "missed": 0})
        .astype({"done": int, "missed": int})
        .sort_values(["facility", "period"], ignore_index=True)
    )
