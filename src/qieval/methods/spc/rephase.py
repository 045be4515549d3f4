"""Where a new phase may have begun: suggested with the evidence, never applied."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from qieval.errors import ParameterError
from qieval.methods.runs import frozen_limits
from qieval.methods.spc.chart import chart


def suggest_phases(
    data: pd.DataFrame, *, period: str, value: str | None = None, numerator: str | None = None,
    denominator: str | None = None, by: str | Sequence[str] = (), baseline: int = 13, run: int = 9,
    side: str = "both", per: float = 1,
) -> pd.DataFrame:  # fmt: skip
    """Candidates for new phases: the first run of `run` points on one side of the median, then on from there.

    The median of the first `baseline` points is carried forward until `run` points in a row lie on one side of it;
    their median is the next to be carried forward, from the first of them. Whether the process was changed there is a
    question to the people who work in it; a chart re-phased wherever a run is found hides what it should show.

    Parameters
    ----------
    data, period, value, numerator, denominator, by, per
        As in `chart`.
    side : "both", "above" or "below"
        On which side a run counts.

    Returns
    -------
    DataFrame, one row per candidate
        the columns of `by`, begins and until (first and last period of the run of `run` points), side, median_before,
        median (of that run), run_length (how long the run went on), longest_by_chance (the longest run that chance
        explains among so many points about the median of so many, exceeded by at most 2.5% of series),
        stands_out (run_length is above it).

    References
    ----------
    .. [1] MacKay J. runcharter: automated run charts. 2021. Its rule; the evidence beside it is ours.
    """
    if side not in ("both", "above", "below"):
        raise ParameterError(f"side: {side!r} is not among both, above, below.")
    problems = [f"{name}: {n} is not 2 or more." for name, n in (("baseline", baseline), ("run", run)) if n < 2]
    if problems:
        raise ParameterError(" ".join(problems))
    found = chart(
        data, "run", period=period, value=value, numerator=numerator, denominator=denominator, by=by, per=per
    )  # fmt: skip
    keys = list(found.by)
    known = found.points[found.points["value"].notna()]
    groups = known.groupby(keys, sort=False, observed=True) if keys else [((), known)]
    rows = []
    for name, own in groups:
        for candidate in _candidates(own[period].to_numpy(), own["value"].to_numpy(), baseline, run, side):
            rows.append(dict(zip(keys, name, strict=True)) | candidate)  # noqa: PERF401, two loops
    columns = [*keys, *COLUMNS]
    return pd.DataFrame(rows, columns=columns)


COLUMNS = (
    "begins", "until", "side", "median_before", "median", "run_length", "longest_by_chance", "stands_out",
)  # fmt: skip


def _candidates(period: np.ndarray, value: np.ndarray, baseline: int, run: int, side: str) -> list[dict[str, object]]:
    candidates: list[dict[str, object]] = []
    if len(value) < baseline + run:
        return candidates
    median, start, n_line = float(np.median(value[:baseline])), baseline, baseline
    while True:
        sides = np.sign(value[start:] - median)
        found = _first_run(sides, run, side)
        if found is None:
            return candidates
        members, length = found
        first, last = start + members[0], start + members[run - 1]
        after = float(np.median(value[start + members[:run]]))
        by_chance, _ = frozen_limits(n_line + len(value) - start, n_line)
        candidates.append(
            {
                "begins": period[first], "until": period[last], "side": "above" if sides[members[0]] > 0 else "below",
                "median_before": median, "median": after, "run_length": length, "longest_by_chance": by_chance,
                "stands_out": length > by_chance,
            }
        )  # fmt: skip
        median, start, n_line = after, int(last) + 1, run


def _first_run(sides: np.ndarray, run: int, side: str) -> tuple[np.ndarray, int] | None:
    """Positions of the points of the first run that is long enough, and how long it went on."""
    members: list[int] = []
    for position, here in enumerate([*sides, np.nan]):
        if here == 0:  # on the line: neither makes nor breaks a run
            continue
        if members and here != sides[members[0]]:
            if len(members) >= run:
                return np.array(members), len(members)
            members = []
        if here == {"above": 1, "below": -1}.get(side, here):
            members.append(position)
    return None
