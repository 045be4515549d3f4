"""Mixed models of proportions and rates, against lme4 and by recovery of what was simulated."""

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError, ParameterError
from qieval.methods import mixed
from tests.methods.conftest import SHIPPED

LME4 = pd.read_csv(SHIPPED / "methods" / "mixed_expected.csv")
SHARE = {"numerator": "numerator", "denominator": "denominator", "group": "facility"}
FALLS = {**SHARE, "numerator": "falls", "family": "poisson"}


@pytest.fixture(scope="module")
def cells():
    table = pd.read_csv(SHIPPED / "methods" / "mixed_cells.csv")
    return table.assign(period=pd.to_datetime({"year": 2024, "month": table["month"], "day": 1}))


def saturated(y, n, family):
    """The log-likelihood if every row had its own value, which lme4 leaves out of that by quadrature."""
    from scipy.stats import binom, poisson

    return (binom.logpmf(y, n, y / n) if family == "binomial" else poisson.logpmf(y, y)).sum()


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("laplace", {**SHARE, "terms": ["treated", "period"]}),
        ("quadrature9", {**SHARE, "terms": ["treated", "period"], "quadrature": 9}),
        ("slope", {**SHARE, "terms": ["treated", "month"], "random_slope": "treated"}),
        ("poisson", {**FALLS, "terms": ["treated"]}),
        ("poisson25", {**FALLS, "terms": ["treated"], "quadrature": 25}),
    ],
)
def test_coefficients_spread_and_each_group_are_those_of_lme4(cells, case, options):
    expected = LME4[LME4["case"] == case].set_index("quantity")["value"]
    found = mixed.fit(cells, **options)
    table, groups = found.coefficients, found.groups
    assert table["estimate"].tolist() == pytest.approx(expected.filter(like="coef_").tolist(), abs=1e-5)
    assert table["standard_error"].tolist() == pytest.approx(expected.filter(regex="^se_").tolist(), abs=1e-5)
    assert found.variance == pytest.approx(expected["cov_(Intercept)_(Intercept)"], abs=1e-5)
    if "random_slope" in options:
        assert found.covariance.loc["treated", "treated"] == pytest.approx(expected["cov_treated_treated"], abs=1e-5)
        assert found.covariance.loc["intercept", "treated"] == pytest.approx(
            expected["cov_(Intercept)_treated"], abs=1e-5
        )
    own = groups.filter(regex="^(intercept|treated)$").to_numpy().ravel(order="F")
    spread = groups.filter(like="_standard_error").to_numpy().ravel(order="F")
    assert own == pytest.approx(expected.filter(regex="blup_[^s]").to_numpy(), abs=1e-5)
    assert spread == pytest.approx(expected.filter(like="blup_sd").to_numpy(), abs=1e-5)
    left_out = 0.0
    if options.get("quadrature"):
        left_out = saturated(cells[options["numerator"]], cells["denominator"], options.get("family", "binomial"))
    assert found.loglik - left_out == pytest.approx(expected["loglik"], abs=1e-5)
    assert (found.n_groups, found.n_rows) == (9, 90)


@pytest.mark.parametrize("by", ["cell", "person"])
def test_the_stepped_wedge_is_that_of_lme4(reference, by):
    folder = reference / "reference" / "methods"
    expected = pd.read_csv(folder / "expected" / "c14_stepped_wedge.csv", index_col="quantity")["value"].astype(float)
    if by == "cell":
        table = pd.read_csv(folder / "data" / "sw_cells.csv")
    else:
        table = pd.read_csv(folder / "data" / "sw_example.csv").assign(num=lambda rows: rows["outcome_bin"], den=1)
    found = mixed.fit(table, numerator="num", denominator="den", group="cluster", terms=["trt", "period"])
    treated = found.coefficients.set_index("term").loc["trt"]
    assert treated["estimate"] == pytest.approx(expected["glmer_exch_logOR"], abs=1e-4)
    assert treated["standard_error"] == pytest.approx(expected["glmer_exch_se"], abs=1e-4)
    assert found.variance == pytest.approx(expected["glmer_exch_var"], abs=1e-5)
    if by == "person":  # cells have other constants
        assert found.loglik == pytest.approx(expected["glmer_exch_loglik"], abs=1e-4)


def test_the_epilepsy_trial_is_that_of_lme4(reference):
    folder = reference / "reference" / "methods"
    expected = pd.read_csv(folder / "expected" / "c21_gee_epil.csv", index_col="quantity")["value"].astype(float)
    found = mixed.fit(
        pd.read_csv(folder / "data" / "epil.csv"),
        numerator="y",
        denominator=None,
        group="subject",
        terms=["trt", "lbase", "lage", "V4"],
        family="poisson",
    )
    assert found.coefficients["term"].tolist() == ["intercept", "trt[progabide]", "lbase", "lage", "V4"]
    for column, quantity in (("estimate", "glmer_coef"), ("standard_error", "glmer_se")):
        expected_here = expected.filter(like=quantity).tolist()
        assert found.coefficients[column].tolist() == pytest.approx(expected_here, abs=1e-3)
    assert found.variance == pytest.approx(expected["glmer_tau2"], abs=1e-3)


