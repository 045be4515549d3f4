"""Joining in waves: who is compared with whom, over which months, and what is refused."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.series import indicators
from qieval.analyses.waves import Waves, all_waves, waves
from qieval.study.parameters import check_parameters
from qieval.study.simulate import DEMO, simulate
from qieval.study.study import Study, open_study
from tests.analyses.conftest import an_indicator, bundled, make_study, monthly
from tests.moz_anc import moz_anc_parameters, write_moz_anc

FIRST = pd.Timestamp("2021-01-01")


def facility(name, joined, values, *, role="participant", denominators=1000, first="2021-01-01"):
    """A facility's row and its months."""
    row = {"facility_id": name, "joined_on": joined, "role": role}
    return row, monthly(name, first, values, denominators)


def series(number, joined, *, months=24, gain=0, rise=0, level=400):
    """Per mille, month by month: a level of its own, noise of its own, a common `rise`, and a gain since joining."""
    noise = [(7 * number + 5 * month + number * month) % 11 - 5 for month in range(months)]
    since = months if joined is None else months_after(joined)
    return [level + 20 * number + rise * m + noise[m] + (gain if m >= since else 0) for m in range(months)]


def months_after(day):
    return (pd.Timestamp(day).year - FIRST.year) * 12 + pd.Timestamp(day).month - 1


def collaborative(*joined, never=0, options=None, indicator=None, **made):
    """A study of facilities that joined on these days, and of comparison facilities."""
    rows = [facility(f"F{i}", day, series(i, day, **made)) for i, day in enumerate(joined)]
    rows += [
        facility(f"N{i}", None, series(i + len(joined), None, **made), role="comparison") for i in range(never)
    ]  # fmt: skip
    return put_together(rows, options=options, indicator=indicator)


def put_together(rows, *, options=None, indicator=None):
    return make_study(
        facilities=[row for row, _ in rows],
        indicators=[an_indicator(**(indicator or {}))],
        measurements=[month for _, months in rows for month in months],
        options={"effectiveness": options or {}},
    )


def found(study: Study) -> Waves:
    (result,) = all_waves(study)
    return result


TWO_WAVES = ["2022-01-01"] * 3 + ["2022-04-01"] * 3


# --- who is compared with whom ---------------------------------------------------------------------


def test_a_gain_is_found_against_facilities_that_never_joined():
    result = found(collaborative(*TWO_WAVES, never=4, gain=200))
    assert result.refused is None
    assert (result.comparison, result.n_joined, result.n_never, result.width_months) == ("never joined", 6, 4, 1)
    assert result.effect.low < 0.2 < result.effect.high
    assert result.effect.estimate == pytest.approx(0.2, abs=0.01)


def test_what_rises_everywhere_alike_is_no_gain():
    result = found(collaborative(*TWO_WAVES, never=4, rise=10))
    assert result.effect.low < 0 < result.effect.high
    assert result.effect.estimate == pytest.approx(0, abs=0.01)


def test_without_comparison_facilities_later_waves_serve_until_they_join():
    result = found(collaborative(*TWO_WAVES, gain=200))
    assert (result.comparison, result.n_joined, result.n_never) == ("not yet joined", 6, 0)
    assert result.waves["compared"].tolist() == [True, False]
    assert result.waves["facilities"].tolist() == [3, 3]
    assert result.event_study["since_joining"].max() == 2
    assert (result.effect.first_month, result.effect.last_month, result.effect.n_facilities) == (0, 2, 3)
    after = result.not_estimated[result.not_estimated["period"] >= result.not_estimated["group"]]
    assert after["period"].min() == pd.Timestamp("2022-04-01")  # no comparison from then on: refused, not estimated


def test_a_single_comparison_facility_is_none():
    result = found(collaborative(*TWO_WAVES, never=1, gain=200))
    assert result.comparison == "not yet joined"
    assert result.left_out.to_numpy().tolist() == [["N0", "alone not joined"]]


