"""The key figures of durations."""

from __future__ import annotations

import math

from qieval.analyses.durations import Durations
from qieval.analyses.intensive_phase import BegunInIntensive
from qieval.analyses.project_outcomes import ProjectOutcomes
from qieval.present.display import Cell, KeyFigures
from qieval.present.key_figures import collected, known
from qieval.present.numbers import months, of
from qieval.study.study import Study


def key_figures(
    result: Durations, outcomes: ProjectOutcomes | None, begun: BegunInIntensive | None, study: Study
) -> KeyFigures:
    """The median duration, if it may be given, and what else other collaboratives compare."""
    curve = result.curve if result.has_median else None
    median = curve.median if curve is not None else math.nan
    values = {
        "projects": result.n_by_status,
        "undated": result.n_undated,
        "median_months": known(median),
        "median_low": known(curve.median_low) if curve is not None else None,
        "median_high": known(curve.median_high) if curve is not None else None,
        "mean_months": _mean(outcomes),
        "half_completed_months": known(outcomes.half_completed) if outcomes is not None else None,
        "begun_in_intensive": _begun(begun),
    }
    text = months(median)
    if result.n_undated and not math.isnan(median):
        text += f" ({of(len(result.projects) - result.n_undated, len(result.projects))} dated)"
    cells = [Cell(column="Median project, months", text=text, sort=known(median))]
    return collected("durations", cells, values, study)


def _mean(outcomes: ProjectOutcomes | None) -> dict[str, float | None] | None:
    """Over the first `horizon` months, so means of two collaboratives compare only where these agree."""
    if outcomes is None or outcomes.mean is None:
        return None
    mean = outcomes.mean
    return {
        "estimate": known(mean.estimate),
        "low": known(mean.low),
        "high": known(mean.high),
        "horizon": known(mean.horizon),
    }


def _begun(begun: BegunInIntensive | None) -> dict[str, float | int | None] | None:
    if begun is None:
        return None
    share = begun.share
    return {
        "projects": share.successes,
        "of_projects": share.total,
        "estimate": known(share.estimate),
        "low": known(share.low),
        "high": known(share.high),
        "share_of_time": known(begun.time_share),
    }
