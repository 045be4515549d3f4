"""What a reader must know before believing a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from qieval.methods.its.design import (
    FEWEST_BEFORE_FOR_SLOPE,
    FEWEST_FOR_SLOPE,
    FEWEST_MONTHS_FOR_SEASONS,
    Design,
    Series,
    bears_seasons,
)

NEAR_UNIT_ROOT = 0.9
UNEQUAL = 10  # times the smallest denominator


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One fact about a fit: a code to act on and a sentence to print."""

    code: str
    text: str


def flags_of(
    series: Series,
    design: Design,
    table: pd.DataFrame,
    *,
    phi: float,
    phi_reml: float,
    n_before: int,
    n_after: int,
    seasonality: bool | None,
    runaway: Sequence[str],
) -> tuple[Flag, ...]:
    """The flags of one fit, from its table of estimates and both its autocorrelations, the mean and the best."""
    found = {
        "level_only": _level_only(design, n_before, n_after),
        "baseline_trend": _baseline_trend(table, controlled=design.controlled),
        "near_unit_root": _near_unit_root(max(phi, phi_reml)),
        "alternating": _alternating(phi_reml),
        "newey_west_narrower": _newey_west_narrower(table),
        "seasonality": _seasonality(series, design, seasonality),
        "unequal_denominators": _unequal_denominators(series),
        "runaway": f"{' and '.join(runaway)} gives no estimate: a stretch is all or none" if runaway else None,
    }
    return tuple(Flag(code=code, text=text) for code, text in found.items() if text)


def _level_only(design: Design, n_before: int, n_after: int) -> str | None:
    if design.trend:
        return None
    if n_before >= FEWEST_BEFORE_FOR_SLOPE and n_before + n_after >= FEWEST_FOR_SLOPE:
        who = "The comparison has too few periods to"
    else:
        who = f"{n_before} periods before and {n_after} after do not"
    return (
        f"Level only: {who} make a slope estimable (at least "
        f"{FEWEST_BEFORE_FOR_SLOPE} before and {FEWEST_FOR_SLOPE} in all). Descriptive: a trend already under way "
        "before the start would be counted as change"
    )


def _baseline_trend(table: pd.DataFrame, *, controlled: bool) -> str | None:
    # Of the first engine that has a trend: the averaged one unless it was not asked for.
    slope = table[table["term"] == "slope"].head(1)
    if slope.empty or slope["low"].iloc[0] <= 0 <= slope["high"].iloc[0]:
        return None
    one = slope.iloc[0]
    way = "rising" if one["estimate"] > 0 else "falling"
    if controlled:
        return (
            f"Before the start the series was already {way} against its comparison, by {abs(one['estimate']):.3g} a "
            "period: the two did not move alike, and the counterfactual rests on this going on"
        )
    return (
        f"The baseline was already {way}, by {abs(one['estimate']):.3g} a period: a plain before-after difference is "
        "not evidence, and the counterfactual rests on this trend going on"
    )


def _near_unit_root(phi: float) -> str | None:
    if phi <= NEAR_UNIT_ROOT:
        return None
    shown = f"{phi:.2f}" if phi < 0.99 else "0.99 or more"
    return (
        f"The autocorrelation is {shown}: beyond {NEAR_UNIT_ROOT} the series drifts, and a change of level can hardly "
        "be told from drift. Compare the engines"
    )


def _alternating(phi_reml: float) -> str | None:
    if phi_reml >= -NEAR_UNIT_ROOT:
        return None
    return (
        f"The best autocorrelation is {phi_reml:.2f}: in a short series it runs to perfect alternation, and the "
        "intervals of REML mean nothing there"
    )


def _newey_west_narrower(table: pd.DataFrame) -> str | None:
    errors = table[table["term"] == "level_change"].set_index("engine")["standard_error"]
    if not {"ols", "newey_west"} <= set(errors.index) or errors["newey_west"] >= errors["ols"]:
        return None
    return (
        f"The Newey-West standard error of the level change ({errors['newey_west']:.3g}) is below that of ordinary "
        f"least squares ({errors['ols']:.3g}): a sign of a short series or of alternating months, not of precision"
    )


def _seasonality(series: Series, design: Design, asked: bool | None) -> str | None:
    if design.harmonics:
        return None
    if not series.dates:
        # Seasons of numbered periods are missed only by whoever asked for them.
        return (
            "No seasonal term, though one was asked for: the periods are numbers, and numbers are no months. Give dates"
            if asked
            else None
        )
    if not bears_seasons(series):
        return (
            f"No seasonal term: fewer than {FEWEST_MONTHS_FOR_SEASONS} months, less than two full cycles. "
            "Seasonality cannot be excluded"
        )
    return "Seasonality was not modelled, though the series is long enough" if asked is None else None


def _unequal_denominators(series: Series) -> str | None:
    if series.denominators is None or series.denominators.max() <= UNEQUAL * series.denominators.min():
        return None
    return (
        f"Denominators go from {series.denominators.min():g} to {series.denominators.max():g}: all engines but the "
        "quasi one weigh these periods alike. Compare them"
    )
