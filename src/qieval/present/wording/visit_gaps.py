"""What may be said of how long facilities wait for a visit."""

from __future__ import annotations

import math

from qieval.analyses.visit_gaps import GapCurve, VisitGaps
from qieval.analyses.visits import FEWEST_FACILITIES
from qieval.present.display import Text
from qieval.present.numbers import count, day, listed, percent

_BEGUN = {"all": "", "in_support": "while support lasted", "after_support": "after support had ended"}


def answer(result: VisitGaps) -> Text:
    """The median wait, and the share of long ones."""
    if result.refused == "totals_only":
        return Text(sentences=[])
    gaps = result.gaps
    n_open = int((~gaps["ended"]).sum()) if len(gaps) else 0
    n = int(gaps["facility"].nunique()) if len(gaps) else 0
    lines = [
        f"{count(len(gaps), 'wait')} for a visit in {count(n, 'facility', 'facilities')}: {len(gaps) - n_open} ended "
        f"with a visit, {n_open} went on at the data cut ({day(result.data_cut)})."
    ]
    if result.refused:
        why = (
            f"fewer than {FEWEST_FACILITIES} facilities" if result.refused == "few_facilities" else "too few that ended"
        )
        lines.append(f"No median is given, for there are {why}; the waits are listed instead.")
        if len(gaps):
            longest = gaps.loc[gaps["days"].idxmax()]
            still = "" if longest["ended"] else ", and went on at the data cut"
            lines.append(f"The longest took {count(int(longest['days']), 'day')} ({longest['facility']}{still}).")
    else:
        lines += [_median(curve) for curve in result.curves]
        lines += [
            f"Of {count(n, 'wait')} begun {_BEGUN[begun]}, {ended} ended with a visit: too few for a median."
            for begun, (n, ended) in result.too_few.items()
        ]
    return Text(sentences=lines)


def _median(curve: GapCurve) -> str:
    """The median of one curve, or that it was not reached, and the share of waits that last longest."""
    fitted = curve.fitted
    of_these = f"Of {count(fitted.n, 'wait')} begun {_BEGUN[curve.begun]}".rstrip() + f" ({fitted.n_events} ended)"
    if math.isinf(fitted.median):
        longest = fitted.curve["time"].max()
        text = f"{of_these}, less than half are known to have ended; the median is above {longest:.0f} days"
    else:
        upper = f"{fitted.median_high:.0f}" if math.isfinite(fitted.median_high) else "no upper limit"
        lower = f"{fitted.median_low:.0f}" if math.isfinite(fitted.median_low) else "no lower limit"
        text = f"{of_these}, half ended within {fitted.median:.0f} days (95% interval {lower} to {upper})"
    known = curve.longer.dropna()
    if known.empty:
        return f"{text}."
    last = known.iloc[-1]
    return (
        f"{text}; {percent(last['share'])} lasted longer than {last['days']:.0f} days (95% interval "
        f"{percent(last['low'])} to {percent(last['high'])})."
    )


def caveats(result: VisitGaps) -> Text:
    """How waits are counted, and what the intervals allow for."""
    if result.refused == "totals_only":
        return Text(sentences=[], style="caveats")
    lines = [
        "A wait runs from joining to the first visit, from visit to visit, all mentors together, and from the last "
        "visit to the data cut, where it counts as still going on. A facility never visited has one wait, since "
        "joining; one without a joining day is followed from its first visit."
    ]
    if result.curves:
        lines.append(
            "Waits of one facility resemble each other; the intervals allow for that, by facility. Each wait counts "
            "once, so facilities visited often count more often."
        )
    if len({curve.begun for curve in result.curves}) > 1 or any(c.begun == "in_support" for c in result.curves):
        lines.append("Waits begun before and after support ended are kept apart, for visits are due less often then.")
    if result.not_followed:
        lines.append(
            f"Never visited and without a joining day, so without a wait to count: {listed(result.not_followed)}."
        )
    return Text(sentences=lines, style="caveats")


def curve_label(curve: GapCurve) -> str:
    """Short, for the figure."""
    return {"all": "all waits", "in_support": "begun during support", "after_support": "begun after support"}[
        curve.begun
    ]


def gaps_caption(result: VisitGaps) -> str:
    """Caption of the curves."""
    return (
        "Share of waits for a visit that last longer than so many days (Kaplan-Meier; waits still open at the data cut "
        "counted as such, marked by ticks). Bands: 95% intervals that allow for waits of one facility resembling each "
        "other. Below: waits not yet ended at that length."
    )


def gaps_alt(result: VisitGaps) -> str:
    """Alternative text of the curves."""
    return "Falling step curves of waits for a visit. " + " ".join(_median(curve) for curve in result.curves)
