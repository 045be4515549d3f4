"""What is checked before the first notebook starts."""

import json
from pathlib import Path

import pytest
import yaml

from qieval.batch.plan import Job, choose, find_notebooks, read_job, read_requests
from qieval.errors import ParameterError
from qieval.study.snapshot import read_snapshot

PROJECT = Path(__file__).resolve().parents[2]
PILOT = PROJECT / "params" / "hub_spoke_india.yaml"


def parameters(folder: Path, name: str, **changes: object) -> Path:
    path = folder / f"{name}.yaml"
    values = {"collaborative": name, "title": name, "data": "examples/hub_spoke_india", "data_cut": "2019-06-30"}
    path.write_text(yaml.safe_dump(values | changes), encoding="utf-8")
    return path


def job_of(source: Path) -> Job:
    (request,) = read_requests([source], find_notebooks())
    return read_job(request, find_notebooks())


def test_the_four_notebooks_come_in_the_order_of_their_questions() -> None:
    names = [notebook.name for notebook in find_notebooks()]
    assert names == ["effectiveness", "durations", "mentoring", "sustainment"]


def test_a_notebook_needs_one_table_of_each_of_its_choices() -> None:
    job = job_of(PILOT)
    assert [notebook.name for notebook in job.notebooks] == ["durations", "mentoring"]
    assert [notebook.name for notebook, _ in job.left_out] == ["effectiveness", "sustainment"]
    assert job.left_out[0][1] == "needs indicators and measurements, and these are missing or empty"


def test_only_takes_the_named_notebooks() -> None:
    assert choose(find_notebooks(), ["mentoring"]) == ["mentoring"]


def test_a_note_for_no_notebook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"notes\.duration is of no notebook -> choose from: effectiveness"):
        read_requests([parameters(tmp_path, "one", notes={"duration": "x"})], find_notebooks())


def test_a_misspelt_notebook_gets_the_nearest_name() -> None:
    with pytest.raises(ParameterError, match=r"--only duration: no such notebook -> did you mean 'durations'\?"):
        choose(find_notebooks(), ["duration"])


def test_an_unknown_notebook_gets_the_list() -> None:
    with pytest.raises(ParameterError, match="--only xyz: no such notebook -> choose from: effectiveness, durations"):
        choose(find_notebooks(), ["xyz"])


def test_a_folder_without_notebooks_of_ours_says_so(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="holds no notebook of qieval -> name the folder with --notebooks"):
        find_notebooks(tmp_path)


def stored(path: Path, metadata: object, *cells: dict[str, object]) -> Path:
    path.write_text(json.dumps({"cells": list(cells), "metadata": {"qieval": metadata}}), encoding="utf-8")
    return path


def test_a_notebook_is_called_by_its_first_heading_or_else_by_its_file(tmp_path: Path) -> None:
    own = {"order": 2, "needs": ["facilities", "visits|visit_totals"]}
    stored(tmp_path / "b.ipynb", own)
    stored(tmp_path / "c.ipynb", own, {"cell_type": "markdown", "source": []})
    stored(tmp_path / "a.ipynb", own | {"order": 3}, {"cell_type": "markdown", "source": ["# Costs\n", "of visits"]})
    found = find_notebooks(tmp_path)
    assert [one.title for one in found] == ["b", "c", "Costs"]
    assert found[0].needs == (("facilities",), ("visits", "visit_totals"))


@pytest.mark.parametrize("content", ["", " \n", "{", "null", "[]", "3", "{}", '{"cells": [], "metadata": []}', "\0"])
def test_a_file_that_is_no_notebook_is_named_with_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "costs.ipynb").write_text(content, encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        find_notebooks(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'costs.ipynb'}: is empty or no notebook -> save it again in Jupyter, or take it out of the folder"
    )


