"""The key figures of all reports as an Excel workbook: unrounded, a sheet per question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qieval.batch.place import written_whole
from qieval.batch.records import Record
from qieval.errors import ReportError
from qieval.present.wording.key_figures import explained

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

ABOUT = "about"  # the sheet that explains the columns
WIDEST, NARROWEST = 44, 9  # columns, in characters

Row = dict[str, Any]


def write_workbook(folder: Path, records: Sequence[Record]) -> Path:
    """Write ``key_figures.xlsx`` into `folder`, whole at any moment; returns its path.

    Raises
    ------
    ReportError
        If the one that is there is open in Excel.
    """
    from openpyxl import Workbook

    sheets: dict[str, list[Row]] = {}
    for record in records:
        lead = {"collaborative": record["collaborative"], "title": record["title"]}
        for notebook, values in record["values"].items():
            for sheet, row in rows(notebook, values):
                sheets.setdefault(sheet, []).append(lead | row)
    columns = {name: _columns(table) for name, table in sheets.items()}
    book = Workbook(write_only=True)  # cells are not kept: thousands of reports take no more memory than one
    about = [
        {"sheet": name, "column": column, "meaning": meaning, "unit": unit}
        for name in sheets
        for column in columns[name]
        for meaning, unit in [explained(column) or ("", "")]
    ]
    _add_sheet(book, ABOUT, ["sheet", "column", "meaning", "unit"], about)
    for name, table in sheets.items():
        _add_sheet(book, name, columns[name], table)
    path = folder / "key_figures.xlsx"
    try:
        with written_whole(path) as unfinished:
            book.save(unfinished)
    except (PermissionError, IsADirectoryError) as error:
        raise ReportError(
            f"{path.name}: cannot be replaced ({error.strerror}) -> close it in Excel, and run again; the reports are "
            "in place"
        ) from None
    return path


def _columns(table: Sequence[Row]) -> list[str]:
    """All columns in the order they come in, but for what is empty here and has parts elsewhere, as an interval has."""
    found = list(dict.fromkeys(column for row in table for column in row))
    filled = {column for row in table for column, value in row.items() if value is not None}
    return [
        column for column in found if column in filled or not any(other.startswith(f"{column}_") for other in found)
    ]


def rows(notebook: str, values: dict[str, Any]) -> Iterator[tuple[str, Row]]:
    """The key figures of one question as rows of sheets.

    A row per indicator if they are told by indicator, else one row; a list, such as visits by mentor type, gets a
    sheet of its own with a row per entry.
    """
    if values and all(isinstance(value, dict) for value in values.values()):
        for indicator, own in values.items():
            yield notebook, {"indicator_id": indicator} | _flat(own)
        return
    plain = _flat(values)
    if plain:
        yield notebook, plain
    for name, entries in values.items():
        if isinstance(entries, list):
            for entry in entries:
                yield f"{notebook} {name}", _flat(entry) if isinstance(entry, dict) else {name: entry}


def _flat(values: dict[str, Any], prefix: str = "") -> Row:
    row: Row = {}
    for name, value in values.items():
        if isinstance(value, dict):
            row |= _flat(value, f"{prefix}{name}_")
        elif not isinstance(value, list):
            row[f"{prefix}{name}"] = value
    return row


def _add_sheet(book: Workbook, title: str, columns: Sequence[str], table: Sequence[Row]) -> None:
    """A table with its header in sight and a filter on every column."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet: WriteOnlyWorksheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", "_", title)[:31])
    sheet.freeze_panes = "A2"
    for number, column in enumerate(columns, start=1):
        longest = max((len(str(row[column])) for row in table if isinstance(row.get(column), str)), default=0)
        width = min(max(longest, len(column), NARROWEST) + 2, WIDEST)
        if title == ABOUT and column == "meaning":
            width = longest + 2
        sheet.column_dimensions[get_column_letter(number)].width = width
    head = [_cell(sheet, column) for column in columns]
    for cell in head:
        cell.font, cell.alignment = Font(bold=True), Alignment(vertical="top")
    sheet.append(head)
    for row in table:
        sheet.append([_cell(sheet, row.get(column)) for column in columns])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(table) + 1}"


def _cell(sheet: WriteOnlyWorksheet, value: object) -> Any:
    """A number as a number and a text as a text, also one that looks like a formula."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if not isinstance(value, str):
        return WriteOnlyCell(sheet, value)
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
    cell.data_type = "s"
    # Without this mark the text would become a formula as soon as somebody edits the cell.
    cell.quotePrefix = value.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    return cell
