"""EWMA and cumulative sums: against qcc, by hand, and by how soon they see a change."""

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError, ParameterError
from qieval.methods import spc


def series(values, **columns):
    return pd.DataFrame({"period": range(len(values)), "value": values} | columns)


def test_ewma_and_cusum_are_those_of_qcc(reference, shipped):
    data = pd.read_csv(shipped / "spc" / "data" / "syn_monthly.csv")
    expected = pd.read_csv(reference / "reference" / "spc" / "expected" / "qcc_ewma_cusum_wait.csv")
    average = spc.ewma(data, period="month", value="wait", screen=False).points
    for ours, theirs in (("ewma", "ewma"), ("lcl", "ewma_lcl"), ("ucl", "ewma_ucl")):
        np.testing.assert_allclose(average[ours], expected[theirs], rtol=1e-9)
    sums = spc.cusum(data, period="month", value="wait", screen=False).points
    np.testing.assert_allclose(sums["cusum_above"], expected["cusum_pos"], atol=1e-9)
    np.testing.assert_allclose(sums["cusum_below"], expected["cusum_neg"], atol=1e-9)


def test_an_average_by_hand():
    # Baseline 10, 12, 10, 12: mean 11, moving ranges of 2, sigma 2 / 1.128.
    points = spc.ewma(series([10, 12, 10, 12, 15, 15]), period="period", value="value", baseline=4, weight=0.5).points
    assert points["ewma"].tolist()[4:] == [0.5 * 15 + 0.5 * 11, 0.5 * 15 + 0.5 * 13]
    sigma = 2 / 1.128
    assert points["ucl"].iloc[4] == pytest.approx(11 + 3 * sigma * 0.5)
    assert points["ewma"].iloc[:4].isna().all()  # the baseline is what is watched against


def test_cumulative_sums_by_hand():
    points = spc.cusum(series([10, 12, 10, 12, 15, 7]), period="period", value="value", baseline=4).points
    z = (15 - 11) / (2 / 1.128)
    assert points["cusum_above"].tolist()[4:] == pytest.approx([z - 0.5, max(0, z - 0.5 - z - 0.5)])
    assert points["cusum_below"].tolist()[4:] == pytest.approx([0, -z + 0.5])


def test_a_missing_month_changes_neither_average_nor_sum():
    values = [10, 12, 10, 12, 15, np.nan, 15]
    average = spc.ewma(series(values), period="period", value="value", baseline=4).points["ewma"]
    sums = spc.cusum(series(values), period="period", value="value", baseline=4).points["cusum_above"]
    assert average.iloc[5] == average.iloc[4]
    assert sums.iloc[5] == sums.iloc[4]


def test_the_first_signal_is_told_for_each_series_and_each_starts_anew():
    steady, falling = [50, 52, 50, 52] * 5, [50, 52, 50, 52] * 3 + [44] * 8
    data = pd.concat([series(steady, facility="A"), series(falling, facility="B")])
    for found in (
        spc.ewma(data, period="period", value="value", by="facility", baseline=12),
        spc.cusum(data, period="period", value="value", by="facility", baseline=12),
    ):
        first = found.series.set_index("facility")
        assert np.isnan(first.loc["A", ["first_above", "first_below"]].astype(float)).all()
        assert 12 <= first.loc["B", "first_below"] <= 15
        alone = data[data["facility"] == "B"]
        assert found.points.groupby("facility", observed=True)["below"].sum()["B"] > 0
        assert len(found.points[found.points["facility"] == "B"]) == len(alone)


def test_proportions_are_watched_with_the_people_of_each_month():
    data = pd.DataFrame({"period": range(6), "y": [8, 9, 8, 9, 2, 2], "n": [10, 10, 10, 10, 10, 1000]})
    points = spc.cusum(data, period="period", numerator="y", denominator="n", kind="p", baseline=4).points
    p = 34 / 40
    z = (2 / 10 - p) / np.sqrt(p * (1 - p) / 10)
    assert points["cusum_below"].iloc[4] == pytest.approx(z + 0.5)


def test_a_small_lasting_loss_is_seen_sooner_than_by_single_months():
    rng = np.random.default_rng(3)
    n, loss = 400, 12
    values = rng.standard_normal((n, 72))
    values[:, 36:] -= 1.0  # one standard deviation
    data = pd.DataFrame({"series": np.repeat(range(n), 72), "period": np.tile(range(72), n), "value": values.ravel()})
    given = {"period": "period", "value": "value", "by": "series", "baseline": 36, "screen": False}
    single = spc.chart(data, "i", rules="outside", **given).points
    alone = single[single["outside"] & ~single["in_baseline"]].groupby("series", observed=True)["period"].min()
    seen = {
        "alone": (alone < 36 + loss).sum() / n,
        "ewma": (spc.ewma(data, **given).series["first_below"] < 36 + loss).mean(),
        "cusum": (spc.cusum(data, **given).series["first_below"] < 36 + loss).mean(),
    }
    assert seen["ewma"] > seen["alone"] + 0.25
    assert seen["cusum"] > seen["alone"] + 0.2


