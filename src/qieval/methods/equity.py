"""Who receives how much: concentration curves and indices over units of unequal exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qieval.errors import DataError
from qieval.methods.jackknife import jackknife_error


@dataclass(frozen=True, eq=False, kw_only=True)
class Concentration:
    """A concentration curve and its index, with 95% intervals over units."""

    index: float  # from -1 (all to the first in rank) over 0 (everyone has an equal share) to 1
    standard_error: float
    low: float
    high: float
    first_half: float  # share received by the half of the exposure that is first in rank; 0.5 if shared equally
    first_half_low: float
    first_half_high: float
    curve: pd.DataFrame  # from (0, 0) to (1, 1): exposure_share, received_share, low, high (of that point)
    n: int


def concentration(
    received: ArrayLike, exposure: ArrayLike, ranked_by: ArrayLike, *, level: float = 0.95, resamples: int = 500
) -> Concentration:
    """Concentration curve and index of what units received, over their exposure in order of `ranked_by`.

    With h = received / exposure and each unit weighing as its share of the exposure, the index is twice the
    covariance of h and the fractional rank, over the mean of h: twice the area between the curve and the
    line of equal shares, negative where those first in rank receive more. Units of equal rank share one straight
    piece of the curve, so that their order in the table does not matter.

    The interval of the index leaves out one unit at a time (jackknife), with Student's t on n - 1 degrees of freedom:
    with few units it holds its level where the large-sample formula of [2] is too narrow. The curve bends at
    single units, where leaving one out fails; its limits, and those of the first half, come from drawing units again
    (bootstrap, fixed seed), with the same t.

    Parameters
    ----------
    received : array of float, 0 or more
        Visits, say.
    exposure : array of float above 0
        Months in which they could have been received; ones, if every unit counts alike.
    ranked_by : array of float, the first in rank being the smallest
    resamples : int, 2 or more
        Bootstrap samples for the limits of the curve.

    Returns
    -------
    Concentration
        Limits of the curve are cut at 0 and 1, those of the index at -1 and 1.

    Raises
    ------
    DataError
        If a value is missing or impossible, there are fewer than 3 units, all have the same rank, or nothing was
        received or all of it by one unit.

    References
    ----------
    .. [1] O'Donnell O, van Doorslaer E, Wagstaff A, Lindelow M. Analyzing Health Equity Using Household Survey Data.
       World Bank 2008, ch. 7 (curve) and 8 (index; grouped and weighted data).
    .. [2] Kakwani N, Wagstaff A, van Doorslaer E. Socioeconomic inequalities in health: measurement, computation, and
       statistical inference. J Econometrics 1997;77:87.
    """
    got, weight = np.asarray(received, dtype=float), np.asarray(exposure, dtype=float)
    rank = np.asarray(ranked_by, dtype=float)
    _check(got, weight, rank)
    kept = [np.arange(len(got)) != one for one in range(len(got))]
    samples = [(got, weight, rank), *((got[k], weight[k], rank[k]) for k in kept)]
    return _with_limits(samples, level, _resamples(got, resamples))


def lorenz(received: ArrayLike, exposure: ArrayLike, *, level: float = 0.95) -> Concentration:
    """Lorenz curve and Gini index of what units received: `concentration` in order of received over exposure.

    The index is never negative, and above 0 by chance alone, since counts differ even where all are treated alike:
    read it beside `gini_by_chance`.
    """
    got, weight = np.asarray(received, dtype=float), np.asarray(exposure, dtype=float)
    _check(got, weight, np.arange(len(got), dtype=float))
    return concentration(got, weight, got / weight, level=level) if np.ptp(got / weight) > 0 else _equal(weight)


def gini_by_chance(total: int, exposure: ArrayLike, *, simulations: int = 2000, seed: int = 1) -> tuple[float, float]:
    """The Gini index if `total` visits fell on units by lot, in proportion to their exposure: mean and 97.5% point."""
    weight = np.asarray(exposure, dtype=float)
    draws = np.random.default_rng(seed).multinomial(int(total), weight / weight.sum(), size=simulations)
    order = np.argsort(draws / weight, axis=1)
    y = np.cumsum(np.take_along_axis(draws, order, axis=1), axis=1) / total
    widths = weight[order] / weight.sum()
    found = 1 - (widths * (2 * y - np.diff(y, prepend=0, axis=1))).sum(axis=1)
    return float(found.mean()), float(np.quantile(found, 0.975))


def none_by_chance(total: int, exposure: ArrayLike) -> float:
    """How many units to expect without any of `total` visits that fell by lot, in proportion to their exposure.

    The Gini index hardly notices one unit among many that received nothing; this does.
    """
    weight = np.asarray(exposure, dtype=float)
    return float(((1 - weight / weight.sum()) ** int(total)).sum())


def _with_limits(
    samples: list[tuple[np.ndarray, np.ndarray, np.ndarray]], level: float, resamples: list[np.ndarray]
) -> Concentration:
    """The whole sample first, then those with one unit left out; `resamples` are the units drawn again."""
    from scipy.stats import t

    curves = [_steps(*sample) for sample in samples]
    (x, y), others = curves[0], curves[1:]
    n = len(others)
    quantile = float(t.ppf((1 + level) / 2, n - 1))
    index = _index(x, y)
    error = float(jackknife_error([_index(*one) for one in others]))
    half = float(np.interp(0.5, x, y))
    again = [_steps(*(column[drawn] for column in samples[0])) for drawn in resamples]
    half_error = float(np.std([np.interp(0.5, *one) for one in again], ddof=1))
    band = quantile * np.std([np.interp(x, *one) for one in again], axis=0, ddof=1)
    return Concentration(
        index=index,
        standard_error=error,
        low=max(index - quantile * error, -1.0),
        high=min(index + quantile * error, 1.0),
        first_half=half,
        first_half_low=max(half - quantile * half_error, 0.0),
        first_half_high=min(half + quantile * half_error, 1.0),
        curve=pd.DataFrame(
            {
                "exposure_share": x,
                "received_share": y,
                "low": np.clip(y - band, 0, 1),
                "high": np.clip(y + band, 0, 1),
            }
        ),
        n=n,
    )


def _resamples(got: np.ndarray, times: int) -> list[np.ndarray]:
    """Units drawn with replacement, those draws left out in which nobody received anything."""
    n = len(got)
    drawn = np.random.default_rng(1).integers(0, n, (times, n))
    return [one for one in drawn if got[one].sum() > 0]


def _steps(got: np.ndarray, weight: np.ndarray, rank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the curve, one for each distinct rank, from (0, 0) to (1, 1)."""
    _, place = np.unique(rank, return_inverse=True)
    x = np.cumsum(np.bincount(place, weights=weight)) / weight.sum()
    y = np.cumsum(np.bincount(place, weights=got)) / got.sum()
    return np.append(0.0, x), np.append(0.0, y)


