"""Where notebooks run: in kernels forked from a preloaded server, or in ordinary ones where that cannot be."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker, util
from multiprocessing.connection import Pipe, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, Literal, Protocol

from qieval.batch import forked
from qieval.batch.place import sweep_temporary
from qieval.errors import ReportError

Engine = Literal["fork", "plain"]

PRELOAD = "qieval.batch.preload"
FOLDERS = "QIEVAL_TEMPORARY"  # tells the server which folders to remove when it ends
# The name of a socket may have 103 letters (of Linux 107); that of the server is /pymp-12345678/listener-12345678 in
# the folder of temporary files.
LONGEST = 70
# Figures of pyplot are shown in the notebook, as every kernel has it.
DRAWING = {"MPLBACKEND": os.environ.get("MPLBACKEND") or "module://matplotlib_inline.backend_inline"}
LONGEST_CALL = 1800.0  # seconds that checking the data or writing a report may take, which takes a moment
# Several kernels at once use all processors as it is; and threads do not survive a fork.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Stopped(Exception):  # noqa: N818 - not an error: the user asked for it
    """The batch was stopped while something ran or was about to."""


class _Process(Protocol):
    pid: int

    def poll(self) -> int | None: ...


class Server:
    """Gives kernels to the threads of a batch, and ends them all at once when asked to."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine: Engine = engine
        self.stopped = False
        self.folder = folder  # for what kernels leave behind
        self._running: set[_Process] = set()

    @property
    def environment(self) -> dict[str, str]:
        """Of every kernel: one thread, and nothing of what the user has set up for his own sessions in IPython."""
        return ONE_THREAD | {"IPYTHONDIR": str(self.folder / "ipython")}

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function returns for these arguments, in a preloaded process of its own if there is a server.

        Raises
        ------
        Stopped
            If the batch was stopped meanwhile.
        RuntimeError
            If the process was ended from outside, or did not end in half an hour.
        Exception
            Whatever the function raises.
        """
        if self.engine == "plain":
            if self.stopped:
                raise Stopped
            return function(*arguments)
        receiver, sender = Pipe(duplex=False)
        with receiver:
            with sender:
                process = self.start(forked.answer, sender, function, arguments)
            try:
                if not receiver.poll(LONGEST_CALL):
                    process.kill()
                    raise RuntimeError(f"a worker process was ended after {LONGEST_CALL / 60:g} minutes")
                found, error = receiver.recv()
            except (EOFError, ConnectionError):
                if self.stopped:
                    raise Stopped from None
                raise RuntimeError(f"a worker process ended by itself ({process.wait()})") from None
            finally:
                process.wait()
                self.ended(process)
        if error is not None:
            raise error
        return found

    def start(self, function: Callable[..., None], *arguments: Any) -> Forked:
        """A process forked from the loaded one, which `stop` reaches until it has `ended`.

        Raises
        ------
        Stopped
            If the batch was stopped.
        """
        with Forked.lock:
            if self.stopped:  # or another server would come up
                raise Stopped
            if _server_has_ended():  # Python would start another, but without what ours is given
                _start_server()
            process = Forked(function, *arguments)
        return self.started(process)

    def started(self, process: Any) -> Any:
        """Keep a process in mind until it has `ended`, so that `stop` reaches it; returns it."""
        self._running.add(process)
        if self.stopped:  # between the question whether to start it and now
            end_group(process.pid)
        return process

    def ended(self, process: _Process) -> None:
        """Forget a process."""
        self._running.discard(process)

    def running(self) -> list[_Process]:
        """The kernels and calls that have not ended yet."""
        return list(self._running)

    def stop(self) -> None:
        """End every kernel and every call at once; none is started after this."""
        self.stopped = True
        for process in self.running():
            end_group(process.pid)


@contextmanager
def kernels(engine: Engine) -> Iterator[Server]:
    """A server for the notebooks of a batch; when it is left, nothing of it runs or lies about any more.

    Where processes cannot be forked safely, ordinary kernels serve whatever the engine.
    """
    try:
        sweep_temporary()
        root = _private_root() if engine == "fork" and _can_fork() else None
        folder = Path(tempfile.mkdtemp(prefix=f"qieval-{os.getpid()}-", dir=root))
    except OSError as error:
        raise ReportError(
            f"no temporary folder can be made ({error.strerror or error}) -> name one that can be written to in TMPDIR"
        ) from None
    if root is None:
        engine = "plain"
    if engine == "fork":
        _start_server()
    server = Server(engine, folder)
    try:
        yield server
    except BaseException:  # it may be loading still, and would go on for seconds
        if engine == "fork":
            _end_server()
        raise
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _private_root() -> str | None:
    """The folder of this process for temporary files; None if the names of sockets in it would be too long."""
    usual = tempfile.tempdir
    if len(os.fsencode(tempfile.gettempdir())) > LONGEST and os.access("/tmp", os.W_OK):  # noqa: S108
        tempfile.tempdir = "/tmp"  # noqa: S108 - where a folder is made that only this user may enter
    try:
        root = util.get_temp_dir()
    finally:
        tempfile.tempdir = usual
    return root if len(os.fsencode(root)) <= LONGEST + len("/pymp-12345678") else None


def _can_fork() -> bool:
    # On macOS Python can fork, but libraries of the system may abort in the child, so Python itself does not.
    return "forkserver" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"


def _start_server() -> None:
    """Start the one server of this process, unless it runs already; it loads while the batch goes on."""
    # It lets Ctrl-C through again for whoever starts it, so it must be there before that is forbidden.
    resource_tracker.ensure_running()
    before = dict(os.environ)
    # Ctrl-C is for the batch, also while the server is still loading.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        os.environ.update(ONE_THREAD | DRAWING | {FOLDERS: util.get_temp_dir()})
        os.environ.pop("JPY_PARENT_PID", None)  # if this is a notebook itself: its kernel is not the parent of ours
        _context().set_forkserver_preload(["__main__", PRELOAD])
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _end_server() -> None:
    """End the server at once; the next who needs one starts another."""
    number = _server_number()
    if number is not None:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(number, signal.SIGKILL)
            os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)


def _server_has_ended() -> bool:
    number = _server_number()
    try:  # without taking the news from Python, which asks too
        return number is None or bool(os.waitid(os.P_PID, number, os.WEXITED | os.WNOHANG | os.WNOWAIT))
    except ChildProcessError:
        return True


def _server_number() -> int | None:
    return getattr(forkserver._forkserver, "_forkserver_pid", None)


def _context() -> ForkServerContext:
    return multiprocessing.get_context("forkserver")


def send_to_group(process: int, number: int) -> None:
    """Signal a process and what it has started; its group is that of its own number, once it has one."""
    try:
        os.killpg(process, number)
    except ProcessLookupError:  # it has none yet, or all have ended
        with suppress(ProcessLookupError):
            os.kill(process, number)


def end_group(process: int) -> None:
    """End a process and what it has started, at once."""
    if os.name == "nt":
        with suppress(OSError):
            os.kill(process, signal.SIGTERM)  # there it ends a process as SIGKILL does
    else:
        with suppress(PermissionError):
            send_to_group(process, signal.SIGKILL)


class Forked:
    """A process forked from the server, with the few methods of `subprocess.Popen` that a kernel needs."""

    stdin = stdout = stderr = None
    # Starting any process looks after all others, which must not happen while one is being asked how it ended.
    lock = threading.Lock()  # to be held while one is made

    def __init__(self, function: Callable[..., None], *arguments: Any) -> None:
        self._process: ForkServerProcess = _context().Process(target=function, args=arguments)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self.sentinel: int = self._process.sentinel

    def poll(self) -> int | None:
        with self.lock:
            return self._process.exitcode

    def wait(self) -> int | None:
        wait([self.sentinel])
        return self.poll()

    def send_signal(self, number: int) -> None:
        send_to_group(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    terminate = kill
