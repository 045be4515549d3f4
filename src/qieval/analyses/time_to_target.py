"""How many months after joining did facilities reach the target, and how many would have had nothing changed?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.series import Indicator, facility_months, indicators, phases
from qieval.methods.survival import KaplanMeier, kaplan_meier
from qieval.study.study import Study

Status = Literal["reached", "open", "at target before", "no baseline", "too few months", "no target"]
Refused = Literal["no target", "no facility to follow", "too few facilities"]

FEWEST_BASELINE_MONTHS = 3  # to tell where a facility began
FEWEST_FACILITIES = 5  # below this no curve, and with fewer that reached it no median: each facility is listed


@dataclass(frozen=True, eq=False, kw_only=True)
class TimeToTarget:
    """One indicator: every facility's time to the target, the curve over facilities, and that of chance alone."""

    indicator: Indicator
    months_to_reach: int
    table: pd.DataFrame  # one row per facility, see `_facility_row`
    curve: KaplanMeier | None  # months from joining, over the facilities reached or open; None where refused
    refused: Refused | None  # why there is no curve
    has_median: bool  # False where fewer than five facilities reached the target
    by_chance: pd.DataFrame | None  # month, share: of facilities that never changed, see `_curve_by_chance`
    n_reached: int
    n_followed: int  # reached or open: those the curve is made of
    reached_by_chance: float  # of those followed, how many would have had nothing changed; missing if not known
    is_beyond_chance: bool | None  # whether so many reached it as chance brings about less than once in 40

    def facilities(self, status: Status) -> list[str]:
        """The names of the facilities of this status."""
        return list(self.table.loc[self.table["status"] == status, "facility"])


def time_to_target(study: Study, indicator: Indicator) -> TimeToTarget:
    """Months from joining to the first of `months_to_reach` calendar months in a row at the target.

    0 is the month of joining. A single month at the target is no evidence of having reached it: months of few people
    scatter [1]_. A month that was not reported, or has fewer people than `smallest_denominator`, breaks a row. A
    facility that has not reached the target is open (censored) up to the last month in which a row could have begun
    and been seen: the last month reported less the rest of a row. What it did since then is not known yet.

    Facilities whose baseline (events over people of all months before joining) met the target already had nothing to
    reach; those with fewer than three baseline months may have been there too. Both are listed apart, in no curve.

    Beside the curve stands the one expected had every facility followed stayed at its baseline level for good: by
    binomial months (Poisson for rates and counts) with the people there were, over the same months. For means and
    times it is not known.

    References
    ----------
    .. [1] Perla RJ, Provost LP, Murray SK. The run chart: a simple analytical tool for learning from variation in
       healthcare processes. BMJ Qual Saf 2011;20:46.
    """
    options = study.parameters.options
    length = options.effectiveness.months_to_reach
    rows, chances = [], []
    for name, course in courses(study, indicator).items():
        row = _facility_row(name, course, indicator, length)
        if row["status"] in ("reached", "open"):
            chances.append(chance_of_meeting(course, indicator, indicator.target or 0.0))
        rows.append(row)
    table = pd.DataFrame(rows, columns=_COLUMNS)
    followed = table.loc[table["status"].isin(["reached", "open"])]
    refused = _refused(indicator, len(followed))
    curve = kaplan_meier(followed["duration_months"], followed["status"] == "reached") if refused is None else None
    n_reached = int((table["status"] == "reached").sum())
    by_chance, expected, beyond = None, np.nan, None
    if len(followed) and not any(one is None for one in chances):
        reached = _chance_of_having_reached([one for one in chances if one is not None], length)
        last = followed["last_start"].to_numpy(dtype=int)
        in_time = reached[np.arange(len(last)), last]
        expected, beyond = float(in_time.sum()), _chance_of_as_many(in_time, n_reached) < 0.025
        by_chance = _curve_by_chance(reached, last)
    return TimeToTarget(
        indicator=indicator,
        months_to_reach=length,
        table=table,
        curve=curve,
        refused=refused,
        has_median=curve is not None and curve.n_events >= FEWEST_FACILITIES,
        by_chance=by_chance,
        n_reached=n_reached,
        n_followed=len(followed),
        reached_by_chance=expected,
        is_beyond_chance=beyond,
    )


def times_to_target(study: Study) -> tuple[TimeToTarget, ...]:
    """Each indicator that was measured."""
    return tuple(time_to_target(study, indicator) for indicator in indicators(study))


