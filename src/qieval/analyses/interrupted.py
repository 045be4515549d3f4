"""Did care improve, beyond where it was heading? Interrupted time series of each facility, then pooled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.interrupted_line import (
    Line,
    Model,
    at_edge,
    baseline_moving,
    line_of,
    model_of,
    months_used,
    newey_west_narrower,
)
from qieval.analyses.run_charts import FEWEST_MONTHS
from qieval.analyses.series import Indicator, facility_months, level, phases
from qieval.errors import DataError
from qieval.methods import its
from qieval.methods.its.ar1 import Mixture
from qieval.methods.its.design import FEWEST_BEFORE_FOR_SLOPE, FEWEST_FOR_SLOPE, lay_out, read_series
from qieval.methods.its.engines import averaged, estimates, stack
from qieval.methods.multiplicity import FalseAlarms, adjusted_p_values, false_alarms
from qieval.methods.pooling import FEWEST_TO_POOL, Pooled, pool
from qieval.study.study import Study

Design = Literal["run chart only", "interrupted", "staggered", "controlled"]

ENGINES = ("averaged", "reml", "newey_west", "ols")  # of facilities; the first is the headline
FEWEST_FOR_SPREAD = 10  # facilities, before anything is said of how far apart they are
FALSE_DISCOVERIES = 0.05
MOST_BEYOND = 0.25  # of the weight, see `Interrupted.is_refused`


@dataclass(frozen=True, kw_only=True)
class MonthsNeeded:
    """How many more months until a gain of the size aimed at would be told from none, four times in five."""

    gain: float  # target less baseline
    baseline: float
    months: int | None  # None: not within ten years


@dataclass(frozen=True, eq=False, kw_only=True)
class Interrupted:
    """One indicator: each facility's change against its own trend, their average, and what may be claimed."""

    indicator: Indicator
    design: Design
    month_asked: int
    month: int | None  # after joining, at which the change is told; None: no facility has months enough
    transition_months: int
    facilities: pd.DataFrame  # one row per facility that reports, see `_facility_row`; by joining, then estimate
    model: Model | None  # what is pooled: changes against a trend, or of level alone; None: nothing is
    pooled: Pooled | None
    n_told: int  # facilities with a change at that month
    sensitivity: pd.DataFrame | None  # of the average, see `_sensitivity`; None without one
    line: Line | None
    why_no_line: str  # "no_month", "few_months", "at_edge", "nothing_varies"; empty where there is one
    needed: MonthsNeeded | None
    beyond_share: float  # of the average's weight, in facilities whose trend carried on passes what is possible
    not_planned: str  # why `needed` is None: "told", "no_target", "reached", or `why_no_line`
    alarms: FalseAlarms | None  # of the facilities' intervals
    longest_months: int  # calendar months of the longest series
    smallest_denominator: int
    small_months: int

    @property
    def headline(self) -> tuple[float, float, float] | None:
        """Estimate and limits of the answer: the average over facilities, or else the line of all together.

        None where there is neither, or where the average is refused.
        """
        return None if self.is_refused else _headline(self.pooled, self.line)

    @property
    def is_told(self) -> bool:
        """Whether the interval of the answer leaves out no change."""
        return _leaves_out_none(self.headline)

    @property
    def is_refused(self) -> bool:
        """Whether the average is against trends that cannot have gone on, so that nothing may be claimed from it."""
        return self.pooled is not None and self.beyond_share > MOST_BEYOND


