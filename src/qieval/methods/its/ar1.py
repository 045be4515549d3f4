"""Regression with AR(1) errors: restricted likelihood, and intervals averaged over the autocorrelation.

Arrays only. Every answer is a `Mixture` of t distributions, of which a single regression is the simplest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Even steps of arcsin(phi): beforehand phi has the density 1 / sqrt(1 - phi**2), Jeffreys' for AR(1), which leans
# towards strong autocorrelation, where an interval too narrow does most harm. With even steps of phi itself the 95%
# intervals of 12 and 24 months cover less at phi .6 and .8. Months of care seldom alternate, so the grid need not
# reach -1; at +1 a level can no longer be told from noise.
PHI_GRID = np.sin(np.linspace(np.arcsin(-0.60), np.arcsin(0.98), 40))
# Where the search for the single best phi ends. The likelihood of a drifting series is flat from here to 1, and the
# standard error of its level grows with the bound without end: no other bound would make it mean more.
PHI_BOUND = 0.99999


@dataclass(frozen=True, eq=False, kw_only=True)
class Mixture:
    """What one engine knows of the coefficients: t distributions, each with its weight.

    Shapes are for g distributions and p coefficients; whole sets of series may stand in front.
    """

    weights: np.ndarray  # (..., g), sum 1
    coefs: np.ndarray  # (..., g, p)
    covariances: np.ndarray  # (..., g, p, p)
    df: float

    def along(self, contrasts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Centre and standard error (..., g, k) of k sums of coefficients, `contrasts` (k, p)."""
        centres = self.coefs @ contrasts.T
        variances = np.einsum("kp,...pq,kq->...k", contrasts, self.covariances, contrasts, optimize=True)
        return centres, np.sqrt(variances)


