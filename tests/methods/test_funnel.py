"""Funnel plots, against published limits, other programs, by hand, and on simulated units whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm, poisson

from qieval.errors import DataError, ParameterError
from qieval.methods.funnel import funnel
from qieval.methods.funnel.beta_binomial import BetaBinomial
from tests.methods.conftest import SHIPPED

NAMES = ["lower_95", "upper_95", "lower_99.8", "upper_99.8"]
R = pd.read_csv(SHIPPED / "methods" / "expected" / "funnel.csv")
UNITS_OF_R = ([4, 11, 25, 6, 30, 52, 9, 0, 41, 20, 3, 66], [40, 60, 80, 90, 120, 150, 55, 12, 300, 210, 33, 400])


def units(numerators, denominators) -> pd.DataFrame:
    names = [f"F{number + 1}" for number in range(len(numerators))]
    return pd.DataFrame({"facility": names, "numerator": numerators, "denominator": denominators})


def noise(kind, *, n_units=200, seed=1, between=0.0) -> pd.DataFrame:
    """Units at one level of 20% (proportion), 0.2 (rate) or 1 (ratio), or spread about it by rho or alpha."""
    rng = np.random.default_rng(seed)
    n = rng.integers(50, 1000, n_units)
    if kind == "proportion":
        size = 1 / between - 1 if between else np.inf
        level = rng.beta(0.2 * size, 0.8 * size, n_units) if between else 0.2
        return units(rng.binomial(n, level), n)
    level = (1.0 if kind == "ratio" else 0.2) * (rng.gamma(1 / between, between, n_units) if between else 1)
    return units(rng.poisson(n * level), n.astype(float))


# --- against other programs


@pytest.fixture(scope="session")
def c11(reference):
    folder = reference / "reference" / "methods"
    frame = pd.read_csv(folder / "expected" / "c11_funnel_surgical.csv", skipinitialspace=True)
    return pd.read_csv(folder / "data" / "surgical12.csv"), frame.set_index("quantity")["value"].astype(float)


COLUMNS_OF_C11 = {
    "lower_95": "{}_95_l",
    "upper_95": "{}_95_u",
    "lower_99.8": "{}_99.8_l",
    "upper_99.8": "{}_99.8_u",
    "p": "{}_exact_p",
    "p_bh": "bh_adjusted_p[{}]",
    "z": "z_arcsine[{}]",
}


@pytest.mark.parametrize("column", COLUMNS_OF_C11)
def test_c11_twelve_hospitals_have_the_exact_limits_and_z_scores_of_r(c11, column):
    data, expected = c11
    found = funnel(data, "proportion", unit="facility_id", numerator="r", denominator="n")
    assert found.target == pytest.approx(expected["pooled"], rel=1e-8)
    values = [expected[COLUMNS_OF_C11[column].format(name)] for name in data["facility_id"]]
    assert found.units[column].to_numpy() == pytest.approx(values, rel=1e-8, abs=1e-9)


def test_c11_twelve_hospitals_have_the_winsorised_phi_and_additive_tau2_of_r(c11):
    data, expected = c11
    found = funnel(data, "proportion", unit="facility_id", numerator="r", denominator="n", overdispersion="additive")
    assert found.phi == pytest.approx(expected["phi_winsor10"], rel=1e-8)
    assert found.tau2 == pytest.approx(expected["tau2_arcsine"], rel=1e-8)
    values = [expected[f"od_z[{name}]"] for name in data["facility_id"]]
    assert found.units["z_adjusted"].to_numpy() == pytest.approx(values, rel=1e-8)


@pytest.fixture(scope="session")
def emergency(reference):
    """Our funnel of 140 hospitals and FunnelPlotR's, whose quantiles are the rounded 1.959964 and 3.090232."""
    folder = reference / "reference" / "spc"
    levels = tuple(float(2 * norm.cdf(quantile) - 1) for quantile in (1.959964, 3.090232))
    found = funnel(
        pd.read_csv(folder / "data" / "ae_type1_by_org.csv"),
        "proportion",
        unit="org_code",
        numerator="breaches",
        denominator="attendances",
        overdispersion="additive",
        limits=levels,
    )
    expected = pd.read_csv(folder / "expected" / "funnel_ae_PR.csv").set_index("group")
    ours = found.units.set_index("unit").loc[expected.index]
    lower, upper = (
        [name for name in ours if name.startswith(side) and "unadj" not in name] for side in ("lower", "upper")
    )
    renamed = dict(zip([*lower, *upper], ["OD95LCL", "OD99LCL", "OD95UCL", "OD99UCL"], strict=True))
    return found, ours.rename(columns={"value": "rr", "z": "Uzscore", "z_winsorised": "Wuzscore", **renamed}), expected


