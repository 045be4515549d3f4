"""Did care improve? Run charts of each indicator, all facilities together and one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from qieval.analyses.quality import Quality, quality
from qieval.analyses.run_charts import FEWEST_MONTHS, RunChart, run_charts
from qieval.analyses.series import Indicator, facility_months, indicators, participants, phases, pooled
from qieval.analyses.time_to_target import TimeToTarget, time_to_target
from qieval.study.study import Study

COHORT_SHARE = 0.9  # of the months, in which a facility of the fixed cohort reported
SMALLEST_COHORT = 3  # fewer facilities are no cohort: the line would be theirs


@dataclass(frozen=True, eq=False, kw_only=True)
class IndicatorResult:
    """One indicator: the collaborative's run chart, each facility's, and who reached the target."""

    indicator: Indicator
    pooled: RunChart  # its points also hold `facilities`: how many reported that month
    cohort: pd.DataFrame | None  # the same facilities throughout: period, value, facilities; None: everybody is
    within_facilities: float  # the change of the last months from the baseline inside facilities, see there
    facilities: dict[str, RunChart]  # by name as shown, in the order of the facilities table
    table: pd.DataFrame  # one row per facility, see `_facility_row`, with status and reached_on of `time_to_target`
    quality: Quality  # of the data behind it
    time_to_target: TimeToTarget  # who reached the target, and when
    smallest_denominator: int
    small_months: int  # facility-months with fewer people than that, neither shown nor judged one by one


@dataclass(frozen=True, eq=False, kw_only=True)
class Effectiveness:
    """Every indicator, and the events and phases to mark on its charts."""

    indicators: tuple[IndicatorResult, ...]
    events: pd.DataFrame  # held_on, kind, title; empty where none were recorded
    phases: dict[str, tuple[pd.Timestamp, pd.Timestamp]]
    not_reporting: tuple[str, ...]  # names of facilities that take part and reported no indicator at all


def effectiveness(study: Study) -> Effectiveness:
    """Run charts of every indicator measured.

    The centre line of a chart is the median of its baseline, frozen. A facility's baseline is the months
    before it joined; that of all facilities together is the phase named ``baseline``, or else the months
    before the first facility joined. A chart is judged only with at least three months before and after,
    and ten that are not on the line. Without a month that has both numerator and denominator there are no
    indicators in the result.
    """
    results = []
    for indicator in indicators(study):
        months = facility_months(study, indicator)
        if not months.empty:
            results.append(_indicator_result(study, indicator, months))
    names = study.facility_names()
    reporting: set[str] = set().union(*(result.facilities for result in results))
    silent = [names[facility] for facility in participants(study) if names[facility] not in reporting]
    marked = study.parameters.options.effectiveness.mark_events
    events = study["events"] if study.has("events") else pd.DataFrame(columns=["held_on", "kind", "title"])
    return Effectiveness(
        indicators=tuple(results),
        events=events.loc[events["kind"].isin(marked), ["held_on", "kind", "title"]].sort_values(
            "held_on", ignore_index=True
        ),
        phases=phases(study),
        not_reporting=tuple(silent),
    )


def _indicator_result(study: Study, indicator: Indicator, months: pd.DataFrame) -> IndicatorResult:
    options = study.parameters.options
    recent, smallest = options.effectiveness.recent_months, options.smallest_denominator
    together = pooled(months, indicator)
    if indicator.kind != "count":
        together["value"] = together["value"].mask(together["denominator"] < smallest)
    together["in_baseline"] = _pooled_baseline(study, together, months)
    pooled_chart = run_charts({"all": together}, indicator, recent)["all"]
    within = _within_facilities(months, pooled_chart, indicator)

    # A count is of everybody there is; any other value from a handful of people says little and may identify them.
    small = (months["denominator"] < smallest) & (indicator.kind != "count")
    names, joined, series = study.facility_names(), {}, {}
    for facility, own in months.assign(value=months["value"].mask(small)).groupby("facility_id", sort=False):
        name, since = names[facility], own["joined"].iloc[0]
        points = _on_calendar(own)
        before = points["period"] < since if pd.notna(since) else _declared_baseline(study, points)
        series[name], joined[name] = points.assign(in_baseline=before), since
    charts = run_charts(series, indicator, recent)
    reached = time_to_target(study, indicator)
    table = pd.DataFrame([_facility_row(name, joined[name], chart) for name, chart in charts.items()])
    table = table.merge(reached.table[["facility", "status", "reached_on"]], on="facility", how="left")
    return IndicatorResult(
        indicator=indicator,
        pooled=_unless_mix_changed(pooled_chart, within),
        cohort=_cohort(months, together, indicator, smallest=1 if indicator.kind == "count" else smallest),
        within_facilities=within,
        facilities=charts,
        table=table,
        quality=quality(study, indicator, months),
        time_to_target=reached,
        smallest_denominator=options.smallest_denominator,
        small_months=int(small.sum()),
    )


def _within_facilities(months: pd.DataFrame, chart: RunChart, indicator: Indicator) -> float:
    """The change from the baseline to the last months inside facilities, weighted by their people.

    Only facilities that reported in both count, each with the same weight before and after: so it does not move
    when facilities join, stop reporting, or see more people than others. Missing where no facility did.
    """
    points = chart.points
    before = months.loc[months["period"].isin(points.loc[points["in_baseline"], "period"])]
    last = months.loc[months["period"].isin(points.loc[points["recent"], "period"])]
    levels = [
        half.groupby("facility_id")[["numerator", "denominator"]]
        .sum()
        .eval("numerator / denominator")
        .mul(indicator.per)
        for half in (before, last)
    ]
    change = (levels[1] - levels[0]).dropna()
    people = months.groupby("facility_id")["denominator"].sum()[change.index]
    return float((change * people).sum() / people.sum()) if len(change) else np.nan


def _unless_mix_changed(chart: RunChart, within: float) -> RunChart:
    """A line of all together that moved, with at most a third of it inside facilities, tells who reported."""
    if chart.verdict in ("improved", "worsened") and not within / chart.change > 1 / 3:
        return replace(chart, verdict="who reported changed")
    return chart


def _cohort(
    months: pd.DataFrame, together: pd.DataFrame, indicator: Indicator, *, smallest: int
) -> pd.DataFrame | None:
    """The pooled line of the facilities that reported in nearly every month, so that joining cannot move it."""
    reported = months.groupby("facility_id")["period"].nunique()
    steady = reported.index[reported >= COHORT_SHARE * together["value"].notna().sum()]
    if not SMALLEST_COHORT <= len(steady) < len(reported):
        return None
    line = pooled(months.loc[months["facility_id"].isin(steady)], indicator)
    return line.assign(value=line["value"].mask(line["denominator"] < smallest))[["period", "value", "facilities"]]


def _declared_baseline(study: Study, points: pd.DataFrame) -> pd.Series:
    """The months within the phase named baseline; none where there is no such phase."""
    declared = phases(study).get("baseline")
    return points["period"].between(*declared) if declared else pd.Series(False, index=points.index)


def _pooled_baseline(study: Study, together: pd.DataFrame, months: pd.DataFrame) -> pd.Series:
    if "baseline" in phases(study):
        return _declared_baseline(study, together)
    first = months["joined"].min()
    return together["period"] < first if pd.notna(first) else pd.Series(False, index=together.index)


def _on_calendar(own: pd.DataFrame) -> pd.DataFrame:
    """One facility's months with the missing ones in their place, as gaps."""
    calendar = pd.date_range(own["period"].min(), own["period"].max(), freq="MS", name="period")
    return own.set_index("period")[["value", "numerator", "denominator"]].reindex(calendar).reset_index()


def _facility_row(name: str, joined: pd.Timestamp, chart: RunChart) -> dict[str, object]:
    """What the table tells of one facility's run chart."""
    has_baseline = chart.n_baseline >= FEWEST_MONTHS
    return {
        "facility": name,
        "joined": joined,
        "months": int(chart.points["value"].notna().sum()),
        "baseline_median": chart.centre if has_baseline else np.nan,
        "recent_median": chart.recent_median,
        "change": chart.change if has_baseline else np.nan,
        "longest_run": chart.runs.longest_run,
        "longest_run_limit": chart.runs.longest_run_limit,
        "crossings": chart.runs.crossings,
        "crossings_limit": chart.runs.crossings_limit,
        "verdict": chart.verdict,
    }
