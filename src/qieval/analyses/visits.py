"""The visits of a study and the facilities they are for, shared by the questions about mentoring."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from qieval.study.study import Study

# Below these a share or an average over facilities has no interval that means anything.
FEWEST_FACILITIES = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Visits:
    """Single visits, and the facilities that ought to have had some."""

    # One row per visit planned or done at a facility of the collaborative: facility_id, facility, setting, hub (name),
    # mentor_type, mode, planned_on, done_on, planned (due by the data cut), done.
    rows: pd.DataFrame
    # One row per facility to be visited: facility_id, facility, setting, hub, role, followed_from, support_ended_on,
    # planned, done, planned_done (of those planned), capped (done, at most as many as planned), last_visit.
    facilities: pd.DataFrame
    data_cut: pd.Timestamp


def visits(study: Study) -> Visits:
    """The visits of a study that recorded single ones, comparison facilities left out.

    A visit is planned if its planned day is not after the data cut, and done if it has a day on which it was done,
    planned or not. A facility is followed from the day it joined, or from its first visit if that came earlier or no
    joining day is recorded. A hub is visited by choice: it is among the facilities only if a visit to it was planned
    or made by now.
    """
    cut = pd.Timestamp(study.parameters.data_cut)
    table = study["facilities"].loc[lambda frame: frame["role"].ne("comparison")]
    names = study.facility_names()
    known = pd.DataFrame(
        {
            "facility_id": table["facility_id"],
            "facility": table["facility_id"].map(names),
            "setting": table["setting"],
            "hub": table["hub_id"].map(names),
        }
    )
    columns = ["facility_id", "mentor_type", "mode", "planned_on", "done_on"]
    rows = known.merge(study["visits"][columns], on="facility_id")
    rows["planned"] = rows["planned_on"] <= cut
    rows["done"] = rows["done_on"].notna()
    per_facility = (
        rows.assign(both=rows["planned"] & rows["done"])
        .groupby("facility_id")
        .agg(
            planned=("planned", "sum"),
            done=("done", "sum"),
            planned_done=("both", "sum"),
            first_visit=("done_on", "min"),
            last_visit=("done_on", "max"),
        )
    )
    found = known.assign(
        role=table["role"], support_ended_on=table["support_ended_on"].where(table["support_ended_on"] < cut)
    ).join(per_facility, on="facility_id")
    counts = ["planned", "done", "planned_done"]
    found[counts] = found[counts].fillna(0).astype(int)
    concerned = found["role"].ne("hub") | (found["planned"] + found["done"] > 0)
    found = found.assign(
        followed_from=pd.concat([table["joined_on"], found["first_visit"]], axis=1).min(axis=1),
        capped=found[["planned", "done"]].min(axis=1),
    )
    return Visits(
        rows=rows,
        facilities=found.loc[concerned].drop(columns="first_visit").reset_index(drop=True),
        data_cut=cut,
    )
