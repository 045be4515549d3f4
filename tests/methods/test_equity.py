"""Concentration curves and indices."""

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError
from qieval.methods.equity import concentration, gini_by_chance, lorenz, none_by_chance
from tests.methods.conftest import SHIPPED

FOLDER = SHIPPED / "methods"
# Births and deaths under five by fifths of wealth, India 1982-92, after the World Bank's technical note on the index.
BIRTHS = np.array([29939, 28776, 26528, 24689, 19739])
DEATHS = BIRTHS * np.array([154.7, 152.9, 119.5, 86.9, 54.3]) / 1000


def expected(data: str) -> dict[str, float]:
    frame = pd.read_csv(FOLDER / "equity_concentration_expected.csv", skipinitialspace=True)
    own = frame[frame["data"] == data]
    return dict(zip(own["quantity"], own["value"], strict=True))


def test_the_index_of_grouped_data_is_that_of_r():
    found = concentration(DEATHS, BIRTHS, range(5))
    assert found.index < 0  # deaths are concentrated among the poor, who come first
    assert found.index == pytest.approx(expected("india")["index"], abs=1e-10)
    assert found.standard_error == pytest.approx(expected("india")["jackknife_error"], abs=1e-10)
    # By hand: the poorest fifth has 23% of births and 4,632 of 15,418 deaths.
    assert found.curve["exposure_share"].iloc[1] == pytest.approx(29939 / 129671)
    assert found.curve["received_share"].iloc[1] == pytest.approx(DEATHS[0] / DEATHS.sum())


def test_with_tied_ranks_index_and_error_are_those_of_r():
    data = pd.read_csv(FOLDER / "equity_concentration.csv")
    found = concentration(data["received"], data["exposure"], data["rank"])
    assert found.index == pytest.approx(expected("invented")["index"], abs=1e-10)
    assert found.standard_error == pytest.approx(expected("invented")["jackknife_error"], abs=1e-10)


def test_the_order_of_rows_does_not_matter_even_among_equal_ranks():
    data = pd.read_csv(FOLDER / "equity_concentration.csv")
    back = data[::-1]
    once, again = (concentration(d["received"], d["exposure"], d["rank"]) for d in (data, back))
    assert again.index == pytest.approx(once.index)
    pd.testing.assert_frame_equal(once.curve[["received_share"]], again.curve[["received_share"]])


def test_everything_to_the_first_is_near_minus_one_and_to_the_last_near_one():
    first, last = [99, 1, 0, 0], [0, 0, 1, 99]
    assert concentration(first, [1] * 4, range(4)).index == pytest.approx(-0.745)
    assert concentration(last, [1] * 4, range(4)).index == pytest.approx(0.745)


def test_equal_rates_give_the_line_of_equal_shares_whatever_the_exposure():
    found = concentration([2, 4, 6], [1, 2, 3], [5, 3, 9])
    assert found.index == pytest.approx(0)
    assert found.first_half == pytest.approx(0.5)


def test_the_first_half_is_read_from_the_curve():
    found = concentration([1, 2, 3, 4], [1] * 4, range(4))
    assert found.first_half == pytest.approx(0.3)
    assert found.first_half_low < 0.3 < found.first_half_high
    assert found.curve["low"].between(0, 1).all()
    assert found.curve["high"].between(0, 1).all()


def test_the_same_data_give_the_same_limits():
    once, again = (concentration([1, 2, 3, 4], [1] * 4, range(4)) for _ in range(2))
    pd.testing.assert_frame_equal(once.curve, again.curve)


def test_the_gini_index_is_of_rates_and_never_negative():
    assert lorenz([4, 1, 0, 3], [1] * 4).index == pytest.approx(lorenz([0, 1, 3, 4], [1] * 4).index)
    assert lorenz([4, 1, 0, 3], [1] * 4).index == pytest.approx(0.4375)  # by hand: 1 - 2 x area


def test_exactly_equal_shares_have_a_gini_of_0_and_no_interval():
    found = lorenz([2, 4, 6], [1, 2, 3])
    assert found.index == 0
    assert np.isnan(found.low)


def test_chance_alone_gives_a_gini_above_0_that_falls_with_the_number_of_visits():
    few, many = gini_by_chance(40, [1] * 10), gini_by_chance(4000, [1] * 10)
    assert 0.2 < few[0] < few[1]  # four visits each, on average
    assert many[1] < 0.05
    assert gini_by_chance(40, [1] * 10) == few


def test_a_lot_seldom_leaves_out_a_unit_where_there_are_many_visits():
    assert none_by_chance(2, [1, 1]) == pytest.approx(2 * 0.25)
    assert none_by_chance(1, [1, 3]) == pytest.approx(0.75 + 0.25)
    assert none_by_chance(250, [1] * 24) < 0.001


@pytest.mark.parametrize(
    ("received", "exposure", "rank", "message"),
    [
        ([1, 2], [1, 1], [1, 2], "2 units make no curve"),
        ([0, 3, 0], [1, 1, 1], [1, 2, 3], "all of it by one unit: there is no curve"),
        ([1, 2, 3], [1, 1, 1], [5, 5, 5], "the same rank"),
        ([1, 2, 3], [1, 0, 1], [1, 2, 3], r"1 of 3 units \(at 1\) cannot be ranked.*exposure above 0"),
        ([1, 2, 3], [1, 1, 1], [1, np.nan, 3], "leave them out and say so"),
        ([1, 2, 3], [1, 1], [1, 2, 3], "give one of each a unit"),
    ],
)
def test_what_makes_no_curve_is_refused_in_words(received, exposure, rank, message):
    with pytest.raises(DataError, match=message):
        concentration(received, exposure, rank)
