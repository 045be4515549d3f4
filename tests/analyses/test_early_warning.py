"""Which chart would have warned first? Levels watched, months, false alarms and refusals."""

import sys

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.early_warning import early_warnings, run_lengths
from qieval.analyses.sustainment import sustainment
from qieval.methods import spc
from tests.analyses.conftest import PROJECT, an_indicator, make_study, monthly
from tests.analyses.test_sustainment import ENDED

HELD = [81, 79, 80, 82, 78, 80, 80, 81, 79]  # of 100 people a month, April to December 2022


def months(after, *, held=HELD, climb=(50, 60, 70), before=50):
    """2021 at 50%, three months of climb, nine of support at 80%, and these months after it."""
    return [before] * 12 + [*climb] + list(held) + list(after)


def found(*facilities, people=100, indicator=None, given=None, **options):
    study = make_study(
        options={"sustainment": options},
        facilities=[{"facility_id": f"F{i}"} | ENDED | (given or {}) for i in range(len(facilities))],
        indicators=[an_indicator(**(indicator or {}))],
        measurements=[
            row for i, values in enumerate(facilities) for row in monthly(f"F{i}", "2021-01-01", values, people)
        ],
    )
    (result,) = early_warnings(sustainment(study))
    return result


def first(*facilities, **given):
    return found(*facilities, **given).table.iloc[0]


STEADY, SLOW, SUDDEN = [80, 79, 81] * 4, [78, 76, 75, 74, 73, 71, 70, 69, 67, 66, 65, 63], [60] * 12


# --- one facility ----------------------------------------------------------------------------------


def test_each_facility_is_watched_against_its_months_of_support_after_the_climb():
    row = first(months(STEADY))
    assert row["centre"] == pytest.approx(0.8)
    assert (row["status"], row["months"]) == ("watched", 12)
    assert row[["ewma", "cusum", "single", "told"]].isna().all()


def test_the_charts_are_those_of_spc():
    rows = pd.DataFrame({"month": range(-8, 13), "done": [*HELD, *SLOW], "all": 100, "held": [True] * 9 + [False] * 12})
    given = {"period": "month", "numerator": "done", "denominator": "all", "kind": "p", "baseline": "held"}
    row = first(months(SLOW))
    assert row["ewma"] == spc.ewma(rows, **given).series["first_below"].iloc[0]
    assert row["cusum"] == spc.cusum(rows, **given).series["first_below"].iloc[0]


def test_a_slow_loss_is_warned_of_by_the_average_before_a_month_is_far_out_or_the_loss_is_told():
    row = first(months(SLOW))
    assert row["ewma"] < row["single"]
    assert row["ewma"] < row["told"]


def test_a_sudden_loss_is_warned_of_by_its_first_month():
    row = first(months(SUDDEN))
    assert row["single"] == 1


def test_the_loss_is_told_in_the_last_of_the_months_in_a_row():
    assert first(months(SUDDEN))["told"] == 3
    assert first(months(SUDDEN), months_to_lose=1)["told"] == 1
    assert first(months([80, None, 60, 60, None, 60, 60, 60, 60, 60, 60, 60]))["told"] == 6  # a gap breaks no row


def test_only_the_worse_side_warns():
    assert first(months([95] * 12))[["ewma", "cusum", "single"]].isna().all()
    falling = [100 - x for x in months(SUDDEN)]
    assert first(falling, indicator={"better": "down"})["single"] == 1
    rising = [100 - x for x in months([95] * 12)]
    assert first(rising, indicator={"better": "down"})[["ewma", "cusum", "single"]].isna().all()


def test_who_did_not_gain_is_not_watched():
    assert found([50] * 36).table.empty
    assert found([50] * 36).records == ()


@pytest.mark.parametrize(
    ("values", "given", "status"),
    [
        (months(STEADY, held=[80] * 2 + [80] * 7), {"support_ended_on": "2022-05-31"}, "too few months of support"),
        (months([98] * 12, held=[100] * 9), {}, "no scatter"),
        (months([]), {}, "no month after support"),
    ],
)
def test_who_cannot_be_watched_has_a_reason(values, given, status):
    assert first(values, given=given)["status"] == status
    assert found(values, given=given).records == ()


def test_a_mean_needs_months_enough_to_scatter_and_chance_is_not_known():
    waits = [60, 62, 58] * 4 + [50, 45, 42] + [40, 42, 39, 41, 40, 38, 41, 40, 39] + [41, 40, 55, 56, 57, 58] * 2
    result = found([10 * x for x in waits], people=10, indicator={"kind": "mean", "better": "down"})
    row = result.table.iloc[0]
    assert row["status"] == "watched"
    assert row["single"] == 3
    assert np.isnan(row["chance_ewma"])
    assert all(np.isnan(one.by_chance) for one in result.records)
    short = {"support_ended_on": "2022-08-31"}  # five months after the climb
    assert first([10 * x for x in waits], people=10, indicator={"kind": "mean", "better": "down"}, given=short)[
        "status"
    ] == ("too few months of support")


