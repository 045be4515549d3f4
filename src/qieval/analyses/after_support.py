"""Did care change once support had ended? An interrupted time series of each facility, then pooled."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.interrupted import ENGINES, FALSE_DISCOVERIES, MOST_BEYOND, average, beyond_possible
from qieval.analyses.interrupted_line import at_edge
from qieval.analyses.segments import Segments
from qieval.analyses.series import Indicator, level
from qieval.analyses.sustainment import Sustainment
from qieval.errors import DataError
from qieval.methods.its.ar1 import Mixture
from qieval.methods.its.design import FEWEST_BEFORE_FOR_SLOPE, FEWEST_EACH_SIDE, Design, Series, lay_out, read_series
from qieval.methods.its.engines import ENGINES as ENGINE_FITS
from qieval.methods.its.engines import Model, averaged, estimates, stack
from qieval.methods.its.flags import NEAR_UNIT_ROOT
from qieval.methods.multiplicity import FalseAlarms, false_alarms
from qieval.methods.pooling import FEWEST_TO_POOL, Pooled

Held = Literal["level", "trend"]
Reason = Literal[
    "", "no_end", "too_few_before", "too_few_after", "ends_sooner", "at_edge", "nothing_varies", "no_trend"
]

CLIMB_MONTHS = 3  # of support, from joining: care is on its way up, and is no level to hold
LONGEST = 12  # months to either side of the end of support: a straight line does not hold for longer


@dataclass(frozen=True, eq=False, kw_only=True)
class AfterSupport:
    """One indicator: each facility's change after support against what it held before, and their average."""

    indicator: Indicator
    month: int | None  # after support, at which the change is told; None: no facility has months enough
    held: Held  # what the average is against: the level of the last months of support, or their trend, carried on
    has_slope: bool  # whether the line after support may slope; if not there is a change of level alone
    facilities: pd.DataFrame  # one row per facility: COLUMNS, and estimate, standard_error, low, high, weight
    pooled: Pooled | None  # the change at that month; None with fewer than five facilities
    at_once: Pooled | None  # the change in the first month without support
    drift: Pooled | None  # what came on top up to the month told; None without a slope
    before: Pooled | None  # the slope of the months of support, a month; None where fewer than five can tell it
    path: pd.DataFrame  # month, estimate, low, high: the average change in each month after support
    dots: pd.DataFrame  # month, estimate, facilities: the average over facilities of month less level held
    sensitivity: pd.DataFrame | None  # case, k, estimate, low, high, agrees: the same in other ways
    beyond_share: float  # of the weight, in facilities whose trend carried on passes what is possible
    alarms: FalseAlarms | None  # of the facilities' intervals
    smallest_denominator: int

    @property
    def n_told(self) -> int:
        """The facilities that tell a change."""
        return int(self.facilities["estimate"].notna().sum())

    @property
    def is_moving(self) -> bool:
        """Whether care was, on average, still moving in the last months of support."""
        return self.before is not None and not self.before.low <= 0 <= self.before.high

    @property
    def is_refused(self) -> bool:
        """Whether the average is against trends that cannot have gone on, so that nothing may be claimed from it."""
        return self.pooled is not None and self.beyond_share > MOST_BEYOND

    @property
    def is_told(self) -> bool:
        """Whether the interval of the average leaves out no change."""
        return self.pooled is not None and not self.is_refused and not self.pooled.low <= 0 <= self.pooled.high


COLUMNS = (
    "facility",
    "support_ended",  # month
    "n_before",  # months used of support
    "n_after",  # months used after it, up to the month told
    "level_before",  # of the months used of support, events over people
    "level_after",  # of the months used after it
    "beyond",  # whether the trend carried on passes what is possible; False against a level
    "drifts",  # whether months resemble the ones before so much that a change can hardly be told from drift
    "reason",  # why it tells no change; empty if it does
)


def after_support(result: Sustainment) -> tuple[AfterSupport, ...]:
    """Per indicator, the change after support: see `of_facilities`."""
    return tuple(
        of_facilities(found.segments, found.indicator, found.options.follow_up_months) for found in result.indicators
    )


