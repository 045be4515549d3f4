"""The command: what it prints, and how it exits."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import qieval as package
from tests.batch.conftest import PROJECT, qieval

COMMANDS = ("run", "check", "bundle", "template")


def test_help_names_every_command_with_its_purpose() -> None:
    done = qieval("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(command: str) -> None:
    printed = " ".join(qieval(command, "--help").stdout.split())
    assert f"Example: qieval {command} " in printed


def test_help_does_not_wait_for_the_heavy_libraries() -> None:
    heavy = {"pandas", "numpy", "matplotlib", "pydantic"}
    code = f"import sys; from qieval.cli import app; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_version_is_that_of_the_package() -> None:
    assert qieval("--version").stdout.strip() == f"qieval {package.__version__}"


def test_check_says_that_good_data_are_ready_and_what_was_read() -> None:
    done = qieval("check", "params/hub_spoke_india.yaml")
    assert done.returncode == 0
    assert "params/hub_spoke_india.yaml: ready. Rows read: 7 in facilities, 10 in projects, 2 in visit totals." in (
        done.stdout
    )
    assert "gives the month only and was read as its first day" in done.stdout
    assert "  - Durations: yes\n" in done.stdout
    assert "  - Effectiveness: without it, for lack of indicators and measurements\n" in done.stdout


def test_check_prints_every_problem_and_exits_1_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("visit_id,facility_id,mentor_type,planned_on,done_on\nV1,F1,hub,,2023-02-30\n")
    (tmp_path / "facilities.csv").write_text("facility_id,setting\nF1,villlage\n")
    values = {"collaborative": "x", "title": "X", "data": str(tmp_path), "data_cut": "2023-12-31"}
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(values))
    done = qieval("check", tmp_path / "x.yaml")
    assert done.returncode == 1
    assert "x.yaml: 2 things need attention" in done.stdout
    assert "visits.csv, row 2, done_on '2023-02-30': not a date -> write it as YYYY-MM-DD" in done.stdout
    assert "facilities.csv, row 2, setting 'villlage': not a known value -> write one of: rural, urban" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_programs_are_told_as_json_why_nothing_was_done(tmp_path: Path) -> None:
    done = qieval("run", tmp_path / "none.yaml", "--out", tmp_path / "reports", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert "none.yaml" in json.loads(done.stdout)["error"]


def test_check_tells_programs_as_json_what_it_found(tmp_path: Path) -> None:
    done = qieval("check", "params/hub_spoke_india.yaml", tmp_path / "none.yaml", "--json")
    assert done.returncode == 1
    ready, refused = json.loads(done.stdout)
    assert (ready["source"], ready["ready"], ready["errors"]) == ("params/hub_spoke_india.yaml", True, [])
    assert ready["lacking"] == {
        "Effectiveness": ["indicators", "measurements"], "Durations": [], "Mentoring": [],
        "Sustainment": ["indicators", "measurements"],
    }  # fmt: skip
    assert refused["ready"] is False
    assert refused["refused"].endswith("no such file, or it cannot be read -> check the name")


def test_a_misspelt_parameter_stops_the_run_before_the_first_notebook(tmp_path: Path) -> None:
    values = yaml.safe_load((PROJECT / "params/demo.yaml").read_text(encoding="utf-8"))
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(values | {"titel": "X"}))
    done = qieval("run", tmp_path / "x.yaml", "--out", tmp_path / "reports")
    assert done.returncode == 1
    assert "'titel' is not a parameter. Did you mean 'title'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "reports").exists()


def test_a_parameter_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = qieval("run", tmp_path / "none.yaml")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("no such file, or it cannot be read -> check the name")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = qieval("run", "params/hub_spoke_india.yaml", "--out", tmp_path / "file" / "reports")
    assert done.returncode == 1
    assert "cannot be written to" in done.stderr
    assert "choose another folder with --out" in done.stderr
    assert "Traceback" not in done.stderr


def test_template_writes_a_workbook_once(tmp_path: Path) -> None:
    first, second = (qieval("template", tmp_path / "study.xlsx") for _ in range(2))
    assert first.returncode == 0
    assert (tmp_path / "study.xlsx").is_file()
    assert second.returncode == 1
    assert "Traceback" not in second.stderr
