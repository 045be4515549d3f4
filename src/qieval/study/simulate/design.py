"""What decides a simulated collaborative: its size, its indicators, and what truly happens to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from qieval.errors import ParameterError, bulleted

DAYS_PER_MONTH = 365.25 / 12


def days(count: Any) -> Any:
    """Whole days as a time difference."""
    return np.asarray(count).astype(int).astype("timedelta64[D]")


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """A proportion or a rate, and what the collaborative truly does to it."""

    indicator_id: str
    name: str
    kind: Literal["proportion", "rate"] = "proportion"
    measures: Literal["input", "process", "outcome", "balancing"] = "process"  # the column "class"
    better: Literal["up", "down"] = "up"
    target: float | None = None  # as in the table: 0.9 for a proportion, else per `per`
    per: float | None = None
    unit: str = ""
    baseline: float  # level of the middle facility: a proportion, or events per person
    effect: float = 0.0  # log odds ratio (rates: log rate ratio) once the ramp is climbed
    trend_per_year: float = 0.0  # what would have happened anyway, on the same log scale
    eligible: float = 1.0  # share of births that count in the denominator
    aims: tuple[str, ...] = ("Better every month",)  # titles of the projects about it
    ideas: tuple[str, ...] = ("Daily check by the shift leader",)  # the changes they test


@dataclass(frozen=True, kw_only=True)
class Mentoring:
    """What one type of mentor plans for each facility of one setting, and how much of it comes true."""

    mentor_type: Literal["network", "hub", "district", "peer"]
    setting: Literal["rural", "urban"]
    every_months: float  # between planned visits, from joining until support ends
    coverage: float  # expected visits done per visit planned; above 1 if mentors come more often than planned
    after_support: bool = False  # planned beyond the end of support, and beyond the data cut


@dataclass(frozen=True, kw_only=True)
class Design:
    """All that decides a simulated collaborative; the same design gives the same tables.

    Raises
    ------
    ParameterError
        If the last wave would join after the data end, or a share is not between 0 and 1.
    """

    indicators: tuple[Indicator, ...]
    seed: int = 1
    start: dt.date = dt.date(2021, 1, 1)  # first day of the first month
    months: int = 36
    facilities: int = 24  # hubs included
    hubs: int = 2  # tertiary, urban, in the first wave
    comparison_facilities: int = 0  # on top of `facilities`; they never join
    rural_share: float = 0.6
    waves: int = 3
    baseline_months: int = 12  # before the first wave joins
    months_between_waves: int = 3
    support_months: int = 9
    ramp_months: int = 3
    keeping_share: float = 0.5  # of facilities, rounded to whole ones
    decay_per_month: float = 0.08  # of the log of the gain, where it is not kept
    facility_sd: float = 0.5  # between facilities, on the logit (rates: log) scale
    births_per_month: Mapping[str, float] = field(  # of the middle facility of each level
        default_factory=lambda: MappingProxyType({"primary": 14.0, "secondary": 60.0, "tertiary": 180.0})
    )
    missing_share: float = 0.04  # of facility-months, which go unreported as a whole
    recount_share: float = 0.08  # of facility-months, recounted from the source
    mentoring: tuple[Mentoring, ...] = ()
    never_visited: int = 0  # facilities whose visits are planned and never made
    unplanned_share: float = 0.15  # of visits done, at least
    projects: int = 44
    late_start_share: float = 0.2  # of projects, begun after support ended; those due after the data cut are "planned"
    duration_shape: float = 1.5  # Weibull; 1 is a constant hazard
    duration_scale_months: float = 7.0
    abandonment_probability: float = 0.15

    def __post_init__(self) -> None:
        shares = ("rural_share", "keeping_share", "missing_share", "recount_share", "unplanned_share")
        problems = [
            f"{name} is {getattr(self, name)}: give a share between 0 and 1"
            for name in (*shares, "late_start_share", "abandonment_probability")
            if not 0 <= getattr(self, name) <= 1
        ]
        last = self.baseline_months + (self.waves - 1) * self.months_between_waves
        if last >= self.months:
            problems.append(f"the last wave joins after {last} months: give more than {last} months")
        if self.hubs + self.never_visited > self.facilities:
            problems.append(f"hubs and never_visited exceed {self.facilities} facilities: give more facilities")
        if problems:
            raise ParameterError(bulleted("design", problems))

    def first_day(self, month: Any) -> Any:
        """First day of each month, as datetime64[D]; months are counted from 0, the first of the design."""
        return (np.datetime64(self.start, "M") + month).astype("datetime64[D]")

    def day_before(self, month: Any) -> Any:
        """The day before each month begins."""
        return self.first_day(month) - np.timedelta64(1, "D")

    @property
    def data_cut(self) -> dt.date:
        """The last day of the last month."""
        return self.day_before(self.months).item()

    @property
    def phases(self) -> dict[str, tuple[dt.date, dt.date]]:
        """First and last day of the baseline, the intensive phase (all waves) and sustainment, up to the data cut."""
        intensive = self.baseline_months
        sustainment = intensive + (self.waves - 1) * self.months_between_waves + self.support_months
        edges = [min(month, self.months) for month in (0, intensive, sustainment, self.months)]
        named = zip(("baseline", "intensive", "sustainment"), edges, edges[1:], strict=False)
        return {
            name: (self.first_day(first).item(), self.day_before(last).item())
            for name, first, last in named
            if first < last
        }
