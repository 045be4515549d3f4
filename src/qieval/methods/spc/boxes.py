"""Runs rules by their exact joint distribution: the best box, and the same with its corner cut off."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SPECIFICITY = 0.925  # a chart in which nothing changed stays within the box at least so often
SHIFT = 0.8  # the box is chosen to miss a shift of so many standard deviations least often
SMALLEST, LARGEST = 10, 100  # useful points for which the boxes are defined [1]_; beyond, the Anhoej limits hold


@dataclass(frozen=True, kw_only=True)
class Box:
    """Within it: at least `fewest` crossings and no run above `longest`, but for what was cut off its edges."""

    fewest: int
    longest: int
    cut_to: int  # with the longest run allowed, this many crossings signal as well ...
    cut_from: int  # ... and with the fewest crossings allowed, runs of this length and longer

    def signals(self, crossings: np.ndarray, longest: np.ndarray, *, is_cut: bool) -> np.ndarray:
        """Whether a pair of crossings and longest run lies outside the box."""
        outside = (crossings < self.fewest) | (longest > self.longest)
        if is_cut:
            outside |= (longest == self.longest) & (crossings <= self.cut_to)
            outside |= (crossings == self.fewest) & (longest >= self.cut_from)
        return outside


@lru_cache(maxsize=128)
def box(n_useful: int) -> Box:
    """The best box for so many useful points, and what may be cut off it.

    Of all boxes that a series without change stays in at least 92.5% of the time it is the one that a shift of
    0.8 standard deviations leaves most often. Its corner, and then its two edges from the corner on, are cut
    off as far as the 92.5% allow, each time where a shift lies more probably.

    References
    ----------
    .. [1] Anhoej J, Wentzel-Larsen T. Smooth operator: modifying the Anhoej rules to improve runs analysis in
       statistical process control. PLoS ONE 2020;15(6):e0233920.
    """
    from scipy.stats import norm

    unchanged = joint_distribution(n_useful, 0.5)
    shifted = joint_distribution(n_useful, float(norm.cdf(SHIFT)))
    inside, inside_shifted = _box_probabilities(unchanged), _box_probabilities(shifted)
    allowed = (unchanged > 0) & (inside >= SPECIFICITY)
    fewest, longest = np.unravel_index(np.argmin(np.where(allowed, inside_shifted, np.inf)), allowed.shape)
    cut_to, cut_from = _cut(unchanged, shifted, int(fewest), int(longest), float(inside[fewest, longest]))
    return Box(fewest=int(fewest), longest=int(longest), cut_to=cut_to, cut_from=cut_from)


def joint_distribution(n: int, p: float) -> np.ndarray:
    """P(crossings = c, longest run = l) of `n` independent points above the line with probability `p`.

    A series with c crossings is c + 1 runs, by turns above and below: it is counted by the ways to make up the
    points above, and those below, of that many parts none of which is longer than l.

    Returns
    -------
    array (n, n + 1), by crossings from 0 and longest run from 0
    """
    at_most = np.zeros((n, n + 1))
    above = p ** np.arange(n + 1)
    below = (1 - p) ** np.arange(n + 1)
    for longest in range(1, n + 1):
        ways = _compositions(n, n // 2 + 1, longest)
        for crossings in range(n):
            more, fewer = ways[(crossings + 2) // 2], ways[(crossings + 1) // 2]  # runs of the first side, the other
            from_above = (more * above) @ (fewer * below)[::-1]
            at_most[crossings, longest] = from_above + (more * below) @ (fewer * above)[::-1]
    joint = np.diff(at_most, axis=1, prepend=0.0)
    return np.where(joint > 1e-15, joint, 0.0)  # rounding is not a probability


def _compositions(total: int, parts: int, longest: int) -> np.ndarray:
    """In how many ways so many parts of at most `longest` make up each number up to `total`: (parts + 1, total + 1)."""
    ways = np.zeros((parts + 1, total + 1))
    ways[0, 0] = 1
    for part in range(1, parts + 1):
        summed = np.cumsum(ways[part - 1])
        ways[part, 1:] = summed[:-1]
        ways[part, longest + 1 :] -= summed[: total - longest]
    return ways


def _box_probabilities(joint: np.ndarray) -> np.ndarray:
    """P(crossings >= c and longest run <= l)."""
    return joint[::-1].cumsum(axis=0)[::-1].cumsum(axis=1)


def _cut(unchanged: np.ndarray, shifted: np.ndarray, fewest: int, longest: int, probability: float) -> tuple[int, int]:
    """How far the edges may be cut: up to which crossings, and from which run on. (-1, longest + 1): not at all."""
    probability -= unchanged[fewest, longest]
    if probability < SPECIFICITY:
        return -1, longest + 1
    crossings, run = fewest + 1, longest - 1  # the next to go on either edge
    while True:
        at_edge = unchanged[crossings, longest] if crossings < len(unchanged) else 0.0
        at_foot = unchanged[fewest, run] if run > 0 else 0.0
        can_edge = at_edge > 0 and probability - at_edge >= SPECIFICITY
        can_foot = at_foot > 0 and probability - at_foot >= SPECIFICITY
        if not (can_edge or can_foot):
            return crossings - 1, run + 1
        if can_edge and (not can_foot or shifted[crossings, longest] >= shifted[fewest, run]):
            probability -= at_edge
            crossings += 1
        else:
            probability -= at_foot
            run -= 1
