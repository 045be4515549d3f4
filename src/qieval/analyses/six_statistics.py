"""Baseline, level reached, gain, share at 80% and 90%, months to get there and kept: as others were summed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from qieval.analyses.series import Indicator, indicators
from qieval.analyses.time_to_target import (
    FEWEST_BASELINE_MONTHS,
    FEWEST_FACILITIES,
    Course,
    Months,
    chance_of_meeting,
    courses,
    first_of_a_row,
    is_at,
)
from qieval.methods.rates import proportion
from qieval.methods.runs import chance_of_run
from qieval.study.study import Study

Name = Literal["baseline", "level_reached", "gain", "share_reaching", "months_to_reach", "share_kept"]
Refused = Literal["no baseline", "too few months", "too few facilities"]  # of an indicator
Lacking = Literal["too few facilities", "too few reached", "none reached", "too few followed on", "no target"]  # of one

LEVELS = (0.8, 0.9)  # of a proportion of which more is better; any other indicator has its target
FEWEST_MONTHS = 12  # with a value, as the charts of the published collaboratives had
STEADY_SHARE = 0.8  # of the facilities must report in a month of the chart of all together
REPLICATES = 400  # of a facility that never changed


@dataclass(frozen=True, kw_only=True)
class Published:
    """What is printed of 135 charts of 27 collaboratives; proportions between 0 and 1."""

    statistic: Name
    level: float | None
    value: float
    spread: float | None  # standard deviation over charts, where one is printed


SOURCE = "Franco and Marquez, BMJ Qual Saf 2011;20:658"
PUBLISHED_COLLABORATIVES, PUBLISHED_CHARTS, PUBLISHED_FEWEST_MONTHS = 27, 135, 12
PUBLISHED_LOW_BASELINE = "two thirds"  # of charts, with a baseline below 50%: no mean baseline is printed
# All from the abstract of [1] in `six_statistics`. The spreads are printed there as standard errors; of 135 charts
# a standard error of 28.0 points would be a spread of 325, so they can only be standard deviations.
PUBLISHED = (
    Published(statistic="gain", level=None, value=0.519, spread=0.280),
    Published(statistic="share_reaching", level=0.8, value=0.87, spread=None),
    Published(statistic="share_reaching", level=0.9, value=0.76, spread=None),
    Published(statistic="months_to_reach", level=0.8, value=9.2, spread=8.5),
    Published(statistic="months_to_reach", level=0.9, value=14.4, spread=12.0),
    Published(statistic="share_kept", level=0.8, value=0.69, spread=None),
)
PUBLISHED_MONTHS_KEPT = 13.0


@dataclass(frozen=True, eq=False, kw_only=True)
class IndicatorStatistics:
    """The six statistics of one indicator, and each facility's."""

    indicator: Indicator
    levels: tuple[float, ...]  # 80% and 90%, or the target; none where there is no target
    facilities: pd.DataFrame  # one row per facility assessed, see `_facility`; `facility` first
    statistics: pd.DataFrame  # one row per statistic and level, see `six_statistics`
    reached_by_chance: dict[float, float]  # by level: facilities expected to reach it had none changed
    at_level_before: dict[float, int]  # by level: facilities whose baseline was there already
    left_out: dict[str, tuple[str, ...]]  # names of the facilities not assessed, by "no baseline", "too few months"
    refused: Refused | None  # why there are no statistics over facilities
    months_to_reach: int

    def row(self, statistic: Name, level: float | None = None) -> pd.Series:
        """One statistic."""
        rows = self.statistics.loc[self.statistics["statistic"] == statistic]
        return rows.loc[rows["level"].isna() if level is None else rows["level"] == level].iloc[0]


