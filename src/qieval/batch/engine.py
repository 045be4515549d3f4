"""A papermill engine whose kernels come from the batch's server, and which tells how a notebook really ended."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

import nbformat
from nbclient.exceptions import DeadKernelError
from papermill.engines import Engine as PapermillEngine
from papermill.engines import NotebookExecutionManager, papermill_engines

from qieval.batch.forked_kernel import ForkedKernel
from qieval.batch.kernels import Server
from qieval.batch.ordinary_kernel import OrdinaryKernel

NAME = "qieval"  # by which papermill knows the engine
ENDED = "NotebookEnded"  # the name of the error in a notebook that did not end by itself; its message is a sentence

STOPPED = "it was stopped before it was finished"
LESS_MEMORY = "run fewer notebooks at once (--jobs 1), or on a computer with more memory"


class _Kernel(Protocol):
    def execute(self) -> None: ...

    def exit_code(self) -> int | None: ...

    def end(self) -> None: ...

    def close(self) -> None: ...


class Engine(PapermillEngine):
    """Runs the cells of a notebook in a kernel of its own; saves nothing, since papermill does at the end."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        server: Server,
        folder: str,
        environment: dict[str, str],
        minutes: float,
        tidied: Callable[[nbformat.NotebookNode], None],
        **ignored: Any,
    ) -> None:
        """Execute the notebook in a folder; whatever ended its kernel becomes an error of the cell that was running.

        `tidied` is done to the notebook at the end, however it ended.
        """
        kind = ForkedKernel if server.engine == "fork" else OrdinaryKernel
        try:
            with (
                closing(kind(server, nb_man, folder, server.environment | environment)) as kernel,
                _limit(minutes, kernel) as limit,
            ):
                try:
                    kernel.execute()
                except DeadKernelError:
                    _fail_running_cell(nb_man.nb, _why_it_ended(server, kernel, limit, minutes))
        finally:
            tidied(nb_man.nb)


papermill_engines.register(NAME, Engine)


class _Limit:
    reached = False


@contextmanager
def _limit(minutes: float, kernel: _Kernel) -> Iterator[_Limit]:
    """End the kernel when its time is over, whatever it or its client is doing."""
    limit = _Limit()

    def end() -> None:
        limit.reached = True
        kernel.end()

    timer = threading.Timer(minutes * 60, end)
    timer.daemon = True
    timer.start()
    try:
        yield limit
    finally:
        timer.cancel()


def _why_it_ended(server: Server, kernel: _Kernel, limit: _Limit, minutes: float) -> str:
    if server.stopped:
        return STOPPED
    if limit.reached:
        allowed = f"it was ended after {minutes:g} minutes, the limit"
        return f"{allowed} -> if it needs longer, raise options.minutes_per_notebook"
    return _ended_by(kernel.exit_code())


def _ended_by(code: int | None) -> str:
    """What an exit code says of a kernel that ended by itself."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        if name == "SIGKILL":
            return f"the system ended it (SIGKILL), mostly because memory ran out -> {LESS_MEMORY}"
        return f"its kernel crashed ({name})"
    return f"its kernel ended in the middle of the notebook (exit code {code})"


def _fail_running_cell(notebook: nbformat.NotebookNode, reason: str) -> None:
    """Papermill believes a cell complete even if its kernel died: only an error among the outputs tells it better."""
    begun = [cell for cell in notebook.cells if cell.metadata.papermill.get("start_time")]
    running = begun[-1]
    error = nbformat.v4.new_output("error", ename=ENDED, evalue=reason, traceback=[reason])
    running.outputs = [*running.get("outputs", []), error]
    running.metadata.papermill.update(exception=True, status=NotebookExecutionManager.FAILED)
