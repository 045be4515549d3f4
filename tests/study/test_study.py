"""The study: what is open to the rest of the package."""

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import qieval
from qieval.errors import DataError, ParameterError
from qieval.study.study import Study, bundled_examples, find_data

FACILITIES = "facility_id,name\nF1,Hill\nF2,\n"
VISITS = "visit_id,facility_id,mentor_type,planned_on,done_on\nv1,F1,hub,2023-01-01,2023-01-02\nv2,F2,hub,2023-02-01,\n"


@pytest.fixture
def opened(folder: Any):
    """The study in a folder of these CSV files."""

    def open_it(**tables: str | bytes) -> Study:
        return qieval.open_study(
            collaborative="kangra", title="Kangra", data=str(folder(**tables)), data_cut="2023-12-31"
        )

    return open_it


def refusal(**parameters: Any) -> str:
    with pytest.raises(DataError) as caught:
        qieval.open_study(**{"collaborative": "kangra", "title": "Kangra", "data_cut": "2023-12-31", **parameters})
    return str(caught.value)


def not_found(data: str) -> str:
    return f"data: {data!r} is neither in the folder of the parameters nor in the one above it -> check the name"


# --- opening ---------------------------------------------------------------------------------------


def test_a_study_holds_its_tables_in_the_order_of_the_schema(opened: Any):
    study = opened(visits=VISITS, facilities=FACILITIES)
    assert list(study.tables) == ["facilities", "visits"]
    assert study["visits"]["done_on"].tolist() == [pd.Timestamp("2023-01-02"), pd.NaT]


def test_every_error_is_in_one_message_that_names_the_data(folder: Any):
    home = folder(facilities="facility_id,setting\nF1,rurall\n", visits=VISITS.replace("2023-01-02", "2/1/23"))
    assert refusal(data=str(home)) == (
        "study: 3 things need attention\n"
        "  - facilities.csv, row 2, setting 'rurall': not a known value -> "
        "did you mean 'rural'? Allowed are: rural, urban\n"
        "  - visits.csv, row 2, done_on '2/1/23': not a date -> write it as YYYY-MM-DD\n"
        "  - visits.csv, row 3, facility_id 'F2': no such facility_id in facilities -> "
        "add it to facilities.csv, or correct it"
    )


def test_warnings_do_not_stop_a_study_and_are_kept_for_the_report(opened: Any):
    study = opened(facilities="facility_id,remarks\nF1,x\n", visit="x\n")
    assert [problem.level for problem in study.warnings] == ["warning", "warning"]
    assert study.warnings[0].lines() == [
        "visit.csv: 'visit' is not the name of a table and was not read -> did you mean 'visits'?"
    ]


MEASURED = {
    "facilities": "facility_id,joined_on\nF1,2023-01-01\n",
    "indicators": "indicator_id,name,kind,better\nanc,ANC,proportion,up\n",
    "measurements": (
        "facility_id,indicator_id,period,numerator,denominator\nF1,anc,2023-02-01,1,2\nF1,anc,2023-03-01,1,2\n"
    ),
}


def test_a_data_cut_long_after_the_last_month_measured_is_said(folder: Any, open_door: Any):
    study, wrong, doubtful = open_door(folder(**MEASURED), data_cut="2023-08-31")
    assert wrong == []
    assert doubtful == [
        "parameters: data_cut 2023-08-31 is long after the last month measured, 2023-03 -> "
        "set it to the last day the data cover: open projects are counted up to it"
    ]
    assert [problem.source for problem in study.warnings] == ["parameters"]


def test_a_data_cut_soon_after_the_last_month_measured_is_right(folder: Any, open_door: Any):
    assert open_door(folder(**MEASURED), data_cut="2023-05-31")[1:] == ([], [])


def test_a_data_cut_is_not_compared_with_months_that_are_not_there(folder: Any, open_door: Any):
    header = MEASURED["measurements"].splitlines()[0] + "\n"
    assert open_door(folder(**{**MEASURED, "measurements": header}), data_cut="2033-12-31")[1:] == ([], [])


def test_tables_without_any_row_are_refused(folder: Any, workbook: Any):
    said = "its tables hold no rows -> fill in at least one of them"
    home = folder(facilities="facility_id\n", visits=VISITS.splitlines()[0])
    assert refusal(data=str(home)) == f"study: {said}"
    assert refusal(data=str(workbook(facilities=[["facility_id"]]))) == f"study.xlsx: {said}"


