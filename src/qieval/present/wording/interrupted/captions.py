"""Captions and alternative texts of the figures of an interrupted time series."""

from __future__ import annotations

from qieval.analyses.interrupted import Interrupted
from qieval.present.numbers import count, listed
from qieval.present.wording.interrupted.answer import answer, together
from qieval.present.wording.interrupted.terms import SHAPES, edge, left_out, month_range


def line_caption(result: Interrupted) -> str:
    """Caption of the interrupted time series."""
    line = result.line
    assert line is not None
    n = count(len(line.facilities), "facility", "facilities")
    by = "by months since each joined" if line.aligned else "month by month"
    carried = "the trend before, carried on," if line.model == "trend" else "the level before, carried on,"
    text = f"{result.indicator.name}, the people of {n} added up, {by}. Solid: fitted. "
    text += f"Dashed: {carried} with its 95% band. The change is looked for as {SHAPES[line.model]}."
    unused = line.points.loc[line.points["value"].notna() & ~line.points["used"], "since"]
    climb, later = unused[unused < line.span[0]], unused[unused > line.span[1]]
    if len(unused):
        early = f"{month_range(0, line.span[0] - 1)} after joining" if line.span[0] > 1 else "the month of joining"
        left = [f"the climb in {early}"] * bool(len(climb))
        left += [f"what came after month {line.span[1]}"] * bool(len(later))
        text += f" Open dots: {' and '.join(left)}, left out of the fit."
    if line.left_out:
        text += f" Not in it, as their months do not cover the same time: {listed(list(line.left_out))}."
    if result.pooled is not None:
        text += " Large facilities weigh most here; the answer above is the average over facilities."
    return text


def line_alt(result: Interrupted) -> str:
    """Alternative text of the interrupted time series."""
    return f"Interrupted time series of {result.indicator.name}. {together(result)}"


def forest_caption(result: Interrupted) -> str:
    """Caption of the forest plot, with who is not in it and why."""
    assert result.month is not None
    text = (
        f"{result.indicator.name}: change {count(result.month, 'month')} after joining against each facility's own "
        "months before, with 95% intervals. Months used: before + after joining."
    )
    if result.pooled is not None:
        text += (
            " Squares are larger where a facility weighs more. Diamond: the average with its interval; thin bar: where "
        )
        text += "one more facility like these may lie."
        text += " The diamond is open, as no claim can be made from it." if result.is_refused else ""
    if _clipped_any(result):
        text += " An arrow: the interval goes on."
    told = result.facilities.loc[result.facilities["estimate"].notna()]
    if told["baseline_moving"].any():
        text += " †: the baseline was itself moving."
    if told["beyond"].any():
        text += f" ‡: the trend carried on would pass {edge(indicator=result.indicator)}, which cannot be."
    if result.pooled is not None and told["weight"].isna().any():
        text += f" Open: {_other_kind(result)}, not in the average."
    left = left_out(result)
    return f"{text} {left}" if left else text


def forest_alt(result: Interrupted) -> str:
    """Alternative text of the forest plot."""
    n = count(result.n_told, "facility", "facilities")
    return f"Forest plot of {n}, {result.indicator.name}. {answer(result)}"


def _other_kind(result: Interrupted) -> str:
    return "too few months for a trend, so a change of level alone" if result.model == "trend" else "against a trend"


def _clipped_any(result: Interrupted) -> bool:
    low, high = shown_range(result)
    table = result.facilities
    cut = (table["low"] < low).any() or (table["high"] > high).any()
    if result.pooled is not None:
        cut |= result.pooled.prediction_low < low or result.pooled.prediction_high > high
    return bool(cut)


def shown_range(result: Interrupted) -> tuple[float, float]:
    """The range of changes that a forest shows: most intervals whole, the average and 0 always."""
    table = result.facilities.loc[result.facilities["estimate"].notna()]
    ends = [
        0.0,
        *table["low"].quantile([0.25]),
        *table["high"].quantile([0.75]),
        *table["estimate"].quantile([0.1, 0.9]),
    ]
    if result.pooled is not None:
        ends += [result.pooled.prediction_low, result.pooled.prediction_high]
    low, high = min(ends), max(ends)
    low, high = low - 0.04 * (high - low), high + 0.04 * (high - low)
    return (max(low, -1.04), min(high, 1.04)) if result.indicator.kind == "proportion" else (low, high)
