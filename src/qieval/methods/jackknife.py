"""Standard errors from leaving out one unit at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qieval.errors import DataError


def jackknife_error(without_one: ArrayLike) -> np.ndarray:
    """Standard error of a statistic from its values with each unit left out once.

    Parameters
    ----------
    without_one : array of float, units or units by points
        Row i is the statistic of all units but the i-th.

    Returns
    -------
    array of float
        One standard error per point; of no dimension for a single statistic.

    Raises
    ------
    DataError
        If there are fewer than 2 units, or a value is missing.

    References
    ----------
    .. [1] Efron B, Tibshirani RJ. An Introduction to the Bootstrap, 1993, sec. 11.2.
    """
    values = np.asarray(without_one, dtype=float)
    n = len(values)
    if n < 2 or not np.isfinite(values).all():
        raise DataError("leaving out one at a time needs at least two units, and a value without each of them")
    return np.asarray(np.sqrt((n - 1) / n * ((values - values.mean(axis=0)) ** 2).sum(axis=0)))
