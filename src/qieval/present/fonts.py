"""Noto fonts for scripts that our own font lacks, found by the names of their files.

Without matplotlib, since a batch that has nothing to draw must know of them too; and anew in each process, since the
list of fonts that matplotlib keeps may be older than what was installed yesterday.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path

SCRIPTS = ("Devanagari", "Bengali", "Tamil", "Telugu", "Gujarati", "Arabic", "Ethiopic", "Thai", "Sinhala", "Myanmar")
# The upright of a family: in a file of its own, or as one font of all weights, "NotoSansThai[wdth,wght].ttf".
_UPRIGHT = re.compile(rf"NotoSans({'|'.join(SCRIPTS)})(?:-Regular|-VF|\[[\w,]+\]|-VariableFont_[\w,]+)?\.(?:ttf|otf)")


def noto_fonts(folders: list[Path] | None = None) -> dict[str, Path]:
    """The file of each script's Noto Sans that is installed, by script in a fixed order.

    Parameters
    ----------
    folders : list of Path, optional
        Where to look, with all that is in them. Default: where this system keeps fonts.
    """
    found: dict[str, Path] = {}
    for folder in usual_folders() if folders is None else folders:
        for place, _, names in os.walk(folder):
            for name in sorted(names):
                match = _UPRIGHT.fullmatch(name)
                if match and Path(place, name).is_file():  # not a link that leads nowhere
                    found.setdefault(match[1], Path(place, name))
    return {script: found[script] for script in SCRIPTS if script in found}


def usual_folders() -> list[Path]:
    """Where fonts are installed: for everyone, for this user, and beside Python by conda."""
    homes = []
    with suppress(RuntimeError):  # a container may know no home
        homes = [Path.home()]
    if sys.platform == "win32":
        kept = [Path(os.environ.get("WINDIR", "C:/Windows"), "Fonts")]
        own = [home / "AppData" / "Local" / "Microsoft" / "Windows" / "Fonts" for home in homes]
    elif sys.platform == "darwin":
        kept = [Path("/System/Library/Fonts"), Path("/Library/Fonts"), Path("/opt/local/share/fonts")]
        own = [home / "Library" / "Fonts" for home in homes]
    else:
        kept = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts")]
        own = [home / name for home in homes for name in (".local/share/fonts", ".fonts")]
    return [*kept, *own, Path(sys.prefix, "share", "fonts"), Path(sys.prefix, "fonts")]
