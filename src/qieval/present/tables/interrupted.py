"""Each facility's change against its own trend, and the average made in other ways."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qieval.analyses.interrupted import Interrupted
from qieval.methods.pooling import FEWEST_TO_POOL
from qieval.present.display import Table, file_name
from qieval.present.numbers import DASH, axis_label, change, count, month, of, whole
from qieval.present.wording.interrupted import CASES, ENGINES, REASONS, from_to, limits

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
            "Months used, before + after": [DASH if row.reason else f"{row.n_before} + {row.n_used}" for row in rows],
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
        data=data.assign(fit_flags=data["fit_flags"].map(" ".join)),
        numeric=("Months used, before + after", "Change", "95% interval", "Weight"),
        folded=True,
    )


def other_ways(result: Interrupted) -> Table | None:
    """The average over facilities and the line of all together, by other engines and of other facilities."""
    indicator, parts = result.indicator, []
    cases = CASES | ({"averaged": "refused above"} if result.is_refused else {})
    if result.sensitivity is not None:
        parts.append(result.sensitivity.assign(of="facilities", label=result.sensitivity["case"].map(cases)))
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
            "Note": [_way_note(row, result) for row in rows],
        }
    )
    told = "an average of which no claim can be made, in other ways" if result.is_refused else TOLD
    return Table(
        name=f"its_other_ways_{file_name(indicator.indicator_id)}",
        caption=f"{axis_label(indicator)}: {told}",
        shown=shown,
        data=data.drop(columns="label"),
        numeric=("Facilities", "Change", "95% interval"),
        folded=True,
    )


TOLD = "the same change told in other ways"
FLAGS = {
    "near_unit_root": "months drift",
    "alternating": "months swing to and fro",
    "newey_west_narrower": "Newey-West narrower than least squares",
}


def _note(row: Any) -> str:
    if row.reason:
        levels = f" ({from_to(row)})" if row.reason == "at_edge" else ""
        return f"left out: {REASONS[row.reason]}{levels}"
    notes = ["baseline moving"] * bool(row.baseline_moving)
    notes += ["‡ trend passes what is possible"] * bool(row.beyond)
    return "; ".join([*notes, *(text for code, text in FLAGS.items() if code in row.fit_flags)])


def _way_note(row: Any, result: Interrupted) -> str:
    """Why a row has fewer facilities than another, and where its interval is too narrow."""
    notes = []
    if row.of == "facilities":
        assert result.sensitivity is not None
        n_all, n_first = result.n_told, int(result.sensitivity["k"].iloc[0])
        if pd.isna(row.estimate):
            notes.append(f"no average below {FEWEST_TO_POOL} facilities")
        if row.case == "averaged" and n_all > n_first:
            n = n_all - n_first
            of_kind = "level alone" if result.model == "trend" else "against a trend"
            notes.append(f"{count(n, 'facility tells', 'facilities tell')} {of_kind}, not in it")
        if row.case in ENGINES and row.k < n_first:
            n = n_first - row.k
            notes.append(f"{count(n, 'facility has', 'facilities have')} no estimate this way")
        if row.case == "seasons" and row.k < n_first:
            notes.append(f"{count(n_first - row.k, 'facility', 'facilities')} without two years")
    if row.narrower:
        notes.append("narrower than least squares: too narrow in short series")
    elif row.case == "newey_west" and row.of == "facilities":
        told = result.facilities.loc[result.facilities["weight"].notna(), "fit_flags"]
        n = int(told.map(lambda flags: "newey_west_narrower" in flags).sum())
        if n:
            who = of(n, len(told), "facility", "facilities")
            notes.append(f"in {who} narrower than least squares: too narrow in short series")
    return "; ".join(notes)
