"""Care after support, as sentences, figures and tables."""

import dataclasses

import pytest

from qieval.analyses.after_support import after_support
from qieval.analyses.sustainment import sustainment
from qieval.present.charts import after_support as charts
from qieval.present.tables import after_support as tables
from qieval.present.wording import after_support as wording
from tests.analyses.test_after_support import found, series
from tests.present.test_charts import assert_whole


def said(*facilities, **given):
    return [line for line in wording.answer(found(*facilities, **given)).sentences if line]


# --- what is claimed -------------------------------------------------------------------------------


def test_a_fall_is_told_with_its_interval_its_parts_and_no_cause():
    change, parts, claim, other = said(*[series(at_once=-40, drift=-10)] * 5)
    assert change.startswith(
        "12 months after support ended, on average 5 facilities stood 15 percentage points lower than the level they "
        "held in the last months of support (95% interval −"
    )
    assert "In one more facility like these the change may lie anywhere from −" in change
    assert change.endswith("From 5 facilities it can hardly be said how far they truly differ.")
    assert parts.startswith("The change in the first month without support was −4 points (")
    assert "and what came on top of it by month 12, a change of slope, −11 points (" in parts
    assert claim == (
        "Care became worse after support than it had been in its last months, by more than chance explains. That is "
        "associated with the end of support, not shown to come of it."
    )
    assert other.startswith(
        "Against the trend of those months, carried on, known only roughly from so few months, it was 15 percentage "
        "points lower ("
    )
    assert other.endswith("which says the same, so that this is not only a movement that was already under way.")


def test_an_improvement_after_support_is_called_one():
    assert any(line.startswith("Care became better still after support") for line in said(*[series(drift=10)] * 5))


def test_no_change_told_is_not_a_gain_shown_to_be_kept():
    change, _, claim, other = said(*[series()] * 5)
    assert change.startswith("12 months after support ended, no change could be told: on average 5 facilities stood ")
    assert claim.startswith("That nothing was lost is not shown either: a change for the worse of as much as ")
    assert other.endswith("which tells no change either.")


def test_less_is_better_is_said_where_it_is():
    change = said(*[series(climb=(300, 250, 200), held=100, drift=10)] * 5, indicator={"better": "down"})[0]
    assert "11 percentage points higher" in change
    assert "points; less is better)" in change


def test_a_level_that_was_still_moving_is_told_against_its_trend():
    change, _, _, other = said(*[series(held=700, slope=-15)] * 5)
    assert "than the trend of their last months of support, carried on, would have put them" in change
    assert other.startswith(
        "In the last months of support the level was itself still falling by 1.5 percentage points a month (95% "
        "interval "
    )
    assert (
        "so that the change is told against that trend. Against the level of those months, carried on it was" in other
    )
    assert other.endswith("which tells a change where the above tells none.")


def test_few_months_have_no_slope_and_no_trend_beside_them():
    lines = said(*[series(months=4, at_once=-50)] * 5, data_cut="2023-04-30")
    assert lines[1] == "With so few months after support a change of level alone is looked for, and no slope."


def test_a_trend_that_few_can_tell_is_said_so():
    short = {number: {"support_ended_on": "2022-08-31"} for number in range(1, 6)}
    lines = said(*[series()] * 5, given=short)
    assert lines[-1] == "Against their trend it cannot be told: 0 facilities have months enough."


# --- what is refused -------------------------------------------------------------------------------


def test_no_months_around_the_end_of_support_are_said():
    assert said(series(months=2)) == [
        "No interrupted time series can be fitted around the end of support: a facility needs 3 months of support "
        "after the first 3, and 3 months after it.",
        "Left out: 1 facility (fewer than 3 months after support).",
    ]
    nothing = found(series(months=2))
    assert charts.path(nothing) is None
    assert charts.forest(nothing) is None
    assert tables.other_ways(nothing) is None


@pytest.mark.parametrize(
    ("n", "line"),
    [
        (1, "1 facility can tell a change after support, and below 5 no average over facilities is given. It is in the "
            "figure."),
        (4, "4 facilities can each tell a change after support, and below 5 no average over facilities is given. Each "
            "is in the figure."),
    ],
)  # fmt: skip
def test_fewer_than_five_have_no_average(n, line):
    result = found(*[series(drift=-10)] * n)
    assert wording.answer(result).sentences[0] == line
    assert charts.path(result) is None
    assert_whole(charts.forest(result))
    assert wording.caveats([result]).sentences == []


