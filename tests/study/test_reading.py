"""Files become tables of text, with the row numbers that their author sees."""

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart

from qieval.errors import DataError
from qieval.study.parameters import Reading
from qieval.study.problems import lines_of
from qieval.study.reading import RawTable, read_tables
from qieval.study.schema import TABLES

FACILITIES = "facility_id,name\nF1,Hill\nF2,Vale\n"


def read(path: Path, **reading: str) -> tuple[dict[str, RawTable], list[str]]:
    """The tables at a path and every problem in words."""
    tables, problems = read_tables(path, Reading(**reading))
    return tables, lines_of(problems, "error") + [f"warning: {line}" for line in lines_of(problems, "warning")]


def rows_of(table: RawTable) -> list[list[str]]:
    return table.cells.to_numpy().tolist()


@pytest.fixture
def one_table(folder: Any):
    """The cells and the row numbers of a CSV file of facilities."""

    def read_it(content: str | bytes, **reading: str) -> tuple[list[list[str]], list[int]]:
        tables, said = read(folder(facilities=content), **reading)
        assert said == []
        return rows_of(tables["facilities"]), tables["facilities"].rows.tolist()

    return read_it


@pytest.fixture
def one_file(folder: Any):
    """What is said about a CSV file of facilities."""
    return lambda content, **reading: read(folder(facilities=content), **reading)[1]


# --- CSV: rows -------------------------------------------------------------------------------------


def test_rows_are_numbered_as_in_an_editor_with_the_header_as_row_1(one_table: Any):
    assert one_table(FACILITIES) == ([["F1", "Hill"], ["F2", "Vale"]], [2, 3])


def test_a_quoted_line_break_does_not_shift_the_rows_below_it(one_table: Any):
    cells, rows = one_table('facility_id,name\nF1,"Hill\nTop"\nF2,Vale\n')
    assert cells == [["F1", "Hill\nTop"], ["F2", "Vale"]]
    assert rows == [2, 4]


def test_blank_rows_are_left_out_and_still_counted(one_table: Any):
    assert one_table("facility_id,name\n\nF1,Hill\n,,\n  ,\nF2,Vale\n") == ([["F1", "Hill"], ["F2", "Vale"]], [3, 6])


def test_the_header_may_come_after_blank_rows(one_table: Any):
    assert one_table("\n,,\nfacility_id,name\nF1,Hill\n") == ([["F1", "Hill"]], [4])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_system_s_line_ends_are_read(one_table: Any, end: str):
    assert one_table(f"facility_id{end}F1{end}F2") == ([["F1"], ["F2"]], [2, 3])


def test_a_short_row_is_filled_up_with_blanks(one_table: Any):
    assert one_table("facility_id,name,district\nF1\n") == ([["F1", "", ""]], [2])


# --- CSV: cells ------------------------------------------------------------------------------------


def test_utf8_is_read_with_and_without_a_byte_order_mark(one_table: Any):
    text = "facility_id,name\nF1,Ané\n"
    assert one_table(text.encode()) == one_table(b"\xef\xbb\xbf" + text.encode()) == ([["F1", "Ané"]], [2])


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_refused_in_words(one_file: Any, encoding: str):
    said = one_file("facility_id,name\nF1,Ané\n".encode(encoding))
    assert said == ["facilities.csv: not UTF-8 text -> save it from Excel as 'CSV UTF-8'"]


def test_what_nobody_can_see_is_taken_away(one_table: Any):
    cells, _ = one_table("facility_id,name\n F1\u00a0,\u200bHill\u00a0\u00a0Top \t End\ufeff\n")
    assert cells == [["F1", "Hill Top End"]]


def test_an_accent_is_the_same_letter_however_a_computer_composes_it(one_table: Any):
    assert one_table("facility_id,name\nF1,Ane\u0301\n") == one_table("facility_id,name\nF1,An\u00e9\n")


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "<b>Hill</b>", "@SUM(A1)", "[link](x)", "{{ x }}", "\\n"]
)
def test_text_that_looks_like_a_formula_or_markup_stays_text(one_table: Any, text: str):
    assert one_table(f"facility_id,name\nF1,{text}\n") == ([["F1", text]], [2])


