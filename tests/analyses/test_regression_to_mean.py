"""Baseline against gain: told apart from what chance alone makes of it, or not told at all; and its words."""

import numpy as np
import pytest

from qieval.analyses.regression_to_mean import regressions_to_mean
from qieval.methods.regression_to_mean import oldham
from qieval.present.wording import regression_to_mean as wording
from tests.analyses.conftest import an_indicator, make_study, monthly

LEVELS = [30, 35, 40, 45, 50, 55, 60, 65]


MIXED = [45, 35, 60, 55, 40, 70, 65, 50]


def study_of(before, after, *, months=6, people=100, **given):
    """A facility per pair of counts, each the same for so many months before and after joining."""
    indicator = an_indicator(**given.pop("indicator", {}))
    rows = []
    for number, (low, high) in enumerate(zip(before, after, strict=True)):
        rows += monthly(f"F{number}", "2022-01-01", [low] * 6 + [high] * months, people)
    return make_study(
        facilities=[{"facility_id": f"F{number}", "joined_on": "2022-07-01"} for number in range(len(before))],
        indicators=[indicator],
        measurements=rows,
        **given,
    )


def only(study):
    (result,) = regressions_to_mean(study)
    return result


def said(study):
    return " ".join(wording.answer(regressions_to_mean(study)).sentences)


CLOSER = study_of(LEVELS, [70, 70, 71, 72, 72, 73, 74, 74])
APART = study_of(LEVELS, [31, 37, 45, 52, 62, 70, 80, 90])


def test_the_correlations_are_oldhams_over_facilities():
    after = [70, 70, 71, 72, 72, 73, 74, 74]
    expected = oldham(np.array(LEVELS) / 100, np.array(after) / 100)
    assert only(CLOSER).oldham.oldham == pytest.approx(expected.oldham)
    assert only(CLOSER).oldham.n == 8


def test_as_many_months_are_taken_before_as_after():
    assert only(CLOSER).table["months"].tolist() == [6] * 8
    short = study_of(LEVELS, MIXED, months=4)
    assert only(short).table["months"].tolist() == [4] * 8


def test_gain_is_positive_where_care_became_better_and_the_correlation_knows_no_direction():
    falling = study_of(
        [100 - value for value in LEVELS], [30, 30, 29, 28, 28, 27, 26, 26], indicator={"better": "down"}
    )
    assert only(falling).table["gain"].tolist() == pytest.approx(only(CLOSER).table["gain"].tolist())
    assert only(falling).oldham.oldham == pytest.approx(only(CLOSER).oldham.oldham)
    assert only(falling).worst_quarter.gain == pytest.approx(only(CLOSER).worst_quarter.gain)


def never_changed(seed, n=40, people=30):
    """Facilities that are all alike, of `people` a month, six months before and six after."""
    rng, rows = np.random.default_rng(seed), []
    for number in range(n):
        rows += monthly(f"F{number}", "2022-01-01", list(rng.binomial(people, 0.5, size=12)), people)
    return make_study(
        facilities=[{"facility_id": f"F{number}", "joined_on": "2022-07-01"} for number in range(n)],
        indicators=[an_indicator()],
        measurements=rows,
    )


def test_the_worst_of_facilities_that_never_changed_improve_as_much_as_chance_says():
    found = [only(never_changed(seed)) for seed in range(15)]
    seen = np.mean([one.worst_quarter.gain for one in found])
    expected = np.mean([one.worst_quarter.gain_by_chance for one in found])
    assert seen == pytest.approx(expected, abs=0.006)
    assert seen > 0.03
    assert np.mean([one.oldham.naive for one in found]) < -0.6
    assert abs(np.mean([one.oldham.oldham for one in found])) < 0.1


def test_fewer_than_five_facilities_are_refused_in_words():
    study = study_of(LEVELS[:4], LEVELS[4:])
    assert only(study).refused == "too few facilities"
    assert said(study) == (
        "Cord clamped late: 4 facilities have 3 months before joining and 3 since; it takes 5 to tell whether those "
        "that began worst gained most."
    )


def test_no_baseline_is_refused_in_words():
    study = study_of(LEVELS, MIXED)
    study["facilities"]["joined_on"] = np.datetime64("NaT", "ns")
    assert only(study).refused == "no baseline"
    assert said(study) == (
        "Cord clamped late: no facility has 3 months before it joined, so gains cannot be set against baselines."
    )


def test_facilities_that_are_all_alike_are_refused_in_words():
    study = study_of([50] * 6, [60] * 6)
    assert only(study).refused == "all alike"
    assert said(study) == (
        "Cord clamped late: all facilities have the same baseline, the same change or the same mean of before and "
        "after; there is nothing to compare."
    )


def test_a_facility_with_too_few_months_is_left_out():
    study = study_of(LEVELS, MIXED, months=2)
    assert (only(study).refused, only(study).n_left_out) == ("too few facilities", 8)


def test_the_worst_quarter_is_told_from_eight_facilities_on_and_for_kinds_whose_scatter_is_known():
    assert only(study_of(LEVELS[:7], MIXED[:7])).worst_quarter is None
    assert only(study_of(LEVELS, MIXED)).worst_quarter.n == 2
    assert only(study_of(LEVELS, MIXED, indicator={"kind": "mean"})).worst_quarter is None


def test_facilities_that_came_closer_are_said_to_and_a_ceiling_is_named():
    text = said(CLOSER)
    assert "facilities came closer together; those that began worse (lower) gained more" in text
    assert "A limit that no facility can go beyond would show the same." in text
    assert "The 2 facilities with the worst baseline became better by 38 points" in text
    falling = study_of(
        [100 - value for value in LEVELS], [30, 30, 29, 28, 28, 27, 26, 26], indicator={"better": "down"}
    )
    assert "those that began worse (higher) gained more" in said(falling)


def test_facilities_that_drew_apart_are_said_to():
    assert "facilities drew apart; those that began better (higher) gained more" in said(APART)


def test_what_cannot_be_told_is_said_not_to_be():
    assert "whether those that began worst gained more or less than others cannot be told" in said(never_changed(3))


def test_a_correlation_stands_beside_its_interval_and_no_p_value_is_given():
    text = said(CLOSER)
    assert "which chance alone leaves at 0: −1.00, 95% interval −1.00 to −0.99, 8 facilities" in text
    assert "p =" not in text


def test_facilities_chosen_for_a_bad_baseline_bring_a_warning():
    options = {"effectiveness": {"chosen_for_baseline": True}}
    study = study_of(LEVELS, MIXED, options=options)
    first = wording.chosen(regressions_to_mean(study))
    assert first.startswith("Facilities were invited because they did badly.")
    assert "overstates what is associated with the collaborative; the sentences below say how much" in first
    few = study_of(LEVELS[:4], LEVELS[4:], options=options)
    assert "by an amount that cannot be told" in wording.chosen(regressions_to_mean(few))
    assert "invited" not in said(study_of(LEVELS, MIXED))


def test_the_demo_and_the_small_example_can_be_told(demo):
    results = regressions_to_mean(demo)
    assert len(results) == 4
    assert all(result.refused is None for result in results)
    deaths = results[3]  # nothing changed there: the worst would gain by chance what they are seen to, or more
    assert deaths.worst_quarter.gain < 2 * deaths.worst_quarter.gain_by_chance
