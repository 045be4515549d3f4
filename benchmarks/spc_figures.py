"""Draws the figures of docs/spc.md, from the simulated demo, and writes its table of false signals anew.

    .venv/bin/python benchmarks/spc_figures.py [--png FOLDER]

The facilities are invented; what happened in them is known from the simulation.
"""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, MonthLocator
from matplotlib.ticker import NullLocator, PercentFormatter, StrMethodFormatter

from qieval.methods import funnel, spc
from qieval.present.display import Figure
from qieval.present.theme import BLACK, BLUE, GREY, SKY, VERMILION, drawing, finished

DOCS = Path(__file__).resolve().parents[1] / "docs"
COUNTS = {"period": "period", "numerator": "numerator", "denominator": "denominator"}
BEGIN, END = "<!-- false signals: written by benchmarks/spc_figures.py -->", "<!-- end of false signals -->"

# What is asked of the table: how it reads, the rules, whether there are limits, the months of a frozen baseline.
ASKED = (
    ("run chart, Anhøj rules, median of all months", "anhoej", False, None),
    ("run chart, Anhøj rules, median of 12 baseline months", "anhoej", False, 12),
    ("the same with our wider limits (`anhoej_baseline`)", "anhoej_baseline", False, 12),
    ("run chart, shift of 6 and trend of 5 (`ihi`)", "ihi", False, None),
    ("control chart, a point outside (`outside`)", "outside", True, None),
    ("control chart, our default (`outside` and `anhoej`)", ("outside", "anhoej"), True, None),
    ("Making Data Count, shift of 7 (`mdc`)", "mdc", True, None),
    ("Making Data Count, older lengths 8 and 6 (`mdc_8_6`)", "mdc_8_6", True, None),
    ("Western Electric", "western_electric", True, None),
    ("Nelson, all eight", "nelson", True, None),
)
LENGTHS = (24, 36, 60)


def main() -> None:
    """Write figures and table; with --png also large pictures to look at."""
    shown = Path(sys.argv[2]) if sys.argv[1:2] == ["--png"] else None
    for draw in (run_chart, p_chart, small_numbers, funnel_plot, ewma_chart):
        figure = draw(breastfeeding())
        (DOCS / "spc" / f"{figure.name}.svg").write_text(figure.svg, encoding="utf-8")
        print(f"{figure.name}.svg: {len(figure.svg.encode()) / 1000:.0f} kB. {figure.alt}")
        if shown:
            (shown / f"{figure.name}.png").write_bytes(figure.png)
    page = DOCS / "spc.md"
    text = page.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{false_signals()}\n{END}{after}", encoding="utf-8")


def false_signals() -> str:
    """The table in Markdown: of 100 charts in which nothing changed, how many signal."""
    lines = [
        "| rules | " + " | ".join(f"{n} months" for n in LENGTHS) + " |",
        "|---|" + "---:|" * len(LENGTHS),
    ]
    for words, rules, has_limits, baseline in ASKED:
        rates = [spc.false_signal_rate(rules, n, baseline=baseline, has_limits=has_limits) for n in LENGTHS]
        lines.append(f"| {words} | " + " | ".join(f"{100 * rate:.0f}" for rate in rates) + " |")
    return "\n".join(lines)


def breastfeeding() -> pd.DataFrame:
    """Early initiation of breastfeeding in the 24 facilities of the demo, by name."""
    folder = resources.files("qieval") / "study" / "examples" / "demo"
    with resources.as_file(folder) as path:
        rows = pd.read_csv(path / "measurements.csv", parse_dates=["period"])
        names = pd.read_csv(path / "facilities.csv").set_index("facility_id")["name"]
    rows = rows[rows["indicator_id"] == "early_breastfeeding"]
    return rows.assign(facility=rows["facility_id"].map(names))[["facility", *COUNTS]].reset_index(drop=True)