def test_a_comparison_facility_never_joins_whatever_its_row_says():
    rows = [facility(f"F{i}", "2022-01-01", series(i, "2022-01-01", gain=200)) for i in range(3)]
    rows += [facility(f"N{i}", "2022-01-01", series(i + 3, None), role="comparison") for i in range(3)]
    result = found(put_together(rows))
    assert (result.n_joined, result.n_never) == (3, 3)
    assert result.effect.estimate == pytest.approx(0.2, abs=0.01)


def test_those_that_join_after_the_months_measured_are_compared_with():
    result = found(collaborative(*["2022-01-01"] * 3, *["2023-06-01"] * 3, gain=200))
    assert (result.comparison, result.n_joined, result.n_never) == ("never joined", 3, 3)


def test_a_rate_is_told_on_its_own_scale():
    result = found(
        collaborative(*TWO_WAVES, never=4, gain=-200, indicator={"kind": "rate", "per": 100, "better": "down"})
    )
    assert result.effect.estimate == pytest.approx(-20, abs=1)


def test_a_count_has_no_denominator():
    result = found(collaborative(*TWO_WAVES, never=4, gain=200, indicator={"kind": "count"}))
    assert result.effect.estimate == pytest.approx(200, abs=10)


# --- which months ----------------------------------------------------------------------------------


def test_the_effect_is_of_the_first_months_that_every_wave_contributes_to():
    waves_of = ["2022-01-01"] * 3 + ["2022-09-01"] * 3  # the second is seen for four months
    result = found(collaborative(*waves_of, never=4, gain=200))
    assert (result.effect.first_month, result.effect.last_month) == (0, 3)
    assert result.event_study["since_joining"].max() == 11


def test_transition_months_and_the_month_of_the_effect_bound_it():
    options = {"transition_months": 2, "effect_month": 6}
    effect = found(collaborative(*TWO_WAVES, never=4, gain=200, options=options)).effect
    assert (effect.first_month, effect.last_month) == (2, 5)


def test_no_shared_month_after_the_transition_gives_no_single_number():
    result = found(collaborative(*TWO_WAVES, gain=200, options={"transition_months": 6}))
    assert result.refused is None
    assert result.effect is None
    assert len(result.event_study)


def test_months_are_put_together_where_facilities_have_gaps():
    rows = []
    for i, day in enumerate(TWO_WAVES):
        values = [None if month % 9 == i else value for month, value in enumerate(series(i, day, gain=200))]
        rows.append(facility(f"F{i}", day, values))
    result = found(put_together(rows))
    assert result.width_months == 3  # two would do for the gaps, but split the second wave
    assert result.n_joined == 6
    assert result.left_out.empty
    assert result.effect.estimate == pytest.approx(0.2, abs=0.02)


def test_months_before_joining_do_not_count_in_the_period_of_joining():
    """Joined in February and March, put together by pairs; the months before joining lie 300 lower."""
    joined = ["2022-02-01", "2022-03-01", "2022-02-01", "2022-03-01"]
    rows = [facility(f"F{i}", day, series(i, day, gain=300)) for i, day in enumerate(joined)]
    rows += [facility(f"N{i}", None, series(i + 4, None), role="comparison") for i in range(3)]
    gappy = [
        (row, [m for month, m in enumerate(months) if (month + i) % 6]) for i, (row, months) in enumerate(rows)
    ]  # fmt: skip
    result = found(put_together(gappy))
    assert result.width_months > 1
    assert result.effect.estimate == pytest.approx(0.3, abs=0.02)


def test_facilities_that_joined_alone_are_put_together():
    result = found(collaborative("2022-01-01", "2022-02-01", "2022-07-01", "2022-08-01", gain=200))
    assert result.width_months == 2
    assert result.waves["facilities"].tolist() == [2, 2]


def test_those_left_out_are_named_with_the_reason():
    rows = [facility(f"F{i}", day, series(i, day)) for i, day in enumerate(TWO_WAVES)]
    rows += [
        facility("late", "2022-04-01", series(7, None)[:3], first="2022-06-01"),
        facility("early", "2020-01-01", series(8, None)),
        facility("undated", None, series(9, None)),
        facility("alone", "2022-10-01", series(10, None)),
    ]
    result = found(put_together(rows))
    assert dict(result.left_out.to_numpy().tolist()) == {
        "undated": "no joining date",
        "late": "incomplete",
        "early": "joined too early",
        "alone": "alone in its wave",
    }


