"""The share of a gain that was kept: one place by its levels, and several together."""

import csv
import math

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError
from qieval.methods.gain import Level, pooled_share_of_gain_kept, share_of_gain_kept
from qieval.methods.pooling import pool

# --- published cases -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(reference):
    with (reference / "data" / "published" / "key_figures.csv").open(encoding="utf-8") as file:
        return {row["metric"]: row for row in csv.DictReader(file) if row["study"] == "bihar_mentoring_2019"}


def test_bihar_kept_64_percent_of_its_gain(published):
    # 30.2% without mentoring, 44.2% within 3 months of it, 39.1% a year later: BMJ Glob Health 2019;4:e001767.
    values = [float(published[name]["value"]) for name in ("score_control", "score_within_3m", "score_1y_after")]
    assert values == [30.2, 44.2, 39.1]
    found = share_of_gain_kept(*values)
    assert (found.gain, found.lost) == pytest.approx((14.0, 5.1))
    assert found.estimate == pytest.approx(8.9 / 14.0)
    assert float(published["share_of_gain_retained_1y"]["value"]) == round(100 * found.estimate, 1) == 63.6
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_the_printed_intervals_of_bihar_give_one_for_the_share():
    levels = [
        Level.of_interval(30.2, 28.3, 32.2),
        Level.of_interval(44.2, 42.1, 46.4),
        Level.of_interval(39.1, 37.7, 40.5),
    ]
    found = share_of_gain_kept(*levels)
    assert found.estimate == pytest.approx(0.6357, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((0.4918, 0.7962), abs=5e-5)


@pytest.fixture(scope="module")
def pilot(reference):
    """Rows of table 3 of the pilot's paper, by facility: BMJ Open Qual 2020;9:e000908."""
    with (reference / "data" / "published" / "hub_spoke_projects.csv").open(encoding="utf-8") as file:
        return {row["facility_code"]: row for row in csv.DictReader(file) if row["facility_code"] in ("R1", "R2")}


def test_the_pilots_r1_held_all_of_its_gain(pilot):
    before, end = (float(pilot["R1"][name]) for name in ("baseline", "final"))
    assert (before, end) == (68, 100)
    assert pilot["R1"]["note"].startswith("sustained at 100% for 18 weeks")
    assert share_of_gain_kept(before, end, 100).estimate == 1.0


def test_the_pilots_r2_reached_100_and_held_77_of_which_no_share_is_told_as_its_baseline_is_not_printed(pilot):
    assert (pilot["R2"]["baseline"], float(pilot["R2"]["final"])) == ("", 100)
    assert pilot["R2"]["note"].startswith("reached 100%, then sustained at 77% for 22 weeks")
    found = share_of_gain_kept(math.nan, 1.0, 0.77)
    assert found.lost == pytest.approx(0.23)
    assert all(math.isnan(x) for x in (found.estimate, found.low, found.high, found.gain))
    # Whatever the baseline was, below 77% less than all of the gain was kept, and above it none.
    assert share_of_gain_kept(0.5, 1.0, 0.77).estimate == pytest.approx(0.54)
    assert share_of_gain_kept(0.8, 1.0, 0.77).estimate < 0


# --- one place -------------------------------------------------------------------------------------


def test_a_level_that_went_on_rising_kept_more_than_all_and_one_below_baseline_less_than_nothing():
    assert share_of_gain_kept(0.3, 0.5, 0.6).estimate == pytest.approx(1.5)
    assert share_of_gain_kept(0.3, 0.5, 0.2).estimate == pytest.approx(-0.5)
    assert share_of_gain_kept(0.5, 0.3, 0.4).estimate == pytest.approx(0.5)  # where less is better


def test_without_a_gain_there_is_no_share():
    assert math.isnan(share_of_gain_kept(0.3, 0.3, 0.5).estimate)


def test_fiellers_limits_are_where_the_difference_is_just_chance():
    before, end, later = Level.of_counts(30, 100), Level.of_counts(60, 100), Level.of_counts(50, 100)
    found = share_of_gain_kept(before, end, later)
    for share in (found.low, found.high):
        above = later.value - share * end.value - (1 - share) * before.value
        errors = later.standard_error, share * end.standard_error, (1 - share) * before.standard_error
        assert abs(above) / math.hypot(*errors) == pytest.approx(1.959964, abs=1e-5)


def test_a_gain_that_may_be_none_has_no_limits():
    found = share_of_gain_kept(Level.of_counts(3, 10), Level.of_counts(5, 10), Level.of_counts(4, 10))
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_the_interval_from_counts_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(7)
    before, end, later = rng.binomial(168, 0.45, 2000), rng.binomial(42, 0.8, 2000), rng.binomial(42, 0.66, 2000)
    held = 0
    for counts in zip(before, end, later, strict=True):
        found = share_of_gain_kept(*(Level.of_counts(x, n) for x, n in zip(counts, (168, 42, 42), strict=True)))
        held += found.low <= 0.6 <= found.high
    assert held / 2000 == pytest.approx(0.955, abs=0.015)


def test_no_event_and_all_events_still_have_an_error():
    assert Level.of_counts(0, 20).standard_error > 0
    assert Level.of_counts(20, 20).standard_error > 0
    assert Level.of_events(0, 50, per=1000).standard_error == pytest.approx(1000 * math.sqrt(0.5) / 50)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Level.of_counts(41, 38), "41 of 38 is not a proportion"),
        (lambda: Level.of_events(3, 0), "3 events in an exposure of 0 are no rate"),
        (lambda: Level.of_interval(5, 6, 4), "5 does not lie between its limits 6 and 4"),
    ],
)
def test_impossible_levels_are_named(make, said):
    with pytest.raises(DataError, match=said):
        make()


