"""The parts of the effectiveness notebook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qieval.analyses.change import Change
from qieval.analyses.control_charts import ControlChart, ControlCharts
from qieval.analyses.effectiveness import Effectiveness
from qieval.analyses.interrupted import Interrupted
from qieval.present.charts import control as control_charts
from qieval.present.charts import effectiveness as effectiveness_charts
from qieval.present.charts import interrupted as interrupted_charts
from qieval.present.charts import six_statistics as six_charts
from qieval.present.charts import time_to_target as time_charts
from qieval.present.charts import waves as waves_charts
from qieval.present.display import Text
from qieval.present.sections import Heading
from qieval.present.tables import effectiveness as effectiveness_tables
from qieval.present.tables import interrupted as interrupted_tables
from qieval.present.tables import six_statistics as six_tables
from qieval.present.tables import waves as waves_tables
from qieval.present.wording import change as change_words
from qieval.present.wording import control as control_words
from qieval.present.wording import effectiveness as effectiveness_words
from qieval.present.wording import interrupted as interrupted_words
from qieval.present.wording import regression_to_mean as regression_words
from qieval.present.wording import six_statistics as six_words
from qieval.present.wording import time_to_target as time_words
from qieval.present.wording import waves as waves_words


def indicators(result: Effectiveness, control: ControlCharts, changed: Change) -> Iterable[Any]:
    """Per indicator: all facilities together, how much changed, who reached the target, and each facility."""
    for found, against_trend, by_wave in zip(result.indicators, changed.interrupted, changed.waves, strict=True):
        yield Heading(found.indicator.name)
        yield change_words.doubts(found)
        yield Heading("All facilities together", level=4)
        yield effectiveness_charts.pooled_run_chart(found, result)
        yield effectiveness_words.below_the_chart(found)
        chart = control.pooled[found.indicator.indicator_id]
        if isinstance(chart, ControlChart):
            yield control_charts.control_chart(chart, result)
            yield control_words.beyond(chart)
        else:
            yield control_words.no_chart(chart)
        yield Heading("How much changed", level=4)
        yield from _how_much_changed(against_trend)
        yield Heading("Beside facilities that had not joined", level=4)
        yield waves_words.answer(by_wave)
        yield waves_charts.event_study(by_wave)
        yield waves_tables.event_study(by_wave)
        yield waves_charts.since_joining(by_wave)
        if found.indicator.target is not None:
            yield Heading("Reaching the target", level=4)
            yield time_words.answer(found.time_to_target)
            if found.time_to_target.has_median:  # of fewer that reached it the curve shows little but its band
                yield time_charts.share_at_target(found.time_to_target)
        yield Heading("Facility by facility", level=4)
        yield effectiveness_words.facilities(found)
        yield effectiveness_charts.facility_run_charts(found)
        yield effectiveness_tables.facilities(found)
        compared = control.funnels[found.indicator.indicator_id]
        if compared is not None:
            yield control_charts.funnel_plot(compared)
            yield control_words.funnel(compared)


def _how_much_changed(found: Interrupted) -> Iterable[Any]:
    """The collaborative's line against its own trend, every facility's change and their average."""
    yield Text(sentences=[interrupted_words.answer(found), *interrupted_words.claims(found).sentences])
    yield interrupted_charts.line(found)
    yield interrupted_charts.forest(found)
    if found.month is not None:
        yield interrupted_words.facilities(found)
    yield interrupted_tables.facilities(found)
    yield interrupted_tables.other_ways(found)


def beside_others(changed: Change) -> Iterable[Any]:
    """The six statistics beside the published collaboratives, and what regression to the mean may have done."""
    yield Heading("Beside 27 published collaboratives")
    yield six_charts.strip(changed.six_statistics)
    yield six_words.answer(changed.six_statistics)
    for found in changed.six_statistics:
        yield six_tables.statistics(found)
        yield six_tables.facilities(found)
    yield Heading("Did those that began worst gain most?")
    yield regression_words.answer(changed.regression_to_mean)


def caveats(result: Effectiveness, changed: Change) -> Iterable[Any]:
    """What was left out, and what cannot be concluded; what holds for several indicators is said once."""
    names = [found.indicator.name for found in result.indicators]
    texts = [effectiveness_words.caveats(result)]
    texts += [interrupted_words.caveats_of_all(changed.interrupted)]
    texts += [waves_words.caveats(found) for found in changed.waves]
    texts += [time_words.caveats([found.time_to_target for found in result.indicators])]
    texts += [six_words.caveats(changed.six_statistics)]
    yield change_words.merged(texts, names)


def verdicts(control: ControlCharts) -> Iterable[Any]:
    """One page of symbols over all facilities and indicators, and what it says."""
    yield control_charts.verdict_table(control)
    yield control_words.verdicts(control)