def run_chart(data: pd.DataFrame) -> Figure:
    """A hospital that improved, about the median of the months before it joined."""
    name, joined = "Copper Dragon District Hospital", pd.Timestamp("2022-07-01")
    own = data[data["facility"] == name]
    found = spc.chart(own, "run", **COUNTS, baseline="2022-06-01", rules="anhoej_baseline")
    points, told = found.points, found.series.iloc[0]
    with drawing(3.2) as figure:
        ax = _axes(figure.subplots(), "breastfed within one hour")
        ax.plot(points["period"], points["value"], "o-", color=BLUE, markersize=4)
        _centre(ax, points, until=pd.Timestamp("2022-06-01"))
        ax.axvline(joined, color=GREY, linewidth=0.9, linestyle=":")
        ax.annotate("joined", (joined, 1.0), xytext=(4, -2), textcoords="offset points", va="top", color=GREY)
        _beside(ax, points, points["centre"].iloc[-1], f"median of the 18\nmonths before:\n{told['centre']:.0%}")
        return finished(
            figure, name="run_chart", caption="",
            alt=f"Run chart of early breastfeeding in the invented {name}, {_span(points)}. About the median of the "
            f"months before it joined, {told['centre']:.0%}, the longest run has {told['longest_run']} months (by "
            f"chance up to {told['longest_run_limit']}) and the line is crossed {told['crossings']} times (by chance "
            f"at least {told['crossings_limit']}): {'a signal' if told['runs_signal'] else 'no signal'}.",
        )  # fmt: skip


def p_chart(data: pd.DataFrame) -> Figure:
    """A hospital about limits frozen before it joined, and the phase after its gain."""
    name = "Golden Phoenix District Hospital"
    last_base, joined, held = map(pd.Timestamp, ("2022-03-01", "2022-04-01", "2022-10-01"))
    own = data[data["facility"] == name]
    found = spc.chart(own, "p", **COUNTS, phases=[held], baseline=last_base)
    points = found.points
    with drawing(3.4) as figure:
        ax = _axes(figure.subplots(), "breastfed within one hour")
        for _, part in points.groupby("phase"):
            edges = [*part["period"], part["period"].iloc[-1] + pd.Timedelta(days=30)]
            for side in ("lcl", "ucl"):
                ax.step(edges, [*part[side], part[side].iloc[-1]], where="post", color=GREY, linewidth=0.9)
            _centre(ax, part, until=last_base if part["phase"].iloc[0] == 1 else None)
        ax.plot(points["period"], points["value"], color=BLUE)
        _marks(ax, points, points["outside"])
        for when, words in ((joined, "joined"), (held, "new phase:\ngain reached")):
            ax.axvline(when, color=GREY, linewidth=0.9, linestyle=":")
            ax.annotate(words, (when, 0.1), xytext=(4, 0), textcoords="offset points", va="bottom", color=GREY)
        last = points.iloc[-1]
        for height, words in (
            (last["ucl"], "upper limit"),
            (last["centre"], "centre\nline"),
            (last["lcl"], "lower limit"),
        ):
            _beside(ax, points, height, words, colour=VERMILION if "centre" in words else GREY)
        n_beyond = int(points.loc[points["phase"] == 1, "outside"].sum())
        before, after = found.series["centre"]
        return finished(
            figure, name="p_chart", caption="",
            alt=f"P chart of early breastfeeding in the invented {name}, {_span(points)}. Limits frozen on the months "
            f"before it joined lie about {before:.0%}; {n_beyond} of the months to September 2022 lie outside. In "
            f"the phase from October 2022 the centre line is {after:.0%}. Limits step with the number of births.",
        )  # fmt: skip


