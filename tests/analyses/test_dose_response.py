"""Did care go with visits? An association within facilities, or why it cannot be told."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.dose_response import dose_months, dose_response
from qieval.analyses.series import indicators
from qieval.methods.within import within
from qieval.study.study import Study
from tests.analyses.conftest import an_indicator, make_study, monthly
from tests.analyses.test_mentoring import totals

MONTHS = 18
JOINED = 6  # months before joining


def collaborative(
    n=12, *, adds=0.02, visits_of=None, gain=0.2, hubs=0, comparison=0, people=200, seed=5, joined=True, lag=1
) -> Study:
    """Facilities that join in January 2023 or two months later and gain `gain` then, and `adds` for each visit.

    The visits of each are ``visits_of(i)``, the months since joining in which it was visited; otherwise by chance.
    """
    rng = np.random.default_rng(seed)
    roles = ["participant"] * n + ["hub"] * hubs + ["comparison"] * comparison
    facilities, measured, made = [], [], []
    for i, role in enumerate(roles):
        name, start = f"F{i:02d}", JOINED + 2 * (i % 2)
        joining = pd.Timestamp("2022-07-01") + pd.DateOffset(months=start)
        row = {"facility_id": name, "name": f"Facility {i}", "role": role, "joined_on": joining if joined else None}
        facilities.append(row | {"setting": "rural"})
        months = visits_of(i) if visits_of else np.flatnonzero(rng.random(MONTHS - start) < (0.2, 0.4, 0.8)[i % 3])
        visited = [start + int(month) for month in months]
        so_far = [sum(month <= now - lag for month in visited) for now in range(MONTHS)]
        level = [0.3 + 0.01 * (i % 7) + gain * (now >= start) + adds * dose for now, dose in enumerate(so_far)]
        measured += monthly(name, "2022-07-01", rng.binomial(people, np.clip(level, 0, 1)), people)
        for month in visited:
            day = pd.Timestamp("2022-07-10") + pd.DateOffset(months=month)
            made.append({"facility_id": name, "mentor_type": "hub", "done_on": day, "planned_on": day})
    numbered = [{"visit_id": f"V{number}"} | row for number, row in enumerate(made)]
    return make_study(
        facilities=facilities,
        indicators=[an_indicator()],
        measurements=measured,
        visits=numbered,
        options={"mentoring": {"lag_months": lag}},
    )


@cache
def plain() -> Study:
    return collaborative()


def only(study: Study):
    (found,) = dose_response(study).responses
    return found


# --- the dose --------------------------------------------------------------------------------------


def dose_of(*done_on, lag=1, **columns) -> list[float]:
    facility = {"facility_id": "F", "name": "F", "joined_on": "2023-03-10"} | columns
    study = make_study(
        facilities=[facility],
        indicators=[an_indicator()],
        measurements=monthly("F", "2023-01-01", [50] * 8),
        visits=[{"visit_id": day, "facility_id": "F", "mentor_type": "hub", "done_on": day} for day in done_on],
        options={"mentoring": {"lag_months": lag}},
    )
    return dose_months(study, indicators(study)[0])["dose"].tolist()


def test_visits_add_up_and_count_from_the_month_after():
    assert dose_of("2023-03-15", "2023-03-20", "2023-06-01") == [0, 0, 0, 2, 2, 2, 3, 3]


def test_with_no_lag_a_visit_counts_in_its_own_month():
    assert dose_of("2023-03-15", "2023-06-01", lag=0) == [0, 0, 1, 1, 1, 2, 2, 2]


def test_a_visit_that_was_planned_and_never_made_is_no_dose():
    study = make_study(
        facilities=[{"facility_id": "F", "name": "F", "joined_on": "2023-03-10"}],
        indicators=[an_indicator()],
        measurements=monthly("F", "2023-01-01", [50] * 3),
        visits=[{"visit_id": "V", "facility_id": "F", "mentor_type": "hub", "planned_on": "2023-01-05"}],
    )
    assert dose_months(study, indicators(study)[0])["dose"].tolist() == [0, 0, 0]
    assert dose_response(study).refused == "no_visit"


def test_months_end_with_support_but_for_the_lag():
    assert len(dose_of("2023-03-15", support_ended_on="2023-05-31")) == 6
    assert len(dose_of("2023-03-15", support_ended_on="2023-05-31", lag=2)) == 7


def test_visits_still_to_come_are_those_of_three_months_and_unknown_at_the_end():
    study = make_study(
        facilities=[{"facility_id": "F", "name": "F", "joined_on": "2023-08-10"}],
        indicators=[an_indicator()],
        measurements=monthly("F", "2023-07-01", [50] * 6),
        visits=[
            {"visit_id": day, "facility_id": "F", "mentor_type": "hub", "done_on": day}
            for day in ("2023-09-15", "2023-10-15", "2023-12-15")
        ],
    )
    months = dose_months(study, indicators(study)[0])
    assert months["ahead"].tolist()[:3] == [2, 2, 2]  # July: to October; September: October to December
    assert months["ahead"].isna().tolist() == [False] * 3 + [True] * 3
    assert months["since"].tolist() == [-1, 0, 1, 2, 3, 4]


# --- the slope -------------------------------------------------------------------------------------


def test_the_points_that_each_visit_adds_are_found():
    found = only(plain())
    assert found.not_told is None
    assert found.slope.low < 0.02 < found.slope.high
    assert found.slope.is_clear
    assert found.slope.estimate == pytest.approx(0.02, abs=0.003)
    assert (found.n_facilities, found.n_months) == (12, 12 * MONTHS)


def test_the_gain_that_comes_with_joining_is_not_counted_for_visits():
    found = only(collaborative(adds=0.0, gain=0.4))
    assert found.slope.estimate == pytest.approx(0, abs=0.006)
    assert not found.slope.is_clear


def slope_beside(study: Study, *shared: str) -> pd.Series:
    months = dose_months(study, indicators(study)[0])
    columns = [months[name] for name in shared]
    return within(months["value"], months[["dose"]], months["facility_id"], shared=columns).table.iloc[0]


def test_a_change_that_all_facilities_share_is_not_counted_for_visits():
    study = plain()
    rows = study["measurements"]
    later = rows["period"] >= pd.Timestamp("2023-06-01")
    moved = rows.assign(numerator=rows["numerator"] - 40 * later)
    found = only(Study(parameters=study.parameters, tables=dict(study.tables) | {"measurements": moved}))
    assert found.slope.estimate == pytest.approx(only(study).slope.estimate)


def test_visits_that_have_not_been_made_yet_do_not_go_with_care():
    assert not only(plain()).ahead.is_clear


def test_visits_that_come_after_bad_months_are_seen_in_the_visits_still_to_come():
    bad = [set(np.random.default_rng(i).choice(np.arange(7, 17), 3, replace=False)) for i in range(12)]
    study = collaborative(
        adds=0.0, visits_of=lambda i: [int(month) + 1 - JOINED - 2 * (i % 2) for month in sorted(bad[i])]
    )
    rows = study["measurements"]
    month = (rows["period"].dt.year - 2022) * 12 + rows["period"].dt.month - 7
    dips = [now in bad[int(one[1:])] for one, now in zip(rows["facility_id"], month, strict=True)]
    dipped = rows.assign(numerator=(rows["numerator"] - 30 * np.array(dips)).clip(lower=0))
    found = only(Study(parameters=study.parameters, tables=dict(study.tables) | {"measurements": dipped}))
    assert found.ahead.high < 0
    assert not only(study).ahead.is_clear


def test_a_rate_is_told_per_so_many_and_months_without_an_event_count():
    study = plain()
    rate = [an_indicator(kind="rate", per=1000.0)]
    rows = study["measurements"].assign(numerator=lambda frame: (frame["numerator"] - 60).clip(lower=0))
    tables = dict(study.tables) | {"indicators": make_study(indicators=rate)["indicators"], "measurements": rows}
    found = only(Study(parameters=study.parameters, tables=tables))
    assert found.n_months == 12 * MONTHS
    assert found.slope.estimate == pytest.approx(20, abs=6)


def test_hubs_and_comparison_facilities_take_no_part():
    result = dose_response(collaborative(hubs=2, comparison=3))
    assert result.responses[0].n_facilities == 12
    assert (result.n_hubs, result.n_comparison) == (2, 3)


def test_the_number_of_indicators_is_allowed_for():
    study = plain()
    second = study["measurements"].assign(indicator_id="J", numerator=50.0 + np.arange(len(study["measurements"])) % 3)
    tables = dict(study.tables) | {
        "indicators": make_study(indicators=[an_indicator(), an_indicator(indicator_id="J")])["indicators"],
        "measurements": pd.concat([study["measurements"], second], ignore_index=True),
    }
    result = dose_response(Study(parameters=study.parameters, tables=tables))
    assert result.alarms.charts == 2
    assert result.alarms.expected == pytest.approx(0.1)
    first = result.responses[0]
    assert first.adjusted_p == pytest.approx(2 * first.slope.p_value)


def test_months_with_a_handful_of_people_are_left_out_and_counted():
    result = dose_response(collaborative(people=4))
    assert result.small_months == 12 * MONTHS
    assert result.responses[0].not_told == "few_facilities"
    assert set(result.responses[0].left_out["reason"]) == {"few_months"}


def test_in_the_demo_where_care_does_not_depend_on_visits_none_is_found(demo):
    result = dose_response(demo)
    assert [one.slope.is_clear for one in result.responses] == [False] * 4
    assert [one.n_facilities for one in result.responses] == [22, 22, 17, 22]  # without both hubs


# --- why it cannot be told -------------------------------------------------------------------------


def test_totals_have_no_dose(hub_spoke):
    assert dose_response(hub_spoke).refused == "totals_only"
    assert dose_response(totals(("hub", "rural", 10, 4))).refused == "totals_only"


def test_without_measurements_there_is_no_response():
    study = make_study(
        facilities=[{"facility_id": "F"}],
        visits=[{"visit_id": "V", "facility_id": "F", "mentor_type": "hub", "done_on": "2023-05-01"}],
    )
    assert dose_response(study).refused == "not_measured"


def test_nine_facilities_are_too_few():
    found = only(collaborative(9))
    assert (found.not_told, found.n_facilities, found.slope) == ("few_facilities", 9, None)


def test_a_facility_without_a_joining_day_is_left_out_and_named():
    found = only(collaborative(joined=False))
    assert found.not_told == "few_facilities"
    assert found.left_out["facility"].tolist()[:2] == ["Facility 0", "Facility 1"]
    assert set(found.left_out["reason"]) == {"no_joining"}


def test_facilities_visited_at_the_same_times_since_joining_cannot_speak():
    found = only(collaborative(visits_of=lambda i: [1, 4, 7]))
    assert found.not_told == "no_variation"


def test_one_facility_that_alone_was_visited_more_is_too_few_though_its_degrees_of_freedom_look_enough():
    study = collaborative(visits_of=lambda i: [1, 4, 7] + [2, 3, 5, 6] * (i == 3))
    row = slope_beside(study, "month", "since")
    assert row["df"] == pytest.approx(4)  # of the five others in its wave: its own errors have dropped out
    assert row["largest_share"] == pytest.approx(5 / 6)
    found = only(study)
    assert found.not_told == "few_speak"
    assert found.left_share > 0.01
    assert found.slope is None


def test_degrees_of_freedom_below_4_are_too_few():
    study = collaborative(visits_of=lambda i: [1, 4, 7] + [2, 3, 5, 6] * (i in (1, 3)))
    row = slope_beside(study, "month", "since")
    assert row["df"] < 4
    assert row["largest_share"] < 0.5
    assert only(study).not_told == "few_speak"


def test_an_indicator_that_never_varies_goes_with_nothing():
    study = plain()
    flat = study["measurements"].assign(numerator=100.0)
    found = only(Study(parameters=study.parameters, tables=dict(study.tables) | {"measurements": flat}))
    assert found.not_told == "nothing_varies"
    assert math.isnan(found.left_share)


# --- the truth of the simulator --------------------------------------------------------------------


@pytest.mark.parametrize("adds", [0.0, 0.02])
def test_the_truth_of_simulated_collaboratives_is_held_by_their_intervals(adds):
    found = [only(collaborative(adds=adds, seed=seed, people=60)).slope for seed in range(25)]
    assert sum(one.low <= adds <= one.high for one in found) >= 22
    assert np.mean([one.estimate for one in found]) == pytest.approx(adds, abs=0.001)
