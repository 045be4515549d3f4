"""Names from data are text wherever they come to, and what is shared tells nothing of who made it and where."""

import csv
import getpass
import io
import json
import re
import socket
import sys
import tempfile
import zipfile
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import openpyxl
import pytest
from papermill.translators import papermill_translators

from qieval.batch import pdf, word
from qieval.errors import ReportError
from tests.batch.conftest import HOSTILE_NAMES, PROJECT, SCRIPT, Batch
from tests.batch.finished import answer, key_figures, make_report, table
from tests.batch.test_pdf import read

# A name made of everything at once, as the title of a collaborative.
TITLE = f"=1+1 {SCRIPT} **bold** $x^2$ \\textbf{{y}} {{{{ 7 * 7 }}}} \"'`</title></script>&amp;"


def hostile(batch: Batch) -> Path:
    return batch.out / "hostile"


def shared(batch: Batch) -> list[Path]:
    """Every file of text that a batch leaves."""
    kinds = (".html", ".json", ".csv", ".ipynb", ".svg")
    return [path for path in batch.out.rglob("*") if path.suffix in kinds]


# --- pages -----------------------------------------------------------------------------------------


def test_a_study_of_such_names_is_reported_whole(batch: Batch) -> None:
    record = json.loads((hostile(batch) / "report.json").read_text(encoding="utf-8"))
    assert record["status"] == "made"
    assert record["sections"] == ["effectiveness", "durations", "mentoring", "sustainment"]
    assert record["title"].startswith(f"Names {SCRIPT}")


def test_every_name_is_on_the_page_as_it_is_written(batch: Batch) -> None:
    shown = [unescape(text) for text in re.findall(r">([^<]+)<", batch.page("hostile"))]
    for name in HOSTILE_NAMES:
        assert any(name in text for text in shown), name


def test_no_name_becomes_a_tag_or_an_attribute_of_any_page(batch: Batch) -> None:
    for path in (hostile(batch) / "report.html", batch.out / "index.html", batch.out / "compare.html"):
        page = path.read_text(encoding="utf-8")
        tags = re.findall(r"<([a-z]\w*)((?:\s+[\w-]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?)*)\s*/?>", page)
        assert page.count("<script") <= 1  # that sorts tables, our own
        assert [kind for kind, _ in tags if kind in ("iframe", "object", "embed", "form", "base", "link", "meta")] in (
            ["meta", "meta"],
        )
        assert [told for _, told in tags if re.search(r"(?:^|\s)on\w+=", re.sub(r"\"[^\"]*\"", '""', told))] == []
        assert not re.search(r"(?:href|src)=[\"']\s*javascript:", page)


