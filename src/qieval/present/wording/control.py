"""What may be said of control charts, verdicts and funnels."""

from __future__ import annotations

from qieval.analyses.control_charts import (
    ENOUGH_FOR_SPREAD,
    FEWEST_MONTHS,
    ControlChart,
    ControlCharts,
    FacilityFunnel,
    Refused,
)
from qieval.analyses.effectiveness import Effectiveness
from qieval.analyses.series import Indicator
from qieval.methods.spc import KINDS
from qieval.present.display import Text
from qieval.present.numbers import count, listed, month, number, percent, value
from qieval.present.wording.effectiveness import lettered

VARIATION_WORDS = {
    "improving": "improving",
    "concerning": "getting worse",
    "changed": "changed",
    "common cause": "no special change",
    "no limits": "all months alike",
    "too rare": "too few events",
    "too few points": "too few months",
}
ASSURANCE_WORDS = {
    "will hit": "will meet the target",
    "hit or miss": "meets it some months, misses others",
    "will miss": "will miss it as things are",
    "no target": "no target",
    "no limits": "all months alike",
    "too rare": "too few events",
    "too few points": "too few months",
}
KEY = {"too few points": "cannot be told"}
WHY_NONE: dict[Refused, str] = {
    "short baseline": (
        f"There is no control chart: limits need {FEWEST_MONTHS} months in the baseline, and all months as their own "
        "yardstick would hide the change."
    ),
    "too few months": f"There is no control chart: limits need {FEWEST_MONTHS} months.",
    "no variation": "There is no control chart: all months that the limits would come from are alike.",
}
MEET = {"will hit": "will meet {}", "hit or miss": "will meet {} in some months only", "will miss": "will miss {}"}


def centre_name(chart: ControlChart) -> str:
    """What the centre line is."""
    return "Baseline mean" if chart.from_baseline else "Mean"


def beyond(chart: ControlChart) -> Text:
    """How many months lie beyond the limits and, where they are few, how easily chance does that."""
    after = " after the baseline" if chart.from_baseline else ""
    n = chart.n_outside_after
    often = f"In {percent(chart.false_signal_rate)} of such charts at least one month does so though nothing changed."
    if n == 0:
        return Text(sentences=[f"No month{after} lies beyond the control limits. {often}"])
    told = f"{count(n, 'month')}{after} {'lies' if n == 1 else 'lie'} beyond the control limits."
    return Text(sentences=[f"{told} {often}" if n <= 2 else told])


def no_chart(reason: Refused) -> Text:
    """Why there is no control chart."""
    return Text(sentences=[WHY_NONE[reason]])


def control_chart_caption(chart: ControlChart, whole: Effectiveness) -> str:
    """What is drawn, with the choices that change a number."""
    where = f"{count(chart.n_line, 'baseline month')}" if chart.from_baseline else f"all {chart.n_line} months"
    text = (
        f"{chart.indicator.name}, all facilities together. Centre line and limits (three sigma; the darker band two) "
        f"from {where}."
    )
    if "n" in chart.points:
        text += " Limits step with the number of people."
    text += " Black diamonds: months beyond the limits."
    if chart.points["rules"].astype(str).str.contains("long run").any():
        text += " Black squares: a run longer than chance explains."
    if chart.sigma_z > 1:
        text += f" Months vary {number(chart.sigma_z)} times as much as by chance alone; the limits allow for that."
    if chart.points["excluded"].any():
        text += " Months before the baseline are drawn but do not count."
    if len(lettered(whole.events, chart.points)):
        text += " Letters: the events named under the run chart."
    return f"{text} {KINDS[chart.kind].name}."


def control_chart_alt(chart: ControlChart) -> str:
    """Alternative text."""
    points = chart.points
    span = f"{month(points['period'].iloc[0])} to {month(points['period'].iloc[-1])}"
    return (
        f"Control chart of {chart.indicator.name}, {span}, around a mean of {value(chart.centre, chart.indicator)}. "
        f"{beyond(chart).sentences[0]}"
    )


