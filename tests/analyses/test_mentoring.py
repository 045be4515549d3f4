"""Was mentoring given as planned, and who was left out?"""

import math

import pandas as pd
import pytest

from qieval.analyses.mentoring import mentoring
from qieval.errors import DataError
from tests.analyses.conftest import make_study

FACILITIES = [
    {"facility_id": "F1", "name": "Amber", "setting": "rural", "role": "participant"},
    {"facility_id": "F2", "name": "Blue", "setting": "urban"},
    {"facility_id": "H", "name": "Hub", "setting": "urban", "role": "hub"},
    {"facility_id": "C", "name": "Compared", "setting": "rural", "role": "comparison"},
]


def visits(*rows, facilities=FACILITIES):
    """Visits of ``(facility_id, mentor_type, planned_on, done_on)``, up to the data cut on the last day of 2023."""
    columns = ("facility_id", "mentor_type", "planned_on", "done_on")
    made = [{"visit_id": f"V{number}"} | dict(zip(columns, row, strict=True)) for number, row in enumerate(rows)]
    return make_study(facilities=facilities, visits=made)


def totals(*rows):
    columns = ("mentor_type", "setting", "planned", "done")
    return make_study(visit_totals=[dict(zip(columns, row, strict=True)) for row in rows])


# --- totals ----------------------------------------------------------------------------------------


def test_the_pilot_made_34_visits_of_14_and_4_of_18_with_exact_intervals(hub_spoke):
    result = mentoring(hub_spoke)
    assert result.groups["mentor_type"].tolist() == ["network", "hub"]
    assert result.groups["done"].tolist() == [34, 4]
    assert result.groups["planned"].tolist() == [14, 18]
    assert result.groups["ratio"].to_numpy() == pytest.approx([2.428571429, 0.2222222222])
    assert result.groups["low"].to_numpy() == pytest.approx([1.681856313, 0.06054807631])
    assert result.groups["high"].to_numpy() == pytest.approx([3.39368515, 0.5689771486])


def test_the_pilots_visits_are_not_multiplied_by_the_projects_of_a_facility(hub_spoke):
    result = mentoring(hub_spoke)
    assert (result.planned, result.done) == (32, 38)  # adding up the rows of projects would give 42


def test_totals_say_nothing_of_single_facilities(hub_spoke):
    result = mentoring(hub_spoke)
    assert result.totals_only
    assert result.facilities.empty
    assert result.never_visited == ()
    assert result.visited is None


def test_groups_stand_in_the_order_of_the_schema_not_of_the_alphabet():
    rows = [("peer", "urban"), ("hub", "urban"), ("hub", "rural"), ("network", None)]
    result = mentoring(totals(*[(*row, 1, 1) for row in rows]))
    assert result.groups["mentor_type"].tolist() == ["network", "hub", "hub", "peer"]
    assert result.groups["setting"].tolist()[1:] == ["rural", "urban", "urban"]
    assert pd.isna(result.groups["setting"].iloc[0])


def test_periods_of_one_group_add_up():
    result = mentoring(totals(("hub", "rural", 4, 1), ("hub", "rural", 6, 2)))
    assert result.groups[["planned", "done"]].to_numpy().tolist() == [[10, 3]]


def test_nothing_planned_has_no_ratio():
    group = mentoring(totals(("hub", "rural", 0, 3))).groups.iloc[0]
    assert (group["planned"], group["done"]) == (0, 3)
    assert group[["ratio", "low", "high"]].isna().all()


@pytest.mark.parametrize(("planned", "done"), [(None, 3), (5, None), (None, None)])
def test_a_total_that_was_not_recorded_stays_missing(planned, done):
    group = mentoring(totals(("hub", "rural", planned, done))).groups.iloc[0]
    assert pd.isna(group["planned"]) == (planned is None)
    assert pd.isna(group["done"]) == (done is None)
    assert pd.isna(group["ratio"])


def test_nothing_recorded_is_refused_in_words():
    with pytest.raises(DataError, match="neither the table visits nor the table visit_totals holds a row"):
        mentoring(make_study(facilities=FACILITIES))


# --- visits ----------------------------------------------------------------------------------------


def test_more_done_than_planned_is_not_cut_off_at_100_percent():
    extra = [("F1", "hub", None, f"2023-0{month}-01") for month in range(2, 9)]
    group = mentoring(visits(("F1", "hub", "2023-01-01", "2023-01-01"), *extra)).groups.iloc[0]
    assert (group["planned"], group["done"], group["ratio"]) == (1, 8, 8)


