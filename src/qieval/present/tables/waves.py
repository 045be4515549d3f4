"""The event study behind its figure."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.waves import Waves
from qieval.present.display import Table, file_name
from qieval.present.numbers import DASH, axis_label, change, whole


def event_study(found: Waves) -> Table | None:
    """One row per period since joining: difference, interval, limits for all at once, and facilities behind it."""
    if found.event_study is None:
        return None
    data, indicator = found.event_study, found.indicator

    def span(low: pd.Series, high: pd.Series) -> list[str]:
        return [
            DASH if pd.isna(a) else f"{change(a, indicator)} to {change(b, indicator)}"
            for a, b in zip(low, high, strict=True)
        ]

    shown = pd.DataFrame(
        {
            "Months since joining": [months_label(int(since), found.width_months) for since in data["since_joining"]],
            "Difference": [change(x, indicator) for x in data["estimate"]],
            "95% interval": span(data["low"], data["high"]),
            "95% for all at once": span(data["band_low"], data["band_high"]),
            "Facilities": data["n_treated"].map(whole),
        }
    )
    return Table(
        name=f"event_study_{file_name(indicator.indicator_id)}",
        caption=f"{axis_label(indicator)}: change since just before joining, beyond that of the others",
        shown=shown,
        data=data,
        numeric=("Difference", "95% interval", "95% for all at once", "Facilities"),
        folded=True,
    )


def months_label(since: int, width: int) -> str:
    """The months of a period, counted from joining as 0, e.g. 3 to 5."""
    first = f"{since}".replace("-", "\N{MINUS SIGN}")
    return first if width == 1 else f"{first} to {since + width - 1}".replace("-", "\N{MINUS SIGN}")
