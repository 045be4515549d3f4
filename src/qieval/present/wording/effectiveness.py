"""What may be said of a run chart: that care changed and when, not what changed it."""

from __future__ import annotations

import math
import string

import pandas as pd

from qieval.analyses.effectiveness import Effectiveness, IndicatorResult
from qieval.analyses.run_charts import FEWEST_MONTHS, JUDGED, RunChart
from qieval.analyses.series import Indicator
from qieval.methods.runs import FEWEST_USEFUL
from qieval.present.display import Text
from qieval.present.numbers import change, count, listed, month, unit, value

NO_MONTHS = "No facility that takes part has a month with both a numerator and a denominator."
WHY = (
    "A run chart shows that care changed and when, not why: any change is associated with the collaborative, and other "
    "causes are not ruled out."
)


def collaborative(result: IndicatorResult) -> str:
    """What the run chart of all facilities together says."""
    chart, name = result.pooled, result.indicator.name
    if chart.verdict == "too few months":
        return f"{name}: too few months to judge. {_too_few(chart)}"
    if chart.verdict == "no baseline":
        return (
            f"{name}: no month measured lies in a baseline, so before and after cannot be told apart; give each "
            "facility's joined_on, or a phase named baseline, and months before it."
        )
    medians = moved(chart, result.indicator)
    if chart.verdict == "baseline unstable":
        return (
            f"{name}: the baseline was itself moving before the collaborative began, so a difference between "
            "before and after is not evidence of improvement."
        )
    if chart.verdict == "no signal":
        return f"{name}: no signal of change by the runs rules. {medians} {_needed(chart)}"
    if chart.verdict == "who reported changed":
        together = change(chart.change, result.indicator)
        return (
            f"{name}: the line of all facilities together moved ({together}), but {_inside(result)}. Who reported, or "
            "how many people each saw, has changed, so this is no evidence that care did."
        )
    if chart.verdict == "back at baseline":
        return f"{name} changed and is back at its baseline. {medians} {_runs_sentence(chart)}"
    return f"{name} {chart.verdict}. {medians} {_runs_sentence(chart)}"


def below_the_chart(result: IndicatorResult) -> Text:
    """The runs behind the verdict, which the answer leaves out."""
    chart = result.pooled
    if chart.verdict in ("improved", "worsened", "back at baseline"):
        return Text(sentences=[_runs_sentence(chart)])
    return Text(sentences=[_needed(chart)] if chart.verdict == "no signal" else [])


def _inside(result: IndicatorResult) -> str:
    if math.isnan(result.within_facilities):
        return "no facility reported both in the baseline and in the last months"
    inside = change(result.within_facilities, result.indicator)
    return f"inside facilities that reported before and after the change is {inside}"


def _needed(chart: RunChart) -> str:
    """What a signal would have taken; where that is nearly every month, a missing signal is not a missing change."""
    found = chart.runs
    text = (
        f"The longest run on one side of the baseline median is {count(found.longest_run, 'month')}; more than "
        f"{found.longest_run_limit} would be a signal. The series crosses it {count(found.crossings, 'time')}; "
        f"fewer than {found.crossings_limit} would be one."
    )
    if is_hardly_tellable(chart):
        text += (
            f" With {count(chart.n_baseline, 'baseline month')} and {chart.n_after} months after them, even a change "
            "that came at once and lasted is hardly told from chance, so one may well have gone unseen."
        )
    return text


def is_hardly_tellable(chart: RunChart) -> bool:
    """Whether a signal would take more than two thirds of the months after the baseline in one run."""
    return chart.runs.longest_run_limit > 2 / 3 * chart.n_after


def label(chart: RunChart) -> str:
    """The verdict in a few words, for tables and the index page."""
    if chart.verdict == "too few months" and chart.n_baseline + chart.n_after >= FEWEST_USEFUL:
        return "too many months on the median"
    if chart.verdict == "no signal" and is_hardly_tellable(chart):
        return "no signal; too short to tell"
    return chart.verdict


