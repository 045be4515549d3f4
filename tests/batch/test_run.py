"""How single notebooks end, and how the batch takes it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from qieval.batch.lock import holding
from qieval.present.display import KEY_FIGURES
from tests.batch.conftest import PROJECT, qieval
from tests.batch.test_kernels import SLOW

PILOT = PROJECT / "params" / "hub_spoke_india.yaml"


def tiny_notebook(folder: Path, name: str, code: str, order: int = 1) -> None:
    """A notebook of ours that needs no table and runs one line."""
    folder.mkdir(exist_ok=True)
    parameters = nbformat.v4.new_code_cell(
        'collaborative = title = data = data_cut = ""\nnotes = {}', metadata={"tags": ["parameters"]}
    )
    cells = [nbformat.v4.new_markdown_cell(f"# {name.title()}\n\nA question?"), parameters]
    book = nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_code_cell(code)])
    book["metadata"]["qieval"] = {"order": order, "needs": []}
    nbformat.write(book, folder / f"{name}.ipynb")


def key_figures(path: Path) -> dict[str, object]:
    outputs = [out for cell in nbformat.read(path, as_version=4)["cells"] for out in cell.get("outputs", [])]
    return next(out["data"][KEY_FIGURES] for out in outputs if KEY_FIGURES in out.get("data", {}))


def figures(path: Path) -> list[str]:
    outputs = [out for cell in nbformat.read(path, as_version=4)["cells"] for out in cell.get("outputs", [])]
    return [out["data"]["image/svg+xml"] for out in outputs if "image/svg+xml" in out.get("data", {})]


def test_a_failed_notebook_fails_its_section_and_the_rest_goes_on(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "print('as it should be')", order=2)
    tiny_notebook(tmp_path / "notebooks", "bad", "raise ValueError('the sum is <b>off</b>')")
    done = qieval("run", PILOT, "--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports")
    assert done.returncode == 1
    assert "! hub_spoke_india: section failed" in done.stdout
    assert "    bad: ValueError: the sum is <b>off</b>" in done.stdout
    page = (tmp_path / "reports" / "hub_spoke_india" / "report.html").read_text(encoding="utf-8")
    assert "This section could not be finished." in page
    assert "ValueError: the sum is &lt;b&gt;off&lt;/b&gt;" in page
    assert "<details" in page[page.index("could not be finished") :]
    assert "as it should be" in page
    assert str(PROJECT) not in page
    executed = nbformat.read(tmp_path / "reports/hub_spoke_india/notebooks/bad.ipynb", as_version=4)
    assert any(out["output_type"] == "error" for cell in executed["cells"] for out in cell.get("outputs", []))
    assert "Section failed" in (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")


def test_a_report_that_cannot_be_made_keeps_the_last_one(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "1 + 1")
    common = ("--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports")
    values = yaml.safe_load(PILOT.read_text(encoding="utf-8")) | {"notes": {}}
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    assert qieval("run", tmp_path / "p.yaml", *common).returncode == 0
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(values | {"data": "misspelt"}), encoding="utf-8")
    for _ in range(2):
        assert qieval("run", tmp_path / "p.yaml", *common).returncode == 1
    folder = tmp_path / "reports" / "hub_spoke_india"
    assert "previous/report.html" in (folder / "report.html").read_text(encoding="utf-8")
    assert "✓ Made" in (folder / "previous" / "report.html").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="stops as a terminal does elsewhere")
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so_and_leaves_nothing_half_made(tmp_path: Path, asked: signal.Signals) -> None:
    tiny_notebook(tmp_path / "notebooks", "slow", "import time; print('begun', flush=True); time.sleep(60)")
    command = [sys.executable, "-m", "qieval", "run", str(PILOT), "--notebooks", str(tmp_path / "notebooks")]
    running = subprocess.Popen(
        [*command, "--out", str(tmp_path / "reports")],
        cwd=PROJECT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "reports").glob(".making-*/*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    os.killpg(running.pid, asked)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert errors.strip() == "Stopped. Nothing was made. Reports of earlier runs are as they were."
    left = {path.name for path in (tmp_path / "reports").iterdir()}
    assert left == {".lock"}


@pytest.mark.skipif(sys.platform == "win32", reason="stops as a terminal does elsewhere")
@pytest.mark.parametrize("seconds", [0.1, 0.4, 0.9, 1.8])
def test_ctrl_c_while_all_is_still_loading_says_one_line(tmp_path: Path, seconds: float) -> None:
    # From the moment on that Python itself has loaded, which takes its time on a busy machine.
    tiny_notebook(tmp_path / "notebooks", "slow", "import time; time.sleep(60)")
    arguments = ["run", str(PILOT), "--out", str(tmp_path / "reports"), "--notebooks", str(tmp_path / "notebooks")]
    code = f"import sys; sys.argv = ['qieval', *{arguments}]; from qieval.__main__ import main; print('up'); main()"
    command = [sys.executable, "-u", "-c", code]
    running = subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stdout is not None
    running.stdout.readline()
    time.sleep(seconds)
    os.killpg(running.pid, signal.SIGINT)
    printed, errors = running.communicate(timeout=SLOW)
    assert (running.returncode, printed) == (130, "")
    assert errors.startswith("Stopped. Nothing was made.")
    assert len(errors.splitlines()) == 1


def test_a_folder_that_is_no_report_is_never_replaced(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "1 + 1")
    data = tmp_path / "one"
    data.mkdir()
    (data / "visit_totals.csv").write_text("mentor_type,planned,done\nhub,10,7\n", encoding="utf-8")
    source = asked(tmp_path, "one", data="one")
    done = qieval("run", source, "--notebooks", tmp_path / "notebooks", "--out", tmp_path)
    assert done.returncode == 1
    assert "one: is there already, and is no report of qieval; it was left as it is -> choose another" in done.stdout
    assert [path.name for path in data.iterdir()] == ["visit_totals.csv"]


def test_data_and_parameters_inside_the_last_report_are_not_lost_with_it(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "1 + 1")
    common = ("--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports")
    assert qieval("run", asked(tmp_path, "one"), *common).returncode == 0
    inside = asked(tmp_path / "reports" / "one", "one", title="Another title")
    done = qieval("run", inside, *common)
    assert done.returncode == 1
    assert "one.yaml: lies where the report is to be written, and would be lost -> choose another folder" in done.stdout
    assert inside.exists()


FIGURE = "{'qieval': {'kind': 'figure'}}"  # says it is one, and has no picture
FAULTY = f"from IPython.display import display; display({{'text/plain': 'x'}}, metadata={FIGURE}, raw=True)"


def test_a_report_that_is_given_up_is_listed_keeps_the_last_one_and_is_repeated(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "print('as it was')")
    sources = [asked(tmp_path, "one"), asked(tmp_path, "two")]
    common = ("--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports", "--json")
    assert qieval("run", sources[0], *common).returncode == 0
    tiny_notebook(tmp_path / "notebooks", "good", FAULTY)
    told = said(qieval("run", *sources, *common))
    assert {one["status"] for one in told.values()} == {"not made"}
    assert "a fault in qieval or in a notebook kept it from being made (" in told["two"]["errors"][0]
    index = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert "2 not made" in index
    assert "as it was" in (tmp_path / "reports" / "one" / "previous" / "report.html").read_text(encoding="utf-8")
    tiny_notebook(tmp_path / "notebooks", "good", "print('mended')")
    again = said(qieval("run", *sources, *common, "--only-failed"))
    assert {name: one["status"] for name, one in again.items()} == {"one": "made", "two": "made"}
    assert not (tmp_path / "reports" / "one" / "previous").exists()


def test_a_workbook_that_cannot_be_replaced_is_told_and_the_index_is_there(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "1 + 1")
    (tmp_path / "reports" / "key_figures.xlsx").mkdir(parents=True)
    done = qieval("run", asked(tmp_path, "one"), "--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports")
    assert done.returncode == 1
    assert "key_figures.xlsx: cannot be replaced (Is a directory) -> close it in Excel, and run again" in done.stderr
    assert "Traceback" not in done.stderr
    assert "one/report.html" in (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")


def test_what_listened_may_go_and_signs_may_lack(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "1 + 1")
    sources = [asked(tmp_path, name) for name in ("one", "two")]
    command = [sys.executable, "-m", "qieval", "run", *map(str, sources), "--notebooks", str(tmp_path / "notebooks")]
    command += ["--out", str(tmp_path / "reports")]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, cwd=PROJECT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "reports" / "two" / "report.html").exists()
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*command, "--force"], cwd=PROJECT, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"? one: made" in done.stdout


def test_a_kernel_that_dies_fails_its_section_with_a_reason(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "dies", "import os; os._exit(9)")
    done = qieval("run", PILOT, "--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports")
    assert done.returncode == 1
    assert "dies: its kernel ended in the middle of the notebook (exit code 9)" in done.stdout


def test_plain_papermill_gives_the_same_numbers_and_figures(tmp_path: Path) -> None:
    done = qieval("run", PILOT, "--only", "mentoring", "--out", tmp_path / "reports")
    assert done.returncode == 0, done.stdout + done.stderr
    plain = tmp_path / "plain.ipynb"
    command = [sys.executable, "-m", "papermill", "notebooks/mentoring.ipynb", str(plain), "-f", str(PILOT)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, timeout=120)
    ours = tmp_path / "reports" / "hub_spoke_india" / "notebooks" / "mentoring.ipynb"
    assert key_figures(plain) == key_figures(ours)
    assert key_figures(plain)["values"]["groups"][0]["ratio"] == pytest.approx(34 / 14)  # type: ignore[index]
    assert len(figures(ours)) == 1
    assert figures(plain) == figures(ours)


def asked(folder: Path, name: str, **changes: object) -> Path:
    """A parameter file for the pilot's data under another name."""
    values = yaml.safe_load(PILOT.read_text(encoding="utf-8")) | {"collaborative": name, "notes": {}}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(values | changes), encoding="utf-8")
    return path


