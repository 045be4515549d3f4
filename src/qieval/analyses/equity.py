"""Was mentoring shared fairly between facilities?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.series import Indicator, facility_months, indicators
from qieval.analyses.visits import FEWEST_FACILITIES, visits
from qieval.errors import DataError
from qieval.methods.equity import Concentration, concentration, gini_by_chance, lorenz, none_by_chance
from qieval.methods.rates import clustered_rate_ratio
from qieval.study.study import Study

# With 10 facilities intervals of the index still hold the truth in 94 to 95 of 100; its estimate of a strong tilt is
# then about a tenth too small, and further off with fewer.
FEWEST_RANKED = 10
FEWEST_BASELINE_MONTHS = 3
DAYS_PER_MONTH = 365.25 / 12

NoCurve = Literal["few_facilities", "not_recorded", "all_alike", "one_facility"]
NoRatio = Literal["one_setting", "few_facilities", "few_visited"]


@dataclass(frozen=True, kw_only=True)
class SettingRatio:
    """Visits per month of a rural facility over those of an urban one, with an interval over facilities."""

    rural_visits: int
    rural_months: float
    n_rural: int
    urban_visits: int
    urban_months: float
    n_urban: int
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Equity:
    """How visits fall on facilities, by setting, size and need; hubs, which mentor, are left out."""

    refused: Literal["totals_only", "no_facility"] | None
    # One row per facility followed: facility, setting, visits, months (followed), per_month, size, need.
    facilities: pd.DataFrame
    by_setting: SettingRatio | NoRatio | None  # None: refused as a whole
    lorenz: Concentration | NoCurve | None  # from the least to the most visited
    gini_by_chance: tuple[
        float, float
    ]  # were visits dealt by lot: mean, and what 1 in 40 exceeds; missing without a curve
    never_by_chance: float  # were visits dealt by lot: facilities to expect without one; missing without a curve
    by_size: Concentration | NoCurve | None  # from the smallest facility to the largest
    by_need: Concentration | NoCurve | None  # from the greatest need to the least
    size_of: Indicator | None  # whose denominators are the people served
    need_of: Indicator | None  # whose baseline is the need
    n_hubs: int  # left out


def equity(study: Study) -> Equity:
    """Rural against urban, and the shares of visits along facilities ranked by visits, by size and by need.

    Every facility counts for the months from when it is followed to the data cut. Size is the mean monthly
    denominator of the first proportion among the indicators, need the level of the first indicator over the months
    before joining, 3 or more.
    """
    if not study.has("visits"):
        return _refused("totals_only")
    found = visits(study)
    # Whoever is visited without a day to count from is followed from its first visit; the others have no months.
    to_visit = found.facilities.loc[found.facilities["role"].ne("hub")]
    months = (found.data_cut - to_visit["followed_from"]).dt.days / DAYS_PER_MONTH
    size_of, sizes, need_of, needs = _size_and_need(study)
    table = pd.DataFrame(
        {
            "facility": to_visit["facility"],
            "setting": to_visit["setting"],
            "visits": to_visit["done"],
            "months": months,
            "per_month": to_visit["done"] / months.where(months > 0),
            "size": to_visit["facility_id"].map(sizes).astype(float),
            "need": to_visit["facility_id"].map(needs).astype(float),
        }
    )
    table = table.loc[table["months"] > 0].reset_index(drop=True)
    if table.empty:
        return _refused("no_facility")
    visited = _lorenz(table)
    first_in_need = table["need"] * (need_of.sign if need_of else 1)
    return Equity(
        refused=None,
        facilities=table,
        by_setting=_by_setting(table),
        lorenz=visited,
        gini_by_chance=gini_by_chance(int(table["visits"].sum()), table["months"])
        if isinstance(visited, Concentration)
        else (np.nan, np.nan),
        never_by_chance=none_by_chance(int(table["visits"].sum()), table["months"])
        if isinstance(visited, Concentration)
        else np.nan,
        by_size=_curve(table, table["size"]),
        by_need=_curve(table, first_in_need),
        size_of=size_of,
        need_of=need_of,
        n_hubs=int(found.facilities["role"].eq("hub").sum()),
    )


def _size_and_need(study: Study) -> tuple[Indicator | None, pd.Series, Indicator | None, pd.Series]:
    """People served a month, and the level before joining, by facility_id; missing where not recorded."""
    nothing = pd.Series(dtype=float)
    if not study.has("indicators", "measurements"):
        return None, nothing, None, nothing
    measured = indicators(study)
    size_of = next((one for one in measured if one.kind == "proportion"), None)
    sizes = facility_months(study, size_of).groupby("facility_id")["denominator"].mean() if size_of else nothing
    need_of = measured[0]
    before = facility_months(study, need_of).loc[lambda frame: frame["period"] < frame["joined"]]
    sums = before.groupby("facility_id").agg(
        numerator=("numerator", "sum"), denominator=("denominator", "sum"), months=("period", "size")
    )
    sums = sums.loc[sums["months"] >= FEWEST_BASELINE_MONTHS]
    if need_of.kind == "proportion":  # a level of a handful of people is neither shown nor ranked
        sums = sums.loc[sums["denominator"] >= study.parameters.options.smallest_denominator]
    return size_of, sizes, need_of, sums["numerator"] / sums["denominator"] * need_of.per


def _by_setting(table: pd.DataFrame) -> SettingRatio | NoRatio:
    known = table.loc[table["setting"].isin(["rural", "urban"])]
    rural = (known["setting"] == "rural").to_numpy()
    sizes = (int(rural.sum()), int((~rural).sum()))
    if min(sizes) == 0:
        return "one_setting"
    if min(sizes) < FEWEST_FACILITIES:
        return "few_facilities"
    try:
        ratio, low, high = clustered_rate_ratio(known["visits"], known["months"], rural)
    except DataError:  # a group's visits all went to one facility, or there were none
        return "few_visited"
    sums = [known.loc[part, ["visits", "months"]].sum() for part in (rural, ~rural)]
    return SettingRatio(
        rural_visits=int(sums[0]["visits"]),
        rural_months=float(sums[0]["months"]),
        n_rural=sizes[0],
        urban_visits=int(sums[1]["visits"]),
        urban_months=float(sums[1]["months"]),
        n_urban=sizes[1],
        ratio=ratio,
        low=low,
        high=high,
    )


def _lorenz(table: pd.DataFrame) -> Concentration | NoCurve:
    if len(table) < FEWEST_RANKED:
        return "few_facilities"
    return lorenz(table["visits"], table["months"]) if (table["visits"] > 0).sum() > 1 else "one_facility"


def _curve(table: pd.DataFrame, rank: pd.Series) -> Concentration | NoCurve:
    ranked = table.loc[rank.notna()]
    if rank.isna().all():
        return "not_recorded"
    if len(ranked) < FEWEST_RANKED:
        return "few_facilities"
    if (ranked["visits"] > 0).sum() < 2:
        return "one_facility"
    if np.ptp(rank.dropna()) == 0:
        return "all_alike"
    return concentration(ranked["visits"], ranked["months"], rank.dropna())


def _refused(why: Literal["totals_only", "no_facility"]) -> Equity:
    return Equity(
        refused=why,
        facilities=pd.DataFrame(),
        by_setting=None,
        lorenz=None,
        gini_by_chance=(np.nan, np.nan),
        never_by_chance=np.nan,
        by_size=None,
        by_need=None,
        size_of=None,
        need_of=None,
        n_hubs=0,
    )
