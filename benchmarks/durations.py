"""Whether the figures about projects recover the truth of simulated ones: prints the tables of docs/methods.md.

    .venv/bin/python benchmarks/durations.py [collaboratives]

Projects are the simulator's own: Weibull durations in whole days, a share of them abandoned, followed to a data cut.
The first table judges single curves. The second compares settings, first where they do not differ, then where projects
in rural facilities take one and a half times as long; and all groupings together, none of which differ.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from qieval.analyses.duration_groups import FEWEST_COMPLETED, FEWEST_SURE, Grouping, duration_groups
from qieval.analyses.durations import DAYS_PER_MONTH, FEWEST_PROJECTS, durations
from qieval.analyses.project_outcomes import AS_SHOWN, ProjectOutcomes, project_outcomes
from qieval.methods.survival import gray_test, kaplan_meier, log_rank, restricted_mean
from qieval.study.parameters import check_parameters
from qieval.study.simulate import DEMO, Design
from qieval.study.simulate.facilities import draw_facilities
from qieval.study.simulate.tables import as_read
from qieval.study.simulate.work import draw_projects
from qieval.study.study import Study

DESIGNS = {
    "10 projects": dataclasses.replace(DEMO, projects=10),
    "20 projects": dataclasses.replace(DEMO, projects=20),
    "44 projects": DEMO,
    "44 projects, 9 months earlier": dataclasses.replace(DEMO, months=DEMO.months - 9),
}
RARE = 0.25  # figures given by fewer collaboratives are left out of the first table
LONGER = 1.5  # times as long in rural facilities, in the second half of the second table
Row = tuple[str, float, float, float, float]  # what, true, estimate, low, high


def main() -> None:
    """Print both tables in Markdown."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    print("| projects | figure | true | estimate | covers | none given |\n|---|---|---:|---:|---:|---:|")
    for name, design in DESIGNS.items():
        for figure, row in recovered(design, range(n)).iterrows():
            covers = "" if math.isnan(row.covers) else f"{row.covers:.1%}"
            print(f"| {name} | {figure} | {row.true:.2f} | {row.estimate:.2f} | {covers} | {1 - row.given:.1%} |")
    print("\n| projects | truth | figure | share | of |\n|---|---|---|---:|---:|")
    for name in ("20 projects", "44 projects"):
        for truth, longer in (("none differ", 1.0), (f"rural {LONGER} times as long", LONGER)):
            for figure, (share, times) in compared(DESIGNS[name], range(n), longer=longer).items():
                print(f"| {name} | {truth} | {figure} | {share:.1%} | {times} |", flush=True)


def study_of(design: Design, *, longer: float = 1.0) -> Study:
    """The facilities and projects of a simulated collaborative; if stretched, nothing but the setting groups them."""
    # Drawn as `simulate` draws them, from generators of their own.
    rngs = np.random.default_rng(design.seed).spawn(4)
    facilities = draw_facilities(design, rngs[0])
    projects = draw_projects(design, facilities, np.random.default_rng(design.seed + 10**6))
    if longer != 1:
        stretched = dataclasses.replace(design, duration_scale_months=design.duration_scale_months * longer)
        # The same draws, so the same projects in the same order.
        other = draw_projects(stretched, facilities, np.random.default_rng(design.seed + 10**6))
        rural = projects["facility_id"].map(facilities.set_index("facility_id")["setting"]).eq("rural")
        projects = projects.where(~rural, other)
        facilities = facilities.assign(hub_id=None, wave=np.nan, role="participant")
    values = {"collaborative": "simulated", "title": "Simulated", "data": "-", "data_cut": str(design.data_cut)}
    named = design.phases.items() if longer == 1 else ()
    phases = {name: [str(first), str(last)] for name, (first, last) in named}
    tables = {"facilities": as_read("facilities", facilities), "projects": as_read("projects", projects)}
    return Study(parameters=check_parameters(values | {"phases": phases}), tables=tables)


# --- single curves ---------------------------------------------------------------------------------


