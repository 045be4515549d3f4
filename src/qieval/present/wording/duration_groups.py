"""What may be said of projects that take longer than others: which groups differ, and which are too small to tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qieval.analyses.duration_groups import NOT_PROPORTIONAL, Factor, Grouping
from qieval.analyses.durations import FEWEST_PROJECTS
from qieval.methods.survival import Ratios
from qieval.present.display import Text
from qieval.present.numbers import MINUS, count, listed, months, ratio

FACTORS: dict[Factor, str] = {
    "setting": "Setting",
    "hub": "Hub",
    "wave": "Wave",
    "phase of start": "Phase of start",
}


def answer(groupings: Sequence[Grouping]) -> Text:
    """Per grouping whether durations differ, by how much, and who cannot be compared."""
    lines = [line for grouping in groupings for line in (_compared(grouping), _too_small(grouping))]
    tests = sum(grouping.log_rank is not None for grouping in groupings)
    if tests > 1:
        lines.append(
            f"{count(tests, 'comparison')} were made: a chance of 5% in each adds up to "
            f"{100 * (1 - 0.95**tests):.0f}% that at least one would differ by chance alone."
        )
    return Text(sentences=[line for line in lines if line], style="note")


def _compared(grouping: Grouping) -> str:
    if grouping.log_rank is None:
        return ""
    rows = grouping.table.loc[grouping.table["can_tell"]]
    medians = listed([f"{group_name(row.group)} {months(row.median)}" for row in rows.itertuples()])
    differ = grouping.log_rank.p_value < 0.05
    text = f"By {grouping.factor}, the median months are {medians}; "
    text += "these curves differ" if differ else "a difference cannot be told from chance"
    text += f" (log-rank {_p(grouping.log_rank.p_value)})."
    if grouping.difference is not None:
        found, names = grouping.difference, [group_name(name) for name in rows["group"]]
        text += (
            f" Over the first {months(grouping.horizon)} months, projects of {names[1]} were open "
            f"{months(abs(found.estimate))} months {'longer' if found.estimate >= 0 else 'shorter'} on average than "
            f"those of {names[0]} (95% interval {_signed(found.low)} to {_signed(found.high)} months)."
        )
    if grouping.gray is not None:
        same = "differ" if grouping.gray.p_value < 0.05 else "are not told apart"
        text += f" The shares completed {same} (Gray's test {_p(grouping.gray.p_value)})."
    return text + _time_ratio(grouping.time_ratio) + _hazard(grouping.hazard_ratio)


def _time_ratio(found: Ratios | None) -> str:
    if found is None:
        return ""
    parts = [
        f"{ratio(row.ratio)} times as long in {group_name(row.group)} (95% interval {ratio(row.low)} to "
        f"{ratio(row.high)})"
        for row in found.table.itertuples()
    ]
    return f" Set against {group_name(str(found.reference))}, a project takes {listed(parts)}."


def _hazard(found: Ratios | None) -> str:
    """Only whether one ratio can tell the difference; the ratio itself is in the table."""
    if found is None or (found.table["proportional_p"] >= NOT_PROPORTIONAL).all():
        return ""
    return (
        " How the groups differ changes with time (proportional hazards do not hold), so look at the curves and not at "
        "a single ratio."
    )


def _too_small(grouping: Grouping) -> str:
    small = grouping.table.loc[~grouping.table["can_tell"]]
    parts = [f"{group_name(row.group)} ({counted(row)})" for row in small.itertuples()]
    without = ""
    if grouping.n_without:
        without = f" Of {count(grouping.n_without, 'project')} the {grouping.factor} is not known."
    if not parts:
        return without.strip()
    return (
        f"By {grouping.factor}, fewer than {FEWEST_PROJECTS} projects have ended in {listed(parts)}: no median is "
        f"given, and none is compared.{without}"
    )


def counted(row: Any) -> str:
    """How many projects of a group, and how many of them have ended."""
    return f"{row.ended} of {row.n} ended"


def group_name(name: str) -> str:
    """A group as a reader knows it."""
    return name.replace("_", " ")


def caption(groupings: Sequence[Grouping]) -> str:
    """Caption of the medians."""
    text = "Median duration of projects by group, with its 95% interval (log-log); at the right the median, and how "
    text += "many projects have ended."
    if any(not row.can_tell for grouping in groupings for row in grouping.table.itertuples()):
        text += f" A group with fewer than {FEWEST_PROJECTS} ended has no median."
    if any((grouping.table["high"] == float("inf")).any() for grouping in groupings):
        text += " An arrow: no upper limit."
    return text


def alt(groupings: Sequence[Grouping]) -> str:
    """Alternative text of the medians."""
    return f"Dots and bars of median durations by group. {' '.join(answer(groupings).sentences)}"


def _p(p_value: float) -> str:
    return "p under 0.001" if p_value < 0.001 else f"p = {p_value:.2g}" if p_value < 0.1 else f"p = {p_value:.2f}"


def _signed(x: float) -> str:
    return f"{x:+.1f}".replace("-", MINUS)
