"""What runs in a process forked from the preloaded server: the cells of a notebook, or one call.

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


def run_cells(connection: Connection, folder: str, environment: Mapping[str, str]) -> None:
    """Be the kernel of one notebook, in its folder, until the other end of the connection closes."""
    _become_independent()
    from qieval.batch.channel import FAULT, Channel
    from qieval.batch.shell import serve

    channel = Channel(connection)
    try:
        os.environ.update(environment)
        os.chdir(folder)
        serve(channel, connection)
    except EOFError:
        pass
    except BaseException as error:
        channel.send(FAULT, {"reason": f"its kernel could not go on ({error or type(error).__name__})"})
    channel.close()
    os._exit(0)


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
