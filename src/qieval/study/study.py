"""One collaborative as it was recorded: checked once, at the door, and trusted from there on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from qieval.errors import DataError, bulleted
from qieval.study.checking import check_tables
from qieval.study.parameters import Parameters, check_parameters
from qieval.study.problems import Problem, lines_of
from qieval.study.reading import read_tables
from qieval.study.schema import COLLABORATIVE, TABLES

BUNDLED = "examples"  # data: examples/NAME also names the example data inside the package


@dataclass(frozen=True, eq=False, kw_only=True)
class Study:
    """The checked tables of one collaborative and the parameters they were read with."""

    parameters: Parameters
    tables: Mapping[str, pd.DataFrame]  # by table name; each has all columns of its schema
    warnings: tuple[Problem, ...] = ()

    def __getitem__(self, table: str) -> pd.DataFrame:
        """A table by name.

        Raises
        ------
        DataError
            If the study has no such table.
        """
        if table not in self.tables:
            raise DataError(f"{self.parameters.title} has no table {table!r} -> add it, or leave this question out")
        return self.tables[table]

    def has(self, *tables: str) -> bool:
        """Whether all these tables are there and hold at least one row."""
        return all(name in self.tables and len(self.tables[name]) > 0 for name in tables)

    def facility_names(self) -> pd.Series:
        """Name by facility_id, for labels: the id where there is no name, and both where two share one."""
        ids = self["facilities"]["facility_id"]
        names = self["facilities"]["name"].fillna(ids)
        names = names.where(~names.duplicated(keep=False), names + " (" + ids + ")")
        return pd.Series(names.to_numpy(), index=ids)

    @cached_property
    def fingerprint(self) -> str:
        """Twelve characters that change when any cell of any table changes."""
        digest = hashlib.sha256()
        for name in sorted(self.tables):
            frame = self.tables[name]
            digest.update(f"{name}:{','.join(frame.columns)}:{len(frame)}".encode())
            digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
        return digest.hexdigest()[:12]


def open_study(**parameters: Any) -> Study:
    """The study that a notebook's parameters describe.

    Parameters
    ----------
    **parameters
        The keys of a file in ``params/``: ``collaborative``, ``title``, ``data``, ``data_cut`` and,
        if needed, ``phases``, ``notes`` and ``options``. ``data`` is looked for in the current folder,
        then in the one above it, then among the bundled examples.

    Raises
    ------
    ParameterError
        Names every wrong key.
    DataError
        Names every row that needs attention.
    """
    from qieval.study.snapshot import left_by_batch  # which needs what is defined here

    checked = check_parameters(parameters)
    return left_by_batch(checked) or study_of(checked, home=Path.cwd())


def study_of(parameters: Parameters, *, home: Path) -> Study:
    """The study of checked parameters, its data looked for in the folder `home` or the one above it."""
    study, problems = check_study(parameters, home=home)
    errors = lines_of(problems, "error")
    if study is None:
        raise DataError(bulleted(Path(parameters.data).name or parameters.data, errors))
    return study


def check_study(parameters: Parameters, *, home: Path) -> tuple[Study | None, list[Problem]]:
    """The study, or None if it has errors; and every problem found, errors and warnings.

    Raises
    ------
    DataError
        If there is no data to check.
    """
    raws, problems = read_tables(
        find_data(parameters.data, home), parameters.options.reading, collaborative=parameters.collaborative
    )
    keyed = {name: raw for name, raw in raws.items() if COLLABORATIVE.name in raw.cells}
    named = {value for raw in keyed.values() for value in raw.cells[COLLABORATIVE.name] if value}
    known = sorted(named.union(*(raw.others for raw in keyed.values())))
    if known and parameters.collaborative not in known:
        raise DataError(
            f"{Path(parameters.data).name}: no row has the {COLLABORATIVE.name} {parameters.collaborative!r} -> "
            f"set 'collaborative' to one of: {', '.join(known[:10])}{', ...' if len(known) > 10 else ''}"
        )
    for raw in keyed.values():
        blank = raw.cells[COLLABORATIVE.name] == ""
        if blank.any():
            rows = tuple(int(row) for row in raw.rows[blank.to_numpy()])
            what, remedy = "blank, so the row belongs to nobody", "fill it in"
            problems.append(Problem(source=raw.source, column=COLLABORATIVE.name, rows=rows, what=what, remedy=remedy))
    mine = {name: raw.of_collaborative(parameters.collaborative) for name, raw in raws.items()}
    frames, found = check_tables(
        mine,
        data_cut=parameters.data_cut,
        decimal=parameters.options.reading.decimal,
        unread={problem.unread for problem in problems},
    )
    problems += found
    if any(problem.level == "error" for problem in problems):
        return None, problems
    if all(frame.empty for frame in frames.values()):
        raise DataError(f"{Path(parameters.data).name}: its tables hold no rows -> fill in at least one of them")
    problems += _stale_cut(frames, parameters)
    ordered = MappingProxyType({name: frames[name] for name in TABLES if name in frames})
    return Study(parameters=parameters, tables=ordered, warnings=tuple(problems)), problems


def _stale_cut(frames: Mapping[str, pd.DataFrame], parameters: Parameters) -> list[Problem]:
    """A data cut long after the last month measured counts months nobody looked at as months without an event."""
    if "measurements" not in frames or frames["measurements"].empty:
        return []
    last = frames["measurements"]["period"].max()
    if pd.Timestamp(parameters.data_cut) <= last + pd.DateOffset(months=4):
        return []
    what = f"data_cut {parameters.data_cut:%Y-%m-%d} is long after the last month measured, {last:%Y-%m}"
    remedy = "set it to the last day the data cover: open projects are counted up to it"
    return [Problem(source="parameters", what=what, remedy=remedy, level="warning")]


def find_data(data: str, home: Path) -> Path:
    """The folder or file that the parameter `data` names.

    A notebook is opened in ``notebooks/``, parameters lie in ``params/``, and the data are named from the folder
    above both: so that is searched after `home` itself, and no further.

    Raises
    ------
    DataError
        If it is nowhere to be found.
    """
    wanted, home = Path(data), home.absolute()
    for folder in (home, home.parent):
        try:
            found = folder / wanted.expanduser()
            if found.exists():
                return found
        except (OSError, RuntimeError):  # a name too long, or of a user who is not there
            break
    if wanted.parts[:1] == (BUNDLED,) and len(wanted.parts) == 2:
        bundled = Path(str(resources.files("qieval.study"))) / BUNDLED / wanted.name
        if bundled.is_dir():
            return bundled
    known = ""
    if wanted.parts[:1] == (BUNDLED,):
        known = f"; the bundled examples are {', '.join(f'{BUNDLED}/{name}' for name in bundled_examples())}"
    raise DataError(
        f"data: {data!r} is neither in the folder of the parameters nor in the one above it -> check the name{known}"
    )


def bundled_examples() -> list[str]:
    """The names of the example studies inside the package."""
    folder = Path(str(resources.files("qieval.study"))) / BUNDLED
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
