"""Least squares with few clusters, against clubSandwich and by hand."""

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError
from qieval.methods.robust import cr2
from tests.methods.conftest import SHIPPED

CLUBSANDWICH = pd.read_csv(SHIPPED / "methods" / "robust_expected.csv")


def dummies(values, name):
    return pd.get_dummies(values, prefix=name, drop_first=True, dtype=float)


def with_intercept(*parts):
    design = pd.concat(parts, axis=1).astype(float)
    design.insert(0, "intercept", 1.0)
    return design


@pytest.fixture(scope="module")
def cells():
    table = pd.read_csv(SHIPPED / "methods" / "mixed_cells.csv")
    table = table[~((table["facility"] == "F02") & (table["month"] > 6))]
    return table.assign(share=table["numerator"] / table["denominator"])


@pytest.mark.parametrize("case", ["trend", "trend_weighted", "facility", "facility_weighted"])
def test_errors_degrees_of_freedom_and_limits_are_those_of_clubsandwich(cells, case):
    if case.startswith("trend"):
        design = with_intercept(cells[["treated", "month"]])
    else:
        design = with_intercept(cells["treated"], dummies(cells["facility"], "f"), dummies(cells["month"], "m"))
    weights = cells["denominator"] if case.endswith("weighted") else None
    found = cr2(design, cells["share"], cells["facility"], weights=weights)
    expected = CLUBSANDWICH[CLUBSANDWICH["case"] == case].reset_index(drop=True)
    assert found["estimate"].tolist() == pytest.approx(expected["estimate"].tolist(), rel=1e-9)
    known = found["df"].notna()
    # F03 and F01 join at the same time: nothing varies, and clubSandwich gives the rounding error 1.5e-16.
    assert expected["standard_error"][~known].tolist() == pytest.approx([0] * (~known).sum(), abs=1e-14)
    for quantity in ("standard_error", "df", "low", "high", "p_value"):
        assert found[quantity][known].tolist() == pytest.approx(expected[quantity][known].tolist(), rel=1e-7)


def test_the_stepped_wedge_has_the_errors_of_clubsandwich(reference):
    folder = reference / "reference" / "methods"
    table = pd.read_csv(folder / "data" / "sw_cells.csv")
    expected = pd.read_csv(folder / "expected" / "c14_stepped_wedge.csv", index_col="quantity")["value"].astype(float)
    design = with_intercept(table["trt"], dummies(table["period"], "p"), dummies(table["cluster"], "c"))
    names = {"estimate": "", "standard_error": "_se_CR2", "df": "_CR2_df", "p_value": "_CR2_p"}
    for prefix, weights in (("ols_RD", None), ("wls_RD", table["den"])):
        found = cr2(design, table["num"] / table["den"], table["cluster"], weights=weights).set_index("term").loc["trt"]
        for ours, theirs in names.items():
            assert found[ours] == pytest.approx(expected[prefix + theirs], rel=1e-8), (prefix, ours)


def test_the_mean_of_clusters_of_one_size_is_the_t_test_of_their_means():
    # Means 1, 3 and 8: their mean 4, standard deviation sqrt(13), so an error of sqrt(13 / 3) with 2 degrees.
    outcome, cluster = [0, 2, 3, 3, 7, 9], ["A", "A", "B", "B", "C", "C"]
    found = cr2(np.ones((6, 1)), outcome, cluster, term_names=["mean"]).loc[0]
    assert found["term"] == "mean"
    assert found["estimate"] == pytest.approx(4)
    assert found["standard_error"] == pytest.approx(np.sqrt(13 / 3))
    assert found["df"] == pytest.approx(2)
    assert found["high"] == pytest.approx(4 + 4.302653 * np.sqrt(13 / 3), rel=1e-6)


def test_the_order_of_the_rows_and_the_unit_of_the_weights_do_not_matter(cells):
    def fitted(table, scale):
        design = with_intercept(table[["treated", "month"]])
        return cr2(design, table["share"], table["facility"], weights=table["denominator"] * scale)

    pd.testing.assert_frame_equal(fitted(cells, 1), fitted(cells.sample(frac=1, random_state=1), 1000))


def test_a_mean_that_fixed_effects_use_up_has_no_error():
    cluster = pd.Series(["A", "A", "B", "B"])
    found = cr2(with_intercept(dummies(cluster, "facility")), [1, 2, 4, 7], cluster)
    assert found["estimate"].tolist() == pytest.approx([1.5, 4])
    assert found[["standard_error", "df", "low", "high", "p_value"]].isna().all(axis=None)


def test_eight_clusters_hold_their_95_percent():
    rng = np.random.default_rng(20240501)
    cluster = np.repeat(np.arange(8), [4, 4, 6, 6, 8, 8, 12, 16])
    treated = np.isin(cluster, [0, 3, 5]).astype(float)
    design = pd.DataFrame({"intercept": 1.0, "treated": treated})
    covered = 0
    for _ in range(300):
        outcome = rng.normal(0, 1, 8)[cluster] + rng.normal(0, 1, len(cluster))
        found = cr2(design, outcome, cluster).loc[1]
        covered += found["low"] <= 0 <= found["high"]
    assert 0.92 <= covered / 300 <= 0.985


def test_a_term_that_repeats_others_is_named():
    design = with_intercept(pd.DataFrame({"treated": [0, 1, 0, 1], "untreated": [1, 0, 1, 0]}))
    with pytest.raises(DataError, match=r"1 of 3 terms cannot be told apart .*: untreated\. Each is constant or a"):
        cr2(design, [1, 2, 3, 4], [1, 1, 2, 2])


def test_one_cluster_is_refused():
    with pytest.raises(DataError, match="compares clusters, and there is 1: at least 2 are needed"):
        cr2(np.ones((3, 1)), [1, 2, 3], ["A"] * 3)


def test_rows_that_cannot_be_used_are_named():
    with pytest.raises(DataError, match=r"3 of 4 rows cannot be used \(positions 0, 2, 3, counted from 0\)"):
        cr2(np.ones((4, 1)), [np.nan, 2, 3, 4], ["A", "A", None, "B"], weights=[1, 1, 1, 0])


def test_as_many_terms_as_rows_are_refused():
    with pytest.raises(DataError, match="2 rows cannot estimate 2 terms and their error"):
        cr2([[1, 0], [1, 1]], [1, 2], ["A", "B"])


def test_shapes_must_match():
    with pytest.raises(DataError, match=r"shape \(2, 1\), with 3 outcomes.*one row per outcome"):
        cr2(np.ones((2, 1)), [1, 2, 3], [1, 2, 3])
