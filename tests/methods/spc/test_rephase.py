"""Where a new phase may have begun: found as runcharter finds it, with the evidence, and never applied."""

import numpy as np
import pandas as pd
import pytest

from qieval.errors import ParameterError
from qieval.methods import spc


def suggested(values, **given):
    data = pd.DataFrame({"period": range(len(values)), "value": values})
    return spc.suggest_phases(data, period="period", value="value", **given)


@pytest.mark.parametrize("side", ["both", "above", "below"])
def test_candidates_are_those_of_runcharter(reference, side):
    folder = reference / "reference" / "spc"
    data = pd.read_csv(folder / "data" / "runcharter_signals.csv")
    expected = pd.read_csv(folder / "expected" / f"runcharter_signals_{side}.csv")
    expected = expected[expected["run_type"] == "sustained"].sort_values(["grp", "start_date"])
    found = spc.suggest_phases(data, period="date", value="y", by="grp", side=side).sort_values(["grp", "begins"])
    assert found["grp"].tolist() == expected["grp"].tolist()
    assert found["begins"].astype(str).tolist() == expected["start_date"].tolist()
    assert found["until"].astype(str).tolist() == expected["end_date"].tolist()
    assert found["median"].tolist() == expected["median"].astype(float).tolist()


BASE = [10, 12, 9, 11, 13, 8, 12, 10, 9, 13, 11, 8, 11]


def test_a_shift_is_suggested_with_its_evidence():
    (row,) = suggested([*BASE, 20, 22, 19, 21, 23, 20, 21, 22, 19, 20, 21]).to_dict(orient="records")
    assert (row["begins"], row["until"], row["side"]) == (13, 21, "above")
    assert (row["median_before"], row["median"], row["run_length"]) == (11, 21, 11)


def test_points_on_the_line_neither_make_nor_break_a_run():
    (row,) = suggested(BASE + [20] * 4 + [11, 11] + [20] * 5).to_dict(orient="records")
    assert (row["begins"], row["until"], row["run_length"]) == (13, 23, 9)


def test_a_run_too_short_or_on_the_other_side_is_no_candidate():
    assert suggested(BASE + [20] * 8).empty
    assert suggested(BASE + [20] * 9, side="below").empty
    assert len(suggested(BASE + [20] * 9, side="above")) == 1


def test_missing_months_do_not_count():
    assert suggested([*BASE, *[20] * 4, np.nan, *[20] * 5])["run_length"].tolist() == [9]


def test_the_chart_itself_stays_as_it_is():
    data = pd.DataFrame({"period": range(24), "value": BASE + [20] * 11})
    before = data.copy()
    spc.suggest_phases(data, period="period", value="value")
    assert data.equals(before)
    assert spc.chart(data, "run", period="period", value="value").points["phase"].eq(1).all()


def test_chance_alone_gives_candidates_which_seldom_stand_out():
    rng = np.random.default_rng(8)
    data = pd.DataFrame(
        {"series": np.repeat(range(200), 36), "period": [*range(36)] * 200, "value": rng.standard_normal(7200)}
    )
    found = spc.suggest_phases(data, period="period", value="value", by="series")
    first = found.drop_duplicates("series")
    assert len(first) > 20  # nine in a row is no rare thing about the median of 13
    assert first["stands_out"].sum() / 200 < 0.05


def test_impossible_settings_are_refused_in_words():
    with pytest.raises(ParameterError, match=r"side: 'up' is not among both, above, below\."):
        suggested(BASE, side="up")
    with pytest.raises(ParameterError, match=r"baseline: 1 is not 2 or more\. run: 0 is not 2 or more\."):
        suggested(BASE, baseline=1, run=0)
