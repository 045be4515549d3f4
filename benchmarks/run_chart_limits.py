"""How often run-chart limits signal on series in which nothing changed: prints the tables of docs/methods.md.

    .venv/bin/python benchmarks/run_chart_limits.py

The rates of `qieval.methods.runs.false_signal_rate` stand beside a simulation that shares nothing with it: another
generator, normal values instead of orders, and runs counted one by one.
"""

from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np

from qieval.methods.runs import anhoej_limits, false_signal_rate, frozen_limits, runs

MONTHS = (12, 24, 36, 60)
BASELINES = (6, 9, 12)
SERIES = 10_000
SERIES_OF_COUNTS = 1_000  # limits for equal values are found anew for each series, which takes its time


def main() -> None:
    """Print both tables in Markdown."""
    random = np.random.Generator(np.random.MT19937(7))
    print("| months | baseline | Anhoej limits | simulated apart | our limits: run, crossings | simulated apart |")
    print("|---:|---:|---:|---:|---:|---:|")
    for n_points in MONTHS:
        for baseline in BASELINES:
            if baseline < n_points:
                print(row(random, n_points, baseline))
    print()
    print("| people a month | level | months | baseline | limits as if all values differed | limits for ties |")
    print("|---:|---:|---:|---:|---:|---:|")
    for people, level in ((10, 0.9), (10, 0.5), (40, 0.9)):
        print(row_of_counts(random, people, level, n_points=36, baseline=9))


def row(random: np.random.Generator, n_points: int, baseline: int) -> str:
    """One length and baseline: the rates of the Anhoej limits, then ours and their rate."""
    seen = [run_and_crossings(values, baseline) for values in random.normal(size=(SERIES, n_points))]
    usual = anhoej_limits(n_points - baseline % 2)
    frozen = frozen_limits(n_points, baseline)
    return (
        f"| {n_points} | {baseline} | {100 * false_signal_rate(n_points, baseline):.1f}% | {signals(seen, usual)} | "
        f"{frozen[0]}, {frozen[1]} | {signals(seen, frozen)} |"
    )


def row_of_counts(random: np.random.Generator, people: int, level: float, *, n_points: int, baseline: int) -> str:
    """Percentages of few people: how often either kind of limits signals."""
    counts = random.binomial(people, level, size=(SERIES_OF_COUNTS, n_points))
    differing = frozen_limits(n_points, baseline)
    seen = [run_and_crossings(values, baseline) for values in counts]
    found = [runs(values, float(np.median(values[:baseline])), baseline=baseline).signal for values in counts]
    return (
        f"| {people} | {100 * level:.0f}% | {n_points} | {baseline} | {signals(seen, differing)} | "
        f"{100 * np.mean([signal is True for signal in found]):.1f}% |"
    )


def run_and_crossings(values: np.ndarray, baseline: int) -> tuple[int, int]:
    """Longest run and crossings about the median of the first values, counted one by one."""
    centre = float(np.median(values[:baseline]))
    above = [value > centre for value in values if value != centre]
    longest = max((len(list(run)) for _, run in groupby(above)), default=0)
    return longest, sum(one != other for one, other in pairwise(above))


def signals(seen: list[tuple[int, int]], limits: tuple[int, int]) -> str:
    """The share of series beyond either limit."""
    return f"{100 * np.mean([run > limits[0] or crossings < limits[1] for run, crossings in seen]):.1f}%"


if __name__ == "__main__":
    main()
