"""Log-rank, hazard ratios and time ratios, against R and by simulation."""

from pathlib import Path

import lifelines
import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from qieval.errors import DataError
from qieval.methods.survival import hazard_ratios, log_rank, time_ratios
from qieval.methods.survival.accelerated import SHAPES, accelerated
from qieval.methods.survival.compare import _fitted

HERE = Path(__file__).parents[1] / "reference" / "methods"


@pytest.fixture
def lung(reference):
    folder = reference / "reference" / "methods"
    expected = pd.read_csv(folder / "expected" / "c01_km_lung.csv", index_col="quantity")["value"].astype(float)
    data = pd.read_csv(folder / "data" / "lung.csv").sort_values("sex", kind="stable")
    return data["time"], data["status"] == 2, data["sex"], expected


def test_log_rank_as_survdiff(lung):
    found = log_rank(*lung[:3])
    assert found.statistic == pytest.approx(lung[3]["logrank_chisq_rho0"], rel=1e-8)
    assert found.p_value == pytest.approx(lung[3]["logrank_p_rho0"], rel=1e-8)
    assert found.degrees_of_freedom == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_of_times_is_that_of_survreg(lung, shape):
    times, ended, sex, expected = lung
    design = np.column_stack([sex, np.ones(len(sex))])
    found = accelerated(times.to_numpy(float), ended.to_numpy(), design, shape=shape)
    assert found.coefficients[0] == pytest.approx(expected[f"aft_{shape}_coef[sex]"], rel=1e-6)
    assert found.log_likelihood == pytest.approx(expected[f"aft_{shape}_loglik"], rel=1e-8)


def test_the_time_ratio_is_of_the_likeliest_shape(lung):
    found = time_ratios(*lung[:3])
    assert found.model == max(SHAPES, key=lambda shape: lung[3][f"aft_{shape}_loglik"])
    assert found.table["ratio"].item() == pytest.approx(np.exp(lung[3][f"aft_{found.model}_coef[sex]"]), rel=1e-5)
    assert found.reference == 1


