"""The engines: what each makes of the same design. All answer with a `Mixture`, so that all are read alike."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from qieval.errors import DataError
from qieval.methods.its import ar1
from qieval.methods.its.ar1 import Mixture
from qieval.methods.its.design import Design, Series

FARTHEST_LOGIT = 15.0  # a fitted odds beyond e**15 has run away: a stretch of all or none


@dataclass(frozen=True, eq=False, kw_only=True)
class Model:
    """What an engine is given: the rows of one series, or of one and its comparison below it."""

    design: np.ndarray  # (n, p)
    values: np.ndarray  # (n,)
    times: np.ndarray  # (n,) whole periods
    is_comparison: np.ndarray  # (n,)
    numerators: np.ndarray | None
    denominators: np.ndarray | None
    lags: int  # of Newey-West

    @property
    def steps(self) -> np.ndarray:
        """See `ar1.distances`: the two series do not resemble each other beyond their design."""
        return ar1.distances(self.times, self.is_comparison)

    @cached_property
    def best_phi(self) -> float:
        """See `ar1.best_phi`; found once, since an engine and the flags ask for it."""
        return ar1.best_phi(self.design, self.values, self.steps)

    @cached_property
    def averaged(self) -> tuple[Mixture, np.ndarray]:
        """See `ar1.average`."""
        return ar1.average(self.design, self.values, self.steps)


def stack(design: Design, series: Series, comparison: Series | None, *, lags: int) -> Model:
    """The rows that are fitted; raises where they cannot tell the terms apart."""
    parts = [series] if comparison is None else [series, comparison]
    used = [design.uses(one.times) for one in parts]

    def joined(columns: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([column[rows] for column, rows in zip(columns, used, strict=True)])

    columns = joined([design.columns(one.times, one, is_comparison=one is comparison) for one in parts])
    n, p = columns.shape
    if n < p + 2 or np.linalg.matrix_rank(columns) < p:
        raise DataError(
            f"{n} periods cannot tell apart {p} terms ({', '.join(design.terms)}): leave out events or seasonality, "
            "or two of the terms mean the same"
        )
    counts = series.numerators is not None
    return Model(
        design=columns,
        values=joined([one.values for one in parts]),
        times=joined([one.times for one in parts]),
        is_comparison=joined([np.full(len(one.times), one is comparison) for one in parts]),
        numerators=joined([np.asarray(one.numerators) for one in parts]) if counts else None,
        denominators=joined([np.asarray(one.denominators) for one in parts]) if counts else None,
        lags=lags,
    )


def ols(model: Model) -> Mixture:
    """Ordinary least squares, t with n - p degrees of freedom: right only if no month resembles the one before."""
    return _single(_least_squares(model.design, model.values).fit(), df=len(model.values) - model.design.shape[1])


def newey_west(model: Model) -> Mixture | None:
    """Least squares with Newey-West standard errors, times n / (n - p), t with n - p degrees of freedom.

    A missing period stands in as a row of zeros, which moves no coefficient and keeps its neighbours two apart
    [2]_; the factor counts the real rows only. Equal to Stata's `newey` and `itsa`.

    References
    ----------
    .. [1] Newey WK, West KD. A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent
       covariance matrix. Econometrica 1987;55:703.
    .. [2] Datta DD, Du W. Nonparametric HAC estimation for time series data with missing observations. Federal
       Reserve International Finance Discussion Papers 1060, 2012.
    """
    n, p = model.design.shape
    # So far below the other that no lag reaches across.
    at = model.times + model.is_comparison * (model.times.max() + model.lags + 1)
    design, values = np.zeros((at.max() + 1, p)), np.zeros(at.max() + 1)
    design[at], values[at] = model.design, model.values
    robust = _least_squares(design, values).fit(
        cov_type="HAC", cov_kwds={"maxlags": model.lags, "use_correction": False}, use_t=True
    )
    found = _single(robust, df=n - p, factor=n / (n - p))
    # With so few months the estimated variances need not be positive; then it has nothing to say.
    return found if np.linalg.eigvalsh(found.covariances[0]).min() > 0 else None


def reml(model: Model) -> Mixture:
    """Generalised least squares at the AR(1) correlation of the greatest restricted likelihood, as R's nlme::gls.

    t with n - p degrees of freedom. That phi is estimated is not allowed for: short series get too narrow intervals.

    References
    ----------
    .. [1] Pinheiro JC, Bates DM. Mixed-Effects Models in S and S-PLUS. Springer 2000, sec. 5.3-5.4.
    """
    return ar1.profile(model.design, model.values, model.steps, np.array([model.best_phi]))[0]


def averaged(model: Model) -> Mixture:
    """The same, averaged over the autocorrelation instead of taken at its best value; see `ar1.average`."""
    return model.averaged[0]


def quasibinomial(model: Model) -> Mixture | None:
    """Logistic regression of numerator of denominator, scaled by Pearson's X2 / (n - p); on the logit scale.

    None where a stretch of all or none sends the odds to infinity.

    References
    ----------
    .. [1] McCullagh P, Nelder JA. Generalized Linear Models, 2nd ed., 1989, sec. 4.5.
    """
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    # Proportions with weights: given two columns of counts, statsmodels 0.15.0 takes a scale far too small.
    return _quasi(lambda: GLM(model.values, model.design, family=Binomial(), var_weights=model.denominators))


def quasipoisson(model: Model) -> Mixture | None:
    """Log-linear regression of the numerator with offset log(denominator), scaled by X2 / (n - p); on the log scale.

    None where a stretch without any event sends the rate to 0.

    References
    ----------
    .. [1] Lopez Bernal J, Cummins S, Gasparrini A. Interrupted time series regression for the evaluation of public
       health interventions: a tutorial. Int J Epidemiol 2017;46:348.
    """
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    assert model.denominators is not None
    offset = np.log(model.denominators)
    return _quasi(lambda: GLM(model.numerators, model.design, family=Poisson(), offset=offset), offset=offset)


ENGINES: dict[str, Callable[[Model], Mixture | None]] = {
    "averaged": averaged,
    "reml": reml,
    "newey_west": newey_west,
    "ols": ols,
    "quasibinomial": quasibinomial,
    "quasipoisson": quasipoisson,
}
LINKS = {"quasibinomial": "logit", "quasipoisson": "log"}  # the others are on the scale of the values
FAMILIES = {"quasibinomial": "binomial", "quasipoisson": "poisson"}


def estimates(mixture: Mixture, contrasts: np.ndarray, level: float) -> pd.DataFrame:
    """One row per contrast: estimate, standard_error, low, high, df, p_value.

    Of a single t distribution, the usual ones. Of a mixture the mean and its spread; low and high are its
    quantiles, and not the estimate plus and minus some standard errors.
    """
    centres, errors = mixture.along(contrasts)
    return summary(mixture, centres, errors, level)


def summary(mixture: Mixture, centres: np.ndarray, errors: np.ndarray, level: float) -> pd.DataFrame:
    """The same for centres and standard errors (g, k) worked out elsewhere."""
    mean = mixture.weights @ centres
    parts = mixture.weights, centres, errors, mixture.df
    below = ar1.cdf(np.zeros(centres.shape[-1]), *parts)
    return pd.DataFrame(
        {
            "estimate": mean,
            "standard_error": np.sqrt(mixture.weights @ (errors**2 + (centres - mean) ** 2)),
            "low": ar1.quantile((1 - level) / 2, *parts),
            "high": ar1.quantile((1 + level) / 2, *parts),
            "df": float(mixture.df),
            "p_value": 2 * np.minimum(below, 1 - below),
        }
    )


def _least_squares(design: np.ndarray, values: np.ndarray) -> Any:
    from statsmodels.regression.linear_model import OLS

    return OLS(values, design)


def _single(fitted: Any, *, df: float, factor: float = 1.0) -> Mixture:
    return Mixture(
        weights=np.ones(1),
        coefs=np.asarray(fitted.params)[None],
        covariances=np.asarray(fitted.cov_params())[None] * factor,
        df=df,
    )


def _quasi(build: Callable[[], Any], offset: np.ndarray | float = 0.0) -> Mixture | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they warn of is caught below, or ends in `None`
        try:
            model = build()
            fitted = model.fit(scale="X2", tol=1e-12, maxiter=100)
        except (ValueError, np.linalg.LinAlgError):
            return None
    away = np.abs(model.exog @ fitted.params)
    if not fitted.converged or not np.isfinite(fitted.bse).all() or (away > FARTHEST_LOGIT + np.abs(offset)).any():
        return None
    return _single(fitted, df=fitted.df_resid)
