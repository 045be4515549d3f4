"""From files to tables of text: a folder of CSV files, or one Excel workbook, of the same shape.

Nothing is interpreted here. Each cell becomes the text a user would see, and each row keeps the number
it has in a text editor or in Excel, so that a message can point at it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
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

    def of_collaborative(self, collaborative: str) -> RawTable:
        """The rows of one collaborative, where the table tells whose rows they are."""
        if COLLABORATIVE.name not in self.cells:
            return self
        mine = (self.cells[COLLABORATIVE.name] == collaborative).to_numpy()
        cells = self.cells.loc[mine].drop(columns=COLLABORATIVE.name).reset_index(drop=True)
        return RawTable(name=self.name, source=self.source, cells=cells, rows=self.rows[mine])


def read_tables(path: Path, reading: Reading) -> tuple[dict[str, RawTable], list[Problem]]:
    """Every table found in a folder of CSV files or in a workbook, and what kept others from being read.

    Raises
    ------
    DataError
        If there is nothing that can be read at all.
    """
    if path.is_dir():
        found = {file: file.stem for file in sorted(path.iterdir()) if file.suffix.lower() == ".csv"}
        tables, problems = _read_folder(found, reading)
    elif path.suffix.lower() in {".xlsx", ".xlsm"}:
        tables, problems = _read_workbook(path, reading)
    else:
        raise DataError(f"{path.name}: neither a folder nor an .xlsx file -> save it as an Excel workbook (.xlsx)")
    if not tables and not problems:
        raise DataError(
            f"{path.name}: holds none of the tables {', '.join(TABLES)} -> "
            "name each CSV file or sheet after its table, or start from `qieval template study.xlsx`"
        )
    return tables, problems


def _read_folder(found: dict[Path, str], reading: Reading) -> tuple[dict[str, RawTable], list[Problem]]:
    tables: dict[str, RawTable] = {}
    problems: list[Problem] = []
    for file, stem in found.items():
        name = stem.strip().lower()
        if name not in TABLES:
            problems += _unknown_table(file.name, name)
            continue
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            problems.append(
                Problem(source=file.name, what="not UTF-8 text", remedy="save it from Excel as 'CSV UTF-8'")
            )
            continue
        _collect(*_read_csv(text, name, file.name, reading), into=tables, problems=problems)
    return tables, problems


def _read_csv(text: str, name: str, source: str, reading: Reading) -> tuple[RawTable | None, list[Problem]]:
    separator = "\t" if reading.separator == "tab" else reading.separator
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    records: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for record in reader:
            records.append((line, record))
            line = reader.line_num + 1  # a quoted cell may span lines: the next record begins after its last
    except csv.Error:
        return None, [Problem(source=source, what=f"not readable from line {line} on", remedy="save it as CSV again")]
    header = records[0][1] if records else []
    if len(header) == 1:
        for other, declared in ((";", ";"), (",", ","), ("\t", "tab")):
            if other != separator and other in header[0]:
                what = f"its columns are separated by {declared!r}, not by {reading.separator!r}"
                remedy = f"add 'options: {{reading: {{separator: \"{declared}\"}}}}' to the parameters"
                return None, [Problem(source=source, what=what, remedy=remedy)]
    return _table(records, name, source)


def _read_workbook(path: Path, reading: Reading) -> tuple[dict[str, RawTable], list[Problem]]:
    from openpyxl import load_workbook

    tables: dict[str, RawTable] = {}
    problems: list[Problem] = []
    try:
        with warnings.catch_warnings():
            # openpyxl warns of cell formats and validations it does not keep; only values are read here.
            warnings.simplefilter("ignore", UserWarning)
            book = load_workbook(path, read_only=True, data_only=True)
            for sheet in book.worksheets:
                name = sheet.title.strip().lower()
                source = f"{path.name}, sheet {sheet.title.strip()}"
                if name not in TABLES:
                    problems += _unknown_table(source, name)
                    continue
                sheet.reset_dimensions()  # the stored size of a sheet is often wrong
                records = [
                    (row, [_cell_text(value, reading.decimal) for value in values])
                    for row, values in enumerate(sheet.iter_rows(values_only=True), start=1)
                ]
                _collect(*_table(records, name, source), into=tables, problems=problems)
            book.close()
    except (zipfile.BadZipFile, KeyError, OSError, ValueError):
        remedy = "close it in Excel, remove any password, and save it as an Excel workbook (.xlsx)"
        raise DataError(f"{path.name}: cannot be read as an Excel workbook -> {remedy}") from None
    return tables, problems


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
    table: RawTable | None, found: list[Problem], *, into: dict[str, RawTable], problems: list[Problem]
) -> None:
    problems += found
    if table is None:
        return
    if table.name in into:
        what = f"the table {table.name} is given twice (also {into[table.name].source})"
        problems.append(Problem(source=table.source, what=what, remedy="keep one of them"))
    into[table.name] = table


def _table(records: list[tuple[int, list[str]]], name: str, source: str) -> tuple[RawTable | None, list[Problem]]:
    """Records with their row numbers as one table: header first, blank rows left out."""
    filled = [(row, [cell.strip() for cell in record]) for row, record in records]
    filled = [(row, record) for row, record in filled if any(record)]
    if not filled:
        return None, []
    header_row, header = filled[0]
    columns = [_column_name(cell) for cell in header]
    while columns and not columns[-1]:
        columns.pop()
    problems = list(_header_problems(columns, header_row, source))
    too_long = [(row, record) for row, record in filled[1:] if any(record[len(columns) :])]
    if too_long:
        problems.append(
            Problem(
                source=source,
                rows=tuple(row for row, _ in too_long),
                what=f"has more cells than the {len(columns)} columns of the header",
                remedy="put quotes around a text that holds the separator, or name the column",
            )
        )
    if problems:
        return None, problems
    width = len(columns)
    body = [record[:width] + [""] * (width - len(record)) for _, record in filled[1:]]
    cells = pd.DataFrame(body, columns=columns, dtype=object)
    rows = np.array([row for row, _ in filled[1:]], dtype=int)
    return RawTable(name=name, source=source, cells=cells, rows=rows), []


def _column_name(cell: str) -> str:
    return "_".join(cell.lower().split())


def _header_problems(columns: list[str], row: int, source: str) -> Iterable[Problem]:
    for name in dict.fromkeys(columns):
        if not name:
            yield Problem(source=source, rows=(row,), what="a column has no name", remedy="name it or remove it")
        elif columns.count(name) > 1:
            yield Problem(source=source, rows=(row,), what=f"two columns are named {name!r}", remedy="keep one of them")


def _unknown_table(source: str, name: str) -> list[Problem]:
    """A file or sheet of another name is the user's own business, unless it looks like a misspelt table."""
    near = get_close_matches(name, TABLES, n=1, cutoff=0.75)
    if not near:
        return []
    what = f"{name!r} is not a table and was not read"
    return [Problem(source=source, what=what, remedy=f"did you mean {near[0]!r}?", level="warning")]