def interrupted(study: Study, indicator: Indicator) -> Interrupted:
    """The change of one indicator at a month after joining, against where each facility was heading.

    First each facility by itself: its months before it joined, and their trend carried on, against its months after
    [1]_. Then the average over facilities [2]_: a facility, not a patient, is the unit of evidence. Facilities
    tell their change at one common month, and one whose months end sooner is left out: nothing is carried further
    than it was seen. Series too short for a trend tell a change of level alone, which is another thing; the average
    is of whichever kind most facilities have (trends in a tie), and a row of `sensitivity` takes both.

    References
    ----------
    .. [1] Wagner AK, Soumerai SB, Zhang F, Ross-Degnan D. Segmented regression analysis of interrupted time series
       studies in medication use research. J Clin Pharm Ther 2002;27:299.
    .. [2] Korevaar E, Turner SL, Forbes AB, et al. Comparison of statistical methods used to meta-analyse results from
       interrupted time series studies: an empirical study. BMC Med Res Methodol 2024;24:31.
    """
    options = study.parameters.options
    transition, asked = options.effectiveness.transition_months, options.effectiveness.effect_month
    months = from_joining(study, facility_months(study, indicator))
    small = (months["denominator"] < options.smallest_denominator) & (indicator.kind != "count")
    shown, names = months.loc[~small], study.facility_names()
    own = {str(facility): rows for facility, rows in shown.groupby("facility_id", sort=False)}
    starts = months.drop_duplicates("facility_id").set_index("facility_id")["start"]
    month, fits, reasons = fit_facilities(
        shown, transition=transition, asked=asked, is_share=indicator.kind == "proportion"
    )
    span = months_used(month, transition) if month is not None else None
    reasons = {facility: reasons.get(facility, "small_months") for facility in starts.index}
    rows = [
        _facility_row(own.get(facility, months.iloc[:0]), indicator, span, transition, fits.get(facility))
        | {"facility_id": facility, "facility": names[facility], "start": start, "reason": reasons[facility]}
        for facility, start in starts.items()
    ]
    told = {engine: changes(fits, starts, engine, month, intervals=engine == ENGINES[0]) for engine in ENGINES}
    table = pd.DataFrame(rows, columns=FACILITY_COLUMNS).merge(told["averaged"], how="left", on="facility_id")
    table["adjusted_p_value"] = adjusted_p_values(table["p_value"])
    table["clear"] = table["adjusted_p_value"] <= FALSE_DISCOVERIES
    table["beyond"] = beyond_possible(table["counterfactual"], indicator)
    model = _model_to_pool(table)
    same = table.loc[table["model"].eq(model) & table["estimate"].notna(), "facility_id"] if model else ()
    pooled = average(told["averaged"], same)
    table["weight"] = table["facility_id"].map(pooled.weights) if pooled else np.nan
    seasonal = _seasonal({facility: own[facility] for facility in same}, month, transition) if pooled else None
    line, why_no_line = line_of(indicator, shown, names, month, transition) if month is not None else (None, "no_month")
    n_told = int(table["estimate"].notna().sum())
    possible = n_told > 0 or line is not None
    interval = _headline(pooled, line)
    needed, not_planned = _months_needed(line, why_no_line, indicator, is_told=_leaves_out_none(interval))
    return Interrupted(
        indicator=indicator,
        design=_design(study, indicator, table) if possible else "run chart only",
        month_asked=asked,
        month=month if possible else None,
        transition_months=transition,
        facilities=table.sort_values(["start", "estimate", "facility"], ignore_index=True),
        model=model if pooled else None,
        pooled=pooled,
        n_told=n_told,
        sensitivity=_sensitivity(told, seasonal, table, model) if pooled else None,
        line=line,
        why_no_line=why_no_line,
        needed=needed,
        not_planned=not_planned,
        beyond_share=float(table.loc[table["beyond"], "weight"].sum()),
        alarms=false_alarms(n_told, rate=FALSE_DISCOVERIES) if n_told else None,
        longest_months=max((fit.series.times[-1] * fit.series.step + 1 for fit in fits.values()), default=0),
        smallest_denominator=options.smallest_denominator,
        small_months=int(small.sum()),
    )


def _headline(pooled: Pooled | None, line: Line | None) -> tuple[float, float, float] | None:
    if pooled is not None:
        return pooled.estimate, pooled.low, pooled.high
    return (line.headline["estimate"], line.headline["low"], line.headline["high"]) if line is not None else None


