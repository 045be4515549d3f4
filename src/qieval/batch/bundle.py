"""Everything that may be passed on, as one zip file: pages, papers, figures, tables and the workbook."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from qieval.batch.compare import compare_page
from qieval.batch.index import index_page
from qieval.batch.lock import holding
from qieval.batch.manifest import read_manifest
from qieval.batch.place import written_whole
from qieval.batch.records import Record, read_records
from qieval.batch.workbook import write_workbook
from qieval.errors import ReportError

PAGES = ("report.html", "report.pdf", "report.docx")
FOLDERS = ("figures", "tables")
MADE = (1980, 1, 1, 0, 0, 0)  # of every file in the zip: the same reports always give the same zip
_NOTEBOOKS = re.compile(r'<li class="notebooks">.*?</li>', re.DOTALL)


def write_bundle(reports: Path, path: Path) -> int:
    """Put the finished reports of a folder into one zip; returns how many there are.

    A report that was not made or is not whole is left out, and so are the executed notebooks, which hold rows of the
    data. Links between the pages work inside; nothing that lies outside of `reports` gets in.

    Raises
    ------
    ReportError
        If there is no finished report, a batch writes to them now, or the file cannot be written.
    """
    if path.suffix.lower() != ".zip":
        raise ReportError(f"{path}: a bundle needs a name that ends in .zip -> try {path.stem}.zip")
    nothing = f"{reports}: holds no finished report -> make some with 'qieval run', or name another --out"
    if not reports.is_dir():
        raise ReportError(nothing)
    with holding(reports):  # a batch would change reports while they are read
        records = [record for record in read_records(reports) if _is_finished(record, reports)]
        if not records:
            raise ReportError(nothing)
        try:
            # One name for all, so that what a killed bundle left is written over and does not stay.
            with written_whole(path, "unfinished") as unfinished:
                _write(unfinished, _contents(reports, records))
        except OSError as error:
            raise ReportError(f"{path}: cannot be written ({error.strerror}) -> choose another place") from None
    return len(records)


def _is_finished(record: Record, reports: Path) -> bool:
    """Whether a report was made, and all that its manifest names is there."""
    folder = reports / record["collaborative"]
    manifest = read_manifest(folder)
    return record["status"] != "not made" and manifest is not None and manifest.is_whole(folder)


def _write(path: Path, contents: Iterable[tuple[str, bytes]]) -> None:
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED) as bundle:
        for name, content in contents:
            entry = zipfile.ZipInfo(name, date_time=MADE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            bundle.writestr(entry, content)


def _contents(reports: Path, records: list[Record]) -> Iterator[tuple[str, bytes]]:
    """Names and contents in a fixed order; the pages across reports are made of the finished ones alone."""
    yield "index.html", index_page(reports, records).encode()
    yield "compare.html", compare_page(records).encode()
    yield "key_figures.xlsx", _workbook(records)
    for record in sorted(records, key=lambda record: str(record["collaborative"])):
        folder = reports / record["collaborative"]
        files = [folder / name for name in PAGES if _belongs(folder / name, folder)]
        files += [
            file for name in FOLDERS for file in sorted((folder / name).glob("[!.]*")) if _belongs(file, folder / name)
        ]
        for file in files:
            content = file.read_bytes()
            if file.name == "report.html":
                content = _NOTEBOOKS.sub("", content.decode("utf-8")).encode()
            yield f"{folder.name}/{file.relative_to(folder).as_posix()}", content


def _belongs(file: Path, folder: Path) -> bool:
    """Whether a file is there and truly lies in the folder, not somewhere a link leads to."""
    return file.is_file() and file.resolve().parent == folder.parent.resolve() / folder.name and not file.is_symlink()


def _workbook(records: list[Record]) -> bytes:
    """The workbook of the finished reports, with the time of its making taken out."""
    with TemporaryDirectory(prefix="qieval-") as folder:
        made = zipfile.ZipFile(write_workbook(Path(folder), records))
        content = io.BytesIO()
        with made, zipfile.ZipFile(content, "w", compression=zipfile.ZIP_DEFLATED) as again:
            for name in made.namelist():
                part = made.read(name)
                if name == "docProps/core.xml":
                    part = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>1980-01-01T00:00:00Z", part)
                again.writestr(zipfile.ZipInfo(name, date_time=MADE), part, compress_type=zipfile.ZIP_DEFLATED)
    return content.getvalue()
