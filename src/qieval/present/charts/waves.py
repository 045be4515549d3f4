"""Facilities by the months since each joined: against those that had not, and side by side."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from qieval.analyses.waves import Waves
from qieval.present import numbers
from qieval.present.charts.axes import labels_beside, row_under, value_axis, wrapped
from qieval.present.display import Figure, file_name
from qieval.present.tables.waves import months_label
from qieval.present.theme import BLACK, BLUE, GREY, VERMILION, drawing, finished
from qieval.present.wording import waves as wording

MOST_LABELS = 12


def event_study(found: Waves) -> Figure | None:
    """The difference by months since joining, with its interval and the limits that hold for all points at once."""
    study = found.event_study
    if study is None:
        return None
    with drawing(4.2) as figure:
        ax = figure.subplots()
        study = study.assign(at=study["since_joining"] + (found.width_months - 1) / 2)
        view = _view(study)
        ax.set_ylim(*view)
        ax.set_xlim(study["at"].min() - 0.8 * found.width_months, study["at"].max() + 0.8 * found.width_months)
        _joining(ax)
        ax.axhline(0, color=GREY, linewidth=1)
        before = study["since_joining"] < 0
        is_base = study["low"].isna() & (study["since_joining"] == study.loc[before, "since_joining"].max())
        cut = False
        for part, colour, fill in ((study[before], GREY, "white"), (study[~before], BLUE, BLUE)):
            for low, high, width in (("band_low", "band_high", 0.9), ("low", "high", 2.6)):
                cut |= _limits(ax, part, low, high, colour=colour, width=width, view=view)
            marked = part[~is_base.loc[part.index]]
            ax.plot(marked["at"], marked["estimate"], "o", color=colour, markerfacecolor=fill, markersize=5.5, zorder=4)
        ax.plot(study["at"][is_base], study["estimate"][is_base], "s", color=GREY, markersize=5, zorder=4)
        labels = [(0.0, "No difference", GREY)]
        if found.effect is not None:
            first, last = found.effect.first_month - 0.4, found.effect.last_month + 0.4
            ax.hlines(found.effect.estimate, first, last, color=BLACK, linewidth=1.6, zorder=3)
            labels.append((found.effect.estimate, wording.effect_label(found), BLACK))
        labels_beside(ax, labels)
        _difference_axis(ax, found)
        _periods(ax, study, found.width_months)
        return finished(
            figure,
            name=f"event_study_{file_name(found.indicator.indicator_id)}",
            alt=wording.event_study_alt(found),
            caption=wording.event_study_caption(found, cut=cut),
        )


def since_joining(found: Waves) -> Figure | None:
    """Every facility counted from its own joining, and the same facilities together throughout."""
    aligned, indicator = found.aligned, found.indicator
    if aligned is None:
        return None
    with drawing(4.0) as figure:
        ax = figure.subplots()
        first, last = (int(edge) for edge in aligned.line["since_joining"].agg(["min", "max"]))
        view = aligned.table[aligned.table["since_joining"].between(first, last)]
        for _, own in view.groupby("facility", sort=False):
            months = own.set_index("since_joining")["value"].reindex(range(first, last + 1))  # gaps stay gaps
            ax.plot(months.index, months, color=GREY, linewidth=0.6, alpha=0.45, marker=".", markersize=1.5, zorder=2)
        ax.set_xlim(first - 0.8, last + 0.8)
        # A few people make wild rates: what nearly all facilities show sets the axis, and single peaks are cut.
        seen = [float(view["value"].quantile(0.97)), float(aligned.line["value"].max()), indicator.target or 0.0]
        value_axis(ax, indicator, highest=max(seen))
        _joining(ax)
        line = aligned.line.set_index("since_joining").reindex(range(first, last + 1))
        ax.plot(line.index, line["value"], color=BLUE, linewidth=2.4, marker="o", markersize=4, zorder=4)
        labels = [(float(aligned.line["value"].iloc[-1]), f"The same {aligned.n_cohort}\ntogether", BLUE)]
        if indicator.target is not None:
            ax.axhline(indicator.target, color=GREY, linestyle=":", linewidth=1.2)
            labels.append((indicator.target, f"Target {numbers.value(indicator.target, indicator)}", GREY))
        labels_beside(ax, labels)
        ticks = [month for month in range(first, last + 1) if month % _step(last - first + 1) == 0]
        ax.set_xticks(ticks, [months_label(month, 1) for month in ticks])
        _row(ax, "facilities =", [(tick, int(view["since_joining"].eq(tick).sum())) for tick in ticks])
        ax.set_xlabel("Months since joining (0: the month of joining)")
        return finished(
            figure,
            name=f"since_joining_{file_name(indicator.indicator_id)}",
            alt=wording.since_joining_alt(found),
            caption=wording.since_joining_caption(found),
        )


def _joining(ax: Axes) -> None:
    """A line just before the month of joining, with its name above the axes."""
    ax.axvline(-0.5, color=VERMILION, linewidth=1.2, linestyle=(0, (5, 3)), zorder=1)
    ax.text(
        -0.5, 1.015, "joined", transform=ax.get_xaxis_transform(), ha="center", va="bottom", color=VERMILION,
    )  # fmt: skip


def _view(study: pd.DataFrame) -> tuple[float, float]:
    """The lowest and highest difference drawn: what most facilities stand behind is seen whole, the rest is cut."""
    behind = study[study["n_treated"] >= 0.5 * study["n_treated"].max()]
    seen = pd.concat([study["estimate"].abs(), behind["low"].abs(), behind["high"].abs()])
    reach = max(float(seen.max()), float(behind[["band_low", "band_high"]].abs().max(axis=1).fillna(0).quantile(0.5)))
    limits = study[["estimate", "low", "high", "band_low", "band_high"]].clip(-reach, reach)
    low, high = min(0.0, float(limits.min().min())), max(0.0, float(limits.max().max()))
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _limits(
    ax: Axes, part: pd.DataFrame, low: str, high: str, *, colour: str, width: float, view: tuple[float, float]
) -> bool:
    """Vertical lines between two limits; an arrow where one leaves the figure. Whether any does."""
    known = part[part[low].notna()]
    inner, outer = (view[0] + 0.02 * (view[1] - view[0]), view[1] - 0.02 * (view[1] - view[0]))
    ax.vlines(known["at"], known[low].clip(*view), known[high].clip(*view), color=colour, linewidth=width, zorder=2)
    if width > 1:
        return False  # an interval never leaves before the wider limits for all points do
    cut = False
    for limit, beyond, edge, arrow in (
        (known[low], known[low] < view[0], inner, "v"),
        (known[high], known[high] > view[1], outer, "^"),
    ):
        ax.plot(known["at"][~beyond], limit[~beyond], "_", color=colour, markersize=6, zorder=2)
        ax.plot(known["at"][beyond], [edge] * int(beyond.sum()), arrow, color=colour, markersize=4, zorder=2)
        cut |= bool(beyond.any())
    return cut


def _difference_axis(ax: Axes, found: Waves) -> None:
    if found.indicator.kind == "proportion":
        ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: _signed(100 * x)))
    else:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: _signed(x)))
    ax.set_ylabel(wrapped(wording.axis_title(found), 38))
    ax.set_xlabel("Months since joining (0: the month of joining)")


def _signed(x: float) -> str:
    return f"{x:+,.6g}".replace("-", numbers.MINUS) if abs(x) > 1e-9 else "0"


def _periods(ax: Axes, study: pd.DataFrame, width: int) -> None:
    """The months of each period under its point, and the facilities behind it."""
    origin = int((study["since_joining"] < 0).sum())
    step = math.ceil(len(study) / (MOST_LABELS if width == 1 else 10))
    shown = study[(np.arange(len(study)) - origin) % step == 0]
    ax.set_xticks(
        shown["at"], [months_label(int(since), width).replace(" to ", "\nto ") for since in shown["since_joining"]]
    )
    rows = list(zip(shown["at"], shown["n_treated"].astype(int), strict=True))
    _row(ax, "facilities =", rows, offset=-22 if width == 1 else -33)


def _row(ax: Axes, title: str, cells: list[tuple[float, int]], *, offset: int = -22) -> None:
    """Counts under the ticks, and the axis title moved below them."""
    row_under(ax, title, [(position, numbers.whole(n)) for position, n in cells], offset=offset)
    ax.xaxis.labelpad = 16


def _step(months: int) -> int:
    """Every so many months are labelled."""
    return next((step for step in (1, 2, 3, 6, 12) if months / step <= MOST_LABELS), 24)
