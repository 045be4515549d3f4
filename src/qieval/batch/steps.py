"""The steps that make reports, from checked data to a folder in its place, and what becomes of one that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from qieval.batch.drivers import Drivers, Step
from qieval.batch.folders import without_folders
from qieval.batch.kernels import Engine, Server, Stopped, kernels
from qieval.batch.pending import Pending
from qieval.batch.place import NO_ROOM
from qieval.batch.results import Made, Watcher
from qieval.errors import ReportError


def make(
    to_make: Sequence[Pending], watcher: Watcher, ended: Callable[[Made], None], *, jobs: int, engine: Engine = "fork"
) -> None:
    """Make these reports on this computer, as many notebooks at once as there are jobs, each in its own process."""
    with kernels(engine) as server:
        import papermill  # noqa: F401 - takes a moment, which the server needs to load as well

        making = _Making(server, watcher, ended)
        drivers = Drivers(making.steps(to_make))
        try:
            drivers.drive(jobs)
        except BaseException:
            server.stop()
            drivers.stop()
            raise


def fault(error: BaseException, one: Pending) -> str:
    """A fault of ours in words, as far as there are any."""
    known = without_folders(f"{type(error).__name__}: {error}", one.request.home)
    return f"a fault in qieval or in a notebook kept it from being made ({known}) -> please report it"


class _Making:
    """The steps that make a report: its data are checked, its notebooks run, and all of it written and put in place."""

    def __init__(self, server: Server, watcher: Watcher, ended: Callable[[Made], None]) -> None:
        self._server, self._watcher, self._ended = server, watcher, ended

    def steps(self, to_make: Sequence[Pending]) -> Iterator[Step]:
        """The first step of each report."""
        return (partial(self._guarded, self._begin, one) for one in to_make)

    def _begin(self, one: Pending) -> Sequence[Step]:
        one.check(self._server)
        if one.has_same_rows() and one.is_unchanged(same_data=True):  # other rows of the same files have changed
            self._watcher.settled(len(one.recipes))
            self._ended(one.keep_last())
            return ()
        one.settle()
        self._watcher.settled(len(one.recipes) - len(one.to_make))
        running = [partial(self._guarded, self._run, one, name) for name in one.to_make]
        return running or [partial(self._guarded, self._finish, one)]

    def _run(self, one: Pending, name: str) -> Sequence[Step]:
        is_last = one.run(name, self._server)
        self._watcher.notebook_ended()
        return [partial(self._guarded, self._finish, one)] if is_last else ()

    def _finish(self, one: Pending) -> Sequence[Step]:
        made = one.finish(self._server)
        one.place(made)
        self._ended(made)
        return ()

    def _guarded(self, step: Callable[..., Sequence[Step]], one: Pending, *more: str) -> Sequence[Step]:
        """Take a step; if it cannot be taken this report is given up, and the others go on."""
        if one.given_up:
            return ()
        try:
            return step(one, *more)
        except Stopped:
            return ()
        except OSError as error:
            if error.errno in NO_ROOM:
                raise
            reason = without_folders(f"a file could not be read or written ({error}) -> run again", one.request.home)
        except ReportError as error:
            reason = str(error)
        except Exception as error:  # a fault in one report must not cost the others
            reason = fault(error, one)
        if not self._server.stopped:  # what was stopped has not failed
            self._ended(one.give_up(reason))
        return ()
