"""Visits on the calendar: facility by facility, and added up against the plan."""

from __future__ import annotations

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap

from qieval.analyses.visit_months import VisitMonths
from qieval.present.charts.axes import labels_beside, month_axis, month_ticks
from qieval.present.display import Figure
from qieval.present.theme import BLACK, BLUE, VERMILION, drawing, finished
from qieval.present.wording import visit_months as wording

_FILLS = LinearSegmentedColormap.from_list("visits", ["#F4F4F4", "#B8DDF2", BLUE])
_DARK = 3  # visits a month from which the field is dark and its number white
_MOST_MONTHS_WRITTEN = 40  # beyond, fields are too narrow for numbers


def calendar(result: VisitMonths) -> Figure | None:
    """A row per facility and a field per month: how many visits were made, and which were planned and missed."""
    table = result.calendar
    if table.empty:
        return None
    months = pd.date_range(table["period"].min(), table["period"].max(), freq="MS")
    place = {month: column for column, month in enumerate(months)}
    row_of = {name: row for row, name in enumerate(result.facilities)}
    made = np.full((len(row_of), len(months)), np.nan)
    made[table["facility"].map(row_of), table["period"].map(place)] = table["done"]
    with drawing(1.0 + 0.235 * len(row_of)) as figure:
        ax = figure.subplots()
        ax.pcolormesh(
            np.arange(len(months) + 1) - 0.5, np.arange(len(row_of) + 1) - 0.5, np.ma.masked_invalid(made),
            cmap=_FILLS, vmin=0, vmax=_DARK, edgecolors="white", linewidth=0.8,
        )  # fmt: skip
        crowded = len(months) > _MOST_MONTHS_WRITTEN
        for field in table.loc[(table["done"] > 0) | (table["missed"] > 0)].itertuples():
            x, y = place[field.period], row_of[field.facility]
            both = field.done > 0 and field.missed > 0
            colour = "white" if field.done >= _DARK else BLACK
            if field.done and not crowded:
                ax.text(x - 0.2 * both, y, f"{field.done}", ha="center", va="center", fontsize=7.5, color=colour)
            if field.missed:
                ax.plot(
                    x + 0.24 * both, y, marker="x", color=VERMILION if field.done < 2 else colour,
                    markersize=3.6, markeredgewidth=1.1,
                )  # fmt: skip
        for name, day in result.support_ended.items():
            ended = day.to_period("M").to_timestamp()
            if ended in place and name in row_of:
                edge, row = place[ended] + 0.5, row_of[name]
                ax.plot([edge, edge], [row - 0.5, row + 0.5], color=BLACK, linewidth=2, solid_capstyle="butt")
        ticks = [place[tick] for tick in month_ticks(months[0], months[-1])]
        names = [f"{months[x]:%b}\n{months[x]:%Y}" if months[x].month == 1 or i == 0 else f"{months[x]:%b}"
                 for i, x in enumerate(ticks)]  # fmt: skip
        ax.set_xticks(ticks, names)
        ax.set_xlim(-0.5, len(months) - 0.5)
        ax.set_ylim(len(row_of) - 0.5, -0.5)
        ax.set_yticks(range(len(row_of)), result.facilities, fontsize=8.5)
        ax.tick_params(axis="y", length=0)
        ax.spines[["left", "bottom"]].set_visible(False)
        return finished(
            figure,
            name="visit_calendar",
            alt=wording.calendar_alt(result),
            caption=wording.calendar_caption(result),
        )


def cumulative(result: VisitMonths) -> Figure | None:
    """A panel per kind of mentor: visits planned and made, added up month by month."""
    if result.months.empty:
        return None
    kinds = list(result.months["mentor_type"].unique())
    with drawing(0.7 + 1.75 * len(kinds)) as figure:
        panels = figure.subplots(len(kinds), 1, sharex=True, squeeze=False)[:, 0]
        for ax, kind in zip(panels, kinds, strict=True):
            rows = result.months.loc[result.months["mentor_type"] == kind]
            # From nothing on the first day of the first month to the count at each month's end.
            ends = [rows["period"].iloc[0], *(rows["period"] + pd.offsets.MonthEnd(0))]
            days = mdates.date2num(ends)
            ax.plot(days, [0, *rows["planned_so_far"]], color=BLACK, linestyle="--", linewidth=1.3)
            ax.plot(days, [0, *rows["done_so_far"]], color=BLUE, linewidth=2)
            top = max(float(rows["planned_so_far"].max()), float(rows["done_so_far"].max()), 1.0)
            ax.set_ylim(0, top * 1.08)
            ax.yaxis.get_major_locator().set_params(integer=True, nbins=4)
            ax.set_ylabel("Visits")
            ax.set_title(f"{kind.capitalize()} mentors", loc="left")
            planned, done = float(rows["planned_so_far"].iloc[-1]), float(rows["done_so_far"].iloc[-1])
            labels = [(planned, f"{planned:.0f} planned", BLACK), (done, f"{done:.0f} made", BLUE)]
            labels_beside(ax, labels, lines=len(kinds) + 1)  # the panel is a part of the figure's height
        first, last = result.months["period"].min(), result.months["period"].max()
        month_axis(panels[-1], first, last + pd.offsets.MonthEnd(0))
        return finished(
            figure, name="visits_added_up", alt=wording.cumulative_alt(result), caption=wording.cumulative_caption()
        )
