"""Control charts, funnels, and the table of verdicts as symbols."""

from __future__ import annotations

import math
from collections.abc import Callable

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Polygon
from matplotlib.ticker import StrMethodFormatter

from qieval.analyses.control_charts import ControlChart, ControlCharts, FacilityFunnel
from qieval.analyses.effectiveness import Effectiveness
from qieval.present import numbers
from qieval.present.charts.axes import (
    labels_beside,
    mark_events,
    month_axis,
    phase_bands,
    rows_under,
    value_axis,
    wrapped,
)
from qieval.present.display import Figure, file_name
from qieval.present.theme import BLACK, BLUE, GREY, SKY, VERMILION, drawing, finished, spread
from qieval.present.wording import control as wording
from qieval.present.wording.effectiveness import lettered


def control_chart(chart: ControlChart, whole: Effectiveness) -> Figure:
    """The control chart of all facilities together: centre, limits as steps, months that signal marked."""
    indicator, points = chart.indicator, chart.points
    with drawing(3.7) as figure:
        ax = figure.subplots()
        ticks = month_axis(ax, points["period"].min(), points["period"].max())
        edges = _edges(points["period"])
        for low, high, alpha in (("lcl", "ucl", 0.10), ("lcl_2", "ucl_2", 0.10)):
            ax.fill_between(
                edges, _stepped(points[low]), _stepped(points[high]), step="post", color=BLUE, alpha=alpha, linewidth=0
            )
        for name in ("lcl", "ucl"):
            ax.step(edges, _stepped(points[name]), where="post", color=GREY, linewidth=0.9)
        last_line = points.loc[points["in_baseline"], "period"].max()
        for part, dashes in ((points["period"] <= last_line, "solid"), (points["period"] >= last_line, (0, (5, 3)))):
            ax.plot(points.loc[part, "period"], points.loc[part, "centre"], color=VERMILION, linestyle=dashes)
        ax.plot(points["period"], points["value"], color=BLUE, zorder=3)
        beyond = points["outside"] & ~points["excluded"]
        in_run = points["rules"].astype(str).str.contains("long run") & ~beyond
        marks = ((~beyond & ~in_run, "o", BLUE, 4.0), (in_run, "s", BLACK, 4.0), (beyond, "D", BLACK, 5.0))
        for marked, marker, colour, size in marks:
            shown = points.loc[marked]
            ax.plot(shown["period"], shown["value"], marker, color=colour, markersize=size, markeredgewidth=0, zorder=4)
        target = indicator.target
        drawn = [*points[["value", "ucl"]].to_numpy().ravel(), math.nan if target is None else target]
        value_axis(ax, indicator, highest=float(np.nanmax(drawn)))
        end = points.iloc[-1]
        labels = [(chart.centre, f"{wording.centre_name(chart)}\n{numbers.value(chart.centre, indicator)}", VERMILION)]
        for name, words in (("ucl", "Upper limit"), ("lcl", "Lower limit")):
            if not math.isnan(end[name]):
                labels.append((float(end[name]), f"{words}\n{numbers.value(float(end[name]), indicator)}", GREY))
        if target is not None:
            ax.axhline(target, color=GREY, linestyle=":", linewidth=1.2)
            labels.append((target, f"Target {numbers.value(target, indicator)}", GREY))
        labels_beside(ax, labels)
        phase_bands(ax, whole.phases)
        mark_events(ax, lettered(whole.events, points))
        rows_under(ax, points.rename(columns={"n": "denominator"}), ticks)
        return finished(
            figure,
            name=f"control_chart_{file_name(indicator.indicator_id)}",
            alt=wording.control_chart_alt(chart),
            caption=wording.control_chart_caption(chart, whole),
        )


def _edges(period: pd.Series) -> np.ndarray:
    """The middle between months, with half a month before the first and after the last: where limits step."""
    days = mdates.date2num(period)
    half = np.diff(days) / 2 if len(days) > 1 else np.array([15.0])
    return np.concatenate([[days[0] - half[0]], days[:-1] + half if len(days) > 1 else [], [days[-1] + half[-1]]])


def _stepped(limit: pd.Series) -> np.ndarray:
    return np.append(limit.to_numpy(), limit.iloc[-1])