def test_no_name_ends_the_script_of_a_page(batch: Batch) -> None:
    for name in ("index.html", "compare.html"):
        page = (batch.out / name).read_text(encoding="utf-8")
        (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        assert script.strip() == (PROJECT / "src/qieval/batch/templates/sort.js").read_text(encoding="utf-8").strip()


def test_the_title_of_a_report_is_text_on_all_three_pages(batch: Batch) -> None:
    for page in (
        batch.page("hostile"),
        *((batch.out / name).read_text(encoding="utf-8") for name in ("index.html", "compare.html")),
    ):
        assert SCRIPT not in page
        assert "Names &lt;script&gt;" in page


# --- files -----------------------------------------------------------------------------------------


def test_no_id_leads_a_file_out_of_its_folder(batch: Batch) -> None:
    assert {path.name for path in batch.out.parent.iterdir()} <= {
        "reports", "hostile", "hostile.yaml", "broken", "broken.yaml", "moz_anc", "moz_anc.yaml", "batch.json",
        "making.json",
    }  # fmt: skip
    names = [path.name for path in hostile(batch).rglob("*") if path.is_file()]
    assert any("births" in name for name in names)
    for name in names:
        assert re.fullmatch(r"[\w-]+\.\w+", name), name


def test_no_cell_of_a_table_starts_a_formula_and_numbers_stay_numbers(batch: Batch) -> None:
    numbers = 0
    for path in (hostile(batch) / "tables").glob("*.csv"):
        text = path.read_text(encoding="utf-8-sig")
        for cell in (cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row):
            if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
                float(cell)  # a number below zero
                numbers += 1
        # Excel parts the cells at semicolons where a comma is the decimal mark.
        assert not re.search(r";\s*[=+@]", text), path
    assert numbers > 0


def test_nor_does_one_of_the_workbook(batch: Batch) -> None:
    book = openpyxl.load_workbook(batch.out / "key_figures.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.value for cell in cells if cell.data_type == "f"] == []
    suspect = [cell for cell in cells if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@"))]
    assert any(cell.value == "=../../births" for cell in suspect)
    assert all(cell.quotePrefix for cell in suspect)
    assert book.properties.creator in (None, "openpyxl")
    assert book.properties.lastModifiedBy is None


def test_names_in_figures_are_drawn_as_they_are_written(batch: Batch) -> None:
    (drawn,) = (hostile(batch) / "figures").glob("mentoring_visits_by_facility.svg")
    told = [unescape(note.text or "").strip() for note in comments(drawn)]
    for name in HOSTILE_NAMES:
        assert name in told, name
    for path in (hostile(batch) / "figures").glob("*.svg"):
        kinds = {
            element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter() if isinstance(element.tag, str)
        }
        assert not kinds & {"script", "image", "foreignObject", "a"}, path


def comments(svg: Path) -> list[ElementTree.Element]:
    """The notes beside the outlines of letters, which say what they spell."""
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    return [element for element in ElementTree.parse(svg, parser).iter() if element.tag is ElementTree.Comment]


def test_the_executed_notebooks_hold_names_as_text_only(batch: Batch) -> None:
    html = 0
    for path in (hostile(batch) / "notebooks").glob("*.ipynb"):
        book = nbformat.read(path, as_version=4)
        for cell in book["cells"]:
            if cell["cell_type"] == "markdown":
                assert not any(name in cell["source"] for name in HOSTILE_NAMES)
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                assert not {"text/markdown", "text/latex", "application/javascript"} & set(data)
                assert SCRIPT not in data.get("text/html", "")
                if data.get("text/html"):
                    html += 1
                    assert re.match(r'<\w+ class="[^"]*mathjax_ignore', data["text/html"]), data["text/html"][:200]
    assert html > 10


TRICKS = ('"; raise SystemExit #', "'''\\n1/0", "\\\\", "\\\\N{BULLET}", "\\u2028x")


@pytest.mark.parametrize("text", [*HOSTILE_NAMES, TITLE, *TRICKS])
def test_parameters_come_to_a_notebook_as_they_are_and_are_never_run(text: str) -> None:
    given = {"title": text, "notes": {text: text}, "phases": {text: ["2024-01-01", "2024-06-30"]}}
    found: dict[str, object] = {}
    exec(papermill_translators.find_translator("python3", "python").codify(given, "Parameters"), found)
    assert {name: found[name] for name in given} == given


# --- paper -----------------------------------------------------------------------------------------


@pytest.fixture
def small_report(tmp_path: Path) -> Path:
    """A report whose title, sentences and tables bear the name made of everything."""
    shown = answer(f"{TITLE} improved."), table(), key_figures({})
    return make_report(tmp_path, "one", *shown, title=TITLE, warnings=(TITLE,))


def test_a_word_file_holds_them_as_text_and_no_mathematics(small_report: Path) -> None:
    try:
        word.require_word()
    except ReportError as error:
        pytest.skip(str(error))
    with zipfile.ZipFile(word.write_word(small_report)) as opened:
        text = opened.read("word/document.xml").decode("utf-8")
        about = opened.read("docProps/core.xml").decode("utf-8")
    said = " ".join("".join(unescape(part) for part in re.findall(r"<w:t[^>]*>([^<]*)</w:t>", text)).split())
    assert said.count(" ".join(TITLE.split())) >= 2
    assert f"{' '.join(TITLE.split())} improved." in said
    assert "<m:oMath" not in text
    assert "<w:b/>" not in text.split("improved.")[0].rpartition("<w:p>")[2]
    assert getpass.getuser() not in re.sub(r"<[^>]+>", " ", about).split()


def test_a_pdf_file_holds_them_as_text(small_report: Path) -> None:
    try:
        pdf.require_pdf()
    except ReportError as error:
        pytest.skip(str(error))
    made = pdf.write_pdf(small_report)
    said = "".join(read("pdftotext", made, "-").split())
    assert said.count("".join(TITLE.split())) >= 2
    assert re.search(r"JavaScript: +no", read("pdfinfo", made))
    assert str(small_report).encode() not in made.read_bytes()


# --- who and where ---------------------------------------------------------------------------------


def test_no_folder_of_the_machine_is_in_anything_that_is_shared_though_the_parameters_name_one(batch: Batch) -> None:
    private = {str(PROJECT), str(batch.out), str(batch.out.parent), tempfile.gettempdir(), sys.prefix, str(Path.home())}
    assert str(batch.out.parent) in (batch.out.parent / "hostile.yaml").read_text(encoding="utf-8")
    files = shared(batch)
    assert {path.suffix for path in files} == {".html", ".json", ".csv", ".ipynb", ".svg"}
    for path in files:
        text = path.read_text(encoding="utf-8")
        for folder in private:
            assert not re.search(rf"{re.escape(folder)}(?![\w-])", text), f"{path.name}: {folder}"


def test_neither_is_the_name_of_the_machine_or_its_user(batch: Batch) -> None:
    for path in shared(batch):
        words = set(re.findall(r"[\w.-]+", re.sub(r'"image/png": "[^"]*"|base64,[^"]*', "", path.read_text("utf-8"))))
        assert socket.gethostname() not in words, path
        if getpass.getuser() != "root":  # which is also a word of libraries
            assert getpass.getuser() not in words, path


def test_the_lines_that_tell_of_reports_name_no_folder_but_that_of_the_index(batch: Batch) -> None:
    told = [line for line in batch.printed.splitlines() if not line.startswith("Reports: ")]
    assert "row 3" in batch.printed
    for line in told:
        assert str(batch.out.parent) not in line
        assert str(PROJECT) not in line


def test_neither_does_a_report_that_could_not_be_made(tmp_path: Path) -> None:
    lost = tmp_path / "asha" / "kangra.xlsx"
    where = f"data: '{lost}' is neither in the folder of the parameters nor in the one above it -> check the name"
    page = (make_report(tmp_path, "one", errors=(where,)) / "report.html").read_text(encoding="utf-8")
    record = (tmp_path / "one" / "report.json").read_text(encoding="utf-8")
    assert "data: '.../asha/kangra.xlsx' is neither in the folder" in record
    assert str(tmp_path) not in page + record
