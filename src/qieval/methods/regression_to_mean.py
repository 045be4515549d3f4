"""Did the worst improve most, or were they only the worst of that day? Regression to the mean, told from change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qieval.errors import DataError, ParameterError


@dataclass(frozen=True, kw_only=True)
class Oldham:
    """Does change depend on the level it began from? Both correlations lie between -1 and 1."""

    naive: float  # change with baseline: negative even where nothing but chance is at work
    oldham: float  # change with the mean of both: 0 where the spread among facilities stayed the same
    low: float  # interval of `oldham`
    high: float
    p_value: float  # Pitman-Morgan: the spread is the same before and after
    sd_baseline: float
    sd_follow_up: float
    n: int


def oldham(baseline: ArrayLike, follow_up: ArrayLike, *, level: float = 0.95) -> Oldham:
    """Correlation of change with the mean of before and after, which chance alone does not make negative.

    Change is ``follow_up - baseline``. The test is that of Pitman and Morgan for equal variances of paired values,
    t with n - 2 degrees of freedom; the interval is Fisher's. A negative correlation says that facilities came
    closer together, which a ceiling at 100% brings about as well as help for those behind.

    Parameters
    ----------
    baseline, follow_up : arrays of float, one value per facility, in the same order

    Raises
    ------
    DataError
        If there are fewer than five pairs, one is missing, or all changes or all means are equal.

    References
    ----------
    .. [1] Oldham PD. A note on the analysis of repeated measurements of the same subjects. J Chronic Dis 1962;15:969.
    .. [2] Pitman EJG. A note on normal correlation. Biometrika 1939;31:9. Morgan WA. Biometrika 1939;31:13.
    .. [3] Tu YK, Gilthorpe MS. Revisiting the relation between change and initial value. Stat Med 2007;26:443.
    """
    from scipy.stats import pearsonr

    before, after = np.asarray(baseline, dtype=float), np.asarray(follow_up, dtype=float)
    if before.ndim != 1 or before.shape != after.shape:
        raise DataError(
            f"baseline and follow-up differ in shape ({before.shape} and {after.shape}): give one value of each per "
            f"facility, in the same order"
        )
    n = len(before)
    if n < 5:
        raise DataError(
            f"{n} facilities are too few to tell change from regression to the mean: it takes at least 5. Show each "
            f"facility's baseline and follow-up instead."
        )
    missing = ~(np.isfinite(before) & np.isfinite(after))
    if missing.any():
        raise DataError(f"{missing.sum()} of {n} facilities lack a baseline or a follow-up: drop them, and say so")
    change, mean = after - before, (before + after) / 2
    scale = 1e-12 * np.abs([before, after]).max()
    if min(np.std(before), np.std(change), np.std(mean)) <= scale:
        raise DataError(
            "all facilities have the same baseline, change or mean of both: there is nothing that change could "
            "depend on. Show the change alone."
        )
    # Both variances are equal where change and mean are uncorrelated: its p-value is that of Pitman and Morgan.
    with np.errstate(divide="ignore"):  # facilities exactly on one line: Fisher's interval is then that point
        found = pearsonr(change, mean)
        low, high = found.confidence_interval(level)
    return Oldham(
        naive=float(np.corrcoef(change, before)[0, 1]),
        oldham=float(found.statistic),
        low=float(low),
        high=float(high),
        p_value=float(found.pvalue),
        sd_baseline=float(np.std(before, ddof=1)),
        sd_follow_up=float(np.std(after, ddof=1)),
        n=n,
    )


def expected_regression(share: float, *, sd_within: float, sd_between: float = 0.0, measurements: int = 1) -> float:
    """By how much the worst `share` at baseline will seem to improve if nothing changes, on the scale of the outcome.

    ``v / sqrt(sd_between ** 2 + v) * C`` with ``v = sd_within ** 2 / measurements`` and ``C`` the mean distance of
    the lowest `share` of a standard normal distribution from its mean. For a handful of facilities it is a little
    less (2% for the worst 10 of 40).

    Parameters
    ----------
    share : float between 0 and 1
        The part of all facilities that was chosen for its low baseline, 0.25 for the worst quarter.
    sd_within : float
        Standard deviation of one facility's measurements about its own level. For a proportion p of n people it
        is at least ``sqrt(p * (1 - p) / n)``.
    sd_between : float
        Standard deviation of the true levels among all facilities; 0 if they are all alike.
    measurements : int
        How many measurements, each with `sd_within`, were averaged for the baseline they were chosen by.

    Raises
    ------
    ParameterError
        If a value is outside its range.

    References
    ----------
    .. [1] Barnett AG, van der Pols JC, Dobson AJ. Regression to the mean: what it is and how to deal with it.
       Int J Epidemiol 2005;34:215.
    """
    from scipy.stats import norm

    if not 0 < share < 1 or not sd_within >= 0 or not sd_between >= 0 or measurements < 1:
        raise ParameterError(
            f"no expected regression for share {share}, sd_within {sd_within}, sd_between {sd_between}, measurements "
            f"{measurements}: give a share between 0 and 1, standard deviations of 0 or more and at least 1 measurement"
        )
    noise = sd_within**2 / measurements
    if noise == 0:
        return 0.0
    return float(noise / np.sqrt(sd_between**2 + noise) * norm.pdf(norm.ppf(share)) / share)
