"""A report as a Word file."""

import builtins
import re
import zipfile
from pathlib import Path

import pytest

from qieval.batch import word
from qieval.errors import ReportError
from tests.batch.finished import answer, figure, make_report, table


@pytest.fixture
def made(tmp_path: Path) -> Path:
    try:
        word.require_word()
    except ReportError as error:
        pytest.skip(str(error))
    shown = answer("It improved."), figure(), table(rows=3, folded=True)
    return word.write_word(make_report(tmp_path, "one", *shown, title="Newborn care, Kangra"))


def document(path: Path) -> str:
    with zipfile.ZipFile(path) as opened:
        return opened.read("word/document.xml").decode("utf-8")


def test_headings_are_styles_and_the_title_is_the_reports(made: Path) -> None:
    text = document(made)
    assert re.search(r'w:val="Title".*?Newborn care, Kangra', text, re.DOTALL)
    assert 'w:val="Heading1"' in text
    assert "Made on 20" in text
    assert "data up to 2024-06-30" in text


def test_tables_are_tables_with_a_header_row_and_a_caption(made: Path) -> None:
    text = document(made)
    assert text.count("<w:tbl>") == 1
    assert "w:tblHeader" in text
    assert 'w:val="TableCaption"' in text
    assert "Facility 2" in text
    assert '<w:jc w:val="right"' in text  # numbers


def test_the_text_of_tables_is_smaller_than_the_rest(made: Path) -> None:
    table = re.search(r"<w:tbl>.*?</w:tbl>", document(made), re.DOTALL)
    assert table is not None
    assert 'w:val="TableText"' in table[0]
    assert 'w:val="Compact"' not in table[0]
    with zipfile.ZipFile(made) as opened:
        styles = opened.read("word/styles.xml").decode("utf-8")
    assert styles.count('w:styleId="TableText"') == 1


def shares(*rows: str) -> list[float]:
    page = word.with_widths(f"<table><caption>x</caption>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>")
    assert page.index("</caption>") < page.index("<colgroup>")
    return [float(width) for width in re.findall(r"width: ([\d.]+)%", page)]


def test_a_column_has_the_width_that_its_texts_ask_for() -> None:
    widths = shares("<th>Facility</th><th>n</th>", "<td>Amber Dragon</td><td>3</td>")
    assert widths == pytest.approx([78.9, 21.1], abs=0.1)


def test_no_column_is_narrower_than_its_longest_word_however_long_the_others_are() -> None:
    long = "a few words " * 40
    first, *_ = shares(f"<th>Maternity</th>{'<th>x</th>' * 3}", f"<td>1</td>{f'<td>{long}</td>' * 3}")
    assert first >= 100 * len("Maternity") / word.LETTERS_ACROSS


def test_markup_in_a_cell_takes_no_room() -> None:
    assert shares('<td><span class="a long name of a class">ab</span></td><td>ab</td>')[0] <= 70


def test_figures_have_a_caption_and_words_for_those_who_cannot_see_them(made: Path) -> None:
    text = document(made)
    assert 'descr="Line chart of 3 points, for those who cannot see it"' in text
    assert 'w:val="ImageCaption"' in text
    with zipfile.ZipFile(made) as opened:
        assert len([name for name in opened.namelist() if name.endswith(".png")]) == 1


def test_a_tall_figure_fits_on_a_page(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (400, 1000)).save(tmp_path / "tall.png")
    Image.new("L", (400, 100)).save(tmp_path / "flat.png")
    assert word._picture(tmp_path / "tall")["width"] == "8.00cm"
    assert word._picture(tmp_path / "flat")["width"] == "14.80cm"


def test_nothing_unfinished_stays_behind(made: Path) -> None:
    assert [path.name for path in made.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("error", [ImportError, OSError])
def test_a_missing_pandoc_gives_a_sentence_with_the_remedy(monkeypatch, error: type[Exception]) -> None:
    found = builtins.__import__

    def lacking(name: str, *more, **named):
        if name == "pypandoc":
            raise error(name)
        return found(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(
        ReportError, match=r"A Word file needs pandoc.*pip install 'qieval\[word\]', or leave --word out"
    ):
        word.require_word()
