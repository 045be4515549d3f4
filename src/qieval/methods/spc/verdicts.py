"""What a control chart says today: is care getting better, and will the target be met?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qieval.errors import ParameterError
from qieval.methods.spc.chart import Chart

FEWEST_POINTS = 10  # limits of fewer points carry no verdict

VARIATION = ("improving", "concerning", "changed", "common cause", "too few points")
ASSURANCE = ("will hit", "hit or miss", "will miss", "no target", "too few points")


def verdicts(
    found: Chart,
    *,
    better: str | Mapping[Any, str | None] | None,
    target: float | Mapping[Any, float] | None = None,
) -> pd.DataFrame:
    """Variation and assurance of each series at its last point, in the sense of NHS Making Data Count.

    Parameters
    ----------
    found : Chart
        A control chart; rules "mdc" give the verdicts of Making Data Count.
    better : "up", "down", None, or a mapping from a series (its name, or names as a tuple) to one of these
        The direction of improvement; None where there is none: a signal is then a change, neither good nor bad.
    target : float, or a mapping from a series to one, optional
        On the scale of the chart.

    Returns
    -------
    DataFrame, one row per series
        the columns of `by`, last (period), value, centre, lcl, ucl, rules (that flagged the last point), direction
        ("high", "low" or ""), variation: improving, concerning, changed (no direction of improvement), common cause,
        or too few points (limits of fewer than ten); target and assurance: will hit, will miss (the target lies
        beyond the limits), hit or miss (between them), no target, or too few points.

    References
    ----------
    .. [1] NHS England. Making Data Count: Strengthening your decisions, 2019.
    """
    if found.kind == "run":
        raise ParameterError("Verdicts need control limits, which a run chart does not have. Choose a control chart.")
    points, by = found.points, list(found.by)
    known = points[points["value"].notna() & ~points["excluded"]]
    last = known.groupby(by, sort=False, observed=True).tail(1) if by else known.tail(1)
    before = (known.groupby(by, sort=False, observed=True)["value"] if by else known["value"]).shift()
    period = points.columns[len(by)]
    table = last[[*by, period, "phase", "value", "centre", "lcl", "ucl", "rules"]].rename(columns={period: "last"})
    table = table.merge(found.series[[*by, "phase", "n_baseline"]], on=[*by, "phase"], how="left").reset_index(
        drop=True
    )
    names = list(table[by].itertuples(index=False, name=None)) if by else [()]
    ways = [_of(better, name) for name in names]
    wrong = sorted({str(way) for way in ways} - {"up", "down", "None"})
    if wrong:
        raise ParameterError(f"better: {', '.join(wrong)} is neither 'up' nor 'down' (or None).")
    goals = np.array([_of(target, name, missing=np.nan) for name in names], dtype=float)

    rules = table["rules"].astype(str)
    side = np.sign(table["value"] - table["centre"]).to_numpy()
    only_trend = rules.str.contains("trend") & ~rules.str.contains("outside|shift|long run")
    step = np.sign(last["value"].to_numpy() - before.loc[last.index].to_numpy())
    side = np.where(only_trend, step, side)
    few = (table["n_baseline"] < FEWEST_POINTS).to_numpy() | table["ucl"].isna().to_numpy()
    up = np.array([{"up": 1, "down": -1, None: 0}[way] for way in ways])
    signals = rules.ne("").to_numpy()
    variation = np.select(
        [few, ~signals, up == 0, side * up > 0],
        ["too few points", "common cause", "changed", "improving"],
        default="concerning",
    )
    lower, upper = table["lcl"].to_numpy(), table["ucl"].to_numpy()
    hits = np.where(up >= 0, goals <= lower, goals >= upper)
    misses = np.where(up >= 0, goals >= upper, goals <= lower)
    assurance = np.select(
        [np.isnan(goals) | (up == 0), few, hits, misses],
        ["no target", "too few points", "will hit", "will miss"],
        default="hit or miss",
    )
    return table.drop(columns=["phase"]).assign(
        direction=np.where(signals & ~few, np.where(side > 0, "high", "low"), ""),
        variation=variation,
        target=goals,
        assurance=assurance,
    )


def _of(given: Any, name: tuple[Any, ...], missing: Any = None) -> Any:
    """What is given for one series: the same for all, or by its name."""
    if isinstance(given, Mapping):
        return given.get(name[0] if len(name) == 1 else name, missing)
    return missing if given is None else given
