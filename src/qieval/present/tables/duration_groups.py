"""Groups of projects with their medians and means, and how they compare."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from qieval.analyses.duration_groups import Grouping
from qieval.methods.survival import GrayTest, LogRank, Ratios
from qieval.present.display import Table
from qieval.present.numbers import DASH, MINUS, months, percent, ratio
from qieval.present.wording.duration_groups import FACTORS, group_name
from qieval.present.wording.project_outcomes import FEW, HELD_BY_FEW

_SHAPES = {"weibull": "Weibull", "lognormal": "log-normal", "loglogistic": "log-logistic"}


def groups(groupings: Sequence[Grouping]) -> Table | None:
    """One row per group: counts, median, and mean up to a common month; None where no group can tell."""
    if not any(grouping.n_can_tell for grouping in groupings):
        return None
    data = pd.concat(
        [grouping.table.assign(factor=grouping.factor, horizon=grouping.horizon) for grouping in groupings],
        ignore_index=True,
    )
    rows = list(data.itertuples())
    shown = pd.DataFrame(
        {
            "Group": [f"{FACTORS[row.factor]}: {group_name(row.group)}" for row in rows],
            "Projects": data["n"].map(str),
            "Ended": data["ended"].map(str),
            "Completed": data["completed"].map(str),
            "Median months": [_with_limits(months, r.median, r.low, r.high) for r in rows],
            "Mean months": [_mean(r) for r in rows],
            "Mean up to month": data["horizon"].where(data["mean"].notna()).map(months),
        }
    )
    return Table(
        name="durations_by_group",
        caption=f"Durations by group, with 95% intervals{_few(data)}",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[1:]),
    )


def _few(data: pd.DataFrame) -> str:
    if not (data["mean_low"].notna() & (data["n"] <= FEW)).any():
        return ""
    return f" (those of means of {FEW} projects or fewer hold in about {percent(HELD_BY_FEW)})"


def ratios(groupings: Sequence[Grouping]) -> Table | None:
    """One row per group that is set against the first of its grouping; None where no ratio could be given."""
    rows = [row for grouping in groupings for row in _ratios(grouping)]
    if not rows:
        return None
    data = pd.DataFrame(rows)
    each = list(data.itertuples())
    shown = pd.DataFrame(
        {
            "Compared": [
                f"{FACTORS[row.factor]}: {group_name(row.group)} against {group_name(row.reference)}" for row in each
            ],
            "Takes times as long": [_ratio(row, "time_ratio") for row in each],
            "Shape of times": data["shape"].map(lambda shape: _SHAPES.get(shape, DASH)),
            "Ends times as often": [_ratio(row, "hazard_ratio") for row in each],
            "Proportional hazards, p": data["proportional_p"].map(p_value),
        }
    )
    return Table(
        name="duration_ratios",
        caption="How many times as long projects take, and as often they end, with 95% intervals",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[1:]),
    )


def comparisons(groupings: Sequence[Grouping]) -> Table | None:
    """One row per test of groups, where two of a grouping could be compared."""
    made = [grouping for grouping in groupings if grouping.log_rank is not None]
    if not made:
        return None
    data = pd.DataFrame([row for grouping in made for row in _tests(grouping)])
    rows = list(data.itertuples())
    shown = pd.DataFrame(
        {
            "Compared": [f"{FACTORS[row.factor]}: {row.compared}" for row in rows],
            "Test": data["test"],
            "Groups": data["groups"].map(str),
            "Chi-squared": data["statistic"].map("{:.2f}".format),
            "Degrees of freedom": data["degrees_of_freedom"].map(str),
            "p": data["p_value"].map(p_value),
            "p, all tests": data["p_all_tests"].map(p_value),
        }
    )
    return Table(
        name="duration_tests",
        caption="How groups were compared; p, all tests: allowing for every test in this table (Benjamini-Hochberg)",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[2:]),
    )


def p_value(p: float) -> str:
    """A chance, with two digits where they matter."""
    if math.isnan(p):
        return DASH
    return "under 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _ratios(grouping: Grouping) -> list[dict[str, object]]:
    given = [one for one in (grouping.time_ratio, grouping.hazard_ratio) if one is not None]
    if not given:
        return []
    shape = grouping.time_ratio.model if grouping.time_ratio is not None else None
    # Both are fitted to the same groups in the same order.
    return [
        {
            "factor": grouping.factor,
            "group": str(group),
            "reference": str(given[0].reference),
            **_limits(grouping.time_ratio, place, "time_ratio"),
            "shape": shape,
            **_limits(grouping.hazard_ratio, place, "hazard_ratio"),
            "proportional_p": grouping.proportional_p,
        }
        for place, group in enumerate(given[0].table["group"])
    ]


def _limits(found: Ratios | None, place: int, name: str) -> dict[str, float]:
    names = (name, f"{name}_low", f"{name}_high")
    if found is None:
        return dict.fromkeys(names, math.nan)
    return dict(zip(names, found.table[["ratio", "low", "high"]].iloc[place].astype(float), strict=True))


def _tests(grouping: Grouping) -> list[dict[str, object]]:
    """One row per test that was made."""
    made: tuple[tuple[str, str, LogRank | GrayTest | None, float], ...] = (
        ("length", "log-rank", grouping.log_rank, grouping.log_rank_adjusted),
        ("share completed", "Gray", grouping.gray, grouping.gray_adjusted),
    )
    return [
        {
            "factor": grouping.factor,
            "compared": compared,
            "test": name,
            "groups": grouping.n_can_tell,
            "statistic": test.statistic,
            "degrees_of_freedom": test.degrees_of_freedom,
            "p_value": test.p_value,
            "p_all_tests": adjusted,
        }
        for compared, name, test, adjusted in made
        if test is not None
    ]


def _with_limits(show: Callable[[float], str], x: float, low: float, high: float) -> str:
    if pd.isna(x):
        return DASH
    if pd.isna(low) or math.isinf(low):
        return show(x)
    return f"{show(x)} ({show(low)} to {'no limit' if math.isinf(high) else show(high)})".replace("-", MINUS)


def _mean(row: Any) -> str:
    """The mean cannot lie outside 0 and the months it is over, whatever a normal interval says."""
    return _with_limits(months, row.mean, max(row.mean_low, 0), min(row.mean_high, row.horizon))


def _ratio(row: Any, name: str) -> str:
    estimate, interval = ratio(*(getattr(row, column) for column in (name, f"{name}_low", f"{name}_high")))
    return estimate if interval == DASH else f"{estimate} ({interval})"
