"""Reference values that ship with the tests."""

from pathlib import Path

import pandas as pd
import pytest

SHIPPED = Path(__file__).resolve().parents[1] / "reference"


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The folder of reference values that travel with the project; see its README."""
    return SHIPPED


def case(name: str) -> dict[str, float]:
    """The quantities of one reference case, by name."""
    frame = pd.read_csv(SHIPPED / "methods" / "expected" / f"{name}.csv", skipinitialspace=True)
    return dict(zip(frame["quantity"], pd.to_numeric(frame["value"]), strict=True))
