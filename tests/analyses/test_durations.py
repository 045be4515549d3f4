"""How long do projects take? Every project counts, and none for more than is known of it."""

import math

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.durations import DAYS_PER_MONTH, durations
from qieval.errors import DataError
from tests.analyses.conftest import make_study

START = pd.Timestamp("2022-01-01")


def project(number, months=None, status="completed", started=START, **given):
    """A project that lasted so many months of 30.44 days, to the nearest day."""
    ended = started + pd.Timedelta(days=round(months * DAYS_PER_MONTH)) if months is not None else None
    return {"project_id": f"P{number:02}", "status": status, "started_on": started, "ended_on": ended} | given


def of_months(*lengths):
    return [project(number, months) for number, months in enumerate(lengths, start=1)]


def test_ten_projects_of_3_to_10_months_have_a_median_of_5():
    result = durations(make_study(projects=of_months(3, 3, 4, 4, 5, 5, 6, 7, 8, 10)))
    assert result.n_by_status == {"planned": 0, "ongoing": 0, "completed": 10, "abandoned": 0}
    found = result.curve
    assert (found.median, found.median_low, found.median_high) == pytest.approx((5, 3, 7), abs=0.02)
    assert (result.median_if_undated_short, result.median_if_undated_long) == (found.median, found.median)


def test_an_ongoing_project_counts_up_to_the_day_last_seen_else_to_the_data_cut():
    study = make_study(
        data_cut="2022-12-31",
        projects=[
            project(1, status="ongoing", observed_to="2022-04-11"),
            project(2, status="ongoing"),
        ],
    )
    result = durations(study)
    assert result.projects["until"].tolist() == [pd.Timestamp("2022-04-11"), pd.Timestamp("2022-12-31")]
    assert result.projects["duration_months"].to_numpy() * DAYS_PER_MONTH == pytest.approx([100, 364])
    assert result.projects["ended"].tolist() == [False, False]
    assert result.curve.n_events == 0


def test_ongoing_projects_lengthen_the_median_that_completed_ones_alone_would_give():
    ended = of_months(2, 3, 4, 5, 6)
    going = [project(number, status="ongoing", observed_to="2022-08-01") for number in range(6, 10)]
    assert durations(make_study(projects=ended)).curve.median == pytest.approx(4, abs=0.02)
    assert durations(make_study(projects=ended + going)).curve.median == pytest.approx(6, abs=0.02)


def test_a_planned_project_is_counted_and_in_no_curve():
    planned = {"project_id": "P9", "status": "planned", "started_on": "2023-06-01"}
    result = durations(make_study(projects=[*of_months(3, 4), planned]))
    assert result.n_by_status["planned"] == 1
    assert result.curve.n == 2
    assert result.n_undated == 0


def test_an_abandoned_project_has_ended():
    result = durations(make_study(projects=[project(1, 4, status="abandoned")]))
    assert result.projects["ended"].tolist() == [True]
    assert result.n_by_status["abandoned"] == 1


def test_a_project_that_ends_on_its_first_day_lasted_no_time():
    result = durations(make_study(projects=of_months(0, 1, 2, 3, 4)))
    assert result.projects["duration_months"].min() == 0
    assert result.curve.curve["survival"].iloc[0] == pytest.approx(0.8)


def test_fewer_than_five_dated_projects_have_no_median():
    result = durations(make_study(projects=of_months(3, 4, 5, 6)))
    assert not result.has_median
    assert np.isnan(result.median_if_undated_short)
    assert durations(make_study(projects=of_months(3, 4, 5, 6, 7))).has_median


def test_undated_projects_are_counted_and_bound_the_median_from_both_sides():
    undated = [{"project_id": name, "status": "completed"} for name in ("no dates", "none either")]
    result = durations(make_study(projects=of_months(2, 4, 6, 8, 10) + undated))
    assert result.n_undated == 2
    assert result.curve.n == 5
    # Seven in all, so the fourth decides: 0, 0, 2, 4 ... or ... 8, 10, longer, longer.
    assert result.median_if_undated_short == pytest.approx(4, abs=0.02)
    assert result.median_if_undated_long == pytest.approx(8, abs=0.02)