def test_counts_and_rates_are_watched_with_the_scatter_of_counts():
    falls = {"kind": "rate", "per": 1000, "better": "down"}
    row = first([100 - x for x in months(SUDDEN)], people=1000, indicator=falls)
    assert row["centre"] == pytest.approx(20)
    assert row["single"] == 1
    assert 0 <= row["chance_single"] < 0.3
    assert first([100 - x for x in months(SUDDEN)], indicator={"kind": "count", "better": "down"})["single"] == 1


# --- chance ----------------------------------------------------------------------------------------


def test_a_level_known_from_few_people_gives_more_false_alarms_than_one_known_well():
    known = months([8000, 8010, 7990] * 4, held=[100 * x for x in HELD], climb=(5000, 6000, 7000), before=5000)
    well = first(known, people=[10_000] * 24 + [10_000] * 12)
    few = first(months(STEADY, held=[82, 80, 79]), given={"support_ended_on": "2022-06-30"})
    assert 0 < well["chance_ewma"] < 0.2
    assert well["chance_ewma"] < few["chance_ewma"]


def test_where_the_level_is_known_for_certain_chance_is_that_of_the_run_length():
    # A hundred thousand people a month of support, a hundred after it: the level is certain, the months are not.
    held, after = [80_000, 80_100, 79_900] * 3, STEADY
    climb, before = (50_000, 60_000, 70_000), 50_000
    people = [100_000] * 24 + [100] * 12
    row = first(months(after, held=held, climb=climb, before=before), people=people)
    assert row["chance_cusum"] == pytest.approx(12 / run_lengths()["cusum"], abs=0.015)
    assert row["chance_single"] == pytest.approx(12 / run_lengths()["single"], abs=0.015)


def test_chance_is_the_same_every_time():
    once, again = (found(months(STEADY), months(SLOW)).table for _ in range(2))
    pd.testing.assert_frame_equal(once, again)


# --- all facilities --------------------------------------------------------------------------------


def test_warnings_are_counted_by_what_became_of_the_gain():
    result = found(*[months(SLOW)] * 5, months(STEADY), months(STEADY))
    assert (result.n_watched, result.n_lost, result.n_kept) == (7, 5, 2)
    row = result.table.iloc[0]
    for one in result.records:
        assert (one.warned_lost, one.warned_kept, one.warned_other) == (5, 0, 0)
        assert one.lead == row["told"] - row[one.chart]
        assert one.before_rule == (5 if one.lead > 0 else 0)
        assert one.by_chance == pytest.approx(result.table[f"chance_{one.chart}"].sum())
    soonest = row[["ewma", "cusum", "single"]].min()
    assert {one.chart for one in result.records if one.first == 5} == {
        chart for chart in ("ewma", "cusum", "single") if row[chart] == soonest
    }


def test_fewer_than_five_losses_have_no_median():
    result = found(*[months(SLOW)] * 4)
    assert result.n_lost == 4
    assert all(np.isnan(one.lead) for one in result.records)


def test_a_loss_without_a_warning_counts_as_later_than_all():
    # Against nine months at 80% that end at 95%, a fall back to 80% is a loss, and no warning.
    late = months([80] * 12, held=[72, 73, 72, 71, 73, 72, 95, 95, 95])
    result = found(*[late] * 5)
    assert result.n_lost == 5
    assert result.records[2].warned_lost == 0
    assert np.isneginf(result.records[2].lead)


# --- many collaboratives, whose truth is known -----------------------------------------------------


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "benchmarks"))
    for name in ("sustainment", "early_warning"):
        sys.modules.pop(name, None)
    import early_warning as module

    yield module
    for name in ("sustainment", "early_warning"):
        sys.modules.pop(name, None)


def test_true_losses_are_warned_of_before_they_are_told_and_false_alarms_are_as_many_as_said(benchmark):
    rows = pd.concat([benchmark.once("half keep it", seed) for seed in range(6)])
    lost, kept = rows.loc[~rows["keeps"]], rows.loc[rows["keeps"]]
    assert lost["ewma"].notna().mean() > 0.9
    assert lost["ewma"].fillna(99).median() < lost["told"].fillna(99).median()
    for chart in ("ewma", "cusum", "single"):
        assert kept[chart].notna().mean() == pytest.approx(kept[f"chance_{chart}"].mean(), abs=0.09)
        assert kept[f"chance_{chart}"].mean() > 3 * (kept["months"] / run_lengths()[chart]).mean()