def six_statistics(study: Study, indicator: Indicator) -> IndicatorStatistics:
    """The six statistics that sum up 27 published collaboratives [1]_, of one indicator.

    The chart is a facility's monthly series, since facilities are what a collaborative has many of: statistics are
    means and shares over facilities, each counted once, as charts are in the paper. A chart is assessed if it has
    twelve months or more with a value (as in the paper), three of them before joining and `months_to_reach` in a row
    since. A month of fewer people than `smallest_denominator` has no value. With k for `months_to_reach`, and a
    level of 80% and of 90%, or the target where less is better or the indicator is no proportion:

    - ``baseline``: events over people of all months before joining. The paper does not say how many months.
    - ``level_reached``: events over people of the best k calendar months in a row since joining. The paper takes the
      highest level; a single month of few people is the highest by chance.
    - ``gain``: level reached less baseline, positive where care became better. Even the best k months are chosen
      for being the best, so ``by_chance`` says what this gain would be had nothing changed, by simulation with
      a fixed seed of binomial (Poisson) months at the baseline level with the people there were.
    - ``share_reaching`` a level: of the facilities, those with k calendar months in a row at or beyond it since
      joining. The paper does not name a run rule. As there, a facility that began at that level counts.
    - ``months_to_reach`` it: from the month of joining (0) to the first of these k months, over the facilities that
      reached it and whose baseline was short of it. Those still short of it are not in this mean, which is
      therefore too low; `time_to_target` counts them as well.
    - ``share_kept``: of the months observed from the first of these k months on, the share at the level or beyond
      (the first level of an indicator), over the facilities observed for 2 k months or more from there. So the
      months add up in the paper: 28 observed less 9.2 to get there leave 18.8, of which its 13 are 69%.

    Intervals are Student's t over facilities for means, cut at the ends of the scale, and Wilson's for shares. They
    take facilities as drawn from many like them. A bootstrap over facilities would be too narrow for the five to
    fifteen that many collaboratives have. Below five facilities there is neither mean nor interval; where all have
    the same value a mean has no interval.

    The published charts pool groups of teams. So ``together`` holds the same statistic of one chart of all assessed
    facilities together by months since joining, over the months in which four fifths of them reported.

    Returns
    -------
    IndicatorStatistics
        ``statistics``: statistic, level (missing for the first three), estimate, low, high, n (facilities), together
        (missing where that chart has none), by_chance (gain and share had nothing changed since baseline; missing
        where not known) and lacking (why there is no estimate). Proportions between 0 and 1, else on the scale of
        the value; months; shares between 0 and 1.

    References
    ----------
    .. [1] Franco LM, Marquez L. Effectiveness of collaborative improvement: evidence from 27 applications in 12
       less-developed and middle-income countries. BMJ Qual Saf 2011;20:658.
    """
    length = study.parameters.options.effectiveness.months_to_reach
    levels = _levels(indicator)
    series = courses(study, indicator)
    left_out = {"no baseline": tuple(n for n, own in series.items() if len(own.baseline) < FEWEST_BASELINE_MONTHS)}
    rows, assessed = [], {}
    for name, course in series.items():
        found = _facility(course, indicator, levels, length) if name not in left_out["no baseline"] else None
        if found is not None:
            rows.append({"facility": name} | found)
            assessed[name] = course
    left_out["too few months"] = tuple(n for n in series if n not in assessed and n not in left_out["no baseline"])
    one_chart = _together(assessed) if assessed else None
    together = _facility(one_chart, indicator, levels, length) if one_chart is not None else None
    facilities = pd.DataFrame(rows)
    refused: Refused | None = None
    if len(rows) < FEWEST_FACILITIES:
        refused = "too few facilities"
    if not rows:
        refused = "too few months" if left_out["too few months"] else "no baseline"
    return IndicatorStatistics(
        indicator=indicator,
        levels=levels,
        facilities=facilities,
        statistics=_statistics(facilities, together, indicator, levels) if rows else pd.DataFrame(columns=_COLUMNS),
        reached_by_chance={one: _total(facilities, f"chance_of_reaching_{one:g}") for one in levels} if rows else {},
        at_level_before={one: int(facilities[f"at_before_{one:g}"].sum()) for one in levels} if rows else {},
        left_out=left_out,
        refused=refused,
        months_to_reach=length,
    )


def all_six_statistics(study: Study) -> tuple[IndicatorStatistics, ...]:
    """Each indicator that was measured."""
    return tuple(six_statistics(study, indicator) for indicator in indicators(study))


_COLUMNS = ["statistic", "level", "estimate", "low", "high", "n", "together", "by_chance", "lacking"]