def moved(chart: RunChart, indicator: Indicator) -> str:
    """The medians of the baseline and of the last months."""
    n_recent = int(chart.points["recent"].sum())
    return (
        f"The median was {_with_unit(chart.centre, indicator)} in {count(chart.n_baseline, 'baseline month')} and "
        f"{_with_unit(chart.recent_median, indicator)} in the last {count(n_recent, 'month')} "
        f"({change(chart.change, indicator)}{'; less is better' if indicator.sign < 0 else ''})."
        + _fallen_back(chart, indicator)
    )


def _fallen_back(chart: RunChart, indicator: Indicator) -> str:
    """That part of a gain has gone since, where the chart shows it."""
    gain = (chart.best_median - chart.centre) * indicator.sign
    lost = (chart.best_median - chart.recent_median) * indicator.sign
    if chart.verdict != "improved" or not lost > 0.25 * gain:
        return ""
    n_recent = int(chart.points["recent"].sum())
    best = _with_unit(chart.best_median, indicator)
    return f" Its best {count(n_recent, 'month')} had a median of {best}: part of the gain has gone since."


def _with_unit(x: float, indicator: Indicator) -> str:
    suffix = unit(indicator)
    return value(x, indicator) if suffix in ("", "%") else f"{value(x, indicator)} {suffix}"


def _runs_sentence(chart: RunChart) -> str:
    found = chart.runs
    parts = []
    if found.longest_run > found.longest_run_limit:
        parts.append(
            f"{found.longest_run} months in a row lie on one side of the baseline median, where chance explains up to "
            f"{found.longest_run_limit}"
        )
    if found.crossings < found.crossings_limit:
        times = "only once" if found.crossings == 1 else f"only {found.crossings} times"
        times = "never" if found.crossings == 0 else times
        parts.append(f"the series crosses that median {times}, where chance gives at least {found.crossings_limit}")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _too_few(chart: RunChart) -> str:
    if chart.n_baseline == 0:
        return f"There are {count(chart.n_after, 'month')} and no baseline; at least {FEWEST_USEFUL} months are needed."
    there = f"There are {chart.n_baseline} before and {chart.n_after} after"
    if min(chart.n_baseline, chart.n_after) >= FEWEST_MONTHS:
        there += f", {chart.runs.n_useful} of them off the median"
    needed = f"at least {FEWEST_MONTHS} before, {FEWEST_MONTHS} after and {FEWEST_USEFUL} off the median are needed."
    return f"{there}; {needed}"


def facilities(result: IndicatorResult) -> Text:
    """How many facilities improved, and how many would seem to by chance."""
    verdicts = result.table["verdict"].value_counts()
    words = {
        "improved": "improved",
        "worsened": "worsened",
        "back at baseline": "changed and went back to baseline",
        "who reported changed": "moved by who reported",
        "no signal": "gave no signal of change",
        "baseline unstable": "had a baseline that was itself moving",
        "no baseline": "had no baseline",
        "too few months": "had too few months to judge",
    }
    counted = [f"{verdicts[name]} {words[name]}" for name in words if name in verdicts]
    n = len(result.table)
    lines = [f"Of {count(n, 'facility', 'facilities')}, {listed(counted)}."]
    judged = int(sum(verdicts.get(name, 0) for name in JUDGED))
    if judged > 1:
        expected = sum(chart.false_signal_rate for chart in result.facilities.values() if chart.verdict in JUDGED)
        about = "fewer than one" if expected < 1 else f"about {expected:.0f}"
        lines[0] += f" Of the {judged} charts judged, {about} would signal by chance had nothing changed."
    return Text(sentences=lines)


