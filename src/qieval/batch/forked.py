"""What runs in a process forked from the preloaded server: a kernel, or one call.

A module of its own, since such a process imports the module its task is named in.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


def run_kernel(ready: Connection, connection_file: str, folder: str, environment: Mapping[str, str]) -> None:
    """Serve as the kernel of one notebook, in its folder, until it is ended; tells when it listens."""
    _become_independent()
    os.environ.update(environment)
    os.chdir(folder)
    from ipykernel.kernelapp import IPKernelApp

    arguments = ["-f", connection_file, "--log-level=50", "--HistoryManager.hist_file=:memory:"]
    sys.argv = ["ipykernel_launcher", *arguments]
    app = IPKernelApp.instance()
    app.initialize(arguments)
    ready.send(True)
    ready.close()
    app.start()


def answer(to: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Send what `function` returns, or the exception it raises."""
    _become_independent()
    try:
        found, error = function(*arguments), None
    except Exception as raised:
        found, error = None, raised
    to.send((found, error))
    to.close()


def _become_independent() -> None:
    """Nothing of the server's that must not be shared is left, and no process outlives the batch."""
    os.setsid()  # Ctrl-C is for the batch; it ends its kernels itself
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_the_batch, daemon=True).start()
    with suppress(OSError):  # where memory runs out, Linux should end the notebook rather than the batch
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    # All forks would draw the same numbers.
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def _end_with_the_batch() -> None:
    batch = parent_process()
    if batch is not None:
        batch.join()
        os.killpg(0, signal.SIGKILL)  # and what it has started
