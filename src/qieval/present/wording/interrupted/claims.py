"""What the design and the interval allow to be said, and what would say otherwise."""

from __future__ import annotations

import math

import pandas as pd

from qieval.analyses.interrupted import Interrupted
from qieval.analyses.interrupted_line import months_used
from qieval.analyses.series import Indicator
from qieval.present.display import Text
from qieval.present.numbers import MINUS, change, count, listed, number, of, percent, value
from qieval.present.wording.interrupted.terms import (
    CASES,
    SHAPES,
    amount,
    by_levels,
    edge,
    has_case,
    limits,
    model_of,
    month_range,
)


def claims(result: Interrupted) -> Text:
    """What the design and the interval allow to be said, what was refused, and which other ways disagree."""
    lines = []
    if result.is_refused:
        lines = [_sooner(result)]  # nothing is built on a number that was refused
    elif result.month is not None:
        lines += [_by_design(result), _by_interval(result), _looked_for(result), _sooner(result)]
        lines += [
            *_disagreeing(result),
            _impossible(result),
            _edges(result),
            _moving(result),
            _of_line(result),
            months_more(result),
        ]
    return Text(sentences=[line for line in lines if line], style="note")


def months_more(result: Interrupted) -> str:
    """How many months more until a gain of the size aimed at could be told from none."""
    needed, indicator = result.needed, result.indicator
    if needed is None:
        return {
            "told": "",
            "no_target": "Without a target it cannot be said how many months more would be needed.",
            "reached": "The baseline was at the target already, so there is no gain to wait for.",
            "few_months": "How many months more would be needed cannot be said, as facilities share too few months.",
        }.get(result.not_planned, "How many months more would be needed cannot be said without a line of all together.")
    assert indicator.target is not None
    gain = (
        f"a change at once of {amount(abs(needed.gain), indicator)} (from the baseline of "
        f"{value(needed.baseline, indicator)} to the target of {value(indicator.target, indicator)})"
    )
    if needed.months is None:
        return (
            f"Even ten years after joining, {gain} could not be told from none with four chances in five: the months "
            "before joining are too few, or vary too much."
        )
    if needed.months == 0:
        return f"With the noise seen in all together, {gain} would have had four chances in five to show by now."
    return (
        f"With the noise seen in all together, {count(needed.months, 'month')} more would be needed until {gain} could "
        "be told from none with four chances in five."
    )


def _by_design(result: Interrupted) -> str:
    if not result.is_told or result.is_refused:
        return ""
    text = "This change is associated with the collaborative. The trend under way before joining is allowed for; "
    if result.model == "level" or (result.model is None and result.line is not None and result.line.model == "level"):
        text = (
            "This change is associated with the collaborative, and only describes: with so few months a trend that was "
            "under way before joining would be counted as change; "
        )
    return (
        text
        + {
            "interrupted": (
                "whatever else began in the same month is not, as all joined together and nobody is there to "
                "compare with."
            ),
            "staggered": (
                "as facilities joined in different months, a single event outside can hardly explain all of it; "
                "something else that came along with joining could."
            ),
            "controlled": (
                "there are comparison facilities, of which this estimate makes no use: whether care changed there as "
                "well decides how much more may be said."
            ),
            "run chart only": "",
        }[result.design]
    )


def _by_interval(result: Interrupted) -> str:
    interval = result.headline
    if result.is_told or result.is_refused or interval is None:
        return ""
    return (
        "That no change could be told does not mean that there was none: these data agree with anything from "
        f"{limits(interval[1], interval[2], result.indicator)}."
    )


def _sooner(result: Interrupted) -> str:
    if result.month is None or result.month == result.month_asked:
        return ""
    why = "since the data of too few facilities go further"
    if result.month > result.month_asked:
        why = "the first after the transition"
    return f"Told at month {result.month} after joining and not at month {result.month_asked}, {why}."


def _rows_against(result: Interrupted) -> pd.DataFrame:
    """Other ways that say otherwise; that without impossible trends has a sentence of its own."""
    assert result.sensitivity is not None
    rows = result.sensitivity
    return rows.loc[~rows["agrees"] & rows["case"].ne("possible_trends")]


def _disagreeing(result: Interrupted) -> list[str]:
    lines = []
    if result.sensitivity is not None:
        for row in _rows_against(result).itertuples(index=False):
            shown = limits(row.low, row.high, result.indicator)
            lines.append(
                f"Another way would say otherwise: {CASES[row.case]}, it is {change(row.estimate, result.indicator)} "
                f"(95% interval {shown}, {count(row.k, 'facility', 'facilities')})."
                + (" Newey-West intervals are too narrow in short series." if row.case == "newey_west" else "")
            )
    return lines


def _moving(result: Interrupted) -> str:
    told = result.facilities.loc[result.facilities["estimate"].notna()]
    moving = list(told.loc[told["baseline_moving"], "facility"])
    if not moving:
        return ""
    text = f"The baseline was itself moving in {listed(moving)}: there the change rests on that trend going on."
    if has_case(result, "steady_baselines"):
        assert result.sensitivity is not None
        row = result.sensitivity.set_index("case").loc["steady_baselines"]
        text += (
            f" Without {'it' if len(moving) == 1 else 'these'} the average is "
            f"{change(row['estimate'], result.indicator)} "
            f"(95% interval {limits(row['low'], row['high'], result.indicator)})."
        )
    return text


