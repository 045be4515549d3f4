"""One report on its way: what is kept of the last one, what is to be made, and how it is finished."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qieval.batch import reuse
from qieval.batch.manifest import (
    NAME,
    NOTEBOOKS,
    PREVIOUS,
    RECORD,
    Manifest,
    Part,
    as_json,
    only_intact,
    read_manifest,
)
from qieval.batch.papers import FORMATS, can_be_made
from qieval.batch.place import put_in_place, refuse_what_is_no_report, replace_json
from qieval.batch.plan import Job, Notebook, Request, read_job
from qieval.batch.results import Made, made_of
from qieval.errors import DataError, ReportError

if TYPE_CHECKING:
    from qieval.batch.execute import Run
    from qieval.batch.kernels import Server


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked of every report of a batch."""

    asked: Collection[str]  # notebooks; of the others the sections are kept that still hold
    force: bool = False  # make them even if nothing has changed
    formats: Collection[str] = ()  # keys of FORMATS


@dataclass(eq=False, kw_only=True)
class Pending:
    """One report on its way."""

    request: Request
    notebooks: Sequence[Notebook]
    wish: Wish
    final: Path
    work: Path  # the batch's folder to work in
    recipes: dict[str, str]  # by notebook
    data: Path | None  # its data files, if there are any
    files: str  # their key; empty if there are none
    former: Manifest | None  # of the last report that was made
    former_folder: Path
    job: Job | None = None  # once its data have been checked
    rows: str = ""
    parts: dict[str, Part] = field(default_factory=dict)
    to_make: tuple[str, ...] = ()
    runs: list[Run] = field(default_factory=list)
    given_up: bool = False  # since some part of it could not be made at all
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """The collaborative, and the name of the report's folder."""
        return self.request.parameters.collaborative

    @property
    def making(self) -> Path:
        """The folder it is made in."""
        return self.work / self.name

    @property
    def snapshot(self) -> Path:
        """Where its checked data lie for its notebooks; no collaborative's name has a dot."""
        return self.work / f"{self.name}.data"

    def refuse_to_lose(self) -> None:
        """See that putting it in its place takes nothing away but its last report.

        Raises
        ------
        ReportError
            If its data or its parameter file lie there, or something that is no report.
        """
        refuse_what_is_no_report(self.final)
        place = self.final.resolve()
        for own in (self.request.source, *filter(None, [self.data])):
            if place in (own.resolve(), *own.resolve().parents):
                raise ReportError(
                    f"{own.name}: lies where the report is to be written, and would be lost -> choose another folder "
                    "with --out"
                )

    def failed_last_time(self) -> bool:
        """Whether the last batch did not make all of it, or it was never finished."""
        manifest = read_manifest(self.final)
        return manifest is None or manifest.status != "made"

    def has_same_files(self) -> bool:
        """Whether its data files are, byte for byte, those of the last report."""
        return self.former is not None and self.files != "" and self.former.files == self.files

    def has_same_rows(self) -> bool:
        """Whether the rows read from them are those of the last report, though the files have changed elsewhere."""
        return self.former is not None and self.rows != "" and self.former.rows == self.rows

    def is_unchanged(self, *, same_data: bool) -> bool:
        """Whether the last report is the one that would be made now, and whole."""
        if self.former is None or self.former_folder != self.final:
            return False
        decision = self._decide(self.former, same_data=same_data)
        return (
            self.former.status == "made"
            and not decision.to_make
            and decision.kept == self.former.parts
            and all(FORMATS[name].file in self.former.sizes for name in self.wish.formats)
            and self.former.is_whole(self.final)
        )

    def keep_last(self) -> Made:
        """Count the last report as this one, and note in its record that it was."""
        assert self.former is not None
        record = json.loads((self.final / RECORD).read_text(encoding="utf-8"))
        if not record.get("reused"):
            record["reused"] = True
            replace_json(self.final / RECORD, record, self.work)
        if self.former.files != self.files:
            # Other rows of the same files have changed: the next batch need not read them to know.
            replace_json(self.final / NAME, as_json(replace(self.former, files=self.files)), self.work)
        shutil.rmtree(self.snapshot, ignore_errors=True)
        return made_of(record, reused=True, kept=tuple(record["sections"]))

    def check(self, server: Server) -> None:
        """Have its data checked, and left where its notebooks find them."""
        self.job = server.call(read_job, self.request, self.notebooks, self.snapshot)
        self.rows = reuse.rows_key(self.job)

    def settle(self) -> None:
        """Decide which notebooks are run, once the data are known."""
        assert self.job is not None
        if self.job.errors:
            return
        former = only_intact(self.former, self.former_folder) if self.former else None
        decision = self._decide(former, same_data=self.has_same_rows())
        lacking = {notebook.name: reason for notebook, reason in self.job.left_out}
        self.parts = {
            **decision.kept,
            **{
                name: Part(outcome="left out", recipe=self.recipes[name], reason=lacking[name])
                if name in lacking
                else Part(outcome="made", recipe=self.recipes[name])
                for name in decision.to_make
            },
        }
        self.to_make = tuple(name for name in decision.to_make if name not in lacking)

    def _decide(self, former: Manifest | None, *, same_data: bool) -> reuse.Decision:
        return reuse.decide(former, self.recipes, same_data=same_data, asked=self.wish.asked, force=self.wish.force)

    def prepare(self) -> None:
        """Make its folder, with the executed notebooks that are kept; the first of its notebooks to run does."""
        with self._lock:
            if self.making.is_dir():
                return
            (self.making / NOTEBOOKS).mkdir(parents=True)
            for name in self._kept():
                source = self.former_folder / NOTEBOOKS / f"{name}.ipynb"
                if source.exists():
                    shutil.copyfile(source, self._executed(name))

    def run(self, name: str, server: Server) -> bool:
        """Run one of its notebooks; returns whether it was the last.

        Raises
        ------
        Stopped
            If the batch was stopped meanwhile.
        """
        from qieval.batch.execute import run_notebook
        from qieval.batch.kernels import Stopped

        assert self.job is not None
        self.prepare()
        (notebook,) = (one for one in self.notebooks if one.name == name)
        minutes = self.request.parameters.options.minutes_per_notebook
        ended = run_notebook(self.job, notebook, self._executed(name), server, self.snapshot, minutes)
        if server.stopped:
            raise Stopped
        with self._lock:
            self.runs.append(ended)
            return len(self.runs) == len(self.to_make)

    def finish(self, server: Server) -> Made:
        """Have everything of it written in the folder it is made in."""
        from qieval.batch.execute import Run
        from qieval.batch.making import make_report

        assert self.job is not None
        self.prepare()
        kept = {
            name: Run(notebook=notebook, output=self._executed(name), failure=self.parts[name].reason, seconds=0.0)
            for name in self._kept()
            for notebook in self.notebooks
            if notebook.name == name
        }
        shown = {*kept, *self.to_make}
        job = replace(
            self.job,
            notebooks=tuple(notebook for notebook in self.notebooks if notebook.name in shown),
            left_out=tuple(
                (notebook, self.parts[notebook.name].reason)
                for notebook in self.notebooks
                if notebook.name in self.parts and notebook.name not in shown
            ),
        )
        manifest = Manifest(
            collaborative=self.name, status="", files=self.files, rows=self.rows, parts=self.parts, sizes={}
        )
        runs = [*kept.values(), *self.runs]
        has_previous = bool(job.errors) and self.former is not None
        made = server.call(make_report, job, runs, self.making, manifest, self._formats(), has_previous)
        return replace(made, kept=tuple(kept))

    def _formats(self) -> tuple[str, ...]:
        """Those asked for, and those that the last report has: else asking for one would take away the other."""
        there = self.former.sizes if self.former is not None else {}
        again = [name for name, one in FORMATS.items() if one.file in there and name not in self.wish.formats]
        return (*self.wish.formats, *filter(can_be_made, again))

    def place(self, made: Made) -> None:
        """Put it in its place, and remove what it took to make it."""
        if made.status == "not made" and self.former is not None:
            # A misspelt file name must not cost the report of last month.
            shutil.copytree(self.former_folder, self.making / PREVIOUS)
        put_in_place(self.making, self.final, self.work)
        shutil.rmtree(self.snapshot, ignore_errors=True)

    def give_up(self, reason: str) -> Made:
        """Put a page in its place that says why there is no report, with the last one beside it.

        Where even this cannot be done, the last report stays as it is.
        """
        from qieval.batch.making import make_report

        self.given_up = True
        for folder in (self.making, self.snapshot):
            shutil.rmtree(folder, ignore_errors=True)
        nothing = Job(
            request=self.request, summary="", fingerprint="", errors=(reason,), warnings=(), notebooks=(), left_out=()
        )
        manifest = Manifest(collaborative=self.name, status="", files="", rows="")
        try:
            self.making.mkdir()
            made = make_report(nothing, (), self.making, manifest, (), self.former is not None)
            self.place(made)
        except (OSError, ReportError):
            shutil.rmtree(self.making, ignore_errors=True)
            return self.left_alone(reason)
        return made

    def left_alone(self, reason: str) -> Made:
        """What is said of one that is not begun: nothing is written where it would go."""
        return Made(collaborative=self.name, title=self.request.parameters.title, status="not made", errors=(reason,))

    def _kept(self) -> list[str]:
        """Sections taken over from the last report."""
        return [
            name for name, part in self.parts.items() if part.outcome in ("made", "failed") and name not in self.to_make
        ]

    def _executed(self, name: str) -> Path:
        return self.making / NOTEBOOKS / f"{name}.ipynb"


def pending(request: Request, notebooks: Sequence[Notebook], out: Path, work: Path, wish: Wish) -> Pending:
    """A report that is asked for, with what there is of it in `out`."""
    final = out / request.parameters.collaborative
    data = _data(request)
    manifest = read_manifest(final)
    former_folder = final / PREVIOUS if manifest is not None and manifest.status == "not made" else final
    return Pending(
        request=request,
        notebooks=notebooks,
        wish=wish,
        final=final,
        work=work,
        recipes={notebook.name: reuse.recipe(request, notebook) for notebook in notebooks},
        data=data,
        files=_files_key(data),
        former=read_manifest(former_folder),
        former_folder=former_folder,
    )


def _data(request: Request) -> Path | None:
    from qieval.study.study import find_data

    try:
        return find_data(request.parameters.data, request.home)
    except DataError:  # the check will say it in words
        return None


def _files_key(data: Path | None) -> str:
    try:
        return reuse.files_key(data) if data is not None else ""
    except OSError:  # likewise
        return ""
