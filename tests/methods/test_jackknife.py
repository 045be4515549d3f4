"""Standard errors from leaving out one unit at a time."""

import numpy as np
import pytest

from qieval.errors import DataError
from qieval.methods.jackknife import jackknife_error


def test_for_a_mean_it_is_the_usual_standard_error():
    x = np.array([3.0, 5, 10, 2, 8])
    assert jackknife_error((x.sum() - x) / 4) == pytest.approx(x.std(ddof=1) / np.sqrt(5))


def test_each_point_of_a_curve_has_its_own():
    error = jackknife_error([[1.0, 5], [3, 5]])
    assert error.tolist() == pytest.approx([1, 0])


@pytest.mark.parametrize("values", [[1.0], [1.0, np.nan]])
def test_one_unit_or_a_missing_value_is_refused(values):
    with pytest.raises(DataError, match="at least two units, and a value without each"):
        jackknife_error(values)
