"""Figures whose letters are letters again: quicker to draw, smaller, and their words can be found in a PDF file.

The figures of a report hold their letters as outlines, so that they look the same on any machine. A PDF file carries
its fonts with it, so there the letters can be text, in the font that the outlines were taken from.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_G, _USE, _DEFS, _TEXT = (f"{{{SVG}}}{name}" for name in ("g", "use", "defs", "text"))
_HREF = f"{{{XLINK}}}href"
_SIZE = re.compile(r"\s*scale\(([\d.]+) -\1\)\s*$")  # of a group of letters: outlines are of 100 units, y upward
_LETTER = re.compile(r"#DejaVuSans(-Bold|-Oblique|-BoldOblique)?-[0-9a-f]+")
FACES = {
    None: "DejaVuSans",
    "-Bold": "DejaVuSans-Bold",
    "-Oblique": "DejaVuSans-Oblique",
    "-BoldOblique": "DejaVuSans-BoldOblique",
}


def with_letters(svg: bytes) -> bytes:
    """The picture with each row of outlines of letters written as text; letters of another font stay as they are."""
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    reader = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))  # noqa: S314 - our own figure
    root = ElementTree.fromstring(svg, parser=reader)  # noqa: S314
    letters = ElementTree.Element(_DEFS)
    for parent in list(root.iter(_G)):
        words = ""
        for place, child in enumerate(list(parent)):
            if child.tag is ElementTree.Comment:
                words = unescape(child.text or "").strip()
            elif child.tag == _G and any(one.tag == _USE for one in child):
                text = _text(child, words)
                if text is not None:
                    # What it defines may be used by a row of letters that stays.
                    letters.extend(outline for defs in child.findall(_DEFS) for outline in defs)
                    parent[place] = text
                words = ""
    if any(_LETTER.fullmatch(use.get(_HREF, "")) for use in root.iter(_USE)):
        root.insert(0, letters)
    return ElementTree.tostring(root)


def _text(row: ElementTree.Element, words: str) -> ElementTree.Element | None:
    """A row of outlines as text, which matplotlib notes beside them; None if it is anything else."""
    fonts = {_LETTER.fullmatch(one.get(_HREF, "")) for one in row if one.tag == _USE}
    size = _SIZE.search(row.get("transform", ""))
    # No note may hold two dashes in a row: of a dash, a space and a dash nobody knows which it was.
    if not words or "- -" in words or size is None or None in fonts or len({found[1] for found in fonts if found}) != 1:
        return None
    face = FACES[next(found[1] for found in fonts if found)]
    place = row.get("transform", "")[: size.start()]
    look = (
        f"{row.get('style', '')}; font-family: {_name(face)}; font-size: {100 * float(size[1]):g}px; white-space: pre"
    )
    text = ElementTree.Element(_TEXT, {"transform": place, "style": look.lstrip("; ")})
    text.text = words
    return text


def _name(face: str) -> str:
    return f"figure-{face}"


@lru_cache(maxsize=1)
def font_faces() -> str:
    """The style sheet that brings the fonts of the figures, from where the figures had them."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return "\n".join(
        f"@font-face {{ font-family: {_name(face)}; "
        f"src: url(data:font/ttf;base64,{base64.b64encode((folder / f'{face}.ttf').read_bytes()).decode('ascii')}); }}"
        for face in FACES.values()
    )
