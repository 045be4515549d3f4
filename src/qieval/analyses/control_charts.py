"""Control charts of the indicators: all facilities together, each by a verdict, and side by side in a funnel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qieval.analyses.effectiveness import Effectiveness, IndicatorResult
from qieval.analyses.series import Indicator
from qieval.methods import spc
from qieval.methods.funnel import FEWEST_UNITS, Funnel, funnel

# Proportions and rates of many people vary more than chance alone has it; Laney's limits take in what there is. They
# are never narrower than chance, which only short or sparse series seem to be.
KINDS = {"proportion": "pp", "rate": "up", "mean": "ip", "time_between": "ip", "count": "i"}
FEWEST_MONTHS = spc.FEWEST_POINTS  # in the line, for limits to be drawn at all
RULES = ("outside", "anhoej_baseline")  # of the chart of all together
VERDICT_RULES = "mdc"  # of the verdicts, which are those of Making Data Count
ENOUGH_FOR_SPREAD = 10  # facilities, for the funnel's limits to be widened by how much they differ


@dataclass(frozen=True, eq=False, kw_only=True)
class ControlChart:
    """The control chart of all facilities together."""

    indicator: Indicator
    kind: str  # of `spc.KINDS`
    points: pd.DataFrame  # as `spc.Chart.points`: period, value, centre, lcl, ucl, lcl_2, ucl_2, in_baseline, rules, n
    centre: float
    n_line: int  # months that centre and limits come from
    from_baseline: bool  # or from all months
    n_outside_after: int  # months beyond the limits, of those that do not make the limits (of all, if all make them)
    false_signal_rate: float  # how often a month beyond the limits is seen in such a chart though nothing changed
    sigma_z: float  # the scatter seen over that by chance; missing where the kind has none


@dataclass(frozen=True, eq=False, kw_only=True)
class FacilityFunnel:
    """The last months of every facility side by side."""

    indicator: Indicator
    funnel: Funnel
    first: pd.Timestamp  # of the months added up
    last: pd.Timestamp


@dataclass(frozen=True, eq=False, kw_only=True)
class ControlCharts:
    """Every indicator's control chart and funnel, None where the data do not carry one, and all verdicts."""

    pooled: dict[str, ControlChart | None]  # by indicator_id
    funnels: dict[str, FacilityFunnel | None]
    verdicts: pd.DataFrame  # a row per indicator and facility: indicator_id, facility, value, last, variation,
    # assurance, direction, rules, from_baseline (the variation is told against the facility's own baseline)
    indicators: tuple[Indicator, ...]


def control_charts(result: Effectiveness) -> ControlCharts:
    """Control charts of what `effectiveness` found."""
    return ControlCharts(
        pooled={found.indicator.indicator_id: _pooled(found) for found in result.indicators},
        funnels={found.indicator.indicator_id: _funnel(found) for found in result.indicators},
        verdicts=_verdicts(result.indicators),
        indicators=tuple(found.indicator for found in result.indicators),
    )


def _pooled(found: IndicatorResult) -> ControlChart | None:
    points = found.pooled.points
    known = points["value"].notna()
    baseline = points["in_baseline"].astype(bool)
    from_baseline = int((known & baseline).sum()) >= FEWEST_MONTHS
    if not from_baseline and (baseline.any() or known.sum() < FEWEST_MONTHS):
        # All months as their own yardstick would hide the change that the baseline is there to show.
        return None
    line = baseline if from_baseline else pd.Series(True, index=points.index)
    before = ~baseline.cummax() if from_baseline else ~line
    frame = points.assign(line=line, before=before & ~line)
    kind = KINDS[found.indicator.kind]
    chart = spc.chart(
        _without_small(frame), kind, **_columns(kind), period="period", baseline="line", exclude="before",
        rules=RULES, per=found.indicator.per if kind != "i" else 1,
    )  # fmt: skip
    series = chart.series.iloc[0]
    drawn = chart.points
    watched = drawn[~drawn["in_baseline"]] if from_baseline else drawn
    rate = spc.false_signal_rate("outside", int(series["n_points"]), baseline=int(series["n_baseline"]))
    return ControlChart(
        indicator=found.indicator,
        kind=kind,
        points=drawn,
        centre=float(series["centre"]),
        n_line=int(series["n_baseline"]),
        from_baseline=from_baseline,
        n_outside_after=int((watched["outside"] & ~watched["excluded"]).sum()),
        false_signal_rate=rate,
        sigma_z=float(series["sigma_z"]),
    )