def _leaves_out_none(interval: tuple[float, float, float] | None) -> bool:
    return interval is not None and not interval[1] <= 0 <= interval[2]


def expected_false_alarms(results: Iterable[Interrupted]) -> FalseAlarms | None:
    """Of all facilities' intervals of all indicators, how many would leave out 0 though nothing changed."""
    n = sum(result.n_told for result in results)
    return false_alarms(n, rate=FALSE_DISCOVERIES) if n else None


# --- each facility ---------------------------------------------------------------------------------

FACILITY_COLUMNS = (
    "facility_id",
    "facility",
    "start",  # the month it joined, or the first after a phase named baseline
    "last",  # month with a value
    "n_before",
    "n_after",  # months with a value after the transition
    "n_used",  # of these, within the span that is fitted
    "level_before",  # of all months before, events over people
    "level_after",  # of the months used after
    "people",  # in the middle month
    "model",  # "trend", "level"; None without a fit
    "baseline_moving",
    "fit_flags",  # codes of `its.Flag`
    "reason",  # why it tells no change: "no_start", "small_months", "too_few_before", "too_few_after", "ends_sooner",
    # "at_edge", "nothing_varies"; empty if it does
)


def from_joining(study: Study, months: pd.DataFrame) -> pd.DataFrame:
    """With `start` and `since`: months from there on, below 0 before; missing where no start is known."""
    declared = phases(study).get("baseline")
    after_declared = declared[1].to_period("M").to_timestamp() + pd.DateOffset(months=1) if declared else pd.NaT
    start = months["joined"].fillna(after_declared).astype("datetime64[ns]")
    since = (months["period"].dt.year - start.dt.year) * 12 + months["period"].dt.month - start.dt.month
    return months.assign(start=start, since=since)


def fit_facilities(
    shown: pd.DataFrame,
    *,
    transition: int,
    asked: int,
    engines: tuple[str, ...] = ENGINES,
    is_share: bool = True,
) -> tuple[int | None, dict[str, its.Fit], dict[str, str]]:
    """The month at which changes can be told, the fits of facilities with data up to it, and why others have none.

    Parameters
    ----------
    shown : DataFrame, one row per facility and month with people enough
        ``facility_id``, ``period``, ``value``, ``start``, ``since``, as `from_joining` gives them.
    is_share : bool
        Values are proportions, which stop varying at 0 and at 1.
    """
    own = {str(facility): rows for facility, rows in shown.groupby("facility_id", sort=False)}
    reasons = {facility: _reason(rows["since"], transition) for facility, rows in own.items()}
    able = [facility for facility, reason in reasons.items() if not reason]
    month = _common_month({facility: own[facility] for facility in able}, max(asked, transition), transition)
    fits: dict[str, its.Fit] = {}
    for facility in able:
        assert month is not None  # as this facility is able
        if own[facility]["since"].max() < month:
            reasons[facility] = "ends_sooner"
            continue
        if is_share and at_edge(own[facility], months_used(month, transition)):
            reasons[facility] = "at_edge"
            continue
        try:
            fits[facility] = _fit(own[facility], months_used(month, transition), engines=engines)
        except DataError:
            # Months enough are there, so nothing varies about the lines: no noise to judge a change by.
            reasons[facility] = "nothing_varies"
    return month, fits, reasons


def _reason(since: pd.Series, transition: int) -> str:
    if since.isna().any():
        return "no_start"
    if (since < 0).sum() < FEWEST_MONTHS:
        return "too_few_before"
    return "too_few_after" if (since >= transition).sum() < FEWEST_MONTHS else ""