@dataclass(frozen=True, eq=False, kw_only=True)
class Months:
    """Months of one facility, or of several together, in time order; arrays of the same length."""

    month: np.ndarray  # since joining: 0 is the month of joining, negative before it
    numerator: np.ndarray  # missing, as is the denominator, where the month is not known
    denominator: np.ndarray

    def __len__(self) -> int:
        return len(self.month)

    @property
    def known(self) -> np.ndarray:
        """Whether each month has a value."""
        return ~np.isnan(self.denominator)

    @property
    def per_person(self) -> float:
        """Events over people of all these months together."""
        people = np.nansum(self.denominator)
        return float(np.nansum(self.numerator) / people) if people else np.nan

    def values(self, indicator: Indicator) -> np.ndarray:
        """The value of each month."""
        return self.numerator / self.denominator * indicator.per

    def part(self, which: np.ndarray | slice) -> Months:
        """Some of these months."""
        return Months(month=self.month[which], numerator=self.numerator[which], denominator=self.denominator[which])


@dataclass(frozen=True, eq=False, kw_only=True)
class Course:
    """What is known of one facility before and since it joined."""

    joined: pd.Timestamp  # missing where it is not known, and then there are no months
    baseline: Months  # months with a value before joining, without gaps among them
    since: Months  # every calendar month from joining to the last with a value, gaps in their place


