"""How well the lasting of gains is told where it is known: prints the tables of docs/methods.md.

    .venv/bin/python benchmarks/sustainment.py [collaboratives] [processes]

Collaboratives are drawn as the demo is, six months longer: facilities of very different size that join in three waves,
a climb over three months, nine months of support, months that go unreported, binomial counts. In facilities that do not
keep their gain it shrinks by 8% every month after support. The truth of a follow-up is the mean share of the gain left
over its three months, over facilities like these.
"""

from __future__ import annotations

import dataclasses
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from qieval.analyses.segments import beyond_chance
from qieval.analyses.series import Indicator
from qieval.analyses.sustainment import sustainment
from qieval.study.parameters import check_parameters
from qieval.study.simulate import DEMO, Design
from qieval.study.simulate.care import draw_levels, draw_measurements
from qieval.study.simulate.facilities import draw_facilities
from qieval.study.study import Study

FOLLOW_UP = (6, 12)
SINGLE = 20_000  # facilities that lose nothing, a row
GAIN = DEMO.indicators[0]
SCENARIOS = {  # what it is called, how many facilities, how many of them keep their gain, and the gain
    "half keep it": (24, 0.5, GAIN),
    "half keep it, 12 facilities": (12, 0.5, GAIN),
    "all keep it": (24, 1.0, GAIN),
    "half keep it, small gain": (24, 0.5, dataclasses.replace(GAIN, effect=0.8)),
    "all keep it, small gain": (24, 1.0, dataclasses.replace(GAIN, effect=0.8)),
}


