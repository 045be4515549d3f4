"""What there is to do: which notebooks answer which collaborative's questions, and what stands in the way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from qieval.errors import DataError, ParameterError
from qieval.study.parameters import Parameters, read_parameters
from qieval.study.problems import lines_of
from qieval.study.study import Study, check_study, find_data


@dataclass(frozen=True, kw_only=True)
class Notebook:
    """A notebook that asks one question; its metadata says which tables it needs."""

    name: str
    path: Path
    title: str
    order: int
    needs: tuple[tuple[str, ...], ...]  # each a choice of tables, of which one must be there

    def missing(self, study: Study) -> list[str]:
        """The tables it cannot do without and does not find or finds empty; "visits or visit_totals" is one."""
        return [" or ".join(choice) for choice in self.needs if not any(study.has(table) for table in choice)]


@dataclass(frozen=True, eq=False, kw_only=True)
class Job:
    """One collaborative's report: its notebooks to run, those left out, or why it cannot be made."""

    source: Path  # the parameter file
    parameters: Parameters
    home: Path  # the folder its data are looked for from, and its notebooks run in
    study: Study | None
    errors: tuple[str, ...]  # why the report cannot be made, a line each
    warnings: tuple[str, ...]
    notebooks: tuple[Notebook, ...]
    left_out: tuple[tuple[Notebook, str], ...]  # with the reason


def find_notebooks(folder: Path | None = None) -> list[Notebook]:
    """The notebooks of a folder that belong to qieval, in their order; by default those that come with it.

    Raises
    ------
    ParameterError
        If the folder holds none.
    """
    folder = folder or shipped_notebooks()
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        content = json.loads(path.read_text(encoding="utf-8"))
        own = content.get("metadata", {}).get("qieval")
        if own:
            heading = next(("".join(c["source"]) for c in content["cells"] if c["cell_type"] == "markdown"), path.stem)
            needs = tuple(tuple(choice.split("|")) for choice in own["needs"])
            title = heading.splitlines()[0].lstrip("# ")
            found.append(Notebook(name=path.stem, path=path, title=title, order=own["order"], needs=needs))
    if not found:
        raise ParameterError(f"{folder}: holds no notebook of qieval -> name the folder with --notebooks")
    return sorted(found, key=lambda notebook: (notebook.order, notebook.name))


def shipped_notebooks() -> Path:
    """The notebooks inside an installed package, or those of the checkout it is installed from."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "notebooks"
    return inside if inside.is_dir() else package.parents[1] / "notebooks"


def choose(notebooks: list[Notebook], only: Sequence[str]) -> list[str]:
    """The names of the notebooks asked for: those named, or all if none is.

    Raises
    ------
    ParameterError
        If a name is not among them.
    """
    known = [notebook.name for notebook in notebooks]
    for name in only:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from: {', '.join(known)}"
            raise ParameterError(f"--only {name}: no such notebook -> {hint}")
    return [name for name in known if not only or name in only]


def make_plan(sources: Iterable[Path], notebooks: list[Notebook], only: Sequence[str] = ()) -> list[Job]:
    """Check all parameters, then all data, and say for each collaborative what can be done.

    `only` names the notebooks asked for, by default all; the report lists the others as left out.

    Raises
    ------
    ParameterError
        If any parameter file is wrong, all files' problems at once: nothing is run before they are mended.
    """
    read, problems = [], []
    for source in sources:
        try:
            read.append((source, read_parameters(source)))
        except ParameterError as error:
            problems.append(str(error))
    twice = [name for name, times in Counter(given.collaborative for _, given in read).items() if times > 1]
    known = [notebook.name for notebook in notebooks]
    shipped = [notebook.name for notebook in find_notebooks()]
    for source, given in read:
        strange = [name for name in given.notes if name not in (*known, *shipped)]
        problems += [f"{source}: notes.{name} is of no notebook -> choose from: {', '.join(known)}" for name in strange]
    for name in twice:
        files = ", ".join(str(source) for source, given in read if given.collaborative == name)
        problems.append(f"{files}: all name the collaborative {name!r} -> give each its own, since reports go by it")
    if problems:
        raise ParameterError("\n".join(problems))
    return [_job(source, given, notebooks, only or known) for source, given in read]


def _job(source: Path, parameters: Parameters, notebooks: list[Notebook], only: Sequence[str]) -> Job:
    home = home_of(source, parameters)
    study: Study | None = None
    errors: list[str] = []
    warnings: list[str] = []
    try:
        study, problems = check_study(parameters, home=home)
        errors, warnings = lines_of(problems, "error"), lines_of(problems, "warning")
    except DataError as error:
        errors = [str(error)]
    run, left_out = [], []
    for notebook in notebooks:
        if study is None:
            break
        missing = notebook.missing(study)
        if notebook.name not in only:
            left_out.append((notebook, "was not asked for this time (--only)"))
        elif missing:
            tables = " and ".join(missing)
            left_out.append(
                (notebook, f"needs {tables}, and {'these are' if missing[1:] else 'this is'} missing or empty")
            )
        else:
            run.append(notebook)
    return Job(
        source=source,
        parameters=parameters,
        home=home,
        study=study,
        errors=tuple(errors),
        warnings=tuple(warnings),
        notebooks=tuple(run),
        left_out=tuple(left_out),
    )


def home_of(source: Path, parameters: Parameters) -> Path:
    """The folder to look for data from: that of the parameter file, or else the current one."""
    here = source.resolve().parent
    try:
        find_data(parameters.data, here)
    except DataError:
        return Path.cwd()
    return here
