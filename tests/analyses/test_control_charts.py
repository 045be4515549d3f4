"""Control charts of what was measured: limits from the baseline, verdicts by facility, facilities side by side."""

import numpy as np
import pandas as pd
import pytest

from qieval.analyses.control_charts import control_charts
from qieval.analyses.effectiveness import effectiveness
from tests.analyses.conftest import an_indicator, make_study, monthly

BEFORE = [41, 47, 39, 44, 50, 38, 46, 43, 49, 40, 45, 42]
HIGHER = [61, 67, 59, 64, 70, 58, 66, 63, 69, 60, 65, 62]


def study_of(series, *, joined="2022-01-01", denominators=100, **indicator):
    """A facility for each series of months, all of which joined in the same month."""
    return make_study(
        facilities=[{"facility_id": name, "name": name, "joined_on": joined} for name in series],
        indicators=[an_indicator(**indicator)],
        measurements=[
            row for name, values in series.items() for row in monthly(name, "2021-01-01", values, denominators)
        ],
    )


def charts_of(study):
    return control_charts(effectiveness(study))


def test_limits_come_from_the_baseline_and_a_gain_lies_beyond_them():
    chart = charts_of(study_of({"A": BEFORE + HIGHER})).pooled["I"]
    assert (chart.kind, chart.n_line, chart.from_baseline) == ("pp", 12, True)
    assert chart.centre == pytest.approx(sum(BEFORE) / 1200)
    assert chart.points["outside"].tolist() == [False] * 12 + (np.array(HIGHER) > 60).tolist()
    assert chart.n_outside_after == sum(value > 60 for value in HIGHER)


def test_limits_are_never_narrower_than_chance():
    steady = [44, 45, 44, 45, 44, 45, 44, 45, 44, 45, 44, 45]  # less scatter than any hundred births have
    chart = charts_of(study_of({"A": steady + HIGHER})).pooled["I"]
    p = sum(steady) / 1200
    assert chart.sigma_z == 1
    assert chart.points["ucl"].iloc[0] == pytest.approx(p + 3 * np.sqrt(p * (1 - p) / 100))


def test_a_short_baseline_gives_no_control_chart():
    short = study_of({"A": BEFORE[:6] + HIGHER}, joined="2021-07-01")
    assert charts_of(short).pooled["I"] == "short baseline"


def test_a_baseline_without_variation_gives_no_control_chart():
    new_practice = study_of({"A": [0] * 12 + [60, 62, 58, 61, 63, 59] * 2})
    assert charts_of(new_practice).pooled["I"] == "no variation"
    assert charts_of(new_practice).verdicts["variation"].tolist() == ["too rare"]


def test_the_chance_of_a_month_beyond_is_that_of_charts_like_this_one():
    # Binomial months: 6% by a simulation apart, where single values of unknown scatter would give 27%.
    rng = np.random.default_rng(1)
    seen = []
    for _ in range(60):
        values = rng.binomial(100, 0.5, 36).tolist()
        seen.append(charts_of(study_of({"A": values})).pooled["I"].n_outside_after > 0)
    chart = charts_of(study_of({"A": rng.binomial(100, 0.5, 36).tolist()})).pooled["I"]
    assert np.mean(seen) < 0.2
    assert chart.false_signal_rate < 0.3


def test_rare_events_get_no_symbol():
    rare = study_of({"A": [0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0] + [0] * 12}, kind="rate", per=1000, better="down")
    assert charts_of(rare).verdicts["variation"].tolist() == ["too rare"]


def test_a_funnel_of_facilities_that_are_all_alike_is_not_widened():
    alike = charts_of(study_of({f"F{number}": BEFORE + [55] * 12 for number in range(12)})).funnels["I"]
    assert not alike.is_widened


def test_symbols_of_change_by_chance_are_counted():
    found = charts_of(study_of({f"F{number}": BEFORE + HIGHER for number in range(10)}))
    assert 0.2 < found.false_verdicts < 1.5  # 10 charts, each about one in sixteen


def test_without_any_baseline_all_months_make_the_limits():
    chart = charts_of(study_of({"A": BEFORE + BEFORE[::-1]}, joined=None)).pooled["I"]
    assert (chart.from_baseline, chart.n_line) == (False, 24)


@pytest.mark.parametrize(
    ("kind", "chart"), [("proportion", "pp"), ("rate", "up"), ("mean", "ip"), ("time_between", "ip"), ("count", "i")]
)
def test_the_kind_of_chart_follows_the_kind_of_indicator(kind, chart):
    assert charts_of(study_of({"A": BEFORE + HIGHER}, kind=kind, per=1000)).pooled["I"].kind == chart


def test_a_rate_is_drawn_per_what_the_indicator_says():
    chart = charts_of(study_of({"A": BEFORE + HIGHER}, kind="rate", per=1000)).pooled["I"]
    assert chart.centre == pytest.approx(1000 * sum(BEFORE) / 1200)


def test_each_facility_is_judged_against_its_own_baseline_and_the_target_against_what_it_does_now():
    steady = [max(30, value) for value in BEFORE]
    verdicts = charts_of(
        study_of({"Up": BEFORE + HIGHER, "Same": steady + BEFORE[::-1], "Down": HIGHER + BEFORE}, target=0.3)
    ).verdicts.set_index("facility")
    assert verdicts["variation"].to_dict() == {"Up": "improving", "Same": "common cause", "Down": "concerning"}
    assert verdicts["direction"].to_dict() == {"Up": "high", "Same": "", "Down": "low"}
    assert verdicts.loc["Up", "assurance"] == "will hit"
    assert verdicts["from_baseline"].all()


def test_where_less_is_better_a_fall_is_an_improvement_and_a_target_above_is_met():
    verdicts = charts_of(study_of({"Down": HIGHER + BEFORE}, better="down", target=0.9)).verdicts
    assert verdicts[["variation", "assurance"]].to_numpy().tolist() == [["improving", "will hit"]]


def test_too_few_months_give_no_verdict():
    verdicts = charts_of(study_of({"A": BEFORE[:5]}, joined=None, target=0.5)).verdicts
    assert verdicts[["variation", "assurance"]].to_numpy().tolist() == [["too few points", "too few points"]]


def test_the_funnel_compares_the_last_months_of_facilities():
    series = {f"F{number}": BEFORE + HIGHER for number in range(5)} | {"Low": BEFORE + [20] * 12}
    compared = charts_of(study_of(series)).funnels["I"]
    assert (compared.first, compared.last) == (pd.Timestamp("2022-07-01"), pd.Timestamp("2022-12-01"))
    units = compared.funnel.units.set_index("unit")
    assert units.loc["Low", "value"] == pytest.approx(0.2)
    assert units.index[units["outside_99.8"] == "below"].tolist() == ["Low"]
    assert compared.funnel.overdispersion == "none"  # fewer than ten facilities


def test_fewer_than_five_facilities_are_not_compared():
    assert charts_of(study_of({f"F{number}": BEFORE + HIGHER for number in range(4)})).funnels["I"] is None


def test_means_are_not_compared_in_a_funnel():
    assert charts_of(study_of({f"F{n}": BEFORE + HIGHER for n in range(6)}, kind="mean")).funnels["I"] is None


def test_an_unchanged_collaborative_has_few_verdicts_of_change():
    rng = np.random.default_rng(5)
    series = {f"F{number}": rng.binomial(100, 0.5, 36).tolist() for number in range(40)}
    verdicts = charts_of(study_of(series)).verdicts
    # Making Data Count's rules signal on a third of such charts somewhere, but at the last month on few.
    assert verdicts["variation"].isin(["improving", "concerning"]).mean() < 0.2
