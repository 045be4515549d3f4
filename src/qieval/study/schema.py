"""The ten tables: the one source of the checks, the Excel template and the data dictionary.

A table is an Excel sheet, or a CSV file, of the same name. Ids are text, dates are ISO dates, and a
blank cell means "not known": missing is never zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Type = Literal["text", "date", "month", "number", "count", "yes_no"]

TYPES: dict[Type, str] = {
    "text": "text",
    "date": "date, YYYY-MM-DD",
    "month": "first day of the month, YYYY-MM-01",
    "number": "number",
    "count": "whole number, 0 or more",
    "yes_no": "yes or no",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table, as users fill it in."""

    name: str
    type: Type
    meaning: str
    unit: str = ""
    allowed: tuple[str, ...] = ()
    required: bool = False  # no cell may be blank
    expected: bool = False  # the column must be there, though its cells may be blank: all blank would be believed
    refers_to: str = ""  # the table in which this id must exist
    may_be_future: bool = False  # a plan may lie after the data cut, a fact may not
    minimum: float | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: its key names a row, and no two rows share it."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def of_type(self, *types: Type) -> Iterator[Column]:
        return (column for column in self.columns if column.type in types)


def _text(name: str, meaning: str, **more: object) -> Column:
    return Column(name=name, type="text", meaning=meaning, **more)  # type: ignore[arg-type]


def _date(name: str, meaning: str, **more: object) -> Column:
    return Column(name=name, type="date", meaning=meaning, **more)  # type: ignore[arg-type]


def _number(name: str, meaning: str, **more: object) -> Column:
    return Column(name=name, type="number", meaning=meaning, **{"minimum": 0.0, **more})  # type: ignore[arg-type]


def _count(name: str, meaning: str, **more: object) -> Column:
    return Column(name=name, type="count", meaning=meaning, **{"minimum": 0.0, **more})  # type: ignore[arg-type]


SETTINGS = ("rural", "urban")
MENTOR_TYPES = ("network", "hub", "district", "peer")

# Many collaboratives can share one store: every table may carry this column.
COLLABORATIVE = _text("collaborative_id", "the collaborative a row belongs to; only where one store holds several")

