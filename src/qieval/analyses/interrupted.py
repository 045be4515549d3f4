"""Did care improve, beyond where it was heading? Interrupted time series of each facility, then pooled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from qieval.analyses.effectiveness import COHORT_SHARE, SMALLEST_COHORT
from qieval.analyses.run_charts import FEWEST_MONTHS
from qieval.analyses.series import Indicator, facility_months, level, phases
from qieval.errors import DataError
from qieval.methods import its
from qieval.methods.its.design import FEWEST_BEFORE_FOR_SLOPE, FEWEST_FOR_SLOPE
from qieval.methods.its.engines import estimates
from qieval.methods.multiplicity import FalseAlarms, adjusted_p_values, false_alarms
from qieval.methods.pooling import FEWEST_TO_POOL, Pooled, pool
from qieval.methods.runs import runs
from qieval.study.study import Study

Design = Literal["run chart only", "interrupted", "staggered", "controlled"]
Model = Literal["trend", "level"]

ENGINES = ("averaged", "reml", "newey_west", "ols")  # of facilities; the first is the headline
FAMILIES = {"proportion": "binomial", "rate": "poisson", "count": "poisson"}  # a mean has no counts of events
PEOPLE_SHARE = 0.8  # of the usual people of the line's facilities, without whom a month of it is a gap
FEWEST_FOR_SPREAD = 10  # facilities, before anything is said of how far apart they are
FALSE_DISCOVERIES = 0.05
MOST_BEYOND = 0.25  # of the weight, see `Interrupted.is_refused`
HALF_WINDOW = 6  # months to either side of the month told, see `months_used`


@dataclass(frozen=True, eq=False, kw_only=True)
class Line:
    """The facilities together, people added up, month by month from joining; its trend before, and its change."""

    points: pd.DataFrame  # since, period (missing if aligned), numerator, denominator, value (missing: a gap),
    # facilities, used (in the fit)
    lines: pd.DataFrame  # since, fitted, counterfactual, low, high: of the counterfactual
    aligned: bool  # facilities joined in different months, so months count from each one's joining
    start: pd.Timestamp | None  # the month in which all joined; None if aligned
    facilities: tuple[str, ...]  # names of those in it: the same in all months
    left_out: tuple[str, ...]  # names of those that have a start and are not in it
    engines: pd.DataFrame  # engine, estimate, low, high, relative, relative_low, relative_high; at the month told
    fitted: float  # at the month told
    counterfactual: float
    baseline: float  # level of all months before, events over people
    model: Model
    baseline_moving: bool
    flags: tuple[str, ...]  # codes of `its.Flag`
    phi: float
    sigma: float  # of a month about its lines, on the scale of the values
    n_before: int
    n_after: int  # months with a value after joining and the transition, used or not

    @property
    def headline(self) -> Mapping[str, Any]:
        """The row of the averaged engine."""
        return self.engines.iloc[0].to_dict()


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
    needed: MonthsNeeded | None
    beyond_share: float  # of the average's weight, in facilities whose trend carried on passes what is possible
    not_planned: str  # why `needed` is None: "told", "no_target", "reached", "no_line"
    alarms: FalseAlarms | None  # of the facilities' intervals
    longest_months: int  # calendar months of the longest series
    smallest_denominator: int
    small_months: int

    @property
    def headline(self) -> tuple[float, float, float] | None:
        """Estimate and limits of the answer: the average over facilities, or else the line of all together."""
        return _headline(self.pooled, self.line)

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
    month, fits, reasons = fit_facilities(shown, transition=transition, asked=asked)
    reasons = {facility: reasons.get(facility, "small_months") for facility in starts.index}
    rows = [
        _facility_row(
            facility, names[facility], own.get(facility, months.iloc[:0]), start, transition, reasons[facility],
            fits.get(facility),
        )
        for facility, start in starts.items()
    ]  # fmt: skip
    told = {engine: changes(fits, starts, engine, month) for engine in ENGINES}
    table = pd.DataFrame(rows, columns=FACILITY_COLUMNS).merge(told["averaged"], how="left", on="facility_id")
    table["adjusted_p_value"] = adjusted_p_values(table["p_value"])
    table["clear"] = table["adjusted_p_value"] <= FALSE_DISCOVERIES
    table["beyond"] = beyond_possible(table["counterfactual"], indicator)
    model = _model_to_pool(table)
    same = table.loc[table["model"].eq(model) & table["estimate"].notna(), "facility_id"] if model else ()
    pooled = average(told["averaged"], same)
    table["weight"] = table["facility_id"].map(pooled.weights) if pooled else np.nan
    seasonal = (
        changes(
            _seasonal({facility: own[facility] for facility in same}, months_used(month or 0, transition)),
            starts,
            "averaged",
            month,
        )
        if pooled
        else told["averaged"].iloc[:0]
    )
    line = _line(indicator, shown, names, month, transition) if month is not None else None
    n_told = int(table["estimate"].notna().sum())
    possible = n_told > 0 or line is not None
    interval = _headline(pooled, line)
    needed, not_planned = _months_needed(line, indicator, is_told=_leaves_out_none(interval))
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
    "n_after",
    "people",  # in the middle month
    "model",  # "trend", "level"; None without a fit
    "baseline_moving",
    "reason",  # why it tells no change: "no_start", "small_months", "too_few_before", "too_few_after", "ends_sooner",
    # "nothing_varies"; empty if it does
)


def from_joining(study: Study, months: pd.DataFrame) -> pd.DataFrame:
    """With `start` and `since`: months from there on, below 0 before; missing where no start is known."""
    declared = phases(study).get("baseline")
    after_declared = declared[1].to_period("M").to_timestamp() + pd.DateOffset(months=1) if declared else pd.NaT
    start = months["joined"].fillna(after_declared).astype("datetime64[ns]")
    since = (months["period"].dt.year - start.dt.year) * 12 + months["period"].dt.month - start.dt.month
    return months.assign(start=start, since=since)


def fit_facilities(
    shown: pd.DataFrame, *, transition: int, asked: int, engines: tuple[str, ...] = ENGINES
) -> tuple[int | None, dict[str, its.Fit], dict[str, str]]:
    """The month at which changes can be told, the fits of facilities with data up to it, and why others have none.

    Parameters
    ----------
    shown : DataFrame, one row per facility and month with people enough
        ``facility_id``, ``period``, ``value``, ``start``, ``since``, as `from_joining` gives them.
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
        try:
            fits[facility] = _fit(own[facility], months_used(month, transition), engines=engines)
        except DataError:
            # Months enough are there, so nothing varies about the lines: no noise to judge a change by.
            reasons[facility] = "nothing_varies"
    return month, fits, reasons