def _common_month(able: Mapping[str, pd.DataFrame], asked: int, transition: int) -> int | None:
    """The month asked for, or the last up to which half of the facilities have data, and five where there are five.

    Counted among those of the kind that most are of, with a trend or without, as only these can be pooled.
    """
    if not able:
        return None
    lasts: dict[bool, list[int]] = {True: [], False: []}
    for own in able.values():
        n_before, n_after = int((own["since"] < 0).sum()), int((own["since"] >= transition).sum())
        has_trend = n_before >= FEWEST_BEFORE_FOR_SLOPE and n_before + n_after >= FEWEST_FOR_SLOPE
        lasts[has_trend].append(int(own["since"].max()))
    of_kind = sorted(lasts[len(lasts[True]) >= len(lasts[False])], reverse=True)
    enough = max(FEWEST_TO_POOL, int(np.ceil(len(able) / 2)))
    return min(asked, of_kind[min(enough, len(of_kind)) - 1])


def _seasonal(own: Mapping[str, pd.DataFrame], month: int | None, transition: int) -> pd.DataFrame:
    """The changes of facilities with two full years, with one wave a year beside their trends: without intervals.

    Only what `average` asks for is worked out: quantiles of every term would take longer than all else here.
    """
    rows = []
    for facility, shown in own.items():
        assert month is not None  # as there is an average
        used, after = _used(shown, months_used(month, transition))
        try:
            series = read_series(
                used, period="period", value="value", numerator=None, denominator=None, family="binomial"
            )
            design = lay_out(
                series, None, start=after, transition=0, transition_term=False, seasonality=True, harmonics=1,
                events=(), slope=True,
            )  # fmt: skip
            if not design.harmonics:
                continue
            mixture = averaged(stack(design, series, None, lags=1))
        except DataError:
            continue
        at = np.array([series.time_of(shown["start"].iloc[0] + pd.DateOffset(months=month))])
        contrast = design.columns(at, series) - design.columns(at, series, changed=False)
        rows.append({"facility_id": facility} | _moments(mixture, contrast))
    return pd.DataFrame(rows, columns=["facility_id", "estimate", "standard_error"])


def _fit(own: pd.DataFrame, span: tuple[int, int], *, engines: tuple[str, ...]) -> its.Fit:
    """One facility's fit: months before joining, and those of the span after it."""
    used, after = _used(own, span)
    return its.fit(used, period="period", value="value", start=after, engines=engines)


def _used(own: pd.DataFrame, span: tuple[int, int]) -> tuple[pd.DataFrame, pd.Timestamp]:
    """The months of one facility that are fitted, and the first of them after it joined."""
    used = own.loc[(own["since"] < 0) | own["since"].between(*span)]
    return used, own["start"].iloc[0] + pd.DateOffset(months=span[0])


def changes(
    fits: Mapping[str, its.Fit],
    starts: Mapping[str, pd.Timestamp],
    engine: str,
    month: int | None,
    *,
    intervals: bool = True,
) -> pd.DataFrame:
    """Fitted less counterfactual so many months after joining: one row per facility.

    Without `intervals` limits and p values are missing: an average needs none, and quantiles of mixtures take time.
    """
    rows = []
    for facility, fit in fits.items():
        if engine not in fit.mixtures or month is None:
            continue
        mixture = fit.mixtures[engine]
        at = np.array([fit.series.time_of(starts[facility] + pd.DateOffset(months=month))])
        without = fit.design.columns(at, fit.series, changed=False)
        contrast = fit.design.columns(at, fit.series) - without
        row = estimates(mixture, contrast, fit.level).iloc[0] if intervals else _moments(mixture, contrast)
        beside = float(mixture.weights @ mixture.coefs @ without[0])
        rows.append(
            {"facility_id": facility, "counterfactual": beside} | {name: row.get(name, np.nan) for name in CHANGE}
        )
    return pd.DataFrame(rows, columns=["facility_id", "counterfactual", *CHANGE]).astype(
        {"facility_id": object} | dict.fromkeys(("counterfactual", *CHANGE), float)
    )


