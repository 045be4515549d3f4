"""Passwords and the like have no place among the parameters, which go into every report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

KEEP_OUT = (
    "looks like a secret, and parameters go into every report -> remove it, keep it in an environment variable, and "
    "read that where you fetch the data"
)
_SECRET = re.compile(
    r"(pass(word|wd|phrase|code)|token|secret|(api|access|private)key|credential)s?$|^pwd$",
)


def secret_keys(values: object) -> list[str]:
    """The keys that name a secret, wherever they are, each with those it lies under; never what they hold."""
    found: list[str] = []
    seen: set[int] = set()  # YAML's aliases can put one list in many places, or into itself

    def look(value: object, path: str) -> None:
        if not isinstance(value, Mapping | list | tuple) or id(value) in seen:
            return
        seen.add(id(value))
        for key, inner in value.items() if isinstance(value, Mapping) else (("", inner) for inner in value):
            own = f"{path}.{key}".strip(".")
            if _is_secret(str(key)):
                found.append(own)
            else:
                look(inner, own)

    look(values, "")
    return found


def _is_secret(key: str) -> bool:
    """Whether a key names a secret: redcap_token, API-Key and dbPassword do, a phase called secretariat does not."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
    words = [word for word in re.split(r"[^a-z]+", apart) if word]
    pairs = ["".join(pair) for pair in pairwise(words)]
    return any(_SECRET.search(word) for word in (*words, *pairs))
