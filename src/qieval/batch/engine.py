"""A papermill engine whose kernels come from the batch's server, and which tells how a notebook really ended."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import nbformat
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

from qieval.batch.kernels import Provisioner, Server

NAME = "qieval"  # by which papermill knows the engine
ENDED = "NotebookEnded"  # the name of the error in a notebook that did not end by itself; its message is a sentence

STOPPED = "it was stopped before it was finished"
LESS_MEMORY = "run fewer notebooks at once (--jobs 1), or on a computer with more memory"


class Engine(NBClientEngine):
    """Runs the cells of a notebook in a kernel of the server; saves nothing, since papermill does at the end."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        server: Server,
        folder: str,
        environment: Mapping[str, str],
        minutes: float,
        tidied: Callable[[nbformat.NotebookNode], None],
        **ignored: Any,
    ) -> None:
        """Execute the notebook in a folder; whatever ended its kernel becomes an error of the cell that was running.

        `tidied` is done to the notebook at the end, however it ended.
        """
        manager, provisioner = server.manager()
        client = _NotebookClient(nb_man, km=manager, shutdown_kernel="immediate", extra_arguments=["--log-level=50"])
        try:
            with _limit(minutes, provisioner) as limit:
                client.execute(cwd=folder, env={**os.environ, **server.environment, **environment}, cleanup_kc=True)
        except DeadKernelError:
            if server.stopped:
                reason = STOPPED
            elif limit.reached:
                reason = (
                    f"it was ended after {minutes:g} minutes, the limit -> if it needs longer, raise "
                    "options.minutes_per_notebook"
                )
            else:
                reason = _ended_by(provisioner.exit_code())
            _fail_running_cell(nb_man.nb, reason)
        finally:
            tidied(nb_man.nb)
            # Of a kernel that ended before it was ready, sockets may be open still: whoever collects this garbage
            # would wait for ever until they are closed.
            manager.context.destroy(linger=0)
            ensure_event_loop().close()  # each thread gets a loop of its own, which nobody else would close


papermill_engines.register(NAME, Engine)


class _NotebookClient(PapermillNotebookClient):
    """Notices the end of its kernel at once; the usual client looks once a second."""

    async def _async_poll_kernel_alive(self) -> None:
        await self.km.provisioner.died()
        self.task_poll_for_reply.cancel()


class _Limit:
    reached = False


@contextmanager
def _limit(minutes: float, provisioner: Provisioner) -> Iterator[_Limit]:
    """End the kernel when its time is over, whatever it or its client is doing."""
    limit = _Limit()

    def end() -> None:
        limit.reached = True
        provisioner.end()

    timer = threading.Timer(minutes * 60, end)
    timer.daemon = True
    timer.start()
    try:
        yield limit
    finally:
        timer.cancel()


def _ended_by(code: int | None) -> str:
    """What an exit code says of a kernel that ended by itself."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name
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
