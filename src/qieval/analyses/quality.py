"""Can the data of an indicator carry a claim? How much of what was reported was found again, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from qieval.analyses.series import Indicator, participants
from qieval.study.study import Study

# As the World Health Organization's data quality review has it: outside these the data are doubtful.
VERIFIED_FROM, VERIFIED_TO = 0.9, 1.1
FEWEST_COMPLETE = 0.8


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Verification and completeness of one indicator, over the facilities that take part."""

    verification: float  # counted again over reported, events added up; missing where nothing was counted again
    n_recounted: int  # facility-months counted again
    completeness: float  # facility-months with a value, of those from the first to the last month of the indicator

    @property
    def is_doubtful(self) -> bool:
        """Whether either lies outside what a claim needs."""
        unverified = not np.isnan(self.verification) and not VERIFIED_FROM <= self.verification <= VERIFIED_TO
        return unverified or self.completeness < FEWEST_COMPLETE


def quality(study: Study, indicator: Indicator, months: pd.DataFrame) -> Quality:
    """Verification factor and completeness; `months` are those of `facility_months`.

    References
    ----------
    .. [1] World Health Organization. Data quality review: a toolkit for facility data quality assessment, 2017.
    """
    rows = study["measurements"]
    own = rows[(rows["indicator_id"] == indicator.indicator_id) & rows["facility_id"].isin(participants(study))]
    counted = own[own["recount"].notna() & own["numerator"].notna()]
    reported = counted["numerator"].sum()
    span = months["period"].max().to_period("M").ordinal - months["period"].min().to_period("M").ordinal + 1
    return Quality(
        verification=float(counted["recount"].sum() / reported) if reported > 0 else np.nan,
        n_recounted=len(counted),
        completeness=len(months) / (span * months["facility_id"].nunique()),
    )
