"""When were visits planned and made, month by month?"""

import pandas as pd

from qieval.analyses.visit_months import visit_months
from tests.analyses.test_mentoring import totals, visits
from tests.analyses.test_visit_gaps import joined


def test_a_plan_counts_in_its_month_and_a_visit_in_the_month_it_was_made():
    result = visit_months(visits(("F1", "hub", "2023-10-30", "2023-11-02")))
    rows = result.months.set_index("period")
    assert rows.loc["2023-10-01", ["planned", "done"]].tolist() == [1, 0]
    assert rows.loc["2023-11-01", ["planned", "done"]].tolist() == [0, 1]
    assert pd.isna(rows.loc["2023-11-01", "ratio"])  # nothing was planned
    assert rows.loc["2023-12-01", ["planned_so_far", "done_so_far"]].tolist() == [1, 1]


def test_a_month_without_plan_or_visit_is_a_row_of_zeros_in_the_sum():
    result = visit_months(visits(("F1", "hub", "2023-09-01", "2023-09-01"), ("F1", "hub", "2023-12-01", None)))
    assert result.months["planned_so_far"].tolist() == [1, 1, 1, 2]
    assert result.months["done_so_far"].tolist() == [1, 1, 1, 1]


def test_a_plan_after_the_data_cut_is_in_no_month():
    result = visit_months(visits(("F1", "hub", "2023-12-01", None), ("F1", "hub", "2024-02-01", None)))
    assert result.months["planned"].sum() == 1
    assert result.months["period"].max() == pd.Timestamp("2023-12-01")


def test_each_kind_of_mentor_has_its_own_sum():
    result = visit_months(visits(("F1", "peer", "2023-12-01", None), ("F1", "network", None, "2023-12-05")))
    assert result.months["mentor_type"].tolist() == ["network", "peer"]
    assert result.months["done_so_far"].tolist() == [1, 0]


def test_the_calendar_marks_missed_plans_and_leaves_out_months_before_joining():
    study = visits(
        ("F0", "hub", "2023-11-10", None), ("F0", "hub", "2023-12-10", "2023-12-11"), facilities=joined("2023-10-15")
    )
    rows = visit_months(study).calendar
    assert rows["period"].dt.month.tolist() == [10, 11, 12]
    assert rows["missed"].tolist() == [0, 1, 0]
    assert rows["done"].tolist() == [0, 0, 1]


def test_a_visit_made_late_is_not_missed():
    rows = visit_months(visits(("F0", "hub", "2023-11-10", "2023-12-20"), facilities=joined("2023-11-01"))).calendar
    assert rows["missed"].sum() == 0


def test_the_calendar_adds_up_to_the_visits_of_the_demo(demo):
    result = visit_months(demo)
    assert result.calendar["done"].sum() == demo["visits"]["done_on"].notna().sum() == result.months["done"].sum()
    assert len(result.facilities) == 24
    assert len(result.support_ended) == 24


def test_totals_have_no_months():
    assert visit_months(totals(("hub", "rural", 10, 4))).months.empty


def test_visits_nobody_planned_and_plans_nobody_kept_are_counted_all_the_same():
    unplanned = visit_months(visits(("F1", "hub", None, "2023-12-05")))
    assert unplanned.months[["planned", "done"]].to_numpy().tolist() == [[0, 1]]
    unkept = visit_months(visits(("F1", "hub", "2023-12-05", None)))
    assert unkept.months[["planned", "done"]].to_numpy().tolist() == [[1, 0]]
    neither = visit_months(visits(("F1", "hub", "2024-12-05", None)))
    assert neither.months.empty
    assert neither.calendar.empty
