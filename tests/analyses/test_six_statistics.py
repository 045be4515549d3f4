"""The six statistics: each by its definition, with its interval, and refused where data cannot carry it."""

import csv

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import t

from qieval.analyses.six_statistics import (
    PUBLISHED,
    PUBLISHED_CHARTS,
    PUBLISHED_COLLABORATIVES,
    PUBLISHED_MONTHS_KEPT,
    all_six_statistics,
)
from qieval.methods.rates import proportion
from tests.analyses.conftest import an_indicator, make_study, monthly

BEFORE = [40, 44, 42, 42]  # 42% of 100, from January 2022 on; facilities join in May
RISING = [50, 60, 70, 81, 85, 92, 95, 91, 79, 85]


def study_of(*series, joined="2022-05-01", denominators=100, before=BEFORE, **given):
    indicator = an_indicator(**given.pop("indicator", {}))
    rows = []
    for number, after in enumerate(series):
        rows += monthly(f"F{number}", "2022-01-01", list(before) + list(after), denominators)
    return make_study(
        facilities=[{"facility_id": f"F{number}", "joined_on": joined} for number in range(len(series))],
        indicators=[indicator],
        measurements=rows,
        **given,
    )


def only(study):
    (result,) = all_six_statistics(study)
    return result


def first(study):
    return only(study).facilities.iloc[0]


# --- one chart -------------------------------------------------------------------------------------


def test_baseline_is_people_pooled_over_all_months_before_joining():
    few = study_of(RISING, before=[1, 44, 42, 42], denominators=[10] + [100] * 13)
    assert first(few)["baseline"] == pytest.approx(129 / 310)


def test_the_level_reached_is_that_of_the_best_three_months_in_a_row():
    assert first(study_of(RISING))["level_reached"] == pytest.approx((92 + 95 + 91) / 300)
    one = study_of(RISING, options={"effectiveness": {"months_to_reach": 1}})
    assert first(one)["level_reached"] == pytest.approx(0.95)


def test_the_best_months_never_lie_around_a_gap():
    gap = [50, 60, 70, 81, 85, 92, None, 95, 91, 79, 85]
    assert first(study_of(gap))["level_reached"] == pytest.approx((95 + 91 + 79) / 300)


def test_gain_is_positive_where_care_became_better_whichever_way_that_is():
    assert first(study_of(RISING))["gain"] == pytest.approx(278 / 300 - 0.42)
    falling = study_of([30, 25, 20, 15, 10, 8, 9, 7, 12, 15], indicator={"better": "down", "target": 0.1})
    assert first(falling)["level_reached"] == pytest.approx(0.08)
    assert first(falling)["gain"] == pytest.approx(0.42 - 0.08)


def test_months_to_a_level_count_from_joining_to_the_first_of_three_in_a_row():
    row = first(study_of(RISING))
    assert (row["months_to_0.8"], row["months_to_0.9"]) == (3, 5)


def test_who_began_at_the_level_counts_as_there_but_took_no_time():
    result = only(study_of(RISING, before=[85, 86, 84, 85]))
    row = result.facilities.iloc[0]
    assert row["reached_0.8"]
    assert np.isnan(row["months_to_0.8"])
    assert result.at_level_before == {0.8: 1, 0.9: 0}


def test_months_kept_are_those_at_the_level_since_it_was_reached():
    row = first(study_of(RISING))  # 81 85 92 95 91 79 85: six of seven
    assert (row["months_kept"], row["months_observed"]) == (6, 7)
    assert row["share_kept"] == pytest.approx(6 / 7)


def test_a_level_reached_too_recently_has_no_share_kept():
    row = first(study_of([50, 50, 50, 50, 50, 50, 85, 86, 87, 88, 89]))  # five months, of which three made it reached
    assert row["reached_0.8"]
    assert np.isnan(row["share_kept"])


@pytest.mark.parametrize("indicator", [{"better": "down"}, {"kind": "rate", "per": 100}, {"kind": "mean"}])
def test_other_indicators_are_held_against_their_target_and_without_one_against_none(indicator):
    assert only(study_of(RISING, indicator=indicator | {"target": 0.3})).levels == (0.3,)
    result = only(study_of(*[RISING] * 5, indicator=indicator))
    assert result.levels == ()
    assert result.row("share_reaching")["lacking"] == "no target"
    assert np.isnan(result.row("months_to_reach")["estimate"])


# --- chance ----------------------------------------------------------------------------------------


