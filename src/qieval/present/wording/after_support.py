"""What may be said of care after support ended, against what facilities held until then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qieval.analyses.after_support import CLIMB_MONTHS, LONGEST, AfterSupport
from qieval.analyses.interrupted import FEWEST_FOR_SPREAD
from qieval.analyses.series import Indicator
from qieval.methods.its.design import FEWEST_BEFORE_FOR_SLOPE, FEWEST_EACH_SIDE, FEWEST_FOR_SLOPE
from qieval.methods.pooling import FEWEST_TO_POOL, Pooled
from qieval.present.display import Text
from qieval.present.numbers import MINUS, change, count, of, percent
from qieval.present.wording.interrupted.terms import ENGINES, amount, edge, few, less, limits, way

REASONS = {
    "no_end": "no end of support recorded",
    "too_few_before": f"fewer than {FEWEST_EACH_SIDE} months of support after the first {CLIMB_MONTHS}",
    "too_few_after": f"fewer than {FEWEST_EACH_SIDE} months after support",
    "ends_sooner": "not followed so long",
    "at_edge": "at or next to 0% or 100%, where months cannot vary",
    "nothing_varies": "values that never vary",
    "no_trend": "too few months for a trend",
}

CASES = {
    **ENGINES,
    "averaged": "as told above",
    "against_level": "against the level of those months, carried on",
    "against_trend": "against the trend of those months, carried on",
    "possible_trends": "without facilities whose trend passes what is possible",
}

HELD = {
    "level": "the level they held in the last months of support",
    "trend": "the trend of their last months of support, carried on, would have put them",
}


def answer(result: AfterSupport) -> Text:
    """The change at the month told, how it came about, and what may be claimed."""
    if result.month is None:
        return Text(
            sentences=[
                f"No interrupted time series can be fitted around the end of support: a facility needs "
                f"{FEWEST_EACH_SIDE} months of support after the first {CLIMB_MONTHS}, and {FEWEST_EACH_SIDE} months "
                "after it.",
                left_out(result),
            ]
        )
    if result.pooled is None:
        return Text(sentences=[_not_pooled(result), left_out(result)])
    if result.is_refused:
        return Text(sentences=[_refused(result), left_out(result)])
    return Text(sentences=[_change(result), *_parts(result), _claim(result), _other_line(result), left_out(result)])


def _change(result: AfterSupport) -> str:
    pooled, indicator = result.pooled, result.indicator
    assert pooled is not None
    when = f"{count(result.month or 0, 'month').capitalize()} after support ended"
    stood = (
        f"{pooled.k} facilities stood {amount(abs(pooled.estimate), indicator)} {way(pooled.estimate)} than "
        f"{HELD[result.held]} (95% interval {limits(pooled.low, pooled.high, indicator)}{less(indicator)})."
    )
    text = f"{when}, on average {stood}" if result.is_told else f"{when}, no change could be told: on average {stood}"
    between = limits(pooled.prediction_low, pooled.prediction_high, indicator)
    text += f" In one more facility like these the change may lie anywhere from {between} (95% prediction interval)."
    if pooled.k < FEWEST_FOR_SPREAD:
        text += f" From {pooled.k} facilities it can hardly be said how far they truly differ."
    elif pooled.tau2 == 0:
        text += " How far facilities truly differ cannot be seen behind the uncertainty of each."
    return text


def _parts(result: AfterSupport) -> list[str]:
    """The change in the first month, and what came on top: each pooled by itself."""
    if result.has_slope and (result.drift is None or result.at_once is None):
        return []
    if result.drift is None or result.at_once is None:
        return ["With so few months after support a change of level alone is looked for, and no slope."]
    once, more = (
        f"{change(one.estimate, result.indicator)} ({limits(one.low, one.high, result.indicator)})"
        for one in (result.at_once, result.drift)
    )
    return [
        f"The change in the first month without support was {once}, and what came on top of it by month "
        f"{result.month}, a change of slope, {more}. Each is averaged by itself, so they need not add up."
    ]


def _claim(result: AfterSupport) -> str:
    """What the interval allows to be said; never that the end of support did it."""
    pooled, indicator = result.pooled, result.indicator
    assert pooled is not None
    if not result.is_told:
        worst = pooled.low if indicator.sign > 0 else pooled.high
        return (
            "That nothing was lost is not shown either: a change for the worse of as much as "
            f"{amount(abs(worst), indicator)} would fit these data."
            if worst * indicator.sign < 0
            else ""
        )
    better = pooled.estimate * indicator.sign > 0
    went = "Care became better still" if better else "Care became worse"
    than = "than it had been in its last months" if result.held == "level" else "than it had been heading for"
    return (
        f"{went} after support {than}, by more than chance explains. That is associated with the end of support, not "
        "shown to come of it."
    )


def _other_line(result: AfterSupport) -> str:
    """What the same change is against the line not chosen."""
    found = result.sensitivity
    assert found is not None
    other = "trend" if result.held == "level" else "level"
    row = found.loc[found["case"] == f"against_{other}"].iloc[0]
    moving = ""
    if result.is_moving:
        assert result.before is not None
        moving = (
            "In the last months of support the level was itself still "
            f"{a_month(result.before, result.indicator)}, so that the change is told against that trend. "
        )
    if np.isnan(row["estimate"]):
        n = count(int(row["k"]), "facility has", "facilities have")
        return f"{moving}Against their {other} it cannot be told: {n} months enough."
    interval = limits(row["low"], row["high"], result.indicator)
    told = f"{amount(abs(row['estimate']), result.indicator)} {way(row['estimate'])}"
    tells = row["low"] > 0 or row["high"] < 0
    if row["agrees"] and result.is_told and other == "trend":
        same = "which says the same, so that this is not only a movement that was already under way"
    elif row["agrees"]:
        same = "which says the same" if result.is_told else "which tells no change either"
    elif not tells:
        same = "which by itself tells no change: it cannot be told whether care was already on its way there"
    else:
        same = "which tells the opposite" if result.is_told else "which tells a change where the above tells none"
    why = ", known only roughly from so few months," if other == "trend" else ""
    return f"{moving}Against the {other} of those months, carried on{why} it was {told} ({interval}), {same}."


def _refused(result: AfterSupport) -> str:
    pooled = result.pooled
    assert pooled is not None
    beyond = int((result.facilities["beyond"] & result.facilities["weight"].notna()).sum())
    return (
        f"No claim can be made. Care was still moving in the last months of support, and in "
        f"{of(beyond, pooled.k, 'facility', 'facilities')}, with {percent(result.beyond_share)} of the weight, that "
        f"trend would have passed {edge(result.indicator)} by month {result.month}, so it cannot have gone on."
    )


def _not_pooled(result: AfterSupport) -> str:
    if result.n_told >= FEWEST_TO_POOL:
        return (
            f"{result.n_told} facilities tell a change after support, but their errors are not such that an average "
            "could be taken. Each is in the figure."
        )
    who = {0: "No facility can", 1: "1 facility can"}.get(result.n_told, f"{result.n_told} facilities can each")
    shown = "" if not result.n_told else " It is in the figure." if result.n_told == 1 else " Each is in the figure."
    return f"{who} tell a change after support, and below {FEWEST_TO_POOL} no average over facilities is given.{shown}"


def left_out(result: AfterSupport) -> str:
    """How many facilities are not in it, by reason; the table names them."""
    reasons = result.facilities.loc[result.facilities["reason"] != "", "reason"].value_counts()
    parts = [
        f"{count(int(reasons[code]), 'facility', 'facilities')} ({text})"
        for code, text in REASONS.items()
        if code in reasons
    ]
    return f"Left out: {'; '.join(parts)}." if parts else ""


def a_month(pooled: Pooled, indicator: Indicator) -> str:
    """A slope with its interval, e.g. rising by 0.8 percentage points a month (95% interval +0.2 to +1.4)."""
    low, high = (_tenths(x, indicator) for x in (pooled.low, pooled.high))
    moved = "rising" if pooled.estimate >= 0 else "falling"
    unit = "percentage points" if indicator.kind == "proportion" else indicator.unit
    size = f"{_tenths(abs(pooled.estimate), indicator).lstrip('+')} {unit}".strip()
    return f"{moved} by {size} a month (95% interval {low} to {high})"


def _slope(pooled: Pooled, indicator: Indicator) -> str:
    estimate, low, high = (_tenths(x, indicator) for x in (pooled.estimate, pooled.low, pooled.high))
    unit = " points" if indicator.kind == "proportion" else ""
    return f"{estimate}{unit}, {low} to {high}"


def _tenths(x: float, indicator: Indicator) -> str:
    """A change of a month, with a decimal: whole points would be none."""
    return f"{100 * x if indicator.kind == 'proportion' else x:+.1f}".replace("-", MINUS)


def caveats(results: Sequence[AfterSupport]) -> Text:
    """What the averages rest on; what holds for all is said once."""
    told = [result for result in results if result.pooled is not None]
    if not told:
        return Text(sentences=[], style="caveats")
    lines = [
        f"Change after support: all facilities whose support ended are in it, not only those that gained. The first "
        f"{CLIMB_MONTHS} months after joining are left out, as care climbs in them; at most {LONGEST} months to either "
        "side are used, and straight lines are drawn through them.",
        "Less than two years of months are used, so seasons cannot be told from change.",
    ]
    steady = [result for result in told if result.before is not None and not result.is_moving]
    if steady:
        slopes = [f"{result.indicator.name}: {_slope(result.before, result.indicator)}" for result in steady]  # type: ignore[arg-type]
        lines.append(
            "What would have been is taken to be the level of the last months of support. Its average slope in these "
            f"months was no more than chance explains (a month: {'; '.join(slopes)}); had it truly moved, and gone on "
            "moving, the change would be another."
        )
    for result in told:
        name = result.indicator.name
        if result.before is None:
            lines.append(
                f"{name}: whether care was still moving in the last months of support cannot be told, as fewer than "
                f"{FEWEST_TO_POOL} facilities have the months for a trend ({FEWEST_BEFORE_FOR_SLOPE} of support and "
                f"{FEWEST_FOR_SLOPE} in all)."
            )
        drifting = int(result.facilities["drifts"].sum())
        if drifting:
            lines.append(
                f"{name}: in {of(drifting, result.n_told, 'facility', 'facilities')} months resemble the ones before "
                "so much that a change can hardly be told from drift."
            )
    alarms = [result.alarms for result in told if result.alarms is not None]
    lines.append(
        f"Had nothing changed after support, {few(sum(one.expected for one in alarms))} of the "
        f"{sum(one.charts for one in alarms)} intervals of single facilities would still have pointed to a change."
    )
    return Text(sentences=lines, style="caveats")


def path_caption(result: AfterSupport) -> str:
    """Caption of the average by month."""
    assert result.pooled is not None
    text = (
        f"{result.indicator.name}: how far {result.pooled.k} facilities stood, on average, from "
        f"{'the level' if result.held == 'level' else 'the trend'} of their last months of support, by months since "
        "it ended. Line: the fitted average with its 95% band."
    )
    if result.held == "level":
        text += (
            " Dots: the average of what was seen, facilities weighed as in the line; under the axis: how many reported."
        )
    return text


def path_alt(result: AfterSupport) -> str:
    """Alternative text of the average by month."""
    return f"Line of the average change after support. {_change(result) if result.pooled else ''}"


def forest_caption(result: AfterSupport) -> str:
    """Caption of the forest plot."""
    held = "level" if result.held == "level" else "trend"
    text = (
        f"{result.indicator.name}: change {count(result.month or 0, 'month')} after support ended against the {held} "
        "of each facility's last months of support, with 95% intervals. Months used: of support + after it."
    )
    if result.pooled is not None:
        text += (
            " Squares are larger where a facility weighs more. Diamond: the average with its interval; thin bar: where "
            "one more facility like these may lie."
        )
    low, high = shown_range(result)
    if (result.facilities["low"] < low).any() or (result.facilities["high"] > high).any():
        text += " An arrow: the interval goes on."
    if result.facilities["beyond"].any():
        text += f" ‡: the trend carried on would pass {edge(result.indicator)}, which cannot be."
    return f"{text} {left_out(result)}".strip()


def forest_alt(result: AfterSupport) -> str:
    """Alternative text of the forest plot."""
    return f"Forest plot of {count(result.n_told, 'facility', 'facilities')}. {answer(result).sentences[0]}"


def shown_range(result: AfterSupport) -> tuple[float, float]:
    """The range of changes that the forest plot shows: most intervals whole, all estimates, the average and 0."""
    told = result.facilities.loc[result.facilities["estimate"].notna()]
    # The intervals of the smallest facilities would press all others together.
    ends = [0.0, *told["low"].quantile([0.25]), *told["high"].quantile([0.75]), *told["estimate"]]
    if result.pooled is not None:
        ends += [result.pooled.prediction_low, result.pooled.prediction_high]
    margin = 0.06 * (max(ends) - min(ends) or 1.0)
    low, high = min(ends) - margin, max(ends) + margin
    return (max(low, -1.04), min(high, 1.04)) if result.indicator.kind == "proportion" else (low, high)
