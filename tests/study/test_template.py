"""The empty workbook that users fill in."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.datavalidation import DataValidation

from qieval.errors import DataError, ReportError
from qieval.study.checking import check_tables
from qieval.study.parameters import Reading
from qieval.study.reading import read_tables
from qieval.study.schema import TABLES
from qieval.study.template import write_template

every_table = pytest.mark.parametrize("table", TABLES)


@pytest.fixture(scope="module")
def path(tmp_path_factory: Any) -> Path:
    path = tmp_path_factory.mktemp("template") / "study.xlsx"
    write_template(path)
    return path


@pytest.fixture(scope="module")
def book(path: Path) -> Workbook:
    return load_workbook(path)


def rule(book: Workbook, table: str, column: str) -> DataValidation | None:
    """What Excel lets a user type into a column."""
    sheet = book[table]
    letter = next(cell.column_letter for cell in sheet[1] if cell.value == column)
    return next((one for one in sheet.data_validations.dataValidation if f"{letter}2" in one.sqref), None)


def test_the_sheets_are_the_guide_and_the_tables(book: Workbook):
    assert book.sheetnames == ["read me", *TABLES]
    assert book.active.title == "read me"


@every_table
def test_a_sheet_holds_the_column_names_and_nothing_else(book: Workbook, table: str):
    assert [[cell.value for cell in row] for row in book[table].iter_rows()] == [TABLES[table].column_names]


def test_no_cell_is_a_formula_and_nobody_is_named(book: Workbook):
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert (book.properties.creator, book.properties.lastModifiedBy) == ("openpyxl", None)


@every_table
def test_the_header_stays_in_sight(book: Workbook, table: str):
    assert book[table].freeze_panes == "A2"


@every_table
def test_every_column_is_explained_where_it_stands(book: Workbook, table: str):
    for cell, column in zip(book[table][1], TABLES[table].columns, strict=True):
        assert column.meaning in cell.comment.text
        assert all(value in cell.comment.text for value in column.allowed)
        assert cell.comment.text.endswith("Required" if column.required else "May be blank")


def test_a_note_gives_meaning_type_values_and_whether_it_is_required(book: Workbook):
    notes = {cell.value: cell.comment.text for cell in book["visits"][1]}
    assert notes["facility_id"] == "facility to be visited\nType: text\nAn id of the sheet facilities\nRequired"
    assert notes["mode"] == "how the visit was made\nType: text\nOne of: onsite, virtual\nMay be blank"
    assert notes["hours"] == "length of the visit\nType: number, in hours\nMay be blank"


@every_table
def test_required_columns_are_marked_by_weight_and_colour(book: Workbook, table: str):
    for cell, column in zip(book[table][1], TABLES[table].columns, strict=True):
        assert cell.font.bold is column.required
        assert (cell.fill.fgColor.rgb == "FF0072B2") is column.required


def test_the_guide_explains_the_marks_and_names_every_table(book: Workbook):
    text = "\n".join(str(cell.value) for row in book["read me"].iter_rows() for cell in row if cell.value)
    assert "Bold white names on blue: no cell of the column may be blank." in text
    assert "A blank is never read as zero." in text
    assert (
        "One row per mentoring visit that was planned, done or both. Required: visit_id, facility_id, mentor_type."
        in text
    )
    assert all(f"\n{name}\n" in text for name in TABLES)


def test_the_guide_leads_to_each_sheet(book: Workbook):
    links = {cell.value: cell.hyperlink.location for cell in book["read me"]["A"] if cell.hyperlink}
    assert links == {name: f"'{name}'!A1" for name in TABLES}


@every_table
def test_allowed_values_are_offered_as_a_list(book: Workbook, table: str):
    for column in TABLES[table].columns:
        if column.allowed:
            offered = rule(book, table, column.name)
            assert offered.type == "list"
            assert offered.formula1 == f'"{",".join(column.allowed)}"'


def test_yes_and_no_are_offered_as_a_list(book: Workbook):
    assert rule(book, "costs", "in_kind").formula1 == '"yes,no"'


def test_numbers_and_dates_are_guarded_and_free_text_is_not(book: Workbook):
    assert rule(book, "visits", "hours").type == "decimal"
    assert rule(book, "facilities", "wave").type == "whole"
    assert rule(book, "visits", "done_on").type == "date"
    assert rule(book, "measurements", "period").type == "date"
    assert rule(book, "facilities", "name") is None
    assert rule(book, "scores", "score") is None


def test_columns_keep_ids_as_text_and_show_dates_as_iso_dates(book: Workbook):
    formats = {
        cell.value: book["visits"].column_dimensions[cell.column_letter].number_format for cell in book["visits"][1]
    }
    assert formats["visit_id"] == "@"
    assert formats["done_on"] == "yyyy-mm-dd"
    assert formats["hours"] == "General"


def test_columns_are_wide_enough_for_their_names(book: Workbook):
    for sheet in book.worksheets[1:]:
        assert all(sheet.column_dimensions[cell.column_letter].width > len(cell.value) for cell in sheet[1])


def test_an_untouched_template_is_read_as_empty_tables_and_refused_as_such(path: Path, open_door: Any):
    tables, problems = read_tables(path, Reading())
    assert set(tables) == set(TABLES)
    assert problems == []
    assert all(table.cells.empty for table in tables.values())
    with pytest.raises(DataError) as caught:
        open_door(path)
    assert str(caught.value) == "study.xlsx: its tables hold no rows -> fill in at least one of them"


def test_the_header_of_every_table_in_the_template_has_nothing_wrong(path: Path):
    frames, problems = check_tables(read_tables(path, Reading())[0], data_cut=dt.date(2023, 12, 31))
    assert problems == []
    assert {name: list(frame.columns) for name, frame in frames.items()} == {
        name: table.column_names for name, table in TABLES.items()
    }


def test_a_filled_in_template_passes_the_door(tmp_path: Path, open_door: Any):
    write_template(tmp_path / "study.xlsx")
    book = load_workbook(tmp_path / "study.xlsx")
    book["facilities"]["A2"] = "01"
    for place, value in enumerate(("v1", "01", "hub", None, None, dt.date(2023, 1, 2)), start=1):
        book["visits"].cell(2, place, value)
    book.save(tmp_path / "study.xlsx")
    study, wrong, _ = open_door(tmp_path / "study.xlsx")
    assert wrong == []
    assert study["visits"]["facility_id"].tolist() == ["01"]
    assert f"{study['visits']['done_on'][0]:%Y-%m-%d}" == "2023-01-02"


def test_a_workbook_that_is_there_is_never_overwritten(tmp_path: Path):
    path = tmp_path / "study.xlsx"
    path.write_bytes(b"a year of work")
    with pytest.raises(ReportError) as caught:
        write_template(path)
    assert str(caught.value) == f"{path}: there is such a file already -> choose another name, or remove it first"
    assert path.read_bytes() == b"a year of work"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    path = tmp_path / "nowhere" / "study.xlsx"
    with pytest.raises(ReportError) as caught:
        write_template(path)
    assert str(caught.value) == f"{path}: cannot be written (No such file or directory) -> choose another folder"


def test_a_name_that_excel_would_not_open_is_told(tmp_path: Path):
    path = tmp_path / "study.csv"
    with pytest.raises(ReportError) as caught:
        write_template(path)
    assert str(caught.value) == f"{path}: an Excel workbook needs a name that ends in .xlsx -> try study.xlsx"
    assert not path.exists()
