"""False alarms among many charts, and p-values adjusted for their number."""

import numpy as np
import pytest

from qieval.errors import DataError, ParameterError
from qieval.methods.multiplicity import adjusted_p_values, false_alarms


@pytest.mark.parametrize(("charts", "expected", "at_least_one"), [(1, 0.05, 0.05), (30, 1.5, 0.785), (50, 2.5, 0.923)])
def test_many_charts_bring_false_alarms(charts, expected, at_least_one):
    found = false_alarms(charts, rate=0.05)
    assert found.expected == pytest.approx(expected)
    assert found.at_least_one == pytest.approx(at_least_one, abs=5e-4)


def test_charts_may_have_rates_of_their_own():
    found = false_alarms(3, rate=[0.5, 0.2, 0])
    assert (found.charts, found.expected, found.at_least_one) == pytest.approx((3, 0.7, 0.6))


def test_both_numbers_are_those_of_simulated_charts():
    alarms = (np.random.default_rng(1).random((20_000, 3)) < [0.02, 0.05, 0.1]).sum(axis=1)
    found = false_alarms(3, rate=[0.02, 0.05, 0.1])
    assert (alarms.mean(), (alarms > 0).mean()) == pytest.approx((found.expected, found.at_least_one), abs=0.01)


@pytest.mark.parametrize(("charts", "rate"), [(0, 0.05), (3, [0.05, 0.05]), (2, [[0.05, 0.05]])])
def test_rates_that_do_not_fit_the_charts_are_refused(charts, rate):
    with pytest.raises(ParameterError, match=rf"rates for {charts} charts: give at least 1 chart, and one rate or one"):
        false_alarms(charts, rate=rate)


@pytest.mark.parametrize("rate", [5, -0.1, float("nan")])
def test_a_rate_is_a_proportion(rate):
    with pytest.raises(ParameterError, match=rf"^rate is {rate}: give proportions between 0 and 1, for example 0\.05$"):
        false_alarms(30, rate=rate)


def test_the_example_of_benjamini_and_hochberg_keeps_four_of_fifteen():
    # Their section 3.2: fifteen comparisons of two treatments after a myocardial infarction.
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p_values += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    adjusted = adjusted_p_values(p_values)
    assert (adjusted <= 0.05).sum() == 4
    assert adjusted[:3] == pytest.approx([0.0015, 0.003, 0.0095])
    assert adjusted[3] == pytest.approx(0.0095 * 15 / 4)


def test_the_order_stays_and_the_adjusted_rise_with_the_given():
    p_values = [0.04, 0.01, 0.03, 0.02]
    assert adjusted_p_values(p_values) == pytest.approx([0.04, 0.04, 0.04, 0.04])
    assert adjusted_p_values([0.5, 0.01]) == pytest.approx([0.5, 0.02])


def test_a_single_p_value_stays_what_it_is():
    assert adjusted_p_values([0.03]) == pytest.approx([0.03])


def test_a_chart_without_a_test_stays_without_and_does_not_count():
    assert adjusted_p_values([0.01, np.nan, 0.5]) == pytest.approx([0.02, np.nan, 0.5], nan_ok=True)
    assert np.isnan(adjusted_p_values([np.nan])).all()
    assert len(adjusted_p_values([])) == 0


def test_what_is_not_a_p_value_is_refused_with_the_value():
    with pytest.raises(DataError, match=r"^2 of 3 p-values are not between 0 and 1 \(1\.2, -0\.1\): correct them$"):
        adjusted_p_values([0.5, 1.2, -0.1])
