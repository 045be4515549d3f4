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
    """Projects that began in the intensive phase, of those that began while their facility took part."""

    share: Proportion  # in the intensive phase, of those begun from the joining of their facility on; exact limits
    time_share: float  # of the days that facilities took part, up to the data cut, those that lay in the phase
    ratio: float  # the first over the second: 1 if projects began evenly over the time
    ratio_low: float
    ratio_high: float
    n_before: int  # begun before their facility joined: in neither share
    n_undated: int  # begun, but it is not known when
    first: pd.Timestamp  # the first day that a facility took part
    last: pd.Timestamp  # the data cut


def begun_in_intensive(study: Study, result: Durations) -> BegunInIntensive | None:
    """None where there is no phase called ``intensive``, no facility took part in it, or no project began in the time.

    A project can begin only once its facility has joined, so the time is that of the facilities, each from the day it
    joined to the data cut. One without a joining day counts from the first that joined, or from the first day of the
    phase if that is earlier; so does everything where no facility is known.

    References
    ----------
    .. [1] Clopper CJ, Pearson ES. Biometrika 1934;26:404 (the limits).
    """
    last = pd.Timestamp(study.parameters.data_cut)
    start, end = result.phases.get(INTENSIVE, (pd.NaT, pd.NaT))
    if pd.isna(start) or start > last:
        return None
    end = min(end, last)
    joined = _joined(study, start)
    first = joined.min()
    begun = result.projects.loc[result.projects["status"].ne("planned")]
    dated = begun.dropna(subset=["started_on"])
    possible = dated["started_on"] >= dated["facility_id"].map(joined).fillna(first)
    counted = dated.loc[possible, "started_on"]
    if counted.empty:
        return None
    share = proportion(int(counted.between(start, end).sum()), len(counted), method="exact")
    time_share = _days(joined.clip(lower=start), end) / _days(joined, last)
    if time_share == 0:
        return None
    return BegunInIntensive(
        share=share,
        time_share=time_share,
        ratio=share.estimate / time_share,
        ratio_low=share.low / time_share,
        ratio_high=share.high / time_share,
        n_before=int((~possible).sum()),
        n_undated=len(begun) - len(dated),
        first=first,
        last=last,
    )


def _joined(study: Study, start: pd.Timestamp) -> pd.Series:
    """The day each facility that takes part joined, by facility_id; one entry where none is known."""
    if not study.has("facilities"):
        return pd.Series([start])
    table = study["facilities"].loc[lambda frame: frame["role"].ne("comparison")]
    days = table.set_index("facility_id")["joined_on"]
    if days.empty:
        return pd.Series([start])
    # `min` skips missing days, and is missing itself where all are.
    earliest = start if pd.isna(days.min()) else min(days.min(), start)
    return days.fillna(earliest)


def _days(since: pd.Series, until: pd.Timestamp) -> int:
    """Days of all facilities from their own first on, both ends counted."""
    return int(((until - since).dt.days + 1).clip(lower=0).sum())
