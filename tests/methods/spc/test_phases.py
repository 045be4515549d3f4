"""Phases, baselines and exclusions: by date, position and column, each series for itself, and all together."""

import numpy as np
import pandas as pd
import pytest

from qieval.methods import spc
from tests.methods.spc.conftest import OF_RATIOS, OF_VALUES, assert_same_charts, drawn, monthly, only, ratios


def series_from(start, n, seed, **columns):
    return monthly(np.random.default_rng(seed).normal(10, 2, n), start, **columns)


def two_series():
    """One from January 2023, the other from June."""
    return pd.concat(
        [series_from("2023-01-01", 24, 1, facility="early"), series_from("2023-06-01", 24, 2, facility="late")],
        ignore_index=True,
    )


BY_FACILITY = {**OF_VALUES, "by": "facility"}


# --- phases ------------------------------------------------------------------------------------------------


def test_a_phase_by_date_begins_on_that_date_in_every_series_whenever_it_started():
    series = spc.chart(two_series(), "i", **BY_FACILITY, phases=["2024-01-01"]).series
    assert series["facility"].tolist() == ["early", "early", "late", "late"]
    assert series["phase"].tolist() == [1, 2, 1, 2]
    assert series["first"].dt.strftime("%Y-%m").tolist() == ["2023-01", "2024-01", "2023-06", "2024-01"]
    assert series["n_points"].tolist() == [12, 12, 7, 17]


def test_a_phase_by_position_begins_so_many_periods_after_the_start_of_each_series():
    series = spc.chart(two_series(), "i", **BY_FACILITY, phases=[12]).series
    assert series["first"].dt.strftime("%Y-%m").tolist() == ["2023-01", "2024-01", "2023-06", "2024-06"]


def test_a_phase_by_column_begins_where_its_name_changes_in_each_series():
    data = two_series()
    begins = {"early": pd.Timestamp("2023-10-01"), "late": pd.Timestamp("2024-02-01")}
    data["stage"] = np.where(data["period"] < data["facility"].map(begins), "before", "after")
    series = spc.chart(data, "i", **BY_FACILITY, phases="stage").series
    assert series["first"].dt.strftime("%Y-%m").tolist() == ["2023-01", "2023-10", "2023-06", "2024-02"]


@pytest.mark.parametrize(
    "stages",
    [
        ["a", "b"], [1, 2], [2.0, 1.0], [True, False], pd.array([1, 2], dtype="Int64"),
        pd.Categorical(["y", "x"], categories=["x", "y"]),
    ],
    ids=["text", "int", "float", "bool", "Int64", "categorical"],
)  # fmt: skip
def test_a_column_of_phases_may_be_of_any_type_and_phases_are_numbered_in_time_order(stages):
    data = series_from("2023-01-01", 24, 1)
    data["stage"] = pd.Series(stages).repeat([10, 14]).reset_index(drop=True)
    by_column = spc.chart(data, "i", **OF_VALUES, phases="stage")
    assert_same_charts(by_column, spc.chart(data, "i", **OF_VALUES, phases=[10]))
    with_gap = data.drop(index=[4, 9])  # a month that is absent lies in the phase of the month before it
    result = spc.chart(with_gap, "i", **OF_VALUES, phases="stage")
    assert result.points["phase"].tolist() == [1] * 10 + [2] * 14


DATE = pd.Timestamp("2023-10-01")


@pytest.mark.parametrize(
    "phases",
    [
        "2023-10-01", "2023-10", DATE, [DATE], DATE.date(), DATE.to_pydatetime(), np.datetime64("2023-10-01"),
        pd.DatetimeIndex([DATE]), pd.Series([DATE], index=[5]), np.array(["2023-10-01"], dtype="datetime64[D]"),
        ["2023-10-01"], "2023-09-15", 9, [9], np.array([9]), np.int64(9),
    ],
    ids=repr,
)  # fmt: skip
def test_a_phase_may_be_given_in_many_ways(phases):
    data = series_from("2023-01-01", 24, 1)
    expected = spc.chart(data, "i", **OF_VALUES, phases=[9])
    assert_same_charts(spc.chart(data, "i", **OF_VALUES, phases=phases), expected)


