"""Limits about a target, by chance alone or by a spread between units beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from qieval.methods.funnel.beta_binomial import BetaBinomial


class Scale(NamedTuple):
    """Where z scores are taken; the standard error is that of chance alone, by the delta method at the target."""

    forward: Callable[[Any], Any]
    backward: Callable[[np.ndarray], np.ndarray]
    standard_error: Callable[[float, np.ndarray], np.ndarray]


# Beyond their ends a sine and a square would turn back into the plot: hence the clips.
_ROOT = Scale(np.sqrt, lambda x: x.clip(0) ** 2, lambda target, n: 1 / (2 * np.sqrt(n)))
_ARCSINE = _ROOT._replace(
    forward=lambda value: np.arcsin(np.sqrt(value)), backward=lambda x: np.sin(x.clip(0, np.pi / 2)) ** 2
)
_LOG = Scale(np.log, np.exp, lambda target, n: 1 / np.sqrt(target * n))
_COUNT = Scale(lambda value: value, lambda x: x, lambda target, n: np.sqrt(target / n))
_SHARE = _COUNT._replace(standard_error=lambda target, n: np.sqrt(target * (1 - target) / n))
SCALES = {
    "proportion": {"arcsine": _ARCSINE, "natural": _SHARE},
    "rate": {"root": _ROOT, "log": _LOG, "natural": _COUNT},
    "ratio": {"root": _ROOT, "log": _LOG, "natural": _COUNT},
}


@dataclass(frozen=True)
class Model:
    """How units vary about the target: by chance alone, or by one of phi, tau2 and dispersion more."""

    kind: str
    target: float
    on: Scale
    phi: float = 1.0
    tau2: float = 0.0
    dispersion: float = 0.0

    @property
    def is_normal(self) -> bool:
        """Whether limits are normal on the scale; a spread no larger than chance leaves them exact."""
        return self.phi > 1 or self.tau2 > 0

    def inflation(self, n: np.ndarray) -> np.ndarray:
        """The variance of a unit of denominator `n`, over its variance by chance."""
        if self.is_normal:
            return max(self.phi, 1.0) + self.tau2 / self.on.standard_error(self.target, n) ** 2
        return 1 + self.dispersion * ((n - 1) if self.kind == "proportion" else self.target * n)

    def limits(self, n: np.ndarray, levels: tuple[float, ...]) -> dict[str, np.ndarray]:
        from scipy.stats import norm

        tails = np.array([tail for level in levels for tail in ((1 - level) / 2, (1 + level) / 2)])
        if self.is_normal:
            spread = self.on.standard_error(self.target, n) * np.sqrt(self.inflation(n))
            found = self.on.backward(self.on.forward(self.target) + np.outer(spread, norm.ppf(tails)))
        else:
            found = self._quantiles(n, tails) / n[:, np.newaxis]
        found = np.clip(found, 0, 1 if self.kind == "proportion" else None)
        names = [f"{side}_{percent(level)}" for level in levels for side in ("lower", "upper")]
        return dict(zip(names, found.T, strict=True))

    def exact_p(self, y: np.ndarray, n: np.ndarray) -> np.ndarray:
        """Both tails as twice the smaller one, the count itself included."""
        null = self._distribution(n)
        return np.minimum(1, 2 * np.minimum(null.cdf(y), null.sf(y - 1)))

    def _quantiles(self, n: np.ndarray, tails: np.ndarray) -> np.ndarray:
        """Counts at which the distribution, drawn straight from each count to the next, reaches `tails`: n x tails."""
        null = self._distribution(n[:, np.newaxis])
        count = null.ppf(tails)
        return count - (null.cdf(count) - tails) / null.pmf(count)

    def _distribution(self, n: np.ndarray) -> Any:
        """A frozen distribution of scipy, or our own with the same four functions."""
        from scipy.stats import binom, nbinom, poisson

        if self.kind == "proportion":
            return BetaBinomial(n, self.target, self.dispersion) if self.dispersion > 0 else binom(n, self.target)
        if self.dispersion > 0:
            return nbinom(1 / self.dispersion, 1 / (1 + self.dispersion * self.target * n))
        return poisson(self.target * n)


def percent(level: float) -> str:
    """A level as columns are named by it: 0.998 is 99.8."""
    return f"{100 * level:.10g}"
