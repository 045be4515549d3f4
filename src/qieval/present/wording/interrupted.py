"""What may be said of an interrupted time series: how far care stands from where it was heading, not why."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from qieval.analyses.interrupted import FEWEST_FOR_SPREAD, Interrupted, expected_false_alarms
from qieval.analyses.interrupted_line import Line, Model, months_used
from qieval.analyses.run_charts import FEWEST_MONTHS
from qieval.analyses.series import Indicator
from qieval.methods.pooling import FEWEST_TO_POOL
from qieval.present.display import Text
from qieval.present.numbers import MINUS, change, count, listed, number, of, percent, unit, value

ENGINES = {
    "averaged": "average over autocorrelations",
    "reml": "REML, autocorrelation at its best value",
    "newey_west": "Newey-West, one lag",
    "ols": "least squares",
    "quasibinomial": "quasi-binomial",
    "quasipoisson": "quasi-Poisson",
}
CASES = {
    **ENGINES,
    "averaged": "as told above",
    "steady_baselines": "without facilities whose baseline was moving",
    "possible_trends": "without facilities whose trend passes what is possible",
    "seasons": "with a yearly wave, where there are two years",
    "both_models": "with facilities that tell level alone, or a trend",
}


def answer(result: Interrupted) -> str:
    """The change at the month told, with its interval, and where one more facility may lie."""
    name, indicator = result.indicator.name, result.indicator
    if result.month is None:
        return (
            f"{name}: no interrupted time series can be fitted, and the run chart is all there is. {_why_none(result)}"
        )
    if result.pooled is None:
        return f"{name}: {_why_not_pooled(result)} {_together(result)}"
    if result.is_refused:
        return f"{name}: {_refused(result)}"
    pooled, told = result.pooled, result.is_told
    compared = "their own trends before joining, carried on, would have put them"
    compared = compared if result.model == "trend" else "in the months before joining"
    interval = f"95% interval {limits(pooled.low, pooled.high, indicator)}"
    when = f"{count(result.month, 'month')} after joining"
    if told:
        stood = f"stood on average {amount(abs(pooled.estimate), indicator)} {_way(pooled.estimate)} than"
        text = f"{name}: {when}, {pooled.k} facilities {stood} {compared} ({interval}{_less(indicator)})."
    else:
        text = (
            f"{name}: {when}, no change could be told. On average {pooled.k} facilities stood "
            f"{amount(abs(pooled.estimate), indicator)} {_way(pooled.estimate)} than {compared} "
            f"({interval}{_less(indicator)})."
        )
    between = limits(pooled.prediction_low, pooled.prediction_high, indicator)
    text += f" In one more facility like these the change may lie anywhere from {between} (95% prediction interval)."
    return text + _spread(result)


def claims(result: Interrupted) -> Text:
    """What the design and the interval allow to be said, what was refused, and which other ways disagree."""
    lines = []
    if result.is_refused:
        lines = [_sooner(result)]  # nothing is built on a number that was refused
    elif result.month is not None:
        lines += [_by_design(result), _by_interval(result), _looked_for(result), _sooner(result)]
        lines += [
            *_disagreeing(result),
            _impossible(result),
            _edges(result),
            _moving(result),
            _of_line(result),
            months_more(result),
        ]
    return Text(sentences=[line for line in lines if line], style="note")


def facilities(result: Interrupted) -> Text:
    """How many facilities changed clearly, and which could not tell."""
    if result.month is None:
        return Text(sentences=[])
    if not result.n_told:
        return Text(sentences=[_left_out(result)])
    if result.is_refused:
        text = (
            "As with the average, no claim can be made from the facilities' own changes, which are against the same "
            "trends; they are shown so that anyone can see why."
        )
        return Text(sentences=[line for line in (text, _left_out(result)) if line])
    table = result.facilities
    clear = table.loc[table["clear"]]
    better = int((clear["estimate"] * result.indicator.sign > 0).sum())
    who = count(result.n_told, "facility", "facilities")
    text = f"Of {who} that can tell a change {count(result.month, 'month')} after joining, "
    if clear.empty:
        text += "none shows one that is clear beside so many comparisons."
    else:
        text += (
            f"{len(clear)} {'shows' if len(clear) == 1 else 'show'} one that is clear even among so many comparisons: "
            f"{better} for the better, {len(clear) - better} for the worse."
        )
    if result.alarms is not None and result.n_told > 1:
        text += (
            f" Had nothing changed, {_few(result.alarms.expected)} of their {result.n_told} intervals would still have "
            "pointed to a change."
        )
    return Text(sentences=[line for line in (text, _left_out(result)) if line])


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
            f"Over all indicators, {_few(alarms.expected)} of the {alarms.charts} intervals of single facilities would "
            "have pointed to a change had nothing changed anywhere."
        )
    return Text(sentences=lines, style="caveats")


def _caveats(result: Interrupted) -> list[tuple[str, str]]:
    """Sentences, and what goes in the place of {} in each."""
    if result.month is None:
        return []
    first, last = months_used(result.month, result.transition_months)
    lines = [("The fit uses all months before joining and months {} after it.", f"{first} to {last}")]
    if _model(result) == "trend":
        lines.append(
            (
                "The straight line through the months before joining is carried on; had it bent by itself, the change "
                "would be another.",
                "",
            )
        )
    if result.longest_months < 24:
        lines.append(("There are less than two years of months, so seasons cannot be told from change.", ""))
    elif _has(result, "seasons"):
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


def months_more(result: Interrupted) -> str:
    """How many months more until a gain of the size aimed at could be told from none."""
    needed, indicator = result.needed, result.indicator
    if needed is None:
        return {
            "told": "",
            "no_target": "Without a target it cannot be said how many months more would be needed.",
            "reached": "The baseline was at the target already, so there is no gain to wait for.",
            "few_months": "How many months more would be needed cannot be said, as facilities share too few months.",
        }.get(result.not_planned, "How many months more would be needed cannot be said without a line of all together.")
    assert indicator.target is not None
    gain = (
        f"a change at once of {amount(abs(needed.gain), indicator)} (from the baseline of "
        f"{value(needed.baseline, indicator)} to the target of {value(indicator.target, indicator)})"
    )
    if needed.months is None:
        return (
            f"Even ten years after joining, {gain} could not be told from none with four chances in five: the months "
            "before joining are too few, or vary too much."
        )
    if needed.months == 0:
        return f"With the noise seen in all together, {gain} would have had four chances in five to show by now."
    return (
        f"With the noise seen in all together, {count(needed.months, 'month')} more would be needed until {gain} could "
        "be told from none with four chances in five."
    )


# --- captions and alternative texts ----------------------------------------------------------------


def line_caption(result: Interrupted) -> str:
    """Caption of the interrupted time series."""
    line = result.line
    assert line is not None
    n = count(len(line.facilities), "facility", "facilities")
    by = "by months since each joined" if line.aligned else "month by month"
    carried = "the trend before, carried on," if line.model == "trend" else "the level before, carried on,"
    text = f"{result.indicator.name}, the people of {n} added up, {by}. Solid: fitted. "
    text += f"Dashed: {carried} with its 95% band. The change is looked for as {SHAPES[line.model]}."
    unused = line.points.loc[line.points["value"].notna() & ~line.points["used"], "since"]
    climb, later = unused[unused < line.span[0]], unused[unused > line.span[1]]
    if len(unused):
        early = f"{_months(0, line.span[0] - 1)} after joining" if line.span[0] > 1 else "the month of joining"
        left = [f"the climb in {early}"] * bool(len(climb))
        left += [f"what came after month {line.span[1]}"] * bool(len(later))
        text += f" Open dots: {' and '.join(left)}, left out of the fit."
    if line.left_out:
        text += f" Not in it, as their months do not cover the same time: {listed(list(line.left_out))}."
    if result.pooled is not None:
        text += " Large facilities weigh most here; the answer above is the average over facilities."
    return text


def line_alt(result: Interrupted) -> str:
    """Alternative text of the interrupted time series."""
    return f"Interrupted time series of {result.indicator.name}. {_together(result)}"


def forest_caption(result: Interrupted) -> str:
    """Caption of the forest plot, with who is not in it and why."""
    assert result.month is not None
    text = (
        f"{result.indicator.name}: change {count(result.month, 'month')} after joining against each facility's own "
        "months before, with 95% intervals. Months used: before + after joining."
    )
    if result.pooled is not None:
        text += (
            " Squares are larger where a facility weighs more. Diamond: the average with its interval; thin bar: where "
        )
        text += "one more facility like these may lie."
        text += " The diamond is open, as no claim can be made from it." if result.is_refused else ""
    if _clipped_any(result):
        text += " An arrow: the interval goes on."
    told = result.facilities.loc[result.facilities["estimate"].notna()]
    if told["baseline_moving"].any():
        text += " †: the baseline was itself moving."
    if told["beyond"].any():
        text += f" ‡: the trend carried on would pass {_edge(indicator=result.indicator)}, which cannot be."
    if result.pooled is not None and told["weight"].isna().any():
        text += f" Open: {_other_kind(result)}, not in the average."
    left = _left_out(result)
    return f"{text} {left}" if left else text


def forest_alt(result: Interrupted) -> str:
    """Alternative text of the forest plot."""
    n = count(result.n_told, "facility", "facilities")
    return f"Forest plot of {n}, {result.indicator.name}. {answer(result)}"


def amount(x: float, indicator: Indicator) -> str:
    """A size of change with its unit and without sign, e.g. 30 percentage points, 8.5 deaths per 1000 live births."""
    text = change(x, indicator).lstrip("+")
    if indicator.kind == "proportion":
        return text.replace("point", "percentage point")
    return f"{text} {unit(indicator)}".strip()


def limits(low: float, high: float, indicator: Indicator) -> str:
    """Both limits of a change with their signs, the unit of points once: +25 to +35 points."""
    if indicator.kind != "proportion":
        return f"{change(low, indicator)} to {change(high, indicator)}"
    # No share can change by more than 100 points, whatever a t distribution allows.
    first, last = (change(min(max(x, -1.0), 1.0), indicator) for x in (low, high))
    return f"{first.removesuffix('s').removesuffix(' point')} to {last}"


def _refused(result: Interrupted) -> str:
    """An average against trends that cannot have gone on is shown for what it is, and nothing claimed from it."""
    pooled, indicator = result.pooled, result.indicator
    assert pooled is not None
    beyond = int((result.facilities["beyond"] & result.facilities["weight"].notna()).sum())
    edge = _edge(indicator)
    return (
        f"no claim can be made. In {of(beyond, pooled.k, 'facility', 'facilities')}, with "
        f"{percent(result.beyond_share)} of the weight, the trend before joining would have passed {edge} by month "
        f"{result.month}, so it cannot have gone on, and the average against it ({change(pooled.estimate, indicator)}, "
        f"95% interval {limits(pooled.low, pooled.high, indicator)}) is no evidence of a change for better or worse."
    )


# --- parts -----------------------------------------------------------------------------------------


def _why_none(result: Interrupted) -> str:
    return _left_out(result) or "No facility has months both before and after joining."


def _why_not_pooled(result: Interrupted) -> str:
    n = result.n_told
    if n < FEWEST_TO_POOL:
        who = {0: "no facility can", 1: "1 facility can"}.get(n, f"{n} facilities can each")
        return f"{who} tell a change, and below {FEWEST_TO_POOL} no average over facilities is given."
    kinds = result.facilities.loc[result.facilities["estimate"].notna(), "model"].value_counts()
    if kinds.max() < FEWEST_TO_POOL:
        return (
            f"{kinds.get('trend', 0)} facilities tell a change against their trend and {kinds.get('level', 0)} of "
            f"level alone; these are different things, and below {FEWEST_TO_POOL} of a kind no average is given."
        )
    return "the facilities' errors are not such that an average could be taken."


def _together(result: Interrupted) -> str:
    """The line of all together in one sentence; it is the answer only where there is no average over facilities."""
    line, indicator = result.line, result.indicator
    if line is None:
        return NO_LINE[result.why_no_line]
    told = line.headline
    n = len(line.facilities)
    whose = "In that facility" if n == 1 else f"In {n} facilities together, their people added up,"
    carried = "its trend before, carried on, would have put it" if line.model == "trend" else "before joining"
    leaves_out = not told["low"] <= 0 <= told["high"]
    but = "" if leaves_out else ": no change that could be told"
    return (
        f"{whose} the level {count(result.month or 0, 'month')} after joining was "
        f"{amount(abs(told['estimate']), indicator)} {_way(told['estimate'])} than {carried} (95% interval "
        f"{limits(told['low'], told['high'], indicator)}{_less(indicator)}){but}."
    )


NO_LINE = {
    "no_month": "",
    "few_months": "Facilities share too few months to be shown together.",
    "at_edge": (
        "All together, care stood at or next to 0% or 100% before joining or after it, where months cannot vary: an "
        "interval would look exact, and none is given."
    ),
    "nothing_varies": "All together, too little varies about the lines for an interval.",
}


def _way(x: float) -> str:
    return "higher" if x >= 0 else "lower"


def _less(indicator: Indicator) -> str:
    return "; less is better" if indicator.sign < 0 else ""


def _spread(result: Interrupted) -> str:
    pooled = result.pooled
    assert pooled is not None
    if pooled.k < FEWEST_FOR_SPREAD:
        return f" From {pooled.k} facilities it can hardly be said how far they truly differ."
    if pooled.tau2 == 0:
        return (
            " How far facilities truly differ cannot be seen behind the uncertainty of each, so the true range may be "
            "wider."
        )
    return " Facilities differ by more than chance explains." if pooled.tau2_low > 0 else ""


def _by_design(result: Interrupted) -> str:
    if not result.is_told or result.is_refused:
        return ""
    text = "This change is associated with the collaborative. The trend under way before joining is allowed for; "
    if result.model == "level" or (result.model is None and result.line is not None and result.line.model == "level"):
        text = (
            "This change is associated with the collaborative, and only describes: with so few months a trend that was "
            "under way before joining would be counted as change; "
        )
    return (
        text
        + {
            "interrupted": (
                "whatever else began in the same month is not, as all joined together and nobody is there to "
                "compare with."
            ),
            "staggered": (
                "as facilities joined in different months, a single event outside can hardly explain all of it; "
                "something else that came along with joining could."
            ),
            "controlled": (
                "there are comparison facilities, of which this estimate makes no use: whether care changed there as "
                "well decides how much more may be said."
            ),
            "run chart only": "",
        }[result.design]
    )


def _by_interval(result: Interrupted) -> str:
    interval = result.headline
    if result.is_told or result.is_refused or interval is None:
        return ""
    return (
        "That no change could be told does not mean that there was none: these data agree with anything from "
        f"{limits(interval[1], interval[2], result.indicator)}."
    )


def _sooner(result: Interrupted) -> str:
    if result.month is None or result.month == result.month_asked:
        return ""
    why = "since the data of too few facilities go further"
    if result.month > result.month_asked:
        why = "the first after the transition"
    return f"Told at month {result.month} after joining and not at month {result.month_asked}, {why}."


def _rows_against(result: Interrupted) -> pd.DataFrame:
    """Other ways that say otherwise; that without impossible trends has a sentence of its own."""
    assert result.sensitivity is not None
    rows = result.sensitivity
    return rows.loc[~rows["agrees"] & rows["case"].ne("possible_trends")]


def _disagreeing(result: Interrupted) -> list[str]:
    lines = []
    if result.sensitivity is not None:
        for row in _rows_against(result).itertuples(index=False):
            shown = limits(row.low, row.high, result.indicator)
            lines.append(
                f"Another way would say otherwise: {CASES[row.case]}, it is {change(row.estimate, result.indicator)} "
                f"(95% interval {shown}, {count(row.k, 'facility', 'facilities')})."
                + (" Newey-West intervals are too narrow in short series." if row.case == "newey_west" else "")
            )
    return lines


def _moving(result: Interrupted) -> str:
    told = result.facilities.loc[result.facilities["estimate"].notna()]
    moving = list(told.loc[told["baseline_moving"], "facility"])
    if not moving:
        return ""
    text = f"The baseline was itself moving in {listed(moving)}: there the change rests on that trend going on."
    if _has(result, "steady_baselines"):
        assert result.sensitivity is not None
        row = result.sensitivity.set_index("case").loc["steady_baselines"]
        text += (
            f" Without {'it' if len(moving) == 1 else 'these'} the average is "
            f"{change(row['estimate'], result.indicator)} "
            f"(95% interval {limits(row['low'], row['high'], result.indicator)})."
        )
    return text


def _has(result: Interrupted, case: str) -> bool:
    found = result.sensitivity
    return found is not None and bool(found.loc[found["case"] == case, "estimate"].notna().any())


def _impossible(result: Interrupted) -> str:
    """The average without trends that cannot have gone on, and whether the answer rests on them."""
    if result.sensitivity is None or "possible_trends" not in set(result.sensitivity["case"]):
        return ""
    indicator, row = result.indicator, result.sensitivity.set_index("case").loc["possible_trends"]
    assert result.pooled is not None
    n = result.pooled.k - int(row["k"])
    text = (
        f"In {of(n, result.pooled.k, 'facility', 'facilities')}, with {percent(result.beyond_share)} of the weight, "
        f"the trend before joining, carried on, would pass {_edge(indicator)}, which cannot be."
    )
    without = "it" if n == 1 else "these"
    if pd.isna(row["estimate"]):
        left = count(int(row["k"]), "facility is", "facilities are")
        return f"{text} Without {without} {left} left, too few for an average, so the answer rests on {without}."
    shown = f"{change(row['estimate'], indicator)} (95% interval {limits(row['low'], row['high'], indicator)})"
    if row["agrees"]:
        return f"{text} Without {without} the average is {shown}, which says the same."
    turned = "a change is told" if not row["low"] <= 0 <= row["high"] else "no change can be told"
    return f"{text} Without {without} the answer is another: the average is {shown}, and {turned}."


def _edges(result: Interrupted) -> str:
    """Whom the average lacks because no interval can be given, and that this moves it."""
    rows = result.facilities.loc[result.facilities["reason"] == "at_edge"]
    if rows.empty or result.pooled is None:
        return ""
    return (
        f"The average is without {_by_levels(rows)}: at or next to 0% or 100% months cannot vary and give no interval. "
        f"With {'it' if len(rows) == 1 else 'them'} the average would be another."
    )


SHAPES: dict[Model, str] = {
    "trend": "a jump and a change of slope",
    "level": "a jump alone, for want of months to tell a slope",
}


def _looked_for(result: Interrupted) -> str:
    """The shape a change is given beforehand, and which months cannot speak to it."""
    assert result.month is not None
    first, _ = months_used(result.month, result.transition_months)
    text = f"The change is looked for as {SHAPES[_model(result)]}"
    if first == 0:
        return f"{text}, from the month of joining on."
    left_out = f"{_months(0, first - 1)} after joining" if first > 1 else "the month of joining"
    return (
        f"{text}, with {left_out} left out, since a straight line through the first climb "
        "would tell neither the climb nor where care stood after it."
    )


def _model(result: Interrupted) -> Model:
    """Of the average, or else of the line, or of what most facilities have."""
    if result.model is not None:
        return result.model
    if result.line is not None:
        return result.line.model
    return "trend" if result.facilities["model"].eq("trend").any() else "level"


def _of_line(result: Interrupted) -> str:
    """The line of all together: its change as a share, its jump, its slope, and how far months resemble each other."""
    line, indicator = result.line, result.indicator
    if line is None:
        return ""
    told = line.headline
    carried = "where its trend before would have put it" if line.model == "trend" else "the level before"
    if pd.isna(told["relative"]):
        text = (
            "In the line of all together the change cannot be given as a share, since the "
            f"{'trend' if line.model == 'trend' else 'level'} before, carried on, may as well be 0."
        )
    else:
        share = told["relative"]
        text = (
            f"In the line of all together the level at month {result.month} is {percent(abs(share))} "
            f"{'above' if share >= 0 else 'below'} {carried} (95% interval {_share(told['relative_low'])} to "
            f"{_share(told['relative_high'])} of that)."
        )
    terms = line.changes.set_index("term")
    if line.model == "trend" and "slope_change" in terms.index:
        jump, slope = terms.loc["level_change"], terms.loc["slope_change"]
        widest = max(abs(slope["low"]), abs(slope["high"]))
        text += (
            f" At month {line.span[0]} the jump is {change(jump['estimate'], indicator)} (95% interval "
            f"{limits(jump['low'], jump['high'], indicator)}); from there its slope differs from that of the trend by "
            f"{_a_month(slope['estimate'], widest, indicator)} a month (95% interval "
            f"{_a_month(slope['low'], widest, indicator, bare=True)} to {_a_month(slope['high'], widest, indicator)})"
        )
        text += "." if not slope["low"] <= 0 <= slope["high"] else ", no change of slope that could be told."
    return f"{text} {_resemblance(line.phi)}"


def _resemblance(phi: float) -> str:
    """Autocorrelation in plain words."""
    how = "swing to the other side of" if phi < -0.2 else "hardly resemble"
    if phi >= 0.2:
        how = "strongly resemble" if phi >= 0.5 else "somewhat resemble"
    shown = number(round(phi, 2)) if abs(phi) >= 0.005 else "0"
    return f"Its months {how} the ones before them (autocorrelation {shown}), which the interval allows for."


def _share(x: float) -> str:
    """A share with its sign: +45%."""
    text = f"{100 * x:+,.0f}%".replace("-", MINUS)
    return "0%" if text.lstrip(f"+{MINUS}") == "0%" else text


def _a_month(x: float, widest: float, indicator: Indicator, *, bare: bool = False) -> str:
    """A change of slope, with as many decimals as the wider of its limits can bear."""
    scale = 100 if indicator.kind == "proportion" else 1
    decimals = min(max(1 - math.floor(math.log10(scale * widest)), 0), 1 if scale == 100 else 3)
    rounded = round(scale * x, decimals)
    text = f"{'+' if rounded > 0 else ''}{number(rounded)}"
    return text if bare or indicator.kind != "proportion" else f"{text} points"


def _months(first: int, last: int) -> str:
    return f"month {first}" if first == last else f"months {first} to {last}"


def _edge(indicator: Indicator) -> str:
    return "0 or 100%" if indicator.kind == "proportion" else "0"


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


def _other_kind(result: Interrupted) -> str:
    return "too few months for a trend, so a change of level alone" if result.model == "trend" else "against a trend"


REASONS = {
    "no_start": "no month of joining",
    "small_months": "no month with people enough",
    "too_few_before": f"fewer than {FEWEST_MONTHS} months before joining",
    "too_few_after": f"fewer than {FEWEST_MONTHS} months after joining",
    "ends_sooner": "data that end before that month",
    "at_edge": "at or next to 0% or 100%, where months cannot vary",
    "nothing_varies": "values that never vary",
}


def _left_out(result: Interrupted) -> str:
    table = result.facilities
    parts = []
    for code, reason in REASONS.items():
        rows = table.loc[table["reason"] == code]
        if len(rows) and code == "at_edge":
            parts.append(f"{_by_levels(rows)}, {reason} and an interval would look exact")
        elif len(rows):
            parts.append(f"{listed(list(rows['facility']))} ({reason})")
    return f"Left out: {'; '.join(parts)}." if parts else ""


def _by_levels(rows: pd.DataFrame) -> str:
    """Facilities with the same levels in words together: A and B (before: none; after: nearly all)."""
    groups: dict[str, list[str]] = {}
    for row in rows.itertuples(index=False):
        groups.setdefault(from_to(row), []).append(str(row.facility))
    return listed([f"{listed(names)} ({levels})" for levels, names in groups.items()])


def from_to(row: object) -> str:
    """The levels of a share before joining and after, where there is no interval: before: none; after: nearly all."""
    before, after = getattr(row, "level_before", 0.0), getattr(row, "level_after", 0.0)
    return f"before: {_in_words(before)}; after: {_in_words(after)}"


def _in_words(share: float) -> str:
    if share <= HARDLY or share >= 1 - HARDLY:
        names = ("none", "hardly any") if share <= HARDLY else ("all", "nearly all")
        return names[0] if share in (0, 1) else names[1]
    return percent(share)


HARDLY = 0.05


def _few(expected: float) -> str:
    return "fewer than one" if expected < 0.95 else f"about {expected:.0f}"


def _clipped_any(result: Interrupted) -> bool:
    low, high = shown_range(result)
    table = result.facilities
    cut = (table["low"] < low).any() or (table["high"] > high).any()
    if result.pooled is not None:
        cut |= result.pooled.prediction_low < low or result.pooled.prediction_high > high
    return bool(cut)


def shown_range(result: Interrupted) -> tuple[float, float]:
    """The range of changes that a forest shows: most intervals whole, the average and 0 always."""
    table = result.facilities.loc[result.facilities["estimate"].notna()]
    ends = [
        0.0,
        *table["low"].quantile([0.25]),
        *table["high"].quantile([0.75]),
        *table["estimate"].quantile([0.1, 0.9]),
    ]
    if result.pooled is not None:
        ends += [result.pooled.prediction_low, result.pooled.prediction_high]
    low, high = min(ends), max(ends)
    low, high = low - 0.04 * (high - low), high + 0.04 * (high - low)
    return (max(low, -1.04), min(high, 1.04)) if result.indicator.kind == "proportion" else (low, high)
