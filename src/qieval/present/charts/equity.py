"""Concentration curves: the share of visits along facilities ranked by visits, size and need."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from qieval.analyses.equity import Equity
from qieval.methods.equity import Concentration
from qieval.present.display import Figure
from qieval.present.theme import BLUE, GREY, SKY, drawing, finished
from qieval.present.wording import equity as wording


def concentration_curves(result: Equity) -> Figure | None:
    """A panel for each order of facilities that can be drawn, on one scale."""
    ranked = [
        ("least to most visited", "Gini index", result.lorenz),
        ("smallest to largest", "Index", result.by_size),
        ("greatest to least need", "Index", result.by_need),
    ]
    drawn = [(order, name, found) for order, name, found in ranked if isinstance(found, Concentration)]
    if not drawn:
        return None
    with drawing(3.25) as figure:
        panels = figure.subplots(1, len(drawn), sharey=True, squeeze=False)[0]
        for ax, (order, name, found) in zip(panels, drawn, strict=True):
            _panel(ax, found)
            ax.set_title(f"{name} {wording.index(found.index)}\n{_interval(found)}", loc="left", color=BLUE)
            ax.set_xlabel(f"Facility-months (%),\n{order}\nn = {found.n}")
        panels[0].set_ylabel("Visits received (%)")
        return finished(
            figure,
            name="visits_shared",
            alt=wording.curves_alt(result),
            caption=wording.curves_caption(result),
        )


def _interval(found: Concentration) -> str:
    return f"{wording.index(found.low)} to {wording.index(found.high)}" if found.standard_error > 0 else ""


def _panel(ax: Axes, found: Concentration) -> None:
    curve = found.curve
    ax.fill_between(curve["exposure_share"], curve["low"], curve["high"], color=SKY, alpha=0.3, linewidth=0)
    ax.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.2)
    ax.plot(curve["exposure_share"], curve["received_share"], color=BLUE, linewidth=1.8)
    ax.set_aspect("equal")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ticks = np.linspace(0, 1, 6)
    ax.set_xticks(ticks, [f"{100 * tick:.0f}" for tick in ticks], fontsize=8.5)
    ax.set_yticks(ticks, [f"{100 * tick:.0f}" for tick in ticks])
