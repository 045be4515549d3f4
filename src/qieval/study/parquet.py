"""One Parquet file as rows of values: of a store shared by many collaboratives only the rows that are asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What was read: the column names first, then the rows, each with its number (the names count as row 1)."""

    records: list[tuple[int, list[Any]]]
    others: frozenset[str]  # the collaboratives whose rows were left in the file


def read_parquet(file: Path, *, key: str, collaborative: str | None) -> Rows:
    """The rows of a file; those of one collaborative alone if the file has the column `key` and it is named there.

    The column `key` is read first, alone, and then only the blocks of rows that hold the collaborative: a nation's
    file is not read through for the sake of one district. Rows whose `key` is blank are read with them, as they
    have to be told of.

    Raises
    ------
    OSError, ValueError
        If the file cannot be opened, or is no Parquet file (pyarrow's own error is a ValueError).
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as parts:
        names = list(parts.schema_arrow.names)
        sizes = [parts.metadata.row_group(block).num_rows for block in range(parts.num_row_groups)]
        wanted, others = np.ones(sum(sizes), dtype=bool), frozenset[str]()
        if collaborative is not None and key in names:
            codes, found = pd.factorize(parts.read(columns=[key]).column(0).to_pandas(), use_na_sentinel=False)
            ids = ["" if pd.isna(who) else str(who).strip() for who in found]
            wanted = np.isin(codes, [code for code, who in enumerate(ids) if who in ("", collaborative)])
            others = frozenset(ids) - {"", collaborative}
        records: list[tuple[int, list[Any]]] = [(1, list(names))]
        for block, last in enumerate(np.cumsum(sizes)):
            places = np.flatnonzero(wanted[last - sizes[block] : last])
            if len(places):
                columns = [column.to_pylist() for column in parts.read_row_group(block).take(places).columns]
                numbers = (last - sizes[block] + places + 2).tolist()
                rows = zip(*columns, strict=True)
                records += [(number, list(map(_or_blank, row))) for number, row in zip(numbers, rows, strict=True)]
        return Rows(records=records, others=others)


def _or_blank(value: object) -> object:
    """Programs write a missing number as NaN; in the tables it is a blank cell."""
    return None if isinstance(value, float) and math.isnan(value) else value