@pytest.mark.parametrize(
    "metadata",
    [
        {"order": 5},
        {"needs": []},
        {"order": "5", "needs": []},
        {"order": 5, "needs": "visits"},
        {"order": 5, "needs": [1]},
        5,
    ],
)
def test_a_notebook_that_does_not_say_its_place_is_shown_how(tmp_path: Path, metadata: object) -> None:
    path = stored(tmp_path / "costs.ipynb", metadata)
    with pytest.raises(ParameterError) as caught:
        find_notebooks(tmp_path)
    assert str(caught.value) == (
        f"{path}: its metadata do not say its place in the report and the tables it needs -> write them as in "
        '"qieval": {"order": 5, "needs": ["facilities", "visits|visit_totals"]}'
    )


def test_all_such_files_are_named_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.ipynb").touch()
    with pytest.raises(ParameterError, match=r"a\.ipynb: is empty.*\n.*b\.ipynb: is empty"):
        find_notebooks(tmp_path)


def test_notebooks_that_have_nothing_to_do_with_qieval_are_passed_over(tmp_path: Path) -> None:
    stored(tmp_path / "own.ipynb", None)
    stored(tmp_path / "costs.ipynb", {"order": 5, "needs": []})
    assert [one.name for one in find_notebooks(tmp_path)] == ["costs"]


def test_all_parameter_files_are_checked_before_anything_runs(tmp_path: Path) -> None:
    first = parameters(tmp_path, "first", data_cutt="2019-06-30")
    second = parameters(tmp_path, "second", data_cut="30.06.2019")
    with pytest.raises(ParameterError) as caught:
        read_requests([first, second], find_notebooks())
    assert "'data_cutt' is not a parameter. Did you mean 'data_cut'?" in str(caught.value)
    assert "data_cut is '30.06.2019': give the last day the data cover, as YYYY-MM-DD" in str(caught.value)


def test_two_files_for_one_collaborative_are_refused(tmp_path: Path) -> None:
    files = [parameters(tmp_path, "one"), parameters(tmp_path, "two", collaborative="one")]
    with pytest.raises(ParameterError, match="all name the collaborative 'one' -> give each its own"):
        read_requests(files, find_notebooks())


def test_folders_that_differ_in_capitals_only_are_one_on_some_systems(tmp_path: Path) -> None:
    files = [parameters(tmp_path, "one"), parameters(tmp_path, "two", collaborative="ONE")]
    with pytest.raises(ParameterError) as caught:
        read_requests(files, find_notebooks())
    assert str(caught.value) == (
        f"{files[0]}, {files[1]}: 'one' and 'ONE' differ only in capitals, which some systems do not tell apart -> "
        "give each collaborative a name that differs in more, since reports go by it"
    )


def test_so_are_those_that_differ_only_in_how_an_accent_is_written(tmp_path: Path) -> None:
    files = [parameters(tmp_path, name) for name in ("bébé", "be\u0301be\u0301")]
    with pytest.raises(ParameterError, match="' differ only in how an accent is written, which some systems do not"):
        read_requests(files, find_notebooks())


def test_a_file_that_is_given_twice_counts_once(tmp_path: Path) -> None:
    file = parameters(tmp_path, "one")
    (tmp_path / "folder").mkdir()
    (request,) = read_requests([file, tmp_path / "folder" / ".." / "one.yaml", file], find_notebooks())
    assert request.source == file


def test_data_that_are_nowhere_are_told_with_what_to_do(tmp_path: Path) -> None:
    job = job_of(parameters(tmp_path, "lost", data="nowhere"))
    assert "'nowhere' is neither in the folder of the parameters nor in the one above it" in job.errors[0]
    assert (job.notebooks, job.left_out, job.summary, job.fingerprint) == ((), (), "", "")


def test_checked_tables_are_left_where_they_are_asked_for(tmp_path: Path) -> None:
    (request,) = read_requests([PILOT], find_notebooks())
    job = read_job(request, find_notebooks(), tmp_path / "snapshot")
    study = read_snapshot(tmp_path / "snapshot", request.parameters)
    assert study is not None
    assert study.fingerprint == job.fingerprint
    assert job.summary.startswith("Rows read: ")
