"""Several ways to end, of which only one can happen: how many ended in each way by when, and whether groups differ.

Projects are completed or abandoned; to count the abandoned as still open would make completion look likelier than
it was. Durations in whole months tie all the time, so nothing here is broken by ties.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qieval.errors import DataError
from qieval.methods.survival.inputs import checked_groups, checked_outcomes
from qieval.methods.survival.kaplan_meier import time_at_half

# What means still open when last seen, in small letters; False is 0.
OPEN: frozenset[object] = frozenset(
    {0, "", "0", "0.0", "false", "no", "none", "nan", "na", "n/a", "censor", "censored", "cens", "open", "still open"}
    | {"ongoing", "on-going", "on going", "still ongoing", "under way", "underway", "still under way", "in progress"}
    | {"still in progress", "not ended", "not yet ended", "not yet", "active", "no event"}
)


@dataclass(frozen=True, eq=False, kw_only=True)
class GrayTest:
    """Whether the share that ended in one way differs between groups, at any time."""

    statistic: float  # chi-square with `degrees_of_freedom`
    p_value: float
    degrees_of_freedom: int


def cumulative_incidence(durations: ArrayLike, outcome: ArrayLike, *, cause: object) -> pd.DataFrame:
    """Share that ended by `cause` up to each time, with the others counted as what they are (Aalen-Johansen).

    Parameters
    ----------
    durations : array of float, 0 or more
    outcome : array
        How each ended, as text or numbers. Still open when last seen: 0, False, missing, or one of the texts of
        `OPEN`, such as "censored", "ongoing" or "still under way". Capitals do not matter.
    cause : object
        The outcome to count. One that never occurs has a share of 0.

    Returns
    -------
    DataFrame
        One row per distinct duration: time, estimate, standard_error (infinitesimal jackknife), low and high (95%
        on the scale of log(-log), which keeps them between 0 and 1; missing where the estimate is 0 or 1), at_risk.

    Raises
    ------
    DataError
        If there is no duration, one is missing, negative or infinite, or `cause` means still open, or is text where
        outcomes are numbers, or the other way round.

    References
    ----------
    .. [1] Aalen OO, Johansen S. Scand J Stat 1978;5:141 (the estimate). R's survfit gives the same errors.
    .. [2] Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time Data, 2nd ed., 2002, sec. 1.4
       (the limits).
    """
    times, ended, of_cause = checked_outcomes(durations, outcome, cause=cause, still_open=OPEN)
    still_open, share = 1.0, 0.0
    # What the curves would gain from a little more weight on each duration; its length is the standard error.
    open_by_weight, share_by_weight = np.zeros(len(times)), np.zeros(len(times))
    rows = []
    for time in np.unique(times):
        at_risk, now = times >= time, times == time
        n, n_ended, n_cause = at_risk.sum(), (now & ended).sum(), (now & of_cause).sum()
        hazard_by_weight = ((now & of_cause) - at_risk * (n_cause / n)) / n
        share_by_weight = share_by_weight + open_by_weight * (n_cause / n) + still_open * hazard_by_weight
        share += still_open * n_cause / n
        left_by_weight = ((now & ended) - at_risk * (n_ended / n)) / n
        open_by_weight = open_by_weight * (1 - n_ended / n) - still_open * left_by_weight
        still_open *= 1 - n_ended / n
        rows.append((time, share, float(np.sqrt((share_by_weight**2).sum())), int(n)))
    found = pd.DataFrame(rows, columns=["time", "estimate", "standard_error", "at_risk"])
    low, high = _log_log_limits(found["estimate"].to_numpy(), found["standard_error"].to_numpy())
    return found.assign(low=low, high=high)


def time_of_half(shares: pd.DataFrame) -> tuple[float, float, float]:
    """When a share by `cumulative_incidence` comes up to one half, and where its limits do; `inf` where never."""
    known = shares.loc[shares["estimate"] < 1 - 1e-9]  # a share of 1 has no limits, so it bounds nothing
    return (
        time_at_half(shares["time"], 1 - shares["estimate"]),
        time_at_half(known["time"], 1 - known["high"]),
        time_at_half(known["time"], 1 - known["low"]),
    )


def _log_log_limits(share: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.stats import norm

    inside = (share > 0) & (share < 1 - 1e-9) & (error > 0)
    kept = np.where(inside, share, 0.5)
    half = float(norm.ppf(0.975)) * error / (kept * np.abs(np.log(kept)))
    low, high = (np.where(inside, kept ** np.exp(sign * half), np.nan) for sign in (1, -1))
    return low, high


def gray_test(durations: ArrayLike, outcome: ArrayLike, groups: ArrayLike, *, cause: object) -> GrayTest:
    """Gray's test that the share ended by `cause` is the same in all groups.

    Parameters
    ----------
    durations, outcome, cause
        As in `cumulative_incidence`.
    groups : array
        The group of each duration; two or more different ones, none missing.

    Raises
    ------
    DataError
        If durations, outcomes or groups are not as they should be, there are fewer than two groups, nobody ended by
        `cause`, or the groups were never at risk together.

    References
    ----------
    .. [1] Gray RJ. Ann Stat 1988;16:1141, with rho = 0 and the variance for tied times of R's cmprsk.
    """
    from scipy.stats import chi2

    times, ended, of_cause = checked_outcomes(durations, outcome, cause=cause, still_open=OPEN)
    member, names = pd.factorize(checked_groups(groups, len(times)))
    if not of_cause.any():
        raise DataError(f"nothing ended as {cause!r}, so there is nothing to compare")
    score, variance = _gray_score(times, ended, of_cause, member, len(names))
    freedom = len(names) - 1
    if np.linalg.matrix_rank(variance[:freedom, :freedom]) < freedom:
        raise DataError("the groups were never open at the same time, or all ended at once, so they cannot be compared")
    statistic = float(score[:freedom] @ np.linalg.solve(variance[:freedom, :freedom], score[:freedom]))
    return GrayTest(statistic=statistic, p_value=float(chi2.sf(statistic, freedom)), degrees_of_freedom=freedom)


def _gray_score(
    times: np.ndarray, ended: np.ndarray, of_cause: np.ndarray, member: np.ndarray, n_groups: int
) -> tuple[np.ndarray, np.ndarray]:
    """How many more ended by the cause in each group than in all together, and the covariance of these numbers."""
    still_open, share = np.ones(n_groups), np.zeros(n_groups)  # of each group, just before the time
    share_of_all = 0.0
    score = np.zeros(n_groups)
    carried = np.zeros((n_groups, n_groups))
    squares, mixed, ones = np.zeros((n_groups, n_groups)), np.zeros((n_groups, n_groups)), np.zeros(n_groups)
    for time in np.unique(times[ended]):
        at_risk = _by_group(times >= time, member, n_groups)
        n_cause = _by_group((times == time) & of_cause, member, n_groups)
        n_other = _by_group((times == time) & ended & ~of_cause, member, n_groups)
        present = at_risk > 0
        # Those at risk had nobody ended by another cause: the risk set of the share, not of the hazard.
        weight = np.divide(at_risk, still_open, out=np.zeros(n_groups), where=present)
        share_risk = weight * (1 - share)
        left = np.where(present, still_open * (1 - (n_cause + n_other) / np.maximum(at_risk, 1)), still_open)
        share_next = share_of_all + n_cause.sum() / weight.sum()
        spread = np.diag(weight) - np.outer(weight, weight) / weight.sum()
        if n_cause.any():
            carried = carried + spread * n_cause.sum() / (weight.sum() * (1 - share_of_all))
            score += np.where(present, n_cause - n_cause.sum() * share_risk / share_risk.sum(), 0)
            tied = n_cause.sum() - 1
            for group in np.flatnonzero(present):
                correction = 1 - tied / (weight.sum() * still_open[group] - 1) if tied else 1.0
                step = correction * still_open[group] * n_cause.sum() / (weight.sum() * at_risk[group])
                later = 1 - (1 - share_next) / left[group] if left[group] > 0 else 1.0
                moved = spread[:, group] - later * carried[:, group]
                squares += np.outer(moved, moved) * step
                mixed[:, group] += moved * later * step
                ones[group] += later**2 * step
        for group in np.flatnonzero((left > 0) & (n_other > 0)):
            tied = n_other[group] - 1
            correction = 1 - tied / (at_risk[group] - 1) if tied else 1.0
            step = still_open[group] ** 2 * n_other[group] * correction / at_risk[group] ** 2
            later = (1 - share_next) / left[group]
            moved = -later * carried[:, group]
            squares += np.outer(moved, moved) * step
            mixed[:, group] += moved * later * step
            ones[group] += later**2 * step
        share = np.where(present, share + still_open * n_cause / np.maximum(at_risk, 1), share)
        still_open, share_of_all = left, share_next
    return score, squares + carried @ mixed.T + mixed @ carried.T + carried @ np.diag(ones) @ carried.T


def _by_group(chosen: np.ndarray, member: np.ndarray, n_groups: int) -> np.ndarray:
    return np.bincount(member[chosen], minlength=n_groups).astype(float)
