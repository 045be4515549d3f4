"""How often rules signal on a series in which nothing changed, from a table of simulations."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

import numpy as np
import pandas as pd

from qieval.errors import ParameterError
from qieval.methods.spc.chart import chart
from qieval.methods.spc.rules import RULE_SETS

TABLE = "false_signals.csv"  # written by benchmarks/false_signals.py

SHORTEST_BASELINE = 6  # periods, in the table

Key = tuple[bool, str, int]  # has limits, rule set, periods of the baseline (0: all)


def false_signal_rate(
    rules: str | Sequence[str], n_points: int, *, baseline: int | None = None, has_limits: bool = True
) -> float:
    """The share of series without any change on which at least one of the rules signals.

    Independent normal values, 20,000 series a number; between the lengths of the table linearly. Values that
    resemble the one before signal more often, and so do small counts, whose limits do not lie where chance has them.

    Parameters
    ----------
    rules : str or list of str
        Names of rule sets, as in `chart`. For several that are not in the table together the rates are added: the
        rate is then at most so high.
    n_points : int
        Useful points in the chart, 10 or more; above 120, the rate at 120.
    baseline : int, optional
        Points that centre and limits come from, if not all; taken as the next smaller number of the table.
    has_limits : bool
        A control chart, around the mean with limits from moving ranges; False: a run chart, around the median.

    Raises
    ------
    ParameterError
        If a name is unknown, or there are too few points.
    """
    names = (rules,) if isinstance(rules, str) else tuple(sorted(rules))
    unknown = [name for name in names if name not in RULE_SETS]
    if unknown or not names:
        raise ParameterError(f"rules: {', '.join(map(repr, unknown)) or 'none'} is not among {', '.join(RULE_SETS)}.")
    table = _table()
    frozen = baseline is not None and baseline < n_points
    sizes = {size for _, _, size in table if size <= (baseline or 0)} - {0} if frozen else {0}
    size = max(sizes, default=None)
    together = "+".join(sorted(names))
    keys = [together] if (has_limits, together, 0) in table else list(names)
    absent = [name for name in keys if (has_limits, name, 0) not in table]
    if absent:
        chart = "control charts" if has_limits else "run charts"
        raise ParameterError(f"rules: the table of false signals has no {' nor '.join(absent)} for {chart}.")
    smallest = table[has_limits, keys[0], 0][0][0]
    if n_points < smallest or size is None:
        raise ParameterError(
            f"{n_points} points with a baseline of {baseline or n_points} are fewer than the table of false signals "
            f"holds: {smallest:.0f} points, a baseline of {SHORTEST_BASELINE}."
        )
    rates = [np.interp(n_points, *table[has_limits, key, size]) for key in keys]
    return float(min(1.0, sum(rates)))


@lru_cache(maxsize=256)
def last_point_rate(rules: str, n_points: int, baseline: int) -> float:
    """How often the last point of a control chart is flagged though nothing changed: 2,000 series of normal values.

    `baseline` of the `n_points` make centre and limits.
    """
    values = np.random.default_rng(20201216).standard_normal(2_000 * n_points)
    data = pd.DataFrame(
        {"series": np.repeat(range(2_000), n_points), "period": np.tile(range(n_points), 2_000), "value": values}
    )
    frozen = baseline if baseline < n_points else None
    points = chart(data, "i", period="period", value="value", by="series", rules=rules, baseline=frozen).points
    return float((points["rules"].to_numpy()[n_points - 1 :: n_points] != "").mean())


@lru_cache(maxsize=1)
def _table() -> dict[Key, tuple[list[float], list[float]]]:
    """Lengths and rates of every rule set and baseline."""
    found: dict[Key, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    with (resources.files(__package__) / TABLE).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            lengths, rates = found[row["limits"] == "yes", row["rules"], int(row["baseline"])]
            lengths.append(float(row["points"]))
            rates.append(float(row["rate"]))
    return dict(found)
