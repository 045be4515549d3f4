"""The six statistics as sentences, tables and one strip beside the published collaboratives."""

import re

import numpy as np
import pytest

from qieval.analyses.six_statistics import all_six_statistics
from qieval.present.charts import six_statistics as charts
from qieval.present.tables import six_statistics as tables
from qieval.present.wording import six_statistics as wording
from qieval.study.study import open_study
from tests.analyses.conftest import bundled
from tests.analyses.test_six_statistics import RISING, SERIES, study_of
from tests.moz_anc import moz_anc_parameters, write_moz_anc
from tests.present.test_charts import assert_whole


def said(study) -> str:
    return " ".join(wording.answer(all_six_statistics(study)).sentences)


# --- sentences -------------------------------------------------------------------------------------


def test_gain_stands_beside_chance_and_the_published():
    assert wording.answer(all_six_statistics(study_of(*SERIES))).sentences[0] == (
        "Cord clamped late: over 5 facilities the baseline was 42% on average (the same in all of them, so there is no "
        "interval) and the best 3 months in a row since joining 88% (80% to 97%), better by 46 points (38 to 55). Had "
        "nothing changed, the best 3 months in a row would still be better by 3 points, by chance alone. One chart of "
        "all of them together goes from 42% to 88%, better by 46 points; such charts of the published collaboratives "
        "gained 51.9 points on average (spread 28.0)."
    )


def test_reaching_tells_shares_times_chance_and_the_published():
    assert (
        "5 of 5 facilities (100%, 95% interval 57% to 100%) reached 80% for 3 months in a row; of 135 published charts "
        "87% did. Had nothing changed since baseline, fewer than one would have by chance. The 5 that did not begin "
        "there took 3.0 months on average (the same in all of them, so there is no interval); the published charts "
        "took 9.2. Those still short of it are not in this mean."
    ) in said(study_of(*[RISING] * 5))


def test_months_kept_stand_beside_the_published():
    assert (
        "Since reaching it, 5 facilities observed for 6 months or more spent 86% of these months at 80% or above (the "
        "same in all of them, so there is no interval; published: 69%)."
    ) in said(study_of(*[RISING] * 5))


def test_a_gain_within_chance_is_said_to_be_no_evidence():
    rows = [[40, 45, 42, 38, 44, 41, 43, 40, 42, 44 + number] for number in range(5)]
    assert "by chance alone: this gain is no evidence that care changed." in said(study_of(*rows))


def test_who_began_there_is_counted_and_a_level_nobody_reached_has_no_time():
    text = said(study_of(*SERIES, before=[85, 84, 85, 86]))
    assert "5 facilities began there." in text
    low = said(study_of(*[[50 + number] * 10 for number in range(5)]))
    assert "0 of 5 facilities (0%, 95% interval 0% to 43%) reached 80%" in low
    assert "on average (95% interval 0" not in low


def test_few_that_reached_it_are_refused_a_mean_and_a_share_kept():
    text = said(study_of(*SERIES))
    assert "Only 2 facilities came to it since joining, too few for a mean time." in text
    assert (
        "Whether they stayed at 80% or above is not given: 3 facilities were observed for 6 months or more since "
        "reaching it, and it takes 5." in text
    )


def test_an_indicator_of_which_less_is_better_is_held_against_its_target_and_not_against_the_published():
    falling = [[100 - value for value in series] for series in SERIES]
    study = study_of(*falling, before=[58, 56, 58, 58], indicator={"better": "down", "target": 0.2})
    text = said(study)
    assert "reached the target of 20% for 3 months in a row." in text
    assert "published charts did" not in text
    assert "or below" in text


def test_a_rate_carries_its_unit():
    indicator = {"kind": "rate", "per": 1000, "unit": "deaths per 1000 births", "better": "down", "target": 300}
    text = said(study_of(*SERIES, indicator=indicator))
    assert "the baseline was 420 deaths per 1000 births on average" in text
    assert re.search(r"better by −?[\d.]+ deaths per 1000 births", text)
    assert "51.9" not in text


def test_a_mean_says_that_chance_is_not_known_and_without_target_that_there_is_none_to_reach():
    text = said(study_of(*SERIES, indicator={"kind": "mean"}))
    assert "What chance alone would make of the best months is not known for this kind of indicator." in text
    assert "Cord clamped late has no target, so no share that reached it, no time to it and no months kept." in text


