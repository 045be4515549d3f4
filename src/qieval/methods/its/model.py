"""Segmented regression of one interrupted time series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError, bulleted
from qieval.methods.its import ar1
from qieval.methods.its.ar1 import Mixture
from qieval.methods.its.design import Design, Series, lay_out, read_pair, read_series
from qieval.methods.its.effect import Effect, back_transformed, effect_of
from qieval.methods.its.engines import ENGINES, FAMILIES, LINKS, Model, estimates, stack
from qieval.methods.its.flags import Flag, flags_of
from qieval.methods.rates import level_problems

GAUSSIAN = ("averaged", "reml", "newey_west", "ols")


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """One series, all engines asked for, and what a reader must know before believing them."""

    estimates: pd.DataFrame  # engine, term, estimate, standard_error, low, high, df, p_value
    phi: float  # correlation of neighbouring periods: mean over the grid
    phi_reml: float  # the same at the greatest restricted likelihood
    sigma: float  # standard deviation of one period about the lines (REML)
    n_before: int
    n_after: int
    flags: tuple[Flag, ...]
    headline: str  # the engine of effects and bands where none is named
    level: float
    series: Series
    design: Design
    mixtures: dict[str, Mixture]

    def effect(self, period: object, *, engine: str | None = None) -> Effect:
        """The absolute and the relative change at `period`, each with its interval.

        Intervals of the relative change by the delta method [1]_, on the log scale for the quasi engines; of the
        averaged engine within each autocorrelation of the grid, and then mixed.

        Raises
        ------
        ParameterError
            If the period is not in the time after the start, or the engine was not fitted.

        References
        ----------
        .. [1] Zhang F, Wagner AK, Soumerai SB, Ross-Degnan D. Methods for estimating confidence intervals in
           interrupted time series analyses of health interventions. J Clin Epidemiol 2009;62:143.
        """
        name = engine or self.headline
        time = self.series.time_of(period)
        if name not in self.mixtures:
            raise ParameterError(f"engine '{name}' was not fitted; there are {', '.join(self.mixtures)}")
        if not self.design.after <= time <= self.series.times[-1] or time % 1:
            raise ParameterError(
                f"{period!r} is not a period from {self.series.label_at(self.design.after)} to "
                f"{self.series.labels[-1]}, the time after the start"
            )
        at = np.array([int(time)])
        return effect_of(
            self.mixtures[name],
            self.design.columns(at, self.series),
            self.design.columns(at, self.series, changed=False),
            link=LINKS.get(name, "identity"),
            level=self.level,
            engine=name,
            period=self.series.period_at(int(time)),
        )

    @cached_property
    def fitted(self) -> pd.DataFrame:
        """The fitted line at every period, gaps included: period, observed, fitted, counterfactual, low, high.

        `low` and `high` bound the fitted line (its mean, not single months), point by point.
        """
        return self._lines(band_of_counterfactual=False)

    @cached_property
    def counterfactual(self) -> pd.DataFrame:
        """The same columns as `fitted`; here `low` and `high` bound the line had nothing happened at the start."""
        return self._lines(band_of_counterfactual=True)

    def _lines(self, *, band_of_counterfactual: bool) -> pd.DataFrame:
        times = np.arange(self.series.times[0], self.series.times[-1] + 1)
        mixture, link = self.mixtures[self.headline], LINKS.get(self.headline, "identity")
        with_it, without = (self.design.columns(times, self.series, changed=changed) for changed in (True, False))
        band = back_transformed(estimates(mixture, without if band_of_counterfactual else with_it, self.level), link)
        lines = pd.DataFrame(
            {
                "period": [self.series.period_at(int(time)) for time in times],
                "observed": pd.Series(self.series.values, index=self.series.times).reindex(times).to_numpy(),
                "fitted": back_transformed(estimates(mixture, with_it, self.level), link)["estimate"],
                "counterfactual": back_transformed(estimates(mixture, without, self.level), link)["estimate"],
                "low": band["low"],
                "high": band["high"],
            }
        )
        # Nothing was fitted in a transition that was left out.
        not_fitted = ["fitted"] if band_of_counterfactual else ["fitted", "low", "high"]
        lines.loc[~self.design.uses(times), not_fitted] = np.nan
        return lines


def fit(
    frame: pd.DataFrame,
    *,
    period: str,
    value: str | None = None,
    numerator: str | None = None,
    denominator: str | None = None,
    start: object,
    transition: int = 0,
    transition_term: bool = False,
    seasonality: bool | None = None,
    harmonics: int = 2,
    events: Sequence[object] = (),
    slope: bool = True,
    comparison: str | None = None,
    family: str = "binomial",
    engines: Sequence[str] | None = None,
    newey_west_lags: int = 1,
    level: float = 0.95,
) -> Fit:
    """Level and slope before a start, and how both changed there.

    Parameters
    ----------
    frame : DataFrame, one row per period, in any order
        A missing value, or nobody eligible, is a gap: the months around it stay two apart.
    period : str
        Column of dates (of which year and month count) or of whole numbers. Slopes are per period, the greatest
        spacing that fits all rows: a month, a quarter, 1.
    value : str, optional
        Column of the measured value. Or else:
    numerator, denominator : str, optional
        Columns of counts. The quasi engines weigh periods by their denominators. The others work on numerator /
        denominator and weigh all periods alike: weights by denominator would be right only if chance among people
        were all that moves a month, and then one month of 400 would outvote a hundred months of 4. Where denominators
        are very unequal a flag says so. A numerator alone is a count (`family="poisson"`).
    start : date or number
        The first period after.
    transition : int
        So many periods from the start are neither before nor after: left out, or with `transition_term` given
        a level of their own. `level_change` is then measured at the first period after them.
    seasonality : bool, optional
        True: `harmonics` pairs of sine and cosine of the calendar month, if periods are dates and there are two full
        years; otherwise the term is refused and a flag says why. Default: none, and of dates a flag that says that
        seasons were not looked at.
    events : dates or numbers
        Other known changes: each adds a step from its period on, which stays in the counterfactual.
    slope : bool
        False: no change of slope, only of level, about one common trend. Series with fewer than 6 periods before
        the start, or 12 in all, get a level before and after and no trend, whatever is asked.
    comparison : str, optional
        Column that is true in the rows of a comparison series (one row per period) and false in the others. All
        terms are then differences from it, those named `comparison_...` are its own, the counterfactual is the
        line had the series changed as the comparison did, and seasons and events are the same in both.
    family : {"binomial", "poisson"}
        Whether a numerator is some of the denominator, or events over an exposure. Adds the quasi engine.
    engines : sequence of str, optional
        Of "averaged", "reml", "newey_west", "ols", and "quasibinomial" or "quasipoisson". Default: all that apply.
    newey_west_lags : int
        How many periods apart errors may resemble each other.

    Returns
    -------
    Fit
        Terms on the scale of the values, of the quasi engines as logits or logs. `level_change` is the change at
        the first period after, where `slope_change` still adds nothing.

    Raises
    ------
    DataError
        If there are fewer than 3 periods before or after, impossible counts (named), a period twice, terms that
        cannot be told apart, or nothing that varies.
    ParameterError
        If columns or settings are impossible; all of them are named at once.

    References
    ----------
    .. [1] Wagner AK, Soumerai SB, Zhang F, Ross-Degnan D. Segmented regression analysis of interrupted time series
       studies in medication use research. J Clin Pharm Ther 2002;27:299.
    .. [2] Turner SL, Forbes AB, Karahalios A, et al. Evaluation of statistical methods used in the analysis of
       interrupted time series studies: a simulation study. BMC Med Res Methodol 2021;21:181.
    """
    names = _engines_asked(engines, family=family, counts=numerator is not None)
    _check_settings(
        names, family, numerator, denominator, transition, transition_term, harmonics, newey_west_lags, level
    )
    columns: dict[str, Any] = dict(  # noqa: C408
        period=period, value=value, numerator=numerator, denominator=denominator, family=family
    )
    if comparison is None:
        series, other = read_series(frame, **columns), None
    else:
        series, other = read_pair(frame, comparison, **columns)
    design = lay_out(
        series,
        other,
        start=start,
        transition=transition,
        transition_term=transition_term,
        seasonality=seasonality,
        harmonics=harmonics,
        events=events,
        slope=slope,
    )
    model = stack(design, series, other, lags=newey_west_lags)
    _check_scatter(model)
    tried = {name: ENGINES[name](model) for name in names}
    mixtures = {name: mixture for name, mixture in tried.items() if mixture is not None}
    if not mixtures:
        raise DataError(f"{names[0]} finds no finite odds or rate: a stretch is all or none. Use the averaged engine")
    tables = {name: estimates(mixture, np.eye(len(design.terms)), level) for name, mixture in mixtures.items()}
    table = pd.concat([own.assign(engine=name, term=design.terms) for name, own in tables.items()], ignore_index=True)[
        ["engine", "term", "estimate", "standard_error", "low", "high", "df", "p_value"]
    ]
    phi_reml = model.best_phi
    at_best, _ = ar1.profile(model.design, model.values, model.steps, np.array([phi_reml]))
    phi = float(model.averaged[1])
    times = series.times
    n_before, n_after = int((times < design.start).sum()), int((times >= design.after).sum())
    return Fit(
        estimates=table,
        phi=phi,
        phi_reml=phi_reml,
        sigma=ar1.noise(model.values - model.design @ at_best.coefs[0], model.steps, phi_reml, at_best.df),
        n_before=n_before,
        n_after=n_after,
        flags=flags_of(
            series,
            design,
            table,
            phi=phi,
            phi_reml=phi_reml,
            n_before=n_before,
            n_after=n_after,
            seasonality=seasonality,
            runaway=[name for name in names if name not in mixtures],
        ),
        headline=next(iter(mixtures)),
        level=level,
        series=series,
        design=design,
        mixtures=mixtures,
    )


def _engines_asked(engines: Sequence[str] | None, *, family: str, counts: bool) -> list[str]:
    own = [name for name, of in FAMILIES.items() if counts and of == family]
    if engines is None:
        return [*GAUSSIAN, *own]
    # In the order of the table of engines, so that the averaged one leads wherever it was asked for.
    unknown = [name for name in engines if name not in [*GAUSSIAN, *own]]
    if unknown or not engines:
        raise ParameterError(
            f"engines {unknown} cannot be used here; choose of {', '.join([*GAUSSIAN, *own])}"
            + ("" if counts else " (the quasi engines need a numerator and a denominator)")
        )
    return [name for name in ENGINES if name in engines]


def _check_settings(
    names: list[str],
    family: str,
    numerator: str | None,
    denominator: str | None,
    transition: int,
    transition_term: bool,
    harmonics: int,
    lags: int,
    level: float,
) -> None:
    problems = []
    if family not in FAMILIES.values():
        problems.append(f"family is {family!r}: give 'binomial' or 'poisson'")
    elif numerator is not None and denominator is None and family == "binomial":
        problems.append("a numerator needs a denominator, unless it is a count (family='poisson')")
    if transition < 0 or (transition_term and transition == 0):
        problems.append(f"transition is {transition}: give a number of periods, above 0 if it is to have a term")
    if not 1 <= harmonics <= 5:
        problems.append(f"harmonics is {harmonics}: give 1 to 5")
    if lags < 0:
        problems.append(f"newey_west_lags is {lags}: give 0 or more")
    problems += level_problems(level)
    if problems:
        raise ParameterError(bulleted("the settings", problems))


def _check_scatter(model: Model) -> None:
    # A series that never leaves its lines has no noise to judge by, and an interval of no width would be a lie.
    left = model.values - model.design @ np.linalg.lstsq(model.design, model.values, rcond=None)[0]
    if np.abs(left).max() <= 1e-10 * max(np.abs(model.values).max(), 1e-300):
        raise DataError(
            "nothing varies about the lines (all values are the same, or lie on them exactly), so there is no noise "
            "to judge a change by: show the values instead"
        )
