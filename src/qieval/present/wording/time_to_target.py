"""What may be said of the time to the target: who is still short of it counts, and so does chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qieval.analyses.time_to_target import FEWEST_BASELINE_MONTHS, FEWEST_FACILITIES, TimeToTarget
from qieval.present.display import Text
from qieval.present.numbers import count, listed, months, of, percent, unit, value


def answer(result: TimeToTarget) -> Text:
    """The median time to the target, or why there is none; and how many would be there by chance."""
    return Text(sentences=[line for line in (_curve(result), _by_chance(result)) if line])


def target(result: TimeToTarget) -> str:
    """The target with its run rule."""
    aim = result.indicator.target
    assert aim is not None
    suffix = unit(result.indicator)
    text = value(aim, result.indicator) + (f" {suffix}" if suffix not in ("", "%") else "")
    n = result.months_to_reach
    return f"{text} for {n} months in a row" if n > 1 else f"{text} in any month"


def _curve(result: TimeToTarget) -> str:
    name, curve = result.indicator.name, result.curve
    if result.refused == "no target":
        return f"{name} has no target, so there is no time to it."
    if result.refused == "no facility to follow":
        return f"{name}: no facility can be followed to the target of {target(result)}. {_apart(result)}"
    reached = f"{of(result.n_reached, result.n_followed, 'facility', 'facilities')} reached {target(result)}"
    if curve is None:
        when = _each(result)
        return (
            f"{name}: {reached}{when}. With fewer than {FEWEST_FACILITIES} facilities to follow no curve and no median "
            f"are given. {_apart(result)}"
        ).strip()
    if not result.has_median:
        return (
            f"{name}: {reached}{_each(result)}; with fewer than {FEWEST_FACILITIES} no median time is given. "
            f"{_apart(result)}"
        ).strip()
    if math.isinf(curve.median):
        last = months(float(curve.curve["time"].max()))
        return (
            f"{name}: {reached}. The median time is not reached: by the curve less than half of the facilities got "
            f"there in the {last} months they could be followed. {_apart(result)}"
        ).strip()
    high = f"to {months(curve.median_high)}" if math.isfinite(curve.median_high) else "to no upper limit"
    return (
        f"{name}: {reached}; half of the facilities were there {months(curve.median)} months after joining (95% "
        f"interval {months(curve.median_low)} {high}). {_apart(result)}"
    ).strip()


def _each(result: TimeToTarget) -> str:
    rows = result.table.loc[result.table["status"] == "reached"]
    if rows.empty:
        return ""
    named = [f"{row.facility} after {count(int(row.duration_months), 'month')}" for row in rows.itertuples()]
    return f" ({listed(named)})"


def _apart(result: TimeToTarget) -> str:
    """Who is in no curve, and why."""
    reasons = (
        ("at target before", "had a baseline at the target already"),
        ("no baseline", f"had fewer than {FEWEST_BASELINE_MONTHS} baseline months"),
        ("too few months", f"had fewer than {result.months_to_reach} months since joining"),
    )
    parts = []
    for status, words in reasons:
        names = result.facilities(status)  # type: ignore[arg-type]
        if names:
            parts.append(f"{count(len(names), 'facility', 'facilities')} {words} ({listed(names)})")
    if not parts:
        return ""
    return f"Not counted: {'; '.join(parts)}."


def _by_chance(result: TimeToTarget) -> str:
    if result.refused == "no target" or not result.n_followed:
        return ""
    if math.isnan(result.reached_by_chance):
        return (
            "How many would have reached it by chance had nothing changed is not known: how the months of such an "
            "indicator scatter is not recorded."
        )
    expected = result.reached_by_chance
    about = "fewer than one" if expected < 0.95 else f"about {expected:.0f}"
    text = f"Had nothing changed since baseline, {about} of the {result.n_followed} would have reached it by chance."
    if result.n_reached and not result.is_beyond_chance:
        text += " So those that reached it are no evidence that care changed."
    return text


def caveats(results: Sequence[TimeToTarget]) -> Text:
    """What counts as reached and as open, and what cannot be concluded."""
    drawn = [result for result in results if result.n_followed]
    if not drawn:
        return Text(sentences=[], style="caveats")
    n = drawn[0].months_to_reach
    lines = [
        "The month of joining is month 0. A facility is at the target from the first of "
        f"{count(n, 'month')} in a row; a month not reported or of few people breaks the row."
        if n > 1
        else "The month of joining is month 0. A facility counts as at the target from a single month on, which months "
        "of few people come to by chance; ask for three in a row (months_to_reach) to guard against that.",
        "A facility still short of the target counts as open up to the last month from which a row could have been "
        "seen. Reaching it is not keeping it: what came after is not in this curve.",
        "Chance alone is reckoned from each facility's baseline level and the people it saw, as if months were "
        "independent; months vary more than that, so chance reaches the target somewhat more often.",
    ]
    return Text(sentences=lines, style="caveats")


def share_caption(result: TimeToTarget) -> str:
    """Caption of the curve."""
    text = (
        f"{result.indicator.name}: share of facilities that had reached {target(result)}, by months since joining "
        "(Kaplan-Meier), with its 95% band."
    )
    if result.curve is not None and (result.curve.curve["censored"] > 0).any():
        text += " Small ticks: facilities still short of it when last seen."
    if result.by_chance is not None:
        text += " Black dashes: the same facilities had nothing changed since their baseline."
    return text


def share_alt(result: TimeToTarget) -> str:
    """Alternative text of the curve."""
    return f"Rising step curve of the share of facilities at the target. {' '.join(answer(result).sentences)}"


def labels(result: TimeToTarget) -> tuple[str, str]:
    """The names of both curves, with the share each comes to."""
    assert result.curve is not None
    seen = f"Seen: {percent(1 - float(result.curve.curve['survival'].iloc[-1]))}"
    if result.by_chance is None:
        return seen, ""
    return seen, f"By chance\nalone: {percent(float(result.by_chance['share'].iloc[-1]))}"
