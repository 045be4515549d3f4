"""What is shared holds no folder of the machine it was made on, and no name of its user."""

import re
import sys
from pathlib import Path
from tempfile import gettempdir

import nbformat
import pytest

from qieval.batch import folders
from qieval.batch.folders import tidied, without_folders

HOME = Path("/srv/collaboratives/asha")


def shown(text: str, data: str = "examples/small") -> str:
    return without_folders(text, HOME, data)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"not in {HOME}/data", "not in .../data"),
        (f"not in {HOME}", "not in ..."),
        (f"{HOME}, and {HOME}.", "..., and ...."),
        (f"PosixPath('{HOME.parent}/shared/x.csv')", "PosixPath('.../shared/x.csv')"),
        (f"file://{HOME}/x.csv", "file://.../x.csv"),
        (f"{sys.prefix}/lib/site-packages/pandas/core.py:5", ".../lib/site-packages/pandas/core.py:5"),
        (f"{Path.home()}/.cache/x", ".../.cache/x"),
        (f"{Path.cwd()}/notebooks/x.ipynb", ".../notebooks/x.ipynb"),
        (f"{gettempdir()}/ipykernel_12/3.py", ".../ipykernel_12/3.py"),
        (f"File \x1b[32m{HOME}/x.py:1\x1b[39m", "File \x1b[32m.../x.py:1\x1b[39m"),
        (f"\x1b[1;32m{HOME}\x1b[0m", "\x1b[1;32m...\x1b[0m"),
    ],
)  # fmt: skip
def test_folders_of_the_machine_are_three_dots(text: str, left: str) -> None:
    assert shown(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("in /home/asha/data", "in .../data"),
        ("in /Users/Asha Devi", "in ... Devi"),
        ("in /home/asha", "in ..."),
        ('"C:\\Users\\asha\\data"', '"...\\data"'),
        ('"C:\\\\Users\\\\asha\\\\data"', '"...\\\\data"'),
        ("d:/Users/asha/data", ".../data"),
    ],
)
def test_so_is_the_home_of_any_user_on_any_system(text: str, left: str) -> None:
    assert shown(text) == left


def test_so_is_the_folder_of_the_data_if_the_parameters_name_it_in_full() -> None:
    data = "/mnt/ministry/asha/kangra.xlsx"
    assert shown(f"data: '{data}' is not there", data) == "data: '.../kangra.xlsx' is not there"


def test_so_is_where_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for folder in ("real", "link"):
        said = without_folders(f"{tmp_path / folder}/x.csv", tmp_path / "link" / "asha", "x")
        assert said == ".../x.csv"


@pytest.mark.parametrize(
    "text",
    [
        "coaching/srv/collaborativeshops", "/srv/collaboratives2/x", "visits and/or calls", "births/home deliveries",
        "x/home/y", "at home", "https://example.org/home", "1/2", "1:1", "/", "data/kangra.xlsx", "$\\frac{1}{2}$",
    ],
)  # fmt: skip
def test_no_other_text_is_touched(text: str) -> None:
    assert shown(text) == text


def executed() -> nbformat.NotebookNode:
    """A notebook that shows a path in every place a notebook has."""
    path = f"{HOME}/x.csv"
    given = nbformat.v4.new_code_cell(f'data = "{path}"', metadata={"tags": ["injected-parameters"]})
    outputs = [
        nbformat.v4.new_output("stream", text=f"{path}\n"),
        nbformat.v4.new_output("error", ename="E", evalue=f"no {path}", traceback=[f"at {path}", "end"]),
        nbformat.v4.new_output(
            "display_data",
            data={"text/plain": path, "text/html": f"<p>{path}</p>", "application/json": {"a": [path, 1.5, None]}},
            metadata={"qieval": {"caption": path}},
        ),
        nbformat.v4.new_output("execute_result", data={"text/plain": path, "image/svg+xml": "<svg/>"}),
    ]
    book = nbformat.v4.new_notebook(cells=[given, nbformat.v4.new_code_cell(f"open('{path}')", outputs=outputs)])
    book["metadata"]["papermill"] = {"parameters": {"data": path}, "input_path": path, "output_path": path}
    return book


def test_nothing_of_an_executed_notebook_holds_one_and_all_else_stays() -> None:
    book = executed()
    tidied(book, HOME)
    nbformat.validate(book)
    text = nbformat.writes(book)
    assert "asha" not in text
    assert len(re.findall(r"\.\.\./x\.csv", text)) == 11
    assert set(book["metadata"]["papermill"]) == {"parameters"}
    assert book["cells"][0]["source"] == 'data = ".../x.csv"'
    assert book["cells"][1]["outputs"][2]["data"]["application/json"] == {"a": [".../x.csv", 1.5, None]}


def test_figures_are_not_searched() -> None:
    book = executed()
    picture = {"image/png": f"{HOME}/x.csv", "image/svg+xml": f"<!--{HOME}-->"}
    book["cells"][1]["outputs"] = [nbformat.v4.new_output("display_data", data=dict(picture))]
    tidied(book, HOME)
    assert book["cells"][1]["outputs"][0]["data"] == picture


def test_one_that_plain_papermill_has_run_or_none_is_taken_too() -> None:
    book = nbformat.v4.new_notebook()
    tidied(book, HOME)
    assert book == nbformat.v4.new_notebook()


def test_a_user_without_a_home_has_one_folder_less_to_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    folders._folders.cache_clear()
    assert shown(f"not in {HOME}/data") == "not in .../data"
    folders._folders.cache_clear()
