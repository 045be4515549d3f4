"""Each facility's change against its own trend, and the average made in other ways."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.interrupted import Interrupted
from qieval.present.display import Table, file_name
from qieval.present.numbers import DASH, axis_label, change, month, whole
from qieval.present.wording.interrupted import CASES, ENGINES, REASONS, limits

MODELS = {"trend": "trend", "level": "level only"}


def facilities(result: Interrupted) -> Table | None:
    """One row per facility, those without an estimate and their reason among them."""
    indicator, data = result.indicator, result.facilities
    if data.empty:
        return None
    rows = list(data.itertuples(index=False))
    shown = pd.DataFrame(
        {
            "Facility": data["facility"],
            "Joined": data["start"].map(month),
            "Months before": data["n_before"].map(whole),
            "Months after": data["n_after"].map(whole),
            "Change": [change(row.estimate, indicator) for row in rows],
            "95% interval": [DASH if row.reason else limits(row.low, row.high, indicator) for row in rows],
            "Against": [MODELS.get(row.model, DASH) for row in rows],
            "Weight": [DASH if pd.isna(row.weight) else f"{100 * row.weight:.0f}%" for row in rows],
            "Note": [_note(row) for row in rows],
        }
    )
    return Table(
        name=f"its_facilities_{file_name(indicator.indicator_id)}",
        caption=f"{axis_label(indicator)}: change against the months before joining, facility by facility",
        shown=shown,
        data=data,
        numeric=("Months before", "Months after", "Change", "95% interval", "Weight"),
        folded=True,
    )


def other_ways(result: Interrupted) -> Table | None:
    """The average over facilities and the line of all together, by other engines and of other facilities."""
    indicator, parts = result.indicator, []
    if result.sensitivity is not None:
        parts.append(result.sensitivity.assign(of="facilities", label=result.sensitivity["case"].map(CASES)))
    if result.line is not None:
        engines = result.line.engines.rename(columns={"engine": "case"})
        parts.append(engines.assign(of="together", k=len(result.line.facilities), label=engines["case"].map(ENGINES)))
    if not parts:
        return None
    data = pd.concat(parts, ignore_index=True)
    rows = list(data.itertuples(index=False))
    shown = pd.DataFrame(
        {
            "How": [
                f"{'Average over facilities' if row.of == 'facilities' else 'All people added up'}, {row.label}"
                for row in rows
            ],
            "Facilities": data["k"].map(whole),
            "Change": [change(row.estimate, indicator) for row in rows],
            "95% interval": [DASH if pd.isna(row.low) else limits(row.low, row.high, indicator) for row in rows],
        }
    )
    return Table(
        name=f"its_other_ways_{file_name(indicator.indicator_id)}",
        caption=f"{axis_label(indicator)}: the same change told in other ways",
        shown=shown,
        data=data.drop(columns="label"),
        numeric=("Facilities", "Change", "95% interval"),
        folded=True,
    )


def _note(row: object) -> str:
    reason = getattr(row, "reason", "")
    if reason:
        return f"left out: {REASONS[reason]}"
    return "baseline moving" if getattr(row, "baseline_moving", False) else ""
