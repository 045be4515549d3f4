"""Competing risks and restricted means: by hand, against R, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from qieval.errors import DataError
from qieval.methods.survival import (
    cumulative_incidence,
    gray_test,
    kaplan_meier,
    log_rank,
    restricted_mean,
    restricted_mean_difference,
    time_of_half,
)

# --- cumulative incidence --------------------------------------------------------------------------


def test_the_share_completed_by_hand_with_one_abandoned_and_one_open():
    # Of 4, one is completed at 2. One is abandoned at 3: of the 3 left 1/4 of all is lost to it. One is open at 4.
    status = ["completed", "abandoned", "ongoing", "completed"]
    found = cumulative_incidence([2, 3, 4, 5], status, cause="completed")
    assert found["time"].tolist() == [2, 3, 4, 5]
    assert found["at_risk"].tolist() == [4, 3, 2, 1]
    assert found["estimate"].tolist() == pytest.approx([1 / 4, 1 / 4, 1 / 4, 3 / 4])


def test_abandoned_projects_are_not_as_good_as_open_ones():
    # One minus Kaplan-Meier takes the abandoned for still open, and everybody would be completed in the end.
    durations, status = [2, 3, 5], ["completed", "abandoned", "completed"]
    assert cumulative_incidence(durations, status, cause="completed")["estimate"].iloc[-1] == pytest.approx(2 / 3)
    assert kaplan_meier(durations, [True, False, True]).curve["survival"].iloc[-1] == pytest.approx(0)


def test_the_shares_of_all_ways_to_end_and_of_the_open_add_up_to_one():
    rng = np.random.default_rng(1)
    durations, outcome = rng.integers(0, 10, 80), rng.integers(0, 4, 80)
    shares = sum(cumulative_incidence(durations, outcome, cause=cause)["estimate"] for cause in (1, 2, 3))
    curve = kaplan_meier(durations, outcome > 0).curve.set_index("time")["survival"]
    assert shares.tolist() == pytest.approx((1 - curve.loc[np.unique(durations)]).tolist())


def test_without_another_way_to_end_it_is_one_minus_kaplan_meier():
    rng = np.random.default_rng(2)
    durations, observed = rng.integers(1, 9, 40), rng.random(40) < 0.7
    found = cumulative_incidence(durations, observed, cause=True)
    curve = kaplan_meier(durations, observed).curve.set_index("time")
    assert found["estimate"].tolist() == pytest.approx((1 - curve.loc[found["time"], "survival"]).tolist())


def test_tied_months_give_the_same_shares_however_the_rows_are_ordered():
    durations, outcome = np.repeat([3.0, 6.0], 10), np.tile([1, 2], 10)
    order = np.random.default_rng(4).permutation(20)
    one, other = (cumulative_incidence(durations[o], outcome[o], cause=1) for o in (np.arange(20), order))
    pd.testing.assert_frame_equal(one, other)
    assert one["estimate"].tolist() == pytest.approx([0.25, 0.5])


@pytest.mark.parametrize(
    "still_open", [0, None, np.nan, False, "Censored", "censor", "Ongoing", "OPEN", " still  under way", ""]
)
def test_what_counts_as_still_open(still_open):
    found = cumulative_incidence([1, 2, 3], ["done", still_open, "done"], cause="done")
    assert found["estimate"].tolist() == pytest.approx([1 / 3, 1 / 3, 1])


def test_limits_are_log_log_and_missing_where_the_share_is_0_or_1():
    found = cumulative_incidence([1, 2, 3, 4], ["given up", "done", "done", "done"], cause="done")
    # "given up" ended in another way: of the four a quarter is lost to it.
    row = found.iloc[1]
    half = 1.959964 * row["standard_error"] / (row["estimate"] * -np.log(row["estimate"]))
    assert (row["low"], row["high"]) == pytest.approx([0.25 ** np.exp(half), 0.25 ** np.exp(-half)], rel=1e-6)
    assert np.isnan(found[["low", "high"]].iloc[0]).all()
    every = cumulative_incidence([1, 2], ["done"] * 2, cause="done")
    assert np.isnan(every[["low", "high"]].iloc[1]).all()


def test_the_time_by_which_half_have_ended_and_its_limits():
    found = cumulative_incidence(np.arange(1.0, 11), [1] * 6 + [2] * 4, cause=1)
    half, low, high = time_of_half(found)
    assert half == 5.5  # the share stays at one half from 5 to 6, as a median of an even number
    assert low == found.loc[found["high"] >= 0.5, "time"].iloc[0]
    assert math.isinf(high)  # at most 60% ever end so: their lower limit never comes up to one half
    assert time_of_half(cumulative_incidence([1, 2, 3], [1, 2, 2], cause=1))[0] == math.inf


def test_without_another_way_to_end_half_have_ended_at_the_median():
    rng = np.random.default_rng(9)
    durations, observed = rng.integers(1, 30, 41), rng.random(41) < 0.8
    curve = kaplan_meier(durations, observed)
    assert time_of_half(cumulative_incidence(durations, observed, cause=True))[0] == curve.median


# --- Gray's test -----------------------------------------------------------------------------------


def test_the_order_and_the_names_of_groups_do_not_matter():
    rng = np.random.default_rng(5)
    durations, outcome, groups = rng.integers(1, 12, 90), rng.integers(0, 3, 90), rng.integers(0, 3, 90)
    one = gray_test(durations, outcome, groups, cause=1)
    other = gray_test(durations, outcome, np.array(["z", "a", "m"])[groups], cause=1)
    assert (one.degrees_of_freedom, other.degrees_of_freedom) == (2, 2)
    assert other.statistic == pytest.approx(one.statistic)


def test_without_another_way_to_end_gray_s_test_is_close_to_log_rank():
    rng = np.random.default_rng(6)
    groups = np.repeat(["a", "b"], 200)
    durations = rng.exponential(np.where(groups == "a", 5, 6.5))
    observed = durations < 9
    gray = gray_test(np.minimum(durations, 9), observed, groups, cause=True)
    assert gray.statistic == pytest.approx(log_rank(np.minimum(durations, 9), observed, groups).statistic, rel=0.02)


def test_equal_groups_are_told_apart_in_one_of_twenty():
    rng = np.random.default_rng(8)
    found = []
    for _ in range(300):
        durations, outcome = np.ceil(rng.exponential(6, 60)), rng.choice([0, 1, 2], 60, p=[0.2, 0.5, 0.3])
        found.append(gray_test(durations, outcome, np.repeat([0, 1], 30), cause=1).p_value)
    assert 0.02 < np.mean(np.array(found) < 0.05) < 0.09


def test_gray_s_test_needs_two_groups_and_an_end_and_a_time_in_common():
    with pytest.raises(DataError, match=r"^comparing groups needs at least two of them$"):
        gray_test([1, 2], [1, 1], ["a", "a"], cause=1)
    with pytest.raises(DataError, match=r"^nothing ended as 'abandoned', so there is nothing to compare$"):
        gray_test([1, 2], ["completed"] * 2, ["a", "b"], cause="abandoned")
    with pytest.raises(
        DataError,
        match=r"^the groups were never open at the same time, or all ended at once, so they cannot be compared$",
    ):
        gray_test([1, 1, 5, 6], [0, 0, 1, 1], ["a", "a", "b", "b"], cause=1)


# --- restricted mean -------------------------------------------------------------------------------


def test_the_restricted_means_of_pbc_and_their_difference_are_those_of_survrm2(reference):
    folder = reference / "reference" / "methods"
    data = pd.read_csv(folder / "data" / "pbc_rmst.csv")
    expected = pd.read_csv(folder / "expected" / "c18_rmst_pbc.csv", index_col="quantity")["value"]
    found = {arm: restricted_mean(own["time"], own["status"] == 1, horizon=10) for arm, own in data.groupby("arm")}
    for arm in (0, 1):
        assert found[arm].estimate == pytest.approx(expected[f"rmst{arm}"], abs=1e-8)
        assert found[arm].standard_error == pytest.approx(expected[f"se{arm}"], abs=1e-8)
    difference = restricted_mean_difference(found[1], found[0])
    assert difference.estimate == pytest.approx(expected["diff"], abs=1e-8)
    assert difference.standard_error == pytest.approx(expected["diff_se"], abs=1e-8)
    assert (difference.low, difference.high) == pytest.approx((expected["diff_l"], expected["diff_u"]), abs=1e-8)


def test_where_all_have_ended_the_restricted_mean_is_the_plain_mean_of_what_fits():
    durations = np.array([2.0, 4.0, 6.0, 12.0])
    found = restricted_mean(durations, [True] * 4, horizon=10)
    assert found.estimate == pytest.approx(np.minimum(durations, 10).mean())
    assert found.standard_error == pytest.approx(np.minimum(durations, 10).std() / 2)


def test_limits_for_small_samples_are_those_of_a_plain_mean_where_all_have_ended():
    durations = np.array([2.0, 4, 6, 12, 13])
    found = restricted_mean(durations, [True] * 5, horizon=14, small_sample=True)
    wanted = stats.t.interval(0.95, 4, durations.mean(), durations.std(ddof=1) / 5**0.5)
    assert (found.low, found.high) == pytest.approx(wanted)
    assert found.standard_error == pytest.approx(durations.std() / 5**0.5)  # as survRM2, whatever the limits


def test_a_difference_in_small_samples_has_welch_s_limits_where_all_have_ended():
    one, other = np.array([2.0, 4, 6, 12, 13]), np.array([1.0, 3, 3, 4])
    means = [restricted_mean(own, np.ones(len(own)), horizon=14, small_sample=True) for own in (one, other)]
    found = restricted_mean_difference(*means, small_sample=True)
    wanted = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))
    assert found.ends == 9


def test_those_who_reach_the_horizon_are_known_up_to_it_and_those_lost_before_are_not():
    durations = np.array([2.0, 4, 6, 12, 13])
    found = restricted_mean(durations, [True, True, True, False, True], horizon=10, small_sample=True)
    cut = np.minimum(durations, 10)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 4, cut.mean(), cut.std(ddof=1) / 5**0.5))
    assert (found.ends, found.known) == (3, 5)
    assert restricted_mean([2, 4, 3], [True, True, False], horizon=4).known == 2


def test_fewer_than_two_known_times_bound_no_mean_of_a_small_sample():
    found = restricted_mean([2, 3, 4], [True, False, False], horizon=4, small_sample=True)
    assert found.known == 2
    found = restricted_mean([2, 3], [True, False], horizon=2.5, small_sample=True)
    assert found.known == 2
    found = restricted_mean([2, 1], [True, False], horizon=2.5, small_sample=True)
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_a_horizon_beyond_everybody_is_refused_while_some_are_open():
    said = r"^nobody was followed up to 9: the last was seen at 8 -> choose a horizon up to that$"
    with pytest.raises(DataError, match=said):
        restricted_mean([2, 8], [True, False], horizon=9)
    assert restricted_mean([2, 8], [True, True], horizon=9).estimate == 5


@pytest.mark.parametrize(
    ("horizon", "what"),
    [
        (0, "0 is not above 0"),
        (-2, "-2 is not above 0"),
        (np.inf, "inf is no finite number"),
        (np.nan, "nan is no finite number"),
        (None, "None is no finite number"),
    ],
)
def test_a_horizon_that_is_no_time_is_refused(horizon, what):
    with pytest.raises(DataError, match=rf"^the horizon {what} -> give the time up to which to average$"):
        restricted_mean([2, 8], [True, True], horizon=horizon)


@pytest.mark.parametrize("small_sample", [False, True])
@pytest.mark.parametrize("observed", [[False] * 3, [True] * 3], ids=["nothing ended", "all ended at once"])
def test_a_mean_without_scatter_has_no_limits(observed, small_sample):
    # From 5 to 5 would claim that the mean is known exactly.
    found = restricted_mean([5, 5, 5], observed, horizon=5, small_sample=small_sample)
    assert (found.estimate, found.standard_error) == (5, 0)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    difference = restricted_mean_difference(found, found, small_sample=small_sample)
    assert difference.estimate == 0
    assert math.isnan(difference.low)
    assert math.isnan(difference.high)


def test_means_up_to_different_horizons_are_not_compared():
    one, other = (restricted_mean([2, 8], [True, True], horizon=horizon) for horizon in (5, 6))
    with pytest.raises(DataError, match=r"^means up to 5 and up to 6 cannot be compared$"):
        restricted_mean_difference(one, other)
