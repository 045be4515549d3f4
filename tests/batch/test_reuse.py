"""A section is made again only if something it is made from has changed."""

import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
import pytest

import qieval
from qieval.batch import reuse
from qieval.batch.manifest import Manifest, Outcome, Part
from qieval.batch.plan import Job, Notebook, Request
from qieval.batch.reuse import CHANGED, NOT_ASKED, decide, files_key, programs, recipe, rows_key
from qieval.study.parameters import check_parameters

MADE, FAILED, LEFT_OUT = (
    Part(outcome="made", recipe="now", sha256="abc"),
    Part(outcome="failed", recipe="now", reason="ValueError"),
    Part(outcome="left out", recipe="now", reason="needs visits, and this is missing or empty"),
)


def last(**parts: Part) -> Manifest:
    """What the last report was made of."""
    return Manifest(collaborative="kangra", status="made", files="f", rows="r", parts=parts)


def decided(
    part: Part | None, *, recipe: str = "now", same_data: bool = True, asked: bool = True, force: bool = False
) -> str | Part:
    """What is done about the one notebook of a report: "make", or the part that is kept."""
    found = decide(
        last(durations=part) if part else None,
        {"durations": recipe},
        same_data=same_data,
        asked=["durations"] if asked else [],
        force=force,
    )
    assert len(found.kept) + len(found.to_make) == 1
    return found.kept["durations"] if found.kept else "make"


def not_asked(reason: str) -> Part:
    return Part(outcome="not asked", recipe="", reason=reason)


# --- what is asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize("part", [MADE, LEFT_OUT])
def test_what_is_asked_for_and_still_holds_is_kept(part: Part) -> None:
    assert decided(part) == part


def test_what_failed_is_made_again_though_nothing_changed() -> None:
    assert decided(FAILED) == "make"


def test_what_was_never_made_is_made() -> None:
    assert decided(None) == "make"
    assert decided(not_asked(NOT_ASKED)) == "make"
    assert decided(not_asked(CHANGED)) == "make"


@pytest.mark.parametrize("part", [MADE, FAILED, LEFT_OUT])
@pytest.mark.parametrize("change", [{"recipe": "other"}, {"same_data": False}, {"force": True}])
def test_it_is_made_again_if_its_recipe_or_the_data_changed_or_if_forced(part: Part, change: Any) -> None:
    assert decided(part, **change) == "make"


# --- what is not asked for -------------------------------------------------------------------------


@pytest.mark.parametrize("part", [MADE, FAILED, LEFT_OUT])
@pytest.mark.parametrize("force", [True, False])
def test_what_is_not_asked_for_and_still_holds_is_kept_failed_or_not(part: Part, force: bool) -> None:
    assert decided(part, asked=False, force=force) == part


@pytest.mark.parametrize("part", [MADE, FAILED])
@pytest.mark.parametrize("change", [{"recipe": "other"}, {"same_data": False}])
def test_what_no_longer_holds_is_left_out_with_the_reason(part: Part, change: Any) -> None:
    assert decided(part, asked=False, **change) == not_asked(CHANGED)


def test_the_reason_stays_with_the_next_batch_that_does_not_ask_either() -> None:
    assert decided(not_asked(CHANGED), asked=False) == not_asked(CHANGED)
    assert decided(not_asked(NOT_ASKED), asked=False) == not_asked(NOT_ASKED)


def test_what_was_never_made_and_is_not_asked_for_says_just_that() -> None:
    assert decided(None, asked=False) == not_asked(NOT_ASKED)
    assert decided(LEFT_OUT, asked=False, same_data=False) == not_asked(NOT_ASKED)


# --- all of it together ----------------------------------------------------------------------------

OUTCOMES: list[Outcome | None] = ["made", "failed", "left out", "not asked", None]


@pytest.mark.parametrize(
    ("outcome", "same_recipe", "same_data", "asked", "force"),
    list(itertools.product(OUTCOMES, *[[True, False]] * 4)),
)
def test_nothing_outdated_is_ever_kept_and_nothing_is_made_that_nobody_asked_for(
    outcome: Outcome | None, same_recipe: bool, same_data: bool, asked: bool, force: bool
) -> None:
    part = Part(outcome=outcome, recipe="" if outcome == "not asked" else "now") if outcome else None
    done = decided(part, recipe="now" if same_recipe else "other", same_data=same_data, asked=asked, force=force)
    if done == "make":
        assert asked
    elif isinstance(done, Part) and done.outcome != "not asked":
        assert done == part
        assert same_recipe
        assert same_data
        assert not (asked and (force or done.outcome == "failed"))


def test_each_notebook_is_decided_by_itself_and_in_order() -> None:
    former = last(effectiveness=MADE, durations=FAILED, mentoring=MADE, gone=MADE)
    recipes = {"sustainment": "now", "mentoring": "now", "durations": "now", "effectiveness": "other"}
    found = decide(former, recipes, same_data=True, asked=["sustainment", "durations", "effectiveness"])
    assert found.to_make == ("sustainment", "durations", "effectiveness")
    assert found.kept == {"mentoring": MADE}


