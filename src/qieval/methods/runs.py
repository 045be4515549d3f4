"""Runs analysis of a run chart: is the variation around the centre line more than chance?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

FEWEST_USEFUL = 10  # below this the rules can hardly signal, whatever happened
REPLICATES = 4_000  # random orders behind limits about the median of a baseline


@dataclass(frozen=True, kw_only=True)
class Runs:
    """The two runs rules on one series: a run that is too long, or too few crossings."""

    n_useful: int  # points that are neither missing nor exactly on the centre line
    longest_run: int
    longest_run_limit: int  # a longer run signals
    crossings: int
    crossings_limit: int  # fewer crossings signal
    signal: bool | None  # None: fewer than ten useful points, so the rules are not applied


def runs(values: ArrayLike, centre: float, *, baseline: int | None = None) -> Runs:
    """Longest run and number of crossings of the centre line, with their limits.

    Parameters
    ----------
    values : array of float, in time order
        Missing values and values exactly on the centre line neither make nor break a run.
    centre : float
        The centre line: the median of all values, or of the baseline.
    baseline : int, optional
        How many of the first values the centre line is the median of. Default: all, with the Anhoej limits.
        With a baseline the limits are those of `frozen_limits`, or of `tied_limits` where values are equal.

    References
    ----------
    .. [1] Anhoej J, Olesen AV. Run charts revisited: a simulation study of run chart rules for detection
       of non-random variation in health care processes. PLoS ONE 2014;9(11):e113825.
    """
    values = np.asarray(values, dtype=float)
    known = values[np.isfinite(values - centre)]
    side = np.sign(known - centre)
    n_useful = int((side != 0).sum())
    longest, crossings, unbroken = runs_of_sides(side[:, np.newaxis])
    if baseline is None or baseline >= len(known):
        longest_limit, crossings_limit = anhoej_limits(n_useful)
    else:
        longest_limit, crossings_limit = tied_limits(known, baseline, unbroken_run=int(unbroken[0]))
    signal = bool(longest[0] > longest_limit or crossings[0] < crossings_limit) if n_useful >= FEWEST_USEFUL else None
    return Runs(
        n_useful=n_useful,
        longest_run=int(longest[0]),
        longest_run_limit=longest_limit,
        crossings=int(crossings[0]),
        crossings_limit=crossings_limit,
        signal=signal,
    )


@lru_cache(maxsize=512)
def anhoej_limits(n_useful: int) -> tuple[int, int]:
    """The longest run and the fewest crossings that chance explains around the median of all points.

    Longest run: log2(n) + 3, rounded; crossings: the lower 5% quantile of a binomial distribution with
    n - 1 trials and probability one half [1]_.
    """
    from scipy.stats import binom

    if n_useful == 0:
        return 0, 0
    return round(np.log2(n_useful)) + 3, max(int(binom.ppf(0.05, n_useful - 1, 0.5)), 0)


@lru_cache(maxsize=512)
def frozen_limits(n_points: int, baseline: int) -> tuple[int, int]:
    """The longest run and the fewest crossings that chance explains around the median of the first points.

    The Anhoej limits are made for the median of all points. A median of few points is itself uncertain, so
    that a series in which nothing changed signals far too often (`false_signal_rate`: 18% of the time with 9
    baseline months of 36). These limits are found by simulation with a fixed seed such that each of the two
    rules signals at most 2.5% of the time. For values that all differ they do not depend on the distribution,
    only on the order; where some are equal, see `tied_limits`. Independent values are assumed.
    """
    longest, crossings, _ = _in_random_order(np.arange(n_points), baseline)
    return _longest_by_chance(longest), _fewest_by_chance(crossings)


def tied_limits(values: ArrayLike, baseline: int, *, unbroken_run: int = 0) -> tuple[int, int]:
    """The limits of `frozen_limits` for values of which some may be equal, by drawing their order at random.

    Small counts tie: in a facility with ten births a month few different percentages are possible, many lie
    on the median and fewer on one side of it than on the other. Limits for values that all differ would then
    signal in a third of the series in which nothing changed. But months on the line are passed over by the
    rules, so a practice that went from never to often looks like one that happens now and then. What tells
    them apart is the run that months on the line do break: if it is longer than in random order, those
    limits hold after all.

    Parameters
    ----------
    values : array of float, none missing
        The series itself: had nothing changed, its values could as well have come in any other order.
    baseline : int
        How many of the first values the centre line is the median of.
    unbroken_run : int
        The longest run seen, where points on the line break it.

    References
    ----------
    .. [1] Good P. Permutation, Parametric and Bootstrap Tests of Hypotheses, 3rd ed., 2005, sec. 3.2.
    """
    values = np.asarray(values, dtype=float)
    if len(np.unique(values)) == len(values):
        return frozen_limits(len(values), baseline)
    longest, crossings, unbroken = _in_random_order(values, baseline)
    if unbroken_run > _longest_by_chance(unbroken):
        return frozen_limits(len(values), baseline)
    return _longest_by_chance(longest), _fewest_by_chance(crossings)


def false_signal_rate(n_points: int, baseline: int) -> float:
    """How often the Anhoej limits signal on a series in which nothing changed, by simulation.

    The centre line is the median of the first `baseline` of `n_points` independent values.
    """
    longest, crossings, _ = _in_random_order(np.arange(n_points), baseline)
    # With an odd baseline one point lies on its median.
    longest_limit, crossings_limit = anhoej_limits(n_points - baseline % 2)
    return float(np.mean((longest > longest_limit) | (crossings < crossings_limit)))


def chance_of_run(probabilities: ArrayLike, length: int) -> float:
    """The probability of at least one run of `length` successes in a row in independent trials.

    `probabilities` holds the chance of success of each trial, in order. Followed exactly: the state is how many
    successes in a row the last trials were.
    """
    in_a_row = np.zeros(length)
    in_a_row[0] = 1.0  # none so far
    reached = 0.0
    for chance in np.asarray(probabilities, dtype=float):
        reached += in_a_row[-1] * chance
        in_a_row = np.append((1 - chance) * in_a_row.sum(), chance * in_a_row[:-1])
    return float(reached)


def _longest_by_chance(longest: np.ndarray) -> int:
    """The longest run that at most 2.5% of series exceed."""
    return int(np.quantile(longest, 0.975, method="higher"))


def _fewest_by_chance(crossings: np.ndarray) -> int:
    """The number of crossings that at most 2.5% of series stay below."""
    return int(np.quantile(crossings, 0.025, method="lower"))


def _in_random_order(values: ArrayLike, baseline: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`runs_of_sides` of the values in many random orders, about the median of the first of each."""
    values = np.sort(np.asarray(values, dtype=float))
    rows = values[_random_orders(len(values))]
    return runs_of_sides(np.sign(rows - np.median(rows[:, :baseline], axis=1, keepdims=True)).T)