def courses(study: Study, indicator: Indicator) -> dict[str, Course]:
    """Each facility's months, counted from joining; by name as shown.

    Joining is the month of ``joined_on``; where that is not recorded, the month after the phase named baseline. A
    month of fewer people than `smallest_denominator` is not known.
    """
    months = facility_months(study, indicator)
    if indicator.kind != "count":
        months = months.loc[months["denominator"] >= study.parameters.options.smallest_denominator]
    declared = phases(study).get("baseline")
    names = study.facility_names()
    number = _month_number(months["period"])
    joins = _month_number(months["joined"])
    numerator, denominator = (months[name].to_numpy(dtype=float) for name in ("numerator", "denominator"))
    found = {}
    for facility, rows in months.groupby("facility_id", sort=False).indices.items():
        start, earliest = joins[rows[0]], -np.inf
        if np.isnan(start) and declared is not None:
            first, last = _month_number(pd.Series(declared))
            start, earliest = last + 1, first
        place = (number[rows] - number[rows[0]]).astype(int)
        calendar = number[rows[0]] + np.arange(place[-1] + 1)
        events, people = np.full((2, len(calendar)), np.nan)
        events[place], people[place] = numerator[rows], denominator[rows]
        own = Months(month=calendar - start, numerator=events, denominator=people)
        found[str(names[facility])] = Course(
            joined=pd.NaT if np.isnan(start) else pd.Timestamp(year=int(start // 12), month=int(start % 12) + 1, day=1),
            baseline=own.part((own.month < 0) & (calendar >= earliest) & own.known),
            since=own.part(own.month >= 0),
        )
    return found


def _month_number(days: pd.Series) -> np.ndarray:
    """Months since the year 0; missing where the day is."""
    return (days.dt.year * 12 + days.dt.month - 1).to_numpy(dtype=float)


def is_at(values: np.ndarray | float, aim: float, indicator: Indicator) -> np.ndarray:
    """Whether each value is at `aim` or on its better side; False where there is no value."""
    return np.asarray(values >= aim if indicator.better == "up" else values <= aim)


def first_of_a_row(met: np.ndarray, length: int) -> int | None:
    """The place of the first of so many True in a row; None where there is no such row."""
    in_a_row = 0
    for place, is_met in enumerate(met):
        in_a_row = in_a_row + 1 if is_met else 0
        if in_a_row == length:
            return place - length + 1
    return None


def chance_of_meeting(course: Course, indicator: Indicator, aim: float) -> np.ndarray | None:
    """The chance of each month since joining to be at `aim` had the facility stayed at its baseline level.

    0 in months that are not known. None for means and times: how their months scatter is not known.
    """
    from scipy import special

    if indicator.kind not in ("proportion", "rate", "count"):
        return None
    before = course.baseline.per_person
    people = np.nan_to_num(course.since.denominator).round()
    at_aim = people * aim / indicator.per
    # Counts are whole: the fewest, or the most, that still meet it; a little slack for floating point.
    below, most = np.ceil(at_aim - 1e-9) - 1, np.floor(at_aim + 1e-9)
    if indicator.kind == "proportion":
        # The distribution functions themselves: scipy.stats takes a hundred times as long for so few months.
        chance = (
            special.bdtrc(np.minimum(below, people), people.astype(int), before)
            if indicator.better == "up"
            else special.bdtr(np.minimum(most, people), people.astype(int), before)
        )
    else:
        events = people * before
        chance = special.pdtrc(below, events) if indicator.better == "up" else special.pdtr(most, events)
    return np.where(course.since.known, chance, 0.0)


_COLUMNS = [
    "facility", "joined", "baseline", "baseline_months", "months", "status", "duration_months", "reached_on",
    "last_start",
]  # fmt: skip


def _facility_row(name: str, course: Course, indicator: Indicator, length: int) -> dict[str, object]:
    """One facility: months since joining to the target (`reached`), or so far without it (`open`).

    ``baseline`` is on the scale of the value, ``months`` the months with a value since joining, ``last_start`` the
    last month since joining in which a row at the target could have begun and been seen.
    """
    base, after = course.baseline, course.since
    before = base.per_person * indicator.per if len(base) >= FEWEST_BASELINE_MONTHS else np.nan
    row: dict[str, object] = {
        "facility": name,
        "joined": course.joined,
        "baseline": before,
        "baseline_months": len(base),
        "months": int(after.known.sum()),
        "duration_months": np.nan,
        "reached_on": pd.NaT,
        "last_start": np.nan,
    }
    if indicator.target is None:
        return row | {"status": "no target"}
    if np.isnan(before):
        return row | {"status": "no baseline"}
    if is_at(before, indicator.target, indicator):
        return row | {"status": "at target before"}
    last_start = after.month[-1] - length + 1 if len(after) else -1
    if last_start < 0:
        return row | {"status": "too few months"}
    row["last_start"] = last_start
    first = first_of_a_row(is_at(after.values(indicator), indicator.target, indicator), length)
    if first is None:
        return row | {"status": "open", "duration_months": last_start}
    took = int(after.month[first])
    return row | {
        "status": "reached", "duration_months": took, "reached_on": course.joined + pd.DateOffset(months=took)
    }  # fmt: skip


def _refused(indicator: Indicator, n_followed: int) -> Refused | None:
    if indicator.target is None:
        return "no target"
    if n_followed == 0:
        return "no facility to follow"
    return "too few facilities" if n_followed < FEWEST_FACILITIES else None


def _chance_of_having_reached(chances: list[np.ndarray], length: int) -> np.ndarray:
    """The probability that a row of `length` successes has begun by each month: one row per facility.

    `chances` holds the chance of each month by facility. As `methods.runs.chance_of_run` follows it, for all
    facilities at once and at every month; beyond a facility's last month its probability stays as it was.
    """
    n_months = max(map(len, chances))
    padded = np.zeros((len(chances), n_months + length - 1))
    for place, own in enumerate(chances):
        padded[place, : len(own)] = own
    in_a_row = np.zeros((len(chances), length))
    in_a_row[:, 0] = 1.0  # none so far
    done = np.zeros(padded.shape)
    reached = np.zeros(len(chances))
    for month, chance in enumerate(padded.T):
        reached = reached + in_a_row[:, -1] * chance
        none = (1 - chance) * in_a_row.sum(axis=1)
        in_a_row = np.column_stack([none, chance[:, np.newaxis] * in_a_row[:, :-1]])
        done[:, month] = reached
    return done[:, length - 1 :]  # a row that is complete in this month began so many months before


def _chance_of_as_many(chances: np.ndarray, n: int) -> float:
    """The probability that at least `n` of independent trials with these chances succeed."""
    successes = np.ones(1)
    for chance in chances:
        successes = np.convolve(successes, [1 - chance, chance])
    return float(successes[n:].sum())


def _curve_by_chance(reached: np.ndarray, last: np.ndarray) -> pd.DataFrame:
    """What the curve over facilities is expected to be: with the same facilities still followed at each month.

    Facilities differ in how long they were followed, so the share is built up as Kaplan and Meier do, from those
    expected to reach it in each month among those expected to be still open.
    """
    months = np.arange(last.max() + 1)
    followed = last[:, np.newaxis] >= months
    reached = reached[:, : len(months)]
    before = np.column_stack([np.zeros(len(last)), reached[:, :-1]])
    still_open = ((1 - before) * followed).sum(axis=0)
    arriving = ((reached - before) * followed).sum(axis=0)
    leaving = np.divide(arriving, still_open, out=np.ones(len(months)), where=still_open > 0)
    return pd.DataFrame({"month": months, "share": 1 - np.cumprod(1 - leaving)})
