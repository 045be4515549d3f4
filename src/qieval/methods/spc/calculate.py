"""Limits and rules over all series of a layout, some thousands at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from qieval.methods.spc import rules as rule_book
from qieval.methods.spc.layout import Layout, blocks, matrix
from qieval.methods.spc.limits import KINDS, Block, Gaps, Limits, Within
from qieval.methods.spc.prepare import BIT, FEW_POINTS, FEW_USEFUL, WARNINGS

PERIOD = "\0period"  # the column of periods until it gets the user's name, which may be that of a result

# Names of columns of the result, which no column that tells series apart, nor that of periods, may have.
TAKEN = frozenset(
    (
        "value", "centre", "lcl", "ucl", "lcl_2", "ucl_2", "phase", "in_baseline", "excluded", "outside", "rules", "n",
        "first", "last", "n_points", "n_missing", "n_excluded", "n_baseline", "n_useful", "longest_run",
        "longest_run_limit", "crossings", "crossings_limit", "runs_signal", "n_outside", "warnings", "n_screened",
        "sigma_z", "kind", "runs_rule", "screened", "gaps", "within", "d2", "narrow",
    )
)  # fmt: skip
PER_GROUP = {
    "centre": float, "n_baseline": np.int32, "n_useful": np.int32, "longest_run": np.int32,
    "longest_run_limit": np.int32, "crossings": np.int32, "crossings_limit": np.int32, "runs_signal": bool,
    "n_outside": np.int32, "n_screened": np.int32, "sigma_z": float, "flags": np.int16, "warnings": np.int16,
    "too_few_runs": bool, "too_many_runs": bool,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The arguments of a chart that change a number."""

    kind: str
    rules: tuple[str, ...]
    screen: bool
    gaps: Gaps
    within: Within
    d2: float
    narrow: bool
    per: float
    asked: int  # periods asked for as a baseline; 0: not asked by number

    @property
    def tests(self) -> list[str]:
        return rule_book.tests_of(self.rules)

    @property
    def runs_rule(self) -> str:
        return next((name for name in self.rules if name in rule_book.RUNS_RULES), "anhoej")


