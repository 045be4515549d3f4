"""The parts of the sustainment notebook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qieval.analyses.sustainment import Sustainment
from qieval.present.charts import sustainment as charts
from qieval.present.sections import Heading
from qieval.present.tables import sustainment as tables
from qieval.present.wording import sustainment as wording


def indicators(result: Sustainment) -> Iterable[Any]:
    """Per indicator: when gains were lost, how much is left of them, and what became of each facility's."""
    for found in result.indicators:
        yield Heading(found.indicator.name)
        if found.n_gained:
            yield Heading("When was it lost?", level=4)
            yield wording.loss(found)
            yield charts.loss_curve(found)
            yield Heading("How much was kept?", level=4)
            yield wording.kept(found)
            yield charts.share_kept(found)
            yield tables.horizons(found)
            yield Heading("Facility by facility", level=4)
        yield charts.segments(found)
        yield tables.classes(found)
        yield tables.follow_up(found)
