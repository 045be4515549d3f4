"""What may be said where facilities joined in waves: more than a before and after, less than a trial."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from qieval.analyses.series import Indicator
from qieval.analyses.waves import WIDTHS, Effect, LeftOut, Refused, Waves
from qieval.present.display import Text
from qieval.present.numbers import change, count, listed, month, unit

_WHY_NOT: Mapping[Refused, str] = {
    "not measured": "no facility that takes part has a month with both a numerator and a denominator.",
    "no joining date": "no facility has a joining date, so nobody can be compared with those that had not joined. "
    "Fill in joined_on.",
    "nothing before joining": "every facility joined before the first month measured, or in it, so nothing shows how "
    "it did before joining.",
    "nobody joined in time": "no facility joined within the months measured.",
    "no wave of two": "no two facilities joined together and have months before and after it, even with "
    f"{WIDTHS[-1]} months put together. A facility that joined alone has no other by which to judge its change.",
    "no comparison": "the facilities joined all at once, and fewer than two that did not join can be compared with "
    "them. So what changed everywhere in these months cannot be told from what joining did.",
    "too many gaps": f"no facility reported enough people in every period, even with {WIDTHS[-1]} months put together.",
    "no period compared": "in every period after a wave had joined, all others had joined too, so nobody is left to "
    "compare with.",
}
_LEFT_OUT: Mapping[LeftOut, str] = {
    "no joining date": "their joining date is not recorded",
    "incomplete": "they lack a value in some periods",
    "joined too early": "nothing was measured before they joined",
    "alone in its wave": "nobody else that can be used joined at the same time",
    "alone not joined": "a single facility that did not join is no comparison",
}
FEW_IN_A_WAVE = 4


def answers(found: Sequence[Waves]) -> Text:
    """One sentence per indicator; one for all where all are refused for the same reason."""
    reasons = {one.refused for one in found}
    if len(found) > 1 and len(reasons) == 1 and (reason := found[0].refused):
        return Text(sentences=[f"Facilities are not compared by when they joined: {_WHY_NOT[reason]}"])
    return Text(sentences=[effect(one) for one in found])


def answer(found: Waves) -> Text:
    """The answer, and what the design allows to be made of it."""
    if found.refused:
        return Text(sentences=[effect(found)])
    if found.effect is None:
        return Text(sentences=[effect(found), _design(found)])
    return Text(sentences=[effect(found), _alike_before(found), _design(found)])


def effect(found: Waves) -> str:
    """The change since joining beyond that of the others, or why there is none."""
    name = found.indicator.name
    if found.refused:
        return f"{name}: facilities are not compared by when they joined: {_WHY_NOT[found.refused]}"
    if found.effect is None:
        return (
            f"{name}: after the transition months there is none to which every wave contributes, so no one number is "
            "given; the figure shows each period by itself."
        )
    gained = found.effect
    sentence = (
        f"{name}: {_when(gained)}, the change in the {gained.n_facilities} facilities that joined was "
        f"{_difference(gained.estimate, found.indicator)} beyond that in {_others(found)}"
    )
    if math.isnan(gained.standard_error):
        return f"{sentence}. All changed exactly alike, so no interval can be given."
    sentence += f" (95% interval {_interval(gained.low, gained.high, found.indicator)})"
    return f"{sentence}{_verdict(found, gained)}"


def _verdict(found: Waves, gained: Effect) -> str:
    if gained.low <= 0 <= gained.high:
        return ": not clearly better or worse than without joining."
    if found.before == "apart":
        return ", but the two had moved differently before joining already: no evidence of what joining did."
    better = "better" if gained.estimate * found.indicator.sign > 0 else "worse"
    return f": {better} by more than chance explains."


def _when(gained: Effect) -> str:
    if gained.first_month == 0:
        return f"over the first {count(gained.last_month + 1, 'month')} from joining on"
    return f"over months {gained.first_month} to {gained.last_month} after joining"


def _others(found: Waves) -> str:
    if found.comparison == "never joined":
        return f"the {found.n_never} facilities that did not join"
    return "facilities that had not joined yet"


def _alike_before(found: Waves) -> str:
    """Whether those about to join moved as the others did."""
    tested = found.pre_test
    if found.before == "untested" or tested is None:
        return (
            "Whether the two moved alike before joining cannot be tested with a single period before it, so the "
            "difference is associated with joining and no more."
        )
    if found.before == "apart":
        when = count(abs(int(tested.since_joining)), "month")
        return (
            f"They did not move alike before joining: {when} before it, the difference between them lay "
            f"{_difference(tested.estimate, found.indicator)} from where it was just before joining, more than chance "
            "explains."
        )
    unseen = _size(found.unseen, found.indicator)
    if found.before == "not told":
        return (
            f"Whether the two moved alike before joining cannot be told: a departure of about {unseen}, as large as "
            "what was found since or larger, would have gone unseen. So the difference is associated with joining and "
            "no more."
        )
    text = (
        "Before joining the two moved alike as far as these data can tell: a departure of less than about "
        f"{unseen} could have gone unseen."
    )
    study = found.event_study
    before = study[study["since_joining"] < 0] if study is not None else None
    off = int(((before["low"] > 0) | (before["high"] < 0)).sum()) if before is not None else 0
    if off:
        text += f" By itself {count(off, 'period')} before joining lies off, which among so many chance can do."
    return text


def _design(found: Waves) -> str:
    """What the comparison rules out, and what it does not."""
    text = (
        "The same months are compared, so what changed everywhere at once, as seasons and policies do, is not "
        "mistaken for the collaborative."
    )
    if found.before != "apart":
        text += " Who joined when was not drawn by lot: other changes in the joining facilities are not ruled out."
    return text


def caveats(found: Waves) -> Text:
    """Who was left out, what was put together, and what nobody was left to compare with."""
    lines = [
        f"{found.indicator.name}: left out because {why}: {listed(names)}."
        for reason, why in _LEFT_OUT.items()
        if (names := list(found.left_out.loc[found.left_out["reason"] == reason, "facility"]))
    ]
    if found.refused or found.waves is None:
        return Text(sentences=lines, style="caveats")
    if found.width_months > 1:
        lines.append(
            f"{found.indicator.name}: {found.width_months} months are put together, so that few facilities lack a "
            "value and as many as possible joined with others. Of the period in which a facility joined, only the "
            "months since joining count."
        )
    alone = found.waves[~found.waves["compared"]]
    if len(alone):
        n = int(alone["facilities"].sum())
        lines.append(
            f"{found.indicator.name}: the {count(n, 'facility', 'facilities')} that joined from "
            f"{month(alone['joined'].min())} on had nobody left to compare with and serve as comparison only. Nothing "
            "is estimated from that month on."
        )
    smallest = found.waves.loc[found.waves["compared"], "facilities"].min()
    if smallest < FEW_IN_A_WAVE:
        lines.append(
            f"{found.indicator.name}: the smallest wave has {smallest} facilities, too few to "
            "show how much such facilities vary; the intervals are wide for that."
        )
    lines.append("In comparisons by when facilities joined, each facility counts once, whatever its size.")
    return Text(sentences=lines, style="caveats")


def axis_title(found: Waves) -> str:
    """What the figure measures: a change, less another."""
    measured = "points" if found.indicator.kind == "proportion" else unit(found.indicator)
    others = "did not join" if found.comparison == "never joined" else "had not joined yet"
    return f"Change beyond that of facilities that {others}" + (f" ({measured})" if measured else "")


def effect_label(found: Waves) -> str:
    """The average, for the margin of the figure."""
    assert found.effect is not None
    when = f"months {found.effect.first_month} to {found.effect.last_month}"  # counted as on the axis
    return f"{change(found.effect.estimate, found.indicator)}\n{when}"


def event_study_caption(found: Waves, *, cut: bool) -> str:
    """What the figure shows."""
    text = (
        f"{found.indicator.name}: facilities that joined against {_others(found)}, counted from the month of joining. "
        "Each point is the change since just before joining (square), beyond that of the others over the same months. "
        "Thick lines: 95% interval of that point; thin lines with bars: 95% for all points at once. Grey and open: "
        "before joining, where nothing should be seen."
    )
    if found.effect is not None:
        text += " Black line: the average over the first months that every wave contributes to."
    study = found.event_study
    assert study is not None
    if study["low"].isna().sum() > 1:
        text += " A point without lines has no variation to judge it by."
    return text + (" Arrows: the line goes on beyond the figure." if cut else "")


def event_study_alt(found: Waves) -> str:
    """Alternative text."""
    return f"Differences by months since joining, before and after it. {effect(found)} {_alike_before(found)}"


def since_joining_caption(found: Waves) -> str:
    """What the aligned figure shows."""
    aligned = found.aligned
    assert aligned is not None
    cut = " Single peaks are cut." if found.indicator.kind != "proportion" else ""
    return (
        f"{found.indicator.name}, every facility's months counted from its own joining. Thin lines: one facility each "
        f"({aligned.n_facilities}). Thick line: the same {aligned.n_cohort} throughout, their people together, which "
        "reported in nearly all of these months, so that nobody entering or leaving moves it. What changed in all "
        f"facilities in the same calendar month is spread out here and not taken away.{cut}"
    )


def since_joining_alt(found: Waves) -> str:
    """Alternative text of the aligned figure."""
    aligned = found.aligned
    assert aligned is not None
    line = aligned.line
    return (
        f"Lines of {found.indicator.name} by months since joining for {aligned.n_facilities} facilities, "
        f"and of {aligned.n_cohort} of them together from {abs(int(line['since_joining'].min()))} months before to "
        f"{int(line['since_joining'].max())} months after joining."
    )


def _difference(x: float, indicator: Indicator) -> str:
    """A difference with its sign and unit."""
    suffix = unit(indicator)
    return change(x, indicator) if suffix in ("", "%") else f"{change(x, indicator)} {suffix}"


def _size(x: float, indicator: Indicator) -> str:
    return _difference(x, indicator).removeprefix("+")


def _interval(low: float, high: float, indicator: Indicator) -> str:
    """Two limits, the unit said once."""
    lower = change(low, indicator).removesuffix(" points").removesuffix(" point")
    return f"{lower} to {_difference(high, indicator)}"
