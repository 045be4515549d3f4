"""The six statistics of every indicator on one strip, beside the published collaboratives."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine

from qieval.analyses.six_statistics import LEVELS, IndicatorStatistics, Name
from qieval.present import numbers
from qieval.present.charts.axes import wrapped
from qieval.present.display import Figure
from qieval.present.theme import BLACK, BLUE, GREY, SAND, VERMILION, drawing, finished
from qieval.present.wording import six_statistics as wording

Panel = tuple[Name, float | None]
PANELS: tuple[Panel, ...] = (
    ("baseline", None),
    ("level_reached", None),
    ("gain", None),
    ("share_kept", LEVELS[0]),
    ("share_reaching", LEVELS[0]),
    ("share_reaching", LEVELS[1]),
    ("months_to_reach", LEVELS[0]),
    ("months_to_reach", LEVELS[1]),
)
UNITS = {
    "baseline": "%", "level_reached": "%", "gain": "points, better to the right", "share_kept": "% of months",
    "share_reaching": "% of facilities", "months_to_reach": "months since joining",
}  # fmt: skip


def strip(results: Sequence[IndicatorStatistics]) -> Figure | None:
    """One small axis per statistic, an indicator a line; None where no indicator has statistics over facilities."""
    shown = [found for found in results if found.refused is None]
    panels = [panel for panel in PANELS if any(_row(found, panel) is not None for found in shown)]
    if not panels:
        return None
    names = [wrapped(found.indicator.name, 24) for found in shown]
    lines = max(name.count("\n") + 1 for name in names)
    row_inches = max(0.3, 0.145 * lines + 0.06)
    rows = math.ceil(len(panels) / 2)
    with drawing(rows * (0.92 + row_inches * len(shown)) + 0.4) as figure:
        engine = figure.get_layout_engine()
        assert isinstance(engine, ConstrainedLayoutEngine)
        engine.set(rect=(0, 0, 0.985, 1))  # letters are a little wider at the resolution of the finished picture
        axes = figure.subplots(rows, 2, squeeze=False)
        for place, ax in enumerate(axes.flat):
            if place >= len(panels):
                ax.set_axis_off()
                continue
            _panel(ax, panels[place], shown)
            ax.set_ylim(len(shown) - 0.4, -0.6)
            ax.set_yticks(range(len(shown)), names if place % 2 == 0 else [""] * len(shown))
        figure.supxlabel(wording.strip_key(shown), fontsize=8)
        return finished(
            figure, name="six_statistics", alt=wording.strip_alt(results), caption=wording.strip_caption(shown)
        )


def _row(found: IndicatorStatistics, panel: Panel) -> pd.Series | None:
    """The statistic of one indicator that belongs on this axis: its target stands where others have 80%."""
    statistic, level = panel
    if level is None:
        return found.row(statistic) if found.indicator.kind == "proportion" else None
    if wording.is_shared_level(found):
        return found.row(statistic, level)
    return found.row(statistic, found.levels[0]) if level == LEVELS[0] and found.levels else None


def _panel(ax: Axes, panel: Panel, shown: list[IndicatorStatistics]) -> None:
    statistic, level = panel
    scale = 1 if statistic == "months_to_reach" else 100
    low, high = _limits(panel, shown)
    ax.set_xlim(low, high)
    if scale == 100:
        ax.set_xticks([tick for tick in range(-100, 101, 25) if low <= tick])
    own_target = level is not None and not any(wording.is_shared_level(found) for found in shown)
    if not own_target:
        _published(ax, panel, scale)
    for place, found in enumerate(shown):
        row = _row(found, panel)
        ax.axhline(place, color=GREY, linewidth=0.4, alpha=0.35, zorder=0)
        if row is None:
            _instead(ax, place, "see the table" if level is None else "–")
        elif row["lacking"] is not None:
            _instead(ax, place, wording.lacking_short(row))
        else:
            mark = "s" if level is not None and not wording.is_shared_level(found) else "o"
            ax.plot([row["low"] * scale, row["high"] * scale], [place, place], color=BLUE, linewidth=2, zorder=3)
            ax.plot(row["estimate"] * scale, place, mark, color=BLUE, markersize=6, zorder=4)
            ax.plot(row["by_chance"] * scale, place, "|", color=BLACK, markersize=11, markeredgewidth=1.6)
            _beside(ax, place, row, statistic)
        if row is not None and not math.isnan(row["together"]):
            ax.plot(
                row["together"] * scale, place + 0.24, "D", markerfacecolor="none", markeredgecolor=BLACK,
                markersize=4.5, markeredgewidth=1.1, zorder=5, clip_on=False,
            )  # fmt: skip
    title = wording.statistic_words(statistic, None if own_target else level)
    if level == LEVELS[0] and not own_target and any(not wording.is_shared_level(found) for found in shown):
        title += " or target"
    ax.set_title(title, loc="left", fontsize=9, fontweight="bold", pad=15)
    ax.text(
        0, 1, "" if own_target else wording.published_words(statistic, level), transform=ax.transAxes,
        fontsize=7.5, color=VERMILION, va="bottom", ha="left",
    )  # fmt: skip
    ax.set_xlabel(UNITS[statistic], fontsize=8, labelpad=2)
    ax.tick_params(axis="x", labelsize=8)
    ax.tick_params(axis="y", length=0, labelsize=8)
    ax.spines["left"].set_visible(False)


def _limits(panel: Panel, shown: list[IndicatorStatistics]) -> tuple[float, float]:
    statistic, level = panel
    rows = [row for found in shown if (row := _row(found, panel)) is not None]
    columns = ["low", "high", "estimate", "together", "by_chance"]
    known = [float(x) for row in rows for x in row[columns] if not math.isnan(x)]
    if statistic == "months_to_reach":
        printed = wording.published(statistic, level)
        highest = max([*known, printed.value + (printed.spread or 0) if printed else 12.0])
        return -0.02 * highest, 1.05 * highest
    lowest = min([0.0, *known]) if statistic == "gain" else 0.0
    return 100 * lowest - 2, 102


def _published(ax: Axes, panel: Panel, scale: float) -> None:
    """The published mean as a line, its spread as a band; nothing where nothing is printed."""
    known = wording.published(*panel)
    if known is None:
        return
    if known.spread is not None:
        left, right = ax.get_xlim()
        band = np.clip([(known.value - known.spread) * scale, (known.value + known.spread) * scale], left, right)
        ax.axvspan(*band, color=SAND, alpha=0.7, linewidth=0, zorder=-1)
    ax.axvline(known.value * scale, color=VERMILION, linewidth=1.4, linestyle=(0, (5, 2)), zorder=1)


def _instead(ax: Axes, place: int, text: str) -> None:
    ax.annotate(text, (1, place), xycoords=("axes fraction", "data"), xytext=(5, 0), textcoords="offset points",
                va="center", fontsize=7.5, color=GREY, annotation_clip=False)  # fmt: skip


def _beside(ax: Axes, place: int, row: pd.Series, statistic: Name) -> None:
    """The number and how many facilities it is of, at the right of the axis."""
    x = row["estimate"]
    text = numbers.months(x) if statistic == "months_to_reach" else numbers.percent(x)
    if statistic == "gain":
        text = text.rstrip("%")
    ax.annotate(f"{text}  n={row['n']}", (1, place), xycoords=("axes fraction", "data"), xytext=(5, 0),
                textcoords="offset points", va="center", fontsize=8, annotation_clip=False)  # fmt: skip