def test_a_column_that_is_named_like_a_date_is_the_column():
    data = series_from("2023-01-01", 24, 1)
    data["2023-05-01"] = np.repeat(["a", "b"], 12)
    assert spc.chart(data, "i", **OF_VALUES, phases="2023-05-01").series["n_points"].tolist() == [12, 12]


def test_phases_in_any_order_are_the_same():
    data = series_from("2023-01-01", 36, 1)
    expected = spc.chart(data, "i", **OF_VALUES, phases=[12, 24])
    assert_same_charts(spc.chart(data, "i", **OF_VALUES, phases=[24, 12]), expected)
    dates = ["2025-01-01", "2024-01-01"]
    assert_same_charts(spc.chart(data, "i", **OF_VALUES, phases=dates), expected)


@pytest.mark.parametrize("phases", [[12, 12], ["2024-01-01", "2024-01-01"]])
def test_a_phase_named_twice_begins_once(phases):
    data = series_from("2023-01-01", 24, 1)
    assert_same_charts(spc.chart(data, "i", **OF_VALUES, phases=phases), spc.chart(data, "i", **OF_VALUES, phases=[12]))


@pytest.mark.parametrize("kind", ["run", "i", "mr", "t"])
def test_a_phase_is_charted_as_if_it_were_alone(kind):
    data = two_series().assign(value=lambda x: x["value"].abs())
    whole = spc.chart(data, kind, **BY_FACILITY, phases=["2024-01-01"])
    first, second = data["period"] < "2024-01-01", data["period"] >= "2024-01-01"
    for number, rows in ((1, first), (2, second)):
        alone = spc.chart(data[rows], kind, **BY_FACILITY)
        part = spc.Chart(
            **{
                **vars(whole),
                "points": whole.points[whole.points["phase"] == number],
                "series": whole.series[whole.series["phase"] == number],
            }
        )
        assert_same_charts(part, alone, ignore=["phase"])


def test_no_moving_range_spans_two_phases():
    data = monthly([1.0, 2.0, 1.0, 2.0, 101.0, 102.0, 101.0, 102.0])
    result = spc.chart(data, "mr", **OF_VALUES, phases=[4])
    assert np.isnan(drawn(result, "value")[4])
    assert drawn(result, "centre") == [1.0] * 8


def test_a_series_that_lies_on_one_side_of_a_date_has_the_phase_of_that_side():
    data = pd.concat(
        [
            series_from("2023-01-01", 24, 1, facility="through"),
            series_from("2023-01-01", 12, 2, facility="before"),
            series_from("2024-01-01", 12, 3, facility="after"),
        ]
    )
    series = spc.chart(data, "i", **BY_FACILITY, phases=["2024-01-01"]).series
    found = list(zip(series["facility"], series["phase"], strict=True))
    assert found == [("through", 1), ("through", 2), ("before", 1), ("after", 2)]


def test_a_phase_of_one_point_has_no_limits_and_says_so():
    data = series_from("2023-01-01", 13, 1)
    result = spc.chart(data, "i", **OF_VALUES, phases=[12])
    last = result.points.iloc[-1]
    assert last["centre"] == last["value"]
    assert np.isnan(last["lcl"])
    assert np.isnan(last["ucl"])
    assert result.series["warnings"].tolist() == ["", "one point; few useful points"]


@pytest.mark.parametrize(("n", "warned"), [(11, True), (12, False)])
def test_fewer_than_twelve_points_in_a_phase_are_warned_of(n, warned):
    warnings = spc.chart(series_from("2023-01-01", n, 1), "i", **OF_VALUES).series["warnings"].iloc[0]
    assert ("few points in the baseline" in warnings) is warned


