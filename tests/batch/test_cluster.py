"""The batch on a cluster: a real scheduler and two worker processes on this machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import pytest

from qieval.batch.cluster import NOT_INSTALLED, make_on_cluster
from qieval.batch.manifest import read_manifest
from qieval.batch.pending import Wish
from qieval.batch.plan import find_notebooks, read_requests
from qieval.batch.run import run_batch
from qieval.batch.worker import OTHER_PROGRAMS
from qieval.errors import ReportError
from tests.batch.conftest import PROJECT, qieval
from tests.batch.test_kernels import SLOW, until
from tests.batch.test_run import asked, said, tiny_notebook

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts processes as Linux does")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A scheduler and its workers."""

    address: str
    workers: list[psutil.Process]  # the processes that watch over each worker


def dask(*arguments: str, temporary: Path) -> psutil.Process:
    command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard", "--host", "127.0.0.1"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    return psutil.Popen(command, cwd=temporary, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("dask")
    known = folder / "scheduler.json"
    started = [dask("scheduler", "--port", "0", "--scheduler-file", str(known), temporary=folder)]
    try:
        assert until(known.exists)
        for _ in range(2):
            place = tmp_path_factory.mktemp("worker")
            arguments = ("--scheduler-file", str(known), "--nthreads", "1", "--local-directory", str(place))
            started.append(dask("worker", *arguments, temporary=place))
        yield Cluster(address=json.loads(known.read_text())["address"], workers=started[1:])
    finally:
        for process in reversed(started):
            process.terminate()
        _, alive = psutil.wait_procs(started, timeout=SLOW)
        for process in alive:
            process.kill()


def test_the_same_reports_come_from_a_cluster_as_from_this_computer(tmp_path: Path, cluster: Cluster) -> None:
    sources = [asked(tmp_path, "one"), asked(tmp_path, "two")]
    here = qieval("run", *sources, "--only", "mentoring", "--out", tmp_path / "here", "--json")
    command = ("run", *sources, "--only", "mentoring", "--out", tmp_path / "there", "--json")
    there = qieval(*command, "--cluster", cluster.address)
    assert there.returncode == here.returncode == 0
    for name in ("one", "two"):
        ours, theirs = (read_manifest(tmp_path / place / name) for place in ("here", "there"))
        assert ours is not None
        assert theirs is not None
        assert theirs.is_whole(tmp_path / "there" / name)
        assert {part: known.recipe for part, known in ours.parts.items()} == {
            part: known.recipe for part, known in theirs.parts.items()
        }
        assert (ours.rows, ours.files, ours.status) == (theirs.rows, theirs.files, theirs.status)
        own, other = (json.loads((tmp_path / place / name / "report.json").read_text()) for place in ("here", "there"))
        assert own | {"made_on": ""} == other | {"made_on": ""}
        figures = sorted(path.name for path in (tmp_path / "here" / name / "figures").iterdir())
        assert figures
        for figure in figures:
            files = [tmp_path / place / name / "figures" / figure for place in ("here", "there")]
            assert files[0].read_bytes() == files[1].read_bytes()
    assert "two/report.html" in (tmp_path / "there" / "index.html").read_text(encoding="utf-8")
    # What the cluster made is reused here, and the other way round.
    assert {one["reused"] for one in said(qieval(*command)).values()} == {True}
    assert {one["reused"] for one in said(qieval(*command, "--cluster", cluster.address)).values()} == {True}


def test_sections_that_still_hold_are_kept(tmp_path: Path, cluster: Cluster) -> None:
    for order, name in enumerate(("first", "second")):
        tiny_notebook(tmp_path / "notebooks", name, f"print('{name} ran')", order)
    common = (asked(tmp_path, "one"), "--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports", "--json")
    qieval("run", *common)
    tiny_notebook(tmp_path / "notebooks", "second", "print('changed')", 1)
    again = said(qieval("run", *common, "--cluster", cluster.address))["one"]
    assert again["kept"] == ["first"]
    page = (tmp_path / "reports" / "one" / "report.html").read_text(encoding="utf-8")
    assert page.index("first ran") < page.index("changed")


