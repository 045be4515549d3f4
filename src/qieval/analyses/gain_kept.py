"""How much of the gain was kept so many months after support ended, by each facility and by all together?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qieval.analyses.loss_of_gain import kept_line
from qieval.analyses.segments import Segments, is_worse, level_of, scatter_between_months
from qieval.analyses.series import Indicator
from qieval.methods.gain import PooledShare, ShareKept, average, pooled_share_of_gain_kept, share_of_gain_kept
from qieval.methods.pooling import FEWEST_TO_POOL
from qieval.methods.rates import Proportion, proportion
from qieval.study.parameters import Sustainment as Options

Outcome = Literal["kept", "lost", "cannot be told", "not reported", "too early"]
Told = Literal["kept", "lost", "cannot be told"]

FEWEST_FACILITIES = 5  # below this no interval over facilities: each is shown
# A gain counts as kept only if the data rule out that less than this share of it is left. To rule out a loss of a few
# points would take some 600 people a level, which few facilities see.
LEAST_KEPT = 0.5


@dataclass(frozen=True, eq=False, kw_only=True)
class Horizon:
    """How it stood so many months after support ended."""

    months_after: int
    n_too_early: int  # facilities that had gained and whose support ended too recently
    n_due: int  # facilities that had gained and whose support ended long enough ago
    n_known: int  # of these, the ones that reported
    n_kept: int
    n_lost: int
    kept: Proportion | None  # of those of which it can be told, kept or lost; None below five
    share: PooledShare | None  # of the gain of those known, together; None below five, or without standard errors

    @property
    def n_told(self) -> int:
        """The facilities of which it can be told whether they kept it."""
        return self.n_kept + self.n_lost

    @property
    def n_untold(self) -> int:
        """The facilities that reported and of which it cannot be told."""
        return self.n_known - self.n_told


@dataclass(frozen=True, eq=False, kw_only=True)
class Standing:
    """One facility's level in a window after support, against its levels before and at the end."""

    level: float
    share: ShareKept
    told: Told


def standing(own: Segments, window: pd.DataFrame, indicator: Indicator, options: Options) -> Standing:
    """Kept, lost, or not to be told: by the level of the window and how sure it is.

    *Lost*: beyond the tolerance, and worse than the end of support by more than chance explains. *Kept*: not lost, and
    the 95% interval of the share of the gain that is left lies above one half. Between the two the facility saw too
    few people to tell.
    """
    scatter = scatter_between_months(own.before, own.at_end, window)
    before, end, now = (level_of(one, indicator, scatter) for one in (own.before, own.at_end, window))
    share = share_of_gain_kept(before, end, now)
    told: Told = "cannot be told"
    beyond = indicator.sign * (kept_line(end.value, indicator, options) - now.value) > 1e-9 * max(1.0, abs(end.value))
    if beyond and is_worse(window, own.at_end, indicator):
        told = "lost"
    elif share.low > LEAST_KEPT or (np.isnan(share.low) and np.isnan(scatter) and share.estimate > LEAST_KEPT):
        told = "kept"
    return Standing(level=now.value, share=share, told=told)


def follow_up(own: Segments, after: int, indicator: Indicator, options: Options) -> dict[str, object]:
    """One facility that had gained, so many months after: ``level``, ``share``, ``share_low``, ``share_high``,
    ``outcome`` and the standard error of the level, each with the months in its name.
    """
    row: dict[str, object] = empty_follow_up(after)
    if own.last_month < after:
        return row | {f"outcome_{after}": "too early"}
    months = min(options.window_months, after)  # the months of support are not part of what came after it
    window = own.window(after, months)
    if not own.is_enough(window, months):
        return row | {f"outcome_{after}": "not reported"}
    found = standing(own, window, indicator, options)
    scatter = scatter_between_months(own.before, own.at_end, window)
    return {
        f"level_{after}": found.level,
        f"level_se_{after}": level_of(window, indicator, scatter).standard_error,
        f"share_{after}": found.share.estimate,
        f"share_low_{after}": found.share.low,
        f"share_high_{after}": found.share.high,
        f"outcome_{after}": found.told,
    }


