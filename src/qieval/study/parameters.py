"""The parameters of one collaborative: one model for the check, its messages and the documentation.

Each field's description completes the sentence "give ...", so that a message can always say what
would have been right.
"""

from __future__ import annotations

import datetime as dt
import re
import reprlib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from qieval.errors import ParameterError, bulleted
from qieval.study.confidential import KEEP_OUT, secret_keys


def _iso_date(value: object) -> dt.date:
    """Only YYYY-MM-DD is a date: a day-month order is never guessed, a number is never a timestamp."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip()):
        value = dt.date.fromisoformat(value.strip())
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime) or not 1700 <= value.year <= 2200:
        raise ValueError("not an ISO date")
    return value


def _in_order(phase: tuple[dt.date, dt.date]) -> tuple[dt.date, dt.date]:
    if phase[1] < phase[0]:
        raise ValueError(ENDS_FIRST)
    return phase


FOR_DEVICES = "which Windows keeps for devices"
TOO_LONG = "which is longer than the name of a folder may be"
ENDS_FIRST = "ends before it starts"
Day = Annotated[dt.date, BeforeValidator(_iso_date)]
Phase = Annotated[tuple[Day, Day], AfterValidator(_in_order)]
Whole = Annotated[int, Strict()]  # otherwise `true` would be read as 1


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Reading(_Model):
    """How the CSV files are written."""

    separator: Literal[",", ";", "tab"] = Field(",", description='",", ";" or "tab"', examples=[";"])
    decimal: Literal[".", ","] = Field(".", description='"." or ","', examples=[","])


class Effectiveness(_Model):
    """Options of the effectiveness notebook."""

    months_to_reach: Whole = Field(
        3, ge=1, description="the months in a row at the target that count as reaching it", examples=[3]
    )
    recent_months: Whole = Field(
        6, ge=3, description="how many of the last months are set beside the baseline, 3 or more", examples=[6]
    )
    effect_month: Whole = Field(
        12,
        ge=1,
        description="the month after joining at which the change is told, 1 or more; sooner where data end sooner",
        examples=[12],
    )
    transition_months: Whole = Field(
        0,
        ge=0,
        description="months from joining on that are neither before nor after, fewer than effect_month; with the "
        "default effect_month the fit leaves out months 0 to 5 anyway",
        examples=[2],
    )
    chosen_for_baseline: bool = Field(
        False,
        description="true if facilities were invited because they did badly: the report then warns that such "
        "facilities seem to improve by chance alone",
        examples=[True],
    )
    mark_events: tuple[Literal["learning_session", "training", "sharing", "webinar", "product"], ...] = Field(
        ("learning_session", "training"),
        description="the kinds of events to mark on run charts, a list",
        examples=[["learning_session", "sharing"]],
    )

    @field_validator("transition_months")
    @classmethod
    def _before_the_month_told(cls, months: int, info: ValidationInfo) -> int:
        if months >= info.data.get("effect_month", months + 1):
            raise ValueError("not below effect_month")
        return months


class Mentoring(_Model):
    """Options of the mentoring notebook."""

    recent_days: tuple[Whole, ...] = Field(
        (30, 60, 90),
        min_length=1,
        description="a list of days: facilities visited within so many days before the data cut are counted",
        examples=[[30, 60, 90]],
    )
    lag_months: Whole = Field(
        1,
        ge=0,
        description="the months after which a visit is expected to show in an indicator, 0 or more",
        examples=[1],
    )

    @field_validator("recent_days")
    @classmethod
    def _at_least_one_day(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if min(days) < 1:
            raise ValueError("below 1")
        return tuple(sorted(set(days)))


class Sustainment(_Model):
    """Options of the sustainment notebook."""

    minimum_gain: float = Field(
        0.10, gt=0, lt=1, description="a proportion between 0 and 1: the smallest gain to follow", examples=[0.1]
    )
    tolerance: float = Field(
        0.05, ge=0, lt=1, description="a proportion between 0 and 1: the loss still counted as kept", examples=[0.05]
    )
    window_months: Whole = Field(3, ge=1, description="the months averaged for a level, 1 or more", examples=[3])
    months_to_lose: Whole = Field(
        3,
        ge=1,
        description="the months in a row below what still counts as kept after which a gain counts as lost",
        examples=[3],
    )
    follow_up_months: tuple[Whole, ...] = Field(
        (6, 12, 24), min_length=1, description="a list of months after support ended", examples=[[6, 12, 24]]
    )

    @field_validator("follow_up_months")
    @classmethod
    def _at_least_one_month(cls, months: tuple[int, ...]) -> tuple[int, ...]:
        if min(months) < 1:
            raise ValueError("below 1")
        return tuple(sorted(set(months)))


class Options(_Model):
    """Choices that change a number; every one has a default."""

    smallest_denominator: Whole = Field(
        5, ge=1, description="the fewest people a facility's month must have to be shown, 1 or more", examples=[5]
    )
    minutes_per_notebook: float = Field(
        30,
        gt=0,
        le=1440,
        description="the minutes after which a notebook is ended and its section fails",
        examples=[30],
    )
    reading: Reading = Field(Reading(), description="separator and decimal", examples=[{"separator": ";"}])
    effectiveness: Effectiveness = Field(
        Effectiveness(), description="options of that notebook", examples=[{"months_to_reach": 3}]
    )
    mentoring: Mentoring = Field(
        Mentoring(), description="options of that notebook", examples=[{"recent_days": [30, 60, 90]}]
    )
    sustainment: Sustainment = Field(
        Sustainment(), description="options of that notebook", examples=[{"tolerance": 0.05}]
    )


class Parameters(_Model):
    """What to read and how to look at it, for one collaborative."""

    collaborative: str = Field(
        pattern=r"^[^\W_][\w-]*$",
        description="an id of letters, digits, - and _ that starts with a letter or digit",
        examples=["kangra_2023"],
    )
    title: str = Field(min_length=1, description="the name as it should appear in the report", examples=["Kangra 2023"])
    data: str = Field(
        min_length=1, description="a folder of CSV or Parquet files or an .xlsx file", examples=["data/kangra.xlsx"]
    )
    data_cut: Day = Field(description="the last day the data cover, as YYYY-MM-DD", examples=["2023-12-31"])
    phases: dict[str, Phase] = Field(
        {},
        description="a first and a last day per phase, as YYYY-MM-DD",
        examples=[{"intensive": ["2023-01-01", "2023-06-30"]}],
    )
    notes: dict[str, str] = Field(
        {},
        description="a text per notebook: what is known from elsewhere, with its source",
        examples=[{"durations": "The annual report counts ten projects."}],
    )
    options: Options = Field(Options(), description="a group of options", examples=[{"smallest_denominator": 5}])

    @field_validator("collaborative")
    @classmethod
    def _a_folder_anywhere(cls, name: str) -> str:
        """It names the folder of a report, on whatever system that will lie."""
        if _DEVICE.fullmatch(name):
            raise ValueError(FOR_DEVICES)
        # Linux and macOS know names of 255 bytes; a letter may take four, and a report is made under a longer name.
        if len(name) > 80 or len(name.encode()) > 240:
            raise ValueError(TOO_LONG)
        return name


_DEVICE = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]", re.IGNORECASE)


def check_parameters(values: Mapping[str, Any], *, where: str = "parameters") -> Parameters:
    """The values as `Parameters`.

    Raises
    ------
    ParameterError
        Names every misspelt, missing or impossible key at once, each with its remedy.
    """
    secrets = secret_keys(values)
    if secrets:  # before anything else, since other messages quote what stands in the file
        raise ParameterError(bulleted(where, [f"{key!r} {KEEP_OUT}" for key in secrets]))
    try:
        return Parameters.model_validate(dict(values))
    except ValidationError as error:
        # A pair that is wrong in both places is one thing to mend; keep the order, drop the repeats.
        problems = list(dict.fromkeys(_in_words(detail) for detail in error.errors()))
        raise ParameterError(bulleted(where, problems)) from None


def read_parameters(path: Path) -> Parameters:
    """The parameters in a YAML file.

    Raises
    ------
    ParameterError
        If the file cannot be read, is not YAML, or any of its keys is wrong.
    """
    if path.is_dir() or path.suffix.lower() in (".xlsx", ".xlsm", ".csv", ".ipynb"):
        raise ParameterError(f"{path}: not a parameter file -> give the .yaml file that names these data")
    try:
        values = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Loader)  # noqa: S506, a SafeLoader
    except OSError:
        raise ParameterError(f"{path}: no such file, or it cannot be read -> check the name") from None
    except UnicodeDecodeError:
        raise ParameterError(f"{path}: not UTF-8 text -> save it again with the encoding UTF-8") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ParameterError(f"{path}{_not_yaml(error)}") from None
    if not isinstance(values, dict):
        raise ParameterError(f"{path}: holds no 'key: value' lines -> start from one of the files in params/")
    return check_parameters(values, where=str(path))


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key written twice instead of silently taking the last, and leaves dates to the model."""

    yaml_implicit_resolvers = {  # noqa: RUF012, as the parent has it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
                    what = f"{key.value} is not the name of a parameter or a phase unless it is put in quotes"
                    raise yaml.constructor.ConstructorError(None, None, what, key.start_mark)
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' stands twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)

    def refuse_tag(self, node: yaml.Node) -> None:
        raise yaml.constructor.ConstructorError(None, None, TAGGED, node.start_mark)


TAGGED = "a value with a tag, which begins with '!', is never read"
_Loader.add_constructor(None, _Loader.refuse_tag)


def _not_yaml(error: Exception) -> str:
    """Where a file is no YAML, why, and what to do."""
    mark = getattr(error, "problem_mark", None)
    line = f", line {mark.line + 1}" if mark else ""
    reason = getattr(error, "problem", None) or "not readable as YAML"
    remedy = "write one 'key: value' a line, and put a text that holds ': ' or '#' in quotes"
    if reason == TAGGED:
        remedy = "write a plain value, and put a text that begins with '!' in quotes"
    elif mark and "undefined alias" in reason:
        # The name of the alias may be a password that begins with a star, and is not quoted.
        reason, remedy = "a value that begins with '*' is not read as text", "put it in quotes"
    elif isinstance(error, RecursionError):
        reason = "nested too deeply"
    return f"{line}: {reason} -> {remedy}"


def _in_words(detail: Any) -> str:
    """One pydantic error as one plain sentence."""
    path = [str(part) for part in detail["loc"]]
    if detail["type"] == "extra_forbidden":
        known = list(_model_at(path[:-1]).model_fields)
        near = get_close_matches(path[-1], known, n=1)
        remedy = f"Did you mean {'.'.join([*path[:-1], near[0]])!r}?" if near else f"Known are: {', '.join(known)}."
        return f"{'.'.join(path)!r} is not a parameter. {remedy}"
    field, depth = _field_at(path)
    # Inside a list the place is a number that tells the reader nothing; "[key]" is pydantic's own mark.
    inner = path[depth:-1] if path[-1] == "[key]" or path[-1].isdigit() else path[depth:]
    dotted = ".".join(path[:depth] + inner)
    example = yaml.safe_dump(field.examples[0], default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
    remedy = f"give {field.description}, for example {example}."
    if detail["type"] == "missing" and len(path) == depth:
        return f"'{dotted}' is missing: {remedy}"
    if ENDS_FIRST in detail["msg"]:
        return f"{dotted} {ENDS_FIRST}: {remedy}"
    for reason in (FOR_DEVICES, TOO_LONG):
        if reason in detail["msg"]:
            return f"{dotted} is {_shown(detail['input'])}, {reason}: {remedy}"
    if detail["type"] == "string_type" and isinstance(detail["input"], int | float):
        return f"{dotted} is {_shown(detail['input'])}, which YAML does not read as text: put it in quotes."
    return f"{dotted} is {_shown(detail['input'])}: {remedy}"


def _shown(value: object, depth: int = 0) -> str:
    """A value as its author wrote it, or nearly; of a long or deep one the beginning, since YAML's aliases can make
    billions of values out of a few lines.
    """
    if value is None:
        return "blank"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        first = [_shown(one, depth + 1) for one in value[:12]] if depth < 2 else []
        return f"[{', '.join([*first, *(['...'] if len(first) < len(value) else [])])}]"
    return repr(value) if isinstance(value, str) else reprlib.repr(value)


def _model_at(path: list[str]) -> type[BaseModel]:
    model: type[BaseModel] = Parameters
    for part in path:
        model = model.model_fields[part].annotation  # type: ignore[assignment]
    return model


def _field_at(path: list[str]) -> tuple[Any, int]:
    """The field an error belongs to and how deep it lies; what lies deeper is inside a list or a mapping."""
    model: type[BaseModel] = Parameters
    depth = 0
    while True:
        field = model.model_fields[path[depth]]
        depth += 1
        if depth == len(path) or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return field, depth
        model = field.annotation
