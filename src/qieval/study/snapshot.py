"""A checked study left on disk for the notebooks of a batch, which open it in milliseconds."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

from qieval.study.parameters import Parameters
from qieval.study.problems import Problem
from qieval.study.study import Study

SNAPSHOT = "QIEVAL_SNAPSHOT"  # the environment variable that names the snapshot a notebook may open

_RECORD = "study.json"


def write_snapshot(study: Study, path: Path) -> None:
    """Write a checked study into the new folder `path`: a Parquet file per table, and what else it knows.

    Raises
    ------
    OSError
        If the folder is there already or cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    path.mkdir()
    for name, table in study.tables.items():
        # Nothing is compressed: it is read by many soon, and then removed.
        parquet.write_table(pa.Table.from_pandas(table, nthreads=1), path / f"{name}.parquet", compression="none")
    record = {
        "parameters": _key(study.parameters),
        "tables": list(study.tables),
        "warnings": [asdict(problem) for problem in study.warnings],
        "fingerprint": study.fingerprint,
    }
    (path / _RECORD).write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")


def read_snapshot(path: Path, parameters: Parameters) -> Study | None:
    """The study as it was checked; None if it was checked for other parameters, or is not there."""
    from pyarrow import parquet

    try:
        record = json.loads((path / _RECORD).read_text(encoding="utf-8"))
    except OSError:
        return None
    if record["parameters"] != _key(parameters):
        return None
    # One thread: others would not survive in a process that is forked from this one.
    tables = {
        name: parquet.read_table(path / f"{name}.parquet", use_threads=False).to_pandas(use_threads=False)
        for name in record["tables"]
    }
    warnings = tuple(_problem(**given) for given in record["warnings"])
    study = Study(parameters=parameters, tables=MappingProxyType(tables), warnings=warnings)
    vars(study)["fingerprint"] = record["fingerprint"]  # as if it had been asked for: it need not be calculated again
    return study


def _problem(**given: Any) -> Problem:
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    return Problem(**plain)


def left_by_batch(parameters: Parameters) -> Study | None:
    """The study that the batch which runs this notebook has left for it, if there is one with these parameters."""
    place = os.environ.get(SNAPSHOT)
    return read_snapshot(Path(place), parameters) if place else None


def _key(parameters: Parameters) -> dict[str, object]:
    """Parameters in plain values: equal for those that say the same, whether left to a default or written out."""
    return parameters.model_dump(mode="json")
