"""Did gains last after support ended? Windows, boundaries, and what is not reported."""

import sys

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.sustainment import sustainment
from tests.analyses.conftest import PROJECT, an_indicator, make_study, monthly

ENDED = {"joined_on": "2022-01-01", "support_ended_on": "2022-12-31"}


def levels(before, end, after, *, people=1000):
    """2021 at one level, the last 3 months of 2022 at another, and 2023 at a third, out of so many people a month."""
    months = [before] * 12 + [(before + end) / 2] * 9 + [end] * 3 + [after] * 12
    return [round(level * people) for level in months]


def study_of(values, *, people=1000, data_cut="2023-12-31", facility=ENDED, indicator=None, **options):
    """One facility from January 2021 on, supported from January to December 2022."""
    return make_study(
        data_cut=data_cut,
        options={"sustainment": options},
        facilities=[{"facility_id": "F1", "name": "Amber"} | facility],
        indicators=[an_indicator(**(indicator or {}))],
        measurements=monthly("F1", "2021-01-01", values, people),
    )


def only(study):
    (result,) = sustainment(study).indicators
    return result


def row(study):
    return only(study).table.iloc[0]


# --- classes ---------------------------------------------------------------------------------------


def test_each_class_from_its_three_segments():
    assert row(study_of(levels(0.3, 0.5, 0.5)))["class"] == "gained and kept"
    assert row(study_of(levels(0.3, 0.5, 0.3)))["class"] == "gained and lost"
    assert row(study_of(levels(0.3, 0.3, 0.3)))["class"] == "never gained"
    assert row(study_of(levels(0.3, 0.3, 0.5)))["class"] == "gained later"
    assert row(study_of([3] * 12 + [3] * 9 + [4] * 3 + [3] * 12, people=10))["class"] == "no gain could be told"
    assert row(study_of([3] * 12 + [8] * 12 + [6] * 12, people=10))["class"] == "cannot be told"


def test_never_gained_needs_an_interval_that_rules_the_gain_out():
    # Less is better, and it fell from 8 of 24 to 0 of 6: all of it may be gone, and all of it may be chance.
    found = row(study_of([1, 1, 0] * 4 + [0] * 24, people=2, indicator={"better": "down"}))
    assert found["gain"] == pytest.approx(1 / 3)
    assert found["class"] == "no gain could be told"
    # The same share of many people is a gain, and none of many people is none.
    assert row(study_of(levels(0.35, 0, 0), indicator={"better": "down"}))["start"] == "gained"
    assert row(study_of(levels(0.35, 0.35, 0.35), indicator={"better": "down"}))["class"] == "never gained"


def test_a_gain_smaller_than_asked_for_is_ruled_out_only_by_its_upper_limit():
    found = row(study_of(levels(0.3, 0.35, 0.35)))
    assert found["gain_high"] < 0.1
    assert found["class"] == "never gained"
    found = row(study_of(levels(0.3, 0.39, 0.39)))  # beyond chance, and less than 10 points: 10 are not ruled out
    assert found["gain_low"] > 0
    assert found["gain_high"] > 0.1
    assert found["class"] == "no gain could be told"


def test_bihar_by_its_months_kept_64_percent_and_lost_the_rest():
    # 30.2% without it, 44.2% at the end, 39.1% a year later: BMJ Glob Health 2019, 10.1136/bmjgh-2019-001767.
    found = row(study_of(levels(0.302, 0.442, 0.391)))
    assert (found["baseline"], found["end"], found["level_12"]) == pytest.approx((0.302, 0.442, 0.391))
    assert found["start"] == "gained"
    assert found["share_12"] == pytest.approx(0.636, abs=0.0005)
    assert found["class"] == "gained and lost"  # 5.1 points, with a tolerance of 5
    more = study_of(levels(0.302, 0.442, 0.391, people=5000), people=5000, tolerance=0.06)
    assert row(more)["class"] == "gained and kept"


