"""Did care change once support had ended? Windows, what is held, averages, and refusals."""

import sys

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.after_support import after_support
from qieval.analyses.sustainment import sustainment
from qieval.methods import its
from tests.analyses.conftest import PROJECT, an_indicator, make_study, monthly
from tests.analyses.test_sustainment import ENDED

WAVER = [5, -4, -3, 6, -6, 2, 3, -5, 1, 4, -2, -1]  # of 1,000 people, so that months vary about their lines


def series(*, climb=(300, 350, 400), held=500, slope=0.0, at_once=0, drift=0.0, months=12, waver=WAVER):
    """2021 at 30%, three months of climb, nine held until December 2022, and then months without support."""
    support = [held + slope * month for month in range(9)]
    after = [held + slope * (9 + month) + at_once + drift * month for month in range(months)]
    values = [300] * 12 + list(climb) + support + after
    return [round(value + waver[place % len(waver)]) for place, value in enumerate(values)]


def study_of(*facilities, people=1000, indicator=None, given=None, data_cut="2023-12-31", **options):
    """Facilities F1, F2 and so on with these counts from January 2021, all supported through 2022."""
    return make_study(
        data_cut=data_cut,
        options={"sustainment": options},
        facilities=[
            {"facility_id": f"F{number}"} | ENDED | ((given or {}).get(number, {}))
            for number in range(1, len(facilities) + 1)
        ],
        indicators=[an_indicator(**(indicator or {}))],
        measurements=[
            row
            for number, values in enumerate(facilities, start=1)
            for row in monthly(f"F{number}", "2021-01-01", values, people)
        ],
    )


def found(*facilities, **given):
    (result,) = after_support(sustainment(study_of(*facilities, **given)))
    return result


def first(*facilities, **given):
    return found(*facilities, **given).facilities.iloc[0]


# --- one facility ----------------------------------------------------------------------------------


def test_the_climb_after_joining_is_no_level_to_hold():
    row = first(series())
    assert (row["n_before"], row["n_after"]) == (9, 12)
    assert row["level_before"] == pytest.approx(0.5, abs=0.002)  # with the climb it would be 46%


def test_the_change_is_that_of_a_line_after_support_against_the_level_before_it():
    values = series(at_once=-40, drift=-10)
    result = found(*[values] * 5)
    # By hand, least squares: a level, a step, and a slope after it; at month 12 the step and 11 slopes.
    months = np.arange(-9, 12)
    design = np.column_stack([np.ones(21), months >= 0, np.clip(months, 0, None)])
    coefs = np.linalg.lstsq(design, np.array(values[15:]) / 1000, rcond=None)[0]
    ols = result.sensitivity.set_index("case").loc["ols"]
    assert ols["estimate"] == pytest.approx(coefs[1] + 11 * coefs[2])
    assert result.pooled.estimate == pytest.approx(-0.150, abs=0.005)
    assert result.at_once.estimate == pytest.approx(-0.040, abs=0.006)
    assert result.drift.estimate == pytest.approx(-0.110, abs=0.006)
    assert result.path["estimate"].iloc[-1] == pytest.approx(result.pooled.estimate)
    assert result.path["estimate"].iloc[0] == pytest.approx(result.at_once.estimate)


def test_against_the_trend_it_is_the_usual_interrupted_time_series():
    values = series(at_once=-40, drift=-10)
    frame = pd.DataFrame({"period": pd.date_range("2022-04-01", periods=21, freq="MS"), "value": values[15:]})
    usual = its.fit(frame.assign(value=frame["value"] / 1000), period="period", value="value", start="2023-01-01")
    against = found(*[values] * 5).sensitivity.set_index("case").loc["against_trend"]
    assert against["estimate"] == pytest.approx(usual.effect("2023-12-01").absolute)


def test_no_change_is_not_told_as_one():
    result = found(*[series()] * 5)
    assert result.held == "level"
    assert not result.is_told
    assert result.pooled.low < 0 < result.pooled.high


def test_where_less_is_better_the_sign_stays_that_of_the_values():
    result = found(*[series(climb=(300, 250, 200), held=100, drift=10)] * 5, indicator={"better": "down"})
    assert result.pooled.estimate == pytest.approx(0.11, abs=0.01)
    assert result.is_told


def test_a_month_told_that_is_a_gap_leaves_the_facility_in_if_it_reported_later():
    values = series(months=14)
    values[35] = None
    assert first(values, data_cut="2024-02-28")["reason"] == ""


def test_rates_and_means_are_told_on_their_own_scale():
    rate = found(*[series(drift=-10)] * 5, indicator={"kind": "rate", "per": 100})
    assert rate.pooled.estimate == pytest.approx(-11, abs=0.5)
    mean = found(*[series(drift=-10)] * 5, people=10, indicator={"kind": "mean"})
    assert mean.pooled.estimate == pytest.approx(-11, abs=0.5)


# --- what is held ----------------------------------------------------------------------------------


def test_a_fall_that_had_begun_under_support_and_goes_on_is_no_change():
    result = found(*[series(held=700, slope=-15)] * 5)
    assert result.is_moving
    assert result.held == "trend"
    assert not result.is_told
    against_level = result.sensitivity.set_index("case").loc["against_level"]
    assert against_level["high"] < 0  # as if all of the fall had come with the end of support


