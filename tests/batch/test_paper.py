"""A finished report made ready for paper."""

from pathlib import Path

from qieval.batch.paper import for_paper
from qieval.present.display import Cell
from tests.batch.finished import answer, figure, key_figures, make_report, table


def page(folder: Path) -> str:
    return for_paper(folder, lambda figure: {"src": f"<{figure.parent.name}/{figure.name}>"})


def test_a_folded_table_is_open_and_has_its_caption_once(tmp_path: Path) -> None:
    text = page(make_report(tmp_path, "one", table(folded=True)))
    assert "<details" not in text
    assert "</details>" not in text
    assert text.count("Births by facility") == 1
    assert "<caption>" in text


def test_folded_remarks_are_open_under_their_heading(tmp_path: Path) -> None:
    text = page(make_report(tmp_path, "one", answer(), warnings=tuple(f"remark {n}" for n in range(9))))
    assert "<p>9 remarks</p>" in text
    assert "<li>remark 8</li>" in text


def test_links_that_lead_out_of_the_report_are_gone_and_those_within_stay(tmp_path: Path) -> None:
    text = page(make_report(tmp_path, "one", answer(), figure(), table()))
    assert "index.html" not in text
    assert 'href="figures/"' not in text
    assert 'href="#top"' not in text
    assert 'href="#effectiveness"' in text


def test_every_figure_is_asked_for_by_its_file_and_keeps_its_words(tmp_path: Path) -> None:
    text = page(make_report(tmp_path, "one", figure(points=3000)))
    assert 'src="&lt;figures/effectiveness_run_chart&gt;"' in text
    assert "data:image" not in text
    assert "for those who cannot see it" in text


def test_a_figure_whose_name_is_a_path_leads_nowhere_else(tmp_path: Path) -> None:
    folder = make_report(tmp_path, "one", figure())
    report = folder / "report.html"
    report.write_text(report.read_text().replace("effectiveness_run_chart", "../../../secret"), encoding="utf-8")
    assert "&lt;figures/secret&gt;" in page(folder)


def test_lines_of_a_key_figure_stay_lines(tmp_path: Path) -> None:
    shown = key_figures({}, Cell(column="Gain kept", text="3 of 13\nat 12 months"))
    assert "3 of 13<br>at 12 months" in page(make_report(tmp_path, "one", answer(), shown))
