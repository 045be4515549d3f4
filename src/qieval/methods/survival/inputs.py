"""What durations and their companions must look like: checked once, at the door of every survival method.

A wrong code is not refused by the arithmetic: "no" as text is true, a missing end is true, and R's 1 for censored is
true, too. Each would give a plausible curve of other data.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qieval.errors import DataError

_MOST_SHOWN = 3
_MOST_LABELS = 6


def checked_durations(durations: ArrayLike) -> np.ndarray:
    """Lengths of time as float.

    Raises
    ------
    DataError
        If there is none, or one is missing, negative, infinite or no number.
    """
    given = _column(durations, "durations")
    if not len(given):
        raise DataError("there is no duration: give at least one")
    numbers = np.array([_number(value) for value in given])
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        raise DataError(
            f"{_counted(wrong)} durations {_are(wrong)} no finite number of 0 or more ({_shown(given, wrong)}): every "
            "duration must be 0 or more, a plain number of days or months; correct its dates or leave the row out"
        )
    return numbers


def checked_ends(durations: ArrayLike, observed: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Durations as float, and as bool whether each ended.

    Parameters
    ----------
    observed : array
        True or False, 1 or 0, of any type that holds them.

    Raises
    ------
    DataError
        If durations are not as they should be, there is not one end for each, or one is something else.
    """
    times, given = checked_durations(durations), _column(observed, "ends")
    _one_each(len(times), len(given), "ends")
    wrong = np.array([not (isinstance(value, Real | np.bool_) and value in (0, 1)) for value in given])
    if wrong.any():
        raise DataError(
            f"{_counted(wrong)} ends {_are(wrong)} neither True or False nor 1 or 0 ({_shown(given, wrong)}): give "
            "True or 1 where it ended and False or 0 where it was still open, such as status == 2 for R's 1 and 2"
        )
    return times, given.astype(bool)


def checked_groups(groups: ArrayLike, n: int) -> np.ndarray:
    """The group of each of `n` durations; two or more different ones.

    Raises
    ------
    DataError
        If there is not one group for each duration, one is missing, or all are the same.
    """
    given = _column(groups, "groups")
    _one_each(n, len(given), "groups")
    missing = np.asarray(pd.isna(given))
    if missing.any():
        raise DataError(
            f"{_counted(missing)} groups {_are(missing)} missing ({_shown(given, missing)}): name them, or leave "
            "these rows out of the comparison"
        )
    if len(pd.unique(given)) < 2:
        raise DataError("comparing groups needs at least two of them")
    return given


def checked_outcomes(
    durations: ArrayLike, outcome: ArrayLike, *, cause: Any, still_open: frozenset[object]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Durations as float, and as bool whether each ended at all, and by `cause`.

    Texts are compared without regard to capitals and to blanks around them. Missing counts as still open.

    Raises
    ------
    DataError
        If durations are not as they should be, there is not one outcome for each, or `cause` is no way to end: it
        means still open, or is text where outcomes are numbers, or a number where they are texts.
    """
    times, given = checked_durations(durations), _column(outcome, "outcomes")
    _one_each(len(times), len(given), "outcomes")
    wanted, missing = _label(cause), np.asarray(pd.isna(given))
    labels = [None if is_missing else _label(value) for value, is_missing in zip(given, missing, strict=True)]
    ended = np.array([label is not None and label not in still_open for label in labels])
    found = list(dict.fromkeys(given[ended]))
    if wanted is None or wanted in still_open:
        raise DataError(f"the cause {cause!r} means still open, which is no way to end: give {_one_of(found)}")
    of_cause = ended & np.array([label == wanted for label in labels])
    if found and not any(isinstance(label, str) == isinstance(wanted, str) for label in found):
        raise DataError(
            f"the cause {cause!r} is a {_kind(wanted)} and the outcomes are {_kind(found[0])}s: give {_one_of(found)}"
        )
    return times, ended, of_cause


def checked_horizon(horizon: float) -> float:
    """The time up to which to average.

    Raises
    ------
    DataError
        If it is not a finite number above 0.
    """
    number = _number(horizon)
    if not (np.isfinite(number) and number > 0):
        shown = f"{number:g} is not above 0" if number <= 0 else f"{horizon!r} is no finite number"
        raise DataError(f"the horizon {shown} -> give the time up to which to average")
    return number


def _column(values: ArrayLike, what: str) -> np.ndarray:
    # As objects: numpy would make the texts "nan" and "0" of what is missing, or a number, among texts.
    given = np.asarray(values, dtype=object)
    if isinstance(values, np.ndarray) and values.dtype.kind in "mM":
        given = pd.Series(values).to_numpy(dtype=object)  # numpy would make bare nanoseconds of them
    if given.ndim != 1:
        raise DataError(f"{what} must be one value per row: give a list, an array or a column")
    return given


def _number(value: object) -> float:
    """As float; missing where it is none, as is a length of calendar time, whose unit nobody told."""
    try:
        return float(value) if not isinstance(value, complex) else np.nan  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return np.nan


def _label(value: Any) -> Any:
    """What an outcome is compared by."""
    return " ".join(value.split()).casefold() if isinstance(value, str) else None if pd.isna(value) else value


def _kind(label: object) -> str:
    return "text" if isinstance(label, str) else "number"


def _one_of(found: list[object]) -> str:
    labels = sorted(repr(_plain(label)) for label in found)
    more = ", ..." if len(labels) > _MOST_LABELS else ""
    return f"one of {', '.join(labels[:_MOST_LABELS])}{more}" if labels else "a way to end"


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _one_each(n: int, given: int, what: str) -> None:
    if n != given:
        raise DataError(f"the columns differ in length (durations {n}, {what} {given}): give one of each per row")


def _counted(wrong: np.ndarray) -> str:
    return f"{wrong.sum()} of {len(wrong)}"


def _are(wrong: np.ndarray) -> str:
    return "is" if wrong.sum() == 1 else "are"


def _shown(given: np.ndarray, wrong: np.ndarray) -> str:
    """The first few that are wrong, by their place from 1."""
    places = np.flatnonzero(wrong)
    texts = [
        f"row {place + 1}: {'missing' if pd.isna(given[place]) else repr(_plain(given[place]))}"
        for place in places[:_MOST_SHOWN]
    ]
    return "; ".join([*texts, "..."] if len(places) > _MOST_SHOWN else texts)
