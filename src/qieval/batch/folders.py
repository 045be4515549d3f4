"""What is shared holds no folder of the machine it was made on, and no name of its user."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

# What may stand before a path: no letter of a longer word, but the end of a colour that a traceback sets.
_BEFORE = r"(?:(?<![\w.~-])|(?<=\x1b\[\dm)|(?<=\x1b\[\d\dm)|(?<=;\dm)|(?<=;\d\dm))"
_AFTER = r"(?![\w-])"
# The home of any user, on any system.
_HOMES = r"(?:/home/|/Users/|[A-Za-z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/))[^/\\\s'\"<>|:;,)\x1b]+"


def without_folders(text: str, home: Path, data: str = "") -> str:
    """A text in which the folders of this machine and its user are three dots.

    Parameters
    ----------
    home : Path
        Where the report's notebooks run, and its data are looked for.
    data : str, optional
        Where they are, as the parameters have it.
    """
    return _folders(home, data, Path.cwd()).sub("...", text)


@lru_cache(maxsize=64)
def _folders(home: Path, data: str, here: Path) -> re.Pattern[str]:
    private = {Path(sys.prefix), Path(sys.base_prefix), Path(gettempdir()), here, home, home.parent}
    with suppress(RuntimeError):  # a container may know no home of its user
        private.add(Path.home())
    private.add(Path(__file__).resolve().parents[3])
    if data and Path(data).is_absolute():
        private.add(Path(data).parent)
    private |= {folder.resolve() for folder in private}  # as libraries tell them that follow links
    named = {folder for folder in private if folder != Path(folder.anchor)}
    # Windows writes them in three ways, the last inside quotes.
    written = {form for folder in named for form in (str(folder), folder.as_posix(), str(folder).replace("\\", "\\\\"))}
    longest_first = sorted(map(re.escape, written), key=len, reverse=True)
    return re.compile(f"{_BEFORE}(?:{'|'.join([*longest_first, _HOMES])}){_AFTER}", re.I if os.name == "nt" else 0)


def tidied(executed: Any, home: Path, data: str = "") -> None:
    """Take the machine's folders out of an executed notebook: out of its parameters, its cells and what they show."""
    for key in ("input_path", "output_path"):
        executed["metadata"].get("papermill", {}).pop(key, None)
    _clean(executed, home, data)


def _clean(value: Any, home: Path, data: str) -> Any:
    if isinstance(value, str):
        return without_folders(value, home, data)
    if isinstance(value, list):
        return [_clean(inner, home, data) for inner in value]
    if isinstance(value, dict):
        for key, inner in value.items():
            if not key.startswith("image/"):
                value[key] = _clean(inner, home, data)
    return value