@pytest.mark.parametrize("column", ["rr", "Uzscore", "Wuzscore", "OD95LCL", "OD95UCL", "OD99LCL", "OD99UCL"])
def test_funnel_ae_pr_140_hospitals_are_those_of_funnelplotr(emergency, column):
    _, ours, expected = emergency
    assert ours[column].to_numpy() == pytest.approx(expected[column].to_numpy(), rel=1e-8, abs=1e-8)


def test_funnel_ae_pr_140_hospitals_have_the_phi_tau2_and_outliers_of_funnelplotr(emergency):
    found, ours, expected = emergency
    assert found.phi == pytest.approx(expected["phi"].iloc[0], rel=1e-8)
    assert found.tau2 == pytest.approx(expected["tau2"].iloc[0], rel=1e-8)
    outside = ours[[name for name in ours if name.startswith("outside")][1]]
    assert (outside != "inside").tolist() == expected["outlier"].astype(bool).tolist()
    assert (outside != "inside").sum() == 2


@pytest.mark.parametrize("column", [*NAMES, "p"])
@pytest.mark.parametrize(
    ("kind", "case"), [("rate", "poisson"), ("proportion", "beta-binomial"), ("rate", "negative-binomial")]
)
def test_limits_and_p_values_are_those_of_base_r(kind, case, column):
    found = funnel(units(*UNITS_OF_R), kind, overdispersion="none" if case == "poisson" else case)
    expected = R[(R["case"] == case) & (R["quantity"] == column)]["value"].to_numpy()
    assert found.units[column].to_numpy() == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(("kind", "case"), [("proportion", "beta-binomial"), ("rate", "negative-binomial")])
def test_dispersion_is_the_maximum_likelihood_of_base_r(kind, case):
    expected = R[(R["case"] == case) & (R["quantity"] == "dispersion")]["value"].item()
    found = funnel(units(*UNITS_OF_R), kind, overdispersion=case)
    assert found.dispersion == pytest.approx(expected, rel=1e-6)


# --- by hand


def test_limits_are_interpolated_between_the_possible_counts():
    # Of 2 people at 50%: P(0) = 1/4, P(1) = 1/2. At level 0 + tail 0.375 the count is 1 - (0.75 - 0.375) / 0.5 = 0.25.
    found = funnel(units([1], [2]), "proportion", limits=(0.25,)).units.iloc[0]
    assert found["lower_25"] == pytest.approx(0.25 / 2)
    assert found["upper_25"] == pytest.approx((1 - (0.75 - 0.625) / 0.5) / 2)


def test_limits_narrow_as_the_denominator_grows_and_hold_the_target():
    curve = funnel(noise("proportion"), "proportion", target=0.2).curve
    assert list(curve) == ["denominator", *NAMES, *(f"unadjusted_{name}" for name in NAMES)]
    assert curve["upper_95"].diff().max() < 0
    assert curve["lower_95"].diff().min() > 0
    assert ((curve["lower_99.8"] < curve["lower_95"]) & (curve["upper_95"] < curve["upper_99.8"])).all()
    assert curve["lower_95"].max() < 0.2 < curve["upper_95"].min()


def test_target_is_pooled_over_people_and_1_for_a_ratio():
    data = units([1, 0], [1, 99])
    assert funnel(data, "proportion").target == pytest.approx(1 / 100)
    assert funnel(data, "ratio").target == 1
    assert funnel(data, "ratio", target=0.5).target == 0.5


def test_natural_z_of_a_proportion_by_hand():
    # 60 of 100 at a target of 50%: 0.1 over sqrt(0.25 / 100).
    data = units([60, 50], [100, 100])
    assert funnel(data, "proportion", target=0.5, scale="natural").units["z"].tolist() == pytest.approx([2, 0])


def test_root_and_log_z_of_a_ratio_by_hand():
    data = units([36], [25])
    assert funnel(data, "ratio").units["z"].item() == pytest.approx(2 * (6 - 5))
    assert funnel(data, "ratio", scale="log").units["z"].item() == pytest.approx(5 * np.log(36 / 25))


