"""How much of the gain was kept at each follow-up, and by how many."""

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.gain_kept import fall_by_chance
from tests.analyses.test_sustainment import levels, only, row, study_of, study_of_many

# --- one facility ----------------------------------------------------------------------------------


def test_many_people_tell_kept_from_lost():
    assert row(study_of(levels(0.3, 0.5, 0.5)))["outcome_12"] == "kept"
    assert row(study_of(levels(0.3, 0.5, 0.3)))["outcome_12"] == "lost"


def test_few_people_cannot_tell():
    few = [3] * 12 + [8] * 12 + [6] * 12  # 24 of 30 at the end, 18 of 30 later
    found = row(study_of(few, people=10))
    assert found["share_12"] == pytest.approx(0.6)
    assert found["share_low_12"] < 0.5 < found["share_high_12"]
    assert found["outcome_12"] == "cannot be told"


def test_a_loss_of_exactly_the_tolerance_is_kept_and_one_more_is_not():
    assert row(study_of(levels(0.3, 0.5, 0.45)))["outcome_12"] == "kept"
    assert row(study_of(levels(0.3, 0.5, 0.449)))["outcome_12"] == "lost"
    assert row(study_of(levels(0.3, 0.5, 0.43), tolerance=0.1))["outcome_12"] == "kept"


def test_within_the_tolerance_but_less_than_half_of_a_small_gain_is_not_kept():
    assert row(study_of(levels(0.3, 0.4, 0.34), tolerance=0.08))["outcome_12"] == "cannot be told"


def test_the_tolerance_of_a_rate_is_a_share_of_the_level_at_the_end():
    rate = {"kind": "rate", "per": 1000, "better": "down"}
    many = {"people": 10_000, "indicator": rate}
    assert row(study_of(levels(0.1, 0.08, 0.084, people=10_000), **many))["outcome_12"] == "kept"
    assert row(study_of(levels(0.1, 0.08, 0.0875, people=10_000), **many))["outcome_12"] == "lost"


def test_means_that_do_not_scatter_are_kept_or_lost_by_their_level():
    minutes = {"people": 10, "indicator": {"kind": "mean", "better": "down"}}
    assert row(study_of([600] * 12 + [400] * 24, **minutes))["outcome_12"] == "kept"
    assert row(study_of([600] * 12 + [400] * 12 + [560] * 12, **minutes))["outcome_12"] == "lost"


# --- windows ---------------------------------------------------------------------------------------


def test_two_of_three_months_are_a_level_and_one_is_not():
    values = levels(0.3, 0.5, 0.5)
    two, one = [*values[:35], None], [*values[:34], None, None]
    assert row(study_of(two))["outcome_12"] == "kept"
    assert row(study_of(one))["outcome_12"] == "not reported"


def test_a_level_needs_people_enough():
    people = [10] * 33 + [1, 1, 1]
    values = [1] * 12 + [5] * 9 + [9] * 3 + [10] * 9
    assert row(study_of([*values, 1, 1, 1], people=people))["outcome_12"] == "not reported"


def test_not_reported_is_not_sustained_and_not_lost():
    found = row(study_of(levels(0.3, 0.5, 0.5)[:30]))
    assert (found["outcome_6"], found["outcome_12"]) == ("kept", "not reported")
    assert np.isnan(found["share_12"])


def test_a_follow_up_after_the_data_cut_is_too_early():
    found = row(study_of(levels(0.3, 0.5, 0.5)[:33], data_cut="2023-09-30"))
    assert (found["outcome_6"], found["outcome_12"]) == ("kept", "too early")


# --- over facilities -------------------------------------------------------------------------------


def test_due_known_kept_and_lost_are_counted():
    horizon = only(study_of_many(0.5, 0.5, 0.4, 0.3, 0.5, None)).horizons[1]
    assert (horizon.months_after, horizon.n_due, horizon.n_known) == (12, 6, 5)
    assert (horizon.n_kept, horizon.n_lost, horizon.n_untold) == (3, 2, 0)
    assert (horizon.kept.low, horizon.kept.high) == pytest.approx((0.2307, 0.8824), abs=5e-5)


def test_the_share_kept_together_has_its_interval_and_prediction_interval():
    share = only(study_of_many(0.5, 0.5, 0.4, 0.3, 0.5)).horizons[1].share
    assert share.estimate == pytest.approx(0.7, abs=0.01)  # 1, 1, one half, none and 1
    assert share.k == 5
    assert share.prediction_low < share.low < 0.7 < share.high < share.prediction_high


def test_fewer_than_five_facilities_have_no_interval_and_no_average():
    horizon = only(study_of_many(0.5, 0.5, 0.4, 0.3)).horizons[1]
    assert (horizon.n_known, horizon.n_kept, horizon.kept, horizon.share) == (4, 2, None, None)


# --- regression to the mean ------------------------------------------------------------------------


def test_gains_above_the_average_are_expected_to_fall_and_those_below_to_rise():
    indicator = only(study_of(levels(0.3, 0.5, 0.5))).indicator
    gains = np.array([0.1, 0.15, 0.2, 0.25, 0.3])
    table = pd.DataFrame({"baseline": 0.3, "end": 0.3 + gains, "baseline_se": 0.05, "end_se": 0.1})
    found = fall_by_chance(table, indicator)
    # No more spread than chance: all that is above the average is error, and the end has 4/5 of its variance.
    assert found["fall"].tolist() == pytest.approx(list(0.8 * (gains - 0.2)))
    assert found["true_end"].tolist() == pytest.approx(list(0.5 + 0.2 * (gains - 0.2)))


def test_fewer_than_five_facilities_tell_nothing_of_regression_to_the_mean():
    assert np.isnan(only(study_of_many(0.5, 0.5, 0.4, 0.3)).fall_by_chance)
    assert not np.isnan(only(study_of_many(0.5, 0.5, 0.4, 0.3, 0.5)).fall_by_chance)


def test_the_fall_expected_is_the_fall_that_comes_where_nothing_is_lost():
    rng = np.random.default_rng(3)
    indicator = only(study_of(levels(0.3, 0.5, 0.5))).indicator
    seen, expected = [], []
    for _ in range(200):
        truth = 0.35 + rng.normal(0.15, 0.06, 30)
        end, baseline = rng.binomial(30, np.clip(truth, 0, 1)) / 30, rng.binomial(120, 0.35, 30) / 120
        errors = np.sqrt(end.mean() * (1 - end.mean()) / 30), np.sqrt(0.35 * 0.65 / 120)
        table = pd.DataFrame({"baseline": baseline, "end": end, "baseline_se": errors[1], "end_se": errors[0]})
        chosen = end - baseline > 0.2
        seen.append((end - truth)[chosen].mean())
        expected.append(fall_by_chance(table, indicator)["fall"][chosen].mean())
    assert np.mean(seen) > 0.06  # points that were never there
    assert np.mean(expected) == pytest.approx(np.mean(seen), abs=0.01)
