"""How an outcome goes with an exposure within units, once what is common to all of them is taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qieval.errors import DataError
from qieval.methods.robust import cr2

_NOTHING_LEFT = 1e-8  # of the variation within units: beyond, it is rounding


@dataclass(frozen=True, eq=False, kw_only=True)
class Within:
    """Slopes of an outcome on exposures, within units and beside effects that all units share."""

    # One row per exposure: term, estimate, standard_error, df, low, high, p_value (see `robust.cr2`), left_share
    # (of the exposure's variation within units, what the shared effects leave), left_sd (its standard deviation),
    # largest_share (of what is left, that of one unit: near 1 it alone decides, and no error can be taken from others).
    table: pd.DataFrame
    n_rows: int
    n_units: int


def within(
    outcome: ArrayLike,
    exposures: pd.DataFrame,
    unit: ArrayLike,
    *,
    shared: Sequence[ArrayLike] = (),
    level: float = 0.95,
) -> Within:
    """Least squares with an effect for each unit and each value of the `shared` columns; CR2 errors by unit.

    The effects of units are taken out beforehand by centring all else in each unit, which leaves estimates, CR2 errors
    and degrees of freedom as they are [1]_; a store of a thousand units then needs no thousand columns. Shared effects
    that repeat each other (the months since joining and the calendar, where all joined at once) count once.

    Parameters
    ----------
    outcome : array of float, one per row
    exposures : DataFrame of float, rows by exposures
    unit : array, what each row belongs to
    shared : sequence of arrays, as ``[month, months_since_joining]``
        Each value of each has an effect of its own, the same for all units.

    Raises
    ------
    DataError
        If an exposure varies within no unit, or only as the shared effects do; if there are fewer than 2 units.

    References
    ----------
    .. [1] Pustejovsky JE, Tipton E. Small-sample methods for cluster-robust variance estimation and hypothesis
       testing in fixed effects models. J Bus Econ Stat 2018;36:672, theorem 2 (unweighted; it fails for weights, see
       their correction of 2022, which is why there are none here).
    """
    units = pd.Series(np.asarray(unit))
    y = _centred(np.asarray(outcome, dtype=float)[:, None], units)
    x = _centred(exposures.to_numpy(dtype=float), units)
    basis = _basis(shared, units)
    left = x - basis @ (basis.T @ x)
    had = (x**2).sum(axis=0)
    share = np.divide((left**2).sum(axis=0), had, out=np.zeros(len(had)), where=had > 0)
    if (share <= _NOTHING_LEFT).any():
        names = [str(name) for name, one in zip(exposures.columns, share, strict=True) if one <= _NOTHING_LEFT]
        raise DataError(
            f"{', '.join(names)} does not vary within units beyond what all of them share: no slope can be told"
        )
    names = [str(name) for name in exposures.columns]
    others = [f"shared {position}" for position in range(basis.shape[1])]
    fitted = cr2(np.hstack([x, basis]), y[:, 0], units, term_names=[*names, *others], level=level)
    per_unit = pd.DataFrame(left**2).groupby(units).sum()
    table = fitted.iloc[: len(names)].assign(
        left_share=share,
        left_sd=np.sqrt((left**2).mean(axis=0)),
        largest_share=(per_unit.max() / per_unit.sum()).to_numpy(),
    )
    return Within(table=table, n_rows=len(y), n_units=int(units.nunique()))


def _centred(columns: np.ndarray, unit: pd.Series) -> np.ndarray:
    return columns - pd.DataFrame(columns).groupby(unit).transform("mean").to_numpy()


def _basis(shared: Sequence[ArrayLike], unit: pd.Series) -> np.ndarray:
    """Orthonormal columns that span the shared effects within units."""
    dummies = [pd.get_dummies(np.asarray(one), dtype=float).to_numpy() for one in shared]
    if not dummies:
        return np.empty((len(unit), 0))
    left, size, _ = np.linalg.svd(_centred(np.hstack(dummies), unit), full_matrices=False)
    return left[:, size > 1e-9 * max(size.max(), 1.0)]
