"""Did care improve? Verdicts, baselines, targets and what stays unsaid, on series made by hand."""

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from qieval.analyses.effectiveness import effectiveness
from qieval.study.study import open_study
from tests.analyses.conftest import an_indicator, make_study, monthly
from tests.moz_anc import moz_anc_parameters, write_moz_anc

# Twelve months before and twelve after joining, of 100 births each; no two values alike, so that none is on a line.
BEFORE = [41, 47, 39, 44, 50, 38, 46, 43, 49, 40, 45, 42]
HIGHER = [61, 67, 59, 64, 70, 58, 66, 63, 69, 60, 65, 62]
SAME = [51, 36, 48, 37, 52, 35, 53, 34, 54, 33, 55, 32]


def study_of(values, *, joined="2022-01-01", denominators=100, first="2021-01-01", **given):
    """One facility that joins after twelve months."""
    indicator = an_indicator(**given.pop("indicator", {}))
    tables = {
        "facilities": [{"facility_id": "F1", "name": "Amber", "joined_on": joined}],
        "indicators": [indicator],
        "measurements": monthly("F1", first, values, denominators),
    }
    return make_study(**(tables | given))


def only(study):
    (result,) = effectiveness(study).indicators
    return result


def facility_chart(study):
    return only(study).facilities["Amber"]


# --- verdicts --------------------------------------------------------------------------------------


def test_what_ends_worse_than_it_began_is_not_back_at_baseline():
    lower = [14, 12, 16, 13, 15, 11, 14, 12, 16, 13, 15, 11]
    assert only(study_of(BEFORE + HIGHER + HIGHER + lower)).pooled.verdict == "worsened"


def joining_late():
    """Three facilities at 30% report throughout, five at 80% begin to report later: no facility changed."""
    months = 24
    low = [monthly(f"L{i}", "2021-01-01", [28 + (3 * i + 7 * month) % 6 for month in range(months)]) for i in range(3)]
    late = [
        monthly(f"H{i}", "2021-10-01", [78 + (3 * i + 7 * month) % 6 for month in range(months - 9)]) for i in range(5)
    ]
    rows = [row for facility in low + late for row in facility]
    names = sorted({row["facility_id"] for row in rows})
    return make_study(
        facilities=[{"facility_id": name, "joined_on": "2022-01-01"} for name in names],
        indicators=[an_indicator()],
        measurements=rows,
        phases={"baseline": ["2021-01-01", "2021-12-31"]},
    )


def test_a_line_moved_by_who_reports_is_no_improvement():
    result = only(joining_late())
    assert not result.table["verdict"].eq("improved").any()
    assert result.pooled.verdict == "who reported changed"
    assert abs(result.within_facilities) < 0.02


def test_a_gain_too_small_to_signal_in_any_one_facility_is_a_gain_of_all_together():
    rows = []
    for number in range(12):
        counts = [(4, 6, 5, 3)[(month + number) % 4] for month in range(12)]
        counts += [(6, 7, 5, 8, 6)[(month + 2 * number) % 5] for month in range(12)]
        rows += monthly(f"F{number}", "2021-01-01", counts, 10)
    study = make_study(
        facilities=[{"facility_id": f"F{number}", "joined_on": "2022-01-01"} for number in range(12)],
        indicators=[an_indicator()],
        measurements=rows,
    )
    result = only(study)
    assert result.pooled.verdict == "improved"
    assert result.within_facilities == pytest.approx(0.19, abs=0.03)


def test_what_happens_inside_facilities_is_weighted_the_same_before_and_after():
    """Two facilities at 20% and 80%, the births of the first move to the second: nothing happens inside them."""
    first = monthly("A", "2021-01-01", [18, 20, 22] * 8, [100] * 24)
    first = [row | ({"numerator": 2, "denominator": 10} if row["period"].year == 2022 else {}) for row in first]
    second = monthly("B", "2021-01-01", [8, 8, 8] * 8, [10] * 24)
    second = [row | ({"numerator": 80, "denominator": 100} if row["period"].year == 2022 else {}) for row in second]
    study = make_study(
        facilities=[{"facility_id": name, "joined_on": "2022-01-01"} for name in "AB"],
        indicators=[an_indicator()],
        measurements=first + second,
    )
    result = only(study)
    assert result.within_facilities == pytest.approx(0)
    assert result.pooled.verdict == "who reported changed"


def test_a_declared_baseline_serves_facilities_whose_start_is_not_known():
    phases = {"baseline": ["2021-01-01", "2021-12-31"]}
    assert only(study_of(BEFORE + HIGHER, joined=None, phases=phases)).facilities["Amber"].verdict == "improved"


def test_what_was_gained_and_lost_again_is_back_at_baseline():
    assert only(study_of(BEFORE + HIGHER + HIGHER + BEFORE)).pooled.verdict == "back at baseline"


def test_a_lasting_rise_is_improved_where_more_is_better_and_worsened_where_less_is():
    assert only(study_of(BEFORE + HIGHER)).pooled.verdict == "improved"
    assert only(study_of(BEFORE + HIGHER, indicator={"better": "down"})).pooled.verdict == "worsened"


