"""Control charts of the indicators: all facilities together, each by a verdict, and side by side in a funnel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

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
SIMULATED = 500  # series without change, to tell how often a chart like this one signals by chance
FEWEST_EVENTS = 1.0  # a month, expected at the level of the line; with rarer ones most months are 0 and a run of
# them below the mean is no sign of anything
Refused = Literal["short baseline", "too few months", "no variation"]
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

    @property
    def is_widened(self) -> bool:
        """Whether facilities differ by more than chance, so that the limits allow for how much they usually do."""
        return self.funnel.overdispersion != "none" and self.funnel.tau2 > 0

    @property
    def side(self) -> pd.Series:
        """Where each facility with a value lies at 99.8%: above, below, or an empty text for inside."""
        units = self.funnel.units[self.funnel.units["value"].notna()]
        return units["outside_99.8"].where(units["outside_99.8"] != "inside", "")


@dataclass(frozen=True, eq=False, kw_only=True)
class ControlCharts:
    """Every indicator's control chart, or why there is none, its funnel if there is one, and all verdicts."""

    pooled: dict[str, ControlChart | Refused]  # by indicator_id; a code where there is none
    funnels: dict[str, FacilityFunnel | None]
    verdicts: pd.DataFrame  # a row per indicator and facility: indicator_id, facility, value, last, variation,
    # assurance, direction, rules, from_baseline (the variation is told against the facility's own baseline)
    indicators: tuple[Indicator, ...]
    false_verdicts: float  # symbols of a change, over all facilities and indicators, had nothing changed


def control_charts(result: Effectiveness) -> ControlCharts:
    """Control charts of what `effectiveness` found."""
    verdicts = _verdicts(result.indicators)
    return ControlCharts(
        pooled={found.indicator.indicator_id: _pooled(found) for found in result.indicators},
        funnels={found.indicator.indicator_id: _funnel(found) for found in result.indicators},
        verdicts=verdicts,
        false_verdicts=float(verdicts["by_chance"].sum()),
        indicators=tuple(found.indicator for found in result.indicators),
    )


def _pooled(found: IndicatorResult) -> ControlChart | Refused:
    points = found.pooled.points
    known = points["value"].notna()
    baseline = points["in_baseline"].astype(bool)
    from_baseline = int((known & baseline).sum()) >= FEWEST_MONTHS
    if not from_baseline and (baseline.any() or known.sum() < FEWEST_MONTHS):
        # All months as their own yardstick would hide the change that the baseline is there to show.
        return "short baseline" if baseline.any() else "too few months"
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
    if drawn["ucl"].isna().all():
        return "no variation"
    watched = drawn[~drawn["in_baseline"]] if from_baseline else drawn
    return ControlChart(
        indicator=found.indicator,
        kind=kind,
        points=drawn,
        centre=float(series["centre"]),
        n_line=int(series["n_baseline"]),
        from_baseline=from_baseline,
        n_outside_after=int((watched["outside"] & ~watched["excluded"]).sum()),
        false_signal_rate=_by_chance(chart, watched),
        sigma_z=float(series["sigma_z"]),
    )


def _by_chance(chart: spc.Chart, watched: pd.DataFrame) -> float:
    """How often a watched month lies beyond the limits though nothing changed: 500 such series with these people.

    Months scatter about the centre as those that make the limits do; the limits are found anew for each series.
    """
    points, series = chart.points, chart.series.iloc[0]
    if "n" not in points or chart.kind not in ("pp", "up"):
        return spc.false_signal_rate("outside", int(series["n_points"]), baseline=int(series["n_baseline"]))
    shown = points[points["value"].notna() & ~points["excluded"]]
    people, centre = shown["n"].to_numpy(), float(series["centre"]) / chart.per
    variance = centre * (1 - centre) if chart.kind == "pp" else centre
    scatter = np.sqrt(variance / people) * float(series["sigma_z"])
    values = centre + scatter * np.random.default_rng(20020531).standard_normal((SIMULATED, len(shown)))
    values = values.clip(0, 1 if chart.kind == "pp" else None)
    again = pd.DataFrame(
        {
            "series": np.repeat(range(SIMULATED), len(shown)),
            "period": np.tile(range(len(shown)), SIMULATED),
            "numerator": (values * people).ravel(),
            "denominator": np.tile(people, SIMULATED),
            "line": np.tile(shown["in_baseline"].to_numpy(), SIMULATED),
        }
    )
    found = spc.chart(
        again, chart.kind, period="period", by="series", baseline="line", rules="outside", **_columns(chart.kind)
    ).points
    counts = np.tile(shown.index.isin(watched.index), SIMULATED)
    return float((found["outside"].to_numpy() & counts).reshape(SIMULATED, -1).any(axis=1).mean())


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
        table = table.assign(indicator_id=indicator.indicator_id, from_baseline=table["facility"].map(has))
        rare = table["facility"].map(_are_rare(long, indicator))
        for column in ("variation", "assurance"):
            table[column] = table[column].mask(rare & table[column].ne("no target"), "too rare")
        table["direction"] = table["direction"].mask(rare, "")
        tables.append(table.assign(by_chance=_false_verdicts(against, table)))
    columns = [
        "indicator_id", "facility", "value", "last", "variation", "assurance", "direction", "rules", "from_baseline",
        "by_chance",
    ]  # fmt: skip
    if not tables:
        return pd.DataFrame(columns=columns)
    return pd.concat([table.assign(rules=table["rules"].astype(str)) for table in tables], ignore_index=True)[columns]


def _are_rare(long: pd.DataFrame, indicator: Indicator) -> pd.Series:
    """Whether a facility's months hold too few events, or too few without one, for the rules to be about its mean."""
    if indicator.kind not in ("proportion", "rate", "count"):
        return pd.Series(False, index=long["facility"].unique())
    line = long[long["line"] & long["value"].notna()]
    sums = line.groupby("facility")[["numerator", "denominator"]].agg(["sum", "count"])
    months = sums["numerator", "count"].clip(lower=1)
    events = sums["numerator", "sum"] / months
    if indicator.kind == "proportion":
        events = np.minimum(events, sums["denominator", "sum"] / months - events)
    return (events < FEWEST_EVENTS).reindex(long["facility"].unique(), fill_value=True)


def _false_verdicts(against: spc.Chart, table: pd.DataFrame) -> list[float]:
    """How often each facility's last month would be flagged had nothing changed; missing where it is not judged."""
    series = against.series
    sizes = {row["facility"]: (row["n_points"], row["n_baseline"]) for row in series.to_dict(orient="records")}
    judged = table["variation"].isin(["improving", "concerning", "changed", "common cause"])

    def rate(n_points: int, n_baseline: int) -> float:
        # To the nearest half year and quarter: it hardly depends on them, and each pair is a simulation of its own.
        baseline = max(FEWEST_MONTHS, 3 * round(n_baseline / 3))
        return spc.last_point_rate(VERDICT_RULES, max(baseline, 6 * round(n_points / 6)), baseline)

    return [
        rate(*sizes[name]) if is_judged else np.nan for name, is_judged in zip(table["facility"], judged, strict=True)
    ]


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
