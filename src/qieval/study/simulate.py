"""Simulated collaboratives of any size whose true answers are known.

They serve twice: as the bundled examples, and as the yardstick a method is held against. `simulate` returns the
ten tables as the door would read them, and beside them the truth they were drawn from.

How the data come about: each facility has its own level of each indicator (a random intercept on the logit scale, or
the log scale for rates). After it joins, its level climbs in a straight line over `ramp_months` to the level
that the indicator's effect reaches, and holds while support lasts. Then it stays there for good in facilities that
keep their gain; in the others the gain shrinks by the same factor every month. Counts are binomial, or Poisson
for rates, around that level. Facilities are of very different size, and whole facility-months go unreported.

``python -m qieval.study.simulate`` writes the bundled examples again.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from qieval.errors import ParameterError, bulleted
from qieval.study.schema import TABLES

DAYS_PER_MONTH = 365.25 / 12


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
    ideas: tuple[str, ...] = ("Daily check by the shift leader",)


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

    @property
    def data_cut(self) -> dt.date:
        """The last day of the last month."""
        return _day_before(self, self.months).item()

    @property
    def phases(self) -> dict[str, tuple[dt.date, dt.date]]:
        """First and last day of the baseline, the intensive phase (all waves) and sustainment, up to the data cut."""
        intensive = self.baseline_months
        sustainment = intensive + (self.waves - 1) * self.months_between_waves + self.support_months
        edges = [min(month, self.months) for month in (0, intensive, sustainment, self.months)]
        named = zip(("baseline", "intensive", "sustainment"), edges, edges[1:], strict=False)
        return {
            name: (_first_day(self, first).item(), _day_before(self, last).item())
            for name, first, last in named
            if first < last
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class Truth:
    """What the tables were drawn from: the right answers.

    `levels` has one row per facility, indicator and month: ``untreated`` (without the collaborative) and ``level``
    (with it), a proportion or events per person. `effects` has one row per facility and indicator, all at the first
    month's trend: ``baseline``, ``reached`` (at the top of the ramp), ``effect`` (reached minus baseline), ``keeps``,
    and ``kept_share``, the share of the highest gain that is left in the last month (missing where none was had).
    `coverage` has one row per mentor type and setting: visits ``planned`` up to the data cut, ``expected_done``,
    and ``coverage``, their ratio, to which facilities that are never visited count.
    """

    levels: pd.DataFrame
    effects: pd.DataFrame
    coverage: pd.DataFrame
    median_duration_months: float
    mean_duration_months: float
    abandoned_share: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Simulated:
    """The ten tables, typed as the door types them, and the truth behind them."""

    design: Design
    tables: Mapping[str, pd.DataFrame]
    truth: Truth


def simulate(design: Design) -> Simulated:
    """A collaborative drawn from `design`."""
    # A generator for each table: drawing more in one leaves the others as they are.
    rngs = iter(np.random.default_rng(design.seed).spawn(8))
    facilities = _facilities(design, next(rngs))
    levels = _levels(design, facilities, next(rngs))
    measurements = _measurements(design, facilities, levels, next(rngs))
    projects = _projects(design, facilities, next(rngs))
    visits, coverage = _visits(design, facilities, next(rngs))
    frames = {
        "facilities": facilities,
        "indicators": pd.DataFrame([vars(one) | {"class": one.measures} for one in design.indicators]),
        "measurements": measurements,
        "projects": projects,
        "visits": visits,
        "visit_totals": _visit_totals(design, facilities, visits),
        "events": _events(design, facilities, next(rngs)),
        "changes": _changes(design, projects, next(rngs)),
        **_scores_and_costs(design, facilities, next(rngs)),
    }
    truth = Truth(
        levels=_level_frame(design, facilities, levels),
        effects=_effects(design, facilities, levels),
        coverage=coverage,
        median_duration_months=design.duration_scale_months * math.log(2) ** (1 / design.duration_shape),
        mean_duration_months=design.duration_scale_months * math.gamma(1 + 1 / design.duration_shape),
        abandoned_share=design.abandonment_probability,
    )
    return Simulated(design=design, tables={name: _as_read(name, frames[name]) for name in TABLES}, truth=truth)


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """One CSV file per table in `folder`, which is made if need be: UTF-8, ISO dates, a blank for what is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        cells = frame.apply(lambda column: column.map(_cell_text, na_action="ignore").astype(object)).fillna("")
        cells.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")


