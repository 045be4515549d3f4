"""The parts of the sustainment notebook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qieval.analyses.sustainment import Sustainment
from qieval.present.charts import sustainment as sustainment_charts
from qieval.present.sections import Heading
from qieval.present.tables import sustainment as sustainment_tables


def indicators(result: Sustainment) -> Iterable[Any]:
    """Per indicator: what became of each facility's gain."""
    for found in result.indicators:
        yield Heading(found.indicator.name)
        yield sustainment_charts.levels(found)
        yield sustainment_tables.gains(found)
