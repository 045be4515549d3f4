"""The parts of the mentoring notebook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qieval.analyses.coverage import Coverage
from qieval.analyses.dose_response import DoseResponse
from qieval.analyses.equity import Equity
from qieval.analyses.mentoring import Mentoring
from qieval.analyses.visit_gaps import VisitGaps
from qieval.analyses.visit_months import VisitMonths
from qieval.present.charts import coverage as coverage_charts
from qieval.present.charts import dose_response as response_charts
from qieval.present.charts import equity as equity_charts
from qieval.present.charts import mentoring as charts
from qieval.present.charts import visit_gaps as gaps_charts
from qieval.present.charts import visit_months as months_charts
from qieval.present.display import Text
from qieval.present.sections import Heading
from qieval.present.tables import coverage as coverage_tables
from qieval.present.tables import dose_response as response_tables
from qieval.present.tables import equity as equity_tables
from qieval.present.tables import mentoring as tables
from qieval.present.tables import visit_gaps as gaps_tables
from qieval.present.tables import visit_months as months_tables
from qieval.present.wording import coverage as coverage_words
from qieval.present.wording import dose_response as response_words
from qieval.present.wording import equity as equity_words
from qieval.present.wording import mentoring as words
from qieval.present.wording import visit_gaps as gaps_words
from qieval.present.wording import visit_months as months_words


def planned_and_done(result: Mentoring) -> Iterable[Any]:
    """Each group against its plan, and against the others."""
    yield Heading("Planned and done")
    yield charts.visits_per_planned(result)
    yield words.compared(result)
    yield words.planned_visits_made(result)
    yield tables.visits(result)
    yield tables.comparisons(result)
    yield tables.by_hub(result)


def reached(found: Coverage, result: Mentoring) -> Iterable[Any]:
    """Who was visited at all, as often as planned, and lately; nothing where only totals were kept."""
    if found.refused == "totals_only":
        return
    yield Heading("Who was reached")
    yield coverage_words.answer(found)
    yield charts.visits_by_facility(result)
    yield coverage_words.never(found)
    yield coverage_tables.never_visited(found)
    yield coverage_charts.days_since_last_visit(found)
    yield coverage_tables.as_planned(found)
    yield tables.facilities_visited(result)


def when(found: VisitMonths) -> Iterable[Any]:
    """The visits on the calendar, and added up against the plan."""
    if found.totals_only:
        return
    yield Heading("When visits were made")
    yield months_words.answer(found)
    yield months_charts.cumulative(found)
    yield months_charts.calendar(found)
    yield months_tables.months(found)


def waits(found: VisitGaps) -> Iterable[Any]:
    """How long facilities wait for the next visit."""
    if found.refused == "totals_only":
        return
    yield Heading("How long facilities waited")
    yield gaps_words.answer(found)
    yield gaps_charts.gap_curves(found)
    yield gaps_tables.longer(found)
    yield gaps_tables.gaps(found)


def shares(found: Equity) -> Iterable[Any]:
    """How visits fall on facilities by setting, size and need."""
    if found.refused == "totals_only":
        return
    yield Heading("How evenly visits were shared")
    yield equity_words.answer(found)
    yield equity_charts.concentration_curves(found)
    yield equity_tables.shares(found)


def response(found: DoseResponse) -> Iterable[Any]:
    """Whether care went with visits; nothing where only totals were kept."""
    if found.refused == "totals_only":
        return
    yield Heading("Did care go with visits?")
    yield response_words.answer(found)
    yield response_charts.slopes(found)
    yield response_tables.slopes(found)


def caveats(
    result: Mentoring, coverage: Coverage, gaps: VisitGaps, equity: Equity, dose_response: DoseResponse
) -> Text:
    """What the figures are and are not, all in one list."""
    texts = (
        words.caveats(result),
        coverage_words.caveats(coverage),
        gaps_words.caveats(gaps),
        equity_words.caveats(equity),
        response_words.caveats(dose_response),
    )
    return Text(sentences=[line for text in texts for line in text.sentences], style="caveats")
