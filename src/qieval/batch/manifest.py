"""What a finished report was made from: the one thing that says it is finished.

It lies in the report's own folder, which comes to its place in one step, so that there is never one without the other.
A folder without it, or with files other than it names, is not a finished report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from qieval.batch.records import read_record

NAME = "manifest.json"
RECORD = "report.json"
NOTEBOOKS = "notebooks"  # the folder of the executed ones
PREVIOUS = "previous"  # the last report that was made, inside the folder of one that was not
FORMAT = 1  # of the file; one in another format counts as none

Outcome = Literal["made", "failed", "left out", "not asked"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One notebook's section."""

    outcome: Outcome
    recipe: str  # key of the notebook, the parameters and the programs it was made with; empty if not asked for
    reason: str = ""  # why it failed or is not there
    sha256: str = ""  # of the executed notebook; empty if there is none


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One report, as it lies in its folder."""

    collaborative: str
    status: str  # as in its record
    files: str  # key of the bytes of its data files
    rows: str  # key of the rows that were read from them; empty if they were refused
    parts: Mapping[str, Part] = field(default_factory=dict)  # by notebook
    sizes: Mapping[str, int] = field(default_factory=dict)  # bytes of each file, by its path in the folder

    def is_whole(self, folder: Path) -> bool:
        """Whether every file is there, and of its size: a disk that lost power may have cut some off."""
        try:
            cut = [name for name, size in self.sizes.items() if (folder / name).stat().st_size != size]
        except (OSError, ValueError):  # not there, or no name of a file
            return False
        return not cut and read_record(folder / RECORD) is not None


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a report's folder; None if it holds no finished report."""
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if found.pop("format") != FORMAT:
            return None
        parts = {name: Part(**part) for name, part in found.pop("parts").items()}
        return Manifest(parts=parts, sizes=dict(found.pop("sizes")), **found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def as_json(manifest: Manifest) -> dict[str, Any]:
    """The content of the file."""
    return {"format": FORMAT, **asdict(manifest)}


def sizes_in(folder: Path) -> dict[str, int]:
    """The size of every file of a report but the manifest, and the record, which later batches add a line to."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
    return {name: size for name, size in found.items() if name not in (NAME, RECORD)}


def digest(path: Path) -> str:
    """SHA-256 of a file; empty if there is none."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def only_intact(manifest: Manifest, folder: Path) -> Manifest:
    """Without the parts whose executed notebook is not the one that was finished."""
    kept = {
        name: part
        for name, part in manifest.parts.items()
        if not part.sha256 or digest(folder / NOTEBOOKS / f"{name}.ipynb") == part.sha256
    }
    return replace(manifest, parts=kept)
