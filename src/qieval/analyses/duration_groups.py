"""Do some projects take longer than others? By setting, hub, wave, and the phase they began in."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd

from qieval.analyses.durations import DAYS_PER_MONTH, FEWEST_PROJECTS, Durations
from qieval.analyses.project_outcomes import known_until
from qieval.errors import DataError
from qieval.methods.multiplicity import adjusted_p_values
from qieval.methods.survival import (
    GrayTest,
    LogRank,
    Ratios,
    RestrictedMean,
    gray_test,
    hazard_ratios,
    kaplan_meier,
    log_rank,
    restricted_mean,
    restricted_mean_difference,
    time_ratios,
)
from qieval.study.study import Study

Factor = Literal["setting", "hub", "wave", "phase of start"]
HALF_A_DAY = 0.5 / DAYS_PER_MONTH  # a project that ended the day it began took some time; a time of 0 has no ratio
FEWEST_COMPLETED = 10  # in each group, for Gray's test
FEWEST_SURE = 10  # ended in each group: with fewer the log-rank test errs more often than it says
NOT_PROPORTIONAL = 0.05  # below this chance one hazard ratio does not tell the whole time
_Found = TypeVar("_Found")


@dataclass(frozen=True, eq=False, kw_only=True)
class Grouping:
    """Projects by one thing they differ in."""

    factor: Factor
    # One row per group: group, n, ended, completed, can_tell, median, low, high, and mean, mean_low, mean_high up to
    # `horizon`; missing where the group cannot tell.
    table: pd.DataFrame
    horizon: float  # months up to which the means of groups are compared; missing where they are not
    n_without: int  # dated projects of which the group is not known
    log_rank: LogRank | None  # of the groups that can tell; None unless there are two of them
    gray: GrayTest | None  # of the share completed, where some projects were abandoned
    difference: RestrictedMean | None  # of the means, second less first, where two groups can tell
    time_ratio: Ratios | None
    hazard_ratio: Ratios | None
    # The same p-values allowing for every test of all groupings (Benjamini-Hochberg); missing where there is no test.
    log_rank_adjusted: float = math.nan
    gray_adjusted: float = math.nan

    @property
    def n_can_tell(self) -> int:
        """Groups of which enough projects have ended."""
        return int(self.table["can_tell"].sum())

    @property
    def ended_in_compared(self) -> int:
        """Projects that ended in the groups that can tell."""
        return int(self.table.loc[self.table["can_tell"], "ended"].sum())

    @property
    def is_sure(self) -> bool:
        """Whether enough have ended in each compared group for the log-rank test to err as often as it says.

        A group with short follow-up that comes to five ends does so because its projects happened to be short.
        """
        return bool(self.table.loc[self.table["can_tell"], "ended"].min() >= FEWEST_SURE)

    @property
    def proportional_p(self) -> float:
        """The least chance of such a departure from proportional hazards, allowing for one check per ratio."""
        if self.hazard_ratio is None:
            return math.nan
        checks = self.hazard_ratio.table["proportional_p"]
        return min(float(checks.min()) * len(checks), 1.0)


def duration_groups(study: Study, result: Durations) -> tuple[Grouping, ...]:
    """Every grouping in which the dated projects fall into two groups or more.

    A group tells its median and mean from five ended projects on, and groups are compared where two of them do.
    Ratios need ten ended projects per group beside the first, and Gray's test ten completed ones in each.
    """
    dated = result.projects.dropna(subset=["duration_months"])
    found = [
        _grouping(factor, dated, groups, result.data_cut)
        for factor, groups in _factors(study, result, dated).items()
        if len(groups.dropna().unique()) > 1
    ]
    return _allowing_for_all(found)


def tests_made(groupings: Sequence[Grouping]) -> tuple[int, int]:
    """Log-rank tests and Gray's tests over all groupings."""
    return (
        sum(one.log_rank is not None for one in groupings),
        sum(one.gray is not None for one in groupings),
    )


def _allowing_for_all(groupings: Sequence[Grouping]) -> tuple[Grouping, ...]:
    """The p-values of all groupings adjusted together: each further way to group is a further chance to err."""
    raw = [test.p_value if test is not None else np.nan for one in groupings for test in (one.log_rank, one.gray)]
    adjusted = adjusted_p_values(raw)
    return tuple(
        dataclasses.replace(one, log_rank_adjusted=float(by_log_rank), gray_adjusted=float(by_gray))
        for one, by_log_rank, by_gray in zip(groupings, adjusted[::2], adjusted[1::2], strict=True)
    )