def test_the_gain_by_chance_is_that_of_the_best_of_months_that_did_not_change():
    # Twenty months of one birth in two: the best three in a row of 20 are known by drawing them here.
    study = study_of([10] * 20, before=[10] * 4, denominators=20)
    rng = np.random.default_rng(1)
    drawn = rng.binomial(20, 0.5, size=(20_000, 20))
    best = np.lib.stride_tricks.sliding_window_view(drawn, 3, axis=1).sum(axis=2).max(axis=1) / 60
    assert first(study)["gain_by_chance"] == pytest.approx(best.mean() - 0.5, abs=0.006)


def test_facilities_that_never_changed_gain_what_chance_says_and_reach_what_chance_says():
    rng, rows = np.random.default_rng(11), []
    for number in range(150):
        rows += monthly(f"F{number}", "2022-01-01", [14] * 4 + list(rng.binomial(20, 0.7, size=20)), 20)
    study = make_study(
        facilities=[{"facility_id": f"F{number}", "joined_on": "2022-05-01"} for number in range(150)],
        indicators=[an_indicator()],
        measurements=rows,
    )
    result = only(study)
    gain = result.row("gain")
    assert gain["low"] < gain["by_chance"] < gain["high"]
    share = result.row("share_reaching", 0.8)
    assert share["low"] < share["by_chance"] < share["high"]
    assert result.reached_by_chance[0.8] == pytest.approx(150 * share["by_chance"])


def test_the_chance_of_means_is_not_known():
    result = only(study_of(*[RISING] * 5, indicator={"kind": "mean", "target": 0.8}))
    assert np.isnan(result.row("gain")["by_chance"])
    assert np.isnan(result.reached_by_chance[0.8])


# --- over facilities -------------------------------------------------------------------------------

SERIES = [[value + shift for value in RISING] for shift in (-14, -8, -4, 0, 4)]


def test_means_are_over_facilities_with_their_t_interval():
    result = only(study_of(*SERIES))
    gains, row = result.facilities["gain"], result.row("gain")
    half = t.ppf(0.975, 4) * gains.std() / np.sqrt(5)
    assert (row["estimate"], row["low"], row["high"], row["n"]) == pytest.approx(
        (gains.mean(), gains.mean() - half, gains.mean() + half, 5)
    )


def test_shares_are_over_facilities_with_wilsons_interval():
    result = only(study_of(*SERIES))
    row, expected = result.row("share_reaching", 0.9), proportion(2, 5)
    assert (row["estimate"], row["low"], row["high"]) == pytest.approx((expected.estimate, expected.low, expected.high))


def test_an_interval_ends_where_the_scale_ends():
    row = only(study_of(*[[value] * 10 for value in (100, 100, 100, 100, 60)])).row("level_reached")
    assert row["high"] == 1


def test_facilities_that_are_all_the_same_have_a_mean_but_no_interval():
    row = only(study_of(*[RISING] * 5)).row("months_to_reach", 0.8)
    assert row["estimate"] == 3
    assert np.isnan(row["low"])
    assert np.isnan(row["high"])


def test_fewer_than_five_that_reached_it_have_no_mean_time_and_none_is_not_zero():
    result = only(study_of(*SERIES))
    assert result.row("months_to_reach", 0.9)["lacking"] == "too few reached"
    assert np.isnan(result.row("months_to_reach", 0.9)["estimate"])
    low = only(study_of(*[[50 + number] * 10 for number in range(5)]))
    assert low.row("months_to_reach", 0.8)["lacking"] == "none reached"
    assert low.row("share_kept", 0.8)["lacking"] == "none reached"
    assert low.row("share_reaching", 0.8)["estimate"] == 0


def test_one_chart_of_all_together_pools_people_by_months_since_joining():
    study = study_of(*SERIES)
    row = only(study)
    assert row.row("baseline")["together"] == pytest.approx(0.42)
    best = np.mean([sum(series[5:8]) / 300 for series in SERIES])
    assert row.row("level_reached")["together"] == pytest.approx(best)


def test_months_that_few_of_the_facilities_reported_are_not_in_the_chart_of_all_together():
    # One facility went on to be followed, at 100%: it alone would make the best months.
    result = only(study_of(*SERIES[:4], SERIES[4] + [100] * 6))
    assert result.row("level_reached")["together"] < 0.95


# --- refusals --------------------------------------------------------------------------------------


def test_without_a_baseline_nothing_is_given():
    result = only(study_of(*SERIES, joined=None))
    assert result.refused == "no baseline"
    assert len(result.left_out["no baseline"]) == 5
    assert result.statistics.empty