def caveats(result: Effectiveness) -> Text:
    """What was left out, and what cannot be concluded."""
    lines = []
    for found in result.indicators:
        name = found.indicator.name
        if found.small_months:
            lines.append(
                f"{name}: {count(found.small_months, 'facility-month')} with fewer than {found.smallest_denominator} "
                "people are left out of the charts by facility; their people count in the sum of all facilities."
            )
        reporting = found.pooled.points["facilities"]
        if reporting.min() < 0.8 * reporting.max():
            lines.append(
                f"{name}: between {reporting.min()} and {reporting.max()} facilities reported each month, so the line "
                "of all together can move without any facility changing; look at the charts by facility too."
            )
        if found.pooled.n_baseline and found.pooled.n_baseline < 12 and found.pooled.verdict != "too few months":
            lines.append(
                f"{name}: the baseline is {count(found.pooled.n_baseline, 'month')}; its median is uncertain, and the "
                "limits of the runs rules are widened for that."
                + (" Whether it was itself moving cannot be told." if found.pooled.n_baseline < FEWEST_USEFUL else "")
            )
    if result.not_reporting:
        lines.append(f"Reported nothing and are in no chart: {listed(list(result.not_reporting))}.")
    lines.append(
        "The runs rules take months as independent of each other; where one month resembles the next, signals come "
        "more easily. Seasons cannot be told from change in less than two years."
    )
    return Text(sentences=lines, style="caveats")


def run_chart_caption(result: IndicatorResult, whole: Effectiveness) -> str:
    """Caption of the pooled run chart, with the key to its letters."""
    chart = result.pooled
    text = f"{result.indicator.name}, all facilities together, month by month."
    if not math.isnan(chart.centre):
        drawn = "baseline median, dashed where carried forward" if chart.n_baseline else "median of all months"
        text += f" Orange line: {drawn}."
    if chart.n_baseline and chart.points["recent"].any():
        text += " Black line: median of the last months."
    if chart.points["in_long_run"].any():
        text += " Black squares: a run longer than chance explains."
    if result.cohort is not None:
        n = int(result.cohort["facilities"].max())
        text += f" Grey dashes: the {n} facilities that reported in nearly every month, whom joining cannot move."
    if result.indicator.target is not None:
        text += " Dotted: target."
    events = lettered(whole.events, chart.points)
    if len(events):
        key = "; ".join(
            f"{letter} {title} ({month(held)})"
            for letter, title, held in zip(events["letter"], events["label"], events["held_on"], strict=True)
        )
        text += f" Events: {key}."
    return text


def run_chart_alt(result: IndicatorResult) -> str:
    """Alternative text of the pooled run chart."""
    points = result.pooled.points
    span = f"{month(points['period'].iloc[0])} to {month(points['period'].iloc[-1])}"
    return f"Run chart of {result.indicator.name}, {span}. {collaborative(result)}"


def facility_charts_caption(result: IndicatorResult) -> str:
    """Caption of the small run charts."""
    text = f"{result.indicator.name} by facility."
    if any(not math.isnan(chart.centre) and chart.n_baseline for chart in result.facilities.values()):
        text += " Orange line: median of the facility's own baseline, dashed where carried forward."
    if any(chart.points["in_long_run"].any() for chart in result.facilities.values()):
        text += " Black squares: a run longer than chance explains."
    if result.indicator.target is not None:
        text += " Dotted: target."
    if result.indicator.kind != "proportion":
        text += " An arrow with a number: a month above the axis."
    return text + (
        f" Months with fewer than {result.smallest_denominator} people are gaps." if result.small_months else ""
    )


def facility_charts_alt(result: IndicatorResult) -> str:
    """Alternative text of the small run charts."""
    n = count(len(result.facilities), "small run chart")
    return f"{n} of {result.indicator.name}, one per facility. {facilities(result).sentences[0]}"


def lettered(events: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """The events within the months shown, each with a letter: A to Z, then AA, AB, ..."""
    last = points["period"].max() + pd.offsets.MonthEnd(0)
    shown = events.loc[events["held_on"].between(points["period"].min(), last)].reset_index(drop=True)
    letters = [*string.ascii_uppercase, *(f"A{letter}" for letter in string.ascii_uppercase)]
    shown = shown.head(len(letters))
    label = shown["title"].where(shown["title"].notna(), shown["kind"].str.replace("_", " "))
    return shown.assign(letter=letters[: len(shown)], label=label)
