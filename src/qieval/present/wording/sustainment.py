"""What may be said of gains after support ended; not reported is not sustained."""

from __future__ import annotations

import math

from qieval.analyses.sustainment import FEWEST_FACILITIES, Horizon, IndicatorSustainment, Sustainment
from qieval.present.display import Text
from qieval.present.numbers import count, listed, of, percent


def definition(result: Sustainment) -> Text:
    """What counts as a gain and as kept, before any result."""
    options = result.options
    window = count(options.window_months, "month")
    after = listed([str(month) for month in options.follow_up_months])
    return Text(
        sentences=[
            f"A facility gained if its level over the last {window} of support was better than its baseline by at "
            f"least {percent(options.minimum_gain)} (points of a proportion, otherwise of the baseline level), and by "
            f"more than chance explains (95% interval). It kept the gain if, {after} months after support ended, its "
            f"level over {window} was worse than at the end of "
            f"support by no more than {percent(options.tolerance)} (points of a proportion, otherwise of that level)."
        ],
        style="note",
    )


def answer(result: Sustainment) -> Text:
    """Per indicator, how many facilities kept what they had gained."""
    if not result.indicators and result.support_ended:
        return Text(sentences=["No facility that takes part has a month with both a numerator and a denominator."])
    if not result.indicators:
        return Text(
            sentences=["No facility has a day on which support ended, so nothing can be said of what lasted after it."]
        )
    return Text(sentences=[sentence for found in result.indicators for sentence in indicator(found)])


def indicator(result: IndicatorSustainment) -> list[str]:
    """The sentences of one indicator."""
    name = result.indicator.name
    if not result.n_assessable:
        return [f"{name}: no facility has the months needed before joining and at the end of support."]
    who = of(result.n_gained, result.n_assessable, "facility", "facilities")
    gained = f"{name}: {who} had gained when their support ended."
    if not result.n_gained:
        return [f"{gained} There is no gain to keep."]
    return [gained + " " + " ".join(_horizon(horizon) for horizon in result.horizons)]


def _horizon(horizon: Horizon) -> str:
    months = f"{count(horizon.months_after, 'month')} on"
    if not horizon.n_due:
        return f"{months}, it is too early to tell of any of them."
    if not horizon.n_known:
        return f"{months}, none of the {horizon.n_due} due has reported."
    text = f"{months}, {of(horizon.n_kept, horizon.n_known)} that reported had kept it"
    if horizon.kept is not None:
        kept = horizon.kept
        text += f" ({percent(kept.estimate)}, 95% interval {percent(kept.low)} to {percent(kept.high)})"
    text += "."
    if not math.isnan(horizon.median_share_kept):
        text += f" The median facility kept {percent(horizon.median_share_kept)} of its gain."
    if horizon.n_too_early:
        text += f" Of {horizon.n_too_early} it is too early to tell."
    missing = horizon.n_due - horizon.n_known
    if missing:
        text += (
            f" {missing} more did not report: if all of these lost it, {of(horizon.n_kept, horizon.n_due)} kept it; if "
            f"all kept it, {of(horizon.n_kept + missing, horizon.n_due)}."
        )
    return text


def caveats(result: Sustainment) -> Text:
    """What was left out, and what cannot be concluded."""
    lines = []
    for found in result.indicators:
        starts = found.table["start"].value_counts()
        if starts.get("too few months", 0):
            lines.append(
                f"{found.indicator.name}: {count(starts['too few months'], 'facility has', 'facilities have')} too few "
                "months or people before joining or at the end of support."
            )
        if starts.get("support not ended", 0):
            lines.append(
                f"{found.indicator.name}: the end of support is not recorded for "
                f"{count(starts['support not ended'], 'facility', 'facilities')}."
            )
        if any(0 < horizon.n_known < FEWEST_FACILITIES for horizon in found.horizons):
            lines.append(
                f"{found.indicator.name}: with fewer than {FEWEST_FACILITIES} facilities at a follow-up no interval "
                "is given."
            )
    if any(found.n_gained for found in result.indicators):
        lines.append(
            "A level of a few months is uncertain in a facility that sees few people: some count as having lost a "
            "gain, and some as having kept it, by chance."
        )
    lines.append(
        "Facilities with the largest gains tend to fall back a little by chance alone (regression to the mean); there "
        "is no comparison here, so a gain kept or lost is associated with the end of support, not shown to come of it."
    )
    return Text(sentences=lines, style="caveats")


def levels_caption(result: IndicatorSustainment) -> str:
    """Caption of the lines by facility."""
    return (
        f"{result.indicator.name}: each facility that had gained, at its baseline, at the end of support and after it. "
        "Marks tell what became of the gain at the last follow-up reported."
    )


def levels_alt(result: IndicatorSustainment) -> str:
    """Alternative text of the lines by facility."""
    return f"One line per facility that had gained. {indicator(result)[0]}"
