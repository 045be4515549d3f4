"""The teams' own work: their projects and the ideas they test."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qieval.study.simulate.design import DAYS_PER_MONTH, Design, days
from qieval.study.simulate.facilities import taking_part
from qieval.study.simulate.tables import numbered

EFFECT_WORDS = {"adopt": "better within weeks", "adapt": "some improvement", "abandon": "no change seen"}


def draw_projects(design: Design, facilities: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n = design.projects
    team = taking_part(facilities).iloc[rng.integers(0, design.facilities, n)]
    about = [design.indicators[one] for one in rng.integers(0, len(design.indicators), n)]
    cut = np.datetime64(design.data_cut)
    joined, ended = design.first_day(team["joins"].to_numpy()), design.first_day(team["ends"].to_numpy())
    ended = np.minimum(ended, cut)
    later = ended + (np.maximum(cut - ended, days(0)) + days(60)) * rng.random(n)
    started = np.where(rng.random(n) < design.late_start_share, later, joined + (ended - joined) * rng.random(n))
    months = design.duration_scale_months * rng.weibull(design.duration_shape, n)
    finished = started + days(np.maximum(np.round(months * DAYS_PER_MONTH), 1))
    # Abandoned or completed is decided apart from the time it takes, so that both have the same hazard shape.
    outcome = np.where(rng.random(n) < design.abandonment_probability, "abandoned", "completed")
    status = np.select([started > cut, finished > cut], ["planned", "ongoing"], outcome)
    # Of a few ongoing projects nothing was heard of for some weeks before the data cut.
    last_heard = np.maximum(started, cut - days(rng.integers(10, 90, n)))
    silent = (status == "ongoing") & (rng.random(n) < 0.25)
    order = np.argsort(started, kind="stable")
    frame = pd.DataFrame(
        {
            "facility_id": team["facility_id"].to_numpy(),
            "indicator_id": [one.indicator_id for one in about],
            "started_on": np.where(status == "planned", np.datetime64("NaT"), started),
            "ended_on": np.where(np.isin(status, ["planned", "ongoing"]), np.datetime64("NaT"), finished),
            "status": status,
            "observed_to": np.where(silent, last_heard, np.datetime64("NaT")),
        }
    )
    frame = frame.iloc[order].reset_index(drop=True)
    return frame.assign(project_id=numbered("P", n), title=_titles(design, frame))


def _titles(design: Design, projects: pd.DataFrame) -> list[str]:
    """A facility takes the aims of an indicator in turn, and each facility begins with another one."""
    aims = {one.indicator_id: one.aims for one in design.indicators}
    facility, _ = pd.factorize(projects["facility_id"])
    turn = facility + projects.groupby(["facility_id", "indicator_id"]).cumcount()
    return [aims[one][at % len(aims[one])] for one, at in zip(projects["indicator_id"], turn, strict=True)]


def draw_changes(design: Design, projects: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One to three ideas per project begun, each from its indicator's list."""
    ideas = {one.indicator_id: one.ideas for one in design.indicators}
    begun = projects[projects["status"] != "planned"]
    lengths = (begun["ended_on"].fillna(pd.Timestamp(design.data_cut)) - begun["started_on"]).dt.days
    rows = []
    for project, length in zip(begun.itertuples(), lengths, strict=True):
        for idea in rng.permutation(ideas[project.indicator_id])[: rng.integers(1, 4)]:
            tested_on = project.started_on + pd.Timedelta(days=int(length * rng.random()))
            decision = str(rng.choice(["adopt", "adapt", "abandon"], p=[0.55, 0.25, 0.2]))
            if project.status == "ongoing" and rng.random() < 0.5:
                decision = "testing"
            cycles = 1 + rng.poisson(1.2)
            rows.append((str(idea), project.project_id, project.facility_id, tested_on, cycles, decision))
    columns = ["idea", "project_id", "facility_id", "tested_on", "cycles", "decision"]
    changes = pd.DataFrame(rows, columns=columns)
    return changes.assign(change_id=numbered("C", len(rows)), effect=changes["decision"].map(EFFECT_WORDS))
