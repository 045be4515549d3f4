"""Studies small enough to check by hand, made from rows."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from qieval.study.parameters import check_parameters, read_parameters
from qieval.study.schema import TABLES
from qieval.study.simulate import DEMO, Simulated, simulate
from qieval.study.study import Study, study_of

PROJECT = Path(__file__).resolve().parents[2]
Rows = Iterable[dict[str, Any]]


def make_study(*, data_cut: str = "2023-12-31", phases: Any = None, options: Any = None, **tables: Rows) -> Study:
    """A study of these rows, typed as the door types them; a column not given is missing throughout."""
    values = {"collaborative": "kangra", "title": "Kangra", "data": "kangra", "data_cut": data_cut}
    parameters = check_parameters(values | {"phases": phases or {}, "options": options or {}})
    return Study(parameters=parameters, tables={name: _typed(name, rows) for name, rows in tables.items()})


def _typed(name: str, rows: Rows) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows)).reindex(columns=TABLES[name].column_names)
    typed = {}
    for column in TABLES[name].columns:
        cells = frame[column.name]
        if column.type in ("date", "month"):
            typed[column.name] = pd.to_datetime(cells).astype("datetime64[ns]")
        elif column.type in ("number", "count"):
            typed[column.name] = cells.astype(float)
        else:
            typed[column.name] = cells.astype(object).where(cells.notna(), None)
    return pd.DataFrame(typed)


def an_indicator(**given: Any) -> dict[str, Any]:
    """The row of a proportion of which more is better."""
    return {"indicator_id": "I", "name": "Cord clamped late", "kind": "proportion", "better": "up"} | given


def monthly(facility: str, first: str, numerators: Iterable[Any], denominators: Any = 100) -> list[dict[str, Any]]:
    """Rows of measurements, a month each from `first` on; a numerator of None leaves the month out."""
    numerators = list(numerators)
    wholes = [denominators] * len(numerators) if not isinstance(denominators, list) else denominators
    months = pd.date_range(first, periods=len(numerators), freq="MS")
    return [
        {"facility_id": facility, "indicator_id": "I", "period": month, "numerator": part, "denominator": whole}
        for month, part, whole in zip(months, numerators, wholes, strict=True)
        if part is not None
    ]


def bundled(name: str) -> Study:
    """A bundled example as its parameter file opens it."""
    return study_of(read_parameters(PROJECT / "params" / f"{name}.yaml"), home=PROJECT)


@pytest.fixture(scope="session")
def hub_spoke() -> Study:
    return bundled("hub_spoke_india")


@pytest.fixture(scope="session")
def demo() -> Study:
    return bundled("demo")


@pytest.fixture(scope="session")
def simulated() -> Simulated:
    """What the demo was drawn from, with the truth."""
    return simulate(DEMO)
