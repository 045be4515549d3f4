"""What a notebook shows: text stays text, numbers stay numbers, and names of files stay in their folder."""

import csv
import io
import re

import pandas as pd
import pytest

from qieval.present.display import Cell, KeyFigures, Table, Text, file_name, safe_csv


def test_a_table_escapes_what_it_shows_and_keeps_unrounded_numbers_beside():
    frame = pd.DataFrame({"Facility": ["<b>A</b>"], "Value": ["1.2"]})
    table = Table(
        name="t", caption="A & B", shown=frame, data=pd.DataFrame({"value": [1.23456789]}), numeric=("Value",)
    )
    data, metadata = table._repr_mimebundle_()
    assert '<th scope="row">&lt;b&gt;A&lt;/b&gt;</th><td class="number">1.2</td>' in data["text/html"]
    assert "<caption>A &amp; B</caption>" in data["text/html"]
    assert data["text/csv"] == "value\n1.23456789\n"
    assert metadata["qieval"]["name"] == "t"


@pytest.mark.parametrize(("head", "css"), [("12", ""), ("Jan 2023", ""), ("Community health centre", ' class="long"')])
def test_only_long_texts_at_the_head_of_rows_are_given_room(head, css):
    table = Table(name="t", caption="x", shown=pd.DataFrame({"Head": [head], "n": ["1"]}), data=pd.DataFrame())
    assert f'<th scope="row"{css}>{head}</th>' in table._repr_mimebundle_()[0]["text/html"]


def test_a_date_in_a_table_is_not_parted_over_two_lines():
    shown = pd.DataFrame({"Id": ["1"], "Began": ["Aug 2018"], "Ended": ["5 Aug 2018"], "Title": ["Since Aug 2018"]})
    html = Table(name="t", caption="x", shown=shown, data=pd.DataFrame())._repr_mimebundle_()[0]["text/html"]
    assert '<td class="date">Aug 2018</td><td class="date">5 Aug 2018</td><td>Since Aug 2018</td>' in html


def cells(data: pd.DataFrame) -> list[list[str]]:
    """The cells of a table's file, heads and all, as a spreadsheet reads them."""
    return list(csv.reader(io.StringIO(safe_csv(data), newline="")))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", " =1", "＝1+1", '=HYPERLINK("http://x";"y")', "-x\ny"])
def test_no_text_of_a_table_starts_a_formula(text):
    for column in (pd.Series([text]), pd.Series([text], dtype="string"), pd.Series([text], dtype="category")):
        assert cells(pd.DataFrame({"name": column})) == [["name"], [f"'{text}"]]
    assert cells(pd.DataFrame({text: [1]}))[0] == [f"'{text}"]
    assert cells(pd.DataFrame({"name": [0.5, text, None]}, dtype=object)) == [["name"], ["0.5"], [f"'{text}"], [""]]


@pytest.mark.parametrize("text", ["\tx", "\rx", "\nx", "\t=1", "\r\n=1"])
def test_nor_does_one_that_begins_with_a_tab_or_a_new_line(text):
    assert cells(pd.DataFrame({"name": [text]}))[1][0].startswith("'")


@pytest.mark.parametrize("inside", ["x;=1+1", 'x";=1+1;"', "x\t@SUM(1)", "x\n=1+1", "x\r\n+1", "x; -1"])
def test_nor_one_inside_a_text_where_semicolons_tabs_or_new_lines_part_the_cells(inside):
    for separator in ";\t":
        found = re.split(rf"[{separator}\r\n]", safe_csv(pd.DataFrame({"id": ["F1"], "name": [inside], "n": [3]})))
        assert [cell for cell in found if cell.lstrip(' "').startswith(("=", "+", "-", "@"))] == []


@pytest.mark.parametrize("text", ["F-1", "a=b", "x@y", "1+1", "A; B", "'x", "–", "$x^2$", "प्राथमिक"])
def test_any_other_text_stays_as_it_is(text):
    assert cells(pd.DataFrame({"name": [text]})) == [["name"], [text]]


def test_a_number_below_zero_stays_a_number():
    assert safe_csv(pd.DataFrame({"change": [-0.5]})) == "change\n-0.5\n"
    assert safe_csv(pd.DataFrame({"change": [-0.5, None]}, dtype=object)) == 'change\n-0.5\n""\n'
    assert safe_csv(pd.DataFrame({"n": pd.array([-1, None], dtype="Int64"), "yes": [True, False]})) == (
        "n,yes\n-1,True\n,False\n"
    )


def test_a_day_is_written_as_one_and_two_columns_may_bear_one_name():
    days = pd.DataFrame({"a": pd.to_datetime(["2024-01-31", None]), "b": ["x", "y"]}).set_axis(["a", "a"], axis=1)
    assert safe_csv(days) == "a,a\n2024-01-31,x\n,y\n"


def test_dollar_signs_in_what_is_shown_are_no_mathematics_to_a_notebook():
    frame = pd.DataFrame({"Facility": ["$x^2$"]})
    shown = [
        Table(name="t", caption="$x$", shown=frame, data=frame),
        Table(name="t", caption="$x$", shown=frame, data=frame, folded=True),
        Text(sentences=["$x$ and \\(y\\)"]),
        Text(sentences=["$x$"], style="caveats"),
        KeyFigures(notebook="n", cells=[Cell(column="Facility", text="$x$")]),
    ]
    for thing in shown:
        html = thing._repr_mimebundle_()[0]["text/html"]
        assert re.match(r'<\w+ class="[^"]*\bmathjax_ignore tex2jax_ignore"', html)  # on what holds all of it


@pytest.mark.parametrize("text", ["../../etc", "a/b", "..", "C:\\x", ""])
def test_an_id_cannot_lead_a_file_out_of_its_folder(text):
    assert not set(file_name(text)) & set("/\\.:")
    assert file_name(text)


def test_a_file_name_is_as_long_as_disks_allow_in_any_script():
    assert len(f"its_other_ways_of_telling_{file_name('𑄀' * 80)}_by_facility.svg".encode()) < 255


def test_two_ids_never_share_a_file():
    assert len({file_name(text) for text in ("a b", "a/b", "a_b", "x" * 70, "x" * 71)}) == 5
