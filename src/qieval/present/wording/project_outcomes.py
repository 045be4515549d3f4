"""What may be said of how projects end, and of when they began."""

from __future__ import annotations

import math

import pandas as pd

from qieval.analyses.intensive_phase import BegunInIntensive
from qieval.analyses.project_outcomes import ProjectOutcomes
from qieval.present.display import Text
from qieval.present.numbers import count, day, months, of, percent, ratio

FEW = 20  # projects: with 44 the interval of the mean holds as often as it says, with these it does not
HELD_BY_FEW = 0.91  # of 10 and of 20, by benchmarks/durations.py; a test holds it against the table in docs/methods.md


def answer(result: ProjectOutcomes) -> Text:
    """Shares completed and abandoned, the mean time, and what the completed alone would have told."""
    lines = [_shares(result), _half(result), _mean(result), _completed_only(result)]
    return Text(sentences=[line for line in lines if line])


def _shares(result: ProjectOutcomes) -> str:
    told = result.told.loc[result.told["completed"] + result.told["abandoned"] > 0]
    if not result.n_abandoned:  # that all were completed once none was open is no news
        told = told.loc[told["at_risk"] > 0]
    if told.empty:
        return ""
    last = told.iloc[-1]
    text = f"By month {last['month']:.0f} after they began, {_share(last, 'completed')} of projects had been completed"
    if result.n_abandoned:
        text += f" and {_share(last, 'abandoned')} abandoned"
    return f"{text}; {_followed(result, int(last['at_risk']))}."


def _followed(result: ProjectOutcomes, left: int) -> str:
    """On how many a share rests: the last steps of a curve may be of one project or two."""
    if left:
        return (
            f"{of(left, result.n, 'dated project', 'dated projects')} {'was' if left == 1 else 'were'} followed further"
        )
    longest = months(float(result.shares["time"].max()))
    text = f"none of {count(result.n, 'dated project')} was followed further (the longest for {longest} months)"
    still = f", and {result.n_open} {'was' if result.n_open == 1 else 'were'} still open when last seen"
    return text + (still if result.n_open else "")


def _share(row: pd.Series, name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    limits = "" if math.isnan(low) else f" (95% interval {percent(low)} to {percent(high)})"
    return f"{percent(row[name])}{limits}"


def _half(result: ProjectOutcomes) -> str:
    """When half of all were completed; where none was abandoned that is the median, which is told already."""
    if not result.n_abandoned:
        return ""
    if math.isinf(result.half_completed):
        longest = months(float(result.shares["time"].max()))
        return f"Half of all projects begun were not completed within {longest} months, as long as any was followed."
    high = months(result.half_completed_high) if math.isfinite(result.half_completed_high) else "no upper limit"
    return (
        f"Half of all projects begun, those abandoned among them, had been completed by month "
        f"{months(result.half_completed)} (95% interval {months(result.half_completed_low)} to {high})."
    )


def _mean(result: ProjectOutcomes) -> str:
    mean = result.mean
    if mean is None:
        return ""
    limits = ""
    if mean.has_scatter:
        limits = f" (95% interval {months(max(mean.low, 0))} to {months(min(mean.high, mean.horizon))})"
    if result.mean_is_whole:
        return f"The mean duration is {months(mean.estimate)} months{limits}."
    return (
        f"Over the first {months(mean.horizon)} months, as far as the curve is known, a project was open for "
        f"{months(mean.estimate)} months on average{limits}."
    )


def _completed_only(result: ProjectOutcomes) -> str:
    """A median of the completed alone never stands without what it leaves out."""
    left_out = [
        f"{n} {status}" for n, status in ((result.n_abandoned, "abandoned"), (result.n_open, "still open")) if n
    ]
    if not left_out or not result.n_completed:
        return ""
    return (
        f"The {result.n_completed} completed projects alone have a median of {months(result.completed_only_median)} "
        f"months, which leaves out {' and '.join(left_out)}: it is not how long a project takes."
    )


def few(result: ProjectOutcomes) -> str:
    """That the interval of a mean of few projects is too narrow; nothing where it is not, or there is none."""
    if result.mean is None or not result.mean.has_scatter or result.n > FEW:
        return ""
    return (
        f"With {FEW} projects or fewer the 95% interval of the mean is somewhat too narrow, since durations are skew: "
        f"of simulated collaboratives of 10 and {FEW} projects it held the true mean in {percent(HELD_BY_FEW)}."
    )


def begun(found: BegunInIntensive) -> Text:
    """How many projects began while mentoring was intensive, against an even spread over the time."""
    share = found.share
    text = (
        f"{of(share.successes, share.total, 'project', 'projects')} ({percent(share.estimate)}, exact 95% interval "
        f"{percent(share.low)} to {percent(share.high)}) began in the intensive phase"
    )
    if found.time_share >= 1:
        text = f"{of(share.successes, share.total, 'project', 'projects')} began in the intensive phase"
        lines = [f"{text}, which covered all the time up to the data cut, so it cannot be set beside another."]
    else:
        estimate, interval = ratio(found.ratio, found.ratio_low, found.ratio_high)
        lines = [
            f"{text}, which took {percent(found.time_share)} of the time that facilities took part ({day(found.first)} "
            f"to {day(found.last)}). That is {estimate} times what an even spread over that time would give "
            f"(95% interval {interval}): {_verdict(found)}."
        ]
    if found.n_before:
        began = count(found.n_before, "project that began", "projects that began")
        lines.append(f"Not counted here: {began} before the facility had joined.")
    if found.n_undated:
        lines.append(f"Of {count(found.n_undated, 'further project')} it is not known when they began.")
    return Text(sentences=lines)


def _verdict(found: BegunInIntensive) -> str:
    if found.ratio_low > 1:
        return "projects began in it more often than at other times"
    if found.ratio_high < 1:
        return "projects began in it less often than at other times"
    return "whether projects began in it more often than at other times cannot be told"


def caption(result: ProjectOutcomes) -> str:
    """Caption of the stacked shares."""
    return (
        f"How {count(result.n, 'dated project')} ended, by months since they began: completed below, abandoned "
        "(hatched) on top of them, still open above both (Aalen-Johansen). Under the axis: how many were still open, "
        "and followed, at that month."
    )


def alt(result: ProjectOutcomes) -> str:
    """Alternative text of the stacked shares."""
    return f"Stacked step areas of the shares of projects completed and abandoned. {_shares(result)}".strip()