def empty_follow_up(after: int) -> dict[str, object]:
    """The columns of `follow_up` where nothing was gained."""
    names = ("level", "level_se", "share", "share_low", "share_high")
    return {f"{name}_{after}": np.nan for name in names} | {f"outcome_{after}": None}


def horizon(table: pd.DataFrame, after: int) -> Horizon:
    """All facilities together, so many months after.

    Parameters
    ----------
    table : DataFrame, one row per facility
        ``baseline``, ``end`` with their errors ``baseline_se`` and ``end_se``, and the columns of `follow_up`.
    """
    outcome = table[f"outcome_{after}"]
    n_kept, n_lost = int((outcome == "kept").sum()), int((outcome == "lost").sum())
    known = table.loc[outcome.isin(["kept", "lost", "cannot be told"])]
    return Horizon(
        months_after=after,
        n_too_early=int((outcome == "too early").sum()),
        n_due=len(known) + int((outcome == "not reported").sum()),
        n_known=len(known),
        n_kept=n_kept,
        n_lost=n_lost,
        kept=proportion(n_kept, n_kept + n_lost) if n_kept + n_lost >= FEWEST_FACILITIES else None,
        share=_together(known, after),
    )


def _together(known: pd.DataFrame, after: int) -> PooledShare | None:
    """The share of the gain kept, over the facilities known; None where too few have levels with an error."""
    levels = pd.DataFrame(
        {
            "before": known["baseline"],
            "at_end": known["end"],
            "later": known[f"level_{after}"],
            "before_se": known["baseline_se"],
            "at_end_se": known["end_se"],
            "later_se": known[f"level_se_{after}"],
        },
        dtype=float,
    ).dropna()
    return pooled_share_of_gain_kept(levels) if len(levels) >= FEWEST_TO_POOL else None


def fall_by_chance(table: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    """What each level at the end of support is likely to be in truth: part of a large gain is chance.

    Gains of facilities are taken as normal around their average, each seen with its error (empirical Bayes [1]_). A
    gain above the average is then likely to have been higher than it truly is, and its level would fall back by
    error^2 of the end / (variance between facilities + error^2 of the gain) of that excess though nothing changed:
    regression to the mean, whichever facilities were chosen to be followed and why.

    Parameters
    ----------
    table : DataFrame, one row per facility, gained or not
        ``baseline``, ``end``, ``baseline_se`` and ``end_se``.

    Returns
    -------
    DataFrame, with the index of `table`
        ``end``; ``true_end``, ``true_end_se``; and ``fall``, end less true end in the direction that is better. Missing
        fall, and ``true_end`` the end itself, where fewer than five facilities have their levels.

    References
    ----------
    .. [1] Morris CN. Parametric empirical Bayes inference. JASA 1983;78:47.
    """
    found = pd.DataFrame({"end": table["end"], "true_end": table["end"], "true_end_se": table["end_se"]}, dtype=float)
    found["fall"] = np.nan
    known = table[["baseline", "end", "baseline_se", "end_se"]].astype(float).dropna()
    if len(known) < FEWEST_TO_POOL:
        return found
    error = known["baseline_se"] ** 2 + known["end_se"] ** 2
    gain = known["end"] - known["baseline"]
    mean = average(gain.to_numpy(), np.sqrt(error.to_numpy()))
    weight = known["end_se"] ** 2 / (mean.tau2 + error)
    fall = weight * (gain - mean.estimate)
    found.loc[known.index, "true_end"] = known["end"] - fall
    found.loc[known.index, "true_end_se"] = known["end_se"] * np.sqrt(1 - weight)
    found.loc[known.index, "fall"] = fall * indicator.sign
    return found