def of_facilities(own: Sequence[Segments], indicator: Indicator, follow_up_months: Sequence[int]) -> AfterSupport:
    """The change of one indicator after support ended, against the level held in the last months of support.

    First each facility by itself: an interrupted time series [1]_ of its last months of support, without the
    first three after joining in which care climbs, and its months after. Then the average over facilities [2]_, as
    `interrupted` takes it. All whose support ended are in it, whether they had gained or not: had they been chosen
    for standing high at the end, they would fall back by chance alone.

    What would have been is the level of those months of support, carried on. Their trend carried on, the usual
    choice, rests on some six months and is three to four times as uncertain (`benchmarks/after_support.py`). It is
    told among the other ways, and takes the place of the level where care was, on average, still moving:
    where the interval of the average slope leaves out 0.

    The month told is the longest follow-up of at most 12 months that half of the facilities reach, and five where
    there are five; else the last month they reach.

    References
    ----------
    .. [1] Wagner AK, Soumerai SB, Zhang F, Ross-Degnan D. Segmented regression analysis of interrupted time series
       studies in medication use research. J Clin Pharm Ther 2002;27:299.
    .. [2] Korevaar E, Turner SL, Forbes AB, et al. Comparison of statistical methods used to meta-analyse results from
       interrupted time series studies: an empirical study. BMC Med Res Methodol 2024;24:31.
    """
    months = {one.facility: months_used(one) for one in own}
    reasons = {name: _reason(rows) for name, rows in months.items()}
    month = _month([int(months[name]["since"].max()) + 1 for name, why in reasons.items() if not why], follow_up_months)
    used, parts = {}, {}
    for name, rows in months.items():
        used[name] = rows.loc[rows["since"] < (month or 0)]
        if not reasons[name]:
            assert month is not None  # as this facility is able
            ends_sooner = rows["since"].max() < month - 1
            reasons[name], part = ("ends_sooner", None) if ends_sooner else _fit(used[name], indicator, month)
            if part is not None:
                parts[name] = part
    before = _average({name: part.slope_before for name, part in parts.items() if part.slope_before is not None})
    moving = before is not None and not before.low <= 0 <= before.high
    held: Held = "trend" if moving else "level"
    chosen = {name: part.fits[held] for name, part in parts.items() if held in part.fits}
    table = _table(own, used, reasons, chosen, indicator)
    pooled = _average({name: fit.change(fit.months) for name, fit in chosen.items()})
    table["weight"] = table["facility"].map(pooled.weights) if pooled else np.nan
    return AfterSupport(
        indicator=indicator,
        month=month,
        held=held,
        has_slope=month is not None and month >= FEWEST_BEFORE_FOR_SLOPE,
        facilities=table.sort_values(["estimate", "facility"], ignore_index=True),
        pooled=pooled,
        at_once=_average({name: fit.change(1) for name, fit in chosen.items()}),
        drift=_drift(chosen) if month is not None and month >= FEWEST_BEFORE_FOR_SLOPE else None,
        before=before,
        path=_path(chosen, month),
        dots=_dots(used, table, month),
        sensitivity=_sensitivity(parts, held, table) if pooled else None,
        beyond_share=float(table.loc[table["beyond"], "weight"].sum()),
        alarms=false_alarms(len(chosen), rate=FALSE_DISCOVERIES) if chosen else None,
        smallest_denominator=max((one.fewest for one in own), default=1),
    )


# --- one facility ----------------------------------------------------------------------------------


def months_used(own: Segments) -> pd.DataFrame:
    """The months that may be used, with `since`: 0 is the first without support, below 0 those of support."""
    months = own.months
    since = months["month"] - 1
    climbs = since.lt(0) & months["period"].lt(months["joined"].iloc[0] + pd.DateOffset(months=CLIMB_MONTHS))
    return months.assign(since=since).loc[months["denominator"].ge(own.fewest) & ~climbs & ~since.lt(-LONGEST)]


def _reason(rows: pd.DataFrame) -> Reason:
    if rows["since"].isna().any():
        return "no_end"
    if (rows["since"] < 0).sum() < FEWEST_EACH_SIDE:
        return "too_few_before"
    return "too_few_after" if (rows["since"] >= 0).sum() < FEWEST_EACH_SIDE else ""