def funnel_plot(compared: FacilityFunnel) -> Figure:
    """Facilities by how many people they saw, between the limits of chance; those outside are named."""
    found, indicator = compared.funnel, compared.indicator
    units, curve = found.units[found.units["value"].notna()], found.curve
    with drawing(4.2) as figure:
        ax = figure.subplots()
        people = curve["denominator"]
        for level, style in (("95", (0, (4, 2))), ("99.8", "solid")):
            for side in ("lower", "upper"):
                ax.plot(people, curve[f"{side}_{level}"] * indicator.per, color=GREY, linewidth=1, linestyle=style)
        if compared.is_widened:
            for side in ("lower", "upper"):
                limit = curve[f"unadjusted_{side}_99.8"] * indicator.per
                ax.plot(people, limit, color=SKY, linewidth=0.9, linestyle=":")
        ax.axhline(found.target * indicator.per, color=VERMILION, linewidth=1.2)
        side = compared.side
        for where, marker, colour, size in (("", "o", BLUE, 4.5), ("above", "^", BLACK, 6), ("below", "v", BLACK, 6)):
            own = units[side == where]
            ax.plot(
                own["denominator"], own["value"] * indicator.per, marker, color=colour, markersize=size,
                markeredgewidth=0, zorder=3,
            )  # fmt: skip
        highest = max(units["value"].max(), curve["upper_99.8"].quantile(0.9)) * indicator.per
        value_axis(ax, indicator, highest=float(highest))
        ax.set_xlim(0, units["denominator"].max() * 1.04)
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        ax.set_xlabel(wording.people_axis(indicator))
        outside = units[side != ""]
        _named(ax, outside["denominator"], outside["value"] * indicator.per, outside["unit"])
        labels = [
            (
                found.target * indicator.per,
                f"All {numbers.value(found.target * indicator.per, indicator)}",
                VERMILION,
            ),
            (float(curve["upper_99.8"].iloc[-1]) * indicator.per, "99.8%", GREY),
            (float(curve["lower_99.8"].iloc[-1]) * indicator.per, "99.8%", GREY),
            (float(curve["upper_95"].iloc[-1]) * indicator.per, "95%", GREY),
            (float(curve["lower_95"].iloc[-1]) * indicator.per, "95%", GREY),
        ]
        if compared.is_widened:
            labels += [
                (float(curve[f"unadjusted_{edge}_99.8"].iloc[-1]) * indicator.per, "chance alone", BLUE)
                for edge in ("lower", "upper")
            ]  # fmt: skip
        labels_beside(ax, labels, lines=1)
        return finished(
            figure,
            name=f"funnel_{file_name(indicator.indicator_id)}",
            alt=wording.funnel_alt(compared),
            caption=wording.funnel_caption(compared),
        )


def _named(ax: Axes, x: pd.Series, y: pd.Series, names: pd.Series) -> None:
    """Names beside their points, on the side with more room, moved apart where they would touch."""
    low, high = ax.get_ylim()
    left, right = ax.get_xlim()
    heights = spread(list(y), (high - low) * 0.05)
    for across, up, height, name in zip(x, y, heights, names, strict=True):
        is_right = across > (left + right) * 0.62
        ax.annotate(
            wrapped(str(name), 30), (across, up), xytext=(-9 if is_right else 9, 0), textcoords="offset points",
            ha="right" if is_right else "left", va="center", fontsize=8, color=BLACK, zorder=5,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8},
        ).xyann = (-9 if is_right else 9, (height - up) / (high - low) * 230)  # fmt: skip


def verdict_table(charts: ControlCharts) -> Figure | None:
    """One page of symbols: for every facility and indicator, is it improving, and will it hit the target?"""
    verdicts = charts.verdicts
    if verdicts.empty:
        return None
    facilities = list(dict.fromkeys(verdicts["facility"]))
    columns = list(charts.indicators)
    by_cell = {(row["facility"], row["indicator_id"]): row for row in verdicts.to_dict(orient="records")}
    latest = verdicts["last"].max()
    widest = max(map(len, facilities))
    name_width, cell_width, row_height = 0.085 * widest + 0.2, 1.45, 0.3
    width = max(7.6, name_width + cell_width * len(columns) + 0.1)
    cell_width = (width - name_width - 0.1) / len(columns)
    head = 0.2 + 0.17 * max(wrapped(i.name, int(cell_width * 9.5)).count("\n") + 1 for i in columns)
    height = head + row_height * len(facilities) + 0.75
    with drawing(height, width=width) as figure:
        figure.set_layout_engine("none")
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
        ax.set_axis_off()
        for column, indicator in enumerate(columns):
            left = name_width + column * cell_width
            title = wrapped(indicator.name, int(cell_width * 9.5))
            ax.text(left + 0.05, head - 0.08, title, va="bottom", fontsize=8.5, color=BLACK, linespacing=1.1)
            for row, facility in enumerate(facilities):
                cell = by_cell.get((facility, indicator.indicator_id))
                middle = head + (row + 0.5) * row_height
                if cell is None:
                    ax.text(left + 0.2, middle, numbers.DASH, va="center", ha="center", color=GREY)
                    continue
                VARIATION[cell["variation"]](ax, left + 0.2, middle, cell["direction"])
                ASSURANCE[cell["assurance"]](ax, left + 0.52, middle)
                text = numbers.value(cell["value"], indicator)
                if cell["last"] < latest:  # an older month than the others' last is named
                    ax.text(left + 1.16, middle, f"{cell['last']:%b %y}", va="center", fontsize=6.5, color=GREY)
                ax.text(left + 0.75, middle, text, va="center", fontsize=8.5, color=BLACK)
        for row, facility in enumerate(facilities):
            top = head + row * row_height
            ax.plot([0.05, width - 0.05], [top, top], color="#d9d9d9", linewidth=0.6)
            ax.text(0.08, top + row_height / 2, facility, va="center", fontsize=8.5, color=BLACK)
        _key(ax, head + row_height * len(facilities) + 0.2)
        return finished(
            figure, name="verdicts", alt=wording.verdicts_alt(charts), caption=wording.verdicts_caption(charts)
        )


