"""Did care improve where facilities joined in waves? Those that joined against those that had not, month for month."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.series import Indicator, first_of_month, indicators
from qieval.errors import DataError
from qieval.methods import did
from qieval.study.study import Study

Refused = Literal[
    "not measured",
    "no joining date",
    "nothing before joining",
    "nobody joined in time",
    "no wave of two",
    "no comparison",
    "too many gaps",
    "no period compared",
]
LeftOut = Literal["no joining date", "incomplete", "joined too early", "alone in its wave", "alone not joined"]

Before = Literal["alike", "apart", "not told", "untested"]  # how the two moved before joining

WIDTHS = (1, 2, 3, 4, 6)  # months to a period; wider ones leave fewer gaps and put waves together
ENOUGH_USED = 0.8  # of the facilities: the narrowest width that keeps so many is taken
REPORTED = 0.5  # of the facilities, in a period, or it is left out
COHORT_SHARE = 0.9  # of the months in view, in which a facility of the line at joining reported
SMALLEST_COHORT = 3
SURE = 0.05  # a departure before joining less likely than this is one

_REASONS: dict[str, LeftOut] = {
    "lacks the outcome in some periods": "incomplete",
    "joined before there was anything to compare": "joined too early",
    "nobody else joined at the same time": "alone in its wave",
    "nobody else never joined": "alone not joined",
}


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The change since joining beyond that of the comparison, averaged over the first months that all waves share."""

    estimate: float  # on the scale of the value, as the interval
    standard_error: float  # missing where nothing varies, as the interval
    low: float
    high: float
    first_month: int  # since joining; 0 is the month of joining
    last_month: int
    n_facilities: int  # that joined, in the waves that have a comparison


@dataclass(frozen=True, eq=False, kw_only=True)
class Aligned:
    """Every facility's months counted from its own joining."""

    table: pd.DataFrame  # facility, since_joining, value
    line: pd.DataFrame  # of the same facilities throughout: since_joining, value, facilities (reporting that month)
    n_cohort: int  # facilities behind the line
    n_facilities: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Waves:
    """One indicator: each wave against facilities that had not joined, or why that cannot be."""

    indicator: Indicator
    refused: Refused | None
    left_out: pd.DataFrame  # facility (name), reason (see `LeftOut`)
    aligned: Aligned | None  # None where all joined in one month, or too few are seen before and after
    comparison: Literal["never joined", "not yet joined"] | None = None
    n_joined: int = 0  # facilities used
    n_never: int = 0
    width_months: int = 1
    first: pd.Timestamp | None = None  # first and last month used
    last: pd.Timestamp | None = None
    waves: pd.DataFrame | None = None  # joined (first month of the period), facilities, compared (after joining)
    event_study: pd.DataFrame | None = None  # as did's, one row per `since_joining` (first month of the period)
    not_estimated: pd.DataFrame | None = None  # group, period: nobody was left to compare with
    effect: Effect | None = None  # None where waves share no month after the transition
    before: Before = "untested"
    pre_test: did.PreTest | None = None
    unseen: float = np.nan  # how large a departure before joining could have gone unseen


@dataclass(frozen=True, eq=False, kw_only=True)
class _Layout:
    """The months put together into periods, and who can be used then."""

    width: int  # of a period, in months
    start: int  # of a period, in months after January of year 0
    value: pd.DataFrame  # facilities by periods, counted from year 0
    wave: pd.Series  # the period in which each facility joined, missing for comparison facilities
    used: int  # facilities; 0 where nobody could be compared
    on_time: int  # facilities that joined in the first month of a period
    n_complete: int  # with a value in every period
    n_never: int  # of these, not joined by the last period
    n_waves: int  # of two or more complete facilities, with a period before and one after


def all_waves(study: Study) -> tuple[Waves, ...]:
    """Each indicator that was measured."""
    return tuple(waves(study, indicator) for indicator in indicators(study))