def small_numbers(data: pd.DataFrame) -> Figure:
    """The same level of care in a health centre and a hospital: limits as wide as numbers are small."""
    names = ("Emerald Phoenix Health Centre", "Blue Unicorn Medical College")
    own = data[data["facility"].isin(names) & (data["period"] < "2022-01-01")]
    found = spc.chart(own, "p", **COUNTS, by="facility")
    with drawing(2.8) as figure:
        axes = figure.subplots(1, 2, sharey=True)
        for ax, name in zip(axes, names, strict=True):
            points = found.points[found.points["facility"] == name]
            _axes(ax, "breastfed within one hour" if ax is axes[0] else "", months=4)
            ax.set_title(f"{name}:\nabout {points['n'].median():.0f} births a month", loc="left")
            for side in ("lcl", "ucl"):
                ax.plot(points["period"], points[side], color=GREY, linewidth=0.9, drawstyle="steps-mid")
            ax.plot(points["period"], points["centre"], color=VERMILION)
            ax.plot(points["period"], points["value"], "o-", color=BLUE, markersize=4)
        low, high = found.points.loc[found.points["facility"] == names[0], "value"].agg(["min", "max"])
        assert not found.points["outside"].any()
        return finished(
            figure, name="small_numbers", caption="",
            alt=f"Two p charts of 2021. {names[0]}: single months from {low:.0%} to {high:.0%}, all between limits "
            f"that fill the page. {names[1]}: the limits are a narrow band around about the same level.",
        )  # fmt: skip


def funnel_plot(data: pd.DataFrame) -> Figure:
    """All facilities in the last half-year."""
    late = data[data["period"] >= "2023-07-01"].groupby("facility", as_index=False)[["numerator", "denominator"]].sum()
    found = funnel.funnel(late, "proportion", overdispersion="additive", rescale=True)
    units, curve = found.units, found.curve
    with drawing(3.4) as figure:
        ax = figure.subplots()
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        for level, style, prefix, colour in (("95", (0, (4, 2)), "", GREY), ("99.8", "solid", "", GREY),
                                             ("99.8", (0, (1, 1.5)), "unadjusted_", SKY)):  # fmt: skip
            for side in ("lower", "upper"):
                limit = curve[f"{prefix}{side}_{level}"]
                ax.plot(curve["denominator"], limit, color=colour, linewidth=1, linestyle=style)
        ax.axhline(found.target, color=VERMILION, linewidth=1.2)
        is_in = units["outside_95"] == "inside"
        for marked, marker, colour in ((is_in, "o", BLUE), (~is_in, "D", BLACK)):
            ax.plot(units.loc[marked, "denominator"], units.loc[marked, "value"], marker, color=colour, markersize=5)
        for _, unit in units[~is_in].iterrows():
            ax.annotate(unit["unit"], (unit["denominator"], unit["value"]), xytext=(8, 0), textcoords="offset points",
                        va="center", fontsize=8.5)  # fmt: skip
        ax.set_xscale("log")
        ax.set_xticks([20, 50, 100, 200, 500, 1000], minor=False)
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        ax.set(ylim=(0.2, 1.03), ylabel="breastfed within one hour", xlabel="births in six months")
        right = curve.iloc[-1]
        for height, words, colour in ((right["upper_99.8"], "99.8%", GREY), (right["upper_95"], "95%", GREY),
                                      (found.target, f"all: {found.target:.0%}", VERMILION),
                                      (right["lower_95"], "95%", GREY),
                                      (right["lower_99.8"], "99.8%", GREY)):  # fmt: skip
            ax.annotate(words, (1, height), xycoords=("axes fraction", "data"), xytext=(5, 0),
                        textcoords="offset points", va="center", color=colour, fontsize=8.5)  # fmt: skip
        n_inner, n_outer = (int((units[f"outside_{level}"] != "inside").sum()) for level in ("95", "99.8"))
        return finished(
            figure, name="funnel", caption="",
            alt=f"Funnel plot of {len(units)} invented facilities, July to December 2023: share breastfed by number of "
            f"births. About the level of all, {found.target:.0%}, limits narrow as births grow; widened for the spread "
            f"between facilities they leave {n_inner} outside 95% and {n_outer} outside 99.8%.",
        )  # fmt: skip


