"""When was a gain lost? The run rule, chance, gaps, and the curve."""

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.loss_of_gain import loss_of_gain
from qieval.analyses.segments import segments
from qieval.analyses.series import indicators
from qieval.methods.runs import chance_of_run
from tests.analyses.conftest import an_indicator, make_study, monthly
from tests.analyses.test_sustainment import ENDED, levels, only, study_of

UP_TO_END = levels(0.3, 0.5, 0.5)[:24]  # of 1,000 people a month; what counts as kept is 450 or more


def lost(after, **given):
    """What became of one facility with these counts of 1,000 after support."""
    return only(study_of([*UP_TO_END, *after], **given)).loss.table.iloc[0]


# --- the rule --------------------------------------------------------------------------------------


def test_a_loss_is_dated_at_the_first_of_three_months_in_a_row():
    found = lost([500, 400, 500, 400, 400, 400, 500, 500])
    assert (found["status"], found["duration_months"]) == ("lost", 4)
    assert found["lost_on"] == pd.Timestamp("2023-04-01")


def test_two_months_in_a_row_are_no_loss_unless_two_are_asked_for():
    after = [500, 400, 400, 500, 400, 400, 500, 500]
    assert lost(after)["status"] == "open"
    assert lost(after, months_to_lose=2)["duration_months"] == 2


def test_months_exactly_on_the_line_are_kept():
    assert lost([450] * 8)["status"] == "open"
    assert lost([449] * 8)["status"] == "lost"


def test_a_row_below_the_line_that_chance_explains_is_no_loss():
    few = [3] * 12 + [8] * 12 + [6] * 8  # of 10 people a month: 24 of 30, then 18 of 30
    found = only(study_of(few, people=10)).loss
    assert found.table.iloc[0]["status"] == "open"
    many = [x * 20 for x in few]
    assert only(study_of(many, people=200)).loss.table.iloc[0]["status"] == "lost"


def test_a_gap_neither_makes_nor_breaks_a_row():
    assert lost([500, 400, None, 400, 400, 500])["duration_months"] == 2
    assert lost([500, 400, 400, None, 500, 500])["status"] == "open"


def test_a_month_of_few_people_is_a_gap():
    values = [*UP_TO_END, 500, 400, 0, 400, 400, 500]
    people = [1000] * 26 + [4] + [1000] * 3
    assert only(study_of(values, people=people)).loss.table.iloc[0]["duration_months"] == 2


def test_where_less_is_better_a_loss_is_a_rise():
    values = [1000 - x for x in [*UP_TO_END, 500, 400, 400, 400]]
    found = only(study_of(values, indicator={"better": "down"})).loss.table.iloc[0]
    assert (found["status"], found["duration_months"]) == ("lost", 2)


def test_of_a_mean_months_are_compared():
    minutes = [600, 620, 580] * 4 + [500] * 9 + [400, 410, 390] + [400, 500, 520, 510, 500, 500]
    found = only(study_of(minutes, people=10, indicator={"kind": "mean", "better": "down"})).loss
    assert (found.table.iloc[0]["status"], found.table.iloc[0]["duration_months"]) == ("lost", 2)
    assert np.isnan(found.lost_by_chance)
    assert found.by_chance is None


# --- censoring -------------------------------------------------------------------------------------


def test_a_gain_not_lost_is_open_up_to_the_last_month_a_row_could_have_begun_in():
    assert lost([500] * 12)["duration_months"] == 10
    assert lost([500] * 5)["duration_months"] == 3
    assert lost([500] * 12, months_to_lose=1)["duration_months"] == 12


def test_fewer_months_than_a_row_are_too_few():
    assert lost([400, 400])["status"] == "too few months"


def many(*after):
    """Facilities that all gained from 30% to 50%, with these counts of 1,000 after support."""
    rows = [row for n, own in enumerate(after) for row in monthly(f"F{n}", "2021-01-01", [*UP_TO_END, *own], 1000)]
    facilities = [{"facility_id": f"F{n}"} | ENDED for n in range(len(after))]
    return only(make_study(facilities=facilities, indicators=[an_indicator()], measurements=rows)).loss


def test_the_curve_holds_losses_and_what_is_still_open():
    held, early, late = [500] * 12, [400] * 12, [500] * 5 + [400] * 7
    found = many(held, held, held[:6], early, late)
    assert (found.n_lost, found.n_followed, found.refused) == (2, 5, None)
    # At month 1 one of five; at month 4 one is censored; at month 6 one of the three left.
    survival = found.curve.curve.set_index("time")["survival"]
    assert survival[1] == pytest.approx(4 / 5)
    assert survival[6] == pytest.approx(4 / 5 * 2 / 3)
    assert not found.has_median


def test_four_facilities_have_no_curve_and_five_losses_a_median():
    early = [400] * 12
    assert many(*[early] * 4).refused == "too few facilities"
    assert many(*[early] * 4).curve is None
    assert many(*[early] * 5).has_median


def test_no_gain_and_nobody_to_follow_are_told_apart():
    assert only(study_of(levels(0.3, 0.3, 0.3))).loss.refused == "no gain"
    assert many([], [400]).refused == "no facility to follow"


# --- chance ----------------------------------------------------------------------------------------


def test_with_the_level_known_for_certain_the_row_alone_is_as_likely_as_calculated():
    study = study_of([3 * 50] * 12 + [8 * 50] * 12 + [8] * 12, people=[500] * 24 + [10] * 12)
    (indicator,) = indicators(study)
    own = segments(study, indicator)
    ends = pd.DataFrame({"end": [0.8], "true_end": [0.8], "true_end_se": [0.0]})
    found = loss_of_gain(own, ends, indicator, study.parameters.options.sustainment, 5)
    from scipy.stats import binom

    below = binom.cdf(7, 10, 0.8)  # 8 of 10 is above 75%, 7 is not
    assert found.row_by_chance == pytest.approx(chance_of_run([below] * 12, 3), abs=0.05)
    assert found.lost_by_chance < 0.1 < found.row_by_chance


def test_chance_is_the_same_every_time():
    once, again = (many([500] * 12, [480] * 12).table for _ in range(2))
    pd.testing.assert_frame_equal(once, again)


def test_many_people_leave_little_to_chance():
    assert many(*[[500] * 12] * 5).lost_by_chance < 0.5
