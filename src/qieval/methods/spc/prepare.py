"""What goes into a chart: arguments and numbers checked, one row per period, or subgroups made of rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError
from qieval.methods.spc.layout import Layout, examples, of_rows
from qieval.methods.spc.limits import D2, Kind

FEW_POINTS = 12  # limits from fewer points move a good deal when the next point comes (Provost and Murray 2022)
FEW_USEFUL = 10  # with fewer the runs rules hardly ever signal, whatever happened (Anhoej 2014)

# What `.series` may warn of; each is a bit, joined into one text per series.
WARNINGS = {
    "no value in the baseline": "no value lies in the baseline: there is neither a centre line nor a limit",
    "one point": "a single point shows no variation: no limits",
    "few points in the baseline": f"centre and limits rest on fewer than {FEW_POINTS} points and are uncertain",
    "baseline shorter than asked": "the series, or phase, is shorter than its baseline: all of it was used",
    "nothing to compare in the baseline": "no two values in the baseline can be compared: no limits",
    "begins after the baseline": "the series begins after the date its baseline should end: all of it was used",
    "no variation in the baseline": "all values in the baseline are equal: no limits",
    "few useful points": f"fewer than {FEW_USEFUL} points off the centre line: runs can hardly signal",
    "screening left nothing": "all moving ranges but zeros were above their limit, so none was left out",
    "rows summed": "several rows of one period were added up",
    "incomplete rows left out": "rows with a missing half were left out of the sum of their period",
    "rows averaged": "several rows of one period were averaged",
}
BIT = {name: 1 << position for position, name in enumerate(WARNINGS)}


def check_columns(
    data: pd.DataFrame, period: str, by: tuple[str, ...], named: Mapping[str, str | None], taken: Collection[str]
) -> None:
    """Raise for columns that are not there, stand there twice, or would be mistaken for one of the result."""
    import difflib

    if not isinstance(data, pd.DataFrame):
        raise ParameterError(f"data: give a DataFrame, not {type(data).__name__}.")
    problems = []
    columns = [str(column) for column in data.columns]
    for argument, name in {"period": period, **named, **{f"by: {name}": name for name in by}}.items():
        if name is None:
            continue
        if name not in data.columns:
            near = difflib.get_close_matches(str(name), columns, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" It has {examples(columns, 8)}."
            problems.append(f"{argument}: the data have no column {name!r}.{hint}")
        elif (data.columns == name).sum() > 1:
            problems.append(f"{argument}: the data have several columns {name!r}; rename all but one.")
    clashes = [repr(name) for name in (period, *by) if name in taken]
    if clashes:
        problems.append(f"{', '.join(clashes)} is also the name of a column of the result: rename it in the data.")
    if len(set(by)) < len(by) or period in by:
        problems.append("by: every column may be named once, and the period is none of them.")
    if problems:
        raise ParameterError(" ".join(problems))


def check_arguments(
    what: Kind, kind: str, value: str | None, numerator: str | None, denominator: str | None, *,
    screen: bool, gaps: str, within: str, d2: float, narrow: bool, per: float,
) -> None:  # fmt: skip
    problems = []
    if value is not None and (numerator is not None or denominator is not None):
        problems.append("Give a value, or a numerator with its denominator, not both.")
    elif value is None and numerator is None:
        problems.append("Give the column to chart: value, or numerator and denominator.")
    elif what.needs in ("proportion", "rate") and (numerator is None or denominator is None):
        problems.append(f"A chart of kind {kind} needs numerator and denominator.")
    elif what.needs in ("count", "subgroup") and denominator is not None:
        problems.append(f"A chart of kind {kind} has no denominator; leave it out, or choose p, u or i.")
    if what.needs == "subgroup" and value is None:
        problems.append(f"A chart of kind {kind} needs value, one row per member of a subgroup.")
    if denominator is not None and numerator is None and value is None:
        problems.append("A denominator needs its numerator.")
    if not isinstance(screen, (bool, np.bool_)):
        problems.append(f"screen: {screen!r} is neither True nor False.")
    if gaps not in ("break", "bridge"):
        problems.append(f"gaps: {gaps!r} is neither 'break' nor 'bridge'.")
    allowed = {"xbar": ("auto", "mean", "pooled", "range"), "s": ("auto", "mean", "pooled")}.get(kind, ("auto",))
    if within not in allowed:
        problems.append(f"within: {within!r} is not for a chart of kind {kind}, which takes {', '.join(allowed)}.")
    for name, number in (("per", per), ("d2", d2)):
        if not (isinstance(number, (int, float, np.number)) and np.isfinite(number) and number > 0):
            problems.append(f"{name}: {number!r} is not a number above 0.")
    ignored = [
        name
        for name, is_changed, is_used in (
            ("gaps", gaps != "break", what.is_screened or kind == "mr"),
            ("d2", d2 != D2, what.is_screened and kind != "ip"),
            ("narrow", not narrow, kind in ("pp", "up")),
        )
        if is_changed and not is_used
    ]
    if ignored:
        problems.append(f"{' and '.join(ignored)} would change nothing in a chart of kind {kind}: leave it out.")
    if problems:
        raise ParameterError(" ".join(problems))


def truth(data: pd.DataFrame, argument: str, column: str) -> np.ndarray:
    """A column of true and false."""
    values = data[column]
    if values.isna().any() or not values.isin([True, False]).all():
        raise DataError(f"{argument}: the column {column!r} is not true or false throughout.")
    return values.to_numpy(dtype=bool)


def mask_of(argument: str, column: str | None, given: Any, data: pd.DataFrame) -> np.ndarray | None:
    """What was given as true or false for every row, in a column or by itself; None if it was given otherwise."""
    if column is not None:
        return truth(data, argument, column)
    if isinstance(given, str) or not hasattr(given, "__len__"):
        return None
    values = np.asarray(given)
    if values.dtype != bool:
        if len(values) == len(data) > 2 and values.dtype.kind in "iuf" and np.isin(values, (0, 1)).all():
            raise ParameterError(
                f"{argument}: numbers are positions. For one mark a row give true and false, not 1 and 0."
            )
        return None
    if isinstance(given, pd.Series) and not given.index.equals(data.index):
        if not (given.index.is_unique and data.index.is_unique and set(given.index) == set(data.index)):
            raise ParameterError(f"{argument}: its rows are not those of the data. Give one true or false a row.")
        return given.reindex(data.index).to_numpy(dtype=bool)
    if len(values) != len(data):
        raise ParameterError(f"{argument}: {len(values)} times true or false for {len(data)} rows. Give one a row.")
    return values


def numbers(
    data: pd.DataFrame, what: Kind, value: str | None, numerator: str | None, denominator: str | None
) -> dict[str, np.ndarray]:
    """The columns to calculate with, as floating point numbers; a missing half makes both missing."""
    found = {}
    for name, column in (("value", value), ("total", numerator), ("n", denominator)):
        if column is None:
            continue
        if data[column].dtype.kind in "mM":
            raise DataError(f"'{column}' holds dates or spans of time. Give numbers, such as days between events.")
        try:
            found[name] = data[column].to_numpy(dtype=float, na_value=np.nan)
        except (ValueError, TypeError):
            bad = pd.to_numeric(data[column], errors="coerce").isna() & data[column].notna()
            raise DataError(
                f"{of_rows(bad, data)} '{column}' is not a number ({examples(data.loc[bad, column])}). Mend them, or "
                "leave them empty."
            ) from None
    if denominator is None and numerator is not None:
        found["value"] = found.pop("total")
    return found


def check_numbers(layout: Layout, what: Kind, by: tuple[str, ...], names: Mapping[str, str | None]) -> None:
    columns = layout.columns
    problems = []

    def named(bad: np.ndarray, text: str) -> None:
        if bad.any():
            problems.append(f"{int(bad.sum()):,} of {len(bad):,} rows {text} ({_rows(layout, bad, by)}).")

    if "total" in columns:
        y, n = columns["total"], columns["n"]
        with np.errstate(invalid="ignore"):
            named(~np.isnan(y) & (y < 0) | (n < 0) | np.isinf(y) | np.isinf(n), "hold a negative or infinite number")
            named((n == 0) & (y > 0), f"have events ({names['numerator']}) among nobody ({names['denominator']} is 0)")
            if what.needs == "proportion":
                named((y > n) & (n > 0), f"have a {names['numerator']} above their {names['denominator']}")
    else:
        x = columns["value"]
        with np.errstate(invalid="ignore"):
            named(np.isinf(x), "are infinite")
            if what.needs == "count":
                named(x < 0, "are negative, which a count or a time cannot be")
    if problems:
        raise DataError(" ".join(problems) + " Check that columns are not swapped, and mend or empty these rows.")


def _rows(layout: Layout, bad: np.ndarray, by: tuple[str, ...]) -> str:
    """A few of the bad rows by series and period, with their numbers."""
    shown = []
    for row in np.flatnonzero(bad)[:3]:
        period = layout.period[row]
        when = str(period)[:10] if isinstance(period, np.datetime64) else str(period)
        who = ", ".join(str(layout.keys[name].iloc[layout.codes[row]]) for name in by)
        held = layout.columns
        what = f"{held['total'][row]:g} of {held['n'][row]:g}" if "total" in held else f"{held['value'][row]:g}"
        shown.append(f"{who + ' ' if who else ''}{when}: {what}")
    return "; ".join(shown) + ("; ..." if bad.sum() > 3 else "")


def one_row_a_period(layout: Layout, *, counted: bool) -> Layout:
    """Add up the rows of one period, or average them, and make ratios; a half that is missing makes a gap.

    `counted`: values are counts, to be added up.
    """
    columns = dict(layout.columns)
    unknown = np.zeros(0, dtype=bool)
    if "total" in columns:
        unknown = np.isnan(columns["total"]) | np.isnan(columns["n"]) | (columns["n"] == 0)
        if unknown.any():
            columns["total"] = np.where(unknown, np.nan, columns["total"])
            columns["n"] = np.where(unknown, np.nan, columns["n"])
    first = np.ones(len(layout.codes), dtype=bool)
    first[1:] = (np.diff(layout.codes) != 0) | (layout.period[1:] != layout.period[:-1])
    warnings = layout.warnings
    codes, period = layout.codes, layout.period
    if not first.all():
        starts = np.flatnonzero(first)
        repeated = np.diff(starts, append=len(first)) > 1
        _check_one_phase(layout, starts)
        warnings = warnings.copy()
        name = "rows summed" if counted or "total" in columns else "rows averaged"
        warnings[np.unique(codes[starts[repeated]])] |= BIT[name]
        if unknown.any():
            partly = np.logical_or.reduceat(unknown, starts) & ~np.logical_and.reduceat(unknown, starts)
            warnings[np.unique(codes[starts[partly]])] |= BIT["incomplete rows left out"]
        columns = {
            key: _over(values, starts, summed=counted or key in ("total", "n")) for key, values in columns.items()
        }
        codes, period = codes[starts], period[starts]
    if "total" in columns:
        columns["value"] = columns["total"] / columns["n"]
    return replace(layout, codes=codes, period=period, columns=columns, warnings=warnings)


def _check_one_phase(layout: Layout, starts: np.ndarray) -> None:
    """Raise if rows of one period name different phases."""
    if "phase" not in layout.columns:
        return
    phase = pd.factorize(layout.columns["phase"])[0]
    lowest, highest = np.minimum.reduceat(phase, starts), np.maximum.reduceat(phase, starts)
    differ = lowest != highest
    if differ.any():
        first = layout.period[starts[differ]]
        raise DataError(
            f"phases: in {len(first)} of {len(starts)} periods ({examples([str(day)[:10] for day in first])}) the "
            "rows name different phases. Give each period one."
        )


def _over(values: np.ndarray, starts: np.ndarray, *, summed: bool) -> np.ndarray:
    """One value for the rows of each period: sums of counts, means of values, the first phase, any exclusion."""
    if values.dtype.kind not in "bf":
        return values[starts]
    if values.dtype == bool:
        return np.logical_or.reduceat(values, starts)
    known = ~np.isnan(values)
    total = np.add.reduceat(np.where(known, values, 0.0), starts)
    count = np.add.reduceat(known, starts, dtype=int)
    return np.where(count > 0, total / (1 if summed else np.maximum(count, 1)), np.nan)


def subgroups(layout: Layout) -> Layout:
    """The rows of a period as one subgroup: its mean, sum, size and standard deviation."""
    first = np.ones(len(layout.codes), dtype=bool)
    first[1:] = (np.diff(layout.codes) != 0) | (layout.period[1:] != layout.period[:-1])
    starts = np.flatnonzero(first)
    _check_one_phase(layout, starts)
    x = layout.columns["value"]
    known = np.isfinite(x)
    n = np.add.reduceat(known, starts, dtype=float)
    total = np.add.reduceat(np.where(known, x, 0.0), starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        apart = np.where(known, x - np.repeat(mean, np.diff(starts, append=len(x))), 0.0)
        sd = np.sqrt(np.add.reduceat(apart**2, starts) / np.where(n > 1, n - 1, np.nan))
    others = [key for key in layout.columns if key in ("phase", "excluded", "base")]
    columns = {key: _over(layout.columns[key], starts, summed=False) for key in others}
    columns |= {"value": mean, "total": np.where(n > 0, total, np.nan), "n": np.where(n > 0, n, np.nan), "sd": sd}
    largest = np.maximum.reduceat(np.where(known, x, -np.inf), starts)
    columns["range"] = np.where(n > 0, largest - np.minimum.reduceat(np.where(known, x, np.inf), starts), np.nan)
    return replace(layout, codes=layout.codes[starts], period=layout.period[starts], columns=columns)