def test_an_undated_project_still_open_can_only_lengthen_the_median():
    dated, undated = of_months(2, 4, 6, 8, 10), [{"project_id": name, "status": "ongoing"} for name in "AB"]
    result = durations(make_study(projects=dated + undated[:1]))
    assert result.n_undated == 1
    assert result.median_if_undated_short == pytest.approx(6, abs=0.02)
    assert result.median_if_undated_long == pytest.approx(7, abs=0.02)
    two = durations(make_study(projects=dated + undated))
    assert two.median_if_undated_long == pytest.approx(8, abs=0.02)


def test_many_undated_projects_leave_the_upper_bound_open():
    undated = [{"project_id": f"U{number}", "status": "completed"} for number in range(6)]
    result = durations(make_study(projects=of_months(2, 4, 6, 8, 10) + undated))
    assert result.median_if_undated_short == 0
    assert math.isinf(result.median_if_undated_long)


def test_without_any_date_there_is_no_curve():
    result = durations(make_study(projects=[{"project_id": "P1", "status": "completed"}]))
    assert result.curve is None
    assert result.n_undated == 1


def test_no_project_is_refused_in_words():
    with pytest.raises(DataError, match="the table projects holds no project"):
        durations(make_study(projects=[]))


def test_projects_stand_in_order_of_start_with_facility_and_setting():
    study = make_study(
        facilities=[{"facility_id": "F1", "name": "Amber", "setting": "rural"}],
        projects=[
            project(1, 3, started=pd.Timestamp("2022-05-01"), facility_id="F1"),
            project(2, 3, started=pd.Timestamp("2022-02-01")),
        ],
    )
    table = durations(study).projects
    assert table["project_id"].tolist() == ["P02", "P01"]
    assert table["facility"].tolist()[1] == "Amber"
    assert table["setting"].tolist()[1] == "rural"


def test_visits_while_running_are_those_to_the_projects_own_facility_between_its_days():
    visit = {"facility_id": "F1", "mentor_type": "hub"}
    study = make_study(
        facilities=[{"facility_id": "F1"}, {"facility_id": "F2"}],
        projects=[project(1, 3, facility_id="F1")],
        visits=[
            visit | {"visit_id": "before", "done_on": "2021-12-31"},
            visit | {"visit_id": "first day", "done_on": "2022-01-01"},
            visit | {"visit_id": "while", "done_on": "2022-02-01"},
            visit | {"visit_id": "after", "done_on": "2022-06-01"},
            visit | {"visit_id": "missed", "planned_on": "2022-02-01"},
            visit | {"visit_id": "elsewhere", "facility_id": "F2", "done_on": "2022-02-01"},
        ],
    )
    assert durations(study).visits["done_on"].dt.strftime("%Y-%m-%d").tolist() == ["2022-01-01", "2022-02-01"]


# --- the pilot in India ----------------------------------------------------------------------------


def test_the_pilot_has_ten_completed_projects_of_which_seven_are_dated(hub_spoke):
    result = durations(hub_spoke)
    assert result.n_by_status == {"planned": 0, "ongoing": 0, "completed": 10, "abandoned": 0}
    assert result.curve.n == result.curve.n_events == 7
    assert result.n_undated == 3


def test_the_pilots_durations_run_from_first_day_to_first_day(hub_spoke):
    table = durations(hub_spoke).projects.set_index("project_id")["duration_months"].dropna()
    days = (table * DAYS_PER_MONTH).round().astype(int)
    # The paper prints 272 for project 2: counted to the last day, unlike the others.
    assert days.to_dict() == {"1": 92, "2": 243, "3": 304, "4": 304, "5": 121, "6": 153, "7": 273}


def test_the_pilots_median_is_bounded_whatever_the_undated_projects_took(
    hub_spoke,
):
    result = durations(hub_spoke)
    assert result.median_if_undated_short == pytest.approx((121 + 153) / 2 / DAYS_PER_MONTH)
    assert result.median_if_undated_long == pytest.approx((273 + 304) / 2 / DAYS_PER_MONTH)
    assert result.curve.median == pytest.approx(243 / DAYS_PER_MONTH)
