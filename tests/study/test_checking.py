"""What the door says about rows: every message, word by word."""

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from qieval.study.schema import TABLES

FACILITIES = "facility_id,joined_on\nF1,2023-01-01\nF2,2023-01-01\n"
INDICATORS = "indicator_id,name,kind,better\nanc,ANC visits,proportion,up\nlos,Length of stay,mean,down\n"
MEASURED = "facility_id,indicator_id,period,numerator,denominator\n"
VISITS = "visit_id,facility_id,mentor_type,planned_on,done_on\n"
PROJECTS = "project_id,started_on,ended_on,observed_to,status\n"


def visits(*rows: str) -> dict[str, str]:
    return {"facilities": FACILITIES, "visits": VISITS + "".join(f"{row}\n" for row in rows)}


def measured(*rows: str) -> dict[str, str]:
    table = MEASURED + "".join(f"{row}\n" for row in rows)
    return {"facilities": FACILITIES, "indicators": INDICATORS, "measurements": table}


def projects(*rows: str) -> dict[str, str]:
    return {"projects": PROJECTS + "".join(f"{row}\n" for row in rows)}


@pytest.fixture
def frame(folder: Any, open_door: Any):
    """One table of a folder of these CSV files, which must pass."""

    def read(table: str, reading: dict[str, str] | None = None, **tables: str) -> pd.DataFrame:
        study, wrong, _ = open_door(folder(**tables), **(reading or {}))
        assert wrong == []
        return study[table]

    return read


# --- types: what is read ---------------------------------------------------------------------------


def test_a_frame_has_all_columns_of_its_table_in_their_order(frame: Any):
    table = frame("indicators", indicators="better,kind,name,indicator_id\nup,proportion,ANC,anc\n")
    assert list(table.columns) == ["indicator_id", "name", "kind", "class", "better", "target", "per", "unit"]


def test_each_type_has_one_dtype_also_where_nothing_is_filled_in(frame: Any):
    columns = "cost_id,item,amount,currency"
    filled = frame("costs", costs=f"{columns},spent_on,in_kind\nc1,Tea,12.5,INR,2023-01-01,no\n").dtypes
    blank = frame("costs", costs=f"{columns},spent_on,in_kind\nc1,Tea,12.5,INR,,\n").dtypes
    absent = frame("costs", costs=f"{columns}\n", facilities=FACILITIES).dtypes
    assert filled.astype(str).to_dict() == {
        "cost_id": "object",
        "spent_on": "datetime64[ns]",
        "item": "object",
        "phase": "object",
        "amount": "float64",
        "currency": "object",
        "payer": "object",
        "in_kind": "boolean",
    }
    assert filled.equals(blank)
    assert filled.equals(absent)


def test_missing_is_never_zero_and_never_a_text(frame: Any):
    row = frame("facilities", facilities="facility_id,name,wave,joined_on\nF1,,,\n").iloc[0]
    assert row["name"] is None
    assert pd.isna(row["wave"])
    assert pd.isna(row["joined_on"])


@pytest.mark.parametrize("text", ["NA", "-", "None", "0", "=1+1", "<b>x</b>"])
def test_free_text_is_kept_as_it_is(frame: Any, text: str):
    assert frame("facilities", facilities=f"facility_id,district\nF1,{text}\n")["district"].tolist() == [text]


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("12.5", 12.5), ("+3", 3), ("1.5e3", 1500), ("007", 7)])
def test_numbers(frame: Any, text: str, number: float):
    costs = f"cost_id,item,amount,currency\nc1,Tea,{text},INR\n"
    assert frame("costs", costs=costs)["amount"].tolist() == [number]


def test_a_decimal_comma_is_read_where_it_is_declared(frame: Any):
    costs = "cost_id;item;amount;currency\nc1;Tea;1,5;INR\nc2;Tea;12;INR\n"
    declared = {"separator": ";", "decimal": ","}
    assert frame("costs", declared, costs=costs)["amount"].tolist() == [1.5, 12]


def test_whole_numbers_may_end_in_point_zero_as_programs_write_them(frame: Any):
    assert frame("facilities", facilities="facility_id,wave\nF1,2.0\nF2,3\n")["wave"].tolist() == [2, 3]


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("TRUE", True), ("1", True), ("No", False), ("0", False)])
def test_yes_and_no(frame: Any, text: str, value: bool):
    costs = f"cost_id,item,amount,currency,in_kind\nc1,Tea,1,INR,{text}\n"
    assert frame("costs", costs=costs)["in_kind"].tolist() == [value]


