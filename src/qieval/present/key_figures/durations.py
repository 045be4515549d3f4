"""The key figures of durations."""

from __future__ import annotations

import math

from qieval.analyses.durations import Durations
from qieval.present.display import Cell, KeyFigures
from qieval.present.key_figures import collected, known
from qieval.present.numbers import months, of
from qieval.study.study import Study


def key_figures(result: Durations, study: Study) -> KeyFigures:
    """The median duration, if it may be given."""
    curve = result.curve
    median = curve.median if curve is not None and result.has_median else math.nan
    values = {
        "projects": result.n_by_status,
        "undated": result.n_undated,
        "median_months": known(median),
        "median_low": known(curve.median_low) if curve is not None and result.has_median else None,
        "median_high": known(curve.median_high) if curve is not None and result.has_median else None,
    }
    text = months(median)
    if result.n_undated and not math.isnan(median):
        text += f" ({of(len(result.projects) - result.n_undated, len(result.projects))} dated)"
    cells = [Cell(column="Median project, months", text=text, sort=known(median))]
    return collected("durations", cells, values, study)
