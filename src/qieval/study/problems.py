"""What is wrong with the tables: where, what, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

SHOWN = 5  # rows spelt out per problem; the rest are counted, so that one bad column is not a thousand lines

RANGES = 20  # ranges of rows that one remark lists


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One kind of mistake in one column of one table, with every row it occurs in."""

    source: str  # as the user knows it: "visits.csv" or "study.xlsx, sheet visits"
    what: str
    remedy: str
    column: str = ""
    rows: tuple[int, ...] = ()  # as a text editor or Excel numbers them
    values: tuple[str, ...] = ()
    details: tuple[str, ...] = ()  # what differs from row to row, said after `what`
    level: Literal["error", "warning"] = "error"
    unread: str = ""  # the table that could not be read because of it

    def lines(self) -> list[str]:
        """The problem in words, one line per row, the first few of them."""
        return [line for _, line in self.placed_lines()]

    def placed_lines(self) -> list[tuple[int, str]]:
        """Each line with the row it belongs to; 0 where it concerns the table as a whole."""
        if not self.rows:
            place = f"{self.source}, {self.column}" if self.column else self.source
            return [(0, f"{place}: {self.what} -> {self.remedy}")]
        lines = []
        blank = ("",) * SHOWN
        more = len(self.rows) - SHOWN
        for row, value, detail in zip(self.rows[:SHOWN], self.values or blank, self.details or blank, strict=False):
            cell = f", {self.column}" if self.column else ""
            shown = f" {_on_one_line(value)!r}" if value else ""
            what = f"{self.what} {detail}" if detail else self.what
            line = f"{self.source}, row {row}{cell}{shown}: {what} -> {self.remedy}"
            # With "the same in 2 more rows" below them, they must stay together.
            lines.append((self.rows[0] if more > 0 else row, line))
        if more > 0:
            line = f"{self.source}: the same in {more} more row{'s' if more > 1 else ''}: {self._row_list()}"
            lines.append((self.rows[0], line))
        return lines

    def _row_list(self) -> str:
        rest = self.rows[SHOWN : SHOWN + 10]
        return ", ".join(map(str, rest)) + (", ..." if len(self.rows) > SHOWN + 10 else "")


def lines_of(problems: Iterable[Problem], level: Literal["error", "warning"]) -> list[str]:
    """All problems of one level in words, table by table as they come, and by row within a table.

    An error has a line for each of its rows, to be mended one after the other. A remark is one line for all its
    rows, and for all columns where it is the same.
    """
    asked = [problem for problem in problems if problem.level == level]
    placed = _remarks(asked) if level == "warning" else _in_full(asked)
    sources = list(dict.fromkeys(source for source, _, _ in placed))
    return [line for _, _, line in sorted(placed, key=lambda found: (sources.index(found[0]), found[1]))]


def _in_full(problems: Iterable[Problem]) -> list[tuple[str, int, str]]:
    """Source, row and line of every row of every problem."""
    return [(one.source, row, line) for one in problems for row, line in one.placed_lines()]


def _remarks(problems: Iterable[Problem]) -> list[tuple[str, int, str]]:
    """Source, first row and line of each remark, those that differ in the column only put together."""
    together: dict[tuple[object, ...], list[Problem]] = {}
    alone = []
    for problem in problems:
        if len(problem.rows) < 2 or problem.details:
            alone.append(problem)
        else:
            key = (problem.source, problem.rows, problem.what, problem.remedy)
            together.setdefault(key, []).append(problem)
    return _in_full(alone) + [(same[0].source, same[0].rows[0], _remark(same)) for same in together.values()]


def _remark(same: list[Problem]) -> str:
    """One line for the same remark on the same rows of one or more columns."""
    first = same[0]
    columns = _and([one.column for one in same if one.column])
    values = list(dict.fromkeys(_on_one_line(value) for one in same for value in one.values if value))
    shown = ", ".join(map(repr, values[:3])) + (", ..." if len(values) > 3 else "")
    place = f"{first.source}, rows {_ranges(first.rows)}"
    place += f", {columns}" if columns else ""
    return f"{place}{f' ({shown})' if shown else ''}: {first.what} -> {first.remedy}"


def _ranges(rows: tuple[int, ...]) -> str:
    """The rows, those in a row as a range: 2-8, 11 and 14-15; beyond twenty such parts the rest are counted."""
    parts: list[list[int]] = []
    for row in sorted(set(rows)):
        if parts and row == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], row]
        else:
            parts.append([row])
    shown = ["-".join(map(str, part)) for part in parts[:RANGES]]
    more = sum(part[-1] - part[0] + 1 for part in parts[RANGES:])
    return _and(shown + ([f"{more} more"] if more else []))


def _and(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _on_one_line(value: str) -> str:
    """Only what an editor would show on one line: the message stays one line whatever the cell holds."""
    return " ".join(value.split())[:60]
