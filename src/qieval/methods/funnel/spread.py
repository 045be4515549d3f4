"""How much units differ beyond chance: phi and tau2 from winsorised z scores, or a dispersion by likelihood."""

from __future__ import annotations

import numpy as np

from qieval.errors import DataError

FEWEST_UNITS = 5  # with fewer, the spread between units is not worth estimating


def winsorised_spread(
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


def fitted_dispersion(y: np.ndarray, n: np.ndarray, target: float, kind: str) -> float:
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
