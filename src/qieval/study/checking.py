"""The door: tables of text become typed frames, or a list of everything that is wrong with them.

Errors stop the study; warnings are shown in the report. Inside the package the frames are trusted.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import partial

import numpy as np
import pandas as pd

from qieval.study.problems import Problem
from qieval.study.reading import RawTable
from qieval.study.rules import RULES
from qieval.study.schema import TABLES, Column
from qieval.study.sheet import Sheet, is_month_only, parse_date, read_types


def check_tables(
    raws: Mapping[str, RawTable], *, data_cut: dt.date, decimal: str = ".", unread: Collection[str] = ()
) -> tuple[dict[str, pd.DataFrame], list[Problem]]:
    """Typed frames, one per table given, and every problem found in them.

    `decimal` is the sign before the decimals of a number, "." or ",". `unread` names the tables that are
    there but could not be read: nothing is said about references to them.

    Each frame has all columns of its table, in the order of the schema: text as ``str`` (missing:
    ``None``), dates and months as ``datetime64``, numbers and counts as ``float64``, yes or no as
    ``boolean``. Where an error is among the problems, the frames must not be used.
    """
    sheets = {name: read_types(TABLES[name], raw, decimal) for name, raw in raws.items()}
    problems: list[Problem] = []
    for name in (name for name in TABLES if name in sheets):
        sheet = sheets[name]
        problems += _columns(sheet)
        problems += _cells(sheet)
        problems += _key(sheet)
        problems += _totals(sheet)
        problems += _references(sheet, sheets, unread)
        problems += _after_data_cut(sheet, pd.Timestamp(data_cut))
        for rule in RULES.get(name, ()):
            problems += rule(sheet, sheets)
    return {name: sheet.frame for name, sheet in sheets.items()}, problems


NOT_READABLE = {
    "date": ("not a date", "write it as YYYY-MM-DD"),
    "month": ("not a month", "write its first day as YYYY-MM-01"),
    "number": ("not a number", "write digits only, with a {sign} for decimals, and leave it blank if not known"),
    "count": ("not a whole number", "write digits only, and leave it blank if not known"),
    "yes_no": ("neither yes nor no", "write yes or no"),
}

# What people write where nothing is known. In free text it stays as it is: NA is also a country.
NOT_KNOWN = frozenset(
    {"na", "n/a", "n.a.", "n.a", "-", "--", "–", "—", ".", "?", "nil", "null", "none", "nan", "missing", "unknown"}
)
TOTALS = frozenset({"total", "totals", "grand total", "subtotal", "sub-total", "sum"})

_EXCEL_ERROR = r"#(?:REF!|N/A|DIV/0!|VALUE!|NAME\?|NULL!|NUM!|SPILL!|CALC!|#+)"


def _columns(sheet: Sheet) -> Iterable[Problem]:
    given, known = list(sheet.raw.cells.columns), sheet.table.column_names
    unknown = [name for name in given if name not in known]
    needed = [column.name for column in sheet.table.columns if column.required or column.expected]
    missing = [name for name in needed if name not in given]
    for name in missing:
        near = get_close_matches(name, unknown, n=1, cutoff=0.6)
        remedy = f"rename {near[0]!r} to {name!r}" if near else f"add it: {sheet.table.column(name).meaning}"
        if unknown and not near:
            remedy += f" (or rename the column that holds it; not read: {', '.join(unknown[:5])})"
        yield Problem(source=sheet.raw.source, what=f"the column {name!r} is missing", remedy=remedy)
    for name in unknown:
        near = get_close_matches(name, [column for column in known if column not in given], n=1, cutoff=0.6)
        if near and near[0] in missing:
            continue
        remedy = f"did you mean {near[0]!r}?" if near else "nothing to do if it is your own"
        what = f"the column {name!r} is not known and was not read"
        yield Problem(source=sheet.raw.source, what=what, remedy=remedy, level="warning")


def _cells(sheet: Sheet) -> Iterable[Problem]:
    for column in sheet.table.columns:
        name, text, values = column.name, sheet.text(column.name), sheet.frame[column.name]
        if name not in sheet.raw.cells:
            continue
        broken = text.str.fullmatch(_EXCEL_ERROR).astype(bool)
        remedy = "mend the formula or widen the column in Excel, or leave the cell blank if it is not known"
        yield from sheet.problem(broken, name, "an error of the spreadsheet, not a value", remedy)
        if column.type in NOT_READABLE:
            unreadable = ~sheet.readable[name] & ~broken
            remedy_for = partial(_how_to_write, column, sheet.decimal)
            yield from sheet.problems_by_value(unreadable, name, NOT_READABLE[column.type][0], remedy_for)
        if column.required:
            yield from sheet.problem(text == "", name, f"{name} is blank", f"fill it in: {column.meaning}")
        if column.allowed:
            unknown = values.notna() & ~values.isin(column.allowed) & ~broken
            yield from sheet.problems_by_value(unknown, name, "not a known value", partial(_nearest, column))
        if column.minimum is not None:
            what = "below 0" if column.minimum == 0 else "not above 0"
            yield from sheet.problem(values < column.minimum, name, what, "correct it, or leave it blank if not known")
        if column.type == "date":
            yield from sheet.problem(
                is_month_only(text) & sheet.readable[name],
                name,
                "gives the month only and was read as its first day",
                "write the day if it is known",
                "warning",
            )
        if column.type == "month":
            whole = sheet.readable[name] & (text != "") & ~is_month_only(text)
            yield from sheet.problem(
                whole & (parse_date(text) != values),
                name,
                "not the first day of the month; read as that month",
                "write the month's first day",
                "warning",
            )


def _how_to_write(column: Column, decimal: str, value: str) -> str:
    """The remedy for a cell that is not of its column's type."""
    if value.lower() in NOT_KNOWN and not column.required:
        zero = ", or write 0 if it is none" if column.type in ("number", "count") else ""
        return f"leave the cell blank if it is not known{zero}"
    if column.type in ("date", "month") and value.isdigit() and len(value) == 5:
        return "format the cell as a date in Excel, or write it as YYYY-MM-DD"
    if column.type in ("number", "count") and value.endswith("%"):
        return "write it without the per cent sign: 0.9 for a target of 90%, a count for a numerator"
    if column.type == "number" and decimal == "." and re.fullmatch(r"[+-]?[0-9]+,[0-9]+", value):
        return (
            "write digits only, with a point for decimals; if all decimals here have a comma, "
            "add 'options: {reading: {decimal: \",\"}}' to the parameters"
        )
    return NOT_READABLE[column.type][1].format(sign="comma" if decimal == "," else "point")


