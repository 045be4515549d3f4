"""What goes in and what comes out: order, gaps, missing values, many series at once, and the frames returned."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from qieval.errors import ParameterError
from qieval.methods import spc
from tests.methods.spc.conftest import (
    OF_RATIOS,
    OF_VALUES,
    assert_same_charts,
    drawn,
    monthly,
    months,
    only,
    ragged,
    ratios,
)

OF_KIND = {kind: OF_RATIOS if kind in ("p", "pp", "u", "up", "ip") else OF_VALUES for kind in spc.KINDS}
NOISE = np.random.default_rng(12).normal(10, 2, 24)


# --- by hand --------------------------------------------------------------------------------------------------


def test_the_line_of_a_run_chart_is_the_median():
    result = spc.chart(monthly([1.0, 2.0, 9.0, 3.0]), "run", **OF_VALUES)
    assert drawn(result, "centre") == [2.5] * 4
    assert result.points[["lcl", "ucl", "lcl_2", "ucl_2"]].isna().all().all()


def test_limits_of_single_values_lie_3_mean_moving_ranges_over_d2_from_the_mean():
    points = spc.chart(monthly([1.0, 3.0, 2.0, 4.0]), "i", **OF_VALUES).points  # ranges 2, 1, 2
    sigma = 5 / 3 / 1.128
    for name, k in (("lcl", -3), ("lcl_2", -2), ("centre", 0), ("ucl_2", 2), ("ucl", 3)):
        assert points[name].tolist() == pytest.approx([2.5 + k * sigma] * 4)


def test_the_centre_of_proportions_is_pooled_over_people_not_averaged_over_months():
    result = spc.chart(ratios([1, 0], [1, 99]), "p", **OF_RATIOS)
    assert drawn(result, "centre") == pytest.approx([0.01] * 2)  # the mean of the months is 0.5


def test_limits_of_proportions_stay_between_0_and_1_and_follow_each_denominator():
    lcl, ucl = drawn(spc.chart(ratios([9, 81], [10, 90]), "p", **OF_RATIOS), "lcl", "ucl")
    sigma = np.sqrt(0.9 * 0.1 / np.array([10, 90]))
    assert lcl == pytest.approx(0.9 - 3 * sigma)
    assert ucl == pytest.approx([1, 0.9 + 3 * sigma[1]])


def test_limits_of_counts_and_rates_are_not_below_0():
    assert drawn(spc.chart(monthly([1.0, 3.0]), "c", **OF_VALUES), "lcl") == [0, 0]
    assert drawn(spc.chart(ratios([1, 3], [10, 10]), "u", **OF_RATIOS), "lcl") == [0, 0]
    assert drawn(spc.chart(monthly([1.0, 3.0]), "c", **OF_VALUES), "ucl") == pytest.approx([2 + 3 * np.sqrt(2)] * 2)


def test_limits_of_rare_events_come_from_the_mean_and_their_line_is_the_median():
    result = spc.chart(monthly([1.0, 2.0, 9.0]), "g", **OF_VALUES)
    assert drawn(result, "centre") == [2] * 3
    assert drawn(result, "ucl") == pytest.approx([4 + 3 * np.sqrt(4 * 5)] * 3)


def test_laney_limits_widen_by_the_scatter_of_the_standardised_values():
    data = ratios([30, 50, 30, 50], [100] * 4)
    plain, laney = (spc.chart(data, kind, **OF_RATIOS) for kind in ("p", "pp"))
    by_chance = np.sqrt(0.4 * 0.6 / 100)
    ratio = 0.2 / by_chance / 1.128
    assert only(laney.series)["sigma_z"] == pytest.approx(ratio)
    assert drawn(plain, "ucl") == pytest.approx([0.4 + 3 * by_chance] * 4)
    assert drawn(laney, "ucl") == pytest.approx([0.4 + 3 * by_chance * ratio] * 4)


def test_subgroups_of_unequal_size_are_pooled_and_those_of_one_have_no_spread():
    data = pd.DataFrame({"period": [1, 1, 2, 2, 2, 3], "value": [1.0, 3.0, 2.0, 4.0, 6.0, 5.0]})
    result = spc.chart(data, "s", **OF_VALUES)
    assert drawn(result, "value") == pytest.approx([np.sqrt(2), 2, np.nan], nan_ok=True)
    assert drawn(result, "centre") == pytest.approx([np.sqrt((1 * 2 + 2 * 4) / 3)] * 3)
    mean = spc.chart(data, "s", **OF_VALUES, within="mean")
    assert drawn(mean, "centre") == pytest.approx([(np.sqrt(2) + 2) / 2] * 3)
    assert drawn(result, "n") == [2, 3, 1]


@pytest.mark.parametrize("kind", ["i", "mr", "p", "pp", "u", "up", "g", "t", "ip", "c", "xbar", "s", "run"])
def test_per_multiplies_values_centre_and_limits_and_changes_nothing_else(kind):
    data = ragged(kind, 3)
    plain, per = (spc.chart(data, kind, by="facility", **OF_KIND[kind], per=factor) for factor in (1, 1000))
    shown = ["value", "centre", "lcl", "ucl", "lcl_2", "ucl_2"]
    np.testing.assert_allclose(per.points[shown], plain.points[shown] * 1000, rtol=1e-12)
    assert_frame_equal(per.points.drop(columns=shown), plain.points.drop(columns=shown))
    assert_frame_equal(per.series.drop(columns="centre"), plain.series.drop(columns="centre"))


# --- order, and the caller's frame ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", spc.KINDS)
def test_the_order_of_rows_does_not_matter(kind):
    data = ragged(kind, 6).astype({"facility": "category"})  # whose order is that of the categories
    shuffled = data.sample(frac=1, random_state=2)
    arguments = {**OF_KIND[kind], "by": "facility", "exclude": ["2022-09-01"], "phases": ["2023-01-01"]}
    assert_same_charts(spc.chart(shuffled, kind, **arguments), spc.chart(data, kind, **arguments))


def test_points_come_in_the_order_of_time_whatever_the_order_of_rows():
    data = monthly(NOISE).sample(frac=1, random_state=3)
    result = spc.chart(data, "i", **OF_VALUES)
    assert result.points["period"].is_monotonic_increasing
    assert drawn(result, "value") == NOISE.tolist()
    assert result.points.index.tolist() == list(range(24))


@pytest.mark.parametrize("kind", spc.KINDS)
def test_the_callers_frame_is_left_as_it_was(kind):
    data = ragged(kind, 4).sample(frac=1, random_state=1)
    before = data.copy(deep=True)
    result = spc.chart(data, kind, **OF_KIND[kind], by="facility", per=10, exclude=[3])
    result.points["value"] = 0.0
    result.points.loc[:, "n" if "n" in result.points else "centre"] = -1.0
    assert_frame_equal(data, before)


@pytest.mark.parametrize("name", ["period", "value", "n"])
def test_what_is_written_into_the_result_does_not_reach_the_callers_frame(name):
    # Rows in order are not moved, so that a column of the result could be the caller's own.
    data = ratios([1.0] * 12, [10.0] * 12)
    before = data.copy(deep=True)
    points = spc.chart(data, "p", **OF_RATIOS).points
    points.loc[0, name] = points.loc[11, name] if name == "period" else 99.0
    assert_frame_equal(data, before)


def test_an_index_that_is_not_unique_changes_nothing():
    data = ragged("i", 4)
    expected = spc.chart(data, "i", **OF_VALUES, by="facility", exclude=[2])
    assert_same_charts(
        spc.chart(data.set_index(np.zeros(len(data))), "i", **OF_VALUES, by="facility", exclude=[2]), expected
    )


def test_several_rows_of_a_period_are_summed_as_counts_and_averaged_as_values_and_the_series_says_so():
    twice = pd.concat([ratios([1, 2], [10, 20]), ratios([3, 0], [10, 20])])
    summed = spc.chart(twice, "p", **OF_RATIOS)
    assert drawn(summed, "value") == [4 / 20, 2 / 40]
    assert drawn(summed, "n") == [20, 40]
    assert "rows summed" in only(summed.series)["warnings"]
    averaged = spc.chart(pd.concat([monthly([1.0, 2.0]), monthly([3.0, np.nan])]), "i", **OF_VALUES)
    assert drawn(averaged, "value") == [2, 2]
    assert "rows averaged" in only(averaged.series)["warnings"]


def test_counts_of_one_period_are_added_up_since_a_mean_of_counts_has_other_limits():
    # Two wards of Poisson 4 have 8 events together with a sigma of sqrt(8); their mean of 4 has not sqrt(4).
    twice = pd.concat([monthly([3.0, 5.0], ward="A"), monthly([5.0, 3.0], ward="B")])
    result = spc.chart(twice, "c", **OF_VALUES)
    assert drawn(result, "value") == [8, 8]
    assert "rows summed" in only(result.series)["warnings"]


def test_only_the_series_with_several_rows_a_period_says_so():
    data = pd.concat(
        [monthly(NOISE, facility="once"), monthly(NOISE, facility="twice"), monthly(NOISE, facility="twice")]
    )
    assert spc.chart(data, "i", **OF_VALUES, by="facility").series["warnings"].tolist() == ["", "rows averaged"]


@pytest.mark.parametrize("kind", ["g", "t"])
def test_events_on_one_day_are_events_of_their_own(kind):
    data = pd.DataFrame(
        {"period": pd.to_datetime(["2024-03-01", "2024-03-01", "2024-03-09"]), "value": [4.0, 0.0, 7.0]}
    )
    result = spc.chart(data, kind, **OF_VALUES)
    assert drawn(result, "value") == [4, 0, 7]
    assert "rows" not in only(result.series)["warnings"]


# --- gaps and missing values ------------------------------------------------------------------------------------


def test_a_month_without_a_row_is_a_gap():
    result = spc.chart(monthly(NOISE).drop(index=[4, 5, 11]), "i", **OF_VALUES)
    assert len(result.points) == 24
    assert np.flatnonzero(result.points["value"].isna()).tolist() == [4, 5, 11]
    assert result.points["period"].tolist() == months(24).tolist()
    assert (only(result.series)["n_points"], only(result.series)["n_missing"]) == (21, 3)


def test_a_month_without_a_row_equals_a_month_with_a_missing_value():
    data = ragged("p", 6)
    data = data[data["numerator"].notna()]
    whole = [
        monthly([0] * 60, "2022-01-01", facility=name)[["period", "facility"]] for name in data["facility"].unique()
    ]
    spans = data.groupby("facility")["period"].agg(["min", "max"])
    completed = pd.concat(whole).merge(data, on=["facility", "period"], how="left")
    completed = completed[
        completed["period"].between(completed["facility"].map(spans["min"]), completed["facility"].map(spans["max"]))
    ]
    for kind in ("p", "pp", "u", "run"):
        assert_same_charts(
            spc.chart(data, kind, **OF_RATIOS, by="facility"), spc.chart(completed, kind, **OF_RATIOS, by="facility")
        )


@pytest.mark.parametrize(
    "periods",
    [
        pd.date_range("2022-01-01", periods=10, freq="QS"),
        pd.date_range("2015-01-01", periods=10, freq="YS"),
        pd.date_range("2024-01-01", periods=10, freq="14D"),
        pd.period_range("2022Q1", periods=10, freq="Q"),
    ],
    ids=["quarters", "years", "fortnights", "periods"],
)
def test_quarters_years_and_fortnights_have_no_months_between_them(periods):
    data = pd.DataFrame({"period": periods, "value": NOISE[:10]})
    assert len(spc.chart(data, "i", **OF_VALUES).points) == 10
    absent = spc.chart(data.drop(index=[3, 4]), "i", **OF_VALUES)
    assert np.flatnonzero(absent.points["value"].isna()).tolist() == [3, 4]


def test_a_week_without_a_row_is_a_gap():
    data = pd.DataFrame({"period": pd.date_range("2024-01-03", periods=12, freq="7D"), "value": NOISE[:12]})
    result = spc.chart(data.drop(index=[6]), "i", **OF_VALUES)
    assert np.flatnonzero(result.points["value"].isna()).tolist() == [6]


def test_a_week_is_a_gap_also_where_facilities_begin_theirs_on_other_days():
    frames = [
        pd.DataFrame(
            {"period": pd.date_range(start, periods=12, freq="7D"), "value": NOISE[:12], "facility": start}
        ).drop(index=[6])
        for start in ("2024-01-01", "2024-01-03")
    ]
    assert spc.chart(pd.concat(frames), "i", **OF_VALUES, by="facility").series["n_missing"].tolist() == [1, 1]


@pytest.mark.parametrize("day", ["15", "end"])
def test_a_month_without_a_row_is_a_gap_whatever_day_stands_for_the_month(day):
    periods = pd.date_range("2024-01-01", periods=12, freq="ME") if day == "end" else months(12) + pd.Timedelta(days=14)
    result = spc.chart(pd.DataFrame({"period": periods, "value": NOISE[:12]}).drop(index=[5]), "i", **OF_VALUES)
    assert only(result.series)["n_missing"] == 1


def test_a_series_by_quarter_beside_one_by_month_is_charted_as_if_it_were_alone():
    quarters = pd.DataFrame({"period": pd.date_range("2024-01-01", periods=12, freq="QS"), "value": NOISE[:12]})
    data = pd.concat([monthly(NOISE, facility="monthly"), quarters.assign(facility="quarterly")])
    both = spc.chart(data, "i", **OF_VALUES, by="facility").points
    alone = spc.chart(quarters, "i", **OF_VALUES).points
    both = both[(both["facility"] == "quarterly") & both["value"].notna()]
    assert both["ucl"].tolist() == pytest.approx(alone["ucl"].tolist())


def test_numbers_as_periods_have_no_gaps_between_them():
    result = spc.chart(monthly(NOISE).assign(period=range(0, 48, 2)).drop(index=[4]), "i", **OF_VALUES)
    assert len(result.points) == 23


def test_series_are_completed_between_their_own_first_and_last_month_only():
    data = pd.concat([monthly(NOISE, facility="A"), monthly(NOISE[:6], "2024-06-01", facility="B").drop(index=[2])])
    series = spc.chart(data, "i", **OF_VALUES, by="facility").series
    assert (series["n_points"].tolist(), series["n_missing"].tolist()) == ([24, 5], [0, 1])


def test_a_missing_numerator_is_never_0():
    data = ratios([5, np.nan, 6, 4, 5], [10] * 5)
    for kind in ("p", "pp", "u", "up", "ip", "run", "i"):
        result = spc.chart(data, kind, **OF_RATIOS)
        assert np.isnan(drawn(result, "value")[1]), kind
        assert drawn(result, "centre")[0] == pytest.approx(0.5), kind  # 20 of 40; with a zero it would be 0.4
        assert drawn(result, "outside") == [False] * 5


@pytest.mark.parametrize("kind", ["p", "pp", "u", "up", "ip", "run", "i"])
def test_a_denominator_of_0_or_a_missing_one_is_a_gap(kind):
    result = spc.chart(ratios([5, 0, 6, 4, 5], [10, 0, 10, np.nan, 10]), kind, **OF_RATIOS)
    assert result.points["value"].isna().tolist() == [False, True, False, True, False]
    assert np.isfinite(drawn(result, "centre")).all()
    assert not np.isinf(result.points.select_dtypes(float)).any().any()


@pytest.mark.parametrize("kind", ["xbar", "s"])
def test_a_subgroup_of_missing_values_is_a_gap(kind):
    data = pd.DataFrame({"period": np.repeat([1, 2, 3], 3), "value": [1.0, 2, 3, np.nan, np.nan, np.nan, 2, 4, 6]})
    result = spc.chart(data, kind, **OF_VALUES)
    assert result.points["value"].isna().tolist() == [False, True, False]
    assert only(result.series)["n_useful"] == 2
    assert drawn(result, "centre")[0] == {"xbar": 3.0, "s": 1.5}[kind]


@pytest.mark.parametrize("kind", spc.KINDS)
def test_a_series_without_any_value_is_charted_empty_beside_others(kind):
    data = ragged(kind, 3)
    data.loc[data["facility"] == "F1", ["value", "numerator"]] = np.nan
    result = spc.chart(data, kind, **OF_KIND[kind], by="facility")
    empty = result.points[result.points["facility"] == "F1"]
    assert empty[["value", "centre", "lcl", "ucl"]].isna().all().all()
    assert (empty["rules"].astype(str) == "").all()
    found = result.series[result.series["facility"] == "F1"].iloc[0]
    assert (found["n_points"], found["n_useful"], found["n_outside"], found["runs_signal"]) == (0, 0, 0, False)
    assert "no value in the baseline" in found["warnings"]
    alone = spc.chart(data[data["facility"] == "F1"], kind, **OF_KIND[kind])
    assert alone.points["centre"].isna().all()


@pytest.mark.parametrize("kind", spc.KINDS)
def test_a_single_point_has_no_limits_but_those_of_its_own_chance(kind):
    data = ragged(kind, 1)
    result = spc.chart(data[data["period"] == data["period"].min()], kind, **OF_KIND[kind])
    found = only(result.series)
    assert "one point" in found["warnings"]
    assert (found["n_points"], found["runs_signal"], found["n_outside"]) == (1, False, 0)
    if kind in ("i", "mr", "t", "pp", "up", "ip", "run"):
        assert result.points[["lcl", "ucl"]].isna().all().all()


@pytest.mark.parametrize("column", ["Int64", "Float64", "object", "float32", "string"])
def test_nullable_columns_are_read_and_their_missing_values_are_gaps(column):
    values = pd.Series([3, 5, None, 4, 6, 2, 7, 5, 3, 4, 6, 5]).astype("Int64")
    given = values.astype("Float64").astype("float32") if column == "float32" else values.astype(column)
    expected = spc.chart(monthly(values.to_numpy(dtype=float, na_value=np.nan)), "i", **OF_VALUES)
    assert_same_charts(spc.chart(monthly(given), "i", **OF_VALUES), expected)
    data = ratios(given, values.notna() * 10)
    assert np.isnan(drawn(spc.chart(data, "p", **OF_RATIOS), "value")[2])


# --- no variation ------------------------------------------------------------------------------------------------


def test_a_nearly_constant_series_keeps_its_limits_where_screening_would_leave_nothing():
    # Screening drops every range but the zeros; qicharts2 then draws both limits on the mean, with all points outside.
    result = spc.chart(monthly([5.0] * 12 + [6.0] + [5.0] * 7), "i", **OF_VALUES)
    found = only(result.series)
    assert drawn(result, "ucl")[0] == pytest.approx(5.05 + 3 * (2 / 19) / 1.128)
    assert np.flatnonzero(result.points["outside"]).tolist() == [12]
    assert (found["n_screened"], "screening left nothing" in found["warnings"]) == (0, True)


def test_screening_leaves_out_moving_ranges_above_their_limit_once_and_can_be_declined():
    values = [1.0, 2.0] * 10 + [40.0, 41.0] + [1.0, 2.0] * 2
    screened, unscreened = (spc.chart(monthly(values), "i", **OF_VALUES, screen=screen) for screen in (True, False))
    mean = np.mean(values)
    assert drawn(screened, "ucl")[0] == pytest.approx(mean + 3 * 1 / 1.128)
    assert drawn(unscreened, "ucl")[0] == pytest.approx(mean + 3 * np.abs(np.diff(values)).mean() / 1.128)
    assert (only(screened.series)["n_screened"], only(unscreened.series)["n_screened"]) == (2, 0)
    assert (only(screened.series)["screened"], only(unscreened.series)["screened"]) == (True, False)


@pytest.mark.parametrize("value", [5.0, 0.0, 0.1, 0.7, 49.3, 1 / 3])
@pytest.mark.parametrize("kind", ["run", "i", "t"])
def test_a_constant_series_has_no_limits_no_useful_point_and_no_signal(kind, value):
    # The mean of 24 times 0.1 is not 0.1 to the last digit: no point lies above or below its line all the same.
    result = spc.chart(monthly([value] * 24), kind, **OF_VALUES)
    found = only(result.series)
    assert result.points[["lcl", "ucl", "lcl_2", "ucl_2"]].isna().all().all()
    assert (found["n_useful"], found["runs_signal"], found["n_outside"], found["rules"]) == (0, False, 0, "")
    if kind != "run":
        assert "no variation in the baseline" in found["warnings"]


@pytest.mark.parametrize("kind", ["pp", "up", "ip", "i"])
def test_a_constant_proportion_has_no_limits_that_rest_on_neighbours(kind):
    n = np.arange(10, 34)
    result = spc.chart(ratios(n * 3, n * 10), kind, **OF_RATIOS)
    found = only(result.series)
    assert result.points[["lcl", "ucl"]].isna().all().all()
    assert (found["n_useful"], found["runs_signal"], found["n_outside"]) == (0, False, 0)
    assert "no variation in the baseline" in found["warnings"]


@pytest.mark.parametrize("events", [0, 10])
def test_none_or_all_of_them_leaves_no_limits(events):
    result = spc.chart(ratios([events] * 12, [10] * 12), "p", **OF_RATIOS)
    assert result.points[["lcl", "ucl"]].isna().all().all()
    assert "no variation in the baseline" in only(result.series)["warnings"]
    assert only(result.series)["runs_signal"] == False  # noqa: E712


def test_values_that_vary_but_have_no_neighbours_are_not_called_constant():
    values = NOISE.copy()
    values[1::2] = np.nan  # every other month is missing: not one moving range
    found = only(spc.chart(monthly(values), "i", **OF_VALUES).series)
    assert "no variation in the baseline" not in found["warnings"]
    assert found["warnings"] != ""


# --- one series or many ----------------------------------------------------------------------------------------

EVERYTHING = {"phases": ["2022-12-01"], "baseline": "2023-04-01", "exclude": ["2022-10-01", "2023-02-01"]}
BY_POSITION = {"phases": [10], "baseline": 6, "exclude": [4, 15]}


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [*[(kind, EVERYTHING) for kind in spc.KINDS], ("run", BY_POSITION), ("up", BY_POSITION), ("i", {}), ("p", {})],
    ids=[*spc.KINDS, "run by position", "up by position", "i plain", "p plain"],
)
def test_many_series_in_one_call_equal_each_by_itself(kind, arguments):
    data = ragged(kind, 3)
    rules = ["anhoej", "ihi"] if kind == "run" else ["anhoej", "nelson", "mdc"]
    arguments = {**OF_KIND[kind], **arguments, "rules": rules}
    together = spc.chart(data, kind, by="facility", **arguments)
    by_one = [
        spc.chart(data[data["facility"] == name], kind, by="facility", **arguments)
        for name in data["facility"].unique()
    ]
    expected = spc.Chart(
        **{
            **vars(together),
            "points": pd.concat([one.points.astype({"rules": str}) for one in by_one]),
            "series": pd.concat([one.series.astype({"rules": str, "warnings": str}) for one in by_one]),
        }
    )
    assert_same_charts(together, expected)


def test_more_series_than_fit_a_block_equal_fewer():
    many = 40_000
    values = np.random.default_rng(4).normal(size=(many, 3))
    data = pd.DataFrame(
        {"series": np.repeat(np.arange(many), 3), "period": np.tile([1, 2, 3], many), "value": values.ravel()}
    )
    result = spc.chart(data, "i", **OF_VALUES, by="series", screen=False)
    np.testing.assert_allclose(result.series["centre"], values.mean(axis=1), rtol=1e-12, atol=1e-15)
    sigma = np.abs(np.diff(values)).mean(axis=1) / 1.128
    np.testing.assert_allclose(result.points["ucl"][::3], values.mean(axis=1) + 3 * sigma, rtol=1e-12, atol=1e-12)
    assert result.series["series"].tolist() == list(range(many))


# --- series by their names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "dtype"),
    [(["b", "a"], "object"), (["b", "a"], "string"), ([2, 1], "int64"), ([2, 1], "Int64"), ([2.5, 1.0], "float64"),
     ([True, False], "bool"), (["2024-01-01", "2020-01-01"], "datetime64[ns]")],
)  # fmt: skip
def test_series_come_in_the_order_they_appear_under_the_names_they_had(names, dtype):
    keys = pd.Series(names).astype(dtype)
    data = pd.concat([monthly(NOISE), monthly(NOISE + 100)], ignore_index=True)
    data["name"] = keys.repeat(24).reset_index(drop=True)
    result = spc.chart(data, "i", **OF_VALUES, by="name")
    assert result.series["name"].tolist() == keys.tolist()
    assert result.series["centre"].is_monotonic_increasing
    assert result.points.loc[result.points["name"] == keys[1], "value"].min() > 50


def test_categories_keep_their_order_and_those_without_a_row_make_no_series():
    data = pd.concat([monthly(NOISE, name="b"), monthly(NOISE + 100, name="a")])
    data["name"] = pd.Categorical(data["name"], categories=["unused", "a", "b", "idle"])
    result = spc.chart(data, "i", **OF_VALUES, by="name")
    assert result.series["name"].tolist() == ["a", "b"]
    assert result.series["centre"].is_monotonic_decreasing
    assert result.points["name"].cat.categories.tolist() == ["unused", "a", "b", "idle"]


@pytest.mark.parametrize("as_category", [False, True])
def test_series_may_be_told_apart_by_several_columns(as_category):
    data = pd.concat(
        [monthly(NOISE + 10 * h + f, hub=f"H{h}", facility=f"F{f}") for h, f in ((1, 1), (1, 2), (2, 1))],
        ignore_index=True,
    )
    if as_category:
        data["hub"] = pd.Categorical(data["hub"], categories=["none", "H2", "H1"])
    result = spc.chart(data, "i", **OF_VALUES, by=["hub", "facility"])
    found = result.series.set_index([result.series["hub"].astype(str), result.series["facility"].astype(str)])["centre"]
    assert len(found) == 3
    for (hub, facility), own in data.astype({"hub": str}).groupby(["hub", "facility"]):
        assert found[(hub, facility)] == pytest.approx(own["value"].mean())
    assert result.points.columns[:3].tolist() == ["hub", "facility", "period"]


@pytest.mark.parametrize("name", ["value", "phase", "n"])
@pytest.mark.parametrize("column", ["facility", "period"])
def test_a_column_named_like_one_of_the_result_is_refused_or_kept(column, name):
    data = pd.concat([ratios([3] * 12, [10] * 12, facility="A"), ratios([4] * 12, [10] * 12, facility="B")])
    named = {"by": "facility", "period": "period"} | ({"by": name} if column == "facility" else {"period": name})
    try:
        result = spc.chart(data.rename(columns={column: name}), "p", **{**OF_RATIOS, **named})
    except ParameterError:
        return
    assert result.points.columns.is_unique
    assert result.series.columns.is_unique
    assert set(result.series[named["by"]]) == {"A", "B"}
    assert set(result.points[named["by"]]) == {"A", "B"}


# --- periods ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.dt.to_period("M"),
        lambda x: x.dt.strftime("%Y-%m-%d"),
        lambda x: x.dt.strftime("%Y-%m"),
        lambda x: x.dt.strftime("%Y-%m-%d").astype("string"),
        lambda x: x.dt.date,
        lambda x: x.astype("datetime64[s]"),
        lambda x: x.astype("datetime64[us]"),
        lambda x: x.astype("category"),
    ],
    ids=["period[M]", "text", "text of months", "string", "date", "seconds", "microseconds", "category"],
)
def test_periods_may_be_dates_of_any_type(convert):
    data = monthly(NOISE).drop(index=[7])
    expected = spc.chart(data, "i", **OF_VALUES, phases=["2025-01-01"], exclude=["2024-03-01"])
    data["period"] = convert(data["period"])
    result = spc.chart(data, "i", **OF_VALUES, phases=["2025-01-01"], exclude=["2024-03-01"])
    assert_same_charts(result, expected)
    assert result.points["period"].dtype == "datetime64[ns]"


@pytest.mark.parametrize("dtype", ["int64", "int32", "float64", "Int64"])
def test_periods_may_be_numbers(dtype):
    data = monthly(NOISE).assign(period=pd.Series(range(101, 125)).astype(dtype)).sample(frac=1, random_state=1)
    result = spc.chart(data, "i", **OF_VALUES, phases=[12], exclude=[3], baseline=6)
    assert drawn(result, "period") == list(range(101, 125))
    assert drawn(result, "value") == NOISE.tolist()
    assert drawn(result, "phase") == [1] * 12 + [2] * 12


# --- what comes out ------------------------------------------------------------------------------------------------


def test_every_choice_that_changed_a_number_is_recorded():
    data = monthly(NOISE)
    chosen = {"screen": False, "gaps": "bridge", "rules": ["best_box", "mdc"], "per": 10, "d2": 3 / 2.66}
    result = spc.chart(data, "i", **OF_VALUES, **chosen)
    assert (result.kind, result.per, result.rules, result.by) == ("i", 10, ("best_box", "mdc"), ())
    found = only(result.series)
    recorded = [found[name] for name in ("kind", "runs_rule", "screened", "gaps", "within", "d2")]
    assert recorded == ["i", "best_box", False, "bridge", "auto", 3 / 2.66]


@pytest.mark.parametrize("kind", spc.KINDS)
def test_screening_is_recorded_where_it_changes_the_limits_and_nowhere_else(kind):
    n = 40
    leap = np.where(np.arange(n) < 20, 10, 500) + np.arange(n) % 2
    data = monthly(leap.astype(float), numerator=leap, denominator=1000)
    if kind in ("xbar", "s"):
        data = pd.concat([data, data.assign(value=data["value"] + 1)])
    screened = spc.chart(data, kind, **OF_KIND[kind])
    try:
        unscreened = spc.chart(data, kind, **OF_KIND[kind], screen=False)
    except ParameterError:  # refused, since it would be ignored
        unscreened = screened
    is_other = not np.allclose(screened.points["ucl"], unscreened.points["ucl"], equal_nan=True)
    assert only(screened.series)["screened"] == is_other
    assert (only(screened.series)["n_screened"] > 0) == is_other


@pytest.mark.parametrize("kind", ["run", "p", "g", "xbar"])
def test_points_have_one_row_per_series_and_period_and_series_one_per_series_and_phase(kind):
    result = spc.chart(ragged(kind, 4), kind, **OF_KIND[kind], by="facility", phases=["2023-01-01"])
    if kind not in ("g", "t"):
        assert not result.points.duplicated(["facility", "period"]).any()
    assert not result.series.duplicated(["facility", "phase"]).any()
    count = result.points.groupby(["facility", "phase"], observed=True).agg(
        points=("value", "size"), outside=("outside", "sum"), flagged=("rules", lambda x: (x.astype(str) != "").any())
    )
    series = result.series.set_index([result.series["facility"].astype(str), "phase"])
    for key, row in count.iterrows():
        found = series.loc[key]
        assert row["points"] == found["n_points"] + found["n_missing"]
        assert row["outside"] == found["n_outside"]
        assert not row["flagged"] or found["rules"] != ""


@pytest.mark.parametrize("kind", ["i", "s", "pp", "u", "g", "t"])
def test_outside_says_what_the_limits_say(kind):
    points = spc.chart(ragged(kind, 8), kind, **OF_KIND[kind], by="facility").points
    beyond = (points["value"] > points["ucl"] * (1 + 1e-12)) | (points["value"] < points["lcl"] * (1 - 1e-12))
    assert (points["outside"] == beyond).all()
    assert (points["rules"].astype(str).str.contains("outside") == points["outside"]).all()


def test_warnings_are_names_that_are_explained():
    data = pd.concat(
        [monthly([1.0], facility="A"), monthly([2.0] * 12, facility="B"), monthly(NOISE[:5], facility="C")]
    )
    for warnings in spc.chart(data, "i", **OF_VALUES, by="facility").series["warnings"]:
        assert set(warnings.split("; ")) <= set(spc.WARNINGS)


def test_a_series_has_the_same_limits_whatever_else_is_in_the_call():
    alone = monthly(np.sin(np.arange(14.0)), facility="A").drop(index=5)
    other = monthly(np.arange(14.0), facility="B").assign(period=lambda frame: frame["period"] + pd.Timedelta(days=14))
    both = spc.chart(pd.concat([alone, other]), "i", **OF_VALUES, by="facility").points
    own = spc.chart(alone, "i", **OF_VALUES, by="facility").points
    found = both[both["facility"] == "A"]
    assert len(found) == len(own) == 14
    np.testing.assert_allclose(found["ucl"], own["ucl"])


@pytest.mark.parametrize("kind", ["xbar", "s"])
def test_a_month_without_a_subgroup_is_a_gap(kind):
    rng = np.random.default_rng(2)
    members = pd.concat([monthly(rng.normal(10, 1, 5)) for _ in range(4)])
    points = spc.chart(members[members["period"] != "2024-03-01"], kind, **OF_VALUES).points
    assert points["value"].isna().tolist() == [False, False, True, False, False]


def test_rules_may_come_in_any_list():
    data = monthly(np.arange(12.0))
    assert spc.chart(data, "i", **OF_VALUES, rules=np.array(["mdc", "ihi"])).rules == ("mdc", "ihi")
