"""What a batch leaves behind, read as its users read it."""

import csv
import io
import json
import re

import nbformat
import pytest

from qieval.present.display import KEY_FIGURES
from tests.batch.conftest import PROJECT, SCRIPT, Batch

SHIPPED = ("demo", "hub_spoke_india", "small")


def test_a_broken_study_fails_the_batch_but_not_the_other_reports(batch: Batch) -> None:
    assert batch.exit_code == 1
    assert "✕ broken: not made" in batch.printed
    for name in SHIPPED:
        assert f"✓ {name}: made" in batch.printed
        assert (batch.out / name / "report.html").is_file()


def test_the_batch_ends_by_saying_where_the_index_is(batch: Batch) -> None:
    assert batch.printed.rstrip().endswith(f"Reports: {batch.out / 'index.html'}")


def test_no_traceback_and_no_library_noise_reaches_the_user(batch: Batch) -> None:
    assert batch.errors == ""


def test_a_study_that_was_not_made_says_which_rows_to_mend(batch: Batch) -> None:
    page = batch.page("broken")
    assert "This report could not be made" in page
    assert "projects.csv, row 2, ended_on &#39;2024-04-01&#39;: before started_on" in page
    assert "visits.csv, row 3, facility_id &#39;F99&#39;: no such facility_id in facilities" in page


def test_each_report_comes_with_figures_tables_and_executed_notebooks(batch: Batch) -> None:
    for name in SHIPPED:
        folder = batch.out / name
        figures = {path.stem for path in (folder / "figures").glob("*.svg")}
        assert figures
        assert figures == {path.stem for path in (folder / "figures").glob("*.png")}
        assert list((folder / "tables").glob("*.csv"))
        sections = json.loads((folder / "report.json").read_text(encoding="utf-8"))["sections"]
        assert {path.stem for path in (folder / "notebooks").glob("*.ipynb")} == set(sections)


def test_nothing_unfinished_is_left_in_the_folder(batch: Batch) -> None:
    assert [path.name for path in batch.out.iterdir() if path.name.startswith(".")] == [".lock"]


def test_a_notebook_whose_tables_are_missing_is_left_out_and_the_report_says_so(batch: Batch) -> None:
    page = batch.page("hub_spoke_india")
    assert "Left out: it needs indicators and measurements, and these are missing or empty." in page
    assert "✓ hub_spoke_india: made" in batch.printed
    assert "without effectiveness, sustainment" in batch.printed


def test_the_pilot_states_both_ratios_with_exact_intervals_and_warns_of_their_total(batch: Batch) -> None:
    text = plain(batch.page("hub_spoke_india"))
    assert "34 visits done of 14 planned, 2.43 for each planned (95% interval 1.68 to 3.39)" in text
    assert "4 visits done of 18 planned, 0.22 for each planned (95% interval 0.06 to 0.57)" in text
    assert "38 of 32" in text
    assert "should not be quoted alone" in text


def test_the_pilot_states_the_seven_dated_projects_and_what_the_paper_reports_beyond_them(batch: Batch) -> None:
    text = plain(batch.page("hub_spoke_india"))
    assert "The median duration is 8.0 months (95% interval 3.0 to no upper limit; exact" in text
    assert "3 of 10 projects lack a start or an end date and are in no curve." in text
    assert "ten completed projects that lasted 3 to 10 months, median 5" in text


def test_the_small_study_is_refused_what_it_cannot_carry(batch: Batch) -> None:
    text = plain(batch.page("small"))
    assert "too few months to judge" in text
    assert "with fewer than 5 ended no median is given" in text
    assert "No facility has a day on which support ended" in text
    assert " improved" not in text.split("How to read a run chart")[0].replace("Facilities improved", "")


def test_mozambique_runs_from_tables_to_report(batch: Batch) -> None:
    if not (batch.out / "moz_anc").is_dir():
        pytest.skip("the reference folder is absent: set QIEVAL_REFERENCE to run this test")
    values = json.loads((batch.out / "moz_anc" / "report.json").read_text(encoding="utf-8"))
    assert values["status"] == "made"
    assert values["values"]["effectiveness"]["anaemia"]["facilities"] == 10
    proteinuria = values["values"]["effectiveness"]["proteinuria"]
    # From 10% to 97% of women: even the clinics with three months of baseline cannot hide it.
    assert proteinuria["verdict"] == "improved"
    assert proteinuria["facilities_improved"] > 5


