"""What the collaborative does for all its teams: events, scores of their progress, and costs."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from qieval.study.schema import TABLES
from qieval.study.simulate.care import gain_share
from qieval.study.simulate.design import DAYS_PER_MONTH, Design, days
from qieval.study.simulate.facilities import taking_part
from qieval.study.simulate.tables import numbered

EVENTS = (  # kind, title, months after the first wave joins, hours, people per facility taking part
    ("training", "Quality improvement basics", (0, 6), 12.0, 3.0),
    ("learning_session", "Learning session", (0, 5, 10, 15), 8.0, 2.5),
    ("sharing", "Experience sharing", (7, 13, 19), 4.0, 2.0),
    ("webinar", "Case discussion online", (2, 4, 8, 11, 14, 17), 1.5, 4.0),
    ("product", "Change package", (12, 21), 0.0, 0.0),
)

COSTS = (  # item, amount per month of the phase, payer, given in kind
    ("Coordinator's salary", 900.0, "project", False),
    ("Mentors' travel", 420.0, "project", False),
    ("Mentors' time", 310.0, "medical college", True),
    ("QI teams' time", 650.0, "facilities", True),
    ("Learning sessions: venue and meals", 500.0, "district", False),
    ("Printing of job aids", 60.0, "project", False),
    ("Data entry and internet", 80.0, "facilities", False),
)
CURRENCY = "XTS"  # the code that ISO 4217 keeps for tests


def draw_events(design: Design, facilities: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    teams = taking_part(facilities)
    rows = []
    for kind, title, months, hours, people in EVENTS:
        for number, after in enumerate(months, start=1):
            month = design.baseline_months + after
            if month >= design.months:
                break
            held_on = design.first_day(month) + days(rng.integers(3, 26))
            present = rng.binomial((teams["joins"] <= month).sum(), 0.9)
            participated = rng.poisson(people * present)
            registered = participated + rng.poisson(0.3 * participated)
            rows.append((held_on, kind, f"{title} {number}", hours, registered, participated, present, 1))
    events = pd.DataFrame(rows, columns=TABLES["events"].column_names[1:]).sort_values("held_on", kind="stable")
    # A product is published, not attended.
    attended = ["hours", "registered", "participated", "facilities"]
    events[attended] = events[attended].where(events["kind"] != "product")
    return events.assign(event_id=numbered("E", len(events)))


def draw_scores(design: Design, facilities: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Each team's progress by the director on the 0.5 to 5 scale, every three months."""
    share = gain_share(design, facilities)
    month = np.arange(design.months)
    joins = facilities[["joins"]].to_numpy()
    team, when = np.nonzero((month >= joins) & ((month - joins) % 3 == 2))
    raw = 1.0 + 3.0 * share[team, when] + rng.normal(0, 0.5, len(team))
    return pd.DataFrame(
        {
            "instrument": "ihi_scale",
            "subject": "facility",
            "subject_id": facilities["facility_id"].to_numpy()[team],
            "item": "progress",
            "scored_on": design.day_before(when + 1),
            "rater": "director",
            "score": np.clip(np.round(2 * raw) / 2, 0.5, 5.0),
            "evidence": "monthly report",
        }
    )


def draw_costs(design: Design, rng: np.random.Generator) -> pd.DataFrame:
    """Each item once per phase, some time in its second half."""
    rows = []
    for phase, (first, last) in design.phases.items():
        length = (last - first).days
        months = length / DAYS_PER_MONTH * (0.3 if phase == "baseline" else 1.0)  # preparing costs less than doing
        for item, per_month, payer, in_kind in COSTS:
            spent_on = first + dt.timedelta(days=int(rng.integers(length // 2, length)))
            amount = round(per_month * months * np.exp(rng.normal(0, 0.15)), -1)
            rows.append((spent_on, item, phase, amount, CURRENCY, payer, in_kind))
    costs = pd.DataFrame(rows, columns=TABLES["costs"].column_names[1:])
    return costs.assign(cost_id=numbered("K", len(costs)))