def test_a_chart_of_fewer_than_twelve_months_is_left_out():
    assert only(study_of(*[RISING[:7]] * 5)).refused == "too few months"
    result = only(study_of(*SERIES, RISING[:7]))
    assert result.refused is None
    assert result.left_out["too few months"] == ("F5",)
    assert result.row("gain")["n"] == 5
    assert only(study_of(*[RISING[:8]] * 5)).refused is None  # 4 before and 8 after are twelve


def test_months_enough_but_never_three_in_a_row_are_left_out():
    assert only(study_of([50, None] * 10)).refused == "too few months"


def test_fewer_than_five_facilities_are_shown_one_by_one_without_mean_or_interval():
    result = only(study_of(*SERIES[:4]))
    assert result.refused == "too few facilities"
    assert len(result.facilities) == 4
    assert result.statistics[["estimate", "low", "high"]].isna().all(axis=None)


# --- what is published -----------------------------------------------------------------------------


def test_the_published_figures_are_those_of_the_paper(reference):
    with open(reference / "data" / "published" / "key_figures.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["study"] == "franco_marquez_2011"]
    printed = {row["metric"]: row for row in rows}
    metrics = {
        ("gain", None): ("absolute_increase_mean", 100),
        ("share_reaching", 0.8): ("charts_reaching_80pct", 100),
        ("share_reaching", 0.9): ("charts_reaching_90pct", 100),
        ("months_to_reach", 0.8): ("time_to_80pct_mean", 1),
        ("months_to_reach", 0.9): ("time_to_90pct_mean", 1),
        ("share_kept", 0.8): ("share_of_months_maintained", 100),
    }
    assert {(one.statistic, one.level) for one in PUBLISHED} == set(metrics)
    for one in PUBLISHED:
        metric, scale = metrics[one.statistic, one.level]
        assert scale * one.value == pytest.approx(float(printed[metric]["value"]))
        spread = printed[metric]["spread"]
        assert (one.spread is None) == (spread == "")
        if one.spread is not None:
            assert scale * one.spread == pytest.approx(float(spread))
    assert float(printed["collaboratives_analysed"]["value"]) == PUBLISHED_COLLABORATIVES
    assert float(printed["time_series_charts"]["value"]) == PUBLISHED_CHARTS
    assert float(printed["months_maintained_mean"]["value"]) == PUBLISHED_MONTHS_KEPT


def test_the_months_of_the_paper_add_up_to_our_definition_of_months_kept(reference):
    observed, to_80 = 28, next(one.value for one in PUBLISHED if one.statistic == "months_to_reach")
    assert PUBLISHED_MONTHS_KEPT / (observed - to_80) == pytest.approx(0.69, abs=0.005)


# --- the truth behind the demo ---------------------------------------------------------------------


def test_the_demo_gives_back_the_truth_it_was_drawn_from(demo, simulated):
    """Baselines within their interval; gains above the true ones by no more than chance adds to a best of months."""
    levels = simulated.truth.levels
    for result in all_six_statistics(demo)[:2]:
        rows = levels.loc[levels["indicator_id"] == result.indicator.indicator_id]
        joined = demo["facilities"].set_index("facility_id")["joined_on"]
        names = demo.facility_names()
        rows = rows.loc[rows["facility_id"].map(names).isin(result.facilities["facility"])]
        is_before = rows["period"] < rows["facility_id"].map(joined)
        before = rows.loc[is_before].groupby("facility_id")["level"].mean()
        best = rows.loc[~is_before].groupby("facility_id")["level"].apply(lambda own: own.rolling(3).mean().max())
        baseline, gain = result.row("baseline"), result.row("gain")
        assert baseline["low"] < before.mean() < baseline["high"]
        true_gain = (best - before).mean()
        assert true_gain < gain["estimate"] < true_gain + gain["by_chance"]
        assert gain["together"] == pytest.approx(true_gain, abs=0.05)


def test_what_did_not_change_gains_no_more_than_chance(demo):
    deaths = all_six_statistics(demo)[3]
    gain = deaths.row("gain")
    assert gain["low"] < gain["by_chance"] < gain["high"]


def test_the_same_study_gives_the_same_numbers_and_is_left_as_it_was(demo):
    before = {name: frame.copy() for name, frame in demo.tables.items()}
    once, again = all_six_statistics(demo)[0], all_six_statistics(demo)[0]
    assert_frame_equal(once.statistics, again.statistics)
    for name, frame in before.items():
        assert_frame_equal(demo[name], frame)
