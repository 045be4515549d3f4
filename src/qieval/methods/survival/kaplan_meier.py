"""Time until something happens, with what has not happened yet counted as such."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qieval.methods.survival.inputs import checked_ends


@dataclass(frozen=True, eq=False, kw_only=True)
class KaplanMeier:
    """A survival curve and its median; `inf` where the curve, or its band, never comes down to one half."""

    curve: pd.DataFrame  # one row per distinct time, from 0: time, at_risk, events, censored, survival, low, high
    median: float
    median_low: float
    median_high: float
    exact_low: float  # limits of the median by the order of the durations; missing where one is censored
    exact_high: float
    n: int
    n_events: int


def kaplan_meier(durations: ArrayLike, observed: ArrayLike) -> KaplanMeier:
    """The Kaplan-Meier curve with log-log 95% intervals.

    Where the curve stays at exactly one half for a while, the median is the middle of that time, as in R and as
    the plain median of an even number of durations. A curve of 0 has no log-log limits: the 0 drawn there bounds
    no median.

    Parameters
    ----------
    durations : array of float, 0 or more
    observed : array of bool, or of 1 and 0
        False: still under way when last seen (censored).

    Raises
    ------
    DataError
        If there is no duration, one is missing, negative or infinite, or an end is neither true nor false.

    References
    ----------
    .. [1] Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time Data, 2nd ed., 2002, sec. 1.4
       (log-log interval: it keeps its coverage in samples as small as ten).
    """
    from lifelines import KaplanMeierFitter

    times, ended = checked_ends(durations, observed)
    fitted = KaplanMeierFitter().fit(times, ended)
    band = fitted.confidence_interval_.set_axis(["low", "high"], axis=1)
    table = fitted.event_table
    curve = pd.DataFrame(
        {
            "time": fitted.survival_function_.index.to_numpy(dtype=float),
            "at_risk": table["at_risk"].to_numpy(),
            "events": table["observed"].to_numpy(),
            "censored": table["censored"].to_numpy(),
            "survival": fitted.survival_function_.iloc[:, 0].to_numpy(),
            "low": band["low"].to_numpy(),
            "high": band["high"].to_numpy(),
        }
    )
    exact_low, exact_high = _order_statistic_limits(times) if ended.all() else (np.nan, np.nan)
    return KaplanMeier(
        curve=curve,
        median=time_at_half(curve["time"], curve["survival"]),
        median_low=time_at_half(curve["time"], curve["low"]),
        median_high=time_at_half(curve["time"], curve["high"].where(curve["survival"] > 1e-9)),
        exact_low=exact_low,
        exact_high=exact_high,
        n=len(times),
        n_events=int(ended.sum()),
    )


def _order_statistic_limits(durations: np.ndarray) -> tuple[float, float]:
    """The innermost pair of ordered durations that holds the median with at least 95% confidence; none below six.

    References
    ----------
    .. [1] Conover WJ. Practical Nonparametric Statistics, 3rd ed., 1999, sec. 3.2.
    """
    from scipy.stats import binom

    n = len(durations)
    # At most so many lie below the lower limit with a probability of at most 2.5%.
    below = int(binom.ppf(0.025, n, 0.5)) - (binom.cdf(binom.ppf(0.025, n, 0.5), n, 0.5) > 0.025)
    if below < 0:
        return np.nan, np.nan
    ordered = np.sort(durations)
    return float(ordered[below]), float(ordered[n - 1 - below])


def time_at_half(time: pd.Series, share: pd.Series) -> float:
    """When a falling curve comes down to one half: the middle of the time it stays at exactly that; `inf` if never."""
    slack = 1e-9  # products of fractions miss one half by the last digit
    at_most, below = time[share <= 0.5 + slack], time[share < 0.5 - slack]
    if at_most.empty:
        return np.inf
    stays = len(below) > 0 and below.iloc[0] > at_most.iloc[0]
    return float((at_most.iloc[0] + below.iloc[0]) / 2 if stays else at_most.iloc[0])
