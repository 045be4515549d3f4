"""The command `qieval`: parses, calls, prints, exits."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import qieval

if TYPE_CHECKING:
    from qieval.batch.pending import Pending
    from qieval.batch.results import Made, Watcher
    from qieval.batch.run import Make

# Everything heavy is imported inside the commands, so that --help answers at once.

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Evaluate health-care improvement collaboratives: tidy tables in, honest reports out.",
)


class _Engine(StrEnum):
    fork = "fork"
    plain = "plain"


Sources = Annotated[list[Path], typer.Argument(metavar="PARAMS...", help="Parameter files, such as params/demo.yaml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Say what was done as JSON, for programs.")]


def main() -> None:
    """Run the command; a mistake the user can mend ends in its sentence and exit code 1, never in a traceback."""
    from qieval.errors import QievalError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a sign that the terminal lacks must not end a batch
            stream.reconfigure(errors="replace")
    try:
        with _STOP.heeded():
            app()
    except QievalError as error:
        _say_failed(str(error))
        raise SystemExit(1) from None
    except _Stopped:
        _say_failed("Stopped. Nothing was made.")
        raise SystemExit(130) from None


def _say_failed(sentence: str) -> None:
    """Why nothing was done, as whoever asked wants to be told."""
    if "--json" in sys.argv:
        _print_json({"error": sentence})
    else:
        print(sentence, file=sys.stderr)


def _version(asked: bool) -> None:
    if asked:
        print(f"qieval {qieval.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    sources: Sources,
    out: Annotated[Path, typer.Option(help="Folder the reports go to.")] = Path("reports"),
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks run at once.")] = min(os.cpu_count() or 1, 4),
    only: Annotated[list[str] | None, typer.Option(help="Only these notebooks, separated by commas.")] = None,
    only_failed: Annotated[bool, typer.Option("--only-failed", help="Only reports that were not made whole.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also make what has not changed.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also as PDF (needs the extra pdf).")] = False,
    word: Annotated[bool, typer.Option("--word", help="Also for Word (needs the extra word).")] = False,
    engine: Annotated[
        _Engine, typer.Option(help="Kernels forked from a loaded server, or plain ones as papermill's.")
    ] = _Engine.fork,
    cluster: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Make them on a Dask cluster (needs the extra cluster).")
    ] = "",
    notebooks: Annotated[Path | None, typer.Option(help="Folder of the notebooks; by default those of qieval.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make one report per parameter file, and a page that lists them. What has not changed is reused.

    Example: qieval run params/*.yaml --jobs 2
    """
    with _Progress(quiet=as_json) as progress:
        try:
            from qieval.batch.papers import require
            from qieval.batch.pending import Wish
            from qieval.batch.plan import choose, find_notebooks, read_requests
            from qieval.batch.run import run_batch

            _STOP.heed()
            formats = [name for name, asked in (("pdf", pdf), ("word", word)) if asked]
            names = [name.strip() for given in only or [] for name in given.split(",")]
            known = find_notebooks(notebooks)
            if not cluster:  # there it is the workers that make them
                require(formats)
            wish = Wish(asked=frozenset(choose(known, names)), force=force, formats=tuple(formats))
            requests = read_requests(sources, known)
            made = run_batch(
                requests, known, out, wish=wish, make=_maker(cluster, jobs, engine), watcher=progress,
                only_failed=only_failed,
            )  # fmt: skip
        except _Stopped:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # who presses again shall read what was done
            progress.close()
            _say_stopped(out, progress.ended, as_json=as_json)
            raise typer.Exit(130) from None
    _say_made(out, made, only_failed=only_failed, as_json=as_json)
    if any(one.status != "made" for one in made):
        raise typer.Exit(1)


def _maker(cluster: str, jobs: int, engine: _Engine) -> Make:
    """What makes reports, on a cluster or here; loaded when there is something to make, for it takes a second."""

    def make(to_make: Sequence[Pending], watcher: Watcher, ended: Callable[[Made], None]) -> None:
        if cluster:
            from qieval.batch.cluster import make_on_cluster

            _STOP.heed()
            make_on_cluster(to_make, watcher, ended, address=cluster)
        else:
            from qieval.batch import steps

            _STOP.heed()
            steps.make(to_make, watcher, ended, jobs=jobs, engine=engine.value)

    return make


class _Stopped(BaseException):
    """Whoever started the command wants it to end; not a KeyboardInterrupt, which typer would take for its own."""