def months_used(month: int, transition: int) -> tuple[int, int]:
    """The first and the last month after joining that a fit uses: half a year to either side of the month told.

    Gains climb for some months and may fade once support ends. A straight line through all of that misses the climb,
    takes what it misses for autocorrelation, and then tells too little: 0.26 where 0.29 is true, with intervals
    that hold the truth in 80% of collaboratives (`benchmarks/collaborative_effect.py`). Where care stands about the
    month told is what is asked; what lies on the way there is left out, as a transition is.
    """
    return max(transition, month - HALF_WINDOW), month + HALF_WINDOW


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


def _seasonal(own: Mapping[str, pd.DataFrame], span: tuple[int, int]) -> dict[str, its.Fit]:
    """The facilities with two full years, with one wave a year beside their trends."""
    fits = {}
    for facility, rows in own.items():
        try:
            fit = _fit(rows, span, engines=("averaged",), seasonality=True)
        except DataError:
            continue
        if fit.design.harmonics:
            fits[facility] = fit
    return fits


def _fit(
    own: pd.DataFrame, span: tuple[int, int], *, engines: tuple[str, ...], seasonality: bool | None = None
) -> its.Fit:
    """One facility's fit: months before joining, and those of the span after it."""
    used = own.loc[(own["since"] < 0) | own["since"].between(*span)]
    start = own["start"].iloc[0] + pd.DateOffset(months=span[0])
    return its.fit(
        used, period="period", value="value", start=start, engines=engines, seasonality=seasonality, harmonics=1
    )


def changes(
    fits: Mapping[str, its.Fit], starts: Mapping[str, pd.Timestamp], engine: str, month: int | None
) -> pd.DataFrame:
    """Fitted less counterfactual so many months after joining: one row per facility."""
    rows = []
    for facility, fit in fits.items():
        if engine not in fit.mixtures or month is None:
            continue
        mixture = fit.mixtures[engine]
        at = np.array([fit.series.time_of(starts[facility] + pd.DateOffset(months=month))])
        without = fit.design.columns(at, fit.series, changed=False)
        row = estimates(mixture, fit.design.columns(at, fit.series) - without, fit.level).iloc[0]
        beside = float(mixture.weights @ mixture.coefs @ without[0])
        rows.append({"facility_id": facility, "counterfactual": beside} | {name: row[name] for name in CHANGE})
    return pd.DataFrame(rows, columns=["facility_id", "counterfactual", *CHANGE]).astype(
        {"facility_id": object} | dict.fromkeys(("counterfactual", *CHANGE), float)
    )


