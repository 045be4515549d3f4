"""Which chart would have warned first that a gain was going, how much sooner, and how often for nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from qieval.analyses.after_support import CLIMB_MONTHS
from qieval.analyses.early_warning import (
    FEWEST_LOST,
    FEWEST_MONTHS,
    FEWEST_MONTHS_OF_MEANS,
    Chart,
    EarlyWarning,
    Record,
)
from qieval.present.display import Text
from qieval.present.numbers import count, listed, number

NAMES: dict[Chart, str] = {"ewma": "EWMA", "cusum": "CUSUM", "single": "a single month"}

REASONS = {
    "too few months of support": f"fewer than {FEWEST_MONTHS} months of support after the first {CLIMB_MONTHS}, of "
    f"means and times fewer than {FEWEST_MONTHS_OF_MEANS}",
    "no scatter": "a level of 0% or 100%, or values that never vary, so that there is no scatter to judge a month by",
    "no month after support": "no month after support",
}


def answer(result: EarlyWarning) -> Text | None:
    """What each chart warned of, and what chance would have done; None where nothing was gained."""
    if result.table.empty:
        return None
    if not result.records:
        return Text(sentences=["No facility that gained can be watched.", left_out(result)])
    return Text(sentences=[*_of_the_lost(result), _of_the_others(result), _by_chance(result), left_out(result)])


def _of_the_lost(result: EarlyWarning) -> list[str]:
    if not result.n_lost:
        return ["No facility watched lost its gain, so there was no loss to warn of."]
    if result.n_lost < FEWEST_LOST:
        rows = result.watched.loc[result.watched["class"] == "gained and lost"]
        return [
            f"{count(result.n_lost, 'facility', 'facilities')} watched lost the gain, too few for a median: "
            f"{'; '.join(_one(row) for _, row in rows.iterrows())}."
        ]
    told = [f"{NAMES[one.chart]} of {one.warned_lost} ({_lead(one)})" for one in result.records]
    return [
        f"{result.n_lost} facilities watched lost the gain, which was told in {_rule(result)}. There would have been "
        f"a warning by {listed(told)}.",
        _first(result),
    ]


def _rule(result: EarlyWarning) -> str:
    if result.months_to_lose == 1:
        return "the first month that was worse"
    return f"the last of {result.months_to_lose} months in a row"


def _one(row: pd.Series) -> str:
    warned = [
        f"{NAMES[chart]} warned in month {row[chart]:.0f}" if not math.isnan(row[chart]) else f"{NAMES[chart]} did not"
        for chart in NAMES
    ]
    return f"{row['facility']} (told in month {row['told']:.0f}; {listed(warned)})"


def _lead(record: Record) -> str:
    """How much sooner than the loss was told, in the middle of the facilities that lost it."""
    if math.isinf(record.lead):
        return "too few for a median"
    if record.lead == 0:
        return "median: in the same month"
    n = abs(record.lead)
    return f"median {number(n)} month{'' if n == 1 else 's'} {'sooner' if record.lead > 0 else 'later'}"


def _first(result: EarlyWarning) -> str:
    """Which chart warned first most often; together with another counts for both."""
    ranked = sorted(result.records, key=lambda one: -one.first)
    if not ranked[0].first:
        return "No chart warned of any of them."
    parts = [f"{NAMES[one.chart]} in {one.first}" for one in ranked]
    return f"First to warn, alone or together with another, was {listed(parts)}."


def _of_the_others(result: EarlyWarning) -> str:
    """False alarms in those that kept it, and warnings of which it cannot be told whether they were false."""
    text = ""
    if result.n_kept:
        text = f"Of the {result.n_kept} that kept it, {_by_each([one.warned_kept for one in result.records])}."
    n_other = result.n_watched - result.n_lost - result.n_kept
    if n_other:
        warned = _by_each([one.warned_other for one in result.records])
        text += f" Of the {n_other} of which it is not known whether they kept it, {warned}."
    return text.strip()


def _by_each(warned: list[int]) -> str:
    if not any(warned):
        return "no chart warned of any"
    first, *others = [f"{name} {{}}of {n or 'none'}" for name, n in zip(NAMES.values(), warned, strict=True)]
    return listed([first.format("warned "), *(one.format("") for one in others)])


def _by_chance(result: EarlyWarning) -> str:
    if any(math.isnan(one.by_chance) for one in result.records):
        return (
            "How many false warnings chance brings is not known: how the months of such an indicator scatter is not "
            "recorded."
        )
    expected = [f"{_about(one.by_chance)} by {NAMES[one.chart]}" for one in result.records]
    return (
        f"Had none of the {result.n_watched} watched lost anything, chance alone would have brought false warnings: "
        f"{listed(expected)}."
    )


def _about(expected: float) -> str:
    return "fewer than one" if expected < 0.95 else f"about {expected:.0f}"


def left_out(result: EarlyWarning) -> str:
    """Which facilities that gained are not watched, with the reasons."""
    parts = []
    for code, reason in REASONS.items():
        rows = result.table.loc[result.table["status"] == code]
        if len(rows):
            parts.append(f"{listed(list(rows['facility']))} ({reason})")
    return f"Not watched: {'; '.join(parts)}." if parts else ""


def caveats(results: Sequence[EarlyWarning]) -> Text:
    """What warnings rest on, once for all indicators."""
    if not any(result.records for result in results):
        return Text(sentences=[], style="caveats")
    records = next(result.records for result in results if result.records)
    lengths = [f"{100 * round(one.run_length / 100):,} months by {NAMES[one.chart]}" for one in records]
    certain = sum(max(one.by_run_length for one in result.records) for result in results if result.records)
    return Text(
        sentences=[
            f"Were each level of support known for certain, a false warning would come once in about {listed(lengths)} "
            f"({_about(certain)} of any chart over all months watched). As the level is known from few months, there "
            "are more; the numbers told allow for that.",
            "Warnings are told in hindsight, with the usual settings of each chart (EWMA: weight 0.2, 3 sigma; CUSUM: "
            "shifts of 1 sigma, decision 5; a single month: 3 sigma), against the level of the last months of support. "
            "A warning is a reason to look, not yet a loss.",
            "Months are taken to scatter no more than counts of people must; where they scatter more, more warnings "
            "are false.",
        ],
        style="caveats",
    )


def caption(result: EarlyWarning) -> str:
    """Caption of the time line of warnings."""
    return (
        f"{result.indicator.name}: facilities that had gained, by months since support ended; thin lines are the "
        f"months watched. Squares: the month in which the loss was told, {_rule(result)}. The others are first "
        "warnings, against the level of the last months of support: by EWMA (an average in which recent months weigh "
        "most), by CUSUM (a running sum of what is missing), and by a single month far out."
    )


def alt(result: EarlyWarning) -> str:
    """Alternative text of the time line of warnings."""
    said = answer(result)
    lines = [line for line in said.sentences if line] if said else []
    return " ".join(["Time lines of facilities with the first warning of each chart.", *lines])
