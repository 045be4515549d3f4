"""Interrupted time series: the line of all together beside where it was heading, and each facility's change."""

from __future__ import annotations

import math

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from qieval.analyses.interrupted import Interrupted
from qieval.analyses.interrupted_line import Line
from qieval.present import numbers
from qieval.present.charts.axes import labels_beside, month_axis, value_axis
from qieval.present.charts.forest import average_rows, bare, beside, better, change_ticks, change_unit, facility_row
from qieval.present.display import Figure, file_name
from qieval.present.theme import BLACK, BLUE, GREY, VERMILION, drawing, finished
from qieval.present.wording import interrupted as wording

NO_GAP = {"shrinkA": 0, "shrinkB": 0}  # a bracket reaches both lines


def line(result: Interrupted) -> Figure | None:
    """The facilities together, their fitted lines, and the line had nothing changed; None where there is none."""
    shown, indicator = result.line, result.indicator
    if shown is None or result.month is None:
        return None
    with drawing(4.3) as figure:
        ax = figure.subplots()
        ticks = _time_axis(ax, shown)
        value_axis(ax, indicator, highest=_highest(shown))
        _make_room(ax, shown)
        at = _positions(shown, shown.lines["since"])
        ax.fill_between(at, shown.lines["low"], shown.lines["high"], color=VERMILION, alpha=0.13, linewidth=0, zorder=1)
        after = (shown.lines["since"] >= 0).to_numpy()
        ax.plot(at[after], shown.lines["counterfactual"][after], color=VERMILION, linestyle=(0, (5, 3)), zorder=3)
        for part in (~after, after):
            ax.plot(at[part], shown.lines["fitted"][part], color=BLUE, linewidth=2, zorder=3)
        _dots(ax, shown)
        _joining(ax, shown)
        _warning(ax, shown)
        _bracket(ax, result, shown)
        _people_under(ax, shown, ticks)
        return finished(
            figure,
            name=f"its_{file_name(indicator.indicator_id)}",
            alt=wording.line_alt(result),
            caption=wording.line_caption(result),
        )


def forest(result: Interrupted) -> Figure | None:
    """One row per facility with its change and interval, the average below; None where no facility tells a change."""
    told = result.facilities.loc[result.facilities["estimate"].notna()]
    if result.month is None or told.empty:
        return None
    rows = _rows(told)
    n_below = 2 if result.pooled is not None else 0
    with drawing(1.25 + 0.235 * (len(rows) + n_below)) as figure:
        figure.get_layout_engine().set(w_pad=0.1)  # type: ignore[union-attr, call-arg]
        ax = figure.subplots()
        low, high = wording.shown_range(result)
        ax.set_xlim(low, high)
        ax.set_ylim(len(rows) + n_below - 0.4, -0.7)
        ax.axvline(0, color=GREY, linewidth=0.9, zorder=1)
        labels, bold = [], []
        for y, row in enumerate(rows):
            if isinstance(row, str):
                labels.append(row)
                bold.append(y)
                continue
            labels.append(f"{row['facility']}{' †' * bool(row['baseline_moving'])}{' ‡' * bool(row['beyond'])}")
            used = f"{row['n_before']:.0f} + {row['n_used']:.0f}"
            weighed = result.pooled is None or not pd.isna(row["weight"])
            facility_row(ax, y, row, result.indicator, used, in_average=weighed)
        if result.pooled is not None:
            labels += [
                f"Average of {result.pooled.k}{', no claim' if result.is_refused else ' facilities'}",
                "One more facility like these",
            ]
            average_rows(ax, len(rows), result.pooled, result.indicator, is_refused=result.is_refused)
        ax.set_yticks(range(len(labels)), labels, fontsize=8.5)
        for y in bold:
            ax.get_yticklabels()[y].set_color(GREY)
        ax.tick_params(axis="y", length=0, pad=9)
        ax.spines["left"].set_visible(False)
        beside(ax, -0.9, "Months used", "Change (95% interval)", colour=GREY)
        change_ticks(ax.xaxis, result.indicator)
        ax.set_xlabel(f"Change at month {result.month}{change_unit(result.indicator)}; {better(result.indicator)}")
        return finished(
            figure,
            name=f"forest_{file_name(result.indicator.indicator_id)}",
            alt=wording.forest_alt(result),
            caption=wording.forest_caption(result),
        )


# --- the line --------------------------------------------------------------------------------------


def _positions(shown: Line, since: pd.Series) -> np.ndarray:
    """Months since joining as places on the axis: themselves, or dates where all joined in one month."""
    if shown.start is None:
        return since.to_numpy(dtype=float)
    return np.array([mdates.date2num(shown.start + pd.DateOffset(months=int(k))) for k in since])


def _joining(ax: Axes, shown: Line) -> None:
    """A line half a month before the month of joining, with its name above the axes."""
    joined = float(_positions(shown, pd.Series([-1, 0])).mean())
    ax.axvline(joined, color=VERMILION, linewidth=1.2, linestyle=(0, (5, 3)), zorder=1)
    ax.text(
        joined, 1.015, "joined", transform=ax.get_xaxis_transform(), ha="center", va="bottom", color=VERMILION
    )  # fmt: skip


