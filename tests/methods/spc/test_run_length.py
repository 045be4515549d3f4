"""How long EWMA and CUSUM go until they warn: published run lengths, and the signals of `spc.ewma` and `spc.cusum`."""

import numpy as np
import pandas as pd
import pytest

from qieval.errors import ParameterError
from qieval.methods import spc
from qieval.methods.spc.run_length import cusum_below, cusum_run_length, ewma_below, ewma_run_length


def test_a_cusum_goes_as_long_as_montgomery_prints():
    # Table 9.3: 465 for both sides together, that is twice as long for one; 10.4 after a shift of 1 sigma.
    assert cusum_run_length(1, 5) / 2 == pytest.approx(465, rel=0.002)
    assert cusum_run_length(1, 5, moved=1) == pytest.approx(10.4, abs=0.05)
    assert cusum_run_length(1, 4) / 2 == pytest.approx(168, rel=0.002)
    assert cusum_run_length(1, 4, moved=1) == pytest.approx(8.38, abs=0.01)


def test_an_ewma_goes_as_long_as_lucas_and_saccucci_print():
    assert ewma_run_length(0.20, 2.962, sides=2) == pytest.approx(500, rel=0.002)
    assert ewma_run_length(0.10, 2.814, sides=2) == pytest.approx(500, rel=0.002)
    assert ewma_run_length(0.40, 3.054, sides=2) == pytest.approx(500, rel=0.002)


def test_one_limit_signals_half_as_often_as_two():
    assert ewma_run_length(0.2, 3) == pytest.approx(2 * ewma_run_length(0.2, 3, sides=2), rel=0.02)


def test_an_average_that_forgets_everything_is_a_shewhart_chart():
    assert ewma_run_length(1.0, 3, sides=2) == pytest.approx(1 / 0.0027, rel=0.001)


def test_a_loss_is_seen_sooner_the_larger_it_is():
    assert ewma_run_length(moved=2) < ewma_run_length(moved=1) < ewma_run_length() / 50


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cusum_run_length(0, -1), r"shift is 0: give a number above 0(.|\n)*decision is -1"),
        (lambda: ewma_run_length(1.2), "weight is 1.2: give at most 1"),
        (lambda: ewma_run_length(0.2, 0), "sigmas is 0: give a number above 0"),
    ],
)
def test_settings_that_mean_nothing_are_named(call, said):
    with pytest.raises(ParameterError, match=said):
        call()


def test_many_series_at_once_signal_where_each_chart_does():
    rng = np.random.default_rng(3)
    n = rng.integers(8, 40, 20)
    drawn = rng.binomial(n, np.linspace(0.85, 0.6, 20), (50, 20))
    held, held_n = 102, 120  # a level of 85%
    rows = [
        pd.DataFrame(
            {"period": range(21), "done": [held, *one], "all": [held_n, *n], "held": [True] + [False] * 20, "series": i}
        )
        for i, one in enumerate(drawn)
    ]
    # One month of support makes a level but no series: a second, the same, does not change it.
    rows = [pd.concat([one.iloc[:1].assign(period=-1), one]) for one in rows]
    given = {"period": "period", "numerator": "done", "denominator": "all", "kind": "p", "by": "series"}
    data = pd.concat(rows)
    apart, sigma = drawn / n - 0.85, np.sqrt(0.85 * 0.15 / n)
    for chart, ours in (
        (spc.ewma(data, baseline="held", **given), ewma_below(apart, sigma)),
        (spc.cusum(data, baseline="held", **given), cusum_below(apart, sigma)),
    ):
        theirs = chart.series["first_below"].astype(float) - 1  # period 1 is the first month watched
        assert np.where(ours < 20, ours, np.nan) == pytest.approx(theirs.to_numpy(), nan_ok=True)
        assert 5 < np.isfinite(theirs).sum() <= 50
