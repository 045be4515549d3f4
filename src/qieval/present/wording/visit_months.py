"""What may be said of when visits were planned and made."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.visit_months import VisitMonths
from qieval.present.display import Text
from qieval.present.numbers import count, listed, month, of, whole


def answer(result: VisitMonths) -> Text:
    """Each kind of mentor against its plan over time, and the months without any visit."""
    if result.totals_only or result.months.empty:
        return Text(sentences=[])
    return Text(sentences=[_so_far(kind, rows) for kind, rows in result.months.groupby("mentor_type", sort=False)])


def _so_far(kind: object, rows: pd.DataFrame) -> str:
    """Where a kind of mentor stands at the data cut, and the month in which it was furthest behind."""
    last = rows.iloc[-1]
    behind = rows["planned_so_far"] - rows["done_so_far"]
    text = (
        f"By {month(last['period'])} {kind} mentors had made {count(int(last['done_so_far']), 'visit')} where "
        f"{whole(last['planned_so_far'])} {'was' if last['planned_so_far'] == 1 else 'were'} planned"
    )
    furthest = rows.loc[behind.idxmax()]
    if behind.max() > max(1.5 * behind.iloc[-1], 0):
        text += f"; they were furthest behind in {month(furthest['period'])}, by {count(int(behind.max()), 'visit')}"
    due = rows.loc[rows["planned"] > 0]
    without = int((due["done"] == 0).sum())
    return f"{text}." + (f" In {of(without, len(due), 'month')} with visits due none was made." if without else "")


def calendar_caption(result: VisitMonths) -> str:
    """Caption of the calendar."""
    text = (
        "Visits month by month. A number and a darker field: visits made; a cross: a visit planned for that month and "
        "never made; pale: followed, without a visit; white: not yet joined."
    )
    return text + (" Black bar: support ended." if result.support_ended else "")


def calendar_alt(result: VisitMonths) -> str:
    """Alternative text of the calendar."""
    per_facility = result.calendar.groupby("facility")[["done", "missed"]].sum()
    without = list(per_facility.index[per_facility["done"] == 0])
    text = (
        f"Calendar of visits to {count(len(result.facilities), 'facility', 'facilities')}: "
        f"{whole(float(per_facility['done'].sum()))} made, {whole(float(per_facility['missed'].sum()))} planned "
        "and not made."
    )
    return text + (f" No visit in any month: {listed(without, most=40)}." if without else "")


def cumulative_caption() -> str:
    """Caption of the cumulative plan."""
    return (
        "Visits planned (dashed) and made (line), added up since the first month, by kind of mentor. Made can run "
        "above planned: extra visits count."
    )


def cumulative_alt(result: VisitMonths) -> str:
    """Alternative text of the same."""
    return " ".join(answer(result).sentences)
