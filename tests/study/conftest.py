"""Small studies on disk, and what the door says about them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from qieval.study.parameters import check_parameters
from qieval.study.problems import lines_of
from qieval.study.study import Study, check_study


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``folder(visits="...")`` as the only file, visits.csv, of a folder."""

    def write(**tables: str | bytes) -> Path:
        home = tmp_path / "study"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        for name, content in tables.items():
            content = content.encode() if isinstance(content, str) else content
            (home / f"{name}.csv").write_bytes(content)
        return home

    return write


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``workbook(visits=[[...], [...]])`` as the sheet visits of an Excel workbook."""

    def write(**sheets: list[list[Any]]) -> Path:
        book = Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        path = tmp_path / "study.xlsx"
        book.save(path)
        return path

    return write


@pytest.fixture
def open_door() -> Callable[..., tuple[Study | None, list[str], list[str]]]:
    """The study at a path (None if it has errors), its errors and its warnings, in words."""

    def check(path: Path, *, data_cut: str = "2023-12-31", collaborative: str = "kangra", **reading: str) -> Any:
        parameters = check_parameters(
            {
                "collaborative": collaborative,
                "title": "Kangra",
                "data": str(path),
                "data_cut": data_cut,
                "options": {"reading": reading},
            }
        )
        study, problems = check_study(parameters, home=Path.cwd())
        return study, lines_of(problems, "error"), lines_of(problems, "warning")

    return check


@pytest.fixture
def errors(folder: Any, open_door: Any) -> Callable[..., list[str]]:
    """The errors in a folder of these CSV files."""
    return lambda **tables: open_door(folder(**tables))[1]


@pytest.fixture
def warned(folder: Any, open_door: Any) -> Callable[..., list[str]]:
    """The warnings about a folder of these CSV files, which must have no errors."""

    def check(**tables: str) -> list[str]:
        _, wrong, doubtful = open_door(folder(**tables))
        assert wrong == []
        return doubtful

    return check
