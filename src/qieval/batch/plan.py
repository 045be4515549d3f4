"""What there is to do: which notebooks answer which collaborative's questions, and what stands in the way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from unicodedata import normalize

from qieval.errors import DataError, ParameterError
from qieval.present.wording.study import summary
from qieval.study.parameters import Parameters, read_parameters
from qieval.study.problems import lines_of
from qieval.study.snapshot import write_snapshot
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


@dataclass(frozen=True, kw_only=True)
class Request:
    """One report that is asked for: its parameters, and where its data are looked for."""

    source: Path  # the parameter file
    parameters: Parameters
    home: Path  # the folder its data are looked for from, and its notebooks run in


@dataclass(frozen=True, kw_only=True)
class Job:
    """What can be done for a report, once its data have been checked; small, since it goes from process to process."""

    request: Request
    summary: str  # of the data, in a sentence; empty if they cannot be used
    fingerprint: str  # of all tables; empty likewise
    errors: tuple[str, ...]  # why the report cannot be made, a line each
    warnings: tuple[str, ...]
    notebooks: tuple[Notebook, ...]  # whose tables are there
    left_out: tuple[tuple[Notebook, str], ...]  # with the reason

    @property
    def parameters(self) -> Parameters:
        """Those of the request."""
        return self.request.parameters

    @property
    def home(self) -> Path:
        """That of the request."""
        return self.request.home


def find_notebooks(folder: Path | None = None) -> list[Notebook]:
    """The notebooks of a folder that belong to qieval, in their order; by default those that come with it.

    Raises
    ------
    ParameterError
        If the folder holds none, or files that are no notebooks in spite of their names: all of them at once.
    """
    folder = folder or shipped_notebooks()
    found, problems = [], []
    for path in sorted(folder.glob("*.ipynb")):
        try:
            notebook = _read_notebook(path)
        except ParameterError as error:
            problems.append(str(error))
        else:
            found += [notebook] if notebook else []
    if problems:
        raise ParameterError("\n".join(problems))
    if not found:
        raise ParameterError(f"{folder}: holds no notebook of qieval -> name the folder with --notebooks")
    return sorted(found, key=lambda notebook: (notebook.order, notebook.name))


def _read_notebook(path: Path) -> Notebook | None:
    """A notebook by its file; None if it has nothing to do with qieval."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells, own = content["cells"], content["metadata"].get("qieval")
        headings = ["".join(cell["source"]).strip() for cell in cells if cell["cell_type"] == "markdown"]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ParameterError(
            f"{path}: is empty or no notebook -> save it again in Jupyter, or take it out of the folder"
        ) from None
    if not own:
        return None
    if not _says_its_place(own):
        raise ParameterError(
            f"{path}: its metadata do not say its place in the report and the tables it needs -> write them as in "
            '"qieval": {"order": 5, "needs": ["facilities", "visits|visit_totals"]}'
        )
    title = (headings[0] if headings else "") or path.stem
    return Notebook(
        name=path.stem,
        path=path,
        title=title.splitlines()[0].lstrip("# "),
        order=own["order"],
        needs=tuple(tuple(choice.split("|")) for choice in own["needs"]),
    )


def _says_its_place(own: object) -> bool:
    """Whether the metadata of a notebook hold its order, a whole number, and a list of tables, which may be empty."""
    if not isinstance(own, dict) or type(own.get("order")) is not int or not isinstance(own.get("needs"), list):
        return False
    return all(isinstance(choice, str) for choice in own["needs"])


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


def read_requests(sources: Iterable[Path], notebooks: Sequence[Notebook]) -> list[Request]:
    """The parameters of all reports that are asked for, checked before anything is run; a file given twice counts once.

    Raises
    ------
    ParameterError
        If any parameter file is wrong, all files' problems at once.
    """
    found, problems = [], []
    by_file: dict[Path, Path] = {}
    for source in sources:
        by_file.setdefault(source.resolve(), source)
    for source in by_file.values():
        try:
            parameters = read_parameters(source)
            found.append(Request(source=source, parameters=parameters, home=home_of(source, parameters)))
        except ParameterError as error:
            problems.append(str(error))
    known = [notebook.name for notebook in notebooks]
    shipped = [notebook.name for notebook in find_notebooks()]
    for request in found:
        strange = [name for name in request.parameters.notes if name not in (*known, *shipped)]
        problems += [
            f"{request.source}: notes.{name} is of no notebook -> choose from: {', '.join(known)}" for name in strange
        ]
    by_name: dict[str, list[Request]] = {}
    for request in found:
        # Folders that differ only in capitals, or in how an accent is written, are one on Windows and macOS.
        one_folder = normalize("NFC", request.parameters.collaborative.casefold())
        by_name.setdefault(one_folder, []).append(request)
    for same in by_name.values():
        if len(same) > 1:
            files = ", ".join(str(request.source) for request in same)
            problems.append(f"{files}: {_one_folder([one.parameters.collaborative for one in same])}")
    if problems:
        raise ParameterError("\n".join(problems))
    return found


def _one_folder(names: Sequence[str]) -> str:
    """Why reports of these names would be written over each other, and what to do."""
    different = list(dict.fromkeys(names))
    if len(different) == 1:
        return f"all name the collaborative {names[0]!r} -> give each its own, since reports go by it"
    in_what = "capitals" if len({normalize("NFC", name) for name in names}) > 1 else "how an accent is written"
    quoted = " and ".join(map(repr, different))
    return (
        f"{quoted} differ only in {in_what}, which some systems do not tell apart -> give each collaborative a name "
        "that differs in more, since reports go by it"
    )


def read_job(request: Request, notebooks: Sequence[Notebook], snapshot: Path | None = None) -> Job:
    """Check the data of a report and say what can be done with them.

    The checked tables are left in the new folder `snapshot`, if one is named, for the notebooks to open.
    """
    study: Study | None = None
    errors: list[str] = []
    warnings: list[str] = []
    try:
        study, problems = check_study(request.parameters, home=request.home)
        errors, warnings = lines_of(problems, "error"), lines_of(problems, "warning")
    except DataError as error:
        errors = [str(error)]
    lacking = {notebook.name: notebook.missing(study) for notebook in notebooks} if study is not None else {}
    if study is not None and snapshot is not None:
        write_snapshot(study, snapshot)
    return Job(
        request=request,
        summary=summary(study) if study is not None else "",
        fingerprint=study.fingerprint if study is not None else "",
        errors=tuple(errors),
        warnings=tuple(warnings),
        notebooks=tuple(notebook for notebook in notebooks if lacking.get(notebook.name) == []),
        left_out=tuple(
            (notebook, _lacks(missing)) for notebook in notebooks if (missing := lacking.get(notebook.name))
        ),
    )


def _lacks(missing: Sequence[str]) -> str:
    tables = " and ".join(missing)
    return f"needs {tables}, and {'these are' if missing[1:] else 'this is'} missing or empty"


def home_of(source: Path, parameters: Parameters) -> Path:
    """The folder to look for data from: that of the parameter file, or else the current one."""
    here = source.resolve().parent
    try:
        find_data(parameters.data, here)
    except DataError:
        return Path.cwd()
    return here
