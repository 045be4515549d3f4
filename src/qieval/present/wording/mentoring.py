"""What may be said of mentoring visits: by mentor type and setting, never the total alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qieval.analyses.mentoring import Mentoring
from qieval.present.display import Text
from qieval.present.numbers import count, listed, of, percent, ratio, whole


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


def compared(result: Mentoring) -> Text:
    """How much more one group had of its plan than another, and that their sum describes none of them."""
    lines = []
    if result.opposite:
        lines.append(
            "The groups went opposite ways: some clearly had more visits than planned, others clearly fewer. "
            f"The sum of all, {whole(result.done)} of {whole(result.planned)}, describes none of them."
        )
    table, apart = result.comparisons, _told_apart(result)
    lines += [_apart(row) for row in apart.itertuples()]
    open_ = len(table) - len(apart)
    if open_:
        which = (
            f"In the other {count(open_, 'pair')} of groups" if len(apart) else "Between the groups that were compared"
        )
        lines.append(f"{which} it remains open which had more visits for each planned.")
    if table.loc[table["between"] == "mentor_type", "within"].isna().any():
        lines.append(
            "Mentors of one type were not recorded for the same settings as those of the other, so the two may have "
            "had different facilities to visit."
        )
    return Text(sentences=lines)


def _told_apart(result: Mentoring) -> pd.DataFrame:
    """The pairs of groups of which one had more visits for each planned by more than chance."""
    table = result.comparisons
    return table.loc[(table["low"] > 1) | (table["high"] < 1)]


def planned_visits_made(result: Mentoring) -> Text:
    """Of the visits that were planned, the share that was made, which no unplanned visit can raise."""
    known = result.groups.loc[result.groups["share"].notna()]
    if known.empty:
        return Text(sentences=[])
    shares = [
        f"{group_name(group).lower()} {percent(group.share)} ({of(int(group.planned_done), int(group.planned))}, 95% "
        f"interval {percent(group.share_low)} to {percent(group.share_high)})"
        for group in known.itertuples()
    ]
    return Text(sentences=[f"Of the visits planned, these were made: {'; '.join(shares)}."])


def _apart(row: Any) -> str:
    """Two groups whose ratios differ by more than chance, the one with more first."""
    first, other, times, low, high = row.first, row.other, row.ratio, row.low, row.high
    if times < 1:
        first, other = other, first
        times, low, high = (1 / x if x > 0 else float("inf") for x in (times, high, low))
    estimate, interval = ratio(times, low, high)
    many = (
        f"{estimate} times as many" if times < float("inf") else f"at least {interval.split(' to ')[0]} times as many"
    )
    limits = f"95% interval {interval}"
    if row.between == "setting":
        return (
            f"{row.within.capitalize()} mentors made {many} visits for each planned to {first} facilities as to "
            f"{other} ones ({limits})."
        )
    where = f"In {row.within} facilities, {first}" if row.within else first.capitalize()
    return f"{where} mentors made {many} visits for each planned as {other} mentors ({limits})."


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
    estimate, interval = ratio(group.ratio, group.low, group.high)
    reading = "not clearly more or fewer than planned"
    if group.low > 1 or group.high < 1:
        reading = "more than planned" if group.low > 1 else "fewer than planned"
    return (
        f"{group_name(group)}: {count(int(group.done), 'visit')} done of {whole(group.planned)} planned, "
        f"{estimate} for each planned (95% interval {interval}): {reading}."
    )


def caveats(result: Mentoring) -> Text:
    """What the ratio is and is not."""
    lines = [
        "Visits done over visits planned is an intensity, not a coverage: it can exceed 1 while facilities go "
        "unvisited. The interval is exact and takes visits as independent of each other."
    ]
    if len(result.groups) > 1 and result.planned > 0 and result.done >= 0:
        differ = result.opposite or len(_told_apart(result))
        lines.append(
            f"The total over all groups, {whole(result.done)} of {whole(result.planned)}, "
            f"{'hides the' if differ else 'may hide'} differences between the groups and should not be quoted alone."
        )
    if len(result.comparisons) > 1:
        lines.append(
            f"{count(len(result.comparisons), 'pair')} of groups were compared: by chance alone about one interval in "
            "twenty leaves out an equal share."
        )
    if result.n_virtual:
        lines.append(
            f"{count(result.n_virtual, 'visit was', 'visits were')} made virtually and counted like the others."
        )
    if result.has_totals_too:
        lines.append("The table visit_totals was not used: the single visits are known.")
    if result.totals_only:
        lines.append(
            "With totals only, equity between facilities, gaps between visits and coverage cannot be assessed, nor "
            "when visits were made and whether care went with them. For that, record one row a visit: facility, day "
            "planned and day done."
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
