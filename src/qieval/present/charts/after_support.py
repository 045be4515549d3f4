"""Care after support ended: the average by month, and each facility's change."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from matplotlib.ticker import FuncFormatter, MaxNLocator

from qieval.analyses.after_support import AfterSupport
from qieval.analyses.series import Indicator
from qieval.present import numbers
from qieval.present.charts.axes import labels_beside, row_under, wrapped
from qieval.present.display import Figure, file_name
from qieval.present.theme import BAND, BLACK, BLUE, GREY, VERMILION, drawing, finished
from qieval.present.wording import after_support as wording
from qieval.present.wording.interrupted.terms import limits


def path(result: AfterSupport) -> Figure | None:
    """How far facilities stood, on average, from what they held, month by month; None without an average."""
    if result.pooled is None or result.is_refused or result.month is None:
        return None
    line, dots = result.path, result.dots if result.held == "level" else result.dots.iloc[:0]
    first = int(dots["month"].min()) if len(dots) else -2
    with drawing(3.6) as figure:
        ax = figure.subplots()
        ax.axvspan(first - 1, 0.5, color=BAND, linewidth=0, zorder=0)
        ax.axhline(0, color=VERMILION, linestyle=(0, (5, 3)), linewidth=1.2, zorder=2)
        ax.fill_between(line["month"], line["low"], line["high"], color=BLUE, alpha=0.16, linewidth=0, zorder=1)
        ax.plot(line["month"], line["estimate"], color=BLUE, linewidth=2, zorder=3)
        ax.plot(dots["month"], dots["estimate"], "o", color=BLUE, markersize=4.2, zorder=4)
        ax.set_xlim(first - 0.8, result.month + 0.6)
        ends = [*line["low"], *line["high"], *dots["estimate"], 0.0]
        margin = 0.06 * (max(ends) - min(ends))
        ax.set_ylim(min(ends) - margin, max(ends) + margin)
        ticks = [k for k in range(first, result.month + 1) if k % (3 if result.month - first > 8 else 1) == 0]
        ax.set_xticks(ticks, [str(k).replace("-", numbers.MINUS) for k in ticks])
        ax.text(
            0.5, 1.015, "support ended", transform=ax.get_xaxis_transform(), ha="center", va="bottom", color=VERMILION
        )  # fmt: skip
        ax.axvline(0.5, color=VERMILION, linewidth=1.1, linestyle=(0, (5, 3)), zorder=1)
        _change_ticks(ax.yaxis, result.indicator)
        held = "level held" if result.held == "level" else "trend in support"
        ax.set_ylabel(wrapped(f"Change from the {held}{_unit(result.indicator)}", 34))
        ax.set_xlabel("Months since support ended", labelpad=16 if len(dots) else 4)
        if len(dots):
            by_month = dots.set_index("month")["facilities"]
            row_under(
                ax, "facilities =", [(k, f"{by_month[k]}") for k in ticks if k in by_month.index], offset=-19
            )  # fmt: skip
        pooled = result.pooled
        told = numbers.change(pooled.estimate, result.indicator)
        interval = _bare(limits(pooled.low, pooled.high, result.indicator))
        carried = "Level held,\ncarried on" if result.held == "level" else "Trend before,\ncarried on"
        labels_beside(
            ax,
            [
                (float(line["estimate"].iloc[-1]), f"Month {result.month}: {told}\n({interval})", BLUE),
                (0.0, carried, VERMILION),
            ],
        )
        return finished(
            figure,
            name=f"after_support_{file_name(result.indicator.indicator_id)}",
            alt=wording.path_alt(result),
            caption=wording.path_caption(result),
        )


def forest(result: AfterSupport) -> Figure | None:
    """One row per facility with its change and interval, the average below; None where no facility tells a change."""
    told = result.facilities.loc[result.facilities["estimate"].notna()].reset_index(drop=True)
    if told.empty:
        return None
    pooled = result.pooled
    n_below = 2 if pooled is not None else 0
    with drawing(1.25 + 0.235 * (len(told) + n_below)) as figure:
        figure.get_layout_engine().set(w_pad=0.1)  # type: ignore[union-attr, call-arg]
        ax = figure.subplots()
        ax.set_xlim(*wording.shown_range(result))
        ax.set_ylim(len(told) + n_below - 0.4, -0.7)
        ax.axvline(0, color=GREY, linewidth=0.9, zorder=1)
        labels = [f"{row['facility']}{' ‡' * bool(row['beyond'])}" for _, row in told.iterrows()]
        for y, row in told.iterrows():
            _interval(ax, int(str(y)), row)
            interval = _bare(limits(row["low"], row["high"], result.indicator))
            change = _bare(numbers.change(row["estimate"], result.indicator))
            _beside(ax, int(str(y)), f"{row['n_before']} + {row['n_after']}", f"{change} ({interval})")
        if pooled is not None:
            labels += [
                f"Average of {pooled.k}{', no claim' if result.is_refused else ' facilities'}",
                "One more facility like these",
            ]
            _average(ax, len(told), result)
        ax.set_yticks(range(len(labels)), labels, fontsize=8.5)
        ax.tick_params(axis="y", length=0, pad=9)
        ax.spines["left"].set_visible(False)
        _beside(ax, -0.9, "Months used", "Change (95% interval)", colour=GREY)
        _change_ticks(ax.xaxis, result.indicator)
        better = "more is better" if result.indicator.sign > 0 else "less is better"
        ax.set_xlabel(f"Change at month {result.month} after support{_unit(result.indicator)}; {better}")
        return finished(
            figure,
            name=f"after_support_forest_{file_name(result.indicator.indicator_id)}",
            alt=wording.forest_alt(result),
            caption=wording.forest_caption(result),
        )


def _interval(ax: Axes, y: int, row: pd.Series) -> None:
    low, high = ax.get_xlim()
    ax.hlines(y, max(row["low"], low), min(row["high"], high), color=BLUE, linewidth=1.1, zorder=2)
    for end, edge, arrow in ((row["low"], low, "<"), (row["high"], high, ">")):
        if not low <= end <= high:
            ax.plot(edge, y, marker=arrow, color=BLUE, markersize=4, clip_on=False, zorder=3)
    weighed = not pd.isna(row["weight"])
    size = 3.2 + (14 * math.sqrt(row["weight"]) if weighed else 1) * 0.9
    ax.plot(row["estimate"], y, marker="s", color=BLUE, zorder=3, markersize=size)


def _average(ax: Axes, y: int, result: AfterSupport) -> None:
    pooled = result.pooled
    assert pooled is not None
    ax.axhline(y - 0.5, color=GREY, linewidth=0.6)
    corners = [(pooled.low, y), (pooled.estimate, y - 0.32), (pooled.high, y), (pooled.estimate, y + 0.32)]
    fill = "white" if result.is_refused else VERMILION
    ax.add_patch(Polygon(corners, closed=True, facecolor=fill, edgecolor=BLACK, linewidth=0.6, zorder=3))
    low, high = ax.get_xlim()
    within = [min(max(end, low), high) for end in (pooled.prediction_low, pooled.prediction_high)]
    ax.hlines(y + 1, within[0], within[1], color=BLACK, linewidth=1.6, zorder=3)
    for end, mark in zip(within, ("<", ">"), strict=True):
        ax.plot(end, y + 1, marker=mark if end in (low, high) else "|", color=BLACK, clip_on=False, zorder=3)
    indicator = result.indicator
    change = _bare(numbers.change(pooled.estimate, indicator))
    _beside(ax, y, "", f"{change} ({_bare(limits(pooled.low, pooled.high, indicator))})")
    between = _bare(limits(pooled.prediction_low, pooled.prediction_high, indicator))
    _beside(ax, y + 1, "", f"({between})")


def _bare(points: str) -> str:
    """Without the word points, which the axis has."""
    return points.removesuffix("s").removesuffix(" point")


def _beside(ax: Axes, y: float, first: str, second: str, *, colour: str = BLACK) -> None:
    for x, text in ((14, first), (84, second)):
        if text:
            ax.annotate(
                text, (1, y), xycoords=("axes fraction", "data"), xytext=(x, 0), textcoords="offset points",
                va="center", fontsize=8.5, color=colour, annotation_clip=False,
            )  # fmt: skip


def _change_ticks(axis: object, indicator: Indicator) -> None:
    scale = 100 if indicator.kind == "proportion" else 1
    axis.set_major_locator(MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]))  # type: ignore[attr-defined]
    axis.set_major_formatter(  # type: ignore[attr-defined]
        FuncFormatter(lambda x, _: f"{round(scale * x, 6):+g}".replace("-", numbers.MINUS) if abs(x) > 1e-9 else "0")
    )


def _unit(indicator: Indicator) -> str:
    unit = "percentage points" if indicator.kind == "proportion" else numbers.unit(indicator)
    return f" ({unit})" if unit else ""