@pytest.mark.parametrize("text", ["2023-03-01", "2023-03-01 00:00:00", "2023-03-01T00:00"])
def test_dates(frame: Any, text: str):
    assert frame("facilities", facilities=f"facility_id,joined_on\nF1,{text}\n")["joined_on"].tolist() == [
        pd.Timestamp("2023-03-01")
    ]


def test_a_month_may_be_written_without_its_day(frame: Any):
    table = frame("measurements", **measured("F1,anc,2023-03,1,2"))
    assert table["period"].tolist() == [pd.Timestamp("2023-03-01")]


def test_allowed_values_forgive_capitals_spaces_and_hyphens(frame: Any):
    events = "event_id,held_on,kind\ne1,2023-01-01,Learning Session\ne2,2023-01-02,learning-session\n"
    assert frame("events", events=events)["kind"].tolist() == ["learning_session", "learning_session"]


# --- types: what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["03/04/2023", "31.12.2022", "2023-02-30", "Jan-23", "2023-1-5", "20230105"])
def test_a_day_month_order_is_never_guessed(errors: Any, text: str):
    assert errors(**visits(f"v1,F1,hub,,{text}")) == [
        f"visits.csv, row 2, done_on {text!r}: not a date -> write it as YYYY-MM-DD"
    ]


def test_a_date_that_does_not_exist_is_told_with_sheet_and_row(workbook: Any, open_door: Any):
    rows = [[f"v{number}", "F1", "hub", None, dt.date(2023, 1, 1)] for number in range(2, 17)]
    path = workbook(
        facilities=[["facility_id"], ["F1"]],
        visits=[VISITS.strip().split(","), *rows, ["v17", "F1", "hub", None, "2023-02-30"]],
    )
    assert open_door(path)[1] == [
        "study.xlsx, sheet visits, row 17, done_on '2023-02-30': not a date -> write it as YYYY-MM-DD"
    ]


def test_a_date_shown_as_a_number_is_told_how_to_become_one(errors: Any):
    assert errors(**visits("v1,F1,hub,,44958")) == [
        "visits.csv, row 2, done_on '44958': not a date -> "
        "format the cell as a date in Excel, or write it as YYYY-MM-DD"
    ]


@pytest.mark.parametrize("text", ["Jan 2023", "202301", "2023-13", "01.01.2023"])
def test_a_month_is_not_guessed(errors: Any, text: str):
    assert errors(**measured(f"F1,anc,{text},1,2")) == [
        f"measurements.csv, row 2, period {text!r}: not a month -> write its first day as YYYY-MM-01"
    ]


@pytest.mark.parametrize("text", ["twelve", "2 000", "₹5", "~40", "12/30", "1e999", "1.234.567", "१२"])
def test_a_number_is_not_guessed(errors: Any, text: str):
    assert errors(**measured(f"F1,anc,2023-01-01,1,{text}")) == [
        f"measurements.csv, row 2, denominator {text!r}: not a number -> "
        "write digits only, with a point for decimals, and leave it blank if not known"
    ]


def test_a_comma_is_told_how_to_be_declared_and_never_guessed_to_be_thousands(errors: Any):
    assert errors(**measured('F1,anc,2023-01-01,1,"1,234"')) == [
        "measurements.csv, row 2, denominator '1,234': not a number -> write digits only, with a point for decimals; "
        "if all decimals here have a comma, add 'options: {reading: {decimal: \",\"}}' to the parameters"
    ]


def test_a_per_cent_sign_is_told_what_to_write_instead(errors: Any):
    assert errors(**measured("F1,anc,2023-01-01,45%,100")) == [
        "measurements.csv, row 2, numerator '45%': not a number -> "
        "write it without the per cent sign: 0.9 for a target of 90%, a count for a numerator"
    ]


def test_a_point_is_refused_under_a_decimal_comma_because_it_may_be_a_thousand(folder: Any, open_door: Any):
    home = folder(costs="cost_id;item;amount;currency\nc1;Tea;1.234;INR\n")
    assert open_door(home, separator=";", decimal=",")[1] == [
        "costs.csv, row 2, amount '1.234': not a number -> "
        "write digits only, with a comma for decimals, and leave it blank if not known"
    ]


