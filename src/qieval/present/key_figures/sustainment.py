"""The key figures of sustainment."""

from __future__ import annotations

from qieval.analyses.sustainment import Sustainment
from qieval.present.display import Cell, KeyFigures
from qieval.present.key_figures import collected
from qieval.present.numbers import DASH, of
from qieval.study.study import Study


def key_figures(result: Sustainment, study: Study) -> KeyFigures:
    """How many facilities kept the gain of the main indicator at the last follow-up that can be told."""
    values = {
        found.indicator.indicator_id: {
            "gained": found.n_gained,
            "assessable": found.n_assessable,
            **{
                f"kept_at_{horizon.months_after}": {
                    "kept": horizon.n_kept,
                    "known": horizon.n_known,
                    "due": horizon.n_due,
                }
                for horizon in found.horizons
            },
        }
        for found in result.indicators
    }
    told = [horizon for horizon in result.indicators[0].horizons if horizon.n_known] if result.indicators else []
    if told:
        last = told[-1]
        cell = Cell(
            column="Gain kept",
            text=f"{of(last.n_kept, last.n_known)}\nat {last.months_after} months",
            sort=last.n_kept / last.n_known,
        )
    else:
        cell = Cell(column="Gain kept", text=DASH)
    return collected("sustainment", [cell], values, study)
