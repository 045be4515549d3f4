"""From files to tables of text: a folder of CSV or Parquet files, or one Excel workbook, of the same shape.

Nothing is interpreted here. Each cell becomes the text a user would see, and each row keeps the number
it has in a text editor or in Excel, so that a message can point at it. What would lose a value without
a word, such as merged cells or formulas that were never calculated, is a problem.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from qieval.errors import DataError
from qieval.study.parameters import Reading
from qieval.study.problems import Problem
from qieval.study.schema import COLLABORATIVE, TABLES


@dataclass(frozen=True, eq=False, kw_only=True)
class RawTable:
    """One table as text; a blank cell is the empty string."""

    name: str
    source: str
    cells: pd.DataFrame
    rows: np.ndarray  # of int, one per line of `cells`
    others: frozenset[str] = frozenset()  # collaboratives that have rows in the file which were not read

    def of_collaborative(self, collaborative: str) -> RawTable:
        """The rows of one collaborative, where the table tells whose rows they are."""
        if COLLABORATIVE.name not in self.cells:
            return self
        mine = (self.cells[COLLABORATIVE.name] == collaborative).to_numpy()
        cells = self.cells.loc[mine].drop(columns=COLLABORATIVE.name).reset_index(drop=True)
        return RawTable(name=self.name, source=self.source, cells=cells, rows=self.rows[mine])


def read_tables(
    path: Path, reading: Reading, *, collaborative: str | None = None
) -> tuple[dict[str, RawTable], list[Problem]]:
    """Every table found in a folder of CSV or Parquet files or in a workbook, and what kept others from being read.

    Of Parquet files that many collaboratives share, only the rows of `collaborative` are read, if one is named.

    Raises
    ------
    DataError
        If there is nothing that can be read at all.
    """
    if path.is_dir():
        tables, problems = _read_folder(path, reading, collaborative)
    elif path.suffix.lower() in {".xlsx", ".xlsm"}:
        tables, problems = _read_workbook(path, reading)
    elif path.suffix.lower() in READERS:
        raise DataError(f"{path.name}: a single {path.suffix[1:]} file -> give the folder it lies in")
    else:
        raise DataError(f"{path.name}: neither a folder nor an .xlsx file -> save it as an Excel workbook (.xlsx)")
    if not tables and not any(problem.level == "error" for problem in problems):
        near = "".join(f"; {one.source}: {one.remedy}" for one in problems if "your own" not in one.remedy)
        raise DataError(
            f"{path.name}: holds none of the tables {', '.join(TABLES)} -> "
            f"name each file or sheet after its table, or start from `qieval template study.xlsx`{near}"
        )
    return tables, problems


def _read_folder(
    folder: Path, reading: Reading, collaborative: str | None
) -> tuple[dict[str, RawTable], list[Problem]]:
    tables: dict[str, RawTable] = {}
    problems: list[Problem] = []
    for file in sorted(entry for entry in folder.iterdir() if entry.suffix.lower() in READERS):
        name = _column_name(file.stem)
        if name not in TABLES:
            problems += _unknown_table(file.name, name)
            continue
        try:
            table, found = READERS[file.suffix.lower()](file, name, reading, collaborative)
        except UnicodeDecodeError:
            what, remedy = "not UTF-8 text", "save it from Excel as 'CSV UTF-8'"
            table, found = None, [Problem(source=file.name, what=what, remedy=remedy)]
        except OSError:
            what, remedy = "cannot be opened", "close it in Excel, and check that you may read it"
            table, found = None, [Problem(source=file.name, what=what, remedy=remedy)]
        _collect(name, table, found, into=tables, problems=problems)
    return tables, problems


def _read_parquet(
    file: Path, name: str, reading: Reading, collaborative: str | None
) -> tuple[RawTable | None, list[Problem]]:
    from qieval.study.parquet import read_parquet

    try:
        found = read_parquet(file, key=COLLABORATIVE.name, collaborative=collaborative)
    except ValueError:
        remedy = "write it again, for instance with pandas' to_parquet"
        return None, [Problem(source=file.name, what="not readable as Parquet", remedy=remedy)]
    records = [(row, [_cell_text(value, reading.decimal) for value in values]) for row, values in found.records]
    table, problems = _table(records, name, file.name)
    return (replace(table, others=found.others) if table else None), problems


def _read_csv(
    file: Path, name: str, reading: Reading, collaborative: str | None
) -> tuple[RawTable | None, list[Problem]]:
    text, source = file.read_text(encoding="utf-8-sig"), file.name
    separator = "\t" if reading.separator == "tab" else reading.separator
    # Strict: otherwise a quotation mark that is never closed swallows all rows below it without a word.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for record in reader:
            records.append((line, record))
            line = reader.line_num + 1  # a quoted cell may span lines: the next record begins after its last
    except csv.Error:
        remedy = "look there for a quotation mark that is not closed, and save it as CSV again"
        return None, [Problem(source=source, what=f"not readable from line {line} on", remedy=remedy)]
    if text[:4].lower() == "sep=":
        records = records[1:]  # a line for Excel alone
    header = next((record for _, record in records if any(record)), [])
    if len(header) == 1:
        for other, declared in ((";", ";"), (",", ","), ("\t", "tab")):
            if other != separator and other in header[0]:
                what = f"its columns are separated by {declared!r}, not by {reading.separator!r}"
                remedy = f"add 'options: {{reading: {{separator: \"{declared}\"}}}}' to the parameters"
                return None, [Problem(source=source, what=what, remedy=remedy)]
    return _table(records, name, source)


READERS = {".csv": _read_csv, ".parquet": _read_parquet}


def _read_workbook(path: Path, reading: Reading) -> tuple[dict[str, RawTable], list[Problem]]:
    tables: dict[str, RawTable] = {}
    problems: list[Problem] = []
    try:
        sheets, unknown = _sheets_of(path)
    except Exception:  # whatever openpyxl stumbles over: to the user it is a file that cannot be read
        remedy = "close it in Excel, remove any password, and save it as an Excel workbook (.xlsx)"
        raise DataError(f"{path.name}: cannot be read as an Excel workbook -> {remedy}") from None
    for title in unknown:
        problems += _unknown_table(f"{path.name}, sheet {title}", _column_name(title))
    for sheet in sheets:
        name, source = _column_name(sheet.title), f"{path.name}, sheet {sheet.title}"
        records = [
            (row, [_cell_text(value, reading.decimal) for value in values])
            for row, values in sheet.records
            if any(value is not None for value in values)
        ]
        lost = list(_lost_values(sheet, records, source))
        table, found = _table(records, name, source)
        _collect(name, None if lost else table, lost + found, into=tables, problems=problems)
    return tables, problems


@dataclass(frozen=True, kw_only=True)
class _ExcelSheet:
    """One sheet of a workbook: its values, and what only its XML tells."""

    title: str
    records: list[tuple[int, tuple[object, ...]]]
    merged: list[str]  # such as "B2:B6"
    never_calculated: bool


def _sheets_of(path: Path) -> tuple[list[_ExcelSheet], list[str]]:
    """The sheets that bear a table's name, and the names of the others."""
    from openpyxl import load_workbook

    content = io.BytesIO(path.read_bytes())
    with warnings.catch_warnings(), zipfile.ZipFile(content) as parts:
        # openpyxl warns of cell formats and validations it does not keep; only values are read here.
        warnings.simplefilter("ignore", UserWarning)
        book = load_workbook(content, read_only=True, data_only=True)
        # Excel itself never leaves this mark: a program wrote the file and left the formulas to be calculated.
        stale = re.search(rb'fullCalcOnLoad="(1|true)"', parts.read("xl/workbook.xml")) is not None
        sheets, unknown = [], []
        for sheet in book.worksheets:
            title = sheet.title.strip()
            if _column_name(title) not in TABLES:
                unknown.append(title)
                continue
            sheet.reset_dimensions()  # the stored size of a sheet is often wrong
            xml = parts.read(sheet._worksheet_path)
            sheets.append(
                _ExcelSheet(
                    title=title,
                    records=list(enumerate(sheet.iter_rows(values_only=True), start=1)),
                    merged=[ref.decode() for ref in re.findall(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z0-9:]+)"', xml)],
                    never_calculated=bool(re.search(_FORMULA if stale else _FORMULA_WITHOUT_RESULT, xml)),
                )
            )
        book.close()
    return sheets, unknown