def test_a_count_of_1_000_is_not_read_as_one(folder: Any, open_door: Any):
    said = "not a whole number -> write digits only, and leave it blank if not known"
    pointed = folder(facilities="facility_id;wave\nF1;1.000\nF2;2.5\n")
    assert open_door(pointed, separator=";")[1] == [
        f"facilities.csv, row 2, wave '1.000': {said}",
        f"facilities.csv, row 3, wave '2.5': {said}",
    ]
    pointed = folder(facilities="facility_id;wave\nF1;1.000\nF2;2,0\n")
    assert open_door(pointed, separator=";", decimal=",")[1] == [f"facilities.csv, row 2, wave '1.000': {said}"]


def test_neither_yes_nor_no(errors: Any):
    assert errors(costs="cost_id,item,amount,currency,in_kind\nc1,Tea,1,INR,maybe\n") == [
        "costs.csv, row 2, in_kind 'maybe': neither yes nor no -> write yes or no"
    ]


@pytest.mark.parametrize("text", ["NA", "n/a", "-", "–", "?", "none", "Unknown"])
def test_a_word_for_not_known_is_told_to_leave_the_cell_blank(errors: Any, text: str):
    said = "leave the cell blank if it is not known"
    assert errors(**visits(f"v1,F1,hub,{text},2023-01-01")) == [
        f"visits.csv, row 2, planned_on {text!r}: not a date -> {said}"
    ]
    assert errors(**measured(f"F1,anc,2023-01-01,{text},5")) == [
        f"measurements.csv, row 2, numerator {text!r}: not a number -> {said}, or write 0 if it is none"
    ]
    assert errors(facilities=f"facility_id,setting,hub_id\nF1,{text},{text}\n") == [
        f"facilities.csv, row 2, setting {text!r}: not a known value -> {said}",
        f"facilities.csv, row 2, hub_id {text!r}: no such facility_id in facilities -> {said}",
    ]


def test_where_something_must_be_known_blank_is_no_way_out(errors: Any):
    assert errors(**visits("v1,F1,n/a,,2023-01-01")) == [
        "visits.csv, row 2, mentor_type 'n/a': not a known value -> write one of: network, hub, district, peer"
    ]


@pytest.mark.parametrize("text", ["#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?", "########"])
def test_an_error_of_the_spreadsheet_is_not_a_value_of_any_type(errors: Any, text: str):
    said = (
        "an error of the spreadsheet, not a value -> "
        "mend the formula or widen the column in Excel, or leave the cell blank if it is not known"
    )
    assert errors(facilities=f"facility_id,name,setting,wave,joined_on\nF1,{text},{text},{text},{text}\n") == [
        f"facilities.csv, row 2, {column} {text!r}: {said}" for column in ("name", "setting", "wave", "joined_on")
    ]


# --- columns ---------------------------------------------------------------------------------------


def test_a_missing_column_is_told_with_its_meaning(errors: Any):
    assert errors(facilities=FACILITIES, visits="visit_id,facility_id,planned_on,done_on\nv1,F1,,2023-01-01\n") == [
        "visits.csv: the column 'mentor_type' is missing -> add it: who mentors"
    ]


EXPECTED = {
    "measurements": {"numerator": "people or events that count; for a mean or a time, the sum of the values"},
    "projects": {"started_on": "day work began", "ended_on": "day it was completed or abandoned"},
    "visits": {
        "planned_on": "day planned; blank: the visit was not planned",
        "done_on": "day done; blank: the visit was not made",
    },
    "visit_totals": {"planned": "visits planned", "done": "visits done"},
}


@pytest.mark.parametrize("table", EXPECTED)
def test_a_column_that_may_be_blank_but_not_absent_is_told_with_its_meaning(errors: Any, table: str):
    required = ",".join(column.name for column in TABLES[table].columns if column.required)
    assert errors(**{table: f"{required}\n"}) == [
        f"{table}.csv: the column {name!r} is missing -> add it: {meaning}" for name, meaning in EXPECTED[table].items()
    ]


def test_no_other_column_that_may_be_blank_must_be_there():
    expected = {name: [one.name for one in table.columns if one.expected] for name, table in TABLES.items()}
    assert {name: columns for name, columns in expected.items() if columns} == {
        name: list(columns) for name, columns in EXPECTED.items()
    }


def test_the_cells_of_a_column_that_must_be_there_may_be_blank(errors: Any):
    assert errors(**measured("F1,anc,2023-12-01,,")) == []
    assert errors(**projects("p1,,,,planned")) == []
    assert errors(**visits("v1,F1,hub,2023-01-01,", "v2,F1,hub,,2023-01-01")) == []
    assert errors(visit_totals="mentor_type,planned,done\nhub,,\n") == []


