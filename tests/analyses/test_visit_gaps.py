"""How long do facilities wait for the next visit?"""

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.visit_gaps import visit_gaps
from tests.analyses.conftest import make_study
from tests.analyses.test_mentoring import totals, visits


def joined(*days: str | None, ended: str | None = None) -> list[dict]:
    """A facility for each joining day: F0, F1, ..."""
    return [
        {"facility_id": f"F{i}", "name": f"N{i}", "joined_on": day, "support_ended_on": ended}
        for i, day in enumerate(days)
    ]


def waits(study, facility: str = "N0") -> list[tuple[float, bool]]:
    gaps = visit_gaps(study).gaps
    own = gaps.loc[gaps["facility"] == facility]
    return list(zip(own["days"], own["ended"], strict=True))


def test_waits_run_from_joining_from_visit_to_visit_and_on_to_the_data_cut():
    made = [("F0", "hub", None, "2023-12-11"), ("F0", "peer", None, "2023-12-21")]
    study = visits(*made, facilities=joined("2023-12-01"))
    assert waits(study) == [(10, True), (10, True), (10, False)]
    assert visit_gaps(study).gaps["from_joining"].tolist() == [True, False, False]


def test_two_visits_on_one_day_are_one():
    made = [("F0", "hub", None, "2023-12-11"), ("F0", "peer", None, "2023-12-11")]
    assert waits(visits(*made, facilities=joined("2023-12-01"))) == [(10, True), (20, False)]


def test_a_facility_never_visited_has_one_open_wait_since_joining():
    study = visits(("F1", "hub", None, "2023-12-11"), facilities=joined("2023-12-01", "2023-12-01"))
    assert waits(study) == [(30, False)]


def test_without_a_joining_day_a_facility_is_followed_from_its_first_visit():
    study = visits(("F0", "hub", None, "2023-12-11"), ("F0", "hub", None, "2023-12-21"), facilities=joined(None, None))
    assert waits(study) == [(10, True), (10, False)]
    assert visit_gaps(study).not_followed == ("N1",)  # never visited, and nothing to count from


def test_a_visit_before_joining_moves_the_start():
    study = visits(("F0", "hub", None, "2023-11-21"), facilities=joined("2023-12-01"))
    assert waits(study) == [(40, False)]


def test_who_has_yet_to_join_does_not_wait():
    study = visits(("F0", "hub", None, "2023-12-11"), facilities=joined("2023-12-01", "2024-02-01"))
    assert waits(study, "N1") == []


def test_a_planned_visit_that_was_not_made_ends_no_wait():
    assert waits(visits(("F0", "hub", "2023-12-11", None), facilities=joined("2023-12-01"))) == [(30, False)]


def test_waits_begun_after_support_ended_are_kept_apart():
    made = [(f"F{i}", "hub", None, day) for i in range(5) for day in ("2023-03-01", "2023-06-01", "2023-09-01")]
    result = visit_gaps(visits(*made, facilities=joined(*["2023-01-01"] * 5, ended="2023-06-01")))
    assert [curve.begun for curve in result.curves] == ["in_support"]
    assert result.too_few == {"after_support": (5, 0)}  # begun in September and still open
    assert set(result.gaps["begun"]) == {"in_support", "after_support"}
    during = result.curves[0]
    assert (during.fitted.n, during.fitted.n_events) == (15, 15)  # those begun on the last day of support among them


def test_below_five_facilities_or_five_ended_waits_there_is_no_curve():
    few = visits(*[(f"F{i}", "hub", None, "2023-12-11") for i in range(4)], facilities=joined(*["2023-12-01"] * 4))
    none_ended = visits(("F0", "hub", None, "2023-12-11"), facilities=joined(*["2023-12-01"] * 5))
    assert (visit_gaps(few).refused, visit_gaps(few).curves) == ("few_facilities", ())
    assert (visit_gaps(none_ended).refused, visit_gaps(none_ended).curves) == ("few_ended", ())
    assert len(visit_gaps(few).gaps) == 8  # but they can be listed


def test_the_open_wait_counts_so_that_the_median_is_longer_than_that_of_ended_waits():
    made = [(f"F{i}", "hub", None, f"2023-{6 + i:02d}-01") for i in range(6)]
    result = visit_gaps(visits(*made, facilities=joined(*["2023-01-01"] * 6)))
    ended = result.gaps.loc[result.gaps["ended"], "days"].median()
    assert ended < result.curves[0].fitted.median < float("inf")


def test_the_shares_of_long_waits_are_at_the_days_of_the_option():
    made = [(f"F{i}", "hub", None, f"2023-0{1 + i}-15") for i in range(6)]
    study = visits(*made, facilities=joined(*["2023-01-01"] * 6))
    assert visit_gaps(study).curves[0].longer["days"].tolist() == [30, 60, 90]


def test_totals_have_no_waits():
    found = visit_gaps(totals(("hub", "rural", 10, 4)))
    assert found.refused == "totals_only"
    assert found.gaps.empty


def test_facilities_of_one_name_are_not_taken_for_one():
    facilities = [{"facility_id": i, "name": "Amber", "joined_on": "2023-12-01"} for i in ("F1", "F2")]
    study = make_study(
        facilities=facilities,
        visits=[{"visit_id": "V", "facility_id": "F1", "mentor_type": "hub", "done_on": "2023-12-11"}],
    )
    gaps = visit_gaps(study).gaps
    assert gaps["facility"].nunique() == 2
    assert sorted(gaps["days"]) == [10, 20, 30]


def test_no_wait_is_lost_or_made_up_in_the_demo(demo):
    gaps = visit_gaps(demo).gaps
    total = gaps.groupby("facility")["days"].sum()
    begun = gaps.groupby("facility")["begun_on"].min()
    np.testing.assert_array_equal(total, (pd.Timestamp("2023-12-31") - begun).dt.days)
    assert (~gaps["ended"]).sum() == 24  # each facility waits for its next visit


@pytest.mark.parametrize("begun", ["in_support", "after_support"])
def test_the_demo_tells_both_stretches_apart(demo, begun):
    curves = {curve.begun: curve for curve in visit_gaps(demo).curves}
    assert curves["in_support"].fitted.median_high < curves["after_support"].fitted.median_low
    assert curves[begun].fitted.n_events >= 5
