"""How often the pooled interval of a collaborative holds the true change: prints the table of docs/methods.md.

    .venv/bin/python benchmarks/collaborative_effect.py [collaboratives] [processes]

Collaboratives are drawn as the demo is: facilities of very different size and level that join in three waves after 12
months, a climb over three months, nine months of support and gains that half of them lose again, months that go
unreported, counts that are binomial or Poisson. The truth is the mean over facilities like these of the level with the
collaborative less the level without it, twelve months after joining. "None" has no effect, but a rise that goes on
anyway, by which a comparison of before and after would be fooled.
"""

from __future__ import annotations

import dataclasses
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import numpy as np
import pandas as pd

from qieval.analyses.interrupted import average, changes, fit_facilities, from_joining
from qieval.analyses.series import facility_months, indicators
from qieval.study.parameters import check_parameters
from qieval.study.simulate import DEMO, Design
from qieval.study.simulate.care import draw_levels, draw_measurements
from qieval.study.simulate.facilities import draw_facilities
from qieval.study.study import Study

MONTH = 12
FACILITIES = (24, 12, 6)
BREASTFEEDING, _, _, DEATHS = DEMO.indicators
SCENARIOS = {
    "proportion, gain": BREASTFEEDING,
    "proportion, none": dataclasses.replace(BREASTFEEDING, effect=0.0, trend_per_year=0.3),
    "rate, none": dataclasses.replace(DEATHS, trend_per_year=-0.1),
}
FOR_TRUTH = 20_000


def main() -> None:
    """Print the table in Markdown."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print("| truth | facilities | pooled | true change | mean estimate | holds the truth | mean width | leaves out 0 |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    with ProcessPoolExecutor(processes) as pool:
        for name in SCENARIOS:
            truth = true_change(name)
            for n in FACILITIES:
                rows = list(pool.map(estimate_once, repeat(name), repeat(n), range(repeats), chunksize=10))
                found = pd.DataFrame(rows, columns=["estimate", "low", "high"]).dropna()
                holds = found["low"].le(truth) & found["high"].ge(truth)
                told = found["low"].gt(0) | found["high"].lt(0)
                width, mean = (found["high"] - found["low"]).mean(), found["estimate"].mean()
                print(
                    f"| {name} | {n} | {len(found)} | {truth:.3f} | {mean:.3f} | {holds.mean():.1%} "
                    f"| {width:.3f} | {told.mean():.1%} |",
                    flush=True,
                )


def design_of(name: str, facilities: int, seed: int) -> Design:
    """The demo with one indicator and so many facilities."""
    hubs = max(1, facilities // 12)
    return dataclasses.replace(
        DEMO, indicators=(SCENARIOS[name],), facilities=facilities, hubs=hubs, never_visited=0, seed=seed
    )


def true_change(name: str) -> float:
    """The mean change at the month over very many facilities like these, per `per`."""
    design = dataclasses.replace(design_of(name, 24, 0), facilities=FOR_TRUTH, hubs=FOR_TRUTH // 12)
    facilities = draw_facilities(design, np.random.default_rng(0))
    levels = draw_levels(design, facilities, np.random.default_rng(1))
    at = facilities["joins"].to_numpy() + MONTH
    change = (levels["level"] - levels["untreated"])[np.arange(FOR_TRUTH), 0, at]
    return float(change.mean() * (design.indicators[0].per or 1))


def estimate_once(name: str, n: int, seed: int) -> tuple[float, float, float]:
    """Pooled estimate and limits of one collaborative; missing where too few facilities can be pooled."""
    study = draw(design_of(name, n, 1_000 * n + seed))
    (indicator,) = indicators(study)
    months = from_joining(study, facility_months(study, indicator))
    shown = months.loc[months["denominator"] >= study.parameters.options.smallest_denominator]
    month, fits, _ = fit_facilities(
        shown, transition=0, asked=MONTH, engines=("averaged",), is_share=indicator.kind == "proportion"
    )
    told = changes(fits, shown.groupby("facility_id")["start"].first(), "averaged", month)
    same = [facility for facility, fit in fits.items() if fit.design.trend]
    pooled = average(told, same)
    if pooled is None:
        return np.nan, np.nan, np.nan
    return pooled.estimate, pooled.low, pooled.high


def draw(design: Design) -> Study:
    """A study of the three tables that the question needs; faster than `simulate`, which draws all ten."""
    rngs = iter(np.random.default_rng(design.seed).spawn(3))
    facilities = draw_facilities(design, next(rngs))
    levels = draw_levels(design, facilities, next(rngs))
    frames = {
        "facilities": facilities.astype({"joined_on": "datetime64[ns]", "support_ended_on": "datetime64[ns]"}),
        "indicators": pd.DataFrame([vars(one) | {"class": one.measures} for one in design.indicators]),
        "measurements": draw_measurements(design, facilities, levels, next(rngs)).astype({"period": "datetime64[ns]"}),
    }
    parameters = check_parameters({"collaborative": "x", "title": "x", "data": "x", "data_cut": design.data_cut})
    return Study(parameters=parameters, tables=frames)


if __name__ == "__main__":
    main()
