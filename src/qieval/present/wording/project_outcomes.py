"""What may be said of how projects end."""

from __future__ import annotations

import math

import pandas as pd

from qieval.analyses.intensive_phase import BegunInIntensive
from qieval.analyses.project_outcomes import ProjectOutcomes
from qieval.present.display import Text
from qieval.present.numbers import count, day, months, of, percent


def answer(result: ProjectOutcomes | None, begun: BegunInIntensive | None) -> Text:
    """Shares completed and abandoned, the mean time, and how many began while mentoring was intensive."""
    lines = [] if result is None else [_shares(result), _mean(result), _completed_only(result)]
    return Text(sentences=[line for line in (*lines, _begun(begun)) if line])


def _shares(result: ProjectOutcomes) -> str:
    if not result.n_abandoned:
        return ""
    told = result.told.loc[result.told["completed"] + result.told["abandoned"] > 0]
    if told.empty:
        return ""
    last = told.iloc[-1]
    return (
        f"By month {last['month']:.0f} after they began, {percent(last['completed'])} of projects had been completed"
        f"{_limits(last, 'completed')} and {percent(last['abandoned'])} abandoned{_limits(last, 'abandoned')}; "
        f"{count(int(last['open']), 'project')} had been followed further."
    )


def _limits(row: pd.Series, name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if math.isnan(low) else f" (95% interval {percent(low)} to {percent(high)})"


def _mean(result: ProjectOutcomes) -> str:
    mean = result.mean
    if mean is None:
        return ""
    return (
        f"Over the first {months(mean.horizon)} months, as far as five projects were followed, a project was open for "
        f"{months(mean.estimate)} months on average (95% interval {months(max(mean.low, 0))} to "
        f"{months(min(mean.high, mean.horizon))})."
    )


def _completed_only(result: ProjectOutcomes) -> str:
    """A median of the completed alone never stands without what it leaves out."""
    left_out = result.n - result.n_completed
    if not left_out or not result.n_completed:
        return ""
    return (
        f"The {result.n_completed} completed projects alone have a median of {months(result.completed_only_median)} "
        f"months; it leaves out the {left_out} abandoned or still open and says nothing of how long a project takes."
    )


def _begun(begun: BegunInIntensive | None) -> str:
    if begun is None:
        return ""
    share = begun.share
    text = f"{of(share.successes, share.total, 'project', 'projects')} began in the intensive phase"
    if begun.time_share >= 1:
        return f"{text}, which covered all the time up to the data cut, so it cannot be set beside another."
    compared = "as many as its share of the time would give, as far as can be told"
    if begun.p_value < 0.05:
        compared = f"{'more' if share.estimate > begun.time_share else 'fewer'} than its share of the time would give"
    return (
        f"{text} ({percent(share.estimate)}, exact 95% interval {percent(share.low)} to {percent(share.high)}), which "
        f"took {percent(begun.time_share)} of the time from {day(begun.first)} to {day(begun.last)}: {compared}."
    )


def caption(result: ProjectOutcomes) -> str:
    """Caption of the stacked shares."""
    return (
        f"How {count(result.n, 'dated project')} ended, by months since they began: completed below, abandoned on top "
        "of them, still open above both (Aalen-Johansen). Under the axis: how many were open at that month."
    )


def alt(result: ProjectOutcomes) -> str:
    """Alternative text of the stacked shares."""
    return f"Stacked step areas of the shares of projects completed and abandoned. {_shares(result)}"
