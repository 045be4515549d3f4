"""The terms of a regression: from columns to a design, and what cannot be estimated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError


def has_levels(values: pd.Series) -> bool:
    """Whether a term enters as a dummy per value: text, categories, dates, and a column named ``period``."""
    return values.name == "period" or not pd.api.types.is_numeric_dtype(values)


def design_of(frame: pd.DataFrame, terms: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """The intercept, numbers as they are, and a dummy per value but the first of everything else."""
    columns, names = [np.ones(len(frame))], ["intercept"]
    for term in terms:
        values = frame[term]
        if not has_levels(values):
            columns.append(values.to_numpy(dtype=float))
            names.append(term)
            continue
        present = values.cat.remove_unused_categories().cat.categories if hasattr(values, "cat") else values.unique()
        for value in present[1:] if hasattr(values, "cat") else np.sort(present)[1:]:
            columns.append((values == value).to_numpy(dtype=float))
            shown = str(value)[:10] if pd.api.types.is_datetime64_any_dtype(values) else value
            names.append(f"{term}[{shown}]")
    return np.column_stack(columns), names


def check_columns(frame: pd.DataFrame, columns: list[str]) -> None:
    """Stop where a column that was named is not there."""
    absent = [column for column in columns if column not in frame]
    if absent:
        raise ParameterError(
            f"there is no column {', '.join(map(repr, absent))}; the table has {', '.join(map(str, frame.columns))}"
        )


def check_rows(
    frame: pd.DataFrame, y: np.ndarray, size: np.ndarray, *, label: str, used: list[str], family: str
) -> None:
    """Stop where events and people cannot be what they say, or a value is missing; `label` says whose row it is."""
    good = np.isfinite(y) & np.isfinite(size) & (size > 0) & (y >= 0) & (y == np.round(y))
    if family == "binomial":
        good &= y <= size
    if not good.all():
        shown = "; ".join(
            f"{frame[label].iloc[i]}, row {frame.index[i]}: {y[i]:g} of {size[i]:g}" for i in np.flatnonzero(~good)[:5]
        )
        wanted = (
            "a whole number 0 <= numerator <= denominator" if family == "binomial" else "a whole count of 0 or more"
        )
        raise DataError(
            f"{(~good).sum()} of {len(y)} rows cannot be used ({shown}). Each needs {wanted} and a denominator above "
            "0. Check that the columns are not swapped, or drop these rows."
        )
    absent = frame[[label, *used]].isna() | frame[[label, *used]].isin([np.inf, -np.inf])
    missing = sorted(set(absent.columns[absent.any()]))
    if missing:
        raise DataError(f"values are missing in {', '.join(missing)}: drop these rows or complete them")


def refuse_separated(x: np.ndarray, y: np.ndarray, size: np.ndarray, names: list[str], *, family: str) -> None:
    """Stop where some combination of terms fits all rows at their bounds, so that its estimate runs off to infinity.

    Such a combination exists if a linear programme finds one that pushes rows without events down, rows with
    nothing else up, and does not move the rest.
    """
    from scipy.optimize import linprog

    side = np.where(y == 0, -1.0, np.where((y == size) & (family == "binomial"), 1.0, 0.0))
    if not side.any():
        return
    scaled = x / np.abs(x).max(axis=0)
    pushed = np.unique(side[:, None] * scaled, axis=0)
    held = np.unique(scaled[side == 0], axis=0)
    pushed = pushed[pushed.any(axis=1)]
    found = linprog(
        -pushed.sum(axis=0),
        A_ub=-pushed,
        b_ub=np.zeros(len(pushed)),
        A_eq=held if len(held) else None,
        b_eq=np.zeros(len(held)) if len(held) else None,
        bounds=(-1, 1),
    )
    if found.success and -found.fun > 1e-6:
        running = [name for name, move in zip(names, found.x, strict=True) if abs(move) > 1e-6]
        bound = "no event, or nothing but events," if family == "binomial" else "no event"
        raise DataError(
            f"no finite estimate exists: there is {bound} wherever {', '.join(running[:5])} "
            f"{'says' if len(running) == 1 else 'say'} so (separation). Show the counts, join categories or leave out "
            "such a term."
        )
