"""Did projects begin while mentoring was intensive? Counted exactly, against the time in which they could begin."""

import pandas as pd
import pytest

from qieval.analyses.durations import durations
from qieval.analyses.intensive_phase import begun_in_intensive
from tests.analyses.conftest import make_study

INTENSIVE = {"intensive": ["2023-01-01", "2023-03-31"]}  # 90 of the 365 days of 2023


def begun(*days, phases=INTENSIVE, facilities=({"facility_id": "F1", "joined_on": "2023-01-01"},), **given):
    projects = [
        {"project_id": f"P{n}", "status": "ongoing", "facility_id": "F1", "started_on": day} | given
        for n, day in enumerate(days)
    ]
    tables = {"facilities": facilities} if facilities else {}
    study = make_study(projects=projects, phases=phases, data_cut="2023-12-31", **tables)
    return begun_in_intensive(study, durations(study))


def test_the_share_begun_in_the_phase_against_the_share_of_time_it_took():
    found = begun("2023-01-01", "2023-02-01", "2023-03-31", "2023-04-01")
    assert (found.share.successes, found.share.total) == (3, 4)
    assert found.time_share == 90 / 365
    assert found.ratio == pytest.approx(0.75 / (90 / 365))


def test_the_limits_are_exact():
    # 8 of 10, as in the pilot: Clopper-Pearson 44% to 97%.
    found = begun(*["2023-02-01"] * 8, *["2023-06-01"] * 2)
    assert (found.share.low, found.share.high) == pytest.approx((0.4439, 0.9748), abs=1e-4)
    assert (found.ratio_low, found.ratio_high) == pytest.approx((0.4439 * 365 / 90, 0.9748 * 365 / 90), abs=1e-3)


def test_time_is_that_of_the_facilities_each_from_its_own_joining():
    two = ({"facility_id": "F1", "joined_on": "2023-01-01"}, {"facility_id": "F2", "joined_on": "2023-12-22"})
    assert begun("2023-02-01", facilities=two).time_share == 90 / (365 + 10)


def test_a_comparison_facility_takes_no_part():
    two = ({"facility_id": "F1", "joined_on": "2023-01-01"}, {"facility_id": "C", "role": "comparison"})
    assert begun("2023-02-01", facilities=two).time_share == 90 / 365


def test_a_facility_that_joins_after_the_data_cut_adds_no_time():
    two = ({"facility_id": "F1", "joined_on": "2023-01-01"}, {"facility_id": "F2", "joined_on": "2024-06-01"})
    assert begun("2023-02-01", facilities=two).time_share == 90 / 365


@pytest.mark.parametrize("facilities", [(), ({"facility_id": "F1"},), ({"facility_id": "C", "role": "comparison"},)])
def test_without_a_joining_day_time_begins_with_the_phase(facilities):
    assert begun("2023-02-01", facilities=facilities).time_share == 90 / 365


def test_a_project_begun_before_its_facility_joined_is_counted_apart():
    found = begun("2022-12-01", "2023-02-01")
    assert (found.share.total, found.n_before) == (1, 1)


def test_a_project_of_an_unknown_facility_counts_from_the_first_joining():
    assert begun("2023-02-01", facility_id=None).share.total == 1


def test_a_planned_project_has_not_begun_and_one_without_a_date_is_counted_apart():
    assert begun("2023-02-01", status="planned") is None
    found = begun("2023-02-01", None)
    assert (found.share.total, found.n_undated) == (1, 1)


def test_a_phase_that_reaches_beyond_the_data_cut_ends_there():
    found = begun("2023-12-01", phases={"intensive": ["2023-12-01", "2024-06-30"]})
    assert found.time_share == 31 / 365
    assert found.last == pd.Timestamp("2023-12-31")


@pytest.mark.parametrize(
    "phases",
    [{}, {"baseline": ["2023-01-01", "2023-03-31"]}, {"intensive": ["2024-01-01", "2024-06-30"]}],
    ids=["no phases", "another name", "after the data cut"],
)
def test_nothing_is_said_without_such_a_phase(phases):
    assert begun("2023-02-01", phases=phases) is None


def test_nothing_is_said_where_no_facility_took_part_in_the_phase():
    late = ({"facility_id": "F1", "joined_on": "2023-06-01"},)
    phases = {"intensive": ["2023-01-01", "2023-03-31"]}
    assert begun("2023-07-01", facilities=late, phases=phases) is None


def test_the_demo_began_more_projects_in_the_phase_than_its_time(demo):
    # Seven of ten projects were drawn to begin while support lasted, which was only in this phase.
    found = begun_in_intensive(demo, durations(demo))
    assert (found.share.successes, found.share.total) == (36, 43)
    assert found.ratio_low > 1
