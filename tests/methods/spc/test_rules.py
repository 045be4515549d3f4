"""The tests of points, each by vectors that can be read: "x" marks the points that signal."""

import numpy as np
import pandas as pd
import pytest

from qieval.methods import spc
from qieval.methods.spc.rules import LONG_RUN, RULE_SETS, TESTS, Points, number_of_runs
from tests.methods.spc.conftest import OF_VALUES, drawn, monthly, months, only


def points(*, sides="", zones="", values=""):
    """Points of one series: by their side of the line, by whole sigmas from it, or by their values."""
    if sides:
        side = [{"+": 1, "-": -1, "0": 0}[sign] for sign in sides]
        zone = step = [0] * len(side)
    elif zones:
        zone = [int(number) for number in zones.split()]
        side, step = np.sign(zone), [0] * len(zone)
    else:
        value = [int(number) for number in values.split()]
        step = [0, *np.sign(np.diff(value))]
        side = zone = [0] * len(value)
    return Points(**{name: np.array([x]).T for name, x in (("side", side), ("step", step), ("zone", zone))})


def flagged(test, **vector):
    return "".join("x" if mark else "." for mark in TESTS[test](points(**vector))[:, 0])


@pytest.mark.parametrize(
    ("test", "sides", "expected"),
    [
        ("shift of 6", "-+++++-", "......."),
        ("shift of 6", "-++++++-", ".xxxxxx."),
        ("shift of 6", "-------", "xxxxxxx"),
        ("shift of 6", "+++0+++", "xxx.xxx"),  # a point on the line is passed over
        ("shift of 6", "+++0++-", "......."),
        ("shift of 6", "++++++", "xxxxxx"),
        ("shift of 6", "+++---+++", "........."),
        ("shift of 7", "-++++++-", "........"),
        ("shift of 7", "-+++++++-", ".xxxxxxx."),
        ("shift of 7", "++++0+++", "........"),  # here it breaks the run
        ("shift of 8", "-------+", "........"),
        ("shift of 8", "--------+", "xxxxxxxx."),
        ("shift of 8", "----0----", "........."),
        ("shift of 9", "++++++++-", "........."),
        ("shift of 9", "+++++++++-", "xxxxxxxxx."),
        ("shift of 9", "++++0+++++", ".........."),
    ],
)
def test_a_shift_is_so_many_points_in_a_row_on_one_side(test, sides, expected):
    assert flagged(test, sides=sides) == expected


@pytest.mark.parametrize(
    ("test", "values", "expected"),
    [
        ("trend of 5", "3 1 2 3 4 3", "......"),
        ("trend of 5", "6 1 2 3 4 5 3", ".xxxxx."),
        ("trend of 5", "9 8 7 6 5 6", "xxxxx."),
        ("trend of 5", "1 2 3 3 4 5", "xxxxxx"),  # five different values; the tie is passed over
        ("trend of 5", "1 2 3 3 4", "....."),
        ("trend of 5", "1 2 3 2 3 4 5", "......."),
        ("trend of 6", "9 1 2 3 4 5 4", "......."),
        ("trend of 6", "9 1 2 3 4 5 6 4", ".xxxxxx."),
        ("trend of 6", "1 2 3 3 4 5 6", "......."),  # a tie ends the trend
        ("trend of 6", "6 5 4 3 2 1", "xxxxxx"),
        ("trend of 7", "9 1 2 3 4 5 6 5", "........"),
        ("trend of 7", "9 1 2 3 4 5 6 7 6", ".xxxxxxx."),
        ("trend of 7", "1 2 3 4 4 5 6 7", "........"),
        ("trend of 7", "7 6 5 4 3 2 1 2", "xxxxxxx."),
    ],
)
def test_a_trend_is_so_many_points_in_a_row_each_beyond_the_one_before(test, values, expected):
    assert flagged(test, values=values) == expected


