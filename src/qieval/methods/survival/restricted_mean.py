"""The mean time until a horizon: what is left of a mean where some are still open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qieval.errors import DataError
from qieval.methods.survival.kaplan_meier import kaplan_meier


@dataclass(frozen=True, eq=False, kw_only=True)
class RestrictedMean:
    """Mean time until the end or the horizon, whichever comes first, or the difference of two."""

    estimate: float
    standard_error: float
    low: float  # 95%, normal
    high: float
    horizon: float


def restricted_mean(durations: ArrayLike, observed: ArrayLike, *, horizon: float) -> RestrictedMean:
    """The area under the Kaplan-Meier curve up to `horizon`, with the standard error by Greenwood.

    Parameters
    ----------
    durations : array of float, 0 or more
    observed : array of bool
        False: still under way when last seen (censored).
    horizon : float
        Above 0, in the unit of the durations, and not beyond the last of them while some are open.

    Raises
    ------
    DataError
        If durations are not as they should be, or the curve is not known up to the horizon.

    References
    ----------
    .. [1] Klein JP, Moeschberger ML. Survival Analysis, 2nd ed., 2003, sec. 4.5. lifelines gives the variance of
       min(duration, horizon) instead, which is not that of its mean.
    """
    curve = kaplan_meier(durations, observed).curve
    if not horizon > 0:
        raise DataError(f"the horizon {horizon:g} is not above 0 -> give the time up to which to average")
    last = float(curve["time"].iloc[-1])
    if horizon > last and curve["survival"].iloc[-1] > 0:
        raise DataError(
            f"nobody was followed up to {horizon:g}: the last was seen at {last:g} -> choose a horizon up to that"
        )
    inside = curve.loc[curve["time"] < horizon]
    times = np.append(inside["time"].to_numpy(), horizon)
    areas = inside["survival"].to_numpy() * np.diff(times)
    # An end at some time moves all of the curve after it.
    after = np.cumsum(areas[::-1])[::-1]
    left = inside["at_risk"].to_numpy(dtype=float) - inside["events"].to_numpy(dtype=float)
    steps = np.divide(inside["events"], inside["at_risk"] * left, out=np.zeros(len(inside)), where=left > 0)
    return _with_limits(float(areas.sum()), float(np.sqrt((after**2 * steps).sum())), horizon)


def restricted_mean_difference(one: RestrictedMean, other: RestrictedMean) -> RestrictedMean:
    """How much longer `one` lasts than `other` up to the same horizon; the two are of different projects.

    Raises
    ------
    DataError
        If the horizons differ.
    """
    if one.horizon != other.horizon:
        raise DataError(f"means up to {one.horizon:g} and up to {other.horizon:g} cannot be compared")
    error = float(np.hypot(one.standard_error, other.standard_error))
    return _with_limits(one.estimate - other.estimate, error, one.horizon)


def _with_limits(estimate: float, error: float, horizon: float) -> RestrictedMean:
    from scipy.stats import norm

    half = float(norm.ppf(0.975)) * error
    return RestrictedMean(
        estimate=estimate, standard_error=error, low=estimate - half, high=estimate + half, horizon=horizon
    )
