"""One report made whole on a computer of a cluster: what goes there, what comes back, and what is done there."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import current_process
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from qieval.batch import papers, reuse
from qieval.batch.kernels import Server, kernels
from qieval.batch.manifest import NOTEBOOKS, Manifest
from qieval.batch.pending import Pending, Wish
from qieval.batch.plan import Notebook, Request
from qieval.batch.results import Made
from qieval.errors import ReportError

OTHER_PROGRAMS = (
    "a computer of the cluster has another version of qieval, of Python or of a library, so that its reports could "
    "differ -> install the same there as here"
)


@dataclass(frozen=True, kw_only=True)
class Order:
    """Everything a worker needs to make a report but the data, which it reads where the parameters say."""

    request: Request
    notebooks: tuple[Notebook, ...]
    stored: Mapping[str, bytes]  # the notebooks' files by name: the worker may have none at that place
    wish: Wish
    recipes: Mapping[str, str]
    files: str  # key of the data files
    former: Manifest | None
    executed: Mapping[str, bytes]  # notebooks of the last report, of which sections may be kept
    programs: str  # key of what the report is to be made with

    @classmethod
    def of(cls, one: Pending) -> Order:
        """The order for a report that is to be made."""
        executed = one.former_folder / NOTEBOOKS
        return cls(
            request=one.request,
            notebooks=tuple(one.notebooks),
            stored={notebook.path.name: notebook.path.read_bytes() for notebook in one.notebooks},
            wish=one.wish,
            recipes=one.recipes,
            files=one.files,
            former=one.former,
            executed={path.name: path.read_bytes() for path in executed.glob("*.ipynb")} if one.former else {},
            programs=reuse.programs(),
        )

    def unpacked(self, folder: Path) -> Pending:
        """The report on its way, with everything it takes in this folder of the worker."""
        stored, former = folder / "stored", folder / "former"
        for place, files in ((stored, self.stored), (former / NOTEBOOKS, self.executed)):
            place.mkdir(parents=True)
            for name, content in files.items():
                (place / name).write_bytes(content)
        return Pending(
            request=self.request,
            notebooks=[replace(one, path=stored / one.path.name) for one in self.notebooks],
            wish=self.wish,
            final=folder / "final",
            work=folder,
            recipes=dict(self.recipes),
            data=None,
            files=self.files,
            former=self.former,
            former_folder=former,
        )


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A report made by a worker."""

    made: Made
    n_run: int  # notebooks
    folder: bytes  # its files, as a zip

    def unpack(self, folder: Path) -> None:
        """Put the files into a folder."""
        with zipfile.ZipFile(io.BytesIO(self.folder)) as packed:
            packed.extractall(folder)


def make_whole(order: Order) -> Parcel:
    """Make a report from its data to its pages, in a temporary folder of this computer.

    Raises
    ------
    ReportError
        If what is installed here differs from what is installed where the batch was started, or the folder of the
        parameters is not to be seen from here, or a format that is asked for cannot be made here.
    """
    if order.programs != reuse.programs():
        raise ReportError(OTHER_PROGRAMS)
    papers.require(order.wish.formats)
    if not order.request.home.is_dir():
        raise ReportError(
            "the folder of the parameter file is not there on a computer of the cluster -> put parameters and data on "
            "a disk that all of them share, under the same name"
        )
    with _STARTING:  # a worker with several threads needs it but once
        server = _server()
    with TemporaryDirectory(prefix="qieval-") as name:
        one = order.unpacked(Path(name))
        one.check(server)
        one.settle()
        for notebook in one.to_make:
            one.run(notebook, server)
        made = one.finish(server)
        return Parcel(made=made, n_run=len(one.to_make), folder=_packed(one.making))


@lru_cache(maxsize=1)
def _server() -> Server:
    """The one preloaded server of this worker, for as long as the worker lives."""
    # Dask starts its workers as daemons, which may not have processes of their own, since these could outlive them.
    # Ours do not: they end with the process that started them.
    current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    return _OPEN.enter_context(kernels("fork"))


_OPEN = ExitStack()
_STARTING = Lock()


def _packed(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder).as_posix())
    return content.getvalue()
