"""Months from joining to the target: who counts as there, as open or as apart, and what chance alone would give."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import binom, poisson

from qieval.analyses.time_to_target import (
    _chance_of_having_reached,
    chance_of_meeting,
    courses,
    time_to_target,
    times_to_target,
)
from qieval.methods.runs import chance_of_run
from tests.analyses.conftest import an_indicator, make_study, monthly

BEFORE = [40, 44, 42, 41]  # of 100, from January 2022 on; facilities join in May


def study_of(*series, joined="2022-05-01", denominators=100, target=0.8, **given):
    """A facility per series of counts since joining, after four months at about 42%."""
    indicator = an_indicator(target=target, **given.pop("indicator", {}))
    rows = []
    for number, after in enumerate(series):
        rows += monthly(f"F{number}", "2022-01-01", BEFORE + list(after), denominators)
    return make_study(
        facilities=[{"facility_id": f"F{number}", "joined_on": joined} for number in range(len(series))],
        indicators=[indicator],
        measurements=rows,
        **given,
    )


def only(study):
    (result,) = times_to_target(study)
    return result


def first_row(study):
    return only(study).table.iloc[0]


# --- who reached it, and when ----------------------------------------------------------------------


def test_time_runs_from_the_month_of_joining_to_the_first_of_three_in_a_row():
    row = first_row(study_of([50, 60, 85, 86, 87, 50]))
    assert (row["status"], row["duration_months"]) == ("reached", 2)
    assert row["reached_on"] == pd.Timestamp("2022-07-01")


def test_a_facility_at_the_target_from_the_month_of_joining_took_no_month():
    assert first_row(study_of([85, 86, 87]))["duration_months"] == 0


def test_two_months_in_a_row_are_not_three_unless_the_option_says_so():
    series = [50, 85, 86, 50, 85, 50]
    assert first_row(study_of(series))["status"] == "open"
    two = study_of(series, options={"effectiveness": {"months_to_reach": 2}})
    assert first_row(two)["duration_months"] == 1


def test_a_month_not_reported_or_of_few_people_breaks_a_row():
    assert first_row(study_of([85, 86, None, 87, 50]))["status"] == "open"
    few = study_of([85, 86, 4, 87, 50], denominators=[100] * 6 + [4, 100, 100])
    assert first_row(few)["status"] == "open"


def test_who_is_short_of_it_is_open_up_to_the_last_month_a_row_could_have_begun_in():
    # Months 0 to 6: a row that began in month 5 or 6 would not be seen yet.
    row = first_row(study_of([50, 50, 50, 50, 50, 85, 86]))
    assert (row["status"], row["duration_months"]) == ("open", 4)


def test_who_began_at_the_target_had_nothing_to_reach_and_is_listed_apart():
    result = only(study_of([85, 86, 87], [50, 85, 86, 87], target=0.4))
    assert result.facilities("at target before") == ["F0", "F1"]
    assert (result.n_followed, result.refused) == (0, "no facility to follow")


def test_fewer_than_three_baseline_months_cannot_tell_where_a_facility_began():
    result = only(study_of([85, 86, 87], joined="2022-03-01"))
    assert result.table["status"].tolist() == ["no baseline"]
    assert np.isnan(result.table["baseline"].iloc[0])


def test_fewer_months_than_a_row_takes_cannot_tell():
    assert first_row(study_of([85, 86]))["status"] == "too few months"


def test_where_less_is_better_the_target_is_reached_from_above():
    study = study_of([30, 9, 8, 7], target=0.1, indicator={"better": "down"})
    assert first_row(study)["duration_months"] == 1


def test_without_a_joining_month_the_end_of_a_declared_baseline_serves():
    phases = {"baseline": ["2022-01-01", "2022-04-30"]}
    assert first_row(study_of([50, 85, 86, 87], joined=None, phases=phases))["duration_months"] == 1
    assert first_row(study_of([50, 85, 86, 87], joined=None))["status"] == "no baseline"


def test_comparison_facilities_are_not_followed():
    study = study_of([85, 86, 87])
    study["facilities"]["role"] = "comparison"
    assert only(study).table.empty


# --- the curve -------------------------------------------------------------------------------------

LATER = [
    [85] * 8,
    [50, 85, 85, 85, 50, 50, 50, 50],
    [50] * 8,
    [50, 50, 85, 85, 85, 50, 50, 50],
    [50, 50, 50, 85, 85, 85],
]


def test_the_curve_is_that_of_kaplan_and_meier_over_facilities():
    result = only(study_of(*LATER))
    assert (result.n_reached, result.n_followed) == (4, 5)
    # Reached after 0, 1, 2 and 3 months; one open at month 5.
    assert result.curve.curve["survival"].tolist() == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.2])
    assert result.curve.median == 2


def test_fewer_than_five_facilities_have_no_curve_and_fewer_than_five_arrivals_no_median():
    assert only(study_of(*LATER[:4])).refused == "too few facilities"
    assert only(study_of(*LATER[:4])).curve is None
    assert not only(study_of(*LATER)).has_median
    assert only(study_of(*LATER, [85] * 8)).has_median


def test_without_a_target_there_is_no_time_to_it():
    result = only(study_of(*LATER, target=None))
    assert (result.refused, result.curve) == ("no target", None)
    assert np.isnan(result.reached_by_chance)


# --- chance ----------------------------------------------------------------------------------------


def test_the_chance_by_month_ends_at_that_of_a_run_in_all_months():
    rng = np.random.default_rng(3)
    chances = [rng.random(9), rng.random(9), rng.random(9)]
    for length in (1, 2, 3):
        reached = _chance_of_having_reached(chances, length)
        assert reached.shape == (3, 9)
        for own, found in zip(chances, reached, strict=True):
            assert found[-length] == pytest.approx(chance_of_run(own, length), abs=1e-12)
            assert found[2] == pytest.approx(chance_of_run(own[: 2 + length], length), abs=1e-12)


@pytest.mark.parametrize(("people", "chance"), [(10, 0.59), (20, 0.21), (50, 0.01), (100, 0.00)])
def test_a_facility_that_stays_at_70_reaches_80_by_chance_as_often_as_was_simulated(people, chance):
    """Known from simulation: 24 months, three in a row."""
    rows = [monthly(f"F{i}", "2021-01-01", [0.7 * people] * 28, people) for i in range(5)]
    study = make_study(
        facilities=[{"facility_id": f"F{i}", "joined_on": "2021-05-01"} for i in range(5)],
        indicators=[an_indicator(target=0.8)],
        measurements=[row for facility in rows for row in facility],
    )
    result = only(study)
    assert result.by_chance["share"].iloc[-1] == pytest.approx(chance, abs=0.015)
    assert result.reached_by_chance == pytest.approx(5 * result.by_chance["share"].iloc[-1])


def never_changed(n, months, people=20, level=0.7, seed=7):
    """Facilities that stay at their level, followed for different times; a baseline exactly at it."""
    rng, rows = np.random.default_rng(seed), []
    for number in range(n):
        after = rng.binomial(people, level, size=months[number % len(months)])
        rows += monthly(f"F{number}", "2021-01-01", [round(level * people)] * 4 + list(after), people)
    return make_study(
        facilities=[{"facility_id": f"F{number}", "joined_on": "2021-05-01"} for number in range(n)],
        indicators=[an_indicator(target=0.8)],
        measurements=rows,
    )


def test_facilities_that_never_changed_follow_the_curve_of_chance_also_if_some_are_followed_longer():
    result = only(never_changed(300, months=(8, 24)))
    seen = 1 - result.curve.curve.set_index("time")["survival"]
    chance = result.by_chance.set_index("month")["share"]
    assert (seen - chance.loc[seen.index]).abs().max() < 0.05
    assert result.n_reached == pytest.approx(result.reached_by_chance, abs=3 * np.sqrt(result.reached_by_chance))
    assert result.is_beyond_chance is False


def test_facilities_that_did_change_are_beyond_chance():
    assert only(study_of(*LATER)).is_beyond_chance is True


def test_the_chance_of_means_and_times_is_not_known():
    result = only(study_of(*LATER, indicator={"kind": "mean"}))
    assert (result.by_chance, result.is_beyond_chance) == (None, None)
    assert np.isnan(result.reached_by_chance)
    assert result.curve is not None


@pytest.mark.parametrize("better", ["up", "down"])
@pytest.mark.parametrize("kind", ["proportion", "rate"])
def test_the_chance_of_a_month_is_that_of_the_binomial_or_poisson_distribution(better, kind):
    study = study_of([50, 50, 50], denominators=[100] * 4 + [7, 30, 55], indicator={"better": better, "kind": kind})
    (result,) = times_to_target(study)
    before, people = 0.4175, np.array([7, 30, 55])
    at_least, at_most = np.array([6, 24, 44]), np.array([5, 24, 44])  # 80% of 7 is 5.6
    if kind == "proportion":
        expected = binom.sf(at_least - 1, people, before) if better == "up" else binom.cdf(at_most, people, before)
    else:
        events = people * before
        expected = poisson.sf(at_least - 1, events) if better == "up" else poisson.cdf(at_most, events)
    found = chance_of_meeting(courses(study, result.indicator)["F0"], result.indicator, 0.8)
    assert found == pytest.approx(expected, abs=1e-12)


def test_months_that_are_not_known_have_no_chance():
    study = study_of([50, None, 50])
    (result,) = times_to_target(study)
    chances = chance_of_meeting(courses(study, result.indicator)["F0"], result.indicator, 0.8)
    assert chances[1] == 0
    assert chances[0] > 0


# --- the bundled examples --------------------------------------------------------------------------


def test_the_demo_tells_a_target_met_by_chance_from_one_met_by_change(demo):
    by_id = {result.indicator.indicator_id: result for result in times_to_target(demo)}
    deaths = by_id["newborn_deaths"]  # nothing changed there
    assert deaths.n_reached == pytest.approx(deaths.reached_by_chance, abs=3)
    assert deaths.is_beyond_chance is False
    assert by_id["skin_to_skin"].is_beyond_chance is True


def test_the_study_is_left_as_it_was(demo):
    before = {name: frame.copy() for name, frame in demo.tables.items()}
    first = times_to_target(demo)[0]
    for name, frame in before.items():
        assert_frame_equal(demo[name], frame)
    assert_frame_equal(time_to_target(demo, first.indicator).table, first.table)
