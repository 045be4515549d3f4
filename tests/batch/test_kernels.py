"""Processes forked from the preloaded server: what they share, what they must not, and how they end."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from qieval.batch.kernels import ONE_THREAD, Server, Stopped, kernels
from tests.batch.conftest import PROJECT

SLOW = 120  # seconds that a busy machine is given for what takes one


@pytest.fixture
def server() -> Iterator[Server]:
    with kernels("fork") as opened:
        if opened.engine != "fork":
            pytest.skip("this system does not fork")
        yield opened


def drawn() -> tuple[float, float]:
    return random.random(), float(np.random.rand())  # noqa: NPY002 - what a careless notebook does


def refuse(what: str) -> None:
    raise ValueError(f"no {what}")


def loaded(module: str) -> bool:
    return module in sys.modules


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def until(true: Callable[[], bool], seconds: float = SLOW) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def test_a_call_runs_elsewhere_and_returns_what_the_function_does(server: Server) -> None:
    assert server.call(os.getpid) != os.getpid()
    assert server.call(divmod, 7, 2) == (3, 1)


def test_an_exception_of_the_function_is_raised_here(server: Server) -> None:
    with pytest.raises(ValueError, match="no answer"):
        server.call(refuse, "answer")


def test_a_call_that_is_ended_from_outside_says_so(server: Server) -> None:
    with pytest.raises(RuntimeError, match=r"ended by itself \(-9\)"):
        server.call(die)


def test_a_call_that_hangs_is_ended(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.call(os.getpid)  # until it has loaded
    monkeypatch.setattr("qieval.batch.kernels.LONGEST_CALL", 0.6)
    with pytest.raises(RuntimeError, match=r"a worker process was ended after 0\.01 minutes"):
        server.call(time.sleep, SLOW)
    assert server.running() == []


@pytest.mark.parametrize("module", ["qieval.present.theme", "qieval.analyses.durations", "scipy.stats", "nbconvert"])
def test_a_forked_process_finds_everything_loaded(server: Server, module: str) -> None:
    assert server.call(loaded, module)


def test_no_two_forks_draw_the_same_numbers(server: Server) -> None:
    first, second = server.call(drawn), server.call(drawn)
    assert first[0] != second[0]
    assert first[1] != second[1]


def test_forks_calculate_in_one_thread_each(server: Server) -> None:
    assert {server.call(os.getenv, name) for name in ONE_THREAD} == {"1"}
    assert {os.getenv(name) for name in ONE_THREAD} != {"1"} or os.getenv("OMP_NUM_THREADS") == "1"


def test_stopping_ends_what_runs_at_once_and_starts_nothing_more(server: Server) -> None:
    server.call(os.getpid)  # until it has loaded
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            server.call(time.sleep, SLOW)
        except Stopped as stopped:
            ended.append(stopped)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert until(lambda: len(server.running()) == 1)
    begun = time.monotonic()
    server.stop()
    waiting.join(timeout=SLOW)
    assert len(ended) == 1
    assert time.monotonic() - begun < SLOW / 4
    assert server.running() == []
    with pytest.raises(Stopped):
        server.call(os.getpid)
    with pytest.raises(Stopped):
        server.start(time.sleep, SLOW)


def test_the_plain_engine_calls_in_this_process() -> None:
    with kernels("plain") as server:
        assert server.call(os.getpid) == os.getpid()


SCRIPT = """
import os, sys, threading, time
from qieval.batch.kernels import kernels

if __name__ == "__main__":
    with kernels("fork") as server:
        print(server.call(os.getpid), flush=True)
        if sys.argv[1] == "stay":
            threading.Thread(target=server.call, args=(time.sleep, 600), daemon=True).start()
            time.sleep(600)
"""


def started(folder: Path, how: str, temporary: Path) -> subprocess.Popen[str]:
    """A process that has a server and a temporary folder of its own."""
    (folder / "batch.py").write_text(SCRIPT, encoding="utf-8")
    environment = {**os.environ, "TMPDIR": str(temporary)}
    command = [sys.executable, str(folder / "batch.py"), how]
    return subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform != "linux", reason="this system does not fork")
def test_nothing_is_left_behind_at_the_end(tmp_path: Path, temporary: Path) -> None:
    batch = started(tmp_path, "end", temporary)
    assert batch.stdout is not None
    pid = int(batch.stdout.readline())
    batch.communicate(timeout=SLOW)
    assert batch.returncode == 0
    assert until(lambda: not psutil.pid_exists(pid))
    assert until(lambda: list(temporary.iterdir()) == [])


@pytest.mark.skipif(sys.platform != "linux", reason="this system does not fork")
def test_a_batch_that_is_killed_takes_its_server_and_kernels_with_it(tmp_path: Path, temporary: Path) -> None:
    batch = started(tmp_path, "stay", temporary)
    assert batch.stdout is not None
    batch.stdout.readline()
    family = psutil.Process(batch.pid)
    assert until(lambda: len(family.children(recursive=True)) >= 3)  # its server, the one who sleeps, a tracker
    children = family.children(recursive=True)
    batch.kill()
    batch.communicate(timeout=SLOW)
    _, alive = psutil.wait_procs(children, timeout=SLOW)
    assert alive == []
    assert until(lambda: list(temporary.iterdir()) == [])


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be asked there whether it lives")
def test_what_a_batch_left_that_was_killed_with_its_server_is_swept_by_the_next(
    temporary: Path, tmp_path: Path
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for left in (f"qieval-{dead.pid}-x", f"pymp-x/qieval-{dead.pid}-x", f"qieval-{os.getpid()}-x", "pymp-other/x"):
        (temporary / left).mkdir(parents=True)
    started(tmp_path, "end", temporary).communicate(timeout=SLOW)
    assert until(lambda: {path.name for path in temporary.iterdir()} == {f"qieval-{os.getpid()}-x", "pymp-other"})


@pytest.mark.skipif(sys.platform != "linux", reason="this system does not fork")
def test_where_temporary_files_have_long_names_a_shorter_place_is_taken(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    batch = started(tmp_path, "end", deep)
    printed, _ = batch.communicate(timeout=SLOW)
    assert batch.returncode == 0
    assert int(printed) > 0
    assert list(deep.iterdir()) == []
