"""How much of a gain was kept: of one place by its three levels, and of several places together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qieval.errors import DataError
from qieval.methods.pooling import Pooled, pool

_WIDEST = 64.0  # times the gain: a limit farther out than this is no limit


@dataclass(frozen=True, kw_only=True)
class Level:
    """A level and how sure it is: a proportion, a rate or a mean, with its standard error if that is known."""

    value: float
    standard_error: float = math.nan

    @classmethod
    def of_counts(cls, events: float, people: float) -> Level:
        """A proportion; its standard error is that of one more event and one more without, so that it is never 0.

        References
        ----------
        .. [1] Agresti A, Coull BA. Approximate is better than "exact" for interval estimation of binomial
           proportions. Am Stat 1998;52:119.
        """
        if not 0 <= events <= people or people <= 0:
            raise DataError(
                f"{events:g} of {people:g} is not a proportion: it needs 0 <= part <= whole, a whole above 0"
            )
        near = (events + 1) / (people + 2)
        return cls(value=events / people, standard_error=math.sqrt(near * (1 - near) / people))

    @classmethod
    def of_events(cls, events: float, exposure: float, *, per: float = 1.0) -> Level:
        """Events by an exposure, a Poisson rate; half an event is added for the standard error, as none has none."""
        if not events >= 0 or not exposure > 0:
            raise DataError(
                f"{events:g} events in an exposure of {exposure:g} are no rate: give 0 or more, and above 0"
            )
        return cls(value=events / exposure * per, standard_error=math.sqrt(events + 0.5) / exposure * per)

    @classmethod
    def of_interval(cls, value: float, low: float, high: float) -> Level:
        """A published level with its 95% interval, taken as normal."""
        if not low <= value <= high:
            raise DataError(f"{value:g} does not lie between its limits {low:g} and {high:g}: check their order")
        return cls(value=value, standard_error=(high - low) / (2 * _quantile(0.95)))


@dataclass(frozen=True, kw_only=True)
class ShareKept:
    """The share of a gain that is left; 1: all, 0: none, above 1: the level went on rising."""

    estimate: float  # missing where a level is, or where there was no gain
    low: float  # missing where a standard error is; infinite where the gain itself may be none
    high: float
    gain: float  # at the end less before, on the scale of the levels
    lost: float  # at the end less later


def share_of_gain_kept(before: float | Level, at_end: float | Level, later: float | Level) -> ShareKept:
    """(later - before) / (at_end - before), with its 95% interval where all three levels have a standard error.

    The interval is Fieller's: it holds every share s for which later - s x at_end - (1 - s) x before is within 1.96
    of its standard errors from 0. Unlike the delta method it does not need a gain that is large beside its error;
    where the gain may be none at all it has no limits.

    References
    ----------
    .. [1] Fieller EC. Some problems in interval estimation. J R Stat Soc B 1954;16:175.
    """
    b, e, a = (one if isinstance(one, Level) else Level(value=one) for one in (before, at_end, later))
    gain, left = e.value - b.value, a.value - b.value
    estimate = left / gain if gain else math.nan
    low = high = math.nan
    if not math.isnan(estimate + a.standard_error + e.standard_error + b.standard_error):
        low, high = _fieller(left, gain, a.standard_error**2, e.standard_error**2, b.standard_error**2)
    return ShareKept(estimate=estimate, low=low, high=high, gain=gain, lost=e.value - a.value)


def _fieller(left: float, gain: float, v_later: float, v_end: float, v_before: float) -> tuple[float, float]:
    """The roots of (left - s gain)^2 = z^2 var(s); all numbers where the gain may be none."""
    z2 = _quantile(0.95) ** 2
    square = gain**2 - z2 * (v_end + v_before)
    middle = left * gain - z2 * v_before
    if square <= 0:
        return -math.inf, math.inf
    spread = math.sqrt(max(middle**2 - square * (left**2 - z2 * (v_later + v_before)), 0.0))
    return (middle - spread) / square, (middle + spread) / square


@dataclass(frozen=True, eq=False, kw_only=True)
class PooledShare:
    """The share of the gain that places together kept, and where one more place may lie."""

    estimate: float
    low: float  # infinite where no limit could be found: the gain, on average, may be none
    high: float
    prediction_low: float
    prediction_high: float
    gain: float  # on average over places, on the scale of the levels
    lost: float
    k: int


def pooled_share_of_gain_kept(levels: pd.DataFrame) -> PooledShare:
    """The share of the gain kept by places taken as a sample, with its 95% and prediction intervals.

    A ratio per place is unstable where its gain is small, so that ratios are not averaged. For a share s each place has
    later - s x at_end - (1 - s) x before, the points it holds above that share of its gain; they are pooled (REML and
    Hartung-Knapp; Paule-Mandel where REML does not settle), and the estimate is the s at which the pooled value is 0.
    The limits are those s at which its interval still holds 0, as Fieller has it for one ratio; prediction limits
    likewise.

    Parameters
    ----------
    levels : DataFrame, one row per place
        ``before``, ``at_end``, ``later``, all known, and ``before_se``, ``at_end_se``, ``later_se``, above 0.

    Raises
    ------
    DataError
        As `pool`: with fewer than 2 rows, or a level or error missing.
    """
    before, end, later = (levels[name].to_numpy(dtype=float) for name in ("before", "at_end", "later"))
    errors = [levels[f"{name}_se"].to_numpy(dtype=float) ** 2 for name in ("before", "at_end", "later")]

    def above(share: float) -> Pooled:
        variance = errors[2] + share**2 * errors[1] + (1 - share) ** 2 * errors[0]
        return average(later - share * end - (1 - share) * before, np.sqrt(variance))

    gain = average(end - before, np.sqrt(errors[0] + errors[1])).estimate
    sign = 1.0 if gain > 0 else -1.0
    estimate = _crossing(lambda share: sign * above(share).estimate, 1.0, -1)
    low, high, far_low, far_high = np.nan, np.nan, np.nan, np.nan
    if np.isfinite(estimate):
        # Where care is better the lower the level, "above" is below, and the limits change places.
        names = ("low", "high", "prediction_low", "prediction_high")
        lower, upper, far_lower, far_upper = names if sign > 0 else (names[1], names[0], names[3], names[2])
        low, high, far_low, far_high = (
            _crossing(lambda share, name=name: sign * getattr(above(share), name), estimate, way)  # type: ignore[misc]
            for name, way in ((lower, -1), (upper, 1), (far_lower, -1), (far_upper, 1))
        )
    return PooledShare(
        estimate=estimate, low=low, high=high, prediction_low=far_low, prediction_high=far_high, gain=gain,
        lost=average(end - later, np.sqrt(errors[1] + errors[2])).estimate, k=len(levels),
    )  # fmt: skip


def average(points: np.ndarray, standard_errors: np.ndarray) -> Pooled:
    """`pool` by REML and Hartung-Knapp; by Paule-Mandel where the restricted likelihood is too flat to settle.

    That happens at the edge of no variance between places, which a search over shares may pass right through.
    """
    try:
        return pool(points, standard_errors)
    except DataError:
        return pool(points, standard_errors, method="PM")


def _crossing(value: Callable[[float], float], start: float, way: int) -> float:
    """Where a falling function of the share is 0, looked for from `start`; infinite, in that direction, if nowhere."""
    from scipy.optimize import brentq

    here = value(start)
    direction = 1 if here > 0 else -1 if here < 0 else way
    step = 0.25
    while step <= _WIDEST:
        there = start + direction * step
        if value(there) * direction <= 0:
            return float(brentq(value, *sorted((start, there)), xtol=1e-7))
        step *= 2
    return direction * math.inf


def _quantile(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))
