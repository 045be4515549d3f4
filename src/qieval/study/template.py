"""The tables as an empty Excel workbook, ready to be filled in."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from qieval.errors import ReportError
from qieval.study.schema import COLLABORATIVE, TABLES, TYPES, Column, Table, Type

if TYPE_CHECKING:
    from openpyxl.worksheet.datavalidation import DataValidation
    from openpyxl.worksheet.worksheet import Worksheet

READ_ME = "read me"
LAST_ROW = 1_048_576  # of any Excel sheet

# Text is a format too: without it Excel turns the id 01 into 1, and 1-2 into a day of January.
FORMATS: dict[Type, str] = {"text": "@", "date": "yyyy-mm-dd", "month": "yyyy-mm-dd"}

REQUIRED, OPTIONAL = "FF0072B2", "FFE6E6E6"  # blue with white letters, grey with black ones

GUIDE = (
    ("How to fill in this workbook", True),
    ("Each sheet is one table. Fill in the sheets you have data for; leave the others as they are.", False),
    ("Point at a column name to read what belongs into the column.", False),
    ("Bold white names on blue: no cell of the column may be blank.", True),
    ("Plain black names on grey: leave a cell blank if it is not known. A blank is never read as zero.", False),
    ("Dates are whole days, such as 2023-07-31. A month is its first day, such as 2023-07-01.", False),
    ("An id is a short text of your own, written the same in every sheet.", False),
    ("Keep the names of sheets and columns, and leave no title above and no totals below a table.", False),
    (f"A column {COLLABORATIVE.name} may be added to any sheet: {COLLABORATIVE.meaning}.", False),
)


def write_template(path: Path) -> None:
    """An Excel workbook with one empty sheet per table, its columns explained.

    Raises
    ------
    ReportError
        If the file is there already, or cannot be written.
    """
    from openpyxl import Workbook

    if path.suffix.lower() != ".xlsx":
        raise ReportError(f"{path}: an Excel workbook needs a name that ends in .xlsx -> try {path.stem}.xlsx")
    book = Workbook()
    _write_read_me(book.active)
    for table in TABLES.values():
        _write_sheet(book.create_sheet(table.name), table)
    content = BytesIO()
    book.save(content)
    try:
        with path.open("xb") as file:  # x: never over a workbook that somebody has filled in
            file.write(content.getvalue())
    except FileExistsError:
        raise ReportError(f"{path}: there is such a file already -> choose another name, or remove it first") from None
    except OSError as error:
        raise ReportError(f"{path}: cannot be written ({error.strerror}) -> choose another folder") from None


def _write_read_me(sheet: Worksheet) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.worksheet.hyperlink import Hyperlink

    sheet.title = READ_ME
    sheet.sheet_view.showGridLines = False
    sheet.column_dimensions["A"].width = 18
    sheet.column_dimensions["B"].width = 100
    for row, (text, bold) in enumerate(GUIDE, start=1):
        sheet.cell(row, 1, text).font = Font(bold=bold, size=14 if row == 1 else 11)
    for row, table in enumerate(TABLES.values(), start=len(GUIDE) + 2):
        name = sheet.cell(row, 1, table.name)
        name.hyperlink = Hyperlink(ref=name.coordinate, location=f"'{table.name}'!A1")
        name.font = Font(color=REQUIRED, underline="single")
        sheet.cell(row, 2, f"{table.meaning} Required: {_required(table)}.").alignment = Alignment(wrap_text=True)


def _required(table: Table) -> str:
    return ", ".join(column.name for column in table.columns if column.required)


def _write_sheet(sheet: Worksheet, table: Table) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Font, PatternFill

    sheet.freeze_panes = "A2"
    for place, column in enumerate(table.columns, start=1):
        cell = sheet.cell(1, place, column.name)
        cell.font = Font(bold=column.required, color="FFFFFFFF" if column.required else "FF000000")
        cell.fill = PatternFill("solid", fgColor=REQUIRED if column.required else OPTIONAL)
        cell.comment = Comment(explain(column), "qieval", width=300, height=140)
        below = sheet.column_dimensions[cell.column_letter]
        below.width = max(12, len(column.name) + 4)
        below.number_format = FORMATS.get(column.type, "General")
        rule = _rule(column)
        if rule is not None:
            rule.add(f"{cell.column_letter}2:{cell.column_letter}{LAST_ROW}")
            sheet.add_data_validation(rule)


def explain(column: Column) -> str:
    """What belongs into a column, one fact a line."""
    lines = [column.meaning, f"Type: {TYPES[column.type]}{f', in {column.unit}' if column.unit else ''}"]
    if column.allowed:
        lines.append(f"One of: {', '.join(column.allowed)}")
    if column.refers_to:
        lines.append(f"An id of the sheet {column.refers_to}")
    lines.append("Required" if column.required else "May be blank")
    return "\n".join(lines)


def _rule(column: Column) -> DataValidation | None:
    """What Excel lets a user type: a list to choose from, a date, or a number of the right kind."""
    from openpyxl.worksheet.datavalidation import DataValidation

    choices = ("yes", "no") if column.type == "yes_no" else column.allowed
    if choices:
        rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"')
        rule.error = f"Write one of: {', '.join(choices)}"
    elif column.type in ("date", "month"):
        rule = DataValidation(type="date", operator="greaterThan", formula1="1")  # Excel's days begin in 1900
        rule.error = "Write a day, such as 2023-07-01"
    elif column.type in ("number", "count") and column.minimum is not None:
        kind = "whole" if column.type == "count" else "decimal"
        rule = DataValidation(type=kind, operator="greaterThanOrEqual", formula1="0")
        rule.error = f"Write a {'whole ' if column.type == 'count' else ''}number, 0 or more"
    else:
        return None
    rule.allow_blank, rule.showErrorMessage, rule.errorTitle = True, True, column.name
    return rule
