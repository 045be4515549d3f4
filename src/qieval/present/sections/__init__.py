"""What a notebook shows in one cell: headings, sentences, figures and tables in reading order."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from qieval.present.display import AS_TEXT, METADATA, Bundle, Text


class Heading:
    """The name of an indicator above what belongs to it, or of a part of that."""

    def __init__(self, text: str, *, level: int = 3) -> None:
        self.text, self.level = text, level

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        tag = f"h{self.level}"
        html = f'<{tag} class="{AS_TEXT}">{escape(self.text)}</{tag}>'
        return {"text/html": html, "text/plain": self.text}, {METADATA: {"kind": "heading"}}


def show(things: Iterable[Any]) -> None:
    """Display things in order; what could not be made (None) is left out."""
    from IPython.display import display

    for thing in things:
        if thing is not None:
            display(thing)


def notes(study_notes: dict[str, str], notebook: str) -> list[Text]:
    """What the parameters add from elsewhere, marked as such."""
    return (
        [Text(sentences=[f"From elsewhere: {study_notes[notebook]}"], style="note")] if notebook in study_notes else []
    )