def _moments(mixture: Mixture, contrast: np.ndarray) -> dict[str, float]:
    """Mean and spread of one sum of coefficients, as `estimates` has them."""
    centres, errors = mixture.along(contrast)
    mean = float((mixture.weights @ centres)[0])
    variance = mixture.weights @ (errors**2 + (centres - mean) ** 2)
    return {"estimate": mean, "standard_error": float(np.sqrt(variance[0]))}


CHANGE = ("estimate", "standard_error", "low", "high", "p_value")


def _facility_row(
    own: pd.DataFrame, indicator: Indicator, span: tuple[int, int] | None, transition: int, fit: its.Fit | None
) -> dict[str, object]:
    """What is known of one facility without its change."""
    since = own["since"]
    used = since.between(*span) if span is not None else since.isna() & False
    return {
        "last": own["period"].max(),
        "n_before": int((since < 0).sum()),
        "n_after": int((since >= transition).sum()),
        "n_used": int(used.sum()),
        "level_before": level(own.loc[since < 0], indicator),
        "level_after": level(own.loc[used], indicator),
        "people": float(own["denominator"].median()) if len(own) else np.nan,
        "model": model_of(fit) if fit else None,
        "baseline_moving": baseline_moving(own, fit) if fit else False,
        "fit_flags": tuple(flag.code for flag in fit.flags) if fit else (),
    }


def beyond_possible(counterfactual: pd.Series, indicator: Indicator) -> pd.Series:
    """Whether a line carried on ends where no value can be: below 0, or a share above 1."""
    return (counterfactual < 0) | ((counterfactual > 1) & (indicator.kind == "proportion"))


# --- all facilities --------------------------------------------------------------------------------


def _design(study: Study, indicator: Indicator, table: pd.DataFrame) -> Design:
    facilities = study["facilities"]
    compared = facilities.loc[facilities["role"].eq("comparison"), "facility_id"]
    measured = study["measurements"].loc[study["measurements"]["indicator_id"] == indicator.indicator_id]
    if measured["facility_id"].isin(compared).any():
        return "controlled"
    starts = set(table.loc[table["estimate"].notna(), "start"])
    return "staggered" if len(starts) > 1 else "interrupted"


def _model_to_pool(table: pd.DataFrame) -> Model | None:
    """A change against a trend and one of level alone are different things: the kind that most facilities have."""
    counted = table.loc[table["estimate"].notna(), "model"].value_counts()
    if counted.empty:
        return None
    return "trend" if counted.get("trend", 0) >= counted.get("level", 0) else "level"


def average(told: pd.DataFrame, facilities: Iterable[str]) -> Pooled | None:
    """The random-effects average of the changes of these facilities; None with fewer than five.

    The standard error is the wider of Hartung-Knapp's and the plain one, always with a t quantile [1]_. Facilities
    differ much in size, and then Hartung-Knapp alone held the truth in 87% of simulated collaboratives, and the wider
    of its interval and the normal one in 92% to 94%; this one in 94% to 97%. Where the variance between facilities
    does not settle by restricted likelihood, it is that of Paule and Mandel.

    References
    ----------
    .. [1] Röver C, Knapp G, Friede T. Hartung-Knapp-Sidik-Jonkman approach and its modification for random-effects
       meta-analysis with few studies. BMC Med Res Methodol 2015;15:99.
    """
    from scipy.special import stdtr, stdtrit

    chosen = told.loc[told["facility_id"].isin(list(facilities))]
    if len(chosen) < FEWEST_TO_POOL:
        return None
    found = _pooled(chosen)
    if found is None:
        return None
    plain = float((1 / (chosen["standard_error"] ** 2 + found.tau2)).sum() ** -0.5)
    error, df = max(found.standard_error, plain), found.k - 1
    quantile = float(stdtrit(df, 0.975))
    half, reach = quantile * error, quantile * float(np.hypot(error, np.sqrt(found.tau2)))
    return replace(
        found,
        standard_error=error,
        low=found.estimate - half,
        high=found.estimate + half,
        p_value=float(2 * stdtr(df, -abs(found.estimate) / error)),
        prediction_low=found.estimate - reach,
        prediction_high=found.estimate + reach,
    )


