"""The page that sets collaboratives side by side."""

import re

import pytest

from qieval.batch.compare import Scale, compare_page, scale_over
from tests.batch.finished import EFFECT, a_record, main_indicator

SIX = {
    key: {"estimate": value, "low": value - 0.1, "high": value + 0.1, "together": None, "facilities": 24}
    for key, value in (("gain", 0.39), ("share_reaching_0.8", 0.58), ("months_to_reach_0.8", 5.8))
}


def page(*mains, **more):
    records = [a_record(f"c{n}", values={"effectiveness": {"x": main}} | more) for n, main in enumerate(mains)]
    return compare_page(records)


def dots(text: str) -> list[float]:
    return [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', text)]


def test_a_change_and_its_interval_are_told_in_points() -> None:
    text = page(main_indicator())
    assert "+30 (+20 to +40)" in text
    assert "at month 12" in text
    assert len(dots(text)) == 1


def test_where_less_is_better_a_fall_lies_to_the_right_as_a_rise_does_elsewhere() -> None:
    fall = {"estimate": -0.3, "low": -0.4, "high": -0.2}
    text = page(main_indicator(), main_indicator(better="down", against_own_trend=fall))
    assert len(set(dots(text))) == 1
    assert text.count("+30 (+20 to +40)") == 2
    assert "(less is better)" in text


def test_only_proportions_share_the_axis() -> None:
    deaths = main_indicator(kind="rate", unit="deaths per 1000", against_own_trend=EFFECT)
    text = page(main_indicator(), deaths)
    assert len(dots(text)) == 1
    assert "in its own unit (deaths per 1000), see the report" in text


def test_a_change_that_could_not_be_told_has_no_dot_and_says_so() -> None:
    text = page(main_indicator(against_own_trend=None))
    assert dots(text) == []
    assert "no change against the own trend could be told" in text


def test_nothing_is_pooled() -> None:
    rows = re.findall(r'<th scope="row"[^>]*>(?:<a [^>]*>)?([^<]*)', page(main_indicator(), main_indicator()))
    assert rows == ["Collaborative c0", "Collaborative c1"]


def test_a_report_that_was_not_made_has_no_line() -> None:
    assert "There is no report yet to compare." in compare_page([a_record(status="not made")])


def test_an_interval_without_an_upper_end_is_an_arrow_and_says_so() -> None:
    text = page(durations={"median_months": 8.0, "median_low": 3.0, "median_high": None})
    assert text.count("no upper limit") == 0
    text = compare_page(
        [a_record(values={"durations": {"median_months": 8.0, "median_low": 3.0, "median_high": None}})]
    )
    assert "8.0 (3.0 to no upper limit)" in text
    assert "l5 4l-5 4" in text


def test_the_published_collaboratives_stand_above_with_mean_and_spread() -> None:
    text = page(main_indicator(six_statistics=SIX))
    assert "27 published" in text
    assert "+52 (SD 28)" in text
    assert "9.2 (SD 8.5)" in text
    assert "14.4 (SD 12.0)" in text
    assert "58% (48% to 68%)" in text


def test_who_cannot_be_set_beside_them_is_counted_with_the_reason() -> None:
    text = page(main_indicator(six_statistics=SIX), main_indicator())
    assert "1 collaborative has no line here: the main indicator is no proportion" in text


def test_the_axis_has_round_numbers_and_zero_in_it() -> None:
    scale = scale_over([{"estimate": 0.3, "low": 0.12, "high": 0.36}], 100)
    assert scale is not None
    assert [round(100 * tick) for tick in scale.ticks] == [0, 10, 20, 30, 40]
    assert scale_over([], 100) is None


def test_an_axis_of_nothing_but_zeros_can_be_drawn() -> None:
    scale = scale_over([{"estimate": 0.0, "low": 0.0, "high": 0.0}], 1)
    assert scale is not None
    assert scale.at(0.0) == pytest.approx(6.0)


def test_what_lies_beyond_the_axis_is_drawn_at_its_end() -> None:
    scale = Scale(low=0, high=1, ticks=(0, 1))
    assert scale.at(7) == scale.at(1)
    assert scale.at(-7) == scale.at(0)
