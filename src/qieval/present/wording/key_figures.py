"""What each column of the workbook of key figures means, and its unit."""

from __future__ import annotations

import re

INDICATOR_SCALE = "as the indicator: a proportion between 0 and 1, else see kind and unit"
PROPORTION = "proportion between 0 and 1"
MONTHS = "months"
FACILITIES = "facilities"
VISITS = "visits"

_PARTS = {  # what the end of a name adds to the meaning; the unit, where it is another
    "low": ("lower limit of the 95% interval", None),
    "high": ("upper limit of the 95% interval", None),
    "estimate": ("estimate", None),
    "together": ("in one chart of all facilities together", None),
    "facilities": ("facilities it is of", FACILITIES),
    "of": ("facilities it is of", FACILITIES),
}

_MEANINGS = {
    "collaborative": ("short name, also that of the folder of its report", ""),
    "title": ("title of the report", ""),
    "indicator_id": ("id of the indicator in its tables", ""),
    "name": ("name of the indicator", ""),
    "kind": ("proportion, rate, count, mean or time_between", ""),
    "better": ("up if more is better, down if less is", ""),
    "unit": ("what the value counts", ""),
    "verdict": ("what the run chart of all facilities together says", ""),
    "baseline_median": ("median of the baseline months, all facilities together", INDICATOR_SCALE),
    "recent_median": ("median of the last months, all facilities together", INDICATOR_SCALE),
    "facilities": ("facilities that take part", FACILITIES),
    "facilities_improved": ("facilities whose own run chart tells of improvement", FACILITIES),
    "reached": ("facilities that reached the target", FACILITIES),
    "followed_to_target": ("facilities followed on until they reach the target", FACILITIES),
    "against_own_trend": ("change beyond each facility's own trend, average over facilities", INDICATOR_SCALE),
    "months_after_joining": ("the month after joining at which that change is told", MONTHS),
    "beyond_others": ("change beyond that of facilities that had not joined yet", INDICATOR_SCALE),
    "six_statistics": ("the statistics of Franco and Marquez; empty where they cannot be told", ""),
    "six_statistics_baseline": ("level before joining, mean over facilities", INDICATOR_SCALE),
    "six_statistics_level_reached": ("best months in a row since joining, mean over facilities", INDICATOR_SCALE),
    "six_statistics_gain": ("level reached less baseline, more is better, mean over facilities", INDICATOR_SCALE),
    r"six_statistics_share_reaching(_\S+)?": ("share of facilities that reached the level in the name", PROPORTION),
    r"six_statistics_months_to_reach(_\S+)?": ("months from joining to the level in the name, where reached", MONTHS),
    r"six_statistics_share_kept(_\S+)?": ("share of months at the level in the name, once reached", PROPORTION),
    r"projects_(planned|ongoing|completed|abandoned)": ("projects of this status", "projects"),
    "undated": ("projects that lack a date needed", "projects"),
    "median": ("duration that half of the projects reach, those still open counted as such", MONTHS),
    "mean_months": ("mean duration of projects up to the horizon", MONTHS),
    "mean_months_horizon": ("months up to which that mean is taken", MONTHS),
    "half_completed_months": ("month by which half of all projects begun had been completed", MONTHS),
    "begun_in_intensive": ("share of projects begun in the intensive phase", PROPORTION),
    "begun_in_intensive_projects": ("projects begun in the intensive phase", "projects"),
    "begun_in_intensive_of_projects": ("projects begun while their facility took part", "projects"),
    "begun_in_intensive_share_of_time": ("share of the facilities' time that the intensive phase took", PROPORTION),
    "mentor_type": ("who made the visits", ""),
    "setting": ("rural or urban; empty where not told apart", ""),
    "planned": ("visits planned", VISITS),
    "done": ("visits done", VISITS),
    "ratio": ("visits done for each planned", "ratio"),
    "planned_done": ("visits done of those planned; empty where only totals were kept", VISITS),
    "share": ("visits done of those planned, as a share", PROPORTION),
    "between": ("what the two groups differ in: mentor_type or setting", ""),
    "first": ("one group", ""),
    "other": ("the group it is compared with", ""),
    "within": ("what both share; empty if nothing", ""),
    "other_planned": ("visits planned of the group compared with", VISITS),
    "other_done": ("visits done of the group compared with", VISITS),
    "ratio_of_ratios": ("visits done for each planned, of the one group over the other", "ratio"),
    "opposite": ("whether one group clearly had more than planned and another clearly fewer", ""),
    "visited": ("share of facilities visited at least once", PROPORTION),
    "visited_as_planned": ("share of planned visits made, no facility beyond its own plan, mean", PROPORTION),
    r"visited_within_days_\d+": ("share of facilities visited within so many days before the data cut", PROPORTION),
    r"wait_days_(all|in_support|after_support)": ("median wait for the next visit, those still open counted", "days"),
    "rural_to_urban": ("visits a month to a rural facility over those to an urban one", "ratio"),
    "gini": ("Gini index of visits a month, 0 if all facilities had as many", "index"),
    "concentration_by_size": ("concentration index: below 0 small facilities had more, above 0 large ones", "index"),
    "concentration_by_need": ("concentration index: below 0 facilities that began worst had more", "index"),
    r"for_each_further_visit_.+": ("change that went with one more visit; an association", INDICATOR_SCALE),
    "never_visited": ("facilities without any visit; empty where only totals were kept", FACILITIES),
    "gained": ("facilities that had gained when their support ended", FACILITIES),
    "assessable": ("facilities with months enough to tell", FACILITIES),
    r"classes_.+": ("facilities of the class in the name", FACILITIES),
    "lost": ("facilities that lost some or all of their gain", FACILITIES),
    "followed_to_loss": ("facilities followed on until they lose their gain", FACILITIES),
    "lost_by_chance": ("of them expected to seem to lose it by chance", FACILITIES),
    "after_support": ("change after support against the level held, average over facilities", INDICATOR_SCALE),
    "months_after_support": ("the month after support at which that change is told", MONTHS),
    r"warned_\w+_of_lost": ("facilities that lost their gain and that the chart in the name warned of", FACILITIES),
    r"warned_\w+_of_kept": ("facilities that kept their gain and that it warned of all the same", FACILITIES),
    r"warned_\w+_by_chance": ("facilities it would have warned of by chance had none lost anything", FACILITIES),
    r"kept_at_\d+_kept": ("facilities that had kept their gain so many months on", FACILITIES),
    r"kept_at_\d+_known": ("of them it is known whether they kept it", FACILITIES),
    r"kept_at_\d+_due": ("facilities followed up for as long", FACILITIES),
    r"kept_at_\d+_lost": ("facilities that had lost it by then", FACILITIES),
    r"kept_at_\d+_share_of_gain": ("share of the gain that facilities together kept; above 1 it grew", "ratio"),
}


def explained(column: str) -> tuple[str, str] | None:
    """The meaning and unit of a column; None for one that nobody has described yet."""
    found = _meaning(column.removesuffix("_months") if column == "median_months" else column)
    if found is not None:
        return found
    base, _, end = column.rpartition("_")
    known = _meaning(base) if end in _PARTS else None
    if known is None and not base and end in _PARTS:  # an interval that stands alone in its sheet
        return _PARTS[end][0], "ratio"
    if known is None:
        return None
    words, unit = _PARTS[end]
    return f"{known[0]}: {words}", known[1] if unit is None else unit


def _meaning(column: str) -> tuple[str, str] | None:
    return next((found for pattern, found in _MEANINGS.items() if re.fullmatch(pattern, column)), None)
