"""Whether groups take different times, by how much, and whether one number can tell it."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qieval.errors import DataError
from qieval.methods.survival.accelerated import SHAPES, accelerated
from qieval.methods.survival.inputs import checked_ends, checked_groups

FEWEST_ENDS = 10  # per group beside the first: below this a fitted ratio is mostly its own noise
# lifelines would stop where a step gains 1e-7 of likelihood, which leaves the fourth digit of a ratio to chance.
_TO_THE_TOP = {"precision": 1e-12, "r_precision": 1e-14}
_NO_FINITE_RATIO = 20.0  # a standard error of a logarithm beyond this belongs to an estimate that ran off to infinity


@dataclass(frozen=True, eq=False, kw_only=True)
class LogRank:
    """Whether the curves of groups differ."""

    statistic: float  # chi-square with `degrees_of_freedom`
    p_value: float
    degrees_of_freedom: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Ratios:
    """Each group against the first, as a ratio."""

    table: pd.DataFrame  # one row per group but the first: group, ratio, low, high, p_value, proportional_p
    reference: object  # the group that the others are set against
    model: str  # "cox", "weibull", "lognormal" or "loglogistic"


def log_rank(durations: ArrayLike, observed: ArrayLike, groups: ArrayLike) -> LogRank:
    """The log-rank test that all groups have the same survival curve (lifelines; R's survdiff).

    Raises
    ------
    DataError
        If durations or ends are not as they should be, a group is missing, there are fewer than two groups, or
        nothing has ended.
    """
    from lifelines.statistics import multivariate_logrank_test

    data = _frame(durations, observed, groups)
    found = multivariate_logrank_test(data["duration"], data["group"], data["observed"])
    freedom = data["group"].nunique() - 1
    return LogRank(statistic=float(found.test_statistic), p_value=float(found.p_value), degrees_of_freedom=int(freedom))


def hazard_ratios(durations: ArrayLike, observed: ArrayLike, groups: ArrayLike) -> Ratios:
    """How many times as often each group ends, at any time, as the first of `groups` (Cox, ties by Efron).

    ``proportional_p`` is small where the ratio changes with time, so that one number cannot tell it
    (Grambsch and Therneau, on the Kaplan-Meier scale, as lifelines approximates it; R's cox.zph since 3.0 has the
    exact score test, a little different). It is missing where all ended at once.

    Raises
    ------
    DataError
        If fewer than ten have ended per group beside the first, a group has no end, or one group ended wholly
        before another, so that no finite ratio is likeliest.

    References
    ----------
    .. [1] Cox DR. J R Stat Soc B 1972;34:187. Efron B. JASA 1977;72:557. Grambsch PM, Therneau TM. Biometrika
       1994;81:515.
    """
    from lifelines import CoxPHFitter
    from lifelines.statistics import proportional_hazard_test

    data, names, design = _design(durations, observed, groups)
    fit = _fitted(CoxPHFitter(), design)
    if not (fit.standard_errors_ < _NO_FINITE_RATIO).all():
        raise DataError("one group had ended before another began to: no finite ratio is likeliest (separation)")
    check = proportional_hazard_test(fit, design, time_transform="km").summary
    table = _ratios(fit.summary, names).assign(proportional_p=check.loc[list(names), "p"].to_numpy())
    return Ratios(table=table, reference=data["group"].iloc[0], model="cox")


def time_ratios(durations: ArrayLike, observed: ArrayLike, groups: ArrayLike) -> Ratios:
    """How many times as long each group takes as the first of `groups` (accelerated failure time).

    Of a Weibull, a log-normal and a log-logistic shape the likeliest is taken. Limits allow for the scale being
    estimated, too: Student's t with as many degrees of freedom as ends beyond the number of estimates p, and the
    variance times ends / (ends - p), as in a regression of the logarithm. Normal limits are too narrow for ten to
    twenty ends; how often these hold is in benchmarks/durations.py.

    Raises
    ------
    DataError
        If a duration is 0, fewer than ten have ended per group beside the first, a group has no end, or no shape
        fits, as where all durations of a group are the same.

    References
    ----------
    .. [1] Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time Data, 2nd ed., 2002, sec. 2.2.
    """
    from scipy.stats import t

    data, names, design = _design(durations, observed, groups)
    if (data["duration"] <= 0).any():
        raise DataError("a time ratio needs durations above 0, and one is 0")
    columns = design[list(names)].assign(one=1.0).to_numpy()
    fits = {}
    for shape in SHAPES:
        with suppress(DataError):  # one shape may fail where another fits
            times, ended = data["duration"].to_numpy(), data["observed"].to_numpy()
            fits[shape] = accelerated(times, ended, columns, shape=shape)
    if not fits:
        raise DataError("no shape of the durations could be fitted: too many of them are the same")
    best = max(fits, key=lambda shape: fits[shape].log_likelihood)
    place = fits[best].coefficients[:-1]
    ends = int(data["observed"].sum())
    freedom = ends - len(names) - 2
    error = np.sqrt(np.diag(fits[best].covariance)[:-1] * ends / freedom)
    half = float(t.ppf(0.975, freedom)) * error
    table = pd.DataFrame(
        {
            "group": list(names.values()),
            "ratio": np.exp(place),
            "low": np.exp(place - half),
            "high": np.exp(place + half),
            "p_value": 2 * t.sf(np.abs(place) / error, freedom),
            "proportional_p": np.nan,
        }
    )
    return Ratios(table=table, reference=data["group"].iloc[0], model=best)


def _frame(durations: ArrayLike, observed: ArrayLike, groups: ArrayLike) -> pd.DataFrame:
    times, ended = checked_ends(durations, observed)
    data = pd.DataFrame({"duration": times, "observed": ended, "group": checked_groups(groups, len(times))})
    if not ended.any():
        raise DataError("nothing has ended, so there is nothing to compare")
    return data


def _design(
    durations: ArrayLike, observed: ArrayLike, groups: ArrayLike
) -> tuple[pd.DataFrame, dict[str, object], pd.DataFrame]:
    """The data, the groups by the name of their column, and a column of 0 and 1 per group but the first."""
    data = _frame(durations, observed, groups)
    ended = data.groupby("group", sort=False)["observed"].sum()
    needed = FEWEST_ENDS * (len(ended) - 1)
    if ended.sum() < needed or (ended == 0).any():
        raise DataError(
            f"{int(ended.sum())} ended, in groups of {', '.join(str(int(n)) for n in ended)}: a ratio of "
            f"{len(ended)} groups needs {needed} ends or more, and some in each"
        )
    names = {f"group_{place}": name for place, name in enumerate(ended.index[1:], start=1)}
    columns = {column: data["group"].eq(name).astype(float) for column, name in names.items()}
    return data, names, data[["duration", "observed"]].assign(**columns)


def _fitted(fitter: Any, design: pd.DataFrame) -> Any:
    from lifelines.exceptions import ConvergenceError

    with warnings.catch_warnings():
        # Newer pandas and numpy warn of lifelines' own code; a fit that fails raises.
        warnings.simplefilter("ignore")
        try:
            return fitter.fit(design, duration_col="duration", event_col="observed", fit_options=_TO_THE_TOP)
        except ConvergenceError as error:
            raise DataError("the durations could not be fitted: too many of them are the same") from error


def _ratios(summary: pd.DataFrame, names: dict[str, object]) -> pd.DataFrame:
    rows = summary.loc[list(names)]
    return pd.DataFrame(
        {
            "group": list(names.values()),
            "ratio": rows["exp(coef)"].to_numpy(),
            "low": rows["exp(coef) lower 95%"].to_numpy(),
            "high": rows["exp(coef) upper 95%"].to_numpy(),
            "p_value": rows["p"].to_numpy(),
        }
    )
