"""What may be said of care and visits: that they went together, never that one did the other."""

from __future__ import annotations

from collections.abc import Mapping

from qieval.analyses.dose_response import (
    FEWEST_FACILITIES,
    FEWEST_MONTHS,
    FEWEST_SINCE,
    MONTHS_AHEAD,
    DoseResponse,
    LeftOut,
    NotTold,
    Refused,
    Response,
    Slope,
)
from qieval.analyses.series import Indicator
from qieval.present.display import Text
from qieval.present.numbers import MINUS, count, listed, number, percent, unit

_REFUSED: Mapping[Refused, str] = {
    "totals_only": "",  # said once for all that totals cannot carry
    "no_visit": "no visit was made.",
    "not_measured": "no indicator was measured month by month.",
}
_NOT_TOLD: Mapping[NotTold, str] = {
    "few_facilities": f"fewer than {FEWEST_FACILITIES} facilities, hubs aside, have a joining day and {FEWEST_MONTHS} "
    f"months with values, {FEWEST_SINCE} of them since a visit could show.",
    "no_variation": "facilities were visited so much alike, counted from joining, that no difference is left to go by.",
    "nothing_varies": "its values never vary.",
    "few_speak": "too few facilities had clearly more visits than the others, or fewer, so that one or two would "
    "decide the answer.",
}
_SHORT: Mapping[NotTold, str] = {
    "few_facilities": "too few facilities",
    "no_variation": "all visited alike",
    "nothing_varies": "never varies",
    "few_speak": "one or two facilities would decide",
}
_LEFT_OUT: Mapping[LeftOut, str] = {
    "no_joining": "no joining day",
    "few_months": "too few months with values",
}
_COMPARED = "comparison facilities"
SURE = 0.05
CANNOT = "Whether care went with visits cannot be told"


def answer(result: DoseResponse) -> Text:
    """Each indicator, then their number, what the comparison rests on, and whether visits followed care."""
    if result.refused:
        why = _REFUSED[result.refused]
        return Text(sentences=[f"{CANNOT}: {why}"] if why else [])
    reasons = {one.not_told for one in result.responses}
    if len(reasons) == 1 and (reason := result.responses[0].not_told):
        return Text(sentences=[f"{CANNOT}: {_NOT_TOLD[reason]}"])
    lines = [slope(one) for one in result.responses]
    return Text(sentences=[line for line in (*lines, _many(result), _rests_on(result), _to_come(result)) if line])


def slope(found: Response) -> str:
    """One indicator: by how much its level went up or down for each further visit."""
    name, one = found.indicator.name, found.slope
    if one is None:
        assert found.not_told is not None
        return f"{name}: whether it went with visits cannot be told: {_NOT_TOLD[found.not_told]}"
    verdict = "no clear association either way"
    if one.is_clear:
        better = one.estimate * found.indicator.sign > 0
        verdict = f"{'better' if better else 'worse'} as visits added up, which need not be their doing"
    return (
        f"{name}: each further visit went with {amount(one.estimate, found.indicator)} (95% interval "
        f"{limits(one, found.indicator)}), association only: {verdict}."
    )


def _told(result: DoseResponse) -> list[Response]:
    return [one for one in result.responses if one.slope is not None]


def _many(result: DoseResponse) -> str:
    """How many intervals chance alone would put beside no association, and which stand out all the same."""
    alarms = result.alarms
    if alarms is None or alarms.charts < 2:
        return ""
    text = (
        f"{alarms.charts} indicators were looked at: where none goes with visits, at least one such interval would "
        f"still leave out 0 in up to {percent(alarms.at_least_one)} of collaboratives."
    )
    clear = [one for one in _told(result) if one.slope and one.slope.is_clear]
    if not clear:
        return text
    stand = [one.indicator.name for one in clear if one.adjusted_p < SURE]
    if not stand:
        return f"{text} Allowing for that, none stands out."
    still = "these still stand out" if len(stand) > 1 else "this still stands out"
    return f"{text} Allowing for that, {still}: {listed(stand)}."


def _rests_on(result: DoseResponse) -> str:
    told = _told(result)
    if not told:
        return ""
    common = _span([percent(1 - one.left_share) for one in told])
    left = _span([f"{one.left_sd:.1f}" for one in told])
    df = [one.slope.df for one in told if one.slope]
    speak = _span([f"{x:.0f}" for x in df])
    facilities = _span([f"{one.n_facilities}" for one in told])
    few = "few of " if max(df) < min(one.n_facilities for one in told) / 2 else ""
    return (
        f"Visits add up as time goes by, as improvement does: {common} of the variation of visits within facilities is "
        f"common to all and was taken out. What is left, {left} visits (standard deviation), is all there is to go by, "
        f"and it lies in {few}the {facilities} facilities ({speak} degrees of freedom)."
    )


def _span(texts: list[str]) -> str:
    """The lowest and the highest of several numbers as written, or the one they all are."""
    ordered = sorted(set(texts), key=lambda text: float(text.rstrip("%")))
    if len(ordered) == 1:
        return ordered[0]
    return f"{ordered[0].rstrip('%')} to {ordered[-1]}"


