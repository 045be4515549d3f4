"""What a control chart says today: is care getting better, and will the target be met?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qieval.errors import ParameterError
from qieval.methods.spc.chart import Chart

FEWEST_POINTS = 10  # limits of fewer points carry no verdict

VARIATION = ("improving", "concerning", "changed", "common cause", "no limits", "too few points")
ASSURANCE = ("will hit", "hit or miss", "will miss", "no target", "no limits", "too few points")


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
        ("high", "low" or ""), variation: improving, concerning, changed (without a direction, or without one that is
        better), common cause, too few points (limits of fewer than ten) or no limits (nothing varied); target and
        assurance: will hit, will miss (the target lies beyond the limits), hit or miss (between them), no target, too
        few points or no limits.

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
    _check_known("better", better, names)
    _check_known("target", target, names)
    ways = [_of(better, name) for name in names]
    wrong = sorted({str(way) for way in ways} - {"up", "down", "None"})
    if wrong:
        raise ParameterError(f"better: {', '.join(wrong)} is neither 'up' nor 'down' (or None).")
    up = np.array([{"up": 1, "down": -1, None: 0}[way] for way in ways])
    goals = np.array([_of(target, name, missing=np.nan) for name in names], dtype=float)
    step = np.sign(last["value"].to_numpy() - before.loc[last.index].to_numpy())
    unknown = [(table["n_baseline"] < FEWEST_POINTS).to_numpy(), table["ucl"].isna().to_numpy()]
    side = _direction(table, step)
    variation, direction = _variation(table, side, up, unknown)
    return table.drop(columns=["phase"]).assign(
        direction=direction, variation=variation, target=goals, assurance=_assurance(table, goals, up, unknown)
    )


def _direction(table: pd.DataFrame, step: np.ndarray) -> np.ndarray:
    """Up (1) or down (-1), by the side of the last point, or by its trend if that alone signals; 0 for neither."""
    rules = table["rules"].astype(str)
    has_side = rules.str.contains("outside|shift|long run|2 of 3|4 of 5")
    by_side = np.sign(table["value"] - table["centre"]).to_numpy()
    return np.select([has_side, rules.str.contains("trend")], [by_side, step], default=0)


def _variation(
    table: pd.DataFrame, side: np.ndarray, up: np.ndarray, unknown: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The word for each series, and the direction of its signal."""
    signals = table["rules"].astype(str).ne("").to_numpy()
    variation = np.select(
        [*unknown, ~signals, (up == 0) | (side == 0), side * up > 0],
        ["too few points", "no limits", "common cause", "changed", "improving"],
        default="concerning",
    )
    told = signals & ~unknown[0] & ~unknown[1]
    return variation, np.select([told & (side > 0), told & (side < 0)], ["high", "low"], default="")


def _assurance(table: pd.DataFrame, goals: np.ndarray, up: np.ndarray, unknown: list[np.ndarray]) -> np.ndarray:
    lower, upper = table["lcl"].to_numpy(), table["ucl"].to_numpy()
    hits = np.where(up >= 0, goals <= lower, goals >= upper)
    misses = np.where(up >= 0, goals >= upper, goals <= lower)
    return np.select(
        [np.isnan(goals) | (up == 0), *unknown, hits, misses],
        ["no target", "too few points", "no limits", "will hit", "will miss"],
        default="hit or miss",
    )


def _check_known(argument: str, given: Any, names: list[tuple[Any, ...]]) -> None:
    """Raise for a series that is named and not there."""
    if isinstance(given, Mapping):
        known = {name[0] if len(name) == 1 else name for name in names}
        absent = [repr(name) for name in given if name not in known]
        if absent:
            raise ParameterError(f"{argument}: {', '.join(absent)} is no series of the chart.")


def _of(given: Any, name: tuple[Any, ...], missing: Any = None) -> Any:
    """What is given for one series: the same for all, or by its name."""
    if isinstance(given, Mapping):
        return given.get(name[0] if len(name) == 1 else name, missing)
    return missing if given is None else given
