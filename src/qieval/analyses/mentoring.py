"""Was mentoring given as planned?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from qieval.analyses.visits import Visits, visits
from qieval.errors import DataError
from qieval.methods.rates import Proportion, proportion, rate_ratio, ratio
from qieval.study.schema import MENTOR_TYPES, SETTINGS
from qieval.study.study import Study

_ORDER = {name: position for position, name in enumerate((*MENTOR_TYPES, *SETTINGS))}
COUNTED = ("planned", "done", "ratio", "low", "high")


@dataclass(frozen=True, eq=False, kw_only=True)
class Mentoring:
    """Visits planned and done by mentor type and setting, and facility by facility where visits were recorded."""

    # mentor_type, setting (missing: all or not recorded), planned, done, ratio, low, high; where single visits are
    # known also planned_done (of those planned), share, share_low and share_high, otherwise missing.
    groups: pd.DataFrame
    hubs: pd.DataFrame  # hub (name; missing: none recorded) and mentor_type, then as `groups`; empty without hubs
    # One row per two groups compared: between ("mentor_type" or "setting"), first, other, within (what both share;
    # missing: nothing), planned, done, other_planned, other_done, ratio (of the two ratios), low, high.
    comparisons: pd.DataFrame
    opposite: bool  # one group clearly had more than planned and another clearly fewer
    planned: float  # of all groups; missing, as is `done`, where a group's total was not recorded
    done: float
    totals_only: bool  # True: the study kept totals, so nothing can be said of single facilities
    facilities: pd.DataFrame  # one row per facility to be visited: facility, setting, hub, planned, done, last_visit
    never_visited: tuple[str, ...]  # names
    visited: Proportion | None  # facilities visited at least once; None for totals
    n_virtual: int  # of the visits done, those made virtually
    has_totals_too: bool  # the table visit_totals is there as well, and was not used


def mentoring(study: Study) -> Mentoring:
    """Planned against done, with the exact Poisson interval of the ratio, and groups compared with each other.

    A visit counts as planned if its planned day is not after the data cut, and as done whether it was
    planned or not: the ratio is an intensity, and may exceed 1. Of the visits that were planned, each was made or
    not: their share cannot, and has the exact binomial interval.

    Raises
    ------
    DataError
        If there is neither a visit nor a total.
    """
    if study.has("visits"):
        return _from_visits(visits(study), has_totals_too=study.has("visit_totals"))
    if study.has("visit_totals"):
        return _from_totals(study["visit_totals"])
    raise DataError("neither the table visits nor the table visit_totals holds a row")


def _from_visits(found: Visits, *, has_totals_too: bool) -> Mentoring:
    rows = found.rows.assign(planned_done=found.rows["planned"] & found.rows["done"])
    table = found.facilities[["facility", "setting", "hub", "planned", "done", "last_visit"]]
    table = table.sort_values(["done", "facility"], ignore_index=True)
    never = table.loc[table["done"] == 0, "facility"]
    groups = with_ratio(rows, ["mentor_type", "setting"])
    return Mentoring(
        groups=groups,
        hubs=with_ratio(rows, ["hub", "mentor_type"]) if rows["hub"].notna().any() else _no_hubs(),
        comparisons=_comparisons(groups),
        opposite=_opposite(groups),
        planned=float(rows["planned"].sum()),
        done=float(rows["done"].sum()),
        totals_only=False,
        facilities=table,
        never_visited=tuple(sorted(never)),
        visited=proportion(len(table) - len(never), len(table)) if len(table) else None,
        n_virtual=int((rows["done"] & rows["mode"].eq("virtual")).sum()),
        has_totals_too=has_totals_too,
    )


def _from_totals(totals: pd.DataFrame) -> Mentoring:
    groups = with_ratio(totals.assign(planned_done=np.nan), ["mentor_type", "setting"])
    return Mentoring(
        groups=groups,
        hubs=_no_hubs(),
        comparisons=_comparisons(groups),
        opposite=_opposite(groups),
        planned=float(totals["planned"].sum(skipna=False)),
        done=float(totals["done"].sum(skipna=False)),
        totals_only=True,
        facilities=pd.DataFrame(columns=["facility", "setting", "hub", "planned", "done", "last_visit"]),
        never_visited=(),
        visited=None,
        n_virtual=0,
        has_totals_too=False,
    )


def _no_hubs() -> pd.DataFrame:
    return pd.DataFrame(columns=["hub", "mentor_type", *COUNTED])


def with_ratio(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Sums of planned, done and planned_done over the groups of `by`, in the schema's order, with exact intervals.

    No ratio where nothing was planned, or where the plan or what was done is not known.
    """
    # A sum with a part that was not recorded is not known; it must not count that part as zero.
    sums = (
        rows.groupby(by, dropna=False)[["planned", "done", "planned_done"]]
        .agg(lambda part: part.sum(skipna=False))
        .reset_index()
        .sort_values(by, key=_in_order, ignore_index=True)
        .astype({"planned": float, "done": float, "planned_done": float})
    )
    found = [_exact(row) for row in sums.itertuples()]
    columns = ["ratio", "low", "high", "share", "share_low", "share_high"]
    return sums.join(pd.DataFrame(found, columns=columns, index=sums.index, dtype=float))


