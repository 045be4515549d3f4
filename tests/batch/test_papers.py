"""What lies beside the page of a report, and the zip of all reports."""

from pathlib import Path

import pytest

from qieval.batch import papers
from qieval.errors import ReportError
from tests.batch.conftest import qieval
from tests.batch.finished import answer, make_report


def test_every_format_is_asked_for_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking() -> None:
        raise ReportError("A PDF needs WeasyPrint")

    monkeypatch.setitem(papers.FORMATS, "pdf", papers.Format(file="x", require=lacking, write=lambda folder: folder))
    papers.require([])
    with pytest.raises(ReportError, match="A PDF needs WeasyPrint"):
        papers.require(["pdf"])


def test_the_command_puts_finished_reports_into_one_zip(tmp_path: Path) -> None:
    make_report(tmp_path / "reports", "one", answer())
    done = qieval("bundle", tmp_path / "all.zip", "--out", tmp_path / "reports")
    assert done.returncode == 0
    assert "1 report, " in done.stdout
    assert (tmp_path / "all.zip").stat().st_size > 1000


def test_the_command_says_what_stands_in_the_way_of_a_zip(tmp_path: Path) -> None:
    done = qieval("bundle", tmp_path / "all.zip", "--out", tmp_path)
    assert done.returncode == 1
    assert "holds no finished report" in done.stderr
