"""Median durations of groups of projects, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from qieval.analyses.duration_groups import Grouping
from qieval.present.charts.axes import month_counts, wrapped
from qieval.present.display import Figure
from qieval.present.numbers import DASH
from qieval.present.theme import BLACK, BLUE, GREY, drawing, finished
from qieval.present.wording import duration_groups as wording


def medians(groupings: Sequence[Grouping]) -> Figure | None:
    """A dot and a bar per group; a group too small for a median is named with its counts."""
    told = [grouping for grouping in groupings if grouping.n_can_tell]
    if not told:
        return None
    n_rows = sum(len(grouping.table) + 1 for grouping in told)
    ends = [x for one in told for x in one.table[["median", "high"]].to_numpy().ravel() if math.isfinite(x)]
    right = max([*ends, 1.0]) * 1.12
    with drawing(0.9 + 0.27 * n_rows) as figure:
        ax = figure.subplots()
        row, ticks, names = 0, [], []
        beside = [HEADS, *(_texts(group) for grouping in told for group in grouping.table.itertuples())]
        second = 20 + 4.7 * max(len(text) for text, _ in beside)  # points, so that the columns never touch
        _beside(ax, 0, HEADS, second, colour=GREY)
        for grouping in told:
            ax.annotate(
                wording.FACTORS[grouping.factor], (0, row), xycoords=("axes fraction", "data"), xytext=(4, 0),
                textcoords="offset points", va="center", color=GREY, fontsize=8.5, fontweight="bold",
            )  # fmt: skip
            row += 1
            for group in grouping.table.itertuples():
                ticks.append(row)
                name = wording.group_name(str(group.group))
                names.append(wrapped(name[:1].upper() + name[1:], 34))
                if group.can_tell:
                    end = group.high if math.isfinite(group.high) else right
                    ax.plot([group.low, end], [row, row], color=BLUE, linewidth=1.6)
                    if not math.isfinite(group.high):
                        ax.plot(right, row, marker=">", color=BLUE, markersize=5, clip_on=False)
                    if math.isfinite(group.median):
                        ax.plot(group.median, row, marker="o", color=BLUE, markersize=6)
                _beside(ax, row, _texts(group), second)
                row += 1
        ax.set_ylim(row - 0.5, -0.6)
        ax.set_xlim(0, right)
        ax.set_xticks(month_counts(right))
        ax.set_yticks(ticks, names, fontsize=8.5)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("Months from start to end")
        return finished(
            figure, name="durations_by_group", alt=wording.alt(groupings), caption=wording.caption(groupings)
        )


HEADS = ("Median (95% interval)", "Projects")


def _texts(group: Any) -> tuple[str, str]:
    """The median of a group with its interval, and how many have ended."""
    return wording.with_limits(group) if group.can_tell else DASH, wording.counted(group)


def _beside(ax: Axes, row: int, texts: tuple[str, str], second: float, *, colour: str = BLACK) -> None:
    """Two columns at the right of the axes, the second of them so many points away."""
    for text, points in zip(texts, (8, second), strict=True):
        ax.annotate(
            text, (1, row), xycoords=("axes fraction", "data"), xytext=(points, 0), textcoords="offset points",
            va="center", fontsize=8, color=colour, annotation_clip=False,
        )  # fmt: skip