def _month(lasts: list[int], follow_up_months: Sequence[int]) -> int | None:
    """The month to tell the change at, from the last month of each facility that can tell one."""
    if not lasts:
        return None
    enough = min(max(FEWEST_TO_POOL, int(np.ceil(len(lasts) / 2))), len(lasts))
    reached = min(sorted(lasts, reverse=True)[enough - 1], LONGEST)
    return max((month for month in follow_up_months if FEWEST_EACH_SIDE <= month <= reached), default=reached)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Fit:
    """One facility against what it held, by the averaged engine and, for comparison, by the others."""

    design: Design
    series: Series
    start: pd.Timestamp
    months: int  # after support, up to the one told
    model: Model
    mixture: Mixture

    def contrast(self, month: int) -> np.ndarray:
        """The change at a month after support, 1 being the first, as a sum of coefficients."""
        at = np.array([self.series.time_of(self.start + pd.DateOffset(months=month - 1))])
        return self.design.columns(at, self.series) - self.design.columns(at, self.series, changed=False)

    def change(self, month: int, *, engine: str = "averaged") -> tuple[float, float] | None:
        """The change at a month and its standard error; None where the engine has nothing to say."""
        mixture = self.mixture if engine == "averaged" else ENGINE_FITS[engine](self.model)
        return None if mixture is None else _moments(mixture, self.contrast(month))

    def drift(self) -> tuple[float, float]:
        """What came on top of the change in the first month, up to the month told."""
        return _moments(self.mixture, self.contrast(self.months) - self.contrast(1))

    @property
    def without(self) -> float:
        """What was held, carried on to the month told."""
        at = np.array([self.series.time_of(self.start + pd.DateOffset(months=self.months - 1))])
        columns = self.design.columns(at, self.series, changed=False)
        return float(self.mixture.weights @ self.mixture.coefs @ columns[0])


@dataclass(frozen=True, eq=False, kw_only=True)
class _Part:
    fits: Mapping[Held, _Fit]
    slope_before: tuple[float, float] | None  # of the trend in the months of support, a month, and its error


def _fit(rows: pd.DataFrame, indicator: Indicator, month: int) -> tuple[Reason, _Part | None]:
    """Both fits of one facility, or why there is none."""
    if (rows["since"] >= 0).sum() < FEWEST_EACH_SIDE:
        return "too_few_after", None
    if indicator.kind == "proportion" and at_edge(rows, (0, month - 1)):
        return "at_edge", None
    first = rows.iloc[0]
    start = first["period"] - pd.DateOffset(months=int(first["since"]))
    fits: dict[Held, _Fit] = {}
    slope_before = None
    try:
        series = read_series(rows, period="period", value="value", numerator=None, denominator=None, family="binomial")
        usual = lay_out(
            series, None, start=start, transition=0, transition_term=False, seasonality=False, harmonics=1, events=(),
            slope=month >= FEWEST_BEFORE_FOR_SLOPE,
        )  # fmt: skip
        against_level = dataclasses.replace(usual, trend=False, slope_change=month >= FEWEST_BEFORE_FOR_SLOPE)
        fits["level"] = _fitted(against_level, series, start, month)
        if usual.trend:
            fits["trend"] = _fitted(usual, series, start, month)
            slope = np.eye(len(usual.terms))[[usual.terms.index("slope")]]
            slope_before = _moments(fits["trend"].mixture, slope / series.step)
    except DataError:
        # Months enough are there, so nothing varies about the lines: no noise to judge a change by.
        if "level" not in fits:
            return "nothing_varies", None
    return "", _Part(fits=fits, slope_before=slope_before)


def _fitted(design: Design, series: Series, start: pd.Timestamp, month: int) -> _Fit:
    model = stack(design, series, None, lags=1)
    residuals = model.values - model.design @ np.linalg.lstsq(model.design, model.values, rcond=None)[0]
    if np.abs(residuals).max() <= 1e-9 * max(1.0, np.abs(model.values).max()):
        raise DataError("nothing varies about the lines")
    return _Fit(design=design, series=series, start=start, months=month, model=model, mixture=averaged(model))


def _moments(mixture: Mixture, contrast: np.ndarray) -> tuple[float, float]:
    """Mean and spread of one sum of coefficients."""
    centres, errors = mixture.along(contrast)
    mean = float((mixture.weights @ centres)[0])
    variance = mixture.weights @ (errors**2 + (centres - mean) ** 2)
    return mean, float(np.sqrt(variance[0]))


def _table(
    own: Sequence[Segments],
    used: Mapping[str, pd.DataFrame],
    reasons: Mapping[str, Reason],
    told: Mapping[str, _Fit],
    indicator: Indicator,
) -> pd.DataFrame:
    rows = []
    for one in own:
        known, fit = used[one.facility], told.get(one.facility)
        is_before = known["since"] < 0
        row = {
            "facility": one.facility,
            "support_ended": one.support_ended,
            "n_before": int(is_before.sum()),
            "n_after": int((~is_before).sum()),
            "level_before": level(known.loc[is_before], indicator),
            "level_after": level(known.loc[~is_before], indicator),
            "beyond": False,
            "drifts": False,
            "reason": reasons[one.facility] if fit is None else "",
        } | dict.fromkeys(("estimate", "standard_error", "low", "high"), np.nan)
        if fit is None and not row["reason"]:
            row["reason"] = "no_trend"  # against which the others are told
        if fit is not None:
            found = estimates(fit.mixture, fit.contrast(fit.months), 0.95).iloc[0]
            row |= {name: float(found[name]) for name in ("estimate", "standard_error", "low", "high")}
            row["beyond"] = fit.design.trend and bool(beyond_possible(pd.Series([fit.without]), indicator).iloc[0])
            row["drifts"] = bool(fit.model.best_phi > NEAR_UNIT_ROOT)
        rows.append(row)
    names = [*COLUMNS, "estimate", "standard_error", "low", "high"]
    return pd.DataFrame(rows, columns=names).astype({"beyond": bool, "drifts": bool})