def test_header_names_forgive_capitals_spaces_and_hyphens(folder: Any):
    tables, _ = read(folder(facilities=" Facility ID ,joined-on,SETTING\nF1,2023-01-01,rural\n"))
    assert list(tables["facilities"].cells.columns) == ["facility_id", "joined_on", "setting"]


def test_an_empty_column_without_a_name_is_a_spacer(folder: Any):
    tables, said = read(folder(facilities="facility_id,,name,,\nF1,,Hill,,\n"))
    assert said == []
    assert tables["facilities"].cells.to_dict("list") == {"facility_id": ["F1"], "name": ["Hill"]}


# --- CSV: separators -------------------------------------------------------------------------------


def test_separators_are_read_as_declared(one_table: Any):
    assert one_table("facility_id;name\nF1;Hill, Top\n", separator=";") == ([["F1", "Hill, Top"]], [2])
    assert one_table("facility_id\tname\nF1\tHill\n", separator="tab") == ([["F1", "Hill"]], [2])


def test_the_line_that_tells_excel_the_separator_is_passed_over(one_table: Any):
    assert one_table("sep=;\nfacility_id;name\nF1;Hill\n", separator=";") == ([["F1", "Hill"]], [3])


@pytest.mark.parametrize(("sign", "name"), [(";", ";"), ("\t", "tab")])
def test_an_undeclared_separator_is_told_with_the_line_to_add(one_file: Any, sign: str, name: str):
    assert one_file(f"\nfacility_id{sign}name\nF1{sign}Hill\n") == [
        f"facilities.csv: its columns are separated by {name!r}, not by ',' -> "
        f"add 'options: {{reading: {{separator: \"{name}\"}}}}' to the parameters"
    ]


def test_commas_where_semicolons_were_declared(one_file: Any):
    assert one_file(FACILITIES, separator=";") == [
        "facilities.csv: its columns are separated by ',', not by ';' -> "
        "add 'options: {reading: {separator: \",\"}}' to the parameters"
    ]


# --- CSV: what cannot be a table -------------------------------------------------------------------


def test_a_quotation_mark_never_closed_does_not_swallow_the_rows_below(one_file: Any):
    assert one_file('facility_id,name\nF1,Hill\nF2,"Vale\nF3,Dale\n') == [
        "facilities.csv: not readable from line 3 on -> "
        "look there for a quotation mark that is not closed, and save it as CSV again"
    ]


def test_a_title_above_the_header_is_told_with_the_row_of_the_header(one_file: Any):
    assert one_file("Facilities in Kangra 2023,\n,\nfacility_id,name\nF1,Hill\n") == [
        "facilities.csv, row 1: not the column names, which stand in row 3 -> remove what is above row 3"
    ]


def test_a_header_repeated_further_down_is_told(one_file: Any):
    assert one_file("facility_id,name\nF1,Hill\nFacility ID,Name\nF2,Vale\n") == [
        "facilities.csv, row 3: repeats the column names -> remove the row"
    ]


def test_two_columns_of_one_name_are_told(one_file: Any):
    assert one_file("facility_id,name,Facility ID\nF1,Hill,F1\n") == [
        "facilities.csv, row 1: two columns are named 'facility_id' -> keep one of them"
    ]


def test_a_filled_cell_outside_the_named_columns_is_told(one_file: Any):
    said = (
        "a cell is filled in a column without a name -> "
        "name the column, or put quotes around a text that holds the separator"
    )
    assert one_file("facility_id,name\nF1,Hill, upper\n") == [f"facilities.csv, row 2: {said}"]
    assert one_file("facility_id,,name\nF1,,Hill\nF2,x,Vale\n") == [f"facilities.csv, row 3: {said}"]