@pytest.mark.parametrize(
    ("test", "zones", "expected"),
    [
        ("outside", "2 3 -2 -3 0", ".x.x."),
        ("2 of 3 near a limit", "2 0 2", "x.x"),
        ("2 of 3 near a limit", "2 2", "xx"),
        ("2 of 3 near a limit", "2 0 0 2", "...."),
        ("2 of 3 near a limit", "2 -2 0", "..."),  # on different sides
        ("2 of 3 near a limit", "2 3 0", "..."),  # one of them outside, which is another signal
        ("2 of 3 near a limit", "-2 -3 -2", "x.x"),
        ("2 of 3 beyond 2 sigma", "2 0 3", "x.x"),
        ("2 of 3 beyond 2 sigma", "2 0 0 2", "...."),
        ("2 of 3 beyond 2 sigma", "2 -2 1", "..."),
        ("2 of 3 beyond 2 sigma", "0 -3 -2 0", ".xx."),
        ("4 of 5 beyond 1 sigma", "1 1 0 1 0", "....."),
        ("4 of 5 beyond 1 sigma", "1 2 0 1 3", "xx.xx"),
        ("4 of 5 beyond 1 sigma", "1 1 1 1", "xxxx"),
        ("4 of 5 beyond 1 sigma", "1 1 0 0 1 1", "......"),
        ("4 of 5 beyond 1 sigma", "1 1 -1 -1 -1", "....."),
        ("4 of 5 beyond 1 sigma", "-1 -1 -1 0 -2", "xxx.x"),
        ("8 beyond 1 sigma", "1 -1 1 -1 2 -2 1 0", "........"),
        ("8 beyond 1 sigma", "1 -1 1 -1 2 -2 1 -3", "xxxxxxxx"),  # on either side
        ("15 within 1 sigma", "1 " + "0 " * 14 + "1", "." * 16),
        ("15 within 1 sigma", "1 " + "0 " * 15 + "1", "." + "x" * 15 + "."),
    ],
)
def test_zones_count_whole_sigmas_from_the_line(test, zones, expected):
    assert flagged(test, zones=zones) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("1 2 " * 6 + "1", "." * 13),
        ("1 2 " * 7, "x" * 14),
        ("1 1 " + "2 1 " * 6, "." * 14),  # a tie is no turn
        ("5 6 " + "1 2 " * 7, "x" * 16),
        ("3 4 5 " + "1 2 " * 7, "." + "x" * 16),
    ],
)
def test_fourteen_points_that_go_up_and_down_by_turns_signal(values, expected):
    assert flagged("14 alternating", values=values) == expected


def test_every_test_of_a_point_is_in_a_rule_set_and_every_rule_set_is_of_known_tests():
    used = {test for tests in RULE_SETS.values() for test in tests}
    assert used - {LONG_RUN} == set(TESTS)


def test_fewer_points_than_a_rule_asks_for_never_signal():
    for name, test in TESTS.items():
        if name != "outside":
            one = points(zones="2")
            assert not test(one).any(), name


def test_series_side_by_side_are_judged_each_by_itself():
    both = Points(
        side=np.array([[1, -1]] * 7 + [[1, 1]]), step=np.zeros((8, 2), dtype=int), zone=np.zeros((8, 2), dtype=int)
    )
    assert TESTS["shift of 8"](both).sum(axis=0).tolist() == [8, 0]
    assert TESTS["shift of 7"](both).sum(axis=0).tolist() == [8, 7]


# --- the same on a chart: 12 counts of 9 give a centre of 9, a sigma of 3, and limits at 0, 3, 15 and 18 ------


def watched(values, rules, **arguments):
    """The flags of values that follow a baseline of twelve nines, all of them on the centre line."""
    data = monthly([9.0] * 12 + [float(value) for value in values])
    result = spc.chart(data, "c", **OF_VALUES, baseline=12, rules=rules, **arguments)
    return drawn(result, "rules")[12:]


