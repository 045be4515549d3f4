"""Kaplan-Meier of times that belong to few units, each with several: gaps between the visits to a facility."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from qieval.errors import DataError
from qieval.methods.survival import KaplanMeier, kaplan_meier
from qieval.methods.survival.inputs import checked_ends


def clustered_kaplan_meier(
    durations: ArrayLike, observed: ArrayLike, cluster: ArrayLike, *, level: float = 0.95
) -> KaplanMeier:
    """`survival.kaplan_meier` with intervals that allow for durations of one unit resembling each other.

    The variance is the infinitesimal jackknife added up by unit, U'U with U the sum over a unit's durations of the
    derivative of the curve in that duration's weight, times G / (G - 1) for G units; limits are log-log, with
    Student's t on G - 1 degrees of freedom. Greenwood's formula would take every duration as independent.

    Parameters
    ----------
    durations : array of float, 0 or more
    observed : array of bool
        False: still under way when last seen.
    cluster : array, the unit each duration belongs to
        At least 2 units.

    Returns
    -------
    KaplanMeier
        The curve has a further column ``standard_error``; it, ``low`` and ``high`` are missing where the curve is 1
        or 0, or where no unit differs from another.

    Raises
    ------
    DataError
        As `kaplan_meier`; if the lengths differ or there are fewer than 2 units.

    References
    ----------
    .. [1] Williams RL. Product-limit survival functions with correlated survival times. Lifetime Data Anal 1995;1:171.
    .. [2] Therneau TM. A package for survival analysis in R, vignette, sec. 2 (robust variance of survfit).
    """
    from scipy.stats import t

    units, member = np.unique(np.asarray(cluster), return_inverse=True)
    given = [len(np.asarray(one, dtype=object)) for one in (durations, observed)]
    if not given[0] == given[1] == len(member):
        raise DataError(f"{given[0]} durations, {given[1]} ends and {len(member)} units: give one of each")
    times, ended = checked_ends(durations, observed)
    if len(units) < 2:
        raise DataError("durations of a single unit tell nothing of others: list them instead")
    fitted = kaplan_meier(times, ended)
    curve = fitted.curve
    grid, survival = curve["time"].to_numpy(), curve["survival"].to_numpy()
    at_risk, events = curve["at_risk"].to_numpy(dtype=float), curve["events"].to_numpy(dtype=float)
    # Derivative of log S in the weight of one duration: an end counts against the share of its risk set that ended.
    with np.errstate(divide="ignore", invalid="ignore"):
        per_end = 1 / (at_risk - events)
        own = (times[:, None] == grid) & ended[:, None]
        expected = (times[:, None] >= grid) * (events / at_risk)
        steps = np.where(at_risk > events, (own - expected) * per_end, 0.0)
        influence = -np.cumsum(steps, axis=1) * survival
        summed = np.zeros((len(units), len(grid)))
        np.add.at(summed, member, influence)
        error = np.sqrt((summed**2).sum(axis=0) * len(units) / (len(units) - 1))
        error = np.where((survival > 1e-9) & (survival < 1 - 1e-9) & (error > 1e-12), error, np.nan)
        half_width = t.ppf((1 + level) / 2, len(units) - 1) * error / (survival * np.abs(np.log(survival)))
        low, high = survival ** np.exp(half_width), survival ** np.exp(-half_width)
    # One to an unknown power is one: where nothing has ended yet, that would be an interval without width.
    low, high = (np.where(np.isnan(error), np.nan, limit) for limit in (low, high))
    return replace(
        fitted,
        curve=curve.assign(standard_error=error, low=low, high=high),
        median_low=_first_at_half(grid, low),
        median_high=_first_at_half(grid, high),
        exact_low=np.nan,  # by the order of durations: for independent ones only
        exact_high=np.nan,
    )


def share_longer(fitted: KaplanMeier, time: float) -> tuple[float, float, float]:
    """The share that lasts longer than `time`, with its limits; missing beyond the last time anything was followed."""
    curve = fitted.curve
    if time > curve["time"].max():
        return np.nan, np.nan, np.nan
    row = curve.loc[curve["time"] <= time].iloc[-1]
    return float(row["survival"]), float(row["low"]), float(row["high"])


def _first_at_half(time: np.ndarray, share: np.ndarray) -> float:
    below = np.flatnonzero(share <= 0.5 + 1e-9)
    return float(time[below[0]]) if len(below) else np.inf
