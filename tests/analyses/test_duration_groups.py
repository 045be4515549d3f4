"""Do some projects take longer than others? Groups are compared where both can tell, and all tests are counted."""

import importlib.util
import math

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.duration_groups import HALF_A_DAY, duration_groups
from qieval.analyses.duration_groups import tests_made as counts_of_tests  # pytest would take it for a test
from qieval.analyses.durations import DAYS_PER_MONTH, durations
from qieval.methods.survival import gray_test, log_rank, restricted_mean, time_ratios
from tests.analyses.conftest import PROJECT, make_study
from tests.analyses.test_durations import project

FACILITIES = [
    {"facility_id": "H1", "name": "Amber", "setting": "urban", "role": "hub", "wave": 1},
    {"facility_id": "H2", "name": "Blue", "setting": "urban", "role": "hub", "wave": 10},
    {"facility_id": "R1", "name": "Copper", "setting": "rural", "hub_id": "H1", "wave": 1},
    {"facility_id": "R2", "name": "Emerald", "setting": "rural", "hub_id": "H2", "wave": 2},
]
SHORT, LONG = (2, 3, 4, 5, 6), (6, 8, 10, 12, 14)


def of(facility, months, status="completed", **given):
    return [project(0, length, status, facility_id=facility, **given) for length in months]


def study_of(*groups, phases=None, facilities=FACILITIES):
    rows = [row | {"project_id": f"P{n}"} for n, row in enumerate(row for group in groups for row in group)]
    return make_study(projects=rows, facilities=facilities, phases=phases, data_cut="2023-12-31")


def groupings(*groups, **given):
    study = study_of(*groups, **given)
    return {one.factor: one for one in duration_groups(study, durations(study))}


def by_setting(rural, urban, **given):
    return groupings(of("R1", rural), of("H1", urban), **given)["setting"]


# --- who is in which group -------------------------------------------------------------------------


def test_projects_fall_into_groups_by_setting_hub_wave_and_phase_of_start():
    phases = {"intensive": ["2022-01-01", "2022-03-31"], "after": ["2022-04-01", "2023-12-31"]}
    late = of("H2", SHORT, started=pd.Timestamp("2022-05-01"))
    found = groupings(of("R1", SHORT), of("R2", SHORT), late, phases=phases)
    names = {factor: one.table["group"].tolist() for factor, one in found.items()}
    assert names == {
        "setting": ["rural", "urban"],
        "hub": ["Amber", "Blue"],
        "wave": ["wave 1", "wave 2", "wave 10"],  # by number, not by letter
        "phase of start": ["intensive", "after"],
    }


def test_the_projects_of_a_hub_itself_belong_to_its_cluster():
    found = groupings(of("R1", SHORT), of("H1", SHORT), of("R2", SHORT))["hub"]
    assert found.table.set_index("group")["n"].to_dict() == {"Amber": 10, "Blue": 5}


def test_where_all_are_of_one_kind_there_is_no_grouping():
    assert groupings(of("R1", SHORT)) == {}
    assert groupings(of("R1", SHORT), facilities=[]) == {}


def test_without_facilities_only_the_phase_of_start_is_known():
    phases = {"early": ["2022-01-01", "2022-03-31"], "late": ["2022-04-01", "2023-12-31"]}
    rows = [project(n, 3) for n in range(5)] + [project(n, 3, started=pd.Timestamp("2022-06-01")) for n in range(5, 10)]
    study = make_study(projects=rows, phases=phases)
    assert [one.factor for one in duration_groups(study, durations(study))] == ["phase of start"]


def test_projects_whose_group_is_not_known_are_counted():
    assert groupings(of("R1", SHORT), of("H1", SHORT), of(None, (3, 4)))["setting"].n_without == 2


# --- which groups can tell -------------------------------------------------------------------------


def test_a_group_tells_from_five_ended_projects_on():
    found = by_setting(SHORT, LONG[:4])
    assert found.table["can_tell"].tolist() == [True, False]
    assert found.table["median"].tolist() == pytest.approx([4, math.nan], abs=0.02, nan_ok=True)
    assert found.log_rank is found.gray is found.difference is found.time_ratio is found.hazard_ratio is None
    assert math.isnan(found.log_rank_adjusted)
    assert math.isnan(found.horizon)


def test_open_projects_do_not_make_a_group_tell():
    going = [project(0, status="ongoing", facility_id="H1") for _ in range(20)]
    found = groupings(of("R1", SHORT), of("H1", LONG[:4]) + going)["setting"]
    assert found.table["can_tell"].tolist() == [True, False]


