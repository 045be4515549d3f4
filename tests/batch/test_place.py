"""What is in the folder of reports is whole at every moment, whatever ends the batch."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from qieval.batch import place
from qieval.batch.place import WORK, exchange, put_in_place, replace_json, sweep, work_folder
from qieval.batch.run import batch_folder
from qieval.errors import ReportError
from tests.batch.test_lock import without_privileges

NAMES = ("report.html", "figures/a.svg", "figures/b.svg", "manifest.json")

# Puts one report after the other into the same place, until it is killed.
REPLACES = """
import sys
from pathlib import Path
from qieval.batch import place
from tests.batch.test_place import report
out = Path(sys.argv[1])
if sys.argv[2] == "two steps":
    place.exchange = lambda one, other: False
with place.work_folder(out) as work:
    for n in range(10**9):
        place.put_in_place(report(work / "kangra", n), out / "kangra", work)
        if n == 0:
            print("begun", flush=True)
"""

# Looks at every file of the report again and again, until it is told to end.
LOOKS = """
import json, sys
from pathlib import Path
from tests.batch.test_place import NAMES
report, end = Path(sys.argv[1]), Path(sys.argv[2])
looks, missing, seen = 0, 0, set()
while not end.exists():
    for name in NAMES:
        try:
            seen.add((report / name).read_text())
        except OSError:
            missing += 1
    looks += 1
    if looks == 1:
        print("begun", flush=True)
print(json.dumps([looks, missing, sorted(seen)]))
"""


def report(folder: Path, number: int) -> Path:
    """A report of several files, each of which holds its number."""
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(str(number), encoding="utf-8")
    return folder


def held(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def is_whole(folder: Path) -> bool:
    """Whether all files of a report are there, and of one and the same report."""
    found = held(folder)
    return set(found) == set(NAMES) and len(set(found.values())) == 1


def started(script: str, *arguments: object) -> subprocess.Popen[str]:
    """A script in a process of its own that has told it has begun."""
    running = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "begun\n"
    return running


@pytest.fixture(params=["one step", "two steps"])
def steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the system replaces a folder: some exchange two in one step, others cannot."""
    if request.param == "two steps":
        monkeypatch.setattr(place, "exchange", lambda one, other: False)
    return request.param


# --- put in place ----------------------------------------------------------------------------------


def test_the_first_report_comes_to_its_place(tmp_path: Path, steps: str) -> None:
    with work_folder(tmp_path) as work:
        put_in_place(report(work / "kangra", 1), tmp_path / "kangra", work)
    assert held(tmp_path / "kangra") == dict.fromkeys(NAMES, "1")
    assert [path.name for path in tmp_path.iterdir()] == ["kangra"]


def test_a_later_one_takes_the_place_and_nothing_of_the_former_stays(tmp_path: Path, steps: str) -> None:
    report(tmp_path / "kangra", 1)
    (tmp_path / "kangra" / "figures" / "of_a_question_no_longer_asked.svg").touch()
    with work_folder(tmp_path) as work:
        put_in_place(report(work / "kangra", 2), tmp_path / "kangra", work)
        assert [path for path in work.rglob("*") if path.is_file()] == []
    assert held(tmp_path / "kangra") == dict.fromkeys(NAMES, "2")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems may need two steps")
def test_a_reader_finds_every_file_at_every_moment_while_hundreds_of_reports_come_and_go(tmp_path: Path) -> None:
    out, end = tmp_path / "reports", tmp_path / "end"
    report(out / "kangra", 0)
    reader = started(LOOKS, out / "kangra", end)
    with work_folder(out) as work:
        for number in range(1, 201):
            put_in_place(report(work / "kangra", number), out / "kangra", work)
    end.touch()
    looks, missing, seen = json.loads(reader.communicate(timeout=60)[0])
    assert missing == 0
    assert set(seen) <= set(map(str, range(201)))
    assert looks > 50
    assert len(seen) > 10  # it did look while they changed


