"""What each chart warned of, and when it did so in each facility."""

from __future__ import annotations

import math

import pandas as pd

from qieval.analyses.early_warning import CHARTS, EarlyWarning
from qieval.present.display import Table, file_name
from qieval.present.numbers import DASH, axis_label, number, values, whole
from qieval.present.tables.sustainment import by_chance

HEADINGS = {"ewma": "EWMA", "cusum": "CUSUM", "single": "A single month"}


def charts(result: EarlyWarning) -> Table | None:
    """One row per chart: what it warned of, how much sooner, and its false alarms beside those of chance."""
    if not result.records:
        return None
    data = pd.DataFrame([vars(one) for one in result.records])
    shown = pd.DataFrame(
        {
            "Chart": data["chart"].map(HEADINGS),
            f"Warned of those that lost it (of\N{NO-BREAK SPACE}{result.n_lost})": data["warned_lost"].map(whole),
            "Before the loss was told": data["before_rule"].map(whole),
            "First to warn": data["first"].map(whole),
            "Months sooner (median)": [
                "not all warned of" if math.isinf(lead) else number(lead) for lead in data["lead"]
            ],
            f"Warned of those that kept it (of\N{NO-BREAK SPACE}{result.n_kept})": data["warned_kept"].map(whole),
            "Warned of the others": data["warned_other"].map(whole),
            f"False warnings by chance (of\N{NO-BREAK SPACE}{result.n_watched})": [
                DASH if math.isnan(x) else f"{x:.1f}" for x in data["by_chance"]
            ],
        }
    )
    return Table(
        name=f"early_warning_{file_name(result.indicator.indicator_id)}",
        caption=f"{axis_label(result.indicator)}: what each chart would have warned of",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[1:]),
    )


def facilities(result: EarlyWarning) -> Table | None:
    """One row per facility that had gained: the month of each first warning, and the chance of a false one."""
    if result.table.empty:
        return None
    one, data = result.indicator, result.table
    shown = pd.DataFrame(
        {
            "Facility": data["facility"],
            "Class": data["class"],
            "Level watched against": values(data["centre"], one),
            "Months watched": data["months"].map(whole),
            "Loss told in month": data["told"].map(whole),
            **{HEADINGS[chart]: _warnings(data[chart], data[f"chance_{chart}"]) for chart in CHARTS},
            "Note": ["" if status == "watched" else f"not watched: {status}" for status in data["status"]],
        }
    )
    return Table(
        name=f"early_warning_by_facility_{file_name(one.indicator_id)}",
        caption=f"{axis_label(one)}: month of the first warning (and chance of a false one), facility by facility",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[2:-1]),
        folded=True,
    )


def _warnings(first: pd.Series, chance: pd.Series) -> list[str]:
    """The month of the first warning, and in brackets the chance that there is one though nothing is lost."""
    return [
        whole(month) if math.isnan(share) else f"{whole(month)} ({by_chance(share)})"
        for month, share in zip(first, chance, strict=True)
    ]
