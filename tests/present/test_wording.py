"""What a report says: its sentences, its refusals, and what it never claims."""

import re

import pytest

from qieval.analyses.after_support import after_support
from qieval.analyses.change import change
from qieval.analyses.durations import durations
from qieval.analyses.early_warning import early_warnings
from qieval.analyses.effectiveness import effectiveness
from qieval.analyses.mentoring import mentoring
from qieval.analyses.sustainment import sustainment
from qieval.present.wording import after_support as of_after_support
from qieval.present.wording import change as of_change
from qieval.present.wording import durations as of_durations
from qieval.present.wording import early_warning as of_early_warning
from qieval.present.wording import effectiveness as of_effectiveness
from qieval.present.wording import mentoring as of_mentoring
from qieval.present.wording import sustainment as of_sustainment
from tests.analyses.test_effectiveness import BEFORE, HIGHER, SAME, joining_late
from tests.analyses.test_effectiveness import study_of as care
from tests.analyses.test_mentoring import totals

# --- mentoring -------------------------------------------------------------------------------------


def test_the_pilots_mentoring_in_words(hub_spoke):
    assert of_mentoring.answer(mentoring(hub_spoke)).sentences == [
        "Network mentors: 34 visits done of 14 planned, 2.43 for each planned (95% interval 1.68 to 3.39): more than "
        "planned.",
        "Hub mentors, rural: 4 visits done of 18 planned, 0.22 for each planned (95% interval 0.06 to 0.57): fewer "
        "than planned.",
        "Only totals were kept, so it cannot be said which facilities were visited, nor how evenly.",
    ]


def test_the_total_over_groups_is_never_said_without_a_warning(hub_spoke):
    result = mentoring(hub_spoke)
    assert not any("38" in sentence for sentence in of_mentoring.answer(result).sentences)
    (said,) = [sentence for sentence in of_mentoring.caveats(result).sentences if "38 of 32" in sentence]
    assert said.endswith("hides the differences between the groups and should not be quoted alone.")


def test_where_no_difference_between_groups_can_be_told_the_total_only_may_hide_one():
    said = of_mentoring.caveats(mentoring(totals(("network", None, 3, 3), ("hub", None, 5, 4)))).sentences
    assert said[1] == (
        "The total over all groups, 7 of 8, may hide differences between the groups and should not be quoted alone."
    )


def test_nothing_planned_is_said_without_a_ratio():
    said = of_mentoring.answer(mentoring(totals(("hub", "rural", 0, 3)))).sentences
    assert said[0] == "Hub mentors, rural: 3 done, none planned; no ratio can be given."


def test_a_wide_interval_is_not_read_as_more_or_fewer():
    said = of_mentoring.answer(mentoring(totals(("peer", None, 4, 5)))).sentences
    assert said[0].endswith("(95% interval 0.41 to 2.92): not clearly more or fewer than planned.")


def test_facilities_never_visited_are_named(demo):
    said = of_mentoring.answer(mentoring(demo)).sentences
    assert re.fullmatch(r"22 of 24 facilities had at least one visit \(92%, 95% interval 74% to 98%\)\.", said[-2])
    assert re.fullmatch(r"Never visited: \w[\w ]+ and \w[\w ]+\.", said[-1])


# --- effectiveness ---------------------------------------------------------------------------------


def said_of(study):
    """What is said of the line of all facilities together, and what may be made of it."""
    result = effectiveness(study)
    return [of_effectiveness.collaborative(one) for one in result.indicators] + of_change.answer(
        result, change(study, result)
    ).sentences[len(result.indicators) :]


def test_an_improvement_is_said_with_both_medians_and_the_rule_it_breaks():
    said = said_of(care(BEFORE + HIGHER))
    assert said[0].startswith(
        "Cord clamped late improved. The median was 44% in 12 baseline months and 64% in the last 6 months (+21 "
        "points). 12 months in a row lie on one side of the baseline median, where chance explains up to "
    )
    assert said[1] == (
        "A run chart shows that care changed and when, not why: any change is associated with the collaborative, and "
        "other causes are not ruled out."
    )


