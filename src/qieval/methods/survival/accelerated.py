"""Accelerated failure time: covariates that stretch or shorten every time by a factor, by maximum likelihood.

Written here because lifelines takes half a second for each shape of each comparison, and stops where times tie.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_ndtr

from qieval.errors import DataError

_MOST_STEPS = 200
_NARROWEST = 1e-5  # a scale of the logarithm of time below this means that the likelihood has no maximum
Parts = tuple[np.ndarray, np.ndarray, np.ndarray]  # the logarithm, its slope and its curvature


@dataclass(frozen=True, eq=False, kw_only=True)
class Accelerated:
    """Coefficients of the logarithm of time: each exponential is a ratio of times."""

    coefficients: np.ndarray  # one per column of the design
    covariance: np.ndarray
    scale: float
    log_likelihood: float  # of the times


def _gumbel(z: np.ndarray, ended: np.ndarray) -> Parts:
    hazard = np.exp(np.minimum(z, 500))
    return np.where(ended, z, 0) - hazard, ended - hazard, -hazard


def _logistic(z: np.ndarray, ended: np.ndarray) -> Parts:
    share, weight = expit(z), 1 + ended
    return np.where(ended, z, 0) - weight * np.logaddexp(0, z), ended - weight * share, -weight * share * (1 - share)


def _normal(z: np.ndarray, ended: np.ndarray) -> Parts:
    density = -0.5 * z**2 - 0.5 * np.log(2 * np.pi)
    survival = log_ndtr(-z)
    hazard = np.exp(density - survival)
    return (
        np.where(ended, density, survival),
        np.where(ended, -z, -hazard),
        np.where(ended, -1.0, -hazard * (hazard - z)),
    )


# The distribution of the logarithm of time, less its place and in units of its scale.
SHAPES: dict[str, Callable[[np.ndarray, np.ndarray], Parts]] = {
    "weibull": _gumbel,
    "lognormal": _normal,
    "loglogistic": _logistic,
}


def accelerated(durations: np.ndarray, observed: np.ndarray, design: np.ndarray, *, shape: str) -> Accelerated:
    """Fit by Newton's method in coefficients over scale and one over scale, in which the likelihood has one hill.

    Parameters
    ----------
    durations : array of float above 0
    observed : array of bool
    design : array, one row per duration
        With a column of ones.
    shape : a key of `SHAPES`

    Raises
    ------
    DataError
        If the likelihood grows without end, as where all durations of each group are the same.

    References
    ----------
    .. [1] Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time Data, 2nd ed., 2002, ch. 3. Burridge J.
       J R Stat Soc B 1981;43:41 (one hill).
    """
    logs, ended = np.log(durations), observed.astype(float)
    # z = log(time) / scale - design @ (coefficients / scale): linear in what is sought.
    slopes = np.column_stack([-design, logs])
    spread = max(float(logs.std()), 1e-3)
    at = np.append(np.linalg.lstsq(design, logs, rcond=None)[0] / spread, 1 / spread)
    value, gradient, curvature = _likelihood(at, slopes, ended, SHAPES[shape])
    for _ in range(_MOST_STEPS):
        try:
            step = np.linalg.solve(curvature, -gradient)
        except np.linalg.LinAlgError as error:
            raise DataError("the durations could not be fitted: too many of them are the same") from error
        moved = _uphill(at, step, value, slopes, ended, SHAPES[shape])
        if moved is None or at[-1] > 1 / _NARROWEST:
            break
        at, (value, gradient, curvature) = moved
        if np.abs(step).max() < 1e-10 * np.abs(at).max():
            break
    if not np.abs(gradient).max() < 1e-5 * len(logs) or at[-1] > 1 / _NARROWEST:
        raise DataError("the durations could not be fitted: too many of them are the same")
    place, scale = at[:-1] / at[-1], 1 / at[-1]
    # From what was sought to the coefficients.
    turn = np.column_stack([np.eye(len(place)) * scale, -place * scale])
    return Accelerated(
        coefficients=place,
        covariance=turn @ np.linalg.inv(-curvature) @ turn.T,
        scale=float(scale),
        log_likelihood=value - float((ended * logs).sum()),
    )


def _likelihood(
    at: np.ndarray, slopes: np.ndarray, ended: np.ndarray, shape: Callable[[np.ndarray, np.ndarray], Parts]
) -> tuple[float, np.ndarray, np.ndarray]:
    """The logarithm of the likelihood with its gradient and curvature."""
    value, slope, bend = shape(slopes @ at, ended)
    gradient = slopes.T @ slope
    curvature = slopes.T @ (bend[:, None] * slopes)
    gradient[-1] += ended.sum() / at[-1]
    curvature[-1, -1] -= ended.sum() / at[-1] ** 2
    return float(value.sum() + ended.sum() * np.log(at[-1])), gradient, curvature


def _uphill(
    at: np.ndarray,
    step: np.ndarray,
    value: float,
    slopes: np.ndarray,
    ended: np.ndarray,
    shape: Callable[[np.ndarray, np.ndarray], Parts],
) -> tuple[np.ndarray, tuple[float, np.ndarray, np.ndarray]] | None:
    """The step, halved until it leads up; None where nothing does."""
    for _ in range(60):
        there = at + step
        if there[-1] > 0:
            found = _likelihood(there, slopes, ended, shape)
            if found[0] >= value - 1e-12 * abs(value):
                return there, found
        step = step / 2
    return None
