"""What is refused, and in which words: the message says what is wrong, where, and what to do."""

import re

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError, ParameterError
from qieval.methods import spc
from tests.methods.spc.conftest import OF_RATIOS, OF_VALUES, monthly, ratios

VALUES = monthly(np.arange(12.0), wait=1.0, facility="A", stage=["a"] * 6 + ["b"] * 6)
RATIOS = ratios([3.0] * 12, [10.0] * 12, facility="A")
EMPTY = VALUES.iloc[:0]


def refused(error, message, data, kind, **arguments):
    with pytest.raises(error, match=re.escape(message)):
        spc.chart(data, kind, **arguments)


# --- arguments ---------------------------------------------------------------------------------------------------

NOT_BOTH = "Give a value, or a numerator with its denominator, not both."
NO_DENOMINATOR = "A chart of kind {} has no denominator; leave it out, or choose p, u or i."
HALVES = {"numerator": "numerator", "denominator": "denominator"}


@pytest.mark.parametrize(
    ("kind", "columns", "message"),
    [
        ("i", {"value": "numerator", "numerator": "numerator"}, NOT_BOTH),
        ("i", {"value": "numerator", "denominator": "denominator"}, NOT_BOTH),
        ("i", {}, "Give the column to chart: value, or numerator and denominator."),
        ("i", {"denominator": "denominator"}, "A denominator needs its numerator."),
        *[(kind, {"value": "numerator"}, f"A chart of kind {kind} needs numerator and denominator.")
          for kind in ("p", "pp", "u", "up", "ip")],
        ("p", {"numerator": "numerator"}, "A chart of kind p needs numerator and denominator."),
        *[(kind, HALVES, NO_DENOMINATOR.format(kind)) for kind in ("c", "g", "t", "xbar", "s")],
        ("xbar", {"numerator": "numerator"}, "A chart of kind xbar needs value, one row per member of a subgroup."),
    ],
)  # fmt: skip
def test_the_columns_a_kind_of_chart_needs(kind, columns, message):
    refused(ParameterError, message, RATIOS, kind, period="period", **columns)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gaps": "join"}, "gaps: 'join' is neither 'break' nor 'bridge'."),
        ({"within": "range"}, "within: 'range' is not for a chart of kind i, which takes auto."),
        ({"per": 0}, "per: 0 is not a number above 0."),
        ({"per": -1000}, "per: -1000 is not a number above 0."),
        ({"per": np.nan}, "per: nan is not a number above 0."),
        ({"d2": 0}, "d2: 0 is not a number above 0."),
        ({"rules": "andersen"}, "rules: 'andersen' is not among anhoej, "),
        ({"rules": []}, "rules: none is not among anhoej, "),
        (
            {"rules": ["anhoej", "cut_box"]},
            "rules: anhoej and cut_box judge the same runs in different ways; choose one.",
        ),
        ({"by": "facilty"}, "by: facilty: the data have no column 'facilty'. Did you mean 'facility'?"),
        ({"by": ["facility", "xyz"]}, "the data have no column 'xyz'. It has 'period', 'value', 'wait', 'facility', "),
        ({"value": "wiat"}, "value: the data have no column 'wiat'. Did you mean 'wait'?"),
        ({"period": "perod"}, "period: the data have no column 'perod'. Did you mean 'period'?"),
    ],
    ids=repr,
)
def test_settings_that_cannot_be(arguments, message):
    refused(ParameterError, message, VALUES, "i", **{**OF_VALUES, **arguments})


def test_an_unknown_kind_is_answered_with_those_there_are():
    refused(
        ParameterError,
        "kind: 'P' is not among run, i, mr, xbar, s, p, pp, c, u, up, g, t, ip.",
        VALUES,
        "P",
        **OF_VALUES,
    )


def test_all_columns_that_are_not_there_are_told_at_once():
    with pytest.raises(ParameterError, match=r"numerator: the data .* 'a'.* denominator: the data .* 'b'.* by: c: "):
        spc.chart(RATIOS, "p", period="period", numerator="a", denominator="b", by="c")


def test_all_settings_that_cannot_be_are_told_at_once():
    with pytest.raises(ParameterError, match=r"Give the column.* gaps: .* within: .* per: "):
        spc.chart(VALUES, "i", period="period", gaps="x", within="y", per=-1)


@pytest.mark.parametrize(("kind", "within"), [("s", "range"), ("xbar", "median"), ("p", "pooled")])
def test_a_way_to_estimate_that_a_kind_does_not_have_is_not_passed_over(kind, within):
    data, columns = (RATIOS, OF_RATIOS) if kind == "p" else (VALUES, OF_VALUES)
    refused(
        ParameterError, f"within: {within!r} is not for a chart of kind {kind}", data, kind, **columns, within=within
    )


