"""Many charts, many chances of a false alarm: how many to expect, and which signals stand out all the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qieval.errors import DataError, ParameterError


@dataclass(frozen=True, kw_only=True)
class FalseAlarms:
    """What chance alone does to so many charts."""

    charts: int
    expected: float  # number of charts that signal although nothing changed
    at_least_one: float  # chance that one or more do, between 0 and 1


def false_alarms(charts: int, *, rate: ArrayLike) -> FalseAlarms:
    """Expected false alarms among charts in which nothing changed, and the chance of at least one.

    The expected number is the sum of the rates, whether or not the charts move together. The chance of at least
    one, ``1 - product of (1 - rate)``, is for independent charts and smaller if they move together.

    Parameters
    ----------
    charts : int, 1 or more
    rate : float, or one float per chart, between 0 and 1
        Chance that a chart without a change signals.

    Raises
    ------
    ParameterError
        If there is no chart, or the rates are not proportions, one for all or one for each.

    References
    ----------
    .. [1] Šidák Z. Rectangular confidence regions for the means of multivariate normal distributions. JASA 1967;62:626.
    """
    rates = np.asarray(rate, dtype=float)
    if charts < 1 or rates.shape not in {(), (charts,)}:
        raise ParameterError(f"{rates.size} rates for {charts} charts: give at least 1 chart, and one rate or one each")
    if not ((rates >= 0) & (rates <= 1)).all():
        raise ParameterError(f"rate is {rate!r}: give proportions between 0 and 1, for example 0.05")
    each = np.broadcast_to(rates, charts)
    return FalseAlarms(charts=charts, expected=float(each.sum()), at_least_one=float(1 - np.prod(1 - each)))


def adjusted_p_values(p_values: ArrayLike) -> np.ndarray:
    """P-values adjusted for their number (Benjamini-Hochberg), in the order given.

    Keeping those of at most 0.05 keeps the expected share of false alarms among all that are kept at 5% or less,
    for tests that are independent or move in the same direction. A missing p-value stays missing and is not
    counted: nothing was tested there.

    Raises
    ------
    DataError
        If a p-value is not between 0 and 1.

    References
    ----------
    .. [1] Benjamini Y, Hochberg Y. Controlling the false discovery rate: a practical and powerful approach to
       multiple testing. J R Stat Soc B 1995;57:289.
    """
    from statsmodels.stats.multitest import multipletests

    given = np.asarray(p_values, dtype=float)
    tested = ~np.isnan(given)
    outside = given[tested & ~((given >= 0) & (given <= 1))]
    if len(outside):
        shown = ", ".join(f"{value:g}" for value in outside[:3])
        raise DataError(f"{len(outside)} of {tested.sum()} p-values are not between 0 and 1 ({shown}): correct them")
    adjusted = np.full(given.shape, np.nan)
    if tested.any():
        adjusted[tested] = multipletests(given[tested], method="fdr_bh")[1]
    return adjusted