def test_a_worsening_is_called_one():
    assert said_of(care(BEFORE + HIGHER, indicator={"better": "down"}))[0].startswith(
        "Cord clamped late worsened. The median was 44%"
    )


def test_no_signal_is_not_called_a_change():
    said = said_of(care(BEFORE + SAME))
    assert len(said) == 1
    assert said[0].startswith("Cord clamped late: no signal of change by the runs rules. The median was 44%")


def test_a_gain_that_was_lost_is_not_called_an_improvement():
    said = said_of(care(BEFORE + HIGHER + HIGHER + BEFORE, data_cut="2024-12-31"))
    assert said[0].startswith("Cord clamped late changed and is back at its baseline. The median was 44%")


def test_a_missing_signal_after_a_short_baseline_is_not_a_missing_change():
    (said,) = said_of(care(BEFORE[:3] + SAME, joined="2021-04-01"))
    assert "With 3 baseline months and 12 months after them, even a change that came at once and lasted" in said
    assert said.endswith("is hardly told from chance, so one may well have gone unseen.")


def test_a_line_moved_by_who_reports_is_told_with_what_happened_inside():
    (said,) = said_of(joining_late())
    assert re.fullmatch(
        r"Cord clamped late: the line of all facilities together moved \(\+\d+ points\), but inside facilities that "
        r"reported before and after the change is (0|[+−]1) points?\. Who reported, or how many people each saw, has "
        r"changed, so this is no evidence that care did\.",
        said,
    )


def test_part_of_a_gain_that_has_gone_is_said():
    halfway = [50, 55, 49, 52, 53, 51, 55, 50, 54, 52, 51, 53]
    said = said_of(care(BEFORE + HIGHER + halfway, data_cut="2024-12-31"))
    assert "Its best 6 months had a median of " in said[0]
    assert "part of the gain has gone since." in said[0]


def test_where_less_is_better_it_is_said():
    assert "less is better)." in said_of(care(HIGHER + BEFORE, indicator={"better": "down"}))[0]


def test_an_unstable_baseline_is_no_evidence():
    assert said_of(care(list(range(30, 42)) + HIGHER)) == [
        "Cord clamped late: the baseline was itself moving before the collaborative began, so a difference between "
        "before and after is not evidence of improvement."
    ]


def test_no_baseline_names_what_to_record():
    assert said_of(care(BEFORE + HIGHER, joined=None)) == [
        "Cord clamped late: no month measured lies in a baseline, so before and after cannot be told apart; give each "
        "facility's joined_on, or a phase named baseline, and months before it."
    ]


def test_too_few_months_are_counted_beside_what_is_needed():
    assert said_of(care(BEFORE[:4] + HIGHER[:5], joined="2021-05-01")) == [
        "Cord clamped late: too few months to judge. There are 4 before and 5 after, 9 of them off the median; at "
        "least 3 before, 3 after and 10 off the median are needed."
    ]
    assert said_of(care(BEFORE[:9], joined=None))[0].endswith(
        "There are 9 months and no baseline; at least 10 months are needed."
    )


def test_nothing_to_calculate_is_said():
    assert said_of(care([0, 0], denominators=0)) == [
        "No facility that takes part has a month with both a numerator and a denominator."
    ]


@pytest.fixture(scope="module")
def deaths(demo):
    """An indicator on which the collaborative truly has no effect."""
    return effectiveness(demo).indicators[-1]


def test_signals_expected_by_chance_stand_beside_those_found(deaths):
    said = of_effectiveness.facilities(deaths).sentences[0]
    assert re.search(r"Of the \d+ charts judged, fewer than one would signal by chance had nothing changed\.$", said)


def test_one_facility_is_one():
    (result,) = effectiveness(care(BEFORE + HIGHER)).indicators
    assert of_effectiveness.facilities(result).sentences[0] == "Of 1 facility, 1 improved."


# --- what is never said ----------------------------------------------------------------------------