def _factors(study: Study, result: Durations, dated: pd.DataFrame) -> dict[Factor, pd.Series]:
    """The group of each dated project in the order of groups to be shown, missing where it is not known."""
    phase = pd.Series(None, index=dated.index, dtype=object)
    in_time = sorted(result.phases.items(), key=lambda named: named[1])
    for name, (first, last) in in_time:
        phase = phase.where(~dated["started_on"].between(first, last), name)
    phases = _ordered(phase, [name for name, _ in in_time])
    if not study.has("facilities"):
        return {"phase of start": phases}
    facilities = study["facilities"].set_index("facility_id")
    # A hub's own projects belong to its cluster.
    hub = facilities["hub_id"].where(facilities["role"] != "hub", facilities.index.to_series())
    hubs = dated["facility_id"].map(hub).map(study.facility_names())
    numbers = dated["facility_id"].map(facilities["wave"]).astype(float)
    # By number: as text wave 10 would come before wave 2.
    waves = [f"wave {number:.0f}" for number in sorted(numbers.dropna().unique())]
    wave = numbers.map(lambda number: f"wave {number:.0f}", na_action="ignore")
    return {
        "setting": _ordered(dated["setting"], sorted(dated["setting"].dropna().unique())),
        "hub": _ordered(hubs, sorted(hubs.dropna().unique())),
        "wave": _ordered(wave, waves),
        "phase of start": phases,
    }


def _ordered(groups: pd.Series, order: list[str]) -> pd.Series:
    return groups.astype(pd.CategoricalDtype(order, ordered=True))


def _grouping(factor: Factor, dated: pd.DataFrame, groups: pd.Series, data_cut: pd.Timestamp) -> Grouping:
    known = dated.assign(group=groups).dropna(subset=["group"]).sort_values("group", kind="stable")
    known["group"] = known["group"].astype(object)
    by_group = dict(list(known.groupby("group", sort=False)))
    telling = [name for name, own in by_group.items() if own["ended"].sum() >= FEWEST_PROJECTS]
    compared = known.loc[known["group"].isin(telling if len(telling) > 1 else [])]
    horizon = _horizon(compared, data_cut)
    lengths = (compared["duration_months"], compared["ended"], compared["group"])
    table = pd.DataFrame([_group(str(name), own, name in telling, horizon) for name, own in by_group.items()])
    found: dict[str, Any] = dict.fromkeys(("log_rank", "gray", "difference", "time_ratio", "hazard_ratio"))
    if len(compared):
        found = {
            "log_rank": log_rank(*lengths),
            "gray": _gray(compared),
            "difference": _difference(compared, telling, horizon),
            "time_ratio": _or_none(time_ratios, lengths[0].clip(lower=HALF_A_DAY), *lengths[1:]),
            "hazard_ratio": _or_none(hazard_ratios, *lengths),
        }
    return Grouping(factor=factor, table=table, horizon=horizon, n_without=len(dated) - len(known), **found)


def _horizon(compared: pd.DataFrame, data_cut: pd.Timestamp) -> float:
    """The months up to which all groups are known well enough; missing where that is nothing."""
    if compared.empty:
        return math.nan
    until = min(known_until(own, data_cut) for _, own in compared.groupby("group"))
    return until if until > 0 else math.nan


def _group(name: str, own: pd.DataFrame, can_tell: bool, horizon: float) -> dict[str, object]:
    row: dict[str, object] = {
        "group": name,
        "n": len(own),
        "ended": int(own["ended"].sum()),
        "completed": int((own["status"] == "completed").sum()),
        "can_tell": can_tell,
    }
    if can_tell:
        curve = kaplan_meier(own["duration_months"], own["ended"])
        row |= {"median": curve.median, "low": curve.median_low, "high": curve.median_high}
    if can_tell and not math.isnan(horizon):
        mean = restricted_mean(own["duration_months"], own["ended"], horizon=horizon, small_sample=True)
        row["mean"] = mean.estimate
        if mean.has_scatter:
            row |= {"mean_low": mean.low, "mean_high": mean.high}
    return dict.fromkeys(("median", "low", "high", "mean", "mean_low", "mean_high"), np.nan) | row


def _gray(compared: pd.DataFrame) -> GrayTest | None:
    """Whether the share completed differs; where nobody was abandoned the log-rank test says it already.

    With fewer completed it finds differences where there are none more often than at 5% (benchmarks/durations.py).
    """
    status = compared["status"]
    fewest = (status == "completed").groupby(compared["group"]).sum().min()
    if fewest < FEWEST_COMPLETED or not (status == "abandoned").any():
        return None
    return _or_none(gray_test, compared["duration_months"], status, compared["group"], cause="completed")


def _difference(compared: pd.DataFrame, telling: list[str], horizon: float) -> RestrictedMean | None:
    if len(telling) != 2 or math.isnan(horizon):
        return None
    first, second = (
        restricted_mean(own["duration_months"], own["ended"], horizon=horizon)
        for own in (compared.loc[compared["group"] == name] for name in telling)
    )
    # Where one has no scatter the interval would be that of the other alone.
    if not (first.has_scatter and second.has_scatter):
        return None
    return restricted_mean_difference(second, first, small_sample=True)


def _or_none(compare: Callable[..., _Found], *lengths: pd.Series, **given: Any) -> _Found | None:
    """The comparison, where the projects can carry it."""
    try:
        return compare(*lengths, **given)
    except DataError:
        return None
