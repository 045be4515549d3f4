"""The schema is the one source of checks, template and documentation, so it must not contradict itself."""

import pytest

from qieval.study.schema import COLLABORATIVE, TABLES, TYPES, Table

every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


def test_there_are_ten_tables_in_the_order_users_fill_them_in():
    assert list(TABLES) == [
        "facilities",
        "indicators",
        "measurements",
        "projects",
        "visits",
        "visit_totals",
        "events",
        "changes",
        "scores",
        "costs",
    ]


@every_table
def test_no_column_is_there_twice(table: Table):
    assert len(table.column_names) == len(set(table.column_names))


@every_table
def test_the_key_consists_of_columns_of_the_table(table: Table):
    assert set(table.key) <= set(table.column_names)


@every_table
def test_a_key_of_one_column_is_required(table: Table):
    assert len(table.key) > 1 or table.column(table.key[0]).required


@every_table
def test_every_reference_leads_to_a_table_with_a_key_of_one_column(table: Table):
    for column in table.columns:
        assert not column.refers_to or len(TABLES[column.refers_to].key) == 1


@every_table
def test_every_column_has_a_known_type_and_a_meaning(table: Table):
    for column in table.columns:
        assert column.type in TYPES
        assert column.meaning


@every_table
def test_names_fit_a_header_and_an_excel_sheet(table: Table):
    assert len(table.name) <= 31
    assert all(name == name.lower() and " " not in name for name in [table.name, *table.column_names])


@every_table
def test_allowed_values_are_written_in_small_letters_so_that_capitals_can_be_forgiven(table: Table):
    assert all(value == value.lower() for column in table.columns for value in column.allowed)


@every_table
def test_the_optional_column_of_a_shared_store_is_no_column_of_a_table(table: Table):
    assert COLLABORATIVE.name not in table.column_names


def test_only_a_plan_may_lie_in_the_future():
    future = [
        (table.name, column.name) for table in TABLES.values() for column in table.columns if column.may_be_future
    ]
    assert future == [("visits", "planned_on")]


def test_only_a_score_may_be_below_zero():
    free = [
        (table.name, column.name)
        for table in TABLES.values()
        for column in table.of_type("number", "count")
        if column.minimum is None
    ]
    assert free == [("scores", "score")]
