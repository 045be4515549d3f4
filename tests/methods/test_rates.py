"""Proportions and ratios of small counts, against R and the published examples."""

import math

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError, ParameterError
from qieval.methods.rates import (
    clustered_rate_ratio,
    clustered_share,
    proportion,
    proportion_difference,
    rate_ratio,
    ratio,
)
from tests.methods.conftest import case

C05, C06 = case("c05_poisson_visits"), case("c06_proportions")
CLOSED_FORM = {"rel": 1e-8, "abs": 1e-8}


# --- proportions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "whole"), [(8, 10), (0, 10), (10, 10), (4, 18), (1, 3), (13681, 25940)])
def test_the_interval_of_a_proportion_is_that_of_wilson(part, whole):
    found = proportion(part, whole)
    assert found.estimate == pytest.approx(C06[f"{part}of{whole}_p"], **CLOSED_FORM)
    assert found.low == pytest.approx(C06[f"{part}of{whole}_wilson_l"], **CLOSED_FORM)
    assert found.high == pytest.approx(C06[f"{part}of{whole}_wilson_u"], **CLOSED_FORM)


def test_a_proportion_keeps_its_counts():
    found = proportion(4, 18)
    assert (found.successes, found.total) == (4, 18)


@pytest.mark.parametrize("whole", [1, 7, 10, 1000])
def test_the_interval_never_leaves_0_to_1(whole):
    assert proportion(0, whole).low == 0
    assert proportion(whole, whole).high == 1


def test_a_higher_level_gives_a_wider_interval():
    usual, wide = proportion(8, 10), proportion(8, 10, level=0.99)
    assert wide.low < usual.low
    assert wide.high > usual.high


@pytest.mark.parametrize(("part", "whole"), [(0, 0), (5, 4), (-1, 4)])
def test_what_is_not_a_proportion_is_refused_with_its_counts(part, whole):
    with pytest.raises(DataError, match=f"^{part} of {whole} is not a proportion: it needs 0 <= part <= whole"):
        proportion(part, whole)


@pytest.mark.parametrize(("part", "whole"), [(8, 10), (0, 10), (10, 10), (4, 18), (1, 3), (13681, 25940)])
def test_the_exact_interval_of_a_proportion_is_that_of_clopper_and_pearson(part, whole):
    found = proportion(part, whole, method="exact")
    assert found.estimate == proportion(part, whole).estimate
    assert found.low == pytest.approx(C06[f"{part}of{whole}_cp_l"], **CLOSED_FORM)
    assert found.high == pytest.approx(C06[f"{part}of{whole}_cp_u"], **CLOSED_FORM)


def test_an_unknown_method_is_refused():
    with pytest.raises(ParameterError, match=r"^method is 'wald': give 'wilson' or 'exact'$"):
        proportion(8, 10, method="wald")


# --- done over planned -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "planned", "name"),
    [(34, 14, "network_34of14"), (4, 18, "hub_4of18"), (0, 6, "none_0of6"), (38, 32, "all_38of32")],
)
def test_the_interval_of_done_over_planned_is_the_exact_one_of_a_poisson_count(done, planned, name):
    found = ratio(done, planned)
    assert found.ratio == pytest.approx(C05[f"{name}_ratio"], **CLOSED_FORM)
    assert found.low == pytest.approx(C05[f"{name}_lcl"], **CLOSED_FORM)
    assert found.high == pytest.approx(C05[f"{name}_ucl"], **CLOSED_FORM)


def test_more_done_than_planned_is_not_cut_off_at_one():
    assert ratio(34, 14).ratio == pytest.approx(2.428571, abs=1e-6)


def test_nothing_done_has_a_lower_limit_of_zero_and_an_upper_limit():
    found = ratio(0, 6)
    assert (found.ratio, found.low) == (0, 0)
    assert found.high == pytest.approx(-math.log(0.025) / 6, rel=1e-8)