def test_a_missing_column_is_told_with_those_that_may_hold_it(errors: Any):
    table = "visit_id,facility_id,mentor_type,planned_on,a,b,c,d,e,f\nv1,F1,hub,,1,2,3,4,5,6\n"
    assert errors(facilities=FACILITIES, visits=table) == [
        "visits.csv: the column 'done_on' is missing -> add it: day done; blank: the visit was not made "
        "(or rename the column that holds it; not read: a, b, c, d, e)"
    ]


def test_a_misspelt_required_column_is_told_to_be_renamed(errors: Any):
    assert errors(facilities="facilityid\nF1\n") == [
        "facilities.csv: the column 'facility_id' is missing -> rename 'facilityid' to 'facility_id'"
    ]


def test_a_misspelt_column_is_told_with_the_nearest_name(warned: Any):
    assert warned(facilities="facility_id,settings\nF1,rural\n") == [
        "facilities.csv: the column 'settings' is not known and was not read -> did you mean 'setting'?"
    ]


def test_a_column_of_one_s_own_is_told_and_left_alone(warned: Any):
    assert warned(facilities="facility_id,remarks\nF1,nice view\n") == [
        "facilities.csv: the column 'remarks' is not known and was not read -> nothing to do if it is your own"
    ]


def test_a_table_of_unknown_columns_only(errors: Any):
    assert errors(visits="a,b\n1,2\n") == [
        f"visits.csv: the column {name!r} is missing -> add it: {meaning} "
        "(or rename the column that holds it; not read: a, b)"
        for name, meaning in (
            ("visit_id", "short id"),
            ("facility_id", "facility to be visited"),
            ("mentor_type", "who mentors"),
            ("planned_on", "day planned; blank: the visit was not planned"),
            ("done_on", "day done; blank: the visit was not made"),
        )
    ]


# --- cells -----------------------------------------------------------------------------------------


def test_a_blank_in_a_required_column_is_told_with_its_meaning(errors: Any):
    assert errors(**visits("v1,F1,,,2023-01-01")) == [
        "visits.csv, row 2, mentor_type: mentor_type is blank -> fill it in: who mentors"
    ]


def test_an_unknown_value_is_told_with_the_nearest_allowed(errors: Any):
    assert errors(**visits("v1,F1,netwrok,,2023-01-01", "v2,F1,boss,,2023-01-01")) == [
        "visits.csv, row 2, mentor_type 'netwrok': not a known value -> "
        "did you mean 'network'? Allowed are: network, hub, district, peer",
        "visits.csv, row 3, mentor_type 'boss': not a known value -> write one of: network, hub, district, peer",
    ]


def test_a_value_is_not_taken_for_one_that_means_something_else(errors: Any):
    assert errors(**projects("p1,2023-01-01,2023-02-01,,done")) == [
        "projects.csv, row 2, status 'done': not a known value -> write one of: planned, ongoing, completed, abandoned"
    ]


def test_a_number_below_its_minimum(errors: Any):
    assert errors(facilities="facility_id,wave\nF1,-1\n") == [
        "facilities.csv, row 2, wave '-1': below 0 -> correct it, or leave it blank if not known"
    ]
    assert errors(facilities=FACILITIES, indicators="indicator_id,name,kind,better,per\na,A,rate,up,0\n") == [
        "indicators.csv, row 2, per '0': not above 0 -> correct it, or leave it blank if not known"
    ]


def test_a_score_may_be_below_zero(frame: Any):
    scores = "instrument,subject,item,scored_on,score\nbalance,facility,a,2023-01-01,-2\n"
    assert frame("scores", scores=scores)["score"].tolist() == [-2]


def test_a_date_that_gives_the_month_only_is_read_as_its_first_day_and_said(warned: Any):
    assert warned(facilities="facility_id,joined_on\nF1,2023-03\n") == [
        "facilities.csv, row 2, joined_on '2023-03': gives the month only and was read as its first day -> "
        "write the day if it is known"
    ]


def test_a_period_that_is_not_the_first_day_is_read_as_its_month_and_said(warned: Any):
    assert warned(**measured("F1,anc,2023-11-15,1,2")) == [
        "measurements.csv, row 2, period '2023-11-15': not the first day of the month; read as that month -> "
        "write the month's first day"
    ]


def test_rows_beyond_the_fifth_of_one_kind_are_counted(errors: Any):
    rows = [f"v{number},F1,hub,,soon" for number in range(2, 9)]
    assert errors(**visits(*rows)) == [
        *(f"visits.csv, row {row}, done_on 'soon': not a date -> write it as YYYY-MM-DD" for row in range(2, 7)),
        "visits.csv: the same in 2 more rows: 7, 8",
    ]


