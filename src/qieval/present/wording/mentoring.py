"""What may be said of mentoring visits: by mentor type and setting, never the total alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qieval.analyses.mentoring import Mentoring
from qieval.present.display import Text
from qieval.present.numbers import count, listed, of, percent, ratio, ratio_interval, whole


def answer(result: Mentoring) -> Text:
    """Planned against done for each group, and who was never visited."""
    lines = [_group_sentence(group) for group in result.groups.itertuples()]
    if result.totals_only:
        lines.append("Only totals were kept, so it cannot be said which facilities were visited, nor how evenly.")
    elif result.visited is not None:
        visited = result.visited
        share = (
            f" ({percent(visited.estimate)}, 95% interval {percent(visited.low)} to {percent(visited.high)})"
            if visited.total >= 5
            else ""
        )
        lines.append(f"{of(visited.successes, visited.total, 'facility', 'facilities')} had at least one visit{share}.")
        if result.never_visited:
            lines.append(f"Never visited: {listed(result.never_visited, most=40)}.")
    return Text(sentences=lines)


def group_name(group: Any) -> str:
    """Mentor type and setting, e.g. Hub mentors, rural."""
    kind = f"{str(group.mentor_type).capitalize()} mentors"
    return f"{kind}, {group.setting}" if isinstance(group.setting, str) else kind


def done_of_planned(group: Any) -> str:
    """The counts behind a ratio, e.g. 34 of 14 planned."""
    if pd.isna(group.done):
        return f"{whole(group.planned)} planned, done not recorded"
    if pd.isna(group.planned):
        return f"{whole(group.done)} done, plan not recorded"
    if group.planned == 0:
        return f"{whole(group.done)} done, none planned"
    return f"{whole(group.done)} of {whole(group.planned)} planned"


def _group_sentence(group: Any) -> str:
    if pd.isna(group.ratio):
        return f"{group_name(group)}: {done_of_planned(group)}; no ratio can be given."
    interval = ratio_interval(group.low, group.high)
    reading = "not clearly more or fewer than planned"
    if group.low > 1 or group.high < 1:
        reading = "more than planned" if group.low > 1 else "fewer than planned"
    return (
        f"{group_name(group)}: {count(int(group.done), 'visit')} done of {whole(group.planned)} planned, "
        f"{ratio(group.ratio)} for each planned (95% interval {interval}): {reading}."
    )


def caveats(result: Mentoring) -> Text:
    """What the ratio is and is not."""
    lines = [
        "Visits done over visits planned is an intensity, not a coverage: it can exceed 1 while facilities go "
        "unvisited. The interval is exact and takes visits as independent of each other."
    ]
    if len(result.groups) > 1 and result.planned > 0 and result.done >= 0:
        lines.append(
            f"All groups together made {whole(result.done)} of {whole(result.planned)} planned visits; that total "
            "hides the differences between the groups and should not be quoted alone."
        )
    if result.n_virtual:
        lines.append(
            f"{count(result.n_virtual, 'visit was', 'visits were')} made virtually and counted like the others."
        )
    if result.has_totals_too:
        lines.append("The table visit_totals was not used: the single visits are known.")
    if result.totals_only:
        lines.append(
            "With totals only, equity between facilities, gaps between visits and coverage cannot be assessed."
        )
    return Text(sentences=lines, style="caveats")


def visits_caption(result: Mentoring) -> str:
    """Caption of the ratios."""
    return "Mentoring visits done for each visit planned, with exact 95% intervals; dotted line: as planned."


def visits_alt(result: Mentoring) -> str:
    """Alternative text of the ratios."""
    return " ".join(_group_sentence(group) for group in result.groups.itertuples())


def facilities_visited_caption(result: Mentoring) -> str:
    """Caption of the bars by facility."""
    return "Mentoring visits by facility, all mentors together. Bar: visits done; black tick: visits planned."


def facilities_visited_alt(result: Mentoring) -> str:
    """Alternative text of the bars by facility."""
    table = result.facilities
    text = (
        f"Bars of visits done to {count(len(table), 'facility', 'facilities')}, from {table['done'].min()} to "
        f"{table['done'].max()} each."
    )
    return text + (f" Never visited: {listed(result.never_visited, most=40)}." if result.never_visited else "")