def verdicts(charts: ControlCharts) -> Text:
    """How many facilities are improving and how many will meet the target, by indicator."""
    sentences = []
    for indicator in charts.indicators:
        own = charts.verdicts[charts.verdicts["indicator_id"] == indicator.indicator_id]
        if own.empty:
            continue
        variation = own["variation"].value_counts()
        told = [f"{n} {VARIATION_WORDS[name]}" for name, n in variation.items()]
        sentence = f"{indicator.name}: of {count(len(own), 'facility', 'facilities')}, {listed(told)}"
        assurance = own["assurance"].value_counts()
        verbs = [(int(assurance[name]), verb) for name, verb in MEET.items() if name in assurance]
        told = [f"{n} {verb.format('it' if i else 'the target')}" for i, (n, verb) in enumerate(verbs)]
        target = f" As things are, {listed(told)}." if told else ""
        sentences.append(f"{sentence}.{target}")
    if charts.false_verdicts:
        about = "fewer than one" if charts.false_verdicts < 1 else f"about {charts.false_verdicts:.0f}"
        n = int(charts.verdicts["by_chance"].notna().sum())
        sentences.append(f"Of the {n} symbols told, {about} would show a change by chance alone.")
    return Text(sentences=sentences)


def verdicts_caption(charts: ControlCharts) -> str:
    """How the symbols came about."""
    return (
        "Every facility and indicator, with the last month's value. Left symbol: the last month against the facility's "
        "own baseline (against all its months where the baseline is shorter than ten), by the rules of NHS Making Data "
        "Count; it points up for high values and down for low ones. Right symbol: the target against the limits of the "
        "months since the baseline. A question mark: it cannot be told, for too few months or events. These symbols "
        "are about the last month; the run charts below judge the whole time since joining."
    )


def verdicts_alt(charts: ControlCharts) -> str:
    """Alternative text."""
    return " ".join(["Table of symbols.", *verdicts(charts).sentences])


def people_axis(indicator: Indicator) -> str:
    """The name of the axis of denominators."""
    return "People in these months" if indicator.kind == "proportion" else "Exposure in these months (denominator)"


def funnel(compared: FacilityFunnel) -> Text:
    """Which facilities differ from the others by more than chance."""
    side = compared.side
    names = compared.funnel.units.loc[side.index, "unit"]
    indicator = compared.indicator
    best, worst = ("above", "below") if indicator.better == "up" else ("below", "above")
    sentences = []
    for where, words in ((best, "better"), (worst, "worse")):
        found = list(names[side == where])
        if found:
            verb = "does" if len(found) == 1 else "do"
            sentences.append(f"{listed(found)} {verb} {words} than the others by more than chance explains.")
    if not sentences:
        usual = " and the usual spread explain" if compared.is_widened else " explains"
        sentences = [f"No facility differs from the others by more than chance{usual}."]
    at_95 = compared.funnel.outside.iloc[0]
    n = int(at_95["n_below"] + at_95["n_above"])
    sentences.append(
        f"{n} of {count(len(side), 'facility', 'facilities')} {'lies' if n == 1 else 'lie'} outside the 95% limits, "
        f"where chance alone would put about {number(float(at_95['expected_by_chance']))}."
    )
    return Text(sentences=sentences)


def funnel_caption(compared: FacilityFunnel) -> str:
    """What is drawn."""
    text = (
        f"{compared.indicator.name} by facility, {month(compared.first)} to {month(compared.last)} together. Lines: "
        "limits within which 95% (dashes) and 99.8% (solid) of facilities of that size would lie by chance around "
        "the level of all together; triangles lie outside 99.8%."
    )
    if compared.is_widened:
        text += (
            " Facilities differ by more than chance, so the limits are widened by how much they usually do (dotted: by "
            "chance alone)."
        )
    elif len(compared.funnel.units) < ENOUGH_FOR_SPREAD:
        text += f" With fewer than {ENOUGH_FOR_SPREAD} facilities the usual spread between them cannot be told."
    return text


def funnel_alt(compared: FacilityFunnel) -> str:
    """Alternative text."""
    return " ".join([f"Funnel plot of {compared.indicator.name} by facility.", *funnel(compared).sentences])
