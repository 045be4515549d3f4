"""One batch at a time in a folder, told apart by the system itself."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qieval.batch.lock import HOLDER, LOCK, holding
from qieval.errors import ReportError

# A batch that holds the folder until it is told to end, with a process of its own that goes on longer than it.
HOLDS = """
import subprocess, sys
from pathlib import Path
from qieval.batch.lock import holding
with holding(Path(sys.argv[1])):
    kernel = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"], stdout=subprocess.DEVNULL)
    print(kernel.pid, flush=True)
    sys.stdin.readline()
    kernel.kill()
    kernel.wait()
"""

# One that comes second, as the command does it: the sentence, and exit code 1.
COMES_SECOND = """
import sys
from pathlib import Path
from qieval.batch.lock import holding
from qieval.errors import ReportError
try:
    with holding(Path(sys.argv[1])):
        print("got it")
except ReportError as error:
    print(error)
    sys.exit(1)
"""


@contextmanager
def another_batch(out: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A batch that holds `out`, and the process of its kernel."""
    command = [sys.executable, "-c", HOLDS, str(out)]
    batch = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert batch.stdout is not None
    kernel = int(batch.stdout.readline())
    try:
        yield batch, kernel
    finally:
        batch.communicate("end\n" if batch.poll() is None else None, timeout=60)


@contextmanager
def without_privileges() -> Iterator[None]:
    """As a user who is not root, whom no folder refuses."""
    if not hasattr(os, "geteuid"):
        pytest.skip("needs permissions as on Linux or macOS")
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def refusal(out: Path) -> str:
    with pytest.raises(ReportError) as caught, holding(out):
        pass
    return str(caught.value)


def test_a_second_batch_is_told_who_holds_the_folder_since_when_and_what_to_do(tmp_path: Path) -> None:
    with another_batch(tmp_path) as (batch, _):
        second = subprocess.run(
            [sys.executable, "-c", COMES_SECOND, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 1
        assert re.fullmatch(
            rf"{re.escape(str(tmp_path))}: another batch writes to it \(process {batch.pid} on "
            rf"{re.escape(socket.gethostname())}, since \d{{4}}-\d\d-\d\d \d\d:\d\d\) -> wait until it has ended, or "
            "choose another folder with --out\n",
            second.stdout,
        )
        assert second.stderr == ""


def test_the_second_changes_nothing_for_the_first(tmp_path: Path) -> None:
    with another_batch(tmp_path):
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        refusal(tmp_path)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
        assert "another batch writes to it (process" in refusal(tmp_path)


def test_a_folder_is_free_again_when_its_batch_has_ended(tmp_path: Path) -> None:
    with another_batch(tmp_path):
        pass
    with holding(tmp_path):
        assert json.loads((tmp_path / HOLDER).read_text(encoding="utf-8"))["process"] == os.getpid()
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_it_is_free_at_once_when_its_batch_was_killed_even_if_a_kernel_lives_on(tmp_path: Path) -> None:
    with another_batch(tmp_path) as (batch, kernel):
        batch.kill()
        batch.wait(timeout=60)
        os.kill(kernel, 0)  # it is there
        try:
            with holding(tmp_path):
                assert json.loads((tmp_path / HOLDER).read_text(encoding="utf-8"))["process"] == os.getpid()
        finally:
            os.kill(kernel, signal.SIGKILL)


def test_an_error_inside_frees_it_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), holding(tmp_path):
        1 / 0  # noqa: B018
    with holding(tmp_path):
        pass


def test_other_folders_are_nobodys(tmp_path: Path) -> None:
    with holding(tmp_path / "one"), holding(tmp_path / "deep" / "two"):
        assert (tmp_path / "deep" / "two" / HOLDER).is_file()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"process": 1}', "\0"])
def test_a_holder_that_is_just_writing_its_name_is_told_without_it(tmp_path: Path, content: str) -> None:
    with another_batch(tmp_path):
        (tmp_path / HOLDER).write_text(content, encoding="utf-8")
        assert refusal(tmp_path).startswith(f"{tmp_path}: another batch writes to it -> wait until it has ended")


def test_a_folder_that_cannot_be_written_to_is_one_sentence() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        out.chmod(0o555)
        with without_privileges():
            said = refusal(out)
    assert said == f"{out}: cannot be written to (Permission denied) -> choose another folder with --out"


def test_a_folder_that_cannot_be_made_is_one_sentence() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "reports"
        out.parent.chmod(0o555)
        with without_privileges():
            said = refusal(out)
    assert said == f"{out}: cannot be written to (Permission denied) -> choose another folder with --out"


def test_a_file_in_the_place_of_the_folder_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("x", encoding="utf-8")
    remedy = "-> choose another folder with --out"
    for out in (tmp_path / "reports", tmp_path / "reports" / "deeper"):
        assert refusal(out) == f"{out}: cannot be written to ({tmp_path / 'reports'} is a file, not a folder) {remedy}"
    assert (tmp_path / "reports").read_text(encoding="utf-8") == "x"
