"""Difference-in-differences for facilities that joined in waves: each wave against those that had not joined.

Each wave's change since just before it joined is set against the change over the same time of units that had not
joined (Callaway and Sant'Anna 2021, no covariates). A regression with unit and period effects is not offered: with
waves it uses units that joined early as comparisons for those that joined late [3]_.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError, bulleted
from qieval.methods.influence import Noise, PreTest, noise_of, pooled, pooled_by, with_bands, with_intervals

_EVENT_STUDY = ["since_joining", "estimate", "standard_error", "low", "high", "band_low", "band_high", "n_treated"]


@dataclass(frozen=True, eq=False, kw_only=True)
class StaggeredDifferences:
    """Estimates on the scale of the outcome; `since_joining` in months where periods are dates, else in their unit."""

    att: pd.DataFrame  # by wave: group, period, estimate, standard_error, low, high, n_treated, n_control
    event_study: pd.DataFrame  # since_joining, estimate, standard_error, low, high, band_low, band_high, n_treated
    overall: pd.DataFrame  # by summary (simple, dynamic, group, calendar; common): estimate, standard_error, low, high
    common: tuple[float, ...]  # the times since joining that the summary `common` averages over; may be none
    pre_test: PreTest
    left_out: pd.DataFrame  # one row per unit not used: unit, reason
    not_estimated: pd.DataFrame  # wave and period without a comparison: group, period
    n_joined: int  # units in the waves used
    n_never: int  # units used that never joined


@dataclass(frozen=True, eq=False)
class _Panel:
    outcome: np.ndarray  # units x periods, nothing missing
    times: np.ndarray  # periods as numbers
    wave: np.ndarray  # of each unit, as number; infinite for those that never joined
    cluster: np.ndarray  # of each unit, 0, 1, ...
    dates: bool


def fit(
    frame: pd.DataFrame,
    *,
    unit: str,
    period: str,
    outcome: str,
    joined: str,
    control: str = "never",
    base: str = "varying",
    cluster: str | None = None,
    anticipation: float = 0,
    incomplete: str = "refuse",
    window: tuple[float, float] | None = None,
    small_sample: bool = True,
    level: float = 0.95,
    seed: int = 1,
    draws: int = 10_000,
) -> StaggeredDifferences:
    """Average change of those that joined, beyond the change of those that had not: by wave, time and overall.

    With `small_sample` the waves are taken as given, the variance within each wave is divided by n - 1 and the
    intervals use Student's t with Satterthwaite's degrees of freedom. The bands hold for all times since joining at
    once: their width comes from draws of the largest studentised estimate, with the correlations found and with
    the uncertainty of each wave's variance.

    ``simple`` weighs every wave and period after joining by the units in it, ``dynamic`` every time since
    joining alike, ``group`` every unit that joined alike, and ``calendar`` every period alike. All four cover only what
    has a comparison; the rest is in ``not_estimated``.

    Parameters
    ----------
    frame : DataFrame, one row per unit and period
    unit, period, outcome, joined : names of columns
        ``period`` and ``joined`` are both dates (only their month counts) or both numbers; ``joined`` is missing
        for units that never joined. Units that joined after the last period (plus `anticipation`) count as never.
    control : "never" or "not_yet"
        Compare with units that never joined, or with all that have not joined by that period.
    base : "varying" or "universal"
        Before joining, each period against the one before it, or against the last before joining.
    cluster : name of a column, optional
        Units that share a cluster, for example a hub, are not independent. Default: every unit by itself.
    anticipation : number of months, or of the unit of ``period``
        How long before joining things may already have changed.
    incomplete : "refuse" or "leave_out"
        What to do with units that lack the outcome in a period in which others have it.
    window : first and last time since joining, optional
        Adds the summary ``common``: every time since joining within it to which all waves with a comparison after
        joining contribute, each alike. So no wave enters or leaves on the way.
    small_sample : bool
        False: standard errors and normal intervals as in the article. They are too narrow for few units: with 8 in
        each of 3 waves and 8 outside, 95% bands hold for all times in 78 of 100 simulated studies.

    Raises
    ------
    ParameterError
        If a setting is not one of those above or a column is absent.
    DataError
        If a unit has two rows in a period or two waves, if outcomes are missing, or if nothing is left to compare.

    References
    ----------
    .. [1] Callaway B, Sant'Anna PHC. Difference-in-differences with multiple time periods. J Econom 2021;225:200.
    .. [2] Satterthwaite FE. An approximate distribution of estimates of variance components. Biometrics 1946;2:110.
    .. [3] Goodman-Bacon A. Difference-in-differences with variation in treatment timing. J Econom 2021;225:254.
    """
    columns = {"unit": unit, "period": period, "outcome": outcome, "joined": joined, "cluster": cluster or unit}
    _check_settings(
        {name: column for name, column in columns.items() if column not in frame},
        control=control, base=base, incomplete=incomplete, anticipation=anticipation, level=level,
    )  # fmt: skip
    rows = pd.DataFrame({name: frame[column] for name, column in columns.items()})
    panel, left_out = _panel(rows, anticipation=anticipation, incomplete=incomplete)
    cells, influence, not_estimated = _group_times(panel, control=control, base=base, anticipation=anticipation)

    since = cells["period"] - cells["group"]
    event, at_event = pooled_by(since, cells, influence, panel.wave)
    event = event.assign(n_treated=cells.groupby(since)["n_treated"].sum())
    after = (since >= 0).to_numpy()
    gained, at_gained = cells[after], influence[after]
    by_group, at_group = pooled_by(gained["group"], gained, at_gained, panel.wave)
    by_period, at_period = pooled_by(gained["period"], gained, at_gained, panel.wave)
    summaries = {
        "simple": pooled(gained, at_gained, panel.wave),
        "dynamic": (event.loc[0:, "estimate"].mean(), at_event[event.index >= 0].mean(axis=0)),
        "group": pooled(by_group.rename_axis("group").reset_index(), at_group, panel.wave),
        "calendar": (by_period["estimate"].mean(), at_period.mean(axis=0)),
    }
    common = _common_times(gained, window)
    if common:
        rows = event.index.isin(common)
        summaries["common"] = (event.loc[rows, "estimate"].mean(), at_event[rows].mean(axis=0))
    overall = pd.DataFrame({"summary": list(summaries), "estimate": [one for one, _ in summaries.values()]})
    at_overall = np.array([psi for _, psi in summaries.values()])

    att = with_intervals(cells, _noise(influence, panel, small_sample), level)
    overall = with_intervals(overall, _noise(at_overall, panel, small_sample), level)
    noise = _noise(at_event, panel, small_sample)
    study, pre_test = with_bands(
        with_intervals(event, noise, level), noise, before=-anticipation, level=level, seed=seed, draws=draws
    )
    return StaggeredDifferences(
        att=_dated(att, panel.dates),
        event_study=study.rename_axis("since_joining").reset_index()[_EVENT_STUDY],
        overall=overall,
        common=common,
        pre_test=pre_test,
        left_out=left_out,
        not_estimated=_dated(not_estimated, panel.dates),
        n_joined=int(np.isfinite(panel.wave).sum()),
        n_never=int(np.isinf(panel.wave).sum()),
    )


def _common_times(gained: pd.DataFrame, window: tuple[float, float] | None) -> tuple[float, ...]:
    """The times since joining within `window` to which every wave contributes."""
    if window is None:
        return ()
    waves = (gained["period"] - gained["group"]).groupby(gained["group"]).agg(set)
    shared: set[float] = set.intersection(*waves)
    return tuple(sorted(float(time) for time in shared if window[0] <= time <= window[1]))


def _check_settings(
    absent: dict[str, str], *, control: str, base: str, incomplete: str, anticipation: float, level: float
) -> None:
    problems = [f"{name} names the column {column!r}, which the frame lacks" for name, column in absent.items()]
    for name, given, choices in (
        ("control", control, ("never", "not_yet")),
        ("base", base, ("varying", "universal")),
        ("incomplete", incomplete, ("refuse", "leave_out")),
    ):
        if given not in choices:
            problems.append(f"{name} is {given!r}: give {choices[0]!r} or {choices[1]!r}")
    if not anticipation >= 0:
        problems.append(f"anticipation is {anticipation}: give 0 or more")
    if not 0 < level < 1:
        problems.append(f"level is {level}: give a proportion between 0 and 1, for example 0.95")
    if problems:
        raise ParameterError(bulleted("difference-in-differences", problems))


def _panel(rows: pd.DataFrame, *, anticipation: float, incomplete: str) -> tuple[_Panel, pd.DataFrame]:
    """The checked table as a rectangle without gaps, and the units that do not fit into it."""
    dates = pd.api.types.is_datetime64_any_dtype(rows["period"])
    if dates != pd.api.types.is_datetime64_any_dtype(rows["joined"]):
        raise DataError("the periods and the times of joining differ in kind: give dates for both, or numbers for both")
    rows = rows.assign(period=_as_number(rows["period"]), joined=_as_number(rows["joined"]).fillna(np.inf))
    lacking = rows[["unit", "period", "cluster"]].isna().any(axis=1)
    if lacking.any():
        raise DataError(
            f"{lacking.sum()} of {len(rows)} rows lack a unit, a period or a cluster: complete or drop them"
        )
    twice = rows.duplicated(["unit", "period"])
    if twice.any():
        raise DataError(
            f"{_some(rows.loc[twice, 'unit'])}: more than one row in a period. Keep one row per unit and period."
        )
    units = rows.groupby("unit")[["joined", "cluster"]]
    unsteady = units.nunique().gt(1).any(axis=1)
    if unsteady.any():
        raise DataError(
            f"{_some(unsteady.index[unsteady])}: more than one time of joining, or more than one cluster. A unit "
            f"joins once, and all its rows say when."
        )
    units = units.first()
    wide = rows.set_index(["unit", "period"])["outcome"].astype(float).unstack()  # noqa: PD010
    times = wide.columns.to_numpy(dtype=float)
    units["wave"] = units["joined"].where(units["joined"] <= times[-1] + anticipation, np.inf)

    gaps = wide.index[~np.isfinite(wide).all(axis=1)]
    if len(gaps) and incomplete == "refuse":
        raise DataError(
            f"{len(gaps)} of {len(wide)} units lack the outcome in some of the {len(times)} periods ({_some(gaps)}). "
            f"Choose periods in which all report, or give incomplete='leave_out' to go on without these units."
        )
    reason = pd.Series("", index=units.index)
    reason[gaps] = "lacks the outcome in some periods"
    reason[(reason == "") & (units["wave"] <= times[0] + anticipation)] = "joined before there was anything to compare"
    # One unit, or one cluster, has no spread by which to judge its change.
    used = units[reason == ""]
    alone = used.groupby("wave")["cluster"].transform("nunique") < 2
    reason[used.index[alone]] = np.where(
        np.isinf(used["wave"][alone]), "nobody else never joined", "nobody else joined at the same time"
    )
    used = used[~alone]
    left_out = pd.DataFrame({"unit": reason.index[reason != ""], "reason": reason[reason != ""].to_numpy()})
    if np.isinf(used["wave"]).all():
        raise DataError(
            f"no wave of two or more units has a period before it joined; {len(left_out)} of {len(units)} units were "
            f"left out. Merge waves, or add periods before the first joined."
        )
    return _Panel(
        outcome=wide.loc[used.index].to_numpy(),
        times=times,
        wave=used["wave"].to_numpy(),
        cluster=pd.factorize(used["cluster"])[0],
        dates=dates,
    ), left_out


def _group_times(
    panel: _Panel, *, control: str, base: str, anticipation: float
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Every wave in every period [1]_: estimates, each unit's influence on each of them, and what has no comparison."""
    if control == "never" and not np.isinf(panel.wave).any():
        raise DataError(
            "no two units that never joined are left to compare with. Give control='not_yet' to compare with those "
            "that joined later."
        )
    cells, influence, without = [], [], []
    for group in np.unique(panel.wave[np.isfinite(panel.wave)]):
        treated = panel.wave == group
        last_before = np.flatnonzero(panel.times + anticipation < group)[-1]
        for now, time in enumerate(panel.times):
            fixed = base == "universal" or time + anticipation >= group
            before = last_before if fixed else now - 1
            if before < 0:
                continue
            compared = panel.wave > (max(time, panel.times[before]) + anticipation if control == "not_yet" else 1e300)
            compared &= ~treated
            if not compared.any():
                without.append((group, time))
                continue
            change = panel.outcome[:, now] - panel.outcome[:, before]
            ours, theirs = change[treated].mean(), change[compared].mean()
            psi = np.where(treated, (change - ours) / treated.sum(), 0.0)
            influence.append(psi - np.where(compared, (change - theirs) / compared.sum(), 0.0))
            cells.append((group, time, ours - theirs, treated.sum(), compared.sum()))
    columns = ["group", "period", "estimate", "n_treated", "n_control"]
    if not any(time >= group for group, time, *_ in cells):
        raise DataError(
            "no period after joining has a comparison: every unit had joined by then, or none joined within the "
            "periods with data. Add units that never joined, or periods."
        )
    return pd.DataFrame(cells, columns=columns), np.array(influence), pd.DataFrame(without, columns=columns[:2])


