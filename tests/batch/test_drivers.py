"""The threads that drive a batch: what goes first, and how they end."""

import threading
import time
from collections.abc import Sequence

import pytest

from qieval.batch.drivers import PATIENCE, Drivers, Step
from tests.batch.test_kernels import SLOW


def report(name: str, done: list[str], parts: int = 2) -> Step:
    """The first step of a report that has so many parts and is then finished."""
    left = parts
    lock = threading.Lock()

    def part(number: int) -> Sequence[Step]:
        nonlocal left
        done.append(f"{name}{number}")
        with lock:
            left -= 1
            return [lambda: finish()] if left == 0 else ()

    def finish() -> Sequence[Step]:
        done.append(f"{name} finished")
        return ()

    def begin() -> Sequence[Step]:
        done.append(f"{name} begun")
        return [lambda number=number: part(number) for number in range(parts)]  # type: ignore[misc]

    return begin


def test_a_report_that_was_begun_is_finished_before_the_next_is_begun() -> None:
    done: list[str] = []
    Drivers([report("a", done), report("b", done)]).drive(1)
    assert done == ["a begun", "a0", "a1", "a finished", "b begun", "b0", "b1", "b finished"]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_step_is_taken_once_however_many_threads_there_are(threads: int) -> None:
    done: list[str] = []
    Drivers([report(name, done, parts=3) for name in "abcdefgh"]).drive(threads)
    assert len(done) == len(set(done)) == 8 * 5


def test_reports_are_begun_only_when_a_thread_is_free_for_them() -> None:
    begun: list[int] = []
    done: list[str] = []

    def first_steps() -> object:
        for number in range(100):
            begun.append(number)
            assert len(begun) <= 1 + sum(entry.endswith("finished") for entry in done) + 2
            yield report(str(number), done)

    Drivers(first_steps()).drive(2)  # type: ignore[arg-type]
    assert len(begun) == 100


def test_what_a_step_raises_stops_all_and_is_raised() -> None:
    done: list[str] = []

    def full() -> Sequence[Step]:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        Drivers([full, *(report(str(n), done) for n in range(1000))]).drive(2)
    assert len(done) < 4000


def test_stopping_takes_no_further_step_and_waits_for_nobody_long() -> None:
    held, release = threading.Event(), threading.Event()

    def hold() -> Sequence[Step]:
        held.set()
        release.wait(SLOW)
        return [never]

    def never() -> Sequence[Step]:
        raise AssertionError("a step was taken after the stop")

    drivers = Drivers([hold])
    running = threading.Thread(target=drivers.drive, args=(1,))
    running.start()
    assert held.wait(SLOW)
    begun = time.monotonic()
    drivers.stop()
    assert time.monotonic() - begun < PATIENCE + SLOW / 10
    release.set()
    running.join(SLOW)
    assert not running.is_alive()
