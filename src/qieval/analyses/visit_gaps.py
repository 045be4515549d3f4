"""How long do facilities wait for the next visit?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.visits import FEWEST_FACILITIES, Visits, visits
from qieval.methods.gaps import clustered_kaplan_meier, share_longer
from qieval.methods.survival import KaplanMeier
from qieval.study.study import Study

FEWEST_ENDED = 5  # gaps that ended, below which no curve is drawn and the gaps are listed
Begun = Literal["all", "in_support", "after_support"]


@dataclass(frozen=True, eq=False, kw_only=True)
class GapCurve:
    """Kaplan-Meier of the gaps begun in one stretch of time."""

    begun: Begun
    fitted: KaplanMeier  # in days; limits allow for gaps of one facility resembling each other
    n_facilities: int
    longer: pd.DataFrame  # days, share (of gaps that last longer), low, high; the option recent_days


@dataclass(frozen=True, eq=False, kw_only=True)
class VisitGaps:
    """Gaps between visits, those still open counted as such."""

    refused: Literal["totals_only", "few_facilities", "few_ended"] | None
    data_cut: pd.Timestamp
    # One row per gap: facility, setting, from_joining (the wait for the first visit), begun_on, days, ended, begun.
    gaps: pd.DataFrame
    curves: tuple[GapCurve, ...]  # one for all; or during and after support where support ended before the data cut
    too_few: dict[Begun, tuple[int, int]]  # waits, and of these ended, of a stretch beside a curve without one itself
    not_followed: tuple[str, ...]  # never visited, and with no joining day to count from


def visit_gaps(study: Study) -> VisitGaps:
    """Days from joining to the first visit, between visits, and from the last visit to the data cut (open).

    All mentors together; visits on one day are one. The wait from joining is a gap like the others, since otherwise a
    facility that is never visited would have none. Gaps begun before and after support ended are kept apart: mixing
    them would take the open gaps at the end, when visits are rare, for the same as those before.
    """
    cut = pd.Timestamp(study.parameters.data_cut)
    if not study.has("visits"):
        return VisitGaps(
            refused="totals_only", data_cut=cut, gaps=pd.DataFrame(), curves=(), too_few={}, not_followed=()
        )
    found = visits(study)
    gaps = _gaps(found)
    lost = found.facilities.loc[found.facilities["followed_from"].isna(), "facility"]
    days = study.parameters.options.mentoring.recent_days
    curves = [_curve(gaps, begun, days) for begun in _strata(gaps)]
    enough = tuple(curve for curve in curves if curve is not None)
    refused: Literal["few_facilities", "few_ended"] | None = None
    if not enough:
        refused = "few_facilities" if gaps["facility"].nunique() < FEWEST_FACILITIES else "few_ended"
    drawn = {curve.begun for curve in enough}
    left = [begun for begun in _strata(gaps) if enough and begun not in drawn]
    return VisitGaps(
        refused=refused,
        data_cut=cut,
        gaps=gaps,
        curves=enough,
        too_few={begun: _counts(gaps.loc[gaps["begun"] == begun]) for begun in left},
        not_followed=tuple(sorted(lost)),
    )


def _gaps(found: Visits) -> pd.DataFrame:
    made = found.rows.loc[found.rows["done"], ["facility_id", "done_on"]]
    to_visit = found.facilities.dropna(subset=["followed_from"])
    to_visit = to_visit.loc[to_visit["followed_from"] <= found.data_cut]
    joined = to_visit[["facility_id"]].assign(day=to_visit["followed_from"], from_joining=True)
    visited = made.rename(columns={"done_on": "day"}).assign(from_joining=False)
    # A facility followed from its first visit has no wait before it: the visit takes the place of the start.
    starts = (
        pd.concat([visited.loc[visited["facility_id"].isin(joined["facility_id"])], joined])
        .drop_duplicates(["facility_id", "day"])
        .sort_values(["facility_id", "day"], ignore_index=True)
    )
    following = starts.groupby("facility_id")["day"].shift(-1)
    known = to_visit.set_index("facility_id")
    over = starts["facility_id"].map(known["support_ended_on"])
    return pd.DataFrame(
        {
            "facility": starts["facility_id"].map(known["facility"]),
            "setting": starts["facility_id"].map(known["setting"]),
            "from_joining": starts["from_joining"],
            "begun_on": starts["day"],
            "days": (following.fillna(found.data_cut) - starts["day"]).dt.days.astype(float),
            "ended": following.notna(),
            "begun": np.where(starts["day"] > over, "after_support", "in_support"),
        }
    )


def _counts(gaps: pd.DataFrame) -> tuple[int, int]:
    return len(gaps), int(gaps["ended"].sum())


def _strata(gaps: pd.DataFrame) -> list[Begun]:
    return ["in_support", "after_support"] if (gaps["begun"] == "after_support").any() else ["all"]


def _curve(gaps: pd.DataFrame, begun: Begun, days: tuple[int, ...]) -> GapCurve | None:
    own = gaps if begun == "all" else gaps.loc[gaps["begun"] == begun]
    n = int(own["facility"].nunique())
    if n < FEWEST_FACILITIES or own["ended"].sum() < FEWEST_ENDED:
        return None
    fitted = clustered_kaplan_meier(own["days"], own["ended"], own["facility"])
    longer = [(day, *share_longer(fitted, day)) for day in days]
    return GapCurve(
        begun=begun,
        fitted=fitted,
        n_facilities=n,
        longer=pd.DataFrame(longer, columns=["days", "share", "low", "high"]),
    )
