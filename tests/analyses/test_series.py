"""Monthly series: what is pooled, what is left out, and what stays a gap."""

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.series import facility_months, indicators, level, phases, pooled
from tests.analyses.conftest import an_indicator, make_study, monthly


def study_of_two(**given):
    """F2 stands before F1 in the table, and C is a comparison facility."""
    tables = {
        "facilities": [
            {"facility_id": "F2", "joined_on": "2023-03-15", "support_ended_on": "2023-09-30"},
            {"facility_id": "F1", "role": "hub"},
            {"facility_id": "C", "role": "comparison"},
        ],
        "indicators": [an_indicator()],
        "measurements": [
            *monthly("F1", "2023-01-01", [1, 3], [10, 10]),
            *monthly("F2", "2023-01-01", [90, 30], [90, 90]),
            *monthly("C", "2023-01-01", [0, 0], [500, 500]),
        ],
    }
    return make_study(**(tables | given))


def months_and_indicator(study):
    (indicator,) = indicators(study)
    return facility_months(study, indicator), indicator


def test_pooled_values_weigh_people_not_facilities():
    together = pooled(*months_and_indicator(study_of_two()))
    assert together["value"].tolist() == pytest.approx([91 / 100, 33 / 100])  # facilities average 55% and 32%
    assert together["facilities"].tolist() == [2, 2]


def test_comparison_facilities_are_left_out_and_hubs_take_part():
    months, _ = months_and_indicator(study_of_two())
    assert months["facility_id"].unique().tolist() == ["F2", "F1"]


def test_facilities_keep_the_order_of_their_table_and_months_the_order_of_time():
    rows = monthly("F1", "2023-02-01", [3]) + monthly("F1", "2023-01-01", [1]) + monthly("F2", "2023-01-01", [9])
    months, _ = months_and_indicator(study_of_two(measurements=rows))
    assert months["facility_id"].tolist() == ["F2", "F1", "F1"]
    assert months["numerator"].tolist() == [9, 1, 3]


def test_joining_and_end_of_support_are_months():
    months, _ = months_and_indicator(study_of_two())
    own = months.loc[months["facility_id"] == "F2"].iloc[0]
    assert (own["joined"], own["support_ended"]) == (pd.Timestamp("2023-03-01"), pd.Timestamp("2023-09-01"))


def test_a_month_in_which_nobody_reported_stays_as_a_gap():
    together = pooled(*months_and_indicator(study_of_two(measurements=monthly("F1", "2023-01-01", [1, None, 3]))))
    assert together["period"].dt.month.tolist() == [1, 2, 3]
    assert np.isnan(together["value"].iloc[1])
    assert together["facilities"].tolist() == [1, 0, 1]


def test_none_of_nobody_is_a_gap_and_never_zero():
    months, _ = months_and_indicator(study_of_two(measurements=monthly("F1", "2023-01-01", [0, 0], [0, 10])))
    assert months["value"].tolist() == [0.0]
    assert months["period"].tolist() == [pd.Timestamp("2023-02-01")]


def test_a_missing_numerator_is_a_gap_and_does_not_thin_out_the_others():
    measurements = monthly("F1", "2023-01-01", [np.nan, 5], 10)
    together = pooled(*months_and_indicator(study_of_two(measurements=measurements)))
    assert together["denominator"].tolist() == [10]


def test_rates_are_given_per_so_many():
    study = study_of_two(
        indicators=[an_indicator(kind="rate", better="down", per=1000)],
        measurements=monthly("F1", "2023-01-01", [2], 500),
    )
    months, indicator = months_and_indicator(study)
    assert months["value"].tolist() == [4.0]
    assert level(months, indicator) == 4.0


def test_per_belongs_to_rates_alone():
    months, _ = months_and_indicator(
        study_of_two(indicators=[an_indicator(per=1000)], measurements=monthly("F1", "2023-01-01", [2], 4))
    )
    assert months["value"].tolist() == [0.5]


def test_counts_have_no_denominator_and_pool_to_a_mean_per_facility_and_month():
    study = study_of_two(
        indicators=[an_indicator(kind="count")],
        measurements=[*monthly("F1", "2023-01-01", [4, 6], np.nan), *monthly("F2", "2023-01-01", [10], np.nan)],
    )
    months, indicator = months_and_indicator(study)
    assert pooled(months, indicator)["value"].tolist() == [7.0, 6.0]


def test_a_mean_is_the_sum_of_values_over_how_many_were_measured():
    rows = monthly("F1", "2023-01-01", [60, 90], [2, 1])
    study = study_of_two(indicators=[an_indicator(kind="mean", better="down")], measurements=rows)
    months, indicator = months_and_indicator(study)
    assert months["value"].tolist() == [30.0, 90.0]
    assert level(months, indicator) == 50.0


def test_the_level_of_several_months_pools_people():
    months, indicator = months_and_indicator(study_of_two(measurements=monthly("F1", "2023-01-01", [1, 99], [1, 99])))
    assert level(months, indicator) == 1.0
    assert level(months.assign(numerator=[0, 99]), indicator) == pytest.approx(0.99)  # the months average 50%


def test_no_month_has_no_level():
    months, indicator = months_and_indicator(study_of_two(measurements=monthly("C", "2023-01-01", [1])))
    assert np.isnan(level(months, indicator))
    assert pooled(months, indicator).empty


def test_indicators_never_measured_are_left_out_and_the_others_keep_their_order():
    study = study_of_two(indicators=[an_indicator(indicator_id="never"), an_indicator()])
    assert [one.indicator_id for one in indicators(study)] == ["I"]


def test_a_target_is_met_at_the_target_or_on_its_better_side_and_never_by_a_gap():
    values = pd.Series([0.8, 0.79, 0.81, np.nan])
    (up,) = indicators(study_of_two(indicators=[an_indicator(target=0.8)]))
    (down,) = indicators(study_of_two(indicators=[an_indicator(target=0.8, better="down")]))
    assert up.meets_target(values).tolist() == [True, False, True, False]
    assert down.meets_target(values).tolist() == [True, True, False, False]


def test_phases_are_days_for_pandas():
    study = study_of_two(phases={"baseline": ["2023-01-01", "2023-02-28"]})
    assert phases(study) == {"baseline": (pd.Timestamp("2023-01-01"), pd.Timestamp("2023-02-28"))}
