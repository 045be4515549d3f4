"""Project durations: the share that has ended, and every project on the calendar."""

from __future__ import annotations

import math

import matplotlib.dates as mdates
import numpy as np
import pandas as pd

from qieval.analyses.durations import Durations
from qieval.present import numbers
from qieval.present.charts.axes import month_axis, month_counts, open_under, phase_bands
from qieval.present.display import Figure
from qieval.present.theme import BLACK, BLUE, GREY, SAND, SKY, VERMILION, drawing, finished
from qieval.present.wording import durations as wording


def share_ended(result: Durations) -> Figure | None:
    """The Kaplan-Meier curve as the share of projects ended, with the number still open aligned under it."""
    curve = result.curve
    if curve is None or not result.has_median:
        return None
    with drawing(4.0) as figure:
        ax = figure.subplots()
        steps = curve.curve
        last = max(float(steps["time"].max()), 1.0)  # all may have ended on their first day
        ax.fill_between(
            steps["time"], 1 - steps["high"], 1 - steps["low"], step="post", color=SKY, alpha=0.3, linewidth=0
        )
        ax.step(steps["time"], 1 - steps["survival"], where="post", color=BLUE, linewidth=1.8)
        censored = steps.loc[steps["censored"] > 0]
        ax.plot(censored["time"], 1 - censored["survival"], "|", color=BLACK, markersize=8, markeredgewidth=1.2)
        ax.set_xlim(0, last * 1.02)
        ax.set_ylim(0, 1.02)
        ax.set_yticks(np.linspace(0, 1, 6), [f"{share:.0f}" for share in np.linspace(0, 100, 6)])
        ax.set_ylabel(f"{wording.ended(result)} (%)")
        ax.set_xlabel("Months since the project began", labelpad=4)
        ticks = month_counts(last)
        ax.set_xticks(ticks)
        if math.isfinite(curve.median):
            ax.plot([0, curve.median, curve.median], [0.5, 0.5, 0], color=VERMILION, linestyle="--", linewidth=1.2)
            ax.annotate(
                f"Median {numbers.months(curve.median)} months", (0, 0.5), xytext=(6, 4), textcoords="offset points",
                color=VERMILION,
            )  # fmt: skip
        open_under(ax, curve, ticks, "Projects still open and followed")
        return finished(
            figure,
            name="share_of_projects_ended",
            alt=wording.share_ended_alt(result),
            caption=wording.share_ended_caption(result),
        )


def timelines(result: Durations) -> Figure | None:
    """Every dated project as a bar on the calendar, in order of start, with the visits made while it ran."""
    projects = result.projects.dropna(subset=["duration_months"])
    if projects.empty:
        return None
    n = len(projects)
    named = n <= wording.MOST_NAMED
    # Beyond that many the rows become thin, so that the figure stays on a page.
    with drawing(1.0 + 0.27 * n if named else 8.5) as figure:
        ax = figure.subplots()
        first = projects["started_on"].min().to_period("M").to_timestamp()
        last = projects["until"].max().to_period("M").to_timestamp()
        month_axis(ax, first, last)
        ax.set_xlim(right=mdates.date2num(projects["until"].max() + pd.Timedelta(days=20)))
        ax.set_ylim(n - 0.4, -0.8)
        phase_bands(ax, result.phases)
        names = []
        visits = result.visits.groupby("project_id")["done_on"]
        for row, project in enumerate(projects.itertuples()):
            start, until = mdates.date2num(project.started_on), mdates.date2num(project.until)
            ax.barh(
                row, max(until - start, 1), left=start, height=0.6 if named else 0.8, color=FILLS[project.status],
                edgecolor=GREY if project.status == "ongoing" else "none", linewidth=0.7 if named else 0.4, zorder=2,
            )  # fmt: skip
            if project.project_id in visits.groups:
                days = mdates.date2num(visits.get_group(project.project_id))
                ax.plot(
                    days, np.full(len(days), row), linestyle="", marker="|", color=BLACK, zorder=3,
                    markersize=6 if named else 2,
                )  # fmt: skip
            ax.plot(
                until, row, color=BLACK, markersize=5 if named else 2, zorder=4, clip_on=False,
                marker=END_MARKS[project.status],
            )  # fmt: skip
            if named:
                ax.annotate(
                    f"{numbers.months(project.duration_months)}", (until, row), xytext=(7, 0),
                    textcoords="offset points", va="center", fontsize=8, annotation_clip=False,
                )  # fmt: skip
                names.append(wording.project_label(project))
        ax.set_yticks(range(len(names)), names, fontsize=8)
        if not named:
            ax.set_ylabel(f"{n} projects, in order of start")
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        return finished(
            figure,
            name="project_timelines",
            alt=wording.timelines_alt(result),
            caption=wording.timelines_caption(result),
        )


END_MARKS = {"completed": "s", "abandoned": "X", "ongoing": ">"}
FILLS = {"completed": SKY, "abandoned": SAND, "ongoing": "white"}
