"""Whether care is found to go with visits where it does, and only there: prints a table of docs/methods.md.

    .venv/bin/python benchmarks/dose_response.py [collaboratives]

Collaboratives are drawn as the demo is, where care does not depend on visits; then a known number of points is added
to the level of care for each visit made up to a month before, and the counts are drawn again. In further designs
facilities drift each in its own way, visits go where care has just been bad, or to facilities that began low.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from qieval.analyses.dose_response import Response, dose_months, dose_response
from qieval.analyses.series import indicators
from qieval.methods.robust import cr2
from qieval.methods.within import within
from qieval.study.parameters import check_parameters
from qieval.study.simulate import DEMO, Design, simulate
from qieval.study.study import Study

SKIN = dataclasses.replace(DEMO, indicators=DEMO.indicators[1:2], projects=1)
DEATHS = dataclasses.replace(DEMO, indicators=DEMO.indicators[3:], projects=1)
Told = tuple[float, float, float, float]  # estimate, low, high, degrees of freedom
Way = Callable[[Study], Told | None]

SHOCK_SD, SHOCK_KEPT = 0.08, 0.7  # of a facility's level, and what is left of it a month later
DRIFT_SD = 0.005  # of the level, a month since joining


def main() -> None:
    """Print the table in Markdown."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    print(
        "| facilities | collaborative | a visit truly adds | mean | covers | tells one | half width | df | not told |"
    )
    print("|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, size, adds, given, ways in CASES:
        found = [{what: way(study) for what, way in ways.items()} for study in _studies(size, adds, given, n)]
        for what in ways:
            _print(f"{name}: {what}" if what else name, size, adds, [one[what] for one in found], given)


def ours(study: Study) -> Told | None:
    """As the report tells it, with its refusals."""
    (found,) = dose_response(study).responses
    return _told(found)


def _told(found: Response) -> Told | None:
    one = found.slope
    return None if one is None else (one.estimate, one.low, one.high, one.df)


def ahead(study: Study) -> Told | None:
    """The visits of the next months, in place of those made."""
    (found,) = dose_response(study).responses
    one = found.ahead
    return None if one is None else (one.estimate, one.low, one.high, one.df)


def whoever(study: Study) -> Told:
    """Also where the report refuses: too few facilities, or too few that speak."""
    months = _months(study)
    return _slope(within(months["value"], months[["dose"]], months["facility_id"], shared=_shared(months)).table)


def without_joining(study: Study) -> Told:
    """Facility and calendar month alone, without the months since joining."""
    months = _months(study)
    return _slope(within(months["value"], months[["dose"]], months["facility_id"], shared=_shared(months)[:1]).table)


def weighted(study: Study) -> Told:
    """Each facility-month with the weight of its people."""
    months = _months(study)
    dummies = [pd.get_dummies(one, dtype=float).to_numpy() for one in (*_shared(months), months["facility_id"])]
    left, size, _ = np.linalg.svd(np.hstack(dummies), full_matrices=False)
    design = np.column_stack([months["dose"], left[:, size > 1e-9 * size.max()]])
    return _slope(cr2(design, months["value"], months["facility_id"], weights=months["denominator"]))


def _months(study: Study) -> pd.DataFrame:
    months = dose_months(study, indicators(study)[0])
    return months.loc[months["denominator"] >= study.parameters.options.smallest_denominator]


def _shared(months: pd.DataFrame) -> list[pd.Series]:
    return [months["month"], months["since"]]


def _slope(table: pd.DataFrame) -> Told:
    row = table.iloc[0]
    return float(row["estimate"]), float(row["low"]), float(row["high"]), float(row["df"])


def _studies(size: int, adds: float, given: dict[str, Any], n: int) -> Iterator[Study]:
    return (_study(size, seed, adds=adds, **given) for seed in range(n))


def _print(name: str, size: int, adds: float, rows: list[Told | None], given: dict[str, Any]) -> None:
    told = pd.DataFrame([row for row in rows if row is not None], columns=["estimate", "low", "high", "df"])
    scale = 1.0 if given.get("design") is DEATHS else 100.0
    cells = "– | – | – | – | –"
    if len(told):
        covers = told["low"].le(adds) & told["high"].ge(adds)
        clear = told["low"].gt(0) | told["high"].lt(0)
        half = (told["high"] - told["low"]).median() / 2
        cells = (
            f"{scale * told['estimate'].mean():+.2f} | {covers.mean():.1%} | {clear.mean():.1%} | {scale * half:.1f} | "
            f"{told['df'].median():.1f}"
        )
    print(f"| {size} | {name} | {scale * adds:.0f} | {cells} | {1 - len(told) / len(rows):.0%} |", flush=True)


# --- collaboratives --------------------------------------------------------------------------------


def _study(
    size: int,
    seed: int,
    *,
    adds: float = 0.0,
    design: Design = SKIN,
    drift: bool = False,
    follow: bool = False,
    low_first: float = 0.0,
    odd: bool = False,
) -> Study:
    """A collaborative in which each visit adds so much to the level.

    `drift`: each facility moves by its own number of points a month from joining on. `follow`: levels are shocked, and
    visits come after low ones. `low_first`: visits are more frequent by exp(`low_first`) for each unit of the logit
    that a facility began below the average. `odd`: all are visited in the second and the fifth month after joining, and
    one facility every month.
    """
    rng = np.random.default_rng([seed, size])
    hubs, never = (2, 2) if size >= 24 else (1, 1)
    drawn = simulate(dataclasses.replace(design, seed=seed, facilities=size + hubs, hubs=hubs, never_visited=never))
    tables = dict(drawn.tables)
    values = {"collaborative": "simulated", "title": "Simulated", "data": "-", "data_cut": str(design.data_cut)}
    parameters = check_parameters(values)
    levels = drawn.truth.levels.drop(columns="untreated")
    facilities = tables["facilities"].set_index("facility_id")
    since = _months_between(levels["facility_id"].map(facilities["joined_on"]), levels["period"])
    if drift:
        own = pd.Series(rng.normal(0, DRIFT_SD, len(facilities)), index=facilities.index)
        levels["level"] += levels["facility_id"].map(own) * since.clip(lower=0)
    if follow:
        shock = levels.groupby("facility_id")["period"].transform(lambda months: _shocks(len(months), rng))
        levels["level"] += shock
        before = shock.groupby(levels["facility_id"]).shift(1).fillna(0)
        tables["visits"] = _visits(levels, facilities, 0.7 * np.exp(-before / SHOCK_SD), rng)
    if low_first:
        start = levels.groupby("facility_id")["level"].transform("first")
        logit = np.log(start / (1 - start))
        tables["visits"] = _visits(levels, facilities, 0.7 * np.exp(-low_first * (logit - logit.mean())), rng)
    if odd:
        often = levels["facility_id"].eq(facilities.index[-1]) | since.isin([1, 4])
        tables["visits"] = _visits(levels, facilities, often.astype(float), rng, exactly=True)
    measured = Study(parameters=parameters, tables=tables)
    if adds or drift or follow:
        tables["measurements"] = _counted_again(measured, levels, adds, rng)
    return Study(parameters=parameters, tables=tables)


def _counted_again(study: Study, levels: pd.DataFrame, adds: float, rng: np.random.Generator) -> pd.DataFrame:
    keys = ["facility_id", "indicator_id", "period"]
    dose = dose_months(study, indicators(study)[0])[["facility_id", "period", "dose"]]
    rows = study["measurements"].merge(levels, on=keys).merge(dose, on=["facility_id", "period"], how="left")
    level = (rows["level"] + adds * rows["dose"].fillna(0)).clip(0.005, 0.995)
    return rows.assign(numerator=rng.binomial(rows["denominator"].astype(int), level).astype(float)).drop(
        columns=["level", "dose"]
    )


def _shocks(n: int, rng: np.random.Generator) -> np.ndarray:
    shocks = [rng.normal(0, SHOCK_SD)]
    for _ in range(n - 1):
        shocks.append(SHOCK_KEPT * shocks[-1] + rng.normal(0, SHOCK_SD * np.sqrt(1 - SHOCK_KEPT**2)))
    return np.array(shocks)


def _visits(
    levels: pd.DataFrame, facilities: pd.DataFrame, rate: pd.Series, rng: np.random.Generator, *, exactly: bool = False
) -> pd.DataFrame:
    """So many visits a month while support lasts, on average or exactly, on the 15th."""
    ended = levels["facility_id"].map(facilities["support_ended_on"]).fillna(pd.Timestamp.max)
    joined = levels["facility_id"].map(facilities["joined_on"])
    supported = (levels["period"] >= joined) & (levels["period"] <= ended)
    due = rate[supported].clip(upper=5)
    made = levels.loc[supported].assign(n=due.astype(int) if exactly else rng.poisson(due))
    made = made.loc[made.index.repeat(made["n"])]
    day = (made["period"] + pd.Timedelta(days=14)).astype("datetime64[ns]")
    return pd.DataFrame(
        {
            "visit_id": [f"V{number}" for number in range(len(made))],
            "facility_id": made["facility_id"].to_numpy(),
            "mentor_type": "district",
            "mentor_id": None,
            "planned_on": pd.Series(pd.NaT, index=range(len(made)), dtype="datetime64[ns]"),
            "done_on": day.to_numpy(),
            "mode": "onsite",
            "hours": np.nan,
        }
    )


def _months_between(first: pd.Series, last: pd.Series) -> pd.Series:
    return (last.dt.year - first.dt.year) * 12 + last.dt.month - first.dt.month


# A collaborative, its facilities, what a visit adds, how it is drawn, and the ways it is looked at.
CASES: list[tuple[str, int, float, dict[str, Any], dict[str, Way]]] = [
    (
        "as the demo",
        24,
        0.0,
        {},
        {
            "": ours,
            "without months since joining": without_joining,
            "weighted by people": weighted,
            "visits still to come": ahead,
        },
    ),
    ("newborn deaths per 1,000", 24, 0.0, {"design": DEATHS}, {"": ours}),
    ("as the demo", 24, 0.01, {}, {"": ours}),
    ("facilities drift", 24, 0.0, {"drift": True}, {"": ours}),
    ("facilities drift", 24, 0.01, {"drift": True}, {"": ours}),
    ("as the demo", 12, 0.0, {}, {"": ours}),
    ("as the demo", 12, 0.01, {}, {"": ours, "told whatever the df": whoever}),
    ("as the demo", 6, 0.01, {}, {"told whatever the facilities and df": whoever}),
    (
        "facilities drift, one alone visited more",
        12,
        0.0,
        {"odd": True, "drift": True},
        {"": ours, "told whatever the df": whoever},
    ),
    ("visits follow bad months", 24, 0.0, {"follow": True}, {"": ours, "visits still to come": ahead}),
    ("visits go to those who began low", 24, 0.0, {"low_first": 0.6}, {"": ours, "visits still to come": ahead}),
]

if __name__ == "__main__":
    main()