def recovered(design: Design, seeds: range) -> pd.DataFrame:
    """Per figure its truth, mean estimate, share of intervals that hold the truth, and share of runs that give it."""
    rows = [row for seed in seeds for row in figures(design, study_of(dataclasses.replace(design, seed=seed)))]
    found = pd.DataFrame(rows, columns=["figure", "true", "estimate", "low", "high"])
    given = found.dropna(subset=["estimate"])
    # What hardly any give, those that do give by chance.
    often = given["figure"].map(given["figure"].value_counts()) >= RARE * len(seeds)
    given = given.loc[often]
    # A limit that is missing bounds nothing; a figure without any interval is not judged.
    holds = given["low"].fillna(-np.inf).le(given["true"]) & given["high"].fillna(np.inf).ge(given["true"])
    given = given.assign(covers=holds.astype(float).where(given["low"].notna() | given["high"].notna()))
    by = given.groupby("figure", sort=False)
    return by[["true", "covers"]].mean().assign(estimate=by["estimate"].agg(_middle), given=by.size() / len(seeds))


def _middle(estimates: pd.Series) -> float:
    """The mean, or the median where one was not reached."""
    return float(estimates.median() if np.isinf(estimates).any() else estimates.mean())


def figures(design: Design, study: Study) -> Iterator[Row]:
    """Every figure of one collaborative that the first table judges."""
    result = durations(study)
    if result.curve is None or not result.has_median:
        return
    curve = result.curve
    yield "median", median(design), curve.median, curve.median_low, curve.median_high
    if not math.isnan(curve.exact_low):
        yield "median, exact interval", median(design), curve.median, curve.exact_low, curve.exact_high
    outcomes = project_outcomes(result)
    assert outcomes is not None
    alone = outcomes.completed_only_median
    yield "median of the completed alone", median(design), alone, math.nan, math.nan
    if outcomes.mean is not None:
        mean = outcomes.mean
        yield "mean", restricted(design, mean.horizon), mean.estimate, mean.low, mean.high
    yield from _mean_while_five_are_open(design, result.projects.dropna(subset=["duration_months"]))
    half = (outcomes.half_completed, outcomes.half_completed_low, outcomes.half_completed_high)
    yield "month by which half are completed", half_completed(design), *half
    yield from _shares(design, outcomes)
    dated = result.projects.dropna(subset=["duration_months"])
    naive = kaplan_meier(dated["duration_months"], dated["status"] == "completed").curve
    by_9 = naive.loc[naive["time"] < 9 + AS_SHOWN, "survival"]
    if (outcomes.told["month"] == 9).any():
        estimate = 1 - float(by_9.iloc[-1])
        yield "completed by month 9, abandoned as open", completed_by(design, 9), estimate, math.nan, math.nan


def _mean_while_five_are_open(design: Design, dated: pd.DataFrame) -> Iterator[Row]:
    """What the mean would be up to a month chosen by the durations themselves."""
    horizon = float(dated["duration_months"].nlargest(FEWEST_PROJECTS).iloc[-1])
    if horizon > 0:
        mean = restricted_mean(dated["duration_months"], dated["ended"], horizon=horizon, small_sample=True)
        yield "mean, while five are open", restricted(design, horizon), mean.estimate, mean.low, mean.high


def _shares(design: Design, outcomes: ProjectOutcomes) -> Iterator[Row]:
    for row in outcomes.told.itertuples():
        if row.month in (3, 6, 9, 12):
            name = f"completed by month {row.month:.0f}"
            yield name, completed_by(design, row.month), row.completed, row.completed_low, row.completed_high


def median(design: Design) -> float:
    """The true median duration in months."""
    return design.duration_scale_months * math.log(2) ** (1 / design.duration_shape)


def still_open(design: Design, months: np.ndarray) -> np.ndarray:
    """The true share still open after so many months."""
    return np.exp(-((months / design.duration_scale_months) ** design.duration_shape))


def restricted(design: Design, horizon: float) -> float:
    """The true mean time to the end or the horizon."""
    months = np.linspace(0, horizon, 2001)
    return float(np.trapezoid(still_open(design, months), months))


