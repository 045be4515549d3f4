"""Logistic regression of counts with fixed effects: what a stepped roll-out did, told apart from place and month."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError
from qieval.methods.robust import cr2, refuse_aliased
from qieval.methods.terms import check_columns, check_rows, design_of, has_levels, refuse_separated

# An odds ratio that turns one half into more than 95%, or into less than 5%, or that is larger still. It hangs on the
# few people who go against it, and one more or fewer of them moves it by a multiple.
NEARLY_SEPARATED = 0.95 / 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class LogitModel:
    """Odds ratios, the intercept first, and what was set aside."""

    coefficients: pd.DataFrame  # a row per term: term, estimate (log odds ratio), standard_error, df, odds_ratio, low,
    # high, p_value; of a level that nearly separates only term and estimate
    set_aside: pd.DataFrame  # a row per level with events only or none: term, level, rows, numerator, denominator
    n_rows: int  # used
    n_clusters: int | None


def fit(
    frame: pd.DataFrame,
    *,
    numerator: str,
    denominator: str,
    terms: Sequence[str],
    cluster: str | None = None,
    level: float = 0.95,
) -> LogitModel:
    """Fit a logistic regression in which places and months have their own level (fixed effects).

    With `cluster` the standard errors are the bias-reduced ones (CR2) of the weighted least squares that the fit ends
    with, and the intervals use Student's t with Satterthwaite's degrees of freedom: with some 10 clusters, the plain
    cluster-robust interval is too narrow. Below about 4 degrees of freedom the interval is itself a guess. Without
    `cluster`, people count as independent of each other and the interval is normal, which for repeated months of the
    same facility is too narrow.

    Nothing is said of an odds ratio that the data do not bound:

    - A level of a fixed effect in which everybody or nobody had the event tells nothing of the other terms. Its rows
      are set aside, as conditional logistic regression does.
    - A number or a yes or no that separates those with the event from those without is refused; so is one that nearly
      does, with an odds ratio beyond 19 (or 1/19) between its lowest and highest value.

    Parameters
    ----------
    frame : DataFrame, one row per facility and month (or person)
    numerator, denominator : columns
        Events and people.
    terms : columns
        Numbers and booleans enter as they are. Text, categories, dates and a column named ``period`` become one dummy
        per value but the first. An intercept is added.
    cluster : column, optional
        What rows belong to, usually the facility; at least 2.

    Raises
    ------
    DataError
        If counts are impossible, values are missing, a term repeats others, or one separates or nearly separates.
    ParameterError
        If columns are absent.

    References
    ----------
    .. [1] Albert A, Anderson JA. On the existence of maximum likelihood estimates in logistic regression models.
       Biometrika 1984;71:1 (separation).
    .. [2] Pustejovsky JE, Tipton E. Small-sample methods for cluster-robust variance estimation and hypothesis
       testing in fixed effects models. J Bus Econ Stat 2018;36:672, sec. 2.1 (CR2 from the working weights).
    """
    check_columns(frame, [numerator, denominator, *terms, *([cluster] if cluster else [])])
    if not terms or not 0 < level < 1:
        raise ParameterError(f"terms are {list(terms)} and level is {level}: give a term or more, and 0 < level < 1")
    counts = frame[[numerator, denominator]].to_numpy(dtype=float).T
    used = [*terms, *([cluster] if cluster else [])]
    check_rows(frame, *counts, label=cluster or terms[0], used=used, family="binomial")

    kept, set_aside = _without_settled_levels(frame, numerator, denominator, terms)
    y, size = kept[[numerator, denominator]].to_numpy(dtype=float).T
    x, names = design_of(kept, terms)
    refuse_aliased(x, names)
    refuse_separated(x, y, size, names, family="binomial")
    table = _estimates(x, y, size, names, kept[cluster] if cluster else None, level)
    numbers = [term for term in terms if not has_levels(frame[term])]
    _refuse_nearly_separated(kept, table, numbers, numerator, denominator, set_aside)
    return LogitModel(
        coefficients=_as_ratios(table, numbers),
        set_aside=set_aside,
        n_rows=len(kept),
        n_clusters=int(kept[cluster].nunique()) if cluster else None,
    )


def _without_settled_levels(
    frame: pd.DataFrame, numerator: str, denominator: str, terms: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows whose levels all have both events and others, and a list of the levels that have not."""
    settled = []
    by_level = [term for term in terms if has_levels(frame[term])]
    looking = True
    while looking:  # a month may be settled only once the clinics that never varied are gone
        looking = False
        for term in by_level:
            sums = frame.groupby(term, observed=True)[[numerator, denominator]].agg("sum")
            rows = frame[term].value_counts()
            events, people = sums[numerator], sums[denominator]
            for one in sums.index[(events == 0) | (events == people)]:
                settled.append((term, one, int(rows[one]), events[one], people[one]))
                frame, looking = frame[frame[term] != one], True
    columns = ["term", "level", "rows", "numerator", "denominator"]
    if frame.empty:
        raise DataError("everybody had the event in some rows and nobody in the others: no odds ratio can be given")
    return frame, pd.DataFrame(settled, columns=columns)


