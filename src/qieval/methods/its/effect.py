"""The change at one period, absolute and relative, on the scale of the values whatever the engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from qieval.methods.its.ar1 import Mixture
from qieval.methods.its.engines import summary


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What the start changed at one period: the fitted line minus the line had nothing happened."""

    period: object
    engine: str
    fitted: float
    counterfactual: float
    absolute: float
    absolute_standard_error: float
    absolute_low: float
    absolute_high: float
    relative: float  # absolute / counterfactual; missing where the counterfactual may be 0 or below
    relative_standard_error: float
    relative_low: float
    relative_high: float
    level: float


def back_transformed(table: pd.DataFrame, link: str) -> pd.DataFrame:
    """Estimate and limits of a linear predictor, on the scale of the values."""
    if link == "identity":
        return table
    inverse = np.exp if link == "log" else lambda eta: 1 / (1 + np.exp(-eta))
    return table.assign(**{name: inverse(table[name]) for name in ("estimate", "low", "high")})


def effect_of(
    mixture: Mixture, with_it: np.ndarray, without: np.ndarray, *, link: str, level: float, engine: str, period: object
) -> Effect:
    """The delta method within each part of the mixture; rows (1, p) of the design with and without the change."""
    on, off = mixture.coefs @ with_it[0], mixture.coefs @ without[0]
    if link == "identity":
        fitted, counter = on, off
        slopes_on, slopes_off = np.ones_like(on), np.ones_like(off)
    elif link == "log":
        fitted, counter = np.exp(on), np.exp(off)
        slopes_on, slopes_off = fitted, counter
    else:
        fitted, counter = 1 / (1 + np.exp(-on)), 1 / (1 + np.exp(-off))
        slopes_on, slopes_off = fitted * (1 - fitted), counter * (1 - counter)
    d_fitted, d_counter = slopes_on[:, None] * with_it, slopes_off[:, None] * without  # (g, p)
    absolute = _spread(mixture, fitted - counter, d_fitted - d_counter, level)
    if link != "identity":
        logs = _spread(
            mixture, np.log(fitted / counter), d_fitted / fitted[:, None] - d_counter / counter[:, None], level
        )
        relative = {name: float(np.expm1(logs[name])) for name in ("estimate", "low", "high")}
        relative["standard_error"] = float(np.exp(logs["estimate"]) * logs["standard_error"])
    elif _spread(mixture, counter, d_counter, level)["low"] > 0 and (counter > 0).all():
        ratio = fitted / counter
        relative = _spread(mixture, ratio - 1, (d_fitted - ratio[:, None] * d_counter) / counter[:, None], level)
    else:
        # Of a counterfactual that may as well be 0 nothing is a share.
        relative = dict.fromkeys(absolute, np.nan)
    return Effect(
        period=period,
        engine=engine,
        fitted=float(mixture.weights @ fitted),
        counterfactual=float(mixture.weights @ counter),
        **{f"absolute_{name}" if name != "estimate" else "absolute": value for name, value in absolute.items()},
        **{f"relative_{name}" if name != "estimate" else "relative": value for name, value in relative.items()},
        level=level,
    )


def _spread(mixture: Mixture, centre: np.ndarray, gradient: np.ndarray, level: float) -> dict[str, float]:
    errors = np.sqrt(np.einsum("gp,gpq,gq->g", gradient, mixture.covariances, gradient))
    row = summary(mixture, centre[:, None], errors[:, None], level).iloc[0]
    return {name: float(row[name]) for name in ("estimate", "standard_error", "low", "high")}
