"""Facilities with their visits, size and need."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.equity import Equity
from qieval.present.display import Table
from qieval.present.numbers import DASH, alike, text, value, whole


def shares(result: Equity) -> Table | None:
    """One row per facility, the least visited a month first."""
    if result.facilities.empty:
        return None
    data = result.facilities.sort_values(["per_month", "facility"], ignore_index=True)
    columns = {
        "Facility": data["facility"],
        "Setting": data["setting"].map(text),
        "Visits": data["visits"].map(whole),
        "Months": data["months"].map(whole),
        "Visits a month": alike(data["per_month"]),
    }
    if data["size"].notna().any():
        columns["People served a month"] = alike(data["size"])
    if result.need_of is not None and data["need"].notna().any():
        need_of = result.need_of
        columns["Level before joining"] = data["need"].map(lambda x: DASH if pd.isna(x) else value(x, need_of))
    shown = pd.DataFrame(columns)
    return Table(
        name="visits_shared",
        caption="Visits of each facility beside its size and need, the least visited first",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[2:]),
        folded=True,
    )
