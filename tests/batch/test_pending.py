"""What is asked of one report, set against what there is of it."""

from pathlib import Path
from typing import Any

import pytest

from qieval.batch import papers
from qieval.batch.manifest import Manifest
from qieval.batch.pending import Pending, Wish, pending
from qieval.batch.plan import find_notebooks, read_requests
from qieval.errors import ReportError
from tests.batch.test_run import asked

PAGE_AND_PDF = {"report.html": 1, "report.pdf": 1}


def report(folder: Path, wish: Wish, **former: Any) -> Pending:
    """A report that is asked for; `former` are values of the last one's manifest."""
    (request,) = read_requests([asked(folder, "one")], find_notebooks())
    one = pending(request, find_notebooks(), folder / "reports", folder, wish)
    if former:
        made = {"collaborative": "one", "status": "made", "files": one.files, "rows": "", "sizes": {}}
        one.former = Manifest(**(made | former))
    return one


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, one in papers.FORMATS.items():
        monkeypatch.setitem(papers.FORMATS, name, papers.Format(file=one.file, require=lambda: None, write=one.write))


@pytest.mark.usefixtures("installed")
def test_a_format_that_the_last_report_has_is_made_again_when_another_is_asked_for(tmp_path: Path) -> None:
    one = report(tmp_path, Wish(asked=["durations"], formats=["word"]), sizes=PAGE_AND_PDF)
    assert one._formats() == ("word", "pdf")


def test_a_format_that_can_no_longer_be_made_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking() -> None:
        raise ReportError("not installed")

    pdf = papers.FORMATS["pdf"]
    monkeypatch.setitem(papers.FORMATS, "pdf", papers.Format(file=pdf.file, require=lacking, write=pdf.write))
    assert report(tmp_path, Wish(asked=["durations"]), sizes=PAGE_AND_PDF)._formats() == ()


def test_a_report_of_which_a_part_failed_is_never_the_one_that_would_be_made_now(tmp_path: Path) -> None:
    one = report(tmp_path, Wish(asked=[]), status="section failed")
    assert not one.is_unchanged(same_data=True)


def test_data_that_are_the_same_bytes_are_the_same(tmp_path: Path) -> None:
    wish = Wish(asked=["durations"])
    assert report(tmp_path, wish, rows="x").has_same_files()
    assert not report(tmp_path, wish, files="other").has_same_files()
    assert not report(tmp_path, wish).has_same_files()  # there is no last report


def test_data_that_are_not_there_are_never_the_same(tmp_path: Path) -> None:
    (request,) = read_requests([asked(tmp_path, "one", data="nowhere")], find_notebooks())
    one = pending(request, find_notebooks(), tmp_path / "reports", tmp_path, Wish(asked=[]))
    one.former = Manifest(collaborative="one", status="made", files="", rows="")
    assert not one.has_same_files()
