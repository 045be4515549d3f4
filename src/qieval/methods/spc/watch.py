"""Watching for a loss after the gain: EWMA, CUSUM and Bernoulli CUSUM, which add up small signs month by month.

A Shewhart chart judges each month by itself and is slow to see a small, lasting loss. These charts carry evidence over
from month to month and so see it earlier. They need a level to watch against: the baseline here is the time in
which the gain was held, and watching starts after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError
from qieval.methods.spc.chart import Chart, chart


@dataclass(frozen=True, eq=False, kw_only=True)
class Watch:
    """One statistic per series and period, and when it first signalled."""

    points: pd.DataFrame
    series: pd.DataFrame  # the columns of `by`, centre, warnings of the chart, n_watched (values after the baseline),
    # first_above, first_below (periods; missing: no signal)


def ewma(
    data: pd.DataFrame, *, period: str, value: str | None = None, numerator: str | None = None,
    denominator: str | None = None, kind: str = "i", by: str | Sequence[str] = (), baseline: Any = None,
    screen: bool = True, weight: float = 0.2, sigmas: float = 3.0,
) -> Watch:  # fmt: skip
    """Exponentially weighted moving average: each month weighs `weight`, all months before it the rest.

    Parameters
    ----------
    kind : "i", "p" or "u"
        Single values, proportions or rates: where centre and sigma come from, as in `chart`, whose arguments the
        others are.
    baseline : int, date or column, optional
        The level to watch against; watching starts after it. Default: all periods, watched from the first.
    weight : float, above 0 up to 1
    sigmas : float
        How far the limits lie from the centre, in standard deviations of the average.

    Returns
    -------
    Watch
        ``.points``: as `chart`, with ewma, lcl and ucl (of the average), above, below. A missing month leaves the
        average as it was.

    References
    ----------
    .. [1] Montgomery DC. Introduction to Statistical Quality Control, 7th ed., 2013, sec. 9.2.
    """
    problems = [f"weight: {weight} is not above 0 and at most 1. Common is 0.2."] if not 0 < weight <= 1 else []
    problems += [f"sigmas: {sigmas} is not above 0. Common is 3."] if not sigmas > 0 else []
    if problems:
        raise ParameterError(" ".join(problems))
    found = _chart(data, kind, period, value, numerator, denominator, by, baseline, screen)
    points, sigma = found.points, _sigma(found)
    watched, first = _watched(points, baseline), _first_of_series(found)
    average, variance = np.full(len(points), np.nan), np.full(len(points), np.nan)
    centre, shown = points["centre"].to_numpy(), points["value"].to_numpy()
    before, spread = np.nan, 0.0
    for row in range(len(points)):
        if first[row]:
            before, spread = centre[row], 0.0
        if watched[row] and np.isfinite(shown[row]) and np.isfinite(sigma[row]):
            before = weight * shown[row] + (1 - weight) * before
            spread = (1 - weight) ** 2 * spread + weight**2 * sigma[row] ** 2
        if watched[row]:
            average[row], variance[row] = before, spread
    reach = sigmas * np.sqrt(variance)
    points = _stripped(points).assign(ewma=average, lcl=centre - reach, ucl=centre + reach)
    return _watch(
        found, points, period, "ewma", above=average > centre + reach, below=average < centre - reach
    )  # fmt: skip


def cusum(
    data: pd.DataFrame, *, period: str, value: str | None = None, numerator: str | None = None,
    denominator: str | None = None, kind: str = "i", by: str | Sequence[str] = (), baseline: Any = None,
    screen: bool = True, shift: float = 1.0, decision: float = 5.0,
) -> Watch:  # fmt: skip
    """Cumulative sums of what lies above, and below, the centre, in sigmas, less half the shift to be found.

    Parameters
    ----------
    shift : float
        The shift, in sigmas, that the chart finds quickest.
    decision : float
        The sum, in sigmas, that signals. With 5, and a shift of 1 to be found, a series that stays as it was signals
        once in 465 months on average, one that shifts by 1 sigma after 10 [1]_.

    Returns
    -------
    Watch
        ``.points``: as `chart`, with cusum_above (0 or more), cusum_below (0 or less), above, below. A missing month
        leaves the sums as they were.

    References
    ----------
    .. [1] Montgomery DC. Introduction to Statistical Quality Control, 7th ed., 2013, sec. 9.1, table 9.3 and 9.4.
    """
    problems = [f"{name}: {x} is not above 0." for name, x in (("shift", shift), ("decision", decision)) if not x > 0]
    if problems:
        raise ParameterError(" ".join(problems))
    found = _chart(data, kind, period, value, numerator, denominator, by, baseline, screen)
    points, sigma = found.points, _sigma(found)
    z = ((points["value"] - points["centre"]) / sigma).to_numpy()
    watched, first = _watched(points, baseline), _first_of_series(found)
    above, below = np.full(len(z), np.nan), np.full(len(z), np.nan)
    up = down = 0.0
    for row in range(len(z)):
        if first[row]:
            up = down = 0.0
        if watched[row] and np.isfinite(z[row]):
            up, down = max(0.0, up + z[row] - shift / 2), min(0.0, down + z[row] + shift / 2)
        if watched[row]:
            above[row], below[row] = up, down
    points = _stripped(points).assign(cusum_above=above, cusum_below=below)
    return _watch(found, points, period, "cusum_above", above=above > decision, below=below < -decision)


def bernoulli_cusum(
    data: pd.DataFrame, *, period: str, numerator: str, denominator: str, expected: float, by: str | Sequence[str] = (),
    odds_ratio: float = 2.0, decision: float = 3.5,
) -> Watch:  # fmt: skip
    """Cumulative evidence that the odds of an event have risen, and that they have fallen, against `expected`.

    Each person adds the logarithm of the likelihood ratio of the changed to the expected odds; rows may be single
    people (denominator 1) or periods of many. The sums never fall below zero.

    Parameters
    ----------
    expected : float, between 0 and 1
        The proportion to watch against, such as that of the months in which the gain was held.
    odds_ratio : float, above 1
        The change the chart finds quickest: odds times, and divided by, this number.
    decision : float
        The sum that signals; `bernoulli_run_length` tells how often it does so by chance.

    Returns
    -------
    Watch
        ``.points``: period, value, n, cusum_above, cusum_below (both 0 or more), above, below.

    References
    ----------
    .. [1] Steiner SH, Cook RJ, Farewell VT, Treasure T. Monitoring surgical performance using risk-adjusted
       cumulative sum charts. Biostatistics 2000;1:441.
    """
    _check_bernoulli(expected, odds_ratio, decision)
    found = chart(
        data, "p", period=period, numerator=numerator, denominator=denominator, by=by, rules="outside"
    )  # fmt: skip
    points = found.points
    n = points["n"].to_numpy()
    events = points["value"].to_numpy() * n
    first = _first_of_series(found)
    sums = {}
    for name, ratio in (("cusum_above", odds_ratio), ("cusum_below", 1 / odds_ratio)):
        with_event, without = _evidence(expected, ratio)
        gained = np.nan_to_num(events * with_event + (n - events) * without)
        running, total = np.empty(len(n)), 0.0
        for row in range(len(n)):
            total = max(0.0, (0.0 if first[row] else total) + gained[row])
            running[row] = total
        sums[name] = running
    points = _stripped(points).assign(centre=expected, **sums)
    return _watch(
        found, points, period, "cusum_above", above=sums["cusum_above"] > decision, below=sums["cusum_below"] > decision
    )  # fmt: skip


def bernoulli_run_length(expected: float, odds_ratio: float, decision: float, *, actual: float | None = None) -> float:
    """People seen, on average, until the sum of a `bernoulli_cusum` signals, one at a time.

    By default if the proportion is as `expected`: how rare a false alarm is. With `actual`: how soon a change is seen.
    The sum is followed as a Markov chain over 1,000 steps of its range [1]_.

    References
    ----------
    .. [1] Brook D, Evans DA. An approach to the probability distribution of cusum run length. Biometrika 1972;59:539.
    """
    _check_bernoulli(expected, odds_ratio, decision)
    with_event, without = _evidence(expected, odds_ratio)
    p = expected if actual is None else actual
    states = 1_000
    width = decision / states
    middle = np.arange(states) * width
    stay = np.zeros((states, states))
    rows = np.arange(states)
    for step, chance in ((with_event, p), (without, 1 - p)):
        to = np.maximum(middle + step, 0) / width
        lower = np.floor(to).astype(int)
        # Between two steps the chance is shared between them, which keeps the mean.
        for target, share in ((lower, 1 - (to - lower)), (lower + 1, to - lower)):
            inside = target < states
            np.add.at(stay, (rows[inside], target[inside]), chance * share[inside])
    return float(np.linalg.solve(np.eye(states) - stay, np.ones(states))[0])


def _evidence(expected: float, ratio: float) -> tuple[float, float]:
    """Log-likelihood ratio of a person with the event, and of one without."""
    scale = 1 - expected + ratio * expected
    return float(np.log(ratio / scale)), float(-np.log(scale))


def _check_bernoulli(expected: float, odds_ratio: float, decision: float) -> None:
    problems = []
    if not 0 < expected < 1:
        problems.append(f"expected: {expected} is not a proportion between 0 and 1.")
    if not odds_ratio > 1:
        problems.append(
            f"odds_ratio: {odds_ratio} is not above 1. Both directions are watched; give 2 for twice or half."
        )
    if not decision > 0:
        problems.append(f"decision: {decision} is not above 0.")
    if problems:
        raise ParameterError(" ".join(problems))


def _chart(
    data: pd.DataFrame, kind: str, period: str, value: str | None, numerator: str | None, denominator: str | None,
    by: str | Sequence[str], baseline: Any, screen: bool,
) -> Chart:  # fmt: skip
    if kind not in ("i", "p", "u"):
        raise ParameterError(f"kind: {kind!r} cannot be watched so; choose i, p or u.")
    found = chart(
        data, kind, period=period, value=value, numerator=numerator, denominator=denominator, by=by, baseline=baseline,
        screen=screen, rules="outside",
    )  # fmt: skip
    no_level = found.series["warnings"].str.contains("no value|one point|no variation|nothing to compare")
    if no_level.any():
        raise DataError(
            f"{int(no_level.sum())} of {len(found.series)} series do not vary in the baseline, or have too few values "
            "there, so there is nothing to watch against. Give a longer baseline, or leave these series out."
        )
    return found


def _sigma(found: Chart) -> pd.Series:
    """The standard deviation of each point; not from the limits, which end at 0 and 1."""
    points = found.points
    if found.kind == "i":
        return (points["ucl"] - points["centre"]) / 3
    variance = points["centre"] * (1 - points["centre"]) if found.kind == "p" else points["centre"]
    return np.sqrt(variance / points["n"])


def _watched(points: pd.DataFrame, baseline: Any) -> np.ndarray:
    return np.ones(len(points), dtype=bool) if baseline is None else ~points["in_baseline"].to_numpy()


def _first_of_series(found: Chart) -> np.ndarray:
    if not found.by:
        return np.arange(len(found.points)) == 0
    keys = found.points[list(found.by)]
    return (keys != keys.shift()).any(axis=1).to_numpy() | (np.arange(len(keys)) == 0)


def _stripped(points: pd.DataFrame) -> pd.DataFrame:
    return points.drop(columns=["lcl", "ucl", "lcl_2", "ucl_2", "phase", "excluded", "outside", "rules"])


def _watch(found: Chart, points: pd.DataFrame, period: str, statistic: str, *, above: Any, below: Any) -> Watch:
    points = points.assign(above=np.asarray(above), below=np.asarray(below))
    series = found.series[[*found.by, "centre", "warnings"]].copy()
    number = np.cumsum(_first_of_series(found)) - 1
    watched = points["value"].notna() & points[statistic].notna()
    series["n_watched"] = np.bincount(number, weights=watched, minlength=len(series)).astype(int)
    for side in ("above", "below"):
        signals = points[points[side]]
        first = signals[period].groupby(number[points[side].to_numpy()]).first()
        series[f"first_{side}"] = first.reindex(range(len(series))).to_numpy()
    return Watch(points=points, series=series)