# --- the recipe ------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """What is read once in a batch is read anew in each test."""
    for found in (programs, reuse._of_this_computer):
        found.cache_clear()
    yield
    for found in (programs, reuse._of_this_computer):
        found.cache_clear()


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    path = tmp_path / "durations.ipynb"
    cells = [nbformat.v4.new_markdown_cell("# Durations"), nbformat.v4.new_code_cell("1 + 1", id="a")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return Notebook(name="durations", path=path, title="Durations", order=2, needs=())


def request(home: str = ".", **changes: Any) -> Request:
    values = {"collaborative": "kangra", "title": "Kangra", "data": "kangra", "data_cut": "2024-06-30"}
    return Request(source=Path("kangra.yaml"), parameters=check_parameters(values | changes), home=Path(home))


def test_the_same_notebook_and_parameters_have_the_same_recipe_wherever_they_lie(notebook: Notebook) -> None:
    assert recipe(request(), notebook) == recipe(request(home="/elsewhere"), notebook)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Kangra district"}, {"data_cut": "2024-07-31"}, {"data": "kangra.xlsx"},
        {"notes": {"durations": "x"}}, {"phases": {"intensive": ["2024-01-01", "2024-02-01"]}},
        {"options": {"smallest_denominator": 6}}, {"options": {"sustainment": {"tolerance": 0.1}}},
    ],
)  # fmt: skip
def test_any_parameter_changes_it(notebook: Notebook, change: Any) -> None:
    assert recipe(request(**change), notebook) != recipe(request(), notebook)


def test_the_order_of_parameters_does_not(notebook: Notebook) -> None:
    phases = {"a": ["2024-01-01", "2024-02-01"], "b": ["2024-03-01", "2024-04-01"]}
    turned = dict(reversed(phases.items()))
    assert recipe(request(phases=phases), notebook) == recipe(request(phases=turned), notebook)


def test_the_text_of_the_notebook_changes_it_also_while_the_program_runs(notebook: Notebook) -> None:
    before = recipe(request(), notebook)
    text = notebook.path.read_text(encoding="utf-8")
    notebook.path.write_text(text.replace("1 + 1", "1 + 2"), encoding="utf-8")
    os.utime(notebook.path, ns=(1, 1))
    assert recipe(request(), notebook) != before


def test_a_notebook_that_was_only_touched_is_the_same(notebook: Notebook) -> None:
    before = recipe(request(), notebook)
    os.utime(notebook.path, ns=(1, 1))
    assert recipe(request(), notebook) == before


def test_a_module_beside_the_notebook_changes_it_by_its_name_and_its_text(notebook: Notebook) -> None:
    recipes = [recipe(request(), notebook)]
    for name, text in (("helpers.py", "a = 1"), ("helpers.py", "a = 20"), ("others.py", "a = 20")):
        for former in notebook.path.parent.glob("*.py"):
            former.unlink()
        (notebook.path.parent / name).write_text(text, encoding="utf-8")
        recipes.append(recipe(request(), notebook))
    assert len(set(recipes)) == 4


def test_other_files_beside_the_notebook_do_not(notebook: Notebook) -> None:
    before = recipe(request(), notebook)
    (notebook.path.parent / "notes.txt").write_text("x", encoding="utf-8")
    assert recipe(request(), notebook) == before


