"""What is said and drawn of facilities that joined in waves."""

import re
from typing import get_args

import numpy as np
import pytest

from qieval.analyses.waves import LeftOut, Refused, all_waves
from qieval.present.charts import waves as charts
from qieval.present.tables import waves as tables
from qieval.present.wording import waves as wording
from tests.analyses.conftest import bundled
from tests.analyses.test_waves import TWO_WAVES, collaborative, facility, found, put_together, series
from tests.present.test_charts import assert_whole


def said(study):
    return wording.answer(found(study)).sentences


def cautioned(study):
    return wording.caveats(found(study)).sentences


# --- the answer ------------------------------------------------------------------------------------


def test_a_gain_is_more_than_in_facilities_that_did_not_join():
    effect, before, design = said(collaborative(*TWO_WAVES, never=4, gain=200))
    assert re.fullmatch(
        r"Cord clamped late: over the first 9 months from joining on, the change in the 6 facilities that joined was "
        r"\+20 points beyond that in the 4 facilities that did not join \(95% interval \+\d\d to \+\d\d points\): "
        r"better by more than chance explains\.",
        effect,
    )
    assert before.startswith("Before joining the two moved alike as far as these data can tell: a departure of less")
    assert "what changed everywhere at once, as seasons and policies do, is not mistaken" in design
    assert design.endswith("not drawn by lot: other changes in the joining facilities are not ruled out.")


def test_less_is_better_where_the_indicator_says_so():
    study = collaborative(*TWO_WAVES, never=4, gain=200, indicator={"better": "down"})
    assert said(study)[0].endswith("worse by more than chance explains.")


def test_later_waves_are_named_as_not_joined_yet():
    assert "beyond that in facilities that had not joined yet" in said(collaborative(*TWO_WAVES, gain=200))[0]


def test_an_interval_over_no_difference_is_not_read_as_better_or_worse():
    effect, before, _ = said(collaborative(*TWO_WAVES, never=4))
    assert effect.endswith(": not clearly better or worse than without joining.")
    assert before.endswith("So the difference is associated with joining and no more.")


def test_a_wave_that_moved_before_it_joined_earns_no_claim():
    rows = [facility(f"F{i}", "2022-01-01", series(i, "2021-10-01", gain=150)) for i in range(4)]
    rows += [facility(f"N{i}", None, series(i + 4, None, rise=-3), role="comparison") for i in range(4)]
    effect, before, design = said(put_together(rows))
    assert "better" not in effect
    assert effect.endswith("had moved differently before joining already: no evidence of what joining did.")
    assert re.match(r"They did not move alike before joining: \d+ months before it, .* points from where", before)
    assert "by lot" not in design


def test_a_single_period_before_is_said():
    _, before, _ = said(collaborative(*["2021-02-01"] * 3, never=3, gain=200))
    assert before.startswith("Whether the two moved alike before joining cannot be tested with a single period")


def test_a_transition_from_which_no_month_is_shared_is_said():
    effect = said(collaborative(*TWO_WAVES, gain=200, options={"transition_months": 6}))[0]
    assert effect.endswith("so no one number is given; the figure shows each period by itself.")


def test_transition_months_are_not_counted_as_the_first():
    effect = said(collaborative(*TWO_WAVES, never=4, options={"transition_months": 2}))[0]
    assert "over months 2 to 8 after joining" in effect


def test_facilities_exactly_alike_are_told_without_an_interval():
    rows = [facility(f"F{i}", "2022-01-01", [400] * 12 + [600] * 12) for i in range(3)]
    rows += [facility(f"N{i}", None, [400] * 24, role="comparison") for i in range(3)]
    assert said(put_together(rows))[0].endswith("All changed exactly alike, so no interval can be given.")


def test_a_rate_has_its_unit_once():
    indicator = {"kind": "rate", "per": 1000, "better": "down", "unit": "deaths per 1000 births"}
    effect = said(collaborative(*TWO_WAVES, never=4, gain=-200, indicator=indicator))[0]
    assert re.search(r"was −\d+ deaths per 1000 births beyond .* \(95% interval −\d+ to −\d+ deaths per 1000", effect)


def test_nothing_claims_an_effect_and_no_p_value_is_given():
    for study in (collaborative(*TWO_WAVES, never=4, gain=200), collaborative(*TWO_WAVES)):
        text = " ".join([*said(study), *cautioned(study)])
        assert not re.search(r"effect of|caused|because of the collaborative|\bp\b ?[=<]", text)


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("study", "words"),
    [
        (collaborative(*["2022-01-01"] * 6), "the facilities joined all at once, and fewer than two that did not join"),
        (collaborative(None, None), "no facility has a joining date.* Fill in joined_on"),
        (collaborative("2021-01-01", "2020-01-01", never=3), "every facility joined before the first month measured"),
        (collaborative(*["2023-06-01"] * 3, never=3), "no facility joined within the months measured"),
        (collaborative("2022-01-01", never=3), "no two facilities joined together .* 6 months put together"),
        (collaborative(never=3), "no facility that takes part has a month with both"),
    ],
)
def test_what_cannot_be_compared_is_said_in_words(study, words):
    (sentence,) = said(study)
    assert re.search(f"^Cord clamped late: facilities are not compared by when they joined: {words}", sentence)
    assert charts.event_study(found(study)) is None
    assert tables.event_study(found(study)) is None


