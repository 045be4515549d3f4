"""Was mentoring shared fairly between facilities?"""

import dataclasses

import numpy as np
import pytest

from qieval.analyses.equity import SettingRatio, equity
from qieval.methods.equity import Concentration
from tests.analyses.conftest import an_indicator, make_study, monthly
from tests.analyses.test_mentoring import totals


def shared(visits_made: list[int], *, settings=("rural", "urban"), sizes=None, levels=None, better="up"):
    """Facilities F0, F1, ... followed for the year 2023 with so many visits, in turn rural and urban."""
    facilities = [
        {
            "facility_id": f"F{i}",
            "name": f"N{i}",
            "setting": settings[i % len(settings)],
            "joined_on": "2023-01-01",
            "role": "participant",
        }
        for i in range(len(visits_made))
    ]
    rows = [
        {"visit_id": f"V{i}_{k}", "facility_id": f"F{i}", "mentor_type": "hub", "done_on": f"2023-{1 + k % 12:02d}-10"}
        for i, made in enumerate(visits_made)
        for k in range(made)
    ]
    tables = {"facilities": facilities, "visits": rows}
    if sizes:
        tables["indicators"] = [an_indicator(better=better)]
        levels = levels or [50] * len(sizes)
        tables["measurements"] = [
            row
            for i, (size, level) in enumerate(zip(sizes, levels, strict=True))
            for row in monthly(f"F{i}", "2022-10-01", [size * level / 100] * 3, size)
        ]
    return make_study(**tables)


def test_rural_and_urban_are_compared_by_visits_a_month_with_an_interval_over_facilities():
    found = equity(shared([2, 4, 3, 6, 2, 4, 3, 6, 2, 5])).by_setting
    assert isinstance(found, SettingRatio)
    assert (found.n_rural, found.n_urban) == (5, 5)
    assert found.ratio == pytest.approx(12 / 25)
    assert found.low < 12 / 25 < found.high < 1


def test_months_followed_are_counted_so_that_joining_late_is_not_being_left_out():
    study = shared([4, 4] * 5)
    late = study["facilities"]["setting"] == "rural"
    study["facilities"].loc[late, "joined_on"] = np.datetime64("2023-07-02")
    found = equity(study).facilities.groupby("setting")["months"].mean()
    # Their first visits were in January, from where they are followed; the urban ones from joining.
    assert found["rural"] < found["urban"]


@pytest.mark.parametrize(
    ("made", "settings", "why"),
    [
        ([2, 3] * 4, ("rural", "urban"), "few_facilities"),
        ([2, 3] * 5, ("rural",), "one_setting"),
        ([2, 0] * 5, ("rural", "urban"), "few_visited"),
    ],
)
def test_without_enough_of_both_settings_there_is_no_ratio(made, settings, why):
    assert equity(shared(made, settings=settings)).by_setting == why


def test_by_size_the_index_is_positive_where_large_facilities_get_more():
    found = equity(shared([1, 1, 2, 2, 3, 3, 4, 4, 5, 5], sizes=[10 * i for i in range(1, 11)])).by_size
    assert isinstance(found, Concentration)
    assert found.low > 0
    assert found.first_half == pytest.approx(9 / 30)


@pytest.mark.parametrize(("better", "sign"), [("up", 1), ("down", -1)])
def test_need_is_the_worst_baseline_whichever_way_is_better(better, sign):
    levels = list(range(10, 60, 5))
    found = equity(shared([1, 1, 2, 2, 3, 3, 4, 4, 5, 5], sizes=[100] * 10, levels=levels, better=better)).by_need
    assert isinstance(found, Concentration)
    assert np.sign(found.index) == sign  # where more is better, low levels come first: they got few visits


def test_months_after_joining_are_no_need():
    study = shared([1, 2] * 5, sizes=[100] * 10, levels=list(range(10, 60, 5)))
    study["facilities"]["joined_on"] = np.datetime64("2022-12-01")  # two months before: too few
    assert equity(study).by_need == "not_recorded"


def test_a_level_of_a_handful_of_people_is_no_need():
    study = shared([1, 2] * 5, sizes=[1] * 9 + [100], levels=list(range(10, 60, 5)))
    assert equity(study).facilities["need"].notna().tolist() == [False] * 9 + [True]


def test_below_ten_facilities_no_curve_is_drawn():
    nine, ten = (equity(shared([1, 2, 3] * n, sizes=list(range(1, 3 * n + 1)))) for n in (3, 4))
    assert nine.by_size == nine.lorenz == "few_facilities"
    assert isinstance(ten.by_size, Concentration)


def test_what_cannot_be_ranked_is_said():
    alike = equity(shared([1, 2] * 5, sizes=[20] * 10))
    assert alike.by_size == "all_alike"
    assert equity(shared([1, 2] * 5)).by_size == "not_recorded"
    assert equity(shared([3] + [0] * 9, sizes=list(range(1, 11)))).by_size == "one_facility"
    assert equity(shared([3] + [0] * 9)).lorenz == "one_facility"


def test_hubs_mentor_and_are_not_compared():
    study = shared([1, 2] * 5)
    study["facilities"].loc[0, "role"] = "hub"
    found = equity(study)
    assert found.n_hubs == 1
    assert len(found.facilities) == 9


def test_totals_say_nothing_of_equity():
    found = equity(totals(("hub", "rural", 10, 4)))
    assert found.refused == "totals_only"
    assert found.by_setting is None


def test_nobody_followed_is_refused():
    study = shared([1])
    study["facilities"]["role"] = "hub"
    assert equity(study).refused == "no_facility"


def test_the_demo_was_drawn_without_regard_to_size_and_its_interval_holds_0(demo):
    found = equity(demo)
    assert found.by_size.low < 0 < found.by_size.high
    assert found.by_need.low < 0 < found.by_need.high
    assert dataclasses.is_dataclass(found.by_setting)
    assert found.by_setting.low < 0.796 < found.by_setting.high  # among 100 times as many facilities
