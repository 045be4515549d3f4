"""What one report costs, and what lies around it in a national run: prints the tables of docs/scaling.md.

    .venv/bin/python benchmarks/scaling.py [reports]     # of each example, by default 8

A report's cost is told in seconds of one core: the wall-clock time of a batch with two jobs on two cores, twice, over
its reports. The cluster is a scheduler and two workers on this machine, with a thread each.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pandas as pd

from batch import MIB, ROOT, copies, ours

EXAMPLES = ("hub_spoke_india", "small", "demo")
STORE = 1_000  # collaboratives in the shared store
LISTED = (400, 2_000)  # reports on an index page


def main() -> None:
    """Print the tables."""
    reports = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    with tempfile.TemporaryDirectory(prefix="qieval-bench-") as name:
        folder = Path(name)
        print("| a report like | core seconds | MB on disk | MB sent by a worker | 50,000 in core hours |")
        print("|---|---:|---:|---:|---:|")
        for example in EXAMPLES:
            print_report(example, reports, folder)
        print("\n| the same reports | seconds |\n|---|---:|")
        print_cluster(reports, folder)
        print("\n| store of a nation, Parquet, 1,000 collaboratives like the demo | seconds to read one |\n|---|---:|")
        print_store(folder)
        print("\n| reports listed | seconds to write the pages across them | MB of index.html |\n|---:|---:|---:|")
        print_index(folder)


def print_report(example: str, reports: int, folder: Path) -> None:
    """One row: what a report like this example takes."""
    n = max(reports // 4, 2) if example == "demo" else reports
    (alone,) = copies([ROOT / "params" / f"{example}.yaml"], 1, folder)
    fixed = ours([alone], 2, folder).seconds  # with the loading, which a long batch does once
    cost = ours(copies([ROOT / "params" / f"{example}.yaml"], n + 1, folder), 2, folder).seconds - fixed
    core_seconds = 2 * cost / n
    made = next(path for path in folder.glob(f"*/{example}_0"))
    sizes = [path.stat().st_size for path in made.rglob("*") if path.is_file()]
    sent = len(packed(made)) / MIB
    hours = 50_000 * core_seconds / 3600
    print(f"| {example} | {core_seconds:.1f} | {sum(sizes) / MIB:.1f} | {sent:.1f} | {hours:,.0f} |", flush=True)


def packed(made: Path) -> bytes:
    """A report as a worker sends it."""
    from qieval.batch.worker import _packed

    return _packed(made)


def print_cluster(reports: int, folder: Path) -> None:
    """The same batch on two jobs here, and on two workers of a cluster, once both are warm."""
    sources = copies([ROOT / "params" / "small.yaml"], reports, folder)
    here = ours(sources, 2, folder).seconds
    with cluster(folder) as address:
        seconds = []
        for _ in range(2):  # the first also starts the workers' servers
            out = tempfile.mkdtemp(dir=folder)
            command = [sys.executable, "-m", "qieval", "run", *map(str, sources), "--out", out, "--cluster", address]
            begun = time.perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603
            seconds.append(time.perf_counter() - begun)
    print(f"| {reports} like small, 2 jobs on this computer | {here:.1f} |")
    print(f"| on a cluster of 2 workers, first batch | {seconds[0]:.1f} |")
    print(f"| on a cluster of 2 workers, second batch | {seconds[1]:.1f} |", flush=True)


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """The address of a scheduler with two workers; all end with the block."""
    known = folder / "scheduler.json"
    common = ["--no-dashboard", "--host", "127.0.0.1", "--scheduler-file", str(known)]
    with contextlib.ExitStack() as running:

        def start(*arguments: str) -> None:
            command = [sys.executable, "-m", "dask", *arguments, *common]
            silent = subprocess.DEVNULL
            process = running.enter_context(
                subprocess.Popen(command, cwd=folder, stdout=silent, stderr=silent)  # noqa: S603
            )
            running.callback(process.terminate)

        start("scheduler", "--port", "0")
        while not known.exists():
            time.sleep(0.1)
        for number in range(2):
            start("worker", "--nthreads", "1", "--local-directory", str(folder / f"worker_{number}"))
        yield json.loads(known.read_text(encoding="utf-8"))["address"]


def print_store(folder: Path) -> None:
    """One collaborative's data out of a store that all share, sorted by collaborative and not."""
    from qieval.study.parameters import check_parameters
    from qieval.study.simulate import DEMO, simulate
    from qieval.study.study import study_of

    tables = simulate(dataclasses.replace(DEMO, seed=1)).tables
    for is_sorted in (True, False):
        store = folder / f"store_{is_sorted}"
        store.mkdir()
        for name, table in tables.items():
            ids = pd.DataFrame({"collaborative_id": [f"c{number:04d}" for number in range(STORE)]})
            every = ids.merge(table, how="cross")
            every = every if is_sorted else every.sample(frac=1, random_state=1)
            every.to_parquet(store / f"{name}.parquet", row_group_size=20_000, index=False)
        seconds = []
        for number in (3, 500, 997):
            parameters = check_parameters(
                {"collaborative": f"c{number:04d}", "title": "x", "data": str(store), "data_cut": str(DEMO.data_cut)}
            )
            begun = time.perf_counter()
            study_of(parameters, home=folder)
            seconds.append(time.perf_counter() - begun)
        size = sum(path.stat().st_size for path in store.iterdir()) / MIB
        order = "sorted by collaborative_id" if is_sorted else "in no order"
        print(f"| {order}, {size:.0f} MB | {median(seconds):.2f} |", flush=True)


def print_index(folder: Path) -> None:
    """The pages across reports for many of them."""
    from qieval.batch.index import write_index

    made = next(path.parent for path in folder.glob("*/demo_0/report.json"))
    for reports in LISTED:
        out = folder / f"listed_{reports}"
        for number in range(reports):
            (out / f"demo_{number}").mkdir(parents=True)
            for name in ("report.json", "manifest.json"):
                shutil.copy(made / name, out / f"demo_{number}" / name)
        begun = time.perf_counter()
        write_index(out)
        taken = time.perf_counter() - begun
        print(f"| {reports:,} | {taken:.1f} | {(out / 'index.html').stat().st_size / MIB:.1f} |", flush=True)


if __name__ == "__main__":
    main()
