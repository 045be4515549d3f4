"""Did care go with visits? Facility by facility, what changed as visits added up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.series import Indicator, facility_months, first_of_month, indicators
from qieval.analyses.visits import Visits, visits
from qieval.errors import DataError
from qieval.methods.multiplicity import FalseAlarms, adjusted_p_values, false_alarms
from qieval.methods.within import Within, within
from qieval.study.study import Study

# Intervals hold with fewer too, but one or two facilities then decide the answer, and they are wide: with 6 facilities
# 3 points a visit to either side (docs/methods.md).
FEWEST_FACILITIES = 10
FEWEST_DF = 4.0  # below, the t quantile that Satterthwaite's rule gives is itself a guess
# Of what is left of the visits, the share of one facility. Beyond, nobody contradicts it: the fit follows it exactly,
# its errors drop out, and an interval of 95% held in 81 of 100 (docs/methods.md).
MOST_OF_ONE = 0.5
FEWEST_MONTHS = 6  # of a facility
FEWEST_SINCE = 3  # of these, in which a visit after joining could have shown
LEAST_LEFT = 0.01  # of the variation of visits within facilities: below, only days at the edge of a month differ
MONTHS_AHEAD = 3

Refused = Literal["totals_only", "no_visit", "not_measured"]
NotTold = Literal["few_facilities", "no_variation", "nothing_varies", "few_speak"]
LeftOut = Literal["no_joining", "few_months"]


@dataclass(frozen=True, kw_only=True)
class Slope:
    """By how much the level was higher for each visit more, within facilities; on the scale of the value."""

    estimate: float
    standard_error: float
    df: float  # Satterthwaite: how many facilities really speak, near enough
    low: float
    high: float
    p_value: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out no association."""
        return not self.low <= 0 <= self.high


@dataclass(frozen=True, eq=False, kw_only=True)
class Response:
    """One indicator: how its level went with the visits so far, or why that cannot be told."""

    indicator: Indicator
    not_told: NotTold | None
    n_facilities: int
    n_months: int  # facility-months used
    left_out: pd.DataFrame  # facility (name), reason (see `LeftOut`)
    slope: Slope | None = None  # for each visit made up to `lag_months` before
    left_share: float = np.nan  # of the variation of visits within facilities, what is not common to all
    left_sd: float = np.nan  # the same as a standard deviation, in visits
    ahead: Slope | None = None  # for each visit of the next months, which cannot have worked yet; None: not checked
    adjusted_p: float = np.nan  # for the number of indicators (Benjamini-Hochberg)


@dataclass(frozen=True, eq=False, kw_only=True)
class DoseResponse:
    """Visits so far and the level of care, an association within facilities."""

    refused: Refused | None
    lag_months: int
    responses: tuple[Response, ...]
    alarms: FalseAlarms | None  # among the indicators that are told
    n_hubs: int  # left out
    n_comparison: int  # left out
    small_months: int  # facility-months left out for too few people, over all indicators
    smallest_denominator: int


def dose_response(study: Study) -> DoseResponse:
    """The level of each indicator against the visits a facility had had by then, within facilities.

    The outcome is a facility's value in a month (a proportion, or events per `per`: a log would lose months without
    events). The dose is the number of visits made to it, by any mentor, planned or not, up to `lag_months` before that
    month. Taken out are what a facility is like throughout, what a calendar month was like for all, and what so many
    months since joining are like for all. Without the last the gain that comes with joining itself, whoever is
    visited, would be counted for visits, since both begin then: where visits do nothing, 1 point a visit.
    Months run from the first measured to the end of support; what fades later is another question (sustainment).
    Every facility-month counts once: weights would let the largest facilities decide, of which there are few.
    """
    options = study.parameters.options
    lag = options.mentoring.lag_months
    if not study.has("visits"):
        return _refused("totals_only", lag)
    found = visits(study)
    if not study.has("indicators", "measurements"):
        return _refused("not_measured", lag)
    if not found.rows["done"].any():
        return _refused("no_visit", lag)
    small, told = 0, []
    for indicator in indicators(study):
        months = dose_months(study, indicator)
        few = (months["denominator"] < options.smallest_denominator) & (indicator.kind != "count")
        small += int(few.sum())
        told.append(_response(indicator, months.loc[~few], found, lag))
    responses = _adjusted(told)
    n_told = sum(one.slope is not None for one in responses)
    facilities = study["facilities"]
    return DoseResponse(
        refused=None,
        lag_months=lag,
        responses=responses,
        alarms=false_alarms(n_told, rate=0.05) if n_told else None,
        n_hubs=int(found.facilities["role"].eq("hub").sum()),
        n_comparison=int(facilities["role"].eq("comparison").sum()),
        small_months=small,
        smallest_denominator=options.smallest_denominator,
    )


