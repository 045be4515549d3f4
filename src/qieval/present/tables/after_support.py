"""Each facility's change after support, and the average made in other ways."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.after_support import AfterSupport
from qieval.methods.pooling import FEWEST_TO_POOL
from qieval.present.display import Table, file_name
from qieval.present.numbers import DASH, axis_label, change, month, values, whole
from qieval.present.wording.after_support import CASES, REASONS
from qieval.present.wording.interrupted.terms import limits


def facilities(result: AfterSupport) -> Table | None:
    """One row per facility, those without a change and their reason among them."""
    indicator, data = result.indicator, result.facilities
    if data.empty:
        return None
    rows = list(data.itertuples(index=False))
    # The level is of all months together, the change that of the last: 58% may well stand beside a fall of 49 points.
    after, at = (
        ("Level after", "Change")
        if result.month is None
        else (f"Level, months 1\N{EN DASH}{result.month} together", f"Change at month {result.month}")
    )
    shown = pd.DataFrame(
        {
            "Facility": data["facility"],
            "Support ended": data["support_ended"].map(month),
            "Months used, support + after": [DASH if row.reason else f"{row.n_before} + {row.n_after}" for row in rows],
            "Level in support": values(data["level_before"], indicator),
            after: values(data["level_after"], indicator),
            at: [change(row.estimate, indicator) for row in rows],
            "95% interval": [DASH if row.reason else limits(row.low, row.high, indicator) for row in rows],
            "Weight": [DASH if pd.isna(row.weight) else f"{100 * row.weight:.0f}%" for row in rows],
            "Note": [
                f"left out: {REASONS[row.reason]}"
                if row.reason
                else "; ".join(
                    ["‡ trend passes what is possible"] * bool(row.beyond) + ["months drift"] * bool(row.drifts)
                )
                for row in rows
            ],
        }
    )
    told = f"change {result.month} months after support" if result.month is not None else "change after support"
    return Table(
        name=f"after_support_{file_name(indicator.indicator_id)}",
        caption=f"{axis_label(indicator)}: {told}, facility by facility",
        shown=shown,
        data=data.rename(columns={"support_ended": "last_month_of_support"}),
        numeric=tuple(shown.columns[2:-1]),
        folded=True,
    )


def other_ways(result: AfterSupport) -> Table | None:
    """The average over facilities by other engines, and against the other line."""
    indicator, data = result.indicator, result.sensitivity
    if data is None:
        return None
    rows = list(data.itertuples(index=False))
    shown = pd.DataFrame(
        {
            "How": data["case"].map(CASES),
            "Facilities": data["k"].map(whole),
            "Change": [change(row.estimate, indicator) for row in rows],
            "95% interval": [DASH if pd.isna(row.low) else limits(row.low, row.high, indicator) for row in rows],
            "Note": [
                f"no average below {FEWEST_TO_POOL} facilities"
                if pd.isna(row.estimate)
                else ""
                if row.agrees
                else "does not say the same"
                for row in rows
            ],
        }
    )
    return Table(
        name=f"after_support_other_ways_{file_name(indicator.indicator_id)}",
        caption=f"{axis_label(indicator)}: the same change after support told in other ways",
        shown=shown,
        data=data,
        numeric=("Facilities", "Change", "95% interval"),
        folded=True,
    )
