"""Waits for a visit, longest first, and the share of long ones."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.visit_gaps import VisitGaps
from qieval.present.display import Table
from qieval.present.numbers import DASH, day, percent, whole
from qieval.present.wording.visit_gaps import curve_label


def gaps(result: VisitGaps) -> Table | None:
    """One row per wait, the longest first."""
    if result.gaps.empty:
        return None
    data = result.gaps.sort_values(["days", "facility"], ascending=[False, True], ignore_index=True)
    shown = pd.DataFrame(
        {
            "Facility": data["facility"],
            "From": ["joining" if joined else "visit" for joined in data["from_joining"]],
            "Begun": data["begun_on"].map(day),
            "Days": data["days"].map(whole),
            "To": ["visit" if ended else "still open" for ended in data["ended"]],
        }
    )
    return Table(
        name="waits_for_a_visit",
        caption="Waits for a visit, the longest first",
        shown=shown,
        data=data,
        numeric=("Days",),
        folded=True,
    )


def longer(result: VisitGaps) -> Table | None:
    """One row per curve and number of days: the share of waits that last longer."""
    if not result.curves:
        return None
    data = pd.concat([curve.longer.assign(begun=curve.begun, label=curve_label(curve)) for curve in result.curves])
    shown = pd.DataFrame(
        {
            "Waits": data["label"].str.capitalize(),
            "Longer than (days)": data["days"].map(whole),
            "Share": data["share"].map(percent),
            "95% interval": [
                DASH if pd.isna(row.low) else f"{percent(row.low)} to {percent(row.high)}" for row in data.itertuples()
            ],
        }
    )
    return Table(
        name="long_waits",
        caption="Share of waits for a visit that lasted longer",
        shown=shown,
        data=data.drop(columns="label"),
        numeric=("Longer than (days)", "Share", "95% interval"),
    )