_FORMULA = rb"<(?:\w+:)?c\s[^>]*>\s*<(?:\w+:)?f[\s>/]"
_FORMULA_WITHOUT_RESULT = rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*</(?:\w+:)?c>"


def _lost_values(sheet: _ExcelSheet, records: list[tuple[int, list[str]]], source: str) -> Iterable[Problem]:
    """What Excel shows and the file does not hold."""
    from openpyxl.utils import range_boundaries

    if sheet.never_calculated:
        remedy = "open it in Excel, save it and try again"
        yield Problem(source=source, what="holds formulas without their results", remedy=remedy)
    filled = dict(records)
    header = min(filled, default=0)
    merged = []
    for ref in sheet.merged:
        column, row, _, _ = range_boundaries(ref)
        if row > header and "".join(filled.get(row, [])[column - 1 : column]).strip():
            merged.append(ref)
    if merged:
        named = ", ".join(merged[:5]) + (", ..." if len(merged) > 5 else "")
        what = f"cells are merged ({named}), so that only the first of them holds the value"
        yield Problem(source=source, what=what, remedy="unmerge them and fill in every cell")


def _cell_text(value: object, decimal: str) -> str:
    """A cell as the user sees it: whole numbers without a point, dates as ISO dates."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value).replace(".", decimal)
    return str(value)


def _collect(
    name: str,
    table: RawTable | None,
    found: list[Problem],
    *,
    into: dict[str, RawTable],
    problems: list[Problem],
) -> None:
    problems += [replace(problem, unread=name) if problem.level == "error" else problem for problem in found]
    if table is None:
        return
    if name in into:
        what = f"the table {name} is given twice (also {into[name].source})"
        problems.append(Problem(source=table.source, what=what, remedy="keep one of them"))
    into[name] = table


def _table(records: list[tuple[int, list[str]]], name: str, source: str) -> tuple[RawTable | None, list[Problem]]:
    """Records with their row numbers as one table: header first, blank rows left out."""
    cleaned = [(row, [_clean(cell) for cell in record]) for row, record in records]
    filled = [(row, record) for row, record in cleaned if any(record)]
    if not filled:
        what, remedy = "is empty", "write the column names in its first row, or remove it"
        return None, [Problem(source=source, what=what, remedy=remedy, level="warning")]
    header_row, columns = filled[0][0], [_column_name(cell) for cell in filled[0][1]]
    # A column without a name is a spacer if it is empty, and something that would be lost if it is not.
    width = max(len(record) for _, record in filled)
    columns += [""] * (width - len(columns))
    body = [record + [""] * (width - len(record)) for _, record in filled[1:]]
    rows = np.array([row for row, _ in filled[1:]], dtype=int)
    problems = list(_header_problems(columns, header_row, filled[1:], name, source))
    if problems:
        return None, problems
    cells = pd.DataFrame(
        {column: [record[place] for record in body] for place, column in enumerate(columns) if column}, dtype=object
    )
    return RawTable(name=name, source=source, cells=cells, rows=rows), []


_INVISIBLE = dict.fromkeys(map(ord, "\x00\u00ad\u200b\u200e\u200f\u2060\ufeff"))


def _clean(cell: str) -> str:
    """A cell without what nobody can see: outer, double and non-breaking spaces, marks of no width, split accents."""
    if cell.isascii() and cell.isprintable() and "  " not in cell:
        return cell.strip()
    text = unicodedata.normalize("NFC", cell.translate(_INVISIBLE))
    return "\n".join(" ".join(line.split()) for line in text.splitlines()).strip()


def _column_name(cell: str) -> str:
    return "_".join(cell.lower().replace("-", " ").split())


def _header_problems(
    columns: list[str], header_row: int, body: list[tuple[int, list[str]]], name: str, source: str
) -> Iterable[Problem]:
    known = {COLLABORATIVE.name, *TABLES[name].column_names}
    if not known & set(columns):
        for row, record in body[:20]:
            if len(known & {_column_name(cell) for cell in record}) > 1:
                what = f"not the column names, which stand in row {row}"
                yield Problem(source=source, rows=(header_row,), what=what, remedy=f"remove what is above row {row}")
                return
    for column in dict.fromkeys(columns):
        if column and columns.count(column) > 1:
            what, remedy = f"two columns are named {column!r}", "keep one of them"
            yield Problem(source=source, rows=(header_row,), what=what, remedy=remedy)
    nameless = {place for place, column in enumerate(columns) if not column}
    outside = tuple(row for row, record in body if any(record[place] for place in nameless if place < len(record)))
    if outside:
        what = "a cell is filled in a column without a name"
        remedy = "name the column, or put quotes around a text that holds the separator"
        yield Problem(source=source, rows=outside, what=what, remedy=remedy)
    repeated = tuple(
        row
        for row, record in body
        if all(_column_name(cell) == column for cell, column in zip(record, columns, strict=False) if cell)
    )
    if repeated:
        yield Problem(source=source, rows=repeated, what="repeats the column names", remedy="remove the row")


def _unknown_table(source: str, name: str) -> list[Problem]:
    """A file or sheet of another name may be the user's own, or a table that nobody would miss until the report."""
    if name in ("read_me", "readme"):
        return []
    near = get_close_matches(name, TABLES, n=1, cutoff=0.75) or [table for table in TABLES if table in name]
    remedy = f"did you mean {near[0]!r}?" if near else "nothing to do if it is your own"
    what = f"{name!r} is not the name of a table and was not read"
    return [Problem(source=source, what=what, remedy=remedy, level="warning")]