def completed_by(design: Design, month: float) -> float:
    """The true share completed by a month as the report counts it: in whole days, with what is shown as that month."""
    days = math.floor((month + AS_SHOWN) * DAYS_PER_MONTH) + 0.5
    return (1 - design.abandonment_probability) * float(1 - still_open(design, np.array(days / DAYS_PER_MONTH)))


def half_completed(design: Design) -> float:
    """The month by which half of all are completed."""
    ended = 0.5 / (1 - design.abandonment_probability)
    return design.duration_scale_months * (-math.log(1 - ended)) ** (1 / design.duration_shape)


# --- groups ----------------------------------------------------------------------------------------


def compared(design: Design, seeds: range, *, longer: float) -> dict[str, tuple[float, int]]:
    """Per figure the share in which it signals, or holds the truth, and in how many collaboratives it was given.

    Tests of settings are made in each, models and all groupings in every third, since these take time.
    """
    found: dict[str, list[bool]] = {}
    for place, seed in enumerate(seeds):
        study = study_of(dataclasses.replace(design, seed=seed), longer=longer)
        result = durations(study)
        signals = dict(_tests(study, result.projects.dropna(subset=["duration_months"])))
        if place % 3 == 0:
            groupings = duration_groups(study, result)
            signals |= {
                name: held
                for one in groupings
                if one.factor == "setting"
                for name, held in _settings(design, one, longer)
            }
            if longer == 1:
                signals |= dict(_any(groupings))
        for name, held in signals.items():
            found.setdefault(name, []).append(held)
    return {name: (float(np.mean(held)), len(held)) for name, held in found.items()}


def _tests(study: Study, dated: pd.DataFrame) -> Iterator[tuple[str, bool]]:
    """The tests of settings alone, on the terms of the report: five ended projects in each."""
    lengths = (dated["duration_months"], dated["ended"], dated["setting"])
    if (dated.groupby("setting")["ended"].sum() >= FEWEST_PROJECTS).sum() == 2:
        few = dated.groupby("setting")["ended"].sum().min() < FEWEST_SURE
        name = f"log-rank test at 5%{f', fewer than {FEWEST_SURE} ended in a group' if few else ''}"
        yield name, log_rank(*lengths).p_value < 0.05
        completed = (dated["status"] == "completed").groupby(dated["setting"]).sum().min()
        if (dated["status"] == "abandoned").any() and completed > 0:
            enough = "" if completed >= FEWEST_COMPLETED else f", fewer than {FEWEST_COMPLETED} completed in a group"
            found = gray_test(lengths[0], dated["status"], lengths[2], cause="completed")
            yield f"Gray's test at 5%{enough}", found.p_value < 0.05


def _any(groupings: Sequence[Grouping]) -> Iterator[tuple[str, bool]]:
    """Whether any of all tests signals, taken as they are and allowing for their number."""
    raw = [test.p_value for one in groupings for test in (one.log_rank, one.gray) if test is not None]
    said = [
        adjusted < 0.05 and sure
        for one in groupings
        for adjusted, sure in ((one.log_rank_adjusted, one.is_sure), (one.gray_adjusted, True))
    ]
    if raw:
        yield "any test of all groupings at 5%", min(raw) < 0.05
        yield "any difference said in the report", any(said)


def _settings(design: Design, grouping: Grouping, longer: float) -> Iterator[tuple[str, bool]]:
    """Whether intervals of urban projects against rural ones hold the truth."""
    rural = dataclasses.replace(design, duration_scale_months=design.duration_scale_months * longer)
    if grouping.difference is not None:
        horizon = grouping.horizon
        true = restricted(design, horizon) - restricted(rural, horizon)
        yield "difference of means covers", grouping.difference.low <= true <= grouping.difference.high
    if grouping.time_ratio is not None:
        row = grouping.time_ratio.table.iloc[0]
        yield "time ratio covers", row["low"] <= 1 / longer <= row["high"]
    if grouping.hazard_ratio is not None:
        row = grouping.hazard_ratio.table.iloc[0]
        yield "hazard ratio covers", row["low"] <= longer**design.duration_shape <= row["high"]
        yield "hazards called not proportional", grouping.proportional_p < 0.05


if __name__ == "__main__":
    main()