def test_errors_that_allow_no_average_are_said():
    result = dataclasses.replace(found(*[series()] * 5), pooled=None, at_once=None, drift=None)
    assert wording.answer(result).sentences[0] == (
        "5 facilities tell a change after support, but their errors are not such that an average could be taken. Each "
        "is in the figure."
    )
    assert_whole(charts.forest(result))


def test_nobody_who_can_tell_is_said():
    still = [300] * 12 + [400, 450, 480] + [500] * 21
    lines = said(still)
    assert lines[0] == "No facility can tell a change after support, and below 5 no average over facilities is given."
    assert lines[1] == "Left out: 1 facility (values that never vary)."


def test_a_trend_past_what_is_possible_makes_no_claim():
    result = found(*[series(climb=(400, 500, 600), held=700, slope=20, drift=-20)] * 5)
    assert wording.answer(result).sentences[0] == (
        "No claim can be made. Care was still moving in the last months of support, and in 5 of 5 facilities, with "
        "100% of the weight, that trend would have passed 0 or 100% by month 12, so it cannot have gone on."
    )
    assert charts.path(result) is None
    forest = charts.forest(result)
    assert_whole(forest)
    assert "‡: the trend carried on would pass 0 or 100%, which cannot be." in forest.caption
    assert tables.facilities(result).shown["Note"].eq("‡ trend passes what is possible").all()


@pytest.mark.parametrize(
    ("values", "given", "reason"),
    [
        (series(), {"support_ended_on": None}, "no end of support recorded"),
        (series(), {"support_ended_on": "2022-05-31"}, "fewer than 3 months of support after the first 3"),
        (series(months=2), {}, "fewer than 3 months after support"),
        (series(months=8), {}, "not followed so long"),
        ([300] * 12 + [400, 600, 800] + [1000] * 9 + [990, 985, 970] * 4, {}, "at or next to 0% or 100%, where months"),
        ([300] * 12 + [400, 450, 480] + [500] * 21, {}, "values that never vary"),
    ],
)
def test_who_is_left_out_is_counted_and_named_in_the_table(values, given, reason):
    result = found(*[series()] * 5, values, given={6: given})
    assert wording.left_out(result).startswith(f"Left out: 1 facility ({reason}")
    notes = tables.facilities(result).shown.set_index("Facility")["Note"]
    assert notes["F6"].startswith(f"left out: {reason}")


# --- what it rests on ------------------------------------------------------------------------------


def test_the_caveats_name_the_slope_in_support_and_what_chance_would_do():
    lines = wording.caveats([found(*[series(drift=-10)] * 5)]).sentences
    assert lines[0].startswith("Change after support: all facilities whose support ended are in it")
    assert (
        "Its average slope in these months was no more than chance explains (a month: Cord clamped late: " in lines[2]
    )
    assert lines[-1] == (
        "Had nothing changed after support, fewer than one of the 5 intervals of single facilities would still have "
        "pointed to a change."
    )


def test_a_trend_that_cannot_be_told_is_a_caveat():
    short = {number: {"support_ended_on": "2022-08-31"} for number in range(1, 6)}
    lines = wording.caveats([found(*[series()] * 5, given=short)]).sentences
    assert any("whether care was still moving in the last months of support cannot be told" in line for line in lines)


def test_drift_is_a_caveat():
    result = found(*[series()] * 5)
    drifting = dataclasses.replace(result, facilities=result.facilities.assign(drifts=[True, *[False] * 4]))
    assert any("in 1 of 5 facilities months resemble" in line for line in wording.caveats([drifting]).sentences)


# --- figures and tables ----------------------------------------------------------------------------


def test_figures_and_tables_of_the_demo(demo):
    for result in after_support(sustainment(demo)):
        for draw in (charts.path, charts.forest):
            assert_whole(draw(result))
        table = tables.facilities(result)
        assert len(table.shown) == 24
        assert {"Level, months 1–12 together", "Change at month 12"} < set(table.shown.columns)
        assert tables.other_ways(result).shown["How"].iloc[0] == "as told above"
        low, high = wording.shown_range(result)
        assert low < min(0, result.pooled.low) <= max(0, result.pooled.high) < high


def test_the_average_against_a_trend_has_a_line_and_no_dots():
    figure = charts.path(found(*[series(held=700, slope=-15)] * 5))
    assert_whole(figure)
    assert "from the trend of their last months" in figure.caption
    assert "Dots" not in figure.caption


def test_a_rate_is_drawn_on_its_own_scale():
    rate = found(*[series(drift=-10)] * 5, indicator={"kind": "rate", "per": 1000, "unit": "deaths per 1000"})
    for draw in (charts.path, charts.forest):
        assert_whole(draw(rate))