def test_a_trend_that_would_pass_what_is_possible_makes_no_claim():
    result = found(*[series(climb=(400, 500, 600), held=700, slope=20, at_once=0, drift=-20)] * 5)
    assert result.held == "trend"
    assert result.beyond_share == pytest.approx(1.0)
    assert result.is_refused
    assert not result.is_told


def test_facilities_without_a_trend_are_not_averaged_with_those_that_have_one():
    short = {6: ENDED | {"support_ended_on": "2022-08-31"}}  # April to August: five months of support
    result = found(*[series(held=700, slope=-15)] * 6, given=short)
    assert result.held == "trend"
    assert result.pooled.k == 5
    assert result.facilities.set_index("facility").loc["F6", "reason"] == "no_trend"


# --- who is in it ----------------------------------------------------------------------------------


def test_all_whose_support_ended_are_in_it_whether_they_gained_or_not():
    never = [300 + WAVER[month % 12] for month in range(36)]
    assert found(*[series()] * 4, never).pooled.k == 5


@pytest.mark.parametrize(
    ("values", "given", "reason"),
    [
        (series(), {"support_ended_on": None}, "no_end"),
        (series(), {"support_ended_on": "2022-05-31"}, "too_few_before"),
        (series(months=2), {}, "too_few_after"),
        (series(months=8), {}, "ends_sooner"),
        ([300] * 12 + [400, 600, 800] + [1000] * 9 + [990, 985, 970] * 4, {}, "at_edge"),
        ([300] * 12 + [400, 450, 480] + [500] * 21, {}, "nothing_varies"),
    ],
)
def test_who_tells_no_change_has_a_reason(values, given, reason):
    result = found(*[series()] * 5, values, given={6: given})
    assert result.month == 12
    assert result.facilities.set_index("facility").loc["F6", "reason"] == reason
    assert result.pooled.k == 5


def test_months_of_few_people_are_left_out():
    people = [1000] * 24 + [4] * 10 + [1000] * 2
    values = [min(value, whole) for value, whole in zip(series(), people, strict=True)]
    assert first(values, people=people)["reason"] == "too_few_after"


def test_fewer_than_five_are_shown_and_not_averaged():
    result = found(*[series(drift=-10)] * 4)
    assert result.pooled is None
    assert result.sensitivity is None
    assert result.n_told == 4
    assert result.path.empty
    assert (result.facilities["high"] < 0).all()
    assert not result.is_told


def test_without_any_facility_that_can_tell_there_is_no_month():
    result = found(series(months=2))
    assert result.month is None
    assert result.n_told == 0
    assert result.alarms is None


# --- the month told --------------------------------------------------------------------------------


def test_the_month_told_is_the_longest_follow_up_that_half_reach_and_five_of_them():
    long, short = series(), series(months=8)
    assert found(*[long] * 5, short, short).month == 12
    assert found(*[long] * 4, *[short] * 4).month == 6
    assert found(*[long] * 4, *[short] * 4, follow_up_months=[12]).month == 8  # the last month they reach
    assert found(*[long] * 4, *[short] * 4, follow_up_months=[3, 12]).month == 3


def test_no_line_is_drawn_through_more_than_a_year():
    assert found(*[series(months=24)] * 5, data_cut="2024-12-31").month == 12


def test_so_few_months_after_have_a_level_and_no_slope():
    result = found(*[series(months=4, at_once=-50)] * 5, data_cut="2023-04-30")
    assert (result.month, result.has_slope, result.drift) == (4, False, None)
    assert result.pooled.estimate == pytest.approx(-0.05, abs=0.006)


# --- what was seen ---------------------------------------------------------------------------------


def test_dots_are_the_average_of_months_less_each_facilitys_own_level():
    low, high = series(held=500, drift=-10), series(climb=(400, 500, 600), held=800, drift=-10)
    dots = found(low, low, low, high, high).dots.set_index("month")
    assert dots.index.tolist() == [*range(-8, 13)]
    assert dots["facilities"].eq(5).all()
    assert dots["estimate"].loc[:0].mean() == pytest.approx(0, abs=1e-9)
    assert dots["estimate"].loc[12] == pytest.approx(-0.11, abs=0.008)


def test_months_that_fewer_than_half_reported_have_no_dot():
    silent = series()
    silent[30] = None
    dots = found(series(), series(), silent, silent, silent).dots
    assert 7 not in dots["month"].tolist()


# --- many collaboratives, whose truth is known -----------------------------------------------------


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "benchmarks"))
    for name in ("sustainment", "after_support"):
        sys.modules.pop(name, None)
    import after_support as module

    yield module
    for name in ("sustainment", "after_support"):
        sys.modules.pop(name, None)


def test_the_true_change_after_support_is_recovered_and_none_where_there_is_none(benchmark):
    lost = pd.DataFrame([benchmark.once("half keep it", 12, seed) for seed in range(5)])
    truth, of_gain = benchmark.true_changes("half keep it", 12)
    assert truth == pytest.approx(of_gain)  # nothing else moves
    assert truth == pytest.approx(-0.10, abs=0.01)
    assert lost["estimate"].mean() == pytest.approx(truth, abs=0.03)
    assert (lost["low"].le(truth) & lost["high"].ge(truth)).sum() >= 4
    kept = pd.DataFrame([benchmark.once("all keep it", 12, seed) for seed in range(5)])
    assert kept["estimate"].mean() == pytest.approx(0, abs=0.02)
    assert (kept["low"].le(0) & kept["high"].ge(0)).sum() >= 4
