"""The page that lists all reports."""

import re
from pathlib import Path

import pytest

from qieval.batch.index import bars, index_page, trend, write_index
from qieval.batch.records import read_records
from tests.batch.finished import a_record, answer, figure, key_figures, main_indicator, make_report

GROUP = {"done": 34.0, "planned": 14.0, "ratio": 34 / 14}


def visits(*groups, text):
    cells = [{"column": "Visits done of planned", "text": text, "notebook": "mentoring"}]
    return a_record(cells=cells, values={"mentoring": {"groups": list(groups), "never_visited": None}})


def titles(page: str) -> list[str]:
    return re.findall(r'<th scope="row"[^>]*>(?:<a [^>]*>)?([^<]*)', page)


def test_failures_come_first_then_what_got_worse_then_what_improved(tmp_path: Path) -> None:
    for name, verdict in (("a", "improved"), ("b", "no signal"), ("c", "worsened"), ("d", "too few months")):
        make_report(tmp_path, name, answer(), key_figures({"x": main_indicator(verdict=verdict)}))
    make_report(tmp_path, "e", answer(), failure="DataError: no")
    make_report(tmp_path, "f", errors=("visits.csv, row 3, done_on '1': not a date -> write it as YYYY-MM-DD",))
    assert [record["collaborative"] for record in read_records(tmp_path)] == ["f", "e", "c", "d", "b", "a"]


def test_a_failure_names_its_file_and_row_and_says_why(tmp_path: Path) -> None:
    make_report(tmp_path, "one", errors=("visits.csv, row 3, done_on '1': not a date -> write it",))
    page = write_index(tmp_path).read_text(encoding="utf-8")
    assert '<span class="where">visits.csv, row 3, done_on &#39;1&#39;</span>: not a date -&gt; write it' in page
    assert "✕ Not made" in page


def test_of_many_errors_three_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    page = index_page(tmp_path, [a_record(status="not made", errors=[f"visits.csv, row {n}: x" for n in range(7)])])
    assert page.count('class="where"') == 3
    assert "and 4 more" in page


@pytest.mark.parametrize(
    ("reused", "told"),
    [
        ([True, False, None], "3 made, 1 of them unchanged and reused when last asked for · last made"),
        ([True, True], "2 made, all unchanged and reused when last asked for · last made"),
        ([True], "1 made, unchanged and reused when last asked for · last made"),
        ([False, None], "2 made · last made"),
    ],
)
def test_of_those_made_it_counts_which_were_reused_when_last_asked_for(tmp_path: Path, reused: list, told: str) -> None:
    records = [a_record(f"r{n}") | ({} if one is None else {"reused": one}) for n, one in enumerate(reused)]
    page = index_page(tmp_path, records)
    assert told in page
    assert "anew" not in page


def test_each_group_of_visits_has_a_bar_and_a_tick_on_one_scale() -> None:
    found = bars(["network: 34 of 14", "hub: 4 of 18"], [GROUP, {"done": 4.0, "planned": 18.0, "ratio": 4 / 18}])
    assert [bar["done"] for bar in found] == [90.0, 10.6]
    assert [bar["planned"] for bar in found] == [37.1, 47.6]


def test_where_the_plan_is_not_known_there_is_no_tick(tmp_path: Path) -> None:
    page = index_page(tmp_path, [visits({"done": 3.0, "planned": None, "ratio": None}, text="hub: 3 done")])
    assert '<rect y="3"' in page
    assert "<path d=" not in page.split("<tbody>")[1]


def test_visits_sort_by_the_group_that_got_the_fewest_for_its_plan(tmp_path: Path) -> None:
    few = {"done": 4.0, "planned": 18.0, "ratio": 0.25}
    assert 'data-sort="0.25"' in index_page(tmp_path, [visits(GROUP, few, text="a\nb")])


def test_files_are_linked_only_where_they_are(tmp_path: Path) -> None:
    make_report(tmp_path, "one", figure())
    assert ">PDF<" not in write_index(tmp_path).read_text(encoding="utf-8")
    (tmp_path / "one" / "report.pdf").write_bytes(b"%PDF")
    page = write_index(tmp_path).read_text(encoding="utf-8")
    assert 'href="one/report.pdf">PDF<' in page
    assert 'href="one/figures/">Figures<' in page
    assert ">Tables<" not in page


def test_the_result_bears_a_symbol_beside_its_word(tmp_path: Path) -> None:
    cells = [{"column": "Result", "text": "Improved", "notebook": "effectiveness"}]
    page = index_page(tmp_path, [a_record(cells=cells, values={"effectiveness": {"x": main_indicator()}})])
    assert '<span aria-hidden="true">▲</span> Improved' in page


def test_tiles_count_and_never_average(tmp_path: Path) -> None:
    records = [
        a_record("a", values={"effectiveness": {"x": main_indicator()}, "durations": {"median_months": 6.2}}),
        a_record("b", values={"effectiveness": {"x": main_indicator(verdict="no signal")}}),
        a_record("c", values={"effectiveness": {"x": main_indicator(verdict="too few months")}}),
        a_record("d", values={"durations": {"median_months": 8.0}}),
    ]
    tiles = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", index_page(tmp_path, records))
    assert tiles == [
        ("improved, by the run chart of the main indicator", "1 of 2"),
        ("cannot be judged yet", "1"),
        ("median project, over 2 collaboratives", "6.2 to 8.0 months"),
    ]


def test_a_line_is_broken_where_months_are_missing_and_holds_its_baseline() -> None:
    found = trend([0.2, None, 0.4, 0.6], 0.9)
    assert found["pieces"] == ["4,22", "78.7,16.9 116,11.7"]
    assert found["line"] == 4.0  # above all points, and still inside


def test_thousands_of_reports_make_one_page_that_grows_with_their_number(tmp_path: Path) -> None:
    one, many = (len(index_page(tmp_path, [visits(GROUP, text="a")] * n)) for n in (1, 3001))
    assert (many - one) / 3000 < 1200  # characters a row


def test_the_same_reports_give_the_same_page(tmp_path: Path) -> None:
    make_report(tmp_path, "one", answer())
    first = write_index(tmp_path).read_text(encoding="utf-8")
    assert write_index(tmp_path).read_text(encoding="utf-8") == first


def test_an_empty_folder_has_an_index_too(tmp_path: Path) -> None:
    assert "0 collaboratives" in write_index(tmp_path).read_text(encoding="utf-8")
    assert "There is no report yet to compare." in (tmp_path / "compare.html").read_text(encoding="utf-8")
