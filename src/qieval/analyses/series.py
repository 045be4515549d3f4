"""Monthly series of indicators, shared by the questions about change and about lasting change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qieval.study.study import Study


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One row of the indicators table."""

    indicator_id: str
    name: str
    kind: Literal["proportion", "rate", "count", "mean", "time_between"]
    better: Literal["up", "down"]
    target: float | None  # on the scale of the value: 0.9, or 12 per 1000
    per: float
    unit: str

    @property
    def sign(self) -> int:
        """+1 where more is better, -1 where less is."""
        return 1 if self.better == "up" else -1

    def meets_target(self, values: pd.Series) -> pd.Series:
        """Whether each value is at the target or on its better side; False where there is no value."""
        assert self.target is not None
        return values >= self.target if self.better == "up" else values <= self.target


def indicators(study: Study) -> list[Indicator]:
    """The indicators that were measured at least once, in the order of their table."""
    measured = set(study["measurements"]["indicator_id"])
    rows = study["indicators"].loc[lambda frame: frame["indicator_id"].isin(measured)]
    return [
        Indicator(
            indicator_id=row["indicator_id"],
            name=row["name"],
            kind=row["kind"],
            better=row["better"],
            target=None if pd.isna(row["target"]) else float(row["target"]),
            per=1.0 if pd.isna(row["per"]) or row["kind"] != "rate" else float(row["per"]),
            unit=row["unit"] or "",
        )
        for _, row in rows.iterrows()
    ]


def facility_months(study: Study, indicator: Indicator) -> pd.DataFrame:
    """The months an indicator is known for, per facility that takes part, in time order.

    Comparison facilities are left out: what happens there is not the collaborative's doing.

    Returns
    -------
    DataFrame, one row per facility, in the order of their table, and month
        ``facility_id``, ``period``, ``numerator``, ``denominator`` (above 0), ``value``, ``joined`` (first
        month of improvement work, missing if not recorded) and ``support_ended`` (last month of support).
    """
    facilities = study["facilities"][["facility_id", "joined_on", "support_ended_on"]]
    part = facilities.loc[facilities["facility_id"].isin(participants(study))]
    rows = study["measurements"].loc[lambda frame: frame["indicator_id"] == indicator.indicator_id]
    rows = rows[["facility_id", "period", "numerator", "denominator"]].sort_values("period", kind="stable")
    rows = part.merge(rows, on="facility_id")  # which keeps the order of the facilities table
    if indicator.kind == "count":
        # A count has no denominator: each facility's month counts once, so that pooling averages over facilities.
        rows = rows.assign(denominator=1.0)
    known = rows.loc[rows["numerator"].notna() & (rows["denominator"] > 0)]
    return (
        known.assign(
            value=known["numerator"] / known["denominator"] * indicator.per,
            joined=first_of_month(known["joined_on"]),
            support_ended=first_of_month(known["support_ended_on"]),
        )
        .drop(columns=["joined_on", "support_ended_on"])
        .reset_index(drop=True)
    )


def pooled(months: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    """All facilities together, month by month: people are pooled, so that 4 births do not weigh as much as 400.

    Returns
    -------
    DataFrame, one row per calendar month from the first to the last
        ``period``, ``numerator``, ``denominator``, ``value`` and ``facilities`` (how many reported); a month
        in which nobody reported stays, with a missing value.
    """
    if months.empty:
        return pd.DataFrame(columns=["period", "numerator", "denominator", "value", "facilities"])
    by_month = months.groupby("period").agg(
        numerator=("numerator", "sum"), denominator=("denominator", "sum"), facilities=("facility_id", "nunique")
    )
    calendar = pd.date_range(by_month.index.min(), by_month.index.max(), freq="MS", name="period")
    by_month = by_month.reindex(calendar)
    by_month["facilities"] = by_month["facilities"].fillna(0).astype(int)
    return by_month.assign(value=by_month["numerator"] / by_month["denominator"] * indicator.per).reset_index()


def level(months: pd.DataFrame, indicator: Indicator) -> float:
    """One value for several months together: events over people, not the mean of monthly values."""
    return float(months["numerator"].sum() / months["denominator"].sum() * indicator.per) if len(months) else np.nan


def first_of_month(days: pd.Series) -> pd.Series:
    """The month a day lies in, as its first day."""
    return days.dt.to_period("M").dt.to_timestamp()


def participants(study: Study) -> list[str]:
    """The facilities that take part, hubs included, comparison facilities not."""
    facilities = study["facilities"]
    return list(facilities.loc[facilities["role"].ne("comparison"), "facility_id"])


def phases(study: Study) -> dict[str, tuple[pd.Timestamp, pd.Timestamp]]:
    """First and last day of each phase, as pandas dates."""
    given = study.parameters.phases.items()
    return {name: (pd.Timestamp(first), pd.Timestamp(last)) for name, (first, last) in given}
