"""Figures whose letters are letters again."""

import re
from xml.etree import ElementTree

from qieval.batch.letters import font_faces, with_letters
from tests.batch.finished import figure

PLAIN = figure(title="Births, % of all").svg.encode()


def test_every_row_of_letters_becomes_the_text_it_was() -> None:
    turned = with_letters(PLAIN).decode()
    assert ">Births, % of all</text>" in turned
    assert "DejaVuSans-" not in re.sub(r"figure-DejaVuSans[-\w]*", "", turned)


def test_markup_and_dashes_in_a_name_come_back_as_they_were_written() -> None:
    for name, written in (
        ("<b>A & B</b> &amp; C", "&lt;b&gt;A &amp; B&lt;/b&gt; &amp;amp; C"),
        ("a-b - c", "a-b - c"),
    ):
        assert f">{written}</text>" in with_letters(figure(title=name).svg.encode()).decode()
    for name in ("a--b", "a- -b"):  # which the note beside the outlines does not tell apart
        turned = with_letters(figure(title=name).svg.encode()).decode()
        assert "- -b</text>" not in turned
        assert "--b</text>" not in turned


def test_the_text_has_the_size_and_place_of_its_outlines() -> None:
    turned = with_letters(PLAIN).decode()
    before = re.search(r"<!-- Births.*?transform=\"(translate\([^)]*\)) scale\(([\d.]+)", PLAIN.decode(), re.DOTALL)
    assert before is not None
    text = re.search(r"<text [^>]*>Births", turned)
    assert text is not None
    assert before[1] in text[0]
    assert f"font-size: {100 * float(before[2]):g}px" in text[0]


def test_what_is_no_letter_stays() -> None:
    turned = ElementTree.fromstring(with_letters(PLAIN))
    uses = list(turned.iter("{http://www.w3.org/2000/svg}use"))
    assert len(uses) >= 3  # the markers of the line


def test_letters_of_another_font_stay_outlines_and_keep_what_defines_them() -> None:
    # As if the title needed a font of another script.
    letter = re.search(rb"<!-- Births.*?href=\"#(DejaVuSans-\w+)\"", PLAIN, re.DOTALL)
    assert letter is not None
    other = re.sub(letter[1] + rb"\b", b"NotoSansDevanagari-1", PLAIN)
    turned = with_letters(other).decode()
    assert "Births, % of all</text>" not in turned
    for name in re.findall(r'href="#([^"]+)"', turned):
        assert f'id="{name}"' in turned


def test_the_fonts_come_from_inside() -> None:
    assert font_faces().count("src: url(data:font/ttf;base64,") == 4
    assert "http" not in font_faces()
