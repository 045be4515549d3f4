"""Visits planned and made, month by month."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.visit_months import VisitMonths
from qieval.present.display import Table
from qieval.present.numbers import month, ratio, whole


def months(result: VisitMonths) -> Table | None:
    """One row per month and kind of mentor with anything planned or made."""
    if result.months.empty:
        return None
    data = result.months.loc[(result.months["planned"] > 0) | (result.months["done"] > 0)]
    ratios = [ratio(row.ratio, row.low, row.high) for row in data.itertuples()]
    shown = pd.DataFrame(
        {
            "Month": data["period"].map(month),
            "Mentors": data["mentor_type"].str.capitalize(),
            "Planned": data["planned"].map(whole),
            "Done": data["done"].map(whole),
            "Done per planned": [estimate for estimate, _ in ratios],
            "95% interval": [interval for _, interval in ratios],
            "Planned so far": data["planned_so_far"].map(whole),
            "Done so far": data["done_so_far"].map(whole),
        }
    )
    return Table(
        name="visits_by_month",
        caption="Visits by month: plans in the month they were due, visits in the month they were made",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[2:]),
        folded=True,
    )
