"""The ways to set up qieval agree with each other, and the commands that the README names exist."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from typer.main import get_command

import qieval
from qieval.cli import app
from qieval.methods.runs import false_signal_rate, frozen_limits

PROJECT = Path(__file__).resolve().parents[1]

needs_make = pytest.mark.skipif(shutil.which("make") is None or os.name == "nt", reason="make is not installed")


def text(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def project() -> dict:
    return tomllib.loads(text("pyproject.toml"))["project"]


def bounds(requirements: list[str]) -> dict[str, SpecifierSet]:
    return {canonicalize_name(r.name): r.specifier for r in map(Requirement, requirements)}


def pins() -> list[Requirement]:
    joined = text("requirements.lock").replace("\\\n", " ")
    lines = [line.split("--hash", 1)[0] for line in joined.splitlines() if line and not line.lstrip().startswith("#")]
    return [Requirement(line.strip()) for line in lines]


# environment.yml


def conda() -> tuple[dict[str, SpecifierSet], list]:
    given = yaml.safe_load(text("environment.yml"))["dependencies"]
    return bounds([entry for entry in given if isinstance(entry, str) and entry != "pip"]), given


def test_conda_installs_what_pyproject_asks_for_within_the_same_bounds():
    packages, _ = conda()
    del packages["python"]
    assert packages == bounds(project()["dependencies"])


def test_conda_takes_a_python_that_pyproject_allows():
    python = conda()[0]["python"]
    versions = [f"3.{minor}" for minor in range(30) if f"3.{minor}" in python]
    assert versions
    assert all(version in SpecifierSet(project()["requires-python"]) for version in versions)


def test_conda_installs_qieval_itself_last():
    assert conda()[1][-2:] == ["pip", {"pip": ["--editable ."]}]


# requirements.lock


def test_the_lock_holds_no_address_no_path_and_no_choice_of_index():
    lock = text("requirements.lock")
    assert "/" not in lock
    assert "@" not in lock
    assert re.findall(r"^\s*(-[^-]|--(?!hash=))\S*", lock, flags=re.MULTILINE) == []


def test_the_lock_says_how_it_is_made():
    assert "make lock" in text("requirements.lock").splitlines()[1]


def test_every_package_of_the_lock_is_one_version_known_by_its_hash():
    assert all(re.fullmatch(r"==[^*,]+", str(pin.specifier)) for pin in pins())
    assert text("requirements.lock").count("--hash=sha256:") >= len(pins())


@pytest.mark.parametrize("group", ["dependencies", *project()["optional-dependencies"]])
def test_the_lock_holds_every_dependency_within_its_bounds(group):
    wanted = project()["dependencies"] if group == "dependencies" else project()["optional-dependencies"][group]
    locked: dict[str, list[str]] = {}
    for pin in pins():
        locked.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier).removeprefix("=="))
    unmet = [
        f"{name}{allowed}: {locked.get(name, 'missing')}"
        for name, allowed in bounds(wanted).items()
        if name not in locked or not all(version in allowed for version in locked[name])
    ]
    assert unmet == [], "make lock"


def test_what_builds_qieval_is_in_the_lock_since_it_is_built_without_fetching():
    required = tomllib.loads(text("pyproject.toml"))["build-system"]["requires"]
    assert set(bounds(required)) <= {canonicalize_name(pin.name) for pin in pins()}


# The commands


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", text("Makefile"), flags=re.MULTILINE))


def commands_in(page: str, name: str) -> set[str]:
    """The words after `name` wherever a page shows a command: in backticks, or on an indented line."""
    return set(re.findall(rf"(?:`|^ {{4,}}|^)(?:\.venv/bin/)?{name} ([a-z]+)\b(?!\.)", page, flags=re.MULTILINE))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", ".ci/run", "environment.yml", "docs/methods.md"])
def test_every_make_target_that_a_page_names_exists(page):
    assert commands_in(text(page), "make") <= targets()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_qieval_command_that_a_page_names_exists(page):
    assert commands_in(text(page), "qieval") <= set(get_command(app).commands)


def test_the_readme_names_the_two_commands_to_start_with():
    assert {"reports", "test"} <= commands_in(text("README.md"), "make")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/methods.md"])
def test_every_file_of_the_project_that_a_page_links_to_exists(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text(page))
    assert [link for link in links if not (PROJECT / page).parent.joinpath(link).exists()] == []


def test_every_module_of_the_batch_has_its_place_in_the_list():
    page = text("CONTRIBUTING.md")
    listed = set(re.findall(r"\w+", page[page.index("`batch/`, from") : page.index("Imports go one way")]))
    modules = {path.stem for path in (PROJECT / "src/qieval/batch").glob("[!_]*.py")}
    assert modules - listed == set()


def test_every_place_of_the_package_that_a_page_names_exists():
    rooms = "study|methods|analyses|present|batch"
    named = re.findall(rf"`(?:src/qieval/)?((?:{rooms})/[\w/]*(?:<name>)?(?:\.py)?)`", text("CONTRIBUTING.md"))
    places = [PROJECT / "src/qieval" / name.replace("<name>", "durations") for name in named]
    assert len(places) > 5
    assert [place for place in places if not place.exists()] == []


def test_what_ci_runs_is_there_and_may_be_run():
    assert os.access(PROJECT / ".ci" / "run", os.X_OK)
    assert {"check", "test", "reports"} <= commands_in(text(".ci/run"), "make")


@needs_make
def test_make_alone_lists_every_target_a_user_needs():
    shown = subprocess.run(["make", "-C", str(PROJECT)], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z]+)", shown, flags=re.MULTILINE)) == targets() - {"setup"}


# The pages


def test_the_version_is_the_same_wherever_it_stands():
    version = project()["version"]
    assert qieval.__version__ == version
    assert yaml.safe_load(text("CITATION.cff"))["version"] == version
    assert f"\n## {version}\n" in text("CHANGELOG.md")


def test_the_run_chart_limits_in_the_documentation_are_those_of_the_code():
    rows = re.findall(
        r"^\| (\d+) \| (\d+) \| ([\d.]+)% \| [\d.]+% \| (\d+), (\d+) \|", text("docs/methods.md"), re.MULTILINE
    )
    assert len(rows) > 10
    for months, baseline, rate, run, crossings in rows:
        assert frozen_limits(int(months), int(baseline)) == (int(run), int(crossings))
        assert round(100 * false_signal_rate(int(months), int(baseline)), 1) == float(rate)


# Setting up, with a python of our own that does nothing but take notes

PYTHON = """#!/bin/sh
echo "$*" >> "{log}"
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  *"pip"*"install"*) test ! -e "{broken}" || {{ echo "no such network"; exit 1; }} ;;
  *) {otherwise} ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    return tmp_path


