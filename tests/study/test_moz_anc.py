"""A published trial passes the door, and its published counts come out again."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import qieval
from qieval.study.study import Study
from tests.moz_anc import expected_table_2, moz_anc_parameters, write_moz_anc


@pytest.fixture(scope="module")
def study(reference: Path, tmp_path_factory: Any) -> Study:
    folder = write_moz_anc(reference, tmp_path_factory.mktemp("moz_anc") / "tables")
    return qieval.open_study(**moz_anc_parameters(folder))


def test_the_trial_passes_the_door(study: Study):
    assert {name: len(table) for name, table in study.tables.items()}.keys() == {
        "facilities",
        "indicators",
        "measurements",
    }
    assert len(study["facilities"]) == 10
    assert len(study["indicators"]) == 9
    assert study["measurements"]["period"].agg(["min", "max"]).tolist() == [
        pd.Timestamp("2014-03-01"),
        pd.Timestamp("2016-01-01"),
    ]


def test_its_only_warning_is_of_months_in_which_nobody_was_eligible(study: Study):
    assert [(problem.source, problem.column) for problem in study.warnings] == [("measurements.csv", "period")]


def test_all_36_published_counts_come_out_again(study: Study, reference: Path):
    joined_on = study["facilities"].set_index("facility_id")["joined_on"]
    measured = study["measurements"]
    with_kits = measured["period"] >= measured["facility_id"].map(joined_on)
    counts = measured.groupby(["indicator_id", with_kits.rename("with_kits")])[["numerator", "denominator"]].sum()
    found = pd.DataFrame(
        {
            "control_num": counts["numerator"].xs(False, level="with_kits"),
            "control_den": counts["denominator"].xs(False, level="with_kits"),
            "intervention_num": counts["numerator"].xs(True, level="with_kits"),
            "intervention_den": counts["denominator"].xs(True, level="with_kits"),
        }
    )
    expected = expected_table_2(reference)[found.columns].astype(float).sort_index()
    pd.testing.assert_frame_equal(found, expected, check_names=False)
    assert found.size == 36
