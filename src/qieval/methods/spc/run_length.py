"""How long EWMA and CUSUM go until they warn: on average, where the level is known, and in many drawn series."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

from qieval.errors import ParameterError, bulleted

STATES = 301  # steps of the range of the statistic; more change no run length by more than 0.1%


def cusum_run_length(shift: float = 1.0, decision: float = 5.0, *, moved: float = 0.0) -> float:
    """Periods, on average, until the sum on one side of a `cusum` signals; normal values, level and sigma known.

    Parameters
    ----------
    shift, decision : float
        As in `cusum`.
    moved : float
        How far the level truly moved towards that side, in sigmas. At 0 the answer tells how rare a false alarm is.

    References
    ----------
    .. [1] Brook D, Evans DA. An approach to the probability distribution of cusum run length. Biometrika 1972;59:539.
    .. [2] Montgomery DC. Introduction to Statistical Quality Control, 7th ed., 2013, sec. 9.1 (465 for both sides
       together, so twice that for one).
    """
    _check(shift=shift, decision=decision)
    # Steps of which the first is 0 itself, where the sum is held; Brook and Evans's layout.
    width = 2 * decision / (2 * STATES - 1)
    middle = np.arange(STATES) * width
    upper = _chance(middle[:, None] + moved - shift / 2, middle[None, :] + width / 2)
    lower = np.hstack([np.zeros((STATES, 1)), upper[:, :-1]])
    return _mean_steps(upper - lower, start=0)


def ewma_run_length(weight: float = 0.2, sigmas: float = 3.0, *, moved: float = 0.0, sides: int = 1) -> float:
    """Periods, on average, until an `ewma` with its final limits signals; normal values, level and sigma known.

    Parameters
    ----------
    weight, sigmas : float
        As in `ewma`.
    moved : float
        How far the level truly moved towards the side watched, in sigmas.
    sides : 1 or 2
        Whether one limit or both are watched.

    References
    ----------
    .. [1] Lucas JM, Saccucci MS. Exponentially weighted moving average control schemes: properties and enhancements.
       Technometrics 1990;32:1.
    """
    _check(weight=weight, sigmas=sigmas)
    limit = sigmas * np.sqrt(weight / (2 - weight))
    # On the side not watched the average hardly ever goes beyond twice the limit; there it is held.
    reach = limit if sides == 2 else 2 * limit
    edges = np.linspace(-reach, limit, STATES + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    upper = _chance(moved, (edges[None, 1:] - (1 - weight) * middle[:, None]) / weight)
    lower = _chance(moved, (edges[None, :-1] - (1 - weight) * middle[:, None]) / weight)
    if sides == 1:
        lower[:, 0] = 0.0
    return _mean_steps(upper - lower, start=int(np.abs(middle).argmin()))


def _chance(mean: np.ndarray | float, below: np.ndarray) -> np.ndarray:
    return np.asarray(ndtr(below - mean))


def _mean_steps(stay: np.ndarray, *, start: int) -> float:
    return float(np.linalg.solve(np.eye(len(stay)) - stay, np.ones(len(stay)))[start])


def _check(**settings: float) -> None:
    problems = [f"{name} is {value}: give a number above 0" for name, value in settings.items() if not value > 0]
    if settings.get("weight", 0) > 1:
        problems.append(f"weight is {settings['weight']}: give at most 1")
    if problems:
        raise ParameterError(bulleted("run length", problems))


# --- many series at once ---------------------------------------------------------------------------


def ewma_below(apart: np.ndarray, sigma: np.ndarray, *, weight: float = 0.2, sigmas: float = 3.0) -> np.ndarray:
    """The first period in which each series' `ewma` lies below its lower limit.

    Parameters
    ----------
    apart : array (series, periods)
        Values less the level watched against, none missing.
    sigma : array (periods,)
        The standard deviation of one value of each period.

    Returns
    -------
    array (series,) of int
        Numbers of periods, from 0; the number of periods where none signals.
    """
    variance = np.zeros(len(sigma))
    spread = 0.0
    for period, own in enumerate(sigma):
        spread = (1 - weight) ** 2 * spread + weight**2 * own**2
        variance[period] = spread
    average = _carried(apart, lambda before, now: weight * now + (1 - weight) * before)
    return _first(average < -sigmas * np.sqrt(variance))


def cusum_below(apart: np.ndarray, sigma: np.ndarray, *, shift: float = 1.0, decision: float = 5.0) -> np.ndarray:
    """The first period in which each series' lower `cusum` signals; arguments and answer as of `ewma_below`."""
    sums = _carried(apart / sigma, lambda before, now: np.minimum(0.0, before + now + shift / 2))
    return _first(sums < -decision)


def _carried(values: np.ndarray, step: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    carried, before = np.empty(values.shape), np.zeros(len(values))
    for period in range(values.shape[1]):
        before = step(before, values[:, period])
        carried[:, period] = before
    return carried


def _first(signals: np.ndarray) -> np.ndarray:
    return np.where(signals.any(axis=1), signals.argmax(axis=1), signals.shape[1])
