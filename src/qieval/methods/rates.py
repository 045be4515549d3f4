"""Proportions and ratios of counts, with intervals that hold for small numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qieval.errors import DataError, ParameterError

_PROPORTION_METHODS = {"wilson": "wilson", "exact": "beta"}  # as statsmodels calls them


@dataclass(frozen=True, kw_only=True)
class Proportion:
    """So many of so many, with a 95% interval."""

    successes: int
    total: int
    estimate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """What was done of what was planned, with a 95% interval."""

    done: int
    planned: int
    ratio: float
    low: float
    high: float


def proportion(successes: int, total: int, *, level: float = 0.95, method: str = "wilson") -> Proportion:
    """A proportion with its interval: Wilson's score interval, or the exact one of Clopper and Pearson.

    Wilson's holds its level on average; the exact one never falls below it and is wider.

    Parameters
    ----------
    method : "wilson" or "exact"

    Raises
    ------
    DataError
        If `total` is 0, or `successes` is not between 0 and `total`.
    ParameterError
        If `method` is neither.

    References
    ----------
    .. [1] Wilson EB. Probable inference, the law of succession, and statistical inference. JASA 1927;22:209.
    .. [2] Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial.
       Biometrika 1934;26:404.
    """
    from statsmodels.stats.proportion import proportion_confint

    if method not in _PROPORTION_METHODS:
        raise ParameterError(f"method is {method!r}: give {' or '.join(map(repr, _PROPORTION_METHODS))}")
    if total <= 0 or not 0 <= successes <= total:
        raise DataError(f"{successes} of {total} is not a proportion: it needs 0 <= part <= whole and a whole above 0")
    low, high = proportion_confint(successes, total, alpha=1 - level, method=_PROPORTION_METHODS[method])
    return Proportion(
        successes=successes,
        total=total,
        estimate=successes / total,
        # Exactly 0 and 1 at the ends, where rounding leaves a trace that would be read as "under 1%".
        low=float(low) if successes else 0.0,
        high=float(high) if successes < total else 1.0,
    )


def ratio(done: int, planned: int, *, level: float = 0.95, can_exceed: bool = True) -> Ratio:
    """Done over planned, `done` a Poisson count and `planned` a fixed number, with the exact interval.

    More can be done than planned, so the ratio may exceed 1; it is an intensity, not a coverage. Where each that was
    planned is either done or not, say so with ``can_exceed=False``: `done` is then binomial, and the interval that of
    Clopper and Pearson.

    Raises
    ------
    DataError
        If nothing was planned: there is no ratio, only a count. If more was done than planned and that cannot be.

    References
    ----------
    .. [1] Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936;28:437.
    """
    from statsmodels.stats.rates import confint_poisson

    if planned <= 0 or done < 0:
        raise DataError(f"{done} done of {planned} planned has no ratio: give the counts instead")
    if not can_exceed:
        if done > planned:
            raise DataError(f"{done} done of {planned} planned, though none can be extra: count only what was planned")
        exact = proportion(done, planned, level=level, method="exact")
        return Ratio(done=done, planned=planned, ratio=exact.estimate, low=exact.low, high=exact.high)
    low, high = confint_poisson(done, planned, method="exact-c", alpha=1 - level)
    # The lower limit at no visit is 0; the chi-squared quantile behind it is undefined there.
    return Ratio(done=done, planned=planned, ratio=done / planned, low=float(low) if done else 0.0, high=float(high))


def proportion_difference(
    successes: int, total: int, other_successes: int, other_total: int, *, level: float = 0.95
) -> tuple[float, float, float]:
    """The first proportion minus the second, with its Newcombe interval: estimate, low, high.

    References
    ----------
    .. [1] Newcombe RG. Interval estimation for the difference between independent proportions: comparison of
       eleven methods. Stat Med 1998;17:873, method 10.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(
        successes, total, other_successes, other_total, method="newcomb", compare="diff", alpha=1 - level
    )
    return successes / total - other_successes / other_total, float(low), float(high)


def rate_ratio(
    events: int, exposure: float, other_events: int, other_exposure: float, *, level: float = 0.95
) -> tuple[float, float, float]:
    """The first rate over the second, with its exact conditional interval: estimate, low, high.

    Given the sum of both counts, the first is binomial; its Clopper-Pearson limits are those of the ratio. The
    estimate and the upper limit are infinite where the second count is 0, and missing where both are.

    References
    ----------
    .. [1] Przyborowski J, Wilenski H. Homogeneity of results in testing samples from Poisson series.
       Biometrika 1940;31:313.
    """
    from scipy.stats import binomtest

    both = events + other_events
    if both == 0:
        return math.nan, 0.0, math.inf
    share = binomtest(events, both).proportion_ci(confidence_level=level, method="exact")
    scale = other_exposure / exposure
    estimate, low, high = (
        math.inf if part >= 1 else part / (1 - part) * scale for part in (events / both, share.low, share.high)
    )
    return estimate, low, high
