"""Interrupted time series: what changed at a start, with intervals that hold for short, autocorrelated series.

`fit` is the door. Inside, in reading order: `design` checks the series and builds the terms, `ar1` holds the
statistics, `engines` the alternatives to it, `effect` the change at one period, `flags` what a reader
must know, `model` the fit; `planning` asks how many months it takes.
"""

from qieval.methods.its.effect import Effect
from qieval.methods.its.flags import Flag
from qieval.methods.its.model import Fit, fit
from qieval.methods.its.planning import months_needed

__all__ = ["Effect", "Fit", "Flag", "fit", "months_needed"]
