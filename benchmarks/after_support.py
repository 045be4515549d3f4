"""How often the average change after support holds the truth: prints the table of docs/methods.md.

    .venv/bin/python benchmarks/after_support.py [collaboratives] [processes] [truth ...]

Collaboratives are those of benchmarks/sustainment.py: nine months of support of which three are the climb, then
fifteen months and more, in which the gain shrinks by 8% a month where it is not kept. The truth is a mean over
facilities like these: of the level at the month told less that of the last six months of support; and, against the
trend, less what it would have been with all of the gain kept. Where nothing else moves both are the same. "Rising
anyway" keeps all of its gain and rises besides.
"""

from __future__ import annotations

import dataclasses
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import numpy as np
import pandas as pd
from sustainment import GAIN, design_of, draw

from qieval.analyses.after_support import CLIMB_MONTHS, of_facilities
from qieval.analyses.segments import segments
from qieval.analyses.series import indicators
from qieval.study.simulate import Design
from qieval.study.simulate.care import draw_levels
from qieval.study.simulate.facilities import draw_facilities

MONTHS = (6, 12)
FOR_TRUTH = 20_000
SCENARIOS = {  # what it is called, how many facilities, how many keep the gain, and the gain
    "half keep it": (24, 0.5, GAIN),
    "half keep it, 12 facilities": (12, 0.5, GAIN),
    "half keep it, 6 facilities": (6, 0.5, GAIN),
    "all keep it": (24, 1.0, GAIN),
    "all keep it, 12 facilities": (12, 1.0, GAIN),
    "all keep it, rising anyway": (24, 1.0, dataclasses.replace(GAIN, trend_per_year=0.3)),
}


def main() -> None:
    """Print the table in Markdown."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(
        "| truth | month | pooled | true change | mean estimate | holds the truth | median width | leaves out 0 | "
        "true, against the trend | holds the truth | median width |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    with ProcessPoolExecutor(processes) as pool:
        for name in sys.argv[3:] or SCENARIOS:
            for month in MONTHS:
                rows = list(pool.map(once, repeat(name), repeat(month), range(repeats), chunksize=5))
                print(row_of(name, month, pd.DataFrame(rows)), flush=True)


def scenario(name: str, seed: int) -> Design:
    """The design of benchmarks/sustainment.py with so many facilities, keepers and this gain."""
    facilities, keeping, indicator = SCENARIOS[name]
    return dataclasses.replace(
        design_of("half keep it", seed), indicators=(indicator,), facilities=facilities,
        hubs=max(1, facilities // 12), keeping_share=keeping,
    )  # fmt: skip


def true_changes(name: str, month: int) -> tuple[float, float]:
    """The mean over very many facilities: against the level of the last months of support, and of the gain itself."""
    design = dataclasses.replace(scenario(name, 0), facilities=FOR_TRUTH, hubs=FOR_TRUTH // 12)
    facilities = draw_facilities(design, np.random.default_rng(0))
    levels = draw_levels(design, facilities, np.random.default_rng(1))
    own, ends = np.arange(FOR_TRUTH), facilities["ends"].to_numpy()
    held_months = design.support_months - CLIMB_MONTHS
    held = np.mean([levels["level"][own, 0, ends - back] for back in range(1, held_months + 1)], axis=0)
    now = levels["level"][own, 0, ends - 1 + month]
    return float((now - held).mean()), float((now - levels["full"][own, 0, ends - 1 + month]).mean())


def once(name: str, month: int, seed: int) -> dict[str, float]:
    """The average change of one collaborative with its limits, against the level and against the trend."""
    study, _ = draw(scenario(name, 5_000 + seed))
    (indicator,) = indicators(study)
    found = of_facilities(segments(study, indicator), indicator, (month,))
    row = {"moving": float(found.is_moving)}
    if found.sensitivity is None:
        return row | dict.fromkeys(("estimate", "low", "high", "trend_low", "trend_high"), np.nan)
    ways = found.sensitivity.set_index("case")
    trend = ways.loc["against_trend" if found.held == "level" else "averaged"]
    told = ways.loc["averaged"]
    return row | {
        "estimate": told["estimate"], "low": told["low"], "high": told["high"], "trend_low": trend["low"],
        "trend_high": trend["high"],
    }  # fmt: skip


def row_of(name: str, month: int, found: pd.DataFrame) -> str:
    """One row of the table."""
    (truth, of_gain), known = true_changes(name, month), found.dropna(subset="estimate")
    holds = known["low"].le(truth) & known["high"].ge(truth)
    trend = known.dropna(subset="trend_low")
    trend_holds = trend["trend_low"].le(of_gain) & trend["trend_high"].ge(of_gain)
    tells = known["low"].gt(0) | known["high"].lt(0)
    width, trend_width = (
        (one["high"] - one["low"]).median()
        for one in (known, trend[["trend_low", "trend_high"]].set_axis(["low", "high"], axis=1))
    )
    return (
        f"| {name} | {month} | {len(known)} | {truth:.3f} | {known['estimate'].mean():.3f} | {holds.mean():.1%} | "
        f"{width:.2f} | {tells.mean():.1%} | {of_gain:.3f} | {trend_holds.mean():.1%} | {trend_width:.2f} |"
    ).replace("-0.000", "0.000")


if __name__ == "__main__":
    main()
