"""Parquet files are read as CSV files are, and of a shared store only a collaborative's own rows."""

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from qieval.errors import DataError
from qieval.study.parameters import Reading, check_parameters
from qieval.study.parquet import read_parquet
from qieval.study.problems import lines_of
from qieval.study.reading import read_tables
from qieval.study.study import check_study, study_of

STORE = pd.DataFrame(
    {
        "collaborative_id": ["kangra", "kangra", "mandi", None, "una"],
        "facility_id": ["F1", "F2", "M1", "X1", "U1"],
        "wave": [1.0, float("nan"), 2.0, 1.0, 1.0],
        "joined_on": [dt.datetime(2023, 1, 2), pd.NaT, dt.datetime(2023, 3, 1), pd.NaT, pd.NaT],
    }
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder with facilities.parquet, two rows a block."""
    STORE.to_parquet(tmp_path / "facilities.parquet", row_group_size=2)
    return tmp_path


def read(folder: Path, collaborative: str | None = None) -> Any:
    tables, problems = read_tables(folder, Reading(), collaborative=collaborative)
    assert problems == []
    return tables["facilities"]


def test_cells_are_the_text_that_a_csv_file_would_hold(store: Path):
    table = read(store)
    assert table.cells.loc[0].tolist() == ["kangra", "F1", "1", "2023-01-02"]
    assert table.cells.loc[1].tolist() == ["kangra", "F2", "", ""]
    assert table.rows.tolist() == [2, 3, 4, 5, 6]


def test_only_the_rows_of_the_collaborative_are_read_and_those_that_belong_to_nobody(store: Path):
    table = read(store, "una")
    assert table.cells["facility_id"].tolist() == ["X1", "U1"]
    assert table.rows.tolist() == [5, 6]  # as in the whole file
    assert table.others == {"kangra", "mandi"}


def test_blocks_without_a_row_of_the_collaborative_are_left_on_the_disk(store: Path, monkeypatch: pytest.MonkeyPatch):
    import pyarrow.parquet as pq

    opened: list[int] = []
    whole = pq.ParquetFile.read_row_group

    def noted(self: Any, block: int, **options: Any) -> Any:
        opened.append(block)
        return whole(self, block, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", noted)
    read_parquet(store / "facilities.parquet", key="collaborative_id", collaborative="kangra")
    assert opened == [0, 1]  # block 1 for the row that belongs to nobody


def parameters(folder: Path, collaborative: str) -> Any:
    given = {"collaborative": collaborative, "title": "One", "data": str(folder), "data_cut": "2023-12-31"}
    return check_parameters(given)


def test_a_row_that_belongs_to_nobody_is_told_with_its_place(store: Path):
    _, problems = check_study(parameters(store, "una"), home=store)
    assert lines_of(problems, "error") == [
        "facilities.parquet, row 5, collaborative_id: blank, so the row belongs to nobody -> fill it in"
    ]


def test_a_collaborative_that_has_no_row_is_told_whose_rows_there_are(store: Path):
    with pytest.raises(DataError, match=r"no row has the collaborative_id 'kullu' -> .* one of: kangra, mandi, una$"):
        check_study(parameters(store, "kullu"), home=store)


def test_parquet_and_csv_give_the_same_study(tmp_path: Path):
    rows = STORE.dropna(subset="collaborative_id")
    for kind in ("csv", "parquet"):
        (tmp_path / kind).mkdir()
    rows.to_csv(tmp_path / "csv/facilities.csv", index=False)
    rows.to_parquet(tmp_path / "parquet/facilities.parquet")
    csv, parquet = (study_of(parameters(tmp_path / kind, "kangra"), home=tmp_path) for kind in ("csv", "parquet"))
    assert csv.fingerprint == parquet.fingerprint
    assert csv["facilities"]["facility_id"].tolist() == ["F1", "F2"]


def test_a_file_that_only_claims_to_be_parquet_is_refused(tmp_path: Path):
    (tmp_path / "facilities.parquet").write_bytes(b"PAR1 no")
    _, problems = read_tables(tmp_path, Reading())
    assert lines_of(problems, "error") == [
        "facilities.parquet: not readable as Parquet -> write it again, for instance with pandas' to_parquet"
    ]


def test_a_table_given_as_csv_and_as_parquet_is_told(store: Path):
    (store / "facilities.csv").write_text("facility_id\nF1\n", encoding="utf-8")
    _, problems = read_tables(store, Reading())
    assert lines_of(problems, "error") == [
        "facilities.parquet: the table facilities is given twice (also facilities.csv) -> keep one of them"
    ]
