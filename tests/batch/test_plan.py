"""What is checked before the first notebook starts."""

from pathlib import Path

import pytest
import yaml

from qieval.batch.plan import choose, find_notebooks, make_plan
from qieval.errors import ParameterError

PROJECT = Path(__file__).resolve().parents[2]
PILOT = PROJECT / "params" / "hub_spoke_india.yaml"


def parameters(folder: Path, name: str, **changes: object) -> Path:
    path = folder / f"{name}.yaml"
    values = {"collaborative": name, "title": name, "data": "examples/hub_spoke_india", "data_cut": "2019-06-30"}
    path.write_text(yaml.safe_dump(values | changes), encoding="utf-8")
    return path


def test_the_four_notebooks_come_in_the_order_of_their_questions() -> None:
    names = [notebook.name for notebook in find_notebooks()]
    assert names == ["effectiveness", "durations", "mentoring", "sustainment"]


def test_a_notebook_needs_one_table_of_each_of_its_choices() -> None:
    (job,) = make_plan([PILOT], find_notebooks())
    assert [notebook.name for notebook in job.notebooks] == ["durations", "mentoring"]
    assert [notebook.name for notebook, _ in job.left_out] == ["effectiveness", "sustainment"]
    assert job.left_out[0][1] == "needs indicators and measurements, and these are missing or empty"


def test_only_takes_the_named_notebooks() -> None:
    assert choose(find_notebooks(), ["mentoring"]) == ["mentoring"]


def test_what_was_not_asked_for_is_said_to_be_left_out() -> None:
    (job,) = make_plan([PILOT], find_notebooks(), ["mentoring"])
    assert [notebook.name for notebook in job.notebooks] == ["mentoring"]
    reasons = {notebook.name: reason for notebook, reason in job.left_out}
    assert reasons["durations"] == "was not asked for this time (--only)"


def test_a_note_for_no_notebook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"notes\.duration is of no notebook -> choose from: effectiveness"):
        make_plan([parameters(tmp_path, "one", notes={"duration": "x"})], find_notebooks())


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
        make_plan([first, second], find_notebooks())
    assert "'data_cutt' is not a parameter. Did you mean 'data_cut'?" in str(caught.value)
    assert "data_cut is '30.06.2019': give the last day the data cover, as YYYY-MM-DD" in str(caught.value)


def test_two_files_for_one_collaborative_are_refused(tmp_path: Path) -> None:
    files = [parameters(tmp_path, "one"), parameters(tmp_path, "two", collaborative="one")]
    with pytest.raises(ParameterError, match="all name the collaborative 'one' -> give each its own"):
        make_plan(files, find_notebooks())


def test_data_that_are_nowhere_stop_that_report_alone(tmp_path: Path) -> None:
    lost = parameters(tmp_path, "lost", data="nowhere")
    jobs = make_plan([lost, PILOT], find_notebooks())
    assert "'nowhere' is neither in the folder of the parameters nor in the one above it" in jobs[0].errors[0]
    assert jobs[0].notebooks == ()
    assert jobs[1].errors == ()