def _levels(indicator: Indicator) -> tuple[float, ...]:
    if indicator.kind == "proportion" and indicator.better == "up":
        return LEVELS
    return () if indicator.target is None else (indicator.target,)


def _facility(course: Course, indicator: Indicator, levels: tuple[float, ...], length: int) -> dict[str, Any] | None:
    """The statistics of one chart; None where it has too few months.

    Per level: ``reached_0.8``, ``at_before_0.8``, ``months_to_0.8`` (missing if not reached, or there before),
    ``chance_of_reaching_0.8``; and of the first level ``months_kept``, ``months_observed`` and ``share_kept``.
    """
    base, after = course.baseline, course.since
    best = _best_row(after, indicator, length)
    if np.isnan(best) or len(base) + after.known.sum() < FEWEST_MONTHS:
        return None
    before, values = base.per_person * indicator.per, after.values(indicator)
    row: dict[str, Any] = {
        "baseline": before,
        "level_reached": best,
        "gain": (best - before) * indicator.sign,
        "gain_by_chance": _gain_by_chance(base, after, indicator, length),
        "baseline_months": len(base),
        "months": int(after.known.sum()),
    }
    for place, one in enumerate(levels):
        met = is_at(values, one, indicator)
        first = first_of_a_row(met, length)
        was_there = bool(is_at(before, one, indicator))
        chances = chance_of_meeting(course, indicator, one)
        row[f"reached_{one:g}"] = first is not None
        row[f"at_before_{one:g}"] = was_there
        row[f"months_to_{one:g}"] = after.month[first] if first is not None and not was_there else np.nan
        row[f"chance_of_reaching_{one:g}"] = chance_of_run(chances, length) if chances is not None else np.nan
        if place == 0:
            observed = int(after.known[first:].sum()) if first is not None else 0
            kept = int(met[first:].sum()) if first is not None else 0
            long_enough = observed >= 2 * length
            row |= {"months_kept": kept if long_enough else np.nan, "months_observed": observed}
            row["share_kept"] = kept / observed if long_enough else np.nan
    return row


def _in_a_row(values: np.ndarray, length: int) -> np.ndarray:
    """The sums of so many months in a row, along the last axis; missing where one of them is, none where too few."""
    if values.shape[-1] < length:
        return np.empty((*values.shape[:-1], 0))
    return np.lib.stride_tricks.sliding_window_view(values, length, axis=-1).sum(axis=-1)


def _best_row(after: Months, indicator: Indicator, length: int) -> float:
    """The best level of so many calendar months in a row, all of them known; missing if there are none."""
    levels = _in_a_row(after.numerator, length) / _in_a_row(after.denominator, length) * indicator.per
    levels = levels[~np.isnan(levels)]
    if not len(levels):
        return np.nan
    return float(levels.max() if indicator.better == "up" else levels.min())


def _gain_by_chance(base: Months, after: Months, indicator: Indicator, length: int) -> float:
    """The expected gain of a facility that stayed at its baseline level, with the people there were."""
    if indicator.kind not in ("proportion", "rate", "count"):
        return np.nan
    before, people = base.per_person, after.denominator.round()
    known = np.nan_to_num(people)
    rng = np.random.default_rng(2011)  # the same for every facility, so that none depends on the others
    shape = (REPLICATES, len(known))
    if indicator.kind == "proportion":
        events = rng.binomial(known.astype(int), min(before, 1.0), size=shape)
    else:
        events = rng.poisson(known * before, size=shape)
    windows = _in_a_row(people, length)
    levels = _in_a_row(events, length)[:, ~np.isnan(windows)] / windows[~np.isnan(windows)]
    best = levels.max(axis=1) if indicator.better == "up" else levels.min(axis=1)
    return float((best.mean() - before) * indicator.sign * indicator.per)


