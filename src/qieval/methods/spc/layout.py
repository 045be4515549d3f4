"""From a long frame to series in time order, and to matrices of series of equal length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from qieval.errors import DataError

BLOCK = 16_384  # series calculated together: their matrices stay in the processor's cache


@dataclass(frozen=True, eq=False, kw_only=True)
class Layout:
    """Rows in the order of their series and of time. `columns` holds arrays of one value a row."""

    keys: pd.DataFrame  # one row per series: the values of `by`, in order of appearance
    codes: np.ndarray  # which series a row belongs to
    period: np.ndarray
    columns: dict[str, np.ndarray]
    warnings: np.ndarray  # of each series, bits of `WARNINGS`

    def starts(self) -> np.ndarray:
        """The first row of each series."""
        return np.flatnonzero(np.diff(self.codes, prepend=-1))

    def positions(self) -> np.ndarray:
        """How many periods of its own series come before each row."""
        starts = self.starts()
        return np.arange(len(self.codes)) - np.repeat(starts, np.diff(starts, append=len(self.codes)))


def periods_of(data: pd.DataFrame, period: str) -> np.ndarray:
    """The time of every row, as dates or numbers.

    Raises
    ------
    DataError
        If a period is missing, or text that is no date.
    """
    column = data[period]
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
        dates = pd.to_datetime(column, errors="coerce", format="ISO8601")
        bad = dates.isna()
        if bad.any():
            raise DataError(
                f"{of_rows(bad, data)} '{period}' is no date ({examples(column[bad])}). Write dates as 2024-03-01, or "
                "give numbers."
            )
        column = dates
    if column.isna().any():
        raise DataError(f"{of_rows(column.isna(), data)} '{period}' is missing. Every row needs its period.")
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        raise DataError(f"'{period}' has a time zone, and which month a time lies in depends on it. Give plain dates.")
    values = column.to_numpy()
    if np.issubdtype(values.dtype, np.datetime64):
        return values.astype("datetime64[ns]", copy=False)
    if not np.issubdtype(values.dtype, np.number) or np.isinf(values).any():
        raise DataError(f"'{period}' is not a date or a finite number throughout. Write dates as 2024-03-01.")
    return values


def arrange(data: pd.DataFrame, period: np.ndarray, by: Sequence[str], columns: dict[str, np.ndarray]) -> Layout:
    """Put rows in the order of their series and of time; rows of one period stay in the order given."""
    codes, keys = _series_of(data, by)
    next_series = np.diff(codes)
    is_ordered = (next_series > 0) | ((next_series == 0) & (period[1:] >= period[:-1]))
    if not is_ordered.all():
        order = _in_order(codes, period, len(keys))
        codes, period = codes[order], period[order]
        columns = {name: values[order] for name, values in columns.items()}
    warnings = np.zeros(len(keys), dtype=np.int16)
    return Layout(keys=keys, codes=codes, period=period, columns=columns, warnings=warnings)


def _in_order(codes: np.ndarray, period: np.ndarray, n_series: int) -> np.ndarray:
    """The rows by series and time, those of one period as they came.

    Where few places of the table of series by periods are empty, and none is taken twice, every row goes straight to
    its place: much quicker than to sort.
    """
    ranks, periods = pd.factorize(period, sort=True)
    if n_series * len(periods) <= 4 * len(codes):
        kind: Any = np.int32 if len(codes) < 2**31 else np.int64
        rows = np.full(n_series * len(periods), -1, dtype=kind)
        rows[codes * np.int64(len(periods)) + ranks] = np.arange(len(codes))
        rows = rows[rows >= 0]
        if len(rows) == len(codes):
            return rows
    return np.lexsort((ranks, codes))


def _series_of(data: pd.DataFrame, by: Sequence[str]) -> tuple[np.ndarray, pd.DataFrame]:
    """Which series each row belongs to, and what each is called."""
    if not by:
        return np.zeros(len(data), dtype=np.int32), pd.DataFrame(index=range(min(len(data), 1)))
    for name in by:
        if data[name].isna().any():
            raise DataError(f"{of_rows(data[name].isna(), data)} '{name}' is missing. Every row needs its series.")
    if len(by) == 1:
        column = data[by[0]]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes, names = column.cat.codes.to_numpy(), column.cat.categories
            used = np.zeros(len(names), dtype=bool)
            used[codes] = True
            if not used.all():  # categories without a row
                codes, names = (np.cumsum(used) - 1)[codes], names[used]
            return codes.astype(np.int32, copy=False), pd.DataFrame(
                {by[0]: pd.Categorical.from_codes(np.flatnonzero(used), dtype=column.dtype)}
            )
        codes, names = pd.factorize(column)
        return codes.astype(np.int32), pd.DataFrame({by[0]: names})
    grouped = data.groupby(list(by), sort=False, observed=True)
    codes = grouped.ngroup().to_numpy().astype(np.int32)
    first = np.unique(codes, return_index=True)[1]
    return codes, data[list(by)].iloc[first].reset_index(drop=True)


def with_gaps(layout: Layout) -> Layout:
    """Put in the months, quarters or weeks that have no row, as gaps.

    A series' step is the largest that leads to each of its periods: so many months where all data lie on the same
    day of a month, or on its last, and else so many weeks. Other dates, and numbers, stay as they are.
    """
    steps = _whole_steps(layout)
    if steps is None or len(layout.period) < 2:
        return layout
    within = np.append(layout.codes[1:] == layout.codes[:-1], False)
    ahead = np.where(within, np.append(np.diff(steps.number), 0), 0)
    step_of = np.gcd.reduceat(ahead, layout.starts())
    step_of = np.where(steps.in_months | (step_of % 7 == 0), step_of, 0)
    step = step_of[layout.codes]
    missing = np.where(step > 0, ahead // np.maximum(step, 1) - 1, 0).clip(min=0)
    if not missing.any():
        return layout
    copies = missing + 1  # every row, and the gaps after it
    source = np.repeat(np.arange(len(copies)), copies)
    after = np.arange(len(source)) - np.repeat(np.cumsum(copies) - copies, copies)
    is_gap = after > 0
    columns = {}
    for name, values in layout.columns.items():
        longer = values[source]
        if name not in ("phase", "base"):  # a gap lies in the phase, and the baseline, of the row before it
            longer[is_gap] = False if values.dtype == bool else np.nan
        columns[name] = longer
    period = layout.period[source]
    period[is_gap] = steps.date(steps.number[source] + after * step[source], source)[is_gap]
    return replace(layout, codes=layout.codes[source], period=period, columns=columns)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Steps:
    """Dates as whole numbers of months or days, and back."""

    number: np.ndarray  # of each row: months in a monthly series, days in any other
    in_months: np.ndarray  # of each series
    date: Callable[[np.ndarray, np.ndarray], np.ndarray]  # from numbers and the rows whose day of the month they share


def _whole_steps(layout: Layout) -> _Steps | None:
    """Dates as months in a series that lies on one day of the month, or on its last, else as days; None for numbers."""
    period = layout.period
    if not np.issubdtype(period.dtype, np.datetime64):
        return None
    first, last = period.min(), period.max()
    day = np.timedelta64(1, "D").astype("timedelta64[ns]").astype(np.int64)
    since, rest = np.divmod(period.view(np.int64) - first.view(np.int64), day)
    if rest.any() or (last - first) > np.timedelta64(366 * 200, "D"):
        return None
    # A table of all days between the first and the last: far quicker than a calendar calculation for every row.
    days = np.arange(first.astype("datetime64[D]"), last.astype("datetime64[D]") + 1)
    months = days.astype("datetime64[M]")
    day_of_month = (days - months.astype("datetime64[D]")).astype(np.int64)[since]
    is_last = ((days + 1).astype("datetime64[M]") > months)[since]
    starts = layout.starts()
    on_last = np.logical_and.reduceat(is_last, starts)
    on_one_day = np.minimum.reduceat(day_of_month, starts) == np.maximum.reduceat(day_of_month, starts)
    in_months = on_last | on_one_day
    monthly, at_end = in_months[layout.codes], (on_last & ~on_one_day)[layout.codes]
    number = np.where(monthly, (months - months[0]).astype(np.int64)[since], since)

    def date(numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
        in_month = months[0] + numbers
        of_month = np.where(
            at_end[rows],
            (in_month + 1).astype("datetime64[D]") - 1,
            in_month.astype("datetime64[D]") + day_of_month[rows],
        )
        return np.where(monthly[rows], of_month, days[0] + numbers)

    return _Steps(number=number, in_months=in_months, date=date)


def blocks(starts: np.ndarray, n_rows: int) -> Iterator[tuple[np.ndarray, slice | np.ndarray]]:
    """Groups of equal length, some thousands at a time: which groups, and their rows.

    Rows are a slice where the groups follow each other without a break (then a matrix is a view of its column), or
    else a matrix of row numbers.
    """
    lengths = np.diff(starts, append=n_rows)
    if len(lengths) and (lengths == lengths[0]).all():
        for first in range(0, len(starts), BLOCK):
            last = min(first + BLOCK, len(starts))
            yield np.arange(first, last), slice(starts[first], starts[last] if last < len(starts) else n_rows)
        return
    in_order = np.argsort(lengths, kind="stable")
    ends = np.flatnonzero(np.diff(lengths[in_order], append=-1)) + 1
    for first, last in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        length = int(lengths[in_order[first]])
        for at in range(first, last, BLOCK):
            groups = in_order[at : min(at + BLOCK, last)]
            yield groups, starts[groups][:, np.newaxis] + np.arange(length)


def matrix(column: np.ndarray, groups: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
    """The rows of some groups as a matrix, a group a row."""
    if isinstance(rows, slice):
        return column[rows].reshape(len(groups), -1)
    return sliding_window_view(column, rows.shape[1])[rows[:, 0]]  # a group at a time, not a number at a time


def of_rows(bad: np.ndarray | pd.Series, data: pd.DataFrame) -> str:
    """'3 of 24 rows:' for messages."""
    n = int(np.sum(bad))
    return f"{n:,} of {len(data):,} rows:"


def examples(values: pd.Series | np.ndarray, most: int = 3) -> str:
    """A few of the values, for messages."""
    shown = [repr(value) if isinstance(value, str) else str(value) for value in list(values)[:most]]
    return ", ".join(shown) + (", ..." if len(values) > most else "")