@pytest.mark.parametrize("rules", ["mdc", "outside", "nelson", ["anhoej", "western_electric"]])
def test_a_run_chart_has_no_limits_for_rules_to_ask_for(rules):
    message = "need control limits, which a run chart does not have. Choose anhoej or ihi, or a control chart."
    refused(ParameterError, message, VALUES, "run", **OF_VALUES, rules=rules)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [("p", {"gaps": "bridge"}), ("p", {"d2": 1.0}), ("i", {"narrow": False}), ("i", {"within": "pooled"})],
    ids=repr,
)
def test_an_argument_that_would_be_ignored_is_refused(kind, arguments):
    given = OF_VALUES if kind == "i" else OF_RATIOS
    with pytest.raises(ParameterError, match=next(iter(arguments))):
        spc.chart(VALUES if kind == "i" else RATIOS, kind, **given, **arguments)


# --- phases, baseline, exclude ------------------------------------------------------------------------------------

NEITHER = "is neither a column of the data nor a date."
MIXED = "are not dates, or not positions, throughout. Give dates where periods are dates, or positions counted from 0."
POSITION = "is not within {} to 11, the last period of the longest series. Positions count periods from 0."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"phases": "stgae"}, f"phases: 'stgae' {NEITHER}"),
        ({"phases": []}, "phases: an empty list says nothing. Leave the argument out instead."),
        ({"phases": [3, "2024-06-01"]}, f"phases: 3, '2024-06-01' {MIXED}"),
        ({"phases": [0]}, f"phases: position 0 {POSITION.format(1)}"),
        ({"phases": [12]}, f"phases: position 12 {POSITION.format(1)}"),
        ({"phases": [-2, 3]}, f"phases: position -2 {POSITION.format(1)}"),
        (
            {"phases": ["2025-01-01"]},
            "phases: '2025-01-01' does not lie within the data (2024-01-01 to 2024-12-01), so no phase could begin "
            "there.",
        ),
        ({"phases": ["2024-01-01"]}, "phases: '2024-01-01' does not lie within the data"),
        ({"baseline": "sometime"}, f"baseline: 'sometime' {NEITHER}"),
        ({"baseline": 1}, "baseline: 1 periods cannot show how much values vary. Give 2 or more."),
        (
            {"baseline": 13},
            "baseline: no series, nor phase of one, has 13 periods; the longest has 12. Give fewer, or leave the "
            "baseline out to use all.",
        ),
        ({"baseline": 7, "phases": [6]}, "baseline: no series, nor phase of one, has 7 periods; the longest has 6."),
        (
            {"baseline": "2023-12-01"},
            "baseline: 2023-12-01 lies before the first period, 2024-01-01, so no period would be in the baseline.",
        ),
        ({"exclude": []}, "exclude: an empty list says nothing. Leave the argument out instead."),
        ({"exclude": "oddd"}, f"exclude: 'oddd' {NEITHER}"),
        ({"exclude": [12]}, f"exclude: position 12 {POSITION.format(0)}"),
        ({"exclude": [-1]}, f"exclude: position -1 {POSITION.format(0)}"),
        (
            {"exclude": ["2024-02-02", "2024-03-01"]},
            "exclude: '2024-02-02' is no period of the data. Give periods as they stand in the data.",
        ),
        ({"exclude": [True, False]}, "exclude: 2 times true or false for 12 rows. Give one a row."),
        ({"exclude": [4, "2024-03-01"]}, f"exclude: 4, '2024-03-01' {MIXED}"),
    ],
    ids=lambda x: repr(x)[:40],
)
def test_a_time_that_cannot_be_met(arguments, message):
    refused(ParameterError, message, VALUES, "i", **OF_VALUES, **arguments)


@pytest.mark.parametrize("argument", ["phases", "baseline", "exclude"])
def test_numbered_periods_have_no_dates(argument):
    data = VALUES.assign(period=range(12))
    refused(
        ParameterError, f"{argument}: '2024-03-01' are not dates", data, "i", **OF_VALUES, **{argument: "2024-03-01"}
    )


@pytest.mark.parametrize("argument", ["phases", "baseline", "exclude"])
@pytest.mark.parametrize("given", [3.0, True], ids=repr)
def test_a_number_with_a_decimal_point_is_no_date_in_1970(argument, given):
    with pytest.raises(ParameterError) as told:
        spc.chart(VALUES, "i", **OF_VALUES, **{argument: given if argument == "baseline" else [given, given]})
    assert "1970" not in str(told.value)


def test_a_baseline_that_ends_after_the_data_is_refused_as_one_that_is_too_long():
    with pytest.raises(ParameterError, match="baseline: 2030-01-01"):
        spc.chart(VALUES, "i", **OF_VALUES, baseline="2030-01-01")


