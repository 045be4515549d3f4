"""Numbers in words: few digits, units where they matter, and never a false precision."""

from __future__ import annotations

import math

import pandas as pd

from qieval.analyses.series import Indicator

DASH = "–"  # what a table shows where there is no number
MINUS = "\N{MINUS SIGN}"


def percent(share: float) -> str:
    """A proportion as a percentage without decimals, e.g. 0.434 as 43%."""
    if math.isnan(share):
        return DASH
    nearest = math.floor(100 * share + 0.5)
    if share > 0 and nearest == 0:
        return "under 1%"
    if share < 1 and nearest == 100:
        return "over 99%"
    return f"{nearest}%".replace("-", MINUS)


def number(x: float) -> str:
    """A number with three significant digits at most, e.g. 12.345 as 12.3."""
    if math.isnan(x):
        return DASH
    if x == 0 or abs(x) >= 100:
        return f"{x:,.0f}".replace("-", MINUS)
    if abs(x) < 0.0001:
        return "under 0.0001" if x > 0 else f"over {MINUS}0.0001"
    decimals = min(max(0, 2 - math.floor(math.log10(abs(x)))), 4)
    text = f"{x:.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", MINUS)


def whole(x: float) -> str:
    """A count, e.g. 1204.0 as 1,204."""
    return DASH if math.isnan(x) else f"{x:,.0f}"


def months(x: float) -> str:
    """A length in months, e.g. 5.03 as 5.0."""
    if math.isnan(x):
        return DASH
    return "not reached" if math.isinf(x) else f"{x:.1f}"


def ratio(x: float) -> str:
    """A ratio, e.g. 2.4286 as 2.43."""
    return DASH if math.isnan(x) else f"{x:.2f}"


def ratio_interval(low: float, high: float) -> str:
    """The limits of a ratio, a third decimal below 1: 1.68 to 3.39, 0.061 to 0.569."""
    return " to ".join(f"{x:.2f}" if x >= 1 else f"{x:.3f}" if x > 0 else "0" for x in (low, high))


def value(x: float, indicator: Indicator) -> str:
    """A value of an indicator with its unit as short as it can be."""
    if math.isnan(x):
        return DASH
    return percent(x) if indicator.kind == "proportion" else number(x)


def change(x: float, indicator: Indicator) -> str:
    """A difference between two values of an indicator, with its sign."""
    if math.isnan(x):
        return DASH
    if indicator.kind == "proportion":
        points = math.floor(100 * abs(x) + 0.5)
        return count(points, "point") if points == 0 else f"{'+' if x > 0 else MINUS}{count(points, 'point')}"
    text = f"{'+' if x > 0 else ''}{number(x)}" if abs(x) < 1 else f"{x:+,.{1 if abs(x) < 100 else 0}f}"
    return text.replace("-", MINUS)


def unit(indicator: Indicator) -> str:
    """What the value counts, for an axis: %, per 1,000, or the unit recorded."""
    if indicator.kind == "proportion":
        return "%"
    if indicator.unit:
        return indicator.unit
    if indicator.kind == "rate":
        return f"per {indicator.per:,.0f}"
    return "per facility and month" if indicator.kind == "count" else ""


def axis_label(indicator: Indicator) -> str:
    """Name and unit, for the axis of a figure."""
    return f"{indicator.name} ({unit(indicator)})" if unit(indicator) else indicator.name


def of(part: int, all_: int, thing: str = "", things: str = "") -> str:
    """So many of so many, e.g. 3 of 24, or with a noun 3 of 24 facilities."""
    return f"{part:,} of {count(all_, thing, things or None) if thing else f'{all_:,}'}"


def count(n: int, thing: str, things: str | None = None) -> str:
    """A count with its noun, e.g. 1 month, 9 months."""
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def month(day: pd.Timestamp) -> str:
    """A month, e.g. Jan 2023."""
    return DASH if pd.isna(day) else f"{day:%b %Y}"


def day(date: pd.Timestamp) -> str:
    """A day, e.g. 5 Jan 2023."""
    return DASH if pd.isna(date) else f"{date.day} {date:%b %Y}"


def listed(names: list[str] | tuple[str, ...], most: int = 12) -> str:
    """Names in a row: A, B and C; beyond `most` the rest are counted."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def text(cell: object) -> str:
    """A cell of text, or a dash where it is empty."""
    return cell if isinstance(cell, str) and cell else DASH
