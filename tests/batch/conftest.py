"""One batch for all tests that look at what a batch leaves: it takes a while, so it is run once."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.moz_anc import SOURCE, moz_anc_parameters, write_moz_anc

PROJECT = Path(__file__).resolve().parents[2]
SHARED = (PROJECT / os.environ.get("QIEVAL_REFERENCE", "../shared")).resolve()


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What `qieval run` printed and left behind."""

    out: Path
    exit_code: int
    printed: str
    errors: str

    def page(self, collaborative: str) -> str:
        return (self.out / collaborative / "report.html").read_text(encoding="utf-8")


def qieval(*arguments: str | Path, cwd: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    """The command as a user types it."""
    command = [sys.executable, "-m", "qieval", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=900, check=False)


@pytest.fixture(scope="session")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """The shipped parameters, one study full of hostile names, one with broken data, and Mozambique where it is.

    Where several workers run the tests, the first that comes here makes it and the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "batch"
    try:
        folder.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 900  # on a machine that is busy
        while not (folder / "batch.json").exists():
            assert time.monotonic() < deadline, "the batch that another worker makes did not end"
            time.sleep(0.2)
    else:
        (folder / "making.json").write_text(json.dumps(_make_batch(folder)), encoding="utf-8")
        (folder / "making.json").rename(folder / "batch.json")
    return Batch(out=folder / "reports", **json.loads((folder / "batch.json").read_text(encoding="utf-8")))


def _make_batch(folder: Path) -> dict[str, object]:
    sources = [*sorted((PROJECT / "params").glob("*.yaml")), hostile_study(folder), broken_study(folder)]
    if (SHARED / SOURCE).is_dir():
        data = write_moz_anc(SHARED, folder / "moz_anc")
        sources.append(written(folder / "moz_anc.yaml", moz_anc_parameters(data)))
    done = qieval("run", *sources, "--out", folder / "reports", "--jobs", "2")
    return {"exit_code": done.returncode, "printed": done.stdout, "errors": done.stderr}


def written(path: Path, parameters: dict[str, object]) -> Path:
    path.write_text(yaml.safe_dump(parameters, allow_unicode=True), encoding="utf-8")
    return path


SCRIPT = "<script>document.title='broken'</script>"
# What facilities, indicators, projects and the rest are called there.
HOSTILE_NAMES = (
    SCRIPT,
    "=1+1 $x^2$",
    "प्राथमिक स्वास्थ्य केंद्र",
    "<img src=x onerror=\"document.title='broken'\">",
    "@SUM(1) **bold** _it_ [link](javascript:alert(1))",
    "$\\frac{1}{0$ \\textbf{x} %s {0} {{ 7 * 7 }} {% raw %}",
    "\"'`</td></table></script>&amp;",
    "_hidden|x;=2+2\\n#5",
)
HOSTILE_IDS = ("../../F1", "=F2", "con", "/etc/F4", "<b>F5", "$F6$", "F 7;-1", "%2e%2e")


def hostile_study(folder: Path) -> Path:
    """Eight facilities of the demo whose ids and names are paths, markup, formulas, mathematics and Hindi."""
    demo = PROJECT / "src/qieval/study/examples/demo"
    names = ("facilities", "indicators", "measurements", "projects", "visits", "events")
    tables = {name: pd.read_csv(demo / f"{name}.csv", dtype=str, keep_default_na=False) for name in names}
    chosen = list(tables["facilities"]["facility_id"][:8])
    measured = list(tables["indicators"]["indicator_id"][:1])
    ids = dict(zip((*chosen, *measured), (*HOSTILE_IDS, "=../../births"), strict=True))
    # Of what is text in the tables, ids included; a column that is not named is left as it is.
    named = {"name": 0, "district": 3, "country": 2, "unit": 5, "title": 1, "mentor_id": 7}
    data = folder / "hostile"
    data.mkdir()
    for table, frame in tables.items():
        for column, kept in (("facility_id", chosen), ("indicator_id", measured)):
            if column in frame:
                frame = frame[frame[column].isin(kept)].assign(**{column: lambda f, c=column: f[c].map(ids)})
        if table == "facilities":
            frame = frame.assign(hub_id=[ids.get(hub, "") for hub in frame["hub_id"]])
        for column, start in named.items():
            if column in frame:
                values = [HOSTILE_NAMES[(start + n) % len(HOSTILE_NAMES)] for n in range(len(frame))]
                frame = frame.assign(**{column: values})
        frame.to_csv(data / f"{table}.csv", index=False)
    parameters = yaml.safe_load((PROJECT / "params/demo.yaml").read_text(encoding="utf-8"))
    more = {
        "collaborative": "hostile",
        "title": f"Names {SCRIPT} [bold] =1+1 $x^2$",
        "data": str(data),
        "notes": {"durations": f"**From** {SCRIPT} $x^2$ \\(y\\)"},
        "phases": {f"{SCRIPT}": parameters["phases"]["intensive"], "=1+1 $x^2$": parameters["phases"]["baseline"]},
    }
    return written(folder / "hostile.yaml", parameters | more)


def broken_study(folder: Path) -> Path:
    """The small example with a project that ends before it starts and a visit to a facility that is not there."""
    data = folder / "broken"
    shutil.copytree(PROJECT / "src/qieval/study/examples/small", data)
    (data / "projects.csv").write_text(
        "project_id,facility_id,started_on,ended_on,status\nP1,F01,2024-05-01,2024-04-01,completed\n", encoding="utf-8"
    )
    (data / "visits.csv").write_text(
        "visit_id,facility_id,mentor_type,planned_on,done_on\nV1,F01,hub,,2024-05-01\nV2,F99,hub,,2024-05-02\n",
        encoding="utf-8",
    )
    parameters = yaml.safe_load((PROJECT / "params/small.yaml").read_text(encoding="utf-8"))
    return written(
        folder / "broken.yaml", parameters | {"collaborative": "broken", "title": "Broken data", "data": str(data)}
    )


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files with a short name, as users have it: those of tests are too long for sockets."""
    with tempfile.TemporaryDirectory(prefix="q-", dir="/tmp") as name:
        yield Path(name)
