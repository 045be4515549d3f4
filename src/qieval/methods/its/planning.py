"""How many months it takes until a gain of a given size can be told from none."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from qieval.errors import ParameterError, bulleted
from qieval.methods.its import ar1
from qieval.methods.its.design import FEWEST_BEFORE_FOR_SLOPE, FEWEST_EACH_SIDE, FEWEST_FOR_SLOPE

REPLICATES = 1_000  # simulated series behind one power: known to 1.3 points at 80%


def months_needed(
    gain: float,
    *,
    sigma: float,
    phi: float,
    n_before: int,
    n_after: int = 0,
    slope: bool = True,
    power: float = 0.80,
    level: float = 0.95,
    most: int = 120,
) -> int | None:
    """How many months more, until the averaged interval of a level change of `gain` leaves out 0.

    First by formula: with se the standard error of `level_change` at this phi, the chance that a noncentral t of
    n - p degrees of freedom and noncentrality gain / se exceeds the t quantile. It takes phi as known, and promises
    up to 14 points of power too much; so the months are counted on from there until `simulated_power` agrees.

    Parameters
    ----------
    gain : float
        The change of level aimed at, either sign, in the units of `sigma`.
    sigma, phi : float
        The noise, as `Fit.sigma` and `Fit.phi_reml` or `Fit.phi` have it.
    n_before, n_after : int
        Months seen before the start, and after it so far.
    slope : bool
        Whether the change of slope is estimated beside the level; without it fewer months do.
    most : int
        Months after the start beyond which the search ends.

    Returns
    -------
    int or None
        0 if those seen are enough; None if not even `most` are: with few months before, the level before stays
        uncertain however long one waits.

    Raises
    ------
    ParameterError
        If a number is impossible; all of them are named at once.

    References
    ----------
    .. [1] Zhang F, Wagner AK, Ross-Degnan D. Simulation-based power calculation for designing interrupted time
       series analyses of health policy interventions. J Clin Epidemiol 2011;64:1252.
    """
    _check(gain, sigma, phi, n_before, n_after, power, level)
    effect = abs(gain) / sigma
    # Below 12 in all there is no trend in the model, and what is asked for is a different thing.
    fewest = max(FEWEST_EACH_SIDE, n_after, FEWEST_FOR_SLOPE - n_before if n_before >= FEWEST_BEFORE_FOR_SLOPE else 0)

    def is_enough(months: int, *, simulated: bool) -> bool:
        chance = simulated_power if simulated else formula_power
        return chance(effect, phi=phi, n_before=n_before, n_after=months, slope=slope, level=level) >= power

    low = next((months for months in range(fewest, most + 1) if is_enough(months, simulated=False)), None)
    if low is None:
        return None
    high = low
    while not is_enough(high, simulated=True):
        if high == most:
            return None
        low, high = high + 1, min(high + max(2, high // 4), most)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle, simulated=True) else (middle + 1, high)
    return low - n_after


def formula_power(
    effect: float, *, phi: float, n_before: int, n_after: int, slope: bool = True, level: float = 0.95
) -> float:
    """The power for a level change of `effect` standard deviations were phi known: see `months_needed`."""
    from scipy.stats import nct, t

    design = _design(n_before, n_after, slope=slope)
    # Only the standard error at unit noise is wanted, so any values do.
    values = np.random.default_rng(0).normal(size=len(design))
    steps = ar1.distances(np.arange(len(design)))
    fitted, _ = ar1.profile(design, values, steps, np.array([phi]))
    noise = ar1.noise(values - design @ fitted.coefs[0], steps, phi, fitted.df)
    error = np.sqrt(fitted.covariances[0, -1, -1]) / noise
    return float(nct.sf(t.ppf((1 + level) / 2, fitted.df), fitted.df, effect / error))


def simulated_power(
    effect: float, *, phi: float, n_before: int, n_after: int, slope: bool = True, level: float = 0.95
) -> float:
    """The share of simulated series whose averaged interval leaves out 0; always of the same random numbers."""
    # A gain moves the whole interval by its size, so that one set of fits serves every gain.
    return float(np.mean(_lower_limits(phi, n_before, n_after, slope, level) + effect > 0))


@lru_cache(maxsize=128)
def _lower_limits(phi: float, n_before: int, n_after: int, slope: bool, level: float) -> np.ndarray:
    """The lower limits (replicates,) of the level change in series in which nothing changed."""
    design = _design(n_before, n_after, slope=slope)
    noise = simulate(REPLICATES, len(design), phi, np.random.default_rng(20110401))
    mixture, _ = ar1.average(design, noise, ar1.distances(np.arange(len(design))))
    centres, errors = mixture.along(np.eye(design.shape[1])[-1:])
    return ar1.quantile((1 - level) / 2, mixture.weights, centres, errors, mixture.df)[:, 0]


def simulate(series: int, n: int, phi: float, random: np.random.Generator) -> np.ndarray:
    """So many series of AR(1) noise with standard deviation 1, (series, n)."""
    new = random.standard_normal((series, n))
    noise = new.copy()
    for i in range(1, n):
        noise[:, i] = phi * noise[:, i - 1] + np.sqrt(1 - phi**2) * new[:, i]
    return noise


def _design(n_before: int, n_after: int, *, slope: bool) -> np.ndarray:
    """As `fit` would choose it, with the level change as its last column."""
    times = np.arange(n_before + n_after)
    after = (times >= n_before).astype(float)
    columns = [np.ones(len(times))]
    if n_before >= FEWEST_BEFORE_FOR_SLOPE and len(times) >= FEWEST_FOR_SLOPE:
        columns += [times.astype(float), after * (times - n_before)] if slope else [times.astype(float)]
    return np.column_stack([*columns, after])


def _check(gain: float, sigma: float, phi: float, n_before: int, n_after: int, power: float, level: float) -> None:
    problems = []
    if not (np.isfinite(gain) and gain != 0):
        problems.append(f"gain is {gain}: give the change of level aimed at, not 0")
    if not (np.isfinite(sigma) and sigma > 0):
        problems.append(f"sigma is {sigma}: give a standard deviation above 0")
    if not ar1.PHI_GRID[0] <= phi <= ar1.PHI_GRID[-1]:
        problems.append(f"phi is {phi}: between -0.6 and 0.98 months can be planned for")
    if n_before < FEWEST_EACH_SIDE or n_after < 0:
        problems.append(f"{n_before} months before and {n_after} after: at least {FEWEST_EACH_SIDE} before are needed")
    if not (0 < power < 1 and 0 < level < 1):
        problems.append(f"power {power} and level {level} are proportions such as 0.80 and 0.95")
    if problems:
        raise ParameterError(bulleted("months_needed", problems))
