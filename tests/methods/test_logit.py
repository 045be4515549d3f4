"""Fixed-effects logistic regression: against R, by hand, and what it will not say."""

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError, ParameterError
from qieval.methods import logit

COUNTS = {"numerator": "num", "denominator": "den"}


def rows(*cells, columns=("clinic", "treated", "num", "den")):
    return pd.DataFrame(list(cells), columns=list(columns))


TWO_BY_TWO = rows(("A", 0, 20, 100), ("A", 1, 40, 100), ("B", 0, 30, 100), ("B", 1, 50, 100))


def term(found: logit.LogitModel, name: str) -> pd.Series:
    return found.coefficients.set_index("term").loc[name]


def test_the_stepped_wedge_is_that_of_glm_in_r(reference):
    folder = reference / "reference" / "methods"
    expected = pd.read_csv(folder / "expected" / "c14_stepped_wedge.csv", index_col="quantity")["value"].astype(float)
    table = pd.read_csv(folder / "data" / "sw_cells.csv").astype({"cluster": str})
    found = term(logit.fit(table, **COUNTS, terms=["trt", "period", "cluster"]), "trt")
    assert found["estimate"] == pytest.approx(expected["fixed_cluster_glm_logOR"], abs=1e-5)
    assert found["standard_error"] == pytest.approx(expected["fixed_cluster_glm_se"], abs=1e-5)


def test_one_table_of_four_gives_woolfs_interval():
    found = term(logit.fit(TWO_BY_TWO.iloc[:2], **COUNTS, terms=["treated"]), "treated")
    error = np.sqrt(1 / 20 + 1 / 80 + 1 / 40 + 1 / 60)
    assert found["odds_ratio"] == pytest.approx((40 / 60) / (20 / 80))
    assert found["standard_error"] == pytest.approx(error)
    assert found["low"] == pytest.approx(found["odds_ratio"] * np.exp(-1.959964 * error))
    assert found["df"] == np.inf


def test_clusters_speak_once_each_with_the_spread_between_them():
    """Six clinics of one size, three of them treated: the error is that of two means of three shares."""
    table = rows(
        ("A", 0, 20, 100), ("B", 0, 30, 100), ("C", 0, 40, 100), ("D", 1, 45, 100), ("E", 1, 50, 100), ("F", 1, 55, 100)
    )  # fmt: skip
    found = term(logit.fit(table, **COUNTS, terms=["treated"], cluster="clinic"), "treated")
    variance = np.var([0.2, 0.3, 0.4], ddof=1) / 3 / (0.3 * 0.7) ** 2
    variance += np.var([0.45, 0.5, 0.55], ddof=1) / 3 / (0.5 * 0.5) ** 2
    assert found["standard_error"] == pytest.approx(np.sqrt(variance))
    assert 2 <= found["df"] <= 4


def test_persons_and_cells_give_the_same():
    persons = TWO_BY_TWO.loc[TWO_BY_TWO.index.repeat(100)].reset_index(drop=True)
    persons = persons.assign(
        num=(persons.groupby(["clinic", "treated"]).cumcount() < persons["num"]).astype(int), den=1
    )
    options = {**COUNTS, "terms": ["treated", "clinic"], "cluster": "clinic"}
    by_cell, by_person = (logit.fit(table, **options).coefficients for table in (TWO_BY_TWO, persons))
    assert by_person["estimate"].to_numpy() == pytest.approx(by_cell["estimate"].to_numpy())


def test_a_clinic_where_everybody_had_the_event_is_set_aside_and_moves_nothing():
    more = rows(("C", 0, 50, 50), ("C", 1, 60, 60), ("D", 0, 0, 10), ("D", 1, 0, 10))
    options = {**COUNTS, "terms": ["treated", "clinic"]}
    found = logit.fit(pd.concat([TWO_BY_TWO, more]), **options)
    assert found.set_aside.to_numpy().tolist() == [["clinic", "C", 2, 110, 110], ["clinic", "D", 2, 0, 20]]
    assert term(found, "treated").equals(term(logit.fit(TWO_BY_TWO, **options), "treated"))
    assert found.n_rows == 4


def test_setting_aside_goes_on_until_nothing_is_settled():
    """March is only seen in a clinic that never varies and, with events only, in another."""
    table = rows(
        ("A", "1", 20, 100), ("A", "2", 40, 100), ("B", "1", 30, 100), ("B", "2", 45, 100), ("B", "3", 90, 90),
        ("C", "3", 0, 9),
        columns=("clinic", "month", "num", "den"),
    )  # fmt: skip
    found = logit.fit(table, **COUNTS, terms=["clinic", "month"])
    assert found.set_aside[["term", "level"]].to_numpy().tolist() == [["clinic", "C"], ["month", "3"]]


def test_nothing_left_is_said():
    with pytest.raises(DataError, match="everybody had the event in some rows and nobody in the others"):
        logit.fit(rows(("A", 0, 0, 9), ("B", 1, 9, 9)), **COUNTS, terms=["treated", "clinic"])


def test_a_treatment_without_exceptions_is_refused_as_separated():
    table = rows(("A", 0, 0, 50), ("A", 1, 30, 50), ("B", 0, 0, 50), ("B", 1, 40, 50))
    with pytest.raises(DataError, match=r"no finite estimate exists.*treated.*\(separation\)"):
        logit.fit(table, **COUNTS, terms=["treated", "clinic"])


def test_a_treatment_with_next_to_no_exceptions_is_refused_with_its_counts():
    table = rows(("A", 0, 1, 50), ("A", 1, 49, 50), ("B", 0, 0, 50), ("B", 1, 50, 50))
    with pytest.raises(DataError, match=r"treated nearly separates.*99 of 100 where it is 1 and 1 of 100.*shares"):
        logit.fit(table, **COUNTS, terms=["treated", "clinic"], cluster="clinic")


def test_a_fixed_effect_far_from_the_first_has_no_interval_and_does_no_harm():
    more = rows(("C", 0, 199, 200), ("C", 1, 199, 200))
    found = logit.fit(pd.concat([TWO_BY_TWO, more]), **COUNTS, terms=["treated", "clinic"])
    assert term(found, "clinic[C]")[["odds_ratio", "low", "high", "standard_error"]].isna().all()
    assert np.isfinite(term(found, "treated")[["odds_ratio", "low", "high"]].astype(float)).all()


def test_a_treatment_that_starts_everywhere_at_once_cannot_be_told_from_the_month():
    table = TWO_BY_TWO.assign(period=TWO_BY_TWO["treated"])
    with pytest.raises(DataError, match="cannot be told apart"):
        logit.fit(table, **COUNTS, terms=["period", "treated"])


def test_one_cluster_is_refused():
    with pytest.raises(DataError, match="there is 1: at least 2 are needed"):
        logit.fit(TWO_BY_TWO.assign(hub="H", visit=[0.0, 1.0, 2.0, 1.0]), **COUNTS, terms=["visit"], cluster="hub")


def test_impossible_counts_and_missing_values_are_named():
    with pytest.raises(DataError, match=r"1 of 4 rows cannot be used \(A, row 1: 140 of 100\).*not swapped"):
        logit.fit(TWO_BY_TWO.assign(num=[20, 140, 30, 50]), **COUNTS, terms=["treated"], cluster="clinic")
    with pytest.raises(DataError, match="values are missing in treated"):
        logit.fit(TWO_BY_TWO.assign(treated=[0, 1, np.nan, 1]), **COUNTS, terms=["treated"])


def test_settings_are_checked():
    with pytest.raises(ParameterError, match="no column 'wave'; the table has clinic"):
        logit.fit(TWO_BY_TWO, **COUNTS, terms=["wave"])
    with pytest.raises(ParameterError, match=r"terms are \[\]"):
        logit.fit(TWO_BY_TWO, **COUNTS, terms=[])


def test_a_known_odds_ratio_is_covered_as_often_as_promised():
    """Ten clinics that join one after the other, with levels of their own and a common drift; 95% of 100."""
    rng = np.random.default_rng(5)
    clinic, month = (axis.ravel() for axis in np.indices((10, 12)))
    treated = (month >= clinic + 1).astype(int)
    held = []
    for _ in range(100):
        eta = rng.normal(0, 0.5, 10)[clinic] + 0.05 * month + rng.normal(0, 0.3, 120) + 0.6 * treated
        table = pd.DataFrame(
            {
                "clinic": clinic.astype(str),
                "period": month,
                "treated": treated,
                "den": 60,
                "num": rng.binomial(60, 1 / (1 + np.exp(-eta))),
            }
        )
        found = term(logit.fit(table, **COUNTS, terms=["treated", "clinic", "period"], cluster="clinic"), "treated")
        held.append(np.log(found["low"]) <= 0.6 <= np.log(found["high"]))
    assert 0.9 <= np.mean(held) <= 0.99