def _impossible(result: Interrupted) -> str:
    """The average without trends that cannot have gone on, and whether the answer rests on them."""
    if result.sensitivity is None or "possible_trends" not in set(result.sensitivity["case"]):
        return ""
    indicator, row = result.indicator, result.sensitivity.set_index("case").loc["possible_trends"]
    assert result.pooled is not None
    n = result.pooled.k - int(row["k"])
    text = (
        f"In {of(n, result.pooled.k, 'facility', 'facilities')}, with {percent(result.beyond_share)} of the weight, "
        f"the trend before joining, carried on, would pass {edge(indicator)}, which cannot be."
    )
    without = "it" if n == 1 else "these"
    if pd.isna(row["estimate"]):
        left = count(int(row["k"]), "facility is", "facilities are")
        return f"{text} Without {without} {left} left, too few for an average, so the answer rests on {without}."
    shown = f"{change(row['estimate'], indicator)} (95% interval {limits(row['low'], row['high'], indicator)})"
    if row["agrees"]:
        return f"{text} Without {without} the average is {shown}, which says the same."
    turned = "a change is told" if not row["low"] <= 0 <= row["high"] else "no change can be told"
    return f"{text} Without {without} the answer is another: the average is {shown}, and {turned}."


def _edges(result: Interrupted) -> str:
    """Whom the average lacks because no interval can be given, and that this moves it."""
    rows = result.facilities.loc[result.facilities["reason"] == "at_edge"]
    if rows.empty or result.pooled is None:
        return ""
    return (
        f"The average is without {by_levels(rows)}: at or next to 0% or 100% months cannot vary and give no interval. "
        f"With {'it' if len(rows) == 1 else 'them'} the average would be another."
    )


def _looked_for(result: Interrupted) -> str:
    """The shape a change is given beforehand, and which months cannot speak to it."""
    assert result.month is not None
    first, _ = months_used(result.month, result.transition_months)
    text = f"The change is looked for as {SHAPES[model_of(result)]}"
    if first == 0:
        return f"{text}, from the month of joining on."
    left_out = f"{month_range(0, first - 1)} after joining" if first > 1 else "the month of joining"
    return (
        f"{text}, with {left_out} left out, since a straight line through the first climb "
        "would tell neither the climb nor where care stood after it."
    )


def _of_line(result: Interrupted) -> str:
    """The line of all together: its change as a share, its jump, its slope, and how far months resemble each other."""
    line, indicator = result.line, result.indicator
    if line is None:
        return ""
    told = line.headline
    carried = "where its trend before would have put it" if line.model == "trend" else "the level before"
    if pd.isna(told["relative"]):
        text = (
            "In the line of all together the change cannot be given as a share, since the "
            f"{'trend' if line.model == 'trend' else 'level'} before, carried on, may as well be 0."
        )
    else:
        share = told["relative"]
        text = (
            f"In the line of all together the level at month {result.month} is {percent(abs(share))} "
            f"{'above' if share >= 0 else 'below'} {carried} (95% interval {_share(told['relative_low'])} to "
            f"{_share(told['relative_high'])} of that)."
        )
    terms = line.changes.set_index("term")
    if line.model == "trend" and "slope_change" in terms.index:
        jump, slope = terms.loc["level_change"], terms.loc["slope_change"]
        widest = max(abs(slope["low"]), abs(slope["high"]))
        text += (
            f" At month {line.span[0]} the jump is {change(jump['estimate'], indicator)} (95% interval "
            f"{limits(jump['low'], jump['high'], indicator)}); from there its slope differs from that of the trend by "
            f"{_a_month(slope['estimate'], widest, indicator)} a month (95% interval "
            f"{_a_month(slope['low'], widest, indicator, bare=True)} to {_a_month(slope['high'], widest, indicator)})"
        )
        text += "." if not slope["low"] <= 0 <= slope["high"] else ", no change of slope that could be told."
    return f"{text} {_resemblance(line.phi)}"


def _resemblance(phi: float) -> str:
    """Autocorrelation in plain words."""
    how = "swing to the other side of" if phi < -0.2 else "hardly resemble"
    if phi >= 0.2:
        how = "strongly resemble" if phi >= 0.5 else "somewhat resemble"
    shown = number(round(phi, 2)) if abs(phi) >= 0.005 else "0"
    return f"Its months {how} the ones before them (autocorrelation {shown}), which the interval allows for."


def _share(x: float) -> str:
    """A share with its sign: +45%."""
    text = f"{100 * x:+,.0f}%".replace("-", MINUS)
    return "0%" if text.lstrip(f"+{MINUS}") == "0%" else text


def _a_month(x: float, widest: float, indicator: Indicator, *, bare: bool = False) -> str:
    """A change of slope, with as many decimals as the wider of its limits can bear."""
    scale = 100 if indicator.kind == "proportion" else 1
    decimals = min(max(1 - math.floor(math.log10(scale * widest)), 0), 1 if scale == 100 else 3)
    rounded = round(scale * x, decimals)
    text = f"{'+' if rounded > 0 else ''}{number(rounded)}"
    return text if bare or indicator.kind != "proportion" else f"{text} points"
