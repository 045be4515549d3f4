"""Did gains last after support ended? Facility by facility, since an average hides who lost them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import ttest_ind_from_stats

from qieval.analyses.series import Indicator, facility_months, indicators, level
from qieval.methods.rates import Proportion, proportion, proportion_difference, rate_ratio
from qieval.study.parameters import Sustainment as Options
from qieval.study.study import Study

Outcome = Literal["kept", "partly lost", "lost", "not reported", "too early"]
Start = Literal["gained", "no gain", "too few months", "support not ended"]

FEWEST_BASELINE_MONTHS = 3
FEWEST_FACILITIES = 5  # below this no interval and no median over facilities: each is shown


@dataclass(frozen=True, eq=False, kw_only=True)
class Horizon:
    """How it stood so many months after support ended."""

    months_after: int
    n_too_early: int  # facilities that had gained and whose support ended too recently
    n_due: int  # facilities that had gained and whose support ended long enough ago
    n_known: int  # of these, the ones that reported
    n_kept: int
    kept: Proportion | None  # of those known; None below five
    median_share_kept: float  # of the gain, over the facilities known; missing below five


@dataclass(frozen=True, eq=False, kw_only=True)
class IndicatorSustainment:
    """One indicator: every facility's level before, at the end of support, and after."""

    indicator: Indicator
    table: pd.DataFrame  # one row per facility: facility, support_ended, baseline, end, gain, start, and per horizon
    # level_6, kept_6 (share of the gain), outcome_6
    horizons: tuple[Horizon, ...]
    n_gained: int
    n_assessable: int  # facilities whose support ended and whose months suffice to tell a gain


@dataclass(frozen=True, eq=False, kw_only=True)
class Sustainment:
    """All indicators, and the definition they were judged by."""

    support_ended: bool  # whether any facility has an end of support; if not there are no indicators
    indicators: tuple[IndicatorSustainment, ...]
    options: Options


def sustainment(study: Study) -> Sustainment:
    """Share of the gain kept, per facility and indicator, so many months after support ended.

    Levels are events over people of several months together: the baseline of all months before joining, the
    end of support of the last `window_months` months of support, and the follow-up of the same number of
    months that end `follow_up_months` after it. A gain counts from `minimum_gain`: points of a proportion, else
    a share of the baseline; and only if it is more than chance explains, since what was never there cannot be
    kept. It is kept if no more than `tolerance` was lost since: points of a proportion, else a share of the
    level at the end of support.
    """
    options = study.parameters.options.sustainment
    results = []
    if study["facilities"]["support_ended_on"].isna().all():
        return Sustainment(support_ended=False, indicators=(), options=options)
    for indicator in indicators(study):
        months = facility_months(study, indicator)
        if not months.empty:
            results.append(_indicator_result(study, indicator, months, options))
    return Sustainment(support_ended=True, indicators=tuple(results), options=options)


def _indicator_result(
    study: Study, indicator: Indicator, months: pd.DataFrame, options: Options
) -> IndicatorSustainment:
    names = study.facility_names()
    last_month = pd.Timestamp(study.parameters.data_cut).to_period("M").to_timestamp()
    fewest = 1 if indicator.kind == "count" else study.parameters.options.smallest_denominator
    rows = [
        {"facility": names[facility], **_facility(own, indicator, options, last_month, fewest)}
        for facility, own in months.groupby("facility_id", sort=False)
    ]
    table = pd.DataFrame(rows)
    return IndicatorSustainment(
        indicator=indicator,
        table=table,
        horizons=tuple(_horizon(table, after) for after in options.follow_up_months),
        n_gained=int((table["start"] == "gained").sum()),
        n_assessable=int(table["start"].isin(["gained", "no gain"]).sum()),
    )


def _facility(
    own: pd.DataFrame, indicator: Indicator, options: Options, last_month: pd.Timestamp, fewest: int
) -> dict[str, object]:
    joined, ended = own["joined"].iloc[0], own["support_ended"].iloc[0]
    baseline = own.loc[own["period"] < joined]  # empty if joined is missing
    at_end = _window(own.loc[~(own["period"] < joined)], ended, options.window_months)  # no month counts twice
    row: dict[str, object] = {"support_ended": ended, "baseline": np.nan, "end": np.nan, "gain": np.nan}
    enough = (
        baseline["period"].nunique() >= FEWEST_BASELINE_MONTHS
        and baseline["denominator"].sum() >= fewest
        and _is_enough(at_end, options.window_months, fewest)
    )
    start: Start = "support not ended" if pd.isna(ended) else "too few months"
    if enough:
        before, end = level(baseline, indicator), level(at_end, indicator)
        gain = (end - before) * indicator.sign
        row |= {"baseline": before, "end": end, "gain": gain}
        scale = 1.0 if indicator.kind == "proportion" else before
        # Rounded where floating point would turn a gain of exactly the minimum into none.
        large = gain > 0 and round(gain - options.minimum_gain * scale, 12) >= 0
        start = "gained" if large and _is_beyond_chance(baseline, at_end, indicator) else "no gain"
    row["start"] = start
    for after in options.follow_up_months:
        row |= _follow_up(own, row, indicator, options, after, last_month, fewest)
    return row