def _index(x: np.ndarray, y: np.ndarray) -> float:
    """One minus twice the area under the curve, which is made of straight pieces."""
    return float(1 - (np.diff(x) * (y[1:] + y[:-1])).sum())


def _equal(weight: np.ndarray) -> Concentration:
    """Exactly equal shares: the line itself, with no variation to take an interval from."""
    return Concentration(
        index=0.0, standard_error=np.nan, low=np.nan, high=np.nan, first_half=0.5, first_half_low=np.nan,
        first_half_high=np.nan, n=len(weight),
        curve=pd.DataFrame({"exposure_share": [0.0, 1], "received_share": [0.0, 1], "low": np.nan, "high": np.nan}),
    )  # fmt: skip


def _check(got: np.ndarray, weight: np.ndarray, rank: np.ndarray) -> None:
    if not len(got) == len(weight) == len(rank):
        raise DataError(f"{len(got)} amounts, {len(weight)} exposures and {len(rank)} ranks: give one of each a unit")
    bad = ~(np.isfinite(got) & (got >= 0) & np.isfinite(weight) & (weight > 0) & np.isfinite(rank))
    if bad.any():
        places = ", ".join(str(place) for place in np.flatnonzero(bad)[:5])
        raise DataError(
            f"{bad.sum()} of {len(got)} units (at {places}) cannot be ranked: each needs an amount of 0 or more, an "
            "exposure above 0 and a rank -> leave them out and say so"
        )
    if len(got) < 3:
        raise DataError(f"{len(got)} units make no curve: give 3 or more")
    if (got > 0).sum() < 2:
        raise DataError("nothing was received, or all of it by one unit: there is no curve, name the unit instead")
    if np.ptp(rank) == 0:
        raise DataError("all units have the same rank: there is no order to draw a curve in")
