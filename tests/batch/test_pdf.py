"""A report as a PDF file."""

import builtins
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pandas as pd
import pytest

from qieval.batch import pdf
from qieval.errors import ReportError
from qieval.present.display import Table
from tests.batch.finished import answer, figure, make_report, table


@pytest.fixture(scope="module")
def can_make() -> None:
    try:
        pdf.require_pdf()
    except ReportError as error:
        pytest.skip(str(error))


def read(tool: str, *arguments: str | Path) -> str:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} (poppler-utils) is not installed: it reads PDF files in tests")
    return subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, can_make: None) -> Path:
    tmp_path = tmp_path_factory.mktemp("pdf")
    shown = answer("It improved."), figure(title="Births in the facility"), table(rows=90, folded=True)
    return pdf.write_pdf(make_report(tmp_path, "one", *shown, title="Newborn care, Kangra"))


def test_it_is_tagged_and_has_title_and_language(made: Path) -> None:
    about = read("pdfinfo", made)
    assert re.search(r"Title: +Newborn care, Kangra", about)
    assert re.search(r"Tagged: +yes", about)
    parts = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made.read_bytes(), re.DOTALL)
    assert any(b"/Lang (en)" in zlib.decompress(part) for part in parts if part.startswith(b"x"))


def test_pages_are_numbered_and_the_header_of_a_table_comes_again(made: Path) -> None:
    pages = read("pdftotext", "-layout", made, "-").rstrip("\f").split("\f")
    assert len(pages) >= 3
    for number, page in enumerate(pages, start=1):
        assert f"{number} of {len(pages)}" in page
    heads = [page for page in pages if re.search(r"facility +births", page)]
    assert len(heads) >= 2
    assert all("Facility" in page for page in heads)


@pytest.mark.parametrize(("columns", "across"), [(10, False), (11, True)])
def test_a_table_of_many_columns_gets_a_sheet_across(
    tmp_path: Path, can_make: None, columns: int, across: bool
) -> None:
    data = pd.DataFrame({f"Column {number}": ["no gain could be told"] * 3 for number in range(columns)})
    shown = Table(name="many", caption="Many columns", shown=data, data=data, folded=True)
    made = pdf.write_pdf(make_report(tmp_path, "one", shown))
    sizes = re.findall(r"Page +\d+ size: +([\d.]+) x ([\d.]+)", read("pdfinfo", "-l", "9", made))
    assert any(float(width) > float(height) for width, height in sizes) == across


def test_folded_tables_are_open(made: Path) -> None:
    assert "Facility 89" in read("pdftotext", made, "-")


def test_figures_are_outlines_with_words_that_can_be_found(made: Path) -> None:
    assert "image" not in read("pdfimages", "-list", made).replace("interp", "").split("object ID")[-1].split("---")[-1]
    assert read("pdftotext", made, "-").count("Births in the facility") == 2  # in the figure and in its caption
    assert "figure-DejaVuSans" in read("pdffonts", made)


def test_links_lead_within_the_file(made: Path) -> None:
    text = subprocess.run(["strings", made], capture_output=True, text=True, check=False).stdout
    assert "http" not in re.sub(r"http://(?:www\.w3\.org|ns\.adobe\.com|purl\.org|www\.aiim\.org)[^\s\"'<]*", "", text)


def test_nothing_unfinished_stays_behind(made: Path) -> None:
    assert [path.name for path in made.parent.iterdir() if path.name.startswith(".")] == []


def test_no_connection_is_opened_whatever_the_page_asks_for(tmp_path: Path, can_make: None, monkeypatch) -> None:
    folder = make_report(tmp_path, "one", answer())
    report = folder / "report.html"
    asks = '<img src="http://127.0.0.1:9/x.png" alt="x"><img src="file:///etc/hostname" alt="x"></main>'
    report.write_text(report.read_text(encoding="utf-8").replace("</main>", asks), encoding="utf-8")
    asked: list[object] = []
    monkeypatch.setattr("socket.create_connection", lambda *where, **more: asked.append(where))
    monkeypatch.setattr("urllib.request.FileHandler.file_open", lambda *where: asked.append(where))
    pdf.write_pdf(folder)
    assert asked == []


def test_a_missing_package_gives_a_sentence_with_the_remedy(monkeypatch) -> None:
    without(monkeypatch, ImportError)
    with pytest.raises(ReportError, match=r"A PDF needs WeasyPrint.*pip install 'qieval\[pdf\]', or leave --pdf out"):
        pdf.require_pdf()


def test_a_missing_library_gives_a_sentence_with_the_remedy(monkeypatch, capsys) -> None:
    without(monkeypatch, OSError)
    with pytest.raises(ReportError, match=r"needs the system's library Pango.*apt install libpango-1\.0-0"):
        pdf.require_pdf()
    assert capsys.readouterr().out == ""


def without(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    """Let the import of WeasyPrint end as it does where it, or what it draws with, is missing."""
    found = builtins.__import__

    def lacking(name: str, *more, **named):
        if name == "weasyprint":
            print("a page of advice")
            raise error(name)
        return found(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", lacking)