def everything_said_of(study):
    """Every sentence, caption and alternative text about a study."""
    said = []
    if study.has("projects"):
        lengths = durations(study)
        said += of_durations.answer(lengths).sentences + of_durations.caveats(lengths).sentences
        for text in ("share_ended_caption", "timelines_caption", "timelines_alt"):
            said.append(getattr(of_durations, text)(lengths))
        if lengths.curve is not None:
            said.append(of_durations.share_ended_alt(lengths))
    visits = mentoring(study)
    said += of_mentoring.answer(visits).sentences + of_mentoring.caveats(visits).sentences
    said += [of_mentoring.visits_caption(visits), of_mentoring.visits_alt(visits)]
    if study.has("measurements"):
        care_given = effectiveness(study)
        said += of_change.answer(care_given, change(study, care_given)).sentences
        said += of_effectiveness.caveats(care_given).sentences
        said += [of_effectiveness.collaborative(one) for one in care_given.indicators]
        for one in care_given.indicators:
            said += of_effectiveness.facilities(one).sentences
            said += [of_effectiveness.run_chart_caption(one, care_given), of_effectiveness.run_chart_alt(one)]
            said += [of_effectiveness.facility_charts_caption(one), of_effectiveness.facility_charts_alt(one)]
        kept = sustainment(study)
        said += of_sustainment.definition(kept).sentences + of_sustainment.answer(kept).sentences
        said += of_sustainment.caveats(kept).sentences
        for one in kept.indicators:
            for part in (of_sustainment.loss(one), of_sustainment.kept(one)):
                said += part.sentences if part else []
            said += [of_sustainment.segments_caption(one), of_sustainment.segments_alt(one)]
            said += [of_sustainment.kept_caption(one), of_sustainment.kept_alt(one)]
            said += [of_sustainment.loss_caption(one), of_sustainment.loss_alt(one)]
        after, warned = after_support(kept), early_warnings(kept)
        said += of_after_support.caveats(after).sentences + of_early_warning.caveats(warned).sentences
        for one in after:
            said += of_after_support.answer(one).sentences
            said += [of_after_support.forest_caption(one), of_after_support.forest_alt(one)]
            if one.pooled is not None:
                said += [of_after_support.path_caption(one), of_after_support.path_alt(one)]
        for one in warned:
            told = of_early_warning.answer(one)
            said += told.sentences if told else []
            said += [of_early_warning.caption(one), of_early_warning.alt(one)]
    return [sentence for sentence in said if sentence]


@pytest.fixture(scope="module")
def sentences(demo, hub_spoke):
    return everything_said_of(demo) + everything_said_of(hub_spoke)


def test_change_is_associated_with_the_collaborative_and_never_its_effect(sentences):
    said = " ".join(sentences).lower()
    assert "associated with the collaborative" in said
    assert "associated with the end of support" in said
    for claim in ("effect of", "caused", "due to", "because of", "led to", "resulted in", "impact"):
        assert claim not in said


def test_there_are_no_p_values_and_nothing_is_significant(sentences):
    for sentence in sentences:
        assert not re.search(r"\bp\s*[=<>]|p-value|signific", sentence, flags=re.IGNORECASE), sentence


def test_no_number_has_more_than_three_decimals(sentences):
    for sentence in sentences:
        assert not re.search(r"\.\d{4,}", sentence), sentence


def test_no_missing_value_of_a_program_reaches_the_reader(sentences):
    for sentence in sentences:
        assert not re.search(r"\b(nan|NaN|None|NaT|inf|True|False)\b", sentence), sentence


def test_minus_signs_are_minus_signs(sentences):
    for sentence in sentences:
        assert not re.search(r"(?<![\w-])-\d", sentence), sentence


def test_one_is_never_plural(sentences):
    for sentence in sentences:
        # "1 of 24 facilities" is right, "1 facilities" is not; the 1 of 21 is no 1.
        assert not re.search(r"(?<![\d,.])1 (months|projects|facilities|visits|charts)\b", sentence), sentence


def test_sentences_begin_with_a_capital_or_a_number_and_end_with_a_stop(sentences):
    for sentence in sentences:
        assert re.match(r"[A-Z0-9]", sentence), sentence
        assert sentence.endswith((".", ":")), sentence
        assert "  " not in sentence, sentence