def _estimates(
    x: np.ndarray, y: np.ndarray, size: np.ndarray, names: list[str], cluster: pd.Series | None, level: float
) -> pd.DataFrame:
    """Estimate, standard error, df, low, high and p_value of each term, on the logit scale."""
    from scipy.stats import norm
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        # Where there are as many terms as rows, it divides by 0 for a scale not used, and takes a perfect fit for
        # separation, which has been ruled out.
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        found = GLM(y / size, x, family=Binomial(), var_weights=size).fit(tol=1e-12, maxiter=200)
    if cluster is not None:
        # The fit as the least squares it ends with: rows scaled so that their working variance is 1.
        eta, share = x @ found.params, found.mu
        root = np.sqrt(size * share * (1 - share))
        return cr2(root[:, None] * x, root * eta + (y - size * share) / root, cluster, term_names=names, level=level)
    half_width = norm.ppf((1 + level) / 2) * found.bse
    return pd.DataFrame(
        {
            "term": names,
            "estimate": found.params,
            "standard_error": found.bse,
            "df": np.inf,
            "low": found.params - half_width,
            "high": found.params + half_width,
            "p_value": found.pvalues,
        }
    )


def _refuse_nearly_separated(
    rows: pd.DataFrame,
    table: pd.DataFrame,
    numbers: list[str],
    numerator: str,
    denominator: str,
    set_aside: pd.DataFrame,
) -> None:
    problems = []
    for term in numbers:
        values = rows[term].astype(float)
        ratio = float(table.set_index("term")["estimate"][term]) * (values.max() - values.min())
        if abs(ratio) <= math.log(NEARLY_SEPARATED):
            continue
        sums = [rows.loc[values == edge, [numerator, denominator]].sum() for edge in (values.max(), values.min())]
        shown = [f"{s[numerator]:,.0f} of {s[denominator]:,.0f}" for s in sums]
        problems.append(
            f"{term} nearly separates those with the event from those without: {shown[0]} where it is "
            f"{values.max():g} and {shown[1]} where it is {values.min():g}"
        )
    if problems:
        gone = ", ".join(f"{term} {level}" for term, level in zip(set_aside["term"], set_aside["level"], strict=True))
        without = f" (set aside, with events only or none: {gone})" if gone else ""
        raise DataError(
            f"{'; '.join(problems)}{without}. Within the other terms the odds would differ more than "
            f"{NEARLY_SEPARATED:.0f}-fold, a ratio that hangs on the few who go against it. Show the shares instead."
        )


def _as_ratios(table: pd.DataFrame, numbers: list[str]) -> pd.DataFrame:
    """Odds ratios with their limits; none for a level that lies too far from the first to be told."""
    near = (table["estimate"].abs() > math.log(NEARLY_SEPARATED)) & ~table["term"].isin(numbers)
    shown = table.assign(
        odds_ratio=np.exp(table["estimate"]),
        low=np.exp(table["low"].clip(-700, 700)),
        high=np.exp(table["high"].clip(-700, 700)),
    )
    unbounded = ["standard_error", "df", "odds_ratio", "low", "high", "p_value"]
    shown.loc[near, unbounded] = np.nan
    return shown[["term", "estimate", *unbounded]]
