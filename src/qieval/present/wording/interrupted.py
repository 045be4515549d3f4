"""What may be said of an interrupted time series: how far care stands from where it was heading, not why."""

from __future__ import annotations

from collections.abc import Sequence

from qieval.analyses.interrupted import FEWEST_FOR_SPREAD, HALF_WINDOW, Interrupted, Line, expected_false_alarms
from qieval.analyses.run_charts import FEWEST_MONTHS
from qieval.analyses.series import Indicator
from qieval.methods.pooling import FEWEST_TO_POOL
from qieval.present.display import Text
from qieval.present.numbers import change, count, listed, of, percent, unit, value

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
    "seasons": "with a yearly wave, where there are two years",
    "both_models": "with facilities that tell level alone, or a trend",
}


def answers(results: Sequence[Interrupted]) -> Text:
    """One answer per indicator, and how many intervals chance alone would make a finding."""
    lines = [answer(result) for result in results]
    alarms = expected_false_alarms(results)
    if alarms is not None and alarms.charts > 1:
        lines.append(
            f"Over all indicators, {_few(alarms.expected)} of the {alarms.charts} intervals of single facilities would "
            "have pointed to a change had nothing changed anywhere."
        )
    return Text(sentences=lines)


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
        lines += [_by_design(result), _by_interval(result), _sooner(result)]
        lines += [*_disagreeing(result), _moving(result), months_more(result)]
    return Text(sentences=[line for line in lines if line], style="note")


def facilities(result: Interrupted) -> Text:
    """How many facilities changed clearly, and which could not tell."""
    if result.month is None:
        return Text(sentences=[])
    if not result.n_told:
        return Text(sentences=[_left_out(result)])
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
    if result.month is None:
        return Text(sentences=[], style="caveats")
    lines = [
        f"{result.indicator.name}: {_used(result)} The straight line through the months before joining is carried on; "
        "had it bent by itself, the change would be another."
    ]
    if result.longest_months < 24:
        lines.append("There are less than two years of months, so seasons cannot be told from change.")
    else:
        lines.append(
            "Seasons are not in the headline; the table of other ways has an estimate with a yearly wave in it."
            if _has(result, "seasons")
            else "Seasons are not allowed for."
        )
    beyond = int(result.facilities["beyond"].sum())
    if beyond:
        lines.append(
            f"In {count(beyond, 'facility', 'facilities')} the trend carried on would pass the lowest or the highest "
            "value there can be, so a straight line cannot be right there; its interval is wide for that."
        )
    line = result.line
    if line is not None:
        lines += _line_caveats(line)
    if result.small_months:
        lines.append(
            f"{count(result.small_months, 'facility-month')} with fewer than {result.smallest_denominator} people "
            "are left out."
        )
    return Text(sentences=lines, style="caveats")


def months_more(result: Interrupted) -> str:
    """How many months more until a gain of the size aimed at could be told from none."""
    needed, indicator = result.needed, result.indicator
    if needed is None:
        return {
            "told": "",
            "no_target": "Without a target it cannot be said how many months more would be needed.",
            "reached": "The baseline was at the target already, so there is no gain to wait for.",
            "no_line": "How many months more would be needed cannot be said, as facilities share too few months.",
        }[result.not_planned]
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
    text += f"Dashed: {carried} with its 95% band."
    if not line.points.loc[line.points["value"].notna(), "used"].all():
        text += " Open dots: months that the fit leaves out."
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
        "months before, with 95% intervals. Months: before + after joining."
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
    edge = "0 or 100%" if indicator.kind == "proportion" else "0"
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
        return "Facilities share too few months to be shown together."
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


def _disagreeing(result: Interrupted) -> list[str]:
    lines = []
    if result.sensitivity is not None:
        for row in result.sensitivity.loc[~result.sensitivity["agrees"]].itertuples(index=False):
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


def _used(result: Interrupted) -> str:
    assert result.month is not None
    first = max(result.transition_months, result.month - HALF_WINDOW)
    last = result.month + HALF_WINDOW
    return (
        f"The fit uses all months before joining and months {first} to {last} after it, since a straight line through "
        "the first climb and a later loss would tell neither."
    )


def _line_caveats(line: Line) -> list[str]:
    lines = []
    if line.baseline_moving:
        lines.append("All together, the baseline was itself moving: its change rests on that trend going on.")
    if "near_unit_root" in line.flags:
        lines.append(
            "All together, months resemble the ones before so much that a change can hardly be told from drift; "
            "compare the engines in the table."
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
    "nothing_varies": "values that never vary",
}


def _left_out(result: Interrupted) -> str:
    table = result.facilities
    parts = [
        f"{listed(list(table.loc[table['reason'] == code, 'facility']))} ({reason})"
        for code, reason in REASONS.items()
        if (table["reason"] == code).any()
    ]
    return f"Left out: {'; '.join(parts)}." if parts else ""


def _few(expected: float) -> str:
    return "fewer than one" if expected < 0.95 else f"about {expected:.0f}"


def _clipped_any(result: Interrupted) -> bool:
    low, high = shown_range(result)
    table = result.facilities
    return bool((table["low"] < low).any() or (table["high"] > high).any())


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
