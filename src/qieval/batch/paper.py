"""A finished report made ready for paper: everything unfolded, figures from their files, no link that leads outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path

_FIGURE = re.compile(r'<img [^>]*data-figure="([^"]*)"[^>]*>')
_OUTSIDE = (  # parts of the page that serve its reader on a screen, or lead to files beside it
    re.compile(r'<p class="(?:back|top)">.*?</p>', re.DOTALL),
    re.compile(r'<ul class="files">.*?</ul>', re.DOTALL),
)
_LINES = re.compile(r'(?<=class="lines">)[^<]*')  # a style sheet breaks these lines on the screen, Word has none
# A folded table bears its caption twice: over itself, and as the line to press.
_FOLDED_TABLE = re.compile(
    r'<details[^>]*>\s*<summary>(?:(?!</summary>).)*</summary>\s*(?=<div class="table[ "])', re.DOTALL
)
_FOLDED = re.compile(r"<details[^>]*>\s*<summary>((?:(?!</summary>).)*)</summary>", re.DOTALL)


def for_paper(folder: Path, picture: Callable[[Path], dict[str, str]]) -> str:
    """The ``report.html`` of a folder as a page without anything folded.

    `picture` is given the path of a figure's file without its ending, and returns the attributes of its image: ``src``,
    and ``width`` where it should have another one.
    Nothing is run again: the page and the files beside it are all there is.
    """
    page = (folder / "report.html").read_text(encoding="utf-8")
    for part in _OUTSIDE:
        page = part.sub("", page)
    page = _LINES.sub(lambda text: text[0].replace("\n", "<br>"), page)
    page = _FOLDED_TABLE.sub("<div>", page)
    page = _FOLDED.sub(r"<div><p>\1</p>", page).replace("</details>", "</div>")

    def replaced(image: re.Match[str]) -> str:
        attributes = picture(folder / "figures" / Path(unescape(image[1])).name)
        written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
        return re.sub(r' src="[^"]*"', lambda _: written, image[0], count=1)

    return _FIGURE.sub(replaced, page)
