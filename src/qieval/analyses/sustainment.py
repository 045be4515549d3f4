"""Did gains last after support ended? Facility by facility, since an average hides who lost them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.gain_kept import (
    Horizon,
    empty_follow_up,
    fall_by_chance,
    follow_up,
    horizon,
    standing,
)
from qieval.analyses.loss_of_gain import CONFIDENCE, LossOfGain, known_months, loss_of_gain
from qieval.analyses.segments import (
    Segments,
    gain_limits,
    is_better,
    level_of,
    scatter_between_months,
    segments,
)
from qieval.analyses.series import Indicator, indicators
from qieval.study.parameters import Sustainment as Options
from qieval.study.study import Study

Start = Literal["gained", "no gain told", "too few months", "support not ended"]
Class = Literal[
    "gained and kept", "gained and lost", "cannot be told", "gained later", "no gain could be told", "never gained",
    "stopped reporting", "too early", "too few months", "support not ended",
]  # fmt: skip

CLASSES: tuple[Class, ...] = (
    "gained and kept", "gained and lost", "cannot be told", "stopped reporting", "too early", "gained later",
    "no gain could be told", "never gained", "too few months", "support not ended",
)  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class IndicatorSustainment:
    """One indicator: every facility's level before, at the end of support, and after."""

    indicator: Indicator
    options: Options
    # One row per facility: facility, support_ended, baseline, end, their errors, gain, gain_low and gain_high (see
    # `gain_limits`), start, class, what it rests on (`_class`), fall (expected by chance) and, per month of follow-up,
    # the columns of `gain_kept.follow_up`.
    table: pd.DataFrame
    segments: tuple[Segments, ...]  # in the order of the table
    horizons: tuple[Horizon, ...]
    loss: LossOfGain
    n_gained: int
    n_assessable: int  # facilities whose support ended and whose months suffice to tell a gain
    mean_gain: float  # of those that gained
    fall_by_chance: float  # what of that is expected to go though nothing changes; missing where not known

    def facilities(self, of_class: Class) -> list[str]:
        """The names of the facilities of this class."""
        return list(self.table.loc[self.table["class"] == of_class, "facility"])


@dataclass(frozen=True, eq=False, kw_only=True)
class Sustainment:
    """All indicators, and the definition they were judged by."""

    support_ended: bool  # whether any facility has an end of support; if not there are no indicators
    indicators: tuple[IndicatorSustainment, ...]
    options: Options


def sustainment(study: Study) -> Sustainment:
    """What became of each facility's gain, per indicator, after support ended.

    Levels are events over people of several months together: the baseline of all months before joining, the
    end of support of the last `window_months` months of support, and each follow-up of the same number of
    months that end `follow_up_months` after it. A gain counts from `minimum_gain`: points of a proportion, else
    a share of the baseline; and only if it is more than chance explains, since what was never there cannot be
    kept. *Never gained* is as much of a claim: the interval of the gain must rule the minimum out; between the two no
    gain could be told. When a gain is lost says `loss_of_gain`, how much of it is left `gain_kept`, and `_class` puts
    both together.

    References
    ----------
    .. [1] Glasgow JM et al. Findings from a national improvement collaborative: are improvements sustained?
       BMJ Qual Saf 2012;21:663 (a class per facility from its series before, during and after).
    """
    options = study.parameters.options.sustainment
    if study["facilities"]["support_ended_on"].isna().all():
        return Sustainment(support_ended=False, indicators=(), options=options)
    smallest = study.parameters.options.smallest_denominator
    results = []
    for indicator in indicators(study):
        facilities = segments(study, indicator)
        if facilities:
            results.append(_of_indicator(facilities, indicator, options, smallest))
    return Sustainment(support_ended=True, indicators=tuple(results), options=options)


def _of_indicator(
    facilities: list[Segments], indicator: Indicator, options: Options, smallest: int
) -> IndicatorSustainment:
    table = pd.DataFrame([_levels(own, indicator, options) for own in facilities])
    ends = fall_by_chance(table, indicator)
    has_gained = table["start"] == "gained"
    gained = [own for own, yes in zip(facilities, has_gained, strict=True) if yes]
    loss = loss_of_gain(gained, ends.loc[has_gained], indicator, options, smallest)
    lost_on = loss.table.set_index("facility")["lost_on"]
    classes = [
        _class(own, start, high, lost_on.get(own.facility, pd.NaT), indicator, options)
        for own, start, high in zip(facilities, table["start"], table["gain_high"], strict=True)
    ]
    table = table.assign(fall=ends["fall"].where(has_gained)).join(pd.DataFrame(classes, index=table.index))
    return IndicatorSustainment(
        indicator=indicator,
        options=options,
        table=table,
        segments=tuple(facilities),
        horizons=tuple(horizon(table, after) for after in options.follow_up_months),
        loss=loss,
        n_gained=len(gained),
        n_assessable=int(table["start"].isin(["gained", "no gain told"]).sum()),
        mean_gain=float(table.loc[has_gained, "gain"].mean()) if gained else np.nan,
        fall_by_chance=float(ends.loc[has_gained, "fall"].mean(skipna=False)) if gained else np.nan,
    )


