"""All that is asked of one study's change: against its own trend, between waves, beside others, and by chance."""

from __future__ import annotations

from dataclasses import dataclass

from qieval.analyses.effectiveness import Effectiveness
from qieval.analyses.interrupted import Interrupted, interrupted
from qieval.analyses.regression_to_mean import RegressionToMean, regression_to_mean
from qieval.analyses.six_statistics import IndicatorStatistics, six_statistics
from qieval.analyses.waves import Waves, waves
from qieval.study.study import Study


@dataclass(frozen=True, eq=False, kw_only=True)
class Change:
    """Every indicator of `Effectiveness`, in its order."""

    interrupted: tuple[Interrupted, ...]
    waves: tuple[Waves, ...]
    six_statistics: tuple[IndicatorStatistics, ...]
    regression_to_mean: tuple[RegressionToMean, ...]


def change(study: Study, result: Effectiveness) -> Change:
    """How much care changed, and what of that may be claimed, for the indicators that run charts were made of."""
    shown = [found.indicator for found in result.indicators]
    return Change(
        interrupted=tuple(interrupted(study, indicator) for indicator in shown),
        waves=tuple(waves(study, indicator) for indicator in shown),
        six_statistics=tuple(six_statistics(study, indicator) for indicator in shown),
        regression_to_mean=tuple(regression_to_mean(study, indicator) for indicator in shown),
    )
