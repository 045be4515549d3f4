"""What may be said of project durations, with ongoing, abandoned and undated projects in plain sight."""

from __future__ import annotations

import math
from typing import Any

from qieval.analyses.durations import FEWEST_PROJECTS, Durations
from qieval.analyses.project_outcomes import ProjectOutcomes
from qieval.methods.survival import KaplanMeier
from qieval.present.display import Text
from qieval.present.numbers import count, listed, months, of
from qieval.present.wording.project_outcomes import few

MOST_NAMED = 60  # timelines: beyond, a figure would be longer than a page


def answer(result: Durations) -> Text:
    """The median duration, or why there is none."""
    curve = result.curve
    lines = [_counted(result)]
    if curve is None:
        lines.append("No project has the dates that a duration needs.")
    elif not result.has_median:
        lines.append(
            f"{count(curve.n, 'project has', 'projects have')} the dates needed, {curve.n_events} of them ended; with "
            f"fewer than {FEWEST_PROJECTS} ended no median is given. They are listed below."
        )
    elif math.isinf(curve.median):
        lines.append(_not_reached(curve))
    else:
        lines.append(_median(curve, result))
    lines += [_completed_only(result), _undated(result)]
    return Text(sentences=[line for line in lines if line])


def _median(curve: KaplanMeier, result: Durations) -> str:
    exact = ""
    if not math.isnan(curve.exact_low):
        exact = f"; exact, by their order, {months(curve.exact_low)} to {months(curve.exact_high)}"
    high = f"to {months(curve.median_high)}" if math.isfinite(curve.median_high) else "to no upper limit"
    ended = "all" if curve.n_events == curve.n else str(curve.n_events)
    dated = result.projects.dropna(subset=["duration_months"])
    n_abandoned = int((dated["status"] == "abandoned").sum())
    abandoned = f", {n_abandoned} of them abandoned" if n_abandoned else ""
    return (
        f"The median duration is {months(curve.median)} months (95% interval {months(curve.median_low)} "
        f"{high}{exact}), from {count(curve.n, 'dated project')}, {ended} of which have ended{abandoned}."
    )


def _not_reached(curve: KaplanMeier) -> str:
    longest = months(float(curve.curve["time"].max()))
    low = ""
    if math.isfinite(curve.median_low):
        low = f" (95% interval from {months(curve.median_low)} months to no upper limit)"
    return (
        f"Less than half of the {curve.n} dated projects had ended, so the median is not reached: it is {longest} "
        f"months or more, as long as the longest was followed{low}."
    )


def _counted(result: Durations) -> str:
    total = sum(result.n_by_status.values())
    parts = [f"{n} {status}" for status, n in result.n_by_status.items() if n]
    return f"{count(total, 'project')}: {listed(parts)}."


def _completed_only(result: Durations) -> str:
    """A table of completed projects alone may be so because the others were never entered."""
    if not result.has_median or result.n_by_status["completed"] < sum(result.n_by_status.values()):
        return ""
    return (
        "Every project recorded was completed. Were others begun and not recorded, as they went on or were abandoned, "
        "this is how long the completed took, not how long a project takes."
    )


def _undated(result: Durations) -> str:
    if not result.n_undated:
        return ""
    begun = sum(result.n_by_status.values()) - result.n_by_status["planned"]
    lack = "lacks a start or an end date and is" if result.n_undated == 1 else "lack a start or an end date and are"
    sentence = f"{of(result.n_undated, begun, 'project', 'projects')} {lack} in no curve."
    low, high = result.median_if_undated_short, result.median_if_undated_long
    if result.has_median and not math.isnan(low) and low != high:
        longest = float(result.projects["duration_months"].max())
        upper = f"{months(high)} months" if math.isfinite(high) else f"more than {months(longest)} months"
        sentence += (
            f" Whatever their durations were, the median of all would lie between {months(low)} months (all shorter "
            f"than the others) and {upper} (all longer)."
        )
    return sentence


def caveats(result: Durations, outcomes: ProjectOutcomes | None = None) -> Text:
    """What counts as an end, and what cannot be concluded, of the mean, too, where `outcomes` tell one."""
    lines = ["A project ends when it is completed or abandoned; months are of 30.44 days."]
    if result.n_by_status["abandoned"]:
        n = result.n_by_status["abandoned"]
        lines.append(
            f"{count(n, 'project was', 'projects were')} abandoned: the curve tells how long projects lasted, not how "
            "many reached their aim."
        )
    if result.n_by_status["ongoing"]:
        lines.append(
            f"{count(result.n_by_status['ongoing'], 'project is', 'projects are')} still open and counted up to the "
            "day last seen; the completed alone do not tell how long a project takes."
        )
    dated = result.projects.dropna(subset=["duration_months"])
    n_facilities = dated["facility_id"].nunique()
    if result.has_median and 0 < n_facilities < len(dated):
        lines.append(
            f"The {len(dated)} dated projects are of {count(n_facilities, 'facility', 'facilities')}; those of one "
            "facility may resemble each other, but the intervals take all as independent."
        )
    if result.curve is not None and result.has_median and result.curve.n < 20:
        lines.append(f"{count(result.curve.n, 'project')} are few: read the interval, not the median alone.")
    if outcomes is not None:
        lines.append(few(outcomes))
    return Text(sentences=[line for line in lines if line], style="caveats")


def share_ended_caption(result: Durations) -> str:
    """Caption of the Kaplan-Meier curve."""
    ways = "ended, completed or abandoned," if result.n_by_status["abandoned"] else "completed,"
    text = f"Share of projects {ways} by months since they began (Kaplan-Meier), with its 95% band."
    text += " Under the axis: how many were still open, and followed, at that month."
    curve = result.curve
    if curve is not None and (curve.curve["censored"] > 0).any():
        text += " Small ticks: projects still open when last seen."
    return text


def share_ended_alt(result: Durations) -> str:
    """Alternative text of the Kaplan-Meier curve."""
    return f"Rising step curve of the share of {ended(result).lower()}. {' '.join(answer(result).sentences[:2])}"


def ended(result: Durations) -> str:
    """What the curve counts: where none was abandoned, to have ended is to be completed."""
    return "Projects ended" if result.n_by_status["abandoned"] else "Projects completed"


def timelines_caption(result: Durations) -> str:
    """Caption of the timelines."""
    marks = {"completed": "square: completed", "abandoned": "cross: abandoned", "ongoing": "arrow: still open"}
    dated = result.projects.dropna(subset=["duration_months"])
    shown = "; ".join(text for status, text in marks.items() if (dated["status"] == status).any())
    if len(dated) > MOST_NAMED:
        text = f"Every dated project in order of start, too many to name here (see the table); {shown}."
    else:
        text = f"Every dated project in order of start, with its length in months; {shown}."
    return text + (" Thin ticks: mentoring visits to its facility." if len(result.visits) else "")


def timelines_alt(result: Durations) -> str:
    """Alternative text of the timelines."""
    dated = result.projects.dropna(subset=["duration_months"])
    return f"Timelines of {count(len(dated), 'project')} on the calendar. {_counted(result)}"


def project_label(project: Any) -> str:
    """A project's id and title, shortened to fit beside its bar: teams often choose the same title."""
    title = project.title if isinstance(project.title, str) else f"Project {project.project_id}"
    whole = f"{project.project_id}  {title}" if isinstance(project.title, str) else title
    return whole if len(whole) <= 58 else f"{whole[:57].rsplit(' ', 1)[0].rstrip()} …"
