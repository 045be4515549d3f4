"""Simulated collaboratives of any size whose true answers are known.

They serve twice: as the bundled examples, and as the yardstick a method is held against. `simulate` returns the
ten tables as the door would read them, and beside them the truth they were drawn from.

How the data come about: each facility has its own level of each indicator (a random intercept on the logit scale, or
the log scale for rates). After it joins, its level climbs in a straight line over `ramp_months` to the level
that the indicator's effect reaches, and holds while support lasts. Then it stays there for good in facilities that
keep their gain; in the others the gain shrinks by the same factor every month. Counts are binomial, or Poisson
for rates, around that level. Facilities are of very different size, and whole facility-months go unreported.

``python -m qieval.study.simulate`` writes the bundled examples again.
"""

from qieval.study.simulate.collaborative import Simulated, Truth, simulate
from qieval.study.simulate.design import Design, Indicator, Mentoring
from qieval.study.simulate.examples import DEMO, EXAMPLES, SMALL, write_examples
from qieval.study.simulate.tables import write_tables

__all__ = [
    "DEMO",
    "EXAMPLES",
    "SMALL",
    "Design",
    "Indicator",
    "Mentoring",
    "Simulated",
    "Truth",
    "simulate",
    "write_examples",
    "write_tables",
]
