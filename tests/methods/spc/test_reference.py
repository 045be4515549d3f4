"""Charts equal those of qicharts2 0.8.1, qcc 3.0 and NHSRplotthedots 0.2.2, case by case."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qieval.methods import spc
from qieval.methods.spc.boxes import box
from tests.methods.conftest import SHIPPED

OF_MONTHS = {"period": "month", "value": "n"}
PER_10000 = {"period": "month", "numerator": "n", "denominator": "days", "per": 10_000}
ACCIDENTS = {"period": "i", "numerator": "r", "denominator": "n"}
OF_HOSPITALS = {**PER_10000, "by": ["infection", "hospital"]}

# Simulated series that travel with the project: their data, the kind of chart and its arguments.
SHIPPED_CASES = {
    "syn_run": ("syn_monthly", "run", {"period": "month", "numerator": "num", "denominator": "den"}),
    "syn_p": ("syn_monthly", "p", {"period": "month", "numerator": "num", "denominator": "den"}),
    "syn_u": ("syn_monthly", "u", {"period": "month", "numerator": "falls", "denominator": "bed_days", "per": 1000}),
    "syn_i": ("syn_monthly", "i", {"period": "month", "value": "wait"}),
    "syn_g": ("syn_monthly", "g", {"period": "month", "value": "between"}),
    "syn_xbar_equal": ("syn_subgroups_equal", "xbar", {"period": "week", "value": "los"}),
    "syn_s_equal": ("syn_subgroups_equal", "s", {"period": "week", "value": "los"}),
}

# The others' phases end with the row they give, counted from 1, as ours begin with it counted from 0; a point they
# exclude by its number has here a number smaller by one.
OTHER_CASES = {
    "run_cdi": ("cdi", "run", OF_MONTHS),
    "i_cdi": ("cdi", "i", OF_MONTHS),
    "mr_cdi": ("cdi", "mr", OF_MONTHS),
    "c_cdi_exclude": ("cdi", "c", {**OF_MONTHS, "exclude": [2, 19]}),
    "u_cdi_phases": ("cdi", "u", {**PER_10000, "phases": [24]}),
    "u_cdi_freeze": ("cdi", "u", {**PER_10000, "baseline": 24}),
    "up_cdi_three_phases": ("cdi", "up", {**PER_10000, "phases": [12, 24]}),
    "i_cdi_missing": ("cdi_missing", "i", OF_MONTHS),
    "run_cdi_missing_phases": ("cdi_missing", "run", {**OF_MONTHS, "phases": [24]}),
    "p_nhs_accidents": ("nhs_accidents", "p", ACCIDENTS),
    "pp_nhs_accidents": ("nhs_accidents", "pp", ACCIDENTS),
    "p_nhs_accidents_missing_zero": ("nhs_accidents_missing_zero", "p", ACCIDENTS),
    "pp_nhs_accidents_missing_zero": ("nhs_accidents_missing_zero", "pp", ACCIDENTS),
    "p_cabg_mortality": ("cabg_month", "p", {"period": "month", "numerator": "deaths", "denominator": "n"}),
    "p_cabg_mortality_rows": ("cabg", "p", {"period": "month", "numerator": "death", "denominator": "one"}),
    "xbar_cabg_age": ("cabg", "xbar", {"period": "month", "value": "age"}),
    "s_cabg_age": ("cabg", "s", {"period": "month", "value": "age"}),
    "g_cabg": ("cabg_rare", "g", {"period": "i", "value": "cases_between"}),
    "t_cabg": ("cabg_rare_t", "t", {"period": "i", "value": "days_between"}),
    "u_gtt": ("gtt", "u", {"period": "month", "numerator": "harms", "denominator": "days", "per": 1000}),
    "i_gtt_harms_mean": ("gtt", "i", {"period": "month", "value": "harms"}),
    "u_hospital_infections_facets": ("hospital_infections", "u", OF_HOSPITALS),
    "up_hospital_infections_facets_phases": ("hospital_infections", "up", {**OF_HOSPITALS, "phases": [12]}),
    "ip_complaints": (
        "complaints", "ip", {"period": "month", "numerator": "complaints", "denominator": "sales", "per": 1000},
    ),
    "ip_lots": ("lots", "ip", {"period": "lot", "numerator": "total", "denominator": "n"}),
    "pp_ae_RRK": (
        "ae_RRK_type1", "pp", {"period": "period", "numerator": "within", "denominator": "attendances"},
    ),
    "i_ae_RRK_exclude_freeze": (
        "ae_RRK_type1", "i",
        {
            "period": "period", "numerator": "within", "denominator": "attendances", "per": 100, "baseline": 15,
            "exclude": [3],
        },
    ),
}  # fmt: skip

# Two thirds of the upper limit stand there for the upper inner limit; see the test of moving ranges below.
INNER_LIMITS_DIFFER = {"mr_cdi"}


def data_of(folder: Path, name: str) -> pd.DataFrame:
    data = pd.read_csv(folder / "data" / f"{name}.csv")
    if name == "cabg":  # one row per patient
        return data.assign(month=pd.to_datetime(data["date"]).dt.to_period("M"), one=1)
    if name == "lots":
        return data.assign(total=data["value"] * data["n"])
    return data


def in_their_order(points: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    points = points.astype(dict.fromkeys(by, str))
    return points.sort_values([*by, *[name for name in ("period", "month") if by and name in points]], kind="stable")


def check_case(folder: Path, name: str, case: tuple[str, str, dict]) -> None:
    data, kind, arguments = case
    result = spc.chart(data_of(folder, data), kind, **arguments)
    expected = pd.read_csv(folder / "expected" / f"{name}.csv")
    expected = expected.sort_values(["facet1", "facet2", "xx"], kind="stable").reset_index(drop=True)
    told = ["n_useful", "longest_run", "longest_run_limit", "crossings", "crossings_limit", "runs_signal"]
    series = result.series.astype(dict.fromkeys(result.by, str))[[*result.by, "phase", *told]]
    points = in_their_order(result.points, result.by).merge(series, on=[*result.by, "phase"], how="left")
    assert len(points) == len(expected)
    pairs = {"value": "y", "centre": "cl", "lcl": "lcl", "ucl": "ucl", "lcl_2": "lcl.95", "ucl_2": "ucl.95"}
    if name in INNER_LIMITS_DIFFER:
        del pairs["lcl_2"], pairs["ucl_2"]
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(
            points[ours].to_numpy(dtype=float), expected[theirs].to_numpy(dtype=float), rtol=1e-9, atol=1e-12,
            err_msg=ours,
        )  # fmt: skip
    pairs = {
        "phase": "part", "n_useful": "n.useful", "longest_run": "longest.run", "longest_run_limit": "longest.run.max",
        "crossings": "n.crossings", "crossings_limit": "n.crossings.min", "runs_signal": "runs.signal",
        "outside": "sigma.signal", "excluded": "include",
    }  # fmt: skip
    for ours, theirs in pairs.items():
        told_there = ~expected[theirs] if theirs == "include" else expected[theirs]
        assert points[ours].astype(int).tolist() == told_there.astype(int).tolist(), ours


@pytest.mark.parametrize("name", SHIPPED_CASES)
def test_a_simulated_series_is_charted_as_by_qicharts2(name):
    check_case(SHIPPED / "spc", name, SHIPPED_CASES[name])


@pytest.mark.parametrize("name", OTHER_CASES)
def test_a_series_of_the_literature_is_charted_as_by_qicharts2(reference, name):
    check_case(reference / "reference" / "spc", name, OTHER_CASES[name])


def test_no_simulated_case_is_left_out():
    assert set(pd.read_csv(SHIPPED / "spc" / "qicharts2_calls.csv")["case"]) == set(SHIPPED_CASES)


def test_no_case_of_the_literature_is_left_out(reference):
    calls = pd.read_csv(reference / "reference" / "spc" / "qicharts2_calls.csv")
    assert set(calls["case"]) - set(SHIPPED_CASES) == set(OTHER_CASES)


def test_inner_limits_of_moving_ranges_are_two_sigma_not_two_thirds_of_the_outer():
    # qicharts2 draws 2/3 of the upper limit, 3.267 R: sigma counts from the mean, so two of them end at
    # R + 2/3 (3.267 - 1) R.
    result = spc.chart(pd.DataFrame({"t": range(5), "x": [1, 3, 1, 3, 1]}), "mr", period="t", value="x")
    assert result.points["centre"].unique() == 2
    assert result.points["ucl"].unique() == pytest.approx(3.267 * 2, rel=1e-12)
    assert result.points["ucl_2"].unique() == pytest.approx(2 + 2 / 3 * 2.267 * 2, rel=1e-12)
    assert result.points["lcl_2"].unique() == 0


# --- qcc: unscreened, and subgroups by their ranges ----------------------------------------------------

SYN = {"period": "month", "numerator": "num", "denominator": "den"}
QCC = {
    "xbar": ("syn_subgroups_equal", "xbar", {"period": "week", "value": "los", "within": "range"}),
    "S": ("syn_subgroups_equal", "s", {"period": "week", "value": "los"}),
    "i_unscreened": ("syn_monthly", "i", {"period": "month", "value": "wait", "screen": False}),
    "c": ("syn_monthly", "c", {"period": "month", "value": "count"}),
    "p": ("syn_monthly", "p", SYN),
    "u": ("syn_monthly", "u", {"period": "month", "numerator": "falls", "denominator": "bed_days"}),
}


@pytest.mark.parametrize("name", QCC)
def test_limits_equal_those_of_qcc(reference, name):
    data, kind, arguments = QCC[name]
    points = spc.chart(data_of(SHIPPED / "spc", data), kind, **arguments).points
    expected = pd.read_csv(reference / "reference" / "spc" / "expected" / "qcc_limits.csv")
    expected = expected[expected["chart"] == name]
    if len(expected) == 1:  # the limits are the same at every point
        expected = expected.loc[expected.index.repeat(len(points))]
    for ours, theirs in {"centre": "center", "lcl": "lcl", "ucl": "ucl"}.items():
        np.testing.assert_allclose(points[ours], expected[theirs], rtol=1e-9, atol=1e-12, err_msg=ours)


# --- Making Data Count, by NHSRplotthedots ------------------------------------------------------------

BREACHES = {"period": "period", "value": "breaches", "rules": "mdc"}
SHARE = {"period": "period", "numerator": "within", "denominator": "attendances", "per": 100, "rules": "mdc"}
# They multiply the mean moving range by 2.66 where the tables' 3 / 1.128 is 2.6596.
NHS = {"d2": 3 / 2.66}
MDC = {
    "mdc_RRK_breaches": ("ae_RRK_type1", {**BREACHES}),
    "mdc_RRK_breaches_rebase": ("ae_RRK_type1", {**BREACHES, "phases": ["2018-04-01"]}),
    "mdc_RRK_pct_fix12": ("ae_RRK_type1", {**SHARE, "baseline": 12}),
    "mdc_facets_pct": ("ae_three_trusts", {"period": "period", "value": "pct", "rules": "mdc", "by": "org"}),
    "mdc_facets_noscreen": ("ae_three_trusts", {**BREACHES, "by": "org", "screen": False}),
}


@pytest.mark.parametrize("name", MDC)
def test_making_data_count_limits_and_special_causes_equal_those_of_nhsrplotthedots(reference, name):
    folder = reference / "reference" / "spc"
    data, arguments = MDC[name]
    result = spc.chart(data_of(folder, data), "i", **NHS, **arguments)
    expected = pd.read_csv(folder / "expected" / f"{name}.csv").sort_values(["f", "x"], kind="stable")
    points = in_their_order(result.points, result.by)
    for ours, theirs in {"value": "y", "centre": "mean_col", "lcl": "lpl", "ucl": "upl"}.items():
        np.testing.assert_allclose(points[ours], expected[theirs], rtol=1e-9, err_msg=ours)
    assert points["outside"].tolist() == expected["outside_limits"].tolist()
    assert (points["rules"].astype(str) != "").tolist() == expected["special_cause_flag"].tolist()


# --- constants and critical values ------------------------------------------------------------------


def subgroups_of_every_size(sizes):
    rng = np.random.default_rng(1)
    frames = [
        pd.DataFrame({"size": n, "period": np.repeat([1, 2, 3], n), "value": rng.normal(size=3 * n)}) for n in sizes
    ]
    return pd.concat(frames)


def test_limits_of_subgroups_hold_the_constants_of_montgomery_for_every_size(reference):
    expected = pd.read_csv(reference / "reference" / "spc" / "expected" / "constants.csv").set_index("n")
    data = subgroups_of_every_size(expected.index)
    arguments = {"period": "period", "value": "value", "by": "size"}
    of_s = spc.chart(data, "s", **arguments).points.drop_duplicates("size")
    of_means = spc.chart(data, "xbar", **arguments).points.drop_duplicates("size")
    centre = of_s["centre"].to_numpy()
    assert of_s["n"].tolist() == expected.index.tolist()
    np.testing.assert_allclose(of_s["lcl"] / centre, expected["B3"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(of_s["ucl"] / centre, expected["B4"], rtol=1e-9)
    np.testing.assert_allclose((of_means["ucl"] - of_means["centre"]).to_numpy() / centre, expected["A3"], rtol=1e-9)


def test_critical_values_of_runs_equal_those_of_qicharts2_for_every_length(reference):
    expected = pd.read_csv(reference / "reference" / "spc" / "expected" / "anhoej_critical_values.csv")
    expected = expected[expected["n_useful"] > 1]  # a single point lies on its own mean
    values = {n: np.where(np.arange(n) % 2, 1.0, -2.0) for n in expected["n_useful"]}  # none on the mean of any length
    data = pd.concat([pd.DataFrame({"length": n, "t": np.arange(n), "x": x}) for n, x in values.items()])
    found = spc.chart(data, "i", period="t", value="x", by="length").series
    assert found["n_useful"].tolist() == expected["n_useful"].tolist()
    assert found["longest_run_limit"].tolist() == expected["longest_run_max"].tolist()
    assert found["crossings_limit"].tolist() == expected["n_crossings_min"].abs().tolist()


@pytest.mark.parametrize("rule", ["bestbox", "cutbox"])
def test_boxes_decide_as_the_authors_do_for_every_longest_run_and_crossings(reference, rule):
    expected = pd.read_csv(reference / "reference" / "spc" / "expected" / "runs_decisions.csv")
    for n, rows in expected.groupby("n"):
        crossings, longest = rows["crossings"].to_numpy(), rows["longest"].to_numpy()
        found = box(int(n)).signals(crossings, longest, is_cut=rule == "cutbox")
        assert found.tolist() == rows[rule].astype(bool).tolist(), n


@pytest.mark.parametrize(("rules", "column"), [("anhoej", "anhoej"), ("best_box", "bestbox"), ("cut_box", "cutbox")])
def test_charts_decide_as_the_authors_do(reference, rules, column):
    expected = pd.read_csv(reference / "reference" / "spc" / "expected" / "runs_decisions.csv")
    expected = expected[expected["n"].isin([10, 12, 20, 24])].reset_index(drop=True)
    data = pd.concat(
        [
            pd.DataFrame({"case": case, "t": range(int(row.n)), "x": about_ten(row.n, row.crossings, row.longest)})
            for case, row in enumerate(expected.itertuples())
        ]
    )
    # The first two points put the mean at 10 and are left out of the rules' sight by lying on it.
    found = spc.chart(with_its_mean_at_ten(data), "i", period="t", value="x", by="case", rules=rules, baseline=2).series
    for ours, theirs in {"n_useful": "n", "crossings": "crossings", "longest_run": "longest"}.items():
        assert found[ours].tolist() == expected[theirs].tolist()
    assert found["runs_signal"].tolist() == expected[column].astype(bool).tolist()


def about_ten(n, crossings, longest):
    """So many points around 10 with so many crossings and so long a longest run."""
    lengths, left = [longest], n - longest
    for runs_left in range(crossings, 0, -1):
        lengths.append(min(longest, left - (runs_left - 1)))
        left -= lengths[-1]
    return [10 + (-1) ** number for number, length in enumerate(lengths) for _ in range(length)]


def with_its_mean_at_ten(data):
    cases = data["case"].unique()
    first = pd.DataFrame({"case": np.repeat(cases, 2), "t": np.tile([-2, -1], len(cases)), "x": 10})
    return pd.concat([first, data])
