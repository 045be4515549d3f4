"""Every project with its dates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from qieval.analyses.durations import Durations
from qieval.present.display import Table
from qieval.present.numbers import month, months, text

Show = Callable[[Any], str]
MOST_UNFOLDED = 20  # rows: a longer list opens on a click


def projects(result: Durations) -> Table:
    """One row per project."""
    data = result.projects.drop(columns=["facility_id"])
    columns: Mapping[str, tuple[str, Show]] = {
        "project_id": ("Id", str),
        "title": ("Project", text),
        "facility": ("Facility", text),
        "setting": ("Setting", text),
        "status": ("Status", text),
        "started_on": ("Began", month),
        "until": ("Ended or last seen", month),
        "duration_months": ("Months", months),
    }
    shown = pd.DataFrame({head: data[name].map(show) for name, (head, show) in columns.items()})
    return Table(
        name="projects",
        caption="All projects, in order of start",
        shown=shown,
        data=data,
        numeric=("Months",),
        folded=len(data) > MOST_UNFOLDED,
    )