@pytest.mark.parametrize("kind", ["run", "i", "mr"])
def test_a_phase_without_any_value_has_neither_centre_nor_limits_and_says_so(kind):
    data = series_from("2023-01-01", 24, 1)
    data.loc[12:, "value"] = np.nan
    result = spc.chart(data, kind, **OF_VALUES, phases=[12])
    empty = result.points[result.points["phase"] == 2]
    assert len(empty) == 12
    assert empty[["value", "centre", "lcl", "ucl", "lcl_2", "ucl_2"]].isna().all().all()
    assert not empty["outside"].any()
    last = result.series.iloc[1]
    assert (last["n_points"], last["n_missing"], last["n_useful"], last["runs_signal"]) == (0, 12, 0, False)
    assert "no value in the baseline" in last["warnings"]


# --- baselines ------------------------------------------------------------------------------------------------


def test_what_follows_a_baseline_does_not_move_its_limits():
    base = series_from("2023-01-01", 12, 1)
    later = series_from("2024-01-01", 12, 2).assign(value=lambda x: x["value"] + 100)
    alone = spc.chart(base, "i", **OF_VALUES)
    frozen = spc.chart(pd.concat([base, later]), "i", **OF_VALUES, baseline=12)
    for name in ("centre", "lcl", "ucl", "lcl_2", "ucl_2"):
        assert drawn(frozen, name) == pytest.approx(drawn(alone, name)[:1] * 24, rel=1e-12)
    assert drawn(frozen, "in_baseline") == [True] * 12 + [False] * 12
    assert drawn(frozen, "outside")[12:] == [True] * 12
    assert only(frozen.series)["n_baseline"] == 12


@pytest.mark.parametrize("kind", ["p", "pp", "u", "up", "ip"])
def test_limits_of_a_baseline_are_carried_forward_over_denominators_of_their_own(kind):
    rng = np.random.default_rng(3)
    n = rng.integers(30, 60, 24)
    data = ratios(rng.binomial(n, 0.3), n)
    frozen = spc.chart(data, kind, **OF_RATIOS, baseline=12)
    alone = spc.chart(data[:12], kind, **OF_RATIOS)
    assert drawn(frozen, "centre") == pytest.approx([drawn(alone, "centre")[0]] * 24, rel=1e-12)
    assert drawn(frozen, "ucl")[:12] == pytest.approx(drawn(alone, "ucl"), rel=1e-12)
    same_n = data["denominator"].to_numpy()
    reach = (frozen.points["ucl"] - frozen.points["centre"]) * np.sqrt(same_n)  # the same sigma of one person
    assert reach.to_numpy() == pytest.approx(np.full(24, reach.iloc[0]), rel=1e-9)


def test_a_baseline_by_date_lasts_until_that_date_in_every_series():
    result = spc.chart(two_series(), "i", **BY_FACILITY, baseline="2024-03-01")
    assert result.series["n_baseline"].tolist() == [15, 10]
    assert (result.points["in_baseline"] == (result.points["period"] <= "2024-03-01")).all()


@pytest.mark.parametrize(
    "baseline",
    ["2023-12-01", "2023-12-31", pd.Timestamp("2023-12-01"), np.datetime64("2023-12-01"), np.int64(12), "is_base"],
)  # fmt: skip
def test_a_baseline_may_be_given_in_many_ways(baseline):
    data = series_from("2023-01-01", 24, 1).assign(is_base=[True] * 12 + [False] * 12)
    expected = spc.chart(data, "i", **OF_VALUES, baseline=12)
    assert_same_charts(spc.chart(data, "i", **OF_VALUES, baseline=baseline), expected)


def test_a_baseline_by_number_freezes_the_first_periods_of_each_phase():
    result = spc.chart(two_series(), "i", **BY_FACILITY, phases=["2024-01-01"], baseline=6)
    assert result.series["n_baseline"].tolist() == [6, 6, 6, 6]
    data = two_series()
    for facility in ("early", "late"):
        own = data[data["facility"] == facility]
        before = own[own["period"] < "2024-01-01"]["value"].head(6).mean()
        after = own[own["period"] >= "2024-01-01"]["value"].head(6).mean()
        found = result.series[result.series["facility"] == facility]["centre"]
        assert found.tolist() == pytest.approx([before, after])


