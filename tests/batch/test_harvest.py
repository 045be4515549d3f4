"""What is taken out of an executed notebook."""

from pathlib import Path

from qieval.batch.harvest import harvest
from qieval.present.display import Cell, Text
from tests.batch.finished import answer, figure, key_figures, main_indicator, notebook, table


def test_figures_come_in_both_formats_and_tables_as_csv(tmp_path: Path) -> None:
    harvest(notebook(figure("a.b"), table()), "mentoring", tmp_path)
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert found == ["figures/mentoring_a.b.png", "figures/mentoring_a.b.svg", "tables/mentoring_facilities.csv"]


def test_the_answer_is_the_first_text_of_that_style(tmp_path: Path) -> None:
    shown = Text(sentences=["Beware."], style="caveats"), answer("It improved.", "So did the other."), answer("More.")
    assert harvest(notebook(*shown), "effectiveness", tmp_path).answer == ["It improved.", "So did the other."]


def test_every_cell_knows_its_notebook(tmp_path: Path) -> None:
    shown = key_figures({"births": main_indicator()}, Cell(column="Result", text="Improved"))
    found = harvest(notebook(shown), "effectiveness", tmp_path)
    assert found.cells == [{"column": "Result", "text": "Improved", "notebook": "effectiveness"}]
    assert found.values is not None
    assert found.values["births"]["verdict"] == "improved"


def test_a_notebook_without_key_figures_has_none(tmp_path: Path) -> None:
    assert harvest(notebook(answer()), "effectiveness", tmp_path).values is None
