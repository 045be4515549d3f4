"""What may be written into the tables and the parameters, as Markdown made from their one source.

``python -m qieval.study.dictionary docs`` writes ``docs/data.md`` and ``docs/parameters.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from qieval.study.parameters import Parameters
from qieval.study.schema import COLLABORATIVE, TABLES, TYPES, Column, Table

MADE_BY = "<!-- Made by `python -m qieval.study.dictionary docs`; change the source, not this page. -->"

TABLES_IN_WORDS = f"""\
A study is an Excel workbook with one sheet per table, or a folder with one CSV or Parquet file per table of the
same name (`visits.csv`). Fill in only the tables you have data for. Ids are text of your own, written the same
everywhere; dates are ISO dates (`2023-07-31`), a month is its first day (`2023-07-01`). A blank cell means "not known":
missing is never zero. One store may hold several collaboratives: any table may then carry the column
`{COLLABORATIVE.name}`, and each report reads its own rows; of Parquet files, only these are read at all, the quicker
the closer together they lie, so sort a large store by that column.

The value of an indicator follows from its kind. A `proportion`, `rate`, `mean` or `time_between` is numerator /
denominator (for a rate, times `per`): for a mean the numerator is the sum of the values and the denominator how many
were measured. A `count` is the numerator alone."""

PARAMETERS_IN_WORDS = """\
A file in `params/` describes one collaborative: what to read, its phases and its options. It holds text, numbers,
true or false, lists and ISO dates, with or without quotes. Keys of a group are written below its name, indented by two
spaces. A misspelt key or an impossible value stops the run before the first notebook starts.

Passwords, tokens and the like have no place here, since parameters go into every report: a key that looks like one is
refused. Keep them in environment variables, and read those where you fetch the data."""


def data_dictionary() -> str:
    """Every table and column that the checks know."""
    named = ((f"[{table.name}](#{table.name})", table.meaning) for table in TABLES.values())
    overview = _table(("table", "what it holds"), named)
    sections = (f"## {table.name}\n\n{table.meaning} {_key(table)}\n\n{_columns(table)}" for table in TABLES.values())
    return "\n\n".join(["# The tables", MADE_BY, TABLES_IN_WORDS, overview, *sections]) + "\n"


def _key(table: Table) -> str:
    named = ", ".join(f"`{name}`" for name in table.key)
    return f"No two rows share the same {named}." if len(table.key) == 1 else f"No two rows share all of {named}."


def _columns(table: Table) -> str:
    rows = (
        (f"`{column.name}`", "required" if column.required else "", _type(column), _sentence(column.meaning))
        for column in table.columns
    )
    return _table(("column", "", "type", "meaning"), rows)


def _type(column: Column) -> str:
    if column.allowed:
        return " or ".join(f"`{value}`" for value in column.allowed)
    if column.refers_to:
        return f"id in [{column.refers_to}](#{column.refers_to})"
    return f"{TYPES[column.type]}{f', in {column.unit}' if column.unit else ''}"


def parameter_dictionary() -> str:
    """Every key that a parameter file may have."""
    required = {name: _example(field) for name, field in Parameters.model_fields.items() if field.is_required()}
    smallest = f"The smallest file:\n\n```yaml\n{_yaml(required, flow=False)}\n```"
    sections = (f"## {path}\n\n{model.__doc__}\n\n{_keys(model)}" for path, model in _groups(Parameters))
    return (
        "\n\n".join(["# The parameters", MADE_BY, PARAMETERS_IN_WORDS, smallest, _keys(Parameters), *sections]) + "\n"
    )


def _groups(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """The groups of keys inside a model, each with its path, outer groups first."""
    for name, field in model.model_fields.items():
        if _is_group(field.annotation):
            inner = f"{path}.{name}".strip(".")
            yield inner, field.annotation  # type: ignore[misc]
            yield from _groups(field.annotation, inner)  # type: ignore[arg-type]


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _keys(model: type[BaseModel]) -> str:
    rows = (
        (f"`{name}`", _default(field), _sentence(field.description or ""), f"`{_yaml(_example(field))}`")
        for name, field in model.model_fields.items()
    )
    return _table(("key", "default", "give", "example"), rows)


def _example(field: Any) -> Any:
    return field.examples[0]


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    if _is_group(field.annotation):
        return "see below"
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    return f"`{_yaml(value)}`" if value != {} else "none"


def _yaml(value: object, *, flow: bool = True) -> str:
    text = yaml.safe_dump(value, default_flow_style=flow, sort_keys=False, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


PAGES = {"data.md": data_dictionary, "parameters.md": parameter_dictionary}


def main(folder: str) -> None:
    """Write both pages into a folder."""
    for name, page in PAGES.items():
        (Path(folder) / name).write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