def _pooled(chosen: pd.DataFrame) -> Pooled | None:
    """By REML, or else by Paule and Mandel; None where an engine left a facility without an error to weigh it by."""
    labels = list(chosen["facility_id"])
    for method in METHODS:
        try:
            return pool(
                chosen["estimate"], chosen["standard_error"], method=method, interval="HK", guard=False, labels=labels
            )
        except DataError:
            continue
    return None


METHODS: tuple[Literal["REML", "PM"], ...] = ("REML", "PM")


def _sensitivity(
    told: Mapping[str, pd.DataFrame], seasonal: pd.DataFrame | None, table: pd.DataFrame, model: Model | None
) -> pd.DataFrame:
    """The average made in other ways: other engines, fewer facilities, with seasons, with both kinds.

    Returns
    -------
    DataFrame, one row per way
        ``case``, ``k`` facilities, their average with its limits and prediction limits (missing below five),
        ``agrees`` (whether it says the same as the first) and ``narrower`` (Newey-West's, than least squares).
    """
    same = table.loc[table["model"].eq(model) & table["estimate"].notna()] if model else table.iloc[:0]
    cases: list[tuple[str, pd.DataFrame, pd.Series]] = [
        (engine, told[engine], same["facility_id"]) for engine in ENGINES
    ]
    if same["baseline_moving"].any():
        cases.append(("steady_baselines", told["averaged"], same.loc[~same["baseline_moving"], "facility_id"]))
    if same["beyond"].any():
        cases.append(("possible_trends", told["averaged"], same.loc[~same["beyond"], "facility_id"]))
    if seasonal is not None and len(seasonal):
        cases.append(("seasons", seasonal, seasonal["facility_id"]))
    if len(told["averaged"]) > len(same):
        cases.append(("both_models", told["averaged"], told["averaged"]["facility_id"]))
    rows = []
    for case, told_so, facilities in cases:
        found = average(told_so, facilities)
        limits = (found.estimate, found.low, found.high) if found else (np.nan,) * 3
        k = int(told_so["facility_id"].isin(list(facilities)).sum())
        rows.append(
            (case, k, *limits, found.prediction_low if found else np.nan, found.prediction_high if found else np.nan)
        )
    frame = pd.DataFrame(rows, columns=["case", "k", "estimate", "low", "high", "prediction_low", "prediction_high"])
    return frame.assign(agrees=_agrees(frame), narrower=newey_west_narrower(frame, "case"))


def _agrees(frame: pd.DataFrame) -> pd.Series:
    """Whether a row says the same as the first: change for better, for worse, or not told; missing rows say nothing."""
    says = np.sign(frame["low"]).where(np.sign(frame["low"]) == np.sign(frame["high"]), 0)
    return frame["estimate"].isna() | (says == says.iloc[0])


# --- how many months more --------------------------------------------------------------------------


def _months_needed(
    line: Line | None, why_no_line: str, indicator: Indicator, *, is_told: bool
) -> tuple[MonthsNeeded | None, str]:
    if is_told:
        return None, "told"
    if indicator.target is None:
        return None, "no_target"
    if line is None:
        return None, why_no_line
    if bool(indicator.meets_target(pd.Series([line.baseline])).iloc[0]):
        return None, "reached"
    gain = indicator.target - line.baseline
    months = its.months_needed(
        gain,
        sigma=line.sigma,
        phi=line.phi,
        n_before=line.n_before,
        n_after=line.n_after,
        slope=line.model == "trend",
    )
    return MonthsNeeded(gain=gain, baseline=line.baseline, months=months), ""
