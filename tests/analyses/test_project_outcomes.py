"""How do projects end? None is dropped because it was abandoned or is still open."""

import math

import pandas as pd
import pytest

from qieval.analyses.durations import DAYS_PER_MONTH, durations
from qieval.analyses.project_outcomes import known_until, project_outcomes
from tests.analyses.conftest import make_study
from tests.analyses.test_durations import START, of_months, project


def outcomes(*projects, data_cut="2023-12-31"):
    return project_outcomes(durations(make_study(projects=projects, data_cut=data_cut)))


def ended(*months_and_status):
    return [project(number, months, status) for number, (months, status) in enumerate(months_and_status, start=1)]


def still_open(number, months):
    seen = START + pd.Timedelta(days=round(months * DAYS_PER_MONTH))
    return project(number, status="ongoing", observed_to=seen)


FIVE = ended((2, "completed"), (4, "abandoned"), (5, "completed"), (7, "completed"), (8, "abandoned"))


def test_shares_completed_and_abandoned_by_hand():
    told = outcomes(*FIVE).told.set_index("month")
    assert told.loc[3, ["completed", "abandoned", "at_risk"]].tolist() == pytest.approx([1 / 5, 0, 4])
    assert told.loc[6, ["completed", "abandoned", "at_risk"]].tolist() == pytest.approx([2 / 5, 1 / 5, 2])
    assert told.loc[9, ["completed", "abandoned", "at_risk"]].tolist() == pytest.approx([3 / 5, 2 / 5, 0])


def test_an_abandoned_project_is_neither_dropped_nor_counted_as_open():
    # Taken as still open, the abandoned would give 1 - (4/5)(2/3)(1/2) = 73% completed by month 7 instead of 60%.
    shares = outcomes(*FIVE).shares.set_index("time")
    assert shares["completed"].iloc[-1] == pytest.approx(3 / 5)
    assert shares["abandoned"].iloc[-1] == pytest.approx(2 / 5)


def test_projects_still_open_leave_the_count_without_an_end():
    result = outcomes(*ended((2, "completed"), (4, "completed"), (6, "completed"), (8, "completed"), (10, "completed")),
                      still_open(6, 3), still_open(7, 5))  # fmt: skip
    # 1/7 by month 2; of 5 left at 4 one; of 3 left at 6 one: 1 - (6/7)(4/5)(2/3).
    by_6 = result.told.set_index("month").loc[6]
    assert by_6["completed"] == pytest.approx(1 - 6 / 7 * 4 / 5 * 2 / 3)
    assert (result.n, result.n_completed, result.n_open) == (7, 5, 2)


def test_what_is_shown_as_three_months_has_ended_by_month_three():
    # From 1 August to 1 November are 92 days, 3.02 months of 30.44 days.
    first = pd.Timestamp("2022-08-01")
    projects = [project(n, started=first, ended_on=pd.Timestamp("2022-11-01")) for n in range(1, 6)]
    assert outcomes(*projects).told["completed"].tolist() == [1]


def test_a_share_of_none_has_an_exact_upper_limit_while_nobody_was_lost():
    told = outcomes(*of_months(4, 5, 6, 7, 8)).told.iloc[0]
    assert (told["month"], told["completed"], told["completed_low"]) == (3, 0, 0)
    assert told["completed_high"] == pytest.approx(1 - 0.025 ** (1 / 5))


def test_a_share_of_none_has_no_limits_after_somebody_was_lost():
    told = outcomes(*of_months(4, 5, 6, 7, 8), still_open(9, 1)).told.iloc[0]
    assert told["completed"] == 0
    assert math.isnan(told["completed_high"])


def test_months_are_told_as_far_as_five_projects_could_have_been_followed_and_one_was():
    late = [project(n, 2, started=pd.Timestamp("2023-06-01")) for n in range(10, 20)]
    early = of_months(2, 4, 6, 13)  # four alone could have been seen for more than seven months
    assert outcomes(*early, *late).told["month"].tolist() == [3, 6]
    assert outcomes(*early, project(5, 2), *late).told["month"].tolist() == [3, 6, 9, 12, 18]  # by 18 none is open


def test_an_open_end_of_the_curve_is_not_told():
    result = outcomes(*of_months(2, 3, 4, 5, 6), still_open(6, 10), still_open(7, 10))
    assert result.told["month"].max() == 9