@pytest.mark.parametrize(("stage", "n"), [(None, 3), (np.nan, 1)])
def test_a_period_without_a_phase(stage, n):
    stages = [stage if number < n else "a" for number in range(12)]
    message = f"phases: {n} of 12 periods have no phase. Give each its phase, also months without a value."
    refused(DataError, message, VALUES.assign(stage=stages), "i", **OF_VALUES, phases="stage")


def test_a_phase_that_returns():
    message = "phases: 'a' begins more than once in a series. Give each stretch of time a name of its own."
    refused(DataError, message, VALUES.assign(stage=list("aaaabbbbaaaa")), "i", **OF_VALUES, phases="stage")


def test_two_phases_in_one_period():
    data = pd.concat([VALUES.assign(stage="a"), VALUES.assign(stage="b")])
    with pytest.raises(DataError, match=r"phases: .*2024-01"):
        spc.chart(data, "i", **OF_VALUES, phases="stage")


@pytest.mark.parametrize("argument", ["exclude", "baseline"])
@pytest.mark.parametrize("marks", [["yes", "no"], [True, None]], ids=repr)
def test_a_column_of_marks_that_is_not_true_or_false(argument, marks):
    message = f"{argument}: the column 'mark' is not true or false throughout."
    refused(DataError, message, VALUES.assign(mark=marks * 6), "i", **OF_VALUES, **{argument: "mark"})


def test_limits_of_runs_made_for_a_baseline_need_it_at_the_beginning():
    message = (
        "rules: anhoej_baseline needs the baseline at the beginning of each series. Exclude the periods before it."
    )
    data = VALUES.assign(base=[False, True] * 6)
    refused(ParameterError, message, data, "i", **OF_VALUES, baseline="base", rules="anhoej_baseline")


# --- data --------------------------------------------------------------------------------------------------------


def test_no_row_at_all():
    refused(DataError, "The data have no row, so there is nothing to chart.", EMPTY, "i", **OF_VALUES)


REMEDY = "Check that columns are not swapped, and mend or empty these rows."


@pytest.mark.parametrize(
    ("kind", "row", "message"),
    [
        ("p", (11, 10), "1 of 12 rows have a numerator above their denominator (2024-03-01: 11 of 10)."),
        ("pp", (11, 10), "1 of 12 rows have a numerator above their denominator (2024-03-01: 11 of 10)."),
        *[(kind, (2, 0), "1 of 12 rows have events (numerator) among nobody (denominator is 0) (2024-03-01: 2 of 0).")
          for kind in ("p", "pp", "u", "up", "ip", "i", "run")],
        ("p", (-1, 10), "1 of 12 rows hold a negative or infinite number (2024-03-01: -1 of 10)."),
        ("u", (1, -10), "1 of 12 rows hold a negative or infinite number (2024-03-01: 1 of -10)."),
        ("u", (np.inf, 10), "1 of 12 rows hold a negative or infinite number (2024-03-01: inf of 10)."),
        ("u", (1, np.inf), "1 of 12 rows hold a negative or infinite number (2024-03-01: 1 of inf)."),
        ("u", (np.nan, -1), "1 of 12 rows hold a negative or infinite number (2024-03-01: nan of -1)."),
    ],
)  # fmt: skip
def test_counts_that_cannot_be(kind, row, message):
    data = RATIOS.copy()
    data.loc[2, ["numerator", "denominator"]] = row
    refused(DataError, message, data.sample(frac=1, random_state=1), kind, **OF_RATIOS)
    refused(DataError, REMEDY, data, kind, **OF_RATIOS)


@pytest.mark.parametrize("kind", ["u", "up", "ip", "i", "run"])
def test_more_events_than_people_are_no_fault_of_a_rate(kind):
    data = RATIOS.assign(numerator=[30.0, 31.0] * 6)
    assert spc.chart(data, kind, **OF_RATIOS).points["value"].max() == 3.1


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        *[
            (kind, -4, "1 of 12 rows are negative, which a count or a time cannot be (2024-03-01: -4).")
            for kind in "cgt"
        ],
        ("i", np.inf, "1 of 12 rows are infinite (2024-03-01: inf)."),
        ("xbar", -np.inf, "1 of 12 rows are infinite (2024-03-01: -inf)."),
    ],
)
def test_values_that_cannot_be(kind, value, message):
    data = VALUES.copy()
    data.loc[2, "value"] = value
    refused(DataError, message, data, kind, **OF_VALUES)