def _columns(kind: str) -> dict[str, Any]:
    """The columns of a kind of chart, and what goes with it."""
    counted = {"numerator": "numerator", "denominator": "denominator"}
    return {"value": "value"} if kind == "i" else counted | ({"narrow": False} if kind in ("pp", "up") else {})


def _without_small(points: pd.DataFrame) -> pd.DataFrame:
    """Months that are not shown, for too few people, have no counts either."""
    hidden = points["value"].isna()
    return points.assign(numerator=points["numerator"].mask(hidden), denominator=points["denominator"].mask(hidden))


def _verdicts(results: Iterable[IndicatorResult]) -> pd.DataFrame:
    """Variation and assurance of every facility and indicator.

    Variation is told against the facility's own baseline where that has ten months, and else against all its
    months; assurance against the limits of the months since the baseline, which are what the target will meet.
    """
    tables = []
    for found in results:
        kind, indicator = KINDS[found.indicator.kind], found.indicator
        long = pd.concat(
            [_without_small(chart.points).assign(facility=name) for name, chart in found.facilities.items()],
            ignore_index=True,
        )
        if not long["value"].notna().any():
            continue
        known = long["value"].notna() & long["in_baseline"].astype(bool)
        has_baseline = known.groupby(long["facility"]).transform("sum") >= FEWEST_MONTHS
        shared: dict[str, Any] = {
            "period": "period",
            "by": "facility",
            "rules": VERDICT_RULES,
            **_columns(kind),
        }
        per = indicator.per if kind != "i" else 1.0
        long = long.assign(line=long["in_baseline"].astype(bool) | ~has_baseline)
        against = spc.chart(long, kind, **shared, baseline="line", per=per)
        table = spc.verdicts(against, better=indicator.better, target=None)
        now = long[~(long["in_baseline"].astype(bool) & long["facility"].map(_has_after(long)))]
        current = spc.verdicts(
            spc.chart(now, kind, **shared, per=per), better=indicator.better, target=indicator.target
        )
        table = table.drop(columns=["assurance", "target"]).merge(
            current[["facility", "assurance"]], on="facility", how="left"
        )
        has = long.groupby("facility")["line"].agg(lambda line: not line.all())
        tables.append(table.assign(indicator_id=indicator.indicator_id, from_baseline=table["facility"].map(has)))
    columns = [
        "indicator_id", "facility", "value", "last", "variation", "assurance", "direction", "rules", "from_baseline",
    ]  # fmt: skip
    if not tables:
        return pd.DataFrame(columns=columns)
    return pd.concat([table.assign(rules=table["rules"].astype(str)) for table in tables], ignore_index=True)[columns]


def _has_after(long: pd.DataFrame) -> pd.Series:
    """Whether a facility has months after its baseline."""
    after = ~long["in_baseline"].astype(bool) & long["value"].notna()
    return after.groupby(long["facility"]).any()


def _funnel(found: IndicatorResult) -> FacilityFunnel | None:
    """Facilities side by side in the last months that the chart of all together calls recent."""
    recent = found.pooled.points.loc[found.pooled.points["recent"], "period"]
    if found.indicator.kind not in ("proportion", "rate") or recent.empty:
        return None
    first, last = recent.min(), recent.max()
    rows = []
    for name, chart in found.facilities.items():
        own = chart.points[chart.points["period"].between(first, last)]
        people = own["denominator"].sum()
        if people >= found.smallest_denominator:
            rows.append({"facility": name, "numerator": own["numerator"].sum(), "denominator": people})
    frame = pd.DataFrame(rows)
    if len(frame) < FEWEST_UNITS or not _are_counts(frame["numerator"]):
        return None
    # The published estimate of the spread between facilities is too small; rescaled it is about right.
    spread = "additive" if len(frame) >= ENOUGH_FOR_SPREAD else "none"
    compared = funnel(frame, found.indicator.kind, unit="facility", overdispersion=spread, rescale=spread == "additive")
    return FacilityFunnel(indicator=found.indicator, funnel=compared, first=first, last=last)


def _are_counts(numerator: pd.Series) -> bool:
    return bool(np.isclose(numerator, numerator.round()).all()) and numerator.sum() > 0