def test_a_baseline_by_date_freezes_the_phase_it_lies_in_and_no_other():
    result = spc.chart(two_series(), "i", **BY_FACILITY, phases=["2024-01-01"], baseline="2024-06-01")
    assert result.series["n_baseline"].tolist() == [12, 6, 7, 6]
    result = spc.chart(two_series(), "i", **BY_FACILITY, phases=["2024-01-01"], baseline="2023-09-01")
    assert result.series["n_baseline"].tolist() == [9, 12, 4, 17]


def test_a_baseline_counts_periods_not_values():
    data = series_from("2023-01-01", 24, 1)
    data.loc[[2, 5], "value"] = np.nan
    found = only(spc.chart(data, "i", **OF_VALUES, baseline=12).series)
    assert found["n_baseline"] == 10
    assert found["centre"] == pytest.approx(data["value"][:12].mean())
    absent = only(spc.chart(data.drop(index=[2, 5]), "i", **OF_VALUES, baseline=12).series)
    assert (absent["n_baseline"], absent["centre"]) == (10, found["centre"])


def test_a_series_shorter_than_the_baseline_says_so():
    data = pd.concat(
        [series_from("2023-01-01", 24, 1, facility="long"), series_from("2023-01-01", 9, 2, facility="short")]
    )
    series = spc.chart(data, "i", **BY_FACILITY, baseline=12).series
    assert series["n_baseline"].tolist() == [12, 9]
    assert "baseline shorter than asked" not in series["warnings"].iloc[0]
    assert "baseline shorter than asked" in series["warnings"].iloc[1]


def test_a_baseline_of_missing_values_only_leaves_no_centre():
    data = series_from("2023-01-01", 24, 1)
    data.loc[:11, "value"] = np.nan
    result = spc.chart(data, "i", **OF_VALUES, baseline=12)
    assert result.points["centre"].isna().all()
    assert "no value in the baseline" in only(result.series)["warnings"]
    assert not result.points["outside"].any()


def test_the_moving_range_out_of_a_baseline_does_not_count_in_it():
    data = monthly([1.0, 2.0, 1.0, 2.0, 50.0, 60.0])
    result = spc.chart(data, "i", **OF_VALUES, baseline=4)
    assert drawn(result, "ucl")[0] == pytest.approx(1.5 + 3 * 1 / 1.128)


@pytest.mark.parametrize("base", [slice(0, 6), slice(3, 9)], ids=["first", "middle"])
def test_moving_ranges_are_of_the_baseline_if_both_their_values_are(base):
    data = monthly(np.random.default_rng(9).normal(10, 2, 12)).assign(base=False)
    data.loc[data.index[base], "base"] = True
    ranges = np.abs(np.diff(data["value"][base])).mean()
    single = spc.chart(data, "i", **OF_VALUES, baseline="base", screen=False).points
    assert (single["ucl"] - single["centre"]).tolist() == pytest.approx([3 * ranges / 1.128] * 12)
    assert drawn(spc.chart(data, "mr", **OF_VALUES, baseline="base"), "centre") == pytest.approx([ranges] * 12)


# --- exclusions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "exclude",
    [
        "2023-05-01", ["2023-05-01"], pd.Timestamp("2023-05-01"), [4], 4, np.array([4]), "odd",
        [number == 4 for number in range(24)], np.arange(24) == 4, pd.Series(np.arange(24) == 4),
        pd.array(np.arange(24) == 4, dtype="boolean"),
    ],
    ids=repr,
)  # fmt: skip
def test_an_exclusion_may_be_given_in_many_ways(exclude):
    data = series_from("2023-01-01", 24, 1).assign(odd=lambda x: x.index == 4)
    data.loc[4, "value"] = 500.0
    result = spc.chart(data, "i", **OF_VALUES, exclude=exclude)
    assert only(result.series)["n_excluded"] == 1
    assert only(result.series)["n_baseline"] == 23
    assert only(result.series)["centre"] == pytest.approx(data["value"].drop(index=[4]).mean())
    assert drawn(result, "excluded").index(True) == 4
    assert drawn(result, "value")[4] == 500.0