def calculate(
    layout: Layout, choices: Choices, *, phase: np.ndarray, base: np.ndarray, out: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The points and the series of a `Chart`: a group is a series, or a phase of one.

    Parameters
    ----------
    phase, base, out : array, one per row of the layout
        The number of its phase, whether it lies in the baseline, and whether it is excluded.
    """
    value = layout.columns["value"]
    known = np.isfinite(value)
    used = known & base & ~out
    begins = np.flatnonzero((np.diff(layout.codes, prepend=-1) != 0) | (np.diff(phase, prepend=0) != 0))
    lengths = np.diff(begins, append=len(value))
    per_row = _rows(len(value), has_limits=choices.kind != "run")
    per_group = {name: np.zeros(len(begins), dtype=dtype) for name, dtype in PER_GROUP.items()}
    masks = {"base": None if used.all() else used, "skipped": out if out.any() else None}
    columns = {name: layout.columns.get(name) for name in ("value", "total", "n", "sd", "range")}
    for which, at in blocks(begins, len(value)):
        parts: dict[str, Any] = {}
        for name, x in (columns | masks).items():
            parts[name] = None if x is None else matrix(x, which, at)
        block = Block(
            **parts,
            screen=choices.screen,
            gaps=choices.gaps,
            within=choices.within,
            d2=choices.d2,
            narrow=choices.narrow,
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            limits = KINDS[choices.kind].limits(block)
            zone = _draw(limits, at, choices.per, per_row)
        counted = np.isfinite(limits.value) & np.isfinite(limits.centre)[:, np.newaxis]
        if block.skipped is not None:
            counted &= ~block.skipped
        _judge(limits, zone, counted, block, which, at, choices, per_row, per_group)
        _summarise(limits, zone, counted, block, which, choices, per_group)
    if choices.asked:
        per_group["warnings"][lengths < choices.asked] |= BIT["baseline shorter than asked"]
    per_group["warnings"] |= layout.warnings[layout.codes[begins]]
    points = _points(layout, choices, phase, base, out, per_row)
    return points, _series(layout, choices, phase, begins, known, out, per_group)


def _rows(n: int, *, has_limits: bool) -> dict[str, np.ndarray]:
    """What a point is given, to be filled block by block."""
    names = ("lcl", "ucl", "lcl_2", "ucl_2")
    return {
        "value": np.empty(n),
        "centre": np.empty(n),
        **{name: np.empty(n) if has_limits else np.full(n, np.nan) for name in names},
        "outside": np.zeros(n, dtype=bool),
        "flags": np.zeros(n, dtype=np.int16),
    }


def _draw(limits: Limits, at: slice | np.ndarray, per: float, per_row: dict[str, np.ndarray]) -> np.ndarray | None:
    """Put value, centre and limits where they belong; returns how many sigmas, signed, each value lies off."""
    shown = limits.value
    _put(per_row["value"], at, shown * per)
    _put(per_row["centre"], at, (limits.centre * per)[:, np.newaxis])
    if limits.sigma is None:
        return None
    zone = np.zeros(shown.shape, dtype=np.int8)
    for k in (1, 2, 3):
        lower, upper = limits.at(k)
        zone += (shown > upper).view(np.int8)
        zone -= (shown < lower).view(np.int8)
        if k == 3 and np.isnan(upper).any():
            zone[np.broadcast_to(np.isnan(upper), zone.shape)] = rule_book.UNKNOWN
        if k > 1:
            suffix = "_2" if k == 2 else ""
            _put(per_row["lcl" + suffix], at, lower * per)
            _put(per_row["ucl" + suffix], at, upper * per)
    _put(per_row["outside"], at, np.abs(zone) == 3)
    return zone


def _summarise(
    limits: Limits, zone: np.ndarray | None, counted: np.ndarray, block: Block, which: np.ndarray, choices: Choices,
    per_group: dict[str, np.ndarray],
) -> None:  # fmt: skip
    """What is told of a group beside its runs: centre, numbers of points, warnings."""
    n_base = np.full(len(which), block.value.shape[1]) if block.base is None else block.base.sum(axis=1)
    per_group["centre"][which] = limits.centre * choices.per
    per_group["n_baseline"][which] = n_base
    per_group["sigma_z"][which] = np.nan if limits.sigma_z is None else limits.sigma_z
    if limits.n_screened is not None:
        per_group["n_screened"][which] = limits.n_screened
    if zone is not None:
        per_group["n_outside"][which] = ((np.abs(zone) == 3) & counted).sum(axis=1)
    found = {
        "no value in the baseline": n_base == 0,
        "one point": n_base == 1,
        "few points in the baseline": (n_base > 1) & (n_base < FEW_POINTS),
        "few useful points": per_group["n_useful"][which] < FEW_USEFUL,
    }
    if limits.sigma is not None:
        sigma = limits.sigma if limits.sigma.ndim == 2 else limits.sigma[:, np.newaxis]
        told = np.isfinite(sigma).any(axis=1)
        found["no variation in the baseline"] = told & ~(np.nan_to_num(sigma) > 0).any(axis=1) & (n_base > 1)
        found["nothing to compare in the baseline"] = ~told & (n_base > 1)
    if limits.fell_back is not None:
        found["screening left nothing"] = limits.fell_back
    for name, is_so in found.items():
        per_group["warnings"][which] |= np.where(is_so, BIT[name], 0).astype(np.int16)


def _judge(
    limits: Limits, zone: np.ndarray | None, counted: np.ndarray, block: Block, which: np.ndarray,
    at: slice | np.ndarray, choices: Choices, per_row: dict[str, np.ndarray], per_group: dict[str, np.ndarray],
) -> None:  # fmt: skip
    """Apply the rules to the points that count."""
    shown = limits.value
    off = shown - limits.centre[:, np.newaxis]
    # A mean of equal values can differ from them in the last digit: that is still on the line.
    off[np.abs(off) <= 1e-12 * np.abs(limits.centre)[:, np.newaxis]] = 0
    side = np.sign(off)
    n_counted = counted.sum(axis=1)
    flags = np.zeros(shown.shape, dtype=np.int16)
    for n in np.unique(n_counted):
        # Points that do not count are taken out, so that the rules see neighbours side by side.
        own = np.flatnonzero(n_counted == n)
        keep = counted[own]
        whole = n == shown.shape[1]

        def pick(x: np.ndarray, own: np.ndarray = own, keep: np.ndarray = keep, n: int = n, whole: bool = whole) -> Any:
            return (x if len(own) == len(x) else x[own]) if whole else x[own][keep].reshape(len(own), n)

        sides = np.ascontiguousarray(pick(side).T, dtype=np.int8)
        if choices.runs_rule == "anhoej_baseline" and block.base is not None:
            found = rule_book.runs_about_a_baseline(pick(shown), sides, pick(block.base))
        else:
            found = rule_book.runs_of(sides, choices.runs_rule)
        groups = which[own]
        for name in ("n_useful", "longest_run", "longest_run_limit", "crossings", "crossings_limit", "runs_signal"):
            per_group[name][groups] = getattr(found, name)
        if "ihi" in choices.rules:
            per_group["too_few_runs"][groups], per_group["too_many_runs"][groups] = rule_book.number_of_runs(sides)
        points = rule_book.Points(
            side=sides,
            step=_steps(pick(shown)),
            zone=None if zone is None else np.ascontiguousarray(pick(zone).T),
        )
        for bit, test in enumerate(choices.tests):
            if test == rule_book.LONG_RUN:
                marked = rule_book.long_runs(sides, found.longest_run_limit, found.longest_run)
            else:
                marked = rule_book.TESTS[test](points)
            if marked.any():
                of_own = flags[own]
                of_own[keep] |= marked.T.ravel().astype(np.int16) << bit
                flags[own] = of_own
    if flags.any():
        _put(per_row["flags"], at, flags)
        per_group["flags"][which] = np.bitwise_or.reduce(flags, axis=1)


def _steps(shown: np.ndarray) -> np.ndarray:
    steps = np.zeros(shown.T.shape, dtype=np.int8)
    steps[1:] = np.sign(np.diff(shown, axis=1)).T
    return steps


def _points(
    layout: Layout, choices: Choices, phase: np.ndarray, base: np.ndarray, out: np.ndarray,
    per_row: dict[str, np.ndarray],
) -> pd.DataFrame:  # fmt: skip
    flags = per_row.pop("flags")
    beyond = per_row.pop("outside")
    # Copies, since these two may be the caller's own columns.
    points = _keys(layout.keys, layout.codes) | {PERIOD: layout.period.copy()} | per_row
    points |= {"phase": phase, "in_baseline": base, "excluded": out, "outside": beyond}
    points["rules"] = _joined(flags, choices.tests)
    if "n" in layout.columns:
        points["n"] = layout.columns["n"].copy()
    return pd.DataFrame(points, copy=False)


def _series(
    layout: Layout, choices: Choices, phase: np.ndarray, begins: np.ndarray, known: np.ndarray, out: np.ndarray,
    per_group: dict[str, np.ndarray],
) -> pd.DataFrame:  # fmt: skip
    lengths = np.diff(begins, append=len(known))
    n_points = np.add.reduceat(known, begins, dtype=np.int32)
    told = (
        "n_baseline", "centre", "n_useful", "longest_run", "longest_run_limit", "crossings", "crossings_limit",
        "runs_signal", "n_outside",
    )  # fmt: skip
    return pd.DataFrame(
        {
            **_keys(layout.keys, layout.codes[begins]),
            "phase": phase[begins],
            "first": layout.period[begins],
            "last": layout.period[begins + lengths - 1],
            "n_points": n_points,
            "n_missing": lengths - n_points,
            "n_excluded": np.add.reduceat(out & known, begins, dtype=np.int32),
            **{name: per_group[name] for name in told},
            "rules": _signals(per_group, choices),
            "warnings": _joined(per_group["warnings"], list(WARNINGS)),
            "n_screened": per_group["n_screened"],
            "sigma_z": per_group["sigma_z"],
            "kind": _one_word(choices.kind, len(begins)),
            "runs_rule": _one_word(choices.runs_rule, len(begins)),
            "screened": np.full(len(begins), choices.screen and KINDS[choices.kind].is_screened),
            "gaps": _one_word(choices.gaps, len(begins)),
            "within": _one_word(choices.within, len(begins)),
            "d2": choices.d2,
            "narrow": np.full(len(begins), choices.narrow),
        },
        copy=False,
    )


def _put(column: np.ndarray, at: slice | np.ndarray, values: np.ndarray) -> None:
    if isinstance(at, slice):
        rows = column[at].reshape(len(values), -1)  # a view: writes go to the column
        rows[...] = values
    else:
        sliding_window_view(column, at.shape[1], writeable=True)[at[:, 0]] = values


def _keys(keys: pd.DataFrame, codes: np.ndarray) -> dict[str, Any]:
    """The values of `by` for each row; categorical, since a name a row would be most of the memory."""
    columns: dict[str, Any] = {}
    for name in keys:
        column = keys[name]
        if len(keys) * 4 > len(codes) and not isinstance(column.dtype, pd.CategoricalDtype):
            columns[name] = column.to_numpy()[codes]
        else:
            category = column.astype("category") if not isinstance(column.dtype, pd.CategoricalDtype) else column
            columns[name] = pd.Categorical.from_codes(category.cat.codes.to_numpy()[codes], dtype=category.dtype)
    return columns


@lru_cache(maxsize=64)
def _words(*texts: str) -> pd.CategoricalDtype:
    """Made once: of one short series, half of the time would go into making them."""
    return pd.CategoricalDtype(list(texts))


def _one_word(word: str, n: int) -> pd.Categorical:
    return pd.Categorical.from_codes(np.zeros(n, dtype=np.int8), dtype=_words(word), validate=False)


def _joined(bits: np.ndarray, names: list[str]) -> pd.Categorical:
    """Bits as the names they stand for, joined by "; "."""
    bits = bits.astype(np.int64)
    seen = np.flatnonzero(np.bincount(bits, minlength=1))
    texts = ["; ".join(name for position, name in enumerate(names) if int(pattern) >> position & 1) for pattern in seen]
    code_of = np.zeros(int(seen[-1]) + 1, dtype=np.int16)
    code_of[seen] = np.arange(len(seen))
    return pd.Categorical.from_codes(code_of[bits], dtype=_words(*texts), validate=False)


def _signals(per_group: Mapping[str, np.ndarray], choices: Choices) -> pd.Categorical:
    """All that signalled in a group: tests of points, and what can be told of a whole series only."""
    names, bits = [*choices.tests], per_group["flags"].astype(np.int32)
    found = {}
    if choices.runs_rule in choices.rules:
        found["few crossings"] = per_group["crossings"] < per_group["crossings_limit"]
        # A cut box can signal though neither run nor crossings alone would.
        is_long = per_group["longest_run"] > per_group["longest_run_limit"]
        found["run and crossings together"] = per_group["runs_signal"] & ~found["few crossings"] & ~is_long
    if "ihi" in choices.rules:
        found |= {"too few runs": per_group["too_few_runs"], "too many runs": per_group["too_many_runs"]}
    for name, is_so in found.items():
        bits |= is_so.astype(np.int32) << len(names)
        names.append(name)
    return _joined(bits, names)
