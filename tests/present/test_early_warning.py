"""Early warnings, as sentences, figures and tables."""

import pytest

from qieval.analyses.early_warning import early_warnings
from qieval.analyses.sustainment import sustainment
from qieval.present.charts import early_warning as charts
from qieval.present.tables import early_warning as tables
from qieval.present.wording import early_warning as wording
from tests.analyses.test_early_warning import SLOW, STEADY, SUDDEN, found, months
from tests.present.test_charts import assert_whole


def said(*facilities, **given):
    return [line for line in wording.answer(found(*facilities, **given)).sentences if line]


# --- sentences -------------------------------------------------------------------------------------


def test_five_losses_and_more_have_medians_and_a_first_chart():
    lost, first, kept, chance = said(*[months(SLOW)] * 5, months(STEADY))
    assert lost.startswith(
        "5 facilities watched lost the gain, which was told in the last of 3 months in a row. There would have been a "
        "warning by EWMA of 5 (median "
    )
    assert "sooner)" in lost
    assert first.startswith("First to warn, alone or together with another, was EWMA in 5")
    assert kept == "Of the 1 that kept it, no chart warned of any."
    assert chance.startswith(
        "Had none of the 6 watched lost anything, chance alone would have brought false warnings: fewer than one by "
        "EWMA"
    )


def test_few_losses_are_named():
    (lost, *_) = said(months(SUDDEN), months(STEADY))
    assert lost == (
        "1 facility watched lost the gain, too few for a median: F0 (told in month 3; EWMA warned in month 1, CUSUM "
        "warned in month 2 and a single month warned in month 1)."
    )


def test_a_chart_that_did_not_warn_says_so():
    late = months([80] * 12, held=[72, 73, 72, 71, 73, 72, 95, 95, 95])
    assert "EWMA did not, CUSUM did not and a single month did not" in said(late)[0]
    lost, first, *_ = said(*[late] * 5)
    assert "a single month of 0 (too few for a median)" in lost
    assert first == "No chart warned of any of them."


def test_no_loss_leaves_nothing_to_warn_of():
    assert said(months(STEADY))[0] == "No facility watched lost its gain, so there was no loss to warn of."


def test_false_warnings_in_those_that_kept_it_are_counted_by_chart():
    dip = [80, 80, 80, 80, 64, 80, 81, 80, 82, 80, 81, 80]
    lines = said(months(dip), months(STEADY))
    assert lines[1] == "Of the 2 that kept it, EWMA warned of none, CUSUM of none and a single month of 1."


def test_of_those_that_cannot_be_told_about_it_is_not_said_whether_the_warning_was_false():
    small = [[round(x / 10) for x in months(SLOW)]] * 2
    lines = said(*small, people=10)
    assert any(line.startswith("Of the 2 of which it is not known whether they kept it, ") for line in lines)


def test_of_a_mean_chance_is_not_known():
    waits = [60, 62, 58] * 4 + [50, 45, 42] + [40, 42, 39, 41, 40, 38, 41, 40, 39] + [41, 40, 39, 40] * 3
    lines = said([10 * x for x in waits], people=10, indicator={"kind": "mean", "better": "down"})
    assert lines[-1] == (
        "How many false warnings chance brings is not known: how the months of such an indicator scatter is not "
        "recorded."
    )


# --- refusals --------------------------------------------------------------------------------------


def test_where_nothing_was_gained_there_is_nothing_to_say():
    result = found([50] * 36)
    assert wording.answer(result) is None
    assert charts.timeline(result) is None
    assert tables.charts(result) is None
    assert tables.facilities(result) is None
    assert wording.caveats([result]).sentences == []


@pytest.mark.parametrize(
    ("values", "given", "reason"),
    [
        (months(STEADY), {"support_ended_on": "2022-05-31"},
         "fewer than 3 months of support after the first 3, of means and times fewer than 6"),
        (months([98] * 12, held=[100] * 9), {},
         "a level of 0% or 100%, or values that never vary, so that there is no scatter to judge a month by"),
        (months([]), {}, "no month after support"),
    ],
)  # fmt: skip
def test_who_is_not_watched_is_named_with_the_reason(values, given, reason):
    assert said(values, given=given) == ["No facility that gained can be watched.", f"Not watched: F0 ({reason})."]
    result = found(values, given=given)
    assert charts.timeline(result) is None
    assert tables.charts(result) is None
    assert tables.facilities(result).shown["Note"].iloc[0].startswith("not watched: ")


# --- what it rests on ------------------------------------------------------------------------------


def test_the_run_lengths_are_told_once_and_that_the_level_is_not_certain():
    (lengths, *others) = wording.caveats([found(months(STEADY)), found(months(SLOW))]).sentences
    assert lengths == (
        "Were each level of support known for certain, a false warning would come once in about 1,100 months by EWMA, "
        "900 months by CUSUM and 700 months by a single month (fewer than one of any chart over all months watched). "
        "As the level is known from few months, there are more; the numbers told allow for that."
    )
    assert any("A warning is a reason to look, not yet a loss." in line for line in others)


# --- figures and tables ----------------------------------------------------------------------------


def test_figures_and_tables_of_the_demo(demo):
    for result in early_warnings(sustainment(demo)):
        if not result.records:
            continue
        assert_whole(charts.timeline(result))
        shown = tables.charts(result).shown
        assert shown["Chart"].tolist() == ["EWMA", "CUSUM", "A single month"]
        assert len(tables.facilities(result).shown) == len(result.table)


def test_of_many_facilities_only_those_are_drawn_of_which_there_is_something_to_tell():
    few = found(*[months(STEADY)] * 3)
    many = found(months(SLOW), *[months(STEADY)] * 31)
    assert charts._rows(many.watched)[0] == "Lost the gain"
    assert charts._rows(many.watched)[2:] == ["Kept the gain (31 without a warning not shown)"]
    assert len(charts._rows(few.watched)) == 4
    assert_whole(charts.timeline(many))


def test_a_table_says_where_half_of_the_losses_had_no_warning():
    late = months([80] * 12, held=[72, 73, 72, 71, 73, 72, 95, 95, 95])
    assert tables.charts(found(*[late] * 5)).shown["Months sooner (median)"].tolist()[2] == "not all warned of"
