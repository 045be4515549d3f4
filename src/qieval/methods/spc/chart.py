"""Run and control charts of one series or of a million, from a long frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qieval.errors import DataError, ParameterError
from qieval.methods.spc import prepare
from qieval.methods.spc import rules as rule_book
from qieval.methods.spc.calculate import PERIOD, TAKEN, Choices, calculate
from qieval.methods.spc.layout import arrange, periods_of, with_gaps
from qieval.methods.spc.limits import D2, KINDS, Gaps, Kind, Within
from qieval.methods.spc.phases import Where, excluded, in_baseline, is_number, phase_numbers


@dataclass(frozen=True, eq=False, kw_only=True)
class Chart:
    """Charts of one or many series."""

    kind: str
    points: pd.DataFrame
    series: pd.DataFrame
    per: float
    rules: tuple[str, ...]
    by: tuple[str, ...]


def chart(
    data: pd.DataFrame,
    kind: str,
    *,
    period: str,
    value: str | None = None,
    numerator: str | None = None,
    denominator: str | None = None,
    by: str | Sequence[str] = (),
    phases: Where = None,
    baseline: int | str | pd.Timestamp | None = None,
    exclude: Where | np.ndarray | pd.Series = None,
    rules: str | Sequence[str] | None = None,
    screen: bool = True,
    gaps: Gaps = "break",
    within: Within = "auto",
    d2: float = D2,
    narrow: bool = True,
    per: float = 1,
) -> Chart:
    """Run or control charts of every series in a long frame.

    Parameters
    ----------
    data : DataFrame, one row per series and period, in any order
        Several rows of a period are added up (numerator and denominator) or averaged (a value), and `.series` says
        so; for ``g`` and ``t`` each row is an event, for ``xbar`` and ``s`` a member of its period's subgroup.
        A missing value is a gap, as is a denominator of 0; so is a month (quarter, week) without a row.
    kind : str
        run (median), i (single values), mr (moving ranges), xbar, s (subgroups), p (proportions), pp (p', Laney),
        c (counts), u (rates), up (u', Laney), g (cases between events), t (time between events), ip (I',
        normalised individuals).
    period : str
        The column of dates or numbers.
    value, numerator, denominator : str
        Columns. p, pp, u, up and ip need numerator and denominator; c and g a count; the others a value, or both.
    by : str or list of str
        The columns that tell series apart.
    phases : dates, positions, or the name of a column
        Where new phases begin, each with a centre and limits of its own: dates (the same in every series),
        positions counted from 0 in each series, or a column that names each row's phase.
    baseline : int, date, or the name of a column
        Centre and limits come from so many first periods of each phase; or from those up to and including the date,
        in the phase that the date lies in; or from the rows in which a column is true. They hold to the end of the
        phase.
    exclude : dates, positions, or a Boolean per row of `data` (or the name of such a column)
        Points left out of centre, limits and rules, but drawn. Moving ranges go across them.
    rules : str or list of str
        anhoej, anhoej_baseline, best_box, cut_box, outside, ihi, mdc, mdc_8_6, western_electric, nelson. Default:
        anhoej, with outside where there are limits. The limits of anhoej and the boxes are made for a centre line of
        all points; about that of a baseline they signal too often by chance (`false_signal_rate` tells how often),
        and anhoej_baseline takes limits made for it (`runs.tied_limits`), some milliseconds a series.
    screen : bool
        Leave moving ranges above 3.267 times their mean out of it, once, so that one leap does not widen all limits
        (kinds i, t, pp, up, ip). Others do it or not by a hidden setting; here the call says.
    gaps : "break" or "bridge"
        Whether a moving range is taken across a missing period. "break", since it would span more than one step.
    within : "auto", "mean", "pooled" or "range"
        How the standard deviation inside subgroups is estimated (xbar, s): the mean of the subgroups' where all have
        the same size and pooled otherwise ("auto"), or by their ranges, for xbar.
    d2 : float
        The expected range of two values, in standard deviations: 1.128 as printed in tables. Making Data Count
        multiplies mean moving ranges by 2.66, which is d2 = 3 / 2.66; the exact number is 2 / sqrt(pi).
    narrow : bool
        Whether the limits of pp and up may become narrower than chance alone has them, as Laney published it. A short
        or sparse series does that by accident; people who fall ill, or are treated well, each by themselves never do.
    per : float
        Multiplies values and limits, such as 1000 for events per 1,000 bed days.

    Returns
    -------
    Chart
        ``.points``, one row per series and period in time order: the columns of `by`, period, value, centre, lcl,
        ucl (three sigma), lcl_2, ucl_2 (two sigma; "inner limits"), phase (1, 2, ...), in_baseline, excluded, outside,
        rules (the names of the tests that flagged the point, joined by "; ").
        ``.series``, one row per series and phase: first, last, n_points, n_baseline, n_excluded, centre, n_useful,
        longest_run, longest_run_limit, crossings, crossings_limit, runs_signal, rules (all that signalled),
        n_outside, warnings (names of `WARNINGS` joined by "; "), n_screened, sigma_z (Laney), and the choices made:
        kind, runs_rule, screened, gaps, within, d2, narrow.

    Raises
    ------
    DataError
        If a count is negative, a numerator exceeds its denominator, events have no one they could happen to, or a
        period is no date; the message names the rows.
    ParameterError
        If an argument is unknown, cannot be met, or would be ignored.

    References
    ----------
    .. [1] Montgomery DC. Introduction to Statistical Quality Control, 7th ed., 2013.
    .. [2] Anhoej J, Olesen AV. Run charts revisited. PLoS ONE 2014;9:e113825.
    """
    by = (by,) if isinstance(by, str) else tuple(by or ())
    what = _kind(kind)
    prepare.check_arguments(
        what,
        kind,
        value,
        numerator,
        denominator,
        screen=screen,
        gaps=gaps,
        within=within,
        d2=d2,
        narrow=narrow,
        per=per,
    )
    phase_column = phases if isinstance(phases, str) and phases in data.columns else None
    exclude_column = exclude if isinstance(exclude, str) and exclude in data.columns else None
    base_column = baseline if isinstance(baseline, str) and baseline in data.columns else None
    names = {"value": value, "numerator": numerator, "denominator": denominator}
    prepare.check_columns(data, period, by, names, TAKEN)
    if not len(data):
        raise DataError("The data have no row, so there is nothing to chart.")
    if rules is None:
        rules = ("anhoej",) if kind == "run" else ("outside", "anhoej")
    chosen = rule_book.chosen(rules, has_limits=kind != "run")

    columns = prepare.numbers(data, what, value, numerator, denominator)
    if phase_column is not None:
        columns["phase"] = data[phase_column].to_numpy(dtype=object)
    mask = prepare.mask_of("exclude", exclude_column, exclude, data)
    if mask is not None:
        columns["excluded"] = mask
    if base_column is not None:
        columns["base"] = prepare.truth(data, "baseline", base_column)
    layout = arrange(data, periods_of(data, period), by, columns)
    prepare.check_numbers(layout, what, by, names)
    if kind in ("xbar", "s"):
        layout = with_gaps(prepare.subgroups(layout))
    elif kind not in ("g", "t"):
        layout = with_gaps(prepare.one_row_a_period(layout, counted=what.needs == "count" or numerator is not None))
    phase = phase_numbers(layout, None if phase_column else phases, layout.columns.get("phase"))
    out = excluded(layout, None if mask is not None else exclude, layout.columns.get("excluded"))
    base = in_baseline(layout, phase, None if base_column else baseline, layout.columns.get("base"))
    choices = Choices(
        kind=kind, rules=chosen, screen=screen, gaps=gaps, within=within, d2=d2, narrow=narrow, per=per,
        asked=baseline if is_number(baseline) else 0,
    )  # fmt: skip
    points, series = calculate(layout, choices, phase=phase, base=base, out=out)
    points.columns = pd.Index([period if name == PERIOD else name for name in points.columns])  # rename would copy
    return Chart(kind=kind, points=points, series=series, per=per, rules=chosen, by=by)


def _kind(kind: str) -> Kind:
    if not isinstance(kind, str) or kind not in KINDS:
        raise ParameterError(f"kind: {kind!r} is not among {', '.join(KINDS)}.")
    return KINDS[kind]