def _nearest(column: Column, value: str) -> str:
    if value.lower() in NOT_KNOWN and not column.required:
        return "leave the cell blank if it is not known"
    # Strict: taking "done" for "abandoned" would be worse than no suggestion.
    near = get_close_matches(value.lower().replace(" ", "_"), column.allowed, n=1, cutoff=0.75)
    listed = ", ".join(column.allowed)
    return f"did you mean {near[0]!r}? Allowed are: {listed}" if near else f"write one of: {listed}"


def _key(sheet: Sheet) -> Iterable[Problem]:
    key = list(sheet.table.key)
    if sheet.frame.empty or not set(key) & set(sheet.raw.cells.columns):
        return
    blank = sheet.frame[[name for name in key if sheet.table.column(name).required]].isna().any(axis=1)
    again = sheet.frame.duplicated(key) & sheet.readable[key].all(axis=1) & ~blank
    if not again.any():
        return
    same = sheet.frame.groupby(key, dropna=False, sort=False).ngroup().to_numpy()
    _, first, back = np.unique(same, return_index=True, return_inverse=True)
    earlier = pd.Series(sheet.raw.rows[first[back]].astype(str), index=sheet.frame.index)
    named = pd.concat([sheet.text(name).replace("", "(blank)") for name in key], axis=1).agg(", ".join, axis=1)
    what = f"the same {' and '.join(filter(None, [', '.join(key[:-1]), key[-1]]))} as row"
    yield from sheet.problem(again, "", what, "keep one of the two rows", details=earlier + " (" + named + ")")


def _totals(sheet: Sheet) -> Iterable[Problem]:
    name = sheet.table.key[0]
    total = sheet.text(name).str.lower().str.rstrip(":").isin(TOTALS)
    yield from sheet.problem(total, name, "a row of totals", "remove the row; totals are calculated")


def _references(sheet: Sheet, sheets: Mapping[str, Sheet], unread: Collection[str]) -> Iterable[Problem]:
    for column in sheet.table.columns:
        values = sheet.frame[column.name]
        if not column.refers_to or column.refers_to in unread or values.isna().all():
            continue
        if column.refers_to not in sheets:
            yield Problem(
                source=sheet.raw.source,
                what=f"its {column.name} refers to the table {column.refers_to}, which is not there",
                remedy=f"add the table {column.refers_to}",
            )
            continue
        other = sheets[column.refers_to]
        known = list(other.frame[other.table.key[0]].dropna())
        unknown = values.notna() & ~values.isin(known)
        what = f"no such {other.table.key[0]} in {column.refers_to}"
        # Looked for in few values only: a whole wrong column is one mistake, and the search takes its time.
        searched = set(values[unknown].unique()[:20])
        remedies = {
            value: _nearest_id(value, known if value in searched else [], column, other.raw.source)
            for value in values[unknown].unique()
        }
        yield from sheet.problems_by_value(unknown, column.name, what, remedies.__getitem__)


def _nearest_id(value: str, known: list[str], column: Column, source: str) -> str:
    if value.lower() in NOT_KNOWN and not column.required:
        return "leave the cell blank if it is not known"
    near = [one for one in known if one.casefold() == value.casefold()] or get_close_matches(
        value, known, n=1, cutoff=0.8
    )
    return f"did you mean {near[0]!r}?" if near else f"add it to {source}, or correct it"


def _after_data_cut(sheet: Sheet, data_cut: pd.Timestamp) -> Iterable[Problem]:
    lifetime = pd.DateOffset(years=50)
    for column in sheet.table.of_type("date", "month"):
        dates = sheet.frame[column.name]
        if not column.may_be_future:
            what = f"after the data cut {data_cut:%Y-%m-%d}"
            yield from sheet.problem(
                dates > data_cut, column.name, what, "correct it, or move data_cut in the parameters"
            )
        far = (dates < data_cut - lifetime) | (column.may_be_future & (dates > data_cut + lifetime))
        yield from sheet.problem(far, column.name, "over 50 years from the data cut", "check the year", "warning")
