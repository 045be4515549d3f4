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
    """One row per group: counts, median, mean up to a common month, and ratios; None where no group can tell."""
    if not any(grouping.n_can_tell for grouping in groupings):
        return None
    data = pd.concat([_with_ratios(grouping) for grouping in groupings], ignore_index=True)
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
            "Takes times as long": [_ratio(r, "time_ratio") for r in rows],
            "Ends times as often": [_ratio(r, "hazard_ratio") for r in rows],
        }
    )
    return Table(
        name="durations_by_group",
        caption=f"Durations by group, with 95% intervals{_few(data)}; ratios are to the group marked as reference",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[1:]),
    )


def _few(data: pd.DataFrame) -> str:
    if not (data["mean_low"].notna() & (data["n"] <= FEW)).any():
        return ""
    return f" (those of means of {FEW} projects or fewer hold in about {percent(HELD_BY_FEW)})"


def comparisons(groupings: Sequence[Grouping]) -> Table | None:
    """One row per grouping of which two groups could be compared: the tests, and what they rest on."""
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
            "Time ratio by": data["shape"].map(lambda shape: _SHAPES.get(shape, DASH)),
            "Proportional hazards, p": data["proportional_p"].map(p_value),
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


def _with_ratios(grouping: Grouping) -> pd.DataFrame:
    table = grouping.table.assign(factor=grouping.factor, horizon=grouping.horizon)
    for name, found in (("time_ratio", grouping.time_ratio), ("hazard_ratio", grouping.hazard_ratio)):
        by_group = _by_group(found)
        for column in ("ratio", "low", "high"):
            table[name if column == "ratio" else f"{name}_{column}"] = table["group"].map(by_group[column])
        table[f"{name}_reference"] = found is not None and table["group"].eq(str(found.reference))
    return table


def _by_group(found: Ratios | None) -> pd.DataFrame:
    return (
        pd.DataFrame(columns=["ratio", "low", "high"], dtype=float) if found is None else found.table.set_index("group")
    )


def _tests(grouping: Grouping) -> list[dict[str, object]]:
    """One row per test that was made; how far the ratios can be trusted stands beside the test of length."""
    ratios: dict[str, object] = {
        "shape": grouping.time_ratio.model if grouping.time_ratio is not None else None,
        "proportional_p": grouping.proportional_p,
    }
    made: tuple[tuple[str, str, LogRank | GrayTest | None, float, dict[str, object]], ...] = (
        ("length", "log-rank", grouping.log_rank, grouping.log_rank_adjusted, ratios),
        ("share completed", "Gray", grouping.gray, grouping.gray_adjusted, {"shape": None, "proportional_p": math.nan}),
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
            **beside,
        }
        for compared, name, test, adjusted, beside in made
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
    if getattr(row, f"{name}_reference"):
        return "1, reference"
    estimate, interval = ratio(*(getattr(row, column) for column in (name, f"{name}_low", f"{name}_high")))
    return estimate if interval == DASH else f"{estimate} ({interval})"