def simulated(seed, *, groups=60, months=12, spread=0.6, slope_spread=0.0, people=(15, 40), family="binomial"):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"facility": np.repeat(np.arange(groups), months), "month": np.tile(np.arange(months), groups)}
    )
    table["treated"] = (table["month"] >= 3 + table["facility"] % 6).astype(int)
    own, gain = rng.normal(0, spread, groups), rng.normal(0.5, slope_spread, groups)
    eta = -0.7 + own[table["facility"]] + gain[table["facility"]] * table["treated"]
    table["denominator"] = rng.integers(*people, len(table))
    if family == "poisson":
        return table.assign(numerator=rng.poisson(table["denominator"] * np.exp(eta - 1)))
    return table.assign(numerator=rng.binomial(table["denominator"], 1 / (1 + np.exp(-eta))))


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_what_was_simulated_is_recovered(family):
    found = mixed.fit(simulated(1, family=family), **SHARE, terms=["treated"], family=family)
    truth = [-0.7 if family == "binomial" else -1.7, 0.5]
    table = found.coefficients
    assert (abs(table["estimate"] - truth) < 3 * table["standard_error"]).all()
    assert found.variance == pytest.approx(0.36, abs=3 * 0.36 * np.sqrt(2 / 60))


def test_a_random_slope_is_recovered():
    found = mixed.fit(simulated(2, slope_spread=0.5), **SHARE, terms=["treated"], random_slope="treated")
    assert found.covariance.loc["treated", "treated"] == pytest.approx(0.25, abs=0.15)
    assert found.coefficients["estimate"].iloc[1] == pytest.approx(0.5, abs=0.25)
    assert found.groups.columns.tolist() == [
        "group",
        "intercept",
        "treated",
        "intercept_standard_error",
        "treated_standard_error",
    ]


def test_groups_that_do_not_differ_give_the_plain_regression():
    # 15 of 60 before, 24 of 60 after: the odds go from 1/3 to 2/3, a ratio of 2, whose log has Woolf's error.
    table = pd.DataFrame({"facility": list("AABBCC"), "treated": [0, 1] * 3, "numerator": [5, 8] * 3})
    found = mixed.fit(table.assign(denominator=20), **SHARE, terms=["treated"])
    treated = found.coefficients.loc[1]
    assert found.variance == pytest.approx(0, abs=1e-6)
    assert treated["estimate"] == pytest.approx(np.log(2), abs=1e-6)
    assert treated["standard_error"] == pytest.approx(np.sqrt(1 / 15 + 1 / 45 + 1 / 24 + 1 / 36), abs=1e-6)
    assert found.groups["intercept"].tolist() == pytest.approx([0, 0, 0], abs=1e-4)


def test_more_points_of_quadrature_settle():
    table = simulated(3, groups=15, people=(1, 3))
    few, more, most = (mixed.fit(table, **SHARE, terms=["treated"], quadrature=points).loglik for points in (1, 15, 31))
    assert more == pytest.approx(most, abs=1e-6)
    assert abs(few - most) > 1e-4


def test_the_order_of_the_rows_does_not_matter(cells):
    one = mixed.fit(cells, **SHARE, terms=["treated"])
    other = mixed.fit(cells.sample(frac=1, random_state=1), **SHARE, terms=["treated"])
    pd.testing.assert_frame_equal(one.coefficients, other.coefficients, rtol=1e-6)
    pd.testing.assert_frame_equal(one.groups, other.groups, rtol=1e-5)


def test_dates_periods_and_texts_become_a_dummy_per_value_and_numbers_stay(cells):
    table = cells.assign(setting=np.where(cells["facility"] < "F05", "rural", "urban"))
    small = table[table["month"] <= 3]
    names = mixed.fit(small, **SHARE, terms=["month", "setting"]).coefficients["term"].tolist()
    assert names == ["intercept", "month", "setting[urban]"]
    dated = mixed.fit(small, **SHARE, terms=["period"])
    assert dated.coefficients["term"].tolist() == ["intercept", "period[2024-02-01]", "period[2024-03-01]"]
    numbered = mixed.fit(small.assign(period=small["month"]), **SHARE, terms=["period"])
    assert numbered.coefficients["term"].tolist() == ["intercept", "period[2]", "period[3]"]
    assert numbered.loglik == pytest.approx(dated.loglik)