def test_a_visit_planned_after_the_data_cut_is_not_missed():
    result = mentoring(visits(("F1", "hub", "2024-01-15", None), ("F1", "hub", "2023-12-31", None)))
    assert (result.planned, result.done) == (1, 0)


def test_missed_visits_are_planned_and_extra_visits_done():
    result = mentoring(visits(("F1", "hub", "2023-01-01", None), ("F1", "hub", None, "2023-02-01")))
    assert (result.planned, result.done) == (1, 1)
    assert result.facilities.set_index("facility").loc["Amber", ["planned", "done"]].tolist() == [1, 1]


def test_visits_are_grouped_by_the_setting_of_their_facility():
    result = mentoring(visits(("F1", "hub", "2023-01-01", None), ("F2", "hub", "2023-01-01", "2023-01-02")))
    assert result.groups["setting"].tolist() == ["rural", "urban"]
    assert result.groups["done"].tolist() == [0, 1]


def test_a_setting_not_recorded_is_a_group_of_its_own():
    study = visits(("F", "hub", "2023-01-01", "2023-01-01"), facilities=[{"facility_id": "F"}])
    assert mentoring(study).groups["setting"].isna().tolist() == [True]


def test_who_was_never_visited_is_named_even_if_no_visit_was_ever_planned():
    result = mentoring(visits(("F1", "hub", "2023-01-01", "2023-01-02")))
    assert result.never_visited == ("Blue",)
    assert (result.visited.successes, result.visited.total) == (1, 2)


def test_full_intensity_can_hide_a_facility_that_nobody_visited():
    to_amber = [("F1", "hub", "2023-01-01", "2023-01-01"), ("F1", "hub", None, "2023-02-01")]
    result = mentoring(visits(*to_amber, ("F2", "hub", "2023-01-01", None)))
    assert (result.planned, result.done) == (2, 2)
    assert result.never_visited == ("Blue",)


def test_a_hub_counts_only_if_a_visit_to_it_was_planned_or_made_by_now():
    to_f1, later = ("F1", "hub", "2023-01-01", "2023-01-01"), ("H", "network", "2024-05-01", None)
    assert "Hub" not in mentoring(visits(to_f1)).facilities["facility"].tolist()
    assert "Hub" not in mentoring(visits(to_f1, later)).facilities["facility"].tolist()
    assert "Hub" in mentoring(visits(to_f1, ("H", "network", "2023-05-01", None))).never_visited
    assert "Hub" not in mentoring(visits(to_f1, ("H", "network", None, "2023-05-01"))).never_visited


def test_comparison_facilities_are_not_expected_to_be_visited():
    assert "Compared" not in mentoring(visits(("F1", "hub", None, "2023-01-01"))).facilities["facility"].tolist()


def test_the_last_visit_is_the_last_one_made():
    made = [("F1", "hub", None, "2023-03-01"), ("F1", "peer", None, "2023-05-01")]
    table = mentoring(visits(*made, ("F1", "hub", "2023-08-01", None))).facilities.set_index("facility")
    assert table.loc["Amber", "last_visit"] == pd.Timestamp("2023-05-01")
    assert pd.isna(table.loc["Blue", "last_visit"])


def test_virtual_visits_count_only_if_made():
    made = [
        {"visit_id": "V1", "facility_id": "F1", "mentor_type": "hub", "done_on": "2023-01-01", "mode": "virtual"},
        {"visit_id": "V2", "facility_id": "F1", "mentor_type": "hub", "planned_on": "2023-01-01", "mode": "virtual"},
        {"visit_id": "V3", "facility_id": "F1", "mentor_type": "hub", "done_on": "2023-01-01", "mode": "onsite"},
    ]
    assert mentoring(make_study(facilities=FACILITIES, visits=made)).n_virtual == 1


def test_visits_of_the_demo_add_up_to_the_totals_kept_of_them(demo, simulated):
    result = mentoring(demo)
    kept = simulated.tables["visit_totals"]
    assert (result.planned, result.done) == (kept["planned"].sum(), kept["done"].sum())
    found = result.groups.set_index(["mentor_type", "setting"])
    truth = simulated.truth.coverage.set_index(["mentor_type", "setting"])["coverage"]
    # Exact intervals hold the true intensity in 19 of 20 groups; there are six.
    held = [found.loc[group, "low"] <= share <= found.loc[group, "high"] for group, share in truth.items()]
    assert sum(held) >= 5


