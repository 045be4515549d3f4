"""Funnel plots: which of many units differ from an overall level by more than chance, and by more than the usual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError, bulleted

FEWEST_UNITS = 5  # with fewer, the spread between units is not worth estimating
CURVE_POINTS = 100  # denominators of a curve, evenly spaced by ratio from the smallest to the largest


class _Scale(NamedTuple):
    """Where z scores are taken; the standard error is that of chance alone, by the delta method at the target."""

    forward: Callable[[Any], Any]
    backward: Callable[[np.ndarray], np.ndarray]
    standard_error: Callable[[float, np.ndarray], np.ndarray]


# Beyond their ends a sine and a square would turn back into the plot: hence the clips.
_ROOT = _Scale(np.sqrt, lambda x: x.clip(0) ** 2, lambda target, n: 1 / (2 * np.sqrt(n)))
_ARCSINE = _ROOT._replace(
    forward=lambda value: np.arcsin(np.sqrt(value)), backward=lambda x: np.sin(x.clip(0, np.pi / 2)) ** 2
)
_LOG = _Scale(np.log, np.exp, lambda target, n: 1 / np.sqrt(target * n))
_COUNT = _Scale(lambda value: value, lambda x: x, lambda target, n: np.sqrt(target / n))
_SHARE = _COUNT._replace(standard_error=lambda target, n: np.sqrt(target * (1 - target) / n))
SCALES = {
    "proportion": {"arcsine": _ARCSINE, "natural": _SHARE},
    "rate": {"root": _ROOT, "log": _LOG, "natural": _COUNT},
    "ratio": {"root": _ROOT, "log": _LOG, "natural": _COUNT},
}
OVERDISPERSION = {
    "proportion": ("none", "additive", "multiplicative", "beta-binomial"),
    "rate": ("none", "additive", "multiplicative", "negative-binomial"),
    "ratio": ("none", "additive", "multiplicative", "negative-binomial"),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Funnel:
    """The limits of a funnel plot, the place of each unit, and every choice that made them."""

    kind: str
    target: float  # the level the units are compared with, on the scale of units["value"]
    limits: tuple[float, ...]  # levels, e.g. 0.95 and 0.998
    overdispersion: str
    scale: str  # of z, phi, tau2 and the limits made from them
    winsorise: float
    trim: bool
    rescale: bool
    phi: float  # mean squared z after winsorising; by chance alone 1, or 0.68 if winsorised at 0.1 and not rescaled
    tau2: float  # variance between units on `scale`; like phi, missing below five units
    dispersion: float  # rho of the beta-binomial, alpha of the negative binomial; missing where not asked for
    units: pd.DataFrame  # in the order of the data; columns under `funnel`
    curve: pd.DataFrame  # by denominator: lower_95, upper_95, ... and unadjusted_lower_95, unadjusted_upper_95, ...
    outside: pd.DataFrame  # one row per level: level, n_units, n_below, n_above, expected_by_chance


def funnel(
    data: pd.DataFrame,
    kind: str,
    *,
    unit: str = "facility",
    numerator: str = "numerator",
    denominator: str = "denominator",
    target: float | None = None,
    limits: tuple[float, ...] = (0.95, 0.998),
    overdispersion: str = "none",
    winsorise: float = 0.1,
    trim: bool = False,
    rescale: bool = False,
    scale: str | None = None,
) -> Funnel:
    """Compare units with one level, by limits that widen as the denominator falls.

    Without overdispersion the limits are exact, interpolated between the possible counts [1]_. If the units differ
    more than chance explains, "multiplicative" widens all limits by sqrt(phi) and "additive" adds a variance tau2
    between units [1]_ [2]_; where phi, or tau2, shows no more than chance, the exact limits stand. "beta-binomial" and
    "negative-binomial" fit that variance by maximum likelihood about the target, from all units unwinsorised: true
    outliers widen those limits, while the limits fall in their skewed place where events are few. A
    beta-binomial of large denominators takes time: 5 s for 140 hospitals of 300,000 each.

    Parameters
    ----------
    data : DataFrame, one row per unit, in any order
    kind : "proportion" (events of people), "rate" (events per exposure) or "ratio" (observed of expected events)
    unit, numerator, denominator : str
        Columns of `data`. Numerators are counts. A unit of 0 of 0 is kept, without a value.
    target : float, optional
        Default: all events over all denominators; for a ratio 1, since expected counts carry their own standard.
    limits : tuple of float
        Levels of two-sided limits. Default 95% and 99.8%, about 2 and 3 standard deviations [1]_.
    winsorise : float, 0 to below 0.5
        This share of the z scores at each end is pulled in to its quantile before phi and tau2 are estimated, so
        that outliers do not hide themselves. Default 0.1 [1]_ [2]_.
    trim : bool
        Leave those z scores out instead of pulling them in, as the English mortality indicator SHMI does.
    rescale : bool
        Divide phi by what winsorising or trimming leaves of pure normal noise (0.68, or 0.44, at 0.1). Default False,
        the published estimate. That is too small: of units spread without an outlier, 1.6% lay outside 99.8% limits,
        and 0.3% after rescaling. True is about right where few units are outliers.
    scale : "arcsine" or "natural" of a proportion; "root", "log" or "natural" of a rate or ratio
        Of the z scores. Default: the one that makes the variance free of the level, "arcsine" or "root" [2]_.

    Returns
    -------
    Funnel
        ``units`` holds unit, numerator, denominator, value, z, z_winsorised, z_adjusted (for overdispersion), p, p_bh,
        lower_95, upper_95, lower_99.8, upper_99.8, outside_95 and outside_99.8 ("above", "below" or "inside"). ``p``
        is two-sided under the limits' model (the exact smaller tail doubled, or normal by z_adjusted), and ``p_bh``
        adjusts it for the number of units [3]_. By chance 1 - level of the units lie outside, fewer where a small
        denominator leaves no room below.

    Raises
    ------
    DataError
        If units repeat, are not counts of denominators, have no event at all, or are too few for overdispersion.
    ParameterError
        If a setting is impossible; all are named.

    References
    ----------
    .. [1] Spiegelhalter DJ. Funnel plots for comparing institutional performance. Stat Med 2005;24:1185.
    .. [2] Spiegelhalter D, et al. Statistical methods for healthcare regulation: rating, screening and surveillance.
       J R Stat Soc A 2012;175:1.
    .. [3] Benjamini Y, Hochberg Y. Controlling the false discovery rate. J R Stat Soc B 1995;57:289.
    """
    from scipy.stats import false_discovery_control, norm

    _check_settings(kind, target, limits, overdispersion, winsorise, scale)
    scale = scale or next(iter(SCALES[kind]))
    units = _checked_units(data, kind, [unit, numerator, denominator], scale)
    known = units["denominator"] > 0
    y, n = units.loc[known, "numerator"].to_numpy(), units.loc[known, "denominator"].to_numpy()
    if overdispersion != "none" and len(n) < FEWEST_UNITS:
        raise DataError(
            f"overdispersion is not estimable from {len(n)} units: it needs {FEWEST_UNITS}. "
            "Use overdispersion='none', or bring in more units."
        )
    # Pooled, not the mean of the units: 4 births must not weigh as much as 400.
    level = float(target if target is not None else 1.0 if kind == "ratio" else y.sum() / n.sum())
    if level == 0 or (kind == "proportion" and level == 1):
        raise DataError(f"every unit is at {level:.0%}, and no limits can be drawn about that. Give a target.")

    on = SCALES[kind][scale]
    z = (on.forward(y / n) - on.forward(level)) / on.standard_error(level, n)
    pulled, phi, tau2 = _spread(z, on.standard_error(level, n), winsorise, trim=trim, rescale=rescale)
    fitted = overdispersion in ("beta-binomial", "negative-binomial")
    dispersion = _fit_dispersion(y, n, level, kind) if fitted else np.nan
    chance = _Model(kind, level, on)
    wider: dict[str, dict[str, Any]] = {"multiplicative": {"phi": phi}, "additive": {"tau2": tau2}, "none": {}}
    chosen = replace(chance, **wider.get(overdispersion, {"dispersion": dispersion}))

    z_adjusted = z / np.sqrt(chosen.inflation(n))
    p = 2 * norm.sf(abs(z_adjusted)) if chosen.is_normal else chosen.exact_p(y, n)
    found = pd.DataFrame({"value": y / n, "z": z, "z_winsorised": pulled, "z_adjusted": z_adjusted, "p": p})
    found = found.assign(p_bh=false_discovery_control(p), **chosen.limits(n, limits))
    outside = []
    for share in limits:
        name = _percent(share)
        above, below = found["value"] > found[f"upper_{name}"], found["value"] < found[f"lower_{name}"]
        found[f"outside_{name}"] = np.select([above, below], ["above", "below"], "inside").astype(object)
        outside.append((share, len(n), int(below.sum()), int(above.sum()), (1 - share) * len(n)))
    grid = np.geomspace(n.min(), n.max(), CURVE_POINTS)
    grid = np.unique(grid.round() if kind == "proportion" else grid)
    unadjusted = {f"unadjusted_{name}": limit for name, limit in chance.limits(grid, limits).items()}
    return Funnel(
        kind=kind,
        target=level,
        limits=tuple(limits),
        overdispersion=overdispersion,
        scale=scale,
        winsorise=winsorise,
        trim=trim,
        rescale=rescale,
        phi=phi,
        tau2=tau2,
        dispersion=dispersion,
        units=units.join(found.set_index(units.index[known])),
        curve=pd.DataFrame({"denominator": grid, **chosen.limits(grid, limits), **unadjusted}),
        outside=pd.DataFrame(outside, columns=["level", "n_units", "n_below", "n_above", "expected_by_chance"]),
    )


@dataclass(frozen=True)
class _Model:
    """How units vary about the target: by chance alone, or by one of phi, tau2 and dispersion more."""

    kind: str
    target: float
    on: _Scale
    phi: float = 1.0
    tau2: float = 0.0
    dispersion: float = 0.0

    @property
    def is_normal(self) -> bool:
        """Whether limits are normal on the scale; a spread no larger than chance leaves them exact."""
        return self.phi > 1 or self.tau2 > 0

    def inflation(self, n: np.ndarray) -> np.ndarray:
        """The variance of a unit of denominator `n`, over its variance by chance."""
        if self.is_normal:
            return max(self.phi, 1.0) + self.tau2 / self.on.standard_error(self.target, n) ** 2
        return 1 + self.dispersion * ((n - 1) if self.kind == "proportion" else self.target * n)

    def limits(self, n: np.ndarray, levels: tuple[float, ...]) -> dict[str, np.ndarray]:
        from scipy.stats import norm

        tails = np.array([tail for level in levels for tail in ((1 - level) / 2, (1 + level) / 2)])
        if self.is_normal:
            spread = self.on.standard_error(self.target, n) * np.sqrt(self.inflation(n))
            found = self.on.backward(self.on.forward(self.target) + np.outer(spread, norm.ppf(tails)))
        else:
            found = self._quantiles(n, tails) / n[:, np.newaxis]
        found = np.clip(found, 0, 1 if self.kind == "proportion" else None)
        names = [f"{side}_{_percent(level)}" for level in levels for side in ("lower", "upper")]
        return dict(zip(names, found.T, strict=True))

    def exact_p(self, y: np.ndarray, n: np.ndarray) -> np.ndarray:
        """Both tails as twice the smaller one, the count itself included."""
        if self._beta_binomial:
            tails = np.empty((2, len(n)))
            for row, (count, one) in enumerate(zip(y.astype(int), n.astype(int), strict=True)):
                cdf = np.append(0.0, _beta_binomial_cdf(one, self.target, self.dispersion))
                tails[:, row] = cdf[count + 1], 1 - cdf[count]
            return np.minimum(1, 2 * tails.min(axis=0))
        null = self._distribution(n)
        return np.minimum(1, 2 * np.minimum(null.cdf(y), null.sf(y - 1)))

    def _quantiles(self, n: np.ndarray, tails: np.ndarray) -> np.ndarray:
        """Counts at which the distribution, drawn straight from each count to the next, reaches `tails`: n x tails."""
        if self._beta_binomial:
            found = np.empty((len(n), len(tails)))
            for row, one in enumerate(n):
                cdf = np.append(0.0, _beta_binomial_cdf(int(one), self.target, self.dispersion))
                count = np.searchsorted(cdf[1:], tails)
                found[row] = count - (cdf[count + 1] - tails) / (cdf[count + 1] - cdf[count])
            return found
        null = self._distribution(n[:, np.newaxis])
        count = null.ppf(tails)
        return count - (null.cdf(count) - tails) / null.pmf(count)

    @property
    def _beta_binomial(self) -> bool:
        return self.kind == "proportion" and self.dispersion > 0

    def _distribution(self, n: np.ndarray) -> Any:
        """A frozen distribution of scipy."""
        from scipy.stats import binom, nbinom, poisson

        if self.kind == "proportion":
            return binom(n, self.target)
        if self.dispersion > 0:
            return nbinom(1 / self.dispersion, 1 / (1 + self.dispersion * self.target * n))
        return poisson(self.target * n)


def _beta_binomial_cdf(n: int, target: float, rho: float) -> np.ndarray:
    """P(Y <= 0), ..., P(Y <= n), by the ratio of each term to the one before: scipy sums anew for each count."""
    from scipy.special import betaln

    size = 1 / rho - 1
    a, b, k = target * size, (1 - target) * size, np.arange(n)
    ratios = np.log((n - k) * (k + a) / ((k + 1) * (n - k - 1 + b)))
    # In logarithms, since the first terms may be too small for a number.
    total = np.exp(betaln(a, n + b) - betaln(a, b) + np.cumsum(np.append(0.0, ratios))).cumsum()
    return total / total[-1]


def _fit_dispersion(y: np.ndarray, n: np.ndarray, target: float, kind: str) -> float:
    """Rho (beta-binomial) or alpha (negative binomial) by maximum likelihood; 0 where that is no better than chance."""
    from scipy.optimize import minimize_scalar
    from scipy.special import betaln, gammaln, xlogy

    def log_likelihood(log_dispersion: float) -> float:
        size = np.exp(-log_dispersion)
        if kind == "proportion":
            a, b = target * (size - 1), (1 - target) * (size - 1)
            return float((betaln(y + a, n - y + b) - betaln(a, b)).sum())
        mean = target * n
        parts = gammaln(y + size) - gammaln(size) - size * np.log1p(mean / size) - xlogy(y, mean + size)
        return float((parts + xlogy(y, mean)).sum())

    share = kind == "proportion"
    by_chance = xlogy(y, target) + (xlogy(n - y, 1 - target) if share else xlogy(y, n) - target * n)
    bounds = (np.log(1e-8), np.log(0.999 if share else 1e3))
    best = minimize_scalar(lambda x: -log_likelihood(x), bounds=bounds, method="bounded", options={"xatol": 1e-9})
    # A gain below the rounding of large gamma functions is none.
    return float(np.exp(best.x)) if -best.fun > by_chance.sum() + 1e-4 else 0.0


def _spread(
    z: np.ndarray, s: np.ndarray, share: float, *, trim: bool, rescale: bool
) -> tuple[np.ndarray, float, float]:
    """The winsorised z scores, phi and the moment estimate of tau2 (DerSimonian and Laird's, about the target)."""
    from scipy.stats import norm

    low, high = np.quantile(z, [share, 1 - share])
    inside = (z > low) & (z < high) if trim and share else np.full(len(z), True)
    pulled = np.where(inside, z.clip(low, high), np.nan)
    if len(z) < FEWEST_UNITS:
        return pulled, np.nan, np.nan
    if inside.sum() < 2:
        raise DataError("trimming leaves fewer than 2 units: too many have the same z score. Use trim=False.")
    left = 1.0
    if rescale and share:
        cut = norm.ppf(1 - share)
        left = 1 - 2 * share - 2 * cut * norm.pdf(cut)
        left = left / (1 - 2 * share) if trim else left + 2 * share * cut**2
    phi = float(np.nanmean(pulled**2)) / left
    weight, m = 1 / s[inside] ** 2, inside.sum()
    tau2 = (m * phi - (m - 1)) / (weight.sum() - (weight**2).sum() / weight.sum())
    return pulled, phi, max(0.0, float(tau2))


def _percent(level: float) -> str:
    return f"{100 * level:.10g}"


def _checked_units(data: pd.DataFrame, kind: str, columns: list[str], scale: str) -> pd.DataFrame:
    """The three columns under our names, fit for a funnel."""
    absent = [name for name in columns if name not in data]
    if absent:
        raise DataError(
            f"the data have no column {', '.join(map(repr, absent))}; they have {', '.join(map(str, data))}"
        )
    units = data[columns].set_axis(["unit", "numerator", "denominator"], axis=1)
    counts = units[["numerator", "denominator"]].apply(pd.to_numeric, errors="coerce").astype(float)
    y, n = counts["numerator"], counts["denominator"]
    whole = (y % 1 == 0) & ((n % 1 == 0) if kind == "proportion" else True)
    wrong = ~(whole & (y >= 0) & (n >= 0) & np.isfinite(n)) | ((n == 0) & (y > 0))
    wrong |= (y > n) if kind == "proportion" else False
    problems = []
    if wrong.any():
        share = kind == "proportion"
        rule = "0 <= numerator <= denominator" if share else "numerator and denominator of 0 or more"
        counted = "both whole numbers" if share else "a whole numerator"
        problems.append(
            f"{wrong.sum()} of {len(units)} units cannot be used ({_some(units[wrong])}). Each needs {rule}, "
            f"{counted}, and no event without a denominator. Check that the columns are not swapped, or drop them."
        )
    again = units["unit"].duplicated(keep=False) | units["unit"].isna()
    if again.any():
        problems.append(
            f"{again.sum()} rows repeat a unit or name none ({_some(units[again])}). Sum to one row per unit."
        )
    if not wrong.any() and not (n > 0).any():
        problems.append("no unit has a denominator above 0: there is nothing to compare.")
    zero = ~wrong & (y == 0) & (n > 0)
    if scale == "log" and zero.any():
        problems.append(
            f"without an event there is no logarithm: {zero.sum()} of {len(units)} units ({_some(units[zero])}). "
            "Use scale='root'."
        )
    if problems:
        raise DataError(" ".join(problems))
    return units.assign(numerator=y, denominator=n)


def _some(units: pd.DataFrame) -> str:
    """The first five, as "B: 41 of 38"."""
    shown = units.head(5).astype(object).where(units.head(5).notna(), "missing").astype(str)
    text = [f"{unit}: {y.removesuffix('.0')} of {n.removesuffix('.0')}" for unit, y, n in shown.to_numpy()]
    return "; ".join(text) + ("; ..." if len(units) > 5 else "")


def _check_settings(
    kind: str,
    target: float | None,
    limits: tuple[float, ...],
    overdispersion: str,
    winsorise: float,
    scale: str | None,
) -> None:
    if kind not in SCALES:
        raise ParameterError(f"kind is {kind!r}: choose one of {', '.join(SCALES)}")
    wrong = []
    if target is not None and not (0 < target < (1 if kind == "proportion" else np.inf)):
        wrong.append(f"target is {target}: give a number above 0" + (" and below 1" if kind == "proportion" else ""))
    if not limits or not all(0 < level < 1 for level in limits) or len(set(limits)) < len(limits):
        wrong.append(f"limits is {limits}: give different levels between 0 and 1, for example (0.95, 0.998)")
    if overdispersion not in OVERDISPERSION[kind]:
        wrong.append(
            f"overdispersion is {overdispersion!r}: of a {kind} it is one of {', '.join(OVERDISPERSION[kind])}"
        )
    if scale is not None and scale not in SCALES[kind]:
        wrong.append(f"scale is {scale!r}: of a {kind} it is one of {', '.join(SCALES[kind])}")
    if not 0 <= winsorise < 0.5:
        wrong.append(f"winsorise is {winsorise}: give a share from 0 to below 0.5 of each end, for example 0.1")
    if wrong:
        raise ParameterError(bulleted("funnel", wrong))