def _together(assessed: dict[str, Course]) -> Course | None:
    """One chart of all assessed facilities by months since joining; a month that too few reported is a gap.

    None where its baseline would be too short.
    """
    all_months = [part for course in assessed.values() for part in (course.baseline, course.since)]
    first = int(min(part.month[0] for part in all_months if len(part)))
    last = int(max(part.month[-1] for part in all_months if len(part)))
    numerator, denominator, facilities = np.zeros((3, last - first + 1))
    for part in all_months:
        places = part.month[part.known].astype(int) - first
        numerator[places] += part.numerator[part.known]
        denominator[places] += part.denominator[part.known]
        facilities[places] += 1
    few = facilities < STEADY_SHARE * len(assessed)
    month = np.arange(first, last + 1)
    months = Months(
        month=month, numerator=np.where(few, np.nan, numerator), denominator=np.where(few, np.nan, denominator)
    )
    baseline = months.part(months.known & (month < 0))
    if len(baseline) < FEWEST_BASELINE_MONTHS:
        return None
    return Course(joined=pd.NaT, baseline=baseline, since=months.part(month >= 0))


def _statistics(
    facilities: pd.DataFrame, together: dict[str, Any] | None, indicator: Indicator, levels: tuple[float, ...]
) -> pd.DataFrame:
    highest = 1.0 if indicator.kind == "proportion" else np.inf
    same = together or {}
    rows = [
        _row(name, None, _mean(facilities[name], lowest, highest), same.get(name, np.nan))
        for name, lowest in (("baseline", 0.0), ("level_reached", 0.0), ("gain", -highest))
    ]
    for one in levels:
        reached, months_to = facilities[f"reached_{one:g}"], facilities[f"months_to_{one:g}"].dropna()
        chance = facilities[f"chance_of_reaching_{one:g}"].mean(skipna=False)
        rows.append(_row("share_reaching", one, _share(reached), np.nan) | {"by_chance": chance})
        counted = _mean(months_to, 0.0, np.inf, few="too few reached" if len(months_to) else "none reached")
        rows.append(_row("months_to_reach", one, counted, same.get(f"months_to_{one:g}", np.nan)))
    if levels:
        kept = facilities["share_kept"].dropna()
        few = "too few followed on" if facilities[f"reached_{levels[0]:g}"].any() else "none reached"
        rows.append(_row("share_kept", levels[0], _mean(kept, 0.0, 1.0, few=few), same.get("share_kept", np.nan)))
    else:
        nothing = {"estimate": np.nan, "low": np.nan, "high": np.nan, "n": 0, "lacking": "no target"}
        rows += [_row(name, None, nothing, np.nan) for name in ("share_reaching", "months_to_reach", "share_kept")]
    rows[2]["by_chance"] = facilities["gain_by_chance"].mean(skipna=False)
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"level": float, "together": float, "by_chance": float})


def _row(statistic: str, at: float | None, found: dict[str, Any], together: float) -> dict[str, Any]:
    return {"statistic": statistic, "level": at, "together": together, **found}


def _mean(values: pd.Series, lowest: float, highest: float, few: str = "too few facilities") -> dict[str, Any]:
    """The mean over facilities with its t interval, cut at the ends of the scale; missing below five.

    Where all facilities have the same value there is no spread to make an interval of.
    """
    from scipy.stats import t

    n = len(values)
    if n < FEWEST_FACILITIES:
        return {"estimate": np.nan, "low": np.nan, "high": np.nan, "n": n, "lacking": few}
    mean = float(values.mean())
    if values.min() == values.max():  # as close as a few facilities can be, but not so sure
        return {"estimate": mean, "low": np.nan, "high": np.nan, "n": n, "lacking": None}
    half = float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return {
        "estimate": mean, "low": max(mean - half, lowest), "high": min(mean + half, highest), "n": n, "lacking": None
    }  # fmt: skip


def _share(reached: pd.Series) -> dict[str, Any]:
    """The share of facilities with Wilson's interval; missing below five."""
    n = len(reached)
    if n < FEWEST_FACILITIES:
        return {"estimate": np.nan, "low": np.nan, "high": np.nan, "n": n, "lacking": "too few facilities"}
    found = proportion(int(reached.sum()), n)
    return {"estimate": found.estimate, "low": found.low, "high": found.high, "n": n, "lacking": None}


def _total(facilities: pd.DataFrame, column: str) -> float:
    """The sum; missing where any is."""
    return float(facilities[column].sum(skipna=False))
