"""The funnel: units with their limits, places and p values, and the curves to draw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from qieval.errors import DataError
from qieval.methods.funnel.model import SCALES, Model, percent
from qieval.methods.funnel.prepare import check_settings, checked_units
from qieval.methods.funnel.spread import FEWEST_UNITS, fitted_dispersion, winsorised_spread

CURVE_POINTS = 100  # denominators of a curve, evenly spaced by ratio from the smallest to the largest


@dataclass(frozen=True, eq=False, kw_only=True)
class Funnel:
    """The limits of a funnel plot, the place of each unit, and every choice that made them."""

    kind: str
    target: float  # the level the units are compared with, on the scale of units["value"]
    limits: tuple[float, ...]  # levels, e.g. 0.95 and 0.998
    overdispersion: str
    scale: str  # of z, phi, tau2 and the limits made from them
    winsorise: float
    trim: bool
    rescale: bool
    phi: float  # mean squared z after winsorising; by chance alone 1, or 0.68 if winsorised at 0.1 and not rescaled
    tau2: float  # variance between units on `scale`; like phi, missing below five units
    dispersion: float  # rho of the beta-binomial, alpha of the negative binomial; missing where not asked for
    units: pd.DataFrame  # in the order of the data; columns under `funnel`
    curve: pd.DataFrame  # by denominator: lower_95, upper_95, ... and unadjusted_lower_95, unadjusted_upper_95, ...
    outside: pd.DataFrame  # one row per level: level, n_units, n_below, n_above, expected_by_chance


def funnel(
    data: pd.DataFrame,
    kind: str,
    *,
    unit: str = "facility",
    numerator: str = "numerator",
    denominator: str = "denominator",
    target: float | None = None,
    limits: tuple[float, ...] = (0.95, 0.998),
    overdispersion: str = "none",
    winsorise: float = 0.1,
    trim: bool = False,
    rescale: bool = False,
    scale: str | None = None,
) -> Funnel:
    """Compare units with one level, by limits that widen as the denominator falls.

    Without overdispersion the limits are exact, interpolated between the possible counts [1]_. If the units differ
    more than chance explains, "multiplicative" widens all limits by sqrt(phi) and "additive" adds a variance tau2
    between units [1]_ [2]_; where phi, or tau2, shows no more than chance, the exact limits stand. "beta-binomial" and
    "negative-binomial" fit that variance by maximum likelihood about the target, from all units unwinsorised: true
    outliers widen those limits, while the limits fall in their skewed place where events are few.

    Parameters
    ----------
    data : DataFrame, one row per unit, in any order
    kind : "proportion" (events of people), "rate" (events per exposure) or "ratio" (observed of expected events)
    unit, numerator, denominator : str
        Columns of `data`. Numerators are counts. A unit of 0 of 0 is kept, without a value.
    target : float, optional
        Default: all events over all denominators; for a ratio 1, since expected counts carry their own standard.
    limits : tuple of float
        Levels of two-sided limits. Default 95% and 99.8%, about 2 and 3 standard deviations [1]_.
    winsorise : float, 0 to below 0.5
        This share of the z scores at each end is pulled in to its quantile before phi and tau2 are estimated, so
        that outliers do not hide themselves. Default 0.1 [1]_ [2]_.
    trim : bool
        Leave those z scores out instead of pulling them in, as the English mortality indicator SHMI does.
    rescale : bool
        Divide phi by what winsorising or trimming leaves of pure normal noise (0.68, or 0.44, at 0.1). Default False,
        the published estimate. That is too small: of units spread without an outlier, 1.6% lay outside 99.8% limits,
        and 0.3% after rescaling. True is about right where few units are outliers.
    scale : "arcsine" or "natural" of a proportion; "root", "log" or "natural" of a rate or ratio
        Of the z scores. Default: the one that makes the variance free of the level, "arcsine" or "root" [2]_.

    Returns
    -------
    Funnel
        ``units`` holds unit, numerator, denominator, value, z, z_winsorised, z_adjusted (for overdispersion), p, p_bh,
        lower_95, upper_95, lower_99.8, upper_99.8, outside_95 and outside_99.8 ("above", "below" or "inside"). ``p``
        is two-sided under the limits' model (the exact smaller tail doubled, or normal by z_adjusted), and ``p_bh``
        adjusts it for the number of units [3]_. By chance 1 - level of the units lie outside, fewer where a small
        denominator leaves no room below.

    Raises
    ------
    DataError
        If units repeat, are not counts of denominators, have no event at all, or are too few for overdispersion.
    ParameterError
        If a setting is impossible; all are named.

    References
    ----------
    .. [1] Spiegelhalter DJ. Funnel plots for comparing institutional performance. Stat Med 2005;24:1185.
    .. [2] Spiegelhalter D, et al. Statistical methods for healthcare regulation: rating, screening and surveillance.
       J R Stat Soc A 2012;175:1.
    .. [3] Benjamini Y, Hochberg Y. Controlling the false discovery rate. J R Stat Soc B 1995;57:289.
    """
    from scipy.stats import false_discovery_control, norm

    check_settings(kind, target, limits, overdispersion, winsorise, scale)
    scale = scale or next(iter(SCALES[kind]))
    units = checked_units(data, kind, [unit, numerator, denominator], scale)
    known = units["denominator"] > 0
    y, n = units.loc[known, "numerator"].to_numpy(), units.loc[known, "denominator"].to_numpy()
    if overdispersion != "none" and len(n) < FEWEST_UNITS:
        raise DataError(
            f"overdispersion is not estimable from {len(n)} units: it needs {FEWEST_UNITS}. "
            "Use overdispersion='none', or bring in more units."
        )
    # Pooled, not the mean of the units: 4 births must not weigh as much as 400.
    level = float(target if target is not None else 1.0 if kind == "ratio" else y.sum() / n.sum())
    if level == 0 or (kind == "proportion" and level == 1):
        raise DataError(f"every unit is at {level:.0%}, and no limits can be drawn about that. Give a target.")

    on = SCALES[kind][scale]
    z = (on.forward(y / n) - on.forward(level)) / on.standard_error(level, n)
    pulled, phi, tau2 = winsorised_spread(z, on.standard_error(level, n), winsorise, trim=trim, rescale=rescale)
    fitted = overdispersion in ("beta-binomial", "negative-binomial")
    dispersion = fitted_dispersion(y, n, level, kind) if fitted else np.nan
    chance = Model(kind, level, on)
    wider: dict[str, dict[str, Any]] = {"multiplicative": {"phi": phi}, "additive": {"tau2": tau2}, "none": {}}
    chosen = replace(chance, **wider.get(overdispersion, {"dispersion": dispersion}))

    z_adjusted = z / np.sqrt(chosen.inflation(n))
    p = 2 * norm.sf(abs(z_adjusted)) if chosen.is_normal else chosen.exact_p(y, n)
    found = pd.DataFrame({"value": y / n, "z": z, "z_winsorised": pulled, "z_adjusted": z_adjusted, "p": p})
    found = found.assign(p_bh=false_discovery_control(p), **chosen.limits(n, limits))
    outside = []
    for share in limits:
        name = percent(share)
        above, below = found["value"] > found[f"upper_{name}"], found["value"] < found[f"lower_{name}"]
        found[f"outside_{name}"] = np.select([above, below], ["above", "below"], "inside").astype(object)
        outside.append((share, len(n), int(below.sum()), int(above.sum()), (1 - share) * len(n)))
    grid = np.geomspace(n.min(), n.max(), CURVE_POINTS)
    grid = np.unique(grid.round() if kind == "proportion" else grid)
    unadjusted = {f"unadjusted_{name}": limit for name, limit in chance.limits(grid, limits).items()}
    return Funnel(
        kind=kind,
        target=level,
        limits=tuple(limits),
        overdispersion=overdispersion,
        scale=scale,
        winsorise=winsorise,
        trim=trim,
        rescale=rescale,
        phi=phi,
        tau2=tau2,
        dispersion=dispersion,
        units=units.join(found.set_index(units.index[known])),
        curve=pd.DataFrame({"denominator": grid, **chosen.limits(grid, limits), **unadjusted}),
        outside=pd.DataFrame(outside, columns=["level", "n_units", "n_below", "n_above", "expected_by_chance"]),
    )