@pytest.mark.parametrize("how", ["one step", "two steps"])
def test_killed_at_any_moment_it_leaves_one_whole_report_and_the_next_batch_removes_the_rest(
    tmp_path: Path, how: str
) -> None:
    moments = random.Random(6)
    for _ in range(15):
        running = started(REPLACES, tmp_path, how)
        time.sleep(moments.uniform(0, 0.03))
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=60)
        if how == "one step":
            assert is_whole(tmp_path / "kangra")
        sweep(tmp_path)
        assert is_whole(tmp_path / "kangra")
        assert [path.name for path in tmp_path.iterdir()] == ["kangra"]


# Between the two steps: the former report has gone aside, and the new one has not come yet.
DIES_BETWEEN = """
import os, signal, sys
from pathlib import Path
from qieval.batch import place
from tests.batch.test_place import report
out = Path(sys.argv[1])
place.exchange = lambda one, other: False
move = Path.rename
def rename(self, target):
    if (target.parent, self.parent.name) == (out, work.name):
        print("begun", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return move(self, target)
with place.work_folder(out) as work:
    Path.rename = rename
    place.put_in_place(report(work / "kangra", 2), out / "kangra", work)
"""


def test_killed_between_the_two_steps_the_former_report_is_back_with_the_next_batch(tmp_path: Path) -> None:
    report(tmp_path / "kangra", 1)
    started(DIES_BETWEEN, tmp_path).communicate(timeout=60)
    assert not (tmp_path / "kangra").exists()
    with work_folder(tmp_path):
        assert held(tmp_path / "kangra") == dict.fromkeys(NAMES, "1")


def test_if_the_new_one_cannot_come_the_former_stays(tmp_path: Path, steps: str) -> None:
    report(tmp_path / "kangra", 1)
    with work_folder(tmp_path) as work:
        with pytest.raises(FileNotFoundError):
            put_in_place(work / "never made", tmp_path / "kangra", work)
        assert held(tmp_path / "kangra") == dict.fromkeys(NAMES, "1")


