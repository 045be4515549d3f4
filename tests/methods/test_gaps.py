"""Kaplan-Meier of several durations of each unit."""

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError
from qieval.methods.gaps import clustered_kaplan_meier, share_longer
from qieval.methods.survival import kaplan_meier
from tests.methods.conftest import SHIPPED

FOLDER = SHIPPED / "methods"


def gaps() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "mentoring_gaps.csv")


def test_curve_and_variance_by_facility_are_those_of_r():
    data, expected = gaps(), pd.read_csv(FOLDER / "mentoring_gaps_expected.csv")
    curve = clustered_kaplan_meier(data["days"], data["ended"], data["facility"]).curve.iloc[1:]
    assert curve["time"].tolist() == expected["time"].tolist()
    assert curve["survival"].to_numpy() == pytest.approx(expected["survival"].to_numpy(), abs=1e-10)
    # R leaves out the factor G / (G - 1) for the seven facilities.
    assert curve["standard_error"].to_numpy() * np.sqrt(6 / 7) == pytest.approx(
        expected["standard_error"].to_numpy(), abs=1e-10
    )


def test_the_curve_is_that_of_independent_durations_and_only_its_limits_are_not():
    data = gaps()
    plain = kaplan_meier(data["days"], data["ended"])
    found = clustered_kaplan_meier(data["days"], data["ended"], data["facility"])
    assert found.curve["survival"].tolist() == plain.curve["survival"].tolist()
    assert found.median == plain.median
    assert found.median_low < found.median < found.median_high


def test_a_unit_counted_twice_adds_no_information():
    data = gaps()
    twice = pd.concat([data, data])
    once = clustered_kaplan_meier(data["days"], data["ended"], data["facility"]).curve
    again = clustered_kaplan_meier(twice["days"], twice["ended"], twice["facility"]).curve
    assert again["standard_error"].to_numpy() == pytest.approx(once["standard_error"].to_numpy(), nan_ok=True)


def test_a_curve_that_comes_down_to_0_has_no_limits_there():
    found = clustered_kaplan_meier([1, 2, 3, 4], [True] * 4, ["A", "A", "B", "B"])
    assert found.curve["survival"].iloc[-1] == 0
    assert np.isnan(found.curve["high"].iloc[-1])


def test_before_anything_has_ended_there_are_no_limits_rather_than_limits_without_width():
    found = clustered_kaplan_meier([10, 20, 30, 40], [True, True, True, False], ["A", "B", "C", "D"])
    assert found.curve["survival"].iloc[0] == 1
    assert np.isnan(found.curve["low"].iloc[0])
    assert np.isnan(share_longer(found, 5)[1])


def test_the_share_that_lasts_longer_is_read_from_the_curve_and_not_beyond_it():
    found = clustered_kaplan_meier([10, 20, 30, 40], [True, True, True, False], ["A", "B", "C", "D"])
    assert share_longer(found, 25)[0] == pytest.approx(0.5)
    assert share_longer(found, 20)[0] == pytest.approx(0.5)  # that of 20 days does not last longer
    assert np.isnan(share_longer(found, 41)).all()


def test_a_single_unit_is_refused():
    with pytest.raises(DataError, match="single unit tell nothing of others: list them"):
        clustered_kaplan_meier([1, 2], [True, True], ["A", "A"])


def test_lengths_must_agree():
    with pytest.raises(DataError, match="2 durations, 2 ends and 1 units"):
        clustered_kaplan_meier([1, 2], [True, True], ["A"])