@pytest.mark.parametrize(
    ("shape", "fitter", "term"),
    [
        ("weibull", lifelines.WeibullAFTFitter, "lambda_"),
        ("lognormal", lifelines.LogNormalAFTFitter, "mu_"),
        ("loglogistic", lifelines.LogLogisticAFTFitter, "alpha_"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # lifelines' own
def test_estimates_and_errors_are_those_of_lifelines(shape, fitter, term):
    durations, observed, groups = exponential(11, {"a": 5.0, "b": 8.0}, 25)
    data = pd.DataFrame({"time": durations, "ended": observed, "b": (groups == "b").astype(float)})
    found = accelerated(durations, observed, np.column_stack([data["b"], np.ones(len(data))]), shape=shape)
    wanted = fitter().fit(data, "time", "ended")
    row = wanted.summary.loc[(term, "b")]
    # lifelines stops a little before the top; R's survreg goes all the way, see above.
    assert found.coefficients[0] == pytest.approx(row["coef"], abs=1e-3)
    assert found.covariance[0, 0] ** 0.5 == pytest.approx(row["se(coef)"], abs=1e-3)
    assert 0 <= found.log_likelihood - wanted.log_likelihood_ + 1e-9 < 1e-4


def test_the_engine_of_hazard_ratios_is_r_s_coxph(reference, lung):
    # R's model has age beside sex, so the fit is asked itself.
    data = pd.read_csv(reference / "reference" / "methods" / "data" / "lung.csv").assign(
        observed=lambda frame: frame["status"] == 2
    )
    fit = _fitted(CoxPHFitter(), data[["time", "observed", "sex", "age"]].rename(columns={"time": "duration"}))
    for name in ("sex", "age"):
        assert fit.params_[name] == pytest.approx(lung[3][f"cox_efron_coef[{name}]"], abs=1e-5)
        assert fit.standard_errors_[name] == pytest.approx(lung[3][f"cox_efron_se[{name}]"], abs=1e-5)


@pytest.mark.parametrize("case", [5, 7])
def test_hazard_ratios_go_to_the_top_of_the_likelihood_as_r_s_coxph(case):
    # Fits by lifelines' own stopping rule miss these by 1e-4.
    projects, expected = (pd.read_csv(HERE / f"cox_{name}.csv") for name in ("projects", "expected"))
    own, wanted = projects.loc[projects["case"] == case], expected.loc[expected["case"] == case]
    found = hazard_ratios(own["duration"], own["observed"], own["group"])
    assert (found.reference, found.table["group"].tolist()) == ("a", wanted["group"].tolist())
    for column in ("ratio", "low", "high", "p_value"):
        assert found.table[column].tolist() == pytest.approx(wanted[column].tolist(), rel=1e-8)


def test_the_hazard_ratio_by_hand():
    # With two durations of each group and no ties, the ratio that maximises Cox's likelihood is found by bisection.
    durations = np.tile([1.0, 2, 3, 4], 8) + np.repeat(np.arange(8), 4) * 10
    observed = np.ones(32, dtype=bool)
    groups = np.where(np.arange(32) % 3 == 0, "b", "a")
    groups[0] = "a"
    found = hazard_ratios(durations, observed, groups).table.iloc[0]

    def slope(ratio: float) -> float:
        order = np.argsort(durations)
        ordered = groups[order] == "b"
        total = 0.0
        for place in range(len(ordered)):
            n_b, n = ordered[place:].sum(), len(ordered) - place
            total += ordered[place] - ratio * n_b / (ratio * n_b + n - n_b)
        return total

    low, high = 0.01, 100.0
    for _ in range(200):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    assert found["group"] == "b"
    assert found["ratio"] == pytest.approx(low, rel=1e-6)


def exponential(seed: int, means: dict[str, float], n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    groups = np.repeat(list(means), n)
    durations = rng.exponential([means[group] for group in groups])
    limit = rng.uniform(2, 20, len(groups))
    return np.minimum(durations, limit), durations <= limit, groups


def test_known_ratios_are_recovered():
    data = exponential(7, {"a": 5.0, "b": 10.0, "c": 2.5}, 1500)
    hazards, times = hazard_ratios(*data).table.set_index("group"), time_ratios(*data).table.set_index("group")
    for group, ratio in (("b", 2.0), ("c", 0.5)):
        assert times.loc[group, "low"] < ratio < times.loc[group, "high"]
        assert hazards.loc[group, "low"] < 1 / ratio < hazards.loc[group, "high"]
        assert times.loc[group, "high"] - times.loc[group, "low"] < 0.4 * ratio
    assert hazards["proportional_p"].min() > 0.001


def test_hazards_that_cross_are_not_called_proportional():
    rng = np.random.default_rng(3)
    early, late = rng.weibull(0.6, 300) * 6, rng.weibull(3.0, 300) * 6
    found = hazard_ratios(np.append(early, late), np.ones(600, dtype=bool), np.repeat(["a", "b"], 300))
    assert found.table["proportional_p"].item() < 1e-6


def test_the_first_group_is_the_one_that_others_are_set_against():
    durations, observed, groups = exponential(1, {"z": 5.0, "a": 10.0}, 40)
    found = time_ratios(durations, observed, groups)
    assert found.reference == "z"
    assert found.table["group"].tolist() == ["a"]


@pytest.mark.parametrize("compare", [log_rank, hazard_ratios, time_ratios])
def test_one_group_cannot_be_compared(compare):
    with pytest.raises(DataError, match=r"^comparing groups needs at least two of them$"):
        compare([1, 2, 3], [True] * 3, ["a"] * 3)


@pytest.mark.parametrize("compare", [log_rank, hazard_ratios, time_ratios])
def test_nothing_ended_cannot_be_compared(compare):
    with pytest.raises(DataError, match=r"^nothing has ended, so there is nothing to compare$"):
        compare([1, 2, 3], [False] * 3, ["a", "a", "b"])


@pytest.mark.parametrize("compare", [hazard_ratios, time_ratios])
def test_too_few_ends_give_no_ratio(compare):
    said = "^9 ended, in groups of 5, 4: a ratio of 2 groups needs 10 ends or more, and some in each$"
    with pytest.raises(DataError, match=said):
        compare(np.arange(1.0, 10), [True] * 9, ["a"] * 5 + ["b"] * 4)


def test_a_group_without_an_end_gives_no_ratio():
    with pytest.raises(DataError, match=r"^12 ended, in groups of 12, 0: "):
        hazard_ratios(np.arange(1.0, 15), [True] * 12 + [False] * 2, ["a"] * 12 + ["b"] * 2)


def test_a_duration_of_0_gives_no_time_ratio():
    with pytest.raises(DataError, match=r"^a time ratio needs durations above 0, and one is 0$"):
        time_ratios(np.arange(0.0, 20), [True] * 20, ["a", "b"] * 10)


@pytest.mark.parametrize("durations", [[6.0] * 10, [3.0] * 5 + [6.0] * 5], ids=["all alike", "alike in each group"])
def test_durations_that_are_the_same_give_no_time_ratio(durations):
    said = r"^no shape of the durations could be fitted: too many of them are the same$"
    with pytest.raises(DataError, match=said):
        time_ratios(durations, [True] * 10, ["a"] * 5 + ["b"] * 5)


def test_whole_months_that_tie_give_a_time_ratio_all_the_same():
    found = time_ratios([3.0, 3, 6, 6, 6, 6, 9, 9, 9, 9], [True] * 10, ["a"] * 5 + ["b"] * 5)
    assert 1 < found.table["ratio"].item() < 3


def test_a_group_that_ended_before_another_began_to_gives_no_hazard_ratio():
    said = r"^one group had ended before another began to: no finite ratio is likeliest \(separation\)$"
    with pytest.raises(DataError, match=said):
        hazard_ratios(np.arange(1.0, 11), [True] * 10, ["a"] * 5 + ["b"] * 5)


def test_all_ended_at_once_has_no_check_of_proportional_hazards():
    found = hazard_ratios([6.0] * 10, [True] * 10, ["a"] * 5 + ["b"] * 5)
    assert found.table["ratio"].item() == pytest.approx(1)
    assert np.isnan(found.table["proportional_p"].item())
    assert log_rank([6.0] * 10, [True] * 10, ["a"] * 5 + ["b"] * 5).p_value == 1
