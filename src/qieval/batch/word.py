"""A finished report as a Word file, with real headings, tables and captions, so that it can be edited."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

from qieval.batch.paper import for_paper
from qieval.errors import ReportError

NAME = "report.docx"
WIDTH, HIGHEST = 14.8, 20.0  # cm: the width of the text, and what leaves room for a caption on the page
NOT_INSTALLED = "A Word file needs pandoc, which is not installed -> pip install 'qieval[word]', or leave --word out"


def require_word() -> None:
    """See that a Word file can be made here, before a long batch is run for it.

    Raises
    ------
    ReportError
        If pandoc is missing.
    """
    try:
        import pypandoc

        pypandoc.get_pandoc_version()
    except (ImportError, OSError):
        raise ReportError(NOT_INSTALLED) from None


def write_word(folder: Path) -> Path:
    """Write ``report.docx`` beside the ``report.html`` of a folder, whole at any moment; returns its path.

    Raises
    ------
    ReportError
        If what it takes is not installed.
    """
    require_word()
    import pypandoc

    path = folder / NAME
    unfinished = folder / f".{os.getpid()}.{NAME}"
    try:
        # Every picture of the page is a file of this folder, so pandoc has no reason to open a connection.
        pypandoc.convert_text(
            for_paper(folder, _picture),
            "docx",
            format="html",
            outputfile=str(unfinished),
            # Of a page pandoc takes the main part alone; its first headings are those under the title.
            extra_args=[
                f"--resource-path={folder}",
                "--shift-heading-level-by=-1",
                "--metadata=lang:en",
                f"--metadata=subtitle:{_origin(folder)}",
            ],
        )
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _origin(folder: Path) -> str:
    """When and of what the report was made, as its page says under the title."""
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return f"Made on {record['made_on']}, data up to {record['data_cut']}, qieval {record['version']}"


def _picture(figure: Path) -> dict[str, str]:
    """The file of a figure, and a width with which it fits on a page."""
    file = figure.with_name(f"{figure.name}.png")
    with file.open("rb") as opened:
        across, down = struct.unpack(">II", opened.read(24)[16:])  # where every PNG file says its size
    return {"src": f"figures/{file.name}", "width": f"{min(WIDTH, HIGHEST * across / down):.2f}cm"}
