"""One report made whole in a folder aside, ready to be put in its place; runs in a worker of the batch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qieval.batch.execute import Run
from qieval.batch.manifest import NAME, RECORD, Manifest, Outcome, as_json, digest, sizes_in
from qieval.batch.papers import FORMATS
from qieval.batch.plan import Job
from qieval.batch.report import write_report
from qieval.batch.results import Made, made_of
from qieval.errors import ReportError


def make_report(
    job: Job, runs: Sequence[Run], folder: Path, manifest: Manifest, formats: Sequence[str], has_previous: bool
) -> Made:
    """Write everything of a report into `folder`, where its executed notebooks lie already, and its manifest last.

    Parameters
    ----------
    runs : sequence of Run
        Of every notebook of the job, also of those taken over from the last report.
    manifest : Manifest
        With the recipe of each part; how they came out is filled in here.
    formats : sequence of str
        Keys of FORMATS.
    has_previous : bool
        Whether the last report that was made will lie beside this one, since this one could not be.
    """
    record = write_report(job, runs, folder, has_previous=has_previous)
    for name in formats if not job.errors else ():
        try:
            FORMATS[name].write(folder)
        except ReportError as error:  # the page is there all the same
            record["failures"][name] = str(error)
            record["status"] = "section failed"
    (folder / RECORD).write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    parts = dict(manifest.parts)
    for run in runs:
        name = run.notebook.name
        outcome: Outcome = "failed" if run.failure else "made"
        parts[name] = replace(parts[name], outcome=outcome, reason=run.failure, sha256=digest(run.output))
    finished = replace(manifest, status=record["status"], parts=parts, sizes=sizes_in(folder))
    (folder / NAME).write_text(json.dumps(as_json(finished), ensure_ascii=False, indent=1), encoding="utf-8")
    return made_of(record, seconds=sum(run.seconds for run in runs))