def _to_come(result: DoseResponse) -> str:
    """Whether care went with visits that had not been made yet."""
    checked = [one for one in _told(result) if one.ahead is not None]
    if not checked:
        return f"Whether visits followed care, by those of the next {MONTHS_AHEAD} months, could not be checked."
    clear = [one for one in checked if one.ahead and one.ahead.is_clear]
    which = f"The visits of the next {MONTHS_AHEAD} months, which cannot have worked yet,"
    if not clear:
        return f"{which} do not clearly go with care: no sign that mentors went by how care had just been."
    shown = [f"{one.indicator.name}, {with_limits(one.ahead, one.indicator)}" for one in clear if one.ahead]
    return (
        f"{which} go with care as well ({'; '.join(shown)}): a sign that visits followed care, or that something else "
        "moved both."
    )


def amount(x: float, indicator: Indicator) -> str:
    """A change for each visit with its sign and unit, e.g. +0.5 points, −0.3 deaths per 1000 live births."""
    if indicator.kind == "proportion":
        return f"{bare(x, indicator)} points"
    return f"{bare(x, indicator)} {unit(indicator)}".strip()


def bare(x: float, indicator: Indicator) -> str:
    """The same without its unit: points with one decimal, anything else with two digits."""
    if indicator.kind == "proportion":
        text = f"{100 * x:+.1f}"
        return ("0.0" if text in ("+0.0", "-0.0") else text).replace("-", MINUS)
    return f"{'+' if x > 0 else ''}{number(float(f'{x:.2g}'))}"


def limits(one: Slope, indicator: Indicator) -> str:
    """Both limits with their signs."""
    return f"{bare(one.low, indicator)} to {bare(one.high, indicator)}"


def with_limits(one: Slope, indicator: Indicator) -> str:
    """Estimate and limits without a unit, e.g. +0.5 (−1.4 to +2.4)."""
    return f"{bare(one.estimate, indicator)} ({limits(one, indicator)})"


def why_not(found: Response) -> str:
    """Why nothing is told, in a few words for a figure or a table."""
    return "" if found.not_told is None else f"not told: {_SHORT[found.not_told]}"


def caveats(result: DoseResponse) -> Text:
    """What an association within facilities is not, and who was left out; nothing where nothing is told."""
    if not _told(result):
        return Text(sentences=[], style="caveats")
    lag = result.lag_months
    shown = f"up to {count(lag, 'month')} before" if lag else "up to the same month"
    lines = [
        "Who was visited when was not drawn by lot. Mentors go where care is bad, or where they are welcome; either "
        "can make care go with visits that do nothing, or hide what they do.",
        "All facilities change after joining, whoever is visited. What is common to all facilities in a calendar "
        "month, and so many months after joining, is taken out, and with it whatever visits do to all alike: no "
        "association does not mean that mentoring does nothing.",
        f"A facility's level in a month is set beside all visits made to it {shown}, by any mentor, planned or not, "
        "on site or not. Each is taken as worth the same and as lasting. Months run to the end of support, and each "
        "facility-month counts alike, however many people it had.",
    ]
    return Text(sentences=[*lines, *_left_out(result)], style="caveats")


def _left_out(result: DoseResponse) -> list[str]:
    lines = []
    apart = [
        count(n, *names)
        for n, names in ((result.n_hubs, ("hub",)), (result.n_comparison, ("comparison facility", _COMPARED)))
        if n
    ]
    if apart:
        part = "takes" if result.n_hubs + result.n_comparison == 1 else "take"
        lines.append(f"{listed(apart)} {part} no part where care is set beside visits.")
    of_names: dict[str, list[str]] = {}
    for one in result.responses:
        parts = [
            f"{listed(names)} ({why})"
            for reason, why in _LEFT_OUT.items()
            if (names := list(one.left_out.loc[one.left_out["reason"] == reason, "facility"]))
        ]
        if parts:
            of_names.setdefault("; ".join(parts), []).append(one.indicator.name)
    lines += [f"Not set beside visits for {listed(names)}: {who}." for who, names in of_names.items()]
    if result.small_months:
        lines.append(
            f"{count(result.small_months, 'facility-month')} with fewer than {result.smallest_denominator} people "
            f"{'is' if result.small_months == 1 else 'are'} left out where care is set beside visits."
        )
    return lines


def axis_title(indicator: Indicator) -> str:
    """Of one panel: the unit for each visit."""
    measured = "Points" if indicator.kind == "proportion" else unit(indicator)
    measured = f"{measured[:1].upper()}{measured[1:]}"
    return f"{measured} for each further visit".strip()


def caption(result: DoseResponse) -> str:
    """Caption of the figure."""
    return (
        "Change in level that went with each further visit, within facilities, beside what the calendar month and the "
        f"months since joining did to all; lines: 95% intervals. Grey and open: for visits of the next {MONTHS_AHEAD} "
        "months, which cannot have worked yet; away from 0, visits followed care. An association only."
    )


def alt(result: DoseResponse) -> str:
    """Alternative text of the figure."""
    return " ".join(slope(one) for one in result.responses)
