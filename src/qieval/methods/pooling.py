"""Pool the estimates of several facilities, and say how far apart facilities are (random-effects meta-analysis)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qieval.errors import DataError, ParameterError
from qieval.methods.rates import level_problems
from qieval.methods.robust import refuse_aliased

# Analyses pool from this many facilities on. With fewer, the spread between them is a guess and so is any average:
# show each. The formulas themselves work from 2.
FEWEST_TO_POOL = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Pooled:
    """The average over facilities, how far they differ, and where the next facility may lie."""

    estimate: float
    standard_error: float
    low: float
    high: float
    p_value: float  # of no effect on average
    tau2: float  # variance between facilities, beyond chance
    tau2_low: float
    tau2_high: float
    i2: float  # per cent, 0 to 100: share of tau2 in all the variance that is seen
    q: float  # Cochran's Q, to be compared with k - 1
    prediction_low: float  # limits for the true value of one more facility like these
    prediction_high: float
    k: int
    weights: pd.Series  # share of each facility in the estimate, by label; they sum to 1


@dataclass(frozen=True, eq=False, kw_only=True)
class MetaRegression:
    """How estimates vary with what is known of the facilities."""

    coefficients: pd.DataFrame  # a row per term, intercept first: term, estimate, standard_error, low, high, p_value
    tau2: float  # variance between facilities that the moderators do not explain
    i2: float  # per cent, 0 to 100, of what the moderators leave
    q: float  # residual heterogeneity, to be compared with k less the number of terms
    k: int


@dataclass(frozen=True, eq=False)
class _Fit:
    """Weighted least squares at one tau2."""

    beta: np.ndarray
    residual: np.ndarray
    weights: np.ndarray
    bread: np.ndarray  # the covariance of beta
    design: np.ndarray

    @property
    def df(self) -> int:
        return len(self.design) - self.design.shape[1]

    @property
    def q(self) -> float:
        return float(self.weights @ self.residual**2)

    @property
    def trace(self) -> float:
        """Trace of P = W - W X (X'WX)^-1 X'W: what Q grows by for each unit of tau2 (at the weights used)."""
        return float(self.weights.sum() - (self.bread * self._gram(2)).sum())

    @property
    def trace_squared(self) -> float:
        """Trace of PP, twice the information on tau2."""
        inner = self.bread @ self._gram(2)
        return float((self.weights**2).sum() - 2 * (self.bread * self._gram(3)).sum() + (inner * inner.T).sum())

    def _gram(self, power: int) -> np.ndarray:
        return self.design.T @ (self.weights[:, None] ** power * self.design)


def pool(
    estimates: ArrayLike,
    standard_errors: ArrayLike,
    *,
    method: Literal["REML", "DL", "PM"] = "REML",
    interval: Literal["HK", "wald"] = "HK",
    guard: bool = True,
    level: float = 0.95,
    labels: Sequence[Hashable] | None = None,
) -> Pooled:
    """Random-effects average of independent estimates with its confidence and prediction intervals.

    Facilities are taken as a sample: estimate i is normal around its own truth with its standard error, and truths
    are normal around the average with variance tau2. A facility, not a patient, is the unit of evidence.

    Prediction limits are those of metafor's `predict` for the same model: estimate -/+ quantile times
    sqrt(standard_error^2 + tau2), the quantile that of the confidence interval: t with k - 1 degrees of freedom
    after Hartung-Knapp, else normal.

    Parameters
    ----------
    estimates, standard_errors : arrays of float, one per facility, on a scale where they are about normal (a
        difference, a log ratio). Of two Series with the same labels, errors are put in the order of the estimates;
        anything else goes by position
    method : how tau2 is estimated
        Restricted maximum likelihood, DerSimonian-Laird or Paule-Mandel.
    interval : "HK" or "wald"
        Hartung-Knapp: the standard error from the spread that is seen, with t; or the normal interval, too narrow
        with few facilities.
    guard : bool
        Where facilities are more alike than chance alone would make them (Q below k - 1), Hartung-Knapp can be
        narrower than the normal interval. Then take the latter, with its standard error, p value and prediction
        limits. Off, every case is that of metafor with ``test="knha"``.
    labels : names of the facilities, for `weights` and for messages. Default: 0, 1, ...

    Raises
    ------
    DataError
        If there are fewer than 2 estimates, an estimate is missing or no number, a standard error is missing, 0 or
        negative, or two Series are labelled differently.
    ParameterError
        If a setting is impossible; all of them are named at once.

    References
    ----------
    .. [1] Viechtbauer W. Bias and efficiency of meta-analytic variance estimators in the random-effects model.
       J Educ Behav Stat 2005;30:261 (REML by Fisher scoring).
    .. [2] Hartung J, Knapp G. A refined method for the meta-analysis of controlled clinical trials with binary
       outcome. Stat Med 2001;20:3875.
    .. [3] Wiksten A, Ruecker G, Schwarzer G. Hartung-Knapp method is not always conservative compared with
       fixed-effect meta-analysis. Stat Med 2016;35:2503 (the guard).
    .. [4] Viechtbauer W. Confidence intervals for the amount of heterogeneity in meta-analysis. Stat Med 2007;26:37
       (Q-profile limits of tau2).
    """
    y, v, names = _checked(estimates, standard_errors, labels, method=method, interval=interval, level=level)
    ones = np.ones((len(y), 1))
    tau2 = TAU2[method](y, v, ones)
    fixed, fit = _fit(y, v, ones, 0.0), _fit(y, v, ones, tau2)
    error, quantile, p_value = _inference(fit, fixed, interval=interval, guard=guard, level=level)
    estimate, standard_error = float(fit.beta[0]), float(error[0])
    half_width = quantile * standard_error
    prediction = quantile * np.sqrt(standard_error**2 + tau2)
    tau2_low, tau2_high = _profile_limits(y, v, ones, level=level)
    return Pooled(
        estimate=estimate,
        standard_error=standard_error,
        low=estimate - half_width,
        high=estimate + half_width,
        p_value=float(p_value[0]),
        tau2=tau2,
        tau2_low=tau2_low,
        tau2_high=tau2_high,
        i2=_i2(tau2, fixed),
        q=fixed.q,
        prediction_low=float(estimate - prediction),
        prediction_high=float(estimate + prediction),
        k=len(y),
        weights=pd.Series(fit.weights / fit.weights.sum(), index=pd.Index(names), name="weight"),
    )


def meta_regression(
    estimates: ArrayLike,
    standard_errors: ArrayLike,
    moderators: pd.DataFrame,
    *,
    method: Literal["REML", "DL", "PM"] = "REML",
    interval: Literal["HK", "wald"] = "HK",
    guard: bool = True,
    level: float = 0.95,
    labels: Sequence[Hashable] | None = None,
) -> MetaRegression:
    """Estimates of facilities regressed on what is known of them, with a variance for what remains unexplained.

    With few facilities this describes and does not explain: some ten facilities per moderator are wanted.

    Parameters
    ----------
    moderators : DataFrame, one row per estimate, in their order (or labelled as they are); numeric columns
        An intercept is added. Other parameters as in `pool`.

    Raises
    ------
    DataError
        As `pool`; and if a moderator is missing, not a number or repeats others, or too few estimates are there.

    References
    ----------
    .. [1] Knapp G, Hartung J. Improved tests for a random effects meta-regression with a single covariate.
       Stat Med 2003;22:2693.
    """
    y, v, names = _checked(estimates, standard_errors, labels, method=method, interval=interval, level=level)
    terms = ["intercept", *map(str, moderators.columns)]
    design = _moderator_design(_in_order_of(estimates, moderators, "moderators"), names, terms)
    tau2 = TAU2[method](y, v, design)
    fixed, fit = _fit(y, v, design, 0.0), _fit(y, v, design, tau2)
    error, quantile, p_value = _inference(fit, fixed, interval=interval, guard=guard, level=level)
    return MetaRegression(
        coefficients=pd.DataFrame(
            {
                "term": terms,
                "estimate": fit.beta,
                "standard_error": error,
                "low": fit.beta - quantile * error,
                "high": fit.beta + quantile * error,
                "p_value": p_value,
            }
        ),
        tau2=tau2,
        i2=_i2(tau2, fixed),
        q=fixed.q,
        k=len(y),
    )


def _fit(y: np.ndarray, v: np.ndarray, design: np.ndarray, tau2: float) -> _Fit:
    weights = 1 / (v + tau2)
    weighted = design.T * weights
    bread = np.linalg.inv(weighted @ design)
    beta = bread @ (weighted @ y)
    return _Fit(beta, y - design @ beta, weights, bread, design)


def _inference(
    fit: _Fit, fixed: _Fit, *, interval: str, guard: bool, level: float
) -> tuple[np.ndarray, float, np.ndarray]:
    """Standard errors, the quantile that goes with them, and p values."""
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    df = fit.df
    wald = np.sqrt(np.diag(fit.bread))
    z, t = float(ndtri((1 + level) / 2)), float(stdtrit(df, (1 + level) / 2))
    stretch = np.sqrt(fit.q / df)  # Hartung-Knapp: how much wider apart facilities are than the model says
    narrower = fixed.q < df and t * stretch < z
    if interval == "wald" or (guard and narrower):
        return wald, z, 2 * ndtr(-np.abs(fit.beta) / wald)
    with np.errstate(divide="ignore"):  # estimates that are all the same leave no error
        return wald * stretch, t, 2 * stdtr(df, -np.abs(fit.beta) / (wald * stretch))


def _i2(tau2: float, fixed: _Fit) -> float:
    """tau2 in per cent of tau2 and the typical variance of an estimate (Higgins and Thompson 2002, eq. 9)."""
    return 100 * tau2 / (tau2 + fixed.df / fixed.trace)


def _dersimonian_laird(y: np.ndarray, v: np.ndarray, design: np.ndarray) -> float:
    fixed = _fit(y, v, design, 0.0)
    return max(0.0, (fixed.q - fixed.df) / fixed.trace)


def _paule_mandel(y: np.ndarray, v: np.ndarray, design: np.ndarray) -> float:
    """The tau2 at which Q is what is expected of it."""
    return _tau2_at(len(y) - design.shape[1], y, v, design) or 0.0


def _restricted_likelihood(y: np.ndarray, v: np.ndarray, design: np.ndarray) -> float:
    """Fisher scoring from the moment estimate, halving a step that does not climb; 0 is the lower end."""
    tau2 = _dersimonian_laird(y, v, design)
    fit, scale = _fit(y, v, design, tau2), float(np.mean(v))
    for _ in range(60):
        slope = fit.weights**2 @ fit.residual**2 - fit.trace
        step = slope / fit.trace_squared
        before = _log_restricted(fit)
        while True:
            moved = max(0.0, float(tau2 + step))
            fit = _fit(y, v, design, moved)
            if _log_restricted(fit) >= before or abs(moved - tau2) <= 1e-8 * (tau2 + scale):
                break
            step /= 2
        if abs(moved - tau2) <= 1e-13 * (tau2 + scale):
            return moved
        tau2 = moved
    return _root_of_the_slope(tau2, y, v, design)


def _root_of_the_slope(near: float, y: np.ndarray, v: np.ndarray, design: np.ndarray) -> float:
    """Where the restricted likelihood is flat, beside a value at which scoring goes to and fro in the last digits."""
    from scipy.optimize import brentq

    def slope(tau2: float) -> float:
        fit = _fit(y, v, design, tau2)
        return float(fit.weights**2 @ fit.residual**2 - fit.trace)

    if slope(0.0) <= 0 and near <= 1e-8 * float(np.mean(v)):
        return 0.0
    low, high = near / 2, near * 2 + 1e-12 * float(np.mean(v))
    for _ in range(200):
        if slope(low) > 0 > slope(high):
            return float(brentq(slope, low, high, xtol=1e-16, rtol=1e-14))
        low, high = low / 2, high * 2
    raise DataError("the variance between facilities does not settle under REML; use method 'PM'")


def _log_restricted(fit: _Fit) -> float:
    return float(np.log(fit.weights).sum() + np.linalg.slogdet(fit.bread)[1] - fit.q) / 2


TAU2: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]] = {
    "REML": _restricted_likelihood,
    "DL": _dersimonian_laird,
    "PM": _paule_mandel,
}


def _profile_limits(y: np.ndarray, v: np.ndarray, design: np.ndarray, *, level: float) -> tuple[float, float]:
    """Limits of tau2: the values at which Q would be at the edge of its chi-squared distribution; 0 where none."""
    from scipy.special import chdtri

    df = len(y) - design.shape[1]
    low, high = (_tau2_at(float(chdtri(df, (1 + sign * level) / 2)), y, v, design) for sign in (-1, 1))
    return low or 0.0, high or 0.0


def _tau2_at(target: float, y: np.ndarray, v: np.ndarray, design: np.ndarray) -> float | None:
    """The tau2 at which Q equals `target`; none where Q is below it from the start, as Q only falls."""
    from scipy.optimize import brentq

    def beyond(tau2: float) -> float:
        return _fit(y, v, design, tau2).q - target

    if beyond(0.0) <= 0:
        return None
    upper = float(np.max(v))
    while beyond(upper) > 0:
        upper *= 4
    return float(brentq(beyond, 0.0, upper, xtol=1e-14 * upper, rtol=1e-14))


def _checked(
    estimates: ArrayLike,
    standard_errors: ArrayLike,
    labels: Sequence[Hashable] | None,
    *,
    method: str,
    interval: str,
    level: float,
) -> tuple[np.ndarray, np.ndarray, list[Hashable]]:
    """Estimates, variances and labels, after the checks at the door."""
    wrong = [
        f"{name} is {value!r}: give one of {', '.join(allowed)}"
        for name, value, allowed in (("method", method, (*TAU2,)), ("interval", interval, ("HK", "wald")))
        if value not in allowed
    ]
    wrong += level_problems(level)
    if wrong:
        raise ParameterError("; ".join(wrong))
    errors = _numbers(_in_order_of(estimates, standard_errors, "standard errors"), "standard errors")
    y = _numbers(estimates, "estimates")
    names: list[Hashable] = list(range(len(y)) if labels is None else labels)
    if not len(y) == len(errors) == len(names):
        raise DataError(f"{len(y)} estimates, {len(errors)} standard errors and {len(names)} labels do not match")
    if len(y) < 2:
        raise DataError(
            f"pooling compares estimates, and there {'is 1' if len(y) else 'are none'}: it needs at least 2"
        )
    bad = ~(np.isfinite(y) & np.isfinite(errors) & (errors > 0))
    if bad.any():
        shown = "; ".join(f"{names[i]}: {y[i]:g} with error {errors[i]:g}" for i in np.flatnonzero(bad)[:5])
        raise DataError(
            f"{bad.sum()} of {len(y)} estimates cannot be pooled ({shown}). Each needs a number and a standard error "
            "above 0; an estimate without one weighs nothing, and an error of 0 would outweigh all others. Leave "
            "these out and say so."
        )
    return y, errors**2, names


def _numbers(given: Any, what: str) -> np.ndarray:
    try:
        numbers = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{what} are not all numbers: give one number per facility") from None
    if numbers.ndim != 1:
        found = "a single number" if numbers.ndim == 0 else f"a table of {' by '.join(map(str, numbers.shape))}"
        raise DataError(f"{what} are {found}: give a list, one number per facility")
    return numbers


def _in_order_of(estimates: Any, given: Any, what: str) -> Any:
    """What belongs to the estimates, in their order where both are labelled; refused where the labels differ."""
    if not (isinstance(estimates, pd.Series) and isinstance(given, (pd.Series, pd.DataFrame))):
        return given
    own, other = estimates.index, given.index
    # Lengths that differ are refused in words of their own.
    if own.equals(other) or len(own) != len(other):
        return given
    if own.is_unique and other.is_unique and set(own) == set(other):
        return given.reindex(own)
    strange = [str(label) for label in other if label not in own]
    shown = f" ({', '.join(strange[:3])} {'is' if len(strange) == 1 else 'are'} not among the estimates)"
    raise DataError(
        f"the labels of the {what} are not those of the estimates{shown if strange else ''}: label both alike, or give "
        "plain lists in the same order"
    )


def _moderator_design(moderators: pd.DataFrame, names: list[Hashable], terms: list[str]) -> np.ndarray:
    if len(moderators) != len(names):
        raise DataError(f"{len(names)} estimates and {len(moderators)} rows of moderators do not match")
    texts = [str(column) for column in moderators if not pd.api.types.is_numeric_dtype(moderators[column])]
    if texts:
        raise DataError(f"moderators must be numbers, and {', '.join(texts)} is not: give 0 and 1 for a category")
    values = moderators.to_numpy(dtype=float)
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        shown = ", ".join(str(names[i]) for i in np.flatnonzero(bad)[:5])
        raise DataError(
            f"{bad.sum()} of {len(names)} estimates have no value of a moderator ({shown}). Leave them out."
        )
    if len(names) <= len(terms):
        raise DataError(
            f"{len(names)} estimates are too few for {len(terms)} terms ({', '.join(terms)}): at least "
            f"{len(terms) + 1} are needed, and some ten per moderator to mean much"
        )
    design = np.column_stack([np.ones(len(names)), values])
    refuse_aliased(design, terms)
    return design