def test_a_report_that_cannot_be_made_keeps_the_last_one(tmp_path: Path, cluster: Cluster) -> None:
    tiny_notebook(tmp_path / "notebooks", "good", "print('as it should be')")
    common = ("--notebooks", tmp_path / "notebooks", "--out", tmp_path / "reports", "--json")
    qieval("run", asked(tmp_path, "one"), *common)
    broken = asked(tmp_path, "one", data="misspelt")
    done = qieval("run", broken, *common, "--cluster", cluster.address)
    assert done.returncode == 1
    assert "'misspelt' is neither in the folder" in said(done)["one"]["errors"][0]
    folder = tmp_path / "reports" / "one"
    assert 'href="previous/report.html"' in (folder / "report.html").read_text(encoding="utf-8")
    assert "as it should be" in (folder / "previous" / "report.html").read_text(encoding="utf-8")


def test_a_worker_that_is_killed_in_mid_report_costs_only_that_reports_time(tmp_path: Path, cluster: Cluster) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    code = (
        f"import os, time, pathlib; pathlib.Path({str(begun)!r}, f'{{title}}-{{os.getpid()}}').touch(); time.sleep(3)"
    )
    tiny_notebook(tmp_path / "notebooks", "slow", code)
    sources = [asked(tmp_path, name, title=name) for name in ("one", "two", "three")]
    command = [sys.executable, "-m", "qieval", "run", *map(str, sources), "--notebooks", str(tmp_path / "notebooks")]
    command += ["--out", str(tmp_path / "reports"), "--cluster", cluster.address, "--json"]
    batch = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert until(lambda: any(begun.iterdir()))
    kernel = psutil.Process(int(next(begun.iterdir()).name.partition("-")[2]))
    worker = next(one for one in kernel.parents() if one.parent() in cluster.workers)
    family = worker.children(recursive=True)
    worker.send_signal(signal.SIGKILL)
    printed, _ = batch.communicate(timeout=SLOW)
    assert batch.returncode == 0
    assert {one["collaborative"]: one["status"] for one in json.loads(printed)["reports"]} == dict.fromkeys(
        ("one", "two", "three"), "made"
    )
    _, alive = psutil.wait_procs(family, timeout=SLOW)
    assert alive == []  # its kernels and its server ended with it


def test_stopping_leaves_the_cluster_as_it_was(tmp_path: Path, cluster: Cluster) -> None:
    mark = tmp_path / "begun"
    tiny_notebook(
        tmp_path / "notebooks", "slow", f"import time, pathlib; pathlib.Path({str(mark)!r}).touch(); time.sleep(5)"
    )
    command = [sys.executable, "-m", "qieval", "run", str(asked(tmp_path, "one")), "--out", str(tmp_path / "reports")]
    command += ["--notebooks", str(tmp_path / "notebooks"), "--cluster", cluster.address]
    batch = subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True)
    assert until(mark.exists)
    batch.send_signal(signal.SIGINT)
    _, errors = batch.communicate(timeout=SLOW)
    assert batch.returncode == 130
    assert errors.strip() == "Stopped. Nothing was made. Reports of earlier runs are as they were."
    assert not list((tmp_path / "reports").glob(".making-*"))


def run(folder: Path, address: str) -> None:
    tiny_notebook(folder / "notebooks", "good", "1 + 1")
    known = find_notebooks(folder / "notebooks")
    requests = read_requests([asked(folder, "one")], known)
    make = partial(make_on_cluster, address=address, patience=2)
    run_batch(requests, known, folder / "reports", wish=Wish(asked=["good"]), make=make, watcher=Silent())


class Silent:
    """A watcher that says nothing."""

    def planned(self, reports: int, notebooks: int) -> None: ...
    def settled(self, dropped: int) -> None: ...
    def notebook_ended(self) -> None: ...
    def report_made(self, made: object) -> None: ...


def test_an_address_where_nobody_answers_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        ReportError, match=r"tcp://127\.0\.0\.1:9: no Dask scheduler answers there -> check the address"
    ):
        run(tmp_path, "tcp://127.0.0.1:9")


def test_other_programs_on_the_workers_are_refused(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qieval.batch.reuse.programs", lambda: "others")
    with pytest.raises(ReportError, match="has another version of qieval") as caught:
        run(tmp_path, cluster.address)
    assert str(caught.value) == OTHER_PROGRAMS


def test_a_lacking_library_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ReportError) as caught:
        run(tmp_path, "tcp://127.0.0.1:9")
    assert str(caught.value) == NOT_INSTALLED
