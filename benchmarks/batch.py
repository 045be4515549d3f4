"""What a batch costs beside other ways to run the same notebooks: prints a table in Markdown. Run by `make bench`.

    .venv/bin/python benchmarks/batch.py              # a pilot of seven facilities with one indicator, some minutes
    .venv/bin/python benchmarks/batch.py --facilities 10
    .venv/bin/python benchmarks/batch.py --of small   # the studies `small` and `hub_spoke_india` instead
    .venv/bin/python benchmarks/batch.py --of demo    # 24 facilities, four indicators
    .venv/bin/python benchmarks/batch.py --long       # also 400 reports beside 40, and 200 of which nothing has changed

Every way runs the notebooks that a batch would run, and turns them into HTML. The ways take turns, several rounds of
them, and each is told in seconds per notebook: the median over rounds. Ratios are medians of the ratios within a round,
so that a machine that is busy for a while slows both sides. "Commands" are `papermill` and `jupyter nbconvert`, one
after the other for each notebook. "Ours" is `qieval run` as a user types it, from its start to its end. The limit is
what the cells alone take in a process that has run them before, divided by the number of jobs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
UNCHANGED = 200  # reports
PILOT = 7  # facilities, as the published hub-and-spoke pilot has
LOOK = 3.0  # seconds between looks at the memory, which take a moment themselves
REPORTS = {"small": 40, "pilot": 40, "demo": 4}  # of our batches, by the kind of study
MIB = 2**20


class Notebook(NamedTuple):
    """A notebook that a batch would run, with the file of its parameters."""

    path: Path
    parameters: Path


class Cost(NamedTuple):
    """What a batch took: wall-clock seconds, and the most memory its processes had together, shared pages once."""

    seconds: float
    memory: float  # MiB


def main() -> None:
    """Print the tables."""
    asked = arguments()
    with tempfile.TemporaryDirectory(prefix="qieval-bench-") as name:
        folder = Path(name)
        studies = studies_of(asked.of, asked.facilities, folder)
        notebooks = plan(studies)
        sources = copies(studies, asked.reports, folder)
        n_ours = len(notebooks) * asked.reports // len(studies)
        print(f"\n{asked.of}: {len(notebooks)} notebooks; ours: {n_ours} for {asked.reports} reports", flush=True)
        rounds = [one_round(notebooks, sources, n_ours, folder) for _ in range(asked.rounds)]
        print_rounds(rounds)
        if asked.long:
            print_long(studies, asked.reports, folder)


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="What a batch costs beside other ways to run the same notebooks.")
    parser.add_argument("--of", choices=REPORTS, default="pilot", help="the kind of study")
    parser.add_argument("--facilities", type=int, default=PILOT, help="of a pilot")
    parser.add_argument("--long", action="store_true", help="also ten times as many reports, in time and memory")
    parser.add_argument("--reports", type=int, help="reports of our batches: 40, or 4 of the demo")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    asked.reports = asked.reports or REPORTS[asked.of]
    return asked


def studies_of(kind: str, facilities: int, folder: Path) -> list[Path]:
    """Their parameter files."""
    shipped = {"small": ["small", "hub_spoke_india"], "demo": ["demo"]}
    if kind in shipped:
        return [ROOT / "params" / f"{name}.yaml" for name in shipped[kind]]
    return [pilot(facilities, folder)]


def pilot(facilities: int, folder: Path) -> Path:
    """A collaborative with one indicator, all its tables simulated into `folder`."""
    import yaml

    from qieval.study.simulate.collaborative import simulate
    from qieval.study.simulate.examples import DEMO
    from qieval.study.simulate.tables import write_tables

    design = replace(
        DEMO, facilities=facilities, hubs=1, never_visited=1, waves=2, projects=2 * facilities,
        indicators=DEMO.indicators[:1],
    )  # fmt: skip
    write_tables(simulate(design).tables, folder / "data")
    values = {
        "collaborative": "pilot",
        "title": "Pilot (simulated)",
        "data": str(folder / "data"),
        "data_cut": design.data_cut,
        "phases": {name: list(edges) for name, edges in design.phases.items()},
    }
    path = folder / "pilot.yaml"
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return path


def plan(studies: list[Path]) -> list[Notebook]:
    """The notebooks whose tables are there."""
    from qieval.batch.plan import find_notebooks, read_job, read_requests

    known = find_notebooks()
    requests = read_requests(studies, known)
    jobs = [read_job(request, known) for request in requests]
    return [Notebook(notebook.path, job.request.source) for job in jobs for notebook in job.notebooks]


def copies(studies: list[Path], reports: int, folder: Path) -> list[Path]:
    """Parameter files for so many reports: the studies in turn, each copy under a name of its own."""
    import yaml

    made = []
    for number in range(reports):
        study = studies[number % len(studies)]
        values = yaml.safe_load(study.read_text(encoding="utf-8"))
        values["collaborative"] = f"{study.stem}_{number}"
        made.append(folder / f"{values['collaborative']}.yaml")
        made[-1].write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return made


# --- the ways


def one_round(notebooks: list[Notebook], sources: list[Path], n_ours: int, folder: Path) -> dict[str, float]:
    """Seconds per notebook by way, and MiB of memory of our batches."""
    found = {
        "commands": timed(commands, notebooks, folder) / len(notebooks),
        "in process": timed(in_process, notebooks, folder) / len(notebooks),
        "cells": cells_alone(notebooks) / len(notebooks),
    }
    for jobs in (1, 2):
        cost = ours(sources, jobs, folder)
        found[f"ours {jobs}"], found[f"memory {jobs}"] = cost.seconds / n_ours, cost.memory
    return found


def timed(way: Callable[[list[Notebook], Path], None], notebooks: list[Notebook], folder: Path) -> float:
    """Wall-clock seconds."""
    begun = time.perf_counter()
    way(notebooks, folder)
    return time.perf_counter() - begun


def commands(notebooks: list[Notebook], folder: Path) -> None:
    """Two commands for each notebook."""
    for notebook in notebooks:
        out = str(folder / "commands.ipynb")
        run = ["-m", "papermill", str(notebook.path), out, "-f", str(notebook.parameters), "--no-progress-bar"]
        quiet(run)
        quiet(["-m", "nbconvert", "--to", "html", "--no-input", "--log-level", "ERROR", out])


def in_process(notebooks: list[Notebook], folder: Path) -> None:
    """The same two steps without a new interpreter for each; the kernels are ordinary ones."""
    import nbformat
    import papermill
    from nbconvert import HTMLExporter
    from papermill.iorw import read_yaml_file

    for notebook in notebooks:
        out = folder / "in_process.ipynb"
        values = read_yaml_file(str(notebook.parameters))  # as the command reads it
        papermill.execute_notebook(notebook.path, out, values, progress_bar=False, cwd=ROOT)
        page, _ = HTMLExporter(exclude_input=True).from_notebook_node(nbformat.read(out, as_version=4))
        out.with_suffix(".html").write_text(page, encoding="utf-8")


def ours(sources: list[Path], jobs: int, folder: Path, out: str = "") -> Cost:
    """`qieval run` into a new folder, or the one named."""
    import psutil

    out = out or tempfile.mkdtemp(dir=folder)
    command = [sys.executable, "-m", "qieval", "run", *map(str, sources), "--out", out, "--jobs", str(jobs)]
    begun, most = time.perf_counter(), 0.0
    with (folder / "printed").open("w+", encoding="utf-8") as printed:
        batch = subprocess.Popen(command, cwd=ROOT, stdout=printed, stderr=subprocess.STDOUT)  # noqa: S603
        family = psutil.Process(batch.pid)
        while batch.poll() is None:
            most = max(most, memory(family))
            time.sleep(LOOK)
        taken = time.perf_counter() - begun
        if batch.returncode != 0:
            printed.seek(0)
            raise SystemExit(f"the batch ended with {batch.returncode}:\n{printed.read()}")
    return Cost(taken, most)


def memory(family: object) -> float:
    """MiB of a process and all below it; a page that several share counts once (PSS). 0 where that is not known."""
    import psutil

    total = 0
    for process in (family, *family.children(recursive=True)):  # type: ignore[attr-defined]
        try:
            total += getattr(process.memory_full_info(), "pss", 0)
        except psutil.Error:
            continue
    return total / MIB


def cells_alone(notebooks: list[Notebook]) -> float:
    """Seconds that the cells of all these notebooks take in a process that has run them once before."""
    given = json.dumps([[str(path) for path in notebook] for notebook in notebooks])
    command = [sys.executable, __file__, "--cells", given]
    environment = os.environ | ONE_THREAD
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)  # noqa: S603
    return float(done.stdout.splitlines()[-1])


def print_cells_alone(notebooks: list[list[str]]) -> None:
    """What `cells_alone` reads: run twice in this process, as in a kernel but without one; the second time counts."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    from qieval.study.parameters import read_parameters
    from qieval.study.snapshot import SNAPSHOT, write_snapshot
    from qieval.study.study import study_of

    taken = 0.0
    with tempfile.TemporaryDirectory(prefix="qieval-bench-") as folder:
        for again in (False, True):
            for number, (path, source) in enumerate(notebooks):
                parameters = read_parameters(Path(source))
                os.environ[SNAPSHOT] = str(Path(folder) / str(number))
                if not again:
                    write_snapshot(study_of(parameters, home=ROOT), Path(os.environ[SNAPSHOT]))
                book = json.loads(Path(path).read_text(encoding="utf-8"))
                sources = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
                shell = InteractiveShell.instance()
                shell.reset()
                given = parameters.model_dump(mode="json", exclude_unset=True)
                begun = time.perf_counter()
                with capture_output():
                    shell.run_cell(sources[0]).raise_error()
                    shell.push(given)
                    for cell in sources[1:]:
                        shell.run_cell(cell).raise_error()
                taken += (time.perf_counter() - begun) * again
    print(taken)


