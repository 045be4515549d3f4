"""Funnel plots: which of many units differ from an overall level by more than chance, and by more than the usual."""

from qieval.methods.funnel.spread import FEWEST_UNITS
from qieval.methods.funnel.table import CURVE_POINTS, Funnel, funnel

__all__ = ["CURVE_POINTS", "FEWEST_UNITS", "Funnel", "funnel"]
