"""The one file that says a report is finished, and of what it was made."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qieval.batch.manifest import (
    FORMAT,
    NAME,
    NOTEBOOKS,
    RECORD,
    Manifest,
    Part,
    as_json,
    digest,
    only_intact,
    read_manifest,
    sizes_in,
)
from tests.batch.finished import a_record

MADE = Part(outcome="made", recipe="r1", sha256="")
FAILED = Part(outcome="failed", recipe="r2", reason="ValueError: जन्म")
LEFT_OUT = Part(outcome="left out", recipe="r3", reason="needs visits, and this is missing or empty")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished report of a page, a figure and two executed notebooks."""
    own = tmp_path / "kangra"
    for name in (NOTEBOOKS, "figures"):
        (own / name).mkdir(parents=True)
    (own / "report.html").write_text("<!DOCTYPE html>", encoding="utf-8")
    (own / "figures" / "run_chart.svg").write_text("<svg/>", encoding="utf-8")
    for name in ("effectiveness", "durations"):
        (own / NOTEBOOKS / f"{name}.ipynb").write_text(f'{{"of": "{name}"}}', encoding="utf-8")
    (own / RECORD).write_text(json.dumps(a_record("kangra")), encoding="utf-8")
    write(own, manifest(own))
    return own


def manifest(folder: Path) -> Manifest:
    made = replace(MADE, sha256=digest(folder / NOTEBOOKS / "effectiveness.ipynb"))
    failed = replace(FAILED, sha256=digest(folder / NOTEBOOKS / "durations.ipynb"))
    parts = {"effectiveness": made, "durations": failed, "mentoring": LEFT_OUT}
    return Manifest(
        collaborative="kangra", status="made", files="f", rows="r", parts=parts, sizes=sizes_in(folder)
    )  # fmt: skip


def write(folder: Path, content: Manifest | Any) -> None:
    content = as_json(content) if isinstance(content, Manifest) else content
    (folder / NAME).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def test_what_was_written_is_read_again(folder: Path) -> None:
    assert read_manifest(folder) == manifest(folder)


def test_a_folder_without_one_holds_no_finished_report(folder: Path) -> None:
    (folder / NAME).unlink()
    assert read_manifest(folder) is None
    assert read_manifest(folder / "never made") is None


@pytest.mark.parametrize("other", [FORMAT + 1, FORMAT - 1, str(FORMAT), None])
def test_one_in_another_format_counts_as_none(folder: Path, other: object) -> None:
    write(folder, as_json(manifest(folder)) | {"format": other})
    assert read_manifest(folder) is None


def test_one_cut_off_anywhere_counts_as_none(folder: Path) -> None:
    whole = (folder / NAME).read_bytes()
    for length in range(len(whole)):
        (folder / NAME).write_bytes(whole[:length])
        assert read_manifest(folder) is None, length


def changed(**changes: Any) -> dict[str, Any]:
    right = as_json(Manifest(collaborative="kangra", status="made", files="f", rows="r"))
    return {name: value for name, value in (right | changes).items() if value is not ...}


@pytest.mark.parametrize(
    "garbage",
    [
        b"", b"\0" * 500, b"\xff\xfe{}", b"null", b"true", b"1", b'"made"', b"[]", b"[1]", b"{}", b"[" * 100_000,
        b"{'format': 1}", b"<html>",
        *(
            json.dumps(content).encode()
            for content in (
                [changed()], changed(format=...), changed(parts=...), changed(sizes=...), changed(files=...),
                changed(status=...), changed(colour="red"), changed(parts=[]), changed(parts=None), changed(parts="x"),
                changed(parts={"a": None}), changed(parts={"a": "made"}), changed(parts={"a": ["made", "r"]}),
                changed(parts={"a": {}}), changed(parts={"a": {"outcome": "made"}}),
                changed(parts={"a": {"outcome": "made", "recipe": "r", "colour": "red"}}),
                changed(sizes=None), changed(sizes=3), changed(sizes="all"), changed(sizes=["report.html"]),
            )
        ),
    ],
)  # fmt: skip
def test_garbage_counts_as_none(folder: Path, garbage: bytes) -> None:
    (folder / NAME).write_bytes(garbage)
    assert read_manifest(folder) is None


def test_a_folder_in_its_place_counts_as_none(folder: Path) -> None:
    (folder / NAME).unlink()
    (folder / NAME).mkdir()
    assert read_manifest(folder) is None


# --- whole or not ----------------------------------------------------------------------------------


def test_sizes_are_of_every_file_but_the_two_that_later_batches_write(folder: Path) -> None:
    assert sizes_in(folder) == {
        "figures/run_chart.svg": 6,
        "notebooks/durations.ipynb": 19,
        "notebooks/effectiveness.ipynb": 23,
        "report.html": 15,
    }


def test_a_report_is_whole_as_it_was_written_also_elsewhere(folder: Path, tmp_path: Path) -> None:
    assert manifest(folder).is_whole(folder)
    shutil.copytree(folder, tmp_path / "copied")
    assert manifest(folder).is_whole(tmp_path / "copied")


@pytest.mark.parametrize("name", ["report.html", "figures/run_chart.svg", "notebooks/durations.ipynb", RECORD])
def test_it_is_not_if_a_file_is_missing_or_cut_off(folder: Path, name: str) -> None:
    found = manifest(folder)
    whole = (folder / name).read_bytes()
    for content in (whole[:-1], b""):
        (folder / name).write_bytes(content)
        assert not found.is_whole(folder)
    (folder / name).unlink()
    assert not found.is_whole(folder)
    (folder / name).write_bytes(whole)
    assert found.is_whole(folder)


def test_nor_if_the_record_is_one_no_page_could_be_made_of(folder: Path) -> None:
    for content in ("null", "{}", json.dumps(a_record("kangra") | {"errors": None})):
        (folder / RECORD).write_text(content, encoding="utf-8")
        assert not manifest(folder).is_whole(folder)


@pytest.mark.parametrize("sizes", [{"a\0b": 1}, {"x" * 5000: 1}, {"report.html": "15"}, {"report.html": None}])
def test_nor_if_the_sizes_are_of_no_file(folder: Path, sizes: Any) -> None:
    assert not replace(manifest(folder), sizes=sizes).is_whole(folder)


# --- what of it still holds ------------------------------------------------------------------------


def test_a_part_whose_executed_notebook_was_changed_is_dropped(folder: Path) -> None:
    (folder / NOTEBOOKS / "effectiveness.ipynb").write_text('{"of": "effectivenesS"}', encoding="utf-8")
    assert list(only_intact(manifest(folder), folder).parts) == ["effectiveness", "durations", "mentoring"]
    found = read_manifest(folder)
    assert found is not None
    assert list(only_intact(found, folder).parts) == ["durations", "mentoring"]


def test_so_is_one_whose_executed_notebook_is_gone(folder: Path) -> None:
    found = manifest(folder)
    shutil.rmtree(folder / NOTEBOOKS)
    assert only_intact(found, folder).parts == {"mentoring": LEFT_OUT}


def test_a_part_without_an_executed_notebook_has_none_to_lose(folder: Path) -> None:
    kept = only_intact(replace(manifest(folder), parts={"mentoring": LEFT_OUT, "durations": FAILED}), folder)
    assert kept.parts == {"mentoring": LEFT_OUT, "durations": FAILED}


def test_all_else_stays_as_it_was(folder: Path) -> None:
    found = manifest(folder)
    assert only_intact(found, folder) == found


def test_the_digest_of_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert digest(tmp_path / "x.ipynb") == ""
