"""Regression of proportions and rates where rows belong to groups, each with its own level (GLMM)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError
from qieval.methods.robust import refuse_aliased

# A standard deviation between groups above this, on the logit or log scale, is a likelihood with next to no maximum:
# groups one apart would differ 400-fold. It comes from groups that each have only events or none at all.
WIDEST_SPREAD = 6.0


@dataclass(frozen=True, eq=False, kw_only=True)
class MixedModel:
    """Effects shared by all groups, how far groups differ, and the level of each; on the logit or the log scale."""

    coefficients: pd.DataFrame  # a row per term, intercept first: term, estimate, standard_error, low, high, p_value
    variance: float  # of the groups' intercepts; with a random slope, where the slope's column is 0
    covariance: pd.DataFrame  # of all random effects: intercept and, if asked for, the slope
    groups: pd.DataFrame  # a row per group: group, intercept, intercept_standard_error (slope, ...): its own deviation
    loglik: float
    n_groups: int
    n_rows: int


def fit(
    frame: pd.DataFrame,
    *,
    numerator: str,
    denominator: str | None,
    group: str,
    terms: Sequence[str],
    quadrature: int = 1,
    random_slope: str | None = None,
    family: Literal["binomial", "poisson"] = "binomial",
    level: float = 0.95,
) -> MixedModel:
    """Fit a logistic or Poisson model with a random intercept, and if wanted a random slope, of one grouping factor.

    Maximum likelihood, the random effects integrated out by the Laplace approximation or by adaptive Gauss-Hermite
    quadrature. Intervals are normal, with standard errors from the information on all parameters, as lme4's; with
    fewer than some 20 groups they are too narrow: show `robust.cr2` beside them. Groups that do not differ beyond
    chance give a variance of 0.

    Parameters
    ----------
    frame : DataFrame, one row per group and period (or person)
    numerator, denominator : columns
        Binomial: events and people. Poisson: a count and its exposure, or None.
    group : column
    terms : columns
        Numbers and booleans enter as they are. Text, categories, dates and a column named ``period`` become one
        dummy per value but the first, named ``period[2024-02-01]``: calendar effects are levels, not a straight
        line. For a trend give a number of months under another name. An intercept is added.
    quadrature : int
        Points per group; 1 is Laplace. More matter where groups have few events. Random intercept only.
    random_slope : a numeric column, usually one of `terms`; its effect then varies by group, correlated with the
        intercept. By Laplace.

    Returns
    -------
    MixedModel
        ``loglik`` has all constants, as lme4's at ``nAGQ = 1`` (with more points lme4 leaves the saturated model's
        out). ``groups`` holds conditional modes and their standard deviations.

    Raises
    ------
    DataError
        If values are missing or impossible, a term repeats others, there are fewer than 2 groups, or some term (or
        the spread of groups) has no finite estimate because events and non-events are separated.
    ParameterError
        If columns are absent or options do not go together.

    References
    ----------
    .. [1] Bates D, Maechler M, Bolker B, Walker S. Fitting linear mixed-effects models using lme4. J Stat Softw
       2015;67(1) (covariance by its Cholesky factor).
    .. [2] Pinheiro JC, Chao EC. Efficient Laplacian and adaptive Gaussian quadrature algorithms for multilevel
       generalized linear mixed models. J Comput Graph Stat 2006;15:58.
    .. [3] Konis K. Linear programming algorithms for detecting separated data in binary logistic regression models.
       DPhil thesis, Oxford 2007.
    """
    from scipy.special import ndtr, ndtri

    slope = [random_slope] if random_slope else []
    _check_settings(frame, [numerator, group, *terms, *([denominator] if denominator else []), *slope])
    if family not in FAMILIES or (family == "binomial" and denominator is None):
        raise ParameterError(f"family {family!r} needs to be binomial, with a denominator, or poisson")
    if random_slope and not pd.api.types.is_numeric_dtype(frame[random_slope]):
        raise ParameterError(f"random_slope {random_slope!r} is not a column of numbers: give 0 and 1 for yes and no")
    if quadrature < 1 or (quadrature > 1 and slope):
        raise ParameterError(f"quadrature is {quadrature}: give 1 (Laplace) or more, and 1 with a random slope")
    codes, labels = pd.factorize(frame[group], sort=True)
    order = np.argsort(codes, kind="stable")
    frame, codes = frame.iloc[order], codes[order]
    y = frame[numerator].to_numpy(dtype=float)
    size = frame[denominator].to_numpy(dtype=float) if denominator else np.ones(len(frame))
    _check_rows(frame, y, size, codes, group=group, used=[*terms, *slope], family=family)
    x, names = _design(frame, terms)
    refuse_aliased(x, names)
    _refuse_separated(x, y, size, names, family=family)

    # The slope's column centred and scaled, so that its spread and the intercept's are of one order.
    z, back = np.ones((len(y), 1)), np.eye(1)
    if random_slope:
        own = frame[random_slope].to_numpy(dtype=float)
        if own.std() == 0:
            raise DataError(f"{random_slope!r} is {own[0]:g} in every row, so its effect cannot vary by {group}")
        z = np.column_stack([z, (own - own.mean()) / own.std()])
        back = np.array([[1, -own.mean() / own.std()], [0, 1 / own.std()]])
    model = Marginal(x=x, z=z, y=y, size=size, codes=codes, family=family, quadrature=quadrature)
    found = model.maximum()
    if found is None or np.abs(found.root).max() > WIDEST_SPREAD:
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise DataError(
            f"the model has no finite maximum for these {len(labels)} groups: some have only events, others none, or "
            f"the terms ({shown}) leave too little to tell groups apart. Show the counts of each group, join groups, "
            "or leave out terms."
        )
    error = np.sqrt(np.diag(found.covariance))
    covariance = back @ found.root @ found.root.T @ back.T
    effects = ["intercept", *slope]
    half_width = ndtri((1 + level) / 2) * error
    modes = found.modes @ (back @ found.root).T
    spread = np.sqrt(np.einsum("ij,gjk,ik->gi", back @ found.root, found.precision_inverse, back @ found.root))
    return MixedModel(
        coefficients=pd.DataFrame(
            {
                "term": names,
                "estimate": found.beta,
                "standard_error": error,
                "low": found.beta - half_width,
                "high": found.beta + half_width,
                "p_value": 2 * ndtr(-np.abs(found.beta) / error),
            }
        ),
        variance=float(covariance[0, 0]),
        covariance=pd.DataFrame(covariance, index=effects, columns=effects),
        groups=pd.DataFrame({"group": labels}).assign(
            **{name: modes[:, j] for j, name in enumerate(effects)},
            **{f"{name}_standard_error": spread[:, j] for j, name in enumerate(effects)},
        ),
        loglik=found.loglik + _constant(y, size, family=family),
        n_groups=len(labels),
        n_rows=len(y),
    )


def _constant(y: np.ndarray, size: np.ndarray, *, family: str) -> float:
    """What the log-likelihood has beyond the kernel, the same for every model of these data."""
    from scipy.special import gammaln

    if family == "poisson":
        return float(-gammaln(y + 1).sum())
    return float((gammaln(size + 1) - gammaln(y + 1) - gammaln(size - y + 1)).sum())


def _design(frame: pd.DataFrame, terms: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """The intercept, numbers as they are, and a dummy per value but the first of everything else."""
    columns, names = [np.ones(len(frame))], ["intercept"]
    for term in terms:
        values = frame[term]
        if term != "period" and pd.api.types.is_numeric_dtype(values):
            columns.append(values.to_numpy(dtype=float))
            names.append(term)
            continue
        present = values.cat.remove_unused_categories().cat.categories if hasattr(values, "cat") else values.unique()
        for value in present[1:] if hasattr(values, "cat") else np.sort(present)[1:]:
            columns.append((values == value).to_numpy(dtype=float))
            shown = str(value)[:10] if pd.api.types.is_datetime64_any_dtype(values) else value
            names.append(f"{term}[{shown}]")
    return np.column_stack(columns), names


def _check_settings(frame: pd.DataFrame, columns: list[str]) -> None:
    absent = [column for column in columns if column not in frame]
    if absent:
        raise ParameterError(
            f"there is no column {', '.join(map(repr, absent))}; the table has {', '.join(map(str, frame.columns))}"
        )


def _check_rows(
    frame: pd.DataFrame,
    y: np.ndarray,
    size: np.ndarray,
    codes: np.ndarray,
    *,
    group: str,
    used: list[str],
    family: str,
) -> None:
    good = np.isfinite(y) & np.isfinite(size) & (size > 0) & (y >= 0) & (y == np.round(y))
    if family == "binomial":
        good &= y <= size
    if not good.all():
        shown = "; ".join(
            f"{frame[group].iloc[i]}, row {frame.index[i]}: {y[i]:g} of {size[i]:g}" for i in np.flatnonzero(~good)[:5]
        )
        wanted = (
            "a whole number 0 <= numerator <= denominator" if family == "binomial" else "a whole count of 0 or more"
        )
        raise DataError(
            f"{(~good).sum()} of {len(y)} rows cannot be used ({shown}). Each needs {wanted} and a denominator above "
            "0. Check that the columns are not swapped, or drop these rows."
        )
    absent = frame[[group, *used]].isna() | frame[[group, *used]].isin([np.inf, -np.inf])
    missing = sorted(set(absent.columns[absent.any()]))
    if missing:
        raise DataError(f"values are missing in {', '.join(missing)}: drop these rows or complete them")
    if codes.max(initial=-1) < 1:
        raise DataError(f"groups are compared, and {group!r} holds fewer than 2: fit a plain regression instead")


def _refuse_separated(x: np.ndarray, y: np.ndarray, size: np.ndarray, names: list[str], *, family: str) -> None:
    """Stop where some combination of terms fits all rows at their bounds, so that its estimate runs off to infinity.

    Such a combination exists if a linear programme finds one that pushes rows without events down, rows with
    nothing else up, and does not move the rest.
    """
    from scipy.optimize import linprog

    side = np.where(y == 0, -1.0, np.where((y == size) & (family == "binomial"), 1.0, 0.0))
    if not side.any():
        return
    scaled = x / np.abs(x).max(axis=0)
    pushed = np.unique(side[:, None] * scaled, axis=0)
    held = np.unique(scaled[side == 0], axis=0)
    pushed = pushed[pushed.any(axis=1)]
    found = linprog(
        -pushed.sum(axis=0),
        A_ub=-pushed,
        b_ub=np.zeros(len(pushed)),
        A_eq=held if len(held) else None,
        b_eq=np.zeros(len(held)) if len(held) else None,
        bounds=(-1, 1),
    )
    if found.success and -found.fun > 1e-6:
        running = [name for name, move in zip(names, found.x, strict=True) if abs(move) > 1e-6]
        bound = "no event, or nothing but events," if family == "binomial" else "no event"
        raise DataError(
            f"no finite estimate exists: there is {bound} wherever {', '.join(running[:5])} "
            f"{'says' if len(running) == 1 else 'say'} so (separation). Show the counts, join categories or leave out "
            "such a term."
        )


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