def ewma_chart(data: pd.DataFrame) -> Figure:
    """A gain that fades after support ended."""
    name, ended = "Amber Kraken District Hospital", pd.Timestamp("2023-01-01")
    own = data[(data["facility"] == name) & (data["period"] >= "2022-07-01")]
    watch = spc.ewma(own, **COUNTS, kind="p", baseline="2022-12-01")
    points = watch.points
    with drawing(3.0) as figure:
        ax = _axes(figure.subplots(), "breastfed within one hour", months=3)
        ax.plot(points["period"], points["value"], "o", color=SKY, markersize=4)
        for side in ("lcl", "ucl"):
            ax.plot(points["period"], points[side], color=GREY, linewidth=0.9)
        ax.plot(points["period"], points["centre"], color=VERMILION)
        ax.plot(points["period"], points["ewma"], color=BLUE)
        _marks(ax, points.assign(value=points["ewma"]), points["below"] | points["above"], quiet=False)
        ax.axvline(ended, color=GREY, linewidth=0.9, linestyle=":")
        ax.annotate("support ended", (ended, 1.0), xytext=(4, -2), textcoords="offset points", va="top", color=GREY)
        _beside(ax, points, points["ewma"].iloc[-1], "weighted\naverage", colour=BLUE)
        _beside(ax, points, points["centre"].iloc[-1], "level to hold", colour=VERMILION)
        first = watch.series["first_below"].iloc[0]
        alone = spc.chart(own, "p", **COUNTS, baseline="2022-12-01").points
        alone = alone.loc[alone["outside"] & ~alone["in_baseline"], "period"].min()
        return finished(
            figure, name="ewma", caption="",
            alt=f"EWMA chart of the invented {name}, {_span(points)}: months as dots, and a weighted average of them "
            f"that is watched after support ended. It falls below its lower limit in {first:%B %Y}; the first month "
            f"outside the limits of a p chart is {alone:%B %Y}.",
        )  # fmt: skip


def _axes(ax: Axes, label: str, *, months: int = 6) -> Axes:
    ax.set(ylim=(0, 1.04), ylabel=label)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.xaxis.set_major_locator(MonthLocator(range(1, 13, months)))
    ax.xaxis.set_major_formatter(DateFormatter("%b\n%Y"))
    ax.margins(x=0.02)
    return ax


def _centre(ax: Axes, points: pd.DataFrame, *, until: pd.Timestamp | None) -> None:
    """The line, dashed where it is only carried forward."""
    period, centre = points["period"], points["centre"]
    own = period <= until if until is not None else pd.Series(True, index=points.index)
    ax.plot(period[own], centre[own], color=VERMILION)
    if until is not None:
        ax.plot(period[period >= until], centre[period >= until], color=VERMILION, linestyle=(0, (5, 3)))


def _marks(ax: Axes, points: pd.DataFrame, signals: pd.Series, *, quiet: bool = True) -> None:
    if quiet:
        ax.plot(points.loc[~signals, "period"], points.loc[~signals, "value"], "o", color=BLUE, markersize=4)
    ax.plot(points.loc[signals, "period"], points.loc[signals, "value"], "D", color=BLACK, markersize=5, zorder=4)


def _beside(ax: Axes, points: pd.DataFrame, height: float, words: str, colour: str = VERMILION) -> None:
    ax.annotate(
        words, (points["period"].iloc[-1], height), xytext=(14, 0), textcoords="offset points", va="center",
        color=colour, fontsize=8.5, annotation_clip=False,
    )  # fmt: skip


def _span(points: pd.DataFrame) -> str:
    return f"{points['period'].iloc[0]:%B %Y} to {points['period'].iloc[-1]:%B %Y}"


if __name__ == "__main__":
    main()
