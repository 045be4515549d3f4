"""Three segments of a series, and what is better or worse than chance explains."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from qieval.analyses.segments import beyond_chance, gain_limits, is_better, is_worse, segments
from qieval.analyses.series import indicators
from qieval.methods.rates import proportion_difference, rate_ratio
from tests.analyses.test_sustainment import levels, study_of


def only(study):
    (indicator,) = indicators(study)
    (found,) = segments(study, indicator)
    return found, indicator


def test_month_1_is_the_first_without_support():
    found, _ = only(study_of(levels(0.3, 0.5, 0.5)))
    assert found.after["month"].tolist() == list(range(1, 13))
    assert found.after["period"].iloc[0].strftime("%Y-%m") == "2023-01"
    assert found.at_end["month"].tolist() == [-2, -1, 0]
    assert found.before["month"].tolist() == list(range(-23, -11))
    assert found.last_month == 12


def test_without_an_end_of_support_nothing_comes_after_it():
    found, _ = only(study_of(levels(0.3, 0.5, 0.5), facility={"joined_on": "2022-01-01"}))
    assert found.after.empty
    assert not found.has_levels


@pytest.mark.parametrize("counts", [(36, 120, 12, 30), (20, 60, 40, 60), (0, 9, 9, 9), (5, 50, 16, 50), (9, 30, 9, 30)])
def test_many_proportions_at_once_are_judged_as_one_by_one(counts):
    _, indicator = only(study_of(levels(0.3, 0.5, 0.5)))
    _, low, high = proportion_difference(*counts)
    assert bool(beyond_chance(*counts, indicator, way=1)) == (low > 0)
    assert bool(beyond_chance(*counts, indicator, way=-1)) == (high < 0)


@pytest.mark.parametrize(
    "counts", [(3, 100, 14, 100), (14, 100, 3, 100), (0, 50, 6, 40), (0, 50, 0, 50), (8, 90, 9, 80)]
)
def test_many_rates_at_once_are_judged_as_one_by_one(counts):
    _, indicator = only(study_of(levels(0.3, 0.5, 0.5), indicator={"kind": "rate", "per": 1000, "better": "down"}))
    _, low, high = rate_ratio(*counts)
    assert bool(beyond_chance(*counts, indicator, way=1)) == (high < 1)  # fewer is better
    assert bool(beyond_chance(*counts, indicator, way=-1)) == (low > 1)


def test_worse_is_better_turned_round():
    found, indicator = only(study_of(levels(0.3, 0.5, 0.5)))
    assert is_better(found.at_end, found.before, indicator)
    assert is_worse(found.before, found.at_end, indicator)
    assert not is_worse(found.at_end, found.before, indicator)


def test_an_array_of_counts_gives_an_array():
    _, indicator = only(study_of(levels(0.3, 0.5, 0.5)))
    said = beyond_chance(np.array([10, 40]), np.array([50, 50]), 12, 50, indicator, way=1)
    assert said.tolist() == [False, True]


@pytest.mark.parametrize("end", [0.3, 0.33, 0.36, 0.5])
@pytest.mark.parametrize("indicator", [{}, {"kind": "rate", "per": 1000}, {"better": "down"}], ids=str)
def test_a_gain_is_beyond_chance_where_its_limits_leave_out_none(end, indicator):
    found, one = only(study_of(levels(0.3, end, end, people=300), people=300, indicator=indicator))
    low, high = gain_limits(found.at_end, found.before, one)
    assert (low > 0) == is_better(found.at_end, found.before, one)
    assert (high < 0) == is_worse(found.at_end, found.before, one)


def test_the_limits_of_a_gain_are_points_of_a_proportion_and_otherwise_shares_of_the_baseline():
    found, one = only(study_of(levels(0.3, 0.5, 0.5)))
    assert gain_limits(found.at_end, found.before, one) == pytest.approx(
        proportion_difference(1500, 3000, 3600, 12000)[1:]
    )
    found, one = only(study_of(levels(0.3, 0.2, 0.2), indicator={"kind": "rate", "per": 1000, "better": "down"}))
    _, low, high = rate_ratio(600, 3000, 3600, 12000)
    assert gain_limits(found.at_end, found.before, one) == pytest.approx((1 - high, 1 - low))


def test_the_limits_of_the_gain_of_a_mean_are_those_of_welch():
    minutes = [600, 620, 580] * 4 + [500] * 9 + [400, 430, 385]
    found, one = only(study_of(minutes, people=10, indicator={"kind": "mean", "better": "down"}))
    expected = ttest_ind(found.before["value"], found.at_end["value"], equal_var=False).confidence_interval()
    assert gain_limits(found.at_end, found.before, one) == pytest.approx((expected.low / 60, expected.high / 60))


def test_a_single_month_has_no_limits_of_a_mean_and_months_that_never_vary_have_no_width():
    same, one = only(study_of([600] * 21 + [400] * 3, people=10, indicator={"kind": "mean", "better": "down"}))
    assert gain_limits(same.at_end, same.before, one) == pytest.approx((1 / 3, 1 / 3))
    assert np.isnan(gain_limits(same.at_end.iloc[:1], same.before, one)).all()


def test_a_baseline_of_0_has_no_upper_limit_of_a_gain_and_where_less_is_better_no_lower_one():
    rate = {"kind": "rate", "per": 1000}
    found, one = only(study_of([0] * 21 + [4] * 3, indicator=rate))
    assert gain_limits(found.at_end, found.before, one)[1] == np.inf
    found, one = only(study_of([0] * 21 + [4] * 3, indicator=rate | {"better": "down"}))
    assert gain_limits(found.at_end, found.before, one)[0] == -np.inf
