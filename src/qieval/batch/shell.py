"""The shell of a kernel without its sockets: runs the cells of one notebook, and sends what they show as it comes.

What cells do and show is ipykernel's own; only the way its messages take is shorter.
"""

from __future__ import annotations

import builtins
import getpass
import io
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import PurePath
from types import SimpleNamespace
from typing import Any, NoReturn

from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.error import StdinNotImplementedError
from jupyter_client.session import Session
from traitlets.config import Config

from qieval.batch.forked import REPLY


class Channel:
    """Sends messages from any thread of this process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._process = os.getpid()

    def is_ours(self) -> bool:
        """Whether this process may send: what the notebook forks has the connection too, and would cut messages."""
        return os.getpid() == self._process

    def send(self, kind: str, content: dict[str, Any]) -> None:
        """Send one message."""
        if self.is_ours():
            with self._lock:
                self._connection.send((kind, content))


def serve(connection: Connection) -> None:
    """Run each cell that comes, until this process is ended."""
    channel = Channel(connection)
    shell = _shell(channel)
    with _printed_elsewhere(channel) as send_printed:
        channel.send(REPLY, {"language_info": IPythonKernel.language_info})
        while True:
            source = connection.recv()
            channel.send("execute_input", {"code": source, "execution_count": shell.execution_count})
            outcome = shell.run_cell(source, store_history=True)
            sys.stdout.flush()
            send_printed()
            channel.send(REPLY, _reply(shell, outcome))
            if shell.exit_now:
                return


def _shell(channel: Channel) -> ZMQInteractiveShell:
    """A shell that shows, prints and fails over the channel; there is nobody whom it could ask."""
    # Without a history there is no thread and no file.
    shell = ZMQInteractiveShell.instance(
        config=Config(HistoryManager={"enabled": False}), kernel=SimpleNamespace(eventloop=None)
    )
    for shown in (shell.displayhook, shell.display_pub):
        shown.session = _Session(channel)  # type: ignore[union-attr]
    sys.stdout, sys.stderr = _Stream("stdout", channel), _Stream("stderr", channel)
    builtins.input = getpass.getpass = _nobody_to_ask
    # A module beside the notebook is found after those of Python and before installed ones, as by every kernel.
    installed = (place for place, path in enumerate(sys.path) if PurePath(path).name.endswith("-packages"))
    sys.path.insert(next(installed, 0), "")
    return shell


def _reply(shell: ZMQInteractiveShell, outcome: Any) -> dict[str, Any]:
    if outcome.success and not shell._last_traceback_during_displayhook:
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
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not self._channel.is_ours():
            os.write(1, text.encode("utf-8", "replace"))
        elif text:
            self._channel.send("stream", {"name": self.name, "text": text})
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1


def _nobody_to_ask(*arguments: Any, **more: Any) -> NoReturn:
    raise StdinNotImplementedError("a notebook of a batch cannot ask for input -> make it a parameter")


@contextmanager
def _printed_elsewhere(channel: Channel) -> Iterator[Any]:
    """Catch what programs print that this process starts, and libraries past Python; gives what sends it so far."""
    with tempfile.TemporaryFile(buffering=0) as file, open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        for number in (1, 2):
            os.dup2(file.fileno(), number)
        sent = 0

        def send() -> None:
            nonlocal sent
            text = os.pread(file.fileno(), os.fstat(file.fileno()).st_size - sent, sent)
            if text:
                sent += len(text)
                channel.send("stream", {"name": "stdout", "text": text.decode("utf-8", "replace")})

        yield send
