"""Whether mentoring's figures recover the truth of simulated collaboratives: prints the tables of docs/methods.md.

    .venv/bin/python benchmarks/mentoring.py [collaboratives]

The first table is of whole collaboratives. The truth of a share of waits is that among 100 times as many facilities,
followed for three more years, so that hardly a wait is open; the truth of the intensity is the simulator's own; that of
a capped share and of rural against urban is the mean over 100 times as many facilities. The second is of visits drawn
with facilities that differ by more than chance (gamma rates), with and without a tilt towards large facilities.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd

from qieval.analyses.coverage import coverage
from qieval.analyses.equity import SettingRatio, equity
from qieval.analyses.mentoring import mentoring
from qieval.analyses.visit_gaps import visit_gaps
from qieval.methods.equity import Concentration, concentration
from qieval.methods.rates import clustered_rate_ratio, rate_ratio
from qieval.study.parameters import check_parameters
from qieval.study.simulate import DEMO, Design, Mentoring, simulate
from qieval.study.study import Study

Row = tuple[str, float, float, float]  # what, estimate, low, high
_SAME = [Mentoring(mentor_type="network", setting=one, every_months=2, coverage=0.8) for one in ("rural", "urban")]
PLAIN = dataclasses.replace(DEMO, indicators=DEMO.indicators[:1], projects=1)
DESIGNS = {
    "demo, 24 facilities": PLAIN,
    "demo, 12 facilities": dataclasses.replace(PLAIN, facilities=12, hubs=1, never_visited=1),
    "rural and urban alike, 24": dataclasses.replace(PLAIN, mentoring=tuple(_SAME)),
}
_MONTHS_LONGER = 36


def main() -> None:
    """Print both tables in Markdown."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print("| design | figure | true | mean | covers | width | none given |\n|---|---|---:|---:|---:|---:|---:|")
    for name, design in DESIGNS.items():
        held = recovered(design, range(n))
        for figure, row in held.iterrows():
            cells = f"{row.true:.3f} | {row.estimate:.3f} | {row.covers:.1%} | {row.width:.3f} | {1 - row.given:.1%}"
            print(f"| {name} | {figure} | {cells} |", flush=True)
    print("\n| facilities | they vary by | tilt | ratio covers | exact ratio covers | true index | mean | covers |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for size in (10, 12, 24):
        for spread, tilt in ((0.0, 0.0), (0.7, 0.0), (0.7, 0.3)):
            found = differing(size, spread=spread, tilt=tilt, n=5 * n)
            cells = f"{found['ratio']:.1%} | {found['exact']:.1%} | {found['true']:.3f} | {found['mean']:.3f}"
            print(f"| {size} | {spread:.0%} | {tilt} | {cells} | {found['index']:.1%} |", flush=True)


def recovered(design: Design, seeds: range, *, times: int = 100) -> pd.DataFrame:
    """Per figure its true value, mean estimate, share of intervals that hold the truth, mean width, share given."""
    true = truth(design, times)
    rows = []
    for seed in seeds:
        study, simulated = _study(dataclasses.replace(design, seed=seed))
        own = {f"done of planned, {mentors} {setting}": value for mentors, setting, _, _, value in simulated}
        rows += [(*row, own.get(row[0], true.get(row[0], np.nan))) for row in figures(study)]
    found = pd.DataFrame(rows, columns=["figure", "estimate", "low", "high", "true"])
    given = found.dropna()
    by = given.assign(
        covers=given["true"].between(given["low"], given["high"]), width=given["high"] - given["low"]
    ).groupby("figure", sort=False)
    return by[["true", "estimate", "covers", "width"]].mean().assign(given=by.size() / len(seeds))


def truth(design: Design, times: int) -> dict[str, float]:
    """What each figure tends to with so many times the facilities and, for waits, three years longer."""
    many = dataclasses.replace(
        design,
        seed=99,
        facilities=design.facilities * times,
        hubs=design.hubs * times,
        never_visited=design.never_visited * times,
    )
    found = {name: estimate for name, estimate, _, _ in figures(_study(many)[0]) if not name.startswith("waits")}
    found |= {"index by size": 0.0}  # visits are drawn without regard to size
    longer, _ = _study(dataclasses.replace(many, months=design.months + _MONTHS_LONGER))
    gaps = visit_gaps(longer).gaps
    gaps = gaps.loc[gaps["begun_on"] <= pd.Timestamp(design.data_cut)]
    for begun, own in gaps.groupby("begun"):
        for days in (30, 60, 90):
            found[f"waits {begun} over {days} days"] = float((own["days"] > days).mean())
    return found


def figures(study: Study) -> Iterator[Row]:
    """Every figure with an interval that the tables judge."""
    for group in mentoring(study).groups.itertuples():
        yield f"done of planned, {group.mentor_type} {group.setting}", group.ratio, group.low, group.high
    reached = coverage(study).as_planned.iloc[0]
    yield "planned visits covered, average facility", reached["mean"], reached["mean_low"], reached["mean_high"]
    yield "planned visits covered, all", reached["total"], reached["total_low"], reached["total_high"]
    for curve in visit_gaps(study).curves:
        for row in curve.longer.itertuples():
            yield f"waits {curve.begun} over {row.days} days", row.share, row.low, row.high
    shared = equity(study)
    if isinstance(shared.by_setting, SettingRatio):
        yield "rural to urban", shared.by_setting.ratio, shared.by_setting.low, shared.by_setting.high
    if isinstance(shared.by_size, Concentration):
        yield "index by size", shared.by_size.index, shared.by_size.low, shared.by_size.high


def _study(design: Design) -> tuple[Study, list[tuple[str, str, int, float, float]]]:
    simulated = simulate(design)
    values = {"collaborative": "simulated", "title": "Simulated", "data": "-", "data_cut": str(design.data_cut)}
    study = Study(parameters=check_parameters(values), tables=simulated.tables)
    return study, list(simulated.truth.coverage.itertuples(index=False, name=None))


def differing(size: int, *, spread: float, tilt: float, n: int) -> dict[str, float]:
    """Visits to facilities whose rates vary by `spread` about what their size to the power `tilt` gives them.

    Half of the facilities are the first group of a ratio that is truly 1.
    """
    rng = np.random.default_rng(7)
    large = [_drawn(rng, 20_000, spread, tilt) for _ in range(3)]
    # Twice the area between curve and diagonal, which needs no interval here.
    true = float(np.mean([_plain_index(*one) for one in large]))
    held: list[tuple[bool, bool, bool, float]] = []
    for _ in range(n):
        visits, months, people = _drawn(rng, size, spread, tilt)
        first = rng.permutation(size) < size // 2
        if min((visits[first] > 0).sum(), (visits[~first] > 0).sum()) < 2:
            continue
        found = concentration(visits, months, people, resamples=2)
        _, low, high = clustered_rate_ratio(visits, months, first)
        sums = (visits[first].sum(), months[first].sum(), visits[~first].sum(), months[~first].sum())
        _, exact_low, exact_high = rate_ratio(*sums)
        held.append((low <= 1 <= high, exact_low <= 1 <= exact_high, found.low <= true <= found.high, found.index))
    ratio, exact, index, mean = np.mean(held, axis=0)
    return {"ratio": ratio, "exact": exact, "true": true, "mean": mean, "index": index}


def _drawn(rng: np.random.Generator, n: int, spread: float, tilt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Visits, months followed and people served."""
    people, months = np.exp(rng.normal(0, 1, n)), rng.choice([18.0, 21.0, 24.0], n)
    own = rng.gamma(spread**-2, spread**2, n) if spread else np.ones(n)
    return rng.poisson(0.4 * months * own * people**tilt), months, people


def _plain_index(visits: np.ndarray, months: np.ndarray, people: np.ndarray) -> float:
    order = np.argsort(people)
    x = np.append(0, np.cumsum(months[order])) / months.sum()
    y = np.append(0, np.cumsum(visits[order])) / visits.sum()
    return float(1 - 2 * np.trapezoid(y, x))


if __name__ == "__main__":
    main()
