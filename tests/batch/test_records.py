"""What reports say of themselves, as the pages across them read it."""

import json
from pathlib import Path
from typing import Any

import pytest

from qieval.batch.index import QUICK, write_index, write_index_in_haste
from qieval.batch.records import RESULTS, last_made, main_indicator, read_record, read_records
from tests.batch.finished import a_record
from tests.batch.finished import main_indicator as values_of_main


def saved(out: Path, name: str, **changes: Any) -> Path:
    path = out / name / "report.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(a_record(name, **changes)), encoding="utf-8")
    path.with_name("manifest.json").write_text("{}", encoding="utf-8")
    return path


def told(verdict: str) -> dict[str, Any]:
    """The key figures of a report whose run chart says this."""
    return {"effectiveness": {"births": values_of_main(verdict=verdict)}}


def order(out: Path) -> list[str]:
    return [record["collaborative"] for record in read_records(out)]


def test_a_folder_without_reports_has_none(tmp_path: Path) -> None:
    assert read_records(tmp_path) == []
    assert last_made([]) == ""


def test_what_was_not_made_comes_first_then_failed_sections_then_the_rest(tmp_path: Path) -> None:
    for name, status in (("a", "made"), ("b", "section failed"), ("c", "not made")):
        saved(tmp_path, name, status=status)
    assert order(tmp_path) == ["c", "b", "a"]


def test_within_a_status_the_worst_result_comes_first_and_one_without_a_result_last(tmp_path: Path) -> None:
    for number, verdict in enumerate(reversed(RESULTS)):
        saved(tmp_path, f"r{number}", values=told(verdict))
    saved(tmp_path, "none")
    saved(tmp_path, "unheard_of", values=told("a result of a later version"))
    assert order(tmp_path) == [*(f"r{number}" for number in reversed(range(len(RESULTS)))), "none", "unheard_of"]


def test_equals_go_by_title_whatever_its_capitals_then_by_id(tmp_path: Path) -> None:
    for name, title in (("3", "banda"), ("1", "Banda"), ("2", "Agra")):
        saved(tmp_path, name, title=title)
    assert order(tmp_path) == ["2", "1", "3"]


def test_hidden_folders_and_loose_files_are_no_reports(tmp_path: Path) -> None:
    saved(tmp_path, "kangra")
    saved(tmp_path, ".making-abc")
    saved(tmp_path / ".making-abc", "mandi")
    saved(tmp_path / "kangra", "previous")
    (tmp_path / "report.json").write_text("{}", encoding="utf-8")
    (tmp_path / "notes").mkdir()
    assert order(tmp_path) == ["kangra"]


def test_a_folder_that_was_renamed_is_called_as_it_is_now_so_that_links_lead_to_it(tmp_path: Path) -> None:
    saved(tmp_path, "kangra").parent.rename(tmp_path / "kangra (last year)")
    assert order(tmp_path) == ["kangra (last year)"]
    assert 'href="kangra%20%28last%20year%29/report.html"' in write_index(tmp_path).read_text(encoding="utf-8")


def test_a_record_cannot_lead_elsewhere(tmp_path: Path) -> None:
    path = saved(tmp_path, "kangra")
    path.write_text(json.dumps(a_record("../../elsewhere")), encoding="utf-8")
    assert order(tmp_path) == ["kangra"]


DAMAGED = [
    b"", b"{", b"\0\0", b"\xff", b"null", b"[]", b"3", b'"made"', b"{}", b"[" * 100_000,
    *(
        json.dumps({name: value for name, value in (a_record() | change).items() if value is not ...}).encode()
        for change in (
            {"status": "finished"}, {"status": None}, {"status": ["made"]}, {"title": None}, {"title": ...},
            {"made_on": 2024}, {"errors": "no"}, {"cells": {}}, {"values": []}, {"answers": ...}, {"left_out": None},
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_record_counts_as_a_report_not_made_and_hides_no_other(tmp_path: Path, content: bytes) -> None:
    saved(tmp_path, "mandi", title="Mandi")
    saved(tmp_path, "kangra").write_bytes(content)
    assert read_record(tmp_path / "kangra" / "report.json") is None
    damaged, whole = read_records(tmp_path)
    assert (damaged["collaborative"], damaged["title"], damaged["status"]) == ("kangra", "kangra", "not made")
    assert damaged["errors"] == ["report.json: is damaged, or of another version of qieval -> run this report again"]
    assert whole["title"] == "Mandi"


def test_a_report_without_a_manifest_was_not_finished_and_counts_as_not_made(tmp_path: Path) -> None:
    saved(tmp_path, "mandi", title="Mandi")
    saved(tmp_path, "kangra").with_name("manifest.json").unlink()
    unfinished, whole = read_records(tmp_path)
    assert (unfinished["collaborative"], unfinished["status"]) == ("kangra", "not made")
    assert unfinished["errors"] == [
        "manifest.json: is missing: not finished, or made by an older qieval -> run this report again"
    ]
    assert whole["title"] == "Mandi"


def test_the_pages_across_reports_are_made_in_spite_of_a_damaged_one(tmp_path: Path) -> None:
    saved(tmp_path, "mandi", title="Mandi")
    saved(tmp_path, "kangra").write_text("{", encoding="utf-8")
    page = write_index(tmp_path).read_text(encoding="utf-8")
    assert page.index("is damaged, or of another version of qieval") < page.index(">Mandi</a>")
    assert "kangra" not in (tmp_path / "compare.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("reports", "written"), [(0, False), (QUICK, True), (QUICK + 1, False)])
def test_who_stops_a_batch_need_not_wait_for_pages_over_many_reports(
    tmp_path: Path, reports: int, written: bool
) -> None:
    for number in range(reports):
        saved(tmp_path, f"c{number}")
    (tmp_path / "index.html").write_text("as it was", encoding="utf-8")
    write_index_in_haste(tmp_path)
    assert ((tmp_path / "index.html").read_text(encoding="utf-8") != "as it was") == written
    assert (tmp_path / "key_figures.xlsx").exists() == written


def test_the_main_indicator_is_the_first_of_the_study() -> None:
    first, second = values_of_main(name="Breastfeeding"), values_of_main(name="Skin to skin")
    assert main_indicator(a_record(values={"effectiveness": {"b": first, "a": second}})) == first
    assert main_indicator(a_record(values={"effectiveness": {}})) is None
    assert main_indicator(a_record()) is None


def test_the_newest_report_says_when_the_pages_were_last_made() -> None:
    made = [a_record(made_on=day) for day in ("2024-07-01 10:00", "2024-07-02 09:00", "")]
    assert last_made(made) == "2024-07-02 09:00"
