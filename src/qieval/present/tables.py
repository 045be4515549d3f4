"""Tables made from results: as text for the report, unrounded for the CSV beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from qieval.analyses.durations import Durations
from qieval.analyses.effectiveness import Effectiveness, IndicatorResult
from qieval.analyses.mentoring import Mentoring
from qieval.analyses.run_charts import JUDGED
from qieval.analyses.sustainment import IndicatorSustainment
from qieval.present.display import Table, file_name
from qieval.present.numbers import (
    DASH,
    axis_label,
    change,
    day,
    month,
    months,
    percent,
    ratio,
    ratio_interval,
    value,
    whole,
)
from qieval.present.wording.effectiveness import label
from qieval.present.wording.mentoring import group_name

Show = Callable[[Any], str]


def indicator_summary(result: Effectiveness) -> Table | None:
    """One row per indicator: baseline, last months, change, facilities that improved and reached the target."""
    if not result.indicators:
        return None
    rows = []
    for found in result.indicators:
        chart, reached = found.pooled, found.reached
        judged = chart.verdict in JUDGED
        rows.append(
            {
                "indicator": found.indicator.name,
                "baseline_months": chart.n_baseline,
                "baseline_median": chart.centre if judged else float("nan"),
                "recent_median": chart.recent_median if judged else float("nan"),
                "change": chart.change if judged else float("nan"),
                "verdict": chart.verdict,
                "facilities_judged": int(found.table["verdict"].isin(JUDGED).sum()),
                "facilities_improved": int((found.table["verdict"] == "improved").sum()),
                "facilities_reached_target": reached.successes if reached else None,
                "facilities_able_to_reach": reached.total if reached else None,
            }
        )
    data = pd.DataFrame(rows)
    shown = pd.DataFrame(
        {
            "Indicator": [axis_label(found.indicator) for found in result.indicators],
            "Baseline median": [
                value(x, found.indicator) for x, found in zip(data["baseline_median"], result.indicators, strict=True)
            ],
            "Last months' median": [
                value(x, found.indicator) for x, found in zip(data["recent_median"], result.indicators, strict=True)
            ],
            "Change": [change(x, found.indicator) for x, found in zip(data["change"], result.indicators, strict=True)],
            "All together": [label(found.pooled) for found in result.indicators],
            "Facilities improved": [
                f"{row.facilities_improved} of {row.facilities_judged} judged" if row.facilities_judged else DASH
                for row in data.itertuples(index=False)
            ],
            "Reached target": [_reached(found) for found in result.indicators],
        }
    )
    return Table(
        name="indicators",
        caption="Indicators at a glance",
        shown=shown,
        data=data,
        numeric=("Baseline median", "Last months' median", "Change", "Facilities improved", "Reached target"),
    )


def facilities(result: IndicatorResult) -> Table:
    """One row per facility: its medians, the runs rules, and when it reached the target."""
    indicator, data = result.indicator, result.table
    judged = data["verdict"].isin(JUDGED)
    reached = [
        DASH if flag is None else (month(on) if flag else "no")
        for flag, on in zip(data["reached"], data["reached_on"], strict=True)
    ]
    shown = pd.DataFrame(
        {
            "Facility": data["facility"],
            "Joined": data["joined"].map(month),
            "Months": data["months"].map(whole),
            "Baseline median": [value(x, indicator) for x in data["baseline_median"]],
            "Last months' median": [value(x, indicator) for x in data["recent_median"]],
            "Change": [change(x, indicator) for x in data["change"].where(judged)],
            "Longest run (limit)": [
                f"{row.longest_run} ({row.longest_run_limit})" if can else DASH
                for row, can in zip(data.itertuples(index=False), judged, strict=True)
            ],
            "Crossings (limit)": [
                f"{row.crossings} ({row.crossings_limit})" if can else DASH
                for row, can in zip(data.itertuples(index=False), judged, strict=True)
            ],
            "Result": [label(chart) for chart in result.facilities.values()],
            "Target reached": reached,
        }
    )
    return Table(
        name=f"facilities_{file_name(indicator.indicator_id)}",
        caption=f"{axis_label(indicator)}, facility by facility",
        shown=shown,
        data=data,
        numeric=(
            "Months",
            "Baseline median",
            "Last months' median",
            "Change",
            "Longest run (limit)",
            "Crossings (limit)",
        ),
        folded=True,
    )


def projects(result: Durations) -> Table:
    """One row per project."""
    data = result.projects.drop(columns=["facility_id"])
    columns: Mapping[str, tuple[str, Show]] = {
        "title": ("Project", _text),
        "facility": ("Facility", _text),
        "setting": ("Setting", _text),
        "status": ("Status", _text),
        "started_on": ("Began", month),
        "until": ("Ended or last seen", month),
        "duration_months": ("Months", months),
    }
    named = data.assign(title=data["title"].where(data["title"].notna(), "Project " + data["project_id"]))
    shown = pd.DataFrame({head: named[name].map(show) for name, (head, show) in columns.items()})
    return Table(
        name="projects", caption="All projects, in order of start", shown=shown, data=data, numeric=("Months",)
    )


def visits(result: Mentoring) -> Table:
    """One row per mentor type and setting, and the sum of all below, which hides what the rows show."""
    data = result.groups
    shown = pd.DataFrame(
        {
            "Mentors": [group_name(group) for group in data.itertuples()],
            "Planned": data["planned"].map(whole),
            "Done": data["done"].map(whole),
            "Done per planned": data["ratio"].map(ratio),
            "95% interval": [
                DASH if pd.isna(group.ratio) else ratio_interval(group.low, group.high) for group in data.itertuples()
            ],
        }
    )
    return Table(
        name="visits",
        caption="Mentoring visits planned and done",
        shown=shown,
        data=data,
        numeric=("Planned", "Done", "Done per planned", "95% interval"),
    )


def facilities_visited(result: Mentoring) -> Table | None:
    """One row per facility to be visited."""
    data = result.facilities
    if data.empty:
        return None
    shown = pd.DataFrame(
        {
            "Facility": data["facility"],
            "Setting": data["setting"].map(_text),
            "Planned": data["planned"].map(whole),
            "Done": data["done"].map(whole),
            "Last visit": data["last_visit"].map(day),
        }
    )
    return Table(
        name="visits_by_facility",
        caption="Visits by facility, the least visited first",
        shown=shown,
        data=data,
        numeric=("Planned", "Done"),
        folded=True,
    )


def gains(result: IndicatorSustainment) -> Table:
    """One row per facility: levels before, at the end of support and after, and what became of the gain."""
    indicator, data = result.indicator, result.table
    columns = {
        "Facility": data["facility"],
        "Support ended": data["support_ended"].map(month),
        "Baseline": [value(x, indicator) for x in data["baseline"]],
        "End of support": [value(x, indicator) for x in data["end"]],
        "Gain (+ is better)": [change(x, indicator) for x in data["gain"]],
    }
    for horizon in result.horizons:
        after = horizon.months_after
        columns[f"{after} months after"] = [value(x, indicator) for x in data[f"level_{after}"]]
        columns[f"Gain kept at {after}"] = [percent(x) for x in data[f"kept_{after}"]]
        columns[f"Result at {after}"] = [
            outcome if isinstance(outcome, str) else start
            for outcome, start in zip(data[f"outcome_{after}"], data["start"], strict=True)
        ]
    numeric = tuple(name for name in columns if name not in ("Facility", "Support ended") and "Result" not in name)
    return Table(
        name=f"gains_{file_name(indicator.indicator_id)}",
        caption=f"{axis_label(indicator)}: gain and what became of it, facility by facility",
        shown=pd.DataFrame(columns),
        data=data.rename(columns={"support_ended": "last_month_of_support"}),
        numeric=numeric,
        folded=True,
    )


def _reached(found: IndicatorResult) -> str:
    """Facilities that reached the target, and how many would have by chance."""
    if found.reached is None:
        return DASH
    by_chance = f" ({found.reached_by_chance:.0f} by chance)" if found.n_with_chance else ""
    return f"{found.reached.successes} of {found.reached.total}{by_chance}"


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) and cell else DASH
