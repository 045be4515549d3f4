"""How each report of a batch came out, without the bulk of its record, and who is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Made:
    """One report of a batch."""

    collaborative: str
    title: str
    status: str  # a key of STATUS
    errors: tuple[str, ...] = ()  # why there is no report
    failures: Mapping[str, str] = field(default_factory=dict)  # section and reason
    left_out: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()  # sections taken over from the last report
    reused: bool = False  # nothing had changed: the last report is this one
    seconds: float = 0.0  # that its notebooks ran


def made_of(record: Mapping[str, Any], **more: Any) -> Made:
    """The short form of a report's record."""
    return Made(
        collaborative=record["collaborative"],
        title=record["title"],
        status=record["status"],
        errors=tuple(record["errors"]),
        failures=record["failures"],
        left_out=record["left_out"],
        **more,
    )


class Watcher(Protocol):
    """Is told how a batch goes on, by its threads."""

    def planned(self, reports: int, notebooks: int) -> None:
        """So many reports are to be made, of this many notebooks at most."""

    def settled(self, dropped: int) -> None:
        """The data of a report are known: so many of its notebooks need not be run."""

    def notebook_ended(self) -> None:
        """A notebook has been run, however it ended."""

    def report_made(self, made: Made) -> None:
        """A report has come to its end, whatever that is; for one that is reused, at once."""