def _noise(influence: np.ndarray, panel: _Panel, small_sample: bool) -> Noise:
    # The base of a universal base is 0 by definition, and outcomes that never vary have no error to judge by.
    smallest = 1e-12 * float(np.abs(panel.outcome).max())
    return noise_of(influence, wave=panel.wave, cluster=panel.cluster, smallest=smallest, small_sample=small_sample)


def _dated(table: pd.DataFrame, dates: bool) -> pd.DataFrame:
    """Months counted from year 0 turned back into dates, where they were dates."""
    if not dates:
        return table
    months = table[["group", "period"]].astype(int)
    return table.assign(
        **{name: pd.to_datetime({"year": m // 12, "month": m % 12 + 1, "day": 1}) for name, m in months.items()}
    )


def _as_number(times: pd.Series) -> pd.Series:
    """Months counted from year 0 for dates, so that a difference is a number of months; else the numbers themselves."""
    if pd.api.types.is_datetime64_any_dtype(times):
        return times.dt.year * 12.0 + times.dt.month - 1
    try:
        return pd.to_numeric(times).astype(float)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{times.name} holds neither dates nor numbers: read it as dates, as pd.to_datetime does"
        ) from error


def _some(names: pd.Series | pd.Index) -> str:
    """The first three names, and how many more."""
    distinct = [str(name) for name in pd.unique(names)]
    return ", ".join(distinct[:3]) + (f" and {len(distinct) - 3} more" if len(distinct) > 3 else "")
