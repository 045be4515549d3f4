"""Rules that tell a signal from chance, for many series at once.

A test looks at `Points` and marks those that signal; a rule set is a list of tests under the name the field knows.
Missing and excluded points are left out before, so that they neither make nor break anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np

from qieval.errors import ParameterError
from qieval.methods.runs import anhoej_limits, runs_of_sides, tied_limits
from qieval.methods.spc.boxes import LARGEST, SMALLEST, box

UNKNOWN = 100  # the zone of a point without limits


@dataclass(frozen=True, eq=False, kw_only=True)
class Points:
    """Series with the same number of known points, time first: (points, series)."""

    side: np.ndarray  # -1 below, 0 on, +1 above the centre line
    step: np.ndarray  # sign of the difference from the point before; 0 for the first
    zone: np.ndarray | None  # so many whole sigmas from the middle, signed, at most 3, or UNKNOWN; None: a run chart


def outside(points: Points) -> np.ndarray:
    """Beyond the limits, which lie at three sigma."""
    assert points.zone is not None
    return np.abs(points.zone) == 3


def shift(points: Points, *, length: int, line_breaks: bool) -> np.ndarray:
    """So many in a row on one side of the centre line.

    Where points on the line do not break the run they do not count in it either.
    """
    if line_breaks:
        return _in_a_row(points.side == 1, length) | _in_a_row(points.side == -1, length)
    return long_runs(points.side, length - 1)


def trend(points: Points, *, length: int, ties_break: bool) -> np.ndarray:
    """So many points in a row each above, or each below, the one before it."""
    if not ties_break:  # a point equal to the one before it neither makes nor breaks the trend
        return _and_the_point_before(long_runs(points.step, length - 2))
    up = _in_a_row(points.step == 1, length - 1)
    down = _in_a_row(points.step == -1, length - 1)
    return _and_the_point_before(up) | _and_the_point_before(down)


def some_of(points: Points, *, some: int, of: int, beyond: int) -> np.ndarray:
    """So many of so many neighbours beyond so many sigmas, on the same side."""
    assert points.zone is not None
    above = (points.zone >= beyond) & (points.zone != UNKNOWN)
    return _some_of(above, some, of) | _some_of(points.zone <= -beyond, some, of)


def two_of_three_close(points: Points) -> np.ndarray:
    """Two of three neighbours on the same side between two sigma and the limit, as Making Data Count has it."""
    assert points.zone is not None
    return _some_of(points.zone == 2, 2, 3) | _some_of(points.zone == -2, 2, 3)


def alternating(points: Points, *, length: int) -> np.ndarray:
    """So many points in a row that go up and down by turns."""
    turns = np.zeros(points.step.shape, dtype=bool)
    turns[1:] = points.step[1:] * points.step[:-1] == -1
    found = _in_a_row(turns, length - 2)
    return _and_the_point_before(_and_the_point_before(found))


def near_the_middle(points: Points, *, length: int) -> np.ndarray:
    """So many in a row within one sigma: the limits are too wide, or the data were mixed."""
    assert points.zone is not None
    return _in_a_row(points.zone == 0, length)


def far_from_the_middle(points: Points, *, length: int) -> np.ndarray:
    """So many in a row beyond one sigma, on either side: two processes in one chart."""
    assert points.zone is not None
    return _in_a_row((points.zone != 0) & (points.zone != UNKNOWN), length)


Test = Callable[[Points], np.ndarray]

# The names that flagged points carry.
TESTS: dict[str, Test] = {
    "outside": outside,
    "shift of 6": partial(shift, length=6, line_breaks=False),
    "shift of 7": partial(shift, length=7, line_breaks=True),
    "shift of 8": partial(shift, length=8, line_breaks=True),
    "shift of 9": partial(shift, length=9, line_breaks=True),
    "trend of 5": partial(trend, length=5, ties_break=False),
    "trend of 6": partial(trend, length=6, ties_break=True),
    "trend of 7": partial(trend, length=7, ties_break=True),
    "2 of 3 near a limit": two_of_three_close,
    "2 of 3 beyond 2 sigma": partial(some_of, some=2, of=3, beyond=2),
    "4 of 5 beyond 1 sigma": partial(some_of, some=4, of=5, beyond=1),
    "14 alternating": partial(alternating, length=14),
    "15 within 1 sigma": partial(near_the_middle, length=15),
    "8 beyond 1 sigma": partial(far_from_the_middle, length=8),
}
NEEDS_LIMITS = {
    "outside", "2 of 3 near a limit", "2 of 3 beyond 2 sigma", "4 of 5 beyond 1 sigma", "15 within 1 sigma",
    "8 beyond 1 sigma",
}  # fmt: skip
LONG_RUN = "long run"  # points of a run longer than the Anhoej limit; a box signals by the pair, not by a point
RUNS_RULES = ("anhoej", "anhoej_baseline", "best_box", "cut_box")

RULE_SETS: dict[str, tuple[str, ...]] = {
    # Anhoej and Olesen, PLoS ONE 2014;9:e113825, and the boxes of PLoS ONE 2020;15:e0233920: see `runs_signal`.
    "anhoej": (LONG_RUN,),
    "anhoej_baseline": (LONG_RUN,),  # ours, see `runs.tied_limits`
    "best_box": (LONG_RUN,),
    "cut_box": (LONG_RUN,),
    # Shewhart's own.
    "outside": ("outside",),
    # Perla, Provost, Murray, BMJ Qual Saf 2011;20:46. The number of runs is in `.series`; the "astronomical point"
    # is a judgement by eye and left to the eye.
    "ihi": ("shift of 6", "trend of 5"),
    # NHS England, Making Data Count, as NHSRplotthedots 0.2.2 has it; and with the run lengths of its older guides.
    "mdc": ("outside", "shift of 7", "trend of 7", "2 of 3 near a limit"),
    "mdc_8_6": ("outside", "shift of 8", "trend of 6", "2 of 3 near a limit"),
    # Western Electric, Statistical Quality Control Handbook, 1956.
    "western_electric": ("outside", "2 of 3 beyond 2 sigma", "4 of 5 beyond 1 sigma", "shift of 8"),
    # Nelson LS, J Qual Technol 1984;16:237.
    "nelson": (
        "outside", "shift of 9", "trend of 6", "14 alternating", "2 of 3 beyond 2 sigma", "4 of 5 beyond 1 sigma",
        "15 within 1 sigma", "8 beyond 1 sigma",
    ),
}  # fmt: skip


def chosen(rules: str | Sequence[str], *, has_limits: bool) -> tuple[str, ...]:
    """The names of the rule sets asked for, checked.

    Raises
    ------
    ParameterError
        If a name is unknown, or a rule asks for limits that the chart does not have.
    """
    names = (rules,) if isinstance(rules, str) or not isinstance(rules, Iterable) else tuple(rules)
    unknown = [name for name in names if name not in RULE_SETS]
    if unknown or not names:
        raise ParameterError(f"rules: {', '.join(map(repr, unknown)) or 'none'} is not among {', '.join(RULE_SETS)}.")
    several = [name for name in names if name in RUNS_RULES]
    if len(several) > 1:
        raise ParameterError(f"rules: {' and '.join(several)} judge the same runs in different ways; choose one.")
    needing = [name for name in names if set(RULE_SETS[name]) & NEEDS_LIMITS]
    if needing and not has_limits:
        raise ParameterError(
            f"rules: {', '.join(needing)} need control limits, which a run chart does not have. Choose anhoej or ihi, "
            "or a control chart."
        )
    return names


def tests_of(names: Sequence[str]) -> list[str]:
    """The tests of these rule sets, each once."""
    return list(dict.fromkeys(test for name in names for test in RULE_SETS[name]))


def long_runs(side: np.ndarray, limit: np.ndarray | int, longest: np.ndarray | None = None) -> np.ndarray:
    """The points of runs longer than the limit of their series, (points, series).

    `longest`, the longest run of each series, spares counting it again.
    """
    marked = np.zeros(side.shape, dtype=bool)
    longest = runs_of_sides(side)[0] if longest is None else longest
    concerned = np.flatnonzero(longest > limit)
    if not len(concerned):
        return marked
    side = side[:, concerned]
    limit = np.broadcast_to(limit, marked.shape[1:])[concerned]
    # The number of every run, then the size of the run that each point belongs to.
    useful = side != 0
    last = np.zeros(len(concerned), dtype=side.dtype)
    number = np.zeros(side.shape, dtype=np.int64)
    runs_so_far = np.zeros(len(concerned), dtype=np.int64)
    for point in range(len(side)):
        runs_so_far += useful[point] & (side[point] != last)
        last = np.where(useful[point], side[point], last)
        number[point] = runs_so_far
    number += np.arange(len(concerned)) * (len(side) + 1)
    sizes = np.bincount(number[useful], minlength=(len(side) + 1) * len(concerned))
    marked[:, concerned] = useful & (sizes[number] > limit)
    return marked


@dataclass(frozen=True, eq=False, kw_only=True)
class RunsFound:
    """Longest run and crossings of each series, with what chance explains, (series,)."""

    n_useful: np.ndarray
    longest_run: np.ndarray
    longest_run_limit: np.ndarray
    crossings: np.ndarray
    crossings_limit: np.ndarray
    runs_signal: np.ndarray


def runs_of(side: np.ndarray, rule: str) -> RunsFound:
    """Longest runs and crossings of many series, (points, series), judged by the Anhoej limits or a box.

    The boxes are defined for 10 to 100 useful points; beyond these the Anhoej limits judge.
    """
    n_useful = np.count_nonzero(side, axis=0)
    longest, crossings, _ = runs_of_sides(side)
    sizes, where = np.unique(n_useful, return_inverse=True)
    limits = np.array([_limits_for(int(n), rule) for n in sizes]).reshape(-1, 2)[where]
    signal = (longest > limits[:, 0]) | (crossings < limits[:, 1])
    if rule == "cut_box":
        for n in sizes[(sizes >= SMALLEST) & (sizes <= LARGEST)]:
            own = n_useful == n
            signal[own] = box(int(n)).signals(crossings[own], longest[own], is_cut=True)
    return RunsFound(
        n_useful=n_useful,
        longest_run=longest,
        longest_run_limit=limits[:, 0],
        crossings=crossings,
        crossings_limit=limits[:, 1],
        runs_signal=signal,
    )


def runs_about_a_baseline(shown: np.ndarray, side: np.ndarray, base: np.ndarray) -> RunsFound:
    """As `runs_of`, with limits made for a median of the first points only (`runs.tied_limits`).

    Parameters
    ----------
    shown, base : array (series, points)
        Values, and which of them the centre line comes from.
    side : array (points, series)

    Raises
    ------
    ParameterError
        If a baseline does not come first in its series.
    """
    n_base = base.sum(axis=1)
    if not (base[:, :-1] >= base[:, 1:]).all():
        raise ParameterError(
            "rules: anhoej_baseline needs the baseline at the beginning of each series. Exclude the periods before it."
        )
    found = runs_of(side, "anhoej")
    limits = np.stack([found.longest_run_limit, found.crossings_limit], axis=1)
    unbroken = runs_of_sides(side)[2]
    for row in np.flatnonzero((n_base > 0) & (n_base < base.shape[1])):
        limits[row] = tied_limits(shown[row], int(n_base[row]), unbroken_run=int(unbroken[row]))
    return replace(
        found,
        longest_run_limit=limits[:, 0],
        crossings_limit=limits[:, 1],
        runs_signal=(found.longest_run > limits[:, 0]) | (found.crossings < limits[:, 1]),
    )


def _limits_for(n_useful: int, rule: str) -> tuple[int, int]:
    if rule in ("best_box", "cut_box") and SMALLEST <= n_useful <= LARGEST:
        return box(n_useful).longest, box(n_useful).fewest
    return anhoej_limits(n_useful)


def number_of_runs(side: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether there are too few, and too many, runs for the points above and below, each at 2.5%, (series,).

    References
    ----------
    .. [1] Swed FS, Eisenhart C. Tables for testing randomness of grouping in a sequence of alternatives. Ann Math
       Stat 1943;14:66.
    """
    above, below = (side == 1).sum(axis=0), (side == -1).sum(axis=0)
    runs = runs_of_sides(side)[1] + 1
    pairs, where = np.unique(np.stack([above, below], axis=1), axis=0, return_inverse=True)
    limits = np.array([_runs_expected(int(a), int(b)) for a, b in pairs]).reshape(-1, 2)[where.reshape(-1)]
    return runs < limits[:, 0], runs > limits[:, 1]