_ALL = (
    Table(
        name="facilities",
        meaning="One row per facility that takes part, serves as a hub or is compared with.",
        key=("facility_id",),
        columns=(
            _text("facility_id", "short id used in all other tables", required=True),
            _text("name", "name as it should appear in reports; the id is used if blank"),
            _text("level", "level of care", allowed=("primary", "secondary", "tertiary")),
            _text("setting", "where the facility lies", allowed=SETTINGS),
            _text("district", "district"),
            _text("country", "country"),
            _text("hub_id", "the facility that mentors this one", refers_to="facilities"),
            _text("role", "part it plays; participant if blank", allowed=("participant", "hub", "comparison")),
            _count("wave", "wave in which it joined: 1, 2, ..."),
            _date(
                "joined_on", "day its improvement work began; months before it are its baseline, so give it if you can"
            ),
            _date("support_ended_on", "last day of support from mentors or coaches; sustainment counts from it"),
        ),
    ),
    Table(
        name="indicators",
        meaning="One row per core indicator, with the direction that counts as better.",
        key=("indicator_id",),
        columns=(
            _text("indicator_id", "short id used in measurements and projects", required=True),
            _text("name", "name as it should appear in reports", required=True),
            _text(
                "kind",
                "how numerator and denominator combine",
                allowed=("proportion", "rate", "count", "mean", "time_between"),
                required=True,
            ),
            _text("class", "what it measures", allowed=("input", "process", "outcome", "balancing")),
            _text("better", "direction of improvement", allowed=("up", "down"), required=True),
            _number("target", "level aimed at: 0.9 for 90% of a proportion, else in the indicator's own unit"),
            _number("per", "rates are given per this many (1000); 1 if blank", minimum=1e-12),
            _text("unit", "unit of the value, such as minutes or deaths per 1000 births"),
        ),
    ),
    Table(
        name="measurements",
        meaning="One row per facility, indicator and month.",
        key=("facility_id", "indicator_id", "period"),
        columns=(
            _text("facility_id", "facility that reports", required=True, refers_to="facilities"),
            _text("indicator_id", "indicator", required=True, refers_to="indicators"),
            Column(name="period", type="month", meaning="month measured", required=True),
            _number(
                "numerator", "people or events that count; for a mean or a time, the sum of the values", expected=True
            ),
            _number("denominator", "people eligible, or exposure; for a mean or a time, how many were measured"),
            _number("sd", "standard deviation of the values, for means"),
            _date("reported_on", "day the figure was reported"),
            _number("recount", "numerator found when the source was counted again"),
        ),
    ),
    Table(
        name="projects",
        meaning="One row per improvement project of a facility's team.",
        key=("project_id",),
        columns=(
            _text("project_id", "short id", required=True),
            _text("facility_id", "facility of the team", refers_to="facilities"),
            _text("indicator_id", "indicator it wants to move", refers_to="indicators"),
            _text("title", "aim in a few words"),
            _date("started_on", "day work began", expected=True),
            _date("ended_on", "day it was completed or abandoned", expected=True),
            _text(
                "status",
                "state at the data cut",
                allowed=("planned", "ongoing", "completed", "abandoned"),
                required=True,
            ),
            _date("observed_to", "last day the project was known to be ongoing; the data cut if blank"),
        ),
    ),
    Table(
        name="visits",
        meaning="One row per mentoring visit that was planned, done or both.",
        key=("visit_id",),
        columns=(
            _text("visit_id", "short id", required=True),
            _text("facility_id", "facility to be visited", required=True, refers_to="facilities"),
            _text("mentor_type", "who mentors", allowed=MENTOR_TYPES, required=True),
            _text("mentor_id", "mentor, as a code rather than a name"),
            _date("planned_on", "day planned; blank: the visit was not planned", may_be_future=True, expected=True),
            _date("done_on", "day done; blank: the visit was not made", expected=True),
            _text("mode", "how the visit was made", allowed=("onsite", "virtual")),
            _number("hours", "length of the visit", unit="hours"),
        ),
    ),
    Table(
        name="visit_totals",
        meaning="For studies that kept totals only: visits planned and done per mentor type and setting.",
        key=("mentor_type", "setting", "from", "to"),
        columns=(
            _text("mentor_type", "who mentors", allowed=MENTOR_TYPES, required=True),
            _text("setting", "setting; blank: all settings together", allowed=SETTINGS),
            _date("from", "first day counted; blank: not recorded"),
            _date("to", "last day counted; blank: not recorded"),
            _count("planned", "visits planned", expected=True),
            _count("done", "visits done", expected=True),
        ),
    ),
    Table(
        name="events",
        meaning="One row per learning session, training or other event.",
        key=("event_id",),
        columns=(
            _text("event_id", "short id", required=True),
            _date("held_on", "first day held", required=True),
            _text(
                "kind",
                "what it was",
                allowed=("learning_session", "training", "sharing", "webinar", "product"),
                required=True,
            ),
            _text("title", "title as it should appear in reports"),
            _number("hours", "length of the event", unit="hours"),
            _count("registered", "people registered"),
            _count("participated", "people who took part"),
            _count("facilities", "facilities that took part"),
            _count("countries", "countries that took part"),
        ),
    ),
    Table(
        name="changes",
        meaning="One row per change idea tested by a team.",
        key=("change_id",),
        columns=(
            _text("change_id", "short id", required=True),
            _text("idea", "name of the idea, the same for every team that tests it", required=True),
            _text("project_id", "project that tests it", refers_to="projects"),
            _text("facility_id", "facility that tests it", refers_to="facilities"),
            _date("tested_on", "day of the first test"),
            _count("cycles", "PDSA cycles run"),
            _text("decision", "what the team decided", allowed=("adopt", "adapt", "abandon", "testing")),
            _text("effect", "result in a few words"),
        ),
    ),
    Table(
        name="scores",
        meaning="One row per item of a scored assessment.",
        key=("instrument", "subject", "subject_id", "item", "scored_on", "rater"),
        columns=(
            _text("instrument", "instrument, such as ihi_scale", required=True),
            _text("subject", "what is scored, such as facility, district or collaborative", required=True),
            _text("subject_id", "id of what is scored"),
            _text("item", "item of the instrument", required=True),
            _date("scored_on", "day scored", required=True),
            _text("rater", "who scored: self, director, external"),
            _number("score", "score on the instrument's own scale", minimum=None),
            _text("evidence", "what the score rests on"),
        ),
    ),
    Table(
        name="costs",
        meaning="One row per cost item.",
        key=("cost_id",),
        columns=(
            _text("cost_id", "short id", required=True),
            _date("spent_on", "day spent"),
            _text("item", "what was paid for", required=True),
            _text("phase", "phase it belongs to"),
            _number("amount", "amount in the currency given", required=True),
            _text("currency", "three-letter code, such as INR", required=True),
            _text("payer", "who paid"),
            Column(name="in_kind", type="yes_no", meaning="given in kind rather than paid"),
        ),
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _ALL}
