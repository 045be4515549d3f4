"""What became of gains: by class, by month of loss, by share kept, and facility by facility."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from qieval.analyses.gain_kept import Horizon
from qieval.analyses.loss_of_gain import kept_line
from qieval.analyses.segments import Segments
from qieval.analyses.sustainment import IndicatorSustainment, Sustainment
from qieval.methods.survival import KaplanMeier
from qieval.present import numbers
from qieval.present.charts.axes import labels_beside, open_under, row_under, value_axis, wrapped
from qieval.present.display import Figure, file_name
from qieval.present.theme import BAND, BLACK, BLUE, GREY, SAND, SKY, VERMILION, drawing, finished
from qieval.present.wording import sustainment as wording


def classes(result: Sustainment) -> Figure | None:
    """A row per indicator and a column per class, with a bar and its count in each cell."""
    shown = wording.classes_shown(result)
    if not shown:
        return None
    n = len(result.indicators)
    most = max(len(found.facilities(name)) for found in result.indicators for name in shown)  # type: ignore[arg-type]
    with drawing(0.9 + 0.52 * n) as figure:
        panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        for ax, name in zip(panels, shown, strict=True):
            held = [len(found.facilities(name)) for found in result.indicators]  # type: ignore[arg-type]
            ax.barh(range(n), held, height=0.62, color=SKY if name == "gained and kept" else SAND)
            for row, many in enumerate(held):
                ax.annotate(
                    f"{many}", (many, row), xytext=(3, 0), textcoords="offset points", va="center",
                    color=BLACK if many else GREY,
                )  # fmt: skip
            ax.set_xlim(0, most * 1.45)
            ax.set_xticks([])
            ax.set_title(wrapped(name.capitalize(), 9), fontsize=8.5, loc="left")
            ax.spines["bottom"].set_visible(False)
            ax.tick_params(axis="y", length=0)
        panels[0].set_yticks(range(n), [wrapped(found.indicator.name, 26) for found in result.indicators], fontsize=8.5)
        panels[0].set_ylim(n - 0.5, -0.5)
        return finished(
            figure, name="classes_of_gains", alt=wording.classes_alt(result), caption=wording.classes_caption(result)
        )


def loss_curve(result: IndicatorSustainment) -> Figure | None:
    """The Kaplan-Meier curve as the share that still hold their gain, the number followed aligned under it."""
    curve = result.loss.curve
    if curve is None:
        return None
    steps = curve.curve
    last = max(float(steps["time"].max()), 1.0)
    with drawing(4.0) as figure:
        ax = figure.subplots()
        ax.fill_between(steps["time"], steps["low"], steps["high"], step="post", color=SKY, alpha=0.3, linewidth=0)
        few = wording.few_followed(result)
        sure, tail = steps.loc[~few], steps.loc[few | few.shift(-1, fill_value=False)]
        ax.step(sure["time"], sure["survival"], where="post", color=BLUE, linewidth=1.8, zorder=3)
        ax.step(
            tail["time"], tail["survival"], where="post", color=BLUE, linewidth=1.4, linestyle=(0, (1, 1.2)), zorder=2.5
        )
        chance = result.loss.by_chance
        if chance is not None:
            expected = chance.curve.loc[chance.curve["time"] <= last]
            ax.step(
                expected["time"], expected["survival"], where="post", color=BLACK, linestyle=(0, (4, 2)), linewidth=1.3,
                zorder=2,
            )  # fmt: skip
        censored = steps.loc[steps["censored"] > 0]
        ax.plot(censored["time"], censored["survival"], "|", color=BLUE, markersize=8, markeredgewidth=1.2)
        ax.set_xlim(-0.01 * last, last * 1.02)
        ax.set_ylim(-0.02, 1.04)
        ax.set_yticks(np.linspace(0, 1, 6), [f"{share:.0f}" for share in np.linspace(0, 100, 6)])
        ax.set_ylabel("Facilities that still hold their gain (%)")
        ax.set_xlabel("Months since support ended", labelpad=4)
        ticks = _month_counts(last)
        ax.set_xticks(ticks)
        _median(ax, result, curve, last)
        seen, by_chance = wording.loss_labels(result)
        beside = [(float(result.loss.last_told["survival"]), seen, BLUE)]  # as high as what it says, not as the tail
        if chance is not None:
            beside.append((float(chance.curve["survival"].iloc[-1]), by_chance, BLACK))
        labels_beside(ax, beside)
        open_under(ax, curve, ticks, "Facilities followed that still hold their gain")
        return finished(
            figure,
            name=f"loss_of_gain_{file_name(result.indicator.indicator_id)}",
            alt=wording.loss_alt(result),
            caption=wording.loss_caption(result),
        )


def _median(ax: Axes, result: IndicatorSustainment, curve: KaplanMeier, last: float) -> None:
    """The median marked on both axes, and named above them, where no curve runs."""
    if not result.loss.is_median_told:
        return
    ax.plot([0, curve.median], [0.5, 0.5], color=VERMILION, linestyle=":", linewidth=1.4, zorder=4)
    ax.axvline(curve.median, color=VERMILION, linestyle=":", linewidth=1.4, zorder=4)
    ax.annotate(
        f"Median: month {numbers.number(curve.median)}", (curve.median, 1), xycoords=("data", "axes fraction"),
        xytext=(0, 3), textcoords="offset points", color=VERMILION, va="bottom",
        ha="left" if curve.median < 0.15 * last else "right" if curve.median > 0.85 * last else "center",
    )  # fmt: skip


def _month_counts(last: float) -> list[int]:
    step = next(step for step in (1, 2, 3, 6, 12, 24) if last / step <= 12 or step == 24)
    return list(range(0, int(last + 0.1) + 1, step))


def share_kept(result: IndicatorSustainment) -> Figure | None:
    """The share of the gain kept, and the share of facilities that kept it, at each follow-up that is due."""
    due = [one for one in result.horizons if one.n_known]
    if not due or not any(one.n_told or _has_share(one) for one in due):
        return None
    with_share = wording.has_share(result)
    with drawing(3.3 if with_share else 2.7) as figure:
        panels = figure.subplots(1, 1 + with_share, squeeze=False)[0]
        for ax in panels:
            ax.set_xticks(range(len(due)), [f"{one.months_after}" for one in due])
            ax.set_xlim(-0.6, len(due) - 0.4)
            ax.set_xlabel("Months since support ended", labelpad=16)
        if with_share:
            _together(panels[0], due)
        _facilities(panels[-1], due)
        for ax in panels:
            ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f}".replace("-", numbers.MINUS))
        return finished(
            figure,
            name=f"gain_kept_{file_name(result.indicator.indicator_id)}",
            alt=wording.kept_alt(result),
            caption=wording.kept_caption(result),
        )


def _together(ax: Axes, due: list[Horizon]) -> None:
    """The share of the gain kept by all together, with where one more facility may lie."""
    limits = [0.0, 1.0]
    for place, one in enumerate(due):
        if _has_share(one) and one.share is not None:
            _interval(ax, place, one.share.estimate, one.share.low, one.share.high)
            far = [x for x in (one.share.prediction_low, one.share.prediction_high) if math.isfinite(x)]
            if len(far) == 2:
                ax.plot([place, place], far, color=BLUE, linewidth=1, zorder=2)
            limits += [one.share.low, one.share.high, *far]
    margin = 0.06 * (max(limits) - min(limits))
    ax.set_ylim(max(min(limits), -1.0) - margin, min(max(limits), 2.0) + margin)
    ax.axhline(1, color=GREY, linestyle=":", linewidth=1.1)
    ax.axhline(0, color=GREY, linestyle=":", linewidth=1.1)
    ax.set_ylabel("Share of the gain kept (%)")
    row_under(ax, "n =", [(place, f"{one.n_known}") for place, one in enumerate(due)], offset=-19)


def _facilities(ax: Axes, due: list[Horizon]) -> None:
    """The share of facilities that kept the gain, and the bounds for all others due."""
    for place, one in enumerate(due):
        _bounds(ax, place, one)
    ax.set_ylim(-0.03, 1.04)
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.set_ylabel("Facilities that kept the gain (%)")
    row_under(ax, "", [(place, f"{one.n_kept} of {one.n_told}") for place, one in enumerate(due)], offset=-19)


def _has_share(one: Horizon) -> bool:
    return one.share is not None and math.isfinite(one.share.low + one.share.high)


def _interval(ax: Axes, place: int, estimate: float, low: float, high: float, *, aside: float = 9) -> None:
    """A point with its interval, and its value so many points beside it."""
    ax.plot([place, place], [low, high], color=BLUE, linewidth=4, alpha=0.55, solid_capstyle="butt", zorder=3)
    ax.plot(place, estimate, "o", color=BLUE, markersize=6.5, zorder=4)
    ax.annotate(
        numbers.percent(estimate), (place, estimate), xytext=(aside, 0), textcoords="offset points", va="center",
        zorder=5,
    )  # fmt: skip


def _bounds(ax: Axes, place: int, one: Horizon) -> None:
    """From all others lost it to all others kept it; and the share of those told."""
    worst, best = one.n_kept / one.n_due, (one.n_due - one.n_lost) / one.n_due
    width = 0.7 if best > worst else 2.5  # a line where all due can be told, which must be seen
    ax.bar(place, best - worst, bottom=worst, width=0.26, color="#dddddd", edgecolor=GREY, linewidth=width, zorder=1)
    if one.kept is not None:
        _interval(ax, place, one.kept.estimate, one.kept.low, one.kept.high, aside=30)


def segments(result: IndicatorSustainment) -> Figure | None:
    """One small chart per facility that gained, at the end of support or later: three levels in each."""
    table = result.table
    rows = table.loc[table["start"].eq("gained") | table["class"].eq("gained later")]
    if rows.empty:
        return None
    indicator = result.indicator
    held = [result.segments[place] for place in rows.index]
    columns = min(4, len(held))
    n_rows = math.ceil(len(held) / columns)
    first = min(float(own.months["month"].min()) for own in held)
    last = max(float(own.months["month"].max()) for own in held)
    with drawing(0.85 + 1.42 * n_rows + (0.5 if n_rows == 1 else 0)) as figure:
        panels = figure.subplots(n_rows, columns, sharex=True, sharey=True, squeeze=False)
        highest = max(float(own.months["value"].max()) for own in held)
        value_axis(panels.flat[0], indicator, highest=highest, label=False)  # all others share it
        for ax, own, (_, row) in zip(panels.flat, held, rows.iterrows(), strict=False):
            _panel(ax, own, row, result)
            ax.set_xlim(first - 1, last + 1)
            ax.set_xticks([tick for tick in range(-48, 121, 12) if first - 1 <= tick <= last + 1])
            ax.tick_params(labelsize=7.5)
        for ax in list(panels.flat)[len(held) :]:
            ax.set_axis_off()
        for column, ax in enumerate(panels[-1]):
            if not ax.axison and n_rows > 1:  # the panel above it is the last of its column
                panels[-2][column].tick_params(labelbottom=True)
        figure.supylabel(wrapped(numbers.axis_label(indicator), max(22, 26 * n_rows - 10)), fontsize=9)
        figure.supxlabel("Months since support ended", fontsize=9)
        return finished(
            figure,
            name=f"levels_by_facility_{file_name(indicator.indicator_id)}",
            alt=wording.segments_alt(result),
            caption=wording.segments_caption(result),
        )


def _panel(ax: Axes, own: Segments, row: pd.Series, result: IndicatorSustainment) -> None:
    """Months as thin lines, levels as thick ones, the kept line dashed, and the class in words above."""
    months = own.months
    joined = months["joined"].iloc[0]
    support_from = -float((own.support_ended.year - joined.year) * 12 + own.support_ended.month - joined.month)
    ax.axvspan(support_from - 0.5, 0.5, color=BAND, linewidth=0, zorder=0)
    calendar = months.set_index("month")["value"]
    calendar = calendar.reindex(np.arange(calendar.index.min(), calendar.index.max() + 1))
    ax.plot(calendar.index, calendar, color=GREY, linewidth=0.7, marker=".", markersize=2.2, zorder=2)
    _level(ax, own.before, row["baseline"])
    _level(ax, own.at_end, row["end"])
    is_lost = row["class"] == "gained and lost"
    if not own.after.empty:
        latest = own.after["month"].max()
        reported = own.after.loc[own.after["month"] > latest - len(own.at_end)]
        _level(ax, reported, row["level_now"], colour=VERMILION if is_lost else BLUE)
    if row["start"] == "gained":
        line = kept_line(row["end"], result.indicator, result.options)
        ax.hlines(line, 0.5, months["month"].max() + 0.5, color=BLACK, linestyle=(0, (3, 2)), linewidth=0.8, zorder=3)
    if is_lost:
        lost = own.after.loc[own.after["period"] == row["lost_on"]]
        ax.plot(lost["month"], lost["value"], "v", color=VERMILION, markersize=5, zorder=5)
    people = own.months["denominator"].median()
    n = "" if result.indicator.kind == "count" else f", n = {people:,.0f}"
    ax.set_title(
        f"{wrapped(own.facility, 25)}\n{str(row['class']).capitalize()}{n}", fontsize=7.5, loc="left", pad=3,
        color=BLACK if is_lost else GREY,
    )  # fmt: skip


def _level(ax: Axes, months: pd.DataFrame, level: float, *, colour: str = BLUE) -> None:
    if len(months):
        ax.hlines(
            level, months["month"].min() - 0.5, months["month"].max() + 0.5, color=colour, linewidth=2.4, zorder=4
        )
