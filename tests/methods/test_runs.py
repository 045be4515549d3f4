"""The two runs rules: their limits, what they count, and how often they are wrong."""

from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest

from qieval.methods.runs import (
    anhoej_limits,
    chance_of_run,
    false_signal_rate,
    frozen_limits,
    runs,
    tied_limits,
)
from tests.methods.conftest import case

C20 = case("c20_anhoej")


def on_sides(signs: str) -> list[float]:
    """Values above (+), below (-) or on (0) a centre line of 0, or missing (.)."""
    return [{"+": 1.0, "-": -1.0, "0": 0.0, ".": np.nan}[sign] for sign in signs]


# --- what is counted -------------------------------------------------------------------------------


def test_a_run_is_consecutive_points_on_one_side_and_a_crossing_a_change_of_side():
    found = runs(on_sides("+++--+-"), 0)
    assert (found.n_useful, found.longest_run, found.crossings) == (7, 3, 3)


def test_points_on_the_line_neither_make_nor_break_a_run():
    found = runs(on_sides("++0+-0-"), 0)
    assert (found.n_useful, found.longest_run, found.crossings) == (5, 3, 1)


def test_missing_points_neither_make_nor_break_a_run():
    found = runs(on_sides("++.+-.-"), 0)
    assert (found.n_useful, found.longest_run, found.crossings) == (5, 3, 1)


def test_a_touch_of_the_line_between_two_sides_is_one_crossing():
    found = runs(on_sides("+0-"), 0)
    assert (found.longest_run, found.crossings) == (1, 1)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [5.0, 5.0, 5.0]])
def test_nothing_off_the_line_leaves_nothing_to_judge(values):
    found = runs(values, 5.0)
    assert (found.n_useful, found.longest_run, found.crossings, found.signal) == (0, 0, 0, None)


def test_without_a_centre_line_nothing_is_judged():
    found = runs([1.0, 2.0, 3.0], np.nan, baseline=1)
    assert (found.n_useful, found.signal) == (0, None)


def test_fewer_than_ten_useful_points_are_not_judged_however_extreme():
    assert runs(on_sides("++++++++++0"), 0).signal is True
    assert runs(on_sides("+++++++++00"), 0).signal is None


def test_the_callers_values_are_left_as_they_were():
    values = np.array([1.0, np.nan, 3.0])
    runs(values, 2.0, baseline=2)
    assert np.array_equal(values, [1.0, np.nan, 3.0], equal_nan=True)


# --- limits about the median of all points: Anhoej ---------------------------------------------------


@pytest.mark.parametrize("n", sorted({int(name.split("_")[0][1:]) for name in C20}))
def test_limits_about_the_median_of_all_points_are_those_of_anhoej(n):
    assert anhoej_limits(n) == (C20[f"n{n}_longest_run_max"], C20[f"n{n}_crossings_min"])


def test_limits_equal_those_of_qicharts2_for_every_length(reference):
    expected = pd.read_csv(reference / "reference" / "spc" / "expected" / "anhoej_critical_values.csv")
    found = [anhoej_limits(n) for n in expected["n_useful"]]
    assert found == list(zip(expected["longest_run_max"], expected["n_crossings_min"].abs(), strict=True))


def test_no_point_has_no_limit():
    assert anhoej_limits(0) == (0, 0)


def test_decisions_equal_those_of_the_authors_for_every_longest_run_and_crossings(reference):
    expected = pd.read_csv(reference / "reference" / "spc" / "expected" / "runs_decisions.csv")
    for n, crossings, longest, signal in expected[["n", "crossings", "longest", "anhoej"]].itertuples(index=False):
        found = runs(series_with(n, crossings, longest), 0)
        assert (found.n_useful, found.crossings, found.longest_run) == (n, crossings, longest)
        assert found.signal is bool(signal), (n, crossings, longest)


def series_with(n, crossings, longest):
    """A series of so many points with exactly so many crossings and so long a longest run."""
    lengths, left = [longest], n - longest
    for runs_left in range(crossings, 0, -1):
        lengths.append(min(longest, left - (runs_left - 1)))
        left -= lengths[-1]
    return [(-1.0) ** number for number, length in enumerate(lengths) for _ in range(length)]


def test_a_series_judged_by_qicharts2_is_judged_alike(shipped):
    values = pd.read_csv(shipped / "spc" / "expected" / "syn_run.csv")
    counts = pd.read_csv(shipped / "spc" / "data" / "syn_monthly.csv")
    share = counts["num"] / counts["den"]
    found = runs(share, float(share.median()))
    assert share.median() == pytest.approx(float(values["cl"].iloc[0]), rel=1e-12)
    assert (found.n_useful, found.longest_run, found.longest_run_limit) == (36, 11, 8)
    assert (found.crossings, found.crossings_limit) == (8, 13)
    assert found.signal is True


def test_a_baseline_of_all_points_has_the_limits_of_anhoej():
    values = np.arange(12.0)
    assert runs(values, 5.5, baseline=12) == runs(values, 5.5)


# --- limits about the median of a baseline -----------------------------------------------------------

