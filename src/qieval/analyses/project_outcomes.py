"""How do projects end? Completed, abandoned or still open, by how many months after they began."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qieval.analyses.durations import FEWEST_PROJECTS, Durations
from qieval.methods.survival import RestrictedMean, cumulative_incidence, restricted_mean

TOLD_MONTHS = (3, 6, 12, 18, 24)


@dataclass(frozen=True, eq=False, kw_only=True)
class ProjectOutcomes:
    """The shares completed and abandoned over time, with those still open counted as open."""

    shares: pd.DataFrame  # one row per distinct duration: time, at_risk, and completed, abandoned with _low and _high
    told: pd.DataFrame  # the same at 3, 6, 12 ... months, as far as five projects were followed: month, open, ...
    mean: RestrictedMean | None  # months to the end, up to the last month that five projects were followed to
    completed_only_median: float  # of the completed alone: too short while others are open or abandoned
    n_completed: int
    n_abandoned: int
    n: int


def project_outcomes(result: Durations) -> ProjectOutcomes | None:
    """Shares completed and abandoned by month since the start; None where fewer than five dated projects have ended.

    A project that is abandoned can no longer be completed, so it is neither dropped nor counted as open
    (Aalen-Johansen). Limits are 95% on the log-log scale, which keeps them between 0 and 1.
    """
    if not result.has_median:
        return None
    dated = result.projects.dropna(subset=["duration_months"])
    months, status = dated["duration_months"], dated["status"]
    completed, abandoned = (_shares(months, status, cause) for cause in ("completed", "abandoned"))
    shares = completed[["time", "at_risk"]].join([completed.iloc[:, 2:], abandoned.iloc[:, 2:]])
    horizon = last_followed(months)
    mean = restricted_mean(months, dated["ended"], horizon=horizon) if horizon > 0 else None
    return ProjectOutcomes(
        shares=shares,
        told=_told(shares, months, horizon),
        mean=mean,
        completed_only_median=float(months[status == "completed"].median()),
        n_completed=int((status == "completed").sum()),
        n_abandoned=int((status == "abandoned").sum()),
        n=len(dated),
    )


def last_followed(months: pd.Series) -> float:
    """The longest time to which five durations extend; 0 where there are fewer."""
    return float(months.nlargest(FEWEST_PROJECTS).iloc[-1]) if len(months) >= FEWEST_PROJECTS else 0.0


def _shares(months: pd.Series, status: pd.Series, cause: str) -> pd.DataFrame:
    """time, at_risk, and the share that ended by `cause` with its limits, in columns named after it."""
    found = cumulative_incidence(months, status, cause=cause)
    low, high = _log_log_limits(found["estimate"].to_numpy(), found["standard_error"].to_numpy())
    return found[["time", "at_risk"]].assign(**{cause: found["estimate"], f"{cause}_low": low, f"{cause}_high": high})


def _log_log_limits(share: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95% limits of a share on the scale of log(-log); missing where the share is 0 or 1.

    References
    ----------
    .. [1] Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time Data, 2nd ed., 2002, sec. 1.4.
    """
    inside = (share > 0) & (share < 1) & (error > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = 1.959963984540054 * error / (share * np.abs(np.log(share)))
        limits = [np.where(inside, share ** np.exp(sign * half), math.nan) for sign in (1, -1)]
    return limits[0], limits[1]


def _told(shares: pd.DataFrame, months: pd.Series, horizon: float) -> pd.DataFrame:
    rows = []
    for month in [month for month in TOLD_MONTHS if month <= horizon]:
        until = shares.loc[shares["time"] <= month]
        known = until.iloc[-1].drop(["time", "at_risk"]).to_dict() if len(until) else {"completed": 0, "abandoned": 0}
        rows.append({"month": month, "open": int((months > month).sum()), **known})
    return pd.DataFrame(rows, columns=["month", "open", *shares.columns.drop(["time", "at_risk"])], dtype=float)
