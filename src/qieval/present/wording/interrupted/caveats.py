"""What the estimate rests on."""

from __future__ import annotations

from collections.abc import Sequence

from qieval.analyses.interrupted import Interrupted, expected_false_alarms
from qieval.analyses.interrupted_line import Line, months_used
from qieval.present.display import Text
from qieval.present.numbers import count, listed, of
from qieval.present.wording.interrupted.terms import few, has_case, model_of


def caveats(result: Interrupted) -> Text:
    """What the estimate rests on."""
    lines = [text.replace("{}", part) for text, part in _caveats(result)]
    if lines:
        lines[0] = f"{result.indicator.name}: {lines[0]}"
    return Text(sentences=lines, style="caveats")


def caveats_of_all(results: Sequence[Interrupted]) -> Text:
    """What the estimates of all indicators rest on, each sentence once, and the alarms expected by chance."""
    found: dict[str, dict[str, list[str]]] = {}  # sentence, its part that differs, indicators
    fitted = [result for result in results if result.month is not None]
    for result in fitted:
        for text, part in _caveats(result):
            found.setdefault(text, {}).setdefault(part, []).append(result.indicator.name)
    lines = []
    for text, parts in found.items():
        names = [name for own in parts.values() for name in own]
        if len(parts) > 1:
            lines.append(text.replace("{}", listed([f"{part} ({listed(own)})" for part, own in parts.items()])))
        else:
            line = text.replace("{}", next(iter(parts)))
            lines.append(line if len(names) == len(fitted) else f"{listed(names)}: {line}")
    alarms = expected_false_alarms(results)
    if alarms is not None and alarms.charts > 1:
        lines.append(
            f"Over all indicators, {few(alarms.expected)} of the {alarms.charts} intervals of single facilities would "
            "have pointed to a change had nothing changed anywhere."
        )
    return Text(sentences=lines, style="caveats")


def _caveats(result: Interrupted) -> list[tuple[str, str]]:
    """Sentences, and what goes in the place of {} in each."""
    if result.month is None:
        return []
    first, last = months_used(result.month, result.transition_months)
    lines = [("The fit uses all months before joining and months {} after it.", f"{first} to {last}")]
    if model_of(result) == "trend":
        lines.append(
            (
                "The straight line through the months before joining is carried on; had it bent by itself, the change "
                "would be another.",
                "",
            )
        )
    if result.longest_months < 24:
        lines.append(("There are less than two years of months, so seasons cannot be told from change.", ""))
    elif has_case(result, "seasons"):
        lines.append(
            ("Seasons are not in the headline; the table of other ways has an estimate with a yearly wave in it.", "")
        )
    else:
        lines.append(("Seasons are not allowed for.", ""))
    beyond = int(result.facilities["beyond"].sum())
    if beyond and result.pooled is None:
        lines.append(
            (
                "In {} the trend carried on would pass the lowest or the highest value there can be, so a straight "
                "line cannot be right there; its interval is wide for that.",
                count(beyond, "facility", "facilities"),
            )
        )
    for code, text in FLAGS.items():
        n = _flagged(result, code)
        if n:
            lines.append((text, of(n, result.n_told, "facility", "facilities")))
    if result.line is not None:
        lines += [(text, "") for text in _line_caveats(result.line)]
    if result.small_months:
        lines.append(
            (
                f"Left out: {{}} with fewer than {result.smallest_denominator} people.",
                count(result.small_months, "facility-month"),
            )
        )
    return lines


FLAGS = {
    "newey_west_narrower": (
        "In {} the errors by Newey-West, one of the ways in the table, are smaller than those by least squares: a sign "
        "of few months, or of months that swing to and fro, and not of precision. The headline makes no use of them."
    ),
    "near_unit_root": (
        "In {} months resemble the ones before so much that a change can hardly be told from drift; compare the ways "
        "in the table."
    ),
    "alternating": (
        "In {} months swing to and fro so regularly that REML, one of the ways in the table, means nothing there."
    ),
}


def _flagged(result: Interrupted, code: str) -> int:
    told = result.facilities.loc[result.facilities["estimate"].notna(), "fit_flags"]
    return int(told.map(lambda flags: code in flags).sum())


def _line_caveats(line: Line) -> list[str]:
    lines = []
    if line.baseline_moving:
        lines.append("All together, the baseline was itself moving: its change rests on that trend going on.")
    if "near_unit_root" in line.flags:
        lines.append(
            "All together, months resemble the ones before so much that a change can hardly be told from drift; "
            "compare the engines in the table."
        )
    if "alternating" in line.flags:
        lines.append(
            "All together, months swing to and fro so regularly that the interval of REML means nothing there."
        )
    if "newey_west_narrower" in line.flags or line.engines["narrower"].any():
        lines.append(
            "All together, Newey-West's errors are smaller than those of least squares: a sign of few months, or of "
            "months that swing to and fro, and not of precision."
        )
    if "unequal_denominators" in line.flags:
        lines.append("All together, some months have more than ten times the people of others and weigh the same.")
    return lines
