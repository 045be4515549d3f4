"""What may be said of projects that take longer than others: which groups differ, and which are too small to tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from qieval.analyses.duration_groups import FEWEST_SURE, NOT_PROPORTIONAL, Factor, Grouping, tests_made
from qieval.analyses.durations import FEWEST_PROJECTS
from qieval.methods.multiplicity import false_alarms
from qieval.methods.survival import FEWEST_ENDS, Ratios
from qieval.present.display import Text
from qieval.present.numbers import MINUS, count, listed, months, percent, ratio

FACTORS: dict[Factor, str] = {
    "setting": "Setting",
    "hub": "Hub",
    "wave": "Wave",
    "phase of start": "Phase of start",
}
_PROJECTS: dict[Factor, str] = {
    "setting": "{} projects",
    "hub": "projects in the cluster of {}",
    "wave": "projects of {}",
    "phase of start": "projects begun in the {} phase",
}
_SHORT: dict[Factor, str] = {  # once they have been named in full
    "setting": "{} ones",
    "hub": "those of {}",
    "wave": "those of {}",
    "phase of start": "those begun in the {} phase",
}
LEVEL = 0.05


def answer(groupings: Sequence[Grouping]) -> Text:
    """Per grouping whether durations differ, by how much, and who cannot be compared."""
    lines = [_many(groupings)]
    lines += [line for grouping in groupings for line in (_compared(grouping), _too_small(grouping))]
    return Text(sentences=[line for line in lines if line])


def _many(groupings: Sequence[Grouping]) -> str:
    """Each grouping is a test, and many tests find something by chance alone."""
    by_length, by_share = tests_made(groupings)
    tests = by_length + by_share
    if tests < 2:
        return ""
    how = f"{count(by_length, 'grouping')} tested for length"
    if by_share:
        how += f" and {by_share} for the share completed"
    chance = percent(false_alarms(tests, rate=LEVEL).at_least_one)
    return (
        f"{how} are {tests} tests of the same projects: if nothing differed, the chance that at least one would "
        f"still seem to, at 5% each, is up to {chance}. What is said to differ allows for all of them."
    )


def _compared(grouping: Grouping) -> str:
    if grouping.log_rank is None:
        return ""
    rows = grouping.table.loc[grouping.table["can_tell"]]
    medians = [f"{_median(row.median)} for {projects_of(grouping, row.group)}" for row in rows.itertuples()]
    by_length = _verdict(grouping.log_rank.p_value, grouping.log_rank_adjusted, "in length", sure=grouping.is_sure)
    lines = [f"By {grouping.factor}, the median is {listed(medians)}. {by_length}"]
    if grouping.difference is not None:
        found, names = grouping.difference, [_short(grouping, name) for name in rows["group"]]
        lines.append(
            f"Over the first {months(grouping.horizon)} months, {names[1]} were open {months(abs(found.estimate))} "
            f"months {'longer' if found.estimate >= 0 else 'shorter'} on average than {names[0]} (95% interval "
            f"{_signed(found.low)} to {_signed(found.high)} months)."
        )
    if grouping.time_ratio is not None:
        lines.append(_time_ratio(grouping, grouping.time_ratio))
    else:
        lines.append(_no_ratio(grouping))
    lines.append(_hazard(grouping))
    if grouping.gray is not None:
        lines.append(_verdict(grouping.gray.p_value, grouping.gray_adjusted, "in the share completed"))
    return " ".join(line for line in lines if line)


def _verdict(p_value: float, adjusted: float, in_what: str, *, sure: bool = True) -> str:
    if p_value < LEVEL and not sure:
        return (
            f"They seem to differ {in_what}, but of a group fewer than {FEWEST_SURE} have ended, and so few seem to "
            "differ by chance more often than tests say."
        )
    if adjusted < LEVEL:
        return f"They differ {in_what} by more than chance explains."
    if p_value < LEVEL:
        return f"They seem to differ {in_what}, but not by more than so many tests bring about by chance."
    return f"A difference {in_what} cannot be told from chance."


def _time_ratio(grouping: Grouping, found: Ratios) -> str:
    parts = []
    for row in found.table.itertuples():
        estimate, interval = ratio(row.ratio, row.low, row.high)
        parts.append(f"{_short(grouping, row.group)} take {estimate} times as long (95% interval {interval})")
    return f"Set against {_short(grouping, str(found.reference))}, {listed(parts)}."


def _no_ratio(grouping: Grouping) -> str:
    """Why there is no ratio of times, in words."""
    needed = FEWEST_ENDS * (grouping.n_can_tell - 1)
    if grouping.ended_in_compared < needed:
        return (
            f"No ratio of their times is given: {grouping.ended_in_compared} of these projects have ended, and "
            f"{needed} are needed."
        )
    return "No ratio of their times is given: too many of them took the same time for one to be fitted."


def _hazard(grouping: Grouping) -> str:
    """Only whether one ratio can tell the difference; the ratio itself is in the table."""
    if not grouping.proportional_p < NOT_PROPORTIONAL:
        return ""
    return (
        "How much oftener one group ends than another seems to change with time (proportional hazards do not hold), so "
        "a single ratio does not tell all of a difference."
    )


def _too_small(grouping: Grouping) -> str:
    small = grouping.table.loc[~grouping.table["can_tell"]]
    without = ""
    if grouping.n_without:
        without = f"Of {count(grouping.n_without, 'project')} the {grouping.factor} is not known."
    if small.empty:
        return without
    parts = [f"{projects_of(grouping, row.group)} ({counted(row)})" for row in small.itertuples()]
    return (
        f"By {grouping.factor}, fewer than {FEWEST_PROJECTS} have ended of the {listed(parts)}: they have no median "
        f"and are not compared. {without}".strip()
    )


def projects_of(grouping: Grouping, name: str) -> str:
    """The projects of a group as a sentence names them."""
    return _PROJECTS[grouping.factor].format(group_name(name))


def _short(grouping: Grouping, name: str) -> str:
    return _SHORT[grouping.factor].format(group_name(name))


def counted(row: Any) -> str:
    """How many projects of a group, and how many of them have ended."""
    return f"{row.ended} of {row.n} ended"


def group_name(name: str) -> str:
    """A group as a reader knows it."""
    return name.replace("_", " ")


def with_limits(row: Any) -> str:
    """The median of a group with its interval, as it stands beside its bar."""
    if math.isinf(row.low):
        return months(row.median)
    high = months(row.high) if math.isfinite(row.high) else "no limit"
    return f"{months(row.median)} ({months(row.low)} to {high})"


def caption(groupings: Sequence[Grouping]) -> str:
    """Caption of the medians."""
    text = "Median duration of projects by group, with its 95% interval (log-log)."
    if any(not row.can_tell for grouping in groupings for row in grouping.table.itertuples()):
        text += f" A group of which fewer than {FEWEST_PROJECTS} have ended has no median."
    if any((grouping.table["high"] == float("inf")).any() for grouping in groupings):
        text += " An arrow: no upper limit."
    return text


def alt(groupings: Sequence[Grouping]) -> str:
    """Alternative text of the medians."""
    told = [
        f"{group_name(row.group)} {months(row.median)}"
        for grouping in groupings
        for row in grouping.table.itertuples()
        if row.can_tell
    ]
    return f"Dots and bars of median months by group: {', '.join(told)}."


def _median(x: float) -> str:
    return f"{months(x)} months" if math.isfinite(x) else "not reached"


def _signed(x: float) -> str:
    return f"{x:+.1f}".replace("-", MINUS)
