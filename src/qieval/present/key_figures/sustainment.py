"""The key figures of sustainment."""

from __future__ import annotations

from collections.abc import Sequence

from qieval.analyses.after_support import AfterSupport
from qieval.analyses.early_warning import EarlyWarning
from qieval.analyses.gain_kept import FEWEST_FACILITIES
from qieval.analyses.sustainment import Sustainment
from qieval.present.display import Cell, KeyFigures
from qieval.present.key_figures import collected, known
from qieval.present.numbers import DASH, of
from qieval.study.study import Study


def key_figures(
    result: Sustainment, changed: Sequence[AfterSupport], warned: Sequence[EarlyWarning], study: Study
) -> KeyFigures:
    """How many facilities kept the gain of the main indicator at the last follow-up told of five or more."""
    values = {
        found.indicator.indicator_id: {
            "gained": found.n_gained,
            "assessable": found.n_assessable,
            "classes": {str(name): int(n) for name, n in found.table["class"].value_counts().items()},
            "lost": found.loss.n_lost,
            "followed_to_loss": found.loss.n_followed,
            "lost_by_chance": known(found.loss.lost_by_chance),
            **{
                f"kept_at_{horizon.months_after}": {
                    "kept": horizon.n_kept,
                    "lost": horizon.n_lost,
                    "known": horizon.n_known,
                    "due": horizon.n_due,
                    "share_of_gain": known(horizon.share.estimate) if horizon.share else None,
                    "share_of_gain_low": known(horizon.share.low) if horizon.share else None,
                    "share_of_gain_high": known(horizon.share.high) if horizon.share else None,
                }
                for horizon in found.horizons
            },
            "after_support": _change(after),
            "months_after_support": after.month,
            "warned": {
                one.chart: {"of_lost": one.warned_lost, "of_kept": one.warned_kept, "by_chance": known(one.by_chance)}
                for one in warnings.records
            },
        }
        for found, after, warnings in zip(result.indicators, changed, warned, strict=True)
    }
    horizons = result.indicators[0].horizons if result.indicators else ()
    told = [horizon for horizon in horizons if horizon.n_told >= FEWEST_FACILITIES]
    if told:
        last = told[-1]
        cell = Cell(
            column="Gain kept",
            text=f"{of(last.n_kept, last.n_told)} told\nat {last.months_after} months",
            sort=last.n_kept / last.n_told,
        )
    else:
        cell = Cell(column="Gain kept", text=DASH)
    return collected("sustainment", [cell], values, study)


def _change(after: AfterSupport) -> dict[str, float | int] | None:
    """The average change against the level held, where there is one of which a claim can be made."""
    if after.pooled is None or after.is_refused:
        return None
    pooled = after.pooled
    return {"estimate": pooled.estimate, "low": pooled.low, "high": pooled.high, "facilities": pooled.k}
