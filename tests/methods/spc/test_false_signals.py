"""The table of false signals: what it holds, how it is read, and that it is what simulation gives."""

import numpy as np
import pandas as pd
import pytest

from qieval.errors import ParameterError
from qieval.methods import spc


@pytest.mark.parametrize(("n", "rate"), [(12, 0.013), (24, 0.031), (36, 0.042), (60, 0.044)])
def test_anhoej_run_charts_signal_as_often_as_was_measured_elsewhere(n, rate):
    # 200,000 series each; ours has 20,000, so that a third of a percentage point is chance.
    assert spc.false_signal_rate("anhoej", n, has_limits=False) == pytest.approx(rate, abs=0.004)


@pytest.mark.parametrize("rules", ["mdc", "nelson", "western_electric", ("outside", "anhoej")])
def test_the_table_is_what_a_fresh_simulation_gives(rules):
    rng = np.random.default_rng(99)
    data = pd.DataFrame(
        {"series": np.repeat(range(3000), 24), "period": [*range(24)] * 3000, "value": rng.standard_normal(72000)}
    )
    found = spc.chart(data, "i", period="period", value="value", by="series", rules=rules).series
    error = np.sqrt(0.2 * 0.8 / 3000)
    assert found["rules"].ne("").mean() == pytest.approx(spc.false_signal_rate(rules, 24), abs=4 * error)


def test_a_baseline_makes_the_usual_limits_signal_more_and_ours_do_not():
    assert spc.false_signal_rate("anhoej", 36, baseline=9, has_limits=False) > 0.15
    assert spc.false_signal_rate("anhoej_baseline", 36, baseline=9, has_limits=False) < 0.05


def test_between_lengths_the_rate_is_in_proportion_and_beyond_the_last_it_stays():
    low, high = (spc.false_signal_rate("mdc", n) for n in (24, 30))
    assert spc.false_signal_rate("mdc", 27) == pytest.approx((low + high) / 2)
    assert spc.false_signal_rate("mdc", 500) == spc.false_signal_rate("mdc", 120)


def test_rules_that_are_not_in_the_table_together_are_added():
    both = spc.false_signal_rate(("ihi", "anhoej"), 24)
    assert both == pytest.approx(spc.false_signal_rate("ihi", 24) + spc.false_signal_rate("anhoej", 24))


def test_the_order_of_rules_does_not_matter():
    assert spc.false_signal_rate(("outside", "anhoej"), 24) == spc.false_signal_rate(("anhoej", "outside"), 24)


@pytest.mark.parametrize(
    ("rules", "given", "message"),
    [
        ("magic", {"n_points": 24}, r"rules: 'magic' is not among anhoej"),
        ("mdc", {"n_points": 24, "has_limits": False}, r"rules: the table of false signals has no mdc for run charts"),
        ("mdc", {"n_points": 9}, r"9 points with a baseline of 9 are fewer than the table.*10 points"),
        ("mdc", {"n_points": 24, "baseline": 3}, r"24 points with a baseline of 3 are fewer.*a baseline of 6\."),
    ],
)
def test_what_the_table_does_not_hold_is_refused_in_words(rules, given, message):
    with pytest.raises(ParameterError, match=message):
        spc.false_signal_rate(rules, **given)


def test_no_rule_at_all_is_refused():
    with pytest.raises(ParameterError, match="rules: none is not among"):
        spc.false_signal_rate([], 24)


def test_the_last_point_is_flagged_less_often_than_any_point():
    last = spc.last_point_rate("mdc", 36, 12)
    assert 0.03 < last < 0.1
    assert last < spc.false_signal_rate("mdc", 36, baseline=12)
