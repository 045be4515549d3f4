"""Where phases begin, which periods limits come from, and which periods do not count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError
from qieval.methods.spc.layout import Layout, examples
from qieval.methods.spc.prepare import BIT

Where: TypeAlias = Sequence[Any] | np.ndarray | str | int | pd.Timestamp | None  # dates, or positions from 0


def phase_numbers(layout: Layout, phases: Where, labels: np.ndarray | None) -> np.ndarray:
    """The phase of each row, counted from 1 in each series; by date a phase has the same number in every series.

    `labels` are the values of the column of phases, if `phases` names one.
    """
    if labels is not None:
        return _by_column(layout, labels)
    if phases is None:
        return np.ones(len(layout.codes), dtype=np.int16)
    dates, positions = _dates_or_positions("phases", phases, layout.period)
    if positions is not None:
        own = layout.positions()
        _check_reached("phases", positions, own, lowest=1)
        return 1 + np.searchsorted(np.unique(positions), own, side="right").astype(np.int16)
    assert dates is not None
    first, last = layout.period.min(), layout.period.max()
    beyond = [day for day in dates if not first < day <= last]
    if beyond:
        raise ParameterError(
            f"phases: {examples([_shown(day) for day in beyond])} does not lie within the data "
            f"({_shown(first)} to {_shown(last)}), so no phase could begin there."
        )
    return 1 + np.searchsorted(np.unique(dates), layout.period, side="right").astype(np.int16)


def _by_column(layout: Layout, labels: np.ndarray) -> np.ndarray:
    codes, names = pd.factorize(labels)
    if (codes < 0).any():
        raise DataError(
            f"phases: {int((codes < 0).sum())} of {len(codes)} periods have no phase. Give each its phase, also months "
            "without a value."
        )
    new_series = np.diff(layout.codes, prepend=-1) != 0
    begins = new_series | (np.diff(codes, prepend=-1) != 0)
    pairs = pd.DataFrame({"series": layout.codes[begins], "phase": codes[begins]})
    twice = pairs[pairs.duplicated()]
    if len(twice):
        raise DataError(
            f"phases: {examples([str(names[code]) for code in twice['phase'].unique()])} begins more than once in a "
            "series. Give each stretch of time a name of its own."
        )
    count = np.cumsum(begins)
    return (count - count[layout.starts()][layout.codes] + 1).astype(np.int16)


def is_number(baseline: Any) -> TypeGuard[int]:
    """Whether a baseline is given as a number of periods."""
    return isinstance(baseline, (int, np.integer)) and not isinstance(baseline, bool)


def in_baseline(layout: Layout, phase: np.ndarray, baseline: Any, mask: np.ndarray | None) -> np.ndarray:
    """Which rows the limits come from: the first of each phase, or all up to a date in the phase it lies in."""
    if mask is not None:
        return mask
    if baseline is None:
        return np.ones(len(phase), dtype=bool)
    begins = np.flatnonzero((np.diff(layout.codes, prepend=-1) != 0) | (np.diff(phase, prepend=0) != 0))
    lengths = np.diff(begins, append=len(phase))
    if is_number(baseline):
        if baseline < 2:
            raise ParameterError(f"baseline: {baseline} periods cannot show how much values vary. Give 2 or more.")
        if baseline > lengths.max():
            raise ParameterError(
                f"baseline: no series, nor phase of one, has {baseline} periods; the longest has {lengths.max()}. Give "
                "fewer, or leave the baseline out to use all."
            )
        return np.arange(len(phase)) - np.repeat(begins, lengths) < baseline
    dates, _ = _dates_or_positions("baseline", [baseline], layout.period)
    if dates is None:
        raise ParameterError(f"baseline: {baseline!r} is neither a number of periods nor a date.")
    last_day = dates[0]
    if np.isnat(last_day):
        raise ParameterError("baseline: the date is missing.")
    if last_day < layout.period.min():
        raise ParameterError(
            f"baseline: {_shown(last_day)} lies before the first period, {_shown(layout.period.min())}, so no period "
            "would be in the baseline."
        )
    # In place, as other warnings of a series are kept: a series without a period up to the date has no such baseline.
    layout.warnings[layout.period[layout.starts()] > last_day] |= BIT["begins after the baseline"]
    if last_day > layout.period.max():
        raise ParameterError(
            f"baseline: {_shown(last_day)} lies after the last period, {_shown(layout.period.max())}. Give an earlier "
            "date, or leave the baseline out to use all."
        )
    ends = layout.period[np.append(begins[1:], len(phase)) - 1]
    # A phase that begins after the date, or ended before it, has no baseline of its own: all of it counts.
    frozen = np.repeat((layout.period[begins] <= last_day) & (ends > last_day), lengths)
    return ~frozen | (layout.period <= last_day)


def excluded(layout: Layout, exclude: Where, mask: np.ndarray | None) -> np.ndarray:
    """Which rows do not count, in limits and rules; they are drawn all the same."""
    if mask is not None:
        return mask
    if exclude is None:
        return np.zeros(len(layout.codes), dtype=bool)
    dates, positions = _dates_or_positions("exclude", exclude, layout.period)
    if positions is not None:
        own = layout.positions()
        _check_reached("exclude", positions, own, lowest=0)
        return np.isin(own, positions)
    assert dates is not None
    absent = dates[~np.isin(dates, layout.period)]
    if len(absent):
        raise ParameterError(
            f"exclude: {examples([_shown(day) for day in absent])} is no period of the data. Give periods as they "
            "stand in the data."
        )
    return np.isin(layout.period, dates)


def _dates_or_positions(argument: str, given: Where, period: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """What was given as dates, or as positions from 0; one of the two is None."""
    single = isinstance(given, str) or not hasattr(given, "__len__") or np.ndim(given) == 0  # type: ignore[arg-type]
    items: list[Any] = [given] if single else list(given)  # type: ignore[arg-type]
    items = [item.to_timestamp() if isinstance(item, pd.Period) else item for item in items]
    if not items:
        raise ParameterError(f"{argument}: an empty list says nothing. Leave the argument out instead.")
    whole = [isinstance(item, (int, np.integer)) and not isinstance(item, (bool, np.bool_)) for item in items]
    if all(whole):
        return None, np.array(items, dtype=np.int64)
    are_dates = all(isinstance(item, (str, dt.date, np.datetime64)) for item in items)
    if not are_dates or not np.issubdtype(period.dtype, np.datetime64):
        raise ParameterError(
            f"{argument}: {examples(items)} are not dates, or not positions, throughout. Give dates where periods are "
            "dates, or positions counted from 0."
        )
    if any(getattr(item, "tzinfo", None) is not None for item in items):
        raise ParameterError(f"{argument}: {examples(items)} has a time zone, the periods have none. Give plain dates.")
    try:
        return pd.to_datetime(pd.Series(items)).to_numpy(dtype="datetime64[ns]"), None
    except (ValueError, TypeError):
        raise ParameterError(f"{argument}: {examples(items)} is neither a column of the data nor a date.") from None


def _check_reached(argument: str, positions: np.ndarray, own: np.ndarray, *, lowest: int) -> None:
    beyond = positions[(positions < lowest) | (positions > own.max())]
    if len(beyond):
        raise ParameterError(
            f"{argument}: position {examples(beyond)} is not within {lowest} to {own.max()}, the last period of the "
            "longest series. Positions count periods from 0."
        )


def _shown(day: Any) -> str:
    return str(pd.Timestamp(day).date()) if isinstance(day, np.datetime64) else str(day)