def test_a_point_on_a_limit_is_not_beyond_it():
    assert watched([18], "outside") == [""]
    assert watched([18.001], "outside") == ["outside"]
    assert watched([15, 15], "mdc") == ["", ""]
    assert watched([16, 15.5], "mdc") == ["2 of 3 near a limit"] * 2
    assert watched([12, 12, 12, 12], "western_electric") == [""] * 4
    assert watched([13, 13, 13, 13], "western_electric") == ["4 of 5 beyond 1 sigma"] * 4


def test_a_point_flagged_by_several_rules_names_them_all():
    assert watched([17, 19, 17], "western_electric") == [
        "2 of 3 beyond 2 sigma",
        "outside; 2 of 3 beyond 2 sigma",
        "2 of 3 beyond 2 sigma",
    ]


@pytest.mark.parametrize(
    ("rules", "shift", "trend"), [("mdc", 7, 7), ("mdc_8_6", 8, 6), ("nelson", 9, 6), ("western_electric", 8, None)]
)
def test_rule_sets_have_run_lengths_of_their_own(rules, shift, trend):
    above = [10, 11] * 4 + [10]
    name = f"shift of {shift}"
    assert not any("shift" in found for found in watched(above[: shift - 1], rules))
    assert all(name in found for found in watched(above[:shift], rules))
    if trend is not None:
        # From 6 up over the line, so that no shift is in the way.
        assert "trend" not in watched(range(6, 6 + trend - 1), rules)[-1]
        assert f"trend of {trend}" in watched(range(6, 6 + trend), rules)[-1]


def test_a_long_run_flags_its_points_and_no_others():
    result = spc.chart(monthly([1.0, 3.0] * 8 + [3.0, 1.0] + [3.0] * 9 + [1.0] * 9), "i", **OF_VALUES, baseline=16)
    found = only(result.series)
    assert (found["longest_run"], found["longest_run_limit"]) == (9, 8)
    assert drawn(result, "rules") == [""] * 18 + ["long run"] * 18
    assert found["rules"] == "long run"


def test_a_run_of_the_length_allowed_flags_nothing():
    result = spc.chart(monthly([1.0, 3.0] * 8 + [3.0, 1.0] + [3.0] * 8 + [1.0] * 8), "i", **OF_VALUES, baseline=16)
    assert (only(result.series)["longest_run"], only(result.series)["longest_run_limit"]) == (8, 8)
    assert set(drawn(result, "rules")) == {""}


def test_missing_months_neither_make_nor_break_a_run():
    with_missing = [10, 10, np.nan, 10, 10, np.nan, np.nan, 10, 10, 10]
    found = watched(with_missing, "mdc")
    assert found == ["" if np.isnan(value) else "shift of 7" for value in with_missing]


def test_months_without_a_row_neither_make_nor_break_a_run():
    data = monthly([9.0] * 12 + [10.0] * 8).drop(index=[14])
    result = spc.chart(data, "c", **OF_VALUES, baseline=12, rules="mdc")
    assert drawn(result, "rules")[12:] == ["shift of 7"] * 2 + [""] + ["shift of 7"] * 5


def test_excluded_points_are_passed_over_and_never_flagged():
    values = [10, 10, 10, 1, 10, 10, 10, 10]
    assert watched(values, "mdc") == [""] * 8
    assert watched(values, "mdc", exclude=[15]) == ["shift of 7"] * 3 + [""] + ["shift of 7"] * 4


def test_runs_end_where_a_phase_ends():
    unbroken = monthly([9.0, 9.0] + [10.0] * 10)
    one, two = (spc.chart(unbroken, "c", **OF_VALUES, phases=phases, baseline=2, rules="mdc") for phases in (None, [6]))
    assert drawn(one, "rules") == [""] * 2 + ["shift of 7"] * 10
    assert drawn(two, "rules") == [""] * 12


def test_a_gap_does_not_stop_a_trend():
    rising = [6, 7, 8, np.nan, 10, 11, 12]
    assert watched(rising, "mdc_8_6") == ["trend of 6"] * 3 + [""] + ["trend of 6"] * 3


