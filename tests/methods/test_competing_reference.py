"""Competing risks meet R: Gray's test as cmprsk's cuminc, cumulative incidence as survival's survfit."""

from pathlib import Path

import pandas as pd
import pytest

from qieval.methods.survival import cumulative_incidence, gray_test

HERE = Path(__file__).parents[1] / "reference" / "methods"
PROJECTS = pd.read_csv(HERE / "gray_projects.csv")
EXPECTED = pd.read_csv(HERE / "gray_expected.csv", dtype={"cause": int})
CASES = [(case, cause) for case in PROJECTS["case"].unique() for cause in (1, 2)]


def expected(case: str, cause: int, quantity: str) -> pd.Series:
    rows = EXPECTED.loc[EXPECTED["case"].eq(case) & EXPECTED["cause"].eq(cause) & EXPECTED["quantity"].eq(quantity)]
    return rows.set_index("time")["value"]


@pytest.mark.parametrize(("case", "cause"), CASES)
def test_gray_s_test_as_cuminc(case: str, cause: int):
    projects = PROJECTS.loc[PROJECTS["case"] == case]
    found = gray_test(projects["duration"], projects["outcome"], projects["group"], cause=cause)
    assert found.statistic == pytest.approx(expected(case, cause, "gray_statistic").item(), rel=1e-8)
    assert found.p_value == pytest.approx(expected(case, cause, "gray_p_value").item(), rel=1e-8)


@pytest.mark.parametrize(("case", "cause"), CASES)
@pytest.mark.parametrize("quantity", ["estimate", "standard_error"])
def test_cumulative_incidence_and_its_error_as_survfit(case: str, cause: int, quantity: str):
    projects = PROJECTS.loc[PROJECTS["case"] == case]
    found = cumulative_incidence(projects["duration"], projects["outcome"], cause=cause).set_index("time")[quantity]
    wanted = expected(case, cause, quantity)
    assert found.reindex(wanted.index, method="ffill").fillna(0).tolist() == pytest.approx(wanted.tolist(), abs=1e-10)
