"""What may lie beside the page of a finished report: the same for paper and for Word, if asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from qieval.batch import pdf, word
from qieval.errors import ReportError


@dataclass(frozen=True, kw_only=True)
class Format:
    """One kind of file made from a finished page."""

    file: str  # its name
    require: Callable[[], None]  # raises ReportError where what it takes is not installed
    write: Callable[[Path], Path]  # into the folder of a report


FORMATS = {
    "pdf": Format(file=pdf.NAME, require=pdf.require_pdf, write=pdf.write_pdf),
    "word": Format(file=word.NAME, require=word.require_word, write=word.write_word),
}


def can_be_made(name: str) -> bool:
    """Whether what a format takes is installed."""
    try:
        FORMATS[name].require()
    except ReportError:
        return False
    return True


def require(formats: Iterable[str]) -> None:
    """See that these can be made here, before a batch is run for them.

    Raises
    ------
    ReportError
        If what one of them takes is not installed.
    """
    for name in formats:
        FORMATS[name].require()