def test_stopped_reporting_is_neither_kept_nor_lost():
    found = row(study_of(levels(0.3, 0.5, 0.5)[:32]))
    assert found["class"] == "stopped reporting"
    assert found["last_report"] == pd.Timestamp("2023-08-01")
    assert row(study_of(levels(0.3, 0.5, 0.5)[:24]))["class"] == "stopped reporting"
    silent = levels(0.3, 0.5, 0.5)[:34]
    assert row(study_of(silent))["class"] == "gained and kept"  # one of the last three months was reported


def test_a_loss_seen_before_the_reports_stopped_is_a_loss():
    assert row(study_of(levels(0.3, 0.5, 0.3)[:30]))["class"] == "gained and lost"


def test_reports_that_stop_after_the_longest_follow_up_are_no_silence():
    found = row(study_of(levels(0.3, 0.5, 0.5), data_cut="2025-12-31", follow_up_months=[6, 12]))
    assert found["class"] == "gained and kept"


def test_support_that_ended_recently_is_too_early_to_tell():
    assert row(study_of(levels(0.3, 0.5, 0.5)[:29], data_cut="2023-05-31"))["class"] == "too early"
    assert row(study_of(levels(0.3, 0.5, 0.3)[:29], data_cut="2023-05-31"))["class"] == "gained and lost"


def test_a_late_gain_lasts_to_the_last_month_reported():
    start = levels(0.3, 0.3, 0.3)[:24]
    assert row(study_of([*start, *[300] * 9, 500, 500, 500]))["class"] == "gained later"
    assert row(study_of([*start, *[300] * 10, 500, 500]))["class"] == "never gained"
    assert row(study_of([*start, *[500] * 11, 300]))["class"] == "never gained"


def test_a_gain_is_left_by_the_last_months_reported():
    found = row(study_of([*levels(0.3, 0.5, 0.5)[:33], 480, 490, 500]))
    assert found["level_now"] == pytest.approx(0.49)
    assert found["share_now"] == pytest.approx(0.95)


# --- what counts as a gain -------------------------------------------------------------------------


def test_a_gain_of_exactly_the_minimum_counts_and_one_less_does_not():
    assert row(study_of(levels(0.3, 0.4, 0.4)))["start"] == "gained"
    assert row(study_of(levels(0.3, 0.399, 0.4)))["start"] == "no gain told"
    assert row(study_of(levels(0.7, 0.8, 0.8)))["start"] == "gained"  # 0.8 - 0.7 is a little less than 0.1
    assert row(study_of(levels(0.3, 0.35, 0.35), minimum_gain=0.05))["start"] == "gained"


def test_a_gain_that_chance_explains_is_no_gain():
    # 36 of 120 before and 12 of 30 at the end: the 95% interval of the difference holds none.
    found = row(study_of([3] * 12 + [3] * 9 + [4] * 3 + [4] * 12, people=10))
    assert found["gain"] == pytest.approx(0.1)
    assert found["start"] == "no gain told"
    assert row(study_of([30] * 12 + [30] * 9 + [40] * 3, people=100))["start"] == "gained"


def test_a_rate_gains_by_a_share_of_its_baseline():
    rate = {"kind": "rate", "per": 1000, "better": "down"}
    found = row(study_of(levels(0.1, 0.08, 0.09), indicator=rate))
    assert found["gain"] == pytest.approx(20)  # per 1000, of 100
    assert found["start"] == "gained"
    assert row(study_of(levels(0.1, 0.092, 0.09), indicator=rate))["start"] == "no gain told"  # 8% where 10% is asked


def test_a_mean_gains_if_its_months_differ_by_more_than_they_scatter():
    minutes = {"kind": "mean", "better": "down"}
    steady = [60, 62, 58] * 4 + [50] * 9 + [40, 42, 38] + [41, 40, 39] * 4
    assert row(study_of(steady, people=1, indicator=minutes)).get("start") == "too few months"  # 3 people
    scaled = [value * 10 for value in steady]
    found = row(study_of(scaled, people=10, indicator=minutes))
    assert (found["baseline"], found["end"], found["start"]) == (60, 40, "gained")
    wild = [value * 10 for value in [20, 100, 60] * 4 + [50] * 9 + [90, 10, 20] + [40] * 12]
    assert row(study_of(wild, people=10, indicator=minutes))["start"] == "no gain told"