def test_every_reason_has_words():
    assert set(wording._WHY_NOT) == set(get_args(Refused))
    assert set(wording._LEFT_OUT) == set(get_args(LeftOut))


def test_one_reason_for_all_indicators_is_said_once():
    (sentence,) = wording.answers(all_waves(bundled("small"))).sentences
    assert sentence.startswith("Facilities are not compared by when they joined: the facilities joined all at once")


def test_each_indicator_has_its_sentence(demo):
    assert len(wording.answers(all_waves(demo)).sentences) == 4


# --- caveats ---------------------------------------------------------------------------------------


def test_those_left_out_are_named():
    rows = [facility(f"F{i}", day, series(i, day)) for i, day in enumerate(TWO_WAVES)]
    rows += [facility("undated", None, series(9, None)), facility("alone", "2022-10-01", series(10, None))]
    lines = cautioned(put_together(rows))
    assert "Cord clamped late: left out because their joining date is not recorded: undated." in lines
    assert "Cord clamped late: left out because nobody else that can be used joined at the same time: alone." in lines


def test_months_put_together_are_told(demo):
    line = wording.caveats(all_waves(demo)[0]).sentences[0]
    assert ": 3 months are put together" in line
    assert line.endswith("only the months since joining count.")


def test_the_wave_with_nobody_left_to_compare_with_is_told():
    (line,) = [line for line in cautioned(collaborative(*TWO_WAVES)) if "nobody left" in line]
    assert "the 3 facilities that joined from Apr 2022 on had nobody left to compare with" in line
    assert line.endswith("Nothing is estimated from that month on.")


def test_few_in_a_wave_are_told():
    few = "the smallest wave has 3 facilities, too few to show how much such facilities vary"
    assert any(few in line for line in cautioned(collaborative(*TWO_WAVES, never=4)))
    assert not any("smallest wave" in line for line in cautioned(collaborative(*["2022-01-01"] * 4, never=4)))


# --- figures and tables ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["proportion", "rate", "count", "mean"])
@pytest.mark.parametrize("never", [0, 4])
def test_both_figures_can_be_drawn(kind, never):
    indicator = {"kind": kind, "per": 1000, "unit": "" if kind == "proportion" else "days", "target": 0.5}
    result = found(collaborative(*TWO_WAVES, never=never, gain=200, indicator=indicator))
    for figure in (charts.event_study(result), charts.since_joining(result)):
        assert_whole(figure)


def test_figures_without_an_average_or_an_interval_can_be_drawn():
    assert_whole(charts.event_study(found(collaborative(*TWO_WAVES, options={"transition_months": 6}))))
    rows = [facility(f"F{i}", "2022-01-01", [400] * 24) for i in range(3)]
    rows += [facility(f"N{i}", None, [400] * 24, role="comparison") for i in range(3)]
    assert_whole(charts.event_study(found(put_together(rows))))


def test_all_in_one_month_need_no_aligned_figure():
    assert charts.since_joining(found(collaborative(*["2022-01-01"] * 6, never=3))) is None


def test_a_line_that_leaves_the_figure_is_told_and_only_then():
    pairs = found(collaborative("2022-01-01", "2022-01-01", "2022-04-01", "2022-04-01", gain=200))
    assert "Arrows: the line goes on beyond the figure." in wording.event_study_caption(pairs, cut=True)
    assert "Arrows" not in wording.event_study_caption(pairs, cut=False)


def test_the_table_has_a_row_per_period_and_unrounded_numbers_beside():
    result = found(collaborative(*TWO_WAVES, never=4, gain=200))
    table = tables.event_study(result)
    assert len(table.shown) == len(result.event_study)
    base = table.shown.set_index("Months since joining").loc["−1"]
    assert base["95% interval"] == "–"
    assert table.shown.set_index("Months since joining").loc["0", "Facilities"] == "6"
    assert np.allclose(table.data["estimate"], result.event_study["estimate"])


def test_a_period_of_several_months_says_which():
    assert tables.months_label(-6, 3) == "−6 to −4"
    assert tables.months_label(0, 3) == "0 to 2"
    assert tables.months_label(-2, 1) == "−2"
