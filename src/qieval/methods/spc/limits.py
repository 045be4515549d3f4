"""Centre line and limits of every kind of chart, for many series at once.

All functions take a `Block`: matrices with one row per series (or phase of one) and one column per period, in
time order. They return `Limits`, from which any multiple of sigma can be drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

Gaps = Literal["break", "bridge"]
Within = Literal["auto", "mean", "pooled", "range"]

# As printed in the tables of Montgomery, Introduction to Statistical Quality Control, 7th ed., appendix VI: other
# programs use the same digits, so results agree to the last one.
D2 = 1.128  # expected range of two values, in standard deviations
D4 = 3.267  # upper limit of a range of two values, in mean ranges


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """Series of equal length as matrices, a row each."""

    value: np.ndarray  # what is drawn, before `per`; missing: a gap
    total: np.ndarray | None = None  # counts: the numerator; subgroups: the sum of their values
    n: np.ndarray | None = None  # denominators, or the sizes of subgroups; None where the kind has none
    sd: np.ndarray | None = None  # standard deviation of each subgroup
    range: np.ndarray | None = None  # largest minus smallest value of each subgroup
    within: Within = "auto"  # how the standard deviation inside subgroups is estimated, see `means`
    base: np.ndarray | None = None  # which values the limits come from; None: all, and none is missing
    skipped: np.ndarray | None = None  # which were excluded by hand; moving ranges go across them
    screen: bool = True  # leave moving ranges above their own upper limit out of their mean
    narrow: bool = True  # Laney's limits may become narrower than chance alone has them
    d2: float = D2  # the expected range of two values
    gaps: Gaps = "break"  # what a missing period does to the moving range across it


@dataclass(frozen=True, eq=False, kw_only=True)
class Limits:
    """Centre lines and limits; the limits at k sigma are ``(middle -+ k * sigma) ** power``, within bounds."""

    value: np.ndarray  # what is drawn; differs from the block's for moving ranges and standard deviations
    centre: np.ndarray  # (series,)
    middle: np.ndarray  # (series,), what the limits lie around
    sigma: np.ndarray | None  # (series,) or (series, periods); None: a chart without limits
    lowest: float = -np.inf
    highest: float = np.inf
    power: float = 1.0
    n_screened: np.ndarray | None = None  # (series,), moving ranges left out
    fell_back: np.ndarray | None = None  # (series,), whether leaving out would have left nothing but zeros
    sigma_z: np.ndarray | None = None  # (series,), Laney's ratio of the scatter seen to the scatter by chance

    def at(self, k: float) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limit at `k` sigma, (series, 1) or (series, periods); missing where sigma is 0."""
        assert self.sigma is not None
        sigma = self.sigma if self.sigma.ndim == 2 else self.sigma[:, np.newaxis]
        # Where nothing varied nothing can be told from chance: no limits, instead of limits without width.
        reach = np.where(sigma > 0, k * sigma, np.nan)
        middle = self.middle[:, np.newaxis]
        lower, upper = middle - reach, middle + reach
        if self.power != 1:
            lower, upper = np.maximum(lower, 0) ** self.power, upper**self.power
        if np.isfinite(self.lowest):
            np.maximum(lower, self.lowest, out=lower)
        if np.isfinite(self.highest):
            np.minimum(upper, self.highest, out=upper)
        return lower, upper


def run(block: Block) -> Limits:
    """The median; a run chart has no limits."""
    centre = _median(block.value, block.base)
    return Limits(value=block.value, centre=centre, middle=centre, sigma=None)


def individuals(block: Block) -> Limits:
    """Mean and moving-range limits of single values.

    References
    ----------
    .. [1] Montgomery DC. Introduction to Statistical Quality Control, 7th ed., 2013, sec. 6.4.
    .. [2] Provost LP, Murray SK. The Health Care Data Guide, 2nd ed., 2022: leaving out moving ranges above
       their own limit, so that one leap does not widen all limits. Wheeler advises against; hence `screen`.
    """
    centre = _mean(block.value, block.base)
    ranges, screening = _mean_moving_range(block.value, block)
    return Limits(value=block.value, centre=centre, middle=centre, sigma=ranges / block.d2, **screening)


def moving_ranges(block: Block) -> Limits:
    """Moving ranges of single values: how much neighbours differ. Source: Montgomery, sec. 6.4."""
    ranges = _moving_ranges(block.value, block)
    within = _moving_ranges(block.value, block, within_base=True)
    centre = _mean(within, np.isfinite(within))
    return Limits(value=ranges, centre=centre, middle=centre, sigma=centre * (D4 - 1) / 3, lowest=0)