def main() -> None:
    """Print the tables in Markdown."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    shares, classes = [], []
    with ProcessPoolExecutor(processes) as pool:
        for name in SCENARIOS:
            rows = list(pool.map(once, repeat(name), range(repeats), chunksize=5))
            shares += share_rows(name, pd.concat([row[0] for row in rows]))
            classes += class_rows(name, pd.concat([row[1] for row in rows]), pd.DataFrame([row[2] for row in rows]))
    print("| truth | months after | pooled | true share | mean estimate | holds the truth | median width |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    print("\n".join(shares))
    print()
    print(
        "| truth | facilities | in truth | kept | lost | not to be told | apart | false loss expected | "
        "fell by chance | expected to fall |"
    )
    print("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    print("\n".join(classes))
    print()
    print("| people a month | months after | a row alone | beyond chance, 95% | beyond chance, 99% |")
    print("|---:|---:|---:|---:|---:|")
    for months in (12, 24):
        for people in (14, 60, 180):
            told = " | ".join(f"{share:.1%}" for share in false_losses(people, months))
            print(f"| {people} | {months} | {told} |")


def false_losses(people: int, months: int) -> list[float]:
    """Of facilities that gain and lose nothing: the share with a loss by the row alone, and by both intervals."""
    rng = np.random.default_rng(people + months)
    middle = np.log(GAIN.baseline / (1 - GAIN.baseline)) + rng.normal(0, 0.5, (SINGLE, 1))
    before, truth = (1 / (1 + np.exp(-middle - effect)) for effect in (0.0, GAIN.effect))
    births = people * np.exp(rng.normal(0, 0.6, (SINGLE, 1)))

    def counts(level: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        seen = np.maximum(rng.poisson(births, (SINGLE, n)), 1)
        return rng.binomial(seen, level, (SINGLE, n)).astype(float), seen.astype(float)

    (base, base_n), (end, end_n) = ([part.sum(axis=1) for part in counts(*one)] for one in ((before, 12), (truth, 3)))
    one = Indicator(indicator_id="x", name="x", kind="proportion", better="up", target=None, per=1.0, unit="")
    gained = (end / end_n - base / base_n >= 0.1) & beyond_chance(end, end_n, base, base_n, one, way=1)
    events, seen = counts(truth, months)
    below = events / seen < (end / end_n)[:, np.newaxis] - 0.05 - 1e-12
    rows = np.asarray(sliding_window_view(below, 3, axis=1).all(axis=2))
    sums = [np.asarray(sliding_window_view(part, 3, axis=1).sum(axis=2)) for part in (events, seen)]
    told: list[np.ndarray] = [rows]
    for confidence in (0.95, 0.99):
        worse = beyond_chance(
            sums[0], sums[1], end[:, np.newaxis], end_n[:, np.newaxis], one, way=-1, confidence=confidence
        )
        told.append(rows & worse)
    return [float(found[gained].any(axis=1).mean()) for found in told]


def design_of(name: str, seed: int) -> Design:
    """The demo with one indicator, six months longer, so that every wave is followed for 12 months and more."""
    facilities, keeping, indicator = SCENARIOS[name]
    return dataclasses.replace(
        DEMO, indicators=(indicator,), facilities=facilities, hubs=max(1, facilities // 12), never_visited=0, months=42,
        keeping_share=keeping, seed=seed,
    )  # fmt: skip


def true_share(design: Design, after: int) -> float:
    """The mean share of the gain left in the three months up to so many after support."""
    left = np.exp(-design.decay_per_month * np.arange(after - 2, after + 1)).mean()
    return float(design.keeping_share + (1 - design.keeping_share) * left)


def once(name: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """One collaborative: its pooled shares, its facilities, and what chance was said to do."""
    design = design_of(name, 1_000 + seed)
    study, truth = draw(design)
    (found,) = sustainment(study).indicators
    shares = [
        (one.months_after, one.share.estimate, one.share.low, one.share.high) for one in found.horizons if one.share
    ]
    gained = found.table.loc[found.table["start"] == "gained"].merge(truth, on="facility")
    chance = {
        "expected": found.loss.lost_by_chance / found.loss.n_followed,
        "fell": float((gained["end"] - gained["true_end"]).mean()),
        "fall": found.fall_by_chance,
    }
    return pd.DataFrame(shares, columns=["after", "estimate", "low", "high"]), gained, chance


def share_rows(name: str, found: pd.DataFrame) -> list[str]:
    """Per follow-up: truth, mean estimate, coverage and width of the interval of the pooled share."""
    rows = []
    for after, own in found.groupby("after"):
        truth = true_share(design_of(name, 0), int(after))
        holds = own["low"].le(truth) & own["high"].ge(truth)
        width = (own["high"] - own["low"]).median()
        rows.append(
            f"| {name} | {after} | {len(own)} | {truth:.3f} | {own['estimate'].mean():.3f} | {holds.mean():.1%} | "
            f"{width:.2f} |"
        )
    return rows


def class_rows(name: str, gained: pd.DataFrame, chance: pd.DataFrame) -> list[str]:
    """Of the facilities that truly keep it and of those that do not: how they were classed."""
    rows = []
    for keeps, own in gained.groupby("keeps", sort=False):
        share = own["class"].value_counts(normalize=True)
        kept, lost, untold = (share.get(one, 0.0) for one in ("gained and kept", "gained and lost", "cannot be told"))
        told = ["", "", ""]
        if keeps:
            told[0] = f"{chance['expected'].mean():.1%}"
        if (gained["keeps"]).all():
            told[1:] = f"{100 * chance['fell'].mean():.1f} points", f"{100 * chance['fall'].mean():.1f} points"
        rows.append(
            f"| {name} | {len(own):,} | {'keep' if keeps else 'lose'} | {kept:.1%} | {lost:.1%} | {untold:.1%} | "
            f"{abs(1 - kept - lost - untold):.1%} | {' | '.join(told)} |"
        )
    return rows


def draw(design: Design) -> tuple[Study, pd.DataFrame]:
    """A study of the three tables that the question needs; and per facility whether it keeps, and its true end."""
    rngs = iter(np.random.default_rng(design.seed).spawn(3))
    facilities = draw_facilities(design, next(rngs))
    levels = draw_levels(design, facilities, next(rngs))
    frames = {
        "facilities": facilities.astype({"joined_on": "datetime64[ns]", "support_ended_on": "datetime64[ns]"}),
        "indicators": pd.DataFrame([vars(one) | {"class": one.measures} for one in design.indicators]),
        "measurements": draw_measurements(design, facilities, levels, next(rngs)).astype({"period": "datetime64[ns]"}),
    }
    parameters = check_parameters(
        {
            "collaborative": "x", "title": "x", "data": "x", "data_cut": design.data_cut,
            "options": {"sustainment": {"follow_up_months": list(FOLLOW_UP)}},
        }
    )  # fmt: skip
    study = Study(parameters=parameters, tables=frames)
    last_supported = facilities["ends"].to_numpy() - 1
    truth = pd.DataFrame(
        {
            "facility": facilities["facility_id"].map(study.facility_names()),
            "keeps": facilities["keeps"],
            "true_end": levels["level"][np.arange(len(facilities)), 0, last_supported],
        }
    )
    return study, truth


if __name__ == "__main__":
    main()
