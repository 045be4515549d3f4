"""The three segments of a facility's series: before joining, the end of support, and after it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import bdtr, bdtrc, ndtri

from qieval.analyses.series import Indicator, facility_months, level
from qieval.methods.gain import Level
from qieval.methods.rates import proportion_difference, rate_ratio
from qieval.study.parameters import Sustainment as Options
from qieval.study.study import Study

FEWEST_BASELINE_MONTHS = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Segments:
    """One facility's months with a value, by segment; columns as in `facility_months`, and ``month``.

    ``month`` counts from the end of support: 1 is the first month without it, 0 the last with it.
    """

    facility: str  # name as shown
    support_ended: pd.Timestamp  # month; missing where not recorded
    last_month: float  # the month of the data cut, counted likewise; missing with the end of support
    months: pd.DataFrame  # all of them
    before: pd.DataFrame  # before joining; empty where that is not recorded
    at_end: pd.DataFrame  # the last `window_months` of support
    has_levels: bool  # whether months and people suffice for the level before and at the end
    fewest: int  # people a level needs

    @property
    def after(self) -> pd.DataFrame:
        """The months without support."""
        return self.months.loc[self.months["month"] > 0]

    def window(self, last: int, months: int) -> pd.DataFrame:
        """The rows of so many months up to and with month `last`."""
        return self.months.loc[self.months["month"].gt(last - months) & self.months["month"].le(last)]

    def is_enough(self, window: pd.DataFrame, months: int) -> bool:
        """At least two of the months (one, if the window is one month), and people enough."""
        return bool(len(window) >= min(2, months) and window["denominator"].sum() >= self.fewest)


def segments(study: Study, indicator: Indicator) -> list[Segments]:
    """Every facility that takes part and has months of this indicator, in the order of the facilities table."""
    options = study.parameters.options
    names = study.facility_names()
    cut = pd.Timestamp(study.parameters.data_cut)
    fewest = 1 if indicator.kind == "count" else options.smallest_denominator
    months = facility_months(study, indicator)
    return [
        _segments(str(names[facility]), own, options.sustainment, cut, fewest)
        for facility, own in months.groupby("facility_id", sort=False)
    ]


def _segments(name: str, own: pd.DataFrame, options: Options, cut: pd.Timestamp, fewest: int) -> Segments:
    joined, ended = own["joined"].iloc[0], own["support_ended"].iloc[0]
    end = np.nan if pd.isna(ended) else _number(ended)
    own = own.assign(month=12 * own["period"].dt.year + own["period"].dt.month - end)
    before = own.loc[own["period"] < joined]
    at_end = own.loc[
        own["month"].gt(-options.window_months) & own["month"].le(0) & ~(own["period"] < joined)  # none counts twice
    ]
    found = Segments(
        facility=name, support_ended=ended, last_month=_number(cut) - end, months=own, before=before, at_end=at_end,
        has_levels=False, fewest=fewest,
    )  # fmt: skip
    enough = (
        before["period"].nunique() >= FEWEST_BASELINE_MONTHS
        and before["denominator"].sum() >= fewest
        and found.is_enough(at_end, options.window_months)
    )
    return Segments(**{**vars(found), "has_levels": bool(enough)})


def _number(day: pd.Timestamp) -> float:
    return float(12 * day.year + day.month)


def level_of(months: pd.DataFrame, indicator: Indicator, scatter: float = np.nan) -> Level:
    """Several months as one level with its standard error.

    Of means and times the spread between people is not recorded for every month: `scatter` is the standard deviation
    between months, of which the error is made; unknown if that is.
    """
    if months.empty:
        return Level(value=np.nan)
    events, people = float(months["numerator"].sum()), float(months["denominator"].sum())
    if indicator.kind == "proportion":
        return Level.of_counts(events, people)
    if indicator.kind in ("rate", "count"):
        return Level.of_events(events, people, per=indicator.per)
    return Level(value=level(months, indicator), standard_error=scatter / math.sqrt(len(months)))


def scatter_between_months(*segments: pd.DataFrame) -> float:
    """The standard deviation of monthly values within segments together; missing where none varies."""
    squares = sum(float(((one["value"] - one["value"].mean()) ** 2).sum()) for one in segments if len(one))
    freedom = sum(max(len(one) - 1, 0) for one in segments)
    return math.sqrt(squares / freedom) if freedom and squares > 0 else np.nan


def is_better(now: pd.DataFrame, than: pd.DataFrame, indicator: Indicator, *, confidence: float = 0.95) -> bool:
    """Whether these months are better than those, by more than chance explains; see `beyond_chance`."""
    if indicator.kind in ("mean", "time_between"):
        return _months_differ(now["value"] * indicator.sign, than["value"] * indicator.sign, confidence)
    events, people = now["numerator"].sum(), now["denominator"].sum()
    others, other_people = than["numerator"].sum(), than["denominator"].sum()
    return bool(beyond_chance(events, people, others, other_people, indicator, way=1, confidence=confidence))


def is_worse(now: pd.DataFrame, than: pd.DataFrame, indicator: Indicator, *, confidence: float = 0.95) -> bool:
    """Whether these months are worse than those, by more than chance explains."""
    return is_better(than, now, indicator, confidence=confidence)


def beyond_chance(
    events: np.ndarray | float,
    people: np.ndarray | float,
    others: np.ndarray | float,
    other_people: np.ndarray | float,
    indicator: Indicator,
    *,
    way: int,
    confidence: float = 0.95,
) -> np.ndarray:
    """Whether the interval of the difference lies wholly on the better (`way` 1) or worse (-1) side of none.

    Of proportions Newcombe's interval for a difference (joined Wilson intervals), of rates and counts the exact
    conditional one of their ratio, as `methods.rates` has them; here for many counts at once.
    """
    up = way * indicator.sign > 0
    events, people, others, other_people = (
        np.asarray(one, dtype=float) for one in (events, people, others, other_people)
    )
    if indicator.kind == "proportion":
        first, first_low, first_high = _wilson(events, people, confidence)
        second, second_low, second_high = _wilson(others, other_people, confidence)
        if up:
            return first - second > np.hypot(first - first_low, second_high - second) + 1e-12
        return second - first > np.hypot(first_high - first, second - second_low) + 1e-12
    both, share = events + others, people / (people + other_people)
    tail = bdtrc(events - 1, both.astype(int), share) if up else bdtr(events, both.astype(int), share)
    return np.asarray(tail < (1 - confidence) / 2)


def _wilson(events: np.ndarray, people: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    z2 = float(ndtri((1 + confidence) / 2)) ** 2
    share = events / people
    middle = (share + z2 / (2 * people)) / (1 + z2 / people)
    half = np.sqrt(z2) / (1 + z2 / people) * np.sqrt(share * (1 - share) / people + z2 / (4 * people**2))
    return share, middle - half, middle + half


def gain_limits(now: pd.DataFrame, before: pd.DataFrame, indicator: Indicator) -> tuple[float, float]:
    """The 95% interval by which these months are better than those: points of a proportion, else a share of theirs.

    By the methods that tell a gain (`is_better`): Newcombe's, the exact ratio's, Welch's between months. Missing where
    a mean or time has one month, or theirs is 0 or less; without an upper limit where a rate was 0 before.
    """
    if indicator.kind in ("mean", "time_between"):
        low, high = _months_apart(now["value"] * indicator.sign, before["value"] * indicator.sign)
        theirs = level(before, indicator)
        return (low / theirs, high / theirs) if theirs > 0 else (np.nan, np.nan)
    counts = [float(one[name].sum()) for one in (now, before) for name in ("numerator", "denominator")]
    if indicator.kind == "proportion":
        _, low, high = proportion_difference(*(int(one) for one in counts))
    else:
        _, low, high = rate_ratio(int(counts[0]), counts[1], int(counts[2]), counts[3])
        low, high = low - 1, high - 1
    return (low, high) if indicator.sign > 0 else (-high, -low)


def _months_apart(values: pd.Series, others: pd.Series) -> tuple[float, float]:
    """Welch's 95% interval of the difference of means; the difference itself where neither varies."""
    from scipy.stats import t

    if min(len(values), len(others)) < 2:
        return np.nan, np.nan
    apart = float(values.mean() - others.mean())
    parts = [float(one.var()) / len(one) for one in (values, others)]
    if sum(parts) == 0:
        return apart, apart
    freedom = sum(parts) ** 2 / sum(part**2 / (len(one) - 1) for part, one in zip(parts, (values, others), strict=True))
    half = float(t.ppf(0.975, freedom)) * math.sqrt(sum(parts))
    return apart - half, apart + half


def _months_differ(values: pd.Series, others: pd.Series, confidence: float) -> bool:
    """Whether the first are higher, by Welch's t-test between months."""
    from scipy.stats import ttest_ind_from_stats

    if min(len(values), len(others)) < 2 or values.mean() <= others.mean():
        return False
    if max(values.std(), others.std()) == 0:
        return True
    summary = (values.mean(), values.std(), len(values), others.mean(), others.std(), len(others))
    return bool(ttest_ind_from_stats(*summary, equal_var=False).pvalue < 1 - confidence)
