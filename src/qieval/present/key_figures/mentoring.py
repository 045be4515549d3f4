"""The key figures of mentoring."""

from __future__ import annotations

import math

from qieval.analyses.mentoring import Mentoring
from qieval.present.display import Cell, KeyFigures
from qieval.present.key_figures import collected, known
from qieval.present.numbers import DASH, whole
from qieval.present.wording.mentoring import done_of_planned, group_name
from qieval.study.study import Study


def key_figures(result: Mentoring, study: Study) -> KeyFigures:
    """Visits of each group, and how many facilities were never visited."""
    # A line per group: a sum over settings would hide what they differ in.
    groups = []
    for group in result.groups.itertuples():
        counts = done_of_planned(group) if math.isnan(group.ratio) else f"{whole(group.done)} of {whole(group.planned)}"
        groups.append(f"{group_name(group).lower().replace(' mentors', '')}: {counts}")
    never = DASH if result.totals_only else str(len(result.never_visited))
    cells = [
        Cell(column="Visits done of planned", text="\n".join(groups)),
        Cell(column="Never visited", text=never, sort=None if result.totals_only else float(len(result.never_visited))),
    ]
    values = {
        "groups": [
            {name: _plain(value) for name, value in group.items()} for group in result.groups.to_dict(orient="records")
        ],
        "never_visited": None if result.totals_only else len(result.never_visited),
    }
    return collected("mentoring", cells, values, study)


def _plain(value: object) -> object:
    return known(value) if isinstance(value, float) else value
