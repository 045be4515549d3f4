"""Mentoring visits: done for each planned, and facility by facility."""

from __future__ import annotations

import math

from qieval.analyses.mentoring import Mentoring
from qieval.present.display import Figure
from qieval.present.theme import BLACK, BLUE, GREY, SKY, VERMILION, drawing, finished
from qieval.present.wording import mentoring as wording


def visits_per_planned(result: Mentoring) -> Figure:
    """Done over planned per mentor type and setting with its interval, the counts written beside it."""
    groups = result.groups
    n = len(groups)
    with drawing(1.3 + 0.42 * n) as figure:
        ax = figure.subplots()
        ax.axvline(1, color=GREY, linestyle=":", linewidth=1.2)
        known = groups["ratio"].notna()
        rows = groups.index[known]
        ax.hlines(rows, groups.loc[known, "low"], groups.loc[known, "high"], color=BLUE, linewidth=2)
        ax.plot(groups.loc[known, "ratio"], rows, "o", color=BLUE, markersize=7)
        right = max(1.2, float(groups["high"].max()) if known.any() else 0) * 1.04
        ax.set_xlim(0, right)
        ax.set_ylim(n - 0.5, -0.7)
        ax.set_yticks(range(n), [wording.group_name(group) for group in groups.itertuples()])
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("Visits done for each visit planned")
        ax.annotate("as planned", (1, n - 0.5), xytext=(4, 4), textcoords="offset points", color=GREY, fontsize=8.5)
        for row, group in groups.iterrows():
            ax.annotate(
                wording.done_of_planned(group), (1, row), xycoords=("axes fraction", "data"), xytext=(8, 0),
                textcoords="offset points", va="center", annotation_clip=False,
            )  # fmt: skip
        return finished(
            figure,
            name="visits_done_per_planned",
            alt=wording.visits_alt(result),
            caption=wording.visits_caption(result),
        )


def visits_by_facility(result: Mentoring) -> Figure | None:
    """Visits done to each facility as a bar, with a tick where the plan was; never visited in words."""
    table = result.facilities.sort_values(["done", "facility"], ascending=[False, True], ignore_index=True)
    if table.empty:
        return None
    n = len(table)
    with drawing(0.9 + 0.235 * n) as figure:
        ax = figure.subplots()
        ax.barh(table.index, table["done"], height=0.62, color=SKY)
        planned = table.loc[table["planned"] > 0]
        ax.plot(planned["planned"], planned.index, linestyle="", marker="|", color=BLACK, markersize=11, mew=2)
        for row, facility in table.loc[table["done"] == 0].iterrows():
            at = facility["planned"] if facility["planned"] > 0 else 0
            ax.annotate(
                "never visited", (at, row), xytext=(7, 0), textcoords="offset points", va="center", color=VERMILION,
                fontsize=8.5,
            )  # fmt: skip
        top = int(max(table["done"].max(), table["planned"].max(), 1))
        ax.set_xlim(0, top * 1.08)
        ax.set_xticks(range(0, top + 1, max(1, math.ceil(top / 8))))
        ax.set_ylim(n - 0.4, -0.6)
        ax.set_yticks(range(n), table["facility"], fontsize=8.5)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("Visits done (bar) and planned (black tick)")
        return finished(
            figure,
            name="visits_by_facility",
            alt=wording.facilities_visited_alt(result),
            caption=wording.facilities_visited_caption(result),
        )
