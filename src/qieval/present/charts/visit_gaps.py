"""Waits for a visit: the share that last longer, with the number of waits still followed under it."""

from __future__ import annotations

import numpy as np

from qieval.analyses.visit_gaps import GapCurve, VisitGaps
from qieval.present.charts.axes import labels_beside, row_under
from qieval.present.display import Figure
from qieval.present.theme import BLUE, SKY, VERMILION, drawing, finished
from qieval.present.wording import visit_gaps as wording

_STYLES = ((BLUE, "-", SKY), (VERMILION, "--", VERMILION))
_FEWEST_SHOWN = 5  # waits still followed: beyond, a curve is drawn by a handful


def gap_curves(result: VisitGaps) -> Figure | None:
    """Kaplan-Meier curves of the waits, one for each stretch of time they were begun in."""
    if not result.curves:
        return None
    with drawing(3.9) as figure:
        ax = figure.subplots()
        end = max(_end(curve) for curve in result.curves)
        step = next(step for step in (7, 15, 30, 60, 90, 180, 360, 10**6) if end / step <= 8)
        ticks = list(range(0, int(end) + 1, step))
        labels = []
        for line, (curve, (colour, dashes, fill)) in enumerate(zip(result.curves, _STYLES, strict=False)):
            steps = curve.fitted.curve
            steps = steps.loc[steps["time"] <= _end(curve)]
            known = steps.dropna(subset=["low"])
            ax.fill_between(
                known["time"], known["low"], known["high"], step="post", color=fill, alpha=0.18, linewidth=0
            )
            ax.step(steps["time"], steps["survival"], where="post", color=colour, linestyle=dashes, linewidth=1.8)
            open_ = steps.loc[steps["censored"] > 0]
            ax.plot(open_["time"], open_["survival"], "|", color=colour, markersize=7, markeredgewidth=1.1)
            labels.append((float(steps["survival"].iloc[-1]), wording.curve_label(curve), colour))
            counts = [(float(tick), f"{_followed(curve, tick)}") for tick in ticks]
            row_under(ax, wording.curve_label(curve), counts, offset=-52 - 13 * line)
        ax.axhline(0.5, color="#999999", linewidth=0.8, linestyle=":")
        ax.set_xlim(0, end)
        ax.set_ylim(0, 1.02)
        ax.set_xticks(ticks)
        ax.set_yticks(np.linspace(0, 1, 6), [f"{share:.0f}" for share in np.linspace(0, 100, 6)])
        ax.set_ylabel("Waits that last longer (%)")
        ax.set_xlabel("Days of waiting for a visit")
        ax.annotate(
            "Waits not yet ended", (0, 0), xycoords="axes fraction", xytext=(-14, -40), textcoords="offset points",
            ha="left", va="top", fontsize=8, annotation_clip=False,
        )  # fmt: skip
        labels_beside(ax, labels, lines=1)
        return finished(
            figure, name="waits_for_a_visit", alt=wording.gaps_alt(result), caption=wording.gaps_caption(result)
        )


def _end(curve: GapCurve) -> float:
    """The last time at which enough waits were still followed."""
    steps = curve.fitted.curve
    enough = steps.loc[steps["at_risk"] >= _FEWEST_SHOWN, "time"]
    return max(float(enough.max()), 1.0)


def _followed(curve: GapCurve, tick: int) -> int:
    later = curve.fitted.curve.loc[lambda frame: frame["time"] >= tick, "at_risk"]
    return int(later.iloc[0]) if len(later) else 0
