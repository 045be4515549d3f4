"""Statistical process control: run and control charts, their rules, and what may be read from them."""

from qieval.methods.spc.chart import Chart, chart
from qieval.methods.spc.false_signals import SHORTEST_BASELINE, false_signal_rate, last_point_rate
from qieval.methods.spc.limits import KINDS
from qieval.methods.spc.prepare import WARNINGS
from qieval.methods.spc.rephase import suggest_phases
from qieval.methods.spc.rules import RULE_SETS
from qieval.methods.spc.verdicts import FEWEST_POINTS, verdicts
from qieval.methods.spc.watch import bernoulli_cusum, bernoulli_run_length, cusum, ewma

__all__ = [
    "FEWEST_POINTS",
    "KINDS",
    "RULE_SETS",
    "SHORTEST_BASELINE",
    "WARNINGS",
    "Chart",
    "bernoulli_cusum",
    "bernoulli_run_length",
    "chart",
    "cusum",
    "ewma",
    "false_signal_rate",
    "last_point_rate",
    "suggest_phases",
    "verdicts",
]
