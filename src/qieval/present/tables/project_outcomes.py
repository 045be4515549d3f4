"""How projects end, in figures."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.project_outcomes import ProjectOutcomes
from qieval.present.display import Table
from qieval.present.numbers import percent


def outcomes(result: ProjectOutcomes | None) -> Table | None:
    """Shares completed and abandoned at a few months."""
    if result is None or result.told.empty:
        return None
    rows = result.told
    shown = pd.DataFrame(
        {
            "Month": rows["month"].map("{:.0f}".format),
            "Completed": [_share(row, "completed") for _, row in rows.iterrows()],
            "Abandoned": [_share(row, "abandoned") for _, row in rows.iterrows()],
            "Followed further": rows["open"].map("{:.0f}".format),
        }
    )
    return Table(
        name="project_outcomes",
        caption="Share of projects completed and abandoned by month since they began, with 95% intervals",
        shown=shown,
        data=rows,
        numeric=tuple(shown.columns[1:]),
    )


def _share(row: pd.Series, name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    limits = "" if pd.isna(low) else f" ({percent(low)} to {percent(high)})"
    return f"{percent(row[name])}{limits}"
