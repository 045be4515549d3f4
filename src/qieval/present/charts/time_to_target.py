"""Time to the target: the share of facilities that got there, beside what chance alone would give."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes

from qieval.analyses.time_to_target import TimeToTarget
from qieval.methods.survival import KaplanMeier
from qieval.present import numbers
from qieval.present.charts.axes import labels_beside, open_under
from qieval.present.display import Figure, file_name
from qieval.present.theme import BLACK, BLUE, SKY, VERMILION, drawing, finished
from qieval.present.wording import time_to_target as wording


def share_at_target(result: TimeToTarget) -> Figure | None:
    """The Kaplan-Meier curve as the share that reached the target, the number still open aligned under it."""
    curve = result.curve
    if curve is None:
        return None
    steps = curve.curve
    # Once all have reached it the curve stays at the top for as long as any could have been followed.
    all_reached = steps["survival"].iloc[-1] < 1e-9
    ended = float(steps["time"].max())
    last = max(ended, float(result.table["last_start"].max()), 1.0)
    with drawing(4.0) as figure:
        ax = figure.subplots()
        time = np.append(steps["time"], last if all_reached else ended)
        seen, low, high = (np.append(1 - steps[name], 1 - steps[name].iloc[-1]) for name in ("survival", "high", "low"))
        ax.fill_between(time, low, high, step="post", color=SKY, alpha=0.3, linewidth=0)
        ax.step(time, seen, where="post", color=BLUE, linewidth=1.8, zorder=3)
        if result.by_chance is not None:
            months, share = result.by_chance["month"].to_numpy(), result.by_chance["share"].to_numpy()
            ax.step(months, share, where="post", color=BLACK, linestyle=(0, (4, 2)), linewidth=1.3, zorder=2)
        censored = steps.loc[steps["censored"] > 0]
        ax.plot(censored["time"], 1 - censored["survival"], "|", color=BLUE, markersize=8, markeredgewidth=1.2)
        ax.set_xlim(-0.01 * last, last * 1.02)
        ax.set_ylim(-0.02, 1.02)
        ax.set_yticks(np.linspace(0, 1, 6), [f"{share:.0f}" for share in np.linspace(0, 100, 6)])
        ax.set_ylabel("Facilities that reached the target (%)")
        ax.set_xlabel("Months since joining", labelpad=4)
        ticks = _month_counts(last)
        ax.set_xticks(ticks)
        _median(ax, result, curve, last)
        first, second = wording.labels(result)
        beside = [(float(seen[-1]), first, BLUE)]
        if result.by_chance is not None:
            beside.append((float(result.by_chance["share"].iloc[-1]), second, BLACK))
        labels_beside(ax, beside)
        open_under(ax, curve, ticks, "Facilities followed and not yet at the target")
        return finished(
            figure,
            name=f"time_to_target_{file_name(result.indicator.indicator_id)}",
            alt=wording.share_alt(result),
            caption=wording.share_caption(result),
        )


def _median(ax: Axes, result: TimeToTarget, curve: KaplanMeier, last: float) -> None:
    """The median marked on both axes."""
    if not result.has_median or not math.isfinite(curve.median):
        return
    ax.plot([0, curve.median], [0.5, 0.5], color=VERMILION, linestyle=":", linewidth=1.4, zorder=4)
    # Named above the axes, where no curve runs.
    ax.axvline(curve.median, color=VERMILION, linestyle=":", linewidth=1.4, zorder=4)
    ax.annotate(
        f"Median {numbers.months(curve.median)} months", (curve.median, 1), xycoords=("data", "axes fraction"),
        xytext=(0, 3), textcoords="offset points", color=VERMILION, va="bottom",
        ha="left" if curve.median < 0.15 * last else "right" if curve.median > 0.85 * last else "center",
    )  # fmt: skip


def _month_counts(last: float) -> list[int]:
    step = next(step for step in (1, 2, 3, 6, 12, 24) if last / step <= 12 or step == 24)
    return list(range(0, int(last + 0.1) + 1, step))
