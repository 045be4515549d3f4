"""Improving, concerning or common cause; will hit, miss, or hit-and-miss the target."""

import numpy as np
import pandas as pd
import pytest

from qieval.errors import ParameterError
from qieval.methods import spc

STEADY = [50, 54, 48, 52, 49, 55, 47, 53, 51, 50, 54, 48]


def chart(values, *, rules="mdc", kind="i", **given):
    data = pd.DataFrame({"month": range(len(values)), "value": values, "facility": "A"})
    return spc.chart(data, kind, period="month", value="value", by="facility", rules=rules, **given)


def verdict(values, *, better="up", target=None, **given):
    return spc.verdicts(chart(values, **given), better=better, target=target).iloc[0]


@pytest.mark.parametrize(
    ("case", "given", "better"),
    [
        ("mdc_facets_pct", {"value": "pct"}, "up"),
        ("mdc_facets_noscreen", {"value": "breaches", "screen": False}, "down"),
    ],
)
def test_verdicts_are_those_of_nhsrplotthedots(reference, case, given, better):
    folder = reference / "reference" / "spc"
    data = pd.read_csv(folder / "data" / "ae_three_trusts.csv")
    expected = pd.read_csv(folder / "expected" / f"{case}_summary.csv").set_index("f")
    found = spc.chart(data, "i", period="period", by="org", rules="mdc", **given)
    table = spc.verdicts(found, better=better, target=95 if "assurance_type" in expected else None).set_index("org")
    words = {
        "special_cause_concern": "concerning", "special_cause_improvement": "improving", "common_cause": "common cause",
        "consistent_fail": "will miss", "consistent_pass": "will hit", "inconsistent": "hit or miss",
    }  # fmt: skip
    assert table["variation"].to_dict() == expected["variation_type"].map(words).to_dict()
    if "assurance_type" in expected:
        assert table["assurance"].to_dict() == expected["assurance_type"].map(words).to_dict()


def test_every_point_is_judged_as_nhsrplotthedots_does_with_its_own_multiplier(reference):
    folder = reference / "reference" / "spc"
    data = pd.read_csv(folder / "data" / "ae_three_trusts.csv")
    expected = pd.read_csv(folder / "expected" / "mdc_facets_pct.csv").rename(columns={"f": "org", "x": "period"})
    found = spc.chart(data, "i", period="period", value="pct", by="org", rules="mdc", d2=3 / 2.66).points
    both = found.assign(period=found["period"].astype(str)).merge(expected, on=["org", "period"])
    assert len(both) == 108
    np.testing.assert_allclose(both["lcl"], both["lpl"], rtol=1e-9)
    np.testing.assert_allclose(both["ucl"], both["upl"], rtol=1e-9)
    assert both["rules"].ne("").tolist() == both["special_cause_flag"].tolist()


def test_a_last_month_above_the_limits_improves_where_more_is_better():
    assert verdict([*STEADY, 80])["variation"] == "improving"
    assert verdict([*STEADY, 80], better="down")["variation"] == "concerning"
    assert verdict([*STEADY, 80], better=None)["variation"] == "changed"
    assert verdict([*STEADY, 80])["direction"] == "high"


def test_an_old_signal_is_no_verdict_of_today():
    assert verdict([80, *STEADY])["variation"] == "common cause"


def test_a_trend_counts_in_its_own_direction():
    # Falling seven months in a row, though the last is still above the mean of all.
    falling = [20] * 12 + [99, 97, 95, 93, 91, 89, 87]
    values = [value + (index % 3) for index, value in enumerate(falling[:12])] + falling[12:]
    found = chart(values, rules="mdc", baseline=12)
    assert "trend of 7" in found.points["rules"].iloc[-1]


def test_a_verdict_needs_ten_points_in_the_baseline():
    row = verdict(STEADY[:9], target=40)
    assert (row["variation"], row["assurance"]) == ("too few points", "too few points")
    assert verdict(STEADY[:10], target=40)["variation"] == "common cause"


@pytest.mark.parametrize(
    ("better", "target", "expected"),
    [
        ("up", 20, "will hit"), ("up", 90, "will miss"), ("up", 51, "hit or miss"), ("down", 90, "will hit"),
        ("down", 20, "will miss"), ("down", 51, "hit or miss"), ("up", None, "no target"), (None, 51, "no target"),
    ],
)  # fmt: skip
def test_the_target_is_held_against_the_limits(better, target, expected):
    assert verdict(STEADY, better=better, target=target)["assurance"] == expected


def test_directions_and_targets_may_differ_by_series():
    data = pd.DataFrame({"month": [*range(12)] * 2, "value": STEADY * 2, "facility": ["A"] * 12 + ["B"] * 12})
    found = spc.chart(data, "i", period="month", value="value", by="facility")
    table = spc.verdicts(found, better={"A": "up", "B": "down"}, target={"A": 20})
    assert table["assurance"].tolist() == ["will hit", "no target"]


def test_the_last_known_point_counts_and_an_excluded_one_does_not():
    assert verdict([*STEADY, 80, np.nan])["variation"] == "improving"
    assert verdict([*STEADY, 80], exclude=[12])["variation"] == "common cause"


def test_a_run_chart_and_an_unknown_direction_are_refused():
    with pytest.raises(
        ParameterError, match=r"need control limits, which a run chart does not have\. Choose a control"
    ):
        verdict(STEADY, kind="run", rules="anhoej")
    with pytest.raises(ParameterError, match=r"better: higher is neither 'up' nor 'down' \(or None\)\."):
        verdict(STEADY, better="higher")


def test_months_that_are_all_alike_have_no_limits_and_no_verdict():
    row = verdict([90.0] * 12, target=80)
    assert (row["variation"], row["assurance"]) == ("no limits", "no limits")


def test_a_signal_without_a_direction_is_a_change_and_no_more():
    calm = [50, 56, 44, 58, 42, 57, 43, 55, 45, 56, 44, 54] + [50, 51] * 8
    found = chart(calm, rules="nelson", baseline=12)
    last = found.points["rules"].iloc[-1]
    assert "15 within 1 sigma" in last
    assert "shift" not in last
    row = spc.verdicts(found, better="up").iloc[0]
    assert (row["variation"], row["direction"]) == ("changed", "")


def test_series_that_are_not_in_the_chart_are_refused():
    with pytest.raises(ParameterError, match=r"better: 'B' is no series of the chart\."):
        verdict(STEADY, better={"A": "up", "B": "down"})
