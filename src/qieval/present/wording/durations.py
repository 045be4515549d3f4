"""What may be said of project durations, with ongoing, abandoned and undated projects in plain sight."""

from __future__ import annotations

import math
import textwrap
from typing import Any

from qieval.analyses.durations import FEWEST_PROJECTS, Durations
from qieval.present.display import Text
from qieval.present.numbers import count, listed, months, of


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
        longest = months(float(curve.curve["time"].max()))
        lines.append(
            f"Less than half of the {curve.n} dated projects had ended: the median is not reached; the longest was "
            f"followed for {longest} months."
        )
    else:
        exact = ""
        if not math.isnan(curve.exact_low):
            exact = f"; exact, by their order, {months(curve.exact_low)} to {months(curve.exact_high)}"
        ended = "all" if curve.n_events == curve.n else str(curve.n_events)
        high = f"to {months(curve.median_high)}" if math.isfinite(curve.median_high) else "to no upper limit"
        lines.append(
            f"The median duration is {months(curve.median)} months (95% interval {months(curve.median_low)} {high}"
            f"{exact}), from {count(curve.n, 'dated project')}, {ended} of which have ended."
        )
    lines.append(_undated(result))
    return Text(sentences=lines)


def _counted(result: Durations) -> str:
    total = sum(result.n_by_status.values())
    parts = [f"{n} {status}" for status, n in result.n_by_status.items() if n]
    return f"{count(total, 'project')}: {listed(parts)}."


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


def caveats(result: Durations) -> Text:
    """What counts as an end, and what cannot be concluded."""
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
            "day last seen; a median of completed projects alone would be too short."
        )
    if result.curve is not None and result.has_median and result.curve.n < 20:
        lines.append(f"{count(result.curve.n, 'project')} are few: read the interval, not the median alone.")
    return Text(sentences=lines, style="caveats")


def share_ended_caption(result: Durations) -> str:
    """Caption of the Kaplan-Meier curve."""
    text = "Share of projects ended, by months since they began (Kaplan-Meier), with its 95% band."
    curve = result.curve
    if curve is not None and (curve.curve["censored"] > 0).any():
        text += " Small ticks: projects still open when last seen."
    return text


def share_ended_alt(result: Durations) -> str:
    """Alternative text of the Kaplan-Meier curve."""
    return f"Rising step curve of the share of projects ended. {' '.join(answer(result).sentences[:2])}"


def timelines_caption(result: Durations) -> str:
    """Caption of the timelines."""
    marks = {"completed": "square: completed", "abandoned": "cross: abandoned", "ongoing": "arrow: still open"}
    dated = result.projects.dropna(subset=["duration_months"])
    shown = "; ".join(text for status, text in marks.items() if (dated["status"] == status).any())
    text = f"Every dated project in order of start, with its length in months; {shown}."
    return text + (" Thin ticks: mentoring visits to its facility." if len(result.visits) else "")


def timelines_alt(result: Durations) -> str:
    """Alternative text of the timelines."""
    dated = result.projects.dropna(subset=["duration_months"])
    return f"Timelines of {count(len(dated), 'project')} on the calendar. {_counted(result)}"


def project_label(project: Any) -> str:
    """A project's title, shortened to fit beside its bar; its number where it has no title."""
    title = project.title or f"Project {project.project_id}"
    return textwrap.shorten(title, 52, placeholder=" …")
