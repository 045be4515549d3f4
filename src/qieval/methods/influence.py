"""What each unit adds to the error of an estimate, and the intervals and bands that follow from it.

An estimate that is a mean of changes has an influence of each unit: what it moves if that unit is given more weight.
Their squares, summed within waves, are its variance; shared between estimates they say how these vary together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, kw_only=True)
class PreTest:
    """Did units that were about to join move like the others? The event study before joining, all at once."""

    since_joining: float  # where the departure is clearest; missing where there is nothing to test
    estimate: float  # there
    p_value: float  # of the clearest of `n_estimates`, allowing for the choice
    n_estimates: int


def pooled(cells: pd.DataFrame, influence: np.ndarray, wave: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean over cells weighted by the size of their waves, which as in [1]_ has an influence of its own."""
    estimate = cells["estimate"].to_numpy()
    members = cells["group"].to_numpy()[:, None] == wave
    size = members.sum(axis=1)
    pooled = size @ estimate / size.sum()
    return pooled, (size @ influence + (estimate - pooled) @ members) / size.sum()


def pooled_by(
    key: pd.Series, cells: pd.DataFrame, influence: np.ndarray, wave: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray]:
    """The pooled estimate and its influence for every value of `key`, in order."""
    values = np.unique(key)
    found = [pooled(cells[key == value], influence[key == value], wave) for value in values]
    return pd.DataFrame({"estimate": [one for one, _ in found]}, index=values), np.array([psi for _, psi in found])


@dataclass(frozen=True, eq=False)
class Noise:
    """The error of several estimates, and where it comes from."""

    by_cluster: np.ndarray  # estimates x clusters: what each cluster adds to the error of each estimate
    by_stratum: np.ndarray  # estimates x waves, or groups of waves that share clusters: variance
    df: np.ndarray  # of each stratum's variance; infinite for the large-sample form
    error: np.ndarray  # standard error of each estimate


def noise_of(
    influence: np.ndarray, *, wave: np.ndarray, cluster: np.ndarray, smallest: float, small_sample: bool
) -> Noise:
    """The error of each estimate, summed over clusters: units of one cluster may move together.

    `influence` has a row per estimate and a column per unit; `cluster` counts from 0. An error of `smallest` or less
    is rounding, and missing.
    """
    _, wave = np.unique(wave, return_inverse=True)
    # Waves that share clusters are not independent and have their variance in common.
    stratum = wave.copy()
    waves_of = pd.Series(wave).groupby(cluster).nunique()
    for one in waves_of.index[waves_of > 1]:
        shared = stratum[cluster == one]
        stratum[np.isin(stratum, shared)] = shared.min()

    clusters = np.array([len(np.unique(cluster[stratum == one])) for one in np.unique(stratum)])
    by_cluster = np.zeros((len(influence), cluster.max() + 1))
    by_stratum = np.zeros((len(influence), len(clusters)))
    for s, one in enumerate(np.unique(stratum)):
        own = np.zeros_like(by_cluster)
        for w in np.unique(wave[stratum == one]):
            psi, members = influence[:, wave == w], cluster[wave == w]
            if small_sample:
                k = len(np.unique(members))
                psi = (psi - psi.mean(axis=1, keepdims=True)) * np.sqrt(k / (k - 1))
            np.add.at(own.T, members, psi.T)
        by_cluster += own
        by_stratum[:, s] = (own**2).sum(axis=1)
    error = np.sqrt((by_cluster**2).sum(axis=1))
    # The base of a universal base is 0 by definition, and outcomes that never vary have no error to judge by.
    error[error <= smallest] = np.nan
    return Noise(by_cluster, by_stratum, clusters - 1.0 if small_sample else np.full(len(clusters), np.inf), error)


def degrees_of_freedom(noise: Noise) -> np.ndarray:
    """Satterthwaite's degrees of freedom of each estimate."""
    total = np.where(np.isnan(noise.error), np.nan, noise.by_stratum.sum(axis=1))
    with np.errstate(divide="ignore"):  # the large-sample form: infinitely many
        return total**2 / (noise.by_stratum**2 / noise.df).sum(axis=1)


def with_intervals(table: pd.DataFrame, noise: Noise, level: float) -> pd.DataFrame:
    """The estimates with standard error and Student interval; columns that count (`n_...`) come last."""
    from scipy.stats import t

    half_width = t.ppf((1 + level) / 2, degrees_of_freedom(noise)) * noise.error
    others = [column for column in table if column.startswith("n_")]
    return table.drop(columns=others).assign(
        standard_error=noise.error,
        low=table["estimate"] - half_width,
        high=table["estimate"] + half_width,
        **table[others],
    )


def with_bands(
    study: pd.DataFrame, noise: Noise, *, before: float, level: float, seed: int, draws: int
) -> tuple[pd.DataFrame, PreTest]:
    """Bands that hold for all rows at once, and the test of those before joining, or before what was anticipated of it.

    Each draw divides correlated normal errors by standard errors that vary as they would with so few clusters, and
    keeps its smallest p-value. One p-value for all rows, rather than one width, lets a row that few units bear be
    wide without widening the others.
    """
    from scipy.special import stdtr
    from scipy.stats import t

    nothing = PreTest(since_joining=np.nan, estimate=np.nan, p_value=np.nan, n_estimates=0)
    known = ~np.isnan(noise.error)
    if not known.any():
        return study.assign(band_low=np.nan, band_high=np.nan), nothing
    rng = np.random.default_rng(seed)
    rows, error, df = study[known], noise.error[known], np.minimum(degrees_of_freedom(noise)[known], 1e9)
    # As many independent normals as there are directions to vary in: clusters may be many and rows few.
    u, s, _ = np.linalg.svd(noise.by_cluster[known] / error[:, None], full_matrices=False)
    errors = rng.standard_normal((draws, len(s))) @ (u * s).T
    if np.isfinite(noise.df).all():
        # One draw for all rows would overlook that the row whose variance is smallest by chance looks clearest.
        share = noise.by_stratum[known] / noise.by_stratum[known].sum(axis=1, keepdims=True)
        spread = (share[:, w] * rng.chisquare(k, errors.shape) / k for w, k in enumerate(noise.df))
        errors /= np.sqrt(sum(spread))
    p_values = 2 * stdtr(df, -np.abs(errors))
    half_width = t.ppf(1 - np.quantile(p_values.min(axis=1), 1 - level) / 2, df) * error
    banded = study.assign(band_low=rows["estimate"] - half_width, band_high=rows["estimate"] + half_width)

    early = rows.index.to_numpy() < before
    if not early.any():
        return banded, nothing
    observed = 2 * stdtr(df, -np.abs(rows["estimate"].to_numpy()) / error)[early]
    clearest = rows[early].iloc[int(observed.argmin())]
    return banded, PreTest(
        since_joining=float(clearest.name),
        estimate=float(clearest["estimate"]),
        p_value=float((p_values[:, early].min(axis=1) <= observed.min()).mean()),
        n_estimates=int(early.sum()),
    )
