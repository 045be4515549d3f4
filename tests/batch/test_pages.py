"""A notebook as a part of a page."""

import re
from dataclasses import replace

import nbformat

from qieval.batch.pages import Numbering, headings, replace_text, section_html
from tests.batch.finished import answer, figure, notebook, table


def section(*shown, numbering=None):
    return section_html(notebook(*shown), "effectiveness", numbering or Numbering())


MANY_BYTES = b"\x89PNG" * 99_999


def test_the_smaller_of_the_two_formats_is_embedded() -> None:
    drawn = figure()
    assert 'src="data:image/svg+xml;base64,' in section(replace(drawn, png=MANY_BYTES))
    assert 'src="data:image/png;base64,' in section(replace(drawn, svg=drawn.svg + " " * 99_999))


def test_whichever_format_is_embedded_the_figure_keeps_its_words() -> None:
    for drawn in (replace(figure(), png=MANY_BYTES), figure(points=3000)):
        page = section(drawn)
        assert f'alt="{drawn.alt}"' in page
        assert 'data-figure="effectiveness_run_chart"' in page
        assert "Births in the facility, by month.</figcaption>" in page


def test_figures_and_tables_are_numbered_through_all_sections() -> None:
    numbering = Numbering()
    first = section(figure(), table(), numbering=numbering)
    second = section(figure(), table(folded=True), figure(), numbering=numbering)
    assert re.findall(r"(?:Figure|Table) \d+\.", first) == ["Figure 1.", "Table 1."]
    # A folded table has its caption on the line to press and over itself.
    assert re.findall(r"(?:Figure|Table) \d+\.", second) == ["Figure 2.", "Table 2.", "Table 2.", "Figure 3."]


def test_neither_code_nor_the_notebooks_own_heading_is_shown() -> None:
    page = section(answer())
    assert "secret" not in page
    assert "<h1" not in page
    assert "Did care improve?" in page


def test_the_executed_notebook_stays_as_it_was() -> None:
    executed = notebook(figure(), table())
    before = nbformat.writes(executed)
    section_html(executed, "effectiveness", Numbering())
    assert nbformat.writes(executed) == before


def test_each_part_of_a_section_gets_a_place_to_link_to() -> None:
    html, parts = headings("<h3>Deaths &amp; births</h3><p>x</p><h3>Deaths &amp; births</h3>", "effectiveness")
    assert parts == [("effectiveness-part-1", "Deaths & births"), ("effectiveness-part-2", "Deaths & births")]
    assert html.count('<h3 id="effectiveness-part-') == 2


def test_a_page_is_replaced_whole(tmp_path) -> None:
    path = tmp_path / "index.html"
    path.write_text("old")
    replace_text(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
