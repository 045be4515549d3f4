"""The visits that mentors plan and make."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qieval.study.simulate.design import DAYS_PER_MONTH, Design, Mentoring, days
from qieval.study.simulate.facilities import taking_part
from qieval.study.simulate.tables import numbered


def draw_visits(
    design: Design, facilities: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table, and the true coverage per mentor type and setting."""
    drawn, truth = [], []
    for plan in design.mentoring:
        to = taking_part(facilities).query("setting == @plan.setting")
        if plan.mentor_type == "hub":
            to = to[to["role"] != "hub"]  # a hub does not mentor itself
        visits, planned, expected = _visits_of(design, plan, to, rng)
        drawn.append(visits)
        truth.append((plan.mentor_type, plan.setting, planned, expected, expected / planned if planned else np.nan))
    coverage = pd.DataFrame(truth, columns=["mentor_type", "setting", "planned", "expected_done", "coverage"])
    if not drawn:
        return pd.DataFrame(), coverage
    visits = pd.concat(drawn)
    visits = visits.assign(day=visits["planned_on"].fillna(visits["done_on"])).sort_values("day", kind="stable")
    return visits.assign(visit_id=numbered("V", len(visits))), coverage


def _visits_of(
    design: Design, plan: Mentoring, to: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, int, float]:
    """The visits of one plan, how many were planned up to the data cut, and how many are expected to be done."""
    cut = np.datetime64(design.data_cut)
    joins, visited = to["joins"].to_numpy(), to["visited"].to_numpy()
    last_month = np.full(len(to), design.months + 3) if plan.after_support else to["ends"].to_numpy()
    times = ((last_month - joins) / plan.every_months).astype(int)  # planned per facility
    whom = np.repeat(np.arange(len(to)), times)
    nth = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    after_joining = days((nth + 0.5) * plan.every_months * DAYS_PER_MONTH + rng.integers(-4, 5, len(nth)))
    planned_on = design.first_day(joins[whom]) + after_joining
    is_due = planned_on <= cut
    # Expected visits per visit due are `coverage`: some are the planned ones, the rest come unplanned.
    kept = min(plan.coverage * (1 - design.unplanned_share), 0.95)
    done = is_due & visited[whom] & (rng.random(len(nth)) < kept)
    done_on = np.minimum(planned_on + days(rng.integers(-4, 21, len(nth))), cut)
    due = np.bincount(whom[is_due], minlength=len(to))
    extra = rng.poisson((plan.coverage - kept) * due * visited)
    extra_whom = np.repeat(np.arange(len(to)), extra)
    begin, end = design.first_day(joins), np.minimum(design.day_before(last_month), cut)
    extra_on = begin[extra_whom] + (end - begin)[extra_whom] * rng.random(len(extra_whom))
    never = np.datetime64("NaT")
    everyone = np.concatenate([whom, extra_whom])
    n, made = len(everyone), np.concatenate([done, np.full(len(extra_whom), True)])
    onsite = rng.random(n) < 0.7
    visits = pd.DataFrame(
        {
            "facility_id": to["facility_id"].to_numpy()[everyone],
            "mentor_type": plan.mentor_type,
            "mentor_id": [f"{plan.mentor_type[0].upper()}{one}" for one in rng.integers(1, 5, n)],
            "planned_on": np.concatenate([planned_on, np.full(len(extra_whom), never)]).astype("datetime64[s]"),
            "done_on": np.concatenate([np.where(done, done_on, never), extra_on]).astype("datetime64[s]"),
            "mode": pd.Series(np.where(onsite, "onsite", "virtual")).where(made, None),
            "hours": np.where(made, np.where(onsite, rng.integers(2, 7, n), rng.integers(1, 3, n)), np.nan),
        }
    )
    return visits, int(due.sum()), plan.coverage * float((due * visited).sum())


def sum_visits(design: Design, facilities: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    """The sums of the visits up to the data cut, as a study would have kept them that kept no more."""
    if visits.empty:
        return pd.DataFrame()
    cut = pd.Timestamp(design.data_cut)
    counted = visits.assign(
        setting=visits["facility_id"].map(facilities.set_index("facility_id")["setting"]),
        planned=visits["planned_on"] <= cut,
        done=visits["done_on"].notna(),
    )
    totals = counted.groupby(["mentor_type", "setting"], as_index=False)[["planned", "done"]].sum()
    return totals.assign(**{"from": design.first_day(design.baseline_months), "to": cut})
