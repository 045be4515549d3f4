"""The key figures of effectiveness."""

from __future__ import annotations

import math

from qieval.analyses.change import Change
from qieval.analyses.effectiveness import Effectiveness
from qieval.analyses.six_statistics import IndicatorStatistics
from qieval.present.display import Cell, KeyFigures
from qieval.present.key_figures import collected, known
from qieval.present.numbers import DASH, unit
from qieval.present.wording.change import against_trend
from qieval.present.wording.effectiveness import label
from qieval.study.study import Study


def key_figures(result: Effectiveness, changed: Change, study: Study) -> KeyFigures:
    """The main indicator (the first of the table): its line, its change and its verdict."""
    if not result.indicators:
        return collected("effectiveness", [], {}, study)
    main = result.indicators[0]
    chart = main.pooled
    against = changed.interrupted[0]
    pooled = None if against.is_refused else against.pooled
    text = f"{against_trend(against)}\nat month {against.month}" if pooled else DASH
    trend = tuple(None if math.isnan(x) else float(x) for x in chart.points["value"])
    drawn = trend if any(value is not None for value in trend) else ()
    line = known(chart.centre) if chart.n_baseline else None
    cells = [
        Cell(column="Main indicator", text=main.indicator.name, trend=drawn, line=line),
        Cell(column="Result", text=label(chart).capitalize()),
        Cell(column="Against own trend", text=text, sort=known(pooled.estimate) if pooled else None),
    ]
    values = {
        found.indicator.indicator_id: {
            "name": found.indicator.name,
            "kind": found.indicator.kind,
            "better": found.indicator.better,
            "unit": unit(found.indicator),
            "verdict": found.pooled.verdict,
            "baseline_median": known(found.pooled.centre) if found.pooled.n_baseline else None,
            "recent_median": known(found.pooled.recent_median),
            "facilities": len(found.table),
            "facilities_improved": int((found.table["verdict"] == "improved").sum()),
            "reached": found.time_to_target.n_reached if found.time_to_target.n_followed else None,
            "against_own_trend": _interval(by_trend.headline),
            "months_after_joining": by_trend.month,
            "beyond_others": _interval((by_wave.effect.estimate, by_wave.effect.low, by_wave.effect.high))
            if by_wave.effect
            else None,
            "followed_to_target": found.time_to_target.n_followed,
            "six_statistics": _six_statistics(six),
        }
        for found, by_trend, by_wave, six in zip(
            result.indicators, changed.interrupted, changed.waves, changed.six_statistics, strict=True
        )
    }
    return collected("effectiveness", cells, values, study)


def _interval(found: tuple[float, float, float] | None) -> dict[str, float | None] | None:
    return None if found is None else dict(zip(("estimate", "low", "high"), map(known, found), strict=True))


def _six_statistics(found: IndicatorStatistics) -> dict[str, dict[str, float | int | None]] | None:
    """By name and level, such as share_reaching_0.8; None where there are none over facilities."""
    if found.refused is not None:
        return None
    return {
        str(row.statistic) if math.isnan(row.level) else f"{row.statistic}_{row.level:g}": {
            **{name: known(getattr(row, name)) for name in ("estimate", "low", "high", "together")},
            "facilities": int(row.n),
        }
        for row in found.statistics.itertuples()
    }
