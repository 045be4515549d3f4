"""Three segments of a series, and what is better or worse than chance explains."""

import numpy as np
import pytest

from qieval.analyses.segments import beyond_chance, is_better, is_worse, segments
from qieval.analyses.series import indicators
from qieval.methods.rates import proportion_difference, rate_ratio
from tests.analyses.test_sustainment import levels, study_of


def only(study):
    (indicator,) = indicators(study)
    (found,) = segments(study, indicator)
    return found, indicator


def test_month_1_is_the_first_without_support():
    found, _ = only(study_of(levels(0.3, 0.5, 0.5)))
    assert found.after["month"].tolist() == list(range(1, 13))
    assert found.after["period"].iloc[0].strftime("%Y-%m") == "2023-01"
    assert found.at_end["month"].tolist() == [-2, -1, 0]
    assert found.before["month"].tolist() == list(range(-23, -11))
    assert found.last_month == 12


def test_without_an_end_of_support_nothing_comes_after_it():
    found, _ = only(study_of(levels(0.3, 0.5, 0.5), facility={"joined_on": "2022-01-01"}))
    assert found.after.empty
    assert not found.has_levels


@pytest.mark.parametrize("counts", [(36, 120, 12, 30), (20, 60, 40, 60), (0, 9, 9, 9), (5, 50, 16, 50), (9, 30, 9, 30)])
def test_many_proportions_at_once_are_judged_as_one_by_one(counts):
    _, indicator = only(study_of(levels(0.3, 0.5, 0.5)))
    _, low, high = proportion_difference(*counts)
    assert bool(beyond_chance(*counts, indicator, way=1)) == (low > 0)
    assert bool(beyond_chance(*counts, indicator, way=-1)) == (high < 0)


@pytest.mark.parametrize(
    "counts", [(3, 100, 14, 100), (14, 100, 3, 100), (0, 50, 6, 40), (0, 50, 0, 50), (8, 90, 9, 80)]
)
def test_many_rates_at_once_are_judged_as_one_by_one(counts):
    _, indicator = only(study_of(levels(0.3, 0.5, 0.5), indicator={"kind": "rate", "per": 1000, "better": "down"}))
    _, low, high = rate_ratio(*counts)
    assert bool(beyond_chance(*counts, indicator, way=1)) == (high < 1)  # fewer is better
    assert bool(beyond_chance(*counts, indicator, way=-1)) == (low > 1)


def test_worse_is_better_turned_round():
    found, indicator = only(study_of(levels(0.3, 0.5, 0.5)))
    assert is_better(found.at_end, found.before, indicator)
    assert is_worse(found.before, found.at_end, indicator)
    assert not is_worse(found.at_end, found.before, indicator)


def test_an_array_of_counts_gives_an_array():
    _, indicator = only(study_of(levels(0.3, 0.5, 0.5)))
    said = beyond_chance(np.array([10, 40]), np.array([50, 50]), 12, 50, indicator, way=1)
    assert said.tolist() == [False, True]
