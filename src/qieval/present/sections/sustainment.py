"""The parts of the sustainment notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qieval.analyses.after_support import AfterSupport
from qieval.analyses.early_warning import EarlyWarning
from qieval.analyses.sustainment import Sustainment
from qieval.present.charts import after_support as after_charts
from qieval.present.charts import early_warning as warning_charts
from qieval.present.charts import sustainment as charts
from qieval.present.display import Figure
from qieval.present.sections import Heading
from qieval.present.tables import after_support as after_tables
from qieval.present.tables import early_warning as warning_tables
from qieval.present.tables import sustainment as tables
from qieval.present.wording import after_support as after_wording
from qieval.present.wording import change as change_wording
from qieval.present.wording import early_warning as warning_wording
from qieval.present.wording import sustainment as wording


def indicators(result: Sustainment, changed: Sequence[AfterSupport], warned: Sequence[EarlyWarning]) -> Iterable[Any]:
    """Per indicator: how care changed after support, when gains were lost, how much is left, and each facility.

    How to read the figures comes last, and only where there is one.
    """
    names = []
    for thing in _by_indicator(result, changed, warned):
        if isinstance(thing, Figure):
            names.append(thing.name)
        yield thing
    if names:
        yield wording.how_to_read(names)


def _by_indicator(
    result: Sustainment, changed: Sequence[AfterSupport], warned: Sequence[EarlyWarning]
) -> Iterable[Any]:
    for found, after, warnings in zip(result.indicators, changed, warned, strict=True):
        yield Heading(found.indicator.name)
        yield Heading("Did care change once support had ended?", level=4)
        yield from _after_support(after)
        if found.n_gained:
            yield Heading("When was it lost?", level=4)
            yield wording.loss(found)
            yield charts.loss_curve(found)
            yield Heading("What would have warned first?", level=4)
            yield warning_wording.answer(warnings)
            yield warning_charts.timeline(warnings)
            yield warning_tables.charts(warnings)
            yield warning_tables.facilities(warnings)
            yield Heading("How much was kept?", level=4)
            yield wording.kept(found)
            yield charts.share_kept(found)
            yield tables.horizons(found)
            yield Heading("Facility by facility", level=4)
        yield charts.segments(found)
        yield tables.classes(found)
        yield tables.follow_up(found)


def _after_support(found: AfterSupport) -> Iterable[Any]:
    """All facilities together, and each by itself."""
    yield after_wording.answer(found)
    yield after_charts.path(found)
    yield after_charts.forest(found)
    yield after_tables.facilities(found)
    yield after_tables.other_ways(found)


def caveats(result: Sustainment, changed: Sequence[AfterSupport], warned: Sequence[EarlyWarning]) -> Any:
    """What was left out, and what cannot be concluded, of all three."""
    names = [found.indicator.name for found in result.indicators]
    return change_wording.merged(
        [wording.caveats(result), after_wording.caveats(changed), warning_wording.caveats(warned)], names
    )
