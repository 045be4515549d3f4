"""How lately each facility was visited, as a share of them all."""

from __future__ import annotations

import numpy as np

from qieval.analyses.coverage import Coverage
from qieval.present.charts.axes import row_under
from qieval.present.display import Figure
from qieval.present.numbers import listed, percent
from qieval.present.theme import BLACK, BLUE, GREY, VERMILION, drawing, finished
from qieval.present.wording import coverage as wording


def days_since_last_visit(result: Coverage) -> Figure | None:
    """A step for each facility at the days since its last visit; facilities never visited keep it below 100%."""
    if result.refused:
        return None
    days = np.sort(result.days_since["days"].dropna().to_numpy())
    with drawing(3.6) as figure:
        ax = figure.subplots()
        end = max([*days, *result.recent]) * 1.04
        x = np.concatenate([[0], days, [end]])
        y = np.concatenate([[0], np.arange(1, len(days) + 1), [len(days)]]) / result.n
        ax.step(x, y, where="post", color=BLUE, linewidth=1.8)
        for within, found in result.recent.items():
            if result.has_interval:
                ax.vlines(within, found.low, found.high, color=BLACK, linewidth=1.4, zorder=3)
            ax.plot(within, found.estimate, "o", color=BLACK, markersize=5, zorder=4)
        counts = [(float(within), f"{found.successes}") for within, found in result.recent.items()]
        row_under(ax, f"of {result.n} facilities", counts, offset=-19)
        missed = result.n - len(days)
        if missed:
            ax.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
            names = list(result.never["facility"])
            label = f"never visited: {listed(names) if len(names) <= 2 else percent(missed / result.n)}"
            ax.annotate(
                label, (end, 1), xytext=(-4, 3), textcoords="offset points", ha="right",
                va="bottom", color=VERMILION, fontsize=8.5,
            )  # fmt: skip
        ax.set_xlim(0, end)
        ax.set_ylim(0, 1.1)  # with room above the line of all
        ax.set_yticks(np.linspace(0, 1, 6), [f"{share:.0f}" for share in np.linspace(0, 100, 6)])
        ax.set_xticks(_ticks(tuple(result.recent), end))
        ax.set_ylabel("Facilities visited since then (%)")
        ax.set_xlabel("Days before the data cut", labelpad=14)
        return finished(
            figure,
            name="days_since_last_visit",
            alt=wording.days_since_alt(result),
            caption=wording.days_since_caption(result),
        )


def _ticks(asked: tuple[int, ...], end: float) -> list[int]:
    """The days asked for, then steps as wide as these, wider where they would crowd."""
    last = max(asked)
    step = next(step for step in (30, 60, 90, 180, 360, 720, 1440, 10**6) if (end - last) / step <= 7)
    return [0, *asked, *(day for day in range(step, int(end) + 1, step) if day > last + step / 3)]
