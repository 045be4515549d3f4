"""What may be said of an interrupted time series: how far care stands from where it was heading, not why."""

from qieval.present.wording.interrupted.answer import answer, facilities
from qieval.present.wording.interrupted.captions import forest_alt, forest_caption, line_alt, line_caption, shown_range
from qieval.present.wording.interrupted.caveats import caveats, caveats_of_all
from qieval.present.wording.interrupted.claims import claims, months_more
from qieval.present.wording.interrupted.terms import CASES, ENGINES, REASONS, amount, from_to, limits

__all__ = [
    "CASES",
    "ENGINES",
    "REASONS",
    "amount",
    "answer",
    "caveats",
    "caveats_of_all",
    "claims",
    "facilities",
    "forest_alt",
    "forest_caption",
    "from_to",
    "limits",
    "line_alt",
    "line_caption",
    "months_more",
    "shown_range",
]
