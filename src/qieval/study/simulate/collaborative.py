"""A whole collaborative drawn from its design, and the truth behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qieval.study.schema import TABLES
from qieval.study.simulate.care import draw_levels, draw_measurements, effects, level_frame
from qieval.study.simulate.design import Design
from qieval.study.simulate.facilities import draw_facilities
from qieval.study.simulate.mentoring import draw_visits, sum_visits
from qieval.study.simulate.programme import draw_costs, draw_events, draw_scores
from qieval.study.simulate.tables import as_read
from qieval.study.simulate.work import draw_changes, draw_projects


@dataclass(frozen=True, eq=False, kw_only=True)
class Truth:
    """What the tables were drawn from: the right answers.

    `levels` has one row per facility, indicator and month: ``untreated`` (without the collaborative) and ``level``
    (with it), a proportion or events per person. `effects` has one row per facility and indicator, all at the first
    month's trend: ``baseline``, ``reached`` (at the top of the ramp), ``effect`` (reached minus baseline), ``keeps``,
    and ``kept_share``, the share of the highest gain that is left in the last month (missing where none was had).
    `coverage` has one row per mentor type and setting: visits ``planned`` up to the data cut, ``expected_done``,
    and ``coverage``, their ratio, to which facilities that are never visited count.
    """

    levels: pd.DataFrame
    effects: pd.DataFrame
    coverage: pd.DataFrame
    median_duration_months: float
    mean_duration_months: float
    abandoned_share: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Simulated:
    """The ten tables, typed as the door types them, and the truth behind them."""

    tables: Mapping[str, pd.DataFrame]
    truth: Truth


def simulate(design: Design) -> Simulated:
    """A collaborative drawn from `design`."""
    # A generator for each table: drawing more in one leaves the others as they are.
    rngs = iter(np.random.default_rng(design.seed).spawn(8))
    facilities = draw_facilities(design, next(rngs))
    levels = draw_levels(design, facilities, next(rngs))
    measurements = draw_measurements(design, facilities, levels, next(rngs))
    projects = draw_projects(design, facilities, next(rngs))
    visits, coverage = draw_visits(design, facilities, next(rngs))
    events = draw_events(design, facilities, next(rngs))
    changes = draw_changes(design, projects, next(rngs))
    rng = next(rngs)  # for scores, then costs
    frames = {
        "facilities": facilities,
        "indicators": pd.DataFrame([vars(one) | {"class": one.measures} for one in design.indicators]),
        "measurements": measurements,
        "projects": projects,
        "visits": visits,
        "visit_totals": sum_visits(design, facilities, visits),
        "events": events,
        "changes": changes,
        "scores": draw_scores(design, facilities, rng),
        "costs": draw_costs(design, rng),
    }
    truth = Truth(
        levels=level_frame(design, facilities, levels),
        effects=effects(design, facilities, levels),
        coverage=coverage,
        median_duration_months=design.duration_scale_months * math.log(2) ** (1 / design.duration_shape),
        mean_duration_months=design.duration_scale_months * math.gamma(1 + 1 / design.duration_shape),
        abandoned_share=design.abandonment_probability,
    )
    return Simulated(tables={name: as_read(name, frames[name]) for name in TABLES}, truth=truth)
