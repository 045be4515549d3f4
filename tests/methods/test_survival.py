"""The Kaplan-Meier curve and its median, against R and by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from qieval.methods.survival import kaplan_meier
from tests.methods.conftest import SHIPPED, case

C02 = case("c02_km_projects10")


def test_ten_projects_have_the_median_and_log_log_interval_of_r(shipped):
    projects = pd.read_csv(shipped / "methods" / "data" / "projects10.csv")
    found = kaplan_meier(projects["months"], projects["completed"])
    assert (found.n, found.n_events) == (10, 10)
    assert found.median == C02["log-log_median"] == 5
    assert (found.median_low, found.median_high) == (C02["log-log_median_lcl"], C02["log-log_median_ucl"]) == (3, 7)


def test_the_lung_cancer_trial_has_the_curve_of_r(reference):
    folder = reference / "reference" / "methods"
    lung = pd.read_csv(folder / "data" / "lung.csv")
    expected = pd.read_csv(folder / "expected" / "c01_km_lung.csv", index_col="quantity")["value"].astype(float)
    found = kaplan_meier(lung["time"], lung["status"] == 2)
    assert (found.n, found.n_events, found.median) == (228, 165, 310)
    assert (found.median_low, found.median_high) == (284, 361)
    steps = found.curve.set_index("time")
    for day in (100, 365, 730):
        row = steps.loc[:day].iloc[-1]
        assert row["survival"] == pytest.approx(expected[f"S[{day}]"], abs=1e-6)
        assert row["low"] == pytest.approx(expected[f"S_loglog_lcl[{day}]"], abs=1e-6)
        assert row["high"] == pytest.approx(expected[f"S_loglog_ucl[{day}]"], abs=1e-6)


def test_each_sex_of_the_lung_cancer_trial_has_the_median_of_r(reference):
    lung = pd.read_csv(reference / "reference" / "methods" / "data" / "lung.csv")
    found = {sex: kaplan_meier(own["time"], own["status"] == 2) for sex, own in lung.groupby("sex")}
    medians = {sex: (one.median, one.median_low, one.median_high) for sex, one in found.items()}
    assert medians == {1: (270, 210, 306), 2: (426, 345, 524)}


def test_the_curve_by_hand_with_one_still_open():
    # 4 at risk, 1 ends at 2; one is last seen at 3; of the 2 left one ends at 5, the other at 8.
    curve = kaplan_meier([2, 3, 5, 8], [True, False, True, True]).curve
    assert list(curve.columns) == ["time", "at_risk", "events", "censored", "survival", "low", "high"]
    assert curve["time"].tolist() == [0, 2, 3, 5, 8]
    assert curve["at_risk"].tolist() == [4, 4, 3, 2, 1]
    assert curve["events"].tolist() == [0, 1, 0, 1, 1]
    assert curve["censored"].tolist() == [0, 0, 1, 0, 0]
    assert curve["survival"].to_numpy() == pytest.approx([1, 3 / 4, 3 / 4, 3 / 8, 0], abs=1e-12)


def test_those_at_risk_are_what_the_row_before_left():
    rng = np.random.default_rng(1)
    curve = kaplan_meier(rng.integers(0, 12, 60), rng.random(60) < 0.6).curve
    left = curve["at_risk"] - curve["events"] - curve["censored"]
    assert curve["time"].iloc[0] == 0
    assert left.iloc[:-1].tolist() == curve["at_risk"].iloc[1:].tolist()
    assert left.iloc[-1] == 0
    assert (curve["events"].sum() + curve["censored"].sum()) == 60
    assert (curve["low"] <= curve["survival"]).all()
    assert (curve["high"] >= curve["survival"]).all()


def test_the_order_of_the_projects_does_not_matter():
    one, other = kaplan_meier([3, 8, 5], [True, False, True]), kaplan_meier([5, 3, 8], [True, True, False])
    pd.testing.assert_frame_equal(one.curve, other.curve)


@pytest.mark.parametrize("n", range(1, 61))
def test_the_median_of_complete_durations_is_their_plain_median(n):
    # lifelines misses one half by rounding for 6, 8, 14, 18, ... and would give the next time.
    assert kaplan_meier(np.arange(1.0, n + 1), np.ones(n)).median == np.median(np.arange(1.0, n + 1))


def test_where_less_than_half_have_ended_the_median_is_not_reached():
    found = kaplan_meier([2, 5, 6, 7], [True, False, False, False])
    assert math.isinf(found.median)
    assert math.isinf(found.median_high)


def test_none_ended_gives_a_flat_curve_and_no_median():
    found = kaplan_meier([2, 5, 6], [False, False, False])
    assert found.n_events == 0
    assert (found.curve["survival"] == 1).all()
    assert math.isinf(found.median)


def test_an_end_on_the_first_day_counts():
    found = kaplan_meier([0, 0, 0, 2], [True, True, True, True])
    assert found.curve["survival"].to_numpy() == pytest.approx([0.25, 0], abs=1e-12)
    assert found.median == 0


def test_five_projects_are_too_few_to_bound_their_median_from_above():
    # All five ended, so the curve ends at 0, where the log-log band has no limits: R gives none either.
    found = kaplan_meier([1, 2, 3, 4, 5], [True] * 5)
    assert found.median == 3
    assert math.isinf(found.median_high)


def km_cases() -> list[object]:
    rows = pd.read_csv(SHIPPED / "methods" / "expected" / "km_medians.csv").fillna(np.inf)
    return [pytest.param(row, id=row.case) for row in rows.itertuples()]


@pytest.mark.parametrize("case", km_cases())
def test_the_median_of_a_small_sample_and_its_limits_are_those_of_r(case):
    durations, observed = (np.array(text.split(), dtype=float) for text in (case.durations, case.observed))
    found = kaplan_meier(durations, observed)
    assert (found.median, found.median_low, found.median_high) == pytest.approx((case.median, case.low, case.high))


def test_the_exact_limits_of_ten_projects_are_those_of_r(shipped):
    months = pd.read_csv(shipped / "methods" / "data" / "projects10.csv")["months"]
    found = kaplan_meier(months, np.ones(10))
    expected = (C02["binom_order_median_lcl"], C02["binom_order_median_ucl"])
    assert (found.exact_low, found.exact_high) == expected == (3, 8)


@pytest.mark.parametrize("n", [6, 7, 10, 11, 25, 60])
def test_the_exact_limits_hold_the_median_with_95_percent_and_no_narrower_pair_does(n):
    found = kaplan_meier(np.arange(1.0, n + 1), np.ones(n))
    below = int(found.exact_low) - 1
    assert 2 * binom.cdf(below, n, 0.5) <= 0.05 < 2 * binom.cdf(below + 1, n, 0.5)
    assert found.exact_high == n - below


@pytest.mark.parametrize("observed", [[True] * 5, [True] * 9 + [False]], ids=["five", "one censored"])
def test_there_are_no_exact_limits_below_six_or_with_a_censored_duration(observed):
    assert math.isnan(kaplan_meier(np.arange(1.0, len(observed) + 1), observed).exact_low)
