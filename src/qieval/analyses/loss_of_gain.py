"""When was a gain lost? Months from the end of support, facility by facility, and what chance alone would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from qieval.analyses.segments import Segments, beyond_chance, is_worse
from qieval.analyses.series import Indicator
from qieval.methods.survival import KaplanMeier, kaplan_meier
from qieval.study.parameters import Sustainment as Options

Status = Literal["lost", "open", "too few months"]
Refused = Literal["no gain", "no facility to follow", "too few facilities"]

FEWEST_FACILITIES = 5  # below this no curve, and with fewer losses no median: each facility is listed
# Every month after support is looked at, so that one in forty by chance each time would soon add up: measured on
# facilities that lose nothing, 95% limits gave a false loss to 15% within two years, these to 5% at most.
CONFIDENCE = 0.99
DRAWS = 500  # of each facility's months by chance


@dataclass(frozen=True, eq=False, kw_only=True)
class LossOfGain:
    """One indicator: every facility that gained, how long it held the gain, and the curve over facilities."""

    table: pd.DataFrame  # one row per facility that gained: see `_facility_row`, and the two chances
    curve: KaplanMeier | None  # months from the end of support to the loss; None where refused
    refused: Refused | None
    has_median: bool  # False where fewer than five facilities lost it; then there is nothing to say of a median
    n_lost: int
    n_followed: int  # lost or open: those the curve is made of
    by_chance: KaplanMeier | None  # the curve expected of the same facilities, had none lost anything
    lost_by_chance: float  # how many of those followed, by this rule; missing where not known
    row_by_chance: float  # and by months in a row alone, if these need not be beyond chance

    @property
    def last_told(self) -> pd.Series:
        """The curve at the last month with five or more facilities still followed; beyond it rests on too few."""
        assert self.curve is not None
        steps = self.curve.curve
        return steps.loc[steps["at_risk"] >= FEWEST_FACILITIES].iloc[-1]

    @property
    def is_median_told(self) -> bool:
        """Whether half had lost it while five or more were still followed."""
        return self.has_median and self.curve is not None and self.curve.median <= self.last_told["time"]


def loss_of_gain(
    gained: list[Segments], ends: pd.DataFrame, indicator: Indicator, options: Options, smallest: int
) -> LossOfGain:
    """Kaplan-Meier from the end of support to the first of `months_to_lose` months in a row below what still counts
    as kept, that together are also worse than the end of support by more than chance explains (99% interval).

    Month 1 is the first without support. A month not reported, or with fewer than `smallest` people, neither makes nor
    breaks a row, as in the rules of run charts: silence must not help. A facility that has not lost its gain is open
    (censored) up to the last month in which a row could have begun and been seen.

    Beside it stands the curve expected had no facility lost anything, by simulation with a fixed seed (500 draws a
    facility): each stays at its true level at the end of support, which is known only so far (`ends`), and its months
    are binomial, for rates and counts Poisson, with the people there were.

    Parameters
    ----------
    gained : the facilities that had gained
    ends : DataFrame, one row per facility of `gained`, in their order
        ``end`` (the level seen), ``true_end`` and ``true_end_se`` (what it is likely to be in truth), per `per`.
    """
    rng = np.random.default_rng(20110913)
    rows, draws = [], []
    for own, (_, end) in zip(gained, ends.iterrows(), strict=True):
        months = known_months(own, indicator, smallest)
        row = _facility_row(own, months, indicator, options, float(end["end"]))
        chance = None
        if row["status"] != "too few months":
            chance = _by_chance(own, months, indicator, options, end, int(row["last_start"]), rng)
        row |= {"chance": np.nan, "chance_of_row": np.nan}
        if chance is not None:
            draws.append(chance)
            row |= {"chance": float(chance["lost"].mean()), "chance_of_row": float(chance["in_a_row"].mean())}
        rows.append(row)
    table = pd.DataFrame(rows, columns=_COLUMNS)
    followed = table.loc[table["status"].isin(["lost", "open"])]
    refused = _refused(len(table), len(followed))
    curve = kaplan_meier(followed["duration_months"], followed["status"] == "lost") if refused is None else None
    n_lost = int((table["status"] == "lost").sum())
    known = len(draws) == len(followed) > 0
    every = pd.concat(draws) if known else None
    return LossOfGain(
        table=table,
        curve=curve,
        refused=refused,
        has_median=curve is not None and n_lost >= FEWEST_FACILITIES,
        n_lost=n_lost,
        n_followed=len(followed),
        by_chance=kaplan_meier(every["duration_months"], every["lost"]) if curve and every is not None else None,
        lost_by_chance=float(followed["chance"].sum()) if known else np.nan,
        row_by_chance=float(followed["chance_of_row"].sum()) if known else np.nan,
    )


def known_months(own: Segments, indicator: Indicator, smallest: int) -> pd.DataFrame:
    """The months after support that a row is looked for in."""
    after = own.after
    return after if indicator.kind == "count" else after.loc[after["denominator"] >= smallest]


def kept_line(end: float, indicator: Indicator, options: Options) -> float:
    """The worst level that still counts as kept: the tolerance is in points of a proportion, else a share of `end`."""
    return end - indicator.sign * options.tolerance * (1.0 if indicator.kind == "proportion" else end)


_COLUMNS = [
    "facility", "status", "duration_months", "lost_on", "months", "last_month", "last_start", "chance", "chance_of_row"
]  # fmt: skip


def _facility_row(
    own: Segments, months: pd.DataFrame, indicator: Indicator, options: Options, end: float
) -> dict[str, Any]:
    """One facility: the month its loss began (`lost`), or up to which it is known not to have begun (`open`).

    ``months`` is how many were known after support, ``last_month`` the last of them, ``last_start`` the last month in
    which a row could have begun and been seen.
    """
    length = options.months_to_lose
    row: dict[str, Any] = {
        "facility": own.facility,
        "status": "too few months",
        "duration_months": np.nan,
        "lost_on": pd.NaT,
        "months": len(months),
        "last_month": months["month"].iloc[-1] if len(months) else np.nan,
        "last_start": np.nan,
    }
    if len(months) < length:
        return row
    row["last_start"] = last_start = int(months["month"].iloc[-length])
    below = _is_below(months["value"].to_numpy(), kept_line(end, indicator, options), indicator)
    for place in np.flatnonzero(_rows_of(below, length)):
        run = months.iloc[place : place + length]
        if is_worse(run, own.at_end, indicator, confidence=CONFIDENCE):
            took = int(run["month"].iloc[0])
            return row | {"status": "lost", "duration_months": took, "lost_on": run["period"].iloc[0]}
    return row | {"status": "open", "duration_months": last_start}


def _is_below(values: np.ndarray, line: float, indicator: Indicator) -> np.ndarray:
    # A little slack, so that floating point does not turn a level exactly on the line into a loss.
    return indicator.sign * (values - line) < -1e-9 * max(1.0, abs(line))


def _rows_of(met: np.ndarray, length: int) -> np.ndarray:
    """Whether a row of so many True begins at each place; along the last axis, which becomes shorter by the rest."""
    windows = np.lib.stride_tricks.sliding_window_view(met, length, axis=-1)
    return np.asarray(windows.all(axis=-1))


def _by_chance(
    own: Segments,
    months: pd.DataFrame,
    indicator: Indicator,
    options: Options,
    end: pd.Series,
    last_start: int,
    rng: np.random.Generator,
) -> pd.DataFrame | None:
    """Draws of one facility that lost nothing: `duration_months`, `lost`, `in_a_row`; None where it cannot be drawn."""
    if indicator.kind not in ("proportion", "rate", "count") or np.isnan(end["true_end_se"]):
        return None
    length = options.months_to_lose
    people = months["denominator"].to_numpy(dtype=float)
    truth = rng.normal(end["true_end"], end["true_end_se"], (DRAWS, 1)) / indicator.per
    if indicator.kind == "proportion":
        events = rng.binomial(people.astype(int), np.clip(truth, 0, 1), (DRAWS, len(people))).astype(float)
    else:
        events = rng.poisson(people * np.clip(truth, 0, None), (DRAWS, len(people))).astype(float)
    line = kept_line(float(end["end"]), indicator, options)
    in_a_row = _rows_of(_is_below(events / people * indicator.per, line, indicator), length)
    sums = [np.lib.stride_tricks.sliding_window_view(one, length, axis=-1).sum(axis=-1) for one in (events, people)]
    at_end = own.at_end["numerator"].sum(), own.at_end["denominator"].sum()
    worse = beyond_chance(sums[0], sums[1], *at_end, indicator, way=-1, confidence=CONFIDENCE)
    lost = in_a_row & worse
    first = months["month"].to_numpy()[lost.argmax(axis=1)]
    return pd.DataFrame(
        {
            "duration_months": np.where(lost.any(axis=1), first, last_start),
            "lost": lost.any(axis=1),
            "in_a_row": in_a_row.any(axis=1),
        }
    )


def _refused(n_gained: int, n_followed: int) -> Refused | None:
    if not n_gained:
        return "no gain"
    if not n_followed:
        return "no facility to follow"
    return "too few facilities" if n_followed < FEWEST_FACILITIES else None