@pytest.mark.parametrize(("done", "planned"), [(4, 0), (-1, 3)])
def test_nothing_planned_has_no_ratio_and_the_message_says_what_to_give_instead(done, planned):
    with pytest.raises(DataError, match=f"^{done} done of {planned} planned has no ratio: give the counts instead$"):
        ratio(done, planned)


def test_where_none_can_be_extra_the_interval_is_the_exact_binomial_one_and_ends_at_one():
    found = ratio(4, 18, can_exceed=False)
    assert (found.done, found.planned, found.ratio) == (4, 18, ratio(4, 18).ratio)
    assert found.low == pytest.approx(C05["hub_binom_cp_lcl"], **CLOSED_FORM)
    assert found.high == pytest.approx(C05["hub_binom_cp_ucl"], **CLOSED_FORM)
    assert ratio(18, 18, can_exceed=False).high == 1 < ratio(18, 18).high


def test_more_done_than_planned_is_refused_where_none_can_be_extra():
    with pytest.raises(
        DataError, match=r"^34 done of 14 planned, though none can be extra: count only what was planned$"
    ):
        ratio(34, 14, can_exceed=False)


# --- two rates -------------------------------------------------------------------------------------


def test_network_over_hub_is_a_ratio_of_ratios_with_its_exact_conditional_interval():
    estimate, low, high = rate_ratio(34, 14, 4, 18)
    assert estimate == pytest.approx(C05["network_over_hub"], **CLOSED_FORM)
    assert low == pytest.approx(C05["network_over_hub_lcl"], **CLOSED_FORM)
    assert high == pytest.approx(C05["network_over_hub_ucl"], **CLOSED_FORM)


def test_turning_a_rate_ratio_round_inverts_it():
    estimate, low, high = rate_ratio(34, 14, 4, 18)
    assert rate_ratio(4, 18, 34, 14) == pytest.approx((1 / estimate, 1 / high, 1 / low))


def test_a_ratio_over_no_event_has_no_upper_limit():
    estimate, low, high = rate_ratio(5, 10, 0, 10)
    assert math.isinf(estimate)
    assert math.isinf(high)
    # All 5 events fall on the first: its share is at least 0.025 ** (1 / 5).
    share = 0.025 ** (1 / 5)
    assert low == pytest.approx(share / (1 - share))


def test_no_event_over_some_is_zero_with_an_upper_limit():
    estimate, low, high = rate_ratio(0, 10, 5, 10)
    assert (estimate, low) == (0, 0)
    share = 1 - 0.025 ** (1 / 5)
    assert high == pytest.approx(share / (1 - share))


def test_no_event_at_all_says_nothing_of_a_ratio():
    estimate, low, high = rate_ratio(0, 10, 0, 10)
    assert math.isnan(estimate)
    assert (low, high) == (0, math.inf)


# --- two proportions: Newcombe, Stat Med 1998;17:873, table II, method 10 ---------------------------