def distances(times: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """How far each row is from the one before, in periods; infinite where a series begins.

    A missing month makes its neighbours two apart, so that their correlation is phi squared and no gap is closed.
    """
    steps = np.concatenate([[np.inf], np.diff(times)]).astype(float)
    if groups is not None:
        steps[1:][groups[1:] != groups[:-1]] = np.inf
    return steps


def profile(design: np.ndarray, values: np.ndarray, steps: np.ndarray, phis: np.ndarray) -> tuple[Mixture, np.ndarray]:
    """Generalised least squares at each phi, and the restricted log-likelihood there (without its constant).

    Each row less phi**distance times the row before, over sqrt(1 - phi**(2 distance)), is independent of the
    others; on these rows ordinary least squares is generalised least squares.

    Parameters
    ----------
    design : (n, p)
    values : (n,) or (series, n)
    steps : (n,)
        From `distances`.
    phis : (g,)
        Between -1 and 1.

    Returns
    -------
    Mixture, array (..., g)
        With equal weights; `average` weighs them.

    References
    ----------
    .. [1] Harville DA. Maximum likelihood approaches to variance component estimation. JASA 1977;72:320.
    """
    n, p = design.shape
    carried, scale = _carried(steps, phis)
    columns = _whiten(np.atleast_2d(values).T, carried, scale)  # (g, n, series)
    q, r = np.linalg.qr(_whiten(design, carried, scale))
    inverse = np.linalg.inv(r)
    projected = np.swapaxes(q, 1, 2) @ columns
    squares = ((columns - q @ projected) ** 2).sum(axis=1)  # (g, series)
    log_det = np.log(scale).sum(axis=1) + np.log(np.abs(np.diagonal(r, axis1=1, axis2=2))).sum(axis=1)
    with np.errstate(divide="ignore"):
        likelihood = (-(n - p) / 2 * np.log(squares) - log_det[:, None]).T  # (series, g)
    unscaled = inverse @ np.swapaxes(inverse, 1, 2)
    coefs = np.moveaxis(inverse @ projected, 2, 0)  # (series, g, p)
    covariances = (squares.T / (n - p))[..., None, None] * unscaled
    weights = np.full(likelihood.shape, 1 / len(phis))
    if np.ndim(values) == 1:
        coefs, covariances, likelihood, weights = coefs[0], covariances[0], likelihood[0], weights[0]
    return Mixture(weights=weights, coefs=coefs, covariances=covariances, df=n - p), likelihood


def noise(residuals: np.ndarray, steps: np.ndarray, phi: float, df: float) -> float:
    """The standard deviation of one period about the lines, given phi."""
    carried, scale = _carried(steps, np.array([phi]))
    return float(np.sqrt((_whiten(residuals[:, None], carried, scale) ** 2).sum() / df))


def average(
    design: np.ndarray, values: np.ndarray, steps: np.ndarray, phis: np.ndarray = PHI_GRID
) -> tuple[Mixture, np.ndarray]:
    """The fits at each phi of the grid, weighted by the restricted likelihood, and the mean phi.

    With nothing assumed beforehand about coefficients and noise, this is the exact posterior given that phi is
    one of the grid [1]_. Its intervals allow for phi not being known, which
    in a short series is most of what is not known; those at the best phi alone are too narrow.

    References
    ----------
    .. [1] Zellner A, Tiao GC. Bayesian analysis of the regression model with autocorrelated errors.
       JASA 1964;59:763.
    """
    fits, likelihood = profile(design, values, steps, phis)
    weights = np.exp(likelihood - likelihood.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return Mixture(weights=weights, coefs=fits.coefs, covariances=fits.covariances, df=fits.df), weights @ phis


def best_phi(design: np.ndarray, values: np.ndarray, steps: np.ndarray) -> float:
    """The phi of the greatest restricted likelihood, between -`PHI_BOUND` and `PHI_BOUND`."""
    from scipy.optimize import minimize_scalar

    # First a coarse look: the likelihood of a short series may have two tops.
    angles = np.linspace(-np.arctanh(PHI_BOUND), np.arctanh(PHI_BOUND), 121)
    seen = profile(design, values, steps, np.tanh(angles))[1]
    top = int(np.argmax(seen))
    low, high = angles[max(top - 1, 0)], angles[min(top + 1, len(angles) - 1)]
    found = minimize_scalar(
        lambda angle: -profile(design, values, steps, np.tanh([angle]))[1][0],
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(np.tanh(found.x))


def cdf(at: np.ndarray, weights: np.ndarray, centres: np.ndarray, scales: np.ndarray, df: float) -> np.ndarray:
    """The share of each mixture below `at`: (..., k) from weights (..., g), centres and scales (..., g, k)."""
    from scipy.special import stdtr

    return (weights[..., None] * stdtr(df, (at[..., None, :] - centres) / scales)).sum(axis=-2)


def quantile(
    share: float, weights: np.ndarray, centres: np.ndarray, scales: np.ndarray, df: float, *, rounds: int = 60
) -> np.ndarray:
    """Where the share of each mixture below is `share`; shapes as in `cdf`.

    Newton's steps, kept between the least and the greatest quantile of the parts, where the answer must lie.
    """
    from scipy.special import gammaln, stdtrit

    own = centres + scales * stdtrit(df, share)
    if weights.shape[-1] == 1:  # a single t distribution needs no search
        return own[..., 0, :]
    low, high = own.min(axis=-2), own.max(axis=-2)
    at = (weights[..., None] * own).sum(axis=-2)
    constant = np.exp(gammaln((df + 1) / 2) - gammaln(df / 2)) / np.sqrt(df * np.pi)
    for _ in range(rounds):
        off = cdf(at, weights, centres, scales, df) - share
        low, high = np.where(off < 0, at, low), np.where(off < 0, high, at)
        z = (at[..., None, :] - centres) / scales
        density = (weights[..., None] * constant * (1 + z**2 / df) ** (-(df + 1) / 2) / scales).sum(axis=-2)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = at - off / density
        moved = np.where((newton >= low) & (newton <= high), newton, (low + high) / 2)
        settled = np.abs(moved - at) <= 1e-12 * (1e-300 + np.abs(at) + scales.min(axis=-2))
        at = moved
        if settled.all():
            break
    return at


def _carried(steps: np.ndarray, phis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each row, how much the one before tells of it, and the standard deviation of what is new: both (g, n)."""
    # A negative phi is positive at even distances; a row that begins a series has nothing before it.
    is_even = np.mod(steps, 2, where=np.isfinite(steps), out=np.zeros_like(steps)) == 0
    sign = np.where(is_even, 1.0, np.sign(phis[:, None]))
    carried = sign * np.abs(phis[:, None]) ** steps
    return carried, np.sqrt(1 - carried**2)


def _whiten(rows: np.ndarray, carried: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Independent rows of equal variance at each phi: (g, n, columns) from (n, columns)."""
    before = np.concatenate([np.zeros_like(rows[:1]), rows[:-1]])
    return (rows - carried[..., None] * before) / scale[..., None]
