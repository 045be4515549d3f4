"""Numbers in words: rounding, units, signs and what stands where there is no number."""

import math

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.series import Indicator
from qieval.present import numbers


def indicator(kind="proportion", unit="", per=1.0):
    name = "Cord clamped late"
    return Indicator(indicator_id="I", name=name, kind=kind, better="up", target=None, per=per, unit=unit)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.434, "43%"),
        (0.0, "0%"),
        (1.0, "100%"),
        (0.004, "under 1%"),
        (0.996, "over 99%"),
        (0.006, "1%"),
        (0.994, "99%"),
        (-0.25, "−25%"),
        (2.429, "243%"),
        (np.nan, "–"),
    ],
)
def test_a_percentage_has_no_decimals_and_is_0_or_100_only_if_it_is(share, text):
    assert numbers.percent(share) == text


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (12.345, "12.3"),
        (5.0, "5"),
        (0.0, "0"),
        (100.4, "100"),
        (1234.5, "1,234"),
        (0.1234, "0.123"),
        (0.00123, "0.0012"),
        (30.0, "30"),
        (np.nan, "–"),
    ],
)
def test_a_number_has_three_digits_at_most(x, text):
    assert numbers.number(x) == text


def test_months_have_one_decimal_and_may_be_not_reached():
    assert [numbers.months(x) for x in (5.03, 8, math.inf, math.nan)] == ["5.0", "8.0", "not reached", "–"]


@pytest.mark.parametrize(
    ("estimate", "low", "high", "text"),
    [
        (34 / 14, 1.681856, 3.393685, ("2.43", "1.68 to 3.39")),
        (4 / 18, 0.06054807631, 0.5689771486, ("0.22", "0.06 to 0.57")),
        (10.93, 3.914, 42.41, ("10.9", "3.9 to 42.4")),
        (0.5, 0.0809, 2.34, ("0.50", "0.08 to 2.34")),
        (0.025, 0.00063, 0.1393, ("0.025", "0.001 to 0.139")),
        (0.0061, 0.0002, 0.034, ("0.0061", "0.0002 to 0.0340")),
        (150.2, 33.4, 1204.0, ("150", "33 to 1,204")),
        (9.999, 2.5, 40.0, ("10.0", "2.5 to 40.0")),
        (0, 0, 0.6148, ("0", "0 to 0.61")),
        (1.2, 0.305, math.inf, ("1.20", "0.30 to no upper limit")),
        (math.inf, 3.914, math.inf, ("no limit", "3.91 to no upper limit")),
        (1.5, math.nan, math.nan, ("1.50", "–")),
        (math.nan, math.nan, math.nan, ("–", "–")),
    ],
)
def test_a_ratio_and_its_limits_have_the_same_decimals_enough_for_the_estimate(estimate, low, high, text):
    assert numbers.ratio(estimate, low, high) == text


def test_a_limit_that_leaves_out_1_does_not_read_as_1():
    assert numbers.ratio(0.71, 0.491, 0.997) == ("0.710", "0.491 to 0.997")
    assert numbers.ratio(0.71, 0.491, 1.0) == ("0.71", "0.49 to 1.00")


def test_a_limit_above_0_does_not_read_as_0():
    assert numbers.ratio(0.1, 0.0025, 0.557) == ("0.10", "under 0.01 to 0.56")


def test_numbers_of_a_column_have_the_same_decimals_enough_for_the_largest():
    assert numbers.alike(pd.Series([4.97, 16.7, math.nan, 4.4])).tolist() == ["5.0", "16.7", "–", "4.4"]
    assert numbers.alike(pd.Series([0.4, 0.601, 0.0])).tolist() == ["0.40", "0.60", "0.00"]
    assert numbers.alike(pd.Series([23.1, 1204.0])).tolist() == ["23", "1,204"]
    assert numbers.alike(pd.Series([math.nan])).tolist() == ["–"]


def test_values_below_one_another_have_decimals_alike_and_a_small_rate_is_not_lost_beside_a_large_one():
    assert numbers.values(pd.Series([14.0, 7.58, 143.2, 0.0, math.nan]), indicator("rate")).tolist() == [
        "14.0", "7.6", "143.2", "0.0", "–",
    ]  # fmt: skip
    assert numbers.values(pd.Series([0.25, math.nan]), indicator()).tolist() == ["25%", "–"]


def test_a_value_is_a_percentage_only_for_a_proportion():
    assert numbers.value(0.25, indicator()) == "25%"
    assert numbers.value(0.25, indicator("rate")) == "0.25"
    assert numbers.value(math.nan, indicator()) == "–"


@pytest.mark.parametrize(
    ("x", "kind", "text"),
    [
        (0.19, "proportion", "+19 points"),
        (-0.154, "proportion", "−15 points"),
        (5.46, "rate", "+5.5"),
        (-5.46, "rate", "−5.5"),
        (0.25, "rate", "+0.25"),
        (-0.25, "rate", "−0.25"),
        (math.nan, "rate", "–"),
    ],
)
def test_a_change_carries_its_sign_and_a_proportion_changes_by_points(x, kind, text):
    assert numbers.change(x, indicator(kind)) == text


def test_the_unit_is_that_recorded_else_that_of_the_kind():
    assert numbers.unit(indicator(unit="share of births")) == "%"
    assert numbers.unit(indicator("rate", unit="deaths per 1000 births", per=1000)) == "deaths per 1000 births"
    assert numbers.unit(indicator("rate", per=1000)) == "per 1,000"
    assert numbers.unit(indicator("count")) == "per facility and month"
    assert numbers.unit(indicator("mean")) == ""
    assert numbers.axis_label(indicator()) == "Cord clamped late (%)"
    assert numbers.axis_label(indicator("mean")) == "Cord clamped late"


def test_counts_agree_with_their_noun():
    assert [numbers.count(n, "month") for n in (0, 1, 2, 1200)] == ["0 months", "1 month", "2 months", "1,200 months"]
    assert numbers.count(1, "facility", "facilities") == "1 facility"
    assert numbers.count(3, "facility", "facilities") == "3 facilities"
    assert numbers.of(3, 1204) == "3 of 1,204"
    assert [numbers.whole(x) for x in (1204.0, math.nan)] == ["1,204", "–"]


def test_names_are_listed_and_the_many_beyond_counted():
    assert numbers.listed(["A"]) == "A"
    assert numbers.listed(["A", "B"]) == "A and B"
    assert numbers.listed(("A", "B", "C")) == "A, B and C"
    assert numbers.listed(["A", "B", "C", "D"], most=2) == "A, B and 2 more"


def test_days_and_months_are_written_out():
    assert numbers.day(pd.Timestamp("2023-01-05")) == "5 Jan 2023"
    assert numbers.month(pd.Timestamp("2023-01-05")) == "Jan 2023"
    assert (numbers.day(pd.NaT), numbers.month(pd.NaT)) == ("–", "–")
