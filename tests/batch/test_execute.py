"""How single notebooks end, in forked and in ordinary kernels."""

import gc
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from qieval.batch.execute import Run, run_notebook
from qieval.batch.kernels import Server, kernels
from qieval.batch.plan import Job, Notebook, find_notebooks, read_job, read_requests
from qieval.present.display import METADATA
from tests.batch.conftest import PROJECT
from tests.batch.test_kernels import SLOW, until


@pytest.fixture(params=["fork", "plain"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with kernels(request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def small() -> Job:
    (request,) = read_requests([PROJECT / "params" / "small.yaml"], find_notebooks())
    return read_job(request, find_notebooks())


def tiny(folder: Path, *cells: str) -> Notebook:
    """A notebook of these cells after that of the parameters."""
    given = nbformat.v4.new_code_cell('collaborative = title = ""', metadata={"tags": ["parameters"]})
    book = nbformat.v4.new_notebook(cells=[given, *map(nbformat.v4.new_code_cell, cells)])
    nbformat.write(book, folder / "tiny.ipynb")
    return Notebook(name="tiny", path=folder / "tiny.ipynb", title="Tiny", order=1, needs=())


def ran(job: Job, folder: Path, server: Server, *cells: str, minutes: float = 10) -> tuple[Run, Any]:
    """How a tiny notebook ended, and its executed copy."""
    run = run_notebook(job, tiny(folder, *cells), folder / "executed.ipynb", server, None, minutes)
    return run, nbformat.read(run.output, as_version=4) if run.output.exists() else None


def errors(executed: Any) -> list[str]:
    return [out["evalue"] for cell in executed["cells"] for out in cell.get("outputs", []) if "evalue" in out]


def test_a_notebook_that_ends_well_has_no_failure(small: Job, tmp_path: Path, server: Server) -> None:
    run, executed = ran(small, tmp_path, server, "print(title)", "import os; os.path.basename(os.getcwd())")
    assert run.failure == ""
    assert executed["cells"][2]["outputs"][0]["text"] == f"{small.parameters.title}\n"
    assert eval(executed["cells"][3]["outputs"][0]["data"]["text/plain"]) == small.home.name


def test_one_that_raises_fails_with_the_message_and_keeps_what_came_before(
    small: Job, tmp_path: Path, server: Server
) -> None:
    here = str(small.home)
    run, executed = ran(small, tmp_path, server, "print('before')", f"raise ValueError('not in {here}/data')", "1")
    assert run.failure == "ValueError: not in .../data"
    assert errors(executed) == ["not in .../data"]
    assert here not in str([cell.get("outputs") for cell in executed["cells"]])
    assert "before" in str(executed)


def test_an_error_of_ours_is_told_by_its_sentence_alone(small: Job, tmp_path: Path, server: Server) -> None:
    run, _ = ran(small, tmp_path, server, "from qieval.errors import DataError; raise DataError('row 3 -> mend it')")
    assert run.failure == "row 3 -> mend it"


def test_one_whose_kernel_ends_fails_in_the_cell_that_ran(small: Job, tmp_path: Path, server: Server) -> None:
    run, executed = ran(small, tmp_path, server, "1", "import os; os._exit(9)", "print('after')")
    assert run.failure == "its kernel ended in the middle of the notebook (exit code 9)"
    assert errors(executed) == [run.failure]
    failed = next(cell for cell in executed["cells"] if "_exit" in cell["source"])
    assert failed["metadata"]["papermill"]["status"] == "failed"
    assert "after'" in executed["cells"][-1]["source"]
    assert executed["cells"][-1]["outputs"] == []


def test_a_kernel_that_ends_before_it_is_ready_is_told_and_nothing_waits_for_it(
    small: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qieval.batch.forked.run_cells", end_at_once)
    with kernels("fork") as server:
        if server.engine != "fork":
            pytest.skip("this system does not fork")
        for _ in range(3):
            run, _ = ran(small, tmp_path, server, "1")
            assert "the kernel ended before it was ready" in run.failure
            gc.collect()


def test_what_keeps_a_kernel_from_starting_is_told_in_words(
    small: Job, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = replace(small, request=replace(small.request, home=tmp_path / "gone"))
    with kernels("fork") as server:
        if server.engine != "fork":
            pytest.skip("this system does not fork")
        run, _ = ran(gone, tmp_path, server, "1")
    assert run.failure.startswith("RuntimeError: its kernel could not go on ([Errno 2] No such file or directory")
    assert "Traceback" not in capfd.readouterr().err


def end_at_once(*arguments: Any) -> None:
    os._exit(3)


def test_one_that_the_system_kills_is_told_of_memory(small: Job, tmp_path: Path, server: Server) -> None:
    run, _ = ran(small, tmp_path, server, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert run.failure.startswith("the system ended it (SIGKILL), mostly because memory ran out -> run fewer")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of memory that holds")
def test_one_that_asks_for_more_memory_than_there_is_says_so(small: Job, tmp_path: Path, server: Server) -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33)); x = bytearray(2**36)"
    run, _ = ran(small, tmp_path, server, limited)
    assert run.failure == "memory ran out -> run fewer notebooks at once (--jobs 1), or on a computer with more memory"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no groups of processes")
@pytest.mark.parametrize("end", ["", "os.kill(os.getpid(), 9)"])
def test_what_a_notebook_started_ends_with_it(small: Job, tmp_path: Path, server: Server, end: str) -> None:
    known = tmp_path / "number"
    start = f"import os, pathlib, subprocess; x = subprocess.Popen(['sleep', '600']); pathlib.Path({str(known)!r})"
    ran(small, tmp_path, server, f"{start}.write_text(str(x.pid))", end)
    assert until(lambda: not psutil.pid_exists(int(known.read_text())))


def test_a_notebook_meets_nothing_that_the_user_has_set_up_in_ipython(
    small: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "own.py").write_text("title = 'changed'", encoding="utf-8")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    _, executed = ran(small, tmp_path, server, "print('own' in dir(), get_ipython().ipython_dir.endswith('ipython'))")
    assert executed["cells"][2]["outputs"][0]["text"] == "False True\n"
    assert not list((tmp_path / "ipython").rglob("*.sqlite"))


def test_one_that_crashes_is_told_by_its_signal(small: Job, tmp_path: Path, server: Server) -> None:
    run, _ = ran(small, tmp_path, server, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert run.failure == "its kernel crashed (SIGSEGV)"


def test_one_that_hangs_is_ended_at_its_limit(small: Job, tmp_path: Path, server: Server) -> None:
    begun = time.monotonic()
    # The clock starts with the first cell that runs: how long a kernel takes to come up is not the notebook's fault.
    run, executed = ran(small, tmp_path, server, "import time; time.sleep(600)", minutes=0.25)
    assert run.failure.startswith("it was ended after 0.25 minutes, the limit -> if it needs longer, raise options.")
    assert errors(executed) == [run.failure]
    assert time.monotonic() - begun < SLOW


def test_stopping_ends_a_notebook_at_once(small: Job, tmp_path: Path, server: Server) -> None:
    mark = tmp_path / "begun"
    found: list[Run] = []

    def work() -> None:
        cell = f"import pathlib, time; pathlib.Path({str(mark)!r}).touch(); time.sleep(600)"
        found.append(ran(small, tmp_path, server, cell)[0])

    running = threading.Thread(target=work)
    running.start()
    assert until(mark.exists)
    server.stop()
    running.join(timeout=SLOW)
    assert [run.failure for run in found] == ["it was stopped before it was finished"]
    run, _ = ran(small, tmp_path, server, "1")
    assert run.failure == "it was stopped before it was finished"


def test_a_copy_that_was_cut_off_by_a_full_disk_is_not_left_for_whole(
    small: Job, tmp_path: Path, server: Server
) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("needs a device that is always full")
    (tmp_path / "executed.ipynb").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        ran(small, tmp_path, server, "1")
    assert not (tmp_path / "executed.ipynb").is_symlink()
    assert os.path.exists("/dev/full")


def test_notebooks_of_several_folders_run_at_once_each_in_its_own(small: Job, tmp_path: Path) -> None:
    jobs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        jobs.append(replace(small, request=replace(small.request, home=tmp_path / name)))
    cell = "import os, time; time.sleep(1); os.path.basename(os.getcwd())"
    with kernels("fork") as server:
        results: dict[str, Any] = {}

        def work(job: Job) -> None:
            results[job.home.name] = ran(job, job.home, server, cell)[1]

        threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=SLOW)
    shown = {name: book["cells"][-1]["outputs"][0]["data"]["text/plain"] for name, book in results.items()}
    assert shown == {"one": "'one'", "two": "'two'"}


def content(path: Path) -> list[Any]:
    """Everything of ours that an executed notebook shows: figures as bytes, tables, sentences and key figures."""
    cells = nbformat.read(path, as_version=4)["cells"]
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    return [(out["metadata"], out["data"]) for out in outputs if METADATA in out.get("metadata", {})]


# What notebooks of other people do that ours do not.
UNUSUAL = {
    "prints to both streams": "import sys; print('a', 1); print('b', end=''); print('c', file=sys.stderr); print('d')",
    "updates what it has shown": "shown = display('old', display_id=True); shown.update('new')",
    "clears what it has shown": "from IPython.display import clear_output; print('old'); clear_output(); print('new')",
    "waits with clearing": "print('old'); clear_output(wait=True); print('new')",
    "says where to draw": "%matplotlib inline",
    "draws with pyplot": "import matplotlib.pyplot as plt; _ = plt.plot([0, 1])",
    "gives a value": "{'a': [1, 2]}",
    "gives a table": "import pandas as pd; pd.DataFrame({'a': [1.5]})",
    "awaits": "import asyncio; await asyncio.sleep(0, 'awaited')",
    "runs a command": "!echo from a command",
    "starts a program": "import subprocess; _ = subprocess.run(['echo', 'from a program'])",
    "opens the streams again": "_ = subprocess.run('echo a; echo b > /dev/stdout; echo c >> /dev/stdout', shell=True)",
    "fails in a program": "_ = subprocess.run('echo wrong > /dev/stderr', shell=True)",
    "prints a text of its own kind": "S = type('S', (str,), {}); import sys; _ = sys.stdout.write(S('own'))",
    "shows what is not quite JSON": (
        "import datetime; display({'application/json': {1: datetime.date(2024, 1, 2)}}, raw=True)"
    ),
    "uses a magic": "%%capture kept\nprint('hidden')",
    "looks at it later": "kept.stdout",
    "asks for help": "len?",
    "counts": "get_ipython().execution_count",
    "warns": "import warnings; warnings.warn('beware', UserWarning)",
    "has a name": "__name__, 'working' in globals()",
    "shows html": "from IPython.display import HTML; HTML('<b>x</b>')",
}


CELL = re.compile(r"<ipython-input-[^>]*>|\S*ipykernel_\S*\.py")  # the two name the file of a cell in their own ways


def outputs(executed: Any) -> dict[str, Any]:
    """What each unusual cell shows, what is printed to each stream as one text."""
    found = {}
    for name, cell in zip(UNUSUAL, executed["cells"][2:], strict=True):
        shown = [(out["output_type"], out.get("data"), out.get("execution_count")) for out in cell["outputs"]]
        texts: dict[str, str] = {}
        for out in cell["outputs"]:
            if out["output_type"] == "stream":
                texts[out["name"]] = texts.get(out["name"], "") + CELL.sub("cell", out["text"])
        found[name] = (cell["execution_count"], texts, [one for one in shown if one[0] != "stream"])
    return found


def test_both_engines_show_the_same_of_unusual_cells(
    small: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # with it an ordinary kernel leaves what programs print alone
    found = {}
    for engine in ("fork", "plain"):
        with kernels(engine) as server:  # type: ignore[arg-type]
            run, executed = ran(small, tmp_path, server, *UNUSUAL.values())
        assert run.failure == ""
        found[engine] = outputs(executed)
    for name in UNUSUAL:
        assert found["fork"][name] == found["plain"][name], name
    assert found["fork"]["updates what it has shown"][2][0][1]["text/plain"] == "'new'"
    assert "image/png" in found["fork"]["draws with pyplot"][2][0][1]
    assert found["fork"]["starts a program"][1] == {"stdout": "from a program\n"}


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("import sys; sys.stdout.close(); print('a')", "ValueError: I/O operation on closed file"),
        ("import os; os.kill(os.getpid(), 35)", "its kernel crashed (signal 35)"),
        ("input('Name?')", "StdinNotImplementedError: "),
        ("exit()", "its kernel ended in the middle of the notebook (exit code 0)"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1 +", "SyntaxError: "),
        ("!exit 3", ""),
    ],
)
def test_unusual_ends_are_told_alike(small: Job, tmp_path: Path, server: Server, cell: str, told: str) -> None:
    run, _ = ran(small, tmp_path, server, cell, "import time; time.sleep(2)")
    assert run.failure.startswith(told)
    assert bool(run.failure) == bool(told)


def test_after_a_cell_that_is_marked_to_raise_the_others_run(small: Job, tmp_path: Path, server: Server) -> None:
    notebook = tiny(tmp_path, "1 / 0", "print('after')")
    book = nbformat.read(notebook.path, as_version=4)
    book["cells"][1]["metadata"]["tags"] = ["raises-exception"]
    nbformat.write(book, notebook.path)
    run = run_notebook(small, notebook, tmp_path / "executed.ipynb", server)
    assert run.failure == "ZeroDivisionError: division by zero"
    assert "after" in str(nbformat.read(run.output, as_version=4)["cells"][-1]["outputs"])


LONG = "; import time; time.sleep(0.2)"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        # Whoever prints may be interrupted by somebody who prints.
        (
            "import gc\nclass Last:\n  def __del__(self): print('gone')\n"
            "gc.set_threshold(5)\nfor n in range(3000):\n  x = Last(); x.x = x; print(n)",
            "2999",
        ),
        (
            "import signal\nsignal.signal(signal.SIGALRM, lambda *a: print('tick'))\n"
            "signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)\nfor n in range(20000): print(n)\n"
            "signal.setitimer(signal.ITIMER_REAL, 0)",
            "19999",
        ),
        ("print('x' * 30_000_000); print('end')", "end"),
        ("print('a\\udc80b')", "b\n"),  # as odd names of files have it: no file could hold half a letter
        ("import subprocess; _ = subprocess.run('yes | head -c 3000000; echo end', shell=True)", "end"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGINT)" + LONG, ""),
        (
            "import threading; [threading.Thread(target=print, args=('t' * 99,)).start() for _ in range(50)]" + LONG,
            "ttt",
        ),
    ],
)
def test_nothing_is_cut_whatever_prints_and_when(
    small: Job, tmp_path: Path, server: Server, cell: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # with it an ordinary kernel leaves what programs print alone
    run, executed = ran(small, tmp_path, server, cell)
    assert run.failure == ("" if text else "KeyboardInterrupt")
    printed = "".join(out.get("text", "") for out in executed["cells"][2]["outputs"])
    assert text in printed
    assert printed.count("t" * 99) == (50 if "thread" in cell else 0)


def test_after_the_loaded_process_was_ended_another_comes_up_that_is_like_it(small: Job, tmp_path: Path) -> None:
    with kernels("fork") as server:
        if server.engine != "fork":
            pytest.skip("this system does not fork")
        ran(small, tmp_path, server, "import os; os.kill(os.getppid(), 9)", "import time; time.sleep(2)")
        run, executed = ran(small, tmp_path, server, "import matplotlib.pyplot as plt; _ = plt.plot([0, 1])")
    assert run.failure == ""
    assert "image/png" in executed["cells"][2]["outputs"][0]["data"]


@pytest.mark.skipif(sys.platform != "linux", reason="this system does not fork")
def test_what_a_notebook_forks_may_print_and_end_as_it_likes(small: Job, tmp_path: Path, server: Server) -> None:
    cell = "import multiprocessing as m; p = m.get_context('fork').Process(target=print, args=('x' * 9,)); p.start()"
    run, executed = ran(small, tmp_path, server, f"{cell}; p.join()", "print('after')")
    assert run.failure == ""
    assert "x" * 9 in str(executed["cells"][2]["outputs"])
    assert executed["cells"][3]["outputs"][0]["text"] == "after\n"


def test_both_engines_give_the_same_numbers_and_figures(small: Job, tmp_path: Path) -> None:
    read_job(small.request, find_notebooks(), tmp_path / "snapshot")
    for engine, snapshot in (("fork", tmp_path / "snapshot"), ("plain", None)):
        (tmp_path / engine).mkdir()
        with kernels(engine) as server:  # type: ignore[arg-type]
            for notebook in small.notebooks:
                output = tmp_path / engine / notebook.path.name
                assert run_notebook(small, notebook, output, server, snapshot, 30).failure == ""
    kinds = set()
    for notebook in small.notebooks:
        forked, plain = (content(tmp_path / engine / notebook.path.name) for engine in ("fork", "plain"))
        assert forked == plain
        kinds |= {metadata[METADATA]["kind"] for metadata, _ in forked}
    assert kinds >= {"figure", "table", "text", "key"}
