"""Oldham's correlation and the expected regression to the mean: by hand, against scipy and by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from qieval.errors import DataError, ParameterError
from qieval.methods.regression_to_mean import expected_regression, oldham


def identical(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Shares of 30 people in facilities that all have the same true level."""
    return rng.binomial(30, 0.55, shape) / 30


# --- change and initial level ----------------------------------------------------------------------


def test_the_correlations_by_hand():
    # Changes 3, 1, 0, -1, -3 and means 2.5, 2.5, 3, 3.5, 3.5 of five that came together and crossed over.
    found = oldham([1, 2, 3, 4, 5], [4, 3, 3, 3, 2])
    assert found.n == 5
    assert found.oldham == pytest.approx(-4 / math.sqrt(20 * 1))
    assert found.naive == pytest.approx(-14 / math.sqrt(20 * 10))
    assert (found.sd_baseline, found.sd_follow_up) == pytest.approx((math.sqrt(2.5), math.sqrt(0.5)))


def test_the_p_value_is_that_of_pitman_and_morgan_for_equal_variances():
    rng = np.random.default_rng(1)
    before, after = rng.normal(60, 10, 12), rng.normal(70, 6, 12)
    # Morgan's form: from both variances and their correlation.
    ratio, r = before.var() / after.var(), np.corrcoef(before, after)[0, 1]
    t = (ratio - 1) * math.sqrt(10) / (2 * math.sqrt(ratio * (1 - r**2)))
    assert oldham(before, after).p_value == pytest.approx(2 * stats.t.sf(abs(t), 10))


def test_the_interval_is_that_of_fisher():
    rng = np.random.default_rng(2)
    found = oldham(rng.normal(60, 10, 20), rng.normal(70, 6, 20))
    half_width = 1.959964 / math.sqrt(17)
    limits = math.tanh(math.atanh(found.oldham) - half_width), math.tanh(math.atanh(found.oldham) + half_width)
    assert (found.low, found.high) == pytest.approx(limits, abs=1e-6)


def test_a_higher_level_gives_a_wider_interval():
    before, after = [1, 2, 4, 7, 9], [3, 2, 6, 5, 9]
    assert oldham(before, after, level=0.99).low < oldham(before, after).low


def test_among_identical_facilities_the_naive_correlation_misleads_and_that_of_oldham_does_not():
    rng = np.random.default_rng(3)
    found = [oldham(identical(rng, 40), identical(rng, 40)) for _ in range(200)]
    assert np.mean([one.naive for one in found]) == pytest.approx(-math.sqrt(0.5), abs=0.02)
    assert np.mean([one.oldham for one in found]) == pytest.approx(0, abs=0.03)
    assert 0.01 <= np.mean([one.p_value < 0.05 for one in found]) <= 0.1


def test_facilities_that_came_closer_together_are_found():
    rng = np.random.default_rng(4)
    before = rng.normal(60, 10, 60)
    found = oldham(before, 80 + 0.4 * (before - 60) + rng.normal(0, 2, 60))
    assert found.high < 0
    assert found.p_value < 0.001


def test_turning_the_scale_round_changes_nothing():
    before, after = np.array([1.0, 2, 4, 7, 9]), np.array([3.0, 2, 6, 5, 9])
    one, other = oldham(before, after), oldham(10 - before, 10 - after)
    assert (one.oldham, one.naive) == pytest.approx((other.oldham, other.naive))


def test_points_on_one_line_are_certain():
    found = oldham([1, 2, 3, 4, 5], [5, 5.5, 6, 6.5, 7])
    assert (found.oldham, found.low, found.high, found.p_value) == pytest.approx((-1, -1, -1, 0), abs=1e-6)


def test_fewer_than_five_facilities_are_refused():
    with pytest.raises(DataError, match=r"^4 facilities are too few .* at least 5\. Show each facility's baseline"):
        oldham([1, 2, 3, 4], [2, 3, 4, 4])


def test_a_missing_value_is_refused():
    with pytest.raises(DataError, match=r"^1 of 6 facilities lack a baseline or a follow-up: drop them, and say so$"):
        oldham([1, 2, 3, 4, 5, np.nan], [1, 2, 3, 4, 6, 6])


def test_unequal_lengths_are_refused():
    with pytest.raises(DataError, match=r"differ in shape \(\(5,\) and \(4,\)\): give one value of each per facility"):
        oldham([1, 2, 3, 4, 5], [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([3, 3, 3, 3, 3], [1, 2, 3, 4, 5]),
        ([0.1, 0.2, 0.3, 0.4, 0.5], [0.3, 0.4, 0.5, 0.6, 0.7]),
        ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1]),
    ],
    ids=["baseline", "change", "mean"],
)
def test_without_variation_there_is_nothing_to_depend_on(before, after):
    with pytest.raises(DataError, match=r"the same baseline, change or mean of both.*Show the change alone\.$"):
        oldham(before, after)


# --- how much the worst seem to improve ------------------------------------------------------------


def test_the_worst_quarter_of_identical_facilities_seems_to_improve_by_11_percentage_points():
    rng = np.random.default_rng(5)
    before, after = identical(rng, 4000, 40), identical(rng, 4000, 40)
    worst = np.argsort(before + 1e-6 * rng.random(before.shape), axis=1)[:, :10]  # ties in random order
    seen = (np.take_along_axis(after, worst, 1) - np.take_along_axis(before, worst, 1)).mean()
    assert seen == pytest.approx(0.112, abs=0.002)
    # A normal curve instead of 40 counts overstates by 2 to 3%.
    assert expected_regression(0.25, sd_within=math.sqrt(0.55 * 0.45 / 30)) == pytest.approx(seen, rel=0.04)


def test_the_formula_holds_where_facilities_differ_and_baselines_are_means():
    rng = np.random.default_rng(6)
    level = rng.normal(60, 8, 200_000)
    before = (level[:, None] + rng.normal(0, 6, (200_000, 3))).mean(axis=1)
    worst = before <= np.quantile(before, 0.2)
    seen = (level + rng.normal(0, 6, 200_000) - before)[worst].mean()
    assert expected_regression(0.2, sd_within=6, sd_between=8, measurements=3) == pytest.approx(seen, rel=0.02)


def test_by_hand_the_worse_half_of_a_standard_normal():
    # The lower half of a normal distribution lies sqrt(2 / pi) below its mean; half of that is noise's part.
    assert expected_regression(0.5, sd_within=1, sd_between=1) == pytest.approx(math.sqrt(2 / math.pi) / math.sqrt(2))


def test_without_noise_nothing_regresses():
    assert expected_regression(0.25, sd_within=0, sd_between=0) == 0


@pytest.mark.parametrize(
    ("share", "options"),
    [
        (0, {"sd_within": 1}),
        (25, {"sd_within": 1}),
        (0.25, {"sd_within": -1}),
        (0.25, {"sd_within": math.nan}),
        (0.25, {"sd_within": 1, "sd_between": -1}),
        (0.25, {"sd_within": 1, "measurements": 0}),
    ],
)
def test_impossible_settings_are_refused(share, options):
    with pytest.raises(
        ParameterError, match=rf"^no expected regression for share {share}, .*give a share between 0 and 1"
    ):
        expected_regression(share, **options)
