"""Finished files and folders go to their place whole: whatever ends the batch, and whenever, nothing is half there."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from qieval.errors import ReportError

WORK = ".making-"  # how the folder begins in which a batch works, inside the one its reports go to
MARKS = ("manifest.json", "report.json")  # one of which every report has
_ASIDE = "aside"  # in there: reports on their way out
# What a page across reports is called until it is whole.
_UNFINISHED = re.compile(r"\.(index\.html|compare\.html|key_figures\.xlsx)\.\d+")
# What is wrong with the disk is no fault of one report, and goes for whatever comes after it.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_AT_CWD, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux
_SWAP = 2  # RENAME_SWAP of macOS
_NOT_KNOWN_HERE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV}


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """A folder inside `out` to work in, removed at the end; what a batch that was killed has left is removed first.

    To be called only while `out` is held (see `holding`): then whoever left something there is dead.
    """
    sweep(out)
    work = Path(tempfile.mkdtemp(prefix=WORK, dir=out))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def sweep(out: Path) -> None:
    """Remove what a killed batch has left in `out`; a report it had only just moved away comes back."""
    for entry in out.iterdir():
        if entry.name.startswith(WORK):
            for former in (entry / _ASIDE).glob("*"):
                if not (out / former.name).exists():
                    former.rename(out / former.name)
            shutil.rmtree(entry, ignore_errors=True)
        elif _UNFINISHED.fullmatch(entry.name):
            entry.unlink(missing_ok=True)


def sweep_temporary() -> None:
    """Remove what a batch has left in the folder of temporary files that was killed together with its server."""
    temporary = Path(tempfile.gettempdir())
    for found in [*temporary.glob("qieval-*-*"), *temporary.glob("pymp-*/qieval-*-*")]:
        number = found.name.split("-")[1]
        if number.isdecimal() and not _is_alive(int(number)):
            shutil.rmtree(found if found.parent == temporary else found.parent, ignore_errors=True)


def _is_alive(process: int) -> bool:
    if os.name == "nt":
        return True  # there asking in this way would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def put_in_place(new: Path, final: Path, work: Path) -> None:
    """Put a finished folder in its place, on the disk for good, and remove the one that was there.

    The two are exchanged in one step, so that at any moment one of them is there. Where the system cannot, the old
    one goes aside first, into the work folder, from where the next batch brings it back if this one dies between.

    Raises
    ------
    ReportError
        If there is something else than a report in its place, or the place cannot be written to, for instance because
        a file in it is open in Excel.
    OSError
        If the disk is at fault.
    """
    refuse_what_is_no_report(final)
    sync(new)
    try:
        if not final.exists():
            new.rename(final)
        elif not exchange(new, final):
            _replace_in_two_steps(new, final, work / _ASIDE)
    except PermissionError as error:
        raise ReportError(
            f"{final.name}: cannot be replaced ({error.strerror}) -> close any file of it that is open, and run again"
        ) from None
    _sync_one(final.parent)
    shutil.rmtree(new, ignore_errors=True)


def refuse_what_is_no_report(final: Path) -> None:
    """See that nothing but a report, or an empty folder, would be lost if one took this place.

    Raises
    ------
    ReportError
        If it is something else, such as the folder of the data.
    """
    if not os.path.lexists(final) or final.is_symlink():  # what a link leads to stays where it is
        return
    if not final.is_dir() or (any(final.iterdir()) and not any((final / name).is_file() for name in MARKS)):
        raise ReportError(
            f"{final.name}: is there already, and is no report of qieval; it was left as it is -> choose another "
            "folder with --out, or another name for the collaborative"
        )


def _replace_in_two_steps(new: Path, final: Path, aside: Path) -> None:
    aside.mkdir(exist_ok=True)
    former = aside / final.name
    final.rename(former)
    try:
        new.rename(final)
    except BaseException:
        former.rename(final)
        raise
    shutil.rmtree(former, ignore_errors=True)


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system or the disk does not know how."""
    if sys.platform == "linux":
        call, arguments = "renameat2", (_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _EXCHANGE)
    elif sys.platform == "darwin":
        call, arguments = "renamex_np", (os.fsencode(one), os.fsencode(other), _SWAP)
    else:
        return False
    function = getattr(ctypes.CDLL(None, use_errno=True), call, None)
    if function is None:
        return False
    if function(*arguments) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_KNOWN_HERE:
        return False
    raise OSError(number, os.strerror(number), str(other))


def sync(folder: Path) -> None:
    """Have the disk keep every file of a folder before anything relies on them."""
    for place, _, names in os.walk(folder):
        for name in names:
            _sync_one(Path(place) / name)
        _sync_one(Path(place))


def _sync_one(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        with suppress(PermissionError):
            os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def written_whole(path: Path, mark: str = "") -> Iterator[Path]:
    """A file to write to beside `path`; at the end it takes that place whole and on the disk for good, or not at all.

    `mark` ends its name until then; without one it is this process's own.
    """
    unfinished = path.with_name(f".{path.name}.{mark or os.getpid()}")
    try:
        yield unfinished
        _sync_one(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def replace_json(path: Path, content: Any, work: Path) -> None:
    """Replace a file by a whole one that holds `content`."""
    unfinished = work / f"{token_hex(8)}.json"
    with unfinished.open("x", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
    _sync_one(unfinished)
    unfinished.replace(path)