class _Stop:
    """Ctrl-C, and the system's request to end."""

    asked = False

    def heed(self) -> None:
        """End if that was asked: some libraries take what is raised while they load for a fault of their own."""
        if self.asked:
            raise _Stopped

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Meanwhile they raise `_Stopped`."""

        def stop(number: int, frame: object) -> None:
            self.asked = True
            raise _Stopped

        signals = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(one, stop) for one in signals]
        try:
            yield
        finally:
            for one, handler in zip(signals, before, strict=True):
                signal.signal(one, handler)


_STOP = _Stop()


@app.command()
def check(sources: Sources, as_json: AsJson = False) -> None:
    """Check parameters and data without making a report.

    Example: qieval check params/demo.yaml
    """
    found = [_checked(source) for source in sources]
    if as_json:
        _print_json([asdict(one) for one in found])
    else:
        for one in found:
            _say_checked(one)
    if not all(one.ready for one in found):
        raise typer.Exit(1)


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """What a check of one parameter file and its data found."""

    source: str
    ready: bool
    summary: str = ""  # of the data
    refused: str = ""  # why parameters or data could not be read at all
    errors: Sequence[str] = ()  # in the data, a line each
    warnings: Sequence[str] = ()
    lacking: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by question: tables it cannot do without


def _checked(source: Path) -> _Checked:
    from qieval.batch.plan import find_notebooks, home_of
    from qieval.errors import QievalError
    from qieval.present.wording.study import summary
    from qieval.study.parameters import read_parameters
    from qieval.study.problems import lines_of
    from qieval.study.study import check_study

    try:
        parameters = read_parameters(source)
        study, problems = check_study(parameters, home=home_of(source, parameters))
    except QievalError as error:
        return _Checked(source=str(source), ready=False, refused=str(error))
    return _Checked(
        source=str(source),
        ready=study is not None,
        summary=summary(study) if study is not None else "",
        errors=lines_of(problems, "error"),
        warnings=lines_of(problems, "warning"),
        lacking={one.title: one.missing(study) for one in find_notebooks()} if study is not None else {},
    )


def _say_checked(found: _Checked) -> None:
    from qieval.errors import bulleted

    if found.refused:
        print(found.refused)
    if found.errors:
        print(bulleted(found.source, list(found.errors)))
    if found.warnings:
        print(f"{found.source}: worth a look, but no obstacle")
        print("\n".join(f"  - {line}" for line in found.warnings))
    if found.ready:
        print(f"{found.source}: ready. {found.summary}")
    for title, lacking in found.lacking.items():
        print(f"  - {title}: {'without it, for lack of ' + ' and '.join(lacking) if lacking else 'yes'}")


@app.command()
def bundle(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Zip to write, such as reports.zip.")],
    out: Annotated[Path, typer.Option(help="Folder the reports are in.")] = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Put all finished reports into one zip to pass on, without the notebooks.

    Example: qieval bundle reports.zip
    """
    from qieval.batch.bundle import write_bundle

    n = write_bundle(out, path)
    if as_json:
        _print_json({"bundle": str(path), "reports": n, "bytes": path.stat().st_size})
    else:
        print(f"{path}: {n} report{'s' if n > 1 else ''}, {path.stat().st_size / 1e6:.1f} MB; open index.html in it.")


@app.command()
def template(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Workbook to write, such as study.xlsx.")],
    as_json: AsJson = False,
) -> None:
    """Write an empty Excel workbook with a sheet per table, ready to be filled in.

    Example: qieval template study.xlsx
    """
    from qieval.study.template import write_template

    write_template(path)
    if as_json:
        _print_json({"template": str(path)})
    else:
        print(
            f"{path}: fill in the sheets you need, leave the others empty, and name the file in 'data' of your "
            "parameters."
        )


class _Progress:
    """A bar of notebooks and a line per report; plain lines where there is no terminal."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.ended: list[Made] = []
        self._quiet = quiet
        self._console = Console()
        self._bar = Progress(
            TextColumn("Notebooks"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=quiet or not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)
        self._total = 0

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()

    def planned(self, reports: int, notebooks: int) -> None:
        self._total = notebooks
        self._bar.update(self._task, total=notebooks)

    def settled(self, dropped: int) -> None:
        self._total -= dropped
        self._bar.update(self._task, total=self._total)

    def notebook_ended(self) -> None:
        self._bar.advance(self._task)

    def report_made(self, made: Made) -> None:
        from qieval.batch.records import STATUS

        self.ended.append(made)
        if made.reused:  # hundreds of them may be; they are counted at the end
            return
        line = f"{STATUS[made.status]} {made.collaborative}: {made.status}, {made.seconds:.0f} s"
        if made.left_out and not made.errors:
            line += f", without {', '.join(made.left_out)}"
        lines = [line, *(f"    {error}" for error in made.errors)]
        lines += [f"    {section}: {reason}" for section, reason in made.failures.items()]
        self._say("\n".join(lines))  # at once, since another report may end at the same moment

    def _say(self, lines: str) -> None:
        if self._quiet:
            return
        try:
            # Names are text: brackets in them are not for the console to interpret.
            self._console.print(lines, markup=False, highlight=False, soft_wrap=True)
        except (OSError, SystemExit):  # whoever listened has gone, as `head` does: the batch goes on
            self._quiet = True


def _say_made(out: Path, made: Sequence[Made], *, only_failed: bool, as_json: bool) -> None:
    """What came of a batch that went to its end."""
    index = (out / "index.html").resolve()
    if as_json:
        _print_json({"index": str(index), "stopped": False, "reports": [asdict(one) for one in made]})
        return
    nothing = "No report failed last time" if only_failed else "Nothing was made"
    with suppress(BrokenPipeError):
        print(f"{_counts(made) or nothing}.\nReports: {index}", flush=True)


def _say_stopped(out: Path, made: Sequence[Made], *, as_json: bool) -> None:
    """What there is of a batch that was stopped."""
    if as_json:
        index = str((out / "index.html").resolve())
        _print_json({"index": index, "stopped": True, "reports": [asdict(one) for one in made]})
        return
    if made:
        told = f"{_counts(made)}. The others are as they were before. Pages over many reports come up to date with the "
        print(f"Stopped. {told}next run.", file=sys.stderr)
    else:
        print("Stopped. Nothing was made. Reports of earlier runs are as they were.", file=sys.stderr)


def _counts(made: Sequence[Made]) -> str:
    """How many reports came out how: "3 made, 37 reused, 1 with a failed section"."""
    reused = sum(one.reused for one in made)
    fresh = Counter(one.status for one in made if not one.reused)
    said = {"made": "made", "section failed": "with a failed section", "not made": "not made"}
    parts = [f"{fresh[status]:,} {words}" for status, words in said.items() if fresh[status]]
    parts[1 if fresh["made"] else 0 : 0] = [f"{reused:,} reused, since nothing has changed"] if reused else []
    return ", ".join(parts)


def _print_json(content: object) -> None:
    import json

    print(json.dumps(content, ensure_ascii=False, indent=1))