def test_an_excluded_point_is_drawn_and_may_lie_outside_but_is_counted_nowhere():
    data = series_from("2023-01-01", 24, 1)
    data.loc[4, "value"] = 500.0
    result = spc.chart(data, "i", **OF_VALUES, exclude=[4], rules=["outside", "mdc"])
    assert drawn(result, "outside")[4] is True
    assert drawn(result, "rules")[4] == ""
    found = only(result.series)
    assert (found["n_outside"], found["rules"], found["n_points"]) == (0, "", 24)


def test_a_moving_range_goes_across_an_excluded_point_and_breaks_at_a_missing_one():
    values = [1.0, 2.0, 90.0, 5.0, 6.0]
    ranges = drawn(spc.chart(monthly(values), "mr", **OF_VALUES, exclude=[2]), "value")
    assert ranges == pytest.approx([np.nan, 1, np.nan, 3, 1], nan_ok=True)
    values[2] = np.nan
    ranges = drawn(spc.chart(monthly(values), "mr", **OF_VALUES), "value")
    assert ranges == pytest.approx([np.nan, 1, np.nan, np.nan, 1], nan_ok=True)
    ranges = drawn(spc.chart(monthly(values), "mr", **OF_VALUES, gaps="bridge"), "value")
    assert ranges == pytest.approx([np.nan, 1, np.nan, 3, 1], nan_ok=True)


def test_excluding_equals_leaving_the_row_out_where_no_month_is_missed():
    # Numbered periods have no gaps, so that without the row its neighbours stand side by side.
    data = pd.DataFrame({"period": range(24), "value": np.random.default_rng(6).normal(size=24)})
    with_it = spc.chart(data, "i", **OF_VALUES, exclude=[7, 8])
    without = spc.chart(data.drop(index=[7, 8]), "i", **OF_VALUES)
    for name in ("centre", "longest_run", "crossings", "n_useful"):
        assert with_it.series[name].tolist() == pytest.approx(without.series[name].tolist(), rel=1e-12)
    kept = with_it.points.drop(index=[7, 8])
    for name in ("lcl", "ucl", "lcl_2", "ucl_2"):
        assert kept[name].tolist() == pytest.approx(without.points[name].tolist(), rel=1e-12)


def test_an_array_as_mask_belongs_to_the_rows_in_the_order_given():
    data = two_series().sample(frac=1, random_state=4)
    mask = (data["value"] > data["value"].quantile(0.9)).to_numpy()
    found = spc.chart(data, "i", **BY_FACILITY, exclude=mask)
    assert sorted(found.points.query("excluded")["value"]) == sorted(data.loc[mask, "value"])


def test_a_mask_with_an_index_is_aligned_by_it_as_pandas_does():
    data = two_series()
    mask = data["value"] > data["value"].quantile(0.9)
    found = spc.chart(data.sample(frac=1, random_state=4), "i", **BY_FACILITY, exclude=mask)
    assert sorted(found.points.query("excluded")["value"]) == sorted(data.loc[mask, "value"])


def test_a_row_excluded_excludes_its_period():
    data = pd.concat([series_from("2023-01-01", 12, 1)] * 2, ignore_index=True)
    result = spc.chart(data, "i", **OF_VALUES, exclude=data.index == 3)
    assert drawn(result, "excluded").index(True) == 3
    assert only(result.series)["n_excluded"] == 1


