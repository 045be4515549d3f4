"""What may be said of how fairly visits were shared."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.equity import FEWEST_BASELINE_MONTHS, FEWEST_RANKED, Equity, NoCurve, SettingRatio
from qieval.analyses.visits import FEWEST_FACILITIES
from qieval.methods.equity import Concentration
from qieval.present.display import Text
from qieval.present.numbers import MINUS, alike, count, of, percent, ratio

FACILITIES = ("facility", "facilities")
_NO_RATIO = {
    "one_setting": "Rural and urban facilities cannot be compared: one of the two is missing.",
    "few_facilities": f"Rural and urban facilities are not compared: of each {FEWEST_FACILITIES} or more are needed.",
    "few_visited": "Rural and urban facilities are not compared: in one of them fewer than two were visited.",
}
_NO_CURVE = {
    "few_facilities": f"fewer than {FEWEST_RANKED} facilities can be ranked",
    "all_alike": "all facilities are alike in it",
    "one_facility": "fewer than two facilities were visited",
}

HARDLY = 0.05  # facilities to expect without a visit, below which one is more than chance


def answer(result: Equity) -> Text:
    """Rural against urban, then by size and by need."""
    if result.refused == "totals_only":
        return Text(sentences=[])
    if result.refused:
        return Text(sentences=["How evenly visits were shared cannot be said: no facility was followed."])
    found = result.by_setting
    lines = [_setting(found) if isinstance(found, SettingRatio) else _NO_RATIO[str(found)]]
    lines.append(_evenly(result))
    lines.append(_ranked(result.by_size, "the smallest facilities", "the size of facilities"))
    lines.append(_ranked(result.by_need, "the facilities with the greatest need", "need"))
    return Text(sentences=[line for line in lines if line])


def _setting(found: SettingRatio) -> str:
    rural, urban = alike(pd.Series([found.rural_visits / found.rural_months, found.urban_visits / found.urban_months]))
    estimate, interval = ratio(found.ratio, found.low, found.high)
    text = (
        f"A rural facility had {rural} visits a month "
        f"({count(found.rural_visits, 'visit')}, {count(found.n_rural, *FACILITIES)}), an urban one "
        f"{urban} ({count(found.urban_visits, 'visit')}, {count(found.n_urban, *FACILITIES)}): a ratio of {estimate}"
    )
    if not found.low > 0:
        return f"{text}; facilities of a setting do not differ at all, so there is no interval."
    reading = "this leaves open which had more"
    if found.low > 1 or found.high < 1:
        reading = f"{'rural' if found.ratio > 1 else 'urban'} facilities had more"
    return f"{text} (95% interval {interval}); {reading}."


def _evenly(result: Equity) -> str:
    """The Gini index beside what chance alone would give."""
    found = result.lorenz
    if not isinstance(found, Concentration):
        return f"No curve from the least to the most visited facility is drawn: {_NO_CURVE[str(found)]}."
    mean, most = result.gini_by_chance
    text = f"From the least to the most visited facility the Gini index is {index(found.index)}{_limits(found)}"
    if found.index > most:
        return f"{text}, more uneven than visits dealt out by lot ({index(mean)}, rarely above {index(most)})."
    by_lot = f"{text}. Visits dealt out by lot would give about {index(mean)}, rarely above {index(most)}"
    never = int((result.facilities["visits"] == 0).sum())
    if never and result.never_by_chance < HARDLY:
        return f"{by_lot}. Yet a lot would hardly leave any facility without a visit, and {never} had none."
    return f"{by_lot}, so this is no sign of unequal treatment."


def _ranked(found: Concentration | NoCurve | None, first: str, by: str) -> str:
    if found == "not_recorded":
        return f"Visits are not set against {by}, since it is known for no facility."
    if not isinstance(found, Concentration):
        return f"Visits are not set against {by}: {_NO_CURVE[str(found)]}."
    share = percent(found.first_half)
    text = (
        f"By {by} ({count(found.n, *FACILITIES)}), the first half, that of {first}, had {share} of the visits (95% "
        f"interval {percent(found.first_half_low)} to {percent(found.first_half_high)}); concentration index "
        f"{index(found.index)}{_limits(found)}: "
    )
    if found.low > 0:
        return f"{text}{first} had less than an equal share."
    if found.high < 0:
        return f"{text}{first} had more than an equal share."
    return f"{text}no clear tilt either way."


def index(x: float) -> str:
    """An index between -1 and 1, e.g. −0.04."""
    return f"{x:.2f}".replace("-0.00", "0.00").replace("-", MINUS)


def _limits(found: Concentration) -> str:
    return f" (95% interval {index(found.low)} to {index(found.high)})" if found.standard_error > 0 else ""


def caveats(result: Equity) -> Text:
    """What the comparisons rest on."""
    if result.refused:
        return Text(sentences=[], style="caveats")
    lines = [
        "Each facility counts for the months from joining (or from its first visit, if that came earlier) to the data "
        "cut."
    ]
    if any(isinstance(one, SettingRatio | Concentration) for one in (result.by_setting, result.lorenz, result.by_size)):
        lines[0] += (
            " Facilities differ by more than chance; the intervals leave out one facility at a time to allow for that."
        )
    if result.n_hubs:
        lines.append(
            f"{count(result.n_hubs, 'hub is', 'hubs are')} left out of the comparison between facilities, since hubs "
            "mentor themselves."
        )
    ranked = [found for found in (result.by_size, result.by_need) if isinstance(found, Concentration)]
    if result.size_of is not None and isinstance(result.by_size, Concentration):
        lines.append(f"Size is the people served a month, as counted for {result.size_of.name}.")
    if result.need_of is not None and isinstance(result.by_need, Concentration):
        lines.append(
            f"Need is the level of {result.need_of.name} before joining, from {FEWEST_BASELINE_MONTHS} months or more: "
            "the worse, the greater the need. Other needs may differ."
        )
    if ranked:
        without = len(result.facilities) - min(found.n for found in ranked)
        if without:
            lines.append(f"Not ranked, for want of a record: {of(without, len(result.facilities), *FACILITIES)}.")
        lines.append(
            "An equal share is not always the fair one: a facility in greater need may deserve more than its share."
        )
    return Text(sentences=lines, style="caveats")


def curves_caption(result: Equity) -> str:
    """Caption of the concentration curves."""
    return (
        "Share of all visits over the share of facility-months, added up in the order named on each axis. On the "
        "dotted line everyone has an equal share; a curve below it means that the first in order had less. Bands: 95% "
        "intervals over facilities."
    )


def curves_alt(result: Equity) -> str:
    """Alternative text of the same."""
    return " ".join(answer(result).sentences[1:])