def test_text_from_data_is_never_markup(batch: Batch) -> None:
    page = batch.page("hostile")
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page
    assert SCRIPT not in (batch.out / "index.html").read_text(encoding="utf-8")


def test_text_from_data_starts_no_formula_in_a_spreadsheet(batch: Batch) -> None:
    for path in (batch.out / "hostile" / "tables").glob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))):
            assert not [cell for cell in row if cell.startswith(("=", "@"))]
    assert any(
        "'=1+1" in path.read_text(encoding="utf-8-sig") for path in (batch.out / "hostile" / "tables").glob("*.csv")
    )


def test_pages_work_alone_without_any_address_from_elsewhere(batch: Batch) -> None:
    for path in [*batch.out.glob("*/report.html"), batch.out / "index.html"]:
        page = path.read_text(encoding="utf-8")
        assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page) == []
        assert "<link" not in page
        assert "@import" not in page


def test_every_figure_says_in_words_what_it_shows(batch: Batch) -> None:
    for path in batch.out.glob("*/report.html"):
        for image in re.findall(r"<img [^>]*>", path.read_text(encoding="utf-8")):
            assert len(re.search(r'alt="([^"]*)"', image)[1]) > 30  # type: ignore[index]


def test_every_table_has_headers_for_columns_and_rows(batch: Batch) -> None:
    for path in batch.out.glob("*/report.html"):
        page = path.read_text(encoding="utf-8")
        for table in re.findall(r"<table>.*?</table>", page, re.DOTALL):
            assert table.count('scope="col"') >= 2
            assert table.count('scope="row"') == table.count("<tr>") - 1
            assert "<caption>" in table


def test_no_path_of_the_machine_is_in_what_is_shared(batch: Batch) -> None:
    shared = [batch.out / "index.html"]
    for name in SHIPPED:
        shared += [
            path for path in (batch.out / name).rglob("*") if path.suffix in (".html", ".json", ".csv", ".ipynb")
        ]
    assert len(shared) > 20
    for path in shared:
        text = path.read_text(encoding="utf-8")
        assert str(PROJECT) not in text, path
        assert str(batch.out) not in text, path


def test_no_warning_is_printed_inside_a_report(batch: Batch) -> None:
    for path in batch.out.glob("*/notebooks/*.ipynb"):
        for cell in nbformat.read(path, as_version=4)["cells"]:
            assert [output for output in cell.get("outputs", []) if output["output_type"] == "stream"] == []


def test_the_index_lists_every_report_what_needs_attention_first(batch: Batch) -> None:
    page = (batch.out / "index.html").read_text(encoding="utf-8")
    titles = re.findall(r'<a href="(\w+)/report.html">', page)
    assert titles[0] == "broken"
    assert set(titles) >= {"broken", "hostile", *SHIPPED}
    assert "✕ Not made" in page
    assert "row 2, ended_on" in page
    assert page.index(">network: 34 of 14<") < page.index(">hub, rural: 4 of 18<")


def test_the_executed_notebook_alone_holds_the_key_figures(batch: Batch) -> None:
    executed = nbformat.read(batch.out / "demo" / "notebooks" / "mentoring.ipynb", as_version=4)
    found = [
        output["data"][KEY_FIGURES]
        for cell in executed["cells"]
        for output in cell.get("outputs", [])
        if KEY_FIGURES in output.get("data", {})
    ]
    record = json.loads((batch.out / "demo" / "report.json").read_text(encoding="utf-8"))
    assert len(found) == 1
    assert found[0]["values"] == record["values"]["mentoring"]
    assert found[0]["fingerprint"] == record["fingerprint"]


def plain(page: str) -> str:
    """The words of a page, for whoever reads it aloud."""
    text = re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    return " ".join(text.replace("&#39;", "'").replace("&gt;", ">").split())