def test_a_place_that_cannot_be_written_to_is_one_sentence_and_the_former_stays(steps: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work, out = Path(folder) / "work", Path(folder) / "out"
        report(work / "kangra", 2)
        report(out / "kangra", 1)
        for path in (Path(folder), work):
            path.chmod(0o777)
        out.chmod(0o555)
        with without_privileges(), pytest.raises(ReportError) as caught:
            put_in_place(work / "kangra", out / "kangra", work)
        assert held(out / "kangra") == dict.fromkeys(NAMES, "1")
    assert str(caught.value) == (
        "kangra: cannot be replaced (Permission denied) -> close any file of it that is open, and run again"
    )


def test_a_link_in_the_place_of_a_report_gives_way_and_what_it_leads_to_stays(tmp_path: Path, steps: str) -> None:
    out = tmp_path / "reports"
    out.mkdir()
    report(tmp_path / "elsewhere", 1)
    (out / "kangra").symlink_to(tmp_path / "elsewhere")
    with work_folder(out) as work:
        put_in_place(report(work / "kangra", 2), out / "kangra", work)
    assert held(out / "kangra") == dict.fromkeys(NAMES, "2")
    assert not (out / "kangra").is_symlink()
    assert held(tmp_path / "elsewhere") == dict.fromkeys(NAMES, "1")


# --- exchange --------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="other systems may not know how")
def test_two_folders_change_places_in_one_step(tmp_path: Path) -> None:
    report(tmp_path / "one", 1)
    report(tmp_path / "other", 2)
    assert exchange(tmp_path / "one", tmp_path / "other")
    assert (held(tmp_path / "one"), held(tmp_path / "other")) == (dict.fromkeys(NAMES, "2"), dict.fromkeys(NAMES, "1"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems may not know how")
def test_an_exchange_that_fails_names_the_place(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(FileNotFoundError, match="other"):
        exchange(tmp_path / "one", tmp_path / "other")


def test_a_system_that_knows_no_exchange_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "aix")
    assert exchange(tmp_path / "one", tmp_path / "other") is False


# --- work folder and sweep -------------------------------------------------------------------------


def test_the_work_folder_is_gone_however_the_batch_ends(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), work_folder(tmp_path) as work:
        (work / "kangra").mkdir()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_it_lies_on_the_same_disk_as_the_reports_and_out_of_sight(tmp_path: Path) -> None:
    with work_folder(tmp_path) as work:
        assert work.parent == tmp_path
        assert work.name.startswith(".")


def test_a_batch_first_removes_what_a_killed_one_has_left(tmp_path: Path) -> None:
    report(tmp_path / f"{WORK}old" / "kangra", 1)
    (tmp_path / ".index.html.123").touch()
    with work_folder(tmp_path) as work:
        assert list(tmp_path.iterdir()) == [work]


def test_a_report_that_was_only_just_moved_away_comes_back(tmp_path: Path) -> None:
    report(tmp_path / f"{WORK}old" / "aside" / "kangra", 1)
    sweep(tmp_path)
    assert held(tmp_path / "kangra") == dict.fromkeys(NAMES, "1")
    assert [path.name for path in tmp_path.iterdir()] == ["kangra"]


def test_one_whose_successor_is_there_does_not(tmp_path: Path) -> None:
    report(tmp_path / f"{WORK}old" / "aside" / "kangra", 1)
    report(tmp_path / "kangra", 2)
    sweep(tmp_path)
    assert held(tmp_path / "kangra") == dict.fromkeys(NAMES, "2")


def test_only_what_a_batch_has_left_is_removed(tmp_path: Path) -> None:
    others = [
        ".index.html", ".index.html.bak", "index.html.123", ".notes.html.123", ".compare.html.old", "making-1",
        ".gitignore", ".lock", ".held-by.json", "key_figures.xlsx", "~$key_figures.xlsx", "kangra.making-1",
    ]  # fmt: skip
    for name in others:
        (tmp_path / name).touch()
    report(tmp_path / "kangra", 1)
    report(tmp_path / ".git", 1)
    for name in (".index.html.7", ".compare.html.123", ".key_figures.xlsx.4567"):
        (tmp_path / name).touch()
    report(tmp_path / f"{WORK}abc", 1)
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, "kangra", ".git"])


# --- replace_json ----------------------------------------------------------------------------------


def test_a_replaced_file_holds_the_new_content_as_anyone_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("{}", encoding="utf-8")
    usual = path.stat().st_mode
    with work_folder(tmp_path) as work:
        replace_json(path, {"title": "जिला"}, work)
        assert list(work.iterdir()) == []
    assert json.loads(path.read_text(encoding="utf-8")) == {"title": "जिला"}
    assert path.stat().st_mode == usual


def test_content_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("{}", encoding="utf-8")
    with work_folder(tmp_path) as work, pytest.raises(TypeError):
        replace_json(path, {"a": 1, "b": object()}, work)
    assert path.read_text(encoding="utf-8") == "{}"


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs the list of a process's open files")
def test_thousands_of_replaced_files_leave_none_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        replace_json(tmp_path / "report.json", number, tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


REPLACES_JSON = """
import sys
from pathlib import Path
from qieval.batch.place import replace_json
path, work = Path(sys.argv[1]), Path(sys.argv[2])
for n in range(10**9):
    replace_json(path, [n] * 5000, work)
    if n == 0:
        print("begun", flush=True)
"""


def test_a_reader_and_a_kill_find_the_file_whole_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    for wait in (0.0, 0.01, 0.05, 0.3):
        running = started(REPLACES_JSON, path, tmp_path)
        until = time.monotonic() + wait
        while time.monotonic() < until:
            assert len(json.loads(path.read_text(encoding="utf-8"))) == 5000
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=60)
        assert len(set(json.loads(path.read_text(encoding="utf-8")))) == 1


def test_that_no_folder_for_temporary_files_can_be_used_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr("qieval.batch.place.tempfile.gettempdir", none)
    begun = []
    with (
        pytest.raises(ReportError, match="No usable temporary directory found"),
        batch_folder(tmp_path / "out") as work,
    ):
        begun.append(work.is_dir())
    assert begun == [True]  # it is the workbook at the end that needs one