def test_a_few_of_the_rows_are_named_by_series_and_period_and_all_faults_are_told():
    data = pd.concat([RATIOS.assign(hub="H"), RATIOS.assign(facility="B", hub="H")], ignore_index=True)
    data.loc[12:, "numerator"] = 11
    data.loc[[0, 1], ["numerator", "denominator"]] = [1, 0]
    with pytest.raises(DataError) as told:
        spc.chart(data, "p", **OF_RATIOS, by=["hub", "facility"])
    assert str(told.value) == (
        "2 of 24 rows have events (numerator) among nobody (denominator is 0) (H, A 2024-01-01: 1 of 0; "
        "H, A 2024-02-01: 1 of 0). 12 of 24 rows have a numerator above their denominator (H, B 2024-01-01: 11 of 10; "
        f"H, B 2024-02-01: 11 of 10; H, B 2024-03-01: 11 of 10; ...). {REMEDY}"
    )


def test_numbers_that_are_text():
    data = VALUES.assign(value=["1", "2", "many", "3", "n/a"] + ["4"] * 7)
    message = "2 of 12 rows: 'value' is not a number ('many', 'n/a'). Mend them, or leave them empty."
    refused(DataError, message, data, "i", **OF_VALUES)


@pytest.mark.parametrize("kind", ["i", "t"])
def test_dates_and_spans_of_time_are_not_numbers_of_nanoseconds(kind):
    for values in (VALUES["period"], pd.to_timedelta(np.arange(12), unit="D")):
        with pytest.raises(DataError, match="value"):
            spc.chart(VALUES.assign(value=values), kind, **OF_VALUES)


@pytest.mark.parametrize(
    ("periods", "message"),
    [
        (["soon", *["2024-02-01"] * 11],
         "1 of 12 rows: 'period' is no date ('soon'). Write dates as 2024-03-01, or give numbers."),
        (["2024-02-30", "01/02/2024", *["2024-02-01"] * 10],
         "2 of 12 rows: 'period' is no date ('2024-02-30', '01/02/2024')."),
        ([pd.NaT, *pd.date_range("2024-01-01", periods=11)],
         "1 of 12 rows: 'period' is missing. Every row needs its period."),
        ([np.nan, *range(11)], "1 of 12 rows: 'period' is missing. Every row needs its period."),
        (pd.array([None, *range(11)], dtype="Int64"), "1 of 12 rows: 'period' is missing. Every row needs its period."),
        ([True, False] * 6, "'period' is not a date or a finite number throughout. Write dates as 2024-03-01."),
    ],
    ids=lambda x: str(x)[:20],
)  # fmt: skip
def test_periods_that_are_none(periods, message):
    refused(DataError, message, VALUES.assign(period=periods), "i", **OF_VALUES)


def test_a_period_without_end():
    with pytest.raises(DataError, match="period"):
        spc.chart(VALUES.assign(period=[*range(11), np.inf]), "i", **OF_VALUES)


def test_periods_in_a_time_zone_whose_month_would_depend_on_it():
    with pytest.raises(DataError, match="time zone"):
        spc.chart(VALUES.assign(period=VALUES["period"].dt.tz_localize("Asia/Kolkata")), "i", **OF_VALUES)


@pytest.mark.parametrize(
    "names",
    [["A", None], ["A", np.nan], [1.0, np.nan], pd.Categorical(["A", None]), pd.array([1, None], dtype="Int64")],
    ids=lambda x: str(x)[:12],
)  # fmt: skip
@pytest.mark.parametrize("by", ["name", ["facility", "name"]])
def test_rows_that_belong_to_no_series(names, by):
    data = VALUES.assign(name=pd.Series(names).repeat([8, 4]).reset_index(drop=True))
    message = "4 of 12 rows: 'name' is missing. Every row needs its series."
    refused(DataError, message, data, "i", **OF_VALUES, by=by)


@pytest.mark.parametrize(
    "arguments",
    [{"by": ["facility", "facility"]}, {"by": "period"}, {"per": "1000"}, {"rules": 5}, {"phases": np.array(3.5)}],
    ids=repr,
)
def test_slips_are_refused_as_settings_and_do_not_surface_as_errors_of_pandas(arguments):
    with pytest.raises(ParameterError, match=next(iter(arguments))):
        spc.chart(VALUES, "i", **{**OF_VALUES, **arguments})


def test_ones_and_zeros_are_no_marks_of_rows():
    message = "exclude: numbers are positions. For one mark a row give true and false, not 1 and 0."
    refused(ParameterError, message, VALUES, "i", **OF_VALUES, exclude=[0] * 11 + [1])


def test_a_missing_date_of_the_baseline():
    with pytest.raises(ParameterError, match="baseline"):
        spc.chart(VALUES, "i", **OF_VALUES, baseline=pd.NaT)


def test_screen_is_true_or_false():
    refused(ParameterError, "screen: 'no' is neither True nor False.", VALUES, "i", **OF_VALUES, screen="no")