def means(block: Block) -> Limits:
    """Means of subgroups (x-bar), by the standard deviation inside subgroups.

    `within` says how that is estimated: "mean" of the subgroups' standard deviations, or "pooled" by their degrees
    of freedom, which small subgroups of unequal size need; "auto" takes the mean where all sizes are equal and
    pools otherwise, as the source does and qicharts2; "range" takes the mean range over its expected size, as qcc.
    Source: Montgomery, sec. 6.2 and 6.3, equations 6.27 to 6.31.
    """
    centre, n = _over_people(block)
    if block.within == "range":
        assert block.range is not None
        several = _with_spread(block, block.range)
        sigma = _mean(block.range / _d2(n), several)[:, np.newaxis] / np.sqrt(n)
    else:
        sigma = _sd_within(block)[:, np.newaxis] / (_c4(n) * np.sqrt(n))
    return Limits(value=block.value, centre=centre, middle=centre, sigma=sigma)


def standard_deviations(block: Block) -> Limits:
    """Standard deviations of subgroups (s), by `within` as in `means`; subgroups of one have none.

    Source: Montgomery, sec. 6.3.
    """
    assert block.n is not None
    centre = _sd_within(block)
    c4 = _c4(block.n)
    sigma = centre[:, np.newaxis] * np.sqrt(1 - c4**2) / c4
    assert block.sd is not None
    return Limits(value=block.sd, centre=centre, middle=centre, sigma=sigma, lowest=0)


def proportions(block: Block) -> Limits:
    """Proportions (p). The centre is pooled over people: 4 births must not weigh as much as 400.

    Source: Montgomery, sec. 7.2.
    """
    centre, by_chance = _binomial(block)
    return Limits(value=block.value, centre=centre, middle=centre, sigma=by_chance, lowest=0, highest=1)


def proportions_laney(block: Block) -> Limits:
    """Proportions with limits widened, or narrowed, to the scatter there is from month to month (p').

    References
    ----------
    .. [1] Laney DB. Improved control charts for attributes. Quality Engineering 2002;14:531.
    """
    centre, by_chance = _binomial(block)
    return _laney(block, centre, by_chance, highest=1)


def counts(block: Block) -> Limits:
    """Counts of events among equal numbers of people (c). Source: Montgomery, sec. 7.3."""
    centre = _mean(block.value, block.base)
    return Limits(value=block.value, centre=centre, middle=centre, sigma=np.sqrt(centre), lowest=0)


def rates(block: Block) -> Limits:
    """Events per exposure, such as bed days (u). Source: Montgomery, sec. 7.3."""
    centre, by_chance = _poisson(block)
    return Limits(value=block.value, centre=centre, middle=centre, sigma=by_chance, lowest=0)


def rates_laney(block: Block) -> Limits:
    """Rates with limits widened, or narrowed, to the scatter there is (u'). Source: Laney 2002."""
    centre, by_chance = _poisson(block)
    return _laney(block, centre, by_chance)


def between(block: Block) -> Limits:
    """Cases between events (g), such as deliveries between two infections.

    The limits come from the mean of a geometric distribution. The line is drawn at the median, since the
    distribution is so skewed that far more than half of the cases lie below the mean and the runs rules would
    signal where nothing happened.

    References
    ----------
    .. [1] Benneyan JC. Number-between g-type statistical quality control charts for monitoring adverse events.
       Health Care Manag Sci 2001;4:305.
    """
    mean = _mean(block.value, block.base)
    sigma = np.sqrt(mean * (mean + 1))
    return Limits(value=block.value, centre=_median(block.value, block.base), middle=mean, sigma=sigma, lowest=0)


def time_between(block: Block) -> Limits:
    """Time between events (t), made nearly normal by the power 1/3.6 and drawn as it was.

    References
    ----------
    .. [1] Nelson LS. A control chart for parts-per-million nonconforming items. J Qual Technol 1994;26:239.
    """
    transformed = block.value ** (1 / 3.6)
    mean = _mean(transformed, block.base)
    ranges, screening = _mean_moving_range(transformed, block)
    return Limits(value=block.value, centre=mean**3.6, middle=mean, sigma=ranges / block.d2, power=3.6, **screening)


