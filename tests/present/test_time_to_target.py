"""The time to the target as sentences and as a curve."""

import re

import numpy as np
import pytest

from qieval.analyses.time_to_target import times_to_target
from qieval.present.charts import time_to_target as charts
from qieval.present.wording import time_to_target as wording
from tests.analyses.conftest import bundled
from tests.analyses.test_time_to_target import LATER, never_changed, only, study_of
from tests.present.test_charts import assert_whole


def said(study) -> list[str]:
    return list(wording.answer(only(study)).sentences)


BY_CHANCE = "Had nothing changed since baseline, fewer than one of the {n} would have reached it by chance."


# --- sentences -------------------------------------------------------------------------------------


def test_the_median_time_stands_beside_its_interval_and_chance():
    assert said(study_of(*LATER, [85] * 8)) == [
        "Cord clamped late: 5 of 6 facilities reached 80% for 3 months in a row; half of the facilities were there 1.5 "
        "months after joining (95% interval 0.0 to no upper limit).",
        BY_CHANCE.format(n=6),
    ]


def test_few_arrivals_are_listed_instead_of_a_median():
    assert said(study_of(*LATER)) == [
        "Cord clamped late: 4 of 5 facilities reached 80% for 3 months in a row (F0 after 0 months, F1 after 1 month, "
        "F3 after 2 months and F4 after 3 months); with fewer than 5 no median time is given.",
        BY_CHANCE.format(n=5),
    ]


def test_few_facilities_are_listed_without_a_curve():
    study = study_of(*LATER[:3])
    assert said(study)[0] == (
        "Cord clamped late: 2 of 3 facilities reached 80% for 3 months in a row (F0 after 0 months and F1 after 1 "
        "month). With fewer than 5 facilities to follow no curve and no median are given."
    )
    assert charts.share_at_target(only(study)) is None


def test_a_median_that_is_not_reached_is_said_to_be():
    study = study_of(*[[85] * 8] * 5, *[[50] * 8] * 7)
    assert said(study)[0] == (
        "Cord clamped late: 5 of 12 facilities reached 80% for 3 months in a row. The median time is not reached: by "
        "the curve less than half of the facilities got there in the 5.0 months they could be followed."
    )


def test_no_target_and_nobody_to_follow_are_said():
    assert said(study_of(*LATER, target=None)) == ["Cord clamped late has no target, so there is no time to it."]
    assert said(study_of([85, 86, 87], joined="2022-03-01")) == [
        "Cord clamped late: no facility can be followed to the target of 80% for 3 months in a row. Not counted: 1 "
        "facility had fewer than 3 baseline months (F0)."
    ]


def test_who_is_in_no_curve_is_named_with_the_reason():
    study = study_of(*LATER, [85, 86], [85] * 8)
    rows = study["measurements"]
    is_before = (rows["facility_id"] == "F6") & (rows["period"] < "2022-05-01")
    study["measurements"].loc[is_before, "numerator"] = 90
    assert said(study)[0].endswith(
        "Not counted: 1 facility had a baseline at the target already (F6); 1 facility had fewer than 3 months since "
        "joining (F5)."
    )


def test_what_chance_explains_is_said_to_be_no_evidence():
    sentence = said(never_changed(40, months=(24,)))[1]
    assert re.match(
        r"Had nothing changed since baseline, about \d+ of the 40 would have reached it by chance\.", sentence
    )
    assert sentence.endswith("So those that reached it are no evidence that care changed.")


def test_chance_of_means_is_said_to_be_unknown():
    assert said(study_of(*LATER, indicator={"kind": "mean"}))[1] == (
        "How many would have reached it by chance had nothing changed is not known: how the months of such an "
        "indicator scatter is not recorded."
    )


def test_caveats_warn_of_a_single_month_and_are_silent_where_nobody_is_followed():
    one = times_to_target(study_of(*LATER, options={"effectiveness": {"months_to_reach": 1}}))
    assert "ask for three in a row" in wording.caveats(one).sentences[0]
    three = wording.caveats(times_to_target(study_of(*LATER))).sentences
    assert "from the first of 3 months in a row" in three[0]
    assert wording.caveats(times_to_target(bundled("small"))).sentences == []


# --- the curve -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "study",
    [
        study_of(*LATER),
        study_of(*[[85] * 8] * 5),  # all at once, in the month of joining
        study_of(*[[85] * 3] * 5),  # followed for as long as it takes and no longer
        study_of(*[[50] * 8] * 5),  # nobody
        study_of(*LATER, indicator={"kind": "mean"}),  # no curve of chance
        study_of(*LATER, indicator={"kind": "rate", "per": 1000, "unit": "per 1000"}, target=800),
        never_changed(24, months=(8, 60, 120), people=8),
    ],
    ids=["few", "at once", "short", "nobody", "mean", "rate", "long and many"],
)
def test_any_curve_can_be_drawn(study):
    assert_whole(charts.share_at_target(only(study)))


def test_the_demo_can_be_drawn_and_what_is_refused_is_not(demo):
    for result in times_to_target(demo):
        assert_whole(charts.share_at_target(result))
    assert [charts.share_at_target(result) for result in times_to_target(bundled("small"))] == [None, None]


def test_the_labels_at_the_end_tell_both_shares():
    seen, by_chance = wording.labels(only(study_of(*LATER)))
    assert (seen, by_chance) == ("Seen: 80%", "By chance\nalone: 0%")


def test_nothing_is_claimed_of_a_number_that_was_refused(demo):
    for result in times_to_target(demo):
        text = " ".join(wording.answer(result).sentences)
        assert ("half of the facilities were there" in text) == (result.has_median and np.isfinite(result.curve.median))
