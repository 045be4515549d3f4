"""Did the worst improve most, or would they have seemed to anyway? Baseline against change over facilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.series import Indicator, indicators
from qieval.analyses.time_to_target import (
    FEWEST_BASELINE_MONTHS,
    FEWEST_FACILITIES,
    Course,
    Months,
    courses,
)
from qieval.errors import DataError
from qieval.methods.regression_to_mean import Oldham, expected_regression, oldham
from qieval.study.study import Study

Refused = Literal["no baseline", "too few facilities", "all alike"]

FEWEST_MONTHS = 3  # in the baseline and at the end
WORST_SHARE = 0.25
FEWEST_FOR_QUARTER = 8  # facilities: a quarter of fewer is one facility


@dataclass(frozen=True, eq=False, kw_only=True)
class WorstQuarter:
    """The quarter of facilities with the worst baseline; all gains are positive where care became better."""

    n: int
    gain: float  # mean over these facilities
    gain_of_others: float
    gain_by_chance: float  # what these would seem to gain had no facility changed


@dataclass(frozen=True, eq=False, kw_only=True)
class RegressionToMean:
    """One indicator: whether gain depends on where facilities began."""

    indicator: Indicator
    table: pd.DataFrame  # one row per facility with both: facility, baseline, follow_up, months (of each), gain
    # (positive is better), sampling_variance (of the baseline, at least; missing for means and times)
    n_left_out: int  # facilities with too few months in the baseline or since joining
    oldham: Oldham | None
    worst_quarter: WorstQuarter | None  # None below eight facilities, and for means and times
    chosen_for_baseline: bool  # facilities were invited because they did badly
    refused: Refused | None


def regression_to_mean(study: Study, indicator: Indicator) -> RegressionToMean:
    """Does the gain of facilities depend on the level they began from, beyond what chance makes of it?

    A facility's follow-up is events over people of its last months since joining, as many as `recent_months`, three
    at least; its baseline that of as many last months before joining, fewer of both where there are fewer of either.
    Facilities that had a bad baseline by chance seem to improve without any change, so the correlation of change
    with baseline is negative by itself; Oldham's, of change with the mean of both, is not, as long as both scatter
    alike. With a year before and three months after it would be positive by itself: hence as many months of each.

    Beside it stands what the quarter of facilities with the worst baseline would have gained by chance alone [1]_: the
    variance of a baseline about the facility's own level is that of a proportion (or of a Poisson count) of its
    people, averaged over facilities; what is left of the variance among baselines is between facilities. Months vary
    more than that, so it is a lower bound.

    References
    ----------
    .. [1] Barnett AG, van der Pols JC, Dobson AJ. Regression to the mean: what it is and how to deal with it.
       Int J Epidemiol 2005;34:215.
    """
    options = study.parameters.options.effectiveness
    series = courses(study, indicator)
    rows = [_facility_row(name, course, indicator, options.recent_months) for name, course in series.items()]
    table = pd.DataFrame([row for row in rows if row is not None], columns=_COLUMNS)
    refused: Refused | None = None
    found = None
    if all(len(course.baseline) < FEWEST_BASELINE_MONTHS for course in series.values()):
        refused = "no baseline"
    elif len(table) < FEWEST_FACILITIES:
        refused = "too few facilities"
    else:
        try:
            found = oldham(table["baseline"], table["follow_up"])
        except DataError:  # what it says of too few or missing is settled above
            refused = "all alike"
    return RegressionToMean(
        indicator=indicator,
        table=table,
        n_left_out=len(series) - len(table),
        oldham=found,
        worst_quarter=_worst_quarter(table, indicator) if found is not None else None,
        chosen_for_baseline=options.chosen_for_baseline,
        refused=refused,
    )


def regressions_to_mean(study: Study) -> tuple[RegressionToMean, ...]:
    """Each indicator that was measured."""
    return tuple(regression_to_mean(study, indicator) for indicator in indicators(study))


_COLUMNS = ["facility", "baseline", "follow_up", "months", "gain", "sampling_variance"]


def _facility_row(name: str, course: Course, indicator: Indicator, recent: int) -> dict[str, object] | None:
    base, after = course.baseline, course.since.part(course.since.known)
    if len(base) < FEWEST_BASELINE_MONTHS or len(after) < FEWEST_MONTHS:
        return None
    months = min(recent, len(base), len(after))
    base, after = base.part(slice(-months, None)), after.part(slice(-months, None))
    before, follow_up = base.per_person * indicator.per, after.per_person * indicator.per
    return {
        "facility": name,
        "baseline": before,
        "follow_up": follow_up,
        "months": months,
        "gain": (follow_up - before) * indicator.sign,
        "sampling_variance": _sampling_variance(base, indicator),
    }


def _sampling_variance(base: Months, indicator: Indicator) -> float:
    """Of a level of several months, from people alone; as if one more had and one more had not, so never 0."""
    events, people = float(base.numerator.sum()), float(base.denominator.sum())
    if indicator.kind == "proportion":
        share = (events + 1) / (people + 2)
        return share * (1 - share) / people
    if indicator.kind in ("rate", "count"):
        return (events + 0.5) * (indicator.per / people) ** 2
    return np.nan


def _worst_quarter(table: pd.DataFrame, indicator: Indicator) -> WorstQuarter | None:
    n = len(table)
    spread = float(table["baseline"].var(ddof=1))
    # Baselines cannot vary more by chance than they do in all.
    noise = min(float(table["sampling_variance"].mean()), spread)
    if n < FEWEST_FOR_QUARTER or np.isnan(noise):
        return None
    n_worst = round(WORST_SHARE * n)
    ordered = table.assign(_from_worst=table["baseline"] * indicator.sign).sort_values("_from_worst", kind="stable")
    return WorstQuarter(
        n=n_worst,
        gain=float(ordered["gain"].iloc[:n_worst].mean()),
        gain_of_others=float(ordered["gain"].iloc[n_worst:].mean()),
        gain_by_chance=expected_regression(n_worst / n, sd_within=np.sqrt(noise), sd_between=np.sqrt(spread - noise)),
    )