def _time_axis(ax: Axes, shown: Line) -> list[int]:
    """Label the months; returns those labelled, counted from joining."""
    first, last = int(shown.points["since"].iloc[0]), int(shown.points["since"].iloc[-1])
    if shown.start is not None:
        months = month_axis(ax, shown.points["period"].iloc[0], shown.points["period"].iloc[-1])
        return [(one.year - shown.start.year) * 12 + one.month - shown.start.month for one in months]
    step = next(step for step in (1, 2, 3, 6, 12) if (last - first) / step <= 12)
    ticks = [k for k in range(first, last + 1) if k % step == 0]
    ax.set_xlim(first - 0.7, last + 0.7)
    ax.set_xticks(ticks, [str(k).replace("-", numbers.MINUS) for k in ticks])
    ax.set_xlabel("Months since each facility joined", labelpad=22)
    return ticks


def _highest(shown: Line) -> float:
    lines = shown.lines[["fitted", "counterfactual"]].max().max()
    # A wide band may reach far beyond anything seen: it is cut off there.
    top = max(float(shown.points["value"].max()), float(lines))
    return max(top, min(float(shown.lines["high"].max()), 1.5 * top))


def _make_room(ax: Axes, shown: Line) -> None:
    """A trend carried on may pass 0, where no value can be: it is shown all the same."""
    low, high = ax.get_ylim()
    reach = shown.lines.loc[shown.lines["since"] >= 0, "counterfactual"]
    ax.set_ylim(min(low, 1.1 * float(reach.min())), max(high, float(reach.max()) * 1.05))


def _dots(ax: Axes, shown: Line) -> None:
    points, at = shown.points, _positions(shown, shown.points["since"])
    for used in (True, False):
        chosen = (points["used"] == used).to_numpy()
        ax.plot(
            at[chosen], points["value"][chosen], linestyle="none", marker="o", markersize=4.5, zorder=4,
            markeredgecolor=BLUE, markeredgewidth=0.9, markerfacecolor=BLUE if used else "white",
        )  # fmt: skip


def _warning(ax: Axes, shown: Line) -> None:
    text = "⚠ baseline already moving" if shown.baseline_moving else ""
    text = text or ("⚠ level only" if shown.model == "level" else "")
    if text:
        ax.text(0.01, 0.975, text, transform=ax.transAxes, ha="left", va="top", color=VERMILION, fontsize=9)


def _bracket(ax: Axes, result: Interrupted, shown: Line) -> None:
    """The change as a bracket at its month, and at the right its size and the names of the lines."""
    assert result.month is not None
    told = shown.headline
    (at,) = _positions(shown, pd.Series([result.month]))
    ax.annotate(
        "", (at, shown.fitted), xytext=(at, shown.counterfactual),
        arrowprops={"arrowstyle": "|-|,widthA=0.25,widthB=0.25", "color": BLACK, "linewidth": 1.3} | NO_GAP, zorder=5,
    )  # fmt: skip
    ends = shown.lines.iloc[-1]
    size = numbers.change(told["estimate"], result.indicator)
    interval = bare(wording.limits(told["low"], told["high"], result.indicator))
    middle = (shown.fitted + shown.counterfactual) / 2
    before = "Trend before,\ncarried on" if shown.model == "trend" else "Level before,\ncarried on"
    labels = [
        (float(ends["fitted"]), "Fitted", BLUE),
        (middle, f"Month {result.month}: {size}\n({interval})", BLACK),
        (float(ends["counterfactual"]), before, VERMILION),
    ]
    low, high = ax.get_ylim()
    labels_beside(ax, [(min(max(height, low), high), text, colour) for height, text, colour in labels], lines=3)


def _people_under(ax: Axes, shown: Line, ticks: list[int]) -> None:
    by_month = shown.points.set_index("since")["denominator"]
    offset = -34 if shown.start is not None else -20
    places = _positions(shown, pd.Series(ticks))
    texts = [(at, numbers.whole(by_month.get(k, math.nan))) for k, at in zip(ticks, places, strict=True)]
    ax.annotate(
        "n =", (0, 0), xycoords="axes fraction", xytext=(-14, offset), textcoords="offset points", ha="right", va="top",
        fontsize=8, color=GREY, annotation_clip=False,
    )  # fmt: skip
    for at, text in texts:
        ax.annotate(
            text, (at, 0), xycoords=("data", "axes fraction"), xytext=(0, offset), textcoords="offset points",
            ha="center", va="top", fontsize=8, color=GREY, annotation_clip=False,
        )  # fmt: skip


# --- the forest ------------------------------------------------------------------------------------


def _rows(told: pd.DataFrame) -> list[str | pd.Series]:
    """The facilities in their order, a heading before those that joined together where that makes groups."""
    starts = told["start"].drop_duplicates()
    rows: list[str | pd.Series] = []
    for start in starts:
        if 1 < len(starts) <= len(told) / 2:
            rows.append(f"Joined {numbers.month(start)}")
        rows += [row for _, row in told.loc[told["start"] == start].iterrows()]
    return rows