CHANGE = ("estimate", "standard_error", "low", "high", "p_value")


def _facility_row(
    facility: str, name: str, own: pd.DataFrame, start: pd.Timestamp, transition: int, reason: str, fit: its.Fit | None
) -> dict[str, object]:
    """What is known of one facility without its change."""
    since = own["since"]
    return {
        "facility_id": facility,
        "facility": name,
        "start": start,
        "last": own["period"].max(),
        "n_before": int((since < 0).sum()),
        "n_after": int((since >= transition).sum()),
        "people": float(own["denominator"].median()) if len(own) else np.nan,
        "model": _model(fit) if fit else None,
        "baseline_moving": _baseline_moving(own, fit) if fit else False,
        "reason": reason,
    }


def _model(fit: its.Fit) -> Model:
    return "trend" if fit.design.trend else "level"


def _baseline_moving(own: pd.DataFrame, fit: its.Fit) -> bool:
    """A trend before joining that its interval tells from none, or a run chart that signals before it."""
    before = own.loc[own["since"] < 0, "value"].dropna()
    codes = {flag.code for flag in fit.flags}
    return "baseline_trend" in codes or bool(runs(before, float(before.median())).signal)


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
    told: Mapping[str, pd.DataFrame], seasonal: pd.DataFrame, table: pd.DataFrame, model: Model | None
) -> pd.DataFrame:
    """The average made in other ways: other engines, without moving baselines, with seasons, with both kinds."""
    same = table.loc[table["model"].eq(model) & table["estimate"].notna()] if model else table.iloc[:0]
    cases: list[tuple[str, pd.DataFrame, pd.Series]] = [
        (engine, told[engine], same["facility_id"]) for engine in ENGINES
    ]
    if same["baseline_moving"].any():
        cases.append(("steady_baselines", told["averaged"], same.loc[~same["baseline_moving"], "facility_id"]))
    if len(seasonal):
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
    return frame.assign(agrees=_agrees(frame))


def _agrees(frame: pd.DataFrame) -> pd.Series:
    """Whether a row says the same as the first: change for better, for worse, or not told; missing rows say nothing."""
    says = np.sign(frame["low"]).where(np.sign(frame["low"]) == np.sign(frame["high"]), 0)
    return frame["estimate"].isna() | (says == says.iloc[0])


# --- the line of all together ----------------------------------------------------------------------


def _line(
    indicator: Indicator, shown: pd.DataFrame, names: Mapping[str, str], month: int, transition: int
) -> Line | None:
    """The same facilities in all months, so that joining cannot move it; None where there is no such window."""
    known = shown.loc[shown["since"].notna()].astype({"since": int})
    found = _window(known, month, transition)
    if found is None:
        return None
    kept, first, last = found
    within = known.loc[known["facility_id"].isin(kept) & known["since"].between(first, last)]
    starts = within["start"].unique()
    points, span = _line_points(within, indicator, first, last), months_used(month, transition)
    points["used"] = points["value"].notna() & ((points["since"] < 0) | points["since"].between(*span))
    aligned = len(starts) > 1
    start = None if aligned else pd.Timestamp(starts[0])
    points["period"] = pd.NaT if start is None else [start + pd.DateOffset(months=int(k)) for k in points["since"]]
    used = points.loc[points["used"]]
    family = FAMILIES.get(indicator.kind)
    counts: dict[str, Any] = {"value": "value"}
    if family:
        counts = {"numerator": "numerator", "denominator": "denominator", "family": family}
    scale = indicator.per if family else 1.0
    try:
        fit = its.fit(used, period="since", start=span[0], **counts)
    except DataError:
        return None
    rows = []
    for engine in fit.mixtures:
        effect = fit.effect(month, engine=engine)
        rows.append(
            (engine, effect.absolute * scale, effect.absolute_low * scale, effect.absolute_high * scale,
             effect.relative, effect.relative_low, effect.relative_high)
        )  # fmt: skip
    told = fit.effect(month)
    lines = fit.counterfactual.rename(columns={"period": "since"}).drop(columns="observed")
    lines[["fitted", "counterfactual", "low", "high"]] *= scale
    lines.loc[lines["since"].between(0, span[0] - 1), "fitted"] = np.nan
    return Line(
        points=points,
        lines=lines,
        aligned=aligned,
        start=start,
        facilities=tuple(names[facility] for facility in kept),
        left_out=tuple(names[facility] for facility in known["facility_id"].unique() if facility not in kept),
        engines=pd.DataFrame(
            rows, columns=["engine", "estimate", "low", "high", "relative", "relative_low", "relative_high"]
        ),
        fitted=told.fitted * scale,
        counterfactual=told.counterfactual * scale,
        baseline=level(within.loc[within["since"] < 0], indicator),
        model=_model(fit),
        baseline_moving=_baseline_moving(points, fit),
        flags=tuple(flag.code for flag in fit.flags),
        phi=fit.phi,
        sigma=fit.sigma * scale,
        n_before=fit.n_before,
        n_after=int((points["value"].notna() & (points["since"] >= transition)).sum()),
    )