@lru_cache(maxsize=64)
def _random_orders(n_points: int) -> np.ndarray:
    """Many random orders of so many points, a row each; always the same ones."""
    in_order = np.tile(np.arange(n_points, dtype=np.int16), (REPLICATES, 1))
    return np.random.default_rng(20141121).permuted(in_order, axis=1)


def runs_of_sides(sides: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Longest run, crossings and longest unbroken run of many series.

    Parameters
    ----------
    sides : array (points, series) of -1, 0 and +1
        Points in time order. A 0 lies on the line: it neither makes nor breaks a run, except an unbroken one.
    """
    # Whole numbers as small as the series allow, and no new arrays: a million series pass through here.
    kind: Any = np.int8 if len(sides) < 127 else np.int16
    last, length, longest, starts, stretch, unbroken = (np.zeros(sides.shape[1], dtype=kind) for _ in range(6))
    is_useful, goes_on = (np.empty(sides.shape[1], dtype=bool) for _ in range(2))
    for side in np.ascontiguousarray(sides, dtype=kind):
        np.not_equal(side, 0, out=is_useful)
        np.equal(side, last, out=goes_on)
        stretch *= goes_on
        stretch += is_useful
        stretch *= is_useful
        begins = is_useful > goes_on
        starts += begins
        length *= ~begins
        length += is_useful
        last *= ~begins
        last += side * begins
        np.maximum(longest, length, out=longest)
        np.maximum(unbroken, stretch, out=unbroken)
    crossings = np.maximum(starts, 1) - 1
    return longest.astype(np.int16), crossings.astype(np.int16), unbroken.astype(np.int16)
