"""Run charts with a baseline, and what each says: did care change, and for the better?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from qieval.analyses.series import Indicator
from qieval.methods import spc
from qieval.methods.runs import FEWEST_USEFUL, Runs, runs

Verdict = Literal[
    "improved",
    "worsened",
    "back at baseline",
    "no signal",
    "who reported changed",
    "baseline unstable",
    "no baseline",
    "too few months",
]
JUDGED: tuple[Verdict, ...] = ("improved", "worsened", "back at baseline", "no signal")

FEWEST_MONTHS = 3  # before and after, as the Cochrane EPOC group asks of an interrupted time series
RULE = "anhoej_baseline"  # of the rules of `spc.chart`: limits made for the median of a baseline


@dataclass(frozen=True, eq=False, kw_only=True)
class RunChart:
    """One run chart with its verdict."""

    points: pd.DataFrame  # one row per calendar month: period, value (missing: a gap), numerator, denominator,
    # in_baseline, recent, in_long_run (of a run that chance does not explain)
    centre: float  # the median drawn: of the baseline (missing below three months), or of all where there is none
    n_baseline: int  # months with a value in the baseline
    n_after: int  # months with a value after it
    recent_median: float  # of the months marked recent; missing where there are fewer than three
    best_median: float  # of the best months in a row after the baseline, as many as are recent
    runs: Runs
    verdict: Verdict
    false_signal_rate: float  # how often a chart like this signals though nothing changed; missing if not judged

    @property
    def change(self) -> float:
        """The median of the last months less that of the baseline; missing where either is."""
        return self.recent_median - self.centre if self.n_baseline else np.nan


def run_charts(series: Mapping[str, pd.DataFrame], indicator: Indicator, recent_months: int) -> dict[str, RunChart]:
    """The run chart of each series.

    Parameters
    ----------
    series : frames by name
        One row per calendar month, gaps included: ``period``, ``value``, ``in_baseline``. Months before the baseline
        are drawn, but are neither before nor after the change.
    """
    frames = []
    for name, points in series.items():
        in_baseline = points["in_baseline"].astype(bool)
        since = in_baseline.cummax() | ~in_baseline.any()
        is_line = in_baseline if in_baseline.any() else pd.Series(True, index=points.index)
        frames.append(points.assign(_series=name, _line=is_line & since, _since=since, _before=~since))
    long = pd.concat(frames, ignore_index=True)
    found = spc.chart(
        long, "run", period="period", value="value", by="_series", baseline="_line", exclude="_before", rules=RULE
    )
    in_long_run = _in_long_run(found)
    return {
        str(row["_series"]): _run_chart(points, row, in_long_run[row["_series"]], indicator, recent_months)
        for row, points in zip(found.series.to_dict(orient="records"), frames, strict=True)
    }


def _in_long_run(found: spc.Chart) -> dict[Any, pd.Series]:
    """The periods that lie in too long a run, by series."""
    marked = found.points[found.points["rules"] != ""]
    periods = marked.groupby("_series", observed=True)["period"]
    empty = marked["period"].iloc[:0]
    return dict.fromkeys(found.series["_series"], empty) | dict(iter(periods))


def _run_chart(
    points: pd.DataFrame, row: dict[str, Any], in_long_run: pd.Series, indicator: Indicator, recent_months: int
) -> RunChart:
    known = points["value"].notna() & points["_since"]
    baseline = points["value"][known & points["in_baseline"]]
    after = points["value"][known & ~points["in_baseline"]]
    has_baseline = len(baseline) > 0
    has_line = len(baseline if has_baseline else after) >= FEWEST_MONTHS
    centre = float(row["centre"]) if has_line else np.nan
    recent = pd.Series(False, index=points.index)
    if len(after) >= FEWEST_MONTHS and has_line:
        recent[after.index[-recent_months:]] = True
    recent_median = float(points["value"][recent].median()) if recent.any() else np.nan
    found = _runs(row) if has_line else NO_RUNS
    verdict = _verdict(baseline, after, recent_median, found, indicator)
    return RunChart(
        points=points.drop(columns=["_series", "_line", "_since", "_before"]).assign(
            recent=recent, in_long_run=points["period"].isin(in_long_run) & has_line
        ),
        centre=centre,
        n_baseline=len(baseline),
        n_after=len(after),
        recent_median=recent_median,
        best_median=_best_median(after, int(recent.sum()), indicator),
        runs=found,
        verdict=verdict,
        false_signal_rate=_by_chance(found.n_useful, len(baseline)) if verdict in JUDGED else np.nan,
    )


NO_RUNS = Runs(
    n_useful=0, longest_run=0, longest_run_limit=0, crossings=0, crossings_limit=0, signal=None
)  # fmt: skip


def _runs(row: dict[str, Any]) -> Runs:
    n_useful = int(row["n_useful"])
    return Runs(
        n_useful=n_useful,
        longest_run=int(row["longest_run"]),
        longest_run_limit=int(row["longest_run_limit"]),
        crossings=int(row["crossings"]),
        crossings_limit=int(row["crossings_limit"]),
        signal=bool(row["runs_signal"]) if n_useful >= FEWEST_USEFUL else None,
    )


def _by_chance(n_useful: int, n_baseline: int) -> float:
    """From the table of simulations; the limits are made for any baseline, so the shortest there stands for shorter."""
    baseline = max(n_baseline, spc.SHORTEST_BASELINE)
    return spc.false_signal_rate(RULE, n_useful, baseline=baseline, has_limits=False)


def _verdict(baseline: pd.Series, after: pd.Series, recent_median: float, found: Runs, indicator: Indicator) -> Verdict:
    if baseline.empty:
        return "no baseline" if len(after) >= FEWEST_USEFUL else "too few months"
    if min(len(baseline), len(after)) < FEWEST_MONTHS or found.signal is None:
        return "too few months"
    if runs(baseline, float(baseline.median())).signal:
        return "baseline unstable"
    if not found.signal:
        return "no signal"
    # The last months decide the direction: what was gained and lost again did not improve care, though the chart
    # as a whole tells of change. To count, they must lie outside the middle half of the baseline months.
    low, high = baseline.quantile(0.25), baseline.quantile(0.75)
    if low <= recent_median <= high:
        return "back at baseline"
    return "improved" if (recent_median - float(baseline.median())) * indicator.sign > 0 else "worsened"


def _best_median(after: pd.Series, months: int, indicator: Indicator) -> float:
    if months < FEWEST_MONTHS:
        return np.nan
    medians = after.rolling(months).median()
    return float(medians.max() if indicator.better == "up" else medians.min())
