"""What every survival method accepts, and how it refuses what would give a plausible curve of other data."""

import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError
from qieval.methods.gaps import clustered_kaplan_meier
from qieval.methods.survival import (
    cumulative_incidence,
    gray_test,
    hazard_ratios,
    kaplan_meier,
    log_rank,
    restricted_mean,
    time_ratios,
)
from qieval.methods.survival.inputs import checked_ends

# Every method that takes ends, asked with three durations.
OF_ENDS = {
    "kaplan_meier": kaplan_meier,
    "restricted_mean": lambda durations, observed: restricted_mean(durations, observed, horizon=2),
    "log_rank": lambda durations, observed: log_rank(durations, observed, ["a", "b", "b"]),
    "hazard_ratios": lambda durations, observed: hazard_ratios(durations, observed, ["a", "b", "b"]),
    "time_ratios": lambda durations, observed: time_ratios(durations, observed, ["a", "b", "b"]),
    "clustered_kaplan_meier": lambda durations, observed: clustered_kaplan_meier(durations, observed, ["a", "b", "b"]),
}
OF_OUTCOMES = {
    "cumulative_incidence": lambda durations, outcome: cumulative_incidence(durations, outcome, cause=1),
    "gray_test": lambda durations, outcome: gray_test(durations, outcome, ["a", "b", "b"], cause=1),
}
each_of_ends = pytest.mark.parametrize("method", OF_ENDS.values(), ids=OF_ENDS)
each = pytest.mark.parametrize("method", (OF_ENDS | OF_OUTCOMES).values(), ids=OF_ENDS | OF_OUTCOMES)


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


# --- ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "observed",
    [
        [True, False, True],
        (1, 0, 1),
        [1.0, 0.0, 1.0],
        np.array([1, 0, 1], dtype=np.uint8),
        np.array([1, 0, 1], dtype=np.float32),
        np.array([True, False, True], dtype=object),
        pd.Series([1, 0, 1], index=[9, 9, 2]),
        pd.Series([1, 0, 1], dtype="Int64"),
        pd.Series([True, False, True], dtype="boolean"),
        pd.Series([1, 0, 1], dtype="category"),
    ],
    ids=lambda given: f"{type(given).__name__} {getattr(given, 'dtype', '')}",
)
def test_ends_are_true_or_false_or_1_or_0_whatever_holds_them(observed):
    times, ended = checked_ends(pd.Series([2, 3, 5], index=[5, 1, 1]), observed)
    assert times.tolist() == [2, 3, 5]
    assert ended.tolist() == [True, False, True]
    assert ended.dtype == bool


@each_of_ends
@pytest.mark.parametrize(
    ("observed", "what"),
    [
        (
            ["True", "False", "no"],
            "3 of 3 ends are neither True or False nor 1 or 0 (row 1: 'True'; row 2: 'False'; ro",
        ),
        ([1, np.nan, 0], "1 of 3 ends is neither True or False nor 1 or 0 (row 2: missing): "),
        ([True, None, False], "1 of 3 ends is neither True or False nor 1 or 0 (row 2: missing): "),
        (
            pd.Series([True, None, False], dtype="boolean"),
            "1 of 3 ends is neither True or False nor 1 or 0 (row 2: mis",
        ),
        (np.array([1, 2, 2]), "2 of 3 ends are neither True or False nor 1 or 0 (row 2: 2; row 3: 2): "),
        ([0.5, 1, 0], "1 of 3 ends is neither True or False nor 1 or 0 (row 1: 0.5): "),
    ],
    ids=["texts", "missing", "none", "missing boolean", "the codes of R", "a half"],
)
def test_an_end_that_is_something_else_is_refused(method, observed, what):
    with pytest.raises(DataError, match=f"^{re.escape(what)}"):
        method([1, 2, 3], observed)


def test_the_refusal_of_ends_says_what_to_give():
    said = (
        "5 of 5 ends are neither True or False nor 1 or 0 (row 1: 2; row 2: 2; row 3: 2; ...): give True or 1 where it "
        "ended and False or 0 where it was still open, such as status == 2 for R's 1 and 2"
    )
    with pytest.raises(DataError, match=exactly(said)):
        kaplan_meier([1] * 5, [2] * 5)


@pytest.mark.parametrize("observed", [True, [[1], [0], [1]]], ids=["one for all", "a table"])
def test_ends_are_one_column(observed):
    said = "ends must be one value per row: give a list, an array or a column"
    with pytest.raises(DataError, match=exactly(said)):
        kaplan_meier([1, 2, 3], observed)


# --- durations -------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize(
    ("durations", "shown"),
    [
        ([1, 2, -3], "row 3: -3"),
        ([1, np.nan, 3], "row 2: missing"),
        ([1, None, 3], "row 2: missing"),
        (pd.Series([1, None, 3], dtype="Int64"), "row 2: missing"),
        ([np.inf, 2, 3], "row 1: inf"),
        ([1, "two", 3], "row 2: 'two'"),
        ([1, 2j, 3], "row 2: 2j"),
    ],
    ids=["negative", "missing", "none", "missing integer", "infinite", "text", "complex"],
)
def test_a_duration_that_cannot_be_is_refused_with_its_row(method, durations, shown):
    said = (
        f"1 of 3 durations is no finite number of 0 or more ({shown}): every duration must be 0 or more, a plain "
        "number of days or months; correct its dates or leave the row out"
    )
    with pytest.raises(DataError, match=exactly(said)):
        method(durations, [1, 1, 1])


