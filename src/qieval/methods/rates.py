"""Proportions and ratios of counts, with intervals that hold for small numbers."""

from __future__ import annotations

from dataclasses import dataclass

from qieval.errors import DataError


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


def proportion(successes: int, total: int, *, level: float = 0.95) -> Proportion:
    """A proportion with its Wilson score interval.

    Raises
    ------
    DataError
        If `total` is 0, or `successes` is not between 0 and `total`.

    References
    ----------
    .. [1] Wilson EB. Probable inference, the law of succession, and statistical inference. JASA 1927;22:209.
    """
    from statsmodels.stats.proportion import proportion_confint

    if total <= 0 or not 0 <= successes <= total:
        raise DataError(f"{successes} of {total} is not a proportion: it needs 0 <= part <= whole and a whole above 0")
    low, high = proportion_confint(successes, total, alpha=1 - level, method="wilson")
    return Proportion(
        successes=successes,
        total=total,
        estimate=successes / total,
        low=max(float(low), 0.0),
        high=min(float(high), 1.0),
    )


def ratio(done: int, planned: int, *, level: float = 0.95) -> Ratio:
    """Done over planned, `done` a Poisson count and `planned` a fixed number, with the exact interval.

    More can be done than planned, so the ratio may exceed 1; it is an intensity, not a coverage.

    Raises
    ------
    DataError
        If nothing was planned: there is no ratio, only a count.

    References
    ----------
    .. [1] Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936;28:437.
    """
    from statsmodels.stats.rates import confint_poisson

    if planned <= 0 or done < 0:
        raise DataError(f"{done} done of {planned} planned has no ratio: give the counts instead")
    low, high = confint_poisson(done, planned, method="exact-c", alpha=1 - level)
    # The lower limit at no visit is 0; the chi-squared quantile behind it is undefined there.
    return Ratio(done=done, planned=planned, ratio=done / planned, low=float(low) if done else 0.0, high=float(high))
