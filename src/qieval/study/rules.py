"""What must hold within and between the rows of a single table, beyond what the schema says of each column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from qieval.study.problems import Problem
from qieval.study.sheet import Sheet


def _ends_before_start(start: str, end: str) -> Callable[[Sheet, Mapping[str, Sheet]], Iterable[Problem]]:
    def rule(sheet: Sheet, sheets: Mapping[str, Sheet]) -> Iterable[Problem]:
        wrong = sheet.frame[end] < sheet.frame[start]
        yield from sheet.problem(wrong, end, f"before {start}", "correct one of the two dates")

    return rule


def _target_is_a_proportion(sheet: Sheet, sheets: Mapping[str, Sheet]) -> Iterable[Problem]:
    wrong = (sheet.frame["kind"] == "proportion") & (sheet.frame["target"] > 1)
    yield from sheet.problem(wrong, "target", "above 1 for a proportion", "write 0.9 for 90%")


def _counts_fit(sheet: Sheet, sheets: Mapping[str, Sheet]) -> Iterable[Problem]:
    if "indicators" not in sheets:
        return
    kinds = sheets["indicators"].frame.drop_duplicates("indicator_id").set_index("indicator_id")["kind"]
    kind = sheet.frame["indicator_id"].map(kinds)
    numerator, denominator = sheet.frame["numerator"], sheet.frame["denominator"]
    for wrong, remedy in (
        ((kind == "proportion") & (numerator > denominator), "check that the two are not swapped"),
        (kind.isin(["rate", "mean", "time_between"]) & (numerator > 0) & (denominator == 0), "correct one of the two"),
    ):
        details = sheet.text("denominator")
        yield from sheet.problem(wrong, "numerator", "above its denominator", remedy, details=details)
    for name, values in (("numerator", numerator), ("denominator", denominator)):
        part = (kind == "proportion") & (values != values.round()) & values.notna()
        what = "not a whole number, though it counts people or events"
        yield from sheet.problem(part, name, what, "write the count, not a percentage", "warning")
    divided = kind.isin(["proportion", "rate", "mean", "time_between"])
    lone = divided & numerator.notna() & (sheet.text("denominator") == "")
    what = "has no denominator; the month is left out"
    yield from sheet.problem(lone, "numerator", what, "fill in the denominator if it is known", "warning")
    unknown = divided & (denominator > 0) & (sheet.text("numerator") == "")
    what = "is blank beside a denominator; the month is left out"
    yield from sheet.problem(unknown, "numerator", what, "fill it in if it is known, 0 if nobody counts", "warning")


def _months_have_gaps(sheet: Sheet, sheets: Mapping[str, Sheet]) -> Iterable[Problem]:
    known = sheet.frame.dropna(subset=["facility_id", "indicator_id", "period"])
    if known.empty:
        return
    month = known["period"].dt.year * 12 + known["period"].dt.month
    series = month.groupby([known["facility_id"], known["indicator_id"]])
    gaps = (series.max() - series.min() + 1 - series.nunique()).loc[lambda gap: gap > 0]
    if gaps.empty:
        return
    named = "; ".join(
        f"{facility} {indicator}: {gap} month{'s' if gap > 1 else ''}"
        for (facility, indicator), gap in gaps.head(5).items()
    )
    more = f"; and {len(gaps) - 5} more series" if len(gaps) > 5 else ""
    what = f"months are missing between the first and the last ({named}{more})"
    yield Problem(
        source=sheet.raw.source,
        column="period",
        what=what,
        remedy="add them if they are known; they stay gaps",
        level="warning",
    )


def _status_fits_dates(sheet: Sheet, sheets: Mapping[str, Sheet]) -> Iterable[Problem]:
    status, ended = sheet.frame["status"], sheet.frame["ended_on"]
    blank = {name: sheet.text(name) == "" for name in ("started_on", "ended_on")}
    still_open = status.isin(["planned", "ongoing"]) & ended.notna()
    yield from sheet.problem(
        still_open, "status", "has an ended_on", "write completed or abandoned, or remove the date"
    )
    finished = status.isin(["completed", "abandoned"])
    undated = (finished & blank["ended_on"]) | ((finished | (status == "ongoing")) & blank["started_on"])
    what = "has no start or no end; its duration is not known"
    yield from sheet.problem(undated, "status", what, "fill in the dates if they are known", "warning")


def _visit_is_dated(sheet: Sheet, sheets: Mapping[str, Sheet]) -> Iterable[Problem]:
    if not {"planned_on", "done_on"} <= set(sheet.raw.cells.columns):
        return  # said once, of the column, rather than of every row
    neither = (sheet.text("planned_on") == "") & (sheet.text("done_on") == "")
    yield from sheet.problem(neither, "visit_id", "neither planned_on nor done_on is given", "fill in one or both")


def _joined(sheet: Sheet, sheets: Mapping[str, Sheet]) -> Iterable[Problem]:
    if "measurements" not in sheets:
        return
    without = sheet.frame["joined_on"].isna() & sheet.frame["role"].ne("comparison") & (sheet.text("joined_on") == "")
    what = "has no joined_on, so its months before and after cannot be told apart"
    yield from sheet.problem(without, "facility_id", what, "fill in the day its improvement work began", "warning")


def _totals_overlap(sheet: Sheet, sheets: Mapping[str, Sheet]) -> Iterable[Problem]:
    setting, mentor = sheet.frame["setting"], sheet.frame["mentor_type"]
    beside = setting.isna() & mentor.isin(mentor[setting.notna()])
    what = "counts all settings, beside rows of the same mentor type for single settings; all are added up"
    yield from sheet.problem(beside, "mentor_type", what, "remove it if it is their sum", "warning")


Rule = Callable[[Sheet, Mapping[str, Sheet]], Iterable[Problem]]

RULES: dict[str, tuple[Rule, ...]] = {
    "facilities": (_ends_before_start("joined_on", "support_ended_on"), _joined),
    "indicators": (_target_is_a_proportion,),
    "measurements": (_counts_fit, _months_have_gaps),
    "projects": (
        _ends_before_start("started_on", "ended_on"),
        _ends_before_start("started_on", "observed_to"),
        _status_fits_dates,
    ),
    "visits": (_visit_is_dated,),
    "visit_totals": (_ends_before_start("from", "to"), _totals_overlap),
}