def test_one_row_more_and_very_many_rows_more(errors: Any):
    assert errors(**visits(*["v,F1,boss,2023-01-01,"] * 6))[5] == "visits.csv: the same in 1 more row: 7"
    assert errors(**visits(*["v,F1,boss,2023-01-01,"] * 20))[5] == (
        "visits.csv: the same in 15 more rows: 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, ..."
    )


def test_a_cell_of_many_lines_is_shown_on_one(errors: Any):
    assert errors(**visits('v1,F1,hub,,"soon\nor  later"')) == [
        "visits.csv, row 2, done_on 'soon or later': not a date -> write it as YYYY-MM-DD"
    ]


def test_the_same_remark_on_the_same_rows_is_one_line_for_all_columns(warned: Any):
    rows = ["p1,2023-01,2023-02,,completed", "p2,2023-01,2023-03,,completed", "p3,2023-01-05,2023-02-05,,completed"]
    assert warned(**projects(*rows, "p4,2023-01,2023-04,,completed")) == [
        "projects.csv, rows 2-3 and 5, started_on and ended_on ('2023-01', '2023-02', '2023-03', ...): gives the month "
        "only and was read as its first day -> write the day if it is known"
    ]


def test_the_same_remark_on_other_rows_is_a_line_of_its_own(warned: Any):
    rows = ["p1,2023-01,2023-02-05,,completed", "p2,2023-01,2023-03,,completed"]
    assert [line.split(":")[0] for line in warned(**projects(*rows))] == [
        "projects.csv, rows 2-3, started_on ('2023-01')",
        "projects.csv, row 3, ended_on '2023-03'",
    ]


def test_rows_in_very_many_pieces_are_counted_beyond_the_twentieth(warned: Any):
    rows = [f"p{row},2023-01{'' if row % 2 else '-05'},2023-02-05,,completed" for row in range(2, 50)]
    (said,) = warned(**projects(*rows))
    assert said.startswith("projects.csv, rows 3, 5, 7, 9, 11, 13, ")
    assert "39, 41 and 4 more, started_on" in said


def test_tables_come_in_the_order_of_the_dictionary_and_rows_in_theirs(errors: Any):
    rows = ["v1,F1,hub,,2023-01-01", "v2,F1,boss,,2023-01-01", "v3,F7,hub,,2023-01-01", "v4,F1,boss,,2023-01-01"]
    said = errors(**visits(*rows) | {"facilities": "facility_id,setting\nF1,\nF2,hill\n"})
    assert [line.split(" '")[0] for line in said] == [
        "facilities.csv, row 3, setting",
        "visits.csv, row 3, mentor_type",
        "visits.csv, row 4, facility_id",
        "visits.csv, row 5, mentor_type",
    ]


# --- keys ------------------------------------------------------------------------------------------


def test_a_key_given_twice_is_told_with_the_row_of_the_first(errors: Any):
    assert errors(facilities="facility_id\nF1\nF2\nF1\n") == [
        "facilities.csv, row 4: the same facility_id as row 2 (F1) -> keep one of the two rows"
    ]


def test_a_key_of_several_columns_is_told_whole(errors: Any):
    assert errors(**measured("F1,anc,2023-01-01,1,2", "F1,anc,2023-01,1,2")) == [
        "measurements.csv, row 3: the same facility_id, indicator_id and period as row 2 (F1, anc, 2023-01) -> "
        "keep one of the two rows"
    ]


def test_a_key_given_many_times_is_counted(errors: Any):
    said = errors(facilities="facility_id\n" + "F1\n" * 9)
    assert len(said) == 6
    assert said[-1] == "facilities.csv: the same in 3 more rows: 8, 9, 10"


def test_optional_parts_of_a_key_that_are_blank_are_equal(errors: Any):
    totals = "mentor_type,planned,done\nhub,4,2\nhub,5,1\n"
    assert errors(visit_totals=totals) == [
        "visit_totals.csv, row 3: the same mentor_type, setting, from and to as row 2 "
        "(hub, (blank), (blank), (blank)) -> keep one of the two rows"
    ]


def test_blank_keys_are_not_each_other_s_doubles(errors: Any):
    assert errors(facilities="facility_id,name\n,Hill\n,Vale\n") == [
        f"facilities.csv, row {row}, facility_id: facility_id is blank -> fill it in: short id used in all other tables"
        for row in (2, 3)
    ]