def test_the_table_of_the_caller_is_left_alone(cells):
    before = cells.copy()
    mixed.fit(cells, **SHARE, terms=["treated"])
    pd.testing.assert_frame_equal(cells, before)


def test_a_period_without_events_has_no_finite_estimate(cells):
    table = cells.assign(numerator=cells["numerator"].where(cells["month"] != 2, 0))
    with pytest.raises(
        DataError, match=r"no finite estimate exists: there is no event, .*period\[2024-02-01\] says so"
    ):
        mixed.fit(table, **SHARE, terms=["treated", "period"])


def test_no_event_anywhere_has_no_finite_estimate(cells):
    with pytest.raises(DataError, match=r"there is no event wherever intercept says so \(separation\)\. Show the"):
        mixed.fit(cells.assign(falls=0), **FALLS, terms=[])


def test_groups_with_only_events_or_none_have_no_finite_spread():
    table = pd.DataFrame({"facility": np.repeat(list("ABCDEF"), 6), "month": list(range(6)) * 6, "denominator": 30})
    table["numerator"] = np.where(table["facility"] < "D", 0, 30)
    with pytest.raises(DataError, match=r"no finite (maximum for these 6 groups: some have only events|estimate)"):
        mixed.fit(table, **SHARE, terms=["month"])


def test_a_treatment_that_starts_everywhere_at_once_is_told_from_no_period(cells):
    table = cells.assign(treated=(cells["month"] > 5).astype(int))
    with pytest.raises(DataError, match=r"1 of 11 terms cannot be told apart .*: period\[2024-10-01\]"):
        mixed.fit(table, **SHARE, terms=["treated", "period"])


def test_impossible_counts_are_named_with_their_group_and_row(cells):
    table = cells.assign(numerator=cells["numerator"].where(cells.index != 12, 99))
    with pytest.raises(DataError, match=r"1 of 90 rows cannot be used \(F02, row 12: 99 of \d+\)\. .*not swapped"):
        mixed.fit(table, **SHARE, terms=["treated"])


def test_missing_values_name_their_column(cells):
    with pytest.raises(DataError, match="values are missing in treated: drop these rows"):
        mixed.fit(cells.assign(treated=cells["treated"].where(cells["month"] > 1)), **SHARE, terms=["treated"])


def test_one_group_is_refused(cells):
    with pytest.raises(DataError, match="'facility' holds fewer than 2: fit a plain regression"):
        mixed.fit(cells[cells["facility"] == "F01"], **SHARE, terms=["treated"])


def test_settings_that_do_not_go_together_are_refused(cells):
    with pytest.raises(ParameterError, match="no column 'treatd', 'mnth'; the table has facility, month"):
        mixed.fit(cells, **SHARE, terms=["treatd", "mnth"])
    with pytest.raises(ParameterError, match=r"quadrature is 9: give 1 \(Laplace\) or more, a whole number, and 1"):
        mixed.fit(cells, **SHARE, terms=["treated"], quadrature=9, random_slope="treated")
    with pytest.raises(ParameterError, match="'gaussian' needs to be binomial, with a denominator, or poisson"):
        mixed.fit(cells, **SHARE, terms=["treated"], family="gaussian")
    with pytest.raises(ParameterError, match="random_slope 'period' is not a column of numbers"):
        mixed.fit(cells, **SHARE, terms=["treated"], random_slope="period")
    with pytest.raises(DataError, match="'one' is 1 in every row, so its effect cannot vary by facility"):
        mixed.fit(cells.assign(one=1), **SHARE, terms=["treated"], random_slope="one")


def test_a_single_term_may_be_given_by_its_name(cells):
    one, listed = (mixed.fit(cells, **SHARE, terms=terms).coefficients for terms in ("treated", ["treated"]))
    pd.testing.assert_frame_equal(one, listed)
    with pytest.raises(ParameterError, match="there is no column 'trt'; the table has facility"):
        mixed.fit(cells, **SHARE, terms="trt")


@pytest.mark.parametrize("points", [2.5, 9.0, 0, -1, "9", None, np.nan])
def test_points_of_quadrature_are_a_whole_number(cells, points):
    with pytest.raises(ParameterError, match=r"^quadrature is .*: give 1 \(Laplace\) or more, a whole number, and 1"):
        mixed.fit(cells, **SHARE, terms=["treated"], quadrature=points)


def test_a_whole_number_of_numpy_is_a_number_of_points(cells):
    one, other = (mixed.fit(cells, **SHARE, terms=["treated"], quadrature=n).loglik for n in (np.int64(9), 9))
    assert one == other


@pytest.mark.parametrize("level", [95, 0, 1])
def test_a_level_is_a_proportion(cells, level):
    with pytest.raises(ParameterError, match=rf"^level is {level}: give a proportion such as 0\.95$"):
        mixed.fit(cells, **SHARE, terms=["treated"], level=level)
