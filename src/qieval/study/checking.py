"""The door: tables of text become typed frames, or a list of everything that is wrong with them.

Errors stop the study; warnings are shown in the report. Inside the package the frames are trusted.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from qieval.study.problems import Problem
from qieval.study.reading import RawTable
from qieval.study.schema import TABLES, Column, Table


@dataclass(frozen=True, eq=False, kw_only=True)
class _Sheet:
    """One table on its way in: as the user wrote it, and as typed so far."""

    table: Table
    raw: RawTable
    decimal: str
    frame: pd.DataFrame
    readable: pd.DataFrame  # of bool: False where a filled cell could not be read as its type

    def problem(
        self,
        wrong: pd.Series | np.ndarray,
        column: str,
        what: str,
        remedy: str,
        level: Literal["error", "warning"] = "error",
        details: pd.Series | None = None,
    ) -> Iterable[Problem]:
        """The rows where `wrong` holds, as one problem; nothing if there are none."""
        at = np.flatnonzero(np.asarray(wrong, dtype=bool))
        if len(at):
            yield Problem(
                source=self.raw.source,
                what=what,
                remedy=remedy,
                column=column,
                rows=tuple(int(row) for row in self.raw.rows[at]),
                values=tuple(self.text(column).iloc[at]) if column else (),
                details=() if details is None else tuple(details.iloc[at]),
                level=level,
            )

    def problems_by_value(
        self, wrong: pd.Series, column: str, what: str, remedy_for: Callable[[str], str]
    ) -> Iterable[Problem]:
        """The same, where the remedy depends on what stands in the cell: one problem per remedy."""
        text = self.text(column)
        remedies = text.map({value: remedy_for(value) for value in text[wrong].unique()})
        for remedy in remedies[wrong].unique():
            yield from self.problem(wrong & (remedies == remedy), column, what, remedy)

    def text(self, column: str) -> pd.Series:
        """A column as the user wrote it."""
        cells = self.raw.cells
        return cells[column] if column in cells else pd.Series("", index=cells.index, dtype=object)


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
    sheets = {name: _read_types(TABLES[name], raw, decimal) for name, raw in raws.items()}
    problems: list[Problem] = []
    for name, sheet in sheets.items():
        problems += _columns(sheet)
        problems += _cells(sheet)
        problems += _key(sheet)
        problems += _totals(sheet)
        problems += _references(sheet, sheets, unread)
        problems += _after_data_cut(sheet, pd.Timestamp(data_cut))
        for rule in RULES.get(name, ()):
            problems += rule(sheet, sheets)
    return {name: sheet.frame for name, sheet in sheets.items()}, problems


# --- types -----------------------------------------------------------------------------------------


def _read_types(table: Table, raw: RawTable, decimal: str) -> _Sheet:
    typed, readable = {}, {}
    for column in table.columns:
        if column.name in raw.cells:
            text = raw.cells[column.name]
        else:
            text = pd.Series("", index=raw.cells.index, dtype=object)
        if decimal == "," and column.type in ("number", "count"):
            # Swapped rather than replaced: the point of a thousand (1.234) must stay unreadable, not become 1.234.
            text = text.str.translate(str.maketrans(",.", ".,"))
        values = PARSERS[column.type](text)
        if column.allowed:
            # "Rural" and "Learning session" can only mean one thing.
            plain = text.str.lower().str.replace(r"[\s-]+", "_", regex=True)
            values = values.where(~plain.isin(column.allowed), plain)
        typed[column.name] = values
        readable[column.name] = values.notna() | (text == "")
    index = raw.cells.index
    return _Sheet(
        table=table,
        raw=raw,
        decimal=decimal,
        frame=pd.DataFrame(typed, index=index),
        readable=pd.DataFrame(readable, index=index),
    )


def _parse_text(text: pd.Series) -> pd.Series:
    return text.where(text != "", None).astype(object)


def _parse_date(text: pd.Series) -> pd.Series:
    """ISO dates; a month alone (2018-08) is read as its first day, and said so in a warning."""
    day = text.str.replace(r"[T ]00:00(:00(\.0+)?)?$", "", regex=True)
    day = day.where(~_is_month_only(day), day + "-01")
    day = day.where(day.str.fullmatch(r"\d{4}-\d{2}-\d{2}"), None)
    return pd.to_datetime(day, format="%Y-%m-%d", errors="coerce")


def _parse_month(text: pd.Series) -> pd.Series:
    return _parse_date(text).dt.to_period("M").dt.to_timestamp()


def _parse_number(text: pd.Series) -> pd.Series:
    number = text.where(text.str.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"), None)
    values = pd.to_numeric(number, errors="coerce").astype(float)
    return values.where(np.isfinite(values))


def _parse_count(text: pd.Series) -> pd.Series:
    """Whole numbers; 12.0 is one, but 1.000 may be a thousand, and nothing is guessed."""
    return _parse_number(text.where(text.str.fullmatch(r"[+-]?[0-9]+(\.0)?"), ""))


def _parse_yes_no(text: pd.Series) -> pd.Series:
    meaning = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    return text.str.lower().map(meaning).astype("boolean")


PARSERS: dict[str, Callable[[pd.Series], pd.Series]] = {
    "text": _parse_text,
    "date": _parse_date,
    "month": _parse_month,
    "number": _parse_number,
    "count": _parse_count,
    "yes_no": _parse_yes_no,
}

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


def _is_month_only(text: pd.Series) -> pd.Series:
    return text.str.fullmatch(r"\d{4}-\d{2}").astype(bool)


# --- checks that hold for every table --------------------------------------------------------------


def _columns(sheet: _Sheet) -> Iterable[Problem]:
    given, known = list(sheet.raw.cells.columns), sheet.table.column_names
    unknown = [name for name in given if name not in known]
    missing = [column.name for column in sheet.table.columns if column.required and column.name not in given]
    for name in missing:
        near = get_close_matches(name, unknown, n=1, cutoff=0.6)
        remedy = f"rename {near[0]!r} to {name!r}" if near else f"add it: {sheet.table.column(name).meaning}"
        yield Problem(source=sheet.raw.source, what=f"the column {name!r} is missing", remedy=remedy)
    for name in unknown:
        near = get_close_matches(name, [column for column in known if column not in given], n=1, cutoff=0.6)
        if near and near[0] in missing:
            continue
        remedy = f"did you mean {near[0]!r}?" if near else "nothing to do if it is your own"
        what = f"the column {name!r} is not known and was not read"
        yield Problem(source=sheet.raw.source, what=what, remedy=remedy, level="warning")


def _cells(sheet: _Sheet) -> Iterable[Problem]:
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
                _is_month_only(text) & sheet.readable[name],
                name,
                "gives the month only and was read as its first day",
                "write the day if it is known",
                "warning",
            )
        if column.type == "month":
            whole = sheet.readable[name] & (text != "") & ~_is_month_only(text)
            yield from sheet.problem(
                whole & (_parse_date(text) != values),
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
    near = get_close_matches(value.lower().replace(" ", "_"), column.allowed, n=1)
    listed = ", ".join(column.allowed)
    return f"did you mean {near[0]!r}? Allowed are: {listed}" if near else f"write one of: {listed}"


def _key(sheet: _Sheet) -> Iterable[Problem]:
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


def _totals(sheet: _Sheet) -> Iterable[Problem]:
    name = sheet.table.key[0]
    total = sheet.text(name).str.lower().str.rstrip(":").isin(TOTALS)
    yield from sheet.problem(total, name, "a row of totals", "remove the row; totals are calculated")


def _references(sheet: _Sheet, sheets: Mapping[str, _Sheet], unread: Collection[str]) -> Iterable[Problem]:
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


def _after_data_cut(sheet: _Sheet, data_cut: pd.Timestamp) -> Iterable[Problem]:
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


# --- rules of single tables ------------------------------------------------------------------------


def _ends_before_start(start: str, end: str) -> Callable[[_Sheet, Mapping[str, _Sheet]], Iterable[Problem]]:
    def rule(sheet: _Sheet, sheets: Mapping[str, _Sheet]) -> Iterable[Problem]:
        wrong = sheet.frame[end] < sheet.frame[start]
        yield from sheet.problem(wrong, end, f"before {start}", "correct one of the two dates")

    return rule


def _target_is_a_proportion(sheet: _Sheet, sheets: Mapping[str, _Sheet]) -> Iterable[Problem]:
    wrong = (sheet.frame["kind"] == "proportion") & (sheet.frame["target"] > 1)
    yield from sheet.problem(wrong, "target", "above 1 for a proportion", "write 0.9 for 90%")


def _counts_fit(sheet: _Sheet, sheets: Mapping[str, _Sheet]) -> Iterable[Problem]:
    if "indicators" not in sheets:
        return
    kinds = sheets["indicators"].frame.drop_duplicates("indicator_id").set_index("indicator_id")["kind"]
    kind = sheet.frame["indicator_id"].map(kinds)
    numerator, denominator = sheet.frame["numerator"], sheet.frame["denominator"]
    for wrong, remedy in (
        ((kind == "proportion") & (numerator > denominator), "check that the two are not swapped"),
        (kind.isin(["rate", "mean", "time_between"]) & (numerator > 0) & (denominator == 0), "correct one of the two"),
    ):
        details = sheet.text("denominator")
        yield from sheet.problem(wrong, "numerator", "above its denominator", remedy, details=details)
    for name, values in (("numerator", numerator), ("denominator", denominator)):
        part = (kind == "proportion") & (values != values.round()) & values.notna()
        what = "not a whole number, though it counts people or events"
        yield from sheet.problem(part, name, what, "write the count, not a percentage", "warning")
    divided = kind.isin(["proportion", "rate", "mean", "time_between"])
    lone = divided & numerator.notna() & (sheet.text("denominator") == "")
    what = "has no denominator; the month is left out"
    yield from sheet.problem(lone, "numerator", what, "fill in the denominator if it is known", "warning")
    unknown = divided & (denominator > 0) & (sheet.text("numerator") == "")
    what = "is blank beside a denominator; the month is left out"
    yield from sheet.problem(unknown, "numerator", what, "fill it in if it is known, 0 if nobody counts", "warning")


def _months_have_gaps(sheet: _Sheet, sheets: Mapping[str, _Sheet]) -> Iterable[Problem]:
    known = sheet.frame.dropna(subset=["facility_id", "indicator_id", "period"])
    if known.empty:
        return
    month = known["period"].dt.year * 12 + known["period"].dt.month
    series = month.groupby([known["facility_id"], known["indicator_id"]])
    gaps = (series.max() - series.min() + 1 - series.nunique()).loc[lambda gap: gap > 0]
    if gaps.empty:
        return
    named = "; ".join(
        f"{facility} {indicator}: {gap} month{'s' if gap > 1 else ''}"
        for (facility, indicator), gap in gaps.head(5).items()
    )
    more = f"; and {len(gaps) - 5} more series" if len(gaps) > 5 else ""
    what = f"months are missing between the first and the last ({named}{more})"
    yield Problem(
        source=sheet.raw.source,
        column="period",
        what=what,
        remedy="add them if they are known; they stay gaps",
        level="warning",
    )


def _status_fits_dates(sheet: _Sheet, sheets: Mapping[str, _Sheet]) -> Iterable[Problem]:
    status, ended = sheet.frame["status"], sheet.frame["ended_on"]
    blank = {name: sheet.text(name) == "" for name in ("started_on", "ended_on")}
    still_open = status.isin(["planned", "ongoing"]) & ended.notna()
    yield from sheet.problem(
        still_open, "status", "has an ended_on", "write completed or abandoned, or remove the date"
    )
    finished = status.isin(["completed", "abandoned"])
    undated = (finished & blank["ended_on"]) | ((finished | (status == "ongoing")) & blank["started_on"])
    what = "has no start or no end; its duration is not known"
    yield from sheet.problem(undated, "status", what, "fill in the dates if they are known", "warning")


def _visit_is_dated(sheet: _Sheet, sheets: Mapping[str, _Sheet]) -> Iterable[Problem]:
    if not {"planned_on", "done_on"} & set(sheet.raw.cells.columns):
        what = "neither the column planned_on nor done_on is there"
        yield Problem(source=sheet.raw.source, what=what, remedy="add one or both")
        return
    neither = (sheet.text("planned_on") == "") & (sheet.text("done_on") == "")
    yield from sheet.problem(neither, "visit_id", "neither planned_on nor done_on is given", "fill in one or both")


Rule = Callable[[_Sheet, Mapping[str, _Sheet]], Iterable[Problem]]

RULES: dict[str, tuple[Rule, ...]] = {
    "facilities": (_ends_before_start("joined_on", "support_ended_on"),),
    "indicators": (_target_is_a_proportion,),
    "measurements": (_counts_fit, _months_have_gaps),
    "projects": (
        _ends_before_start("started_on", "ended_on"),
        _ends_before_start("started_on", "observed_to"),
        _status_fits_dates,
    ),
    "visits": (_visit_is_dated,),
    "visit_totals": (_ends_before_start("from", "to"),),
}
