"""A whole batch: what has changed is made again, each report put in its place once it is whole, then the index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Protocol

from qieval.batch.folders import without_folders
from qieval.batch.index import write_index
from qieval.batch.lock import holding
from qieval.batch.pending import Pending, Wish, pending
from qieval.batch.place import NO_ROOM, work_folder
from qieval.batch.plan import Notebook, Request
from qieval.batch.results import Made
from qieval.errors import ReportError


class Watcher(Protocol):
    """Is told how a batch goes on, by its threads."""

    def planned(self, reports: int, notebooks: int) -> None:
        """So many reports are to be made, of this many notebooks at most."""

    def settled(self, dropped: int) -> None:
        """The data of a report are known: so many of its notebooks need not be run."""

    def notebook_ended(self) -> None:
        """A notebook has been run, however it ended."""

    def report_made(self, made: Made) -> None:
        """A report has come to its end, whatever that is; for one that is reused, at once."""


def run_batch(
    requests: Sequence[Request],
    notebooks: Sequence[Notebook],
    out: Path,
    *,
    wish: Wish,
    jobs: int,
    watcher: Watcher,
    engine: Literal["fork", "plain"] = "fork",
    only_failed: bool = False,
) -> list[Made]:
    """Make or reuse every report that is asked for, in its folder under `out`, then the pages across reports.

    Parameters
    ----------
    jobs : int
        How many notebooks run at once, each in a process of its own.
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
            # What runs notebooks takes a second to load, which a batch of unchanged reports need not wait for.
            from qieval.batch.steps import make

            make(to_make, engine, jobs, watcher, ended)
    return results


@contextmanager
def batch_folder(out: Path) -> Iterator[Path]:
    """A folder to work in inside `out`, which no other batch writes to meanwhile; at the end the index is written.

    Raises
    ------
    ReportError
        If `out` cannot be written to, another batch writes to it, or its disk is full.
    """
    with holding(out):
        try:
            with work_folder(out) as work:
                try:
                    yield work
                except BaseException:
                    with suppress(Exception):  # what was finished is listed all the same
                        write_index(out)
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
