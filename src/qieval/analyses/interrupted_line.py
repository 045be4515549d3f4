"""The facilities together, people added up: one line by months since joining, beside where it was heading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from qieval.analyses.effectiveness import COHORT_SHARE, SMALLEST_COHORT
from qieval.analyses.run_charts import FEWEST_MONTHS
from qieval.analyses.series import Indicator, level
from qieval.errors import DataError
from qieval.methods import its
from qieval.methods.runs import runs

Model = Literal["trend", "level"]

FAMILIES = {"proportion": "binomial", "rate": "poisson", "count": "poisson"}  # a mean has no counts of events
PEOPLE_SHARE = 0.8  # of the usual people of the line's facilities, without whom a month of it is a gap
HALF_WINDOW = 6  # months to either side of the month told, see `months_used`
TOLD_AS_EDGE = 0.005  # a share so close to 0 or 1 is rounded to it
NEXT_TO_EDGE = 0.01


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
    engines: pd.DataFrame  # engine, estimate, low, high, relative, relative_low, relative_high, narrower (Newey-West's
    # interval, than that of least squares); at the month told. `relative` is missing where the trend nears 0
    fitted: float  # at the month told
    counterfactual: float
    baseline: float  # level of all months before, events over people
    model: Model
    baseline_moving: bool
    flags: tuple[str, ...]  # codes of `its.Flag`
    changes: pd.DataFrame  # term ("level_change" at the first month used after, "slope_change" a month), estimate,
    # low, high: of the averaged engine
    span: tuple[int, int]  # the months after joining that are fitted, see `months_used`
    phi: float  # how much a month resembles the one before, -1 to 1
    sigma: float  # of a month about its lines, on the scale of the values
    n_before: int
    n_after: int  # months with a value after joining and the transition, used or not

    @property
    def headline(self) -> Mapping[str, Any]:
        """The row of the averaged engine."""
        return self.engines.iloc[0].to_dict()


def line_of(
    indicator: Indicator, shown: pd.DataFrame, names: Mapping[str, str], month: int, transition: int
) -> tuple[Line | None, str]:
    """The same facilities in all months, so that joining cannot move it; or else why there is none.

    The reasons are "few_months" (no such window), "at_edge" and "nothing_varies".
    """
    known = shown.loc[shown["since"].notna()].astype({"since": int})
    found = _window(known, month, transition)
    if found is None:
        return None, "few_months"
    kept, first, last = found
    within = known.loc[known["facility_id"].isin(kept) & known["since"].between(first, last)]
    starts = within["start"].unique()
    points, span = _line_points(within, indicator, first, last), months_used(month, transition)
    points["used"] = points["value"].notna() & ((points["since"] < 0) | points["since"].between(*span))
    aligned = len(starts) > 1
    start = None if aligned else pd.Timestamp(starts[0])
    points["period"] = pd.NaT if start is None else [start + pd.DateOffset(months=int(k)) for k in points["since"]]
    used = points.loc[points["used"]]
    if indicator.kind == "proportion" and at_edge(used, span):
        return None, "at_edge"
    family = FAMILIES.get(indicator.kind)
    counts: dict[str, Any] = {"value": "value"}
    if family:
        counts = {"numerator": "numerator", "denominator": "denominator", "family": family}
    scale = indicator.per if family else 1.0
    try:
        fit = its.fit(used, period="since", start=span[0], **counts)
    except DataError:
        return None, "nothing_varies"  # or a gap took too many of the months
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
    engines = pd.DataFrame(
        rows, columns=["engine", "estimate", "low", "high", "relative", "relative_low", "relative_high"]
    )
    terms = fit.estimates.query("engine == 'averaged' and term in ('level_change', 'slope_change')")
    terms = terms[["term", "estimate", "low", "high"]].reset_index(drop=True)
    terms[["estimate", "low", "high"]] *= scale
    line = Line(
        points=points,
        lines=lines,
        aligned=aligned,
        start=start,
        facilities=tuple(names[facility] for facility in kept),
        left_out=tuple(names[facility] for facility in known["facility_id"].unique() if facility not in kept),
        engines=engines.assign(narrower=newey_west_narrower(engines, "engine")),
        changes=terms,
        span=span,
        fitted=told.fitted * scale,
        counterfactual=told.counterfactual * scale,
        baseline=level(within.loc[within["since"] < 0], indicator),
        model=model_of(fit),
        baseline_moving=baseline_moving(points, fit),
        flags=tuple(flag.code for flag in fit.flags),
        phi=fit.phi,
        sigma=fit.sigma * scale,
        n_before=fit.n_before,
        n_after=int((points["value"].notna() & (points["since"] >= transition)).sum()),
    )
    return line, ""


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


# --- shared with the fits of single facilities ---


def months_used(month: int, transition: int) -> tuple[int, int]:
    """The first and the last month after joining that a fit uses: half a year to either side of the month told.

    Gains climb for some months and may fade once support ends. A straight line through all of that misses the climb,
    takes what it misses for autocorrelation, and then tells too little: 0.26 where 0.29 is true, with intervals
    that hold the truth in 80% of collaboratives (`benchmarks/collaborative_effect.py`). Where care stands about the
    month told is what is asked; what lies on the way there is left out, as a transition is.
    """
    return max(transition, month - HALF_WINDOW), month + HALF_WINDOW


def model_of(fit: its.Fit) -> Model:
    return "trend" if fit.design.trend else "level"


def baseline_moving(own: pd.DataFrame, fit: its.Fit) -> bool:
    """A trend before joining that its interval tells from none, or a run chart that signals before it."""
    before = own.loc[own["since"] < 0, "value"].dropna()
    codes = {flag.code for flag in fit.flags}
    return "baseline_trend" in codes or bool(runs(before, float(before.median())).signal)


def at_edge(rows: pd.DataFrame, span: tuple[int, int]) -> bool:
    """Whether shares stand at 0 or 1 so closely that their scatter tells nothing of their uncertainty.

    So it is where all months before joining, or all that are used after it, are told as 0% or as 100%, and where both
    sides are so close on the whole: from 0.1% to 99.9% an interval would be +99 to +100 points, and look exact.
    """
    parts = rows.loc[rows["since"] < 0], rows.loc[rows["since"].between(*span)]
    if any(part.empty for part in parts):
        return False
    told_as_edge = [(part["value"] < TOLD_AS_EDGE).all() or (part["value"] > 1 - TOLD_AS_EDGE).all() for part in parts]
    levels = [float(part["numerator"].sum() / part["denominator"].sum()) for part in parts]
    return any(told_as_edge) or all(min(one, 1 - one) < NEXT_TO_EDGE for one in levels)


def newey_west_narrower(frame: pd.DataFrame, column: str) -> pd.Series:
    """Marks the row of Newey-West where its interval is narrower than that of least squares."""
    width = (frame["high"] - frame["low"]).set_axis(frame[column])
    return frame[column].eq("newey_west") & bool(width.get("newey_west", np.nan) < width.get("ols", np.nan))