def test_winsorising_pulls_the_ends_in_and_trimming_leaves_them_out():
    data = units([10, 40, 50, 50, 60, 100], [100] * 6)  # natural z about 50%: -8, -2, 0, 0, 2, 10
    settings = {"target": 0.5, "scale": "natural", "winsorise": 0.2}
    pulled = funnel(data, "proportion", **settings)
    assert pulled.units["z_winsorised"].tolist() == pytest.approx([-2, -2, 0, 0, 2, 2])
    assert pulled.phi == pytest.approx(16 / 6)
    trimmed = funnel(data, "proportion", trim=True, **(settings | {"winsorise": 0.1}))
    assert trimmed.units["z_winsorised"].isna().tolist() == [True, False, False, False, False, True]
    assert trimmed.phi == pytest.approx(8 / 4)


def test_additive_and_multiplicative_limits_by_hand():
    data = units([10, 40, 50, 50, 60, 100], [100] * 6)
    settings = {"target": 0.5, "scale": "natural", "winsorise": 0, "limits": (0.8,)}
    phi = (64 + 4 + 4 + 100) / 6
    wide = funnel(data, "proportion", overdispersion="multiplicative", **settings)
    assert wide.phi == pytest.approx(phi)
    assert wide.units["upper_80"].iloc[0] == pytest.approx(0.5 + norm.ppf(0.9) * 0.05 * np.sqrt(phi))
    added = funnel(data, "proportion", overdispersion="additive", **settings)
    # Equal weights of 400: (6 phi - 5) / (6 x 400 - 400).
    assert added.tau2 == pytest.approx((6 * phi - 5) / 2000)
    assert added.units["z_adjusted"].iloc[1] == pytest.approx(-0.1 / np.sqrt(0.05**2 + added.tau2))


@pytest.mark.parametrize("overdispersion", ["additive", "multiplicative", "beta-binomial"])
def test_units_no_more_different_than_chance_keep_the_exact_limits(overdispersion):
    data = units([10, 20, 30, 40, 50, 60], [50, 100, 150, 200, 250, 300])
    exact, found = (funnel(data, "proportion", overdispersion=name) for name in ("none", overdispersion))
    pd.testing.assert_frame_equal(found.units, exact.units)


def test_outside_names_the_side_at_each_level_and_counts_it():
    found = funnel(units([20, 31, 2, 200], [100, 100, 100, 1000]), "proportion", target=0.2)
    assert found.units["outside_95"].tolist() == ["inside", "above", "below", "inside"]
    assert found.units["outside_99.8"].tolist() == ["inside", "inside", "below", "inside"]
    assert found.outside["n_below"].tolist() == [1, 1]
    assert found.outside["n_above"].tolist() == [1, 0]
    assert found.outside["expected_by_chance"].tolist() == pytest.approx([0.2, 0.008])


def test_a_unit_of_0_of_0_stays_in_its_place_without_a_value():
    data = units([20, 0, 30], [100, 0, 100]).set_index(pd.Index([7, 3, 5]))
    found = funnel(data, "proportion")
    assert found.units.index.tolist() == [7, 3, 5]
    assert found.units["unit"].tolist() == ["F1", "F2", "F3"]
    assert found.units.loc[3, "value":].isna().all()
    assert found.target == 0.25
    assert found.outside["n_units"].tolist() == [2, 2]


def test_no_event_in_a_small_unit_is_not_below_a_limit_of_0():
    found = funnel(units([0, 40], [5, 100]), "proportion", target=0.4).units
    assert found["lower_99.8"].iloc[0] == 0
    assert found["outside_99.8"].iloc[0] == "inside"


def test_the_data_are_not_changed():
    data = noise("rate")
    before = data.copy()
    funnel(data, "rate", overdispersion="negative-binomial")
    pd.testing.assert_frame_equal(data, before)


def test_the_order_of_the_units_does_not_matter():
    data = noise("proportion", between=0.05)
    one, other = (funnel(frame, "proportion", overdispersion="additive") for frame in (data, data.iloc[::-1]))
    pd.testing.assert_frame_equal(one.units, other.units.sort_index(), rtol=1e-9)


