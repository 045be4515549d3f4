"""What may be said of gains that depend on where facilities began: part of that is chance by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qieval.analyses.regression_to_mean import FEWEST_MONTHS, RegressionToMean, WorstQuarter
from qieval.analyses.series import Indicator
from qieval.analyses.time_to_target import FEWEST_BASELINE_MONTHS, FEWEST_FACILITIES
from qieval.present.display import Text
from qieval.present.numbers import MINUS, change, count, unit


def answer(results: Sequence[RegressionToMean]) -> Text:
    """Per indicator whether those that began worst gained most."""
    return Text(sentences=[sentence for result in results for sentence in indicator(result)])


def chosen(results: Sequence[RegressionToMean]) -> str:
    """The warning where facilities were invited because they did badly."""
    known = any(result.worst_quarter for result in results)
    return (
        "Facilities were invited because they did badly. Some of them did so by chance then, and such facilities "
        "seem to improve though nothing changes (regression to the mean). So a difference between before and after "
        "overstates what is associated with the collaborative"
        + ("; the sentences below say how much chance could do." if known else ", by an amount that cannot be told.")
    )


def indicator(result: RegressionToMean) -> list[str]:
    """The sentences of one indicator, or why there are none."""
    name, found = result.indicator.name, result.oldham
    if result.refused == "no baseline":
        return [
            f"{name}: no facility has {FEWEST_BASELINE_MONTHS} months before it joined, so gains cannot be set against "
            "baselines."
        ]
    if result.refused == "too few facilities":
        n = len(result.table)
        return [
            f"{name}: {count(n, 'facility has', 'facilities have')} {FEWEST_BASELINE_MONTHS} months before joining and "
            f"{FEWEST_MONTHS} since; it takes {FEWEST_FACILITIES} to tell whether those that began worst gained most."
        ]
    if found is None:
        return [
            f"{name}: all facilities have the same baseline, the same change or the same mean of before and after; "
            "there is nothing to compare."
        ]
    interval = f"{_correlation(found.oldham)}, 95% interval {_correlation(found.low)} to {_correlation(found.high)}"
    told = (
        "correlation of the change with the mean of before and after, which chance alone leaves at 0: "
        f"{interval}, {count(found.n, 'facility', 'facilities')}"
    )
    if found.high < 0:
        # Fewer differences after than before: by help for those behind, or by a ceiling for those ahead.
        sentence = (
            f"{name}: facilities came closer together; {_began(result.indicator, worst=True)} gained more ({told}). "
            "A limit that no facility can go beyond would show the same."
        )
    elif found.low > 0:
        sentence = f"{name}: facilities drew apart; {_began(result.indicator, worst=False)} gained more ({told})."
    else:
        sentence = f"{name}: whether those that began worst gained more or less than others cannot be told ({told})."
    return [sentence + (_quarter(result.worst_quarter, result.indicator) if result.worst_quarter else "")]


def _began(one: Indicator, *, worst: bool) -> str:
    """Those that began worst, or best, whichever way is better: a fall to 0 is a gain too."""
    low = worst == (one.better == "up")
    return f"those that began {'worse' if worst else 'better'} ({'lower' if low else 'higher'})"


def _quarter(found: WorstQuarter, one: Indicator) -> str:
    gain, others = _better(found.gain, one), _better(found.gain_of_others, one)
    return (
        f" The {found.n} facilities with the worst baseline became {gain}, the others {others}; had nothing changed, "
        f"these {found.n} would still have seemed {_better(found.gain_by_chance, one)}, or somewhat more."
    )


def _better(gain: float, one: Indicator) -> str:
    """A gain in words, e.g. better by 12 points, worse by 3.1."""
    amount = change(abs(gain), one).lstrip("+")
    if one.kind != "proportion" and unit(one):
        amount += f" {unit(one)}"
    return f"{'worse' if gain < 0 else 'better'} by {amount}"


def _correlation(x: float) -> str:
    """A correlation with two decimals; a zero has no sign."""
    return "unknown" if math.isnan(x) else f"{round(x, 2) + 0:.2f}".replace("-", MINUS)
