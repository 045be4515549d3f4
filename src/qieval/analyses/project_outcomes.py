"""How do projects end? Completed, abandoned or still open, by how many months after they began."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qieval.analyses.durations import DAYS_PER_MONTH, FEWEST_PROJECTS, Durations
from qieval.methods.rates import proportion
from qieval.methods.survival import KaplanMeier, RestrictedMean, cumulative_incidence, restricted_mean, time_of_half

TOLD_MONTHS = (3, 6, 9, 12, 18, 24, 36, 48, 60)
CAUSES = ("completed", "abandoned")
# From 1 August to 1 November are three months and 3.02 of 30.44 days: what is shown as 3.0 ended by month 3.
AS_SHOWN = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class ProjectOutcomes:
    """The shares completed and abandoned over time, with those still open counted as open."""

    shares: pd.DataFrame  # one row per distinct duration: time, at_risk, completed, abandoned with _low and _high
    told: pd.DataFrame  # the same at 3, 6, 9 ... months, see `_told`: month, at_risk (still followed), completed, ...
    mean_is_whole: bool  # nothing was open any more by that month, so that it is the mean of the whole duration
    curve: KaplanMeier  # of the time to the end, whichever it was
    mean: RestrictedMean | None  # months to the end, as far as the curve is known; see `known_until`
    half_completed: float  # months by which half of all had been completed; `inf` where they never were
    half_completed_low: float
    half_completed_high: float
    completed_only_median: float  # of the completed alone: not how long a project takes, as the others are left out
    n_completed: int
    n_abandoned: int
    n_open: int
    n: int


def project_outcomes(result: Durations) -> ProjectOutcomes | None:
    """Shares completed and abandoned by month since the start; None where fewer than five dated projects have ended.

    A project that is abandoned can no longer be completed, so it is neither dropped nor counted as open
    (Aalen-Johansen).
    """
    if result.curve is None or not result.has_median:
        return None
    dated = result.projects.dropna(subset=["duration_months"])
    months, status = dated["duration_months"], dated["status"]
    found = {cause: cumulative_incidence(months, status, cause=cause) for cause in CAUSES}
    shares = found["completed"][["time", "at_risk"]].assign(**_columns(found))
    until = known_until(dated, result.data_cut)
    half, half_low, half_high = time_of_half(found["completed"])
    return ProjectOutcomes(
        shares=shares,
        told=_told(shares, dated, until),
        mean_is_whole=_nothing_open(dated) and until >= months.max(),
        curve=result.curve,
        mean=restricted_mean(months, dated["ended"], horizon=until, small_sample=True) if until > 0 else None,
        half_completed=half,
        half_completed_low=half_low,
        half_completed_high=half_high,
        completed_only_median=float(months[status == "completed"].median()),
        n_completed=int((status == "completed").sum()),
        n_abandoned=int((status == "abandoned").sum()),
        n_open=int((status == "ongoing").sum()),
        n=len(dated),
    )


def known_until(dated: pd.DataFrame, data_cut: pd.Timestamp) -> float:
    """The months up to which the time to the end is known: to which five projects could have been followed.

    A project that has ended could have been followed from its start to the data cut, one still open as long as it was.
    That is known without looking at how long they took: to ask instead that five are still open at that month
    would choose it by the durations themselves, so that shares completed come out too low and means too long. Not
    beyond the longest duration while something is open then; 0 where there are fewer than five.
    """
    months, ended = dated["duration_months"], dated["ended"]
    if len(dated) < FEWEST_PROJECTS:
        return 0.0
    could_be = ((data_cut - dated["started_on"]).dt.days / DAYS_PER_MONTH).where(ended, months)
    fifth = float(could_be.nlargest(FEWEST_PROJECTS).iloc[-1])
    return fifth if _nothing_open(dated) else min(fifth, float(months.max()))


def _nothing_open(dated: pd.DataFrame) -> bool:
    """Whether the curve comes down to 0: all that were followed longest have ended."""
    months = dated["duration_months"]
    return bool(dated.loc[months == months.max(), "ended"].all())


def _columns(found: dict[str, pd.DataFrame]) -> dict[str, pd.Series]:
    """The estimate and limits of each way to end, named after it."""
    columns: dict[str, pd.Series] = {}
    for cause, one in found.items():
        columns |= {cause: one["estimate"], f"{cause}_low": one["low"], f"{cause}_high": one["high"]}
    return columns


def _names() -> list[str]:
    return [f"{cause}{end}" for cause in CAUSES for end in ("", "_low", "_high")]


def _told(shares: pd.DataFrame, dated: pd.DataFrame, until: float) -> pd.DataFrame:
    """The shares at the months up to which they are known, or up to the first at which nothing is open."""
    months = dated["duration_months"]
    reached = [month for month in TOLD_MONTHS if month <= until]
    rows: list[dict[str, float]] = []
    for month in reached:
        if rows and rows[-1]["at_risk"] == 0:
            break
        by = months < month + AS_SHOWN
        before = shares.loc[shares["time"] < month + AS_SHOWN]
        row: dict[str, float] = {"month": float(month), "at_risk": float((~by).sum())}
        nobody_lost = not (~dated["ended"] & by).any()
        for cause in CAUSES:
            share = float(before[cause].iloc[-1]) if len(before) else 0.0
            limits = [float(before[f"{cause}_{end}"].iloc[-1]) if len(before) else np.nan for end in ("low", "high")]
            if math.isnan(limits[0]) and nobody_lost:
                # None of them, or all: a plain proportion has exact limits even there.
                exact = proportion(round(share * len(dated)), len(dated), method="exact")
                limits = [exact.low, exact.high]
            row |= {cause: share, f"{cause}_low": limits[0], f"{cause}_high": limits[1]}
        rows.append(row)
    return pd.DataFrame(rows, columns=["month", "at_risk", *_names()], dtype=float)
