"""Do some projects take longer than others? By setting, hub, wave, and the phase they began in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.durations import DAYS_PER_MONTH, FEWEST_PROJECTS, Durations
from qieval.analyses.project_outcomes import last_followed
from qieval.errors import DataError
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
NOT_PROPORTIONAL = 0.05  # below this chance one hazard ratio does not tell the whole time


@dataclass(frozen=True, eq=False, kw_only=True)
class Grouping:
    """Projects by one thing they differ in."""

    factor: Factor
    table: pd.DataFrame  # one row per group: group, n, ended, completed, can_tell, median, low, high, mean, mean_low ..
    horizon: float  # months up to which the means of groups are compared; missing where they are not
    n_without: int  # dated projects of which the group is not known
    log_rank: LogRank | None  # of the groups that can tell; None unless there are two of them
    gray: GrayTest | None  # of the share completed, where some projects were abandoned
    difference: RestrictedMean | None  # second less first, where two groups can tell
    time_ratio: Ratios | None
    hazard_ratio: Ratios | None

    @property
    def n_can_tell(self) -> int:
        """Groups of which enough projects have ended."""
        return int(self.table["can_tell"].sum())


def duration_groups(study: Study, result: Durations) -> tuple[Grouping, ...]:
    """Every grouping in which the dated projects fall into two groups or more.

    A group tells its median and mean from five ended projects on, and groups are compared where two of them do.
    Ratios need ten ended projects per group beside the first.
    """
    dated = result.projects.dropna(subset=["duration_months"])
    found = []
    for factor, groups in _factors(study, result, dated).items():
        if len(groups.dropna().unique()) > 1:
            found.append(_grouping(factor, dated, groups))
    return tuple(found)


def _factors(study: Study, result: Durations, dated: pd.DataFrame) -> dict[Factor, pd.Series]:
    """The group of each dated project as text, missing where it is not known."""
    phase = pd.Series(None, index=dated.index, dtype=object)
    for name, (first, last) in result.phases.items():
        phase = phase.where(~dated["started_on"].between(first, last), name)
    if not study.has("facilities"):
        return {"phase of start": phase}
    facilities = study["facilities"].set_index("facility_id")
    names = study.facility_names()
    # A hub's own projects belong to its cluster.
    hub = facilities["hub_id"].where(facilities["role"] != "hub", facilities.index.to_series())
    wave = facilities["wave"].map(lambda number: None if pd.isna(number) else f"wave {number:.0f}")
    return {
        "setting": dated["setting"],
        "hub": dated["facility_id"].map(hub).map(names),
        "wave": dated["facility_id"].map(wave),
        "phase of start": phase,
    }


def _grouping(factor: Factor, dated: pd.DataFrame, groups: pd.Series) -> Grouping:
    known = dated.assign(group=groups).dropna(subset=["group"]).sort_values("group", kind="stable")
    if factor == "phase of start":  # in the order of time, not of the alphabet
        known = known.sort_values("started_on", kind="stable")
    telling = [name for name, own in known.groupby("group", sort=False) if own["ended"].sum() >= FEWEST_PROJECTS]
    horizon = min((last_followed(known.loc[known["group"] == name, "duration_months"]) for name in telling), default=0)
    can_compare = len(telling) > 1
    table = pd.DataFrame(
        [_group(str(name), own, name in telling, horizon) for name, own in known.groupby("group", sort=False)]
    )
    compared = known.loc[known["group"].isin(telling)]
    lengths = (compared["duration_months"], compared["ended"], compared["group"])
    return Grouping(
        factor=factor,
        table=table,
        horizon=horizon if can_compare and horizon > 0 else np.nan,
        n_without=len(dated) - len(known),
        log_rank=log_rank(*lengths) if can_compare else None,
        gray=_gray(compared) if can_compare else None,
        difference=_difference(compared, telling, horizon) if len(telling) == 2 and horizon > 0 else None,
        time_ratio=_or_none(time_ratios, lengths[0].clip(lower=HALF_A_DAY), *lengths[1:]) if can_compare else None,
        hazard_ratio=_or_none(hazard_ratios, *lengths) if can_compare else None,
    )


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
    if can_tell and horizon > 0:
        mean = restricted_mean(own["duration_months"], own["ended"], horizon=horizon)
        row |= {"mean": mean.estimate, "mean_low": mean.low, "mean_high": mean.high}
    return dict.fromkeys(("median", "low", "high", "mean", "mean_low", "mean_high"), np.nan) | row


def _gray(compared: pd.DataFrame) -> GrayTest | None:
    """Whether the share completed differs; where nobody was abandoned the log-rank test says it already."""
    status = compared["status"]
    if (status == "completed").sum() < FEWEST_PROJECTS or not (status == "abandoned").any():
        return None
    return gray_test(compared["duration_months"], status, compared["group"], cause="completed")


def _difference(compared: pd.DataFrame, telling: list[str], horizon: float) -> RestrictedMean:
    means = [
        restricted_mean(own["duration_months"], own["ended"], horizon=horizon)
        for own in (compared.loc[compared["group"] == name] for name in telling)
    ]
    return restricted_mean_difference(means[1], means[0])


def _or_none(ratios: Callable[..., Ratios], *lengths: pd.Series) -> Ratios | None:
    """Ratios where enough projects have ended for them."""
    try:
        return ratios(*lengths)
    except DataError:
        return None