def said(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What was done, by report."""
    assert done.stderr == ""
    return {report["collaborative"]: report for report in json.loads(done.stdout)["reports"]}


def test_what_has_not_changed_is_reused_and_the_index_says_so(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "1 + 1")
    sources = [asked(tmp_path, "one"), asked(tmp_path, "two")]
    common = ("--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports", "--json")
    assert {one["reused"] for one in said(qieval("run", *sources, *common)).values()} == {False}
    asked(tmp_path, "two", title="Another title")
    again = said(qieval("run", *sources, *common))
    assert {name: one["reused"] for name, one in again.items()} == {"one": True, "two": False}
    index = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert "2 made, 1 of them unchanged and reused when last asked for" in index
    forced = said(qieval("run", *sources, *common, "--force"))
    assert {one["reused"] for one in forced.values()} == {False}


def test_a_changed_notebook_is_run_again_and_the_others_are_kept(tmp_path: Path) -> None:
    for order, name in enumerate(("first", "second")):
        tiny_notebook(tmp_path / "notebooks", name, f"print('{name}')", order)
    source = asked(tmp_path, "one")
    common = ("--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports", "--json")
    assert said(qieval("run", source, *common))["one"]["kept"] == []
    tiny_notebook(tmp_path / "notebooks", "second", "print('changed')", 1)
    assert said(qieval("run", source, *common))["one"]["kept"] == ["first"]
    page = (tmp_path / "reports" / "one" / "report.html").read_text(encoding="utf-8")
    assert "first" in page
    assert "changed" in page


def test_sections_not_asked_for_are_kept(tmp_path: Path) -> None:
    for order, name in enumerate(("first", "second")):
        tiny_notebook(tmp_path / "notebooks", name, f"print('{name} ran')", order)
    source = asked(tmp_path, "one")
    common = ("--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports", "--json")
    first = said(qieval("run", source, *common, "--only", "first"))["one"]
    assert first["left_out"] == {"second": "was not asked for this time (--only)"}
    second = said(qieval("run", source, *common, "--only", "second"))["one"]
    assert second["kept"] == ["first"]
    assert second["left_out"] == {}
    page = (tmp_path / "reports" / "one" / "report.html").read_text(encoding="utf-8")
    assert page.index("first ran") < page.index("second ran")


def test_only_failed_repeats_what_failed_and_nothing_else(tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    code = f"import pathlib; assert title != 'two' or pathlib.Path({str(mended)!r}).exists(), 'not yet'"
    tiny_notebook(tmp_path / "notebooks", "good", code)
    sources = [asked(tmp_path, name, title=name) for name in ("one", "two")]
    common = ("--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports", "--json")
    failed = qieval("run", *sources, *common)
    assert failed.returncode == 1
    assert said(failed)["two"]["failures"] == {"good": "AssertionError: not yet"}
    mended.touch()
    again = qieval("run", *sources, *common, "--only-failed")
    assert again.returncode == 0
    assert list(said(again)) == ["two"]
    assert said(qieval("run", *sources, *common, "--only-failed")) == {}


def test_a_report_made_again_takes_the_place_of_the_last_and_the_index_keeps_the_others(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "1 + 1")
    sources = [asked(tmp_path, "one"), asked(tmp_path, "another")]
    common = ("--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports")
    assert qieval("run", *sources, *common).returncode == 0
    (tmp_path / "reports" / "another" / "stale.txt").write_text("from before", encoding="utf-8")
    assert qieval("run", sources[1], *common, "--force").returncode == 0
    assert not (tmp_path / "reports" / "another" / "stale.txt").exists()
    index = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert "one/report.html" in index
    assert "another/report.html" in index


def test_a_notebook_that_hangs_is_ended_at_the_limit_its_parameters_set(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "hangs", "import time; time.sleep(600)")
    tiny_notebook(tmp_path / "notebooks", "good", "print('as it should be')", 2)
    source = asked(tmp_path, "one", options={"minutes_per_notebook": 0.2})
    done = qieval("run", source, "--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports", "--json")
    assert done.returncode == 1
    assert said(done)["one"]["failures"]["hangs"].startswith("it was ended after 0.2 minutes, the limit -> if it needs")
    assert "as it should be" in (tmp_path / "reports" / "one" / "report.html").read_text(encoding="utf-8")


def test_a_second_batch_into_the_same_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "1 + 1")
    with holding(tmp_path / "reports"):
        done = qieval(
            "run", asked(tmp_path, "one"), "--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports"
        )
    assert done.returncode == 1
    assert f"another batch writes to it (process {os.getpid()} on " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "reports" / "one").exists()


def test_a_folder_that_cannot_be_written_to_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file", encoding="utf-8")
    done = qieval("run", PILOT, "--out", tmp_path / "reports")
    assert done.returncode == 1
    assert "reports: cannot be written to (" in done.stderr
    assert done.stderr.strip().endswith("-> choose another folder with --out")


@pytest.fixture
def little_room(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be made here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_stops_the_batch_with_a_sentence_and_loses_nothing(tmp_path: Path, little_room: Path) -> None:
    folder, out = tmp_path / "notebooks", little_room / "reports"
    tiny_notebook(folder, "small", "print('small')")
    first = asked(tmp_path, "first")
    assert qieval("run", first, "--notebooks", folder, "--out", out).returncode == 0
    tiny_notebook(folder, "small", "import random; print(random.randbytes(2_000_000).hex())")
    done = qieval("run", first, asked(tmp_path, "second"), "--notebooks", folder, "--out", out)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "reports that were finished are in place" in done.stderr
    assert "Traceback" not in done.stderr
    assert "small" in (out / "first" / "report.html").read_text(encoding="utf-8")
    assert not list(out.glob(".making-*"))


def test_what_was_done_is_told_as_json_for_programs(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "1 + 1")
    common = ("--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports", "--json")
    done = qieval("run", asked(tmp_path, "one"), *common)
    told = json.loads(done.stdout)
    assert told["index"] == str(tmp_path / "reports" / "index.html")
    assert told["stopped"] is False
    (report,) = told["reports"]
    assert (report["collaborative"], report["status"], report["errors"]) == ("one", "made", [])


def test_data_beside_the_parameter_file_are_found_from_any_folder(tmp_path: Path) -> None:
    study = tmp_path / "study"
    (study / "data").mkdir(parents=True)
    (study / "data" / "visit_totals.csv").write_text("mentor_type,planned,done\nhub,10,7\n", encoding="utf-8")
    (study / "data" / "facilities.csv").write_text("facility_id\nF1\n", encoding="utf-8")
    parameters = {"collaborative": "own", "title": "Own data", "data": "data", "data_cut": "2024-12-31"}
    (study / "own.yaml").write_text(yaml.safe_dump(parameters), encoding="utf-8")
    done = qieval("run", study / "own.yaml", "--out", tmp_path / "reports", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / "reports" / "own" / "report.json").read_text(encoding="utf-8"))
    assert record["values"]["mentoring"]["groups"][0]["done"] == 7
