"""Care beside visits, an indicator a row."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.dose_response import MONTHS_AHEAD, DoseResponse, Response, Slope
from qieval.present.display import Table
from qieval.present.numbers import DASH, percent, whole
from qieval.present.wording import dose_response as wording


def slopes(result: DoseResponse) -> Table | None:
    """One row per indicator, with what the comparison rests on; none where nothing is told."""
    if not any(one.slope for one in result.responses):
        return None
    found = result.responses
    ahead = f"For each of the next {MONTHS_AHEAD} months' visits"
    columns = {
        "Indicator": [one.indicator.name for one in found],
        "Facilities": [whole(one.n_facilities) for one in found],
        "Months": [whole(one.n_months) for one in found],
        "For each further visit": [
            wording.amount(one.slope.estimate, one.indicator) if one.slope else DASH for one in found
        ],
        "95% interval": [wording.limits(one.slope, one.indicator) if one.slope else DASH for one in found],
        ahead: [wording.with_limits(one.ahead, one.indicator) if one.ahead else DASH for one in found],
        "Visits left to go by (SD)": [f"{one.left_sd:.1f}" if one.slope else DASH for one in found],
        "Common to all": [percent(1 - one.left_share) if one.slope else DASH for one in found],
        "Degrees of freedom": [f"{one.slope.df:.1f}" if one.slope else DASH for one in found],
    }
    numeric = tuple(columns)[1:]
    if any(one.not_told for one in found):
        columns["Note"] = [wording.why_not(one) for one in found]
    return Table(
        name="care_beside_visits",
        caption="Change in level that went with each further visit, within facilities: an association",
        shown=pd.DataFrame(columns),
        data=pd.DataFrame([_row(one) for one in found]),
        numeric=numeric,
        folded=True,
    )


def _row(one: Response) -> dict[str, object]:
    return {
        "indicator_id": one.indicator.indicator_id,
        "indicator": one.indicator.name,
        "facilities": one.n_facilities,
        "months": one.n_months,
        **_numbers(one.slope, ""),
        "adjusted_p": one.adjusted_p,
        **_numbers(one.ahead, "ahead_"),
        "left_sd": one.left_sd,
        "left_share": one.left_share,
        "not_told": one.not_told or "",
    }


def _numbers(one: Slope | None, prefix: str) -> dict[str, float]:
    names = ("estimate", "standard_error", "df", "low", "high", "p_value")
    return {f"{prefix}{name}": getattr(one, name) if one else float("nan") for name in names}