def _cell_text(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _as_read(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The schema's columns in its order, of the types the door gives them; a column not drawn is missing throughout."""
    frame = frame.reindex(columns=TABLES[name].column_names).reset_index(drop=True)
    typed = {}
    for column in TABLES[name].columns:
        values = frame[column.name]
        if column.type in ("date", "month"):
            typed[column.name] = pd.to_datetime(values).astype("datetime64[ns]")
        elif column.type in ("number", "count"):
            typed[column.name] = values.astype(float)
        elif column.type == "yes_no":
            typed[column.name] = values.astype("boolean")
        else:
            text = values.astype(object)
            typed[column.name] = text.where(text.notna() & (text != ""), None)
    return pd.DataFrame(typed)


# --- time: months are counted from 0, the design's first -------------------------------------------


def _first_day(design: Design, month: Any) -> Any:
    """First day of each month, as datetime64[D]."""
    return (np.datetime64(design.start, "M") + month).astype("datetime64[D]")


def _day_before(design: Design, month: Any) -> Any:
    return _first_day(design, month) - np.timedelta64(1, "D")


def _days(count: Any) -> Any:
    """Whole days as a time difference."""
    return np.asarray(count).astype(int).astype("timedelta64[D]")


# --- facilities, their levels and their counts -----------------------------------------------------

COLOURS = ("Amber", "Blue", "Copper", "Emerald", "Golden", "Ivory", "Lilac")
CREATURES = ("Dragon", "Unicorn", "Griffin", "Phoenix", "Yeti", "Sphinx", "Kraken", "Mermaid")
DISTRICTS = ("Dragonmoor", "Griffin Coast", "Unicorn Vale", "Phoenix Plain")
KIND_OF_FACILITY = {"primary": "Health Centre", "secondary": "District Hospital", "tertiary": "Medical College"}


def _facilities(design: Design, rng: np.random.Generator) -> pd.DataFrame:
    """The table, and what only the simulator knows: months `joins` and `ends`, monthly `births`, `keeps`, `visited`."""
    n = design.facilities + design.comparison_facilities
    number = np.arange(n)
    is_hub, is_comparison = number < design.hubs, number >= design.facilities
    level = np.where(is_hub, "tertiary", np.where(rng.random(n) < 0.65, "primary", "secondary"))
    setting = np.where(rng.random(n) < design.rural_share, "rural", "urban")
    middle = pd.Series(level).map(dict(design.births_per_month)).to_numpy(float)
    wave = number * design.waves // design.facilities + 1
    joins = design.baseline_months + (wave - 1) * design.months_between_waves
    ends = joins + design.support_months  # the first month without support
    keeps = np.append(
        rng.permutation(design.facilities) < round(design.keeping_share * design.facilities),
        np.full(design.comparison_facilities, False),
    )
    never = rng.choice(np.arange(design.hubs, design.facilities), design.never_visited, replace=False)
    ids = np.array([f"F{one + 1:0{max(2, len(str(n)))}d}" for one in number], dtype=object)
    frame = pd.DataFrame(
        {
            "facility_id": ids,
            "name": [_name(one, kind) for one, kind in zip(number, level, strict=True)],
            "level": level,
            "setting": np.where(is_hub, "urban", setting),
            "district": [DISTRICTS[one % len(DISTRICTS)] for one in number],
            "country": "Fabulia",
            "hub_id": ids[number % design.hubs] if design.hubs else None,
            "role": np.select([is_hub, is_comparison], ["hub", "comparison"], "participant"),
            "wave": wave.astype(float),
            "joined_on": _first_day(design, joins),
            # What is still to come at the data cut is not known yet.
            "support_ended_on": np.where(ends <= design.months, _day_before(design, ends), np.datetime64("NaT")),
            "joins": np.where(is_comparison, design.months, joins),
            "ends": np.where(is_comparison, design.months, ends),
            "births": middle * np.exp(rng.normal(0, 0.6, n)),
            "keeps": keeps,
            "visited": ~np.isin(number, never),
        }
    )
    frame.loc[is_hub | is_comparison, "hub_id"] = None
    frame.loc[is_comparison, ["wave", "joined_on", "support_ended_on"]] = None
    return frame


def _name(number: Any, level: str) -> str:
    """A different name for each number, and one that nobody can take for a real place."""
    colours, creatures = len(COLOURS), len(CREATURES)  # without a common divisor, so that every pair comes up
    again = number // (colours * creatures)
    more = f" {again + 1}" if again else ""
    return f"{COLOURS[number % colours]} {CREATURES[number % creatures]} {KIND_OF_FACILITY[level]}{more}"


def _gain_share(design: Design, facilities: pd.DataFrame) -> np.ndarray:
    """Share of the full effect present, per facility and month: 0, up the ramp, 1, and down again if not kept."""
    month = np.arange(design.months)
    joins, ends, keeps = (facilities[[name]].to_numpy() for name in ("joins", "ends", "keeps"))
    ramp = np.clip((np.minimum(month, ends - 1) - joins + 1) / design.ramp_months, 0, 1)
    months_after = np.clip(month - ends + 1, 0, None)  # the first month without support is month 1
    return ramp * np.where(keeps, 1.0, np.exp(-design.decay_per_month * months_after))


def _levels(design: Design, facilities: pd.DataFrame, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Arrays of facility x indicator x month: the level ``untreated``, with the ``full`` effect, and as it is."""
    month = np.arange(design.months)
    own = rng.normal(0, design.facility_sd, (len(facilities), len(design.indicators)))
    untreated, full = [], []
    for position, one in enumerate(design.indicators):
        to_link, from_link = LINKS[one.kind]
        anyway = to_link(one.baseline) + own[:, [position]] + one.trend_per_year * month / 12
        untreated.append(from_link(anyway))
        full.append(from_link(anyway + one.effect))
    # The gain moves on the natural scale, so that "half the gain is lost" means what a reader takes it to mean.
    before, top = np.stack(untreated, axis=1), np.stack(full, axis=1)
    level = before + (top - before) * _gain_share(design, facilities)[:, np.newaxis, :]
    return {"untreated": before, "full": top, "level": level}


LINKS: dict[str, tuple[Any, Any]] = {
    "proportion": (lambda level: np.log(level / (1 - level)), lambda logit: 1 / (1 + np.exp(-logit))),
    "rate": (np.log, np.exp),
}


def _grid(design: Design, facilities: pd.DataFrame) -> pd.DataFrame:
    """One row per facility, indicator and month, in the order of a raveled array of those axes."""
    shape = (len(facilities), len(design.indicators), design.months)
    facility, indicator, month = (axis.ravel() for axis in np.indices(shape))
    ids = np.array([one.indicator_id for one in design.indicators], dtype=object)
    return pd.DataFrame(
        {
            "facility_id": facilities["facility_id"].to_numpy()[facility],
            "indicator_id": ids[indicator],
            "period": _first_day(design, month),
        }
    )


def _level_frame(design: Design, facilities: pd.DataFrame, levels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    values = {name: levels[name].ravel() for name in ("untreated", "level")}
    grid = _grid(design, facilities)
    return grid.assign(period=grid["period"].astype("datetime64[ns]"), **values)


def _effects(design: Design, facilities: pd.DataFrame, levels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    share = _gain_share(design, facilities)
    highest = share.max(axis=1)
    kept = np.divide(share[:, -1], highest, out=np.full(len(facilities), np.nan), where=highest > 0)
    joined = (facilities["role"] != "comparison").to_numpy()[:, np.newaxis]
    baseline = levels["untreated"][:, :, 0]
    reached = np.where(joined, levels["full"][:, :, 0], baseline)
    per_facility = len(design.indicators)
    return (
        _grid(design, facilities)
        .drop_duplicates(["facility_id", "indicator_id"], ignore_index=True)
        .drop(columns="period")
        .assign(
            baseline=baseline.ravel(),
            reached=reached.ravel(),
            effect=(reached - baseline).ravel(),
            keeps=np.repeat(facilities["keeps"].to_numpy() & joined[:, 0], per_facility),
            kept_share=np.repeat(kept, per_facility),
        )
    )


def _measurements(
    design: Design, facilities: pd.DataFrame, levels: Mapping[str, np.ndarray], rng: np.random.Generator
) -> pd.DataFrame:
    shape = levels["level"].shape
    births = rng.poisson(facilities["births"].to_numpy()[:, np.newaxis], (shape[0], shape[2]))
    eligible = np.array([one.eligible for one in design.indicators])[:, np.newaxis]
    denominator = rng.binomial(births[:, np.newaxis, :], np.broadcast_to(eligible, shape))
    is_rate = np.array([one.kind == "rate" for one in design.indicators])[:, np.newaxis]
    events = rng.poisson(np.where(is_rate, denominator * levels["level"], 0))
    numerator = np.where(is_rate, events, rng.binomial(denominator, np.where(is_rate, 0, levels["level"])))
    # Reports come in some days after the month; what is still open at the data cut is collected on that day.
    late = _days(rng.gamma(2.0, 6.0, births.shape))
    reported_on = np.minimum(_first_day(design, np.arange(design.months) + 1) + late, np.datetime64(design.data_cut))
    recounted = rng.random(births.shape) < design.recount_share
    mistake = rng.choice([0, -2, -1, 1], size=shape, p=[0.7, 0.1, 0.15, 0.05])  # more often reported too many
    recount = np.clip(numerator + mistake, 0, denominator)
    reported = rng.random(births.shape) >= design.missing_share

    def per_row(month_values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(month_values[:, np.newaxis, :], shape).ravel()

    counts = _grid(design, facilities).assign(
        numerator=numerator.ravel(),
        denominator=denominator.ravel(),
        reported_on=per_row(reported_on),
        recount=np.where(per_row(recounted), recount.ravel(), np.nan),
    )
    return counts[per_row(reported)]


# --- projects, changes, visits ---------------------------------------------------------------------


def _taking_part(facilities: pd.DataFrame) -> pd.DataFrame:
    return facilities[facilities["role"] != "comparison"]


def _projects(design: Design, facilities: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n = design.projects
    team = _taking_part(facilities).iloc[rng.integers(0, design.facilities, n)]
    about = [design.indicators[one] for one in rng.integers(0, len(design.indicators), n)]
    cut = np.datetime64(design.data_cut)
    joined, ended = _first_day(design, team["joins"].to_numpy()), _first_day(design, team["ends"].to_numpy())
    ended = np.minimum(ended, cut)
    later = ended + (np.maximum(cut - ended, _days(0)) + _days(60)) * rng.random(n)
    started = np.where(rng.random(n) < design.late_start_share, later, joined + (ended - joined) * rng.random(n))
    months = design.duration_scale_months * rng.weibull(design.duration_shape, n)
    finished = started + _days(np.maximum(np.round(months * DAYS_PER_MONTH), 1))
    # Abandoned or completed is decided apart from the time it takes, so that both have the same hazard shape.
    outcome = np.where(rng.random(n) < design.abandonment_probability, "abandoned", "completed")
    status = np.select([started > cut, finished > cut], ["planned", "ongoing"], outcome)
    # Of a few ongoing projects nothing was heard of for some weeks before the data cut.
    last_heard = np.maximum(started, cut - _days(rng.integers(10, 90, n)))
    silent = (status == "ongoing") & (rng.random(n) < 0.25)
    order = np.argsort(started, kind="stable")
    frame = pd.DataFrame(
        {
            "facility_id": team["facility_id"].to_numpy(),
            "indicator_id": [one.indicator_id for one in about],
            "title": [f"{'Raise' if one.better == 'up' else 'Lower'}: {one.name}" for one in about],
            "started_on": np.where(status == "planned", np.datetime64("NaT"), started),
            "ended_on": np.where(np.isin(status, ["planned", "ongoing"]), np.datetime64("NaT"), finished),
            "status": status,
            "observed_to": np.where(silent, last_heard, np.datetime64("NaT")),
        }
    )
    frame = frame.iloc[order].reset_index(drop=True)
    return frame.assign(project_id=_numbered("P", n))


def _changes(design: Design, projects: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One to three ideas per project begun, each from its indicator's list."""
    ideas = {one.indicator_id: one.ideas for one in design.indicators}
    begun = projects[projects["status"] != "planned"]
    days = (begun["ended_on"].fillna(pd.Timestamp(design.data_cut)) - begun["started_on"]).dt.days
    rows = []
    for project, length in zip(begun.itertuples(), days, strict=True):
        for idea in rng.permutation(ideas[project.indicator_id])[: rng.integers(1, 4)]:
            tested_on = project.started_on + pd.Timedelta(days=int(length * rng.random()))
            decision = str(rng.choice(["adopt", "adapt", "abandon"], p=[0.55, 0.25, 0.2]))
            if project.status == "ongoing" and rng.random() < 0.5:
                decision = "testing"
            cycles = 1 + rng.poisson(1.2)
            rows.append((str(idea), project.project_id, project.facility_id, tested_on, cycles, decision))
    columns = ["idea", "project_id", "facility_id", "tested_on", "cycles", "decision"]
    changes = pd.DataFrame(rows, columns=columns)
    return changes.assign(change_id=_numbered("C", len(rows)), effect=changes["decision"].map(EFFECT_WORDS))


EFFECT_WORDS = {"adopt": "better within weeks", "adapt": "some improvement", "abandon": "no change seen"}


def _visits(design: Design, facilities: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table, and the true coverage per mentor type and setting."""
    drawn, truth = [], []
    for plan in design.mentoring:
        to = _taking_part(facilities).query("setting == @plan.setting")
        if plan.mentor_type == "hub":
            to = to[to["role"] != "hub"]  # a hub does not mentor itself
        visits, planned, expected = _visits_of(design, plan, to, rng)
        drawn.append(visits)
        truth.append((plan.mentor_type, plan.setting, planned, expected, expected / planned if planned else np.nan))
    coverage = pd.DataFrame(truth, columns=["mentor_type", "setting", "planned", "expected_done", "coverage"])
    if not drawn:
        return pd.DataFrame(), coverage
    visits = pd.concat(drawn)
    visits = visits.assign(day=visits["planned_on"].fillna(visits["done_on"])).sort_values("day", kind="stable")
    return visits.assign(visit_id=_numbered("V", len(visits))), coverage


def _visits_of(
    design: Design, plan: Mentoring, to: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, int, float]:
    """The visits of one plan, how many were planned up to the data cut, and how many are expected to be done."""
    cut = np.datetime64(design.data_cut)
    joins, visited = to["joins"].to_numpy(), to["visited"].to_numpy()
    last_month = np.full(len(to), design.months + 3) if plan.after_support else to["ends"].to_numpy()
    times = ((last_month - joins) / plan.every_months).astype(int)  # planned per facility
    whom = np.repeat(np.arange(len(to)), times)
    nth = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    after_joining = _days((nth + 0.5) * plan.every_months * DAYS_PER_MONTH + rng.integers(-4, 5, len(nth)))
    planned_on = _first_day(design, joins[whom]) + after_joining
    is_due = planned_on <= cut
    # Expected visits per visit due are `coverage`: some are the planned ones, the rest come unplanned.
    kept = min(plan.coverage * (1 - design.unplanned_share), 0.95)
    done = is_due & visited[whom] & (rng.random(len(nth)) < kept)
    done_on = np.minimum(planned_on + _days(rng.integers(-4, 21, len(nth))), cut)
    due = np.bincount(whom[is_due], minlength=len(to))
    extra = rng.poisson((plan.coverage - kept) * due * visited)
    extra_whom = np.repeat(np.arange(len(to)), extra)
    begin, end = _first_day(design, joins), np.minimum(_day_before(design, last_month), cut)
    extra_on = begin[extra_whom] + (end - begin)[extra_whom] * rng.random(len(extra_whom))
    never = np.datetime64("NaT")
    everyone = np.concatenate([whom, extra_whom])
    n, made = len(everyone), np.concatenate([done, np.full(len(extra_whom), True)])
    onsite = rng.random(n) < 0.7
    visits = pd.DataFrame(
        {
            "facility_id": to["facility_id"].to_numpy()[everyone],
            "mentor_type": plan.mentor_type,
            "mentor_id": [f"{plan.mentor_type[0].upper()}{one}" for one in rng.integers(1, 5, n)],
            "planned_on": np.concatenate([planned_on, np.full(len(extra_whom), never)]).astype("datetime64[s]"),
            "done_on": np.concatenate([np.where(done, done_on, never), extra_on]).astype("datetime64[s]"),
            "mode": pd.Series(np.where(onsite, "onsite", "virtual")).where(made, None),
            "hours": np.where(made, np.where(onsite, rng.integers(2, 7, n), rng.integers(1, 3, n)), np.nan),
        }
    )
    return visits, int(due.sum()), plan.coverage * float((due * visited).sum())


def _visit_totals(design: Design, facilities: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    """The sums of the visits up to the data cut, as a study would have kept them that kept no more."""
    if visits.empty:
        return pd.DataFrame()
    cut = pd.Timestamp(design.data_cut)
    counted = visits.assign(
        setting=visits["facility_id"].map(facilities.set_index("facility_id")["setting"]),
        planned=visits["planned_on"] <= cut,
        done=visits["done_on"].notna(),
    )
    totals = counted.groupby(["mentor_type", "setting"], as_index=False)[["planned", "done"]].sum()
    return totals.assign(**{"from": _first_day(design, design.baseline_months), "to": cut})


def _numbered(letter: str, n: int) -> list[str]:
    return [f"{letter}{one:0{max(2, len(str(n)))}d}" for one in range(1, n + 1)]


# --- what surrounds the work: events, scores, costs ------------------------------------------------

EVENTS = (  # kind, title, months between, months after the first wave joins, hours, people per facility taking part
    ("training", "Quality improvement basics", 3, 0, 12.0, 3.0),
    ("learning_session", "Learning session", 4, 1, 8.0, 2.5),
    ("sharing", "Experience sharing", 6, 5, 4.0, 2.0),
    ("webinar", "Case discussion online", 3, 2, 1.5, 4.0),
    ("product", "Change package", 12, 9, 0.0, 0.0),
)


def _events(design: Design, facilities: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    teams = _taking_part(facilities)
    rows = []
    for kind, title, every, first, hours, people in EVENTS:
        for number, month in enumerate(range(design.baseline_months + first, design.months, every), start=1):
            held_on = _first_day(design, month) + _days(rng.integers(3, 26))
            present = rng.binomial((teams["joins"] <= month).sum(), 0.9)
            participated = rng.poisson(people * present)
            registered = participated + rng.poisson(0.3 * participated)
            rows.append((held_on, kind, f"{title} {number}", hours, registered, participated, present, 1))
    events = pd.DataFrame(rows, columns=TABLES["events"].column_names[1:]).sort_values("held_on", kind="stable")
    # A product is published, not attended.
    attended = ["hours", "registered", "participated", "facilities"]
    events[attended] = events[attended].where(events["kind"] != "product")
    return events.assign(event_id=_numbered("E", len(events)))


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


def _scores_and_costs(design: Design, facilities: pd.DataFrame, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Each team's progress by the director on the 0.5 to 5 scale, every three months, and costs by phase."""
    share = _gain_share(design, facilities)
    month = np.arange(design.months)
    joins = facilities[["joins"]].to_numpy()
    team, when = np.nonzero((month >= joins) & ((month - joins) % 3 == 2))
    raw = 1.0 + 3.0 * share[team, when] + rng.normal(0, 0.5, len(team))
    scores = pd.DataFrame(
        {
            "instrument": "ihi_scale",
            "subject": "facility",
            "subject_id": facilities["facility_id"].to_numpy()[team],
            "item": "progress",
            "scored_on": _day_before(design, when + 1),
            "rater": "director",
            "score": np.clip(np.round(2 * raw) / 2, 0.5, 5.0),
            "evidence": "monthly report",
        }
    )
    rows = []
    for phase, (first, last) in design.phases.items():
        days = (last - first).days
        months = days / DAYS_PER_MONTH * (0.3 if phase == "baseline" else 1.0)  # preparing costs less than doing
        for item, per_month, payer, in_kind in COSTS:
            spent_on = first + dt.timedelta(days=int(rng.integers(days // 2, days)))
            amount = round(per_month * months * np.exp(rng.normal(0, 0.15)), -1)
            rows.append((spent_on, item, phase, amount, CURRENCY, payer, in_kind))
    costs = pd.DataFrame(rows, columns=TABLES["costs"].column_names[1:])
    return {"scores": scores, "costs": costs.assign(cost_id=_numbered("K", len(costs)))}


# --- the bundled examples --------------------------------------------------------------------------

_BREASTFEEDING = Indicator(
    indicator_id="early_breastfeeding",
    name="Early initiation of breastfeeding (within one hour)",
    target=0.9,
    unit="share of live births",
    baseline=0.45,
    effect=1.6,
    eligible=0.95,
    ideas=(
        "Baby placed on the mother's chest at birth",
        "Bathing delayed by a day",
        "Birth companion taught",
        "Wall clock",
    ),
)
_SKIN_TO_SKIN = Indicator(
    indicator_id="skin_to_skin",
    name="Babies kept skin to skin for one hour",
    target=0.8,
    unit="share of live births",
    baseline=0.25,
    effect=1.8,
    eligible=0.9,
    ideas=(
        "Baby placed on the mother's chest at birth",
        "Newborn checks on the mother's chest",
        "Birth companion taught",
    ),
)
_LOW_TEMPERATURE = Indicator(
    indicator_id="low_temperature",
    name="Newborns with a temperature below 36.5 °C on admission",
    better="down",
    target=0.1,
    unit="share of newborns admitted",
    baseline=0.4,
    effect=-1.2,
    eligible=0.35,
    ideas=("Transport wrapped with a cap", "Room thermometer in the delivery room", "Warmer switched on before birth"),
)
_DEATHS = Indicator(
    indicator_id="newborn_deaths",
    name="Newborn deaths before discharge",
    kind="rate",
    measures="outcome",
    better="down",
    target=12.0,
    per=1000.0,
    unit="deaths per 1000 live births",
    baseline=0.02,  # and no effect: an honest report shows no signal here
    ideas=("Resuscitation drill every week", "Checklist before referral"),
)

DEMO = Design(
    seed=20240131,
    indicators=(_BREASTFEEDING, _SKIN_TO_SKIN, _LOW_TEMPERATURE, _DEATHS),
    mentoring=(
        Mentoring(mentor_type="network", setting="rural", every_months=3, coverage=1.4),
        Mentoring(mentor_type="network", setting="urban", every_months=3, coverage=1.1),
        Mentoring(mentor_type="hub", setting="rural", every_months=1.5, coverage=0.3),
        Mentoring(mentor_type="hub", setting="urban", every_months=1.5, coverage=0.8),
        Mentoring(mentor_type="district", setting="rural", every_months=3, coverage=0.6, after_support=True),
        Mentoring(mentor_type="district", setting="urban", every_months=3, coverage=0.7, after_support=True),
    ),
    never_visited=2,
    late_start_share=0.3,
)

SMALL = Design(
    seed=8,
    start=dt.date(2024, 1, 1),
    months=7,
    facilities=3,
    hubs=0,
    waves=1,
    baseline_months=2,
    support_months=6,
    indicators=(_BREASTFEEDING, _LOW_TEMPERATURE),
    births_per_month=MappingProxyType({"primary": 5.0, "secondary": 12.0}),
    mentoring=(
        Mentoring(mentor_type="district", setting="rural", every_months=2, coverage=0.7),
        Mentoring(mentor_type="district", setting="urban", every_months=2, coverage=0.7),
    ),
    projects=4,
)

EXAMPLES: dict[str, tuple[Design, Iterable[str]]] = {  # and the tables shipped of each
    "demo": (DEMO, tuple(TABLES)),
    "small": (SMALL, ("facilities", "indicators", "measurements", "projects", "visits")),
}


def write_examples(folder: Path) -> None:
    """The bundled examples, one folder of CSV files each."""
    for name, (design, shipped) in EXAMPLES.items():
        tables = simulate(design).tables
        write_tables({table: tables[table] for table in shipped}, folder / name)


if __name__ == "__main__":
    write_examples(Path(__file__).parent / "examples")
