"""The mean time until a horizon: what is left of a mean where some are still open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qieval.errors import DataError
from qieval.methods.survival.inputs import checked_horizon
from qieval.methods.survival.kaplan_meier import kaplan_meier


@dataclass(frozen=True, eq=False, kw_only=True)
class RestrictedMean:
    """Mean time until the end or the horizon, whichever comes first, or the difference of two."""

    estimate: float
    standard_error: float  # by Greenwood
    low: float  # 95%; missing where nothing scatters, as where nothing has ended
    high: float
    horizon: float
    ends: int  # before the horizon
    known: int  # whose time up to the horizon is known: not censored before it

    @property
    def has_scatter(self) -> bool:
        """Whether there is anything that limits can rest on: two ends before the horizon, not all at once."""
        return self.ends > 1 and self.standard_error > 0


def restricted_mean(
    durations: ArrayLike, observed: ArrayLike, *, horizon: float, small_sample: bool = False
) -> RestrictedMean:
    """The area under the Kaplan-Meier curve up to `horizon`, with the standard error by Greenwood.

    Parameters
    ----------
    durations : array of float, 0 or more
    observed : array of bool, or of 1 and 0
        False: still under way when last seen (censored).
    horizon : float
        Above 0 and finite, in the unit of the durations, and not beyond the last of them while some are open.
    small_sample : bool
        Limits by Student's t as for a plain mean of those whose time up to the horizon is known, n of them: n - 1
        degrees of freedom, and the variance times n / (n - 1); infinite with fewer than two. Otherwise normal limits,
        as survRM2.

    Raises
    ------
    DataError
        If durations are not as they should be, or the curve is not known up to the horizon.

    References
    ----------
    .. [1] Klein JP, Moeschberger ML. Survival Analysis, 2nd ed., 2003, sec. 4.5. lifelines gives the variance of
       min(duration, horizon) instead, which is not that of its mean.
    .. [2] Kaplan EL, Meier P. JASA 1958;53:457, sec. 6.2 (such a factor, of the ends).
    """
    curve, horizon = kaplan_meier(durations, observed).curve, checked_horizon(horizon)
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
    estimate, error = float(areas.sum()), float(np.sqrt((after**2 * steps).sum()))
    ends = int(inside["events"].sum())
    reached = int(inside["at_risk"].iloc[-1] - inside["events"].iloc[-1] - inside["censored"].iloc[-1])
    known = ends + reached
    widened, freedom = _small_sample([(error, known)]) if small_sample else (error, np.inf)
    low, high = _limits(estimate, widened, freedom)
    return RestrictedMean(
        estimate=estimate, standard_error=error, low=low, high=high, horizon=horizon, ends=ends, known=known
    )


def restricted_mean_difference(
    one: RestrictedMean, other: RestrictedMean, *, small_sample: bool = False
) -> RestrictedMean:
    """How much longer `one` lasts than `other` up to the same horizon; the two are of different projects.

    ``small_sample`` is as in `restricted_mean`, with degrees of freedom by Satterthwaite.

    Raises
    ------
    DataError
        If the horizons differ.
    """
    if one.horizon != other.horizon:
        raise DataError(f"means up to {one.horizon:g} and up to {other.horizon:g} cannot be compared")
    error = float(np.hypot(one.standard_error, other.standard_error))
    estimate, parts = one.estimate - other.estimate, [(mean.standard_error, mean.known) for mean in (one, other)]
    widened, freedom = _small_sample(parts) if small_sample else (error, np.inf)
    low, high = _limits(estimate, widened, freedom)
    return RestrictedMean(
        estimate=estimate,
        standard_error=error,
        low=low,
        high=high,
        horizon=one.horizon,
        ends=one.ends + other.ends,
        known=one.known + other.known,
    )


def _small_sample(parts: list[tuple[float, int]]) -> tuple[float, float]:
    """The standard error of a sum of independent parts, each of so many known times, and its degrees of freedom."""
    if min(known for _, known in parts) < 2:
        return np.inf, 1.0
    variances = np.array([error**2 * known / (known - 1) for error, known in parts])
    if not variances.any():
        return 0.0, np.inf
    freedoms = np.array([known - 1 for _, known in parts])
    return float(np.sqrt(variances.sum())), float(variances.sum() ** 2 / (variances**2 / freedoms).sum())


def _limits(estimate: float, error: float, freedom: float) -> tuple[float, float]:
    from scipy.stats import t

    if error == 0:
        return np.nan, np.nan  # an interval without width would claim that all is known
    half = float(t.ppf(0.975, freedom)) * error
    return estimate - half, estimate + half
