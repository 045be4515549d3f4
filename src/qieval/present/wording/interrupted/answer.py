"""How far care stands from where it was heading: the answer, and how many facilities show it."""

from __future__ import annotations

from qieval.analyses.interrupted import FEWEST_FOR_SPREAD, Interrupted
from qieval.methods.pooling import FEWEST_TO_POOL
from qieval.present.display import Text
from qieval.present.numbers import change, count, of, percent
from qieval.present.wording.interrupted.terms import amount, edge, few, left_out, less, limits, way


def answer(result: Interrupted) -> str:
    """The change at the month told, with its interval, and where one more facility may lie."""
    name, indicator = result.indicator.name, result.indicator
    if result.month is None:
        return (
            f"{name}: no interrupted time series can be fitted, and the run chart is all there is. {_why_none(result)}"
        )
    if result.pooled is None:
        return f"{name}: {_why_not_pooled(result)} {together(result)}"
    if result.is_refused:
        return f"{name}: {_refused(result)}"
    pooled, told = result.pooled, result.is_told
    compared = "their own trends before joining, carried on, would have put them"
    compared = compared if result.model == "trend" else "in the months before joining"
    interval = f"95% interval {limits(pooled.low, pooled.high, indicator)}"
    when = f"{count(result.month, 'month')} after joining"
    if told:
        stood = f"stood on average {amount(abs(pooled.estimate), indicator)} {way(pooled.estimate)} than"
        text = f"{name}: {when}, {pooled.k} facilities {stood} {compared} ({interval}{less(indicator)})."
    else:
        text = (
            f"{name}: {when}, no change could be told. On average {pooled.k} facilities stood "
            f"{amount(abs(pooled.estimate), indicator)} {way(pooled.estimate)} than {compared} "
            f"({interval}{less(indicator)})."
        )
    between = limits(pooled.prediction_low, pooled.prediction_high, indicator)
    text += f" In one more facility like these the change may lie anywhere from {between} (95% prediction interval)."
    return text + _spread(result)


def facilities(result: Interrupted) -> Text:
    """How many facilities changed clearly, and which could not tell."""
    if result.month is None:
        return Text(sentences=[])
    if not result.n_told:
        return Text(sentences=[left_out(result)])
    if result.is_refused:
        text = (
            "As with the average, no claim can be made from the facilities' own changes, which are against the same "
            "trends; they are shown so that anyone can see why."
        )
        return Text(sentences=[line for line in (text, left_out(result)) if line])
    table = result.facilities
    clear = table.loc[table["clear"]]
    better = int((clear["estimate"] * result.indicator.sign > 0).sum())
    who = count(result.n_told, "facility", "facilities")
    text = f"Of {who} that can tell a change {count(result.month, 'month')} after joining, "
    if clear.empty:
        text += "none shows one that is clear beside so many comparisons."
    else:
        text += (
            f"{len(clear)} {'shows' if len(clear) == 1 else 'show'} one that is clear even among so many comparisons: "
            f"{better} for the better, {len(clear) - better} for the worse."
        )
    if result.alarms is not None and result.n_told > 1:
        text += (
            f" Had nothing changed, {few(result.alarms.expected)} of their {result.n_told} intervals would still have "
            "pointed to a change."
        )
    return Text(sentences=[line for line in (text, left_out(result)) if line])


def _refused(result: Interrupted) -> str:
    """An average against trends that cannot have gone on is shown for what it is, and nothing claimed from it."""
    pooled, indicator = result.pooled, result.indicator
    assert pooled is not None
    beyond = int((result.facilities["beyond"] & result.facilities["weight"].notna()).sum())
    return (
        f"no claim can be made. In {of(beyond, pooled.k, 'facility', 'facilities')}, with "
        f"{percent(result.beyond_share)} of the weight, the trend before joining would have passed {edge(indicator)} "
        f"by month {result.month}, so it cannot have gone on, and the average against it "
        f"({change(pooled.estimate, indicator)}, 95% interval {limits(pooled.low, pooled.high, indicator)}) "
        "is no evidence of a change for better or worse."
    )


def _why_none(result: Interrupted) -> str:
    return left_out(result) or "No facility has months both before and after joining."


def _why_not_pooled(result: Interrupted) -> str:
    n = result.n_told
    if n < FEWEST_TO_POOL:
        who = {0: "no facility can", 1: "1 facility can"}.get(n, f"{n} facilities can each")
        return f"{who} tell a change, and below {FEWEST_TO_POOL} no average over facilities is given."
    kinds = result.facilities.loc[result.facilities["estimate"].notna(), "model"].value_counts()
    if kinds.max() < FEWEST_TO_POOL:
        return (
            f"{kinds.get('trend', 0)} facilities tell a change against their trend and {kinds.get('level', 0)} of "
            f"level alone; these are different things, and below {FEWEST_TO_POOL} of a kind no average is given."
        )
    return "the facilities' errors are not such that an average could be taken."


def together(result: Interrupted) -> str:
    """The line of all together in one sentence; it is the answer only where there is no average over facilities."""
    line, indicator = result.line, result.indicator
    if line is None:
        return NO_LINE[result.why_no_line]
    told = line.headline
    n = len(line.facilities)
    whose = "In that facility" if n == 1 else f"In {n} facilities together, their people added up,"
    carried = "its trend before, carried on, would have put it" if line.model == "trend" else "before joining"
    leaves_out = not told["low"] <= 0 <= told["high"]
    but = "" if leaves_out else ": no change that could be told"
    return (
        f"{whose} the level {count(result.month or 0, 'month')} after joining was "
        f"{amount(abs(told['estimate']), indicator)} {way(told['estimate'])} than {carried} (95% interval "
        f"{limits(told['low'], told['high'], indicator)}{less(indicator)}){but}."
    )


NO_LINE = {
    "no_month": "",
    "few_months": "Facilities share too few months to be shown together.",
    "at_edge": (
        "All together, care stood at or next to 0% or 100% before joining or after it, where months cannot vary: an "
        "interval would look exact, and none is given."
    ),
    "nothing_varies": "All together, too little varies about the lines for an interval.",
}


def _spread(result: Interrupted) -> str:
    pooled = result.pooled
    assert pooled is not None
    if pooled.k < FEWEST_FOR_SPREAD:
        return f" From {pooled.k} facilities it can hardly be said how far they truly differ."
    if pooled.tau2 == 0:
        return (
            " How far facilities truly differ cannot be seen behind the uncertainty of each, so the true range may be "
            "wider."
        )
    return " Facilities differ by more than chance explains." if pooled.tau2_low > 0 else ""