@pytest.mark.parametrize(
    ("counts", "estimate", "low", "high"),
    [
        ((56, 70, 48, 80), 0.2, 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.6, 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.5714, 0.0582, 0.8062),
        ((5, 56, 0, 29), 0.0893, -0.0381, 0.1926),
        ((0, 10, 0, 10), 0.0, -0.2775, 0.2775),
        ((10, 10, 0, 10), 1.0, 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_that_of_newcombe(counts, estimate, low, high):
    assert proportion_difference(*counts) == pytest.approx((estimate, low, high), abs=5e-5)


def test_turning_a_difference_round_changes_its_sign():
    estimate, low, high = proportion_difference(9, 10, 3, 10)
    assert proportion_difference(3, 10, 9, 10) == pytest.approx((-estimate, -high, -low))


# --- what cannot be counted, and levels ------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "planned", "message"),
    [
        (4, math.nan, "planned is missing"),
        (4, None, "planned is missing"),
        (4, pd.NA, "planned is missing"),
        (math.nan, 7, "done is missing"),
        (None, None, "done is missing and planned is missing"),
        (4, math.inf, "planned is inf, not a whole number"),
        (4, "seven", "planned is 'seven', not a whole number"),
        (4.5, 7, "done is 4.5, not a whole number"),
    ],
)
@pytest.mark.parametrize("can_exceed", [True, False])
def test_without_both_counts_there_is_no_ratio(done, planned, message, can_exceed):
    with pytest.raises(DataError, match=f"^{message}: there is no ratio, give the counts instead$"):
        ratio(done, planned, can_exceed=can_exceed)


@pytest.mark.parametrize(
    ("part", "whole", "message"),
    [
        (math.nan, 7, "part is missing"),
        (4, None, "whole is missing"),
        (4, math.inf, "whole is inf, not a whole number"),
        ("4", 7, "part is '4', not a whole number"),
    ],
)
def test_without_both_counts_there_is_no_proportion_and_no_difference(part, whole, message):
    message = f"^{message}: there is no proportion, give the counts instead$"
    with pytest.raises(DataError, match=message):
        proportion(part, whole)
    with pytest.raises(DataError, match=message):
        proportion_difference(part, whole, 1, 2)
    with pytest.raises(DataError, match=message):
        proportion_difference(1, 2, part, whole)


@pytest.mark.parametrize("counts", [(5, 3), (1, 0), (0, 0), (-1, 4)])
def test_a_difference_of_what_is_no_proportion_is_refused_with_its_counts(counts):
    message = f"^{counts[0]} of {counts[1]} is not a proportion: it needs 0 <= part <= whole and a whole above 0$"
    with pytest.raises(DataError, match=message):
        proportion_difference(*counts, 1, 2)
    with pytest.raises(DataError, match=message):
        proportion_difference(1, 2, *counts)


@pytest.mark.parametrize(
    ("events", "exposure", "message"),
    [
        (5, 0, "5 events in an exposure of 0"),
        (5, -2.5, "5 events in an exposure of -2.5"),
        (5, math.nan, "the exposure of 5 events is missing"),
        (5, None, "the exposure of 5 events is missing"),
        (5, math.inf, "5 events in an exposure of inf"),
        (5, "ten", "5 events in an exposure of 'ten'"),
        (-1, 10, "-1 events in an exposure of 10"),
        (None, 10, "events is missing"),
        (1.5, 10, "events is 1.5, not a whole number"),
    ],
)
def test_events_without_exposure_have_no_rate(events, exposure, message):
    message = rf"^{message}: there is no rate\. It needs 0 or more events and an exposure above 0$"
    with pytest.raises(DataError, match=message):
        rate_ratio(events, exposure, 4, 18)
    with pytest.raises(DataError, match=message):
        rate_ratio(4, 18, events, exposure)


@pytest.mark.parametrize("kind", [float, np.int64, np.float64], ids=lambda kind: kind.__name__)
def test_whole_numbers_of_any_kind_are_counts(kind):
    done, planned = kind(4), kind(18)
    assert ratio(done, planned) == ratio(4, 18)
    assert proportion(done, planned) == proportion(4, 18)
    assert rate_ratio(done, planned, done, 2.5) == rate_ratio(4, 18, 4, 2.5)
    assert proportion_difference(done, planned, kind(9), planned) == proportion_difference(4, 18, 9, 18)


@pytest.mark.parametrize(
    ("level", "shown"), [(95, "95"), (0, "0"), (1, "1"), (math.nan, "missing"), (None, "missing"), ("95%", "'95%'")]
)
def test_a_level_is_a_proportion(level, shown):
    calls = [
        lambda: ratio(4, 18, level=level),
        lambda: ratio(4, 18, level=level, can_exceed=False),
        lambda: proportion(4, 18, level=level),
        lambda: proportion_difference(4, 18, 9, 18, level=level),
        lambda: rate_ratio(4, 18, 9, 18, level=level),
    ]
    for call in calls:
        with pytest.raises(ParameterError, match=rf"^level is {shown}: give a proportion such as 0\.95$"):
            call()


# --- units that differ by more than chance -----------------------------------------------------------


def test_the_ratio_of_two_groups_pools_their_units_and_leaves_out_one_at_a_time():
    events, months = [2, 4, 6, 8, 1, 3], [10, 10, 10, 10, 10, 20]
    estimate, low, high = clustered_rate_ratio(events, months, [True] * 4 + [False] * 2)
    assert estimate == pytest.approx((20 / 40) / (4 / 30))
    # By hand: rates without each unit, their jackknife variances on the log scale, and Satterthwaite's df.
    left = [np.log(np.array([18, 16, 14, 12]) / 30), np.log(np.array([3 / 20, 1 / 10]))]
    parts = [(len(x) - 1) / len(x) * ((x - x.mean()) ** 2).sum() for x in left]
    df = sum(parts) ** 2 / (parts[0] ** 2 / 3 + parts[1] ** 2 / 1)
    from scipy.stats import t

    width = t.ppf(0.975, df) * math.sqrt(sum(parts))
    assert (low, high) == pytest.approx((estimate * math.exp(-width), estimate * math.exp(width)))


def test_facilities_that_differ_widen_the_interval_beyond_the_exact_one():
    even, uneven = [5, 5, 6, 4, 5, 5], [0, 14, 1, 0, 13, 2]
    is_first = [True] * 3 + [False] * 3
    exact = rate_ratio(15, 30, 15, 30)
    _, low, high = clustered_rate_ratio(even, [10] * 6, is_first)
    assert exact[1] < low < high < exact[2]  # and facilities that are alike make it narrower
    _, low, high = clustered_rate_ratio(uneven, [10] * 6, is_first)
    assert low < exact[1] < exact[2] < high


def test_units_that_do_not_differ_at_all_give_a_ratio_without_limits():
    estimate, low, high = clustered_rate_ratio([2, 2, 1, 1], [1, 1, 1, 1], [True, True, False, False])
    assert estimate == pytest.approx(2)
    assert math.isnan(low)
    assert math.isnan(high)


@pytest.mark.parametrize("events", [[0, 0, 3, 4], [0, 5, 3, 4]])
def test_a_group_that_hangs_on_one_unit_has_no_ratio(events):
    with pytest.raises(DataError, match="fewer than two units with an event: give the counts"):
        clustered_rate_ratio(events, [1, 1, 1, 1], [True, True, False, False])


@pytest.mark.parametrize("months", [[1, 1, 0, 1], [1, 1, math.nan, 1]])
def test_a_unit_without_exposure_has_no_rate(months):
    with pytest.raises(DataError, match="needs 0 or more events and an exposure above 0"):
        clustered_rate_ratio([1, 2, 3, 4], months, [True, True, False, False])


def test_a_share_over_units_is_pooled_and_its_interval_is_over_units():
    estimate, low, high = clustered_share([1, 2, 4], [2, 2, 8])
    assert estimate == pytest.approx(7 / 12)
    left = np.array([6 / 10, 5 / 10, 3 / 4])
    error = math.sqrt(2 / 3 * ((left - left.mean()) ** 2).sum())
    assert low == pytest.approx(max(7 / 12 - 4.302652729911275 * error, 0))
    assert high == pytest.approx(min(7 / 12 + 4.302652729911275 * error, 1))


def test_the_limits_of_a_share_of_units_end_at_0_and_1():
    _, low, high = clustered_share([0, 5, 5], [5, 5, 5])
    assert (low, high) == (0, 1)


def test_units_that_are_all_alike_give_a_share_without_limits():
    estimate, low, high = clustered_share([2, 4], [2, 4])
    assert estimate == 1
    assert math.isnan(low)
    assert math.isnan(high)


def test_the_share_of_a_single_unit_has_no_interval():
    with pytest.raises(DataError, match="single unit has no interval over units: give its counts"):
        clustered_share([1], [2])


def test_a_part_above_its_whole_is_refused():
    with pytest.raises(DataError, match="0 <= part <= whole"):
        clustered_share([3, 1], [2, 2])
