"""What became of each facility's gain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from qieval.analyses.sustainment import IndicatorSustainment
from qieval.present.display import Table, file_name
from qieval.present.numbers import (
    axis_label,
    change,
    month,
    percent,
    value,
)

Show = Callable[[Any], str]


def gains(result: IndicatorSustainment) -> Table:
    """One row per facility: levels before, at the end of support and after, and what became of the gain."""
    indicator, data = result.indicator, result.table
    columns = {
        "Facility": data["facility"],
        "Support ended": data["support_ended"].map(month),
        "Baseline": [value(x, indicator) for x in data["baseline"]],
        "End of support": [value(x, indicator) for x in data["end"]],
        "Gain (+ is better)": [change(x, indicator) for x in data["gain"]],
    }
    for horizon in result.horizons:
        after = horizon.months_after
        columns[f"{after} months after"] = [value(x, indicator) for x in data[f"level_{after}"]]
        columns[f"Gain kept at {after}"] = [percent(x) for x in data[f"kept_{after}"]]
        columns[f"Result at {after}"] = [
            outcome if isinstance(outcome, str) else start
            for outcome, start in zip(data[f"outcome_{after}"], data["start"], strict=True)
        ]
    numeric = tuple(name for name in columns if name not in ("Facility", "Support ended") and "Result" not in name)
    return Table(
        name=f"gains_{file_name(indicator.indicator_id)}",
        caption=f"{axis_label(indicator)}: gain and what became of it, facility by facility",
        shown=pd.DataFrame(columns),
        data=data.rename(columns={"support_ended": "last_month_of_support"}),
        numeric=numeric,
        folded=True,
    )
