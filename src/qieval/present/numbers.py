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


NO_LIMIT = "no upper limit"  # what stands where a limit is infinite


def ratio(x: float, low: float, high: float) -> tuple[str, str]:
    """A ratio, and its limits with as many decimals: 2.43 and 1.68 to 3.39; 10.9 and 3.9 to 42.4.

    Two significant digits of the estimate are kept, and at least two decimals below 10. Without limits
    (NaN) the second text is a dash.
    """
    if math.isnan(x):
        return DASH, DASH
    decimals = _decimals(low if math.isinf(x) else x)
    # A limit that leaves out 1 must not read as 1, or the sentence beside it would seem wrong.
    while decimals < _MOST_DECIMALS and any(end != 1 and round(end, decimals) == 1 for end in (low, high)):
        decimals += 1
    estimate = "no limit" if math.isinf(x) else _to(x, decimals)
    lower, upper = _to(low, decimals), _to(high, decimals)
    return estimate, DASH if math.isnan(low) else f"{lower} to {upper}"


def alike(column: pd.Series, least: int = 0) -> pd.Series:
    """Numbers below one another, all with the decimals that suit the largest, or more: 5.0, 16.7, 4.4."""
    decimals = max(_decimals(column.abs().max()), least)
    return column.map(lambda x: DASH if math.isnan(x) else f"{x:,.{decimals}f}".replace("-", MINUS))


_MOST_DECIMALS = 4


def _decimals(x: float) -> int:
    """How many decimals a positive number needs: 0 from 100 on, 1 from 10, 2 from 0.1, then more."""
    if math.isnan(x) or x <= 0:
        return 2
    # Of what will be read: 9.999 is shown as 10.0, not as 10.00.
    power = math.floor(math.log10(float(f"{x:.2e}")))
    return min(max(0, 2 - power) if power >= 0 else max(2, 1 - power), _MOST_DECIMALS)


def _to(x: float, decimals: int) -> str:
    """So many decimals; a limit that is above 0 does not read as 0."""
    if math.isinf(x):
        return NO_LIMIT
    if x > 0 and round(x, decimals) == 0:
        return f"under {10**-decimals:.{decimals}f}"
    return "0" if x == 0 else f"{x:,.{decimals}f}"


def value(x: float, indicator: Indicator) -> str:
    """A value of an indicator with its unit as short as it can be."""
    if math.isnan(x):
        return DASH
    return percent(x) if indicator.kind == "proportion" else number(x)


def values(column: pd.Series, indicator: Indicator) -> pd.Series:
    """Values of an indicator below one another, with decimals alike; one at least, which a small rate needs."""
    return column.map(lambda x: value(x, indicator)) if indicator.kind == "proportion" else alike(column, least=1)


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
