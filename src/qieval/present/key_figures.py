"""The few figures of each question that the index page shows, harvested from the executed notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping

import qieval
from qieval.analyses.change import Change
from qieval.analyses.durations import Durations
from qieval.analyses.effectiveness import Effectiveness
from qieval.analyses.mentoring import Mentoring
from qieval.analyses.sustainment import Sustainment
from qieval.present.display import Cell, KeyFigures
from qieval.present.numbers import DASH, months, of, whole
from qieval.present.wording.change import against_trend
from qieval.present.wording.effectiveness import label
from qieval.present.wording.mentoring import done_of_planned, group_name
from qieval.study.study import Study


def effectiveness(result: Effectiveness, changed: Change, study: Study) -> KeyFigures:
    """The main indicator (the first of the table): its line, its change and its verdict."""
    if not result.indicators:
        return _key_figures("effectiveness", [], {}, study)
    main = result.indicators[0]
    chart = main.pooled
    against = changed.interrupted[0]
    pooled = None if against.is_refused else against.pooled
    text = f"{against_trend(against)}\nat month {against.month}" if pooled else DASH
    trend = tuple(None if math.isnan(x) else float(x) for x in chart.points["value"])
    drawn = trend if any(value is not None for value in trend) else ()
    line = _known(chart.centre) if chart.n_baseline else None
    cells = [
        Cell(column="Main indicator", text=main.indicator.name, trend=drawn, line=line),
        Cell(column="Result", text=label(chart).capitalize()),
        Cell(column="Against own trend", text=text, sort=_known(pooled.estimate) if pooled else None),
    ]
    values = {
        found.indicator.indicator_id: {
            "verdict": found.pooled.verdict,
            "baseline_median": _known(found.pooled.centre) if found.pooled.n_baseline else None,
            "recent_median": _known(found.pooled.recent_median),
            "facilities": len(found.table),
            "facilities_improved": int((found.table["verdict"] == "improved").sum()),
            "reached": found.time_to_target.n_reached if found.time_to_target.n_followed else None,
            "against_own_trend": _interval(by_trend.headline),
            "months_after_joining": by_trend.month,
            "beyond_others": _interval((by_wave.effect.estimate, by_wave.effect.low, by_wave.effect.high))
            if by_wave.effect
            else None,
            "followed_to_target": found.time_to_target.n_followed,
        }
        for found, by_trend, by_wave in zip(result.indicators, changed.interrupted, changed.waves, strict=True)
    }
    return _key_figures("effectiveness", cells, values, study)


def durations(result: Durations, study: Study) -> KeyFigures:
    """The median duration, if it may be given."""
    curve = result.curve
    median = curve.median if curve is not None and result.has_median else math.nan
    values = {
        "projects": result.n_by_status,
        "undated": result.n_undated,
        "median_months": _known(median),
        "median_low": _known(curve.median_low) if curve is not None and result.has_median else None,
        "median_high": _known(curve.median_high) if curve is not None and result.has_median else None,
    }
    text = months(median)
    if result.n_undated and not math.isnan(median):
        text += f" ({of(len(result.projects) - result.n_undated, len(result.projects))} dated)"
    cells = [Cell(column="Median project, months", text=text, sort=_known(median))]
    return _key_figures("durations", cells, values, study)


def mentoring(result: Mentoring, study: Study) -> KeyFigures:
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
    return _key_figures("mentoring", cells, values, study)


def sustainment(result: Sustainment, study: Study) -> KeyFigures:
    """How many facilities kept the gain of the main indicator at the last follow-up that can be told."""
    values = {
        found.indicator.indicator_id: {
            "gained": found.n_gained,
            "assessable": found.n_assessable,
            **{
                f"kept_at_{horizon.months_after}": {
                    "kept": horizon.n_kept,
                    "known": horizon.n_known,
                    "due": horizon.n_due,
                }
                for horizon in found.horizons
            },
        }
        for found in result.indicators
    }
    told = [horizon for horizon in result.indicators[0].horizons if horizon.n_known] if result.indicators else []
    if told:
        last = told[-1]
        cell = Cell(
            column="Gain kept",
            text=f"{of(last.n_kept, last.n_known)}\nat {last.months_after} months",
            sort=last.n_kept / last.n_known,
        )
    else:
        cell = Cell(column="Gain kept", text=DASH)
    return _key_figures("sustainment", [cell], values, study)


def _key_figures(notebook: str, cells: list[Cell], values: Mapping[str, object], study: Study) -> KeyFigures:
    return KeyFigures(
        notebook=notebook, cells=cells, values=dict(values), version=qieval.__version__, fingerprint=study.fingerprint
    )


def _interval(found: tuple[float, float, float] | None) -> dict[str, float | None] | None:
    return None if found is None else dict(zip(("estimate", "low", "high"), map(_known, found), strict=True))


def _known(x: float) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return float(x) if math.isfinite(x) else None


def _plain(value: object) -> object:
    return _known(value) if isinstance(value, float) else value
