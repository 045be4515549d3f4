"""A finished report as a Word file, with real headings, tables and captions, so that it can be edited."""

from __future__ import annotations

import json
import re
import struct
import zipfile
from html import unescape
from pathlib import Path

from qieval.batch.paper import for_paper
from qieval.batch.place import written_whole
from qieval.errors import ReportError

NAME = "report.docx"
WIDTH, HIGHEST = 14.8, 20.0  # cm: the width of the text, and what leaves room for a caption on the page
LETTERS_ACROSS = 96  # of the text of tables, over the width of the page
MARGINS = 3  # letters that the margins of a cell take
LONGEST_LINE = 36  # letters a column is given at most, where others need the room
NOT_INSTALLED = "A Word file needs pandoc, which is not installed -> pip install 'qieval[word]', or leave --word out"

_TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
_ROW = re.compile(r"<tr.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", re.DOTALL)
_TABLE_TEXT = (
    b'<w:style w:type="paragraph" w:customStyle="1" w:styleId="TableText"><w:name w:val="Table Text"/>'
    b'<w:basedOn w:val="Compact"/><w:pPr><w:spacing w:before="20" w:after="20"/></w:pPr>'
    b'<w:rPr><w:sz w:val="16"/><w:szCs w:val="16"/></w:rPr></w:style>'
)


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
    with written_whole(path) as unfinished:
        # Every picture of the page is a file of this folder, so pandoc has no reason to open a connection.
        pypandoc.convert_text(
            with_widths(for_paper(folder, _picture)),
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
        _with_small_tables(unfinished)
    return path


def with_widths(page: str) -> str:
    """The page with the width of each column written in its tables, as a share of the text's, and numbers to the right.

    A table without is fitted to what is in it by Word, but not by other programs, which cut words into letters.
    """
    return _TABLE.sub(lambda table: _columns(table[0]), page)


def _columns(table: str) -> str:
    """One table with a `colgroup`: each column gets room for its longest word, and of the rest what its texts ask."""
    rows = [[_plain(cell) for cell in _CELL.findall(row)] for row in _ROW.findall(table)]
    n = max((len(row) for row in rows), default=0)
    columns = [[row[place] for row in rows if len(row) == n] for place in range(n)]
    least = [MARGINS + max((len(word) for text in column for word in text.split()), default=1) for column in columns]
    asked = [MARGINS + min(max(map(len, column), default=1), LONGEST_LINE) for column in columns]
    more = [max(wish - need, 0) for wish, need in zip(asked, least, strict=True)]
    rest = max(LETTERS_ACROSS - sum(least), 0)
    part = min(rest / sum(more), 1.0) if sum(more) else 0.0
    widths = [need + part * extra for need, extra in zip(least, more, strict=True)]
    group = "".join(f'<col style="width: {100 * width / sum(widths):.1f}%" />' for width in widths)
    table = table.replace('class="number"', 'class="number" style="text-align: right"')
    return re.sub(r"(<table[^>]*>(?:\s*<caption>.*?</caption>)?)", rf"\1<colgroup>{group}</colgroup>", table, count=1)


def _plain(cell: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", cell))


def _with_small_tables(path: Path) -> None:
    """Set the text of tables in a style of its own, smaller than the rest; pandoc has one for tables and lists."""
    written = path.with_name(f"{path.name}.tables")
    with zipfile.ZipFile(path) as made, zipfile.ZipFile(written, "w", compression=zipfile.ZIP_DEFLATED) as again:
        for entry in made.infolist():
            content = made.read(entry)
            if entry.filename == "word/styles.xml":
                content = content.replace(b"</w:styles>", _TABLE_TEXT + b"</w:styles>")
            elif entry.filename == "word/document.xml":
                content = re.sub(rb"<w:tbl>.*?</w:tbl>", _in_table_text, content, flags=re.DOTALL)
            again.writestr(entry, content)
    written.replace(path)


def _in_table_text(table: re.Match[bytes]) -> bytes:
    return table[0].replace(b'w:pStyle w:val="Compact"', b'w:pStyle w:val="TableText"')


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
