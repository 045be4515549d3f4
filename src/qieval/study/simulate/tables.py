"""Tables as the door reads them, and as the files it reads them from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qieval.study.schema import TABLES
from qieval.study.sheet import PARSERS


def as_read(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """All columns of the table, typed by the door from the text of their cells; one not drawn is missing throughout."""
    text = _as_text(frame.reindex(columns=TABLES[name].column_names)).reset_index(drop=True)
    return pd.DataFrame({column.name: PARSERS[column.type](text[column.name]) for column in TABLES[name].columns})


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """One CSV file per table in `folder`, which is made if need be: UTF-8, ISO dates, a blank for what is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        _as_text(frame).to_csv(folder / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")


def numbered(letter: str, n: int) -> list[str]:
    """Ids such as F01 to F24, all of one length."""
    return [f"{letter}{one:0{max(2, len(str(n)))}d}" for one in range(1, n + 1)]


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.map(_cell_text, na_action="ignore").astype(object).fillna("")


def _cell_text(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)