# --- all facilities --------------------------------------------------------------------------------


def _average(told: Mapping[str, tuple[float, float] | None]) -> Pooled | None:
    """The average over facilities, as `interrupted.average` takes it; None with fewer than five."""
    known = [(name, *both) for name, both in told.items() if both is not None]
    frame = pd.DataFrame(known, columns=["facility_id", "estimate", "standard_error"])
    return average(frame, frame["facility_id"])


def _drift(fits: Mapping[str, _Fit]) -> Pooled | None:
    return _average({name: fit.drift() for name, fit in fits.items()})


def _path(fits: Mapping[str, _Fit], month: int | None) -> pd.DataFrame:
    """The average change in each month after support up to the month told."""
    rows = []
    for at in range(1, (month or 0) + 1):
        found = _average({name: fit.change(at) for name, fit in fits.items()})
        if found is not None:
            rows.append((at, found.estimate, found.low, found.high))
    return pd.DataFrame(rows, columns=["month", "estimate", "low", "high"])


def _dots(used: Mapping[str, pd.DataFrame], table: pd.DataFrame, month: int | None) -> pd.DataFrame:
    """What was seen: of each month, the average over facilities of its value less the facility's level in support.

    Facilities weigh as in the average. Months that fewer than half of them reported are left out.
    """
    weighed = table.loc[table["weight"].notna()].set_index("facility")
    if weighed.empty or month is None:
        return pd.DataFrame(columns=["month", "estimate", "facilities"])
    rows = pd.concat(
        [
            used[str(name)][["since", "value"]].assign(
                weight=one["weight"], apart=lambda frame, held=one["level_before"]: frame["value"] - held
            )
            for name, one in weighed.iterrows()
        ]
    )
    by_month = rows.assign(product=rows["weight"] * rows["apart"]).groupby("since")
    dots = pd.DataFrame(
        {"estimate": by_month["product"].sum() / by_month["weight"].sum(), "facilities": by_month.size()}
    )
    dots = dots.loc[dots["facilities"] >= len(weighed) / 2].reset_index()
    return dots.assign(month=dots["since"].astype(int) + 1)[["month", "estimate", "facilities"]]


def _sensitivity(parts: Mapping[str, _Part], held: Held, table: pd.DataFrame) -> pd.DataFrame:
    """The average made in other ways: other engines, against the other line, and without trends that cannot be.

    Returns
    -------
    DataFrame, one row per way
        ``case``, ``k`` facilities, their average with its limits (missing below five), and ``agrees``: whether it says
        the same as the first.
    """
    chosen = {name: part.fits[held] for name, part in parts.items() if held in part.fits}
    other: Held = "level" if held == "trend" else "trend"
    ways: list[tuple[str, dict[str, tuple[float, float] | None]]] = [
        (engine, {name: fit.change(fit.months, engine=engine) for name, fit in chosen.items()}) for engine in ENGINES
    ]
    others = {name: part.fits[other] for name, part in parts.items() if other in part.fits}
    ways.append((f"against_{other}", {name: fit.change(fit.months) for name, fit in others.items()}))
    if table["beyond"].any():
        possible = set(table.loc[~table["beyond"], "facility"])
        ways.append(
            ("possible_trends", {name: fit.change(fit.months) for name, fit in chosen.items() if name in possible})
        )
    rows = []
    for case, told in ways:
        found = _average(told)
        limits = (found.estimate, found.low, found.high) if found else (np.nan,) * 3
        rows.append((case, sum(one is not None for one in told.values()), *limits))
    frame = pd.DataFrame(rows, columns=["case", "k", "estimate", "low", "high"])
    says = np.sign(frame["low"]).where(np.sign(frame["low"]) == np.sign(frame["high"]), 0)
    return frame.assign(agrees=frame["estimate"].isna() | (says == says.iloc[0]))
