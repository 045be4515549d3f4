"""What the regression is given: the checked series, and one column for each term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError, bulleted
from qieval.methods.spc.layout import periods_of

FEWEST_EACH_SIDE = 3  # the rule of the Cochrane EPOC group
FEWEST_BEFORE_FOR_SLOPE = 6
FEWEST_FOR_SLOPE = 12
FEWEST_MONTHS_FOR_SEASONS = 24  # two full cycles
SHOWN = 5  # offending periods named in a message


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """One checked series in time order; gaps are periods without a row, or without a value."""

    labels: list[str]  # "2024-03", or the number, of each row
    times: np.ndarray  # whole periods since the first one
    values: np.ndarray  # the value, or numerator / denominator
    numerators: np.ndarray | None
    denominators: np.ndarray | None
    dates: bool  # months; otherwise whole numbers
    origin: int  # the first period: months since year 0, or the number itself
    step: int  # months, or units, from one period to the next

    def time_of(self, period: object) -> float:
        """How many periods after the first one this is; fractions fall between two."""
        return (_number(period, dates=self.dates) - self.origin) / self.step

    def period_at(self, time: int) -> object:
        """The period so many after the first: a timestamp or a number."""
        number = self.origin + time * self.step
        return pd.Timestamp(year=number // 12, month=number % 12 + 1, day=1) if self.dates else number

    def label_at(self, time: int) -> str:
        """The period so many after the first, as it is written in messages."""
        return f"{self.period_at(time):%Y-%m}" if self.dates else str(self.period_at(time))


@dataclass(frozen=True, eq=False, kw_only=True)
class Design:
    """The terms, and how to lay them out at any time."""

    start: int  # periods from the first to the one in which the change began
    after: int  # the first period counted as after: start + transition
    trend: bool
    slope_change: bool
    transition_term: bool
    harmonics: int
    events: tuple[int, ...]
    event_labels: tuple[str, ...]
    controlled: bool  # beside a comparison series: the segments are differences from it, and it has its own

    @property
    def terms(self) -> list[str]:
        """The names of the columns."""
        names = ["intercept", *["slope"] * self.trend, "level_change", *["slope_change"] * self.slope_change]
        names += ["transition"] * self.transition_term
        names += [f"comparison_{name}" for name in names] * self.controlled
        names += [f"{wave}{k}" for k in range(1, self.harmonics + 1) for wave in ("sin", "cos")]
        return names + [f"event_{label}" for label in self.event_labels]

    def uses(self, times: np.ndarray) -> np.ndarray:
        """Which of these times are fitted: all but those of a transition that is left out."""
        return (times < self.start) | (times >= self.after) | self.transition_term

    def columns(
        self, times: np.ndarray, series: Series, *, changed: bool = True, is_comparison: bool = False
    ) -> np.ndarray:
        """The design (n, p) at these times; `changed=False` as if nothing had happened at the start.

        In a controlled design what happened in the comparison goes on happening without the change.
        """
        columns = self._segments(times, changed=changed)
        if self.controlled:
            # Of the comparison's own rows the differences from it are nothing.
            columns = [column * float(not is_comparison) for column in columns] + self._segments(times, changed=True)
        # January is month 1, so that the coefficients can be compared with those of other programs.
        months = (series.origin + times * series.step) % 12 + 1
        for k in range(1, self.harmonics + 1):
            columns += [np.sin(2 * np.pi * k * months / 12), np.cos(2 * np.pi * k * months / 12)]
        columns += [(times >= event).astype(float) for event in self.events]
        return np.column_stack(columns)

    def _segments(self, times: np.ndarray, *, changed: bool) -> list[np.ndarray]:
        """`level_change` is the change at the first period after: there the slope change is still 0."""
        is_after = (times >= self.after) * float(changed)
        columns: list[np.ndarray] = [np.ones(len(times))]
        if self.trend:
            columns.append(times.astype(float))
        columns.append(is_after)
        if self.slope_change:
            columns.append(is_after * (times - self.after))
        if self.transition_term:
            columns.append(((times >= self.start) & (times < self.after)) * float(changed))
        return columns


def read_series(
    frame: pd.DataFrame, *, period: str, value: str | None, numerator: str | None, denominator: str | None, family: str
) -> Series:
    """The series of one frame, checked; see `qieval.methods.its.fit` for what is refused."""
    _check_columns(frame, [period, value, numerator, denominator])
    rows = frame.dropna(subset=[period])
    if len(rows) < len(frame):
        raise DataError(f"{len(frame) - len(rows)} of {len(frame)} rows have no '{period}': date them, or drop them")
    numbers, dates = _periods(rows, period)
    order = np.argsort(numbers, kind="stable")
    rows, numbers = rows.iloc[order], numbers[order]
    labels = [f"{int(one) // 12}-{int(one) % 12 + 1:02}" if dates else f"{one:g}" for one in numbers]

    def column(name: str | None) -> np.ndarray | None:
        return None if name is None else _figures(rows[name], labels)

    values, tops, bottoms = column(value), column(numerator), column(denominator)
    problems = _number_problems(numbers, labels)
    if values is None:
        assert tops is not None
        if bottoms is None:
            bottoms = np.ones(len(tops))
        problems += _count_problems(tops, bottoms, labels, family)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = tops / bottoms
    elif np.isinf(values).any():
        problems.append(f"infinite values: {_some(labels, np.isinf(values))}")
    if problems:
        raise DataError(bulleted("this series cannot be used", problems))
    known = np.isfinite(values)
    if not known.any():
        raise DataError("this series has no values: every period is missing or has nobody eligible")
    numbers, at = numbers[known].astype(int), np.flatnonzero(known)
    step = int(np.gcd.reduce(np.diff(numbers))) if known.sum() > 1 else 1
    return Series(
        labels=[labels[i] for i in at],
        times=(numbers - numbers[0]) // step,
        values=values[known],
        numerators=None if tops is None else tops[known],
        denominators=None if bottoms is None else bottoms[known],
        dates=dates,
        origin=int(numbers[0]),
        step=step,
    )


def read_pair(frame: pd.DataFrame, comparison: str, **columns: Any) -> tuple[Series, Series]:
    """The series and its comparison as `read_series` reads them, on one count of time from the first of either."""
    if comparison not in frame.columns:
        raise ParameterError(f"comparison '{comparison}' is not a column")
    marks = frame[comparison]
    if marks.isna().any() or set(marks) != {True, False}:
        raise DataError(f"column '{comparison}' must be true for the rows of the comparison and false for the others")
    pair = [read_series(frame[marks.astype(bool) == mark], **columns) for mark in (False, True)]
    origin = min(one.origin for one in pair)
    step = int(np.gcd.reduce([*(one.step for one in pair), *(one.origin - origin for one in pair)]))
    own, other = (
        replace(one, times=(one.times * one.step + one.origin - origin) // step, origin=origin, step=step)
        for one in pair
    )
    return own, other


def lay_out(
    series: Series,
    comparison: Series | None,
    *,
    start: object,
    transition: int,
    transition_term: bool,
    seasonality: bool | None,
    harmonics: int,
    events: Sequence[object],
    slope: bool,
) -> Design:
    """The terms this series can bear; raises where it bears none."""
    first_after = int(np.ceil(series.time_of(start)))
    after = first_after + transition
    named = {"": series} if comparison is None else {"": series, " in the comparison": comparison}
    sizes = {
        name: (int((one.times < first_after).sum()), int((one.times >= after).sum())) for name, one in named.items()
    }
    problems = [
        f"{n} periods with a value {side} the start{name}, and at least {FEWEST_EACH_SIDE} are needed: show the run "
        "chart and the counts instead"
        for name, size in sizes.items()
        for n, side in zip(size, ("before", "after"), strict=True)
        if n < FEWEST_EACH_SIDE
    ]
    times = [int(np.ceil(series.time_of(event))) for event in events]
    for event, time in zip(events, times, strict=True):
        if time <= series.times[0] or time > series.times[-1]:
            problems.append(f"the event {_label(event)} is not between two periods of the series: leave it out")
        elif time in (first_after, after):
            problems.append(f"the event {_label(event)} falls on the start: the two cannot be told apart")
    if transition_term and not ((series.times >= first_after) & (series.times < after)).any():
        problems.append("no period with a value lies in the transition: leave its term out")
    if problems:
        raise DataError(bulleted("an interrupted time series cannot be fitted", problems))
    # Without enough baseline its trend is not known, so neither is a change of it.
    long_enough = all(
        before >= FEWEST_BEFORE_FOR_SLOPE and before + later >= FEWEST_FOR_SLOPE for before, later in sizes.values()
    )
    return Design(
        start=first_after,
        after=after,
        trend=long_enough,
        slope_change=long_enough and slope,
        transition_term=transition_term,
        harmonics=harmonics if seasonality and bears_seasons(series) else 0,
        events=tuple(times),
        event_labels=tuple(_label(event) for event in events),
        controlled=comparison is not None,
    )


def bears_seasons(series: Series) -> bool:
    """Whether there are two full years of months, so that a season can be told from change."""
    return series.dates and int(series.times[-1] - series.times[0] + 1) * series.step >= FEWEST_MONTHS_FOR_SEASONS


def _check_columns(frame: pd.DataFrame, names: list[str | None]) -> None:
    _, value, numerator, denominator = names
    problems = [f"'{name}' is not a column" for name in names if name is not None and name not in frame.columns]
    if (value is None) == (numerator is None):
        problems.append("give either value or numerator (with its denominator)")
    if denominator is not None and numerator is None:
        problems.append("a denominator needs a numerator")
    if problems:
        raise ParameterError(bulleted("the series", problems))


def _periods(rows: pd.DataFrame, period: str) -> tuple[np.ndarray, bool]:
    """The period of every row as a number, and whether it stands for a month: of dates the months since year 0."""
    # What a column holds counts, not how: years kept as objects are numbers, categories what they are called.
    plain = rows.assign(**{period: rows[period].astype(object).infer_objects()})
    found = periods_of(plain, period) if len(plain) else np.array([], dtype="timedelta64[ns]")
    if np.issubdtype(found.dtype, np.timedelta64):
        raise DataError(f"column '{period}' has no periods that are dates or whole numbers. Write dates as 2024-03-01")
    if np.issubdtype(found.dtype, np.datetime64):
        stamps = pd.DatetimeIndex(found)
        return (stamps.year * 12 + stamps.month - 1).to_numpy(dtype=float), True
    return found.astype(float), False


def _figures(column: pd.Series, labels: list[str]) -> np.ndarray:
    """A column as floating point numbers, a gap where it has none; raises where it holds anything else."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan)
    is_time = pd.api.types.is_datetime64_any_dtype(column) or column.dtype.kind == "m"
    wrong = np.array([is_time or not _is_number(one) for one in column])
    if wrong.any():
        shown = [f"{labels[i]}: {column.iloc[i]!s}" for i in np.flatnonzero(wrong)]
        raise DataError(
            f"{wrong.sum()} of {len(column)} periods have no number in '{column.name}' ({_some(shown)}): mend them, or "
            "leave them empty"
        )
    return column.astype(object).where(column.notna(), np.nan).to_numpy(dtype=float)


