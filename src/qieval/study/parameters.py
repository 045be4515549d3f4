"""The parameters of one collaborative: one model for the check, its messages and the documentation.

Each field's description completes the sentence "give ...", so that a message can always say what
would have been right.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from qieval.errors import ParameterError, bulleted


def _iso_date(value: object) -> dt.date:
    """Only an ISO date is a date: a day-month order is never guessed, a number is never a timestamp."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if isinstance(value, str):
        return dt.date.fromisoformat(value)
    raise ValueError("not an ISO date")


Day = Annotated[dt.date, BeforeValidator(_iso_date)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Reading(_Model):
    """How the CSV files are written."""

    separator: Literal[",", ";", "tab"] = Field(",", description='",", ";" or "tab"', examples=[";"])
    decimal: Literal[".", ","] = Field(".", description='"." or ","', examples=[","])


class Effectiveness(_Model):
    """Options of the effectiveness notebook."""

    months_to_reach: int = Field(
        3, ge=1, description="the months in a row at the target that count as reaching it", examples=[3]
    )
    recent_months: int = Field(
        6, ge=3, description="how many of the last months are set beside the baseline, 3 or more", examples=[6]
    )


class Sustainment(_Model):
    """Options of the sustainment notebook."""

    minimum_gain: float = Field(
        0.10, gt=0, lt=1, description="a proportion between 0 and 1: the smallest gain to follow", examples=[0.1]
    )
    tolerance: float = Field(
        0.05, ge=0, lt=1, description="a proportion between 0 and 1: the loss still counted as kept", examples=[0.05]
    )
    window_months: int = Field(3, ge=1, description="the months averaged for a level, 1 or more", examples=[3])
    follow_up_months: tuple[int, ...] = Field(
        (6, 12), min_length=1, description="a list of months after support ended", examples=[[6, 12]]
    )

    @field_validator("follow_up_months")
    @classmethod
    def _at_least_one_month(cls, months: tuple[int, ...]) -> tuple[int, ...]:
        if min(months) < 1:
            raise ValueError("below 1")
        return tuple(sorted(set(months)))


class Options(_Model):
    """Choices that change a number; every one has a default."""

    smallest_denominator: int = Field(
        5, ge=1, description="the fewest people a facility's month must have to be shown, 1 or more", examples=[5]
    )
    reading: Reading = Field(Reading(), description="separator and decimal", examples=[{"separator": ";"}])
    effectiveness: Effectiveness = Field(
        Effectiveness(), description="options of that notebook", examples=[{"months_to_reach": 3}]
    )
    sustainment: Sustainment = Field(
        Sustainment(), description="options of that notebook", examples=[{"tolerance": 0.05}]
    )


class Parameters(_Model):
    """What to read and how to look at it, for one collaborative."""

    collaborative: str = Field(
        pattern=r"^[^\W_][\w-]*$",
        max_length=80,
        description="an id of letters, digits, - and _ that starts with a letter or digit",
        examples=["kangra_2023"],
    )
    title: str = Field(min_length=1, description="the name as it should appear in the report", examples=["Kangra 2023"])
    data: str = Field(min_length=1, description="a folder of CSV files or an .xlsx file", examples=["data/kangra.xlsx"])
    data_cut: Day = Field(description="the last day the data cover, as YYYY-MM-DD", examples=["2023-12-31"])
    phases: dict[str, tuple[Day, Day]] = Field(
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

    @field_validator("phases")
    @classmethod
    def _phases_end_after_they_start(
        cls, phases: dict[str, tuple[dt.date, dt.date]]
    ) -> dict[str, tuple[dt.date, dt.date]]:
        for name, (first, last) in phases.items():
            if last < first:
                raise ValueError(f"phase {name!r} ends before it starts")
        return phases


def check_parameters(values: Mapping[str, Any], *, where: str = "parameters") -> Parameters:
    """The values as `Parameters`.

    Raises
    ------
    ParameterError
        Names every misspelt, missing or impossible key at once, each with its remedy.
    """
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
    try:
        values = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Loader)  # noqa: S506, a SafeLoader
    except OSError:
        raise ParameterError(f"{path}: no such file, or it cannot be read -> check the name") from None
    except UnicodeDecodeError:
        raise ParameterError(f"{path}: not UTF-8 text -> save it again with the encoding UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "not readable as YAML"
        raise ParameterError(f"{path}{line}: {reason} -> write one 'key: value' a line") from None
    if not isinstance(values, dict):
        raise ParameterError(f"{path}: holds no 'key: value' lines -> start from one of the files in params/")
    return check_parameters(values, where=str(path))


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key written twice instead of silently taking the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _in_words(detail: Any) -> str:
    """One pydantic error as one plain sentence."""
    path = [str(part) for part in detail["loc"]]
    dotted = ".".join(path)
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = list(_model_at(path[:-1]).model_fields)
        near = get_close_matches(path[-1], known, n=1)
        remedy = f"Did you mean {'.'.join([*path[:-1], near[0]])!r}?" if near else f"Known are: {', '.join(known)}."
        return f"{dotted!r} is not a parameter. {remedy}"
    field = _field_at(path)
    example = yaml.safe_dump(field.examples[0], default_flow_style=True).removesuffix("\n...\n").strip()
    remedy = f"give {field.description}, for example {example}."
    if kind == "missing":
        return f"'{dotted}' is missing: {remedy}"
    if "ends before it starts" in detail["msg"]:
        return f"{detail['msg'].removeprefix('Value error, ')}: {remedy}"
    return f"{dotted} is {detail['input']!r}: {remedy}"


def _model_at(path: list[str]) -> type[BaseModel]:
    model: type[BaseModel] = Parameters
    for part in path:
        annotation = model.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        model = annotation
    return model


def _field_at(path: list[str]) -> Any:
    """The field an error belongs to; an error inside a list or mapping belongs to the field that holds it."""
    model = _model_at(path)
    return next(model.model_fields[part] for part in reversed(path) if part in model.model_fields)
