"""How often the 95% interval of a level change holds the truth: prints the tables of docs/methods.md.

    .venv/bin/python benchmarks/its_coverage.py [series]

Nothing changes in the simulated series. In the first table, by engine, the start is in the middle and the design has
both slopes; the second shows the averaged interval in series so short that only the levels are estimated, and with
seasons. In brackets the mean width, in standard deviations of a month.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.stats import t

from qieval.methods.its import ar1
from qieval.methods.its.planning import simulate

MONTHS = (12, 24, 48)
PHIS = (0.0, 0.3, 0.6)
LEVEL_CHANGE = np.array([[0.0, 0.0, 0.0, 1.0]])
OTHER_DESIGNS = (
    (3, 3, "levels"),
    (4, 4, "levels"),
    (4, 12, "levels"),
    (5, 6, "levels"),
    (12, 12, "slopes and seasons"),
    (18, 18, "slopes and seasons"),
)
FINE = np.tanh(np.linspace(-np.arctanh(ar1.PHI_BOUND), np.arctanh(ar1.PHI_BOUND), 241))


def main() -> None:
    """Print both tables in Markdown."""
    series = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    random = np.random.Generator(np.random.MT19937(3))
    print("| months | phi | OLS | Newey-West | REML | averaged |")
    print("|---:|---:|---:|---:|---:|---:|")
    for n in MONTHS:
        for phi in PHIS:
            limits = intervals(simulate(series, n, phi, random))
            cells = [f"{np.mean((low < 0) & (high > 0)):.3f} ({np.mean(high - low):.2f})" for low, high in limits]
            print(f"| {n} | {phi} | {' | '.join(cells)} |", flush=True)
    print()
    print(f"| months before, after | terms | {' | '.join(f'phi {phi}' for phi in PHIS)} |")
    print("|---|---|---:|---:|---:|")
    for n_before, n_after, terms in OTHER_DESIGNS:
        columns = design_of(n_before, n_after, terms)
        found = [averaged(columns, simulate(series, len(columns), phi, random)) for phi in PHIS]
        cells = [f"{np.mean((low < 0) & (high > 0)):.3f} ({np.mean(high - low):.2f})" for low, high in found]
        print(f"| {n_before}, {n_after} | {terms} | {' | '.join(cells)} |", flush=True)


def design_of(n_before: int, n_after: int, terms: str) -> np.ndarray:
    """The design with the level change as its last column."""
    times = np.arange(n_before + n_after)
    after = (times >= n_before).astype(float)
    columns = [np.ones(len(times))]
    if terms != "levels":
        columns += [times.astype(float), after * (times - n_before)]
    if terms == "slopes and seasons":
        columns += [wave(2 * np.pi * k * times / 12) for k in (1, 2) for wave in (np.sin, np.cos)]
    return np.column_stack([*columns, after])


def averaged(design: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limits (series,) of the last term by the averaged engine."""
    mixture, _ = ar1.average(design, values, ar1.distances(np.arange(len(design))))
    parts = mixture.weights, *mixture.along(np.eye(design.shape[1])[-1:]), mixture.df
    return ar1.quantile(0.025, *parts)[:, 0], ar1.quantile(0.975, *parts)[:, 0]


def intervals(values: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Lower and upper limits (series,) of each engine, in the order of the table."""
    n = values.shape[1]
    design = design_of(n // 2, n // 2, "slopes")
    steps = ar1.distances(np.arange(n))
    plain, _ = ar1.profile(design, values, steps, np.zeros(1))
    centre, error = (found[:, 0, 0] for found in plain.along(LEVEL_CHANGE))
    half = t.ppf(0.975, n - 4)
    robust = newey_west_errors(design, values)
    # The best phi among 241, without the refinement of the single fit: it moves no limit by a thousandth.
    fits, likelihood = ar1.profile(design, values, steps, FINE)
    best = np.argmax(likelihood, axis=1)
    centres, errors = (found[np.arange(len(values)), best, 0] for found in fits.along(LEVEL_CHANGE))
    return [
        (centre - half * error, centre + half * error),
        (centre - half * robust, centre + half * robust),
        (centres - half * errors, centres + half * errors),
        averaged(design, values),
    ]


def newey_west_errors(design: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The Newey-West standard error with one lag and n / (n - p), of the level change in every series."""
    n, p = design.shape
    weights = LEVEL_CHANGE[0] @ np.linalg.inv(design.T @ design) @ design.T  # of each value in the level change
    scores = weights * (values - values @ np.linalg.pinv(design).T @ design.T)
    variance = (scores**2).sum(axis=1) + (scores[:, 1:] * scores[:, :-1]).sum(axis=1)  # Bartlett: 2 * (1 - 1/2)
    return np.sqrt(np.maximum(variance, 0) * n / (n - p))


if __name__ == "__main__":
    main()
