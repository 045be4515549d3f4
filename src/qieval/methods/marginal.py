"""The likelihood of a mixed model with the random effects integrated out, and where it is highest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

# A standard deviation between groups above this, on the logit or log scale, is a likelihood with next to no maximum:
# groups one apart would differ 400-fold. It comes from groups that each have only events or none at all.
WIDEST_SPREAD = 6.0


def _binomial(eta: np.ndarray, y: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, ...]:
    from scipy.special import expit

    share = expit(eta)
    weight = size * share * (1 - share)
    return y * eta - size * np.logaddexp(0, eta), size * share, weight, weight * (1 - 2 * share)


def _poisson(eta: np.ndarray, y: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, ...]:
    mean = size * np.exp(np.minimum(eta, 500))  # a step too far must come back as unlikely, not as an overflow
    return y * (eta + np.log(size)) - mean, mean, mean, mean


# Of a linear predictor: the kernel of the log-likelihood, the mean, its derivative and the derivative of that.
FAMILIES = {"binomial": _binomial, "poisson": _poisson}


@dataclass(frozen=True, eq=False, kw_only=True)
class Maximum:
    """Where the marginal likelihood is highest."""

    beta: np.ndarray
    covariance: np.ndarray  # of beta
    root: np.ndarray  # Cholesky factor of the covariance of the random effects
    modes: np.ndarray  # groups by effects, in units of `root`
    precision_inverse: np.ndarray  # their conditional covariance, in the same units
    loglik: float  # without constants


@dataclass(frozen=True, eq=False, kw_only=True)
class Marginal:
    """The likelihood with the random effects integrated out; rows sorted by group."""

    x: np.ndarray
    z: np.ndarray
    y: np.ndarray
    size: np.ndarray
    codes: np.ndarray
    family: str
    quadrature: int

    def maximum(self) -> Maximum | None:
        """Quasi-Newton from the model without groups, then Newton steps; none where it does not settle."""
        from scipy.optimize import minimize

        start, scale = self._without_groups()
        p, q = self.x.shape[1], self.z.shape[1]

        def split(free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            root = np.zeros((q, q))
            root[np.tril_indices(q)] = free[p:]
            return start + scale @ free[:p], root

        def descent(free: np.ndarray) -> tuple[float, np.ndarray]:
            value, by_beta, by_root = self.loglik(*split(free))
            return -value, -np.concatenate([scale.T @ by_beta, by_root[np.tril_indices(q)]])

        free = np.concatenate([np.zeros(p), 0.5 * np.eye(q)[np.tril_indices(q)]])
        free = minimize(descent, free, jac=True, method="BFGS", options={"gtol": 1e-4, "maxiter": 500}).x
        if not np.isfinite(free).all() or np.abs(free[p:]).max() > WIDEST_SPREAD:
            return None
        steps = 1e-4 * np.eye(len(free))
        information = np.array([(descent(free + step)[1] - descent(free - step)[1]) / 2e-4 for step in steps])
        # Singular where the groups' slopes follow from their levels, or groups do not differ: the rest stands.
        inverse = np.linalg.pinv((information + information.T) / 2, rcond=1e-8, hermitian=True)
        for _ in range(5):
            free = free - inverse @ descent(free)[1]
        value, gradient = descent(free)
        if not np.abs(gradient).max() < 1e-4 or not (np.diag(inverse)[:p] > 0).all():
            return None
        beta, root = split(free)
        modes, precision = self._modes(self.x @ beta, self.z @ root)
        return Maximum(
            beta=beta,
            covariance=scale @ inverse[:p, :p] @ scale.T,
            root=root,
            modes=modes,
            precision_inverse=np.linalg.inv(precision),
            loglik=-value,
        )

    def loglik(self, beta: np.ndarray, root: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The log-likelihood and its exact derivatives by `beta` and by `root`.

        Modes and curvatures move with the parameters: `pull` and `stretch` say how much the integral minds.
        """
        fixed, design = self.x @ beta, self.z @ root
        modes, precision = self._modes(fixed, design)
        inverse = np.linalg.inv(precision)
        own = modes[self.codes]
        kernel, mean, weight, slope = self._unit(fixed + (design * own).sum(axis=1))
        half_log_det = np.linalg.slogdet(precision)[1] / 2
        residual = self.y - mean
        if self.quadrature == 1:
            value = kernel.sum() - (modes**2).sum() / 2 - half_log_det.sum()
            pull, stretch = np.zeros_like(modes), np.ones(len(modes))
            left, crossed = residual, own * residual[:, None]
        else:
            value, pull, stretch, left, crossed = self._quadrature(fixed, design, modes, half_log_det)
        leverage = np.einsum("ijk,ik->ij", inverse[self.codes], design)
        bend = stretch[self.codes] * slope * (leverage * design).sum(axis=1)
        moved = np.einsum("gjk,gk->gj", inverse, pull - self._by_group(design * bend[:, None]) / 2)[self.codes]
        common = weight * (design * moved).sum(axis=1) + bend / 2
        rows = crossed + moved * residual[:, None] - own * common[:, None]
        rows -= (stretch[self.codes] * weight)[:, None] * leverage
        return float(value), self.x.T @ (left - common), self.z.T @ rows

    def _quadrature(
        self, fixed: np.ndarray, design: np.ndarray, modes: np.ndarray, half_log_det: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Adaptive Gauss-Hermite over a random intercept: the value, and what its derivatives need."""
        from scipy.special import logsumexp

        nodes, node_weights = np.polynomial.hermite.hermgauss(self.quadrature)
        reach = np.sqrt(2) * np.exp(-half_log_det)[:, None] * nodes
        points = modes + reach  # groups by nodes
        eta = fixed[:, None] + design * points[self.codes]
        kernel, mean, _, _ = self._unit(eta)
        parts = self._by_group(kernel) - points**2 / 2 + nodes**2 + np.log(node_weights)
        total = logsumexp(parts, axis=1, keepdims=True)
        share = np.exp(parts - total)
        residual = self.y[:, None] - mean
        slope = self._by_group(design * residual) - points
        value = (total[:, 0] - half_log_det).sum() - len(modes) * np.log(np.pi) / 2
        each = share[self.codes]
        return (
            float(value),
            (share * slope).sum(axis=1, keepdims=True),
            1 + (share * slope * reach).sum(axis=1),
            (each * residual).sum(axis=1),
            (each * residual * points[self.codes]).sum(axis=1, keepdims=True),
        )

    def _modes(self, fixed: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The likeliest random effects of each group and the curvature there, by Newton with halving."""
        n_groups, q = int(self.codes[-1]) + 1, design.shape[1]
        modes, height = np.zeros((n_groups, q)), np.full(n_groups, -np.inf)
        step, size = np.zeros((n_groups, q)), np.ones(n_groups)
        for _ in range(200):
            tried = modes + size[:, None] * step
            kernel, mean, weight, _ = self._unit(fixed + (design * tried[self.codes]).sum(axis=1))
            reached = self._by_group(kernel) - (tried**2).sum(axis=1) / 2
            worse = reached < height - 1e-9 * (1 + np.abs(height))
            if worse.any():
                size = np.where(worse, size / 2, 0)  # groups that climbed wait
                tried = np.where(worse[:, None], modes, tried)
                modes, height = tried, np.where(worse, height, reached)
                continue
            modes, height, size = tried, reached, np.ones(n_groups)
            slope = self._by_group(design * (self.y - mean)[:, None]) - modes
            products = design[:, :, None] * design[:, None, :] * weight[:, None, None]
            precision = np.eye(q) + self._by_group(products)
            step = np.linalg.solve(precision, slope[:, :, None])[:, :, 0]
            if np.abs(step).max() < 1e-9:
                break
        return modes, precision

    def _without_groups(self) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients of the plain regression, and a root of their covariance to measure steps by."""
        share = (self.y + 0.5) / (self.size + 1)
        eta = np.log(share / (1 - share)) if self.family == "binomial" else np.log((self.y + 0.1) / self.size)
        for _ in range(25):
            _, mean, weight, _ = self._unit(eta)
            gram = self.x.T @ (weight[:, None] * self.x)
            beta = np.linalg.solve(gram, self.x.T @ (weight * eta + self.y - mean))
            eta = self.x @ beta
        return beta, np.linalg.inv(np.linalg.cholesky(gram)).T

    def _unit(self, eta: np.ndarray) -> tuple[np.ndarray, ...]:
        shape = (-1,) + (1,) * (eta.ndim - 1)
        return FAMILIES[self.family](eta, self.y.reshape(shape), self.size.reshape(shape))

    def _by_group(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, self._starts)

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.flatnonzero(np.diff(self.codes, prepend=-1))
