"""Words and figures of control charts, verdicts and funnels."""

import pytest

from qieval.analyses.control_charts import control_charts
from qieval.analyses.effectiveness import effectiveness
from qieval.present.charts import control as charts
from qieval.present.wording import control as wording
from tests.analyses.test_control_charts import BEFORE, HIGHER, charts_of, study_of


@pytest.fixture(scope="module")
def demo_result(demo):
    return effectiveness(demo)


@pytest.fixture(scope="module")
def demo_charts(demo_result):
    return control_charts(demo_result)


def caption_of(study):
    result = effectiveness(study)
    return wording.control_chart_caption(control_charts(result).pooled["I"], result)


def test_the_words_count_months_beyond_the_limits_and_say_how_often_chance_does_that():
    chart = charts_of(study_of({"A": BEFORE + HIGHER})).pooled["I"]
    (sentence,) = wording.beyond(chart).sentences
    assert sentence == f"{chart.n_outside_after} months after the baseline lie beyond the control limits."


def test_of_few_months_beyond_the_words_say_how_easily_chance_does_that():
    one = charts_of(study_of({"A": [*BEFORE, *BEFORE[:11], 75]})).pooled["I"]
    (sentence,) = wording.beyond(one).sentences
    assert sentence.startswith("1 month after the baseline lies beyond the control limits. In ")
    assert sentence.endswith("% of such charts at least one month does so though nothing changed.")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("short baseline", "limits need 10 months in the baseline, and all months as their own yardstick would hide"),
        ("too few months", "There is no control chart: limits need 10 months."),
        ("no variation", "all months that the limits would come from are alike."),
    ],
)
def test_a_control_chart_that_is_not_drawn_says_why(reason, words):
    assert words in wording.no_chart(reason).sentences[0]


def test_no_month_beyond_is_said_so():
    chart = charts_of(study_of({"A": BEFORE + BEFORE[::-1]})).pooled["I"]
    assert wording.beyond(chart).sentences[0].startswith("No month after the baseline lies beyond the control limits.")


def test_the_caption_names_the_kind_and_where_limits_come_from():
    caption = caption_of(study_of({"A": BEFORE + HIGHER}))
    assert "Chart of proportions (P', Laney)" in caption
    assert "from 12 baseline months" in caption


def test_verdicts_are_counted_by_indicator():
    found = charts_of(study_of({"Up": BEFORE + HIGHER, "Same": BEFORE + BEFORE[::-1]}, target=0.3))
    sentence, by_chance = wording.verdicts(found).sentences
    assert by_chance == "Of the 2 symbols told, fewer than one would show a change by chance alone."
    assert sentence.startswith("Cord clamped late: of 2 facilities, 1 improving and 1 no special change.")
    assert sentence.endswith(" As things are, 1 will meet the target and 1 will meet it in some months only.")


def test_the_funnel_names_who_differs_and_what_chance_would_give():
    series = {f"F{number}": BEFORE + [55] * 12 for number in range(8)} | {"Low": BEFORE + [20] * 12}
    first, second = wording.funnel(charts_of(study_of(series)).funnels["I"]).sentences
    assert first == "Low does worse than the others by more than chance explains."
    assert "outside the 95% limits, where chance alone would put about 0.45." in second


def test_the_funnel_caption_says_why_the_spread_is_not_told():
    series = {f"F{number}": BEFORE + HIGHER for number in range(6)}
    caption = wording.funnel_caption(charts_of(study_of(series)).funnels["I"])
    assert caption.endswith("With fewer than 10 facilities the usual spread between them cannot be told.")


def test_figures_have_names_alternatives_and_captions(demo_charts, demo_result):
    chart = next(iter(demo_charts.pooled.values()))
    compared = next(iter(demo_charts.funnels.values()))
    for figure in (
        charts.control_chart(chart, demo_result),
        charts.funnel_plot(compared),
        charts.verdict_table(demo_charts),
    ):
        assert figure.name
        assert len(figure.alt) > 40
        assert len(figure.caption) > 40
        assert figure.svg.count("<svg") == 1


def test_all_verdicts_have_a_symbol():
    from qieval.methods.spc.verdicts import ASSURANCE, VARIATION

    told = {*VARIATION, "too rare"}  # of the analysis
    assert set(charts.VARIATION) == told == set(wording.VARIATION_WORDS)
    assert set(charts.ASSURANCE) == {*ASSURANCE, "too rare"} == set(wording.ASSURANCE_WORDS)


def test_without_a_month_there_is_no_table_of_symbols():
    found = charts_of(study_of({"A": [1, 1, 1]}, denominators=2))
    assert charts.verdict_table(found) is None
