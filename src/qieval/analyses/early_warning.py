"""Which chart would have warned first that a gain was going, how much sooner, and how often for nothing?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd

from qieval.analyses.after_support import months_used
from qieval.analyses.gain_kept import fall_by_chance
from qieval.analyses.loss_of_gain import known_months
from qieval.analyses.segments import Segments, level_of, scatter_between_months
from qieval.analyses.series import Indicator
from qieval.analyses.sustainment import IndicatorSustainment, Sustainment
from qieval.methods.spc.run_length import cusum_below, cusum_run_length, ewma_below, ewma_run_length
from qieval.methods.spc.watch import Watch, cusum, ewma

Chart = Literal["ewma", "cusum", "single"]
Status = Literal["watched", "too few months of support", "no scatter", "no month after support"]

CHARTS: tuple[Chart, ...] = ("ewma", "cusum", "single")
FEWEST_MONTHS = 3  # of support, for a level of counts
FEWEST_MONTHS_OF_MEANS = 6  # whose scatter comes from the months themselves
FEWEST_LOST = 5  # facilities that lost the gain, below which no median is given and each is named
DRAWS = 1_000  # of each facility's months by chance


@dataclass(frozen=True, kw_only=True)
class Record:
    """What one chart did over all facilities watched."""

    chart: Chart
    warned_lost: int  # of the facilities that lost the gain
    before_rule: int  # of these, before the months in a row told the loss
    first: int  # of these, where no other chart warned sooner
    lead: float  # median months before the loss was told; a loss never warned of counts as later; missing below five
    warned_kept: int  # of the facilities that kept the gain: false alarms
    warned_other: int
    by_chance: float  # false alarms expected had none of those watched lost anything; missing where not known
    by_run_length: float  # the same, were each level known for certain: all months watched by the run length
    run_length: float  # months, on average, to a false alarm of one facility, were its level known for certain


@dataclass(frozen=True, eq=False, kw_only=True)
class EarlyWarning:
    """One indicator: per facility that had gained, when each chart warned and when the loss was told."""

    indicator: Indicator
    months_to_lose: int
    table: pd.DataFrame  # one row per facility that had gained: see `_facility_row`
    records: tuple[Record, ...]
    n_watched: int
    n_lost: int  # of these, the ones that lost the gain
    n_kept: int

    @property
    def watched(self) -> pd.DataFrame:
        """The rows of the facilities watched."""
        return self.table.loc[self.table["status"] == "watched"]


def early_warnings(result: Sustainment) -> tuple[EarlyWarning, ...]:
    """Per indicator, what EWMA, CUSUM and single months would have told, and when: see `early_warning`."""
    return tuple(early_warning(found) for found in result.indicators)


def early_warning(found: IndicatorSustainment) -> EarlyWarning:
    """Each facility that had gained, watched from the first month after support as if by a district office.

    Centre and sigma come from the months of support after the climb, as `after_support` uses them: of proportions
    and rates sigma from the people of each month, of means and times from moving ranges. Three charts on the worse
    side: EWMA (weight 0.2, 3 sigma), CUSUM (for shifts of 1 sigma, decision 5), and a single month beyond 3 sigma. The
    loss was told in the last of the months in a row that `loss_of_gain` asks for, not in the first, from which it
    counts.

    A level known from few months makes false alarms more frequent than the run length of a chart has it. So they are
    also drawn, with a fixed seed: each facility stays at its true level of support, known only so far
    (`fall_by_chance`), and its months are binomial, of rates and counts Poisson, with the people there were.

    References
    ----------
    .. [1] Montgomery DC. Introduction to Statistical Quality Control, 7th ed., 2013, ch. 9.
    .. [2] Jones LA, Champ CW, Rigdon SE. The performance of exponentially weighted moving average charts with estimated
       parameters. Technometrics 2001;43:156 (false alarms where the level is estimated).
    """
    chances, lost = _chances_of_level(found), found.loss.table.set_index("facility")
    rng = np.random.default_rng(20191109)
    rows, series = [], []
    for own, (_, row) in zip(found.segments, found.table.iterrows(), strict=True):
        if row["start"] != "gained":
            continue
        held, after = _held(own), known_months(own, found.indicator, own.fewest)
        rows.append(
            _facility_row(held, after, found)
            | {"facility": own.facility, "class": row["class"], "told": _told(after, lost.loc[own.facility], found)}
        )
        if rows[-1]["status"] == "watched":
            chance = _by_chance(held, after, found.indicator, chances.loc[own.facility], rng)
            rows[-1] |= {f"chance_{name}": share for name, share in chance.items()}
            series += [part.assign(facility=own.facility, held=part is held) for part in (held, after)]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    if series:
        table = table.drop(columns=list(CHARTS)).merge(
            _warnings(pd.concat(series), found.indicator), how="left", on="facility"
        )[_COLUMNS]
    watched = table.loc[table["status"] == "watched"]
    is_lost, is_kept = watched["class"] == "gained and lost", watched["class"] == "gained and kept"
    return EarlyWarning(
        indicator=found.indicator,
        months_to_lose=found.options.months_to_lose,
        table=table,
        records=tuple(_record(chart, watched, is_lost, is_kept) for chart in CHARTS) if len(watched) else (),
        n_watched=len(watched),
        n_lost=int(is_lost.sum()),
        n_kept=int(is_kept.sum()),
    )


# --- one facility ----------------------------------------------------------------------------------

_COLUMNS = [
    "facility", "class", "status", "months", "last", "people", "centre", "told", "ewma", "cusum", "single",
    "chance_ewma", "chance_cusum", "chance_single",
]  # fmt: skip


def _held(own: Segments) -> pd.DataFrame:
    """The months of support that are watched against."""
    months = months_used(own)
    return months.loc[months["since"] < 0]


def _facility_row(held: pd.DataFrame, after: pd.DataFrame, found: IndicatorSustainment) -> dict[str, Any]:
    """One facility but for its warnings and their chances.

    ``months`` is how many were known after support, ``last`` the last of them, ``people`` those of the middle one and
    ``centre`` the level watched against, per `per`. Months count from the end of support.
    """
    status = _status(held, after, found.indicator)
    return {
        "status": status,
        "months": len(after),
        "last": float(after["month"].max()) if len(after) else np.nan,
        "people": float(after["denominator"].median()) if len(after) else np.nan,
        "centre": level_of(held, found.indicator).value if status == "watched" else np.nan,
    }


def _told(after: pd.DataFrame, lost: pd.Series, found: IndicatorSustainment) -> float:
    """The month in which the loss was told: the last of the months in a row; missing where there was none."""
    if lost["status"] != "lost":
        return np.nan
    first = int(np.flatnonzero(after["month"] == lost["duration_months"])[0])
    return float(after["month"].iloc[first + found.options.months_to_lose - 1])


def _status(held: pd.DataFrame, after: pd.DataFrame, indicator: Indicator) -> Status:
    is_mean = indicator.kind in ("mean", "time_between")
    if len(held) < (FEWEST_MONTHS_OF_MEANS if is_mean else FEWEST_MONTHS):
        return "too few months of support"
    if is_mean:
        varies = held["value"].max() > held["value"].min()
    else:
        events, people = held["numerator"].sum(), held["denominator"].sum()
        varies = events > 0 and not (indicator.kind == "proportion" and events == people)
    if not varies:
        return "no scatter"
    return "watched" if len(after) else "no month after support"


def _warnings(rows: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    """The month of the first warning of each chart, a row per facility; missing where there was none."""
    columns: dict[str, Any] = {"period": "month", "baseline": "held", "by": "facility"}
    if indicator.kind in ("mean", "time_between"):
        columns |= {"kind": "i", "value": "value"}
    else:
        kind = "p" if indicator.kind == "proportion" else "u"
        columns |= {"kind": kind, "numerator": "numerator", "denominator": "denominator"}
    rows = rows[["facility", "month", "numerator", "denominator", "value", "held"]].astype({"month": int})
    side = "first_below" if indicator.sign > 0 else "first_above"
    watches: dict[Chart, Watch] = {
        "ewma": ewma(rows, **columns),
        "cusum": cusum(rows, **columns),
        "single": ewma(rows, weight=1.0, **columns),  # the last month weighs all
    }
    return pd.DataFrame(
        {name: watch.series.set_index("facility")[side].astype(float) for name, watch in watches.items()}
    ).reset_index()


def _by_chance(
    held: pd.DataFrame, after: pd.DataFrame, indicator: Indicator, chance: pd.Series, rng: np.random.Generator
) -> dict[Chart, float]:
    """The chance that each chart warns though nothing is lost; nothing where the months cannot be drawn."""
    if indicator.kind not in ("proportion", "rate", "count") or np.isnan(chance["true_end_se"]):
        return {}
    people = after["denominator"].to_numpy(dtype=float)
    centre = float(held["numerator"].sum() / held["denominator"].sum())
    level, error = (float(chance[name]) / indicator.per for name in ("true_end", "true_end_se"))
    if indicator.kind == "proportion":
        # A beta distribution, since near 0 or 1 a level is less surely known on its far side, where false alarms arise.
        level = min(max(level, 1e-6), 1 - 1e-6)
        weight = max(level * (1 - level) / error**2 - 1, 1e-6)
        truth = rng.beta(level * weight, (1 - level) * weight, (DRAWS, 1))
        events = rng.binomial(people.astype(int), truth, (DRAWS, len(people)))
        sigma = np.sqrt(centre * (1 - centre) / people)
    else:
        level = max(level, 1e-9)
        truth = rng.gamma((level / error) ** 2, error**2 / level, (DRAWS, 1))
        events = rng.poisson(people * truth, (DRAWS, len(people)))
        sigma = np.sqrt(centre / people)
    apart = indicator.sign * (events / people - centre)
    firsts: dict[Chart, np.ndarray] = {
        "ewma": ewma_below(apart, sigma),
        "cusum": cusum_below(apart, sigma),
        "single": ewma_below(apart, sigma, weight=1.0),
    }
    return {name: float((first < len(people)).mean()) for name, first in firsts.items()}


def _chances_of_level(found: IndicatorSustainment) -> pd.DataFrame:
    """What the level watched against is likely to be in truth, by facility; columns of `fall_by_chance`.

    A proportion is taken with one event more and one without [1]_, that is a little less sure of being near 0 or 1: a
    small facility seen at 47 of 48 truly does worse far more often than better, and is then warned of for nothing.

    References
    ----------
    .. [1] Agresti A, Coull BA. Approximate is better than "exact" for interval estimation of binomial proportions.
       Am Stat 1998;52:119.
    """
    levels = []
    for own in found.segments:
        held = _held(own)
        one = level_of(held, found.indicator, scatter_between_months(own.before, held))
        value = one.value
        if found.indicator.kind == "proportion" and len(held):
            value = (held["numerator"].sum() + 1) / (held["denominator"].sum() + 2)
        levels.append((value, one.standard_error))
    table = pd.DataFrame(levels, columns=["end", "end_se"], index=found.table.index)
    return fall_by_chance(found.table[["baseline", "baseline_se"]].join(table), found.indicator).set_axis(
        found.table["facility"]
    )


# --- all facilities --------------------------------------------------------------------------------


def _record(chart: Chart, watched: pd.DataFrame, is_lost: pd.Series, is_kept: pd.Series) -> Record:
    warned = watched[chart].notna()
    lost = watched.loc[is_lost]
    lead = (lost["told"] - lost[chart]).fillna(-np.inf)
    soonest = lost[list(CHARTS)].min(axis=1)
    chances = watched[f"chance_{chart}"]
    return Record(
        chart=chart,
        warned_lost=int((warned & is_lost).sum()),
        before_rule=int((lead > 0).sum()),
        first=int((lost[chart] == soonest).sum()),
        lead=float(lead.median()) if len(lost) >= FEWEST_LOST else np.nan,
        warned_kept=int((warned & is_kept).sum()),
        warned_other=int((warned & ~is_lost & ~is_kept).sum()),
        by_chance=float(chances.sum()) if chances.notna().all() else np.nan,
        by_run_length=float(watched["months"].sum() / run_lengths()[chart]),
        run_length=run_lengths()[chart],
    )


@lru_cache(maxsize=1)
def run_lengths() -> dict[Chart, float]:
    """Months, on average, to a false alarm of each chart on one side, were the level known for certain."""
    return {
        "ewma": ewma_run_length(),
        "cusum": cusum_run_length(),
        "single": ewma_run_length(weight=1.0),
    }
