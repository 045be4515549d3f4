"""The pages that explain tables and parameters are made from what the checks know."""

from pathlib import Path

import pytest

from qieval.study.dictionary import PAGES, data_dictionary, main, parameter_dictionary
from qieval.study.schema import TABLES


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_in_docs_are_current(page: str):
    written = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    assert written == PAGES[page](), f"docs/{page} is out of date: run `python -m qieval.study.dictionary docs`"


def test_every_column_has_its_line():
    page = data_dictionary()
    for table in TABLES.values():
        section = page.split(f"\n## {table.name}\n")[1].split("\n## ")[0]
        assert [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")] == table.column_names


def test_a_line_tells_whether_it_is_required_its_type_and_its_meaning():
    page = data_dictionary()
    assert "| `mentor_type` | required | `network` or `hub` or `district` or `peer` | Who mentors |" in page
    assert "| `facility_id` | required | id in [facilities](#facilities) | Facility to be visited |" in page
    assert "| `hours` |  | number, in hours | Length of the visit |" in page


def test_a_parameter_has_its_default_and_an_example():
    page = parameter_dictionary()
    assert "| `data_cut` | required | The last day the data cover, as YYYY-MM-DD | `'2023-12-31'` |" in page
    assert "\n## options.sustainment\n" in page
    assert "| `follow_up_months` | `[6, 12, 24]` | A list of months after support ended | `[6, 12, 24]` |" in page


def test_both_pages_are_written_where_they_are_asked_for(tmp_path: Path):
    main(str(tmp_path))
    assert {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()} == {
        name: page() for name, page in PAGES.items()
    }