def test_all_rules_at_once_lose_no_name():
    every = ["anhoej", "ihi", "mdc", "mdc_8_6", "western_electric", "nelson"]
    data = monthly([1.0] * 12 + [3.0] * 12)
    found = only(spc.chart(data, "i", **OF_VALUES, rules=every).series)["rules"].split("; ")
    alone = only(spc.chart(data, "i", **OF_VALUES, rules="ihi").series)["rules"].split("; ")
    assert "too few runs" in alone
    assert "too few runs" in found
    assert "few crossings" in found


@pytest.mark.parametrize("rules", [["nelson"], ["western_electric"], ["mdc"], ["mdc_8_6"], ["outside"]])
def test_without_limits_nothing_lies_within_or_beyond_them(rules):
    result = spc.chart(monthly([5.0] * 20), "i", **OF_VALUES, rules=rules)
    assert result.points["ucl"].isna().all()
    assert set(drawn(result, "rules")) == {""}
    assert only(result.series)["rules"] == ""


def test_a_subgroup_of_one_has_no_limits_and_is_not_within_them():
    several = pd.DataFrame({"period": np.repeat([1, 2, 3], 3), "value": [1.0, 5, 9, 2, 5, 8, 4, 5, 6]})
    singles = pd.DataFrame({"period": range(4, 20), "value": 500.0})
    result = spc.chart(pd.concat([several, singles]), "xbar", **OF_VALUES, exclude=list(range(3, 19)), rules="nelson")
    assert set(drawn(result, "rules")) == {""}
    result = spc.chart(pd.concat([several, singles]), "xbar", **OF_VALUES, baseline=3, rules="nelson")
    assert not any("within" in found for found in drawn(result, "rules"))


# --- the number of runs, as the IHI counts them ----------------------------------------------------------


def test_too_few_and_too_many_runs_are_told_of_the_series():
    few = spc.chart(monthly([1.0] * 10 + [3.0] * 10), "run", **OF_VALUES, rules="ihi")
    many = spc.chart(monthly([1.0, 3.0] * 10), "run", **OF_VALUES, rules="ihi")
    assert "too few runs" in only(few.series)["rules"]
    assert only(many.series)["rules"] == "too many runs"


def test_the_number_of_runs_is_judged_by_counting_all_orders():
    # 4 above and 4 below can be ordered in 70 ways; 2 have 2 runs (2.9%, above 2.5%), as many have 8.
    assert [x.tolist() for x in number_of_runs(np.array([[1] * 4 + [-1] * 4]).T)] == [[False], [False]]
    # 5 and 5 in 252 ways, of which 2 have 2 runs (0.8%) and 8 have 3 (together 4.0%).
    two, three = [1] * 5 + [-1] * 5, [1] * 2 + [-1] * 5 + [1] * 3
    assert number_of_runs(np.array([two, three]).T)[0].tolist() == [True, False]
    ten, nine = [1, -1] * 5, [1, -1] * 4 + [-1, 1]
    assert number_of_runs(np.array([ten, nine]).T)[1].tolist() == [True, False]


# --- how often chance signals ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "n", "expected"),
    [
        ("anhoej", 12, 0.013),
        ("anhoej", 24, 0.031),
        ("anhoej", 36, 0.042),
        ("ihi", 24, 0.158),
    ],
)
def test_noise_signals_as_often_as_was_measured(rules, n, expected):
    many = 6000
    data = pd.DataFrame(
        {
            "series": np.repeat(np.arange(many), n),
            "period": np.tile(months(n), many),
            "value": np.random.default_rng(24).normal(size=many * n),
        }
    )
    result = spc.chart(data, "run", **OF_VALUES, by="series", rules=rules)
    if rules == "ihi":  # the share of the shift alone
        found = result.points.assign(shift=result.points["rules"].astype(str).str.contains("shift"))
        share = found.groupby("series", observed=True)["shift"].any().mean()
    else:
        share = result.series["runs_signal"].mean()
    assert share == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / many))
