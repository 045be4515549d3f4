"""Threads that drive a batch: each takes the most urgent step there is, so that reports are finished one by one."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count

Step = Callable[[], "Sequence[Step]"]  # does a part of one report, and returns what can be done next for it

PATIENCE = 0.3  # seconds that threads are given to end when the batch is stopped


class Drivers:
    """Runs the steps of many reports, a few at once; a report that was begun goes before one that was not."""

    def __init__(self, first_steps: Iterable[Step]) -> None:
        self._waiting: Iterator[tuple[int, Step]] = enumerate(first_steps)  # reports that have not been begun
        self._ready: list[tuple[int, int, Step]] = []  # a heap: the number of the report, then the order they came in
        self._order = count()
        self._busy = 0
        self._stopped = False
        self._error: BaseException | None = None
        self._turn = threading.Condition()

    def drive(self, threads: int) -> None:
        """Do everything with so many threads; what a step raises is raised here at once, and they take no other."""
        # Daemons: one that waits for a process that does not answer must not keep a stopped batch from ending.
        running = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            while thread.is_alive() and self._error is None:
                thread.join(timeout=0.2)  # not for ever: on Windows Ctrl-C would have to wait for it
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Take no further step, and give those that are being taken a moment to end."""
        with self._turn:
            self._stopped = True
            self._turn.notify_all()
        deadline = time.monotonic() + PATIENCE
        while self._busy and time.monotonic() < deadline:
            time.sleep(0.01)

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            number, step = taken
            following: Sequence[Step] = ()
            try:
                following = step()
            except BaseException as error:  # raised again by `drive`
                self._error = self._error or error
                self._stopped = True
            with self._turn:
                for one in following:
                    heapq.heappush(self._ready, (number, next(self._order), one))
                self._busy -= 1
                self._turn.notify_all()

    def _next(self) -> tuple[int, Step] | None:
        with self._turn:
            while not self._stopped:
                found = self._take()
                if found is not None:
                    self._busy += 1
                    return found
                if not self._busy:
                    break
                self._turn.wait()
            return None

    def _take(self) -> tuple[int, Step] | None:
        if self._ready:
            number, _, step = heapq.heappop(self._ready)
            return number, step
        return next(self._waiting, None)