def individuals_normalised(block: Block) -> Limits:
    """Ratios with denominators of unequal size, their scatter taken from what neighbours show (I').

    References
    ----------
    .. [1] Taylor WA. Normalized individuals control chart. Taylor Enterprises, 2018: a moving range is divided
       by its expected size given both denominators.
    """
    centre, n = _over_people(block)
    ranges, screening = _mean_moving_range(block.value, block, inverse_n=1 / n)
    # Two normal values with standard deviations s / sqrt(n) differ by s * sqrt(2 / pi) * sqrt(1 / n1 + 1 / n2).
    sigma = (ranges * np.sqrt(np.pi / 2))[:, np.newaxis] / np.sqrt(n)
    return Limits(value=block.value, centre=centre, middle=centre, sigma=sigma, **screening)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of chart, and what it asks of the data."""

    name: str
    limits: Callable[[Block], Limits]
    needs: Literal["value", "count", "proportion", "rate", "subgroup"] = "value"
    is_screened: bool = False  # its limits rest on moving ranges


KINDS = {
    "run": Kind(name="Run chart", limits=run),
    "i": Kind(name="Individuals chart (I)", limits=individuals, is_screened=True),
    "mr": Kind(name="Moving range chart (MR)", limits=moving_ranges),
    "xbar": Kind(name="Chart of subgroup means (x-bar)", limits=means, needs="subgroup"),
    "s": Kind(name="Chart of subgroup standard deviations (S)", limits=standard_deviations, needs="subgroup"),
    "p": Kind(name="Chart of proportions (P)", limits=proportions, needs="proportion"),
    "pp": Kind(name="Chart of proportions (P', Laney)", limits=proportions_laney, needs="proportion", is_screened=True),
    "c": Kind(name="Chart of counts (C)", limits=counts, needs="count"),
    "u": Kind(name="Chart of rates (U)", limits=rates, needs="rate"),
    "up": Kind(name="Chart of rates (U', Laney)", limits=rates_laney, needs="rate", is_screened=True),
    "g": Kind(name="Cases between events (G)", limits=between, needs="count"),
    "t": Kind(name="Time between events (T)", limits=time_between, needs="count", is_screened=True),
    "ip": Kind(name="Normalised individuals chart (I')", limits=individuals_normalised, needs="rate", is_screened=True),
}


def _sum(x: np.ndarray, base: np.ndarray | None) -> np.ndarray:
    return x.sum(axis=1) if base is None else np.where(base, x, 0.0).sum(axis=1)


def _mean(x: np.ndarray, base: np.ndarray | None) -> np.ndarray:
    if base is None:
        return x.mean(axis=1)
    with np.errstate(invalid="ignore"):  # nothing to average: missing
        return _sum(x, base) / base.sum(axis=1)


def _median(x: np.ndarray, base: np.ndarray | None) -> np.ndarray:
    if base is None:
        return np.median(x, axis=1)
    in_order = np.sort(np.where(base, x, np.nan), axis=1)  # missing values come last
    known = base.sum(axis=1)
    rows, last = np.arange(len(x)), x.shape[1] - 1
    median = (in_order[rows, np.maximum(known - 1, 0) // 2] + in_order[rows, np.minimum(known // 2, last)]) / 2
    return np.where(known > 0, median, np.nan)


def _over_people(block: Block) -> tuple[np.ndarray, np.ndarray]:
    """The sum of the numerators over that of the denominators, and the denominators."""
    assert block.n is not None
    assert block.total is not None
    return _sum(block.total, block.base) / _sum(block.n, block.base), block.n


def _binomial(block: Block) -> tuple[np.ndarray, np.ndarray]:
    centre, n = _over_people(block)
    return centre, np.sqrt(centre * (1 - centre))[:, np.newaxis] / np.sqrt(n)


def _poisson(block: Block) -> tuple[np.ndarray, np.ndarray]:
    centre, n = _over_people(block)
    return centre, np.sqrt(centre)[:, np.newaxis] / np.sqrt(n)


def _laney(block: Block, centre: np.ndarray, by_chance: np.ndarray, *, highest: float = np.inf) -> Limits:
    z = (block.value - centre[:, np.newaxis]) / np.where(by_chance > 0, by_chance, np.nan)
    ranges, screening = _mean_moving_range(z, block)
    sigma_z = ranges / block.d2
    if not block.narrow:
        sigma_z = np.where(sigma_z < 1, 1.0, sigma_z)
    return Limits(
        value=block.value, centre=centre, middle=centre, sigma=by_chance * sigma_z[:, np.newaxis],
        lowest=0, highest=highest, **screening, sigma_z=sigma_z,
    )  # fmt: skip


def _mean_moving_range(
    x: np.ndarray, block: Block, *, inverse_n: np.ndarray | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Mean moving range of each series, and what screening did, as the fields of `Limits`."""
    ranges = _moving_ranges(x, block, inverse_n=inverse_n, within_base=True)
    known = np.isfinite(ranges)
    mean = _mean(ranges, known)
    if not block.screen:
        return mean, {}
    kept = known & (ranges < D4 * mean[:, np.newaxis])
    screened = _mean(ranges, kept)
    # In a nearly constant series screening leaves only zeros: better the mean of all than limits without width.
    usable = screened > 0
    left_out = np.where(usable, (known & ~kept).sum(axis=1), 0)
    return np.where(usable, screened, mean), {"n_screened": left_out, "fell_back": ~usable & (mean > 0)}


