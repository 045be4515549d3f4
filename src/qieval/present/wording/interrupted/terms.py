"""The words and numbers that the sentences about an interrupted time series share."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.interrupted import Interrupted
from qieval.analyses.interrupted_line import Model
from qieval.analyses.run_charts import FEWEST_MONTHS
from qieval.analyses.series import Indicator
from qieval.present.numbers import change, listed, percent, unit

ENGINES = {
    "averaged": "average over autocorrelations",
    "reml": "REML, autocorrelation at its best value",
    "newey_west": "Newey-West, one lag",
    "ols": "least squares",
    "quasibinomial": "quasi-binomial",
    "quasipoisson": "quasi-Poisson",
}


CASES = {
    **ENGINES,
    "averaged": "as told above",
    "steady_baselines": "without facilities whose baseline was moving",
    "possible_trends": "without facilities whose trend passes what is possible",
    "seasons": "with a yearly wave, where there are two years",
    "both_models": "with facilities that tell level alone, or a trend",
}


SHAPES: dict[Model, str] = {
    "trend": "a jump and a change of slope",
    "level": "a jump alone, for want of months to tell a slope",
}


REASONS = {
    "no_start": "no month of joining",
    "small_months": "no month with people enough",
    "too_few_before": f"fewer than {FEWEST_MONTHS} months before joining",
    "too_few_after": f"fewer than {FEWEST_MONTHS} months after joining",
    "ends_sooner": "data that end before that month",
    "at_edge": "at or next to 0% or 100%, where months cannot vary",
    "nothing_varies": "values that never vary",
}


def amount(x: float, indicator: Indicator) -> str:
    """A size of change with its unit and without sign, e.g. 30 percentage points, 8.5 deaths per 1000 live births."""
    text = change(x, indicator).lstrip("+")
    if indicator.kind == "proportion":
        return text.replace("point", "percentage point")
    return f"{text} {unit(indicator)}".strip()


def limits(low: float, high: float, indicator: Indicator) -> str:
    """Both limits of a change with their signs, the unit of points once: +25 to +35 points."""
    if indicator.kind != "proportion":
        return f"{change(low, indicator)} to {change(high, indicator)}"
    # No share can change by more than 100 points, whatever a t distribution allows.
    first, last = (change(min(max(x, -1.0), 1.0), indicator) for x in (low, high))
    return f"{first.removesuffix('s').removesuffix(' point')} to {last}"


def way(x: float) -> str:
    """Which way a change goes, whatever is better."""
    return "higher" if x >= 0 else "lower"


def less(indicator: Indicator) -> str:
    """That less is better, where it is."""
    return "; less is better" if indicator.sign < 0 else ""


def model_of(result: Interrupted) -> Model:
    """Of the average, or else of the line, or of what most facilities have."""
    if result.model is not None:
        return result.model
    if result.line is not None:
        return result.line.model
    return "trend" if result.facilities["model"].eq("trend").any() else "level"


def has_case(result: Interrupted, case: str) -> bool:
    """Whether another way of that name has an estimate."""
    found = result.sensitivity
    return found is not None and bool(found.loc[found["case"] == case, "estimate"].notna().any())


def month_range(first: int, last: int) -> str:
    """Months in words: month 3, or months 3 to 9."""
    return f"month {first}" if first == last else f"months {first} to {last}"


def edge(indicator: Indicator) -> str:
    """The values that the indicator cannot pass."""
    return "0 or 100%" if indicator.kind == "proportion" else "0"


def few(expected: float) -> str:
    """A number of false alarms to expect, in words."""
    return "fewer than one" if expected < 0.95 else f"about {expected:.0f}"


def left_out(result: Interrupted) -> str:
    """Which facilities are not in it, with the reasons."""
    table = result.facilities
    parts = []
    for code, reason in REASONS.items():
        rows = table.loc[table["reason"] == code]
        if len(rows) and code == "at_edge":
            parts.append(f"{by_levels(rows)}, {reason} and an interval would look exact")
        elif len(rows):
            parts.append(f"{listed(list(rows['facility']))} ({reason})")
    return f"Left out: {'; '.join(parts)}." if parts else ""


def by_levels(rows: pd.DataFrame) -> str:
    """Facilities with the same levels in words together: A and B (before: none; after: nearly all)."""
    groups: dict[str, list[str]] = {}
    for row in rows.itertuples(index=False):
        groups.setdefault(from_to(row), []).append(str(row.facility))
    return listed([f"{listed(names)} ({levels})" for levels, names in groups.items()])


def from_to(row: object) -> str:
    """The levels of a share before joining and after, where there is no interval: before: none; after: nearly all."""
    before, after = getattr(row, "level_before", 0.0), getattr(row, "level_after", 0.0)
    return f"before: {_in_words(before)}; after: {_in_words(after)}"


def _in_words(share: float) -> str:
    if share <= HARDLY or share >= 1 - HARDLY:
        names = ("none", "hardly any") if share <= HARDLY else ("all", "nearly all")
        return names[0] if share in (0, 1) else names[1]
    return percent(share)


HARDLY = 0.05