def test_a_lasting_fall_is_worsened_where_more_is_better_and_improved_where_less_is():
    falling = [100 - value for value in BEFORE + HIGHER]
    assert only(study_of(falling)).pooled.verdict == "worsened"
    assert only(study_of(falling, indicator={"better": "down"})).pooled.verdict == "improved"


def test_values_that_vary_as_before_give_no_signal():
    assert only(study_of(BEFORE + SAME)).pooled.verdict == "no signal"


def test_a_baseline_that_was_itself_moving_is_no_yardstick():
    assert only(study_of(list(range(30, 42)) + HIGHER)).pooled.verdict == "baseline unstable"


def test_without_a_baseline_nothing_is_called_improved():
    chart = only(study_of(BEFORE + HIGHER, joined=None)).pooled
    assert chart.verdict == "no baseline"
    assert chart.n_baseline == 0
    assert chart.centre == np.median(BEFORE + HIGHER) / 100


@pytest.mark.parametrize(
    ("values", "joined"),
    [
        (BEFORE[:2] + HIGHER, "2021-03-01"),  # two months before
        (BEFORE + HIGHER[:2], "2022-01-01"),  # two months after
        (BEFORE[:4] + HIGHER[:5], "2021-05-01"),  # nine in all
        (BEFORE[:9], None),  # nine, and no baseline
    ],
)
def test_too_few_months_are_not_judged(values, joined):
    assert only(study_of(values, joined=joined)).pooled.verdict == "too few months"


def test_fewer_than_three_baseline_months_give_no_centre_line():
    chart = only(study_of(BEFORE[:2] + HIGHER, joined="2021-03-01")).pooled
    assert np.isnan(chart.centre)
    assert np.isnan(chart.recent_median)
    assert chart.runs.signal is None


def test_months_on_the_median_do_not_count_as_evidence():
    assert only(study_of([50] * 12 + [50] * 12)).pooled.verdict == "too few months"


def test_a_practice_that_went_from_never_to_often_improved():
    assert only(study_of([0] * 12 + HIGHER)).pooled.verdict == "improved"
    assert only(study_of([50] * 12 + [90] * 12)).pooled.verdict == "improved"


def test_rare_events_that_keep_their_median_of_none_are_no_change():
    values = [int(deaths) for deaths in "001002000100" + "100300101002001000102010"]
    assert only(study_of(values, indicator={"better": "down"})).pooled.verdict == "no signal"


# --- centre lines ----------------------------------------------------------------------------------


def test_the_centre_is_the_median_of_the_baseline_and_later_months_do_not_move_it():
    chart = only(study_of(BEFORE + HIGHER)).pooled
    assert chart.centre == np.median(BEFORE) / 100
    assert chart.points["in_baseline"].tolist() == [True] * 12 + [False] * 12
    assert (chart.n_baseline, chart.n_after) == (12, 12)


def test_the_recent_median_is_that_of_the_last_months_of_the_option():
    chart = only(study_of(BEFORE + HIGHER)).pooled
    assert chart.recent_median == np.median(HIGHER[-6:]) / 100
    assert chart.points["recent"].sum() == 6
    shorter = only(study_of(BEFORE + HIGHER, options={"effectiveness": {"recent_months": 3}})).pooled
    assert shorter.recent_median == np.median(HIGHER[-3:]) / 100


def test_recent_months_never_reach_back_into_the_baseline():
    chart = only(study_of(BEFORE + HIGHER[:4])).pooled
    assert chart.points.loc[chart.points["recent"], "value"].tolist() == [value / 100 for value in HIGHER[:4]]


def test_the_baseline_of_a_facility_is_the_months_before_it_joined():
    study = make_study(
        facilities=[
            {"facility_id": "F1", "name": "Amber", "joined_on": "2022-01-20"},
            {"facility_id": "F2", "name": "Blue", "joined_on": "2022-04-01"},
        ],
        indicators=[an_indicator()],
        measurements=monthly("F1", "2021-01-01", BEFORE + HIGHER) + monthly("F2", "2021-01-01", BEFORE + HIGHER),
    )
    result = only(study)
    assert {name: chart.n_baseline for name, chart in result.facilities.items()} == {"Amber": 12, "Blue": 15}
    assert result.pooled.n_baseline == 12  # the months before the first of them joined


def test_a_phase_named_baseline_is_the_baseline_of_all_together():
    study = study_of(BEFORE + HIGHER, joined=None, phases={"baseline": ["2021-01-01", "2021-12-31"]})
    assert only(study).pooled.verdict == "improved"
    assert only(study).pooled.n_baseline == 12


def test_months_before_a_declared_baseline_are_drawn_but_are_not_after_it():
    wild = [90, 10, 91, 11, 92, 12]
    phase = {"baseline": ["2021-07-01", "2022-06-30"]}
    chart = only(study_of(wild + BEFORE + HIGHER, joined=None, phases=phase)).pooled
    bare = only(study_of(BEFORE + HIGHER, first="2021-07-01", joined=None, phases=phase)).pooled
    assert (chart.n_baseline, chart.n_after) == (12, 12)
    assert len(chart.points) == 30
    assert (chart.runs, chart.verdict) == (bare.runs, bare.verdict)