def _is_beyond_chance(baseline: pd.DataFrame, at_end: pd.DataFrame, indicator: Indicator) -> bool:
    """Whether the 95% interval of the difference leaves out none, for the kind of indicator."""
    if indicator.kind in ("mean", "time_between"):
        return _months_differ(at_end["value"], baseline["value"])
    events, people = at_end["numerator"].sum(), at_end["denominator"].sum()
    events_before, people_before = baseline["numerator"].sum(), baseline["denominator"].sum()
    if indicator.kind == "proportion":
        _, low, high = proportion_difference(int(events), int(people), int(events_before), int(people_before))
        return low > 0 or high < 0
    _, low, high = rate_ratio(int(events), people, int(events_before), people_before)
    return low > 1 or high < 1


def _months_differ(values: pd.Series, others: pd.Series) -> bool:
    """Welch's t-test between months: the spread between people is not recorded for every month."""
    if min(len(values), len(others)) < 2:
        return False
    if max(values.std(), others.std()) == 0:
        return bool(values.mean() != others.mean())
    summary = (values.mean(), values.std(), len(values), others.mean(), others.std(), len(others))
    return bool(ttest_ind_from_stats(*summary, equal_var=False).pvalue < 0.05)


def _follow_up(
    own: pd.DataFrame,
    row: dict[str, object],
    indicator: Indicator,
    options: Options,
    after: int,
    last_month: pd.Timestamp,
    fewest: int,
) -> dict[str, object]:
    names = f"level_{after}", f"kept_{after}", f"outcome_{after}"
    if row["start"] != "gained":
        return dict(zip(names, (np.nan, np.nan, None), strict=True))
    due = row["support_ended"] + pd.DateOffset(months=after)
    if due > last_month:
        return dict(zip(names, (np.nan, np.nan, "too early"), strict=True))
    months = min(options.window_months, after)  # the months of support are not part of what came after it
    window = _window(own, due, months)
    if not _is_enough(window, months, fewest):
        return dict(zip(names, (np.nan, np.nan, "not reported"), strict=True))
    now, end, gain = level(window, indicator), float(row["end"]), float(row["gain"])  # type: ignore[arg-type]
    lost = (end - now) * indicator.sign
    scale = 1.0 if indicator.kind == "proportion" else end
    outcome: Outcome = "partly lost"
    if round(lost - options.tolerance * scale, 12) <= 0:
        outcome = "kept"
    elif lost >= gain:
        outcome = "lost"
    return dict(zip(names, (now, 1 - lost / gain, outcome), strict=True))


def _window(own: pd.DataFrame, last: pd.Timestamp, months: int) -> pd.DataFrame:
    """The rows of so many months up to and with `last`; none if `last` is missing."""
    if pd.isna(last):
        return own.iloc[:0]
    return own.loc[(own["period"] > last - pd.DateOffset(months=months)) & (own["period"] <= last)]


def _is_enough(window: pd.DataFrame, months: int, fewest: int) -> bool:
    """At least two of the months (one, if the window is one month), and people enough."""
    return bool(len(window) >= min(2, months) and window["denominator"].sum() >= fewest)


def _horizon(table: pd.DataFrame, after: int) -> Horizon:
    outcome = table[f"outcome_{after}"]
    n_due = int(outcome.isin(["kept", "partly lost", "lost", "not reported"]).sum())
    n_known = int(outcome.isin(["kept", "partly lost", "lost"]).sum())
    n_kept = int((outcome == "kept").sum())
    many = n_known >= FEWEST_FACILITIES
    return Horizon(
        months_after=after,
        n_too_early=int((outcome == "too early").sum()),
        n_due=n_due,
        n_known=n_known,
        n_kept=n_kept,
        kept=proportion(n_kept, n_known) if many else None,
        median_share_kept=float(table[f"kept_{after}"].median()) if many else np.nan,
    )
