"""What a notebook shows: objects that render in JupyterLab and that a batch can harvest afterwards.

Each carries its name, and a figure its alternative text, in the metadata of the output, so that an
executed notebook alone holds everything a report is made of.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd

KEY_FIGURES = "application/vnd.qieval.key-figures+json"
METADATA = "qieval"  # the key of our metadata on an output
# The classes whose text JupyterLab and nbconvert do not take for mathematics: two dollar signs in names are no formula.
AS_TEXT = "mathjax_ignore tex2jax_ignore"

Bundle = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Figure:
    """A finished drawing in two formats, with the text for those who cannot see it."""

    name: str  # also its file name
    alt: str
    caption: str
    svg: str
    png: bytes

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        data = {
            "image/svg+xml": self.svg,
            "image/png": base64.b64encode(self.png).decode("ascii"),
            "text/plain": self.alt,
        }
        return data, {METADATA: {"kind": "figure", "name": self.name, "alt": self.alt, "caption": self.caption}}


_DATE = re.compile(r"(?:\d{1,2} )?[A-Z][a-z]{2} \d{4}")  # Aug 2018 or 5 Aug 2018, not to be parted over two lines
WIDE = 10  # columns; a table of more gets a sheet across on paper
SHORT_HEAD = 16  # letters at the head of a row that need no room of their own


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """A table as text for readers, and unrounded for whoever computes on."""

    name: str  # also its file name
    caption: str
    shown: pd.DataFrame  # of text, headed as readers should see it; the first column heads the rows
    data: pd.DataFrame  # unrounded
    numeric: tuple[str, ...] = ()  # columns of `shown` to align right
    folded: bool = False  # long tables open on a click, and always in print

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        data = {"text/html": self._html(), "text/csv": safe_csv(self.data), "text/plain": self.caption}
        return data, {METADATA: {"kind": "table", "name": self.name, "caption": self.caption}}

    def _html(self) -> str:
        number = [' class="number"' if name in self.numeric else "" for name in self.shown.columns]
        head = "".join(
            f'<th scope="col"{css}>{escape(str(name))}</th>'
            for name, css in zip(self.shown.columns, number, strict=True)
        )
        # Names and sentences at the head of rows get room; ids and numbers would only waste it.
        is_long = self.shown.iloc[:, 0].astype(str).str.len().max() > SHORT_HEAD
        row_head = '<th scope="row" class="long">' if is_long else '<th scope="row">'
        dated = ' class="date"'
        rows = []
        for row in self.shown.itertuples(index=False):
            first, *rest = (escape(str(cell)) for cell in row)
            cells = "".join(
                f"<td{css or (dated if _DATE.fullmatch(cell) else '')}>{cell}</td>"
                for cell, css in zip(rest, number[1:], strict=True)
            )
            rows.append(f"<tr>{row_head}{first}</th>{cells}</tr>")
        across = " across" if self.shown.shape[1] > WIDE else ""
        table = (
            f'<div class="table{across} {AS_TEXT}"><table><caption>{escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        )
        folded = f'<details class="{AS_TEXT}"><summary>{escape(self.caption)}</summary>{table}</details>'
        return folded if self.folded else table


@dataclass(frozen=True, eq=False, kw_only=True)
class Text:
    """Sentences made from a result; text from data stays text, whatever it looks like."""

    sentences: Sequence[str]
    style: str = "answer"  # "answer", "caveats" or "note"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        lines = [line for line in self.sentences if line]
        if self.style == "caveats":
            body = f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
        else:
            body = "".join(f"<p>{escape(line)}</p>" for line in lines)
        html = f'<div class="{self.style} {AS_TEXT}">{body}</div>' if lines else ""
        return {"text/html": html, "text/plain": "\n".join(lines)}, {METADATA: {"kind": "text"}}


@dataclass(frozen=True, eq=False, kw_only=True)
class Cell:
    """One figure for the index page: the text shown, and the number it sorts by."""

    column: str
    text: str
    sort: float | None = None
    trend: Sequence[float | None] = ()  # a small line beside the text, with `line` dashed across it
    line: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class KeyFigures:
    """The figures of one notebook that the index page and comparisons show."""

    notebook: str
    cells: Sequence[Cell]
    values: dict[str, Any] = field(default_factory=dict)  # unrounded, by name
    version: str = ""
    fingerprint: str = ""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        data = {
            "notebook": self.notebook,
            "version": self.version,
            "fingerprint": self.fingerprint,
            "cells": [
                {key: value for key, value in vars(cell).items() if value not in (None, ())} for cell in self.cells
            ],
            "values": self.values,
        }
        line = "; ".join(f"{cell.column}: {cell.text}" for cell in self.cells)
        origin = f"qieval {self.version}, data {self.fingerprint}"
        html = f'<p class="origin {AS_TEXT}">{escape(line)}{" · " if line else ""}{escape(origin)}</p>'
        return {KEY_FIGURES: data, "text/html": html, "text/plain": f"{line}\n{origin}"}, {METADATA: {"kind": "key"}}


def safe_csv(data: pd.DataFrame) -> str:
    """CSV in which no text can start a formula when a spreadsheet opens it; numbers stay numbers, also below zero.

    An apostrophe before what could be a formula makes the spreadsheet take it for text.

    References
    ----------
    .. [1] OWASP. CSV Injection. owasp.org/www-community/attacks/CSV_Injection
    """
    plain = data.rename(columns=lambda name: _tame(str(name)))
    # By place, since two columns may bear one name.
    cells = {place: _as_cells(plain.iloc[:, place]) for place in range(plain.shape[1])}
    return pd.DataFrame(cells, index=plain.index).to_csv(index=False, header=list(plain.columns), lineterminator="\n")


def _as_cells(column: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.strftime("%Y-%m-%d")
    if pd.api.types.is_numeric_dtype(column):  # also of Booleans
        return column
    return column.astype(object).map(lambda cell: _tame(cell) if isinstance(cell, str) else cell)


# Where semicolons or tabs part cells, a spreadsheet starts a new one inside a text of ours; so it may at a new line.
_FORMULA = re.compile(r"(?:^|(?<=[;\t\r\n]))(?=\s*[=+\-@＝＋－＠]|[\t\r\n])")


def _tame(text: str) -> str:
    return _FORMULA.sub("'", text)


def file_name(text: str) -> str:
    """A text from data as part of a file name: letters, digits, - and _ only, so that no id leaves its folder.

    Where that changes the text, a mark is added, so that two ids never share a file.
    """
    # Sixty letters of any script fit into a file's name, beside what stands before and after.
    plain = re.sub(r"[^\w-]+", "_", text).strip("_")[:60].encode()[:150].decode(errors="ignore")
    return plain if plain == text and text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:6]}".lstrip("-")
