"""Was mentoring given as planned, and who was left out?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from qieval.errors import DataError
from qieval.methods.rates import Proportion, proportion, ratio
from qieval.study.schema import MENTOR_TYPES, SETTINGS
from qieval.study.study import Study


@dataclass(frozen=True, eq=False, kw_only=True)
class Mentoring:
    """Visits planned and done by mentor type and setting, and facility by facility where visits were recorded."""

    groups: pd.DataFrame  # mentor_type, setting (missing: all or not recorded), planned, done, ratio, low, high
    planned: float  # of all groups; missing, as is `done`, where a group's total was not recorded
    done: float
    totals_only: bool  # True: the study kept totals, so nothing can be said of single facilities
    facilities: pd.DataFrame  # one row per facility to be visited: facility, setting, planned, done, last_visit
    never_visited: tuple[str, ...]  # names
    visited: Proportion | None  # facilities visited at least once; None for totals
    n_virtual: int  # of the visits done, those made virtually
    has_totals_too: bool  # the table visit_totals is there as well, and was not used


def mentoring(study: Study) -> Mentoring:
    """Planned against done, with the exact Poisson interval of the ratio.

    A visit counts as planned if its planned day is not after the data cut, and as done whether it was
    planned or not: the ratio is an intensity, and may exceed 1.

    Raises
    ------
    DataError
        If there is neither a visit nor a total.
    """
    if study.has("visits"):
        return _from_visits(study)
    if study.has("visit_totals"):
        return _from_totals(study["visit_totals"])
    raise DataError("neither the table visits nor the table visit_totals holds a row")


def _from_visits(study: Study) -> Mentoring:
    facilities = study["facilities"]
    concerned = facilities.loc[facilities["role"].ne("comparison"), ["facility_id", "setting"]]
    visits = study["visits"].merge(concerned, on="facility_id")
    visits["planned"] = visits["planned_on"] <= pd.Timestamp(study.parameters.data_cut)
    visits["done"] = visits["done_on"].notna()
    by_facility = visits.groupby("facility_id").agg(
        planned=("planned", "sum"), done=("done", "sum"), last_visit=("done_on", "max")
    )
    # A hub is visited by choice: it is left out of the count unless a visit to it was planned or made by now.
    visited_or_planned = by_facility.index[by_facility[["planned", "done"]].any(axis=1)]
    to_visit = facilities.loc[
        ~facilities["role"].isin(["comparison", "hub"])
        | (facilities["role"].eq("hub") & facilities["facility_id"].isin(visited_or_planned))
    ]
    table = pd.DataFrame(
        {
            "facility": to_visit["facility_id"].map(study.facility_names()),
            "setting": to_visit["setting"],
            "planned": to_visit["facility_id"].map(by_facility["planned"]).fillna(0).astype(int),
            "done": to_visit["facility_id"].map(by_facility["done"]).fillna(0).astype(int),
            "last_visit": to_visit["facility_id"].map(by_facility["last_visit"]),
        }
    ).sort_values(["done", "facility"], ignore_index=True)
    never = table.loc[table["done"] == 0, "facility"]
    return Mentoring(
        groups=_with_ratio(visits),
        planned=float(visits["planned"].sum()),
        done=float(visits["done"].sum()),
        totals_only=False,
        facilities=table,
        never_visited=tuple(sorted(never)),
        visited=proportion(len(table) - len(never), len(table)) if len(table) else None,
        n_virtual=int((visits["done"] & visits["mode"].eq("virtual")).sum()),
        has_totals_too=study.has("visit_totals"),
    )


def _from_totals(totals: pd.DataFrame) -> Mentoring:
    return Mentoring(
        groups=_with_ratio(totals),
        planned=float(totals["planned"].sum(skipna=False)),
        done=float(totals["done"].sum(skipna=False)),
        totals_only=True,
        facilities=pd.DataFrame(columns=["facility", "setting", "planned", "done", "last_visit"]),
        never_visited=(),
        visited=None,
        n_virtual=0,
        has_totals_too=False,
    )


def _with_ratio(rows: pd.DataFrame) -> pd.DataFrame:
    """Sums by mentor type and setting, in the schema's order; no ratio where nothing was planned."""
    order = {name: position for position, name in enumerate((*MENTOR_TYPES, *SETTINGS))}
    # A sum with a part that was not recorded is not known; it must not count that part as zero.
    sums = (
        rows.groupby(["mentor_type", "setting"], dropna=False)[["planned", "done"]]
        .agg(lambda part: part.sum(skipna=False))
        .reset_index()
    )
    sums = sums.sort_values(["mentor_type", "setting"], key=lambda column: column.map(order), ignore_index=True)
    sums = sums.astype({"planned": float, "done": float})
    can = (sums["planned"] > 0) & sums["done"].notna()
    ratios = [
        ratio(int(done), int(planned)) if possible else None
        for done, planned, possible in zip(sums["done"], sums["planned"], can, strict=True)
    ]
    return sums.assign(
        ratio=[found.ratio if found else np.nan for found in ratios],
        low=[found.low if found else np.nan for found in ratios],
        high=[found.high if found else np.nan for found in ratios],
    )
