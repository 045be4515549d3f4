"""Did mentoring reach every facility, as often as planned, and lately?"""

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.coverage import coverage
from tests.analyses.conftest import make_study
from tests.analyses.test_mentoring import totals, visits


def many(done_of_planned: list[tuple[int, int]], **more):
    """A facility for each pair, with so many visits done of so many planned; extra ones were not planned."""
    facilities = [{"facility_id": f"F{i}", "name": f"N{i}", "setting": "rural"} for i in range(len(done_of_planned))]
    rows = [
        {
            "visit_id": f"V{i}_{k}",
            "facility_id": f"F{i}",
            "mentor_type": "hub",
            "planned_on": f"2023-01-{k + 1:02d}" if k < planned else None,
            "done_on": f"2023-01-{k + 1:02d}" if k < done else None,
        }
        for i, (done, planned) in enumerate(done_of_planned)
        for k in range(max(done, planned))
    ]
    return make_study(facilities=facilities, visits=rows, **more)


def every(result) -> pd.Series:
    (row,) = result.as_planned.loc[result.as_planned["group"] == "all"].to_dict(orient="records")
    return row


def test_extra_visits_to_one_facility_do_not_cover_another():
    found = every(coverage(many([(8, 4), (0, 4)])))  # as many done as planned, over all
    assert (found["capped"], found["planned"]) == (4, 8)
    assert found["total"] == 0.5
    assert found["mean"] == 0.5
    assert (found["as_planned"], found["n"]) == (1, 2)


def test_the_average_facility_counts_each_facility_once_and_the_total_each_visit():
    found = every(coverage(many([(1, 1), (0, 9)])))
    assert found["mean"] == 0.5
    assert found["total"] == 0.1


def test_a_facility_without_a_plan_is_in_no_share_of_a_plan_but_counts_as_reached():
    result = coverage(many([(2, 0), (1, 2)]))
    assert every(result)["n"] == 1
    assert (result.visited.successes, result.visited.total) == (2, 2)


def test_intervals_over_facilities_need_five_of_them():
    four, five = (every(coverage(many([(1, 2)] * n + [(2, 2)]))) for n in (3, 4))
    assert np.isnan([four["share_low"], four["mean_low"], four["total_low"]]).all()
    assert five["mean_low"] < five["mean"] < five["mean_high"]
    # Wilson, 1 of 5.
    assert (five["share_low"], five["share_high"]) == pytest.approx((0.0362, 0.6245), abs=1e-4)


def test_by_kind_of_mentor_an_extra_visit_of_one_does_not_make_up_for_a_missed_one_of_another():
    study = visits(
        ("F1", "hub", "2023-01-01", None), ("F1", "network", None, "2023-02-01"), ("F1", "network", "2023-03-01", None)
    )
    shares = coverage(study).as_planned.set_index("group")["capped"]
    assert shares["all"] == 1
    assert shares["hub"] == 0
    assert shares["network"] == 1


@pytest.mark.parametrize(("last_visit", "within"), [("2023-12-31", 3), ("2023-12-02", 3), ("2023-12-01", 2)])
def test_lately_is_counted_back_from_the_data_cut_and_ends_with_the_day_itself(last_visit, within):
    result = coverage(visits(("F1", "hub", None, last_visit)))
    assert [found.successes for found in result.recent.values()] == [int(k >= 3 - within) for k in range(3)]
    assert [found.total for found in result.recent.values()] == [2, 2, 2]


def test_the_days_that_count_as_lately_are_an_option():
    result = coverage(many([(1, 1)], options={"mentoring": {"recent_days": [7, 400]}}))
    assert list(result.recent) == [7, 400]
    assert [found.successes for found in result.recent.values()] == [0, 1]


def test_the_facilities_never_visited_are_named_with_their_plan_and_their_days():
    facilities = [
        {"facility_id": "F1", "name": "Amber", "joined_on": "2023-12-01"},
        {"facility_id": "F2", "name": "Blue", "setting": "urban", "joined_on": "2023-12-01"},
    ]
    found = coverage(
        visits(("F1", "hub", None, "2023-12-02"), ("F2", "hub", "2023-12-05", None), facilities=facilities)
    )
    assert found.never[["facility", "planned", "days"]].to_numpy().tolist() == [["Blue", 1, 30]]
    assert found.days_since["facility"].tolist() == ["Amber", "Blue"]
    assert np.isnan(found.days_since["days"].iloc[1])


def test_a_facility_without_a_recorded_joining_day_has_no_days_to_count():
    found = coverage(visits(("F1", "hub", None, "2023-12-02")))
    assert found.never["facility"].tolist() == ["Blue"]
    assert found.never["days"].isna().all()


def test_totals_reach_nobody_by_name():
    found = coverage(totals(("hub", "rural", 10, 4)))
    assert found.refused == "totals_only"
    assert found.visited is None
    assert found.as_planned.empty


def test_visits_to_comparison_facilities_alone_leave_nobody_to_reach():
    only = [{"facility_id": "C", "role": "comparison"}]
    assert coverage(visits(("C", "hub", None, "2023-02-01"), facilities=only)).refused == "no_facility"


def test_the_demo_leaves_out_the_two_facilities_drawn_never_to_be_visited(demo, simulated):
    found = coverage(demo)
    assert (found.visited.successes, found.visited.total) == (22, 24)
    done = simulated.tables["visits"].dropna(subset=["done_on"])["facility_id"].nunique()
    assert found.visited.successes == done