@pytest.mark.parametrize(
    "durations", [pd.Series(pd.to_timedelta([30, 60], unit="D")), np.array([30, 60], dtype="timedelta64[ns]")]
)
def test_lengths_of_calendar_time_are_refused_and_not_counted_in_nanoseconds(durations):
    with pytest.raises(DataError, match=r"^2 of 2 durations are no finite number of 0 or more \(row 1: Timedelta\("):
        kaplan_meier(durations, [1, 1])


def test_any_plain_number_is_a_duration():
    times, _ = checked_ends([0, np.float32(2.5), Decimal("4"), True], [1, 1, 1, 1])
    assert times.tolist() == [0, 2.5, 4, 1]


@pytest.mark.parametrize("method", [kaplan_meier, *OF_OUTCOMES.values()])
def test_no_duration_is_refused(method):
    with pytest.raises(DataError, match=exactly("there is no duration: give at least one")):
        method([], [])


def test_columns_of_different_length_are_refused():
    calls = {
        "the columns differ in length (durations 3, ends 2): give one of each per row": lambda: kaplan_meier(
            [1, 2, 3], [1, 0]
        ),
        "the columns differ in length (durations 1, outcomes 2): give one of each per row": lambda: (
            cumulative_incidence([1], [1, 2], cause=1)
        ),
        "the columns differ in length (durations 3, groups 2): give one of each per row": lambda: log_rank(
            [1, 2, 3], [1] * 3, ["a", "b"]
        ),
    }
    for said, call in calls.items():
        with pytest.raises(DataError, match=exactly(said)):
            call()


# --- groups ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize(
    "compare",
    [log_rank, hazard_ratios, time_ratios, lambda *columns: gray_test(*columns, cause=1)],
    ids=["log_rank", "hazard_ratios", "time_ratios", "gray_test"],
)
def test_a_missing_group_is_refused_and_is_no_group_of_its_own(compare, missing):
    said = "1 of 4 groups is missing (row 4: missing): name them, or leave these rows out of the comparison"
    with pytest.raises(DataError, match=exactly(said)):
        compare([1, 2, 3, 4], [1, 1, 1, 1], ["a", "b", "a", missing])


def test_groups_may_be_numbers_texts_or_categories():
    durations, ended = [1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 1, 1]
    tests = [
        log_rank(durations, ended, groups)
        for groups in ([1, 2] * 3, ["a", "b"] * 3, pd.Categorical(["a", "b"] * 3, categories=["c", "b", "a"]))
    ]
    assert len({(round(test.statistic, 12), test.degrees_of_freedom) for test in tests}) == 1


# --- outcomes --------------------------------------------------------------------------------------


def shares(outcome, cause) -> list[float]:
    return cumulative_incidence([1, 2, 3], outcome, cause=cause)["estimate"].tolist()


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (["completed", "ongoing", "abandoned"], "completed"),
        (["Completed", "Ongoing", "ABANDONED"], "completed"),
        (["completed", "still under way", "abandoned"], "Completed "),
        (["completed", np.nan, "abandoned"], "completed"),
        ([1, 0, 2], 1),
        ([1.0, np.nan, 2.0], 1),
        (pd.Series([1, None, 2], dtype="Int64"), 1),
        (["1", "0", "2"], "1"),
        (pd.Categorical(["completed", "censored", "abandoned"]), "completed"),
        (np.array(["completed", "no", "abandoned"]), "completed"),
    ],
)
def test_a_cause_is_found_however_it_is_written(outcome, cause):
    assert shares(outcome, cause) == pytest.approx([1 / 3, 1 / 3, 1 / 3])


def test_missing_among_texts_is_open_and_no_way_to_end():
    # numpy would make the text "nan" of it, and count it among the abandoned.
    assert shares(["completed", np.nan, "completed"], "completed") == pytest.approx([1 / 3, 1 / 3, 1])


def test_a_cause_that_never_occurs_has_a_share_of_0():
    assert shares(["completed", "ongoing", "completed"], "abandoned") == [0, 0, 0]
    assert shares(["ongoing"] * 3, "completed") == [0, 0, 0]
    assert shares([1, 0, 1], 2) == [0, 0, 0]


@pytest.mark.parametrize(
    ("outcome", "cause", "said"),
    [
        ([1, 0, 2], "1", "the cause '1' is a text and the outcomes are numbers: give one of 1, 2"),
        (
            [True, False, True],
            "completed",
            "the cause 'completed' is a text and the outcomes are numbers: give one of True",
        ),
        (["1", "0", "2"], 1, "the cause 1 is a number and the outcomes are texts: give one of '1', '2'"),
        (list("abcdefgh")[:3], 1, "the cause 1 is a number and the outcomes are texts: give one of 'a', 'b', 'c'"),
    ],
)
@pytest.mark.parametrize(
    "method", [shares, lambda outcome, cause: gray_test([1, 2, 3], outcome, [1, 2, 2], cause=cause)]
)
def test_text_and_number_are_not_the_same_cause_and_not_a_share_of_0(method, outcome, cause, said):
    with pytest.raises(DataError, match=exactly(said)):
        method(outcome, cause)


def test_of_many_ways_to_end_a_few_are_named():
    with pytest.raises(DataError, match=r"texts: give one of 'a', 'b', 'c', 'd', 'e', 'f', \.\.\.$"):
        cumulative_incidence(range(8), list("abcdefgh"), cause=1)


@pytest.mark.parametrize("cause", ["ongoing", "Censored", "open", 0, False, None, np.nan, ""])
def test_still_open_is_no_cause(cause):
    said = f"the cause {cause!r} means still open, which is no way to end: give one of 'abandoned', 'completed'"
    with pytest.raises(DataError, match=exactly(said)):
        shares(["completed", "ongoing", "abandoned"], cause)
    with pytest.raises(DataError, match=r"which is no way to end: give a way to end$"):
        shares(["ongoing"] * 3, cause)
