"""How each report of a batch came out, without the bulk of its record: a batch holds hundreds of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