# --- all together and one by one -------------------------------------------------------------------


def test_a_month_of_few_people_is_hidden_also_where_they_are_all_there_are():
    result = only(study_of([2, 30], denominators=[4, 50]))
    assert result.pooled.points["value"].isna().tolist() == [True, False]
    assert result.facilities["Amber"].points["value"].isna().tolist() == [True, False]
    assert result.small_months == 1


def test_the_smallest_number_of_people_is_an_option():
    assert only(study_of([2, 30], denominators=[4, 50], options={"smallest_denominator": 4})).small_months == 0
    assert only(study_of([2, 30], denominators=[4, 50], options={"smallest_denominator": 51})).small_months == 2


def test_a_count_is_never_hidden_for_its_denominator_of_one():
    result = only(study_of([2, 30], denominators=np.nan, indicator={"kind": "count"}))
    assert result.small_months == 0
    assert result.facilities["Amber"].points["value"].tolist() == [2, 30]


def test_a_facility_that_reported_nothing_is_named():
    study = make_study(
        facilities=[
            {"facility_id": "F1", "name": "Amber", "joined_on": "2022-01-01"},
            {"facility_id": "F2"},
            {"facility_id": "C", "role": "comparison"},
        ],
        indicators=[an_indicator()],
        measurements=monthly("F1", "2021-01-01", BEFORE + HIGHER),
    )
    assert effectiveness(study).not_reporting == ("F2",)


def test_a_gap_stays_a_gap_on_the_chart():
    points = facility_chart(study_of([*BEFORE, None, *HIGHER])).points
    assert len(points) == 25
    assert np.isnan(points["value"].iloc[12])


def test_without_a_month_that_can_be_calculated_there_is_no_indicator():
    assert effectiveness(study_of([0, 0], denominators=0)).indicators == ()


def test_only_the_events_of_the_option_are_marked():
    events = [
        {"event_id": "E1", "held_on": "2022-05-01", "kind": "webinar", "title": "W"},
        {"event_id": "E2", "held_on": "2022-03-01", "kind": "learning_session", "title": "L"},
        {"event_id": "E3", "held_on": "2022-01-01", "kind": "training", "title": "T"},
    ]
    assert effectiveness(study_of(BEFORE, events=events)).events["title"].tolist() == ["T", "L"]
    webinars = {"effectiveness": {"mark_events": ["webinar"]}}
    assert effectiveness(study_of(BEFORE, events=events, options=webinars)).events["title"].tolist() == ["W"]


# --- the whole -------------------------------------------------------------------------------------


def test_the_study_is_left_as_it_was(demo):
    before = {name: frame.copy() for name, frame in demo.tables.items()}
    effectiveness(demo)
    for name, frame in before.items():
        assert_frame_equal(demo[name], frame)


@pytest.fixture(scope="module")
def demo_result(demo):
    return effectiveness(demo)


def test_the_demo_improves_where_there_is_an_effect_and_gives_no_signal_where_there_is_none(demo_result):
    assert {one.indicator.indicator_id: one.pooled.verdict for one in demo_result.indicators} == {
        "early_breastfeeding": "improved",
        "skin_to_skin": "improved",
        "low_temperature": "improved",
        "newborn_deaths": "no signal",
    }


def test_facilities_of_the_demo_without_an_effect_signal_no_more_often_than_chance(demo_result):
    deaths = next(one for one in demo_result.indicators if one.indicator.indicator_id == "newborn_deaths")
    assert deaths.table["verdict"].isin(["improved", "worsened"]).sum() <= 3  # of 24, one expected


def test_most_facilities_of_the_demo_improve_where_there_is_an_effect(demo_result):
    for one in demo_result.indicators[:2]:
        judged = one.table.loc[one.table["verdict"].isin(["improved", "worsened", "no signal"])]
        assert not (judged["verdict"] == "worsened").any()
        assert (judged["verdict"] == "improved").mean() > 0.5


def test_a_real_trial_is_judged_clinic_by_clinic(reference, tmp_path):
    study = open_study(**moz_anc_parameters(write_moz_anc(reference, tmp_path / "moz_anc")))
    result = effectiveness(study)
    assert len(result.indicators) == study["indicators"]["indicator_id"].nunique()
    charts = {one.indicator.indicator_id: one.pooled for one in result.indicators}
    assert all(len(one.table) == 10 for one in result.indicators)
    assert charts["proteinuria"].verdict == charts["anaemia"].verdict == "improved"
    assert not any(chart.verdict == "worsened" for chart in charts.values())
    # From 31% to 84%; but the first clinic joined after three months, and a median of three says little.
    worms = charts["tx_worms"]
    assert (worms.n_baseline, worms.n_after) == (3, 20)
    assert (worms.centre, worms.recent_median) == pytest.approx((0.311, 0.842), abs=0.001)