def dose_months(study: Study, indicator: Indicator) -> pd.DataFrame:
    """The months of an indicator up to the end of support, with the visits made by then; hubs left out.

    Returns
    -------
    DataFrame, one row per facility to be visited and month it is known for
        as `facility_months`, and ``month`` (counted from year 0), ``since`` (months since joining; -1 for all before;
        missing where no joining is recorded), ``dose`` (visits made up to `lag_months` before) and ``ahead`` (visits of
        the next `MONTHS_AHEAD` months; missing where the data end before).
    """
    found, lag = visits(study), study.parameters.options.mentoring.lag_months
    months = facility_months(study, indicator)
    months = months.loc[months["facility_id"].isin(_to_visit(found))]
    number = _number(months["period"])
    support_over = number > _number(months["support_ended"]) + lag
    since = (number - _number(months["joined"])).clip(lower=-1)
    months = months.assign(month=number, since=since).loc[~support_over]
    made = found.rows.loc[found.rows["done"], ["facility_id", "done_on"]]
    made = made.assign(month=_number(first_of_month(made["done_on"])))
    so_far = [_so_far(months, made, shift) for shift in (-lag, 0, MONTHS_AHEAD)]
    known = months["month"] + MONTHS_AHEAD <= found.data_cut.year * 12 + found.data_cut.month
    return months.assign(dose=so_far[0], ahead=(so_far[2] - so_far[1]).where(known))


def _to_visit(found: Visits) -> pd.Series:
    """Ids of the facilities that are mentored; hubs mentor, and improve by other means than visits."""
    return found.facilities.loc[found.facilities["role"].ne("hub"), "facility_id"]


def _so_far(months: pd.DataFrame, made: pd.DataFrame, shift: int) -> pd.Series:
    """Visits made to each facility up to `shift` months after each of its months."""
    by_facility = {facility: np.sort(own["month"].to_numpy()) for facility, own in made.groupby("facility_id")}
    counts = pd.Series(0.0, index=months.index)
    for facility, own in months.groupby("facility_id"):
        visited = by_facility.get(facility, np.empty(0))
        counts.loc[own.index] = np.searchsorted(visited, own["month"] + shift, side="right").astype(float)
    return counts


def _number(days: pd.Series) -> pd.Series:
    """Months counted from year 0; missing where the day is."""
    return days.dt.year * 12.0 + days.dt.month


def _response(indicator: Indicator, months: pd.DataFrame, found: Visits, lag: int) -> Response:
    names = found.facilities.set_index("facility_id")["facility"]
    to_visit = _to_visit(found)
    # A month counts for visits once one made in the month of joining could show.
    per_facility = pd.DataFrame(
        {
            "months": months.groupby("facility_id").size(),
            "since": months["since"].ge(lag).groupby(months["facility_id"]).sum(),
            "joined": months["joined"].notna().groupby(months["facility_id"]).all(),
        }
    ).reindex(to_visit)
    undated = per_facility["joined"].eq(False)  # missing where nothing was measured
    few = ~undated & ~(per_facility["months"].ge(FEWEST_MONTHS) & per_facility["since"].ge(FEWEST_SINCE))
    reasons = pd.Series(np.select([undated, few], ["no_joining", "few_months"], ""), index=per_facility.index)
    left_out = reasons.loc[reasons != ""]
    used = months.loc[months["facility_id"].isin(reasons.index[reasons == ""])]
    base = {
        "indicator": indicator,
        "n_facilities": int(used["facility_id"].nunique()),
        "n_months": len(used),
        "left_out": pd.DataFrame({"facility": left_out.index.map(names), "reason": left_out.to_numpy()}),
    }
    fitted = _fit(used, ["dose"])
    if not isinstance(fitted, Within):
        return Response(not_told=fitted, **base)
    row = fitted.table.iloc[0]
    slope = _slope(row)
    base |= {"left_share": float(row["left_share"]), "left_sd": float(row["left_sd"])}
    if row["left_share"] < LEAST_LEFT:
        return Response(not_told="no_variation", **base)
    if slope is None:
        return Response(not_told="few_speak", **base)
    return Response(not_told=None, slope=slope, ahead=_ahead(used), **base)


def _fit(used: pd.DataFrame, exposures: list[str]) -> Within | NotTold:
    if used["facility_id"].nunique() < FEWEST_FACILITIES:
        return "few_facilities"
    if used.groupby("facility_id")["value"].nunique().max() == 1:
        return "nothing_varies"
    try:
        return within(used["value"], used[exposures], used["facility_id"], shared=[used["month"], used["since"]])
    except DataError:  # all is checked but this: visits differ only as time does
        return "no_variation"


def _ahead(used: pd.DataFrame) -> Slope | None:
    """Visits still to come beside those made: care cannot go with these unless visits went with care."""
    known = used.dropna(subset=["ahead"])
    fitted = _fit(known, ["dose", "ahead"])
    return _slope(fitted.table.iloc[1]) if isinstance(fitted, Within) else None


def _slope(row: pd.Series) -> Slope | None:
    """None where too few facilities speak for an interval."""
    if not (row["df"] >= FEWEST_DF and row["largest_share"] <= MOST_OF_ONE):
        return None
    names = ("estimate", "standard_error", "df", "low", "high", "p_value")
    return Slope(**{name: float(row[name]) for name in names})


def _adjusted(responses: list[Response]) -> tuple[Response, ...]:
    p = adjusted_p_values([one.slope.p_value if one.slope else np.nan for one in responses])
    return tuple(replace(one, adjusted_p=float(x)) for one, x in zip(responses, p, strict=True))


def _refused(why: Refused, lag: int) -> DoseResponse:
    return DoseResponse(
        refused=why,
        lag_months=lag,
        responses=(),
        alarms=None,
        n_hubs=0,
        n_comparison=0,
        small_months=0,
        smallest_denominator=0,
    )