def test_a_bernoulli_sum_by_hand():
    data = pd.DataFrame({"period": range(3), "died": [1, 0, 1], "one": 1})
    points = spc.bernoulli_cusum(data, period="period", numerator="died", denominator="one", expected=0.1).points
    event, none = np.log(2 / 1.1), -np.log(1.1)
    assert points["cusum_above"].tolist() == pytest.approx([event, event + none, 2 * event + none])
    fewer_event, fewer_none = np.log(0.5 / 0.95), -np.log(0.95)
    assert points["cusum_below"].tolist() == pytest.approx([0, fewer_none, max(0, fewer_none + fewer_event)])


def test_people_one_by_one_and_together_end_at_the_same_sum_where_it_does_not_touch_zero():
    one = pd.DataFrame({"period": range(6), "died": [1, 1, 0, 1, 0, 1], "one": 1})
    together = pd.DataFrame({"period": [0], "died": [4], "one": [6]})
    given = {"period": "period", "numerator": "died", "denominator": "one", "expected": 0.2}
    assert spc.bernoulli_cusum(one, **given).points["cusum_above"].iloc[-1] == pytest.approx(
        spc.bernoulli_cusum(together, **given).points["cusum_above"].iloc[-1]
    )


def test_the_run_length_to_a_signal_is_that_of_simulation():
    expected, ratio, decision = 0.2, 2.0, 2.0
    rng = np.random.default_rng(11)
    scale = 1 - expected + ratio * expected
    event, none = np.log(ratio / scale), -np.log(scale)
    total, seen = np.zeros(4000), np.zeros(4000)
    watching = np.ones(4000, dtype=bool)
    while watching.any():
        step = np.where(rng.random(4000) < expected, event, none)
        total = np.where(watching, np.maximum(0, total + step), total)
        seen += watching
        watching &= total <= decision
    error = seen.std() / np.sqrt(len(seen))
    assert spc.bernoulli_run_length(expected, ratio, decision) == pytest.approx(seen.mean(), abs=4 * error)


def test_a_change_is_seen_sooner_than_a_false_alarm():
    assert spc.bernoulli_run_length(0.1, 2, 3.5, actual=0.2) < spc.bernoulli_run_length(0.1, 2, 3.5) / 10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda data: spc.ewma(data, period="period", value="value", weight=0), r"weight: 0 is not above 0 and at"),
        (lambda data: spc.cusum(data, period="period", value="value", shift=0, decision=-1),
         r"shift: 0 is not above 0\. decision: -1 is not above 0\."),
        (lambda data: spc.ewma(data, period="period", value="value", kind="run"),
         r"kind: 'run' cannot be watched so; choose i, p or u\."),
        (lambda data: spc.bernoulli_run_length(1.2, 1, 0),
         r"expected: 1\.2 is not a proportion.*odds_ratio: 1 is not above 1.*decision: 0 is not above 0"),
    ],
)  # fmt: skip
def test_impossible_settings_are_refused_in_words(call, message):
    with pytest.raises(ParameterError, match=message):
        call(series([1, 2, 3, 4]))


def test_a_baseline_without_scatter_cannot_be_watched_against():
    with pytest.raises(DataError, match=r"1 of 1 series do not vary in the baseline.*Give a longer baseline"):
        spc.ewma(series([5, 5, 5, 5, 6]), period="period", value="value", baseline=4)


def test_a_baseline_without_neighbours_cannot_be_watched_against():
    with pytest.raises(DataError, match="too few values there, so there is nothing to watch against"):
        spc.ewma(series([0, np.nan, 2, np.nan, 1, np.nan, 99, 99]), period="period", value="value", baseline=6)


def test_limits_at_no_distance_are_refused():
    with pytest.raises(ParameterError, match=r"sigmas: -1 is not above 0\. Common is 3\."):
        spc.ewma(series([1, 2, 3, 4]), period="period", value="value", sigmas=-1)


def test_how_many_values_were_watched_is_told():
    found = spc.cusum(series([10, 12, 10, 12, 15, np.nan, 7]), period="period", value="value", baseline=4)
    assert found.series["n_watched"].tolist() == [2]
