"""The rows of a forest: a facility's change with its interval, and below them the average and one facility more."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.patches import Polygon
from matplotlib.ticker import FuncFormatter, MaxNLocator

from qieval.analyses.series import Indicator
from qieval.methods.pooling import Pooled
from qieval.present import numbers
from qieval.present.theme import BLACK, BLUE, GREY, VERMILION
from qieval.present.wording.interrupted.terms import limits


def facility_row(ax: Axes, y: float, row: pd.Series, indicator: Indicator, used: str, *, in_average: bool) -> None:
    """The change of a facility (``estimate``, ``low``, ``high``, ``weight``), in figures with `used` beside it.

    What lies beyond the axis becomes an arrow at its edge; the larger the square, the more it weighs; one that does not
    count in the average is hollow.
    """
    low, high = ax.get_xlim()
    ax.hlines(y, max(row["low"], low), min(row["high"], high), color=BLUE, linewidth=1.1, zorder=2)
    for end, edge, arrow in ((row["low"], low, "<"), (row["high"], high, ">")):
        if not low <= end <= high:
            ax.plot(edge, y, marker=arrow, color=BLUE, markersize=4, clip_on=False, zorder=3)
    if low <= row["estimate"] <= high:
        size = 3.2 + (1 if pd.isna(row["weight"]) else 14 * math.sqrt(row["weight"])) * 0.9
        fill = BLUE if in_average else "white"
        ax.plot(row["estimate"], y, marker="s", markeredgecolor=BLUE, markerfacecolor=fill, markersize=size, zorder=3)
    change = bare(numbers.change(row["estimate"], indicator))
    beside(ax, y, used, f"{change} ({bare(limits(row['low'], row['high'], indicator))})")


def average_rows(ax: Axes, y: float, pooled: Pooled, indicator: Indicator, *, is_refused: bool) -> None:
    """The average as a diamond, hollow where nothing is claimed from it; in the row below where one more may lie."""
    ax.axhline(y - 0.5, color=GREY, linewidth=0.6)
    corners = [(pooled.low, y), (pooled.estimate, y - 0.32), (pooled.high, y), (pooled.estimate, y + 0.32)]
    fill = "white" if is_refused else VERMILION
    ax.add_patch(Polygon(corners, closed=True, facecolor=fill, edgecolor=BLACK, linewidth=0.6, zorder=3))
    low, high = ax.get_xlim()
    within = [min(max(end, low), high) for end in (pooled.prediction_low, pooled.prediction_high)]
    ax.hlines(y + 1, within[0], within[1], color=BLACK, linewidth=1.6, zorder=3)
    for end, arrow in zip(within, ("<", ">"), strict=True):
        is_cut = end in (low, high)
        ax.plot(
            end, y + 1, marker=arrow if is_cut else "|", markersize=5 if is_cut else 6, color=BLACK,
            clip_on=not is_cut, zorder=3,
        )  # fmt: skip
    change = bare(numbers.change(pooled.estimate, indicator))
    beside(ax, y, "", f"{change} ({bare(limits(pooled.low, pooled.high, indicator))})")
    beside(ax, y + 1, "", f"({bare(limits(pooled.prediction_low, pooled.prediction_high, indicator))})")


def bare(points: str) -> str:
    """Without the word points, which the axis has."""
    return points.removesuffix("s").removesuffix(" point")


def beside(ax: Axes, y: float, first: str, second: str, *, colour: str = BLACK) -> None:
    """Two texts to the right of a row."""
    for x, text in ((14, first), (84, second)):
        if text:
            ax.annotate(
                text, (1, y), xycoords=("axes fraction", "data"), xytext=(x, 0), textcoords="offset points",
                va="center", fontsize=8.5, color=colour, annotation_clip=False,
            )  # fmt: skip


def change_ticks(axis: Axis, indicator: Indicator) -> None:
    """Round numbers with their sign, in percentage points where the indicator is a share."""
    scale = 100 if indicator.kind == "proportion" else 1
    axis.set_major_locator(MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(
        FuncFormatter(lambda x, _: f"{round(scale * x, 6):+g}".replace("-", numbers.MINUS) if abs(x) > 1e-9 else "0")
    )


def change_unit(indicator: Indicator) -> str:
    """In brackets, for an axis; empty if the indicator has none."""
    unit = "percentage points" if indicator.kind == "proportion" else numbers.unit(indicator)
    return f" ({unit})" if unit else ""


def better(indicator: Indicator) -> str:
    """Which way is better, for an axis."""
    return "more is better" if indicator.sign > 0 else "less is better"
