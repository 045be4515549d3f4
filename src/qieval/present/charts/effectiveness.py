"""Run charts: the collaborative's, and each facility's side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping

import matplotlib.dates as mdates
import pandas as pd
from matplotlib.axes import Axes

from qieval.analyses.effectiveness import Effectiveness, IndicatorResult
from qieval.analyses.run_charts import RunChart, Verdict
from qieval.analyses.series import Indicator
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
from qieval.present.theme import BLACK, BLUE, GREY, VERMILION, drawing, finished
from qieval.present.wording import effectiveness as wording

MARKS: Mapping[Verdict, str] = {"improved": "✓ improved", "worsened": "✗ worsened"}  # the others: words alone


def pooled_run_chart(result: IndicatorResult, whole: Effectiveness) -> Figure:
    """The run chart of all facilities together, with baseline, target, phases, events and n."""
    chart, indicator = result.pooled, result.indicator
    with drawing(4.1) as figure:
        ax = figure.subplots()
        points = chart.points
        ticks = month_axis(ax, points["period"].min(), points["period"].max())
        if result.cohort is not None:
            ax.plot(
                result.cohort["period"], result.cohort["value"], color=GREY, linewidth=1, linestyle="--", zorder=2.5
            )
        _series(ax, chart, size=4.5)
        value_axis(ax, indicator, highest=_highest([chart], indicator))
        labels = _median_lines(ax, chart, indicator)
        if indicator.target is not None:
            ax.axhline(indicator.target, color=GREY, linestyle=":", linewidth=1.2)
            labels.append((indicator.target, f"Target {numbers.value(indicator.target, indicator)}", GREY))
        _make_room(ax, [height for height, _, _ in labels])
        labels_beside(ax, labels)
        phase_bands(ax, whole.phases)
        mark_events(ax, wording.lettered(whole.events, points))
        rows_under(ax, points, ticks)
        return finished(
            figure,
            name=f"run_chart_{file_name(indicator.indicator_id)}",
            alt=wording.run_chart_alt(result),
            caption=wording.run_chart_caption(result, whole),
        )


def facility_run_charts(result: IndicatorResult) -> Figure:
    """One small run chart per facility, all on the same axes."""
    indicator, charts = result.indicator, result.facilities
    columns = min(4, len(charts))
    rows = math.ceil(len(charts) / columns)
    first = min(chart.points["period"].min() for chart in charts.values())
    last = max(chart.points["period"].max() for chart in charts.values())
    with drawing(0.75 + 1.42 * rows + (0.5 if rows == 1 else 0)) as figure:
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        highest = _usual_highest(list(charts.values()), indicator)
        value_axis(panels.flat[0], indicator, highest=highest, label=False)  # all others share it
        for ax, (name, chart) in zip(panels.flat, charts.items(), strict=False):
            month_axis(ax, first, last, most=3)
            _series(ax, chart, size=2.2)
            if chart.n_baseline:
                _centre_line(ax, chart, width=1.0)
            if indicator.target is not None:
                ax.axhline(indicator.target, color=GREY, linestyle=":", linewidth=0.8)
            _beyond_the_scale(ax, chart, indicator)
            mark = wrapped(MARKS.get(chart.verdict, wording.label(chart)), 27)
            strong = chart.verdict in ("improved", "worsened")
            ax.set_title(f"{wrapped(name, 25)}\n{mark}", fontsize=8, loc="left", pad=3, color=BLACK if strong else GREY)
            ax.tick_params(labelsize=7.5)
        for ax in list(panels.flat)[len(charts) :]:
            ax.set_axis_off()
        for ax in panels[:-1].flat:
            ax.tick_params(labelbottom=False)
        for column, ax in enumerate(panels[-1]):
            if not ax.axison and rows > 1:  # the panel above it is the last of its column
                panels[-2][column].tick_params(labelbottom=True)
        figure.supylabel(wrapped(numbers.axis_label(indicator), max(22, 26 * rows - 10)), fontsize=9)
        return finished(
            figure,
            name=f"run_charts_by_facility_{file_name(indicator.indicator_id)}",
            alt=wording.facility_charts_alt(result),
            caption=wording.facility_charts_caption(result),
        )


def _highest(charts: list[RunChart], indicator: Indicator) -> float:
    """The highest value to be drawn, the target among them."""
    values = [chart.points["value"].max() for chart in charts]
    return max([value for value in values if not math.isnan(value)] + [indicator.target or 0.0])


def _usual_highest(charts: list[RunChart], indicator: Indicator) -> float:
    """As `_highest`, but for the few months, one in forty at most, that lie far above all others.

    On an axis that has room for them nothing else could be seen.
    """
    values = pd.concat([chart.points["value"] for chart in charts]).dropna()
    highest = _highest(charts, indicator)
    if indicator.kind == "proportion" or values.empty:
        return highest
    usual = max(1.25 * float(values.quantile(0.975)), indicator.target or 0.0)
    return usual if 0 < usual < highest else highest


def _beyond_the_scale(ax: Axes, chart: RunChart, indicator: Indicator) -> None:
    """Values above the axis are written at its upper end, with an arrow; of neighbours the highest."""
    top = ax.get_ylim()[1]
    beyond = chart.points["value"] > top
    for _, streak in chart.points[beyond].groupby((~beyond).cumsum()[beyond]):
        highest = streak.loc[streak["value"].idxmax()]
        ax.annotate(
            f"↑{numbers.value(highest['value'], indicator)}", (mdates.date2num(highest["period"]), top), ha="center",
            va="top", fontsize=6.5, color=BLACK, zorder=5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip


def _series(ax: Axes, chart: RunChart, *, size: float) -> None:
    """Values month by month; a missing month breaks the line, so that nothing is drawn that was not seen.

    Months of a run that chance does not explain are squares in black.
    """
    points, in_run = chart.points, chart.points["in_long_run"]
    ax.plot(points["period"], points["value"], color=BLUE, zorder=3)
    for marked, marker, colour in ((~in_run, "o", BLUE), (in_run, "s", BLACK)):
        shown = points.loc[marked]
        ax.plot(shown["period"], shown["value"], marker, color=colour, markersize=size, markeredgewidth=0, zorder=3.5)


def _centre_line(ax: Axes, chart: RunChart, *, width: float) -> None:
    """The median, solid over the months it was taken from and dashed beyond them."""
    periods, within = chart.points["period"], chart.points["in_baseline"]
    if math.isnan(chart.centre):
        return
    if not chart.n_baseline:
        ax.hlines(chart.centre, periods.iloc[0], periods.iloc[-1], color=VERMILION, linewidth=width)
        return
    last = periods[within].max()
    ax.hlines(chart.centre, periods[within].min(), last, color=VERMILION, linewidth=width, zorder=2)
    ax.hlines(chart.centre, last, periods.iloc[-1], color=VERMILION, linewidth=width, linestyle=(0, (5, 3)), zorder=2)


def _median_lines(ax: Axes, chart: RunChart, indicator: Indicator) -> list[tuple[float, str, str]]:
    """Draw the medians; returns their labels."""
    if math.isnan(chart.centre):
        return []
    _centre_line(ax, chart, width=1.6)
    name = "Baseline\nmedian" if chart.n_baseline else "Median"
    labels = [(chart.centre, f"{name} {numbers.value(chart.centre, indicator)}", VERMILION)]
    recent = chart.points.loc[chart.points["recent"], "period"]
    if chart.n_baseline and len(recent):
        ax.hlines(chart.recent_median, recent.min(), recent.max(), color=BLACK, linewidth=1.6, zorder=2)
        text = f"Median of last\n{len(recent)} months {numbers.value(chart.recent_median, indicator)}"
        labels.append((chart.recent_median, text, BLACK))
    return labels


def _make_room(ax: Axes, heights: list[float]) -> None:
    low, high = ax.get_ylim()
    ax.set_ylim(low, max([high, *(height * 1.08 for height in heights)]))