@pytest.mark.parametrize(("target", "rho"), [(0.2, 0.01), (0.2, 1e-6), (0.002, 0.02), (0.98, 0.3), (0.5, 0.9)])
def test_a_large_beta_binomial_has_the_tails_and_quantiles_of_its_summed_terms(target, rho):
    n, tails = np.array([20_000, 60_000]), np.array([0.001, 0.025, 0.5, 0.975, 0.999])
    law = BetaBinomial(n[:, np.newaxis], target, rho)
    count = law.ppf(tails)
    for row, one in enumerate(n):
        summed = law._summed(int(one))
        assert count[row].tolist() == np.searchsorted(summed, tails).tolist()
        assert law.cdf(count)[row] == pytest.approx(summed[count[row].astype(int)], abs=1e-10)
    assert law.sf(count) == pytest.approx(1 - law.cdf(count), abs=1e-10)


def test_a_hospital_of_nobody_ill_and_one_of_all_ill_have_a_place_in_a_large_beta_binomial():
    law = BetaBinomial(np.array([20_000.0, 20_000.0]), 0.2, 0.01)
    assert law.cdf(np.array([-1, 20_000])).tolist() == [0, 1]
    assert law.sf(np.array([-1, 20_000])).tolist() == [1, 0]


# --- on simulated units


@pytest.mark.parametrize("kind", ["proportion", "rate", "ratio"])
def test_of_units_of_pure_noise_about_2_in_1000_lie_outside_the_outer_limits(kind):
    # FunnelPlotR 0.6.0 puts 87.5% of such rates outside.
    shares = [funnel(noise(kind, seed=seed), kind).outside for seed in range(50)]
    inner, outer = (np.mean([(one["n_below"] + one["n_above"])[row] / 200 for one in shares]) for row in (0, 1))
    assert 0.04 < inner < 0.06
    assert 0.001 < outer < 0.004
    assert max((one["n_below"] + one["n_above"])[1] for one in shares) <= 0.015 * 200


def test_rare_events_leave_few_false_alarms_too():
    rng = np.random.default_rng(3)
    n = rng.integers(100, 2000, 200).astype(float)
    outside = funnel(units(rng.poisson(0.01 * n), n), "rate").outside
    assert (outside["n_below"] + outside["n_above"]).tolist()[1] <= 2


@pytest.mark.parametrize(("kind", "model"), [("proportion", "beta-binomial"), ("rate", "negative-binomial")])
@pytest.mark.parametrize("between", [0.01, 0.05])
def test_dispersion_is_recovered_and_its_limits_hold_the_units(kind, model, between):
    found = [funnel(noise(kind, seed=seed, between=between), kind, overdispersion=model) for seed in range(10)]
    assert np.mean([one.dispersion for one in found]) == pytest.approx(between, rel=0.1)
    assert 0.03 < np.mean([1 - (one.units["outside_95"] == "inside").mean() for one in found]) < 0.07
    assert np.mean([1 - (one.units["outside_99.8"] == "inside").mean() for one in found]) < 0.006


@pytest.mark.parametrize("trim", [False, True])
def test_tau2_is_recovered_after_rescaling_and_too_small_without(trim):
    rng = np.random.default_rng(2)
    rescaled, published = [], []
    for _ in range(20):
        n = rng.integers(200, 400, 200)
        data = units(rng.binomial(n, np.sin(rng.normal(0.5, 0.05, 200)) ** 2), n)
        settings = {"overdispersion": "additive", "trim": trim}
        rescaled.append(funnel(data, "proportion", rescale=True, **settings).tau2)
        published.append(funnel(data, "proportion", **settings).tau2)
    assert np.mean(rescaled) == pytest.approx(0.05**2, rel=0.1)
    assert np.mean(published) < 0.7 * 0.05**2


def test_an_outlier_does_not_hide_itself_after_winsorising():
    data = noise("proportion", n_units=30, between=0.01)
    data.loc[0, ["numerator", "denominator"]] = [700, 1000]
    for overdispersion in ("additive", "multiplicative"):
        found = funnel(data, "proportion", overdispersion=overdispersion, target=0.2).units
        assert found["outside_99.8"].iloc[0] == "above"


@pytest.mark.parametrize(("kind", "null"), [("proportion", binom), ("rate", poisson)])
def test_an_exact_p_value_is_twice_the_smaller_tail(kind, null):
    found = funnel(units([20, 8], [50, 50]), kind, target=0.25).units["p"].tolist()
    law = null(50, 0.25) if kind == "proportion" else null(12.5)
    assert found == pytest.approx([2 * law.sf(19), 2 * law.cdf(8)])


# --- refusals


