"""What care is truly like, month by month, and the counts the facilities report of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qieval.study.simulate.design import Design, days

LINKS: dict[str, tuple[Any, Any]] = {
    "proportion": (lambda level: np.log(level / (1 - level)), lambda logit: 1 / (1 + np.exp(-logit))),
    "rate": (np.log, np.exp),
}


def gain_share(design: Design, facilities: pd.DataFrame) -> np.ndarray:
    """Share of the full effect present, per facility and month: 0, up the ramp, 1, and down again if not kept."""
    month = np.arange(design.months)
    joins, ends, keeps = (facilities[[name]].to_numpy() for name in ("joins", "ends", "keeps"))
    ramp = np.clip((np.minimum(month, ends - 1) - joins + 1) / design.ramp_months, 0, 1)
    months_after = np.clip(month - ends + 1, 0, None)  # the first month without support is month 1
    return ramp * np.where(keeps, 1.0, np.exp(-design.decay_per_month * months_after))


def draw_levels(design: Design, facilities: pd.DataFrame, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Arrays of facility x indicator x month: the level ``untreated``, with the ``full`` effect, and as it is."""
    month = np.arange(design.months)
    own = rng.normal(0, design.facility_sd, (len(facilities), len(design.indicators)))
    untreated, full = [], []
    for position, one in enumerate(design.indicators):
        to_link, from_link = LINKS[one.kind]
        anyway = to_link(one.baseline) + own[:, [position]] + one.trend_per_year * month / 12
        untreated.append(from_link(anyway))
        full.append(from_link(anyway + one.effect))
    # The gain moves on the natural scale, so that "half the gain is lost" means what a reader takes it to mean.
    before, top = np.stack(untreated, axis=1), np.stack(full, axis=1)
    level = before + (top - before) * gain_share(design, facilities)[:, np.newaxis, :]
    return {"untreated": before, "full": top, "level": level}


def _grid(design: Design, facilities: pd.DataFrame) -> pd.DataFrame:
    """One row per facility, indicator and month, in the order of a raveled array of those axes."""
    shape = (len(facilities), len(design.indicators), design.months)
    facility, indicator, month = (axis.ravel() for axis in np.indices(shape))
    ids = np.array([one.indicator_id for one in design.indicators], dtype=object)
    return pd.DataFrame(
        {
            "facility_id": facilities["facility_id"].to_numpy()[facility],
            "indicator_id": ids[indicator],
            "period": design.first_day(month),
        }
    )


def level_frame(design: Design, facilities: pd.DataFrame, levels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    values = {name: levels[name].ravel() for name in ("untreated", "level")}
    grid = _grid(design, facilities)
    return grid.assign(period=grid["period"].astype("datetime64[ns]"), **values)


def effects(design: Design, facilities: pd.DataFrame, levels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    share = gain_share(design, facilities)
    highest = share.max(axis=1)
    kept = np.divide(share[:, -1], highest, out=np.full(len(facilities), np.nan), where=highest > 0)
    joined = (facilities["role"] != "comparison").to_numpy()[:, np.newaxis]
    baseline = levels["untreated"][:, :, 0]
    reached = np.where(joined, levels["full"][:, :, 0], baseline)
    per_facility = len(design.indicators)
    return (
        _grid(design, facilities)
        .drop_duplicates(["facility_id", "indicator_id"], ignore_index=True)
        .drop(columns="period")
        .assign(
            baseline=baseline.ravel(),
            reached=reached.ravel(),
            effect=(reached - baseline).ravel(),
            keeps=np.repeat(facilities["keeps"].to_numpy(), per_facility),
            kept_share=np.repeat(kept, per_facility),
        )
    )


def draw_measurements(
    design: Design, facilities: pd.DataFrame, levels: Mapping[str, np.ndarray], rng: np.random.Generator
) -> pd.DataFrame:
    shape = levels["level"].shape
    births = rng.poisson(facilities["births"].to_numpy()[:, np.newaxis], (shape[0], shape[2]))
    eligible = np.array([one.eligible for one in design.indicators])[:, np.newaxis]
    denominator = rng.binomial(births[:, np.newaxis, :], np.broadcast_to(eligible, shape))
    is_rate = np.array([one.kind == "rate" for one in design.indicators])[:, np.newaxis]
    events = rng.poisson(np.where(is_rate, denominator * levels["level"], 0))
    numerator = np.where(is_rate, events, rng.binomial(denominator, np.where(is_rate, 0, levels["level"])))
    # Reports come in some days after the month; what is still open at the data cut is collected on that day.
    late = days(rng.gamma(2.0, 6.0, births.shape))
    reported_on = np.minimum(design.first_day(np.arange(design.months) + 1) + late, np.datetime64(design.data_cut))
    recounted = rng.random(births.shape) < design.recount_share
    mistake = rng.choice([0, -2, -1, 1], size=shape, p=[0.7, 0.1, 0.15, 0.05])  # more often reported too many
    recount = np.clip(numerator + mistake, 0, denominator)
    reported = rng.random(births.shape) >= design.missing_share

    def per_row(month_values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(month_values[:, np.newaxis, :], shape).ravel()

    counts = _grid(design, facilities).assign(
        numerator=numerator.ravel(),
        denominator=denominator.ravel(),
        reported_on=per_row(reported_on),
        recount=np.where(per_row(recounted), recount.ravel(), np.nan),
    )
    return counts[per_row(reported)]
