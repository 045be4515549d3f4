"""What is checked before the first notebook starts."""

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
    with pytest.raises(ParameterError, match=r"all name the collaborative 'one' -> give each its own"):
        read_requests([parameters(tmp_path, "one"), parameters(tmp_path, "ONE")], find_notebooks())


def test_so_are_those_that_differ_only_in_how_an_accent_is_written(tmp_path: Path) -> None:
    files = [parameters(tmp_path, name) for name in ("bébé", "be\u0301be\u0301")]
    with pytest.raises(ParameterError, match=r"all name the collaborative 'bébé' -> give each its own"):
        read_requests(files, find_notebooks())


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
