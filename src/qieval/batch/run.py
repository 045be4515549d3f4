"""A whole batch: what has changed is made again, each report put in its place once it is whole, then the index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from qieval.batch.folders import without_folders
from qieval.batch.index import write_index, write_index_in_haste
from qieval.batch.lock import holding
from qieval.batch.pending import Pending, Wish, pending
from qieval.batch.place import NO_ROOM, sweep_temporary, work_folder
from qieval.batch.plan import Notebook, Request
from qieval.batch.results import Made, Watcher
from qieval.errors import ReportError

Make = Callable[[Sequence[Pending], Watcher, Callable[[Made], None]], None]  # makes reports, and tells of each


def run_batch(
    requests: Sequence[Request],
    notebooks: Sequence[Notebook],
    out: Path,
    *,
    wish: Wish,
    make: Make,
    watcher: Watcher,
    only_failed: bool = False,
) -> list[Made]:
    """Make or reuse every report that is asked for, in its folder under `out`, then the pages across reports.

    Parameters
    ----------
    make : callable
        Makes what has to be made, such as `qieval.batch.steps.make` on this computer; not called if there is nothing.
    only_failed : bool
        Leave out the reports that the last batch made without a failure.

    Returns
    -------
    list of Made
        One for each report that was made, could not be made or is reused, in the order they came to their end.

    Raises
    ------
    ReportError
        If `out` cannot be written to, another batch writes to it, or its disk is full.
    """
    # Papermill changes the process's folder while it saves, so a relative path would lead elsewhere in a thread.
    out = out.resolve()
    with batch_folder(out) as work:
        results: list[Made] = []

        def ended(made: Made) -> None:
            results.append(made)
            watcher.report_made(made)

        to_make = still_to_make(requests, notebooks, out, work, wish=wish, only_failed=only_failed, ended=ended)
        watcher.planned(len(to_make), sum(len(one.recipes) for one in to_make))
        if to_make:
            make(to_make, watcher, ended)
    return results


@contextmanager
def batch_folder(out: Path) -> Iterator[Path]:
    """A folder to work in inside `out`, which no other batch writes to meanwhile; at the end the index is written.

    Raises
    ------
    ReportError
        If `out` cannot be written to, another batch writes to it, or its disk is full.
    """
    with suppress(OSError):  # there may be no folder for temporary files; whoever needs one says so
        sweep_temporary()
    with holding(out):
        try:
            with work_folder(out) as work:
                try:
                    yield work
                except BaseException:
                    with suppress(Exception):  # what was finished is listed all the same
                        write_index_in_haste(out)
                    raise
                write_index(out)
        except OSError as error:
            remedy = "make room" if error.errno in NO_ROOM else "see to the disk"
            where = without_folders(str(error), out)
            raise ReportError(
                f"{out}: the batch was stopped by a file that cannot be written ({where}) -> {remedy}, or choose "
                "another folder with --out; reports that were finished are in place"
            ) from None


def still_to_make(
    requests: Sequence[Request],
    notebooks: Sequence[Notebook],
    out: Path,
    work: Path,
    *,
    wish: Wish,
    only_failed: bool,
    ended: Callable[[Made], None],
) -> list[Pending]:
    """The reports that something has changed for; `ended` is told of those reused, and those that have no place."""
    to_make = []
    for request in requests:
        one = pending(request, notebooks, out, work, wish)
        if only_failed and not one.failed_last_time():
            continue
        try:
            one.refuse_to_lose()
        except ReportError as error:
            ended(one.left_alone(str(error)))
            continue
        if one.has_same_files() and one.is_unchanged(same_data=True):
            ended(one.keep_last())
        else:
            to_make.append(one)
    return to_make