def followed(*rows):
    """Months, whether ended, and months from the start to the data cut."""
    cut = START + pd.Timedelta(days=7305)
    frame = pd.DataFrame(rows, columns=["duration_months", "ended", "could_be"])
    return frame.assign(started_on=cut - pd.to_timedelta((frame["could_be"] * DAYS_PER_MONTH).round(), unit="D")), cut


def test_a_curve_that_came_down_to_0_is_known_while_five_could_have_been_followed():
    assert known_until(*followed(*[(month, True, 20) for month in (1, 2, 3, 4, 5)])) == pytest.approx(20, abs=0.02)
    assert known_until(*followed(*[(month, True, 20) for month in (1, 2, 3, 4, 5)], (5, False, 20))) == 5


def test_how_far_does_not_depend_on_how_long_projects_took():
    short, long = ([(month, True, 12) for month in months] for months in ((1, 1, 1, 1, 2), (9, 9, 9, 9, 9)))
    still = (11, False, 11)
    assert known_until(*followed(*short, still)) == 11
    assert known_until(*followed(*long, still)) == 11
    recent = [(1, True, 4), (2, True, 4), (2, True, 4), (3, True, 4)]
    assert known_until(*followed(*recent, (8, True, 12), still)) == pytest.approx(4, abs=0.02)


def test_with_fewer_than_five_nothing_is_known():
    assert known_until(*followed((1, True, 12), (2, True, 12))) == 0


def test_where_all_ended_the_mean_is_the_plain_mean():
    assert outcomes(*of_months(2, 4, 6, 8, 10)).mean.estimate == pytest.approx(6, abs=0.02)


def test_the_mean_stops_where_the_curve_does():
    mean = outcomes(*of_months(2, 4, 6, 8, 10), still_open(6, 12)).mean
    assert mean.horizon == pytest.approx(12, abs=0.02)
    assert mean.estimate == pytest.approx((2 + 4 + 6 + 8 + 10 + 12) / 6, abs=0.02)
    # All six are known up to the horizon, so five degrees of freedom: t = 2.571.
    half = 2.5705818 * mean.standard_error * (6 / 5) ** 0.5
    assert (mean.low, mean.high) == pytest.approx((mean.estimate - half, mean.estimate + half))


def test_half_completed_is_later_than_the_median_where_some_were_abandoned():
    result = outcomes(*FIVE)
    assert result.curve.median == pytest.approx(5, abs=0.02)
    assert result.half_completed == pytest.approx(7, abs=0.02)


def test_half_completed_is_never_reached_where_most_were_abandoned():
    result = outcomes(*ended((1, "completed"), *[(month, "abandoned") for month in (2, 3, 4, 5)]))
    assert math.isinf(result.half_completed)
    assert math.isinf(result.half_completed_high)


def test_the_median_of_the_completed_alone_is_kept_apart():
    result = outcomes(*FIVE)
    assert result.completed_only_median == pytest.approx(5, abs=0.02)
    none = outcomes(*ended(*[(month, "abandoned") for month in (1, 2, 3, 4, 5)]))
    assert math.isnan(none.completed_only_median)


def test_projects_that_all_ended_on_their_first_day_took_no_time():
    result = outcomes(*of_months(0, 0, 0, 0, 0))
    assert result.mean.estimate == 0
    assert not result.mean.has_scatter
    assert result.told["month"].tolist() == [3]
    assert result.told["completed"].tolist() == [1]


def test_all_ended_at_once_has_a_share_of_all():
    told = outcomes(*of_months(6, 6, 6, 6, 6)).told.set_index("month")
    assert told["completed"].to_dict() == {3: 0, 6: 1}
    assert told.loc[6, "completed_low"] == pytest.approx(0.025 ** (1 / 5))


@pytest.mark.parametrize(
    "projects",
    [of_months(1, 2, 3, 4), [still_open(n, 5) for n in range(20)], [{"project_id": "P", "status": "completed"}]],
    ids=["four", "all open", "no dates"],
)
def test_fewer_than_five_that_ended_have_no_shares(projects):
    assert outcomes(*projects) is None


def test_the_pilot_completed_two_thirds_of_its_dated_projects_by_month_nine(hub_spoke):
    told = project_outcomes(durations(hub_spoke)).told.set_index("month")
    assert (told["completed"] * 7).to_dict() == pytest.approx({3: 1, 6: 3, 9: 5})
    assert (told["abandoned"] == 0).all()