def waves(study: Study, indicator: Indicator) -> Waves:
    """The change since joining beyond that of facilities that had not joined by then.

    Comparison facilities serve if two or more can be used, otherwise the facilities of later waves until they join.
    A facility counts once, whatever its size. It must have a value in every period, so months are put together into
    periods of 1, 2, 3, 4 or 6: the narrowest in which 80% of the facilities are complete and in a wave with another,
    and 80% joined at the start of a period; otherwise those in which most are complete and in a wave. The months before
    joining of the period in which a facility joins are dropped.

    The effect is the average over the first months since joining, after `transition_months` and up to `effect_month`,
    that every wave contributes to: so neither the calendar nor the mix of facilities moves it.
    """
    months = _months(study, indicator)
    names = study.facility_names()
    undated = sorted({names[one] for one in months.loc[months["joined"].isna() & ~months["comparison"], "facility_id"]})
    nowhere = pd.DataFrame({"facility": undated, "reason": ["no joining date"] * len(undated)})
    aligned = _aligned(months.assign(facility=months["facility_id"].map(names)), study, indicator)
    months = months[months["joined"].notna() | months["comparison"]]
    nothing = Waves(indicator=indicator, refused=None, left_out=nowhere, aligned=aligned)
    if months["comparison"].all():
        return replace(nothing, refused="no joining date" if len(nowhere) else "not measured")
    layout = _layout(months, indicator, study.parameters.options.smallest_denominator)
    if not layout.used:
        return replace(nothing, refused=_reason(months, layout))
    return _compared(nothing, layout, study, names)


def _compared(nothing: Waves, layout: _Layout, study: Study, names: pd.Series) -> Waves:
    options, width = study.parameters.options.effectiveness, layout.width
    first, table = options.transition_months, _long(layout)
    try:
        found = did.fit(
            table,
            unit="facility_id",
            period="period",
            outcome="value",
            joined="joined",
            control="never" if layout.n_never >= 2 else "not_yet",
            base="universal",
            incomplete="leave_out",
            window=(first, max(first + width - 1, options.effect_month - width)),
        )
    except DataError:  # waves and their size are settled: what is left is that all had joined by every period
        return replace(nothing, refused="no period compared")
    left_out = pd.DataFrame(
        {"facility": found.left_out["unit"].map(names), "reason": found.left_out["reason"].map(_REASONS)}
    )
    study_frame = _possible(found.event_study, nothing.indicator)
    early = study_frame[(study_frame["since_joining"] < 0) & study_frame["band_low"].notna()]
    unseen = float((early["band_high"] - early["band_low"]).median() / 2) if len(early) else np.nan
    effect, pre_test = _effect(found, width, nothing.indicator, table), found.pre_test
    return replace(
        nothing,
        left_out=pd.concat([nothing.left_out, left_out], ignore_index=True),
        comparison="never joined" if layout.n_never >= 2 else "not yet joined",
        n_joined=found.n_joined,
        n_never=found.n_never,
        width_months=width,
        first=table["period"].min(),
        last=table["period"].max() + pd.DateOffset(months=width - 1),
        waves=_waves(found, table),
        event_study=study_frame,
        not_estimated=found.not_estimated,
        effect=effect,
        before=_before(pre_test, unseen, effect),
        pre_test=pre_test,
        unseen=unseen,
    )


def _months(study: Study, indicator: Indicator) -> pd.DataFrame:
    """The months known of every facility, comparison facilities among them.

    Columns ``facility_id``, ``comparison`` (never to join), ``joined`` (missing for these, and where not recorded),
    ``period``, ``numerator``, ``denominator``.
    """
    facilities = study["facilities"]
    comparison = facilities["role"].eq("comparison")
    part = pd.DataFrame(
        {
            "facility_id": facilities["facility_id"],
            "comparison": comparison,
            "joined": first_of_month(facilities["joined_on"]).mask(comparison),
        }
    )
    rows = study["measurements"].loc[lambda frame: frame["indicator_id"] == indicator.indicator_id]
    rows = part.merge(rows[["facility_id", "period", "numerator", "denominator"]], on="facility_id")
    if indicator.kind == "count":
        rows = rows.assign(denominator=1.0)
    return rows[rows["numerator"].notna() & (rows["denominator"] > 0)].sort_values("period", kind="stable")


