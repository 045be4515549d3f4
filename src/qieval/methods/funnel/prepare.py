"""What goes into a funnel: settings and units, checked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError, bulleted
from qieval.methods.funnel.model import SCALES

OVERDISPERSION = {
    "proportion": ("none", "additive", "multiplicative", "beta-binomial"),
    "rate": ("none", "additive", "multiplicative", "negative-binomial"),
    "ratio": ("none", "additive", "multiplicative", "negative-binomial"),
}


def check_settings(
    kind: str,
    target: float | None,
    limits: tuple[float, ...],
    overdispersion: str,
    winsorise: float,
    scale: str | None,
) -> None:
    """Raise for settings that are impossible, all at once."""
    if kind not in SCALES:
        raise ParameterError(f"kind is {kind!r}: choose one of {', '.join(SCALES)}")
    wrong = []
    if not isinstance(limits, tuple | list) or not all(isinstance(level, int | float) for level in limits):
        raise ParameterError(f"limits is {limits!r}: give a tuple of levels between 0 and 1, for example (0.95, 0.998)")
    if target is not None and not isinstance(target, int | float):
        raise ParameterError(f"target is {target!r}: give a number")
    if target is not None and not (0 < target < (1 if kind == "proportion" else np.inf)):
        wrong.append(f"target is {target}: give a number above 0" + (" and below 1" if kind == "proportion" else ""))
    if not limits or not all(0 < level < 1 for level in limits) or len(set(limits)) < len(limits):
        wrong.append(f"limits is {limits}: give different levels between 0 and 1, for example (0.95, 0.998)")
    if overdispersion not in OVERDISPERSION[kind]:
        wrong.append(
            f"overdispersion is {overdispersion!r}: of a {kind} it is one of {', '.join(OVERDISPERSION[kind])}"
        )
    if scale is not None and scale not in SCALES[kind]:
        wrong.append(f"scale is {scale!r}: of a {kind} it is one of {', '.join(SCALES[kind])}")
    if not 0 <= winsorise < 0.5:
        wrong.append(f"winsorise is {winsorise}: give a share from 0 to below 0.5 of each end, for example 0.1")
    if wrong:
        raise ParameterError(bulleted("funnel", wrong))


def checked_units(data: pd.DataFrame, kind: str, columns: list[str], scale: str) -> pd.DataFrame:
    """The three columns under our names, fit for a funnel."""
    absent = [name for name in columns if name not in data]
    if absent:
        raise DataError(
            f"the data have no column {', '.join(map(repr, absent))}; they have {', '.join(map(str, data))}"
        )
    units = data[columns].set_axis(["unit", "numerator", "denominator"], axis=1)
    counts = units[["numerator", "denominator"]].apply(pd.to_numeric, errors="coerce").astype(float)
    y, n = counts["numerator"], counts["denominator"]
    whole = (y % 1 == 0) & ((n % 1 == 0) if kind == "proportion" else True)
    wrong = ~(whole & (y >= 0) & (n >= 0) & np.isfinite(n)) | ((n == 0) & (y > 0))
    wrong |= (y > n) if kind == "proportion" else False
    problems = []
    if wrong.any():
        share = kind == "proportion"
        rule = "0 <= numerator <= denominator" if share else "numerator and denominator of 0 or more"
        counted = "both whole numbers" if share else "a whole numerator"
        problems.append(
            f"{wrong.sum()} of {len(units)} units cannot be used ({_some(units[wrong])}). Each needs {rule}, "
            f"{counted}, and no event without a denominator. Check that the columns are not swapped, or drop them."
        )
    again = units["unit"].duplicated(keep=False) | units["unit"].isna()
    if again.any():
        problems.append(
            f"{again.sum()} rows repeat a unit or name none ({_some(units[again])}). Sum to one row per unit."
        )
    if not wrong.any() and not (n > 0).any():
        problems.append("no unit has a denominator above 0: there is nothing to compare.")
    zero = ~wrong & (y == 0) & (n > 0)
    if scale == "log" and zero.any():
        problems.append(
            f"without an event there is no logarithm: {zero.sum()} of {len(units)} units ({_some(units[zero])}). "
            "Use scale='root'."
        )
    if problems:
        raise DataError(" ".join(problems))
    return units.assign(numerator=y, denominator=n)


def _some(units: pd.DataFrame) -> str:
    """The first five, as "B: 41 of 38"."""
    shown = units.head(5).astype(object).where(units.head(5).notna(), "missing").astype(str)
    text = [f"{unit}: {y.removesuffix('.0')} of {n.removesuffix('.0')}" for unit, y, n in shown.to_numpy()]
    return "; ".join(text) + ("; ..." if len(units) > 5 else "")