@pytest.mark.parametrize(
    ("study", "words"),
    [
        (
            study_of(*SERIES, joined=None),
            "Cord clamped late: no facility has 3 months before it joined, so there is no baseline to set a level "
            "reached against; the six statistics are not given. Give each facility's joined_on, and months before it.",
        ),
        (
            study_of(*[RISING[:7]] * 5),
            "Cord clamped late: no facility has 12 months with people enough, 3 of them before it joined and 3 in a "
            "row since; the six statistics are not given.",
        ),
        (
            study_of(*SERIES[:4]),
            "Cord clamped late: 4 facilities have months enough; with fewer than 5 neither a mean nor an interval is "
            "given. Each facility's figures are in the table.",
        ),
    ],
    ids=["no baseline", "too few months", "too few facilities"],
)
def test_what_is_refused_is_refused_in_words(study, words):
    assert wording.answer(all_six_statistics(study)).sentences == [words]
    assert not re.search(r"\d%", words)


def test_nothing_measured_is_said():
    assert wording.answer(()).sentences == ["No indicator was measured in a facility that takes part."]


def test_claims_stay_within_the_design(demo):
    text = said(demo)
    assert "associated with the collaborative, and other causes are not ruled out" in text
    assert not re.search(r"effect of|because of|thanks to|caused", text)


def test_caveats_name_who_was_left_out_and_what_compares():
    found = all_six_statistics(study_of(*SERIES, RISING[:7]))
    lines = wording.caveats(found).sentences
    assert lines[0] == (
        "Cord clamped late: left out for fewer than 12 months, or too few of them in a row since joining: F5."
    )
    assert "those with little to show are written up less often" in lines[1]
    assert wording.caveats(all_six_statistics(bundled("small"))).sentences == []


# --- tables ----------------------------------------------------------------------------------------


def test_the_table_sets_every_statistic_beside_chance_and_the_published():
    (found,) = all_six_statistics(study_of(*SERIES))
    shown = tables.statistics(found).shown.set_index("Statistic")
    assert shown.loc["Gain"].tolist() == [
        "46 points", "38 to 55", "5", "46 points", "3 points", "51.9 points (spread 28.0)"
    ]  # fmt: skip
    assert shown.loc["Months to reach 90%", "Over facilities"] == "too few came to it (2)"
    assert shown.loc["Months to reach 90%", "95% interval"] == "–"
    assert shown.loc["Facilities that reached 90%", "27 published"] == "76%"
    assert shown.loc["Baseline", "27 published"] == "two thirds below 50%"


def test_facilities_are_shown_also_where_they_are_too_few_for_a_mean():
    (found,) = all_six_statistics(study_of(*SERIES[:4]))
    assert tables.statistics(found) is None
    shown = tables.facilities(found).shown
    assert shown["Months to 80%"].tolist() == ["not reached", "5", "4", "3"]
    assert shown["Months kept at 80%"].tolist() == ["–", "–", "5 of 6", "6 of 7"]
    (none,) = all_six_statistics(study_of(*SERIES, joined=None))
    assert tables.facilities(none) is None


def test_a_facility_row_tells_began_there_from_not_reached():
    (found,) = all_six_statistics(study_of(*SERIES, before=[85, 84, 85, 86]))
    shown = tables.facilities(found).shown
    assert set(shown["Months to 80%"]) == {"began there"}
    assert "not reached" in set(shown["Months to 90%"])


# --- the strip -------------------------------------------------------------------------------------


def test_the_strip_of_the_demo_is_whole_and_names_its_source(demo):
    figure = charts.strip(all_six_statistics(demo))
    assert_whole(figure)
    assert figure.caption.endswith("Source: Franco and Marquez, BMJ Qual Saf 2011;20:658.")


def test_no_strip_where_nothing_can_be_summed_up():
    assert charts.strip(all_six_statistics(bundled("small"))) is None
    assert charts.strip(()) is None


@pytest.mark.parametrize(
    "indicator",
    [
        {"better": "down", "target": 0.9},
        {"kind": "rate", "per": 1000, "target": 300.0},
        {"kind": "mean", "target": 0.8},
        {"kind": "count", "target": 80.0},
        {"name": "A very long name of an indicator that goes on and on beyond what one line can hold, in a report"},
        {"name": "$x^2$ <b>प्रसव</b>"},
    ],
)
def test_every_kind_of_indicator_has_its_place_on_the_strip(indicator):
    assert_whole(charts.strip(all_six_statistics(study_of(*SERIES, indicator=indicator))))


def test_a_rate_without_a_target_has_nothing_on_the_strip_that_an_axis_could_show():
    study = study_of(*SERIES, indicator={"kind": "rate", "per": 1000})
    assert charts.strip(all_six_statistics(study)) is None


def test_a_real_trial_fits_on_the_strip(reference, tmp_path):
    study = open_study(**moz_anc_parameters(write_moz_anc(reference, tmp_path / "moz_anc")))
    found = all_six_statistics(study)
    assert_whole(charts.strip(found))
    worms = next(one for one in found if "worms" in one.indicator.name)
    assert np.isfinite(worms.row("gain")[["estimate", "low", "high"]].astype(float)).all()
