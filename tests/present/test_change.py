"""The answer of the effectiveness notebook, and its table at a glance."""

from dataclasses import replace

import pytest

from qieval.analyses.change import change
from qieval.analyses.effectiveness import effectiveness
from qieval.present.display import Text
from qieval.present.tables.effectiveness import indicator_summary
from qieval.present.wording import change as wording
from tests.analyses.conftest import an_indicator, make_study, monthly


@pytest.fixture(scope="module")
def told(demo):
    result = effectiveness(demo)
    changed = change(demo, result)
    return result, changed, wording.answer(result, changed).sentences


def test_each_indicator_has_its_medians_and_its_change_against_its_own_trends(told):
    said = told[2][0]
    assert "improved. The median was 44% in 12 baseline months and 63% in the last 6 months (+19 points)." in said
    assert "12 months after joining, 23 facilities stood on average +30 points from where their own trends" in said
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
    assert table["Against own trend, month 12"].iloc[0] == "+30 (+24 to +35)"
    assert table["Beyond those not joined, months 0 to 2"].iloc[0].startswith("+19 (+11 to ")
    assert table["Improved"].iloc[0] == "20 of 23"


def test_nothing_measured_is_said_so():
    study = make_study(
        facilities=[{"facility_id": "F", "joined_on": "2022-01-01"}],
        indicators=[an_indicator()],
        measurements=[{"facility_id": "F", "indicator_id": "I", "period": "2022-01-01", "numerator": 1}],
    )
    result = effectiveness(study)
    (sentence,) = wording.answer(result, change(study, result)).sentences
    assert sentence == "No facility that takes part has a month with both a numerator and a denominator."


def test_the_columns_say_of_which_months_they_are(told):
    columns = indicator_summary(told[0], told[1]).shown.columns
    assert "Against own trend, month 12" in columns
    assert "Beyond those not joined, months 0 to 2" in columns


def test_what_differs_in_the_name_only_is_said_once():
    texts = [Text(sentences=["A: 3 left out.", "Months count once."]), Text(sentences=["B: 3 left out.", "B: none."])]
    said = wording.merged(texts, ["A", "B"]).sentences
    assert said == ["All indicators: 3 left out.", "Months count once.", "B: none."]


def doubtful(**given):
    months = monthly("F", "2021-01-01", [40] * 24)
    rows = [row | given for row in months]
    study = make_study(
        facilities=[{"facility_id": "F", "joined_on": "2022-01-01"}], indicators=[an_indicator()], measurements=rows
    )
    return wording.doubts(effectiveness(study).indicators[0])


def test_figures_of_data_that_were_not_found_again_carry_a_warning():
    assert doubtful(recount=30).sentences == [
        "Counted again, 75% of the events reported were found (24 facility-months); 90% to 110% would do. Read every "
        "figure of this indicator with that in mind."
    ]
    assert doubtful(recount=42) is None
    assert doubtful() is None


def test_figures_of_data_with_many_months_missing_carry_a_warning():
    months = monthly("F", "2021-01-01", [40 if month % 3 else None for month in range(24)])
    study = make_study(
        facilities=[{"facility_id": "F", "joined_on": "2022-01-01"}], indicators=[an_indicator()], measurements=months
    )
    (sentence,) = wording.doubts(effectiveness(study).indicators[0]).sentences
    assert sentence == (
        "Facilities reported in 70% of the months they could have; below 80% who reports can move a line as much as "
        "care does."
    )


def test_facilities_chosen_for_a_bad_baseline_bring_a_warning_before_all_else():
    study = make_study(
        facilities=[{"facility_id": "F", "joined_on": "2022-01-01"}],
        indicators=[an_indicator()],
        measurements=monthly("F", "2021-01-01", [40] * 24),
        options={"effectiveness": {"chosen_for_baseline": True}},
    )
    result = effectiveness(study)
    assert wording.answer(result, change(study, result)).sentences[0].startswith("Facilities were invited because")


def test_a_run_chart_that_improved_beside_a_trend_that_tells_none_is_not_settled(told):
    result, changed, _ = told
    found, by_trend = result.indicators[0], changed.interrupted[0]
    untold = replace(by_trend, pooled=replace(by_trend.pooled, estimate=0.15, low=-0.03, high=0.34))
    one = replace(result, indicators=(found,)), replace(changed, interrupted=(untold,))
    said = wording.answer(*one).sentences[0]
    assert said.startswith(f"{found.indicator.name} improved by the run chart of all facilities together. The median")
    assert said.endswith(
        " Set against each facility's own trend, no change could be told: 12 months after joining, 23 facilities stood "
        "on average +15 points from where their own trends were heading (95% interval −3 to +34 points). So it is not "
        "settled whether care improved."
    )
