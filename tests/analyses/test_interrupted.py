"""Did care improve beyond where it was heading? Months, facilities, pooling, refusals, and recovery of known truth."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.interrupted import (
    average,
    changes,
    expected_false_alarms,
    fit_facilities,
    from_joining,
    interrupted,
)
from qieval.analyses.series import facility_months, indicators
from qieval.methods import its
from qieval.methods.pooling import pool
from qieval.study.parameters import check_parameters
from qieval.study.simulate import DEMO
from qieval.study.simulate.care import draw_levels, draw_measurements
from qieval.study.simulate.facilities import draw_facilities
from qieval.study.study import Study
from tests.analyses.conftest import an_indicator, make_study, monthly

NOISE = [1, -2, 2, 0, -1, 3, -3, 1, -1, 2, 0, -2]


def series(before, after, *, rise=0.0, step=20, base=40, shift=0):
    """Counts of 100: a level, a rise a month that goes on, and a step at joining."""
    n = before + after
    return [
        round(base + rise * month + (step if month >= before else 0) + NOISE[(month * 5 + shift) % 12])
        for month in range(n)
    ]


def collaborative(n=6, *, before=12, after=19, joined=None, indicator=None, roles=None, options=None, **given):
    """So many facilities alike, of 100 people a month, that gain 20 points when they join."""
    names = [f"F{number}" for number in range(n)]
    first = pd.Timestamp("2022-01-01") - pd.DateOffset(months=before)
    return make_study(
        facilities=[
            {"facility_id": name, "joined_on": (joined or {}).get(name, "2022-01-01"), "role": (roles or {}).get(name)}
            for name in names
        ],
        indicators=[an_indicator(**(indicator or {}))],
        measurements=[
            row
            for number, name in enumerate(names)
            for row in monthly(name, str(first.date()), series(before, after, shift=number, **given))
        ],
        options=options,
    )


def only(study):
    (indicator,) = indicators(study)
    return interrupted(study, indicator)


# --- each facility ---------------------------------------------------------------------------------


def test_the_change_of_a_facility_is_that_of_its_own_interrupted_time_series():
    study = collaborative(1)
    (row,) = only(study).facilities.to_dict(orient="records")
    (indicator,) = indicators(study)
    months = from_joining(study, facility_months(study, indicator))
    used = months.loc[(months["since"] < 0) | months["since"].between(6, 18)]
    effect = its.fit(used, period="period", value="value", start="2022-07-01").effect("2023-01-01")
    assert (row["estimate"], row["low"], row["high"]) == pytest.approx(
        (effect.absolute, effect.absolute_low, effect.absolute_high)
    )
    assert row["counterfactual"] == pytest.approx(effect.counterfactual)


def test_a_rise_that_goes_on_anyway_is_no_change():
    result = only(collaborative(rise=1.0, step=0))
    assert result.pooled.low < 0 < result.pooled.high
    assert result.facilities["baseline_moving"].all()


def test_months_of_the_transition_do_not_count_as_after():
    options = {"effectiveness": {"transition_months": 17, "effect_month": 18}}
    result = only(collaborative(1, options=options))
    assert result.facilities["reason"].tolist() == ["too_few_after"]
    assert result.month is None


def test_months_of_few_people_are_left_out():
    study = collaborative(1, options={"smallest_denominator": 101})
    assert only(study).facilities["reason"].tolist() == ["small_months"]
    assert only(study).small_months == 31


@pytest.mark.parametrize(
    ("before", "after", "reason"), [(2, 19, "too_few_before"), (12, 2, "too_few_after"), (3, 3, "")]
)
def test_three_months_before_and_three_after_are_the_fewest(before, after, reason):
    result = only(collaborative(1, before=before, after=after))
    assert result.facilities["reason"].tolist() == [reason]
    assert (result.design == "run chart only") == bool(reason)


def test_without_a_month_of_joining_or_a_declared_baseline_there_is_no_series():
    rows = monthly("F", "2021-01-01", series(12, 12))
    tables = {"facilities": [{"facility_id": "F"}], "indicators": [an_indicator()], "measurements": rows}
    assert only(make_study(**tables)).facilities["reason"].tolist() == ["no_start"]
    declared = only(make_study(phases={"baseline": ["2021-01-01", "2021-12-31"]}, **tables))
    assert declared.facilities["start"].tolist() == [pd.Timestamp("2022-01-01")]


def test_values_that_never_vary_cannot_be_judged():
    study = make_study(
        facilities=[{"facility_id": "F", "joined_on": "2022-01-01"}],
        indicators=[an_indicator()],
        measurements=monthly("F", "2021-01-01", [50] * 24),
    )
    assert only(study).facilities["reason"].tolist() == ["nothing_varies"]
    assert only(study).design == "run chart only"


def test_a_short_series_tells_level_alone():
    (row,) = only(collaborative(1, before=4, after=6)).facilities.to_dict(orient="records")
    assert row["model"] == "level"


@pytest.mark.parametrize(
    ("before", "after"),
    [([0, 0, 0], [99, 100, 98, 97, 100, 99, 100]), ([40, 44, 38], [100] * 7), ([0, 0, 1, 0], [100, 99, 100, 100] * 2)],
    ids=["floor before", "ceiling after", "next to both"],
)
def test_at_0_or_100_percent_no_interval_is_given_and_the_levels_are_kept(before, after):
    first = pd.Timestamp("2022-01-01") - pd.DateOffset(months=len(before))
    study = make_study(
        facilities=[{"facility_id": "F", "joined_on": "2022-01-01"}],
        indicators=[an_indicator()],
        measurements=monthly("F", str(first.date()), before + after),
    )
    result = only(study)
    (row,) = result.facilities.to_dict(orient="records")
    assert row["reason"] == "at_edge"
    assert (row["level_before"], row["level_after"]) == pytest.approx(
        (sum(before) / len(before) / 100, np.mean(after[row["n_after"] - row["n_used"] :]) / 100)
    )
    assert result.line is None
    assert (result.n_told, result.why_no_line) == (0, "at_edge")


def test_a_rate_of_0_before_keeps_its_interval():
    indicator = {"kind": "rate", "per": 1000, "unit": "deaths per 1000", "better": "down"}
    study = make_study(
        facilities=[{"facility_id": "F", "joined_on": "2022-01-01"}],
        indicators=[an_indicator(**indicator)],
        measurements=monthly("F", "2021-10-01", [0, 0, 0, 2, 1, 3, 0, 2, 1]),
    )
    assert only(study).facilities["reason"].tolist() == [""]


def test_only_months_that_are_fitted_count_as_used():
    (row,) = only(collaborative(1)).facilities.to_dict(orient="records")
    assert (row["n_before"], row["n_after"], row["n_used"]) == (12, 19, 13)  # of months 0 to 18 those from 6 on


def test_warnings_of_each_fit_are_kept():
    months = from_joining(study := collaborative(1), facility_months(study, indicators(study)[0]))
    _, fits, _ = fit_facilities(months, transition=0, asked=12)
    (row,) = only(study).facilities.to_dict(orient="records")
    assert row["fit_flags"] == tuple(flag.code for flag in fits["F0"].flags)
    assert row["fit_flags"]


# --- one month for all -----------------------------------------------------------------------------


def test_the_change_is_told_at_the_month_of_the_option():
    assert only(collaborative()).month == 12
    assert only(collaborative(options={"effectiveness": {"effect_month": 8}})).month == 8


def test_where_data_end_sooner_the_change_is_told_at_the_last_month_that_half_of_the_facilities_have():
    ends = {f"F{number}": 20 - number for number in range(8)}  # months after joining, 20 to 13
    study = collaborative(8, options={"effectiveness": {"effect_month": 36}})
    rows = study["measurements"]
    since = (rows["period"].dt.year - 2022) * 12 + rows["period"].dt.month - 1
    kept = rows.loc[since < rows["facility_id"].map(ends)]
    result = only(Study(parameters=study.parameters, tables={**study.tables, "measurements": kept}))
    assert result.month == 15  # the fifth of 18, 18, 17, 16, 15, 14, 13, 12
    assert result.facilities["reason"].value_counts().to_dict() == {"": 5, "ends_sooner": 3}
    assert result.pooled.k == 5


# --- all facilities --------------------------------------------------------------------------------


def test_the_average_takes_the_wider_standard_error_and_a_t_quantile():
    told = pd.DataFrame({"facility_id": list("abcdef"), "estimate": [0.2] * 3 + [0.22] * 3, "standard_error": 0.05})
    found = average(told, told["facility_id"])
    plain = pool(told["estimate"], told["standard_error"], interval="wald")
    assert found.standard_error == pytest.approx(plain.standard_error)
    assert found.high - found.estimate == pytest.approx(2.570582 * plain.standard_error)
    far = told.assign(estimate=[0.0, 0.2, 0.4, 0.1, 0.5, 0.3])
    robust = pool(far["estimate"], far["standard_error"], guard=False)
    assert average(far, far["facility_id"]).low == pytest.approx(min(robust.low, average(far, far["facility_id"]).low))


def test_below_five_facilities_nothing_is_pooled():
    result = only(collaborative(4))
    assert result.pooled is None
    assert result.sensitivity is None
    assert result.n_told == 4
    assert result.headline == pytest.approx(tuple(result.line.headline[name] for name in ("estimate", "low", "high")))


def test_level_alone_and_a_change_against_a_trend_are_not_averaged_together():
    study = collaborative(7)
    rows = study["measurements"]
    short = rows.loc[~(rows["facility_id"].isin(["F5", "F6"]) & (rows["period"] < "2021-09-01"))]
    result = only(Study(parameters=study.parameters, tables={**study.tables, "measurements": short}))
    assert result.facilities["model"].value_counts().to_dict() == {"trend": 5, "level": 2}
    assert (result.model, result.pooled.k) == ("trend", 5)
    both = result.sensitivity.set_index("case").loc["both_models"]
    assert both["k"] == 7


def test_the_average_is_repeated_without_facilities_whose_baseline_moved():
    steady, moving = collaborative(6), collaborative(6, rise=1.5, step=0, base=30)
    measured = pd.concat(
        [
            steady["measurements"],
            moving["measurements"].query("facility_id == 'F5'").assign(facility_id="F6"),
        ]
    )
    facilities = pd.concat([steady["facilities"], steady["facilities"].tail(1).assign(facility_id="F6")])
    result = only(
        Study(
            parameters=steady.parameters,
            tables={**steady.tables, "facilities": facilities, "measurements": measured},
        )
    )
    assert result.facilities.set_index("facility_id")["baseline_moving"]["F6"]
    rows = result.sensitivity.set_index("case")
    assert rows.loc["steady_baselines", "k"] < rows.loc["averaged", "k"] == 7


def one_that_rises(rise=4.5):
    """Six alike, and a seventh that rose so fast that its trend carried on passes 100%."""
    steady, rising = collaborative(6), collaborative(1, rise=rise, step=0, base=30)
    measured = [steady["measurements"], rising["measurements"].assign(facility_id="F6")]
    facilities = pd.concat([steady["facilities"], steady["facilities"].tail(1).assign(facility_id="F6")])
    capped = pd.concat(measured).assign(numerator=lambda rows: rows["numerator"].clip(upper=90))
    tables = {**steady.tables, "facilities": facilities, "measurements": capped}
    return Study(parameters=steady.parameters, tables=tables)


def test_the_average_is_repeated_without_trends_that_pass_what_is_possible():
    result = only(one_that_rises())
    told = result.facilities.set_index("facility_id")
    assert told["beyond"].to_dict() == {f"F{n}": n == 6 for n in range(7)}
    rows = result.sensitivity.set_index("case")
    assert (rows.loc["averaged", "k"], rows.loc["possible_trends", "k"]) == (7, 6)
    assert "possible_trends" not in set(only(collaborative()).sensitivity["case"])


def test_newey_west_is_marked_where_it_is_narrower_than_least_squares():
    for frame, column in (
        (only(collaborative()).sensitivity, "case"),
        (only(collaborative()).line.engines, "engine"),
    ):
        width = (frame["high"] - frame["low"]).set_axis(frame[column])
        marked = frame.loc[frame["narrower"], column].tolist()
        assert marked == ["newey_west"] * bool(width["newey_west"] < width["ols"])


def test_an_average_with_a_yearly_wave_is_that_of_whole_fits_with_it():
    study = collaborative()
    months = from_joining(study, facility_months(study, indicators(study)[0]))
    rows = []
    for facility, own in months.groupby("facility_id"):
        used = own.loc[(own["since"] < 0) | own["since"].between(6, 18)]
        fit = its.fit(used, period="period", value="value", start="2022-07-01", seasonality=True, harmonics=1)
        effect = fit.effect("2023-01-01")
        rows.append((facility, effect.absolute, effect.absolute_standard_error))
    told = pd.DataFrame(rows, columns=["facility_id", "estimate", "standard_error"])
    whole = average(told, told["facility_id"])
    found = only(study).sensitivity.set_index("case").loc["seasons"]
    assert (found["estimate"], found["low"], found["high"]) == pytest.approx((whole.estimate, whole.low, whole.high))


def test_the_average_is_repeated_by_every_engine():
    cases = only(collaborative()).sensitivity["case"].tolist()
    assert cases[:4] == ["averaged", "reml", "newey_west", "ols"]


def test_the_design_follows_from_who_joined_when_and_who_is_compared_with():
    assert only(collaborative()).design == "interrupted"
    assert only(collaborative(joined={"F0": "2022-03-01"})).design == "staggered"
    assert only(collaborative(7, roles={"F6": "comparison"})).design == "controlled"
    assert only(collaborative(1, before=2)).design == "run chart only"


def test_an_average_against_trends_that_cannot_have_gone_on_is_refused():
    result = only(collaborative(rise=2.5, step=-10, base=50, after=19, before=12, indicator={}))
    assert result.facilities["beyond"].all()
    assert result.is_refused
    assert result.headline is None
    assert not result.is_told
    assert not only(collaborative()).is_refused


def test_false_alarms_are_counted_over_all_indicators():
    result = only(collaborative())
    assert result.alarms.expected == pytest.approx(6 * 0.05)
    assert expected_false_alarms([result, result]).expected == pytest.approx(12 * 0.05)
    assert expected_false_alarms([only(collaborative(1, before=2))]) is None


# --- all together ----------------------------------------------------------------------------------


def test_the_line_runs_by_calendar_where_all_joined_together_and_by_months_since_joining_where_not():
    assert only(collaborative()).line.start == pd.Timestamp("2022-01-01")
    waves = only(collaborative(joined={"F0": "2022-03-01"})).line
    assert waves.aligned
    assert waves.points["period"].isna().all()


def test_the_line_holds_the_same_facilities_in_all_months():
    line = only(collaborative(joined={"F0": "2022-04-01", "F1": "2021-10-01"})).line
    assert set(line.points["facilities"]) == {6}
    assert (line.points["since"].min(), line.points["since"].max()) == (-9, 15)


def test_a_month_without_those_who_see_a_fifth_of_the_people_is_a_gap():
    study = collaborative(4)
    rows = study["measurements"]
    missing = rows.loc[~((rows["facility_id"] == "F0") & (rows["period"] == "2021-06-01"))]
    line = only(Study(parameters=study.parameters, tables={**study.tables, "measurements": missing})).line
    assert line.points.loc[line.points["value"].isna(), "period"].tolist() == [pd.Timestamp("2021-06-01")]


def test_months_on_the_way_to_the_month_told_are_drawn_and_not_fitted():
    points = only(collaborative()).line.points.set_index("since")
    assert points.loc[0:5, "used"].eq(False).all()
    assert points.loc[6:18, "used"].all()
    assert points["value"].notna().all()


def test_the_line_keeps_its_jump_its_slope_and_the_months_fitted():
    line = only(collaborative()).line
    assert line.span == (6, 18)
    changes = line.changes.set_index("term")
    assert changes.loc["level_change", "estimate"] == pytest.approx(0.2, abs=0.02)
    assert changes.loc["slope_change", "low"] < 0 < changes.loc["slope_change", "high"]


# --- how many months more --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "step", "why"), [(0.9, 20, "told"), (None, 0, "no_target"), (0.3, 0, "reached"), (0.45, 0, "")]
)
def test_months_more_are_told_only_where_there_is_a_gain_to_wait_for(target, step, why):
    result = only(collaborative(step=step, indicator={"target": target}))
    assert result.not_planned == why
    assert (result.needed is None) == bool(why)
    if not why:
        assert result.needed.gain == pytest.approx(0.45 - result.line.baseline)


# --- recovery of known truth -----------------------------------------------------------------------


def test_the_interval_of_the_demo_holds_the_truth_it_was_drawn_from(demo, simulated):
    levels = simulated.truth.levels
    joined = demo["facilities"].set_index("facility_id")["joined_on"]
    at = levels["facility_id"].map(joined) + pd.DateOffset(months=12)
    truth = levels.loc[levels["period"] == at].assign(change=lambda one: one["level"] - one["untreated"])
    for indicator in indicators(demo):
        mean = truth.loc[truth["indicator_id"] == indicator.indicator_id, "change"].mean() * indicator.per
        result = interrupted(demo, indicator)
        assert result.pooled.low < mean < result.pooled.high
        assert result.is_told == (indicator.indicator_id != "newborn_deaths")


def test_pooled_intervals_hold_the_true_change_of_simulated_collaboratives():
    """Forty of eight facilities; the benchmark has 500 of 24, 12 and 6."""
    design = dataclasses.replace(DEMO, indicators=DEMO.indicators[:1], facilities=8, hubs=1, never_visited=0)
    parameters = check_parameters({"collaborative": "x", "title": "x", "data": "x", "data_cut": design.data_cut})
    held = []
    for seed in range(40):
        rngs = iter(np.random.default_rng(seed).spawn(3))
        facilities = draw_facilities(design, next(rngs))
        levels = draw_levels(design, facilities, next(rngs))
        study = Study(
            parameters=parameters,
            tables={
                "facilities": facilities.astype({"joined_on": "datetime64[ns]", "support_ended_on": "datetime64[ns]"}),
                "indicators": pd.DataFrame([vars(one) for one in design.indicators]),
                "measurements": draw_measurements(design, facilities, levels, next(rngs)).astype(
                    {"period": "datetime64[ns]"}
                ),
            },
        )
        (indicator,) = indicators(study)
        months = from_joining(study, facility_months(study, indicator)).query("denominator >= 5")
        month, fits, _ = fit_facilities(months, transition=0, asked=12, engines=("averaged",))
        told = changes(fits, months.groupby("facility_id")["start"].first(), "averaged", month)
        found = average(told, [facility for facility, fit in fits.items() if fit.design.trend])
        if found is not None:
            held.append(found.low < 0.292 < found.high)
    assert len(held) >= 35
    assert 0.87 <= np.mean(held) <= 1.0