def test_a_rate_or_a_mean_never_gained_if_the_share_of_its_baseline_is_ruled_out():
    rate = {"kind": "rate", "per": 1000, "better": "down"}
    assert row(study_of(levels(0.1, 0.1, 0.1, people=9000), people=9000, indicator=rate))["class"] == "never gained"
    assert row(study_of(levels(0.1, 0.1, 0.1, people=100), people=100, indicator=rate))["class"] == (
        "no gain could be told"
    )
    minutes = {"kind": "mean", "better": "down"}
    steady, wild = [600, 620, 580] * 12, [100, 1100, 600] * 12
    assert row(study_of(steady, people=10, indicator=minutes))["class"] == "never gained"
    assert row(study_of(wild, people=10, indicator=minutes))["class"] == "no gain could be told"


def test_means_that_do_not_scatter_at_all_differ_if_they_are_not_equal():
    minutes = {"kind": "mean", "better": "down"}
    assert row(study_of([600] * 12 + [500] * 9 + [400] * 3, people=10, indicator=minutes))["start"] == "gained"
    assert row(study_of([600] * 24, people=10, indicator=minutes))["start"] == "no gain told"


# --- windows ---------------------------------------------------------------------------------------


def test_the_end_is_the_last_three_calendar_months_of_support_and_the_follow_up_ends_so_many_months_later():
    values = [100 + month for month in range(36)]  # 2021-01 is 100; support ends in month 23
    found = row(study_of(values))
    assert found["baseline"] == pytest.approx(np.mean(values[:12]) / 1000)
    assert found["end"] == pytest.approx(np.mean(values[21:24]) / 1000)
    longer = row(study_of(levels(0.3, 0.5, 0.5)[:24] + values[24:36]))
    assert longer["level_6"] == pytest.approx(np.mean(values[27:30]) / 1000)  # April to June 2023
    assert longer["level_12"] == pytest.approx(np.mean(values[33:36]) / 1000)


def test_the_length_of_the_window_is_an_option():
    found = row(study_of([*levels(0.3, 0.5, 0.5)[:33], 100, 200, 300], window_months=1))
    assert found["level_12"] == 0.3


def test_support_that_ended_on_any_day_of_a_month_ended_in_that_month():
    first_day = row(study_of(levels(0.3, 0.5, 0.4), facility=ENDED | {"support_ended_on": "2022-12-01"}))
    assert first_day.equals(row(study_of(levels(0.3, 0.5, 0.4))))


def test_months_of_support_are_not_part_of_what_came_after_it():
    values = levels(0.3, 0.5, 0.3)
    found = row(study_of(values, follow_up_months=[2], window_months=3))
    assert found["level_2"] == pytest.approx(0.3)  # with December it would be 37%


def test_baseline_months_are_not_part_of_the_end_of_a_short_support():
    short = {"joined_on": "2022-01-01", "support_ended_on": "2022-02-28"}
    found = row(study_of([300] * 12 + [500] * 2 + [400] * 22, facility=short))
    assert (found["baseline"], found["end"]) == pytest.approx((0.3, 0.5))


# --- what cannot be told ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facility", "start"),
    [
        ({"joined_on": "2022-01-01", "support_ended_on": None}, "support not ended"),
        ({"joined_on": None, "support_ended_on": "2022-12-31"}, "too few months"),
        ({"joined_on": "2021-03-01", "support_ended_on": "2022-12-31"}, "too few months"),
    ],
)
def test_without_both_ends_and_three_baseline_months_there_is_no_gain_to_speak_of(facility, start):
    others = [{"facility_id": "F2"} | ENDED]
    study = make_study(
        facilities=[{"facility_id": "F1"} | facility, *others],
        indicators=[an_indicator()],
        measurements=monthly("F1", "2021-01-01", levels(0.3, 0.5, 0.5), 1000),
    )
    found = only(study)
    assert found.table["start"].tolist() == [start]
    assert (found.n_gained, found.n_assessable) == (0, 0)
    assert found.table["outcome_12"].tolist() == [None]


def test_without_any_end_of_support_there_is_no_result():
    assert sustainment(study_of(levels(0.3, 0.5, 0.5), facility={"joined_on": "2022-01-01"})).indicators == ()


