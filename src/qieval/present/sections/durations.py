"""The parts of the durations notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qieval.analyses.duration_groups import Grouping
from qieval.analyses.durations import Durations
from qieval.analyses.intensive_phase import BegunInIntensive
from qieval.analyses.project_outcomes import ProjectOutcomes
from qieval.present.charts import duration_groups as group_charts
from qieval.present.charts import durations as charts
from qieval.present.charts import project_outcomes as outcome_charts
from qieval.present.sections import Heading
from qieval.present.tables import duration_groups as group_tables
from qieval.present.tables import durations as tables
from qieval.present.tables import project_outcomes as outcome_tables
from qieval.present.wording import duration_groups as group_words
from qieval.present.wording import project_outcomes as outcome_words


def lengths(result: Durations) -> Iterable[Any]:
    """How long projects took."""
    yield charts.share_ended(result)


def ends(outcomes: ProjectOutcomes | None) -> Iterable[Any]:
    """How projects ended; nothing where too few have."""
    if outcomes is None:
        return
    yield Heading("How did they end?")
    yield outcome_words.answer(outcomes)
    yield outcome_charts.completed_and_abandoned(outcomes)
    yield outcome_tables.outcomes(outcomes)


def starts(begun: BegunInIntensive | None) -> Iterable[Any]:
    """Whether projects began while mentoring was intensive."""
    if begun is None:
        return
    yield Heading("Did they begin while mentoring was intensive?")
    yield outcome_words.begun(begun)


def groups(groupings: Sequence[Grouping]) -> Iterable[Any]:
    """Whether some projects take longer than others; nothing where all are of one kind."""
    if not groupings:
        return
    yield Heading("Do some take longer than others?")
    yield group_words.answer(groupings)
    yield group_charts.medians(groupings)
    yield group_tables.groups(groupings)
    yield group_tables.ratios(groupings)
    yield group_tables.comparisons(groupings)


def each(result: Durations) -> Iterable[Any]:
    """Every project on the calendar and in a table."""
    yield Heading("Every project")
    yield charts.timelines(result)
    yield tables.projects(result)