def _levels(own: Segments, indicator: Indicator, options: Options) -> dict[str, object]:
    """The levels before and at the end of support, the gain, and whether it is one; and each follow-up."""
    start: Start = "support not ended" if pd.isna(own.support_ended) else "too few months"
    row: dict[str, object] = {"facility": own.facility, "support_ended": own.support_ended}
    row |= dict.fromkeys(("baseline", "baseline_se", "end", "end_se", "gain", "gain_low", "gain_high"), np.nan)
    if own.has_levels:
        scatter = scatter_between_months(own.before, own.at_end)
        before, end = (level_of(one, indicator, scatter) for one in (own.before, own.at_end))
        gain = (end.value - before.value) * indicator.sign
        low, high = gain_limits(own.at_end, own.before, indicator)
        row |= {
            "baseline": before.value, "baseline_se": before.standard_error, "end": end.value,
            "end_se": end.standard_error, "gain": gain, "gain_low": low, "gain_high": high,
        }  # fmt: skip
        large = _is_large(gain, before.value, indicator, options)
        start = "gained" if large and is_better(own.at_end, own.before, indicator) else "no gain told"
    row["start"] = start
    for after in options.follow_up_months:
        row |= follow_up(own, after, indicator, options) if start == "gained" else empty_follow_up(after)
    return row


def _is_large(gain: float, before: float, indicator: Indicator, options: Options) -> bool:
    least = options.minimum_gain * (1.0 if indicator.kind == "proportion" else before)
    # Rounded where floating point would turn a gain of exactly the minimum into none.
    return gain > 0 and round(gain - least, 12) >= 0


def _class(
    own: Segments, start: Start, gain_high: float, lost_on: pd.Timestamp, indicator: Indicator, options: Options
) -> dict[str, object]:
    """``class``; ``lost_on``; ``last_report``; ``level_now``, ``share_now``, ``share_now_low`` and ``_high``.

    *Gained and lost*: the loss was seen, whatever came later. *Stopped reporting*: no loss was seen, and no month is
    known among the last `window_months` of those that could be (up to the data cut, or the longest follow-up). *Too
    early*: fewer months since support ended than the shortest follow-up. Else *kept* or *cannot be told*, by the last
    months reported (`gain_kept.standing`).
    """
    after = own.after
    row: dict[str, object] = {
        "class": start, "lost_on": lost_on, "last_report": after["period"].max() if len(after) else pd.NaT,
        "level_now": np.nan, "share_now": np.nan, "share_now_low": np.nan, "share_now_high": np.nan,
    }  # fmt: skip
    if start == "no gain told":
        return row | {"class": _without_gain(own, gain_high, indicator, options)}
    if start != "gained":
        return row
    told: Class = "too early"
    last = int(after["month"].max()) if len(after) else 0
    window = own.window(last, min(options.window_months, max(last, 1)))
    has_level = last > 0 and own.is_enough(window, min(options.window_months, last))
    found = standing(own, window, indicator, options) if has_level else None
    if found is not None:
        row |= {
            "level_now": found.level, "share_now": found.share.estimate, "share_now_low": found.share.low,
            "share_now_high": found.share.high,
        }  # fmt: skip
    could_be = min(own.last_month, max(options.follow_up_months))
    if not pd.isna(lost_on):
        told = "gained and lost"
    elif could_be >= min(options.follow_up_months):
        if last <= could_be - options.window_months:
            told = "stopped reporting"
        else:
            told = "gained and kept" if found is not None and found.told == "kept" else "cannot be told"
    return row | {"class": told}


def _without_gain(own: Segments, gain_high: float, indicator: Indicator, options: Options) -> Class:
    """Of a facility without a gain told at the end of support: *never gained* only if its upper limit says so.

    A gain of a facility that sees few people may be large and yet within chance; that it had none is not shown by that.
    """
    if _gained_later(own, indicator, options):
        return "gained later"
    return "never gained" if gain_high < options.minimum_gain else "no gain could be told"


def _gained_later(own: Segments, indicator: Indicator, options: Options) -> bool:
    """Whether the last months, so many in a row or more, were all better by the minimum gain, and beyond chance.

    In the sense of the run rule for a loss, turned round, up to the last month reported, so that it lasts.
    """
    before, after = level_of(own.before, indicator).value, known_months(own, indicator, own.fewest)
    large = [_is_large((value - before) * indicator.sign, before, indicator, options) for value in after["value"]]
    short = [place for place, is_large in enumerate(large) if not is_large]
    run = after.iloc[(short[-1] + 1 if short else 0) :]
    return len(run) >= options.months_to_lose and is_better(run, own.before, indicator, confidence=CONFIDENCE)
