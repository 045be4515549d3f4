"""Run one notebook through papermill and say how it ended; its own status is never believed."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qieval.batch.engine import ENDED, LESS_MEMORY, NAME, STOPPED
from qieval.batch.folders import tidied, without_folders
from qieval.batch.kernels import Server, Stopped
from qieval.batch.place import NO_ROOM
from qieval.batch.plan import Job, Notebook
from qieval.study.snapshot import SNAPSHOT


@dataclass(frozen=True, kw_only=True)
class Run:
    """How one notebook ended."""

    notebook: Notebook
    output: Path  # the executed copy; holds what was done before a failure, and is absent if that could not be saved
    failure: str  # the reason in words; empty if every cell ran
    seconds: float


def run_notebook(
    job: Job,
    notebook: Notebook,
    output: Path,
    server: Server,
    snapshot: Path | None = None,
    minutes: float = 30,
) -> Run:
    """Execute a notebook with a job's parameters into `output`; a failure of the notebook is told, never raised.

    Parameters
    ----------
    server : Server
        Where its kernel comes from; several threads may share it.
    snapshot : Path, optional
        The job's checked tables, from which the notebook opens its study without reading the data again.
    minutes : float
        After so many the notebook is ended, and has failed.

    Raises
    ------
    OSError
        If there is no room for the executed notebook.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    # Papermill's own log repeats cell contents; what matters is in the report.
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    started = time.monotonic()
    failure = ""
    try:
        papermill.execute_notebook(
            str(notebook.path),
            str(output),
            parameters=plain_parameters(job),
            engine_name=NAME,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            server=server,
            # Not papermill's own `cwd`, which moves the whole process, and with it the other threads' notebooks.
            folder=str(job.home),
            environment={SNAPSHOT: str(snapshot)} if snapshot is not None else {},
            minutes=minutes,
            tidied=partial(tidied, home=job.home, data=job.parameters.data),
        )
    except Stopped:
        failure = STOPPED
    except PapermillExecutionError as error:
        failure = _in_words(error.ename, error.evalue)
    except OSError as error:
        output.unlink(missing_ok=True)  # cut off, it must not be taken for whole
        if error.errno in NO_ROOM:
            raise
        failure = f"the executed notebook could not be saved ({error.strerror or error}) -> see to the disk"
    except Exception as error:  # no kernel could be had: the batch goes on, and the section says why
        failure = _in_words(type(error).__name__, str(error))
        _remove_if_cut(output)
    return Run(
        notebook=notebook,
        output=output,
        failure=without_folders(failure, job.home, job.parameters.data),
        seconds=time.monotonic() - started,
    )


def _remove_if_cut(output: Path) -> None:
    try:
        json.loads(output.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        output.unlink(missing_ok=True)


def plain_parameters(job: Job) -> dict[str, object]:
    """What the parameter file says, as the plain text, numbers and lists that plain papermill would hand over."""
    return job.parameters.model_dump(mode="json", exclude_unset=True)


def _in_words(name: str, message: str) -> str:
    """The reason of a failure; the message of one of our own errors is a sentence already."""
    if name in ("DataError", "ParameterError", ENDED):
        return message
    if name == "MemoryError":
        return f"memory ran out -> {LESS_MEMORY}"
    return f"{name}: {message}" if message else name