def test_a_file_that_cannot_be_opened_is_told(folder: Any):
    home = folder(indicators="indicator_id\n")
    (home / "facilities.csv").mkdir()
    assert read(home)[1] == ["facilities.csv: cannot be opened -> close it in Excel, and check that you may read it"]


def test_an_empty_file_is_told_and_the_others_are_read(folder: Any):
    tables, said = read(folder(facilities=FACILITIES, visits="\n,,\n"))
    assert list(tables) == ["facilities"]
    assert said == ["warning: visits.csv: is empty -> write the column names in its first row, or remove it"]


def test_a_header_without_rows_is_an_empty_table(folder: Any):
    tables, said = read(folder(facilities="facility_id,name\n"))
    assert said == []
    assert tables["facilities"].cells.shape == (0, 2)
    assert len(tables["facilities"].rows) == 0


# --- folders ---------------------------------------------------------------------------------------


def test_file_names_forgive_capitals_and_spaces(folder: Any):
    assert set(read(folder(**{"Facilities": FACILITIES, "Visit Totals": "mentor_type\n"}))[0]) == {
        "facilities",
        "visit_totals",
    }


def test_a_table_given_twice_is_told(folder: Any):
    _, said = read(folder(**{"Visit Totals": "mentor_type\n", "visit_totals": "mentor_type\n"}))
    assert said == [
        "visit_totals.csv: the table visit_totals is given twice (also Visit Totals.csv) -> keep one of them"
    ]


def test_every_file_that_is_no_table_is_told(folder: Any):
    tables, said = read(folder(facilities=FACILITIES, visit="x\n", notes="x\n", kangra_costs_2023="x\n"))
    assert list(tables) == ["facilities"]
    unread = "is not the name of a table and was not read"
    assert said == [
        f"warning: kangra_costs_2023.csv: 'kangra_costs_2023' {unread} -> did you mean 'costs'?",
        f"warning: notes.csv: 'notes' {unread} -> nothing to do if it is your own",
        f"warning: visit.csv: 'visit' {unread} -> did you mean 'visits'?",
    ]


NOTHING = (
    f"holds none of the tables {', '.join(TABLES)} -> "
    "name each file or sheet after its table, or start from `qieval template study.xlsx`"
)


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_tables(path, Reading())
    return str(caught.value)


def test_a_folder_without_tables_is_refused(folder: Any):
    assert refusal(folder(notes="x\n")) == f"study: {NOTHING}"


def test_a_folder_with_a_misspelt_table_says_what_to_do_with_it(folder: Any):
    assert refusal(folder(visit="x\n")) == f"study: {NOTHING}; visit.csv: did you mean 'visits'?"
    assert refusal(folder(notes="x\n", visit="x\n")) == f"study: {NOTHING}; visit.csv: did you mean 'visits'?"


def test_a_folder_with_an_empty_table_only_is_refused(folder: Any):
    remark = "visits.csv: write the column names in its first row, or remove it"
    assert refusal(folder(visits="")) == f"study: {NOTHING}; {remark}"


def test_a_csv_file_alone_is_refused_with_the_way_out(folder: Any):
    path = folder(facilities=FACILITIES) / "facilities.csv"
    assert refusal(path) == "facilities.csv: a single csv file -> give the folder it lies in"


def test_an_old_excel_file_is_refused_with_the_way_out(tmp_path: Path):
    path = tmp_path / "study.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0")
    assert refusal(path) == "study.xls: neither a folder nor an .xlsx file -> save it as an Excel workbook (.xlsx)"


# --- Excel -----------------------------------------------------------------------------------------


def excel_cells(workbook: Any, *row: object, **reading: str) -> list[str]:
    """One row of a sheet as text."""
    header = ["facility_id", *(f"c{place}" for place in range(len(row) - 1))]
    return rows_of(read(workbook(facilities=[header, list(row)]), **reading)[0]["facilities"])[0]


def test_whole_numbers_are_ids_without_a_point(workbook: Any):
    assert excel_cells(workbook, 12, 12.0, 1.5, "012") == ["12", "12", "1.5", "012"]


