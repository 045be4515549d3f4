"""Run one notebook through papermill and say how it ended; its own status is never believed."""

from __future__ import annotations

import logging
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

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
    if not _without_paths(output, job.home):
        failure = failure or "the executed notebook could not be saved whole: is the disk full?"
    return Run(
        notebook=notebook,
        output=output,
        failure=_shortened(failure, job.home),
        seconds=time.monotonic() - started,
    )


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


def _without_paths(output: Path, home: Path) -> bool:
    """Take the machine's folders out of an executed notebook, since it is shared.

    False if it is not there, or was cut off by a full disk: then nothing of it is left to be taken for whole.
    """
    import nbformat

    try:
        executed = nbformat.read(output, as_version=4)
    except (OSError, ValueError):
        output.unlink(missing_ok=True)
        return False
    for key in ("input_path", "output_path"):
        executed["metadata"].get("papermill", {}).pop(key, None)
    for cell in executed["cells"]:
        for shown in cell.get("outputs", []):
            if shown["output_type"] == "error":
                shown["evalue"] = _shortened(shown["evalue"], home)
                shown["traceback"] = [_shortened(line, home) for line in shown["traceback"]]
            elif shown["output_type"] == "stream":
                shown["text"] = _shortened(shown["text"], home)
    try:
        nbformat.write(executed, output)
    except OSError:
        output.unlink(missing_ok=True)
        return False
    return True


def _shortened(text: str, home: Path) -> str:
    """A text in which the folders of this machine and its user are left out."""
    folders = {
        sys.prefix,
        sys.base_prefix,
        gettempdir(),
        str(Path.home()),
        str(Path.cwd()),
        str(home),
        str(home.parent),
    }
    folders |= {str(Path(__file__).resolve().parents[3])}
    for folder in sorted(folders - {"/"}, key=len, reverse=True):
        text = text.replace(folder, "...")
    return text


def _in_words(name: str, message: str) -> str:
    """The reason of a failure; the message of one of our own errors is a sentence already."""
    if name in ("DataError", "ParameterError"):
        return message
    return f"{name}: {message}" if message else name
