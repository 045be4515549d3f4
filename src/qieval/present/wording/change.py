"""The answer of the notebook: what run charts say, and by how much care changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from qieval.analyses.change import Change
from qieval.analyses.effectiveness import Effectiveness, IndicatorResult
from qieval.analyses.interrupted import Interrupted
from qieval.analyses.quality import FEWEST_COMPLETE, VERIFIED_FROM, VERIFIED_TO
from qieval.analyses.run_charts import JUDGED
from qieval.analyses.series import Indicator
from qieval.analyses.waves import Waves
from qieval.present.display import Text
from qieval.present.numbers import DASH, count, listed, percent
from qieval.present.numbers import change as signed
from qieval.present.wording.effectiveness import NO_MONTHS, WHY, collaborative, moved
from qieval.present.wording.interrupted import limits
from qieval.present.wording.regression_to_mean import chosen


def answer(result: Effectiveness, changed: Change) -> Text:
    """A few sentences per indicator, and what may be made of them."""
    pairs = list(zip(result.indicators, changed.interrupted, strict=True))
    lines = [_both_yardsticks(found, by_trend) for found, by_trend in pairs]
    if not lines:
        lines = [NO_MONTHS]
    if any(found.chosen_for_baseline for found in changed.regression_to_mean):
        lines.insert(0, chosen(changed.regression_to_mean))
    if any(found.pooled.verdict in ("improved", "worsened", "back at baseline") for found in result.indicators):
        lines.append(WHY)
    return Text(sentences=lines)


def _both_yardsticks(found: IndicatorResult, by_trend: Interrupted) -> str:
    """What the run chart says, then the change against each facility's own trend."""
    verdict = found.pooled.verdict
    if verdict not in ("improved", "worsened") or not _is_pooled(by_trend) or by_trend.is_told:
        return " ".join([_told(found), _against_trend(by_trend)]).strip()
    # One after the other they would read as a contradiction: improved, so that no change could be told.
    own = "each facility's own trend" if by_trend.model == "trend" else "the months before, facility by facility"
    return (
        f"{found.indicator.name} {verdict} by the run chart of all facilities together. "
        f"{moved(found.pooled, found.indicator)} Set against {own}, no change could be told: "
        f"{_stood(by_trend)}. So it is not settled whether care {verdict}."
    )


def _told(found: IndicatorResult) -> str:
    """The verdict of the run chart without the count of runs, which stands below the chart."""
    name, verdict = found.indicator.name, found.pooled.verdict
    if verdict not in JUDGED:
        return collaborative(found)
    says = {
        "no signal": f"{name}: no signal of change.",
        "back at baseline": f"{name} changed and is back at its baseline.",
    }
    return f"{says.get(verdict, f'{name} {verdict}.')} {moved(found.pooled, found.indicator)}"


def _is_pooled(found: Interrupted) -> bool:
    return found.pooled is not None and not found.is_refused


def _against_trend(found: Interrupted) -> str:
    if not _is_pooled(found):
        return ""
    return f"{_stood(found)}{'' if found.is_told else ', so that no change could be told'}."


def _stood(found: Interrupted) -> str:
    """How far facilities stood from what they are set against, with the interval."""
    pooled, indicator = found.pooled, found.indicator
    assert pooled is not None  # asked before by _is_pooled
    compared = "where their own trends were heading" if found.model == "trend" else "the months before"
    return (
        f"{count(found.month or 0, 'month')} after joining, {count(pooled.k, 'facility', 'facilities')} stood on "
        f"average {signed(pooled.estimate, indicator)} from {compared} (95% interval "
        f"{limits(pooled.low, pooled.high, indicator)})"
    )


def doubts(found: IndicatorResult) -> Text | None:
    """A warning over every figure of an indicator whose data cannot be relied on; None where they can."""
    data, lines = found.quality, []
    if not data.is_doubtful:
        return None
    if not math.isnan(data.verification) and not VERIFIED_FROM <= data.verification <= VERIFIED_TO:
        lines.append(
            f"Counted again, {percent(data.verification)} of the events reported were found "
            f"({count(data.n_recounted, 'facility-month')}); 90% to 110% would do. Read every figure of this indicator "
            "with that in mind."
        )
    if data.completeness < FEWEST_COMPLETE:
        lines.append(
            f"Facilities reported in {percent(data.completeness)} of the months they could have; below "
            f"{percent(FEWEST_COMPLETE)} who reports can move a line as much as care does."
        )
    return Text(sentences=lines, style="caveats")


def merged(texts: Iterable[Text], names: Sequence[str]) -> Text:
    """The sentences of several indicators, each said once: those that differ in the name only are put together."""
    together: dict[str, list[str]] = {}
    for text in texts:
        for sentence in text.sentences:
            name = next((one for one in names if sentence.startswith(f"{one}: ")), "")
            holds = together.setdefault(sentence.removeprefix(f"{name}: "), [])
            if name and name not in holds:
                holds.append(name)
    lines = []
    for sentence, holds in together.items():
        everywhere = len(holds) == len(names) > 1
        lead = "All indicators: " if everywhere else f"{listed(holds)}: " if holds else ""
        lines.append(f"{lead}{sentence}")
    return Text(sentences=lines, style="caveats")


def against_trend(found: Interrupted) -> str:
    """The change against the trend with its interval, for a table: +30 (+24 to +35)."""
    if found.pooled is None or found.is_refused:
        return DASH
    return _cell(found.pooled.estimate, found.pooled.low, found.pooled.high, found.indicator)


def beyond_others(found: Waves) -> str:
    """The change beyond that of facilities that had not joined, with its interval, for a table."""
    if found.refused or found.effect is None:
        return DASH
    return _cell(found.effect.estimate, found.effect.low, found.effect.high, found.indicator)


def _cell(estimate: float, low: float, high: float, indicator: Indicator) -> str:
    text = f"{signed(estimate, indicator)} ({limits(low, high, indicator)})"
    return text.replace(" points", "").replace(" point", "")