DRAWS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "skewed": lambda rng, n: rng.lognormal(sigma=1.5, size=n),
    "ten births a month": lambda rng, n: rng.binomial(10, 0.5, n) / 10,
    "near the ceiling": lambda rng, n: rng.binomial(14, 0.85, n) / 14,
    "births that vary": lambda rng, n: (lambda births: rng.binomial(births, 0.9) / births)(rng.poisson(14, n) + 1),
    "a death now and then": lambda rng, n: rng.poisson(0.5, n).astype(float),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_small_counts_signal_no_more_often_than_measured_values_when_nothing_changed(draw):
    rng = np.random.default_rng(7)
    signals = 0
    for _ in range(80):
        values = draw(rng, 36)
        signals += bool(runs(values, float(np.median(values[:9])), baseline=9).signal)
    # Three standard errors above 5%, since the series are few; limits that overlook ties would signal in 20 to 70.
    assert signals <= 9


def test_the_limits_hold_one_time_in_twenty_over_many_series():
    rng = np.random.default_rng(11)
    for values in (rng.normal(size=(1500, 36)), rng.exponential(size=(1500, 36)) ** 2):
        signals = [runs(row, float(np.median(row[:9])), baseline=9).signal for row in values]
        assert np.mean(signals) <= 0.05


def test_limits_for_the_median_of_all_points_would_signal_a_fifth_of_the_time_on_nine_baseline_months():
    assert false_signal_rate(36, 9) == pytest.approx(0.19, abs=0.02)
    rng = np.random.default_rng(13)
    longest_limit, crossings_limit = anhoej_limits(35)
    found = [runs(row, float(np.median(row[:9])), baseline=9) for row in rng.normal(size=(1000, 36))]
    signals = [one.longest_run > longest_limit or one.crossings < crossings_limit for one in found]
    assert np.mean(signals) == pytest.approx(0.19, abs=0.03)


def test_a_shorter_baseline_allows_a_longer_run():
    limits = [frozen_limits(36, baseline)[0] for baseline in (3, 6, 9, 12, 18, 24)]
    assert limits == sorted(limits, reverse=True)


def test_the_same_series_always_has_the_same_limits():
    values = [0.5, 0.5, 0.6, 0.4, 0.5, 0.6, 0.7, 0.4, 0.5, 0.6]
    assert tied_limits(values, 5) == tied_limits(values, 5)


def test_limits_do_not_depend_on_the_order_the_values_came_in_nor_on_their_spacing():
    values = np.random.default_rng(3).normal(size=36)
    assert tied_limits(values, 9) == tied_limits(np.exp(values[::-1]), 9) == frozen_limits(36, 9)


def test_equal_values_have_limits_of_their_own():
    rare = [float(deaths) for deaths in "001002000100100300101002001000102010"]
    found = runs(rare, 0.0, baseline=9)
    # All months with an event lie above a median of 0: that is one long run, and no sign of change.
    assert (found.n_useful, found.longest_run, found.crossings) == (12, 12, 0)
    assert found.longest_run_limit >= 12
    assert found.signal is False


def test_an_unbroken_run_off_the_line_is_told_from_values_scattered_among_those_on_it():
    values = [0.0] * 12 + [0.6, 0.5, 0.7, 0.4, 0.6, 0.8, 0.5, 0.6, 0.7, 0.5, 0.6, 0.8]
    assert runs(values, 0.0, baseline=12).signal is True
    scattered = [value for pair in zip(values[:12], values[12:], strict=True) for value in pair]
    assert runs(scattered, 0.0, baseline=12).longest_run == 12
    assert runs(scattered, 0.0, baseline=12).signal is False


@pytest.mark.parametrize("draw", ["normal", "skewed", "near the ceiling"])
def test_a_clear_shift_is_found(draw):
    rng = np.random.default_rng(17)
    found = 0
    for _ in range(100):
        values = DRAWS[draw](rng, 36)
        spread = np.quantile(values, 0.9) - np.median(values)
        values[12:] -= 2 * spread
        found += bool(runs(values, float(np.median(values[:12])), baseline=12).signal)
    assert found >= 90


# --- the chance of a run of successes ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "expected"), [(1, (1.00, 1.00, 0.86, 0.33)), (2, (0.94, 0.68, 0.13, 0.01)), (3, (0.59, 0.21, 0.01, 0.0))]
)
def test_a_facility_constant_at_70_percent_reaches_80_percent_by_chance(length, expected):
    from scipy.stats import binom

    chances = [binom.sf(np.ceil(0.8 * cases) - 1, cases, 0.7) for cases in (10, 20, 50, 100)]
    found = [chance_of_run([chance] * 24, length) for chance in chances]
    assert found == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_the_chance_of_a_run_equals_the_sum_over_all_outcomes(length):
    chances = [0.1, 0.8, 0.3, 0.9, 0.5, 0.7, 0.2, 0.6]
    total = 0.0
    for outcome in product([True, False], repeat=len(chances)):
        if any(all(outcome[start : start + length]) for start in range(len(outcome) - length + 1)):
            total += np.prod([p if met else 1 - p for p, met in zip(chances, outcome, strict=True)])
    assert chance_of_run(chances, length) == pytest.approx(total, abs=1e-12)


def test_a_month_without_a_chance_breaks_the_run():
    assert chance_of_run([1.0, 1.0, 0.0, 1.0, 1.0], 3) == 0
    assert chance_of_run([1.0, 1.0, 1.0], 3) == 1
    assert chance_of_run([1.0, 1.0], 3) == 0
    assert chance_of_run([], 1) == 0


def test_a_longer_run_is_never_likelier():
    found = [chance_of_run([0.6] * 12, length) for length in range(1, 8)]
    assert all(shorter > longer for shorter, longer in pairwise(found))
