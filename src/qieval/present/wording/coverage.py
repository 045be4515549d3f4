"""What may be said of how many facilities mentoring reached."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.coverage import Coverage
from qieval.analyses.visits import FEWEST_FACILITIES
from qieval.methods.rates import Proportion
from qieval.present.display import Text
from qieval.present.numbers import count, day, of, percent

_GROUPS = {"all": "All visits", "rural": "Rural facilities", "urban": "Urban facilities"}
FACILITIES = ("facility", "facilities")


def answer(result: Coverage) -> Text:
    """Reached at all, as often as planned, and lately; the words name whom each share is of."""
    if result.refused == "totals_only":  # which the answer on planned and done says for all
        return Text(sentences=[])
    if result.refused or result.visited is None:
        return Text(sentences=["No facility was to be visited, so there is no coverage."])
    lines = [
        f"{of(result.visited.successes, result.n, *FACILITIES)} to be visited{_interval(result.visited, result)} had "
        f"at least one visit by {day(result.data_cut)}."
    ]
    lines += _as_planned(result)
    recent = [f"{count(days, 'day')}: {_of(found)}{_interval(found, result)}" for days, found in result.recent.items()]
    lines.append(f"Visited within the last {'; '.join(recent)}.")
    if result.n_support_over:
        lines.append(
            f"Support had ended in {of(result.n_support_over, result.n, *FACILITIES)}, where fewer visits were due."
        )
    return Text(sentences=lines)


def _as_planned(result: Coverage) -> list[str]:
    if result.as_planned.empty:
        return ["No visit was planned by then, so nothing can be held against a plan."]
    every = result.as_planned.iloc[0]
    n, met = int(every["n"]), int(every["as_planned"])
    covered = of(int(every["capped"]), int(every["planned"]))
    if n < FEWEST_FACILITIES:
        return [
            f"{of(met, n, *FACILITIES)} with a plan had as many visits as planned or more. With no facility counted "
            f"beyond its own plan, {covered} planned visits were covered."
        ]
    return [
        f"{of(met, n, *FACILITIES)} with a plan ({percent(every['share'])}, 95% interval "
        f"{percent(every['share_low'])} to {percent(every['share_high'])}) had as many visits as planned or more.",
        f"With no facility counted beyond its own plan, the average facility had {percent(every['mean'])} of the "
        f"visits planned for it{_limits(every, 'mean')}; over all facilities {covered} planned visits were covered, "
        f"{percent(every['total'])}{_limits(every, 'total')}.",
    ]


def _limits(row: pd.Series, what: str) -> str:
    low, high = row[f"{what}_low"], row[f"{what}_high"]
    return "" if pd.isna(low) else f" (95% interval {percent(low)} to {percent(high)})"


def never(result: Coverage) -> Text:
    """What had been planned for the facilities never visited, which the table names."""
    if result.refused or result.never.empty:
        return Text(sentences=[])
    planned = int(result.never["planned"].sum())
    who = "the facility" if len(result.never) == 1 else f"the {len(result.never)} facilities"
    due = f"{count(planned, 'visit')} had been planned for" if planned else "No visit had been planned for"
    return Text(sentences=[f"{due} {who} never visited."])


def caveats(result: Coverage) -> Text:
    """What the shares are and are not."""
    if result.refused:
        return Text(sentences=[], style="caveats")
    lines = [
        "Coverage counts each facility once; visits beyond a facility's own plan do not make up for those another "
        "lacked. An extra visit by one kind of mentor does make up for a missed one by another, except in the rows by "
        "kind of mentor.",
        "Intervals tell how far such a share could move among facilities like these, taken as independent of each "
        "other."
        if result.has_interval
        else f"With {count(result.n, *FACILITIES)} no interval over facilities is given.",
    ]
    return Text(sentences=lines, style="caveats")


def group_label(group: str) -> str:
    """All visits, a setting's facilities, or a kind of mentor."""
    return _GROUPS.get(group, f"{group.capitalize()} mentors")


def _interval(found: Proportion, result: Coverage) -> str:
    """The percentage with its interval; of a few facilities the count says more."""
    if not result.has_interval:
        return ""
    return f" ({percent(found.estimate)}, 95% interval {percent(found.low)} to {percent(found.high)})"


def _of(found: Proportion) -> str:
    return of(found.successes, found.total, *FACILITIES)


def days_since_caption(result: Coverage) -> str:
    """Caption of the share of facilities by days since the last visit."""
    text = (
        f"Share of the {count(result.n, *FACILITIES)} to be visited that had a visit within so many days before "
        f"{day(result.data_cut)}."
    )
    if result.has_interval:
        text += " Bars: 95% intervals (Wilson)."
    return text + (" The line stays below 100%: some were never visited." if len(result.never) else "")


def days_since_alt(result: Coverage) -> str:
    """Alternative text of the same."""
    parts = [f"{_of(found)} within {days} days" for days, found in result.recent.items()]
    return f"Rising line of facilities by days since their last visit: {', '.join(parts)}; {len(result.never)} never."
