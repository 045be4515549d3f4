"""Levels before, at the end of support and after it, one line per facility."""

from __future__ import annotations

import pandas as pd
import seaborn as sns

from qieval.analyses.sustainment import IndicatorSustainment
from qieval.present import numbers
from qieval.present.charts.axes import value_axis
from qieval.present.display import Figure, file_name
from qieval.present.theme import BLACK, BLUE, GREY, VERMILION, drawing, finished
from qieval.present.wording import sustainment as wording

LOOK = {  # outcome at the last follow-up known: colour, marker, dashes
    "kept": (BLUE, "o", ""),
    "partly lost": (VERMILION, "v", (4, 2)),
    "lost": (BLACK, "X", (1, 1.5)),
    "not known": (GREY, ".", (1, 1.5)),
}


def levels(result: IndicatorSustainment) -> Figure | None:
    """One line per facility that had gained, marked by what became of the gain."""
    gained = result.table.loc[result.table["start"] == "gained"]
    if gained.empty:
        return None
    moments = ["baseline", "end", *(f"level_{horizon.months_after}" for horizon in result.horizons)]
    names = ["Baseline", "End of\nsupport", *(f"{horizon.months_after} months\nafter" for horizon in result.horizons)]
    outcome = gained.apply(lambda row: last_known_outcome(row, result), axis=1)
    long = gained.assign(outcome=outcome).melt(["facility", "outcome"], moments, "moment", "level")
    long["moment"] = long["moment"].map({moment: position for position, moment in enumerate(moments)})
    present = [name for name in LOOK if (outcome == name).any()]
    with drawing(3.7) as figure:
        ax = figure.subplots()
        sns.lineplot(
            long,
            x="moment",
            y="level",
            units="facility",
            estimator=None,
            hue="outcome",
            style="outcome",
            hue_order=present,
            style_order=present,
            palette={name: LOOK[name][0] for name in present},
            markers={name: LOOK[name][1] for name in present},
            dashes={name: LOOK[name][2] for name in present},
            markersize=6,
            linewidth=1.2,
            alpha=0.85,
            ax=ax,
        )
        value_axis(ax, result.indicator, highest=max(long["level"].max(), result.indicator.target or 0.0))
        if result.indicator.target is not None:
            ax.axhline(result.indicator.target, color=GREY, linestyle=":", linewidth=1.2)
            ax.annotate(
                f"Target {numbers.value(result.indicator.target, result.indicator)}",
                (0, result.indicator.target), xytext=(-14, 3), textcoords="offset points", color=GREY, fontsize=8.5,
                bbox={"facecolor": "white", "alpha": 0.8, "pad": 1, "linewidth": 0},
            )  # fmt: skip
        ax.set_xticks(range(len(moments)), names)
        ax.set_xlim(-0.2, len(moments) - 0.8)
        ax.set_xlabel("")
        counts = outcome.value_counts()
        handles, labels = ax.get_legend_handles_labels()
        ax.legend(
            handles, [f"{name} ({counts[name]})" for name in labels], loc="center left", bbox_to_anchor=(1.0, 0.5),
            frameon=False, title="Gain since then",
        )  # fmt: skip
        return finished(
            figure,
            name=f"gain_kept_{file_name(result.indicator.indicator_id)}",
            alt=wording.levels_alt(result),
            caption=wording.levels_caption(result),
        )


def last_known_outcome(row: pd.Series, result: IndicatorSustainment) -> str:
    """What became of a facility's gain at the last follow-up it reported for."""
    known = [row[f"outcome_{horizon.months_after}"] for horizon in result.horizons]
    known = [outcome for outcome in known if outcome in ("kept", "partly lost", "lost")]
    return known[-1] if known else "not known"