def test_a_group_too_small_is_left_out_of_the_comparison_of_the_others():
    waves = groupings(of("R1", SHORT), of("R2", LONG), of("H2", (3, 4)))["wave"]
    assert waves.n_can_tell == 2
    assert waves.log_rank.degrees_of_freedom == 1
    assert waves.ended_in_compared == 10


# --- how they differ -------------------------------------------------------------------------------


def test_groups_are_compared_by_log_rank_mean_and_ratio():
    found = by_setting(SHORT, LONG)
    rows = durations(study_of(of("R1", SHORT), of("H1", LONG))).projects.sort_values("setting", kind="stable")
    lengths = (rows["duration_months"], rows["ended"], rows["setting"])
    assert found.log_rank.p_value == pytest.approx(log_rank(*lengths).p_value)
    assert found.time_ratio.table["ratio"].item() == pytest.approx(time_ratios(*lengths).table["ratio"].item())
    assert found.time_ratio.reference == "rural"
    assert found.difference.estimate == pytest.approx(np.mean(LONG) - np.mean(SHORT), abs=0.02)  # all ended


def test_means_are_compared_up_to_where_both_groups_are_known():
    open_ = [project(0, status="ongoing", observed_to="2022-08-01", facility_id="R1")]  # 7 months
    found = groupings(of("R1", SHORT) + open_, of("H1", LONG))["setting"]
    assert found.horizon == pytest.approx(212 / DAYS_PER_MONTH)
    rows = durations(study_of(of("R1", SHORT) + open_, of("H1", LONG))).projects
    urban, rural = (
        restricted_mean(own["duration_months"], own["ended"], horizon=found.horizon, small_sample=True)
        for own in (rows.loc[rows["setting"] == name] for name in ("urban", "rural"))
    )
    assert found.table["mean"].tolist() == pytest.approx([rural.estimate, urban.estimate])
    assert found.table["mean_low"].iloc[0] == pytest.approx(rural.low)
    # Only one urban project ended so early, so nothing is known of the scatter of their mean, nor of the difference.
    assert math.isnan(found.table["mean_low"].iloc[1])
    assert found.difference is None


def test_shares_completed_are_compared_where_some_were_abandoned():
    assert by_setting(SHORT, LONG).gray is None
    given = (of("R1", SHORT * 2), of("H1", LONG * 2), of("H1", (2, 3), "abandoned"))
    found = groupings(*given)["setting"]
    rows = durations(study_of(*given)).projects
    wanted = gray_test(rows["duration_months"], rows["status"], rows["setting"], cause="completed")
    assert found.gray.statistic == pytest.approx(wanted.statistic)


def test_shares_completed_are_compared_from_ten_completed_in_each_group_on():
    assert (
        groupings(of("R1", SHORT * 2), of("H1", LONG + LONG[:4]), of("H1", (2,), "abandoned"))["setting"].gray is None
    )
    found = groupings(of("R1", SHORT * 2), of("H1", LONG * 2), of("H1", (2,), "abandoned"))["setting"]
    assert found.gray is not None


def test_three_groups_have_no_single_difference_but_a_ratio_each():
    found = groupings(of("R1", SHORT * 2), of("R2", LONG * 2), of("H2", LONG * 2))["wave"]
    assert found.difference is None
    assert found.time_ratio.table["group"].tolist() == ["wave 2", "wave 10"]
    assert found.hazard_ratio.table["group"].tolist() == ["wave 2", "wave 10"]


def test_ratios_need_ten_ended_projects_for_each_group_beside_the_first():
    assert by_setting(SHORT, LONG).time_ratio is not None
    found = groupings(of("R1", SHORT), of("R2", LONG), of("H2", LONG))["wave"]
    assert found.ended_in_compared == 15
    assert found.time_ratio is found.hazard_ratio is None


def test_a_project_of_no_time_counts_as_half_a_day_in_the_ratio_of_times():
    found = by_setting((0, 1, 2, 3, 4), LONG)
    rows = durations(study_of(of("R1", (0, 1, 2, 3, 4)), of("H1", LONG))).projects.sort_values("setting", kind="stable")
    wanted = time_ratios(rows["duration_months"].clip(lower=HALF_A_DAY), rows["ended"], rows["setting"])
    assert found.time_ratio.table["ratio"].item() == pytest.approx(wanted.table["ratio"].item())


# --- edges that fits cannot bear -------------------------------------------------------------------


