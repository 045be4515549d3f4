"""How long do projects take? Every project counts, those still under way as such."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from qieval.analyses.series import phases
from qieval.errors import DataError
from qieval.methods.survival import KaplanMeier, kaplan_meier
from qieval.study.study import Study

DAYS_PER_MONTH = 365.25 / 12
FEWEST_PROJECTS = 5  # that ended: below this a median and its interval say nothing; the projects are listed instead


@dataclass(frozen=True, eq=False, kw_only=True)
class Durations:
    """The projects, and the time from their start to their end, whichever way they ended."""

    projects: pd.DataFrame  # one row per project, see `_project_table`
    n_by_status: dict[str, int]  # planned, ongoing, completed, abandoned; every project of the table
    curve: KaplanMeier | None  # in months; None where no project has the dates
    has_median: bool  # False where fewer than five dated projects have ended
    n_undated: int  # begun, but a date is missing, so they are in no curve
    median_if_undated_short: float  # the median had every undated project that ended done so at once ...
    median_if_undated_long: float  # ... or every undated one lasted longer than all others; else the median
    data_cut: pd.Timestamp
    phases: dict[str, tuple[pd.Timestamp, pd.Timestamp]]
    visits: pd.DataFrame  # project_id, done_on: visits made to the project's facility while it ran


def durations(study: Study) -> Durations:
    """Time from the start of each project to its end, in months of 30.44 days.

    A project ends when it is completed or abandoned. One that is ongoing is censored on the last day it was
    known to be, or at the data cut. Planned projects have not begun and are only counted.

    Raises
    ------
    DataError
        If there is no project.
    """
    projects = _project_table(study)
    if projects.empty:
        raise DataError("the table projects holds no project")
    dated = projects.dropna(subset=["duration_months"])
    undated = projects.loc[projects["status"].ne("planned") & projects["duration_months"].isna()]
    curve = kaplan_meier(dated["duration_months"], dated["ended"]) if len(dated) else None
    has_median = curve is not None and curve.n_events >= FEWEST_PROJECTS
    return Durations(
        projects=projects,
        n_by_status={status: int((projects["status"] == status).sum()) for status in _STATUS},
        curve=curve,
        has_median=has_median,
        n_undated=len(undated),
        median_if_undated_short=_median_with(dated, int(undated["ended"].sum()), short=True) if has_median else np.nan,
        median_if_undated_long=_median_with(dated, len(undated), short=False) if has_median else np.nan,
        data_cut=pd.Timestamp(study.parameters.data_cut),
        phases=phases(study),
        visits=_visits_while_running(study, projects),
    )


_STATUS = ("planned", "ongoing", "completed", "abandoned")


def _project_table(study: Study) -> pd.DataFrame:
    """One row per project: project_id, title, facility, setting, status, started_on, until, ended, duration_months.

    ``until`` is the day the project ended or was last seen; ``ended`` whether it ended; ``duration_months`` is
    missing for planned projects and where a date is missing. In order of start.
    """
    rows = study["projects"]
    names = study.facility_names() if study.has("facilities") else pd.Series(dtype=object)
    settings = study["facilities"].set_index("facility_id")["setting"] if study.has("facilities") else names
    ended = rows["status"].isin(["completed", "abandoned"])
    last_seen = rows["observed_to"].fillna(pd.Timestamp(study.parameters.data_cut))
    until = rows["ended_on"].where(ended, last_seen.where(rows["status"] == "ongoing"))
    return pd.DataFrame(
        {
            "project_id": rows["project_id"],
            "title": rows["title"],
            "facility": rows["facility_id"].map(names),
            "facility_id": rows["facility_id"],
            "setting": rows["facility_id"].map(settings),
            "status": rows["status"],
            "started_on": rows["started_on"],
            "until": until,
            "ended": ended,
            "duration_months": ((until - rows["started_on"]).dt.days / DAYS_PER_MONTH).where(
                rows["status"].ne("planned")
            ),
        }
    ).sort_values(["started_on", "until"], kind="stable", ignore_index=True)


def _median_with(dated: pd.DataFrame, n_undated: int, *, short: bool) -> float:
    """The median had that many undated projects been the shortest, or the longest, of all."""
    extreme = 0.0 if short else float(dated["duration_months"].max()) + 1
    lengths = np.append(dated["duration_months"], np.full(n_undated, extreme))
    # The longest are set as not ended: their true length is open, so a median among them is "not reached".
    ended = np.append(dated["ended"], np.full(n_undated, short))
    return kaplan_meier(lengths, ended).median


def _visits_while_running(study: Study, projects: pd.DataFrame) -> pd.DataFrame:
    if not study.has("visits"):
        return pd.DataFrame({"project_id": pd.Series(dtype=object), "done_on": pd.Series(dtype="datetime64[ns]")})
    done = study["visits"].dropna(subset=["done_on"])[["facility_id", "done_on"]]
    pairs = projects[["project_id", "facility_id", "started_on", "until"]].merge(done, on="facility_id")
    return pairs.loc[pairs["done_on"].between(pairs["started_on"], pairs["until"]), ["project_id", "done_on"]]
