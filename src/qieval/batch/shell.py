"""The shell of a kernel without its sockets: runs the cells of one notebook, and sends what they show as it comes.

What cells do and show is ipykernel's own; only the way its messages take is shorter.
"""

from __future__ import annotations

import builtins
import codecs
import getpass
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import PurePath
from types import SimpleNamespace
from typing import Any, NoReturn

from ipykernel.eventloops import enable_gui
from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.error import StdinNotImplementedError
from jupyter_client.session import Session
from traitlets.config import Config

from qieval.batch.channel import REPLY, Channel

PATIENCE = 1.0  # seconds that are waited for what programs have printed, if one goes on printing


def serve(channel: Channel, connection: Connection) -> None:
    """Run each cell that comes, until this process is ended.

    Raises
    ------
    EOFError
        If the other end of the connection is closed.
    """
    shell = _shell(channel)
    with _printed_elsewhere(channel) as all_sent:
        channel.send(REPLY, {"language_info": IPythonKernel.language_info})
        while not shell.exit_now:
            source = connection.recv()
            channel.send("execute_input", {"code": source, "execution_count": shell.execution_count})
            with _interruptible():
                outcome = shell.run_cell(source, store_history=True)
            if not channel.is_ours():
                os._exit(1)  # a fork that the cell has made and not ended
            all_sent()
            channel.send(REPLY, _reply(shell, outcome))


def _shell(channel: Channel) -> ZMQInteractiveShell:
    """A shell that shows, prints and fails over the channel; there is nobody whom it could ask."""
    kernel = SimpleNamespace(eventloop=None)  # of which the shell asks no more
    # Without a history there is no thread and no file.
    shell = ZMQInteractiveShell.instance(config=Config(HistoryManager={"enabled": False}), kernel=kernel)
    shell.enable_gui = lambda gui=None: enable_gui(gui, kernel)  # type: ignore[method-assign]
    for shown in (shell.displayhook, shell.display_pub):
        shown.session = _Session(channel)  # type: ignore[union-attr]
    sys.stdout, sys.stderr = _Stream("stdout", channel), _Stream("stderr", channel)
    builtins.input = getpass.getpass = _nobody_to_ask
    # A module beside the notebook is found after those of Python and before installed ones, as by every kernel.
    installed = (place for place, path in enumerate(sys.path) if PurePath(path).name.endswith("-packages"))
    sys.path.insert(next(installed, 0), "")
    return shell


@contextmanager
def _interruptible() -> Iterator[None]:
    """A cell may interrupt itself; what waits for the next one may not be interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _reply(shell: ZMQInteractiveShell, outcome: Any) -> dict[str, Any]:
    if outcome.success and not getattr(shell, "_last_traceback_during_displayhook", False):
        return {"status": "ok"}
    error = outcome.error_before_exec or outcome.error_in_exec
    known = {"ename": type(error).__name__, "evalue": str(error), "traceback": shell._last_traceback or []}
    return {"status": "error"} | known


class _Session(Session):
    """Sends what the shell publishes over the channel."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(key=b"")
        self._channel = channel

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *more: Any, **ignored: Any) -> None:
        if isinstance(msg_or_type, str):
            self._channel.send(msg_or_type, content or {})
        else:
            self._channel.send(msg_or_type["msg_type"], msg_or_type["content"])


class _Stream(io.TextIOBase):
    """What Python prints to, from any thread."""

    encoding = "utf-8"  # some libraries ask for it before they print

    def __init__(self, name: str, channel: Channel) -> None:
        self.name = name
        self._channel = channel

    def write(self, text: str) -> int:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._channel.is_ours():
            self._channel.print(self.name, text)
        else:
            os.write(self.fileno(), text.encode("utf-8", "replace"))
        return len(text)

    def flush(self) -> None:
        """All is on its way already; nor does it fail when closed, or the error in the cell could not be shown."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1 if self.name == "stdout" else 2


def _nobody_to_ask(*arguments: Any, **more: Any) -> NoReturn:
    raise StdinNotImplementedError("a notebook of a batch cannot ask for input -> make it a parameter")


@contextmanager
def _printed_elsewhere(channel: Channel) -> Iterator[Any]:
    """Catch what programs print that this process starts, and libraries past Python.

    Gives what waits until all that was printed so far is on its way.
    """
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    taking = threading.Lock()
    ends = {}
    for number, name in ((1, "stdout"), (2, "stderr")):
        ends[name], printed = os.pipe()
        os.dup2(printed, number)
        os.close(printed)

    def take(name: str) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            wait([ends[name]])
            with taking:
                channel.print(name, decoder.decode(os.read(ends[name], 2**16)))

    def all_sent() -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with taking:
                if not wait(list(ends.values()), timeout=0):
                    return
            time.sleep(0.0005)

    for name in ends:
        threading.Thread(target=take, args=(name,), daemon=True).start()
    yield all_sent
