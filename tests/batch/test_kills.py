"""A batch killed at random moments: what is there is whole, nothing is lost, and the next run makes what is missing.

QIEVAL_KILLS says how often; `make soak` asks for 50.
"""

import json
import os
import random
import subprocess
import sys
import time
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import psutil
import pytest
import yaml

from qieval.batch.manifest import RECORD, digest, read_manifest
from tests.batch.conftest import PROJECT
from tests.batch.test_kernels import SLOW, until

KILLS = int(os.environ.get("QIEVAL_KILLS", "5"))
REPORTS = 4

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills as Linux does")


class _Page(HTMLParser):
    """Notes whether a page was read to its end."""

    ended = False

    def handle_endtag(self, tag: str) -> None:
        self.ended = tag == "html"


def is_page(path: Path) -> bool:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page.ended


def whole_reports(out: Path) -> dict[str, str]:
    """When each report was made; every folder that is seen as one must be whole."""
    found = {}
    for folder in out.glob("[!.]*"):
        if not folder.is_dir():
            continue
        manifest = read_manifest(folder)
        assert manifest is not None, f"{folder.name} has no manifest"
        assert manifest.is_whole(folder)
        assert is_page(folder / "report.html")
        for name, part in manifest.parts.items():
            if part.sha256:
                executed = folder / "notebooks" / f"{name}.ipynb"
                nbformat.read(executed, as_version=4)
                assert digest(executed) == part.sha256
        found[folder.name] = json.loads((folder / RECORD).read_text(encoding="utf-8"))["made_on"]
    for name in ("index.html", "compare.html"):
        assert not (out / name).exists() or is_page(out / name)
    return found


class Killed:
    """A batch with a temporary folder of its own."""

    def __init__(self, sources: list[Path], out: Path, temporary: Path, *more: str) -> None:
        command = [sys.executable, "-m", "qieval", "run", *map(str, sources), "--out", str(out), "--jobs", "2", *more]
        environment = {**os.environ, "TMPDIR": str(temporary)}
        self.temporary = temporary
        self.before = set(temporary.iterdir())  # of one that was killed with its family: the next sweeps it in time
        self.process = subprocess.Popen(
            [*command, "--json"],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill_after(self, seconds: float, *, with_family: bool) -> None:
        """End it, or all of its processes at once as a power cut would, and see that nothing goes on or lies about."""
        time.sleep(seconds)
        try:
            family = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        for one in [self.process, *family] if with_family else [self.process]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.communicate(timeout=SLOW)
        _, alive = psutil.wait_procs(family, timeout=SLOW)
        assert alive == []
        assert with_family or until(lambda: set(self.temporary.iterdir()) <= self.before)


def copies(folder: Path) -> list[Path]:
    """The small example, several times."""
    made = []
    for number in range(REPORTS):
        values = yaml.safe_load((PROJECT / "params" / "small.yaml").read_text(encoding="utf-8"))
        path = folder / f"copy_{number}.yaml"
        path.write_text(yaml.safe_dump(values | {"collaborative": path.stem}), encoding="utf-8")
        made.append(path)
    return made


def test_whatever_moment_a_batch_is_killed_at_reports_are_whole_and_none_is_lost(
    tmp_path: Path, temporary: Path
) -> None:
    sources, out = copies(tmp_path), tmp_path / "reports"
    begun = time.monotonic()
    done = Killed(sources, tmp_path / "once", temporary)
    done.process.communicate(timeout=SLOW)
    whole_run = time.monotonic() - begun
    assert done.process.returncode == 0
    moments = random.Random(int(os.environ.get("QIEVAL_SEED", "1")))
    known: dict[str, str] = {}
    for number in range(KILLS):
        # Once all are made they are made again, so that there is always something to be cut short.
        more = ("--force",) if len(known) == REPORTS else ()
        Killed(sources, out, temporary, *more).kill_after(moments.uniform(0, whole_run), with_family=number % 2 == 1)
        found = whole_reports(out) if out.is_dir() else {}
        assert set(found) >= set(known)
        known = found
    last = Killed(sources, out, temporary)
    printed, errors = last.process.communicate(timeout=SLOW)
    assert (last.process.returncode, errors) == (0, "")
    reused = {report["collaborative"] for report in json.loads(printed)["reports"] if report["reused"]}
    assert reused == set(known)  # only what was missing was made
    assert len(whole_reports(out)) == REPORTS
    assert until(lambda: list(temporary.iterdir()) == [])
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == [".lock"]
