"""How single notebooks end, and how the batch takes it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import yaml

from qieval.batch import execute
from qieval.present.display import KEY_FIGURES
from tests.batch.conftest import PROJECT, qieval

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


def test_an_interrupted_run_says_so_and_leaves_nothing_half_made(tmp_path: Path) -> None:
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
    while not list((tmp_path / "reports").glob(".*.making-*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert errors.strip().endswith(
        "Stopped. Reports that were finished are in place; the others are as they were before."
    )
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["index.html"]


def test_an_executed_notebook_that_was_cut_off_is_not_taken_for_whole(tmp_path: Path) -> None:
    (tmp_path / "cut.ipynb").write_text('{"cells": [', encoding="utf-8")
    assert not execute._without_paths(tmp_path / "cut.ipynb", tmp_path)
    assert not execute._without_paths(tmp_path / "missing.ipynb", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_kernel_that_dies_fails_its_section_with_a_reason(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "dies", "import os; os._exit(9)")
    done = qieval("run", PILOT, "--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports")
    assert done.returncode == 1
    assert re.search(r"dies: DeadKernelError: .*[Kk]ernel died", done.stdout)


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


def test_a_second_run_replaces_the_report_and_keeps_the_others_in_the_index(tmp_path: Path) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "1 + 1")
    again = yaml.safe_load(PILOT.read_text(encoding="utf-8")) | {"collaborative": "another", "title": "Another"}
    (tmp_path / "another.yaml").write_text(yaml.safe_dump(again), encoding="utf-8")
    common = ("--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports")
    assert qieval("run", PILOT, tmp_path / "another.yaml", *common).returncode == 0
    (tmp_path / "reports" / "another" / "stale.txt").write_text("from before", encoding="utf-8")
    assert qieval("run", tmp_path / "another.yaml", *common).returncode == 0
    assert not (tmp_path / "reports" / "another" / "stale.txt").exists()
    index = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert "hub_spoke_india/report.html" in index
    assert "another/report.html" in index


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