def test_an_exclusion_by_date_holds_in_every_series_that_has_the_date():
    series = spc.chart(two_series(), "i", **BY_FACILITY, exclude=["2023-02-01", "2023-09-01"]).series
    assert series["n_excluded"].tolist() == [2, 1]


# --- all together -------------------------------------------------------------------------------------------------


def test_phases_baseline_and_exclusions_combine():
    data = two_series()
    result = spc.chart(data, "i", **BY_FACILITY, phases=["2024-01-01"], baseline=8, exclude=["2024-03-01"], rules="mdc")
    assert result.series["n_baseline"].tolist() == [8, 7, 7, 7]
    assert result.series["n_excluded"].tolist() == [0, 1, 0, 1]
    for row in result.series.itertuples():
        own = data[(data["facility"] == row.facility) & data["period"].between(row.first, row.last)]
        exclude = ["2024-03-01"] if row.phase == 2 else None
        alone = spc.chart(own, "i", **BY_FACILITY, baseline=min(8, len(own)), exclude=exclude, rules="mdc")
        part = result.points[(result.points["facility"] == row.facility) & (result.points["phase"] == row.phase)]
        for name in ("value", "centre", "lcl", "ucl", "lcl_2", "ucl_2"):
            assert part[name].tolist() == pytest.approx(alone.points[name].tolist(), rel=1e-12)
        for name in ("in_baseline", "excluded", "outside"):
            assert part[name].tolist() == alone.points[name].tolist()
        assert part["rules"].astype(str).tolist() == alone.points["rules"].astype(str).tolist()


def test_a_baseline_freezes_the_normalised_chart_too():
    # qicharts2 takes sigma from all points here, whatever was frozen or excluded.
    rng = np.random.default_rng(8)
    n = rng.integers(40, 80, 24)
    data = ratios(rng.poisson(n * 0.3), n)
    data.loc[20:, "numerator"] = 4 * data.loc[20:, "numerator"]
    frozen = spc.chart(data, "ip", **OF_RATIOS, baseline=20)
    alone = spc.chart(data[:20], "ip", **OF_RATIOS)
    assert drawn(frozen, "ucl")[:20] == pytest.approx(drawn(alone, "ucl"), rel=1e-12)
    excluded = spc.chart(data, "ip", **OF_RATIOS, exclude=[20, 21, 22, 23])
    assert drawn(excluded, "ucl")[:20] == pytest.approx(drawn(alone, "ucl"), rel=1e-12)


def test_runs_about_the_centre_of_a_baseline_can_be_given_limits_made_for_it():
    data = series_from("2023-01-01", 36, 1)
    usual, own = (
        only(spc.chart(data, "run", **OF_VALUES, baseline=9, rules=rules).series)
        for rules in ("anhoej", "anhoej_baseline")
    )
    assert own["longest_run"] == usual["longest_run"]
    assert own["longest_run_limit"] > usual["longest_run_limit"]
    assert own["runs_rule"] == "anhoej_baseline"
    without = only(spc.chart(data, "run", **OF_VALUES, rules="anhoej_baseline").series)
    assert without["longest_run_limit"] == usual["longest_run_limit"]


def test_a_series_that_begins_after_the_baseline_date_says_so():
    data = pd.concat([monthly(np.arange(24.0), facility="A"), monthly(np.arange(12.0), "2025-01-01", facility="B")])
    found = spc.chart(data, "i", **OF_VALUES, by="facility", baseline="2024-12-01").series
    assert found["warnings"].astype(str).str.contains("begins after the baseline").tolist() == [False, True]
    assert found["n_baseline"].tolist() == [12, 12]


def test_a_period_of_which_a_row_lacks_its_half_says_so():
    data = pd.concat([ratios([3.0] * 12, [10.0] * 12), ratios([np.nan] + [3.0] * 11, [10.0] * 12)])
    found = spc.chart(data, "p", **OF_RATIOS)
    assert "rows summed; incomplete rows left out" in only(found.series)["warnings"]
    assert found.points["n"].tolist() == [10] + [20] * 11
