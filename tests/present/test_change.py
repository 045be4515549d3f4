"""The answer of the effectiveness notebook, and its table at a glance."""

import pytest

from qieval.analyses.change import change
from qieval.analyses.effectiveness import effectiveness
from qieval.present.tables.effectiveness import indicator_summary
from qieval.present.wording import change as wording
from tests.analyses.conftest import an_indicator, make_study


@pytest.fixture(scope="module")
def told(demo):
    result = effectiveness(demo)
    changed = change(demo, result)
    return result, changed, wording.answer(result, changed).sentences


def test_each_indicator_has_its_medians_and_its_change_against_its_own_trends(told):
    said = told[2][0]
    assert (
        "improved. The median was 44% in 12 baseline months and 63% in the last 6 months (+19 points)." in said
    )
    assert (
        "12 months after joining, 23 facilities stood on average +30 points from where their own trends"
        in said
    )
    assert "(95% interval +24 to +35 points)" in said


def test_without_an_effect_no_change_is_told(told):
    deaths = told[2][3]
    assert deaths.startswith("Newborn deaths before discharge: no signal of change.")
    assert deaths.endswith(", so that no change could be told.")


def test_the_counts_of_runs_stand_below_the_chart_and_not_in_the_answer(told):
    assert not any("in a row lie on one side" in sentence for sentence in told[2])


def test_a_change_is_called_associated_and_no_more(told):
    assert told[2][-1] == wording.WHY
    assert "associated with the collaborative, and other causes are not ruled out" in wording.WHY


def test_the_table_holds_both_changes_with_their_intervals(told):
    table = indicator_summary(told[0], told[1]).shown
    assert table["Against own trend"].iloc[0] == "+30 (+24 to +35)"
    assert table["Beyond those not joined"].iloc[0].startswith("+19 (+11 to ")
    assert table["Facilities improved"].iloc[0] == "20 of 23"


def test_nothing_measured_is_said_so():
    study = make_study(
        facilities=[{"facility_id": "F", "joined_on": "2022-01-01"}],
        indicators=[an_indicator()],
        measurements=[{"facility_id": "F", "indicator_id": "I", "period": "2022-01-01", "numerator": 1}],
    )
    result = effectiveness(study)
    (sentence,) = wording.answer(result, change(study, result)).sentences
    assert sentence == "No facility that takes part has a month with both a numerator and a denominator."