def test_wrong_parameters_stop_before_the_data_are_looked_for():
    with pytest.raises(ParameterError, match="parameters: 1 thing needs attention\n  - 'data' is missing"):
        qieval.open_study(collaborative="kangra", title="Kangra", data_cut="2023-12-31")


def test_data_nowhere_to_be_found():
    assert refusal(data="no/such/folder") == not_found("no/such/folder")


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody", "~nobody/data", "~no-such-user/data"])
def test_a_name_that_no_disk_could_hold_is_nowhere_to_be_found(name: str):
    assert refusal(data=name) == not_found(name)


@pytest.mark.parametrize("name", ["examples/none", "examples/small/visits", "examples"])
def test_an_example_that_does_not_exist_is_told_with_those_that_do(name: str, tmp_path: Path, monkeypatch: Any):
    monkeypatch.chdir(tmp_path)
    examples = ", ".join(f"examples/{one}" for one in bundled_examples())
    assert "examples/small" in examples
    assert refusal(data=name) == f"{not_found(name)}; the bundled examples are {examples}"


def test_data_are_found_from_the_folder_beside_them(tmp_path: Path):
    (tmp_path / "data" / "kangra").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    assert find_data("data/kangra", tmp_path / "notebooks") == tmp_path / "data" / "kangra"


def test_data_are_looked_for_no_further_than_one_folder_above(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "project" / "notebooks").mkdir(parents=True)
    with pytest.raises(DataError) as caught:
        find_data("data", tmp_path / "project" / "notebooks")
    assert str(caught.value) == not_found("data")


def test_the_nearest_data_are_taken(tmp_path: Path):
    for home in (tmp_path, tmp_path / "project"):
        (home / "data").mkdir(parents=True)
    assert find_data("data", tmp_path / "project") == tmp_path / "project" / "data"


def test_data_may_be_found_from_a_relative_folder(tmp_path: Path, monkeypatch: Any):
    (tmp_path / "data").mkdir()
    (tmp_path / "params").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_data("data", Path("params")) == tmp_path / "data"


# --- what a study can be asked ---------------------------------------------------------------------


def test_a_missing_table_is_told_with_the_way_out(opened: Any):
    with pytest.raises(DataError) as caught:
        opened(facilities=FACILITIES)["visits"]
    assert str(caught.value) == "Kangra has no table 'visits' -> add it, or leave this question out"


def test_a_study_has_a_table_only_if_it_holds_a_row(opened: Any):
    study = opened(facilities=FACILITIES, visits=VISITS.splitlines()[0])
    assert study.has("facilities")
    assert not study.has("visits")
    assert not study.has("facilities", "costs")


def test_a_facility_without_a_name_goes_by_its_id(opened: Any):
    assert opened(facilities=FACILITIES).facility_names().to_dict() == {"F1": "Hill", "F2": "F2"}
    assert opened(facilities="facility_id\nF1\n").facility_names().to_dict() == {"F1": "F1"}


def test_a_study_cannot_be_changed(opened: Any):
    study = opened(facilities=FACILITIES)
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.tables = {}
    with pytest.raises(TypeError):
        study.tables["visits"] = study["facilities"]


# --- the fingerprint -------------------------------------------------------------------------------


def test_the_fingerprint_is_twelve_characters_and_the_same_each_time(opened: Any):
    first, second = (opened(facilities=FACILITIES, visits=VISITS).fingerprint for _ in range(2))
    assert first == second
    assert len(first) == 12


@pytest.mark.parametrize(("cell", "changed"), [("Hill", "Hall"), ("Hill", ""), ("F2,", "F2,F2"), ("F1,Hill\n", "")])
def test_the_fingerprint_changes_with_any_cell_or_row(opened: Any, cell: str, changed: str):
    assert opened(facilities=FACILITIES).fingerprint != opened(facilities=FACILITIES.replace(cell, changed)).fingerprint


def test_the_fingerprint_tells_a_missing_cell_from_any_text(opened: Any):
    texts = ["", "nan", "None", "NA"]
    assert len({opened(facilities=f"facility_id,name\nF1,{text}\n").fingerprint for text in texts}) == len(texts)


def test_the_fingerprint_changes_when_two_cells_change_places(opened: Any):
    one = opened(facilities="facility_id,name,district\nF1,a,b\n")
    other = opened(facilities="facility_id,name,district\nF1,b,a\n")
    assert one.fingerprint != other.fingerprint