@pytest.mark.parametrize(
    ("kind", "numerators", "denominators", "message"),
    [
        (
            "proportion",
            [41, 2, 3],
            [38, 0, 9],
            r"2 of 3 units cannot be used \(F1: 41 of 38; F2: 2 of 0\).*not swapped",
        ),
        ("proportion", [1, 2], [10, None], r"1 of 2 units cannot be used \(F2: 2 of missing\)"),
        ("proportion", [1, None], [10, 5], r"F2: missing of 5.*0 <= numerator <= denominator, both whole numbers"),
        ("proportion", [1.5, 2], [10, 5], r"F1: 1.5 of 10"),
        ("rate", [-1, 2], [10, 5], r"F1: -1 of 10.*numerator and denominator of 0 or more, a whole numerator"),
        ("rate", [1, 2], [-4.5, np.inf], r"2 of 2 units.*F1: 1 of -4.5; F2: 2 of inf"),
        ("rate", [np.inf, 2], [10, 5], r"F1: inf of 10"),
        ("ratio", ["many", 2], [10, 5], r"F1: many of 10"),
        ("rate", [9] * 7, [0] * 7, r"7 of 7 units.*F5: 9 of 0; \.\.\.\).*no event without a denominator"),
        ("proportion", [0, 0], [0, 0], r"no unit has a denominator above 0: there is nothing to compare"),
        ("proportion", [], [], r"no unit has a denominator above 0"),
        ("proportion", [0, 0], [10, 20], r"every unit is at 0%, and no limits can be drawn about that. Give a target"),
        ("proportion", [10, 20], [10, 20], r"every unit is at 100%"),
    ],
)
def test_error_names_the_units_and_the_remedy(kind, numerators, denominators, message):
    with pytest.raises(DataError, match=message):
        funnel(units(numerators, denominators), kind)


def test_repeated_units_and_bad_counts_are_named_together():
    data = units([41, 2, 3], [38, 10, 9]).assign(facility=["A", "B", "B"])
    with pytest.raises(DataError, match=r"A: 41 of 38.*2 rows repeat a unit or name none \(B: 2 of 10; B: 3 of 9\)"):
        funnel(data, "proportion")


def test_a_column_that_is_absent_is_named():
    with pytest.raises(DataError, match=r"no column 'beds'; they have facility, numerator, denominator"):
        funnel(noise("rate"), "rate", denominator="beds")


def test_a_logarithm_needs_an_event_in_each_unit():
    with pytest.raises(DataError, match=r"no logarithm: 1 of 2 units \(F2: 0 of 9\). Use scale='root'"):
        funnel(units([1, 0], [9, 9]), "ratio", scale="log")


def test_overdispersion_of_four_units_is_refused_and_phi_missing():
    data = units([1, 2, 3, 4, 0], [10, 10, 10, 10, 0])
    with pytest.raises(DataError, match=r"not estimable from 4 units: it needs 5. Use overdispersion='none'"):
        funnel(data, "proportion", overdispersion="additive")
    assert np.isnan(funnel(data, "proportion").phi)


def test_trimming_that_leaves_nothing_is_refused():
    with pytest.raises(DataError, match=r"trimming leaves fewer than 2 units.*trim=False"):
        funnel(units([5] * 6, [10] * 6), "proportion", trim=True)


def test_every_impossible_setting_is_named_at_once():
    with pytest.raises(ParameterError, match="funnel: 5 things need attention") as caught:
        funnel(
            noise("rate"),
            "rate",
            target=0,
            limits=(95,),
            overdispersion="beta-binomial",
            winsorise=0.5,
            scale="arcsine",
        )
    assert "target is 0: give a number above 0" in str(caught.value)
    assert "limits is (95,): give different levels between 0 and 1, for example (0.95, 0.998)" in str(caught.value)
    assert "of a rate it is one of none, additive, multiplicative, negative-binomial" in str(caught.value)
    assert "scale is 'arcsine': of a rate it is one of root, log, natural" in str(caught.value)
    assert "winsorise is 0.5: give a share from 0 to below 0.5 of each end" in str(caught.value)


def test_an_unknown_kind_and_a_target_that_is_no_proportion_are_refused():
    with pytest.raises(ParameterError, match=r"kind is 'percent': choose one of proportion, rate, ratio"):
        funnel(noise("rate"), "percent")
    with pytest.raises(ParameterError, match=r"target is 20: give a number above 0 and below 1"):
        funnel(noise("proportion"), "proportion", target=20)