def _is_number(value: Any) -> bool:
    if pd.isna(value):
        return True
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _number_problems(numbers: np.ndarray, labels: list[str]) -> list[str]:
    problems = []
    if (numbers % 1 != 0).any():
        problems.append(f"periods that are not whole numbers: {_some(labels, numbers % 1 != 0)}")
    repeated = np.isin(numbers, numbers[1:][np.diff(numbers) == 0])
    if repeated.any():
        problems.append(f"more than one row for {_some(list(dict.fromkeys(np.array(labels)[repeated])))}: add them up")
    return problems


def _count_problems(tops: np.ndarray, bottoms: np.ndarray, labels: list[str], family: str) -> list[str]:
    # Nobody eligible is a gap; somebody done where nobody was eligible is a mistake.
    wrong = (tops < 0) | (bottoms < 0) | ((bottoms == 0) & (tops > 0)) | np.isinf(tops) | np.isinf(bottoms)
    rule = "0 <= numerator and a denominator above 0"
    if family == "binomial":
        wrong |= tops > bottoms
        rule = "0 <= numerator <= denominator and a denominator above 0"
    if not wrong.any():
        return []
    shown = [f"{labels[i]}: {tops[i]:g} of {bottoms[i]:g}" for i in np.flatnonzero(wrong)]
    return [
        f"{wrong.sum()} of {len(tops)} periods are impossible ({_some(shown)}). Each needs {rule}: columns swapped?"
    ]


def _some(labels: list[str], wrong: np.ndarray | None = None) -> str:
    chosen = labels if wrong is None else [labels[i] for i in np.flatnonzero(wrong)]
    return ", ".join(chosen[:SHOWN]) + (f" and {len(chosen) - SHOWN} more" if len(chosen) > SHOWN else "")


def _number(period: object, *, dates: bool) -> float:
    if not dates:
        try:
            number = float(period)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            number = np.nan
        if not np.isfinite(number):
            raise ParameterError(f"{period!r} is not a number, as the periods of this series are")
        return number
    try:
        stamp = pd.Timestamp(str(period))
    except ValueError:
        stamp = pd.NaT
    if stamp is pd.NaT:
        raise ParameterError(f"{period!r} is not a date such as 2024-03 or 2024-03-01")
    return stamp.year * 12 + stamp.month - 1


def _label(period: object) -> str:
    # What reads as a year and month is named so; a plain number stays as it is.
    return str(period)[:7] if isinstance(period, pd.Timestamp) or "-" in str(period) else str(period)