def test_months_of_a_few_people_are_gaps():
    rows = [facility(f"F{i}", day, series(i, day)) for i, day in enumerate(TWO_WAVES)]
    small = facility("small", "2022-04-01", [1, 2] * 12, denominators=[4] * 24)
    result = found(put_together([*rows, small]))
    assert result.left_out.to_numpy().tolist() == [["small", "incomplete"]]
    assert result.width_months == 1


# --- before joining --------------------------------------------------------------------------------


def test_a_wave_that_rose_before_it_joined_moved_apart():
    rows = [facility(f"F{i}", "2022-01-01", series(i, "2021-10-01", gain=150)) for i in range(4)]
    rows += [facility(f"N{i}", None, series(i + 4, None), role="comparison") for i in range(4)]
    result = found(put_together(rows))
    assert result.before == "apart"
    assert result.pre_test.estimate == pytest.approx(-0.15, abs=0.03)


def test_alike_is_said_where_a_departure_as_large_as_the_effect_would_have_been_seen():
    steady = found(collaborative(*TWO_WAVES, never=4, gain=200))
    assert steady.before == "alike"
    assert steady.unseen < 0.2
    assert found(collaborative(*TWO_WAVES, never=4)).before == "not told"


def test_one_period_before_joining_tests_nothing():
    result = found(collaborative(*["2021-02-01"] * 3, never=3, gain=200))
    assert result.before == "untested"
    assert np.isnan(result.unseen)