def test_column_order_spaces_and_columns_of_one_s_own_do_not_matter(opened: Any):
    study = opened(facilities=FACILITIES)
    tidy = opened(facilities=" Name , Facility ID ,remarks\n Hill,F1  ,x\n,F2,\n")
    pd.testing.assert_frame_equal(study["facilities"], tidy["facilities"])
    assert study.fingerprint == tidy.fingerprint


def test_a_workbook_and_a_folder_of_the_same_cells_are_the_same_study(opened: Any, workbook: Any):
    path = workbook(
        facilities=[["facility_id", "name"], ["F1", "Hill"], ["F2", None]],
        visits=[line.split(",") for line in VISITS.splitlines()],
    )
    study = qieval.open_study(collaborative="kangra", title="Kangra", data=str(path), data_cut="2023-12-31")
    assert study.fingerprint == opened(facilities=FACILITIES, visits=VISITS).fingerprint


# --- the caller's files ----------------------------------------------------------------------------


def test_the_files_are_never_changed(folder: Any, workbook: Any, open_door: Any):
    home = folder(facilities=FACILITIES, visits=VISITS)
    path = workbook(facilities=[["facility_id", "remarks"], ["F1", "x"]])
    before = {file: file.read_bytes() for file in [*home.iterdir(), path]}
    open_door(home)
    open_door(path)
    assert {file: file.read_bytes() for file in [*home.iterdir(), path]} == before
    assert sorted(file.name for file in home.parent.iterdir()) == ["study", "study.xlsx"]


# --- several collaboratives in one store -----------------------------------------------------------

STORE = "collaborative_id,facility_id\nkangra,F1\nmandi,F1\nkangra,F2\n"


def test_a_store_is_cut_down_to_one_collaborative(folder: Any, open_door: Any):
    home = folder(facilities=STORE)
    assert open_door(home)[0]["facilities"]["facility_id"].tolist() == ["F1", "F2"]
    assert open_door(home, collaborative="mandi")[0]["facilities"]["facility_id"].tolist() == ["F1"]


def test_what_is_wrong_with_another_collaborative_is_not_ours(folder: Any, open_door: Any):
    home = folder(facilities=STORE + "mandi,F1\n")
    assert open_door(home)[1] == []
    assert open_door(home, collaborative="mandi")[1] == [
        "facilities.csv, row 5: the same facility_id as row 3 (F1) -> keep one of the two rows"
    ]


def test_the_id_of_the_collaborative_does_not_count_for_the_fingerprint(folder: Any, open_door: Any, opened: Any):
    assert open_door(folder(facilities=STORE))[0].fingerprint == opened(facilities="facility_id\nF1\nF2\n").fingerprint


def test_tables_without_the_id_are_shared_by_all(folder: Any, open_door: Any):
    indicators = "indicator_id,name,kind,better\nanc,ANC,proportion,up\n"
    study, wrong, _ = open_door(folder(facilities=STORE, indicators=indicators), collaborative="mandi")
    assert wrong == []
    assert study["indicators"]["indicator_id"].tolist() == ["anc"]


def test_a_blank_id_leaves_a_row_without_an_owner(folder: Any, open_door: Any):
    said = "collaborative_id: blank, so the row belongs to nobody -> fill it in"
    assert open_door(folder(facilities=STORE + ",F3\n"))[1] == [f"facilities.csv, row 5, {said}"]
    assert open_door(folder(facilities="collaborative_id,facility_id\n,F1\n"))[1] == [f"facilities.csv, row 2, {said}"]


def test_a_store_without_the_collaborative_names_those_it_has(folder: Any):
    home = folder(facilities=STORE)
    assert refusal(data=str(home), collaborative="una") == (
        "study: no row has the collaborative_id 'una' -> set 'collaborative' to one of: kangra, mandi"
    )


def test_a_store_of_many_names_ten(folder: Any):
    home = folder(facilities="collaborative_id,facility_id\n" + "".join(f"c{number:02},F1\n" for number in range(12)))
    assert refusal(data=str(home)).endswith("to one of: c00, c01, c02, c03, c04, c05, c06, c07, c08, c09, ...")


def test_an_empty_store_is_empty_rather_than_somebody_else_s(folder: Any):
    home = folder(facilities="collaborative_id,facility_id\n")
    assert refusal(data=str(home)) == "study: its tables hold no rows -> fill in at least one of them"
