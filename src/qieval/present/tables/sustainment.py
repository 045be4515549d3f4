"""What became of each facility's gain."""

from __future__ import annotations

import math

import pandas as pd

from qieval.analyses.series import Indicator
from qieval.analyses.sustainment import IndicatorSustainment
from qieval.present.display import Table, file_name
from qieval.present.numbers import DASH, axis_label, change, month, percent, values, whole
from qieval.present.wording.interrupted.terms import limits
from qieval.present.wording.sustainment import share_kept


def classes(result: IndicatorSustainment) -> Table:
    """One row per facility: its class, its levels, when the gain was lost and how much of it is left."""
    one, data = result.indicator, result.table
    loss = result.loss.table.set_index("facility")
    data = data.assign(
        **{f"loss_{name}": data["facility"].map(loss[name]) for name in ("months", "chance", "chance_of_row")}
    )
    shown = pd.DataFrame(
        {
            "Facility": data["facility"],
            "Class": data["class"],
            "Support ended": data["support_ended"].map(month),
            "Baseline": values(data["baseline"], one),
            "End of support": values(data["end"], one),
            "Gain (+ is better)": [change(x, one) for x in data["gain"]],
            f"95% interval of the gain{'' if one.kind == 'proportion' else ', of the baseline'}": [
                _gain_limits(*row, one) for row in zip(data["gain_low"], data["gain_high"], strict=True)
            ],
            "Lost from": data["lost_on"].map(month),
            "Last months reported": values(data["level_now"], one),
            "Gain kept by then (95% interval)": [
                _share(*row)
                for row in zip(data["share_now"], data["share_now_low"], data["share_now_high"], strict=True)
            ],
            "Months since support": data["loss_months"].map(whole),
            "False loss by chance": data["loss_chance"].map(by_chance),
        }
    )
    return Table(
        name=f"sustainment_{file_name(one.indicator_id)}",
        caption=f"{axis_label(one)}: what became of the gain, facility by facility",
        shown=shown,
        data=data.rename(columns={"support_ended": "last_month_of_support"}),
        numeric=tuple(shown.columns[3:]),
        folded=True,
    )


def follow_up(result: IndicatorSustainment) -> Table | None:
    """One row per facility that had gained: its level, share kept and outcome at each follow-up."""
    one, data = result.indicator, result.table.loc[result.table["start"] == "gained"]
    due = [horizon.months_after for horizon in result.horizons if horizon.n_due]
    if data.empty or not due:
        return None
    columns = {"Facility": data["facility"]}
    for after in due:
        columns[f"{after} months after"] = values(data[f"level_{after}"], one)
        columns[f"Gain kept at {after} (95% interval)"] = [
            _share(*row)
            for row in zip(data[f"share_{after}"], data[f"share_low_{after}"], data[f"share_high_{after}"], strict=True)
        ]
        columns[f"Result at {after}"] = data[f"outcome_{after}"]
    shown = pd.DataFrame(columns)
    return Table(
        name=f"gain_kept_by_facility_{file_name(one.indicator_id)}",
        caption=f"{axis_label(one)}: the share of the gain kept, facility by facility",
        shown=shown,
        data=data.rename(columns={"support_ended": "last_month_of_support"}),
        numeric=tuple(name for name in shown.columns[1:] if not name.startswith("Result")),
        folded=True,
    )


def horizons(result: IndicatorSustainment) -> Table | None:
    """One row per follow-up that is due: the share kept together, and the counts of facilities."""
    due = [horizon for horizon in result.horizons if horizon.n_due]
    if not due:
        return None
    data = pd.DataFrame(
        [
            {
                "months_after": one.months_after, "due": one.n_due, "reported": one.n_known, "kept": one.n_kept,
                "lost": one.n_lost, "cannot_be_told": one.n_untold, "too_early": one.n_too_early,
                "worst_case": one.n_kept / one.n_due, "best_case": (one.n_due - one.n_lost) / one.n_due,
                **{
                    name: math.nan if one.share is None else getattr(one.share, name)
                    for name in ("estimate", "low", "high", "prediction_low", "prediction_high")
                },
            }
            for one in due
        ]
    )  # fmt: skip
    shown = pd.DataFrame(
        {
            "Months after support": data["months_after"].map(whole),
            "Gain kept together (95% interval)": [
                _share(*row) for row in zip(data["estimate"], data["low"], data["high"], strict=True)
            ],
            "Due": data["due"].map(whole),
            "Reported": data["reported"].map(whole),
            "Kept": data["kept"].map(whole),
            "Lost": data["lost"].map(whole),
            "Cannot be told": data["cannot_be_told"].map(whole),
            "Facilities that kept it: worst to best case": [
                f"{percent(low)} to {percent(high)}"
                for low, high in zip(data["worst_case"], data["best_case"], strict=True)
            ],
        }
    )
    return Table(
        name=f"gain_kept_{file_name(result.indicator.indicator_id)}",
        caption=f"{axis_label(result.indicator)}: how much of the gain was kept, and by how many facilities",
        shown=shown,
        data=data,
        numeric=tuple(shown.columns[1:]),
    )


def _share(estimate: float, low: float, high: float) -> str:
    """A share kept with its interval; without limits where the gain itself may be none."""
    if math.isnan(estimate) or math.isinf(estimate):
        return DASH
    if math.isnan(low):
        return share_kept(estimate)
    if math.isinf(low) or math.isinf(high):
        return f"{share_kept(estimate)} (no limits)"
    return f"{share_kept(estimate)} ({share_kept(low)} to {share_kept(high)})"


def _gain_limits(low: float, high: float, indicator: Indicator) -> str:
    """In points of a proportion, else in per cent of the baseline, as the smallest gain is."""
    if math.isnan(low) or math.isnan(high):
        return DASH
    if indicator.kind == "proportion":
        return limits(low, high, indicator)
    return f"{share_kept(low)} to {share_kept(high)}"


def by_chance(share: float) -> str:
    """A chance found by drawing, of which none of so many draws is not 0."""
    return "under 1%" if share < 0.01 else percent(share)