def _key(ax: Axes, top: float) -> None:
    """What the symbols mean, in two lines."""
    at = 0.2
    for word, draw in VARIATION.items():
        if word in ("changed", "no limits", "too rare"):
            continue
        draw(ax, at, top, "high")
        words = wording.KEY.get(word, wording.VARIATION_WORDS[word])
        ax.text(at + 0.18, top, words, va="center", fontsize=8, color=BLACK)
        at += 0.18 + 0.078 * len(words) + 0.3
    at = 0.2
    for word, draw_assurance in ASSURANCE.items():
        if draw_assurance is _nothing:
            continue
        draw_assurance(ax, at, top + 0.3)
        ax.text(at + 0.18, top + 0.3, wording.ASSURANCE_WORDS[word], va="center", fontsize=8, color=BLACK)
        at += 0.18 + 0.078 * len(wording.ASSURANCE_WORDS[word]) + 0.3


SIZE = 0.095  # inches, half the height of a symbol


def _triangle(colour: str) -> Callable[[Axes, float, float, str], None]:
    """A triangle that points up for high values and down for low ones."""

    def draw(ax: Axes, x: float, y: float, direction: str) -> None:
        tip = -1 if direction == "high" else 1
        corners = [(x - SIZE, y - tip * SIZE * 0.8), (x + SIZE, y - tip * SIZE * 0.8), (x, y + tip * SIZE)]
        ax.add_patch(Polygon(corners, facecolor=colour, edgecolor=BLACK, linewidth=0.5))

    return draw


def _warning(ax: Axes, x: float, y: float, direction: str) -> None:
    """A concern is a square with an exclamation mark: told from an improvement without any colour."""
    corners = [(x - SIZE, y - SIZE), (x + SIZE, y - SIZE), (x + SIZE, y + SIZE), (x - SIZE, y + SIZE)]
    ax.add_patch(Polygon(corners, facecolor=VERMILION, edgecolor=BLACK, linewidth=0.5))
    ax.text(x, y + 0.005, "!", ha="center", va="center", fontsize=9, fontweight="bold", color="white")


def _quiet(ax: Axes, x: float, y: float, direction: str) -> None:
    ax.add_patch(Circle((x, y), SIZE * 0.55, facecolor="#bdbdbd", edgecolor="none"))


def _unknown(ax: Axes, x: float, y: float, direction: str = "") -> None:
    ax.text(x, y, "?", ha="center", va="center", fontsize=9, color=GREY)


def _ring(mark: str, colour: str) -> Callable[[Axes, float, float], None]:
    def draw(ax: Axes, x: float, y: float) -> None:
        ax.add_patch(Circle((x, y), SIZE, facecolor="white", edgecolor=colour, linewidth=1.2))
        ax.text(x, y + 0.005, mark, ha="center", va="center", fontsize=7.5, color=colour, fontweight="bold")

    return draw


def _nothing(ax: Axes, x: float, y: float) -> None:
    """No target, no symbol."""


VARIATION: dict[str, Callable[[Axes, float, float, str], None]] = {
    "improving": _triangle(BLUE),
    "concerning": _warning,
    "changed": _triangle("#bdbdbd"),
    "common cause": _quiet,
    "no limits": _unknown,
    "too rare": _unknown,
    "too few points": _unknown,
}
ASSURANCE: dict[str, Callable[[Axes, float, float], None]] = {
    "will hit": _ring("✓", BLUE),
    "hit or miss": _ring("~", GREY),
    "will miss": _ring("✗", VERMILION),
    "no target": _nothing,
    "no limits": _nothing,
    "too rare": _nothing,
    "too few points": _nothing,
}
