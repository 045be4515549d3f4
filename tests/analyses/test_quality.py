"""Verification factor and completeness of an indicator."""

import numpy as np
import pytest

from qieval.analyses.effectiveness import effectiveness
from tests.analyses.conftest import an_indicator, make_study, monthly


def quality_of(*rows):
    study = make_study(
        facilities=[{"facility_id": name} for name in ("A", "B")],
        indicators=[an_indicator()],
        measurements=[row for own in rows for row in own],
    )
    return effectiveness(study).indicators[0].quality


def test_the_factor_adds_up_events_so_that_large_months_weigh_more():
    rows = monthly("A", "2021-01-01", [10, 90])
    rows[0]["recount"], rows[1]["recount"] = 5, 90
    found = quality_of(rows)
    assert found.verification == pytest.approx(95 / 100)
    assert found.n_recounted == 2
    assert not found.is_doubtful


def test_months_that_were_not_counted_again_do_not_count():
    rows = monthly("A", "2021-01-01", [10, 90])
    rows[0]["recount"] = 5
    assert quality_of(rows).verification == pytest.approx(0.5)
    assert quality_of(rows).is_doubtful


def test_without_a_recount_there_is_no_factor_and_no_doubt():
    found = quality_of(monthly("A", "2021-01-01", [10, 90]))
    assert np.isnan(found.verification)
    assert not found.is_doubtful


def test_completeness_is_of_all_months_of_all_facilities_that_reported():
    found = quality_of(monthly("A", "2021-01-01", [1, 2, 3, 4]), monthly("B", "2021-03-01", [1]))
    assert found.completeness == 5 / 8
    assert found.is_doubtful
