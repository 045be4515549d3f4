"""A notebook as a part of a page, and what all pages share."""

from __future__ import annotations

import base64
import copy
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from qieval.batch.place import written_whole
from qieval.present.display import METADATA

if TYPE_CHECKING:
    import nbformat  # which takes a second to load
    from nbconvert import HTMLExporter

TEMPLATES = Path(__file__).parent / "templates"
NOT_IN_REPORT = "not-in-report"  # tag of cells that serve the reader of the notebook only


@dataclass(frozen=True, kw_only=True)
class Numbering:
    """The numbers that figures and tables get, one after the other through a whole report."""

    figures: Iterator[int] = field(default_factory=lambda: count(1))
    tables: Iterator[int] = field(default_factory=lambda: count(1))


def section_html(executed: nbformat.NotebookNode, notebook: str, numbering: Numbering) -> str:
    """A notebook's text and outputs as a fragment of a page, without its code and its first heading.

    Every figure bears the name of its files in ``data-figure``, and its number in the caption.
    """
    own = copy.deepcopy(executed)
    own["cells"] = [_demoted(cell, is_first=position == 0) for position, cell in enumerate(_shown(own["cells"]))]
    for cell in own["cells"]:
        for output in cell.get("outputs", []):
            _prepare(output, notebook, numbering)
    with _EXPORTING:
        body: str = _exporter().from_notebook_node(own)[0]
    return body


_EXPORTING = threading.Lock()  # of ordinary kernels several threads come here


@lru_cache(maxsize=1)
def _exporter() -> HTMLExporter:
    """One for all: it takes longer to read its templates than to fill them."""
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    return HTMLExporter(
        config=Config(),
        template_name="section",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_anchor_links=True,
        optimistic_validation=True,  # once at the end, not after each of ten steps that do nothing
    )


def headings(html: str, section: str) -> tuple[str, list[tuple[str, str]]]:
    """The fragment with an id on each of its parts' headings, and these ids with their titles."""
    found: list[tuple[str, str]] = []

    def marked(match: re.Match[str]) -> str:
        found.append((f"{section}-part-{len(found) + 1}", unescape(re.sub("<[^>]+>", "", match[1]))))
        return f'<h3 id="{found[-1][0]}">{match[1]}</h3>'

    return re.sub(r"<h3\b[^>]*>(.*?)</h3>", marked, html, flags=re.DOTALL), found


def _shown(cells: Iterable[Any]) -> list[Any]:
    """The cells of the report, without the marks papermill puts beside a failed one; the report has its own words."""
    kept = [cell for cell in cells if NOT_IN_REPORT not in cell["metadata"].get("tags", [])]
    kept = [cell for cell in kept if not any("papermill-error" in tag for tag in cell["metadata"].get("tags", []))]
    for cell in kept:
        for output in cell.get("outputs", []):
            # The value of a cell's last line is shown like anything displayed; nbconvert's templates know them apart.
            if output["output_type"] == "execute_result":
                output["output_type"] = "display_data"
    return kept


def _demoted(cell: Any, *, is_first: bool) -> Any:
    """A text cell whose headings fit under the heading of the section; the notebook's title is that heading."""
    if cell["cell_type"] != "markdown":
        return cell
    lines = cell["source"].splitlines()
    if is_first and lines and lines[0].startswith("# "):
        lines = lines[1:]
    moved = cell.copy()
    moved["source"] = "\n".join(re.sub(r"^(#+ )", r"##\1", line) for line in lines)
    return moved


def _prepare(output: Any, notebook: str, numbering: Numbering) -> None:
    """Number a figure or table, and keep the smaller of a figure's two formats."""
    data, own = output.get("data", {}), output.get("metadata", {}).get(METADATA, {})
    if own.get("kind") == "figure":
        own |= {"number": next(numbering.figures), "file": f"{notebook}_{own['name']}"}
        svg = base64.b64encode(data["image/svg+xml"].encode()).decode("ascii")
        is_png = len(data["image/png"]) < len(svg)
        own["source"] = f"data:image/png;base64,{data['image/png']}" if is_png else f"data:image/svg+xml;base64,{svg}"
        data.pop("image/svg+xml" if is_png else "image/png")
    elif own.get("kind") == "table":
        number = next(numbering.tables)
        for tag in ("<caption>", "<summary>"):
            data["text/html"] = data["text/html"].replace(tag, f'{tag}<span class="count">Table {number}.</span> ', 1)


@lru_cache(maxsize=1)
def templates() -> jinja2.Environment:
    """The pages' templates; everything put into them is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


@lru_cache(maxsize=8)
def shared_text(name: str) -> str:
    """A file of the templates as it is, such as the style sheet; it goes into each page, so that a page works alone."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def replace_text(path: Path, text: str) -> Path:
    """Write a page that no reader ever meets half of; returns its path."""
    with written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return path