def _layout(months: pd.DataFrame, indicator: Indicator, smallest: int) -> _Layout:
    """The narrowest periods that keep nearly all facilities and split few waves; else those that keep most."""
    facilities = months.groupby("facility_id")["joined"].first()
    enough = ENOUGH_USED * len(facilities), ENOUGH_USED * facilities.notna().sum()
    candidates = []
    for width in WIDTHS:
        starts = [_laid_out(months, indicator, smallest, width, start) for start in range(width)]
        best = max(starts, key=lambda layout: (layout.used, layout.on_time))
        if best.used >= enough[0] and best.on_time >= enough[1]:
            return best
        candidates.append(best)
    return max(candidates, key=lambda layout: (layout.used, layout.n_waves, layout.n_complete))


def _laid_out(months: pd.DataFrame, indicator: Indicator, smallest: int, width: int, start: int) -> _Layout:
    """Periods of `width` months that begin `start` months after January of year 0, and every `width` months on."""
    month, joined = _number(months["period"]), _number(months["joined"])
    rows = months.assign(bin=(month - start) // width, wave=(joined - start) // width)
    facilities = rows.groupby("facility_id")["wave"].first()
    # Of the period in which a facility joins only the months since joining count as after.
    rows = rows[(rows["bin"] != rows["wave"]) | (month >= joined)]
    sums = rows.groupby(["facility_id", "bin"])[["numerator", "denominator"]].sum()
    if indicator.kind != "count":
        sums = sums[sums["denominator"] >= smallest]
    value = (sums["numerator"] / sums["denominator"] * indicator.per).unstack().reindex(facilities.index)  # noqa: PD010
    value = value.loc[:, value.notna().mean() >= REPORTED]

    complete = facilities.fillna(np.inf)[value.notna().all(axis=1) & (value.shape[1] >= 2)]
    never = in_waves = n_waves = 0
    if len(complete):
        late = complete > value.columns[-1]
        sizes = complete[~late & (complete > value.columns[0])].value_counts().loc[lambda n: n >= 2]
        never, in_waves, n_waves = int(late.sum()), int(sizes.sum()), len(sizes)
    return _Layout(
        width=width,
        start=start,
        value=value,
        wave=facilities,
        used=in_waves + (never if never >= 2 else 0) if n_waves and (never >= 2 or n_waves >= 2) else 0,
        on_time=int((months.groupby("facility_id")["joined"].first().pipe(_number) % width == start).sum()),
        n_complete=len(complete),
        n_never=never,
        n_waves=n_waves,
    )


def _long(layout: _Layout) -> pd.DataFrame:
    """One row per facility and period: facility_id, period, joined (both first months of periods), value."""
    table = layout.value.stack(future_stack=True).rename("value").reset_index()  # noqa: PD013
    return pd.DataFrame(
        {
            "facility_id": table["facility_id"],
            "period": _month(table["bin"] * layout.width + layout.start),
            "joined": _month(table["facility_id"].map(layout.wave) * layout.width + layout.start),
            "value": table["value"],
        }
    )


def _reason(months: pd.DataFrame, layout: _Layout) -> Refused:
    """Why nobody can be compared: what no better reporting would mend comes first."""
    joined = months.groupby("facility_id")["joined"].first()
    if joined.min() == joined.max() and joined.isna().sum() < 2:
        return "no comparison"
    if joined.max() <= months["period"].min():
        return "nothing before joining"
    if joined.min() > months["period"].max():
        return "nobody joined in time"
    if not layout.n_complete:
        return "too many gaps"
    return "no comparison" if layout.n_waves else "no wave of two"


def _number(days: pd.Series) -> pd.Series:
    """Months counted from year 0."""
    return days.dt.year * 12.0 + days.dt.month - 1


def _month(number: pd.Series) -> pd.Series:
    """The first day of a month counted from year 0."""
    known = number.dropna().astype(int)
    days = pd.to_datetime({"year": known // 12, "month": known % 12 + 1, "day": 1})
    return days.reindex(number.index)


def _before(pre_test: did.PreTest, unseen: float, effect: Effect | None) -> Before:
    """Alike is said only where a departure as large as the effect would have been seen."""
    if not pre_test.n_estimates:
        return "untested"
    if pre_test.p_value < SURE:
        return "apart"
    return "not told" if effect is None or unseen >= abs(effect.estimate) else "alike"


def _waves(found: did.StaggeredDifferences, table: pd.DataFrame) -> pd.DataFrame:
    used = table[~table["facility_id"].isin(found.left_out["unit"]) & (table["joined"] <= table["period"].max())]
    sizes = used.groupby("joined")["facility_id"].nunique()
    after = found.att[found.att["period"] >= found.att["group"]]
    return pd.DataFrame(
        {"joined": sizes.index, "facilities": sizes.to_numpy(), "compared": sizes.index.isin(after["group"])}
    )


def _possible(table: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    """Limits cut at what is possible: two proportions differ by 1 at most."""
    limits = [name for name in ("low", "high", "band_low", "band_high") if name in table]
    return table.assign(**table[limits].clip(-1, 1)) if indicator.kind == "proportion" else table


def _effect(found: did.StaggeredDifferences, width: int, indicator: Indicator, table: pd.DataFrame) -> Effect | None:
    if not found.common:
        return None
    row = _possible(found.overall, indicator).set_index("summary").loc["common"]
    waves_in = _waves(found, table)
    return Effect(
        estimate=float(row["estimate"]),
        standard_error=float(row["standard_error"]),
        low=float(row["low"]),
        high=float(row["high"]),
        first_month=int(found.common[0]),
        last_month=int(found.common[-1]) + width - 1,
        n_facilities=int(waves_in.loc[waves_in["compared"], "facilities"].sum()),
    )


def _aligned(months: pd.DataFrame, study: Study, indicator: Indicator) -> Aligned | None:
    """Months since joining, and all people of the facilities seen throughout the months that most are seen in."""
    rows = months[months["joined"].notna()]
    if rows["joined"].nunique() < 2:
        return None
    small = (rows["denominator"] < study.parameters.options.smallest_denominator) & (indicator.kind != "count")
    since = (_number(rows["period"]) - _number(rows["joined"])).astype(int)
    table = rows[["facility", "numerator", "denominator"]].assign(
        since_joining=since, value=rows["numerator"] / rows["denominator"] * indicator.per
    )[~small]
    table = table.sort_values(["facility", "since_joining"], ignore_index=True)
    span = table.groupby("facility")["since_joining"].agg(["min", "max"])
    # A few facilities that began to report late, or joined last, shall not cut the view for all.
    first, last = span["min"].quantile(0.8, interpolation="higher"), span["max"].quantile(0.2, interpolation="lower")
    if len(span) < SMALLEST_COHORT or not first < 0 <= last:
        return None
    view = table[table["since_joining"].between(first, last)]
    reported = view.groupby("facility")["value"].size()
    steady = span.index[(span["min"] <= first) & (span["max"] >= last)]
    cohort = [name for name in steady if reported.get(name, 0) >= COHORT_SHARE * (last - first + 1)]
    if len(cohort) < SMALLEST_COHORT:
        return None
    by_month = view[view["facility"].isin(cohort)].groupby("since_joining")
    sums = by_month[["numerator", "denominator"]].sum()
    line = pd.DataFrame(
        {"value": sums["numerator"] / sums["denominator"] * indicator.per, "facilities": by_month["facility"].size()}
    )
    return Aligned(
        table=table[["facility", "since_joining", "value"]],
        line=line.reset_index(),
        n_cohort=len(cohort),
        n_facilities=len(span),
    )
