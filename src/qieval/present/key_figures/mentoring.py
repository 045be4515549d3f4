"""The key figures of mentoring."""

from __future__ import annotations

import math

from qieval.analyses.coverage import Coverage
from qieval.analyses.dose_response import DoseResponse
from qieval.analyses.equity import Equity, SettingRatio
from qieval.analyses.mentoring import Mentoring
from qieval.analyses.visit_gaps import VisitGaps
from qieval.methods.equity import Concentration
from qieval.methods.rates import Proportion
from qieval.present.display import Cell, KeyFigures
from qieval.present.key_figures import collected, known
from qieval.present.numbers import DASH, whole
from qieval.present.wording.mentoring import done_of_planned, group_name
from qieval.study.study import Study


def key_figures(
    result: Mentoring,
    coverage: Coverage,
    gaps: VisitGaps,
    equity: Equity,
    dose_response: DoseResponse,
    study: Study,
) -> KeyFigures:
    """Visits of each group, how many facilities were never visited, and what else other collaboratives compare."""
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
        "comparisons": [
            {name: _plain(value) for name, value in row.items()}
            for row in result.comparisons.rename(columns={"ratio": "ratio_of_ratios"}).to_dict(orient="records")
        ],
        "opposite": result.opposite,
        "never_visited": None if result.totals_only else len(result.never_visited),
        "visited": _share(coverage.visited),
        "visited_within_days": {str(days): _share(found) for days, found in coverage.recent.items()},
        "visited_as_planned": _as_planned(coverage),
        "wait_days": {
            curve.begun: _interval(curve.fitted.median, curve.fitted.median_low, curve.fitted.median_high)
            for curve in gaps.curves
        },
        "rural_to_urban": _setting(equity),
        "gini": _index(equity.lorenz),
        "concentration_by_size": _index(equity.by_size),
        "concentration_by_need": _index(equity.by_need),
        "for_each_further_visit": {
            one.indicator.indicator_id: _interval(one.slope.estimate, one.slope.low, one.slope.high)
            for one in dose_response.responses
            if one.slope
        },
    }
    return collected("mentoring", cells, values, study)


def _plain(value: object) -> object:
    return known(value) if isinstance(value, float) else value


def _interval(estimate: float, low: float, high: float) -> dict[str, float | None]:
    return {"estimate": known(estimate), "low": known(low), "high": known(high)}


def _share(found: Proportion | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {"facilities": found.successes, "of": found.total, **_interval(found.estimate, found.low, found.high)}


def _as_planned(coverage: Coverage) -> dict[str, object] | None:
    """Each facility capped at its own plan: the average facility's share."""
    if coverage.as_planned.empty:
        return None
    every = coverage.as_planned.iloc[0]
    return {"of": int(every["n"]), **_interval(every["mean"], every["mean_low"], every["mean_high"])}


def _setting(equity: Equity) -> dict[str, float | None] | None:
    found = equity.by_setting
    return _interval(found.ratio, found.low, found.high) if isinstance(found, SettingRatio) else None


def _index(found: object) -> dict[str, float | None] | None:
    return _interval(found.index, found.low, found.high) if isinstance(found, Concentration) else None