def test_dates_become_iso_dates_and_their_hours_are_left_out(workbook: Any):
    row = excel_cells(workbook, "F1", dt.datetime(2023, 2, 1), dt.datetime(2023, 2, 1, 14, 30), dt.date(2023, 2, 1))
    assert row == ["F1", "2023-02-01", "2023-02-01", "2023-02-01"]


def test_true_and_false_become_yes_and_no(workbook: Any):
    assert excel_cells(workbook, "F1", True, False) == ["F1", "yes", "no"]


def test_a_time_of_day_stays_visible_as_one(workbook: Any):
    assert excel_cells(workbook, "F1", dt.time(1, 30)) == ["F1", "01:30:00"]


def test_numbers_of_a_sheet_are_numbers_whatever_decimal_sign_the_texts_have(workbook: Any):
    assert excel_cells(workbook, "F1", 1.234, decimal=",") == ["F1", "1,234"]


def test_rows_are_numbered_as_in_excel(workbook: Any):
    tables, _ = read(workbook(facilities=[[], ["facility_id"], ["F1"], [None], ["F2"]]))
    assert rows_of(tables["facilities"]) == [["F1"], ["F2"]]
    assert tables["facilities"].rows.tolist() == [3, 5]


def test_a_table_may_start_right_of_the_first_column(workbook: Any):
    tables, _ = read(workbook(facilities=[[None, None, "facility_id"], [None, None, "F1"]]))
    assert tables["facilities"].cells.to_dict("list") == {"facility_id": ["F1"]}


def test_every_sheet_that_is_no_table_is_told_but_the_guide(workbook: Any):
    rows = [["facility_id"], ["F1"]]
    tables, said = read(workbook(**{"Facilities ": rows, "visit": rows, "read me": rows, "Sheet1": rows}))
    assert list(tables) == ["facilities"]
    assert said == [
        "warning: study.xlsx, sheet visit: 'visit' is not the name of a table and was not read -> "
        "did you mean 'visits'?",
        "warning: study.xlsx, sheet Sheet1: 'sheet1' is not the name of a table and was not read -> "
        "nothing to do if it is your own",
    ]


def test_a_sheet_says_where_a_header_is_wrong(workbook: Any):
    _, said = read(workbook(facilities=[[None], ["facility_id", "facility_id"], ["F1", "F1"]]))
    assert said == ["study.xlsx, sheet facilities, row 2: two columns are named 'facility_id' -> keep one of them"]


def test_merged_cells_are_refused_because_only_the_first_holds_the_value(workbook: Any):
    path = workbook(facilities=[["facility_id", "district"], ["F1", "Kangra"], ["F2", None]])
    book = load_workbook(path)
    book["facilities"].merge_cells("B2:B3")
    book.save(path)
    assert read(path)[1] == [
        "study.xlsx, sheet facilities: cells are merged (B2:B3), so that only the first of them holds the value -> "
        "unmerge them and fill in every cell"
    ]


def test_merged_cells_that_hold_nothing_do_no_harm(workbook: Any):
    path = workbook(facilities=[["facility_id"], ["F1"]])
    book = load_workbook(path)
    book["facilities"].merge_cells("C2:D5")
    book.save(path)
    assert read(path)[1] == []


NEVER_CALCULATED = (
    "study.xlsx, sheet facilities: holds formulas without their results -> open it in Excel, save it and try again"
)


def test_formulas_that_were_never_calculated_are_not_read_as_blank(workbook: Any):
    assert read(workbook(facilities=[["facility_id", "wave"], ["F1", "=1+1"]]))[1] == [NEVER_CALCULATED]


def with_sheet_xml(path: Path, old: str, new: str) -> Path:
    """The workbook as Excel would have left it: not marked for calculation, one sheet's XML changed."""
    with zipfile.ZipFile(path) as parts:
        content = {name: parts.read(name).decode() for name in parts.namelist()}
    content["xl/workbook.xml"] = content["xl/workbook.xml"].replace(' fullCalcOnLoad="1"', "")
    sheet = "xl/worksheets/sheet1.xml"
    assert old in content[sheet]
    content[sheet] = content[sheet].replace(old, new)
    with zipfile.ZipFile(path, "w") as parts:
        for name, text in content.items():
            parts.writestr(name, text)
    return path


