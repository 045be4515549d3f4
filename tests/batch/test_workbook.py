"""The key figures of all reports in Excel."""

import json
from pathlib import Path

import openpyxl
import pytest

from qieval.batch.workbook import rows, write_workbook
from tests.batch.conftest import Batch
from tests.batch.finished import a_record, main_indicator

MENTORING = {
    "groups": [{"mentor_type": "hub", "done": 4.0}, {"mentor_type": "network", "done": 34.0}],
    "never_visited": 2,
}


def opened(folder: Path, *records):
    return openpyxl.load_workbook(write_workbook(folder, records))


def column(sheet, name):
    place = [cell.value for cell in sheet[1]].index(name)
    return [row[place].value for row in sheet.iter_rows(min_row=2)]


def test_there_is_a_sheet_per_question_and_a_row_per_indicator(tmp_path: Path) -> None:
    values = {"effectiveness": {"a": main_indicator(), "b": main_indicator()}, "durations": {"undated": 3}}
    book = opened(tmp_path, a_record("one", values=values), a_record("two", values=values))
    assert book.sheetnames == ["about", "effectiveness", "durations"]
    assert column(book["effectiveness"], "collaborative") == ["one", "one", "two", "two"]
    assert column(book["effectiveness"], "indicator_id") == ["a", "b", "a", "b"]
    assert column(book["durations"], "undated") == [3, 3]


def test_a_list_gets_a_sheet_of_its_own() -> None:
    assert list(rows("mentoring", MENTORING)) == [
        ("mentoring", {"never_visited": 2}),
        ("mentoring groups", {"mentor_type": "hub", "done": 4.0}),
        ("mentoring groups", {"mentor_type": "network", "done": 34.0}),
    ]


def test_numbers_are_numbers_and_not_rounded(tmp_path: Path) -> None:
    third = {"estimate": 1 / 3, "low": None, "high": 0.5}
    sheet = opened(tmp_path, a_record(values={"effectiveness": {"a": main_indicator(against_own_trend=third)}}))[
        "effectiveness"
    ]
    assert column(sheet, "against_own_trend_estimate") == [1 / 3]
    assert column(sheet, "against_own_trend_low") == [None]


def test_an_interval_that_one_report_lacks_has_no_column_beside_those_of_its_parts(tmp_path: Path) -> None:
    with_one, without = (main_indicator(against_own_trend=value) for value in ({"estimate": 0.5}, None))
    records = [a_record(name, values={"effectiveness": {"a": one}}) for name, one in (("x", with_one), ("y", without))]
    names = [cell.value for cell in opened(tmp_path, *records)["effectiveness"][1]]
    assert "against_own_trend_estimate" in names
    assert "against_own_trend" not in names


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(1)\x07"])
def test_a_text_that_looks_like_a_formula_stays_text(tmp_path: Path, title: str) -> None:
    sheet = opened(tmp_path, a_record(title=title, values={"durations": {"undated": 0}}))["durations"]
    assert sheet["B2"].data_type == "s"
    assert sheet["B2"].value == title.replace("\x07", "")
    assert sheet["B2"].quotePrefix


def test_the_header_stays_in_sight_and_every_column_filters(tmp_path: Path) -> None:
    sheet = opened(tmp_path, a_record(values={"mentoring": MENTORING}))["mentoring groups"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:D3"
    assert sheet.column_dimensions["B"].width > 12


def test_without_reports_there_is_the_sheet_that_explains(tmp_path: Path) -> None:
    assert opened(tmp_path).sheetnames == ["about"]


def test_nothing_unfinished_stays_behind(tmp_path: Path) -> None:
    write_workbook(tmp_path, [a_record()])
    assert [path.name for path in tmp_path.iterdir()] == ["key_figures.xlsx"]


def test_every_column_of_a_batch_is_explained(batch: Batch) -> None:
    about = openpyxl.load_workbook(batch.out / "key_figures.xlsx")["about"]
    unexplained = [f"{row[0].value}: {row[1].value}" for row in about.iter_rows(min_row=2) if not row[2].value]
    assert unexplained == []


def test_the_workbook_holds_what_the_reports_hold(batch: Batch) -> None:
    record = json.loads((batch.out / "demo" / "report.json").read_text(encoding="utf-8"))
    sheet = openpyxl.load_workbook(batch.out / "key_figures.xlsx")["effectiveness"]
    found = dict(zip(column(sheet, "collaborative"), column(sheet, "against_own_trend_estimate"), strict=True))
    last = list(record["values"]["effectiveness"].values())[-1]
    assert found["demo"] == last["against_own_trend"]["estimate"]
