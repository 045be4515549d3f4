"""Time until something happens, with what has not happened yet counted as such."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qieval.errors import DataError


@dataclass(frozen=True, eq=False, kw_only=True)
class KaplanMeier:
    """A survival curve and its median; `inf` where the curve, or its band, never comes down to one half."""

    curve: pd.DataFrame  # one row per distinct time, from 0: time, at_risk, events, censored, survival, low, high
    median: float
    median_low: float
    median_high: float
    n: int
    n_events: int


def kaplan_meier(durations: ArrayLike, observed: ArrayLike) -> KaplanMeier:
    """The Kaplan-Meier curve with log-log 95% intervals.

    The median is the first time by which half have ended; R takes the middle instead where the curve stays at
    exactly one half for a while. A curve of 0 has no log-log limits: the 0 drawn there bounds no median.

    Parameters
    ----------
    durations : array of float, 0 or more
    observed : array of bool
        False: still under way when last seen (censored).

    Raises
    ------
    DataError
        If there is no duration, or one is missing or negative.

    References
    ----------
    .. [1] Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time Data, 2nd ed., 2002, sec. 1.4
       (log-log interval: it keeps its coverage in samples as small as ten).
    """
    from lifelines import KaplanMeierFitter

    durations = np.asarray(durations, dtype=float)
    observed = np.asarray(observed, dtype=bool)
    if len(durations) == 0 or not (durations >= 0).all():
        raise DataError("a survival curve needs at least one duration, and every duration must be 0 or more")
    fitted = KaplanMeierFitter().fit(durations, observed)
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
    return KaplanMeier(
        curve=curve,
        median=_time_at_half(curve["time"], curve["survival"]),
        median_low=_time_at_half(curve["time"], curve["low"]),
        median_high=_time_at_half(curve["time"], curve["high"].where(curve["survival"] > 1e-9)),
        n=len(durations),
        n_events=int(observed.sum()),
    )


def _time_at_half(time: pd.Series, share: pd.Series) -> float:
    """The first time at which a falling curve is at most one half; `inf` if it never is."""
    # Products of fractions miss one half by the last digit: 3 of 6 ended would not count as half.
    reached = share <= 0.5 + 1e-9
    return float(time[reached].iloc[0]) if reached.any() else np.inf
