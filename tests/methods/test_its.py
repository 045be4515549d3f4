"""Interrupted time series: against R and published values, by recovery, and in what it refuses."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError, ParameterError
from qieval.methods import its
from qieval.methods.its import ar1
from qieval.methods.its.planning import formula_power, simulate, simulated_power
from tests.methods.conftest import SHIPPED

TERMS = ["intercept", "slope", "level_change", "slope_change"]
BUMPS = np.resize([0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5], 200)  # noise one can write down


def monthly(values: list[float] | np.ndarray, first: str = "2022-01", **columns: object) -> pd.DataFrame:
    periods = pd.period_range(first, periods=len(values), freq="M").to_timestamp()
    return pd.DataFrame({"period": periods, "value": np.asarray(values, dtype=float), **columns})


def counted(numerators: list[int], denominators: list[int]) -> pd.DataFrame:
    return monthly(numerators, n=denominators).rename(columns={"value": "y"})


def codes(fit: its.Fit) -> list[str]:
    return [flag.code for flag in fit.flags]


def text(fit: its.Fit, code: str) -> str:
    return next(flag.text for flag in fit.flags if flag.code == code)


def of(fit: its.Fit, engine: str) -> pd.DataFrame:
    return fit.estimates[fit.estimates["engine"] == engine].set_index("term")


# Against other programs


@cache
def sicily(folder: Path) -> tuple[its.Fit, pd.Series]:
    data = pd.read_csv(folder / "reference/methods/data/sicily.csv")
    data["period"] = pd.to_datetime({"year": data["year"], "month": data["month"], "day": 1})
    data["rate"] = 1e5 * data["aces"] / data["stdpop"]
    return its.fit(data, period="period", value="rate", start="2005-01", seasonality=True), expected(
        folder, "c07_its_sicily"
    )


@cache
def california(folder: Path) -> tuple[its.Fit, pd.Series]:
    data = pd.read_csv(folder / "reference/methods/data/prop99.csv").query("state == 'California'")
    return its.fit(data, period="year", value="cigsale", start=1989), expected(folder, "c08_its_prop99")


def expected(folder: Path, name: str) -> pd.Series:
    return pd.read_csv(folder / f"reference/methods/expected/{name}.csv", index_col="quantity")["value"].astype(float)


def at_the_last_month_before(fit: its.Fit, engine: str) -> tuple[float, float]:
    """The level change one period earlier, where c07 has its zero of the slope change: estimate, standard error."""
    names = fit.design.terms
    contrast = np.array([[(name == "level_change") - float(name == "slope_change") for name in names]])
    centre, error = fit.mixtures[engine].along(contrast)
    return float(centre[0, 0]), float(error[0, 0])


@pytest.mark.parametrize(
    ("engine", "coefs", "errors", "tolerance"),
    [
        pytest.param("ols", "ols_coef", "ols_se", 1e-8, id="c07 least squares"),
        pytest.param("newey_west", "ols_coef", "ols_nw_lag1_adj_se", 1e-8, id="c07 Newey-West, 1 lag"),
        # nlme stops its search at a relative change of 1e-6.
        pytest.param("reml", "gls_ar1_REML_coef", "gls_ar1_REML_se", 1e-6, id="c07 AR(1), nlme REML"),
    ],
)
def test_acute_coronary_events_in_sicily(reference, engine, coefs, errors, tolerance):
    fit, published = sicily(reference)
    own = of(fit, engine)
    for term, theirs in (("slope", "time"), ("slope_change", "I((time - 36) * smokban)")):
        assert own.loc[term, "estimate"] == pytest.approx(published[f"{coefs}[{theirs}]"], rel=tolerance)
        assert own.loc[term, "standard_error"] == pytest.approx(published[f"{errors}[{theirs}]"], rel=tolerance)
    level = at_the_last_month_before(fit, engine)
    assert level == pytest.approx((published[f"{coefs}[smokban]"], published[f"{errors}[smokban]"]), rel=tolerance)


def test_the_autocorrelation_of_sicily_is_that_of_nlme_and_its_flag_is_raised(reference):
    fit, published = sicily(reference)
    assert fit.phi_reml == pytest.approx(published["gls_ar1_REML_phi"], abs=1e-6)
    assert codes(fit) == ["baseline_trend", "newey_west_narrower"]


@pytest.mark.parametrize(
    ("case", "seasonality", "slope"),
    [("m2_quasi", False, False), ("m3_quasi_harm", True, False), ("m4_quasi_harm_slope", True, True)],
)
def test_quasi_poisson_models_of_the_tutorial(reference, case, seasonality, slope):
    _, published = sicily(reference)
    data = pd.read_csv(reference / "reference/methods/data/sicily.csv")
    data["period"] = pd.to_datetime({"year": data["year"], "month": data["month"], "day": 1})
    fit = its.fit(
        data,
        period="period",
        numerator="aces",
        denominator="stdpop",
        family="poisson",
        start="2005-01",
        seasonality=seasonality,
        slope=slope,
    )
    own = of(fit, "quasipoisson")
    theirs = {"slope": "time"}
    if slope:
        theirs["slope_change"] = "I((time - 36) * smokban)"
        level, error = at_the_last_month_before(fit, "quasipoisson")
    else:
        level, error = own.loc["level_change", ["estimate", "standard_error"]]
    if seasonality:
        theirs |= {"sin1": "Hsin1", "sin2": "Hsin2", "cos1": "Hcos1", "cos2": "Hcos2"}
    for term, name in theirs.items():
        assert own.loc[term, "estimate"] == pytest.approx(published[f"{case}_coef[{name}]"], rel=1e-5)
        assert own.loc[term, "standard_error"] == pytest.approx(published[f"{case}_se[{name}]"], rel=1e-5)
    assert level == pytest.approx(published[f"{case}_coef[smokban]"], rel=1e-5)
    assert error == pytest.approx(published[f"{case}_se[smokban]"], rel=1e-5)
    # Their first month is 1, ours 0.
    at_month_0 = own.loc["intercept", "estimate"] - own.loc["slope", "estimate"]
    assert at_month_0 == pytest.approx(published[f"{case}_coef[(Intercept)]"], rel=1e-5)


@pytest.mark.parametrize(
    ("engine", "errors"), [("ols", "ols_se"), ("newey_west", "nw_lag1_adj_se")], ids=["c08 OLS", "c08 Stata itsa"]
)
def test_cigarettes_in_california(reference, engine, errors):
    fit, published = california(reference)
    for term, name in zip(TERMS, ["(Intercept)", "t", "x", "xt"], strict=True):
        row = of(fit, engine).loc[term]
        assert row["estimate"] == pytest.approx(published[f"ols_coef[{name}]"], rel=1e-8)
        assert row["standard_error"] == pytest.approx(published[f"{errors}[{name}]"], rel=1e-8)


def test_cigarettes_in_california_in_2000(reference):
    fit, published = california(reference)
    found = fit.effect(2000, engine="newey_west")
    assert found.absolute == pytest.approx(published["abs_effect_2000"], rel=1e-8)
    assert found.absolute_standard_error == pytest.approx(published["abs_effect_se"], rel=1e-8)
    assert found.relative == pytest.approx(published["rel_effect_2000"], rel=1e-8)
    assert found.relative_standard_error == pytest.approx(published["rel_effect_se"], rel=1e-6)


def test_a_drifting_series_runs_to_the_end_of_the_search_and_says_so(reference):
    fit, published = california(reference)
    assert fit.phi_reml > 0.999
    # At this end level and noise are one; the changes, all that matters, are still those of nlme.
    for term, name in zip(TERMS[1:], ["t", "x", "xt"], strict=True):
        row = of(fit, "reml").loc[term]
        assert row["estimate"] == pytest.approx(published[f"gls_ar1_REML_coef[{name}]"], rel=1e-5)
        assert row["standard_error"] == pytest.approx(published[f"gls_ar1_REML_se[{name}]"], rel=1e-4)
    assert "beyond 0.9 the series drifts" in text(fit, "near_unit_root")


def test_where_a_drifting_series_ends_the_error_of_its_level_is_that_of_nlme_at_the_phi_where_nlme_stops(reference):
    fit, published = california(reference)
    times = fit.series.times
    phis = np.array([ar1.PHI_BOUND, published["gls_ar1_REML_phi"]])
    fits, likelihood = ar1.profile(fit.design.columns(times, fit.series), fit.series.values, ar1.distances(times), phis)
    errors = np.sqrt(fits.covariances[:, 0, 0])
    assert errors[1] == pytest.approx(published["gls_ar1_REML_se[(Intercept)]"], rel=1e-5)
    # The data do not say where to stop: here the error is another, and the likelihood the same.
    assert errors[0] == pytest.approx(586.93, abs=0.01)
    assert likelihood[0] == pytest.approx(likelihood[1], abs=1e-7)


@pytest.mark.parametrize("name", ["complete", "gap", "short", "alternating"])
def test_ar1_by_restricted_likelihood_is_that_of_nlme(name):
    data = pd.read_csv(SHIPPED / "methods/its_series.csv").query("series == @name")
    theirs = pd.read_csv(SHIPPED / "methods/its_expected.csv").query("series == @name").set_index("quantity")["value"]
    # At the phi where nlme stopped its search all is closed form; the search itself ends where the likelihood is flat.
    fit = its.fit(data, period="time", value="value", start=int(data["start"].iloc[0]), engines=["reml"])
    times = data["time"].to_numpy() - data["time"].iloc[0]
    design, values, steps = fit.design.columns(times, fit.series), data["value"].to_numpy(), ar1.distances(times)
    there, _ = ar1.profile(design, values, steps, np.array([theirs["phi"]]))
    assert there.coefs[0] == pytest.approx(theirs[TERMS].to_numpy(), rel=1e-8, abs=1e-8)
    errors = theirs[[f"se_{term}" for term in TERMS]].to_numpy()
    assert np.sqrt(np.diag(there.covariances[0])) == pytest.approx(errors, rel=1e-8)
    assert ar1.noise(values - design @ there.coefs[0], steps, theirs["phi"], there.df) == pytest.approx(theirs["sigma"])
    assert fit.phi_reml == pytest.approx(theirs["phi"], abs=1e-7)
    assert of(fit, "reml")["estimate"].to_numpy() == pytest.approx(theirs[TERMS].to_numpy(), rel=1e-6, abs=1e-6)
    assert of(fit, "reml")["standard_error"].to_numpy() == pytest.approx(errors, rel=1e-6)
    assert fit.sigma == pytest.approx(theirs["sigma"], rel=1e-5)


# By hand


def test_lines_that_were_drawn_are_found_again():
    time = np.arange(24)
    after = time >= 10
    values = 50 + 0.5 * time + 8 * after + 0.25 * after * (time - 10) + 1e-6 * BUMPS[:24]
    fit = its.fit(monthly(values), period="period", value="value", start="2022-11")
    for engine in ("averaged", "reml", "newey_west", "ols"):
        assert of(fit, engine)["estimate"].tolist() == pytest.approx([50, 0.5, 8, 0.25], abs=1e-4)
    assert (fit.n_before, fit.n_after) == (10, 14)
    found = fit.effect("2023-03")
    assert (found.absolute, found.counterfactual) == pytest.approx((8 + 4 * 0.25, 57), abs=1e-4)
    assert found.relative == pytest.approx(9 / 57, abs=1e-6)
    assert found.relative_low < found.relative < found.relative_high


def test_a_gap_in_time_stays_a_gap():
    whole = monthly(50 + np.arange(20) + BUMPS[:20])
    missing = whole.assign(value=whole["value"].where(whole["period"].dt.month != 3))
    kept, dropped = (
        its.fit(one, period="period", value="value", start="2022-11") for one in (missing, missing.dropna())
    )
    pd.testing.assert_frame_equal(kept.estimates, dropped.estimates)
    assert of(kept, "ols").loc["slope", "estimate"] == pytest.approx(1, abs=0.2)
    assert kept.fitted["observed"].isna().sum() == 2
    assert kept.fitted["fitted"].notna().all()
    assert len(kept.fitted) == 20


def test_neighbours_of_a_gap_are_correlated_by_phi_to_the_distance():
    steps = ar1.distances(np.array([0, 1, 4, 6]))
    apart = np.abs(np.subtract.outer([0, 1, 4, 6], [0, 1, 4, 6]))
    design, values = np.ones((4, 1)), np.array([3.0, 5, 4, 8])
    for phi in (-0.5, 0.0, 0.7):
        fitted, _ = ar1.profile(design, values, steps, np.array([phi]))
        weights = np.linalg.inv(np.power(phi, apart)).sum(axis=0)
        assert fitted.coefs[0, 0] == pytest.approx(weights @ values / weights.sum(), rel=1e-12)


def test_quarters_count_as_one_period_each():
    values = 50 + np.arange(12) + BUMPS[:12]
    quarters = monthly(values).assign(period=pd.date_range("2020-01-01", periods=12, freq="QS"))
    fit = its.fit(quarters, period="period", value="value", start="2021-07")
    as_numbers = monthly(values).assign(period=np.arange(12))
    other = its.fit(as_numbers, period="period", value="value", start=6)
    pd.testing.assert_frame_equal(fit.estimates, other.estimates)
    assert fit.fitted["period"].tolist() == quarters["period"].tolist()


def test_the_order_of_the_rows_does_not_matter_and_the_frame_is_left_alone():
    frame = monthly(50 + BUMPS[:18]).sample(frac=1, random_state=1)
    before = frame.copy()
    shuffled = its.fit(frame, period="period", value="value", start="2022-09")
    ordered = its.fit(frame.sort_values("period"), period="period", value="value", start="2022-09")
    pd.testing.assert_frame_equal(shuffled.estimates, ordered.estimates)
    pd.testing.assert_frame_equal(frame, before)


def test_transition_months_left_out_or_with_a_level_of_their_own():
    values = np.r_[50 + BUMPS[:10], 90, 91, 60 + BUMPS[:10]]
    left_out = its.fit(monthly(values), period="period", value="value", start="2022-11", transition=2)
    assert (left_out.n_before, left_out.n_after) == (10, 10)
    assert of(left_out, "ols").loc["level_change", "estimate"] == pytest.approx(10, abs=1.5)
    assert left_out.fitted.loc[10:11, "fitted"].isna().all()
    own = its.fit(monthly(values), period="period", value="value", start="2022-11", transition=2, transition_term=True)
    assert of(own, "ols").loc["transition", "estimate"] == pytest.approx(40.5, abs=1.5)
    assert of(own, "ols").loc["level_change", "estimate"] == pytest.approx(
        of(left_out, "ols").loc["level_change", "estimate"], abs=0.1
    )


def test_another_known_event_is_a_step_that_stays_in_the_counterfactual():
    time = np.arange(30)
    values = 50 + 20 * (time >= 20) + 5 * (time >= 10) + 0.01 * BUMPS[:30]
    fit = its.fit(monthly(values), period="period", value="value", start="2022-11", events=["2023-09-01"])
    assert of(fit, "averaged").loc["event_2023-09", "estimate"] == pytest.approx(20, abs=0.1)
    assert fit.effect("2024-06").absolute == pytest.approx(5, abs=0.1)
    assert fit.effect("2024-06").counterfactual == pytest.approx(70, abs=0.1)


def test_the_band_of_the_counterfactual_is_that_of_the_effect_and_widens():
    fit = its.fit(monthly(50 + BUMPS[:24]), period="period", value="value", start="2023-01")
    lines = fit.counterfactual
    assert lines.columns.tolist() == ["period", "observed", "fitted", "counterfactual", "low", "high"]
    last, found = lines.iloc[-1], fit.effect("2023-12")
    assert last["fitted"] - last["counterfactual"] == pytest.approx(found.absolute, rel=1e-9)
    assert (lines["high"] - lines["low"]).iloc[12:].is_monotonic_increasing
    before = lines.iloc[:12]
    assert before["fitted"].tolist() == before["counterfactual"].tolist()
    pd.testing.assert_frame_equal(before, fit.fitted.iloc[:12])


def test_one_certain_autocorrelation_gives_the_usual_t_interval():
    design = np.column_stack([np.ones(20), np.arange(20)])
    values, steps = 5 + BUMPS[:20], ar1.distances(np.arange(20))
    alone, _ = ar1.average(design, values, steps, np.array([0.0]))
    centres, errors = alone.along(np.eye(2))
    found = ar1.quantile(0.975, alone.weights, centres, errors, alone.df)
    assert found == pytest.approx(centres[0] + 2.100922040241 * errors[0], rel=1e-10)  # t(18)


def test_quantiles_of_a_mixture_hold_their_share():
    rng = np.random.default_rng(4)
    weights, centres, scales = rng.dirichlet(np.ones(6)), 30 * rng.normal(size=(6, 5)), rng.gamma(1.0, size=(6, 5))
    for share in (0.005, 0.025, 0.5, 0.9):
        at = ar1.quantile(share, weights, centres, scales, 7)
        assert ar1.cdf(at, weights, centres, scales, 7) == pytest.approx(share, abs=1e-9)


def test_a_proportion_has_its_quasi_binomial_beside_it():
    fit = its.fit(
        counted([20, 24, 19, 22, 25, 21, 23, 30, 33, 31, 36, 34, 35, 38], [40] * 14),
        period="period",
        numerator="y",
        denominator="n",
        start="2022-08",
    )
    assert fit.estimates["engine"].unique().tolist() == ["averaged", "reml", "newey_west", "ols", "quasibinomial"]
    averaged, quasi = (fit.effect("2023-02", engine=engine) for engine in ("averaged", "quasibinomial"))
    assert quasi.absolute == pytest.approx(averaged.absolute, abs=0.05)
    assert 0 < quasi.counterfactual < quasi.fitted < 1
    assert quasi.relative_low < quasi.relative < quasi.relative_high


def test_the_scale_of_the_quasi_binomial_is_pearsons():
    # Two levels only: by hand the scale is X2 / (n - p), and the variance of each logit 1 / (n p q) summed.
    tops, n = np.array([5, 9, 6, 14, 18, 12]), np.full(6, 20)
    fit = its.fit(counted(list(tops), list(n)), period="period", numerator="y", denominator="n", start="2022-04")
    p = np.repeat([20 / 60, 44 / 60], 3)
    scale = ((tops - n * p) ** 2 / (n * p * (1 - p))).sum() / 4
    row = of(fit, "quasibinomial").loc["level_change"]
    assert row["estimate"] == pytest.approx(np.log(44 / 16) - np.log(20 / 40), rel=1e-8)
    assert row["standard_error"] == pytest.approx(
        np.sqrt(scale * (1 / (60 * p[0] * (1 - p[0])) + 1 / (60 * p[3] * (1 - p[3])))), rel=1e-8
    )


def test_a_count_without_denominator_has_its_quasi_poisson():
    frame = counted([5, 9, 6, 14, 18, 12], [1] * 6)
    fit = its.fit(frame, period="period", numerator="y", family="poisson", start="2022-04")
    assert of(fit, "quasipoisson").loc["level_change", "estimate"] == pytest.approx(np.log(44 / 20), rel=1e-8)
    assert fit.effect("2022-06", engine="quasipoisson").relative == pytest.approx(44 / 20 - 1, rel=1e-8)


def test_a_share_of_nothing_has_no_relative_effect():
    fit = its.fit(monthly(np.r_[BUMPS[:10], 5 + BUMPS[:10]]), period="period", value="value", start="2022-11")
    found = fit.effect("2023-01")
    assert np.isfinite([found.absolute, found.absolute_low]).all()
    assert np.isnan([found.relative, found.relative_low, found.relative_high]).all()


# Recovery


@pytest.mark.parametrize("phi", [0.0, 0.3, 0.6])
def test_the_averaged_interval_holds_the_truth_where_least_squares_does_not(phi):
    time = np.arange(24)
    after = (time >= 12).astype(float)
    design = np.column_stack([np.ones(24), time, after, after * (time - 12)])
    values = 7 * after + simulate(500, 24, phi, np.random.default_rng(8))
    mixture, _ = ar1.average(design, values, ar1.distances(time))
    centres, errors = mixture.along(np.eye(4)[2:3])
    low, high = (ar1.quantile(share, mixture.weights, centres, errors, mixture.df) for share in (0.025, 0.975))
    assert 0.92 <= np.mean((low < 7) & (high > 7)) <= 0.98
    plain, _ = ar1.profile(design, values, ar1.distances(time), np.zeros(1))
    centre, error = (found[:, 0, 0] for found in plain.along(np.eye(4)[2:3]))
    assert (np.mean(np.abs(centre - 7) < 2.086 * error) < 0.92) == (phi > 0)  # t(20)


def test_many_series_at_once_are_the_same_as_one_by_one():
    values = simulate(3, 15, 0.5, np.random.default_rng(2))
    design, steps = np.column_stack([np.ones(15), np.arange(15)]), ar1.distances(np.arange(15))
    together, phis = ar1.average(design, values, steps)
    for i in range(3):
        alone, phi = ar1.average(design, values[i], steps)
        assert phi == pytest.approx(phis[i], rel=1e-12)
        assert alone.covariances == pytest.approx(together.covariances[i], rel=1e-10)


def test_the_months_needed_have_the_power_asked_for_and_one_fewer_has_not():
    setting = {"phi": 0.0, "n_before": 12}
    months = its.months_needed(15, sigma=5, **setting)
    assert months is not None
    assert simulated_power(3, n_after=months, **setting) >= 0.80
    assert simulated_power(3, n_after=months - 1, **setting) < 0.80
    assert its.months_needed(-15, sigma=5, n_after=5, **setting) == months - 5
    # The formula alone, with the autocorrelation taken as known, promises too much.
    assert 0.80 < formula_power(3, n_after=months, **setting) < 0.94


def test_the_power_is_that_of_series_with_the_gain_in_them():
    frames = 2 * (np.arange(30) >= 15) + simulate(40, 30, 0.0, np.random.default_rng(5))
    fits = [
        its.fit(monthly(one), period="period", value="value", start="2023-04", engines=["averaged"]) for one in frames
    ]
    found = np.mean([of(fit, "averaged").loc["level_change", "low"] > 0 for fit in fits])
    assert simulated_power(2, phi=0.0, n_before=15, n_after=15) == pytest.approx(found, abs=0.15)


def test_a_gain_too_small_for_a_short_baseline_is_never_told_however_long_one_waits():
    assert its.months_needed(1, sigma=1, phi=0.3, n_before=12) is None


def test_months_needed_names_every_impossible_number():
    with pytest.raises(ParameterError, match=r"4 things.*\n.*gain is 0.*\n.*sigma is -1.*\n.*phi is 1.*\n.*at least 3"):
        its.months_needed(0, sigma=-1, phi=1, n_before=2)


# What is refused, and what is said


def test_two_points_on_a_side_are_refused_in_words():
    message = r"2 things.*\n.*2 periods with a value before the start, and at least 3.*run chart.*\n.*1 periods.*after"
    with pytest.raises(DataError, match=message):
        its.fit(monthly([1, 2, 3]), period="period", value="value", start="2022-03")


@pytest.mark.parametrize(("n", "start"), [(20, "2022-04"), (20, "2022-06"), (11, "2022-07")])
def test_a_short_series_gets_its_levels_only(n, start):
    fit = its.fit(monthly(50 + BUMPS[:n]), period="period", value="value", start=start)
    assert of(fit, "averaged").index.tolist() == ["intercept", "level_change"]
    assert "slope estimable" in text(fit, "level_only")
    assert "a trend already under way before the start would be counted as change" in text(fit, "level_only")


def test_six_before_and_twelve_in_all_get_their_slopes():
    fit = its.fit(monthly(50 + BUMPS[:12]), period="period", value="value", start="2022-07")
    assert of(fit, "averaged").index.tolist() == TERMS
    assert "level_only" not in codes(fit)


def test_no_change_of_slope_where_none_is_asked():
    fit = its.fit(monthly(50 + BUMPS[:24]), period="period", value="value", start="2023-01", slope=False)
    assert of(fit, "averaged").index.tolist() == ["intercept", "slope", "level_change"]


@pytest.mark.parametrize(
    ("n", "asked", "said"),
    [
        (23, True, "fewer than 24 months, less than two full cycles. Seasonality cannot be excluded"),
        (23, None, "fewer than 24 months"),
        (24, None, "Seasonality was not modelled"),
        (24, False, None),
        (24, True, None),
    ],
)
def test_seasons_need_two_full_cycles(n, asked, said):
    fit = its.fit(monthly(50 + BUMPS[:n]), period="period", value="value", start="2023-01", seasonality=asked)
    assert ("sin1" in of(fit, "ols").index) == (n >= 24 and asked is True)
    assert (said is None) == ("seasonality" not in codes(fit))
    assert said is None or said in text(fit, "seasonality")


@pytest.mark.parametrize("asked", [True, False, None])
def test_numbered_periods_have_no_seasons_and_who_asks_is_told(asked):
    frame = monthly(50 + BUMPS[:36]).assign(period=np.arange(36))
    fit = its.fit(frame, period="period", value="value", start=18, seasonality=asked)
    assert "sin1" not in of(fit, "ols").index
    assert ("seasonality" in codes(fit)) == (asked is True)
    if asked:
        assert text(fit, "seasonality") == (
            "No seasonal term, though one was asked for: the periods are numbers, and numbers are no months. Give dates"
        )


def test_a_baseline_on_its_way_is_named():
    fit = its.fit(monthly(50 - np.arange(24) + BUMPS[:24]), period="period", value="value", start="2023-01")
    assert "already falling" in text(fit, "baseline_trend")
    assert "before-after difference is not evidence" in text(fit, "baseline_trend")


def test_alternating_months_make_newey_west_narrower_and_that_is_said():
    values = 50 + np.resize([3.0, -3.0], 20) + 0.1 * BUMPS[:20]
    fit = its.fit(monthly(values), period="period", value="value", start="2022-11")
    assert "not of precision" in text(fit, "newey_west_narrower")


def test_perfect_alternation_takes_the_meaning_from_reml_and_that_is_said():
    fit = its.fit(
        monthly(np.resize([3.0, -3.0], 14) + 0.05 * BUMPS[:14]), period="period", value="value", start="2022-08"
    )
    assert "runs to perfect alternation, and the intervals of REML mean nothing there" in text(fit, "alternating")
    averaged, reml = (of(fit, engine).loc["level_change", "standard_error"] for engine in ("averaged", "reml"))
    assert reml < averaged


def test_very_unequal_denominators_are_named():
    frame = counted([2, 30, 3, 40, 2, 35, 3, 50], [4, 60, 5, 80, 4, 70, 5, 99])
    fit = its.fit(frame, period="period", numerator="y", denominator="n", start="2022-05")
    assert "Denominators go from 4 to 99" in text(fit, "unequal_denominators")


def test_impossible_months_are_all_named():
    frame = counted([12, 41, 3, 4, -1, 6], [20, 38, 0, 20, 20, 20])
    with pytest.raises(DataError, match=r"3 of 6 periods.*2022-02: 41 of 38, 2022-03: 3 of 0, 2022-05: -1 of 20"):
        its.fit(frame, period="period", numerator="y", denominator="n", start="2022-04")


def test_nobody_eligible_is_a_gap():
    frame = counted([12, 11, 0, 10, 15, 16, 18, 17], [20, 20, 0, 20, 20, 20, 20, 20])
    fit = its.fit(frame, period="period", numerator="y", denominator="n", start="2022-05")
    assert (fit.n_before, fit.n_after) == (3, 4)


def test_more_events_than_exposure_are_a_rate_and_no_mistake():
    frame = counted([12, 21, 10, 14, 25, 26], [10] * 6)
    fit = its.fit(frame, period="period", numerator="y", denominator="n", family="poisson", start="2022-04")
    assert of(fit, "quasipoisson").loc["level_change", "estimate"] == pytest.approx(np.log(65 / 43), rel=1e-8)


def test_a_month_twice_is_refused():
    with pytest.raises(DataError, match="more than one row for 2022-02: add them up"):
        its.fit(
            pd.concat([monthly(BUMPS[:8]), monthly([1.0], "2022-02")]), period="period", value="value", start="2022-05"
        )


def test_a_row_without_a_period_is_refused():
    frame = monthly(BUMPS[:8])
    frame.loc[3, "period"] = pd.NaT
    with pytest.raises(DataError, match="1 of 8 rows have no 'period': date them, or drop them"):
        its.fit(frame, period="period", value="value", start="2022-05")


FORMS = {
    "text": lambda dates: dates.dt.strftime("%Y-%m-%d"),
    "text of months": lambda dates: dates.dt.strftime("%Y-%m"),
    "dates": lambda dates: dates.dt.date,
    "periods": lambda dates: dates.dt.to_period("M"),
    "periods as objects": lambda dates: dates.dt.to_period("M").astype(object),
    "timestamps as objects": lambda dates: dates.astype(object),
    "categories": lambda dates: dates.dt.strftime("%Y-%m").astype("category"),
    "whole seconds": lambda dates: dates.astype("datetime64[s]"),
}


@pytest.mark.parametrize("form", FORMS)
def test_dates_may_be_written_in_several_ways(form):
    frame = monthly(50 + BUMPS[:20])
    written = frame.assign(period=FORMS[form](frame["period"])).sample(frac=1, random_state=1)
    expected, fit = (its.fit(one, period="period", value="value", start="2022-11") for one in (frame, written))
    pd.testing.assert_frame_equal(fit.estimates, expected.estimates)
    pd.testing.assert_frame_equal(fit.fitted, expected.fitted)
    assert fit.series.labels == expected.series.labels


@pytest.mark.parametrize("start", [pd.Period("2022-11"), pd.Timestamp("2022-11-01"), np.datetime64("2022-11")])
def test_a_start_may_be_written_in_several_ways(start):
    fit = its.fit(monthly(50 + BUMPS[:20]), period="period", value="value", start=start)
    assert (fit.n_before, fit.n_after) == (10, 10)


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", object])
def test_years_are_numbers_however_they_are_kept(dtype):
    frame = monthly(50 + BUMPS[:20]).assign(period=pd.Series(range(2001, 2021), dtype=dtype))
    fit = its.fit(frame, period="period", value="value", start=2011)
    assert fit.series.labels[0] == "2001"
    assert fit.fitted["period"].tolist() == list(range(2001, 2021))


@pytest.mark.parametrize(
    ("periods", "message"),
    [
        (["2022-01", "Feb 2022", "soon", "2022-04"] * 2, r"^4 of 8 rows: 'period' is no date \('Feb 2022', 'soon', "),
        ([True, False] * 4, "^'period' is not a date or a finite number throughout. Write dates as 2024-03-01"),
        ([1, 2, 3, np.inf] * 2, "^'period' is not a date or a finite number throughout"),
        (pd.to_timedelta(range(8), unit="D"), "^column 'period' has no periods that are dates or whole numbers. Write"),
        (pd.date_range("2022-01", periods=8, freq="MS", tz="Asia/Kolkata"), "^'period' has a time zone"),
    ],
)
def test_what_is_no_period_is_refused(periods, message):
    with pytest.raises(DataError, match=message):
        its.fit(monthly(BUMPS[:8]).assign(period=periods), period="period", value="value", start="2022-05")


def test_no_rows_at_all_are_refused():
    with pytest.raises(DataError, match=r"^column 'period' has no periods that are dates"):
        its.fit(monthly([]), period="period", value="value", start="2022-05")


@pytest.mark.parametrize("start", [pd.NaT, None, np.nan, np.datetime64("NaT"), "", 12])
def test_a_start_that_is_no_date_is_refused(start):
    with pytest.raises(ParameterError, match=r"is not a date such as 2024-03 or 2024-03-01$"):
        its.fit(monthly(50 + BUMPS[:20]), period="period", value="value", start=start)


@pytest.mark.parametrize("start", [pd.NaT, None, np.nan, np.inf, "soon", pd.Timestamp("2022-11-01")])
def test_a_start_that_is_no_number_is_refused_where_periods_are_numbers(start):
    frame = monthly(50 + BUMPS[:20]).assign(period=range(20))
    with pytest.raises(ParameterError, match=r"is not a number, as the periods of this series are$"):
        its.fit(frame, period="period", value="value", start=start)


def test_a_missing_event_or_period_of_an_effect_is_refused():
    frame = monthly(50 + BUMPS[:20])
    with pytest.raises(ParameterError, match=r"^NaT is not a date such as 2024-03"):
        its.fit(frame, period="period", value="value", start="2022-11", events=[pd.NaT])
    with pytest.raises(ParameterError, match=r"^NaT is not a date such as 2024-03"):
        its.fit(frame, period="period", value="value", start="2022-11").effect(pd.NaT)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (["12", "n/a", "9"] * 4, r"4 of 12 periods have no number in 'value' \(2022-02: n/a, 2022-05: n/a, "),
        (pd.Series(["n/a", "9"] * 6, dtype="category"), "6 of 12 periods have no number in 'value'"),
        (pd.date_range("2022-01", periods=12), r"12 of 12 periods have no number in 'value' \(2022-01: 2022-01-01"),
    ],
)
def test_values_that_are_no_numbers_are_named(values, shown):
    with pytest.raises(DataError, match=f"^{shown}.*: mend them, or leave them empty$"):
        its.fit(monthly(BUMPS[:12]).assign(value=values), period="period", value="value", start="2022-05")


def test_counts_that_are_no_numbers_are_named():
    frame = counted([12, 11, 10, 9, 15, 16], [20] * 6).astype({"n": object})
    frame.loc[1, "n"] = "many"
    with pytest.raises(
        DataError, match=r"^1 of 6 periods have no number in 'n' \(2022-02: many\): mend them, or leave"
    ):
        its.fit(frame, period="period", numerator="y", denominator="n", start="2022-04")


def test_numbers_kept_as_text_and_empty_cells_are_read():
    values = 50 + BUMPS[:20]
    values[4] = np.nan
    frame = monthly(values)
    kept = [None if np.isnan(value) else str(value) for value in values]
    expected = its.fit(frame, period="period", value="value", start="2022-11").estimates
    for written in (pd.Series(kept, dtype=object), pd.Series(values, dtype="Float64")):
        fit = its.fit(frame.assign(value=written), period="period", value="value", start="2022-11")
        pd.testing.assert_frame_equal(fit.estimates, expected)


@pytest.mark.parametrize("level", [95, "95%", None])
def test_a_level_is_a_proportion(level):
    with pytest.raises(ParameterError, match=r"level is .*: give a proportion such as 0\.95"):
        its.fit(monthly(50 + BUMPS[:20]), period="period", value="value", start="2022-11", level=level)


@pytest.mark.parametrize("values", [np.zeros(20), np.full(20, 0.9), np.arange(20.0)], ids=["zero", "same", "line"])
def test_a_series_without_noise_is_refused(values):
    with pytest.raises(DataError, match="no noise to judge a change by"):
        its.fit(monthly(values), period="period", value="value", start="2022-11")


def test_all_done_after_the_start_leaves_the_quasi_binomial_without_an_answer():
    frame = counted([5, 9, 6, 20, 20, 20], [20] * 6)
    fit = its.fit(frame, period="period", numerator="y", denominator="n", start="2022-04")
    assert "quasibinomial gives no estimate: a stretch is all or none" in text(fit, "runaway")
    assert "quasibinomial" not in fit.estimates["engine"].tolist()
    with pytest.raises(DataError, match="a stretch is all or none"):
        its.fit(frame, period="period", numerator="y", denominator="n", start="2022-04", engines=["quasibinomial"])


def test_no_values_at_all_are_refused():
    with pytest.raises(DataError, match="every period is missing"):
        its.fit(monthly([np.nan] * 8), period="period", value="value", start="2022-05")


@pytest.mark.parametrize(
    ("event", "message"), [("2022-11", "falls on the start"), ("2025-01", "is not between two periods of the series")]
)
def test_an_event_that_cannot_be_told_apart_is_refused(event, message):
    with pytest.raises(DataError, match=message):
        its.fit(monthly(BUMPS[:20]), period="period", value="value", start="2022-11", events=[event])


def test_more_terms_than_the_months_bear_are_refused_with_their_names():
    events = ["2022-03", "2022-04", "2022-05", "2022-06", "2022-08", "2022-09", "2022-10"]
    with pytest.raises(DataError, match=r"12 periods cannot tell apart 11 terms \(intercept, slope.*event_2022-10"):
        its.fit(monthly(BUMPS[:12]), period="period", value="value", start="2022-07", events=events)


def test_settings_are_all_checked_at_once():
    with pytest.raises(ParameterError, match=r"3 things.*\n.*transition is -1.*\n.*harmonics is 9.*\n.*level is 95"):
        its.fit(
            monthly(BUMPS[:20]), period="period", value="value", start="2022-11", transition=-1, harmonics=9, level=95
        )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"value": "vlaue"}, "'vlaue' is not a column"),
        ({}, "give either value or numerator"),
        ({"value": "value", "numerator": "value", "denominator": "value"}, "give either value or numerator"),
        ({"numerator": "value"}, "a numerator needs a denominator, unless it is a count"),
        ({"value": "value", "engines": ["ols", "quasibinomial"]}, r"\['quasibinomial'\] cannot be used here"),
        ({"value": "value", "start": "soon"}, "'soon' is not a date such as 2024-03"),
    ],
)
def test_columns_and_choices_that_cannot_be(columns, message):
    with pytest.raises(ParameterError, match=message):
        its.fit(monthly(BUMPS[:20]), **({"period": "period", "start": "2022-11"} | columns))


@pytest.mark.parametrize(
    ("period", "engine", "message"),
    [
        ("2022-10", None, "is not a period from 2022-11 to 2023-08, the time after the start"),
        ("2024-01", None, "is not a period from 2022-11 to 2023-08"),
        ("2023-01", "arima", "engine 'arima' was not fitted; there are averaged, reml, newey_west, ols"),
    ],
)
def test_an_effect_is_asked_of_the_time_after_the_start(period, engine, message):
    fit = its.fit(monthly(50 + BUMPS[:20]), period="period", value="value", start="2022-11")
    with pytest.raises(ParameterError, match=message):
        fit.effect(period, engine=engine)


# Beside a comparison


def test_california_against_other_states(reference):
    data = pd.read_csv(reference / "reference/methods/data/prop99.csv")
    data["elsewhere"] = data["state"] != "California"
    mean = data.groupby(["elsewhere", "year"], as_index=False)["cigsale"].mean()
    fit = its.fit(mean, period="year", value="cigsale", start=1989, comparison="elsewhere")
    published = expected(reference, "c08_its_prop99")
    theirs = ["z", "z:t", "z:x", "z:xt", "(Intercept)", "t", "x", "xt"]
    coefs = of(fit, "ols")["estimate"].to_numpy()
    assert coefs == pytest.approx([published[f"cits_ols_coef[{name}]"] for name in theirs], rel=1e-8)
    # The levels drift (phi is at its end), the changes and their errors are those of nlme.
    own = of(fit, "reml").drop(["intercept", "comparison_intercept"])
    names = [name for name in theirs if name not in ("z", "(Intercept)")]
    assert own["estimate"].to_numpy() == pytest.approx([published[f"cits_gls_coef[{n}]"] for n in names], rel=1e-5)
    assert own["standard_error"].to_numpy() == pytest.approx([published[f"cits_gls_se[{n}]"] for n in names], rel=1e-4)


def test_what_also_changed_in_the_comparison_is_no_effect():
    time = np.arange(24)
    after = time >= 12
    own = monthly(50 + time + 9 * after + 0.01 * BUMPS[:24], other=False)
    other = monthly(30 + 0.5 * time + 4 * after + 0.01 * BUMPS[3:27], other=True)
    fit = its.fit(pd.concat([own, other]), period="period", value="value", start="2023-01", comparison="other")
    assert of(fit, "averaged").index.tolist() == TERMS + [f"comparison_{term}" for term in TERMS]
    found = of(fit, "averaged")["estimate"].to_numpy()
    assert found == pytest.approx([20, 0.5, 5, 0, 30, 0.5, 4, 0], abs=0.05)
    assert fit.effect("2023-06").absolute == pytest.approx(5, abs=0.05)
    assert fit.effect("2023-06").counterfactual == pytest.approx(50 + 17 + 4, abs=0.05)
    assert "already rising against its comparison" in text(fit, "baseline_trend")


def test_an_independent_comparison_leaves_the_lines_of_the_series_alone():
    own, other = monthly(50 + BUMPS[:24], other=False), monthly(40 + BUMPS[2:26], other=True)
    alone = its.fit(own, period="period", value="value", start="2023-01")
    beside = its.fit(pd.concat([other, own]), period="period", value="value", start="2023-01", comparison="other")
    total = of(beside, "ols")["estimate"][TERMS].to_numpy() + of(beside, "ols")["estimate"].iloc[4:8].to_numpy()
    assert total == pytest.approx(of(alone, "ols")["estimate"].to_numpy(), rel=1e-9, abs=1e-9)
    assert len(beside.fitted) == 24


def test_a_comparison_too_short_or_not_marked_is_refused():
    own, other = monthly(50 + BUMPS[:24], other=False), monthly(40 + BUMPS[:3], "2022-11", other=True)
    with pytest.raises(DataError, match=r"2 periods with a value before the start in the comparison.*\n.*1 periods"):
        its.fit(pd.concat([own, other]), period="period", value="value", start="2023-01", comparison="other")
    with pytest.raises(DataError, match="must be true for the rows of the comparison and false for the others"):
        its.fit(own, period="period", value="value", start="2023-01", comparison="other")
    with pytest.raises(ParameterError, match="comparison 'hub' is not a column"):
        its.fit(own, period="period", value="value", start="2023-01", comparison="hub")


def test_a_short_comparison_leaves_levels_only_and_is_named():
    own, other = monthly(50 + BUMPS[:24], other=False), monthly(40 + BUMPS[:9], "2022-08", other=True)
    fit = its.fit(pd.concat([own, other]), period="period", value="value", start="2023-01", comparison="other")
    assert of(fit, "ols").index.tolist() == [
        "intercept",
        "level_change",
        "comparison_intercept",
        "comparison_level_change",
    ]
    assert "The comparison has too few periods to make a slope estimable" in text(fit, "level_only")