def _moving_ranges(
    x: np.ndarray, block: Block, *, inverse_n: np.ndarray | None = None, within_base: bool = False
) -> np.ndarray:
    """How much each value differs from the one before it; missing where there is none to compare with.

    An excluded value is passed over and its neighbours are compared; so are the neighbours of a gap if `gaps` is
    "bridge". A missing month breaks the series by default: its neighbours are two months apart.
    """
    passed_over = np.zeros(x.shape, dtype=bool) if block.skipped is None else block.skipped
    if within_base and block.base is not None:
        # What follows a baseline is not compared with it; before it nothing is.
        x = np.where(block.base | passed_over, x, np.nan)
    if block.gaps == "bridge":
        passed_over = passed_over | ~np.isfinite(x)
    ranges = np.full(x.shape, np.nan)
    if not passed_over.any():
        ranges[:, 1:] = np.abs(np.diff(x, axis=1))
        if inverse_n is not None:
            ranges[:, 1:] /= np.sqrt(inverse_n[:, 1:] + inverse_n[:, :-1])
        return ranges
    before = np.full(len(x), np.nan)
    before_n = np.full(len(x), np.nan)
    for t in range(x.shape[1]):
        counts_here = ~passed_over[:, t]
        scale = 1.0 if inverse_n is None else np.sqrt(inverse_n[:, t] + before_n)
        ranges[:, t] = np.where(counts_here, np.abs(x[:, t] - before) / scale, np.nan)
        before = np.where(counts_here, x[:, t], before)
        if inverse_n is not None:
            before_n = np.where(counts_here, inverse_n[:, t], before_n)
    return ranges


def _with_spread(block: Block, spread: np.ndarray) -> np.ndarray:
    assert block.n is not None
    several = np.isfinite(spread) & (block.n > 1)
    return several if block.base is None else several & block.base


def _sd_within(block: Block) -> np.ndarray:
    """Standard deviation inside subgroups, over those of two or more."""
    assert block.n is not None
    assert block.sd is not None
    several = _with_spread(block, block.sd)
    freedom = np.where(several, block.n - 1, 0.0)
    pooled = np.sqrt(np.where(several, freedom * block.sd**2, 0.0).sum(axis=1) / freedom.sum(axis=1))
    if block.within == "pooled":
        return pooled
    mean = _mean(block.sd, several)
    if block.within == "mean":
        return mean
    smallest = np.where(several, block.n, np.inf).min(axis=1)
    return np.where(smallest == np.where(several, block.n, 0).max(axis=1), mean, pooled)


def _c4(n: np.ndarray) -> np.ndarray:
    """The expected standard deviation of n normal values, in standard deviations; missing below two."""
    return _by_size(_c4_of, n)


def _d2(n: np.ndarray) -> np.ndarray:
    """The expected range of n normal values, in standard deviations, as printed: to three decimals."""
    return _by_size(_d2_of, n)


def _by_size(constant: Callable[[float], float], n: np.ndarray) -> np.ndarray:
    sizes, where = np.unique(n, return_inverse=True)
    return np.array([constant(float(size)) for size in sizes])[where].reshape(n.shape)


@lru_cache(maxsize=1024)
def _c4_of(n: float) -> float:
    from math import exp, lgamma, sqrt

    return sqrt(2 / (n - 1)) * exp(lgamma(n / 2) - lgamma((n - 1) / 2)) if n >= 2 else np.nan


@lru_cache(maxsize=1024)
def _d2_of(n: float) -> float:
    from scipy.integrate import quad
    from scipy.stats import norm

    if not n >= 2:
        return np.nan
    return round(2 * quad(lambda x: 1 - norm.cdf(x) ** n - norm.sf(x) ** n, 0, 12, epsabs=1e-13)[0], 3)
