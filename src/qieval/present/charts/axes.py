"""What several figures share: an axis of months, labels beside the lines, bands for phases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from qieval.analyses.series import Indicator
from qieval.methods.survival import KaplanMeier
from qieval.present import numbers
from qieval.present.theme import BAND, GREY, spread


def month_ticks(first: pd.Timestamp, last: pd.Timestamp, most: int = 13) -> pd.DatetimeIndex:
    """Months to label: every one, or every second, third, sixth or twelfth, counted from January."""
    span = pd.date_range(first, last, freq="MS")
    for step in (1, 2, 3, 6, 12):
        ticks = span[(span.month - 1) % step == 0]
        if len(ticks) <= most:
            break
    return ticks if len(ticks) > 1 else span[:: max(1, len(span) // most)]


def month_counts(last: float) -> list[int]:
    """Numbers of months to label from 0 to `last`: every one, or every second, third, sixth ..., a dozen at most."""
    step = next(step for step in (1, 2, 3, 6, 12, 24) if last / step <= 12 or step == 24)
    return list(range(0, int(last + 0.1) + 1, step))


def month_axis(ax: Axes, first: pd.Timestamp, last: pd.Timestamp, most: int = 13) -> pd.DatetimeIndex:
    """Label the x axis with months, the year under the first and under each January."""
    ticks = month_ticks(first, last, most)
    labels = [f"{tick:%b}\n{tick:%Y}" if tick.month == 1 or i == 0 else f"{tick:%b}" for i, tick in enumerate(ticks)]
    if len(ticks) > 1 and ticks[0].month == 12 and ticks[1].month == 1:
        labels[0] = f"{ticks[0]:%b}"  # two years side by side would run into each other
    margin = pd.Timedelta(days=20)
    ax.set_xlim(mdates.date2num(first - margin), mdates.date2num(last + margin))
    ax.set_xticks(mdates.date2num(ticks), labels)
    return ticks


def value_axis(ax: Axes, indicator: Indicator, *, highest: float, label: bool = True) -> None:
    """Label the y axis with the indicator and its unit.

    Proportions are drawn as per cent from 0 to 100, anything else from 0 to a little above the highest value.
    """
    if indicator.kind == "proportion":
        ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f}"))
        ax.set_ylim(-0.02, 1.04)
        ax.set_yticks(np.linspace(0, 1, 6))
    else:
        ax.set_ylim(0, highest * 1.1 if highest > 0 else 1)
    if label:
        ax.set_ylabel(wrapped(numbers.axis_label(indicator), 38))


def phase_bands(ax: Axes, phases: Mapping[str, tuple[pd.Timestamp, pd.Timestamp]]) -> None:
    """Shade every second phase and write the names above the axes, where there is room for them."""
    first, last = ax.get_xlim()
    for position, (name, (start, end)) in enumerate(sorted(phases.items(), key=lambda phase: phase[1])):
        left = max(mdates.date2num(start), first)
        right = min(mdates.date2num(end + pd.Timedelta(days=1)), last)
        if left >= right:
            continue
        if position % 2:
            ax.axvspan(left, right, color=BAND, zorder=0, linewidth=0)
        text = name.replace("_", " ").capitalize()
        room = int((right - left) / (last - first) * 70)  # characters, near enough
        if max(map(len, text.split())) <= room:
            text = wrapped(text, room)
            ax.annotate(
                text, ((left + right) / 2, 1), xycoords=ax.get_xaxis_transform(), xytext=(0, 4),
                textcoords="offset points", ha="center", va="bottom", color=GREY, annotation_clip=False,
            )  # fmt: skip


def labels_beside(ax: Axes, labels: Sequence[tuple[float, str, str]], *, lines: int = 2) -> None:
    """Write a label at the right of the axes at each height, moved apart where they would touch.

    `labels` holds the height in data units, the text and the colour of each.
    """
    low, high = ax.get_ylim()
    figure = ax.get_figure(root=True)
    assert figure is not None
    inches = figure.get_figheight() * 0.75  # near enough to the height the axes will have
    gap = (0.165 * lines) / inches * (high - low)
    for (_, text, colour), height in zip(labels, spread([height for height, _, _ in labels], gap), strict=True):
        ax.annotate(
            text,
            (1, height),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            annotation_clip=False,
            linespacing=1.05,
        )


def mark_events(ax: Axes, events: pd.DataFrame) -> None:
    """A letter at the foot of the axes for each event, with a thin line up."""
    level = 0.045
    previous = -math.inf
    width = ax.get_xlim()[1] - ax.get_xlim()[0]
    for letter, day in zip(events["letter"], events["held_on"], strict=True):
        position = mdates.date2num(day)
        # Events a few days apart would print one letter on another: the second moves up.
        level = level + 0.085 if position - previous < 0.035 * width else 0.045
        previous = position
        ax.axvline(position, color=GREY, linewidth=0.5, alpha=0.6, zorder=1)
        ax.text(
            position,
            level,
            letter,
            transform=ax.get_xaxis_transform(),
            ha="center",
            va="center",
            fontsize=8,
            zorder=4,
            bbox={"boxstyle": "circle,pad=0.22", "facecolor": "white", "edgecolor": GREY, "linewidth": 0.8},
        )


def rows_under(ax: Axes, points: pd.DataFrame, ticks: pd.DatetimeIndex) -> None:
    """N under each labelled month, and how many facilities reported where that changes."""
    rows = [("n =", "denominator")] if "denominator" in points else []
    if "facilities" in points and points["facilities"].min() < points["facilities"].max():
        rows.append(("facilities =", "facilities"))
    by_period = points.set_index("period")
    for line, (title, column) in enumerate(rows):
        offset = -34 - 12 * line
        shown = [tick for tick in ticks if tick in by_period.index]
        cells = [(float(mdates.date2num(tick)), numbers.whole(by_period.loc[tick, column])) for tick in shown]
        row_under(ax, title, cells, offset=offset)


def row_under(ax: Axes, title: str, cells: Sequence[tuple[float, str]], *, offset: int) -> None:
    """A row of small texts below the axes, each at its place, with a title to its left; `offset` in points."""
    ax.annotate(
        title, (0, 0), xycoords="axes fraction", xytext=(-14, offset), textcoords="offset points",
        ha="right", va="top", fontsize=8, color=GREY, annotation_clip=False,
    )  # fmt: skip
    for position, text in cells:
        ax.annotate(
            text, (position, 0), xycoords=("data", "axes fraction"), xytext=(0, offset),
            textcoords="offset points", ha="center", va="top", fontsize=8, color=GREY, annotation_clip=False,
        )  # fmt: skip


def open_under(ax: Axes, curve: KaplanMeier, ticks: Sequence[int], title: str) -> None:
    """How many were still followed at each labelled month, under a title."""
    ax.annotate(
        title, (0, 0), xycoords="axes fraction", xytext=(0, -42), textcoords="offset points", va="top", color=GREY,
        annotation_clip=False,
    )  # fmt: skip
    steps = curve.curve
    for tick in ticks:
        later = steps.loc[steps["time"] >= tick]
        still_open = int(later["at_risk"].iloc[0]) if len(later) else 0
        ax.annotate(
            f"{still_open}", (tick, 0), xycoords=("data", "axes fraction"), xytext=(0, -57),
            textcoords="offset points", ha="center", va="top", annotation_clip=False,
        )  # fmt: skip


def wrapped(text: str, width: int) -> str:
    """Text broken into lines of about so many characters."""
    import textwrap

    return "\n".join(textwrap.wrap(text, width)) or text
