"""One batch at a time in a folder: reports of two would mix."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from qieval.errors import ReportError

LOCK = ".lock"  # stays when a batch has ended: were it removed, two that wait for it could both get it
HOLDER = ".held-by.json"


@contextmanager
def holding(out: Path) -> Iterator[None]:
    """Keep a folder to this process; the system frees it when the process ends, however it does.

    Raises
    ------
    ReportError
        If another batch holds it, in a sentence that says which; or if it cannot be written to.
    """
    from filelock import FileLock, Timeout

    # Whoever asks for the lock opens its file, and may empty it: who holds it is written beside it.
    lock, holder = FileLock(out / LOCK), out / HOLDER
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise ReportError(
            f"{out}: another batch writes to it{_who(holder)} -> wait until it has ended, or choose another folder "
            "with --out"
        ) from None
    except (OSError, NotImplementedError) as error:
        raise ReportError(_not_writable(out, error)) from None
    try:
        try:
            who = {"process": os.getpid(), "machine": socket.gethostname(), "since": f"{datetime.now():%Y-%m-%d %H:%M}"}
            holder.write_text(json.dumps(who), encoding="utf-8")
        except OSError as error:
            raise ReportError(_not_writable(out, error)) from None
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _who(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f" (process {who['process']} on {who['machine']}, since {who['since']})"
    except (OSError, ValueError, KeyError, TypeError):  # it has begun or ended just now
        return ""


def _not_writable(out: Path, error: BaseException) -> str:
    file = next((place for place in (out, *out.parents) if _is_file(place)), None)
    reason = getattr(error, "strerror", None) or "its disk knows no locks"
    if file is not None:
        reason = f"{file} is a file, not a folder"
    return f"{out}: cannot be written to ({reason}) -> choose another folder with --out"


def _is_file(place: Path) -> bool:
    try:
        return place.is_file()
    except OSError:  # it may not even be looked at
        return False
