"""Proportions and ratios of counts, with intervals that hold for small numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qieval.errors import DataError, ParameterError
from qieval.methods.jackknife import jackknife_error

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


def level_problems(level: Any) -> list[str]:
    """What is wrong with the level of an interval, in words; nothing where it is a proportion."""
    if isinstance(level, Real) and 0 < float(level) < 1:
        return []
    return [f"level is {_shown(level)}: give a proportion such as 0.95"]


def proportion(successes: int, total: int, *, level: float = 0.95, method: str = "wilson") -> Proportion:
    """A proportion with its interval: Wilson's score interval, or the exact one of Clopper and Pearson.

    Wilson's holds its level on average; the exact one never falls below it and is wider.

    Parameters
    ----------
    method : "wilson" or "exact"

    Raises
    ------
    DataError
        If a count is missing or not whole, `total` is 0, or `successes` is not between 0 and `total`.
    ParameterError
        If `method` is neither, or `level` not between 0 and 1.

    References
    ----------
    .. [1] Wilson EB. Probable inference, the law of succession, and statistical inference. JASA 1927;22:209.
    .. [2] Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial.
       Biometrika 1934;26:404.
    """
    from statsmodels.stats.proportion import proportion_confint

    if method not in _PROPORTION_METHODS:
        raise ParameterError(f"method is {method!r}: give {' or '.join(map(repr, _PROPORTION_METHODS))}")
    _check_level(level)
    _check_proportion(successes, total)
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
        If nothing was planned, or how much is missing: there is no ratio, only a count. If a count is not whole. If
        more was done than planned and that cannot be.
    ParameterError
        If `level` is not between 0 and 1.

    References
    ----------
    .. [1] Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936;28:437.
    """
    from statsmodels.stats.rates import confint_poisson

    _check_level(level)
    wrong = _not_counts(done=done, planned=planned)
    if wrong:
        raise DataError(f"{wrong}: there is no ratio, give the counts instead")
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

    Raises
    ------
    DataError
        If either is not a proportion, as in `proportion`.
    ParameterError
        If `level` is not between 0 and 1.

    References
    ----------
    .. [1] Newcombe RG. Interval estimation for the difference between independent proportions: comparison of
       eleven methods. Stat Med 1998;17:873, method 10.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    _check_level(level)
    _check_proportion(successes, total)
    _check_proportion(other_successes, other_total)
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

    Raises
    ------
    DataError
        If a count is missing, negative or not whole, or an exposure is missing, 0 or less.
    ParameterError
        If `level` is not between 0 and 1.

    References
    ----------
    .. [1] Przyborowski J, Wilenski H. Homogeneity of results in testing samples from Poisson series.
       Biometrika 1940;31:313.
    """
    from scipy.stats import binomtest

    _check_level(level)
    _check_rate(events, exposure)
    _check_rate(other_events, other_exposure)
    both = events + other_events
    if both == 0:
        return math.nan, 0.0, math.inf
    share = binomtest(int(events), int(both)).proportion_ci(confidence_level=level, method="exact")
    scale = other_exposure / exposure
    estimate, low, high = (
        math.inf if part >= 1 else part / (1 - part) * scale for part in (events / both, share.low, share.high)
    )
    return estimate, low, high


def clustered_rate_ratio(
    events: ArrayLike, exposure: ArrayLike, is_first: ArrayLike, *, level: float = 0.95
) -> tuple[float, float, float]:
    """The rate of one group of units over that of the others, where units of a group differ: estimate, low, high.

    Rates are events over exposure, added up. The interval is of the log ratio: in each group the jackknife over its
    units, so that facilities may differ by more (or less) than chance, and by more in one group than in the
    other; Student's t with Satterthwaite's degrees of freedom. `rate_ratio` takes every event as independent: where
    the rates of units vary by 70% its interval held the truth in 61 of 100 trials, this one in 94 to 96.

    Parameters
    ----------
    events : array of float, 0 or more, one per unit
    exposure : array of float above 0
    is_first : array of bool
        Which units belong to the first group.

    Raises
    ------
    DataError
        If a value is missing or impossible, a group has fewer than 2 units, or its events hang on one unit alone.
    ParameterError
        If `level` is not between 0 and 1.

    References
    ----------
    .. [1] Efron B, Tibshirani RJ. An Introduction to the Bootstrap, 1993, sec. 11.2.
    .. [2] Satterthwaite FE. An approximate distribution of estimates of variance components. Biometrics 1946;2:110.
    """
    from scipy.stats import t

    _check_level(level)
    counts, over = np.asarray(events, dtype=float), np.asarray(exposure, dtype=float)
    first = np.asarray(is_first, dtype=bool)
    if not len(counts) == len(over) == len(first):
        raise DataError(f"{len(counts)} counts, {len(over)} exposures and {len(first)} groups: give one of each a unit")
    if not (np.isfinite(counts) & (counts >= 0) & np.isfinite(over) & (over > 0)).all():
        raise DataError("a unit has no rate: each needs 0 or more events and an exposure above 0")
    logs, variances, spare = [], [], []
    for group in (first, ~first):
        own, time = counts[group], over[group]
        if (own > 0).sum() < 2:
            raise DataError("a group has fewer than two units with an event: give the counts instead of a ratio")
        logs.append(math.log(own.sum() / time.sum()))
        variances.append(float(jackknife_error(np.log((own.sum() - own) / (time.sum() - time)))) ** 2)
        spare.append(len(own) - 1)
    difference, variance = logs[0] - logs[1], sum(variances)
    if variance < 1e-20:
        return math.exp(difference), math.nan, math.nan
    df = variance**2 / sum(part**2 / left for part, left in zip(variances, spare, strict=True))
    width = float(t.ppf((1 + level) / 2, df)) * math.sqrt(variance)
    return math.exp(difference), math.exp(difference - width), math.exp(difference + width)


def clustered_share(parts: ArrayLike, wholes: ArrayLike, *, level: float = 0.95) -> tuple[float, float, float]:
    """All parts over all wholes, one of each a unit, with the jackknife interval over units: estimate, low, high.

    Student's t on n - 1 degrees of freedom, cut at 0 and 1. The limits are missing where all units are alike, since
    nothing then tells how much such units vary.

    Raises
    ------
    DataError
        If a part is not between 0 and its whole, a whole is not above 0, or there are fewer than 2 units.
    ParameterError
        If `level` is not between 0 and 1.

    References
    ----------
    .. [1] Efron B, Tibshirani RJ. An Introduction to the Bootstrap, 1993, sec. 11.2.
    """
    from scipy.stats import t

    _check_level(level)
    part, whole = np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)
    if len(part) != len(whole) or not ((part >= 0) & (part <= whole) & (whole > 0)).all():
        raise DataError("a unit is no share: each needs 0 <= part <= whole and a whole above 0")
    error = float(jackknife_error((part.sum() - part) / (whole.sum() - whole))) if len(part) > 1 else math.nan
    if math.isnan(error):
        raise DataError("the share of a single unit has no interval over units: give its counts instead")
    estimate = float(part.sum() / whole.sum())
    if error < 1e-10:
        return estimate, math.nan, math.nan
    width = float(t.ppf((1 + level) / 2, len(part) - 1)) * error
    return estimate, max(estimate - width, 0.0), min(estimate + width, 1.0)


def _check_level(level: Any) -> None:
    problems = level_problems(level)
    if problems:
        raise ParameterError(problems[0])


def _check_proportion(successes: int, total: int) -> None:
    wrong = _not_counts(part=successes, whole=total)
    if wrong:
        raise DataError(f"{wrong}: there is no proportion, give the counts instead")
    if total <= 0 or not 0 <= successes <= total:
        raise DataError(f"{successes} of {total} is not a proportion: it needs 0 <= part <= whole and a whole above 0")


def _check_rate(events: int, exposure: float) -> None:
    wrong = _not_counts(events=events)
    if not wrong and _shown(exposure) == "missing":
        wrong = f"the exposure of {events} events is missing"
    elif not wrong and not (_is_finite(exposure) and exposure > 0 and events >= 0):
        wrong = f"{events} events in an exposure of {_shown(exposure)}"
    if wrong:
        raise DataError(f"{wrong}: there is no rate. It needs 0 or more events and an exposure above 0")


def _not_counts(**counts: Any) -> str:
    """Which of these are no whole numbers, in words; nothing where all are. A float that is whole is a count."""
    found = []
    for name, count in counts.items():
        if _shown(count) == "missing":
            found.append(f"{name} is missing")
        elif not _is_finite(count) or count % 1:
            found.append(f"{name} is {_shown(count)}, not a whole number")
    return " and ".join(found)


def _is_finite(number: object) -> bool:
    return isinstance(number, Real) and math.isfinite(number)


def _shown(value: object) -> str:
    if value is None or (not isinstance(value, str) and str(value) in ("nan", "NaT", "<NA>")):
        return "missing"
    return repr(value) if isinstance(value, str) else str(value)
