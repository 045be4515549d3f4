"""What is wrong with the tables: where, what, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

SHOWN = 5  # rows spelt out per problem; the rest are counted, so that one bad column is not a thousand lines


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
        if not self.rows:
            place = f"{self.source}, {self.column}" if self.column else self.source
            return [f"{place}: {self.what} -> {self.remedy}"]
        lines = []
        blank = ("",) * SHOWN
        for row, value, detail in zip(self.rows[:SHOWN], self.values or blank, self.details or blank, strict=False):
            cell = f", {self.column}" if self.column else ""
            # Only what an editor would show on one line: the message stays one line whatever the cell holds.
            shown = f" {' '.join(value.split())[:60]!r}" if value else ""
            what = f"{self.what} {detail}" if detail else self.what
            lines.append(f"{self.source}, row {row}{cell}{shown}: {what} -> {self.remedy}")
        more = len(self.rows) - SHOWN
        if more > 0:
            lines.append(f"{self.source}: the same in {more} more row{'s' if more > 1 else ''}: {self._row_list()}")
        return lines

    def _row_list(self) -> str:
        rest = self.rows[SHOWN : SHOWN + 10]
        return ", ".join(map(str, rest)) + (", ..." if len(self.rows) > SHOWN + 10 else "")


def lines_of(problems: Iterable[Problem], level: Literal["error", "warning"]) -> list[str]:
    """All problems of one level in words."""
    return [line for problem in problems if problem.level == level for line in problem.lines()]