def _window(known: pd.DataFrame, month: int, transition: int) -> tuple[list[str], int, int] | None:
    """The facilities and months since joining that hold most facility-months, with the month told among them.

    Half of the facilities are in it, three at least if there are three; each has nearly all of its months.
    """
    wide = known.assign(there=1.0).pivot_table(index="facility_id", columns="since", values="there")
    wide = wide.reindex(
        index=known["facility_id"].unique(), columns=range(int(wide.columns.min()), int(wide.columns.max()) + 1)
    )
    there = wide.notna().to_numpy()
    months, zero = there.shape[1], -int(wide.columns.min())
    n = len(there)
    fewest = max(min(SMALLEST_COHORT, n), int(np.ceil(n / 2)))
    sums = np.concatenate([np.zeros((n, 1)), there.cumsum(axis=1)], axis=1)
    best: tuple[float, int, int] | None = None
    for first in range(zero - FEWEST_MONTHS + 1):
        for last in range(zero + max(month, transition + FEWEST_MONTHS - 1), months):
            # Nearly all months, and those at both ends, or else the window would reach beyond what was seen.
            kept = (sums[:, last + 1] - sums[:, first] >= COHORT_SHARE * (last + 1 - first)) & _reaches(
                there, first, last
            )
            size = float(kept.sum() * (last + 1 - first))
            if kept.sum() >= fewest and (best is None or size > best[0]):
                best = size, first, last
    if best is None:
        return None
    _, first, last = best
    kept = (sums[:, last + 1] - sums[:, first] >= COHORT_SHARE * (last + 1 - first)) & _reaches(there, first, last)
    return list(wide.index[kept]), first - zero, last - zero


def _reaches(there: np.ndarray, first: int, last: int) -> np.ndarray:
    """Whether a facility reported in the first month of the window or before it, and in the last or after it."""
    return np.asarray(there[:, : first + 1].any(axis=1) & there[:, last:].any(axis=1))


def _line_points(within: pd.DataFrame, indicator: Indicator, first: int, last: int) -> pd.DataFrame:
    """People added up by month; a month without facilities that see a fifth of the people is a gap."""
    usual = within.groupby("facility_id")["denominator"].mean()
    by_month = (
        within.assign(usual=within["facility_id"].map(usual))
        .groupby("since")
        .agg(
            numerator=("numerator", "sum"),
            denominator=("denominator", "sum"),
            facilities=("facility_id", "nunique"),
            usual=("usual", "sum"),
        )
    )
    by_month = by_month.reindex(pd.RangeIndex(first, last + 1, name="since"))
    value = by_month["numerator"] / by_month["denominator"] * indicator.per
    by_month["value"] = value.where(by_month["usual"] >= PEOPLE_SHARE * usual.sum())
    by_month["facilities"] = by_month["facilities"].fillna(0).astype(int)
    return by_month.drop(columns="usual").reset_index()


# --- how many months more --------------------------------------------------------------------------


def _months_needed(line: Line | None, indicator: Indicator, *, is_told: bool) -> tuple[MonthsNeeded | None, str]:
    if is_told:
        return None, "told"
    if indicator.target is None:
        return None, "no_target"
    if line is None:
        return None, "no_line"
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
