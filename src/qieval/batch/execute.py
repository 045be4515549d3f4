"""Run one notebook through papermill and say how it ended; its own status is never believed."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from qieval.batch.plan import Job, Notebook


@dataclass(frozen=True, kw_only=True)
class Run:
    """How one notebook ended."""

    notebook: Notebook
    output: Path  # the executed copy; holds what was done before a failure
    failure: str  # the reason in words; empty if every cell ran
    seconds: float


def run_notebook(job: Job, notebook: Notebook, output: Path) -> Run:
    """Execute a notebook with a job's parameters into `output`; a failure is told, not raised."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    # Papermill's own log repeats cell contents; what matters is in the report.
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    started = time.monotonic()
    failure = ""
    try:
        with TemporaryDirectory(prefix="qieval-") as private:
            papermill.execute_notebook(
                str(notebook.path),
                str(output),
                parameters=plain_parameters(job),
                kernel_name="python3",
                language="python",
                cwd=str(job.home),
                progress_bar=False,
                log_output=False,
                request_save_on_cell_execute=False,
                **_kernel_options(Path(private)),
            )
    except PapermillExecutionError as error:
        failure = _in_words(error.ename, error.evalue)
    except Exception as error:  # a dead kernel, a full disk: the batch goes on and the section says why
        failure = _in_words(type(error).__name__, str(error))
    return Run(notebook=notebook, output=output, failure=failure, seconds=time.monotonic() - started)


def _kernel_options(private: Path) -> dict[str, object]:
    """A kernel that talks through files in a private folder, not through open ports, and ends without a farewell."""
    from traitlets.config import Config

    config = Config()
    if os.name != "nt":  # Windows has no such files; the kernel then listens on loopback
        config.KernelManager.transport = "ipc"
        config.KernelManager.connection_file = str(private / "kernel.json")
    return {"config": config, "extra_arguments": ["--log-level=50"], "shutdown_kernel": "immediate"}


def plain_parameters(job: Job) -> dict[str, object]:
    """What the parameter file says, as the plain text, numbers and lists that plain papermill would hand over."""
    return job.parameters.model_dump(mode="json", exclude_unset=True)


def _in_words(name: str, message: str) -> str:
    """The reason of a failure; the message of one of our own errors is a sentence already."""
    if name in ("DataError", "ParameterError"):
        return message
    return f"{name}: {message}" if message else name
