"""The command `qieval`: parses, calls, prints, exits."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import qieval

if TYPE_CHECKING:
    from qieval.batch.execute import Run

# Everything heavy is imported inside the commands, so that --help answers at once.

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Evaluate health-care improvement collaboratives: tidy tables in, honest reports out.",
)

Sources = Annotated[list[Path], typer.Argument(metavar="PARAMS...", help="Parameter files, such as params/demo.yaml.")]


def main() -> None:
    """Run the command; a mistake the user can mend ends in its sentence and exit code 1, never in a traceback."""
    from qieval.errors import QievalError

    try:
        app()
    except QievalError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


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
    notebooks: Annotated[Path | None, typer.Option(help="Folder of the notebooks; by default those of qieval.")] = None,
) -> None:
    """Make one report per parameter file, and a page that lists them.

    Example: qieval run params/*.yaml --jobs 2
    """
    from qieval.batch.plan import choose, find_notebooks, make_plan
    from qieval.batch.run import run_batch

    names = [name.strip() for given in only or [] for name in given.split(",")]
    known = find_notebooks(notebooks)
    planned = make_plan(sources, known, choose(known, names))
    total = sum(len(job.notebooks) for job in planned)
    try:
        with _Progress(total) as progress:
            records, index = run_batch(
                planned, out, workers=jobs, on_notebook=progress.notebook_ended, on_report=progress.report_made
            )
    except KeyboardInterrupt:
        print("Stopped. Reports that were finished are in place; the others are as they were before.", file=sys.stderr)
        raise typer.Exit(130) from None
    print(f"Reports: {index}")
    if any(record["status"] != "made" for record in records):
        raise typer.Exit(1)


@app.command()
def check(sources: Sources) -> None:
    """Check parameters and data without making a report.

    Example: qieval check params/demo.yaml
    """
    from qieval.errors import QievalError

    wrong = False
    for source in sources:
        try:
            wrong = not _check_one(source) or wrong
        except QievalError as error:
            print(error)
            wrong = True
    if wrong:
        raise typer.Exit(1)


def _check_one(source: Path) -> bool:
    from qieval.batch.plan import find_notebooks, home_of
    from qieval.errors import bulleted
    from qieval.present.wording.study import summary
    from qieval.study.parameters import read_parameters
    from qieval.study.problems import lines_of
    from qieval.study.study import check_study

    parameters = read_parameters(source)
    study, problems = check_study(parameters, home=home_of(source, parameters))
    errors, warnings = lines_of(problems, "error"), lines_of(problems, "warning")
    if errors:
        print(bulleted(str(source), errors))
    if warnings:
        print(f"{source}: worth a look, but no obstacle")
        print("\n".join(f"  - {line}" for line in warnings))
    if study is not None:
        print(f"{source}: ready. {summary(study)}")
        for notebook in find_notebooks():
            missing = notebook.missing(study)
            print(f"  - {notebook.title}: {'without it, for lack of ' + ' and '.join(missing) if missing else 'yes'}")
    return study is not None


@app.command()
def template(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Workbook to write, such as study.xlsx.")],
) -> None:
    """Write an empty Excel workbook with a sheet per table, ready to be filled in.

    Example: qieval template study.xlsx
    """
    from qieval.study.template import write_template

    write_template(path)
    print(
        f"{path}: fill in the sheets you need, leave the others empty, and name the file in 'data' of your parameters."
    )


class _Progress:
    """A bar of notebooks and a line per report; plain lines where there is no terminal."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.console = Console()
        self.bar = Progress(
            TextColumn("Notebooks"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.task = self.bar.add_task("", total=total)

    def __enter__(self) -> _Progress:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def notebook_ended(self, run: Run) -> None:
        self.bar.advance(self.task)

    def report_made(self, record: dict[str, Any], seconds: float) -> None:
        from qieval.batch.report import STATUS

        line = f"{STATUS[record['status']]} {record['collaborative']}: {record['status']}, {seconds:.0f} s"
        if record["left_out"] and not record["errors"]:
            line += f", without {', '.join(record['left_out'])}"
        self._say(line)
        for error in record["errors"]:
            self._say(f"    {error}")
        for notebook, reason in record["failures"].items():
            self._say(f"    {notebook}: {reason}")

    def _say(self, line: str) -> None:
        # Names are text: brackets in them are not for the console to interpret.
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)