# --- several places --------------------------------------------------------------------------------


def places(later, *, before=0.3, end=0.6, error=0.05):
    n = len(later)
    errors = dict.fromkeys(("before_se", "at_end_se", "later_se"), error)
    return pd.DataFrame({"before": [before] * n, "at_end": [end] * n, "later": later} | errors)


def test_places_alike_in_gain_keep_the_mean_of_their_shares():
    found = pooled_share_of_gain_kept(places([0.6, 0.5, 0.4, 0.5, 0.45]))
    assert found.estimate == pytest.approx((0.49 - 0.3) / 0.3)
    assert (found.gain, found.lost, found.k) == (pytest.approx(0.3), pytest.approx(0.11), 5)
    assert found.prediction_low <= found.low < found.estimate < found.high <= found.prediction_high


def test_at_its_limits_the_pooled_difference_just_holds_0():
    levels = places([0.62, 0.5, 0.33, 0.55, 0.41, 0.6])
    found = pooled_share_of_gain_kept(levels)
    for share, edge in ((found.low, "low"), (found.high, "high")):
        above = levels["later"] - share * levels["at_end"] - (1 - share) * levels["before"]
        error = 0.05 * np.sqrt(1 + share**2 + (1 - share) ** 2)
        assert getattr(pool(above, [error] * 6), edge) == pytest.approx(0, abs=1e-6)


def test_less_is_better_gives_the_same_shares():
    levels = places([0.62, 0.5, 0.33, 0.55, 0.41])
    turned = levels.assign(**{name: 1 - levels[name] for name in ("before", "at_end", "later")})
    once, again = pooled_share_of_gain_kept(levels), pooled_share_of_gain_kept(turned)
    for name in ("estimate", "low", "high", "prediction_low", "prediction_high"):
        assert getattr(once, name) == pytest.approx(getattr(again, name), abs=1e-6)


def test_a_small_gain_weighs_by_its_points_and_not_as_a_wild_ratio():
    levels = places([0.6, 0.6, 0.6, 0.6, 0.2])
    levels.loc[4, "at_end"] = 0.31  # a gain of 1 point, of which it kept -10 times
    assert pooled_share_of_gain_kept(levels).estimate > 0.85


def test_gains_that_may_be_none_have_no_limits():
    found = pooled_share_of_gain_kept(places([0.31, 0.33, 0.29, 0.3], end=0.32, error=0.2))
    assert math.isinf(found.low)
    assert math.isinf(found.high)


def test_where_reml_does_not_settle_the_share_is_found_all_the_same():
    # At the edge of no variance between places the restricted likelihood is all but flat.
    lost = [-0.0996552991, 0.0406241415, 0.1252358343, 0.0253721885, -0.0908903822, -0.2363943305, -0.101900681]
    lost += [0.0789380515, 0.1740290349, -0.0294801135, -0.049518629, 0.1484343544, -0.2312355229]
    errors = [0.1051519427, 0.12621382, 0.0942255864, 0.1222914055, 0.1204645785, 0.1367813366, 0.0564244631]
    errors += [0.1218658575, 0.1364589852, 0.1392501261, 0.0357689781, 0.1319437825, 0.1401524376]
    with pytest.raises(DataError, match="does not settle"):
        pool(lost, errors)
    half = np.array(errors) / math.sqrt(2)
    levels = pd.DataFrame({"before": 0.3, "at_end": 0.6, "later": 0.6 + np.array(lost), "before_se": 0.02})
    found = pooled_share_of_gain_kept(levels.assign(at_end_se=half, later_se=half))
    assert found.low < found.estimate < found.high
