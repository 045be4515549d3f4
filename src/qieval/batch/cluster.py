"""The same batch on a Dask cluster that is there already: each report is made by one worker, and put in place here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qieval.batch.pending import Pending
from qieval.batch.results import Made, Watcher
from qieval.batch.steps import fault
from qieval.batch.worker import Order, Parcel, make_whole
from qieval.errors import ReportError

if TYPE_CHECKING:
    from distributed import Client, Future

AHEAD = 2  # reports sent for each that can be made at once, so that no worker waits; more would fill the memory here
PATIENCE = 30  # seconds that a scheduler, and the first worker, are given to answer
NOT_INSTALLED = "A cluster needs distributed, which is not installed -> pip install 'qieval[cluster]'"


def make_on_cluster(
    to_make: Sequence[Pending],
    watcher: Watcher,
    ended: Callable[[Made], None],
    *,
    address: str,
    patience: float = PATIENCE,
) -> None:
    """Make these reports on the workers of a cluster.

    The workers read the data where the parameters say, and send back whole reports, which are put in their place
    here. A worker that ends in the middle of a report costs that report's time: another makes it.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.
    patience : float
        Seconds that the scheduler, and the first worker, are given to answer.

    Raises
    ------
    ReportError
        If there is no scheduler or no worker, the connection breaks, or what is installed on a worker differs.
    """
    with _connected(address, patience) as client:
        _make(client, to_make, watcher, ended)


@contextmanager
def _connected(address: str, patience: float) -> Iterator[Client]:
    """A client of the scheduler at this address, once there is a worker."""
    try:
        from distributed import Client
    except ImportError:
        raise ReportError(NOT_INSTALLED) from None
    try:
        client = Client(address, timeout=patience, set_as_default=False)
    except (OSError, ValueError):
        raise ReportError(
            f"{address}: no Dask scheduler answers there -> check the address, and that the scheduler runs"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=patience)
        except TimeoutError:
            raise ReportError(f"{address}: the cluster has no worker -> start one, then run again") from None
        yield client


def _make(client: Client, to_make: Sequence[Pending], watcher: Watcher, ended: Callable[[Made], None]) -> None:
    """Keep the workers busy with these reports, and put each in its place when it comes."""
    from distributed import as_completed

    waiting = iter(to_make)
    sent: dict[object, Pending] = {}
    coming = as_completed(loop=client.loop)

    def send_one() -> None:
        one = next(waiting, None)
        if one is not None:
            future = client.submit(make_whole, Order.of(one), pure=False)
            sent[future.key] = one
            coming.add(future)

    for _ in range(AHEAD * max(sum(client.nthreads().values()), 1)):
        send_one()
    for future in coming:
        one = sent.pop(future.key)
        parcel = _received(future, one)
        future.release()
        send_one()
        if isinstance(parcel, str):
            watcher.settled(len(one.recipes))
            ended(one.give_up(parcel))
            continue
        watcher.settled(len(one.recipes) - parcel.n_run)
        for _ in range(parcel.n_run):
            watcher.notebook_ended()
        try:
            parcel.unpack(one.making)
            one.place(parcel.made)
        except ReportError as error:  # its place is taken, by a file that is open for instance
            ended(one.give_up(str(error)))
        else:
            ended(parcel.made)


def _received(future: Future, one: Pending) -> Parcel | str:
    """What a worker sent, or in words why this report alone could not be made.

    Raises
    ------
    ReportError
        If something is wrong that goes for every report.
    """
    from distributed import KilledWorker

    if future.cancelled():
        raise ReportError("the connection to the cluster was lost -> run again: what was finished is in place")
    error = future.exception()
    if error is None:
        parcel: Parcel = future.result()
        return parcel
    if isinstance(error, ReportError):
        raise error
    if isinstance(error, ModuleNotFoundError):
        raise ReportError(f"the workers cannot import {error.name} -> install there what is installed here")
    if isinstance(error, KilledWorker):
        return "every worker that tried it was ended, mostly because memory ran out -> give the workers more memory"
    return fault(error, one)
