"""What can be kept of the last report: a section is made again only if something it is made from has changed.

A section's key has two halves. Its recipe is the notebook with the modules beside it, the parameters, the programs
(qieval's own source, Python and the installed versions of what qieval uses) and what of this computer shows in a page:
its fonts for other scripts, and what writes PDF and Word. Its data are compared twice: first the bytes of the data
files, which takes no reading; if they differ, the checked rows, so that a store shared by many collaboratives can
change elsewhere. The rows of all tables count for every notebook, since each ends with the fingerprint of them all.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path

import qieval
from qieval.batch.manifest import Manifest, Part
from qieval.batch.plan import Job, Notebook, Request
from qieval.present.fonts import noto_fonts

NOT_ASKED = "was not asked for this time (--only)"
CHANGED = "was not asked for this time (--only), and what it is made from has changed since it was made last"

_SOURCES = {".py", ".j2", ".css", ".js", ".html", ".csv", ".json", ".yaml"}
# Of the package requirements, those that open notebooks for people and make no number or picture.
_FOR_PEOPLE = {"jupyterlab"}
_FOR_PAPER = ("weasyprint", "pypandoc-binary", "pypandoc")  # optional, so no requirements of the package


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is done about each notebook of a report."""

    kept: Mapping[str, Part]  # as they are; those not asked for among them
    to_make: tuple[str, ...]


def decide(
    former: Manifest | None,
    recipes: Mapping[str, str],
    *,
    same_data: bool,
    asked: Collection[str],
    force: bool = False,
) -> Decision:
    """Which sections of the former report still hold, and which are to be made.

    A section that failed is made again if it is asked for; one that is not asked for is kept if it still holds, failed
    or not, and is otherwise left out with the reason.
    """
    kept, to_make = {}, []
    for name, recipe in recipes.items():
        part = former.parts.get(name) if former else None
        holds = part is not None and same_data and part.recipe == recipe
        if name in asked:
            if part is not None and holds and part.outcome != "failed" and not force:
                kept[name] = part
            else:
                to_make.append(name)
        elif part is not None and holds:
            kept[name] = part
        else:
            was_there = part is not None and (part.outcome in ("made", "failed") or part.reason == CHANGED)
            kept[name] = Part(outcome="not asked", recipe="", reason=CHANGED if was_there else NOT_ASKED)
    return Decision(kept=kept, to_make=tuple(to_make))


def recipe(request: Request, notebook: Notebook) -> str:
    """Key of all a section is made from but the data."""
    given = request.parameters.model_dump(mode="json", exclude_unset=True)
    return _key([notebook_key(notebook.path), json.dumps(given, sort_keys=True), programs(), *_of_this_computer()])


def notebook_key(path: Path) -> str:
    """Key of a notebook as it is stored, and of the modules beside it, which it may import."""
    return _key([_file_key(path), *(f"{file.name}:{_file_key(file)}" for file in sorted(path.parent.glob("*.py")))])


def _file_key(path: Path) -> str:
    stat = path.stat()
    return _bytes_key(path, stat.st_size, stat.st_mtime_ns)


def files_key(data: Path) -> str:
    """Key of the data files' names and bytes, whether they lie in a folder or are one workbook."""
    files = sorted(entry for entry in data.iterdir() if entry.is_file()) if data.is_dir() else [data]
    return _key(f"{file.name}:{_file_key(file)}" for file in files)


@lru_cache(maxsize=4096)
def _bytes_key(file: Path, size: int, changed: int) -> str:
    """A store that many collaboratives share is read once in a batch."""
    found = sha256()
    with file.open("rb") as handle:
        while block := handle.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def rows_key(job: Job) -> str:
    """Key of the checked rows, and of what was said about them."""
    return "" if job.errors else _key([job.fingerprint, *job.warnings])


@lru_cache(maxsize=1)
def programs() -> str:
    """Key of everything that calculates and draws: qieval's source, Python, and the versions qieval uses."""
    package = Path(qieval.__file__).parent
    found = {path.relative_to(package): path for path in package.rglob("*") if path.suffix in _SOURCES}
    sources = {name: path for name, path in sorted(found.items()) if "examples" not in name.parts}
    own = [f"{name.as_posix()}:{sha256(path.read_bytes()).hexdigest()}" for name, path in sources.items()]
    used = [f"{name}=={version}" for name, version in sorted(_installed("qieval").items())]
    return _key([qieval.__version__, f"{sys.version_info[:3]}", *own, *used])


@lru_cache(maxsize=1)
def _of_this_computer() -> tuple[str, ...]:
    """What changes how a page looks, not what it says: fonts for other scripts, and what writes PDF and Word.

    Apart from `programs`, since computers of a cluster may differ in it.
    """
    fonts = [f"{file.name}:{file.stat().st_size}" for file in noto_fonts().values()]
    used = {name: version for root in _FOR_PAPER for name, version in _installed(root).items()}
    return (*fonts, *(f"{name}=={version}" for name, version in sorted(used.items())))


def _installed(root: str) -> dict[str, str]:
    """The versions of a distribution and of all it needs, and they in turn."""
    found: dict[str, str] = {}
    names = [root]
    while names:
        name = re.sub(r"[-_.]+", "-", names.pop()).lower()
        if name in found or name in _FOR_PEOPLE:
            continue
        with suppress(metadata.PackageNotFoundError):  # needed on other systems only, or not installed at all
            one = metadata.distribution(name)
            found[name] = one.version
            wanted = [text for text in one.requires or [] if "extra ==" not in text]
            names += [match[0] for text in wanted if (match := re.match(r"[\w.-]+", text))]
    return found


def _key(parts: Iterable[str]) -> str:
    """One key of many; their borders count, so that ("ab", "c") is not ("a", "bc")."""
    return sha256(json.dumps(list(parts)).encode()).hexdigest()
