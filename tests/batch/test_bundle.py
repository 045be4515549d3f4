"""One zip to pass on."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from posixpath import normpath

import pytest

from qieval.batch.bundle import write_bundle
from qieval.batch.index import write_index
from qieval.batch.lock import holding
from qieval.errors import ReportError
from tests.batch.finished import answer, figure, make_report, table


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    out = tmp_path / "reports"
    make_report(out, "one", answer(), figure(), table())
    make_report(out, "two", answer())
    make_report(out, "broken", errors=("visits.csv, row 3: no",))
    (out / "one" / "report.pdf").write_bytes(b"%PDF")
    (out / ".making-1").mkdir()
    write_index(out)
    return out


def bundled(reports: Path, path: Path) -> dict[str, bytes]:
    write_bundle(reports, path)
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def test_it_holds_pages_papers_figures_tables_and_workbook_of_finished_reports(reports: Path, tmp_path: Path) -> None:
    assert sorted(bundled(reports, tmp_path / "all.zip")) == [
        "compare.html", "index.html", "key_figures.xlsx",
        "one/figures/effectiveness_run_chart.png", "one/figures/effectiveness_run_chart.svg", "one/report.html",
        "one/report.pdf", "one/tables/effectiveness_facilities.csv", "two/report.html",
    ]  # fmt: skip


def test_every_link_leads_to_something_inside(reports: Path, tmp_path: Path) -> None:
    files = bundled(reports, tmp_path / "all.zip")
    pages = [name for name in files if name.endswith(".html")]
    for name in pages:
        text = files[name].decode("utf-8")
        for link in re.findall(r'href="([^"#]+)', text):
            target = normpath(f"{Path(name).parent.as_posix()}/{link}")
            assert any(file == target or file.startswith(f"{target}/") for file in files), f"{name}: {link}"
    assert len(pages) == 4


def test_no_notebook_is_in_it_and_none_is_spoken_of(reports: Path, tmp_path: Path) -> None:
    files = bundled(reports, tmp_path / "all.zip")
    assert [name for name in files if "notebook" in name] == []
    assert b"notebooks/" not in files["one/report.html"]


def test_the_same_reports_give_the_same_zip(reports: Path, tmp_path: Path, monkeypatch) -> None:
    write_bundle(reports, tmp_path / "first.zip")
    monkeypatch.setattr("time.time", lambda: 2e9)
    write_bundle(reports, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_nothing_gets_in_through_a_link_to_elsewhere(reports: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "names.csv").write_text("x")
    (reports / "one" / "tables" / "names.csv").symlink_to(secret / "names.csv")
    (reports / "two" / "figures").symlink_to(secret)
    assert [name for name in bundled(reports, tmp_path / "all.zip") if "names" in name] == []


def test_a_folder_without_a_finished_report_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ReportError, match="holds no finished report -> make some with 'qieval run'"):
            write_bundle(folder, tmp_path / "all.zip")
    assert not (tmp_path / "nowhere").exists()


def test_a_report_without_its_manifest_or_without_a_file_it_names_is_not_finished(
    reports: Path, tmp_path: Path
) -> None:
    make_report(reports, "three", answer(), table())
    (reports / "two" / "manifest.json").unlink()
    (reports / "three" / "tables" / "effectiveness_facilities.csv").unlink()
    assert {name.split("/")[0] for name in bundled(reports, tmp_path / "all.zip") if "/" in name} == {"one"}


def test_reports_that_a_batch_writes_to_are_not_read(reports: Path, tmp_path: Path) -> None:
    with holding(reports), pytest.raises(ReportError, match=r"another batch writes to it .* -> wait until it has"):
        write_bundle(reports, tmp_path / "all.zip")
    assert not (tmp_path / "all.zip").exists()


def test_they_are_held_until_the_zip_is_whole(reports: Path, tmp_path: Path, monkeypatch) -> None:
    def refused(*_: object, **__: object) -> None:
        with pytest.raises(ReportError, match="another batch writes to it"), holding(reports):
            pass

    monkeypatch.setattr(zipfile.ZipFile, "writestr", refused)
    write_bundle(reports, tmp_path / "all.zip")


KILLED = """
import os, sys
from pathlib import Path
from zipfile import ZipFile
from qieval.batch.bundle import write_bundle
ZipFile.writestr = lambda *_: os._exit(9)
write_bundle(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_what_a_killed_bundle_left_is_gone_after_the_next(reports: Path, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    for _ in range(2):
        killed = subprocess.run([sys.executable, "-c", KILLED, str(reports), str(path)], check=False)
        assert killed.returncode == 9
    assert len([one for one in tmp_path.iterdir() if one.name.startswith(".all.zip")]) == 1
    write_bundle(reports, path)
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_another_ending_is_refused_with_the_name_to_try(reports: Path, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"needs a name that ends in \.zip -> try all\.zip"):
        write_bundle(reports, tmp_path / "all.rar")


def test_a_zip_that_cannot_be_written_leaves_the_old_one(reports: Path, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "all.zip"
    write_bundle(reports, path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(ReportError, match=r"cannot be written \(No space left on device\) -> choose another place"):
        write_bundle(reports, path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []
