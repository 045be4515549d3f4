"""A published stepped-wedge trial: odds ratios where there are any, and words where practice switched outright.

Betran et al, Lancet Glob Health 2018;6:e57-65, table 2, from a mixed model: worms 1.88, malaria 3.68; blood pressure
609, anaemia 832, proteinuria 1875 and syphilis 23.5 are of the kind refused here.
"""

import pandas as pd
import pytest

from qieval.errors import DataError
from qieval.methods import logit
from tests.moz_anc import expected_table_2, write_moz_anc

SEPARATED = ["anaemia", "bp", "proteinuria", "syphilis"]


@pytest.fixture(scope="module")
def months(reference, tmp_path_factory):
    folder = write_moz_anc(reference, tmp_path_factory.mktemp("moz_anc") / "tables")
    joined = pd.read_csv(folder / "facilities.csv", index_col="facility_id")["joined_on"]
    table = pd.read_csv(folder / "measurements.csv").query("denominator > 0")
    return table.assign(with_kits=table["period"] >= table["facility_id"].map(joined))


def odds_ratio(months: pd.DataFrame, indicator: str) -> pd.Series:
    found = logit.fit(
        months[months["indicator_id"] == indicator],
        numerator="numerator",
        denominator="denominator",
        terms=["with_kits", "facility_id", "period"],
        cluster="facility_id",
    )
    assert found.n_clusters == 10
    return found.coefficients.set_index("term").loc["with_kits"]


@pytest.mark.parametrize(("indicator", "ours", "published"), [("tx_worms", 1.89, 1.88), ("tx_malaria", 3.66, 3.68)])
def test_worms_and_malaria_come_out_as_published(months, reference, indicator, ours, published):
    found = odds_ratio(months, indicator)
    assert found["odds_ratio"] == pytest.approx(ours, abs=0.005)
    assert expected_table_2(reference).loc[indicator, "adjusted_or"] == published
    assert found["low"] < published < found["high"]
    assert 4 < found["df"] < 9  # ten clinics, of which few speak


@pytest.mark.parametrize("indicator", ["tx_worms", "tx_malaria", "hiv", "tx_hiv", "tx_syphilis"])
def test_no_interval_explodes(months, indicator):
    found = odds_ratio(months, indicator)
    assert found["high"] / found["low"] < 50


@pytest.mark.parametrize("indicator", SEPARATED)
def test_the_four_that_switched_are_refused_with_their_counts(months, reference, indicator):
    with pytest.raises(DataError, match=r"with_kits nearly separates .*: [\d,]+ of [\d,]+ where it is 1 and .* shares"):
        odds_ratio(months, indicator)
    assert expected_table_2(reference).loc[indicator, "adjusted_or"] > logit.NEARLY_SEPARATED


def test_these_four_are_all_that_the_paper_gives_such_a_ratio(reference):
    published = expected_table_2(reference)["adjusted_or"]
    assert sorted(published.index[published > logit.NEARLY_SEPARATED]) == SEPARATED


def test_the_clinic_where_blood_pressure_was_always_taken_is_named(months):
    with pytest.raises(DataError, match=r"set aside, with events only or none: facility_id C03"):
        odds_ratio(months, "bp")