def test_two_proportions_differ_by_one_at_most():
    result = found(collaborative("2022-01-01", "2022-01-01", never=2, gain=300))
    limits = result.event_study[["low", "high", "band_low", "band_high"]]
    assert limits.abs().max().max() <= 1


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("study", "reason"),
    [
        (collaborative(*["2022-01-01"] * 6), "no comparison"),
        (collaborative(*["2022-01-01"] * 6, never=1), "no comparison"),
        (collaborative(None, None, None), "no joining date"),
        (collaborative("2021-01-01", "2021-01-01", "2020-06-01", never=3), "nothing before joining"),
        (collaborative(*["2023-06-01"] * 3, never=3), "nobody joined in time"),
        (collaborative("2022-01-01", never=3), "no wave of two"),
        (collaborative("2021-07-01", "2022-03-01", "2022-11-01"), "no wave of two"),
        (collaborative(never=3), "not measured"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_reason(study, reason):
    result = found(study)
    assert result.refused == reason
    assert result.effect is None
    assert result.event_study is None


def test_facilities_that_each_fell_silent_for_most_of_a_year_have_too_many_gaps():
    rows = []
    for i, day in enumerate(TWO_WAVES):
        silent = range(6 * (i % 3), 6 * (i % 3) + 11)
        values = [None if month in silent else value for month, value in enumerate(series(i, day))]
        rows.append(facility(f"F{i}", day, values))
    assert found(put_together(rows)).refused == "too many gaps"


def test_a_wave_whose_months_after_joining_nobody_reported_is_not_compared():
    """The second wave joins a month after the first, in whose first month nearly nobody reported."""
    joined = ["2022-01-01"] * 3 + ["2022-02-01"] * 3
    rows = []
    for i, day in enumerate(joined):
        values = series(i, day)
        values[12] = None
        rows.append(facility(f"F{i}", day, values))
    assert found(put_together(rows)).refused == "no period compared"


def test_a_month_nobody_has_is_not_measured():
    assert waves(collaborative(never=0), an_only_indicator()).refused == "not measured"


def an_only_indicator():
    (indicator,) = indicators(collaborative(*TWO_WAVES))
    return indicator


def test_facilities_exactly_alike_leave_no_interval():
    rows = [facility(f"F{i}", "2022-01-01", [400] * 12 + [600] * 12) for i in range(3)]
    rows += [facility(f"N{i}", None, [400] * 24, role="comparison") for i in range(3)]
    effect = found(put_together(rows)).effect
    assert effect.estimate == pytest.approx(0.2)
    assert np.isnan(effect.standard_error)


# --- aligned at joining ----------------------------------------------------------------------------


def test_months_are_counted_from_each_facilitys_own_joining():
    aligned = found(collaborative(*TWO_WAVES, never=2, gain=200)).aligned
    assert (aligned.n_facilities, aligned.n_cohort) == (6, 6)
    line = aligned.line.set_index("since_joining")["value"]
    assert (line.index.min(), line.index.max()) == (-12, 8)  # those that all six are seen in
    assert line[0] - line[-1] == pytest.approx(0.2, abs=0.01)
    own = aligned.table[aligned.table["facility"] == "F5"]["since_joining"]
    assert (own.min(), own.max()) == (-15, 8)


def test_the_line_is_of_the_same_facilities_throughout():
    rows = [facility(f"F{i}", day, series(i, day, gain=200)) for i, day in enumerate(TWO_WAVES)]
    rows.append(facility("stops", "2022-01-01", series(9, None, level=900)[:14]))
    aligned = found(put_together(rows)).aligned
    assert (aligned.n_facilities, aligned.n_cohort) == (7, 6)
    assert aligned.line["facilities"].eq(6).all()


def test_all_in_one_month_need_no_second_calendar():
    assert found(collaborative(*["2022-01-01"] * 6, never=3)).aligned is None


def test_too_few_seen_before_and_after_give_no_line():
    assert found(collaborative("2021-01-01", "2021-01-01", "2021-02-01", "2021-02-01")).aligned is None


# --- real and simulated collaboratives -------------------------------------------------------------


def test_ten_clinics_that_joined_one_by_one_are_paired(reference, tmp_path):
    study = open_study(**moz_anc_parameters(write_moz_anc(reference, tmp_path / "tables")))
    result = {one.indicator.indicator_id: one for one in all_waves(study)}["tx_worms"]
    assert (result.width_months, result.n_joined) == (4, 10)
    assert result.waves["facilities"].tolist() == [2] * 5
    assert result.waves["compared"].tolist() == [True] * 4 + [False]
    assert result.before == "not told"  # pairs say next to nothing of how clinics vary


def test_the_demo_is_compared_with_later_waves(demo):
    results = {one.indicator.indicator_id: one for one in all_waves(demo)}
    assert {one.comparison for one in results.values()} == {"not yet joined"}
    assert results["early_breastfeeding"].effect.low > 0
    deaths = results["newborn_deaths"].effect  # nothing happened to them
    assert deaths.low < 0 < deaths.high


def test_small_is_refused():
    assert {one.refused for one in all_waves(bundled("small"))} == {"no comparison"}


def test_the_interval_covers_what_was_simulated():
    """A fast part of benchmarks/waves_coverage.py: 12 collaboratives."""
    (breastfeeding, *_) = DEMO.indicators
    design = dataclasses.replace(
        DEMO, indicators=(breastfeeding,), comparison_facilities=8, mentoring=(), never_visited=0, projects=1
    )
    covered = []
    for seed in range(12):
        simulated = simulate(dataclasses.replace(design, seed=seed))
        values = {"collaborative": "simulated", "title": "S", "data": "-", "data_cut": str(design.data_cut)}
        result = found(Study(parameters=check_parameters(values), tables=simulated.tables))
        levels, joined = simulated.truth.levels, simulated.tables["facilities"].set_index("facility_id")["joined_on"]
        own = levels["facility_id"].map(joined)
        since = (levels["period"].dt.year - own.dt.year) * 12 + levels["period"].dt.month - own.dt.month
        months = since.between(result.effect.first_month, result.effect.last_month)
        truth = (levels["level"] - levels["untreated"])[months].mean()
        covered.append(result.effect.low <= truth <= result.effect.high)
        assert result.effect.estimate == pytest.approx(truth, abs=0.12)
    assert sum(covered) >= 11
