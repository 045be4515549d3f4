"""A whole batch: every notebook of every collaborative, then the reports, then the page that lists them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from qieval.batch.execute import Run, run_notebook
from qieval.batch.index import write_index
from qieval.batch.plan import Job
from qieval.batch.report import keep_previous, replace_folder, write_report
from qieval.errors import ReportError


def run_batch(
    jobs: list[Job],
    out: Path,
    *,
    workers: int,
    on_notebook: Callable[[Run], None],
    on_report: Callable[[dict[str, Any], float], None],
) -> tuple[list[dict[str, Any]], Path]:
    """Make the report of every job in its folder under `out`, then the index.

    Parameters
    ----------
    workers : int
        How many notebooks run at once, each in a process of its own.
    on_notebook, on_report : callable
        Told of each notebook, and of each report with the seconds its notebooks took, as they end.

    Returns
    -------
    list of dict, Path
        The content of each ``report.json``, in the order of the jobs, and the path of the index page.

    Raises
    ------
    ReportError
        If `out` cannot be written to.
    """
    # Papermill changes the process's folder while it saves, so a relative path would lead elsewhere in a thread.
    out = out.resolve()
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / f".probe-{os.getpid()}").touch()
        (out / f".probe-{os.getpid()}").unlink()
    except OSError as error:
        raise ReportError(
            f"{out}: cannot be written to ({error.strerror}) -> choose another folder with --out"
        ) from None
    records = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        waiting: list[tuple[Job, Path, list[Future[Run]]]] = []
        try:
            for job in jobs:
                making = out / f".{job.parameters.collaborative}.making-{os.getpid()}"
                shutil.rmtree(making, ignore_errors=True)
                (making / "notebooks").mkdir(parents=True)
                futures = [
                    pool.submit(run_notebook, job, notebook, making / "notebooks" / notebook.path.name)
                    for notebook in job.notebooks
                ]
                for future in futures:
                    future.add_done_callback(lambda done: on_notebook(done.result()) if not done.cancelled() else None)
                waiting.append((job, making, futures))
            for job, making, futures in waiting:
                runs = [future.result() for future in futures]
                record = _finish(job, runs, making, out / job.parameters.collaborative)
                on_report(record, sum(run.seconds for run in runs))
                records.append(record)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            _end_kernels([future for _, _, futures in waiting for future in futures])
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for _, making, _ in waiting:
                shutil.rmtree(making, ignore_errors=True)
            index = write_index(out)  # also after an interruption: what was finished is listed
    return records, index


def _end_kernels(futures: list[Future[Run]]) -> None:
    """End what still runs: kernels are in sessions of their own, which an interruption does not reach."""
    import psutil

    while not all(future.done() for future in futures):
        for kernel in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                kernel.kill()
        time.sleep(0.1)


def _finish(job: Job, runs: list[Run], making: Path, final: Path) -> dict[str, Any]:
    """Write the report and put it in its place; one that cannot be is told of, and the batch goes on."""
    try:
        kept = bool(job.errors) and keep_previous(final, making)
        record = write_report(job, runs, making, has_previous=kept)
        replace_folder(making, final)
    except (OSError, ReportError) as error:
        reason = str(error) if isinstance(error, ReportError) else f"{error.strerror or error} -> see to the disk"
        return {
            "collaborative": job.parameters.collaborative,
            "status": "not made",
            "errors": [reason],
            "failures": {},
            "left_out": {},
        }
    return record
