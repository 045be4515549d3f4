"""How the notebooks are stored: thin, without outputs, and with the same parameters in each."""

import ast
from pathlib import Path

import nbformat
import pytest

from qieval.study.parameters import Parameters
from qieval.study.schema import TABLES

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LOGIC = (
    ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.If, ast.IfExp, ast.Try,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip
LONGEST_CELL = 15

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def code(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def parameter_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in code(path) if "parameters" in cell["metadata"].get("tags", [])]


def names_assigned(source: str) -> list[str]:
    return [target.id for line in ast.parse(source).body for target in line.targets]


def test_there_are_notebooks():
    assert NOTEBOOKS


@each_notebook
def test_a_notebook_is_valid_and_every_cell_has_an_id_of_its_own(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) >= (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)


@each_notebook
def test_a_notebook_is_stored_without_outputs(path):
    assert [cell["id"] for cell in code(path) if cell["outputs"] or cell["execution_count"] is not None] == []


@each_notebook
def test_a_notebook_has_one_cell_of_parameters_and_it_only_assigns_plain_values(path):
    (cell,) = parameter_cells(path)
    for line in ast.parse(cell["source"]).body:
        assert isinstance(line, ast.Assign), ast.unparse(line)
        ast.literal_eval(line.value)  # refuses anything but text, numbers, true, false, lists and dictionaries


@each_notebook
def test_the_parameters_of_a_notebook_are_the_keys_of_a_parameter_file(path):
    assert names_assigned(parameter_cells(path)[0]["source"]) == list(Parameters.model_fields)


@each_notebook
def test_a_notebook_runs_on_the_bundled_example_as_it_stands(path):
    values = {line.targets[0].id: line.value for line in ast.parse(parameter_cells(path)[0]["source"]).body}
    assert ast.literal_eval(values["data"]).startswith("examples/")


@each_notebook
def test_a_notebook_holds_no_logic(path):
    found = [
        f"{cell['id']}: {ast.unparse(node)}"
        for cell in code(path)
        for node in ast.walk(ast.parse(cell["source"]))
        if isinstance(node, LOGIC)
    ]
    assert found == []


@each_notebook
def test_no_cell_is_longer_than_can_be_seen_at_a_glance(path):
    assert [cell["id"] for cell in code(path) if len(cell["source"].splitlines()) > LONGEST_CELL] == []


@each_notebook
def test_a_notebook_begins_with_its_title(path):
    first = read(path)["cells"][0]
    assert first["cell_type"] == "markdown"
    assert first["source"].startswith("# ")


@each_notebook
def test_a_notebook_says_which_tables_it_needs(path):
    needs = read(path)["metadata"]["qieval"]["needs"]
    assert needs
    assert {table for choice in needs for table in choice.split("|")} <= set(TABLES)


@each_notebook
def test_a_notebook_has_the_name_of_its_analysis_and_of_its_words(path):
    package = FOLDER.parent / "src" / "qieval"
    assert (package / "analyses" / path.name).with_suffix(".py").is_file()
    assert (package / "present" / "wording" / path.name).with_suffix(".py").is_file()


def test_every_notebook_has_a_place_of_its_own_in_the_report():
    orders = [read(path)["metadata"]["qieval"]["order"] for path in NOTEBOOKS]
    assert len(set(orders)) == len(orders)
