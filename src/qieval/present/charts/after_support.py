"""Care after support ended: the average by month, and each facility's change."""

from __future__ import annotations

from qieval.analyses.after_support import AfterSupport
from qieval.present import numbers
from qieval.present.charts.axes import labels_beside, row_under, wrapped
from qieval.present.charts.forest import average_rows, bare, beside, better, change_ticks, change_unit, facility_row
from qieval.present.display import Figure, file_name
from qieval.present.theme import BAND, BLUE, GREY, VERMILION, drawing, finished
from qieval.present.wording import after_support as wording
from qieval.present.wording.interrupted.terms import limits


def path(result: AfterSupport) -> Figure | None:
    """How far facilities stood, on average, from what they held, month by month; None without an average."""
    if result.pooled is None or result.is_refused or result.month is None:
        return None
    line, dots = result.path, result.dots if result.held == "level" else result.dots.iloc[:0]
    first = int(dots["month"].min()) if len(dots) else -2
    with drawing(3.6) as figure:
        ax = figure.subplots()
        ax.axvspan(first - 1, 0.5, color=BAND, linewidth=0, zorder=0)
        ax.axhline(0, color=VERMILION, linestyle=(0, (5, 3)), linewidth=1.2, zorder=2)
        ax.fill_between(line["month"], line["low"], line["high"], color=BLUE, alpha=0.16, linewidth=0, zorder=1)
        ax.plot(line["month"], line["estimate"], color=BLUE, linewidth=2, zorder=3)
        ax.plot(dots["month"], dots["estimate"], "o", color=BLUE, markersize=4.2, zorder=4)
        ax.set_xlim(first - 0.8, result.month + 0.6)
        ends = [*line["low"], *line["high"], *dots["estimate"], 0.0]
        margin = 0.06 * (max(ends) - min(ends))
        ax.set_ylim(min(ends) - margin, max(ends) + margin)
        ticks = [k for k in range(first, result.month + 1) if k % (3 if result.month - first > 8 else 1) == 0]
        ax.set_xticks(ticks, [str(k).replace("-", numbers.MINUS) for k in ticks])
        ax.text(
            0.5, 1.015, "support ended", transform=ax.get_xaxis_transform(), ha="center", va="bottom", color=VERMILION
        )  # fmt: skip
        ax.axvline(0.5, color=VERMILION, linewidth=1.1, linestyle=(0, (5, 3)), zorder=1)
        change_ticks(ax.yaxis, result.indicator)
        held = "level held" if result.held == "level" else "trend in support"
        ax.set_ylabel(wrapped(f"Change from the {held}{change_unit(result.indicator)}", 34))
        ax.set_xlabel("Months since support ended", labelpad=16 if len(dots) else 4)
        if len(dots):
            by_month = dots.set_index("month")["facilities"]
            row_under(
                ax, "facilities =", [(k, f"{by_month[k]}") for k in ticks if k in by_month.index], offset=-19
            )  # fmt: skip
        pooled = result.pooled
        told = numbers.change(pooled.estimate, result.indicator)
        interval = bare(limits(pooled.low, pooled.high, result.indicator))
        carried = "Level held,\ncarried on" if result.held == "level" else "Trend before,\ncarried on"
        labels_beside(
            ax,
            [
                (float(line["estimate"].iloc[-1]), f"Month {result.month}: {told}\n({interval})", BLUE),
                (0.0, carried, VERMILION),
            ],
        )
        return finished(
            figure,
            name=f"after_support_{file_name(result.indicator.indicator_id)}",
            alt=wording.path_alt(result),
            caption=wording.path_caption(result),
        )


def forest(result: AfterSupport) -> Figure | None:
    """One row per facility with its change and interval, the average below; None where no facility tells a change."""
    told = result.facilities.loc[result.facilities["estimate"].notna()].reset_index(drop=True)
    if told.empty:
        return None
    pooled = result.pooled
    n_below = 2 if pooled is not None else 0
    with drawing(1.25 + 0.235 * (len(told) + n_below)) as figure:
        figure.get_layout_engine().set(w_pad=0.1)  # type: ignore[union-attr, call-arg]
        ax = figure.subplots()
        ax.set_xlim(*wording.shown_range(result))
        ax.set_ylim(len(told) + n_below - 0.4, -0.7)
        ax.axvline(0, color=GREY, linewidth=0.9, zorder=1)
        labels = [f"{row['facility']}{' ‡' * bool(row['beyond'])}" for _, row in told.iterrows()]
        for y, row in told.iterrows():
            used = f"{row['n_before']} + {row['n_after']}"
            facility_row(ax, int(str(y)), row, result.indicator, used, in_average=True)
        if pooled is not None:
            labels += [
                f"Average of {pooled.k}{', no claim' if result.is_refused else ' facilities'}",
                "One more facility like these",
            ]
            average_rows(ax, len(told), pooled, result.indicator, is_refused=result.is_refused)
        ax.set_yticks(range(len(labels)), labels, fontsize=8.5)
        ax.tick_params(axis="y", length=0, pad=9)
        ax.spines["left"].set_visible(False)
        beside(ax, -0.9, "Months used", "Change (95% interval)", colour=GREY)
        change_ticks(ax.xaxis, result.indicator)
        change = f"Change at month {result.month} after support{change_unit(result.indicator)}"
        ax.set_xlabel(f"{change}; {better(result.indicator)}")
        return finished(
            figure,
            name=f"after_support_forest_{file_name(result.indicator.indicator_id)}",
            alt=wording.forest_alt(result),
            caption=wording.forest_caption(result),
        )
