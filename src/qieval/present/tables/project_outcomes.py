"""How projects end, in figures."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.project_outcomes import CAUSES, ProjectOutcomes
from qieval.present.display import Table
from qieval.present.numbers import percent, whole


def outcomes(result: ProjectOutcomes) -> Table | None:
    """Shares completed and abandoned at a few months; nothing is said of abandoning where nobody did."""
    if result.told.empty:
        return None
    rows = result.told
    causes = CAUSES if result.n_abandoned else CAUSES[:1]
    shown = pd.DataFrame(
        {"By month": rows["month"].map(whole)}
        | {cause.capitalize(): [_share(row, cause) for _, row in rows.iterrows()] for cause in causes}
        | {"Followed further": rows["at_risk"].map(whole)}
    )
    return Table(
        name="project_outcomes",
        caption=f"Share of projects {' and '.join(causes)} by month since they began, with 95% intervals",
        shown=shown,
        data=rows,
        numeric=tuple(shown.columns[1:]),
    )


def _share(row: pd.Series, name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    limits = "" if pd.isna(low) else f" ({percent(low)} to {percent(high)})"
    return f"{percent(row[name])}{limits}"
