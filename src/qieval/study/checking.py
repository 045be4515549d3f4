"""The door: tables of text become typed frames, or a list of everything that is wrong with them.

Errors stop the study; warnings are shown in the report. Inside the package the frames are trusted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
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
    frame: pd.DataFrame
    readable: pd.DataFrame  # of bool: False where a filled cell could not be read as its type

    def problem(
        self,
        wrong: pd.Series | np.ndarray,
        column: str,
        what: str,
        remedy: str,
        level: Literal["error", "warning"] = "error",
    ) -> Iterable[Problem]:
        """The rows where `wrong` holds, as one problem; nothing if there are none."""
        at = np.flatnonzero(np.asarray(wrong, dtype=bool))
        if len(at):
            values = tuple(self.text(column).iloc[at]) if column else ()
            rows = tuple(int(row) for row in self.raw.rows[at])
            yield Problem(
                source=self.raw.source, what=what, remedy=remedy, column=column, rows=rows, values=values, level=level
            )

    def text(self, column: str) -> pd.Series:
        """A column as the user wrote it."""
        cells = self.raw.cells
        return cells[column] if column in cells else pd.Series("", index=cells.index, dtype=object)


def check_tables(
    raws: Mapping[str, RawTable], *, data_cut: dt.date, decimal: str = "."
) -> tuple[dict[str, pd.DataFrame], list[Problem]]:
    """Typed frames, one per table given, and every problem found in them.

    `decimal` is the sign before the decimals of a number, "." or ",".

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
        problems += _references(sheet, sheets)
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
        if decimal == "," and column.type == "number":
            # Swapped rather than replaced: the point of a thousand (1.234) must stay unreadable, not become 1.234.
            text = text.str.translate(str.maketrans(",.", ".,"))
        values = PARSERS[column.type](text)
        typed[column.name] = values
        readable[column.name] = values.notna() | (text == "")
    index = raw.cells.index
    return _Sheet(
        table=table, raw=raw, frame=pd.DataFrame(typed, index=index), readable=pd.DataFrame(readable, index=index)
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
    number = text.where(text.str.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?"), None)
    return pd.to_numeric(number, errors="coerce").astype(float)


def _parse_count(text: pd.Series) -> pd.Series:
    number = _parse_number(text)
    return number.where(number == number.round())


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
    "number": ("not a number", "write digits only, with a point for decimals, and leave it blank if not known"),
    "count": ("not a whole number", "write digits only, and leave it blank if not known"),
    "yes_no": ("neither yes nor no", "write yes or no"),
}


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
        if column.type in NOT_READABLE:
            yield from sheet.problem(~sheet.readable[name], name, *NOT_READABLE[column.type])
        if column.required:
            yield from sheet.problem(text == "", name, f"{name} is blank", f"fill it in: {column.meaning}")
        if column.allowed:
            unknown = values.notna() & ~values.isin(column.allowed)
            for value in values[unknown].unique():
                yield from sheet.problem(values == value, name, "not a known value", _nearest(value, column))
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


def _nearest(value: str, column: Column) -> str:
    near = get_close_matches(value.lower().replace(" ", "_"), column.allowed, n=1)
    listed = ", ".join(column.allowed)
    return f"did you mean {near[0]!r}? Allowed are: {listed}" if near else f"write one of: {listed}"


def _key(sheet: _Sheet) -> Iterable[Problem]:
    key = list(sheet.table.key)
    if not set(key) & set(sheet.raw.cells.columns):
        return
    blank = sheet.frame[[name for name in key if sheet.table.column(name).required]].isna().any(axis=1)
    again = sheet.frame.duplicated(key) & sheet.readable[key].all(axis=1) & ~blank
    if not again.any():
        return
    first = sheet.frame.groupby(key, dropna=False, sort=False)[key[0]].transform(lambda same: same.index[0])
    for position in np.flatnonzero(again)[:50]:
        row = sheet.raw.rows[int(first.iloc[position])]
        named = ", ".join(str(sheet.text(column).iloc[position]) or "(blank)" for column in key)
        here = pd.Series(sheet.frame.index == position, index=sheet.frame.index)
        what = f"the same {' and '.join(key)} as row {row} ({named})"
        yield from sheet.problem(here, "", what, "keep one of the two rows")


def _references(sheet: _Sheet, sheets: Mapping[str, _Sheet]) -> Iterable[Problem]:
    for column in sheet.table.columns:
        values = sheet.frame[column.name]
        if not column.refers_to or values.isna().all():
            continue
        if column.refers_to not in sheets:
            yield Problem(
                source=sheet.raw.source,
                what=f"its {column.name} refers to the table {column.refers_to}, which is not there",
                remedy=f"add the table {column.refers_to}",
            )
            continue
        other = sheets[column.refers_to]
        known = other.frame[other.table.key[0]].dropna()
        unknown = values.notna() & ~values.isin(known)
        for value in values[unknown].unique()[:50]:
            near = get_close_matches(value, list(known), n=1, cutoff=0.8)
            remedy = f"did you mean {near[0]!r}?" if near else f"add it to {other.raw.source}, or correct it"
            what = f"no such {other.table.key[0]} in {column.refers_to}"
            yield from sheet.problem(values == value, column.name, what, remedy)


def _after_data_cut(sheet: _Sheet, data_cut: pd.Timestamp) -> Iterable[Problem]:
    for column in sheet.table.of_type("date", "month"):
        if not column.may_be_future:
            late = sheet.frame[column.name] > data_cut
            what = f"after the data cut {data_cut:%Y-%m-%d}"
            yield from sheet.problem(late, column.name, what, "correct it, or move data_cut in the parameters")


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
    for row_is, remedy in (
        ((kind == "proportion") & (numerator > denominator), "check that the two are not swapped"),
        (kind.isin(["rate", "mean", "time_between"]) & (numerator > 0) & (denominator == 0), "correct one of the two"),
    ):
        for position in np.flatnonzero(row_is)[:50]:
            here = sheet.frame.index == position
            denominator_text = sheet.text("denominator").iloc[position]
            yield from sheet.problem(here, "numerator", f"above its denominator {denominator_text}", remedy)
    lone = kind.isin(["proportion", "rate", "mean", "time_between"]) & numerator.notna() & denominator.isna()
    what = "has no denominator; the month is left out"
    yield from sheet.problem(lone, "numerator", what, "fill in the denominator if it is known", "warning")


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
