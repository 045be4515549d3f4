"""What an executed notebook holds: its figures and tables as files, its key figures and its answer."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from qieval.present.display import KEY_FIGURES, METADATA

ANSWER = '<div class="answer '  # how the sentences begin that answer a notebook's question


@dataclass(frozen=True, kw_only=True)
class Harvest:
    """The parts of one notebook that are used outside its section."""

    cells: list[dict[str, Any]] = field(default_factory=list)  # of the index page
    values: dict[str, Any] | None = None  # unrounded; None if the notebook has no key figures
    answer: list[str] = field(default_factory=list)  # sentences


def harvest(executed: nbformat.NotebookNode, notebook: str, folder: Path) -> Harvest:
    """Save every figure and table an executed notebook shows into `folder`; returns its answer and key figures."""
    cells: list[dict[str, Any]] = []
    values: dict[str, Any] | None = None
    answer: list[str] = []
    for cell in executed["cells"]:
        for output in cell.get("outputs", []):
            data, own = output.get("data", {}), output.get("metadata", {}).get(METADATA, {})
            if KEY_FIGURES in data:
                values = data[KEY_FIGURES]["values"]
                cells = [{**found, "notebook": notebook} for found in data[KEY_FIGURES]["cells"]]
            elif own.get("kind") == "figure":
                base = folder / "figures" / f"{notebook}_{own['name']}"
                base.parent.mkdir(exist_ok=True)
                base.with_name(f"{base.name}.svg").write_text(data["image/svg+xml"], encoding="utf-8")
                base.with_name(f"{base.name}.png").write_bytes(base64.b64decode(data["image/png"]))
            elif own.get("kind") == "table":
                path = folder / "tables" / f"{notebook}_{own['name']}.csv"
                path.parent.mkdir(exist_ok=True)
                # Excel reads UTF-8 only with the mark at its start.
                path.write_text(data["text/csv"], encoding="utf-8-sig", newline="")
            elif own.get("kind") == "text" and not answer and data.get("text/html", "").startswith(ANSWER):
                answer = data["text/plain"].splitlines()
    return Harvest(cells=cells, values=values, answer=answer)
