"""How fast the charts of `qieval.methods.spc` are: prints the tables of docs/methods.md. Run by `make bench`.

    .venv/bin/python benchmarks/spc.py

Run charts and p charts of 24 months, or of 12 to 36 months in the ragged rows. Everything runs on one thread, and what
is counted is time of the processor, the best of several repeats: other programs on the machine then hardly matter.
Since machines differ, the time is also told in sorts: how long numpy takes to sort the same values, in the same minute.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np
import pandas as pd

from qieval.methods import spc
from qieval.methods.spc.layout import blocks, matrix
from qieval.methods.spc.limits import KINDS, Block
from qieval.methods.spc.rules import runs_of

MONTHS, SHORTEST, LONGEST = 24, 12, 36
CORE_SERIES, FRAME_SERIES = 200_000, 100_000
REPEATS = 5
USED = {"run": ("value",), "p": ("value", "total", "n")}  # the columns of a block that the kind looks at


def main() -> None:
    """Print the table in Markdown."""
    print(f"{MONTHS} months a series, {SHORTEST} to {LONGEST} where ragged; one thread, best of {REPEATS}")
    print()
    print("| what | kind | lengths | series per second | time, in sorts of the same values |")
    print("|---|---|---|---:|---:|")
    for what, n_series, timed in (("arrays", CORE_SERIES, core_of), ("data frame", FRAME_SERIES, chart_of)):
        for kind in USED:
            for ragged in (False, True):
                data = series(n_series, ragged=ragged)
                taken, sort = best_of(timed(data, kind), partial(np.sort, data["value"].to_numpy()))
                lengths = "ragged" if ragged else "equal"
                print(f"| {what} | {kind} | {lengths} | {n_series / taken:,.0f} | {taken / sort:.1f} |", flush=True)
    print()
    print("| what | kind | figure |")
    print("|---|---|---:|")
    for kind in USED:
        print(f"| one series of {MONTHS} months, median of 50 calls | {kind} | {one_series(kind) * 1000:.1f} ms |")
    for kind in USED:
        for ragged in (False, True):
            taken, held = memory(kind, ragged=ragged)
            lengths = "ragged" if ragged else "equal"
            print(
                f"| memory of a call with {FRAME_SERIES:,} series ({lengths}; data {held:.0f} MiB) | {kind} "
                f"| {taken / held:.1f} times the data |",
                flush=True,
            )


def series(n_series: int, *, ragged: bool) -> pd.DataFrame:
    """A long frame in the order of its series and of time, with categorical keys: counts of 20 to 200 people."""
    random = np.random.default_rng(20260101)
    lengths = random.integers(SHORTEST, LONGEST + 1, n_series) if ragged else np.full(n_series, MONTHS)
    code = np.repeat(np.arange(n_series, dtype=np.int32), lengths)
    at = np.arange(len(code)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    months = pd.date_range("2024-01-01", periods=LONGEST, freq="MS").to_numpy(dtype="datetime64[ns]")
    people = random.integers(20, 201, len(code))
    events = random.binomial(people, 0.6)
    return pd.DataFrame(
        {
            "facility": pd.Categorical.from_codes(code, [f"F{number:06d}" for number in range(n_series)]),
            "period": months[at],
            "numerator": events.astype(float),
            "denominator": people.astype(float),
            "value": events / people,
        }
    )


def core_of(data: pd.DataFrame, kind: str) -> Callable[[], object]:
    """Centre lines, three-sigma limits and runs of all series, as `calculate` makes them, without a frame."""
    columns = {"value": data["value"], "total": data["numerator"], "n": data["denominator"]}
    arrays = {name: columns[name].to_numpy() for name in USED[kind]}
    starts = np.flatnonzero(np.diff(data["facility"].cat.codes.to_numpy(), prepend=-1))
    return lambda: core(kind, arrays, starts)


def core(kind: str, arrays: dict[str, np.ndarray], starts: np.ndarray) -> int:
    """How many series signal, by their runs or beyond their limits."""
    n_signals = 0
    for which, at in blocks(starts, len(arrays["value"])):
        block = Block(**{name: matrix(x, which, at) for name, x in arrays.items()})
        limits = KINDS[kind].limits(block)
        signal = np.zeros(len(which), dtype=bool)
        if limits.sigma is not None:
            lower, upper = limits.at(3)
            signal |= ((limits.value < lower) | (limits.value > upper)).any(axis=1)
        side = (limits.value > limits.centre[:, np.newaxis]).view(np.int8)
        side = side - (limits.value < limits.centre[:, np.newaxis]).view(np.int8)
        signal |= runs_of(np.ascontiguousarray(side.T), "anhoej").runs_signal
        n_signals += int(signal.sum())
    return n_signals


def chart_of(data: pd.DataFrame, kind: str) -> Callable[[], object]:
    """`spc.chart` of a frame that holds what the kind needs."""
    counts = {"numerator": "numerator", "denominator": "denominator"}
    columns = {"value": "value"} if kind == "run" else counts
    frame = data[["facility", "period", *columns.values()]].copy()
    return lambda: spc.chart(frame, kind, period="period", by="facility", **columns)


def best_of(work: Callable[[], object], yardstick: Callable[[], object]) -> tuple[float, float]:
    """The shortest time of each, taken in turn."""
    work()
    times = [(seconds(work), seconds(yardstick)) for _ in range(REPEATS)]
    return min(time for time, _ in times), min(time for _, time in times)


def seconds(work: Callable[[], object]) -> float:
    """How long the processor is busy with one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def one_series(kind: str) -> float:
    """Median seconds of a call with one series, as notebooks make it."""
    work = chart_of(series(1, ragged=False), kind)
    work()
    return median(seconds(work) for _ in range(50))


def memory(kind: str, *, ragged: bool, n_series: int = FRAME_SERIES) -> tuple[float, float]:
    """MiB that a call adds to its process at the most, results included, and MiB of the frame it is given."""
    given = [sys.executable, __file__, "--memory", kind, str(int(ragged)), str(n_series)]
    taken, held = subprocess.run(given, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603
    return float(taken), float(held)


def print_memory(kind: str, ragged: bool, n_series: int) -> None:
    """What `memory` reads: measured in a process of its own, by every array and object that Python allots."""
    import tracemalloc

    data = series(n_series, ragged=ragged)
    work = chart_of(data, kind)
    chart_of(series(2, ragged=False), kind)()  # imports and tables
    used = ["facility", "period", *(("value",) if kind == "run" else ("numerator", "denominator"))]
    held = data[used].memory_usage(index=False, deep=True).sum()
    del data
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    result = work()
    peak = tracemalloc.get_traced_memory()[1]
    del result
    print((peak - before) / 2**20, held / 2**20)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        print_memory(sys.argv[2], sys.argv[3] == "1", int(sys.argv[4]))
    else:
        main()
