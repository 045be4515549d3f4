"""Care beside visits: the change that went with each further visit, a panel for each unit."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from qieval.analyses.dose_response import DoseResponse, Response, Slope
from qieval.present.charts.axes import wrapped
from qieval.present.display import Figure
from qieval.present.numbers import MINUS
from qieval.present.theme import BLACK, BLUE, GREY, drawing, finished
from qieval.present.wording import dose_response as wording

_APART = 0.17  # of a row: visits made above its middle, visits still to come below


def slopes(result: DoseResponse) -> Figure | None:
    """A row per indicator: visits made as a dot, visits still to come open and grey below it."""
    if not any(one.slope for one in result.responses):
        return None
    panels: dict[str, list[Response]] = {}
    for one in result.responses:
        panels.setdefault(wording.axis_title(one.indicator), []).append(one)
    sizes = [len(rows) for rows in panels.values()]
    with drawing(0.6 + 0.55 * sum(sizes) + 0.75 * len(panels)) as figure:
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[0.35 + n for n in sizes])[:, 0]
        for ax, (title, rows) in zip(axes, panels.items(), strict=True):
            _panel(ax, rows)
            ax.set_xlabel(title)
        _heading(axes[0], "Visits made", BLUE, up=14)
        if any(one.ahead for one in result.responses):
            _heading(axes[0], "Visits still to come", GREY, up=1)
        return finished(figure, name="care_beside_visits", alt=wording.alt(result), caption=wording.caption(result))


def _panel(ax: Axes, rows: list[Response]) -> None:
    ax.axvline(0, color=GREY, linestyle=":", linewidth=1.2)
    for y, one in enumerate(rows):
        if one.slope is None:
            _beside(ax, y, wording.why_not(one), GREY)
            continue
        _interval(ax, y - _APART, one, one.slope, made=True)
        if one.ahead is not None:
            _interval(ax, y + _APART, one, one.ahead, made=False)
    ax.set_ylim(len(rows) - 0.5, -0.6)
    ax.set_yticks(range(len(rows)), [_name(one) for one in rows])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    scale = 100 if rows[0].indicator.kind == "proportion" else 1
    ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{scale * x:+g}".replace("-", MINUS) if x else "0"))


def _name(one: Response) -> str:
    better = "more is better" if one.indicator.sign > 0 else "less is better"
    return f"{wrapped(one.indicator.name, 38)}\n({better}; n = {one.n_facilities})"


def _interval(ax: Axes, y: float, one: Response, found: Slope, *, made: bool) -> None:
    colour = BLUE if made else GREY
    ax.hlines(y, found.low, found.high, color=colour, linewidth=2 if made else 1.1)
    ax.plot(
        found.estimate, y, "o", color=colour, markersize=6.5 if made else 4.5,
        markerfacecolor=colour if made else "white", zorder=3,
    )  # fmt: skip
    _beside(ax, y, wording.with_limits(found, one.indicator), BLACK if made else GREY)


def _beside(ax: Axes, y: float, text: str, colour: str) -> None:
    ax.annotate(
        text, (1, y), xycoords=("axes fraction", "data"), xytext=(8, 0), textcoords="offset points", va="center",
        fontsize=8.5, color=colour, annotation_clip=False,
    )  # fmt: skip


def _heading(ax: Axes, text: str, colour: str, *, up: int) -> None:
    ax.annotate(
        text, (1, 1), xycoords="axes fraction", xytext=(8, up), textcoords="offset points", va="bottom", fontsize=8.5,
        color=colour, annotation_clip=False,
    )  # fmt: skip
