"""One table on its way in: as the user wrote it, and as typed frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qieval.study.problems import Problem
from qieval.study.reading import RawTable
from qieval.study.schema import Table


@dataclass(frozen=True, eq=False, kw_only=True)
class Sheet:
    """One table on its way in: as the user wrote it, and as typed so far."""

    table: Table
    raw: RawTable
    decimal: str
    frame: pd.DataFrame
    readable: pd.DataFrame  # of bool: False where a filled cell could not be read as its type

    def problem(
        self,
        wrong: pd.Series | np.ndarray,
        column: str,
        what: str,
        remedy: str,
        level: Literal["error", "warning"] = "error",
        details: pd.Series | None = None,
    ) -> Iterable[Problem]:
        """The rows where `wrong` holds, as one problem; nothing if there are none."""
        at = np.flatnonzero(np.asarray(wrong, dtype=bool))
        if len(at):
            yield Problem(
                source=self.raw.source,
                what=what,
                remedy=remedy,
                column=column,
                rows=tuple(int(row) for row in self.raw.rows[at]),
                values=tuple(self.text(column).iloc[at]) if column else (),
                details=() if details is None else tuple(details.iloc[at]),
                level=level,
            )

    def problems_by_value(
        self, wrong: pd.Series, column: str, what: str, remedy_for: Callable[[str], str]
    ) -> Iterable[Problem]:
        """The same, where the remedy depends on what stands in the cell: one problem per remedy."""
        text = self.text(column)
        remedies = text.map({value: remedy_for(value) for value in text[wrong].unique()})
        for remedy in remedies[wrong].unique():
            yield from self.problem(wrong & (remedies == remedy), column, what, remedy)

    def text(self, column: str) -> pd.Series:
        """A column as the user wrote it."""
        cells = self.raw.cells
        return cells[column] if column in cells else pd.Series("", index=cells.index, dtype=object)


def read_types(table: Table, raw: RawTable, decimal: str) -> Sheet:
    typed, readable = {}, {}
    for column in table.columns:
        if column.name in raw.cells:
            text = raw.cells[column.name]
        else:
            text = pd.Series("", index=raw.cells.index, dtype=object)
        if decimal == "," and column.type in ("number", "count"):
            # Swapped rather than replaced: the point of a thousand (1.234) must stay unreadable, not become 1.234.
            text = text.str.translate(str.maketrans(",.", ".,"))
        values = PARSERS[column.type](text)
        if column.allowed:
            # "Rural" and "Learning session" can only mean one thing.
            plain = text.str.lower().str.replace(r"[\s-]+", "_", regex=True)
            values = values.where(~plain.isin(column.allowed), plain)
        typed[column.name] = values
        readable[column.name] = values.notna() | (text == "")
    index = raw.cells.index
    return Sheet(
        table=table,
        raw=raw,
        decimal=decimal,
        frame=pd.DataFrame(typed, index=index),
        readable=pd.DataFrame(readable, index=index),
    )


def _parse_text(text: pd.Series) -> pd.Series:
    return text.where(text != "", None).astype(object)


def parse_date(text: pd.Series) -> pd.Series:
    """ISO dates; a month alone (2018-08) is read as its first day, and said so in a warning."""
    day = text.str.replace(r"[T ]00:00(:00(\.0+)?)?$", "", regex=True)
    day = day.where(~is_month_only(day), day + "-01")
    day = day.where(day.str.fullmatch(r"\d{4}-\d{2}-\d{2}"), None)
    return pd.to_datetime(day, format="%Y-%m-%d", errors="coerce")


def _parse_month(text: pd.Series) -> pd.Series:
    return parse_date(text).dt.to_period("M").dt.to_timestamp()


def _parse_number(text: pd.Series) -> pd.Series:
    number = text.where(text.str.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"), None)
    values = pd.to_numeric(number, errors="coerce").astype(float)
    return values.where(np.isfinite(values))


def _parse_count(text: pd.Series) -> pd.Series:
    """Whole numbers; 12.0 is one, but 1.000 may be a thousand, and nothing is guessed."""
    return _parse_number(text.where(text.str.fullmatch(r"[+-]?[0-9]+(\.0)?"), ""))


def _parse_yes_no(text: pd.Series) -> pd.Series:
    meaning = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    return text.str.lower().map(meaning).astype("boolean")


PARSERS: dict[str, Callable[[pd.Series], pd.Series]] = {
    "text": _parse_text,
    "date": parse_date,
    "month": _parse_month,
    "number": _parse_number,
    "count": _parse_count,
    "yes_no": _parse_yes_no,
}


def is_month_only(text: pd.Series) -> pd.Series:
    return text.str.fullmatch(r"\d{4}-\d{2}").astype(bool)