def set_up(checkout: Path, *, otherwise: str = "exit 0") -> tuple[subprocess.CompletedProcess, str]:
    """How `make setup` ended, and what it asked of python."""
    python, log = checkout / "python", checkout / "asked"
    python.write_text(PYTHON.format(log=log, broken=checkout / "broken", otherwise=otherwise))
    python.chmod(0o755)
    log.write_text("")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-C", str(checkout), "setup", f"PYTHON={python}"]
    ended = subprocess.run(command, capture_output=True, text=True, env=plain, check=False)
    return ended, log.read_text()


@needs_make
def test_a_python_too_old_stops_with_a_sentence_that_says_what_to_do(checkout):
    ended, _ = set_up(checkout, otherwise="exit 1")
    assert ended.returncode != 0
    assert "needs Python 3.11 or newer" in ended.stderr
    assert "make reports PYTHON=python3.12" in ended.stderr
    assert not (checkout / ".venv").exists()


@needs_make
def test_a_failed_installation_shows_why_and_the_next_one_begins_anew(checkout):
    (checkout / "broken").touch()
    ended, _ = set_up(checkout)
    assert ended.returncode != 0
    assert "no such network" in ended.stderr
    (checkout / "broken").unlink()
    ended, asked = set_up(checkout)
    assert ended.returncode == 0, ended.stderr
    assert "-m venv" in asked
    assert "--require-hashes" in asked


@needs_make
def test_a_set_up_that_is_complete_is_left_alone(checkout):
    set_up(checkout)
    _, asked = set_up(checkout)
    assert "install" not in asked


@needs_make
def test_a_change_of_pyproject_alone_installs_only_qieval_again(checkout):
    set_up(checkout)
    os.utime(checkout / "pyproject.toml", (2**32, 2**32))
    _, asked = set_up(checkout)
    assert "--editable ." in asked
    assert "--require-hashes" not in asked


@needs_make
def test_another_lock_is_installed_into_an_environment_of_its_own(checkout):
    set_up(checkout)
    lock = checkout / "requirements.lock"
    lock.write_text(lock.read_text() + "# changed\n")
    os.utime(lock, (2**32, 2**32))
    _, asked = set_up(checkout)
    assert "-m venv" in asked
    assert "--require-hashes" in asked
