"""A kernel forked from the loaded server: takes cells, and gives the messages they lead to over one connection."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Pipe, wait
from typing import Any

from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NotebookExecutionManager

from qieval.batch import forked
from qieval.batch.channel import FAULT, REPLY, Message, received
from qieval.batch.kernels import Server, Stopped

SOON = 2.0  # seconds


class ForkedKernel(PapermillNotebookClient):
    """Runs the cells of one notebook in a process of its own that has everything loaded from its start.

    What becomes of a message is nbclient's own, so that outputs are as an ordinary kernel's are.
    """

    def __init__(
        self, server: Server, notebook: NotebookExecutionManager, folder: str, environment: Mapping[str, str]
    ) -> None:
        super().__init__(notebook, record_timing=False)
        self._server = server
        self._connection, theirs = Pipe()
        with theirs:
            self._process = server.start(forked.run_cells, theirs, folder, {**os.environ, **environment})

    def execute(self) -> None:
        """Run the cells until one fails.

        Raises
        ------
        nbclient.exceptions.DeadKernelError
            If the kernel ended in one of them.
        RuntimeError
            If it ended before the first, or something outside the notebook kept it from going on.
        """
        self.reset_execution_trackers()
        try:
            _, ready = self._next()
        except DeadKernelError:
            if self._server.stopped:
                raise Stopped from None
            raise RuntimeError("the kernel ended before it was ready") from None
        self.nb.metadata["language_info"] = ready["language_info"]
        self.papermill_execute_cells()

    def execute_cell(self, cell: NotebookNode, cell_index: int) -> NotebookNode:
        """Run one cell; its outputs are there also if it fails or the kernel ends."""
        if cell.cell_type == "code" and cell.source.strip():
            cell.outputs = []
            self.clear_before_next_output = False
            try:
                self._connection.send(cell.source)
            except OSError:
                raise DeadKernelError from None
            reply = self._outputs(cell, cell_index)
            if reply["status"] == "error" and "raises-exception" not in cell.metadata.get("tags", []):
                raise CellExecutionError.from_cell_and_msg(cell, reply)
        return cell

    def exit_code(self) -> int | None:
        """How the kernel ended, below 0 for the signal that ended it; None while it runs."""
        wait([self._process.sentinel], timeout=SOON)  # its connection closes a moment earlier
        return self._process.poll()

    def end(self) -> None:
        """End the kernel and what it has started at once, from any thread."""
        self._process.kill()
        # What it has started may have left its group and hold the connection, in which half a message may be.
        with suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Leave nothing open."""
        self.end()
        self._process.wait()
        self._server.ended(self._process)
        self._connection.close()

    def _outputs(self, cell: NotebookNode, cell_index: int) -> dict[str, Any]:
        """Put what a cell shows into it as it comes; returns the reply at its end."""
        name, texts = "", list[str]()  # printed so far, which becomes one output

        def show_printed() -> None:
            if texts:
                self._show("stream", {"name": name, "text": "".join(texts)}, cell, cell_index)
                texts.clear()

        try:
            while True:
                kind, content = self._next()
                if kind == "stream" and content["name"] == name:
                    texts.append(content["text"])
                    continue
                show_printed()
                if kind == REPLY:
                    return content
                if kind == "stream":
                    name, texts = content["name"], [content["text"]]
                else:
                    self._show(kind, content, cell, cell_index)
        finally:
            show_printed()

    def _show(self, kind: str, content: dict[str, Any], cell: NotebookNode, cell_index: int) -> None:
        message = {"msg_type": kind, "header": {"msg_type": kind}, "parent_header": {}, "metadata": {}}
        self.process_message(message | {"content": content}, cell, cell_index)

    def _next(self) -> Message:
        """The next message of the kernel."""
        # Whatever the notebook has started may hold the connection too, so that its end alone would not tell.
        if self._connection not in wait([self._connection, self._process.sentinel]):
            raise DeadKernelError
        try:
            kind, content = received(self._connection)
        except (EOFError, OSError, ValueError):  # the last was cut off
            raise DeadKernelError from None
        if kind == FAULT:
            raise RuntimeError(content["reason"])
        return kind, content
