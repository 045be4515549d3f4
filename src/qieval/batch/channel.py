"""What a forked kernel says, one message after the other, whoever says it and in the middle of what."""

from __future__ import annotations

import json
import os
import threading
import time
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any

from jupyter_client.jsonutil import json_default

REPLY = "execute_reply"  # the message that ends a cell; the one before the first cell is of this kind too
FAULT = "fault"  # a message after which the kernel ends: what kept it from going on lies outside the notebook

Message = tuple[str, dict[str, Any]]  # its kind and content, as Jupyter's messages have them

MOST_WAITING = 1_000  # messages; whoever says more has to wait until some are sent
LONGEST = 2**20  # letters that are put together to one message
_PATIENCE = 60.0  # seconds for the last messages of a kernel


class Channel:
    """Sends messages from any thread, also from within a signal handler or while garbage is collected.

    All go into a queue, from which one thread writes them: a lock could be asked for again by whoever holds it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: SimpleQueue[bytes | tuple[str, str] | threading.Event] = SimpleQueue()
        self._process = os.getpid()
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def is_ours(self) -> bool:
        """Whether this process may send: what a notebook forks has the connection too, but nobody who writes."""
        return os.getpid() == self._process

    def send(self, kind: str, content: dict[str, Any]) -> None:
        """Send a message, as it is now."""
        self._put(_packed(kind, content))

    def print(self, name: str, text: str) -> None:
        """Send text for a stream; pieces that wait together become one message."""
        self._put((name, text))

    def close(self) -> None:
        """Wait until all is sent."""
        if self.is_ours():
            sent = threading.Event()
            self._waiting.put(sent)
            sent.wait(_PATIENCE)

    def _put(self, item: bytes | tuple[str, str]) -> None:
        if not self.is_ours():
            return
        self._waiting.put(item)
        while self._waiting.qsize() > MOST_WAITING and threading.current_thread() is not self._writer:
            time.sleep(0.001)

    def _write(self) -> None:
        try:
            self._write_all()
        except BaseException:  # nobody listens any more, or memory has run out: without words it is no kernel
            os._exit(1)

    def _write_all(self) -> None:
        following: bytes | tuple[str, str] | threading.Event | None = None
        while True:
            item = self._waiting.get() if following is None else following
            following = None
            if isinstance(item, tuple):
                item, following = self._together(*item)
            if isinstance(item, bytes):
                self._connection.send_bytes(item)
            else:
                item.set()

    def _together(self, name: str, text: str) -> tuple[bytes, bytes | tuple[str, str] | threading.Event | None]:
        """A message of all that waits for a stream, and what came next."""
        texts, length, following = [text], len(text), None
        try:
            while length < LONGEST:
                following = self._waiting.get_nowait()
                if not (isinstance(following, tuple) and following[0] == name):
                    break
                texts.append(following[1])
                length += len(following[1])
                following = None
        except Empty:
            pass
        return _packed("stream", {"name": name, "text": "".join(texts)}), following


def received(connection: Connection) -> Message:
    """The next message at the other end."""
    kind, content = json.loads(connection.recv_bytes())
    return kind, content


def _packed(kind: str, content: dict[str, Any]) -> bytes:
    """As Jupyter packs them, but for half letters, as odd names of files have them: no file could hold these."""
    return json.dumps((kind, content), default=json_default, ensure_ascii=False).encode("utf-8", "replace")