@pytest.mark.parametrize("cell", ["<f>1+1</f>", '<f t="shared" si="0"/>'])
def test_a_formula_without_any_result_is_not_read_as_blank(workbook: Any, cell: str):
    path = workbook(facilities=[["facility_id", "wave"], ["F1", "=1+1"]])
    assert read(with_sheet_xml(path, "<f>1+1</f><v />", cell))[1] == [NEVER_CALCULATED]


def test_a_calculated_formula_is_read_as_its_result(workbook: Any):
    path = workbook(facilities=[["facility_id", "wave"], ["F1", "=1+1"]])
    tables, said = read(with_sheet_xml(path, "<f>1+1</f><v />", "<f>1+1</f><v>2</v>"))
    assert said == []
    assert rows_of(tables["facilities"]) == [["F1", "2"]]


def test_an_error_cell_is_read_as_it_is_shown(workbook: Any):
    assert excel_cells(workbook, "F1", "#REF!", "#DIV/0!") == ["F1", "#REF!", "#DIV/0!"]


def test_formats_and_drop_down_lists_that_openpyxl_does_not_know_make_no_noise(workbook: Any):
    path = workbook(facilities=[["facility_id"], ["F1"]])
    more = "</sheetData><extLst><ext uri='{CCE6A557-97BC-4B89-ADB6-D9C93CAAB3DF}'><a/></ext></extLst>"
    assert read(with_sheet_xml(path, "</sheetData>", more))[1] == []


NO_WORKBOOK = (
    "study.xlsx: cannot be read as an Excel workbook -> "
    "close it in Excel, remove any password, and save it as an Excel workbook (.xlsx)"
)


@pytest.mark.parametrize("content", [b"", b"visit_id,facility_id\n", b"\xd0\xcf\x11\xe0", b"<html></html>"])
def test_a_file_that_only_claims_to_be_a_workbook_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "study.xlsx"
    path.write_bytes(content)
    assert refusal(path) == NO_WORKBOOK


def test_a_damaged_workbook_is_refused(workbook: Any):
    assert refusal(with_sheet_xml(workbook(facilities=[["facility_id"]]), "</sheetData>", "</oops>")) == NO_WORKBOOK


def test_a_zip_file_that_is_no_workbook_is_refused(tmp_path: Path):
    path = tmp_path / "study.xlsx"
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("a.txt", "a")
    assert refusal(path) == NO_WORKBOOK


def test_a_workbook_without_tables_is_refused(workbook: Any):
    assert refusal(workbook(Sheet1=[["a"]])) == f"study.xlsx: {NOTHING}"


def test_a_chart_sheet_is_passed_over(tmp_path: Path):
    book = Workbook()
    book.active.title = "facilities"
    book.active.append(["facility_id"])
    book.create_chartsheet("visits").add_chart(BarChart())
    book.save(tmp_path / "study.xlsx")
    assert set(read(tmp_path / "study.xlsx")[0]) == {"facilities"}


# --- several collaboratives in one store -----------------------------------------------------------


def test_a_table_is_cut_down_to_one_collaborative_and_keeps_its_row_numbers(folder: Any):
    tables, _ = read(folder(facilities="facility_id,Collaborative ID\nF1,kangra\nF2,mandi\nF3,kangra\n"))
    mine = tables["facilities"].of_collaborative("kangra")
    assert mine.cells.to_dict("list") == {"facility_id": ["F1", "F3"]}
    assert mine.rows.tolist() == [2, 4]


def test_a_table_that_does_not_tell_whose_rows_they_are_is_everybody_s(folder: Any):
    table = read(folder(facilities=FACILITIES))[0]["facilities"]
    assert table.of_collaborative("kangra") is table
