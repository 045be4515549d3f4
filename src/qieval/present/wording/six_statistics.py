"""What may be said of the six statistics, beside what 27 published collaboratives found."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from qieval.analyses.six_statistics import (
    FEWEST_MONTHS,
    PUBLISHED,
    PUBLISHED_CHARTS,
    PUBLISHED_COLLABORATIVES,
    PUBLISHED_LOW_BASELINE,
    SOURCE,
    IndicatorStatistics,
    Name,
    Published,
)
from qieval.analyses.time_to_target import FEWEST_BASELINE_MONTHS, FEWEST_FACILITIES
from qieval.present.display import Text
from qieval.present.numbers import DASH, MINUS, count, listed, months, number, of, percent, unit, value


def answer(results: Sequence[IndicatorStatistics]) -> Text:
    """Per indicator: where facilities began and what they reached; how many reached it, and when; what they kept."""
    lines = [sentence for found in results for sentence in indicator(found)]
    if any(found.refused is None for found in results):
        lines.append(
            "These figures describe what happened; any gain is associated with the collaborative, and other causes "
            "are not ruled out."
        )
    return Text(sentences=lines or ["No indicator was measured in a facility that takes part."])


def indicator(found: IndicatorStatistics) -> list[str]:
    """The sentences of one indicator, or why there are none."""
    if found.refused is not None:
        return [_refusal(found)]
    return [line for line in (_gain(found), _reaching(found), _kept(found)) if line]


def _refusal(found: IndicatorStatistics) -> str:
    name = found.indicator.name
    if found.refused == "no baseline":
        return (
            f"{name}: no facility has {FEWEST_BASELINE_MONTHS} months before it joined, so there is no baseline to "
            "set a level reached against; the six statistics are not given. Give each facility's joined_on, and months "
            "before it."
        )
    if found.refused == "too few months":
        return (
            f"{name}: no facility has {FEWEST_MONTHS} months with people enough, {FEWEST_BASELINE_MONTHS} of them "
            f"before it joined and {found.months_to_reach} in a row since; the six statistics are not given."
        )
    n = len(found.facilities)
    return (
        f"{name}: {count(n, 'facility has', 'facilities have')} months enough; with fewer than {FEWEST_FACILITIES} "
        "neither a mean nor an interval is given. Each facility's figures are in the table."
    )


def _gain(found: IndicatorStatistics) -> str:
    before, best, gain = found.row("baseline"), found.row("level_reached"), found.row("gain")
    one = found.indicator
    row = f"best {count(found.months_to_reach, 'month')}{' in a row' if found.months_to_reach > 1 else ''}"
    text = (
        f"{one.name}: over {count(int(gain['n']), 'facility', 'facilities')} the baseline was "
        f"{with_unit(before['estimate'], found)} on average ({_interval(before, found)}) and the {row} since "
        f"joining {with_unit(best['estimate'], found)} ({_short(best, found)}), better by "
        f"{points(gain['estimate'], found)} ({_short(gain, found)})."
    )
    if math.isnan(gain["by_chance"]):
        text += " What chance alone would make of the best months is not known for this kind of indicator."
    else:
        chance = points(gain["by_chance"], found)
        text += f" Had nothing changed, the {row} would still be better by {chance}, by chance alone"
        text += ": this gain is no evidence that care changed." if not gain["low"] > gain["by_chance"] else "."
    return f"{text}{_together(found)}"


def _together(found: IndicatorStatistics) -> str:
    """The one chart of all facilities together, and what is published of such charts."""
    before, best, gain = (found.row(name)["together"] for name in ("baseline", "level_reached", "gain"))
    text = ""
    if not math.isnan(gain):
        text = (
            f" One chart of all of them together goes from {value(before, found.indicator)} to "
            f"{value(best, found.indicator)}, better by {points(gain, found)}"
        )
    known = published("gain", None)
    if text and known is not None and known.spread is not None and found.indicator.kind == "proportion":
        text += (
            f"; such charts of the published collaboratives gained {number(100 * known.value)} points on average "
            f"(spread {100 * known.spread:.1f})"
        )
    return f"{text}." if text else ""


def _reaching(found: IndicatorStatistics) -> str:
    if not found.levels:
        return f"{found.indicator.name} has no target, so no share that reached it, no time to it and no months kept."
    lines = []
    for level in found.levels:
        share, took = found.row("share_reaching", level), found.row("months_to_reach", level)
        n_reached = int(found.facilities[f"reached_{level:g}"].sum())
        text = (
            f"{of(n_reached, int(share['n']), 'facility', 'facilities')} ({percent(share['estimate'])}, 95% interval "
            f"{percent(share['low'])} to {percent(share['high'])}) reached {_aim(level, found)}"
        )
        text += f"{_published_share(found, level)}.{_before(found, level)}{_by_chance(found, level)}"
        lines.append(text + _months(took, level, found))
    return " ".join(lines)


def _aim(level: float, found: IndicatorStatistics) -> str:
    rule = f" for {found.months_to_reach} months in a row" if found.months_to_reach > 1 else " in any month"
    return f"{'' if is_shared_level(found) else 'the target of '}{with_unit(level, found)}{rule}"


def _published_share(found: IndicatorStatistics, level: float) -> str:
    known = published("share_reaching", level)
    if known is None or not is_shared_level(found):
        return ""
    return f"; of {PUBLISHED_CHARTS} published charts {percent(known.value)} did"


def _before(found: IndicatorStatistics, level: float) -> str:
    n = found.at_level_before[level]
    return f" {count(n, 'facility', 'facilities')} began there." if n else ""


def _by_chance(found: IndicatorStatistics, level: float) -> str:
    expected = found.reached_by_chance[level]
    # A higher level is reached by chance less often still.
    if math.isnan(expected) or (level != found.levels[0] and expected < 0.95):
        return ""
    about = "fewer than one" if expected < 0.95 else f"about {expected:.0f}"
    return f" Had nothing changed since baseline, {about} would have by chance."


def _months(took: pd.Series, level: float, found: IndicatorStatistics) -> str:
    n = int(took["n"])
    if took["lacking"] == "none reached":
        return ""
    if took["lacking"] is not None:
        return f" Only {count(n, 'facility', 'facilities')} came to it since joining, too few for a mean time."
    text = (
        f" The {n} that did not begin there took {months(took['estimate'])} months on average "
        f"({_interval(took, found)})"
    )
    known = published("months_to_reach", level)
    if known is not None and is_shared_level(found):
        text += f"; the published charts took {number(known.value)}"
    return f"{text}. Those still short of it are not in this mean."


def _kept(found: IndicatorStatistics) -> str:
    if not found.levels:
        return ""
    kept, level = found.row("share_kept", found.levels[0]), found.levels[0]
    if kept["lacking"] == "none reached":
        return ""
    at = f"{with_unit(level, found)} or {'above' if found.indicator.better == 'up' else 'below'}"
    if kept["lacking"] is not None:
        long_enough = count(int(kept["n"]), "facility was", "facilities were")
        return (
            f"Whether they stayed at {at} is not given: {long_enough} observed for {2 * found.months_to_reach} months "
            f"or more since reaching it, and it takes {FEWEST_FACILITIES}."
        )
    text = (
        f"Since reaching it, {count(int(kept['n']), 'facility', 'facilities')} observed for "
        f"{2 * found.months_to_reach} months or more spent {percent(kept['estimate'])} of these months at {at} "
        f"({_interval(kept, found)}"
    )
    known = published("share_kept", level)
    return f"{text}{f'; published: {percent(known.value)}' if known and is_shared_level(found) else ''})."


def caveats(results: Sequence[IndicatorStatistics]) -> Text:
    """How the statistics were made where the paper is silent, who was left out, and what cannot be compared."""
    lines = []
    for found in results:
        for reason, words in (
            ("no baseline", f"fewer than {FEWEST_BASELINE_MONTHS} months before joining"),
            ("too few months", f"fewer than {FEWEST_MONTHS} months, or too few of them in a row since joining"),
        ):
            names = found.left_out[reason]
            if names and found.refused != reason:
                lines.append(f"{found.indicator.name}: left out for {words}: {listed(names)}.")
    if all(found.refused is not None for found in results):
        return Text(sentences=lines, style="caveats")
    lines.append(
        f"The published figures are of {PUBLISHED_CHARTS} charts from {PUBLISHED_COLLABORATIVES} collaboratives "
        f"({SOURCE}), each of several teams together. A single facility's months scatter more, so its best months look "
        "better and its level is kept less often; the figures of all facilities together compare best. Published "
        "collaboratives are not a fair sample of all: those with little to show are written up less often."
    )
    lines.append(
        "The paper does not say how many months make a baseline or a level reached; here a level must be held for "
        f"{_rule(results)}, and a facility still short of it is in no mean time."
    )
    return Text(sentences=lines, style="caveats")


def _rule(results: Sequence[IndicatorStatistics]) -> str:
    n = results[0].months_to_reach if results else 3
    return f"{n} months in a row" if n > 1 else "one month"


def is_shared_level(found: IndicatorStatistics) -> bool:
    """Whether this indicator is held against 80% and 90%, as the published ones were, and not against a target."""
    return found.indicator.kind == "proportion" and found.indicator.better == "up"


def published(statistic: Name, level: float | None) -> Published | None:
    """What is printed of this statistic, if it is."""
    return next((one for one in PUBLISHED if (one.statistic, one.level) == (statistic, level)), None)


def published_words(statistic: Name, level: float | None) -> str:
    """What is printed of this statistic, in a few words for a figure."""
    if statistic == "baseline":
        return f"{PUBLISHED_COLLABORATIVES} others: {PUBLISHED_LOW_BASELINE} of charts below {percent(0.5)}"
    known = published(statistic, level)
    if known is None:
        return f"{PUBLISHED_COLLABORATIVES} others: not published"
    if statistic == "gain":
        return f"{PUBLISHED_COLLABORATIVES} others: {number(100 * known.value)} points{_spread(known, 100)}"
    if statistic == "months_to_reach":
        return f"{PUBLISHED_COLLABORATIVES} others: {number(known.value)} months{_spread(known, 1)}"
    what = "of charts" if statistic == "share_reaching" else "of months"
    return f"{PUBLISHED_COLLABORATIVES} others: {percent(known.value)} {what}"


def _spread(known: Published, scale: float) -> str:
    return "" if known.spread is None else f", spread {known.spread * scale:.1f}"


def lacking_short(row: pd.Series) -> str:
    """Why a statistic of one indicator is not given, short enough to stand beside its axis."""
    return {"none reached": "none", "no target": "no target"}.get(row["lacking"], f"too few ({int(row['n'])})")


def lacking_words(row: pd.Series) -> str:
    """Why a statistic of one indicator is not given, in a few words for a table."""
    n = int(row["n"])
    return {
        "too few facilities": f"too few facilities ({n})",
        "too few reached": f"too few came to it ({n})",
        "none reached": "none came to it",
        "too few followed on": f"too few followed on ({n})",
        "no target": "no target",
    }[row["lacking"]]


def with_unit(x: float, found: IndicatorStatistics) -> str:
    """A value with its unit."""
    suffix = unit(found.indicator)
    return value(x, found.indicator) if suffix in ("", "%") else f"{value(x, found.indicator)} {suffix}"


def points(x: float, found: IndicatorStatistics) -> str:
    """A gain, positive where care became better: points of a proportion, else the unit."""
    if found.indicator.kind != "proportion":
        return with_unit(x, found)
    nearest = math.floor(100 * abs(x) + 0.5)
    return f"{MINUS if x < 0 and nearest else ''}{count(nearest, 'point')}"


def estimate_words(x: float, row: pd.Series, found: IndicatorStatistics) -> str:
    """A statistic, or a limit of its interval, without a unit that its name or its column tells."""
    if row["statistic"] == "months_to_reach":
        return months(x)
    if row["statistic"] in ("share_reaching", "share_kept"):
        return percent(x)
    if row["statistic"] == "gain" and found.indicator.kind == "proportion":
        return points(x, found)
    return value(x, found.indicator)


def interval_words(row: pd.Series, found: IndicatorStatistics) -> str:
    """The limits of a statistic; a dash where it has none."""
    if math.isnan(row["low"]):
        return DASH
    low, high = (estimate_words(x, row, found) for x in (row["low"], row["high"]))
    return f"{low.removesuffix(' points').removesuffix(' point')} to {high.removesuffix(' points')}"


def _interval(row: pd.Series, found: IndicatorStatistics) -> str:
    limits = interval_words(row, found)
    return "the same in all of them, so there is no interval" if limits == DASH else f"95% interval {limits}"


def _short(row: pd.Series, found: IndicatorStatistics) -> str:
    return _interval(row, found).removeprefix("95% interval ")


def statistic_words(statistic: Name, level: float | None, found: IndicatorStatistics | None = None) -> str:
    """The name of a statistic, with its level where it has one."""
    if level is None and statistic in ("share_reaching", "months_to_reach", "share_kept"):
        at = "target"
    elif level is not None and found is not None and not is_shared_level(found):
        at = f"target of {value(level, found.indicator)}"
    else:
        at = "" if level is None else percent(level)
    return {
        "baseline": "Baseline",
        "level_reached": "Level reached",
        "gain": "Gain",
        "share_reaching": f"Facilities that reached {at}",
        "months_to_reach": f"Months to reach {at}",
        "share_kept": f"Months kept at {at}",
    }[statistic]


def strip_key(results: Sequence[IndicatorStatistics]) -> str:
    """The key to the marks of the strip."""
    parts = ["● over facilities, with 95% interval", "◇ all facilities together"]
    if any(found.levels and not is_shared_level(found) for found in results):
        parts.append("■ own target")
    if any(found.statistics["by_chance"].notna().any() for found in results):
        parts.append("| by chance alone")
    return "    ".join(parts)


def strip_caption(results: Sequence[IndicatorStatistics]) -> str:
    """Caption of the strip, with the key to its marks."""
    text = (
        "The six statistics of each indicator. Filled mark: mean or share over facilities, with its 95% interval. "
        "Open diamond: one chart of all facilities together, as the published charts are."
    )
    if any(found.levels and not is_shared_level(found) for found in results):
        text += " Square: the indicator's own target instead of a level of 80%; not comparable with the published."
    if any(found.statistics["by_chance"].notna().any() for found in results):
        text += " Upright stroke: by chance alone, had nothing changed."
    return f"{text} Orange: mean (line) and spread (band) of {PUBLISHED_CHARTS} published charts. Source: {SOURCE}."


def strip_alt(results: Sequence[IndicatorStatistics]) -> str:
    """Alternative text of the strip."""
    first = [sentence for found in results for sentence in indicator(found)[:1]]
    return f"One small axis per statistic, with each indicator beside the published collaboratives. {' '.join(first)}"