def test_a_sum_with_a_part_that_was_not_recorded_is_not_known():
    result = mentoring(totals(("hub", "rural", 10, 4), ("hub", "rural", None, 12)))
    (group,) = result.groups.to_dict(orient="records")
    assert math.isnan(group["planned"])
    assert math.isnan(group["ratio"])
    assert group["done"] == 16


# --- groups compared -------------------------------------------------------------------------------


def test_network_against_hub_is_the_ratio_of_ratios_of_the_reference_case(hub_spoke):
    (row,) = mentoring(hub_spoke).comparisons.to_dict(orient="records")
    assert (row["between"], row["first"], row["other"], row["within"]) == ("mentor_type", "network", "hub", None)
    assert [row["ratio"], row["low"], row["high"]] == pytest.approx([10.92857143, 3.897585466, 42.3947805])


def test_the_pilots_groups_went_opposite_ways_though_their_sum_is_as_planned(hub_spoke):
    assert mentoring(hub_spoke).opposite
    assert not mentoring(totals(("network", None, 10, 14), ("hub", None, 10, 6))).opposite  # as chance has it


def test_mentor_types_are_compared_within_a_setting_and_settings_within_a_mentor_type():
    rows = [(kind, setting, 10, 5) for kind in ("network", "hub") for setting in ("rural", "urban")]
    found = mentoring(totals(*rows)).comparisons
    pairs = found[["first", "other", "within"]].to_numpy().tolist()
    assert pairs == [
        ["network", "hub", "rural"],
        ["network", "hub", "urban"],
        ["rural", "urban", "network"],
        ["rural", "urban", "hub"],
    ]


def test_groups_without_a_plan_or_without_a_visit_between_them_are_not_compared():
    assert mentoring(totals(("network", "rural", 0, 3), ("hub", "rural", 5, 3))).comparisons.empty
    assert mentoring(totals(("network", "rural", 4, 0), ("hub", "rural", 5, 0))).comparisons.empty


def test_of_the_visits_planned_those_made_have_the_exact_binomial_interval():
    made = [("F1", "hub", f"2023-01-{day:02d}", "2023-02-01" if day <= 4 else None) for day in range(1, 19)]
    group = mentoring(visits(*made, ("F1", "hub", None, "2023-03-01"))).groups.iloc[0]
    assert (group["planned"], group["done"], group["planned_done"]) == (18, 5, 4)
    limits = (4 / 18, 0.06409204772, 0.4763727657)
    assert (group["share"], group["share_low"], group["share_high"]) == pytest.approx(limits)


def test_totals_do_not_tell_which_planned_visits_were_made(hub_spoke):
    assert mentoring(hub_spoke).groups[["planned_done", "share"]].isna().to_numpy().all()


def test_hubs_are_told_apart_and_facilities_without_one_kept():
    facilities = [
        {"facility_id": "H", "name": "Hub", "role": "hub"},
        {"facility_id": "F1", "name": "Amber", "hub_id": "H"},
        {"facility_id": "F2", "name": "Blue"},
    ]
    made = [("F1", "hub", "2023-01-01", "2023-01-01"), ("F2", "district", "2023-01-01", None)]
    found = mentoring(visits(*made, facilities=facilities)).hubs
    assert found["hub"].iloc[0] == "Hub"
    assert pd.isna(found["hub"].iloc[1])
    assert found["done"].tolist() == [1, 0]


# --- the truth of simulated collaboratives -----------------------------------------------------------


def test_true_waits_coverage_and_intensity_are_recovered(benchmark_of_mentoring):
    """Six collaboratives; `benchmarks/mentoring.py` draws hundreds."""
    found = benchmark_of_mentoring.recovered(benchmark_of_mentoring.PLAIN, range(6), times=6)
    off = (found["estimate"] - found["true"]).abs()
    assert off.drop(index="rural to urban").max() < 0.08
    assert off["rural to urban"] < 0.2
    assert (found["covers"] >= 4 / 6).all()
    assert found.loc["waits in_support over 60 days", "true"] == pytest.approx(0.22, abs=0.04)


@pytest.fixture
def benchmark_of_mentoring():
    import importlib.util

    from tests.analyses.conftest import PROJECT

    spec = importlib.util.spec_from_file_location("benchmark_of_mentoring", PROJECT / "benchmarks" / "mentoring.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