def test_a_font_for_another_script_changes_it_once_it_is_installed_or_updated(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    font = tmp_path / "NotoSansThai-Regular.ttf"
    recipes = []
    for content in (None, b"x", b"xy"):
        if content is not None:
            font.write_bytes(content)
        monkeypatch.setattr(reuse, "noto_fonts", lambda: {"Thai": font} if font.exists() else {})
        reuse._of_this_computer.cache_clear()
        recipes.append(recipe(request(), notebook))
    assert len(set(recipes)) == 3


@pytest.mark.parametrize("name", ["weasyprint", "pypandoc-binary"])
def test_the_version_of_what_writes_pdf_and_word_changes_it_but_is_none_of_the_programs(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with_other = {"qieval": {"qieval": "0"}}
    monkeypatch.setattr(reuse, "_installed", lambda root: with_other.get(root, {root: "1"}))
    first = recipe(request(), notebook), programs()
    for found in (programs, reuse._of_this_computer):
        found.cache_clear()
    with_other[name] = {name: "999"}
    second = recipe(request(), notebook), programs()
    assert first[0] != second[0]
    assert first[1] == second[1]


def test_the_version_of_the_package_changes_it(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe(request(), notebook)
    programs.cache_clear()
    monkeypatch.setattr(qieval, "__version__", "999")
    assert recipe(request(), notebook) != before


def test_the_version_of_python_changes_it(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe(request(), notebook)
    programs.cache_clear()
    monkeypatch.setattr(sys, "version_info", (3, 99, 0, "final", 0))
    assert recipe(request(), notebook) != before


def test_a_further_version_of_a_library_we_calculate_or_draw_with_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = reuse._installed("qieval")
    assert {"pandas", "numpy", "matplotlib", "statsmodels", "lifelines", "pillow", "papermill"} <= set(installed)
    before = programs()
    for name, matters in (("pillow", True), ("jupyterlab", False)):
        programs.cache_clear()
        with monkeypatch.context() as patch:
            # Libraries that were loaded may have put a finder of their own before Python's, with a class of its own.
            patch.setattr(type(metadata.distribution(name)), "version", property(version_but(name)))
            assert (programs() != before) is matters, name


def version_but(other: str) -> Any:
    """The version of each distribution, but of one as if it had been updated."""

    def version(self: metadata.Distribution) -> str:
        return "999" if self.metadata["Name"].lower() == other else self.metadata["Version"]

    return version


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package's source as if it were installed below a folder called examples."""
    source = tmp_path / "examples" / "qieval"
    shutil.copytree(Path(qieval.__file__).parent, source, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(qieval, "__file__", str(source / "__init__.py"))
    return source


@pytest.mark.parametrize(
    "name", ["methods/runs.py", "batch/templates/report.html.j2", "batch/templates/style.css", "a_new_module.py"]
)
def test_the_source_of_the_package_changes_it(package: Path, name: str) -> None:
    before = programs()
    programs.cache_clear()
    with (package / name).open("a", encoding="utf-8") as file:
        file.write(" ")
    assert programs() != before


@pytest.mark.parametrize("name", ["study/examples/small/visits.csv", "__pycache__/cli.cpython-311.pyc", "README.txt"])
def test_what_makes_no_number_and_no_picture_does_not(package: Path, name: str) -> None:
    before = programs()
    programs.cache_clear()
    (package / name).parent.mkdir(exist_ok=True)
    with (package / name).open("a", encoding="utf-8") as file:
        file.write(" ")
    assert programs() == before


def test_neither_does_where_it_is_installed(package: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = programs()
    programs.cache_clear()
    package.parent.rename(tmp_path / "elsewhere")
    monkeypatch.setattr(qieval, "__file__", str(tmp_path / "elsewhere" / "qieval" / "__init__.py"))
    assert programs() == before


# --- the data --------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "facilities.csv").write_text("facility_id\nF1\n", encoding="utf-8")
    (folder / "visits.csv").write_text("visit_id\n", encoding="utf-8")
    return folder


def test_the_same_files_have_the_same_key_wherever_they_lie(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "copied")
    assert files_key(data) == files_key(tmp_path / "copied")


def test_files_that_were_only_touched_are_the_same(data: Path) -> None:
    before = files_key(data)
    os.utime(data / "visits.csv", ns=(1, 1))
    assert files_key(data) == before


def test_one_other_byte_changes_the_key(data: Path) -> None:
    before = files_key(data)
    (data / "facilities.csv").write_text("facility_id\nF2\n", encoding="utf-8")
    os.utime(data / "facilities.csv", ns=(1, 1))
    assert files_key(data) != before


def test_so_does_another_name_a_further_file_and_one_less(data: Path) -> None:
    keys = [files_key(data)]
    (data / "visits.csv").rename(data / "events.csv")
    keys.append(files_key(data))
    (data / "visits.csv").write_text("visit_id\n", encoding="utf-8")
    keys.append(files_key(data))
    for name in ("visits.csv", "events.csv"):
        (data / name).unlink()
    keys.append(files_key(data))
    assert len(set(keys)) == 4


def test_bytes_that_move_from_one_file_to_the_next_change_it(data: Path) -> None:
    keys = set()
    for first, second in (("ab", "c"), ("a", "bc"), ("", "abc")):
        (data / "facilities.csv").write_text(first, encoding="utf-8")
        (data / "visits.csv").write_text(second, encoding="utf-8")
        keys.add(files_key(data))
    assert len(keys) == 3


def test_a_workbook_is_one_file(tmp_path: Path) -> None:
    book = tmp_path / "kangra.xlsx"
    book.write_bytes(b"PK1")
    before = files_key(book)
    book.write_bytes(b"PK22")
    assert files_key(book) != before


def job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "request": request(), "summary": "24 facilities.", "fingerprint": "abc", "errors": (), "warnings": (),
        "notebooks": (), "left_out": (),
    }  # fmt: skip
    return Job(**values | changes)


def test_rows_are_the_same_if_they_and_what_was_said_about_them_are() -> None:
    assert rows_key(job()) == rows_key(job(summary="said otherwise"))
    assert len({rows_key(job()), rows_key(job(fingerprint="abd")), rows_key(job(warnings=("look",)))}) == 3


def test_rows_that_were_refused_have_no_key_so_that_they_are_never_the_same() -> None:
    assert rows_key(job(errors=("visits.csv, row 3: no",))) == ""
