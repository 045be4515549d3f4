"""The best box and the cut box, by the exact joint distribution of crossings and longest run."""

from itertools import groupby, product

import numpy as np
import pytest

from qieval.methods import spc
from qieval.methods.runs import anhoej_limits
from qieval.methods.spc.boxes import SPECIFICITY, box, joint_distribution
from tests.methods.spc.conftest import OF_VALUES, monthly, only


@pytest.mark.parametrize("p", [0.5, 0.7])
def test_the_joint_distribution_equals_the_sum_over_all_sequences(p):
    n = 9
    expected = np.zeros((n, n + 1))
    for sides in product([True, False], repeat=n):
        lengths = [len(list(run)) for _, run in groupby(sides)]
        expected[len(lengths) - 1, max(lengths)] += p ** sum(sides) * (1 - p) ** (n - sum(sides))
    np.testing.assert_allclose(joint_distribution(n, p), expected, atol=1e-14)


@pytest.mark.parametrize("n", [10, 24, 57, 100])
def test_the_joint_distribution_sums_to_one(n):
    assert joint_distribution(n, 0.5).sum() == pytest.approx(1, abs=1e-10)
    assert joint_distribution(n, 0.8).sum() == pytest.approx(1, abs=1e-10)


def chance_inside(n, *, is_cut):
    joint = joint_distribution(n, 0.5)
    crossings, longest = np.indices(joint.shape)
    return joint[~box(n).signals(crossings, longest, is_cut=is_cut)].sum()


@pytest.mark.parametrize("n", [10, 16, 24, 36])
def test_no_more_than_7_and_a_half_percent_of_series_without_change_leave_the_box_whether_cut_or_not(n):
    assert chance_inside(n, is_cut=False) >= SPECIFICITY
    assert chance_inside(n, is_cut=False) >= chance_inside(n, is_cut=True) >= SPECIFICITY


def test_a_cut_takes_away_from_the_box_only():
    for n in (10, 20, 24, 36):
        crossings, longest = np.indices((n, n + 1))
        whole, cut = (box(n).signals(crossings, longest, is_cut=is_cut) for is_cut in (False, True))
        assert (cut | ~whole).all()


def test_a_chart_takes_its_limits_from_the_box():
    alternating = monthly([1.0, 3.0] * 12)
    found = only(spc.chart(alternating, "run", **OF_VALUES, rules="best_box").series)
    assert (found["longest_run_limit"], found["crossings_limit"]) == (box(24).longest, box(24).fewest)
    assert found["runs_rule"] == "best_box"
    assert (box(24).longest, box(24).fewest) != anhoej_limits(24)


@pytest.mark.parametrize("n", [8, 102])
@pytest.mark.parametrize("rules", ["best_box", "cut_box"])
def test_beyond_10_to_100_useful_points_the_limits_of_anhoej_hold(n, rules):
    found = only(spc.chart(monthly([1.0, 3.0] * (n // 2)), "run", **OF_VALUES, rules=rules).series)
    assert (found["longest_run_limit"], found["crossings_limit"]) == anhoej_limits(n)


def with_crossings_and_longest_run(n, crossings, longest):
    lengths, left = [longest], n - longest
    for runs_left in range(crossings, 0, -1):
        lengths.append(min(longest, left - (runs_left - 1)))
        left -= lengths[-1]
    return [(-1.0) ** number for number, length in enumerate(lengths) for _ in range(length)]


def test_a_cut_corner_signals_by_run_and_crossings_together():
    n = 24
    corner = with_crossings_and_longest_run(n, box(n).fewest, box(n).longest)
    assert len(corner) == n
    # Two months of 0 before it keep the centre line there.
    data = monthly([0.0, 0.0, *corner])
    whole, cut = (
        only(spc.chart(data, "i", **OF_VALUES, baseline=2, rules=rules).series) for rules in ("best_box", "cut_box")
    )
    assert (whole["crossings"], whole["longest_run"]) == (box(n).fewest, box(n).longest)
    assert (whole["runs_signal"], whole["rules"]) == (False, "")
    assert (cut["runs_signal"], cut["rules"]) == (True, "run and crossings together")