def test_months_that_all_tie_are_told_apart_by_nothing_and_stop_nothing():
    found = groupings(of("R1", [6] * 5), of("H1", [6] * 5))["setting"]
    assert found.log_rank.p_value == 1
    assert found.time_ratio is None
    found = groupings(of("R1", [6] * 10), of("H1", [6] * 10), of("H1", [6], "abandoned"))["setting"]
    assert found.log_rank.p_value == 1
    assert found.gray is None or 0 <= found.gray.p_value <= 1


def test_groups_that_do_not_overlap_have_no_hazard_ratio():
    found = by_setting((1, 2, 3, 4, 5), (11, 12, 13, 14, 15))
    assert found.hazard_ratio is None
    assert found.time_ratio is not None
    assert math.isnan(found.proportional_p)


def test_projects_that_all_ended_on_their_first_day_can_be_grouped():
    found = by_setting([0] * 5, [0] * 5)
    assert found.table["mean"].tolist() == [0, 0]
    assert found.table["mean_low"].isna().all()
    assert found.difference is None
    assert found.table["median"].tolist() == [0, 0]


def test_nobody_ended_leaves_counts():
    going = [project(0, status="ongoing", facility_id=facility) for facility in ("R1", "H1") for _ in range(6)]
    found = groupings(going)["setting"]
    assert found.table["n"].tolist() == [6, 6]
    assert found.n_can_tell == 0


# --- many groupings are many tests -----------------------------------------------------------------


def test_each_further_test_makes_the_others_less_sure(demo):
    found = duration_groups(demo, durations(demo))
    assert counts_of_tests(found) == (3, 2)  # wave 3 completed fewer than ten
    raw = [test.p_value for one in found for test in (one.log_rank, one.gray) if test is not None]
    adjusted = [p for one in found for p in (one.log_rank_adjusted, one.gray_adjusted) if not math.isnan(p)]
    # Benjamini-Hochberg by hand: the smallest over k of p x 5 / k, from its rank upwards.
    ordered = sorted(raw)
    by_hand = [min(p * 5 / k for k, p in enumerate(ordered, start=1) if p >= own) for own in raw]
    assert adjusted == pytest.approx(by_hand)


def test_a_single_test_needs_no_allowance():
    found = groupings(of("R1", SHORT), of("H1", LONG))
    assert list(found) == ["setting"]
    assert found["setting"].log_rank_adjusted == found["setting"].log_rank.p_value


def test_checks_of_proportional_hazards_allow_for_their_number():
    found = groupings(of("R1", SHORT * 2), of("R2", LONG * 2), of("H2", LONG * 2))["wave"]
    least = found.hazard_ratio.table["proportional_p"].min()
    assert found.proportional_p == pytest.approx(min(2 * least, 1))


def test_the_demo_has_no_group_that_differs(demo):
    """Its durations were drawn alike everywhere."""
    for one in duration_groups(demo, durations(demo)):
        assert not one.log_rank_adjusted < 0.05
        assert not one.gray_adjusted < 0.05


def test_the_pilots_dated_projects_are_all_of_one_kind(hub_spoke):
    assert duration_groups(hub_spoke, durations(hub_spoke)) == ()


# --- recovery --------------------------------------------------------------------------------------


@pytest.fixture
def benchmark():
    # It bears the name of the analysis, so it is loaded by its path.
    spec = importlib.util.spec_from_file_location("benchmark_of_durations", PROJECT / "benchmarks" / "durations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_truth_of_simulated_projects_is_recovered(benchmark):
    """40 collaboratives; the benchmark draws hundreds."""
    found = benchmark.recovered(benchmark.DESIGNS["44 projects"], range(40))
    for figure in ("median", "mean", "month by which half are completed", "completed by month 6"):
        assert found.loc[figure, "estimate"] == pytest.approx(found.loc[figure, "true"], rel=0.05)
        assert found.loc[figure, "covers"] >= 0.85
    assert found.loc["median of the completed alone", "estimate"] < 0.95 * found.loc["median", "true"]
    assert found.loc["completed by month 9, abandoned as open", "estimate"] > found.loc["completed by month 9", "true"]


def test_projects_that_take_longer_are_found_to(benchmark):
    """Ten collaboratives, drawn alike but for rural projects two and a half times as long."""
    alike, longer = (
        benchmark.compared(benchmark.DESIGNS["44 projects"], range(10), longer=times) for times in (1.0, 2.5)
    )
    assert alike["log-rank test at 5%"][0] <= 0.2
    assert longer["log-rank test at 5%"][0] >= 0.8
    assert longer["time ratio covers"][0] >= 0.5