def _in_order(column: pd.Series) -> pd.Series:
    """Mentor types and settings as the schema lists them; anything else as it comes."""
    return column.map(_ORDER) if column.name in ("mentor_type", "setting") else column


def _exact(sums: Any) -> tuple[float, ...]:
    """Done over planned, then the share done of those planned, each with its limits; missing where there is none."""
    intensity: tuple[float, ...] = (np.nan,) * 3
    share: tuple[float, ...] = (np.nan,) * 3
    if sums.planned > 0 and sums.done >= 0:
        whole = ratio(int(sums.done), int(sums.planned))
        intensity = (whole.ratio, whole.low, whole.high)
        if sums.planned_done >= 0:
            part = ratio(int(sums.planned_done), int(sums.planned), can_exceed=False)
            share = (part.ratio, part.low, part.high)
    return (*intensity, *share)


def _opposite(groups: pd.DataFrame) -> bool:
    return bool((groups["low"] > 1).any() and (groups["high"] < 1).any())


def _comparisons(groups: pd.DataFrame) -> pd.DataFrame:
    """Mentor types compared within a setting, and settings within a mentor type.

    Types that share no setting (one is known for all settings together, say) are compared as a whole.
    """
    known = groups.loc[groups["ratio"].notna()]
    found = list(_pairs(known, between="mentor_type", within="setting"))
    if not found:
        whole = known.groupby("mentor_type", as_index=False)[["planned", "done"]].sum()
        whole = whole.sort_values("mentor_type", key=_in_order).assign(setting=None)
        found = list(_pairs(whole, between="mentor_type", within="setting"))
    found += _pairs(known, between="setting", within="mentor_type")
    columns = ["between", "first", "other", "within", "planned", "done", "other_planned", "other_done"]
    return pd.DataFrame(found, columns=[*columns, "ratio", "low", "high"])


def _pairs(groups: pd.DataFrame, *, between: str, within: str) -> Iterator[tuple[Any, ...]]:
    """Every two groups that share `within` and name what they are `between`; none where neither had a visit."""
    for shared, same in groups.groupby(within, dropna=False, sort=False):
        rows = same.loc[same[between].notna()].to_dict(orient="records")
        for first, other in combinations(rows, 2):
            counts = (first["planned"], first["done"], other["planned"], other["done"])
            if first["done"] + other["done"] > 0:
                limits = rate_ratio(int(counts[1]), counts[0], int(counts[3]), counts[2])
                name = shared if isinstance(shared, str) else None
                yield (between, first[between], other[between], name, *counts, *limits)
