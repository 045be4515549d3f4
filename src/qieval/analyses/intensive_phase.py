"""Did projects begin while mentoring was intensive? The share that did, against the share of time the phase took."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from qieval.analyses.durations import Durations
from qieval.methods.rates import Proportion, proportion
from qieval.study.study import Study

INTENSIVE = "intensive"  # the phase's name in the parameters


@dataclass(frozen=True, eq=False, kw_only=True)
class BegunInIntensive:
    """Projects that began in the intensive phase, of those that began from the first joining to the data cut."""

    n: int  # projects begun in that time, with a known start
    share: Proportion  # of them in the intensive phase, exact limits
    time_share: float  # of that time that the phase took
    p_value: float  # exact binomial: as many or more unlike numbers, had projects begun evenly over the time
    first: pd.Timestamp
    last: pd.Timestamp


def begun_in_intensive(study: Study, result: Durations) -> BegunInIntensive | None:
    """None where there is no phase called ``intensive``, or no project begun in the time.

    The time runs from the day the first facility joined, or else from the first day of the phase, to the data cut:
    before that no project of the collaborative could begin.

    References
    ----------
    .. [1] Clopper CJ, Pearson ES. Biometrika 1934;26:404 (the limits).
    """
    if INTENSIVE not in result.phases:
        return None
    start, end = result.phases[INTENSIVE]
    joined = study["facilities"]["joined_on"].min() if study.has("facilities") else pd.NaT
    first = start if pd.isna(joined) else min(joined, start)
    last = pd.Timestamp(study.parameters.data_cut)
    begun = result.projects.loc[result.projects["status"] != "planned", "started_on"]
    begun = begun[begun.between(first, last)]
    if begun.empty or start > last:
        return None
    from scipy.stats import binomtest

    n_inside = int(begun.between(start, min(end, last)).sum())
    time_share = ((min(end, last) - start).days + 1) / ((last - first).days + 1)
    return BegunInIntensive(
        n=len(begun),
        share=proportion(n_inside, len(begun), method="exact"),
        time_share=time_share,
        p_value=float(binomtest(n_inside, len(begun), time_share).pvalue),
        first=first,
        last=last,
    )
