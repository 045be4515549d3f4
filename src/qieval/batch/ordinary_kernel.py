"""An ordinary kernel, as Jupyter starts it, for where processes cannot be forked safely."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from jupyter_core.utils import ensure_event_loop
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NotebookExecutionManager
from traitlets.config import Config

from qieval.batch.kernels import Server, Stopped, end_group

# Names of sockets may have 103 letters (of Linux 107): that of a kernel ends in /k-ipc-5.
LONGEST = 95


# What programs print that it starts is in the notebook, and would stand among what the batch prints as well.
SILENT = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class OrdinaryKernel:
    """Runs the cells of one notebook in a process of its own that imports everything anew."""

    def __init__(
        self, server: Server, notebook: NotebookExecutionManager, folder: str, environment: Mapping[str, str]
    ) -> None:
        if server.stopped:
            raise Stopped
        self._manager, self._provisioner = _manager(server)
        self._client = _NotebookClient(
            notebook,
            km=self._manager,
            shutdown_kernel="immediate",
            record_timing=False,
            extra_arguments=["--log-level=50"],
        )
        self._started_with = {"cwd": folder, "env": {**os.environ, **environment}} | SILENT

    def execute(self) -> None:
        """Run the cells until one fails.

        Raises
        ------
        nbclient.exceptions.DeadKernelError
            If the kernel ended in one of them.
        RuntimeError
            If it ended before the first.
        """
        self._client.execute(cleanup_kc=True, **self._started_with)

    def exit_code(self) -> int | None:
        """How the kernel ended, below 0 for the signal that ended it; None while it runs."""
        return self._provisioner.exit_code()

    def end(self) -> None:
        """End the kernel at once, from any thread."""
        self._provisioner.end()

    def close(self) -> None:
        """Leave nothing open."""
        # Of a kernel that ended before it was ready, sockets may be open still: whoever collects this garbage would
        # wait for ever until they are closed.
        self._manager.context.destroy(linger=0)
        ensure_event_loop().close()  # each thread gets a loop of its own, which nobody else would close


def _manager(server: Server) -> tuple[AsyncKernelManager, _Provisioner]:
    """What manages and what starts a kernel of its own, which talks through files in a private folder."""
    private = Path(tempfile.mkdtemp(dir=server.folder, prefix="k-"))
    config = Config()
    config.KernelManager.connection_file = str(private / "k.json")
    if os.name != "nt" and len(os.fsencode(private)) <= LONGEST:  # otherwise it listens on loopback
        config.KernelManager.transport = "ipc"
    manager = AsyncKernelManager(kernel_name="python3", config=config, client_factory=_Client)
    manager.kernel_id = str(uuid.uuid4())
    provisioner = _Provisioner(kernel_id=manager.kernel_id, kernel_spec=manager.kernel_spec, parent=manager)
    provisioner.server = server
    manager.provisioner = provisioner
    return manager, provisioner


class _Provisioner(LocalProvisioner):
    """Starts the kernel, and tells the server of it."""

    server: Server
    known: Any = None  # the process the server has been told of

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        info = await super().launch_kernel(cmd, **kwargs)
        self.known = self.server.started(self.process)
        return info

    async def died(self) -> None:
        """Wait for the kernel to end, however it does."""
        while self.exit_code() is None:
            await asyncio.sleep(0.05)

    def exit_code(self) -> int | None:
        return None if self.known is None else self.known.poll()

    def end(self) -> None:
        if self.known is not None:
            end_group(self.known.pid)

    async def cleanup(self, restart: bool = False) -> None:
        await super().cleanup(restart=restart)
        if self.known is not None:
            self.server.ended(self.known)
            self.end()  # what the notebook has started and left behind


class _NotebookClient(PapermillNotebookClient):
    """Notices the end of its kernel at once; the usual client looks once a second."""

    async def _async_poll_kernel_alive(self) -> None:
        await self.km.provisioner.died()
        self.task_poll_for_reply.cancel()


class _Client(AsyncKernelClient):
    """A client that knows a ready kernel by its answer, where the usual one also waits for a silence of 0.2 s."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        begun = time.monotonic()
        while True:
            asked = self.kernel_info()
            try:
                await self._async_recv_reply(asked, timeout=1)
                while not await self._says_idle(asked):
                    pass
            except (TimeoutError, Empty):  # not yet listening, or what it publishes does not reach us yet
                if not await self._async_is_alive():
                    raise RuntimeError("the kernel ended before it was ready") from None
                if timeout is not None and time.monotonic() - begun > timeout:
                    raise RuntimeError(f"the kernel was not ready after {timeout:.0f} seconds") from None
            else:
                return

    async def _says_idle(self, asked: str) -> bool:
        message = await self.get_iopub_msg(timeout=0.5)
        return message["parent_header"].get("msg_id") == asked and message["content"].get("execution_state") == "idle"
