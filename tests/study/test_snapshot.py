"""A snapshot gives back the study as it was checked, and only for the parameters it was checked with."""

import shutil
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

import qieval
from qieval.errors import DataError
from qieval.study.parameters import read_parameters
from qieval.study.snapshot import SNAPSHOT, read_snapshot, write_snapshot
from qieval.study.study import Study, study_of

PROJECT = Path(__file__).resolve().parents[2]
DATA = PROJECT / "src" / "qieval" / "study" / "examples"


def opened(name: str) -> Study:
    return study_of(read_parameters(PROJECT / "params" / f"{name}.yaml"), home=PROJECT)


@pytest.mark.parametrize("name", ["demo", "small", "hub_spoke_india"])
def test_every_table_warning_and_type_is_as_after_checking(name: str, tmp_path: Path) -> None:
    study = opened(name)
    write_snapshot(study, tmp_path / "snapshot")
    again = read_snapshot(tmp_path / "snapshot", study.parameters)
    assert again is not None
    assert list(again.tables) == list(study.tables)
    for table in study.tables:
        assert_frame_equal(again[table], study[table], check_exact=True, check_index_type=True)
    assert again.warnings == study.warnings
    assert again.parameters == study.parameters
    assert again.fingerprint == study.fingerprint
    del vars(again)["fingerprint"]  # which the snapshot kept: it would also be calculated anew as the same
    assert again.fingerprint == study.fingerprint


def test_it_opens_for_the_same_parameters_only(tmp_path: Path) -> None:
    study = opened("small")
    write_snapshot(study, tmp_path / "snapshot")
    given = study.parameters
    written_out = given.model_validate(given.model_dump(mode="json"))  # with every default
    assert read_snapshot(tmp_path / "snapshot", written_out) is not None
    for change in ({"data": "elsewhere"}, {"collaborative": "other"}, {"options": {"smallest_denominator": 6}}):
        other = given.model_validate(given.model_dump(mode="json") | change)
        assert read_snapshot(tmp_path / "snapshot", other) is None


def test_there_is_none_where_none_was_written(tmp_path: Path) -> None:
    assert read_snapshot(tmp_path / "snapshot", opened("small").parameters) is None


def test_it_is_never_written_over_another(tmp_path: Path) -> None:
    write_snapshot(opened("small"), tmp_path / "snapshot")
    with pytest.raises(FileExistsError):
        write_snapshot(opened("small"), tmp_path / "snapshot")


def test_a_notebook_opens_it_in_the_place_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(DATA / "small", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    given = {"collaborative": "small", "title": "Small", "data": "data", "data_cut": "2024-07-31"}
    study = qieval.open_study(**given)
    write_snapshot(study, tmp_path / "snapshot")
    shutil.rmtree(tmp_path / "data")
    with pytest.raises(DataError, match="neither in the folder"):
        qieval.open_study(**given)
    monkeypatch.setenv(SNAPSHOT, str(tmp_path / "snapshot"))
    assert qieval.open_study(**given).fingerprint == study.fingerprint
    with pytest.raises(DataError, match="neither in the folder"):  # changed in the notebook: read as usual
        qieval.open_study(**given | {"data_cut": "2024-06-30"})
