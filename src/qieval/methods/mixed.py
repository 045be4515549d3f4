"""Regression of proportions and rates where rows belong to groups, each with its own level (GLMM)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Literal

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError
from qieval.methods.marginal import FAMILIES, WIDEST_SPREAD, Marginal
from qieval.methods.rates import level_problems
from qieval.methods.robust import refuse_aliased
from qieval.methods.terms import check_columns, check_rows, design_of, refuse_separated


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
    terms: str | Sequence[str],
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
    terms : a column, or several
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
        If columns are absent, or options impossible or not for each other.

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

    terms = [terms] if isinstance(terms, str) else list(terms)
    slope = [random_slope] if random_slope else []
    check_columns(frame, [numerator, group, *terms, *([denominator] if denominator else []), *slope])
    if family not in FAMILIES or (family == "binomial" and denominator is None):
        raise ParameterError(f"family {family!r} needs to be binomial, with a denominator, or poisson")
    if random_slope and not pd.api.types.is_numeric_dtype(frame[random_slope]):
        raise ParameterError(f"random_slope {random_slope!r} is not a column of numbers: give 0 and 1 for yes and no")
    if not isinstance(quadrature, Integral) or quadrature < 1 or (quadrature > 1 and slope):
        raise ParameterError(
            f"quadrature is {quadrature!r}: give 1 (Laplace) or more, a whole number, and 1 with a random slope"
        )
    if level_problems(level):
        raise ParameterError(level_problems(level)[0])
    codes, labels = pd.factorize(frame[group], sort=True)
    order = np.argsort(codes, kind="stable")
    frame, codes = frame.iloc[order], codes[order]
    y = frame[numerator].to_numpy(dtype=float)
    size = frame[denominator].to_numpy(dtype=float) if denominator else np.ones(len(frame))
    check_rows(frame, y, size, label=group, used=[*terms, *slope], family=family)
    if codes.max(initial=-1) < 1:
        raise DataError(f"groups are compared, and {group!r} holds fewer than 2: fit a plain regression instead")
    x, names = design_of(frame, terms)
    refuse_aliased(x, names)
    refuse_separated(x, y, size, names, family=family)

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