@pytest.mark.parametrize("text", ["Total", "TOTAL:", "Grand total", "Sum"])
def test_a_row_of_totals_is_not_a_facility(errors: Any, text: str):
    assert errors(facilities=f"facility_id\nF1\n{text}\n") == [
        f"facilities.csv, row 3, facility_id {text!r}: a row of totals -> remove the row; totals are calculated"
    ]


# --- references ------------------------------------------------------------------------------------


def test_an_unknown_facility_is_told_with_the_nearest_known(errors: Any):
    facilities = "facility_id\nKangra\nMandi\n"
    visits = VISITS + "v1,Kangara,hub,,2023-01-01\nv2,KANGRA,hub,,2023-01-01\nv3,Una,hub,,2023-01-01\n"
    assert errors(facilities=facilities, visits=visits) == [
        "visits.csv, row 2, facility_id 'Kangara': no such facility_id in facilities -> did you mean 'Kangra'?",
        "visits.csv, row 3, facility_id 'KANGRA': no such facility_id in facilities -> did you mean 'Kangra'?",
        "visits.csv, row 4, facility_id 'Una': no such facility_id in facilities -> "
        "add it to facilities.csv, or correct it",
    ]


def test_a_whole_column_of_unknown_ids_is_one_mistake(errors: Any):
    assert errors(**visits(*(f"v{number},Z{number},hub,,2023-01-01" for number in range(200))))[4:] == [
        "visits.csv, row 6, facility_id 'Z4': no such facility_id in facilities -> "
        "add it to facilities.csv, or correct it",
        "visits.csv: the same in 195 more rows: 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, ...",
    ]


def test_a_hub_is_a_facility(errors: Any):
    assert errors(facilities="facility_id,hub_id\nF1,F9\n") == [
        "facilities.csv, row 2, hub_id 'F9': no such facility_id in facilities -> "
        "add it to facilities.csv, or correct it"
    ]


def test_a_table_that_others_refer_to_must_be_there(errors: Any):
    assert errors(visits=VISITS + "v1,F1,hub,,2023-01-01\n") == [
        "visits.csv: its facility_id refers to the table facilities, which is not there -> add the table facilities"
    ]


def test_a_table_that_is_there_but_could_not_be_read_is_not_called_absent(errors: Any):
    assert errors(facilities=b"facility_id\nAn\xe9\n", visits=VISITS + "v1,F1,hub,,2023-01-01\n") == [
        "facilities.csv: not UTF-8 text -> save it from Excel as 'CSV UTF-8'"
    ]


def test_ids_meet_although_one_is_a_number_and_the_other_a_text(workbook: Any, open_door: Any):
    path = workbook(
        facilities=[["facility_id"], [12]],
        visits=[VISITS.strip().split(","), [1, "12 ", "hub", None, dt.date(2023, 1, 1)]],
    )
    assert open_door(path)[1] == []


# --- dates -----------------------------------------------------------------------------------------


def test_a_fact_cannot_lie_after_the_data_cut(errors: Any):
    assert errors(**visits("v1,F1,hub,,2024-01-01")) == [
        "visits.csv, row 2, done_on '2024-01-01': after the data cut 2023-12-31 -> "
        "correct it, or move data_cut in the parameters"
    ]


def test_a_period_cannot_begin_after_the_data_cut(errors: Any):
    assert errors(**measured("F1,anc,2024-01-01,1,2")) == [
        "measurements.csv, row 2, period '2024-01-01': after the data cut 2023-12-31 -> "
        "correct it, or move data_cut in the parameters"
    ]


def test_the_day_of_the_data_cut_is_still_before_it(warned: Any):
    assert warned(**visits("v1,F1,hub,,2023-12-31")) == []


def test_a_planned_visit_may_lie_after_the_data_cut(warned: Any):
    assert warned(**visits("v1,F1,hub,2024-03-01,")) == []


def test_a_slip_in_the_year_is_noticed(warned: Any):
    assert warned(**visits("v1,F1,hub,2203-05-01,1923-05-01")) == [
        "visits.csv, row 2, planned_on '2203-05-01': over 50 years from the data cut -> check the year",
        "visits.csv, row 2, done_on '1923-05-01': over 50 years from the data cut -> check the year",
    ]


