"""What a notebook shows in one cell: headings, sentences, figures and tables in reading order."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from qieval.analyses.control_charts import ControlCharts
from qieval.analyses.effectiveness import Effectiveness
from qieval.analyses.sustainment import Sustainment
from qieval.present.charts import control as control_charts
from qieval.present.charts import effectiveness as effectiveness_charts
from qieval.present.charts import sustainment as sustainment_charts
from qieval.present.display import METADATA, Bundle, Text
from qieval.present.tables import effectiveness as effectiveness_tables
from qieval.present.tables import sustainment as sustainment_tables
from qieval.present.wording import control as control_words
from qieval.present.wording import effectiveness as effectiveness_words


class Heading:
    """The name of an indicator above what belongs to it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {"text/html": f"<h3>{escape(self.text)}</h3>", "text/plain": self.text}, {METADATA: {"kind": "heading"}}


def show(things: Iterable[Any]) -> None:
    """Display things in order; what could not be made (None) is left out."""
    from IPython.display import display

    for thing in things:
        if thing is not None:
            display(thing)


def notes(study_notes: dict[str, str], notebook: str) -> list[Text]:
    """What the parameters add from elsewhere, marked as such."""
    return (
        [Text(sentences=[f"From elsewhere: {study_notes[notebook]}"], style="note")] if notebook in study_notes else []
    )


def effectiveness(result: Effectiveness, control: ControlCharts) -> Iterable[Any]:
    """Per indicator: the charts of all facilities together, and those of each."""
    for found in result.indicators:
        yield Heading(found.indicator.name)
        yield effectiveness_charts.pooled_run_chart(found, result)
        chart = control.pooled[found.indicator.indicator_id]
        if chart is not None:
            yield control_charts.control_chart(chart)
            yield control_words.beyond(chart)
        yield effectiveness_words.facilities(found)
        yield effectiveness_charts.facility_run_charts(found)
        yield effectiveness_tables.facilities(found)
        compared = control.funnels[found.indicator.indicator_id]
        if compared is not None:
            yield control_charts.funnel_plot(compared)
            yield control_words.funnel(compared)


def verdicts(control: ControlCharts) -> Iterable[Any]:
    """One page of symbols over all facilities and indicators, and what it says."""
    yield control_charts.verdict_table(control)
    yield control_words.verdicts(control)


def sustainment(result: Sustainment) -> Iterable[Any]:
    """Per indicator: what became of each facility's gain."""
    for found in result.indicators:
        yield Heading(found.indicator.name)
        yield sustainment_charts.levels(found)
        yield sustainment_tables.gains(found)
