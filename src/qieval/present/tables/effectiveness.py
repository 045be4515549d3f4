"""Indicators at a glance, and each facility of one indicator."""

from __future__ import annotations

import pandas as pd

from qieval.analyses.change import Change
from qieval.analyses.effectiveness import Effectiveness, IndicatorResult
from qieval.analyses.run_charts import JUDGED
from qieval.present.display import Table, file_name
from qieval.present.numbers import DASH, axis_label, change, month, of, value, values, whole
from qieval.present.wording.change import against_trend, beyond_others
from qieval.present.wording.effectiveness import label

STATUS = {"open": "no", "at target before": "before joining"}


def indicator_summary(result: Effectiveness, changed: Change) -> Table | None:
    """One row per indicator: medians, verdict, how much changed, facilities that improved and reached the target."""
    if not result.indicators:
        return None
    rows = []
    for found in result.indicators:
        chart, reached = found.pooled, found.time_to_target
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
                "facilities_reached_target": reached.n_reached if reached.n_followed else None,
                "facilities_followed_to_target": reached.n_followed,
            }
        )
    data = pd.DataFrame(rows)
    months = {found.month for found in changed.interrupted if found.month is not None}
    first = {(one.effect.first_month, one.effect.last_month) for one in changed.waves if one.effect}
    own_trend = "Against own trend" + (f", month {months.pop()}" if len(months) == 1 else "")
    not_joined = "Beyond those not joined" + ("" if len(first) != 1 else ", months {} to {}".format(*first.pop()))
    shown = pd.DataFrame(
        {
            "Indicator": [axis_label(found.indicator) for found in result.indicators],
            "Baseline": [
                value(x, found.indicator) for x, found in zip(data["baseline_median"], result.indicators, strict=True)
            ],
            "Last months": [
                value(x, found.indicator) for x, found in zip(data["recent_median"], result.indicators, strict=True)
            ],
            "Run chart": [label(found.pooled) for found in result.indicators],
            own_trend: [against_trend(found) for found in changed.interrupted],
            not_joined: [beyond_others(found) for found in changed.waves],
            "Improved": [
                f"{row.facilities_improved} of {row.facilities_judged}" if row.facilities_judged else DASH
                for row in data.itertuples(index=False)
            ],
            "At target": [_reached(found) for found in result.indicators],
        }
    )
    return Table(
        name="indicators",
        caption="Indicators at a glance: medians, and changes with 95% intervals (in points where it is a share)",
        shown=shown,
        data=data,
        numeric=(
            "Baseline",
            "Last months",
            own_trend,
            not_joined,
            "Improved",
            "At target",
        ),
    )


def facilities(result: IndicatorResult) -> Table:
    """One row per facility: its medians, the runs rules, and when it reached the target."""
    indicator, data = result.indicator, result.table
    judged = data["verdict"].isin(JUDGED)
    reached = [
        month(on) if status == "reached" else STATUS.get(status, DASH)
        for status, on in zip(data["status"], data["reached_on"], strict=True)
    ]
    shown = pd.DataFrame(
        {
            "Facility": data["facility"],
            "Joined": data["joined"].map(month),
            "Months": data["months"].map(whole),
            "Baseline median": values(data["baseline_median"], indicator),
            "Last months' median": values(data["recent_median"], indicator),
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


def _reached(found: IndicatorResult) -> str:
    """Facilities that reached the target; what chance would give stands with their curve."""
    reached = found.time_to_target
    return of(reached.n_reached, reached.n_followed) if reached.n_followed else DASH