@lru_cache(maxsize=4096)
def _runs_expected(above: int, below: int) -> tuple[int, int]:
    """The fewest and the most runs that are not significant at 2.5% each."""
    from math import comb

    if min(above, below) == 0:
        return 0, above + below
    ways = {}
    for runs in range(2, above + below + 1):
        half = runs // 2
        if runs % 2 == 0:
            ways[runs] = 2 * comb(above - 1, half - 1) * comb(below - 1, half - 1)
        else:
            ways[runs] = comb(above - 1, half) * comb(below - 1, half - 1) + comb(above - 1, half - 1) * comb(
                below - 1, half
            )
    total = comb(above + below, above)
    fewest, most, tail = 2, above + below, 0
    for runs in sorted(ways):
        tail += ways[runs]
        if tail > 0.025 * total:
            fewest = runs
            break
    tail = 0
    for runs in sorted(ways, reverse=True):
        tail += ways[runs]
        if tail > 0.025 * total:
            most = runs
            break
    return fewest, most


def _some_of(flag: np.ndarray, some: int, of: int) -> np.ndarray:
    """The flagged points that lie in a window of `of` neighbours of which `some` are flagged."""
    n = len(flag)
    padded = np.zeros((n + of, flag.shape[1]), dtype=np.int16)
    padded[of:] = flag.cumsum(axis=0)
    enough = padded[of:] - padded[:n] >= some  # in the window that ends here
    found = enough.copy()
    for back in range(1, min(of, n)):
        found[:-back] |= enough[back:]
    return found & flag


def _in_a_row(flag: np.ndarray, length: int) -> np.ndarray:
    return _some_of(flag, length, length)


def _and_the_point_before(found: np.ndarray) -> np.ndarray:
    wider = found.copy()
    wider[:-1] |= found[1:]
    return wider
