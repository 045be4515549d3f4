"""When each chart would have warned, and when the loss was told: a time line per facility."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from qieval.analyses.early_warning import EarlyWarning
from qieval.present.charts.axes import month_counts, wrapped
from qieval.present.display import Figure, file_name
from qieval.present.theme import BLACK, BLUE, GREY, VERMILION, drawing, finished
from qieval.present.wording import early_warning as wording

# Each chart has its height within a row, so that warnings of one month lie beside and not upon each other.
MARKS = {
    "ewma": ("o", BLUE, -0.24, "EWMA warns"),
    "cusum": ("^", BLACK, 0.0, "CUSUM warns"),
    "single": ("x", GREY, 0.24, "a single month warns"),
}
MOST_ROWS = 30  # facilities, beyond which those of which there is nothing to tell are counted instead
GROUPS = {"gained and lost": "Lost the gain", "gained and kept": "Kept the gain", "": "Neither is known"}


def timeline(result: EarlyWarning) -> Figure | None:
    """A row per facility watched, those that lost the gain first; None where none is watched."""
    watched = result.watched
    if watched.empty:
        return None
    rows = _rows(watched)
    with drawing(1.1 + 0.3 * len(rows)) as figure:
        ax = figure.subplots()
        labels = []
        for y, row in enumerate(rows):
            if isinstance(row, str):
                labels.append(row)
                continue
            labels.append(wrapped(str(row["facility"]), 40))
            _row(ax, y, row)
        last = float(watched["last"].max())
        ax.set_xlim(0, last + 0.8)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_xticks(month_counts(last))
        ax.set_xlabel("Months since support ended")
        ax.set_yticks(range(len(rows)), labels, fontsize=8.5)
        for y, row in enumerate(rows):
            if isinstance(row, str):
                ax.get_yticklabels()[y].set_color(GREY)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        handles = [
            Line2D([], [], linestyle="none", marker=mark, color=colour, markersize=5.5, label=label)
            for mark, colour, _, label in MARKS.values()
        ]
        told = Line2D([], [], linestyle="none", marker="s", color=VERMILION, markersize=6, label="loss told")
        figure.legend(
            handles=[*handles, told], loc="outside upper center", ncols=4, frameon=False, handletextpad=0.2,
            columnspacing=1.4,
        )  # fmt: skip
        return finished(
            figure,
            name=f"early_warning_{file_name(result.indicator.indicator_id)}",
            alt=wording.alt(result),
            caption=wording.caption(result),
        )


def _rows(watched: pd.DataFrame) -> list[str | pd.Series]:
    """The facilities by what became of the gain, each group under its name; the earliest loss or warning first."""
    soonest = watched[list(MARKS)].min(axis=1)
    ordered = watched.assign(soonest=soonest).sort_values(["told", "soonest", "facility"])
    quiet = ordered["told"].isna() & ordered["soonest"].isna()
    too_many = len(ordered) > MOST_ROWS
    rows: list[str | pd.Series] = []
    for of_class, name in GROUPS.items():
        known = ordered["class"].isin([one for one in GROUPS if one])
        own = ordered.loc[ordered["class"] == of_class] if of_class else ordered.loc[~known]
        hidden = quiet.loc[own.index] & too_many
        if len(own):
            rows.append(f"{name} ({hidden.sum()} without a warning not shown)" if hidden.any() else name)
            rows += [row for _, row in own.loc[~hidden].iterrows()]
    return rows


def _row(ax: Axes, y: int, row: pd.Series) -> None:
    ax.hlines(y, 0.6, row["last"] + 0.4, color=GREY, linewidth=0.6, alpha=0.7, zorder=1)
    if not math.isnan(row["told"]):
        ax.plot(row["told"], y, marker="s", color=VERMILION, markersize=6.5, zorder=2)
    for chart, (mark, colour, aside, _) in MARKS.items():
        if not math.isnan(row[chart]):
            ax.plot(row[chart], y + aside, marker=mark, color=colour, markersize=4.6, markeredgewidth=1.3, zorder=3)
