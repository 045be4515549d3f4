"""Slopes within units beside effects shared by all, against the same fit with a column for each unit."""

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError
from qieval.methods.robust import cr2
from qieval.methods.within import within
from tests.methods.conftest import SHIPPED
from tests.methods.test_robust import CLUBSANDWICH, dummies, with_intercept


def cells() -> pd.DataFrame:
    table = pd.read_csv(SHIPPED / "methods" / "mixed_cells.csv")
    table = table[~((table["facility"] == "F02") & (table["month"] > 6))]
    return table.assign(share=table["numerator"] / table["denominator"])


def test_a_slope_within_facilities_and_months_is_that_of_clubsandwich():
    table = cells()
    found = within(table["share"], table[["treated"]], table["facility"], shared=[table["month"]]).table.iloc[0]
    expected = CLUBSANDWICH.query("case == 'facility' and term == 'treated'").iloc[0]
    for quantity in ("estimate", "standard_error", "df", "low", "high", "p_value"):
        assert found[quantity] == pytest.approx(expected[quantity], rel=1e-7)


def test_taking_units_out_beforehand_gives_what_a_column_for_each_gives():
    rng = np.random.default_rng(1)
    n = 90
    table = pd.DataFrame(
        {"unit": rng.integers(0, 7, n), "month": rng.integers(0, 9, n), "since": rng.integers(0, 5, n)}
    )
    dose = pd.DataFrame({"dose": rng.poisson(3, n) + table["unit"], "ahead": rng.poisson(1, n)}).astype(float)
    outcome = rng.normal(0, 1, n) + table["unit"]
    found = within(outcome, dose, table["unit"], shared=[table["month"], table["since"]]).table
    columns = [dummies(table[name], name) for name in ("unit", "month", "since")]
    full = cr2(with_intercept(dose, *columns), outcome, table["unit"]).set_index("term").loc[["dose", "ahead"]]
    for quantity in ("estimate", "standard_error", "df", "low", "high", "p_value"):
        assert found[quantity].tolist() == pytest.approx(full[quantity].tolist(), rel=1e-8)


def test_shared_effects_that_repeat_each_other_count_once():
    table = cells()
    once = within(table["share"], table[["treated"]], table["facility"], shared=[table["month"]])
    twice = within(table["share"], table[["treated"]], table["facility"], shared=[table["month"], table["month"] + 5])
    pd.testing.assert_frame_equal(once.table, twice.table)


def test_what_is_left_of_an_exposure_is_what_units_do_not_share():
    # Both units gain one visit a month; only that the second has one more in the last month is its own.
    unit, month = ["A"] * 3 + ["B"] * 3, [1, 2, 3] * 2
    dose = pd.DataFrame({"dose": [0.0, 1, 2, 0, 1, 3]})
    found = within([0, 1, 2, 0, 1, 5], dose, unit, shared=[month]).table.iloc[0]
    # Centred -1 0 1 and -4/3 -1/3 5/3, of squares 2 + 42/9; less the months' means -7/6 -1/6 4/3 twice 1/6 1/6 -1/3.
    left = 2 * (1 / 36 + 1 / 36 + 1 / 9)
    assert found["left_share"] == pytest.approx(left / (2 + 42 / 9))
    assert found["left_sd"] == pytest.approx(np.sqrt(left / 6))
    assert found["estimate"] == pytest.approx(3)
    assert found["largest_share"] == pytest.approx(0.5)


def test_an_exposure_that_moves_as_all_units_do_has_no_slope():
    dose = pd.DataFrame({"dose": [0.0, 1, 2, 5, 6, 7]})
    with pytest.raises(DataError, match="dose does not vary within units beyond what all of them share: no slope can"):
        within([0, 1, 2, 0, 1, 5], dose, ["A"] * 3 + ["B"] * 3, shared=[[1, 2, 3] * 2])


def test_an_exposure_that_never_varies_has_no_slope_either():
    with pytest.raises(DataError, match="dose does not vary within units"):
        within([0, 1, 2, 4], pd.DataFrame({"dose": [1.0, 1, 2, 2]}), ["A", "A", "B", "B"])