@pytest.mark.parametrize(
    ("table", "content", "end", "start"),
    [
        (
            "facilities",
            "facility_id,joined_on,support_ended_on\nF1,2023-02-01,2023-01-01\n",
            "support_ended_on",
            "joined_on",
        ),
        ("projects", PROJECTS + "p1,2023-02-01,2023-01-01,,completed\n", "ended_on", "started_on"),
        ("projects", PROJECTS + "p1,2023-02-01,,2023-01-01,ongoing\n", "observed_to", "started_on"),
        ("visit_totals", "mentor_type,from,to,planned,done\nhub,2023-02-01,2023-01-01,4,2\n", "to", "from"),
    ],
)
def test_nothing_ends_before_it_starts(errors: Any, table: str, content: str, end: str, start: str):
    assert errors(**{table: content}) == [
        f"{table}.csv, row 2, {end} '2023-01-01': before {start} -> correct one of the two dates"
    ]


# --- indicators and measurements -------------------------------------------------------------------


def test_the_target_of_a_proportion_is_one(errors: Any):
    indicators = "indicator_id,name,kind,better,target\na,A,proportion,up,90\nb,B,rate,down,90\n"
    assert errors(indicators=indicators) == [
        "indicators.csv, row 2, target '90': above 1 for a proportion -> write 0.9 for 90%"
    ]


def test_a_numerator_is_not_above_its_denominator(errors: Any):
    assert errors(**measured("F1,anc,2023-01-01,41,38")) == [
        "measurements.csv, row 2, numerator '41': above its denominator 38 -> check that the two are not swapped"
    ]


def test_numerators_above_their_denominators_are_counted(errors: Any):
    said = errors(**measured(*(f"F1,anc,2023-{month:02}-01,{month},0" for month in range(1, 8))))
    assert said[4:] == [
        "measurements.csv, row 6, numerator '5': above its denominator 0 -> check that the two are not swapped",
        "measurements.csv: the same in 2 more rows: 7, 8",
    ]


def test_a_mean_is_not_taken_over_nobody(errors: Any):
    assert errors(**measured("F1,los,2023-01-01,41,0")) == [
        "measurements.csv, row 2, numerator '41': above its denominator 0 -> correct one of the two"
    ]


def test_a_mean_may_be_above_one_and_nobody_may_be_eligible(warned: Any):
    assert warned(**measured("F1,los,2023-12-01,41,2", "F1,anc,2023-12-01,0,0")) == []


def test_a_count_needs_no_denominator(warned: Any):
    indicators = "indicator_id,name,kind,better\nfall,Falls,count,down\n"
    table = MEASURED + "F1,fall,2023-12-01,3,\n"
    assert warned(facilities=FACILITIES, indicators=indicators, measurements=table) == []


def test_a_numerator_without_a_denominator_is_left_out_and_said(warned: Any):
    assert warned(**measured("F1,anc,2023-12-01,3,")) == [
        "measurements.csv, row 2, numerator '3': has no denominator; the month is left out -> "
        "fill in the denominator if it is known"
    ]


def test_a_denominator_without_a_numerator_is_left_out_and_never_taken_for_zero(warned: Any):
    assert warned(**measured("F1,anc,2023-12-01,,3")) == [
        "measurements.csv, row 2, numerator: is blank beside a denominator; the month is left out -> "
        "fill it in if it is known, 0 if nobody counts"
    ]


def test_part_of_a_person_is_noticed_because_it_is_usually_a_percentage(warned: Any):
    said = "not a whole number, though it counts people or events -> write the count, not a percentage"
    assert warned(**measured("F1,anc,2023-11-01,0.45,1", "F1,anc,2023-12-01,1,2.5")) == [
        f"measurements.csv, row 2, numerator '0.45': {said}",
        f"measurements.csv, row 3, denominator '2.5': {said}",
    ]


def test_missing_months_are_said_per_series(warned: Any):
    rows = ["F1,anc,2023-09-01,1,2", "F1,anc,2023-12-01,1,2", "F2,anc,2023-10-01,1,2", "F2,anc,2023-12-01,1,2"]
    assert warned(**measured(*rows)) == [
        "measurements.csv, period: months are missing between the first and the last "
        "(F1 anc: 2 months; F2 anc: 1 month) -> add them if they are known; they stay gaps"
    ]


def test_many_series_with_missing_months_are_counted(warned: Any):
    facilities = "facility_id,joined_on\n" + "".join(f"F{number},2023-01-01\n" for number in range(7))
    rows = "".join(f"F{number},anc,2023-{month}-01,1,2\n" for number in range(7) for month in ("10", "12"))
    said = warned(facilities=facilities, indicators=INDICATORS, measurements=MEASURED + rows)
    assert said[0].endswith("F4 anc: 1 month; and 2 more series) -> add them if they are known; they stay gaps")