# --- over facilities -------------------------------------------------------------------------------


def study_of_many(*after):
    """Facilities that all gained from 30% to 50% and stand at these levels a year later; None: no report."""
    rows = []
    for number, level in enumerate(after):
        values = levels(0.3, 0.5, level or 0)
        rows += monthly(f"F{number}", "2021-01-01", values if level is not None else values[:24], 1000)
    facilities = [{"facility_id": f"F{number}"} | ENDED for number in range(len(after))]
    return make_study(facilities=facilities, indicators=[an_indicator()], measurements=rows)


def test_comparison_facilities_are_left_out():
    study = study_of_many(0.5, 0.5)
    facilities = study["facilities"].assign(role=["comparison", None])
    alone = make_study(
        facilities=facilities.to_dict("records"),
        indicators=[an_indicator()],
        measurements=study["measurements"].to_dict("records"),
    )
    assert only(alone).table["facility"].tolist() == ["F1"]


# --- the demo, whose truth is known ----------------------------------------------------------------

DECAY = 0.08  # of the log of the gain a month, in facilities that do not keep it


@pytest.fixture(scope="module")
def outcomes(demo, simulated):
    """One row per facility and indicator, with what was found and what is true."""
    found = pd.concat(
        [one.table.assign(indicator_id=one.indicator.indicator_id) for one in sustainment(demo).indicators]
    )
    names = demo.facility_names()
    truth = simulated.truth.effects.assign(facility=simulated.truth.effects["facility_id"].map(names))
    return found.merge(truth[["facility", "indicator_id", "keeps"]], on=["facility", "indicator_id"])


def test_facilities_of_the_demo_that_truly_keep_their_gain_are_hardly_ever_told_to_have_lost_it(outcomes):
    gained = outcomes.loc[outcomes["keeps"] & (outcomes["start"] == "gained")]
    assert len(gained) >= 25
    assert (gained["class"] == "gained and lost").sum() <= 2
    assert (gained["class"] == "gained and kept").mean() > 0.5  # many see too few people to tell
    assert gained["share_12"].median() > 0.85


def test_facilities_of_the_demo_that_lose_their_gain_lose_what_they_truly_lose(outcomes):
    gained = outcomes.loc[~outcomes["keeps"] & (outcomes["start"] == "gained")]
    # The follow-up window is months 10 to 12 after support, so that the middle one is the eleventh.
    assert gained["share_12"].median() == pytest.approx(np.exp(-DECAY * 11), abs=0.15)
    assert (gained["class"] == "gained and kept").sum() <= 1
    assert (gained["class"] == "gained and lost").mean() > 0.6


def test_the_indicator_of_the_demo_without_an_effect_has_at_most_a_few_gains_by_chance(outcomes):
    deaths = outcomes.loc[outcomes["indicator_id"] == "newborn_deaths"]
    assert (deaths["start"] == "gained").sum() <= 2


# --- many collaboratives, whose truth is known -----------------------------------------------------


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "benchmarks"))
    sys.modules.pop("sustainment", None)
    import sustainment as module

    yield module
    sys.modules.pop("sustainment", None)


def test_the_true_decay_is_recovered_and_nothing_is_lost_where_nothing_is(benchmark):
    found = [benchmark.once("half keep it", seed) for seed in range(5)]
    shares = pd.concat([one[0] for one in found])
    truth = shares["after"].map(lambda after: benchmark.true_share(benchmark.design_of("half keep it", 0), after))
    assert (shares["estimate"] - truth).mean() == pytest.approx(0, abs=0.05)
    assert (shares["low"].le(truth) & shares["high"].ge(truth)).sum() >= 8  # of 10
    gained = pd.concat([one[1] for one in found])
    is_lost, is_kept = gained["class"] == "gained and lost", gained["class"] == "gained and kept"
    assert is_lost[gained["keeps"]].mean() < 0.06
    assert is_lost[~gained["keeps"]].mean() > 0.75
    assert is_kept[~gained["keeps"]].mean() < 0.05
    expected = pd.DataFrame([one[2] for one in found])["expected"]
    assert 0.01 < expected.mean() < 0.05
