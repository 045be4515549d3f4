"""What may be said of gains after support ended; not reported is not sustained."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from qieval.analyses.after_support import CLIMB_MONTHS, LONGEST
from qieval.analyses.gain_kept import FEWEST_FACILITIES, LEAST_KEPT, Horizon
from qieval.analyses.loss_of_gain import CONFIDENCE, LossOfGain
from qieval.analyses.sustainment import CLASSES, Class, IndicatorSustainment, Sustainment
from qieval.present.display import Text
from qieval.present.numbers import DASH, MINUS, change, count, listed, number, of, percent, unit

CLASS_WORDS: dict[Class, str] = {  # of so many facilities; each stands behind a count
    "gained and kept": "kept the gain",
    "gained and lost": "lost some or all of it",
    "cannot be told": "saw too few people to tell",
    "stopped reporting": "stopped reporting",
    "too early": "ended support too recently to tell",
}

WITHOUT_GAIN: dict[Class, str] = {  # of those of which no gain was told when support ended
    "gained later": "{n} gained later",
    "never gained": "{n} never gained",
    "no gain could be told": "in {n} a gain is neither told nor ruled out",
}


def definition(result: Sustainment) -> Text:
    """What counts as a gain, as lost and as kept, before any result; nothing where there is none."""
    if not result.indicators:
        return Text(sentences=[], style="note")
    options = result.options
    window = count(options.window_months, "month")
    after = listed([str(month) for month in options.follow_up_months])
    in_a_row = f"the first of {count(options.months_to_lose, 'month')} in a row"
    return Text(
        sentences=[
            f"Gained: the level over the last {window} of support was better than the baseline (all months before "
            f"joining) by at least {percent(options.minimum_gain)} (points of a proportion, otherwise of the "
            "baseline), and by more than chance explains (95% interval). Never gained: that interval leaves out a gain "
            "so large. Between the two no gain could be told: there may be one, but too few people were seen.",
            f"Lost: from {in_a_row if options.months_to_lose > 1 else 'a month'} worse than the end of support by over "
            f"{percent(options.tolerance)} (points of a proportion, otherwise of that level), if these months together "
            f"are also worse than it by more than chance explains. As every month is looked at, a "
            f"{percent(CONFIDENCE)} interval is asked for. A month not reported neither makes nor breaks a row.",
            f"Kept: not lost, and over the last {window} reported the 95% interval of the share of the gain that is "
            f"left lies above {percent(LEAST_KEPT)}. Between the two it cannot be told: too few people were seen.",
            f"Gained later: no gain told at the end of support, but the last {count(options.months_to_lose, 'month')} "
            "or more in a row were one. Facilities that stopped reporting are counted apart, as neither kept nor lost. "
            f"How much was kept is told {after} months after support ended.",
            f"Change after support, and early warnings, are judged by the level held: that of at most {LONGEST} months "
            f"of support, without the first {CLIMB_MONTHS} after joining, in which care climbs.",
        ],
        style="note",
    )


def answer(result: Sustainment) -> Text:
    """Per indicator, how many facilities gained, and what became of it."""
    if not result.indicators and result.support_ended:
        return Text(sentences=["No facility that takes part has a month with both a numerator and a denominator."])
    if not result.indicators:
        return Text(
            sentences=[
                "No facility has a day on which support ended, so nothing can be said of what lasted after it. Once "
                "such days are written into support_ended_on of the facilities table, this section tells it."
            ]
        )
    return Text(sentences=[classes(found) for found in result.indicators])


def classes(result: IndicatorSustainment) -> str:
    """How many facilities of each class; every facility that gained is in one of them."""
    name = result.indicator.name
    if not result.n_assessable:
        return f"{name}: no facility has the months needed before joining and at the end of support."
    who = of(result.n_gained, result.n_assessable, "facility", "facilities")
    text = f"{name}: when support ended, a gain could be told in {who}."
    counts = [(len(result.facilities(one)), words) for one, words in CLASS_WORDS.items()]
    others = _others(result)
    if result.n_gained:
        text += f" By their last months reported {listed([f'{n} {words}' for n, words in counts if n])}."
        return f"{text} Of those without, {others}." if others else text
    return f"{text} There is no gain to follow: {others}."


def _others(result: IndicatorSustainment) -> str:
    """What became of the facilities of which no gain was told when support ended; nothing where there are none."""
    counts = [(len(result.facilities(one)), words) for one, words in WITHOUT_GAIN.items()]
    parts = [words.format(n=n) for n, words in counts if n]
    return listed(parts) if parts else ""


def loss(result: IndicatorSustainment) -> Text | None:
    """When gains were lost, and how many would seem so by chance; None where nothing was gained."""
    found = result.loss
    if found.refused == "no gain":
        return None
    if found.refused == "no facility to follow":
        return Text(sentences=["No facility reported months enough after support for a loss to be seen."])
    who = of(found.n_lost, found.n_followed, "facility", "facilities")
    lost = f"{who} followed lost some or all of the gain{_when(result)}."
    if found.curve is None:
        lost += f" With fewer than {FEWEST_FACILITIES} facilities no curve is drawn."
    elif not found.has_median:
        lost += f" With fewer than {FEWEST_FACILITIES} losses no median time is given."
    else:
        lost += f" {_median(found)}"
    stopped = result.facilities("stopped reporting")
    if stopped:
        lost += f" {listed(stopped)} stopped reporting and {'is' if len(stopped) == 1 else 'are'} followed up to then."
    return Text(sentences=[lost, _by_chance(result)])


def _median(found: LossOfGain) -> str:
    """The month by which half had lost it, told as far as five or more facilities were followed."""
    assert found.curve is not None
    last = found.last_told
    month = number(float(last["time"]))
    ends = "" if last["time"] == found.curve.curve["time"].max() else _ENDS.format(month=month)
    if not found.is_median_told:
        held = f"{percent(last['survival'])} still held it (95% interval {percent(last['low'])} to "
        return (
            f"The median is not reached by month {month} after support ended: by the curve {held}"
            f"{percent(last['high'])}).{ends}"
        )
    curve = found.curve
    high = "no upper limit"
    if curve.median_high <= last["time"]:
        high, ends = number(curve.median_high), ""
    elif math.isfinite(curve.median_high):
        high = f"beyond {month}"
    return (
        f"By the curve half of the facilities had lost it by month {number(curve.median)} after support ended (95% "
        f"interval {number(curve.median_low)} to {high}).{ends}"
    )


_ENDS = f" Beyond month {{month}} fewer than {FEWEST_FACILITIES} were followed, so that no more can be told."


def _when(result: IndicatorSustainment) -> str:
    """Which facilities, where they are too few for a median."""
    rows = result.loss.table.loc[result.loss.table["status"] == "lost"]
    if rows.empty or result.loss.has_median:
        return ""
    return f" ({listed([f'{row.facility} from month {int(row.duration_months)} on' for row in rows.itertuples()])})"


def _by_chance(result: IndicatorSustainment) -> str:
    found = result.loss
    if math.isnan(found.lost_by_chance):
        return (
            "How many would have seemed to lose it by chance is not known: how the months of such an indicator scatter "
            "is not recorded."
        )
    n = result.loss.n_followed
    return (
        f"Had none of the {n} lost anything, {_about(found.lost_by_chance)} would have seemed to by chance; by the "
        f"months in a row alone, without asking for more than chance explains, {_about(found.row_by_chance)}."
    )


def _about(expected: float) -> str:
    return "fewer than one" if expected < 0.95 else f"about {expected:.0f}"


def kept(result: IndicatorSustainment) -> Text | None:
    """How much of the gain was kept, and by how many; None where nothing was gained."""
    if not result.n_gained:
        return None
    return Text(sentences=[line for line in (*map(_horizon, result.horizons), _regression(result)) if line])


def _horizon(horizon: Horizon) -> str:
    on = f"{count(horizon.months_after, 'month').capitalize()} on"
    if not horizon.n_due:
        return f"{on}, it is too early to tell of any of them."
    if not horizon.n_known:
        return f"{on}, none of the {horizon.n_due} due has reported."
    share = horizon.share
    if share is None:
        n = count(horizon.n_known, "facility that reported is", "facilities that reported are")
        told = (
            f"{on}, {n} too few for an average" if horizon.n_known < FEWEST_FACILITIES else f"{on}, there is no average"
        )
        text = f"{told} of the share kept; each is in the table."
    elif not math.isfinite(share.low + share.high):
        text = f"{on}, the gain is too uncertain for its share kept to be told."
    else:
        text = (
            f"{on}, the {horizon.n_known} facilities that reported together kept {share_kept(share.estimate)} of "
            f"their gain (95% interval {share_kept(share.low)} to {share_kept(share.high)}; one more facility like "
            f"these may lie anywhere from {share_kept(share.prediction_low)} to {share_kept(share.prediction_high)})."
        )
    return f"{text} {_how_many(horizon)}"


def share_kept(share: float) -> str:
    """A share of a gain, or of a baseline; how far it is beyond all or none is not known well enough for a number."""
    if math.isnan(share):
        return DASH
    if math.isinf(share):
        return "no limit"
    return "over 200%" if share > 2 else f"under {MINUS}100%" if share < -1 else percent(share)


def _how_many(horizon: Horizon) -> str:
    """How many kept it, of those of which it can be told; and the bounds for all others."""
    if not horizon.n_told:
        return "Of none of them can it be told whether it kept its gain."
    text = f"Of the {horizon.n_told} of which it can be told, {horizon.n_kept} had kept it"
    if horizon.kept is not None:
        text += f" ({percent(horizon.kept.estimate)}, 95% interval {percent(horizon.kept.low)} to "
        text += f"{percent(horizon.kept.high)})"
    text += "."
    silent = horizon.n_due - horizon.n_known
    others = [f"{horizon.n_untold} saw too few people to tell"] if horizon.n_untold else []
    others += [f"{silent} did not report"] if silent else []
    if others:
        text += (
            f" Of the others {listed(others)}: if all of these lost it, {of(horizon.n_kept, horizon.n_due)} kept it; "
            f"if all kept it, {of(horizon.n_due - horizon.n_lost, horizon.n_due)}."
        )
    if horizon.n_too_early:
        text += f" Of {horizon.n_too_early} more it is too early to tell."
    return text


def _regression(result: IndicatorSustainment) -> str:
    """How much of the gains followed would go by chance alone."""
    if math.isnan(result.fall_by_chance):
        return ""
    gain = change(result.mean_gain, result.indicator).lstrip("+")
    if result.indicator.kind != "proportion" and unit(result.indicator):
        gain += f" {unit(result.indicator)}"
    share = max(result.fall_by_chance / result.mean_gain, 0.0)
    return (
        f"Facilities that happened to stand high at the end of support fall back by chance alone: of the average gain "
        f"of {gain}, {percent(share)} is expected to go that way though nothing is lost (regression to the mean)."
    )


def caveats(result: Sustainment) -> Text:
    """What was left out, and what cannot be concluded."""
    lines = []
    for found in result.indicators:
        name = found.indicator.name
        few, going = len(found.facilities("too few months")), len(found.facilities("support not ended"))
        if few:
            lines.append(
                f"{name}: {count(few, 'facility has', 'facilities have')} too few months or people before joining or "
                "at the end of support."
            )
        if going:
            lines.append(f"{name}: the end of support is not recorded for {count(going, 'facility', 'facilities')}.")
        if any(0 < horizon.n_told < FEWEST_FACILITIES for horizon in found.horizons):
            lines.append(
                f"{name}: where fewer than {FEWEST_FACILITIES} facilities can be told about, no interval is given for "
                "the share of them that kept the gain."
            )
    if any(found.n_gained for found in result.indicators):
        lines += [
            "A facility that sees few people has to lose much before the loss is told from chance, so that losses are "
            "rather missed or told late than made up.",
            "Chance is reckoned as if months were independent and scattered no more than counts of people must; they "
            "scatter somewhat more, so that chance brings about somewhat more losses.",
            "Facilities that stop reporting may do worse than the others; the curve leaves them out from then on, and "
            "the best and worst case show how much that could matter.",
        ]
    if result.indicators:
        lines.append(
            "There is no comparison here with facilities whose support went on, so a gain kept or lost is associated "
            "with the end of support, not shown to come of it."
        )
    return Text(sentences=lines, style="caveats")


def loss_caption(result: IndicatorSustainment) -> str:
    """Caption of the curve."""
    text = (
        f"{result.indicator.name}: share of facilities that still held their gain, by months since support ended "
        "(Kaplan-Meier), with its 95% band."
    )
    found = result.loss
    if found.curve is not None and (found.curve.curve["censored"] > 0).any():
        text += " Small ticks: facilities that still held it when last seen."
    if found.curve is not None and few_followed(result).any():
        text += f" Dotted: fewer than {FEWEST_FACILITIES} facilities are still followed."
    if found.by_chance is not None:
        text += " Black dashes: what is expected of the same facilities had none lost anything."
    return text


def few_followed(result: IndicatorSustainment) -> pd.Series:
    """Of each step of the curve, whether fewer facilities than a share should be told of are still followed."""
    assert result.loss.curve is not None
    return result.loss.curve.curve["at_risk"] < FEWEST_FACILITIES


def loss_alt(result: IndicatorSustainment) -> str:
    """Alternative text of the curve."""
    said = loss(result)
    return " ".join(["Falling step curve of the share of facilities that held their gain.", *_lines(said)])


def loss_labels(result: IndicatorSustainment) -> tuple[str, str]:
    """The names of both curves, with the share each comes to by the last month told."""
    last, chance = result.loss.last_told, result.loss.by_chance
    seen = f"Seen: {percent(last['survival'])}"
    if few_followed(result).any():
        seen += f"\nat month {number(float(last['time']))}"
    if chance is None:
        return seen, ""
    by_then = chance.curve.loc[chance.curve["time"] <= last["time"], "survival"].iloc[-1]
    return seen, f"By chance\nalone: {percent(float(by_then))}"


def kept_caption(result: IndicatorSustainment) -> str:
    """Caption of what was kept at each follow-up; without the share together where it cannot be told."""
    facilities = "of facilities that kept the gain, of those of which it can be told"
    bounds = "the grey bar runs from the worst to the best case for all others due."
    if not has_share(result):
        return (
            f"{result.indicator.name}: share {facilities} (counts under the axis), with its 95% interval (thick) where "
            f"these are {FEWEST_FACILITIES} or more; {bounds}"
        )
    return (
        f"{result.indicator.name}. Left: share of the gain that facilities together kept, with its 95% interval "
        f"(thick) and where one more facility may lie (thin). Right: share {facilities}, with its 95% interval "
        f"(thick); {bounds}"
    )


def has_share(result: IndicatorSustainment) -> bool:
    """Whether at any follow-up the share of the gain that facilities together kept can be told."""
    shares = [one.share for one in result.horizons if one.share is not None]
    return any(math.isfinite(share.low + share.high) for share in shares)


def kept_alt(result: IndicatorSustainment) -> str:
    """Alternative text of what was kept at each follow-up."""
    said = kept(result)
    rows = "Two rows of points with intervals" if has_share(result) else "Bars from worst to best case"
    return " ".join([f"{rows} by months since support ended.", *_lines(said)])


def _lines(text: Text | None) -> list[str]:
    return [] if text is None else list(text.sentences)


def segments_caption(result: IndicatorSustainment) -> str:
    """Caption of the small charts."""
    return (
        f"{result.indicator.name}: each facility that gained or gained later, by months since support ended. Shaded: "
        "the time of support. Thick lines: level before joining, at the end of support and over the last months "
        "reported; dashes: the worst level that still counts as kept; a triangle marks the first month of a loss; n: "
        "people in the middle month."
    )


def segments_alt(result: IndicatorSustainment) -> str:
    """Alternative text of the small charts."""
    return f"One small chart per facility, three levels in each. {classes(result)}"


def classes_caption(result: Sustainment) -> str:
    """Caption of the counts by class."""
    after = count(min(result.options.follow_up_months), "month")
    meanings: dict[Class, str] = {
        "cannot be told": "gained, but too few people were seen to tell whether it lasted",
        "too early": f"less than {after} since support ended",
        "no gain could be told": "a gain is neither told nor ruled out",
    }
    shown = classes_shown(result)
    lines = [f"{name.capitalize()}: {meaning}." for name, meaning in meanings.items() if name in shown]
    first = "Facilities by what became of their gain; each row adds up to the facilities with months of that indicator."
    return " ".join([first, *lines])


def classes_alt(result: Sustainment) -> str:
    """Alternative text of the counts by class."""
    return f"Bars with counts, a row per indicator and a column per class. {' '.join(answer(result).sentences)}"


def classes_shown(result: Sustainment) -> list[str]:
    """The classes that any facility is in, in their order."""
    return [one for one in CLASSES if any(found.facilities(one) for found in result.indicators)]


HOW_TO_READ = {  # by how the name of the figure begins
    "after_support_": "The sloping line is how far facilities stood, on average, from what they held while support "
    "lasted; a band wholly below (or above) the dashes is more than chance.",
    "after_support_forest_": "The forest shows the change after support of each facility; a bar that crosses 0 tells "
    "none.",
    "loss_of_gain_": "The falling curve is the share of facilities that still held their gain: it steps down where a "
    "facility lost it, and the dashes are what chance alone would give.",
    "early_warning_": "The time lines show which chart would have warned first: a mark to the left of the square is a "
    "warning before the loss was told, a mark without a square may be a false one.",
    "gain_kept_": "Points and bars show how much of the gain was left at each follow-up, where that can be told, and "
    "how many facilities had kept it; a long bar means that little can be said.",
    "levels_by_facility_": "The small charts show each facility: a thick line after support as high as the one at its "
    "end is a gain kept, one close to the first line a gain lost.",
}


def how_to_read(names: Sequence[str]) -> Text:
    """How to read the figures of these names, each kind once."""
    lines = [line for begin, line in HOW_TO_READ.items() if any(name.startswith(begin) for name in names)]
    first = "How to read the figures. The first counts facilities by what became of their gain."
    return Text(sentences=[" ".join([first, *lines])], style="note")