NOT_JOINED = (
    "has no joined_on, so its months before and after cannot be told apart -> "
    "fill in the day its improvement work began"
)


def test_a_facility_measured_without_the_day_it_joined_is_said(warned: Any):
    tables = measured("F1,anc,2023-12-01,1,2")
    facilities = "facility_id,role,joined_on\nF1,,2023-01-01\nF2,,\nF3,hub,\nF4,comparison,\n"
    assert warned(**{**tables, "facilities": facilities}) == [
        f"facilities.csv, rows 3-4, facility_id ('F2', 'F3'): {NOT_JOINED}",
    ]
    assert warned(**{**tables, "facilities": "facility_id\nF1\n"}) == [
        f"facilities.csv, row 2, facility_id 'F1': {NOT_JOINED}"
    ]


def test_the_day_a_facility_joined_is_not_asked_for_where_nothing_is_measured(warned: Any):
    assert warned(facilities="facility_id\nF1\n", visits=VISITS + "v1,F1,hub,,2023-01-01\n") == []


def test_a_day_of_joining_that_cannot_be_read_is_told_once(folder: Any, open_door: Any):
    tables = {**measured("F1,anc,2023-12-01,1,2"), "facilities": "facility_id,joined_on\nF1,soon\n"}
    assert open_door(folder(**tables))[1:] == (
        ["facilities.csv, row 2, joined_on 'soon': not a date -> write it as YYYY-MM-DD"],
        [],
    )


# --- projects and visits ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["planned", "ongoing"])
def test_what_has_ended_is_not_open(errors: Any, status: str):
    assert errors(**projects(f"p1,2023-01-01,2023-02-01,,{status}")) == [
        f"projects.csv, row 2, status {status!r}: has an ended_on -> write completed or abandoned, or remove the date"
    ]


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ("p1,,2023-02-01,,completed", "completed"),
        ("p1,2023-01-01,,,abandoned", "abandoned"),
        ("p1,,,,ongoing", "ongoing"),
    ],
)
def test_a_project_whose_duration_cannot_be_known_is_said(warned: Any, row: str, status: str):
    assert warned(**projects(row)) == [
        f"projects.csv, row 2, status {status!r}: has no start or no end; its duration is not known -> "
        "fill in the dates if they are known"
    ]


def test_a_planned_project_needs_no_dates(warned: Any):
    assert warned(**projects("p1,,,,planned", "p2,2023-01-01,,,ongoing")) == []


def test_a_visit_was_planned_or_done(errors: Any):
    assert errors(**visits("v1,F1,hub,,")) == [
        "visits.csv, row 2, visit_id 'v1': neither planned_on nor done_on is given -> fill in one or both"
    ]


# --- all at once -----------------------------------------------------------------------------------


def test_everything_wrong_is_told_at_once(errors: Any):
    said = errors(
        facilities="facility_id,setting\nF1,rurall\nF1,urban\n",
        visits=VISITS + "v1,F1,hub,,2023-02-30\nv2,F7,hub,,2025-01-01\n,F1,hub,,2023-01-01\n",
        projects="project_id\np1\n",
    )
    assert [line.split(":")[0] for line in said] == [
        "facilities.csv, row 2, setting 'rurall'",
        "facilities.csv, row 3",
        "projects.csv",
        "projects.csv",
        "projects.csv",
        "visits.csv, row 2, done_on '2023-02-30'",
        "visits.csv, row 3, facility_id 'F7'",
        "visits.csv, row 3, done_on '2025-01-01'",
        "visits.csv, row 4, visit_id",
    ]


def test_a_table_with_a_header_only_has_nothing_wrong(warned: Any):
    assert warned(**measured()) == []
    assert warned(**visits()) == []
    assert warned(facilities=FACILITIES, **projects()) == []


@pytest.mark.parametrize("table", TABLES)
def test_no_rule_breaks_on_a_table_that_has_none_of_its_columns(errors: Any, table: str):
    assert all("is missing" in line for line in errors(**{table: "zzz\n1\n"}))


def test_a_total_of_all_settings_beside_single_settings_is_doubted(warned: Any):
    totals = "mentor_type,setting,planned,done\nhub,rural,4,2\nhub,urban,4,3\nhub,,8,5\nnetwork,,3,3\n"
    assert warned(visit_totals=totals) == [
        "visit_totals.csv, row 4, mentor_type 'hub': counts all settings, beside rows of the same mentor type for "
        "single settings; all are added up -> remove it if it is their sum"
    ]
