"""How projects end: completed and abandoned, stacked, with the number still open under them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qieval.analyses.project_outcomes import ProjectOutcomes
from qieval.present.charts.axes import labels_beside, month_counts, open_under
from qieval.present.display import Figure
from qieval.present.theme import BLACK, BLUE, SAND, SKY, VERMILION, drawing, finished
from qieval.present.wording import project_outcomes as wording

HATCH = "#C8A878"  # sand, darker: the hatching tells abandoned from completed in print without colour


def completed_and_abandoned(result: ProjectOutcomes) -> Figure | None:
    """The shares completed and abandoned as areas on top of each other; what is left white is still open."""
    if not result.n_abandoned:
        return None
    shares = pd.concat([pd.DataFrame([dict.fromkeys(result.shares.columns, 0.0)]), result.shares])
    time, completed, abandoned = (shares[name].to_numpy() for name in ("time", "completed", "abandoned"))
    last = max(float(time[-1]), 1.0)  # all may have ended on their first day
    with drawing(4.0) as figure:
        ax = figure.subplots()
        ax.fill_between(time, 0, completed, step="post", color=SKY, alpha=0.6, linewidth=0)
        ax.fill_between(
            time,
            completed,
            completed + abandoned,
            step="post",
            facecolor=SAND,
            edgecolor=HATCH,
            linewidth=0,
            hatch="///",
        )
        ax.step(time, completed, where="post", color=BLUE, linewidth=1.8)
        ax.step(time, completed + abandoned, where="post", color=VERMILION, linewidth=1.4, linestyle="--")
        ax.set_xlim(0, last * 1.01)
        ax.set_ylim(0, 1.02)
        ax.set_yticks(np.linspace(0, 1, 6), [f"{share:.0f}" for share in np.linspace(0, 100, 6)])
        ax.set_ylabel("Projects (%)")
        ax.set_xlabel("Months since the project began", labelpad=4)
        ticks = month_counts(last)
        ax.set_xticks(ticks)
        top = completed[-1] + abandoned[-1]
        labels = [(completed[-1] / 2, "Completed", BLUE), ((completed[-1] + top) / 2, "Abandoned", VERMILION)]
        if top < 0.97:
            labels.append(((top + 1) / 2, "Still open", BLACK))
        elif (completed + abandoned)[time <= 0.25 * last][-1] < 0.8:
            ax.text(0.02, 0.94, "Still open", transform=ax.transAxes, va="top", color=BLACK)
        labels_beside(ax, labels, lines=1)
        open_under(ax, result.curve, ticks, "Projects still open and followed")
        return finished(
            figure, name="projects_completed_and_abandoned", alt=wording.alt(result), caption=wording.caption(result)
        )