def quiet(arguments_: list[str]) -> None:
    """Run a Python command that must succeed, its output unseen."""
    subprocess.run([sys.executable, *arguments_], cwd=ROOT, check=True, capture_output=True)  # noqa: S603


# --- what is printed


def print_rounds(rounds: list[dict[str, float]]) -> None:
    """Seconds per notebook of each way, and what was required of ours."""

    def ratio(over: str, under: str, divided: int = 1) -> float:
        return median(found[over] / (found[under] / divided) for found in rounds)

    rows = {
        "papermill and nbconvert as commands": ("commands", 1),
        "papermill and nbconvert in one process": ("in process", 1),
        "ours, 1 job": ("ours 1", 1),
        "ours, 2 jobs": ("ours 2", 1),
        "limit for 1 job: the cells alone, warm": ("cells", 1),
        "limit for 2 jobs": ("cells", 2),
    }
    print("\n| way | seconds per notebook | commands take so many times as long |")
    print("|---|---:|---:|")
    for label, (way, divided) in rows.items():
        seconds = median(found[way] for found in rounds) / divided
        print(f"| {label} | {seconds:.2f} | {divided * ratio('commands', way):.1f} |")
    print("\n| required | found |")
    print("|---|---:|")
    print(f"| the commands take at least 8 times as long as ours, 2 jobs | {ratio('commands', 'ours 2'):.1f} |")
    print(f"| ours, 2 jobs, takes at most 1.3 times the limit | {ratio('ours 2', 'cells', 2):.2f} |")
    further = median(found["memory 2"] - found["memory 1"] for found in rounds)
    print(f"| a further worker needs at most 150 MiB | {further:.0f} MiB |")
    print(f"| `qieval --help` takes at most 0.3 s | {median(helping() for _ in range(5)):.2f} |", flush=True)


def helping() -> float:
    """Seconds that the help takes."""
    begun = time.perf_counter()
    quiet(["-m", "qieval", "--help"])
    return time.perf_counter() - begun


def print_long(studies: list[Path], reports: int, folder: Path) -> None:
    """Ten times as many reports, in time and memory."""
    few = ours(copies(studies, reports, folder), 2, folder)
    many = ours(copies(studies, 10 * reports, folder), 2, folder)
    print(f"| {10 * reports} reports take at most 10 times as long as {reports} | {many.seconds / few.seconds:.1f} |")
    print(f"| and as much memory: {few.memory:.0f} MiB | {many.memory:.0f} MiB |")
    same, out = copies([ROOT / "params" / "hub_spoke_india.yaml"], UNCHANGED, folder), tempfile.mkdtemp(dir=folder)
    ours(same, 2, folder, out)
    again = median(ours(same, 2, folder, out).seconds for _ in range(3))
    print(f"| {UNCHANGED} reports of which nothing has changed end within 3 s | {again:.1f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--cells"]:
        print_cells_alone(json.loads(sys.argv[2]))
    else:
        main()
