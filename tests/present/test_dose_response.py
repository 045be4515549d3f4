"""What is said, drawn and tabulated of care beside visits: an association, its number, and what it rests on."""

import dataclasses
from functools import cache

import numpy as np
import pytest

from qieval.analyses.dose_response import DoseResponse, Response, Slope, dose_response
from qieval.analyses.series import Indicator
from qieval.methods.multiplicity import false_alarms
from qieval.present.charts import dose_response as charts
from qieval.present.tables import dose_response as tables
from qieval.present.wording import dose_response as wording
from tests.analyses.conftest import bundled
from tests.analyses.test_dose_response import collaborative, plain

SHARE = Indicator(
    indicator_id="I", name="Cord clamped late", kind="proportion", better="up", target=None, per=1.0, unit=""
)
DEATHS = dataclasses.replace(
    SHARE, indicator_id="J", name="Newborn deaths", kind="rate", better="down", per=1000.0, unit="per 1,000 births"
)


@cache
def empty():
    return dose_response(collaborative(9)).responses[0].left_out.iloc[:0]


def slope(estimate, low, high, *, df=8.0, p=0.5) -> Slope:
    return Slope(estimate=estimate, standard_error=0.01, df=df, low=low, high=high, p_value=p)


NONE = slope(0.004, -0.012, 0.02)
MORE = slope(0.021, 0.01, 0.032, p=0.001)


def response(indicator=SHARE, made=NONE, ahead=NONE, *, adjusted_p=0.5) -> Response:
    return Response(
        indicator=indicator,
        not_told=None,
        n_facilities=20,
        n_months=400,
        left_out=empty(),
        slope=made,
        left_share=0.15,
        left_sd=1.04,
        ahead=ahead,
        adjusted_p=adjusted_p,
    )


def not_told(why, indicator=SHARE) -> Response:
    return Response(indicator=indicator, not_told=why, n_facilities=20, n_months=400, left_out=empty())


def result(*responses, **given) -> DoseResponse:
    told = sum(one.slope is not None for one in responses)
    values = {
        "refused": None,
        "lag_months": 1,
        "responses": responses,
        "alarms": false_alarms(told, rate=0.05) if told else None,
        "n_hubs": 0,
        "n_comparison": 0,
        "small_months": 0,
        "smallest_denominator": 5,
    }
    return DoseResponse(**values | given)


def test_an_unclear_association_is_told_with_its_interval_and_never_as_none():
    assert wording.slope(response()) == (
        "Cord clamped late: each further visit went with +0.4 points (95% interval −1.2 to +2.0), association only: no "
        "clear association either way."
    )


def test_a_clear_association_is_not_called_what_visits_did():
    assert wording.slope(response(made=MORE)) == (
        "Cord clamped late: each further visit went with +2.1 points (95% interval +1.0 to +3.2), association only: "
        "better as visits added up, which need not be their doing."
    )
    said = wording.slope(response(DEATHS, slope(1.234, 0.21, 2.25)))
    assert said == (
        "Newborn deaths: each further visit went with +1.2 per 1,000 births (95% interval +0.21 to +2.2), association "
        "only: worse as visits added up, which need not be their doing."
    )


def test_no_report_of_an_association_speaks_of_an_effect():
    found = dose_response(plain())
    said = [*wording.answer(found).sentences, *wording.caveats(found).sentences, wording.alt(found)]
    assert "association only" in said[0]
    assert not any("effect" in line or "because of" in line for line in said)


def test_the_number_of_indicators_is_told_and_which_stand_out_all_the_same():
    both = result(response(made=MORE, adjusted_p=0.002), response(DEATHS))
    assert wording.answer(both).sentences[2] == (
        "2 indicators were looked at: where none goes with visits, at least one such interval would still leave out 0 "
        "in up to 10% of collaboratives. Allowing for that, this still stands out: Cord clamped late."
    )
    weak = result(response(made=MORE, adjusted_p=0.06), response(DEATHS))
    assert wording.answer(weak).sentences[2].endswith("Allowing for that, none stands out.")
    none = result(response(), response(DEATHS))
    assert wording.answer(none).sentences[2].endswith("leave out 0 in up to 10% of collaboratives.")
    assert not any("looked at" in line for line in wording.answer(result(response())).sentences)


def test_how_little_is_left_to_go_by_is_told():
    assert wording.answer(result(response())).sentences[1] == (
        "Visits add up as time goes by, as improvement does: 85% of the variation of visits within facilities is "
        "common to all and was taken out. What is left, 1.0 visits (standard deviation), is all there is to go by, and "
        "it lies in few of the 20 facilities (8 degrees of freedom)."
    )
    even = result(response(made=slope(0.004, -0.01, 0.02, df=12.4)))
    assert "it lies in the 20 facilities (12 degrees of freedom)" in wording.answer(even).sentences[1]


def test_visits_that_cannot_have_worked_yet_show_whether_visits_followed_care():
    assert wording.answer(result(response())).sentences[-1] == (
        "The visits of the next 3 months, which cannot have worked yet, do not clearly go with care: no sign that "
        "mentors went by how care had just been."
    )
    follows = result(response(ahead=slope(-0.015, -0.02, -0.01)), response(DEATHS))
    assert wording.answer(follows).sentences[-1] == (
        "The visits of the next 3 months, which cannot have worked yet, go with care as well (Cord clamped late, −1.5 "
        "(−2.0 to −1.0)): a sign that visits followed care, or that something else moved both."
    )
    unknown = result(response(ahead=None))
    assert wording.answer(unknown).sentences[-1] == (
        "Whether visits followed care, by those of the next 3 months, could not be checked."
    )


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (
            "few_facilities",
            "fewer than 10 facilities, hubs aside, have a joining day and 6 months with values, 3 of them since a "
            "visit could show.",
        ),
        (
            "no_variation",
            "facilities were visited so much alike, counted from joining, that no difference is left to go by.",
        ),
        ("nothing_varies", "its values never vary."),
        (
            "few_speak",
            "too few facilities had clearly more visits than the others, or fewer, so that one or two would decide the "
            "answer.",
        ),
    ],
)
def test_why_it_cannot_be_told(why, said):
    alone = wording.answer(result(not_told(why), not_told(why, DEATHS))).sentences
    assert alone == [f"Whether care went with visits cannot be told: {said}"]
    beside = wording.answer(result(response(), not_told(why, DEATHS))).sentences
    assert beside[1] == f"Newborn deaths: whether it went with visits cannot be told: {said}"


@pytest.mark.parametrize(
    ("refused", "said"),
    [("no_visit", "no visit was made."), ("not_measured", "no indicator was measured month by month.")],
)
def test_why_there_is_nothing_to_compare(refused, said):
    found = result(refused=refused)
    assert wording.answer(found).sentences == [f"Whether care went with visits cannot be told: {said}"]
    assert wording.caveats(found).sentences == []


def test_totals_are_spoken_of_once_and_elsewhere(hub_spoke):
    found = dose_response(hub_spoke)
    assert wording.answer(found).sentences == []
    assert charts.slopes(found) is None
    assert tables.slopes(found) is None


def test_who_is_left_out_is_named_once_for_indicators_that_share_it():
    gone = empty().reindex([0]).assign(facility="Amber", reason="no_joining")
    responses = [dataclasses.replace(response(one), left_out=gone) for one in (SHARE, DEATHS)]
    said = wording.caveats(result(*responses, n_hubs=1, n_comparison=2, small_months=1)).sentences
    assert said[3:] == [
        "1 hub and 2 comparison facilities take no part where care is set beside visits.",
        "Not set beside visits for Cord clamped late and Newborn deaths: Amber (no joining day).",
        "1 facility-month with fewer than 5 people is left out where care is set beside visits.",
    ]


def test_the_lag_is_told():
    assert (
        "all visits made to it up to 1 month before, by any mentor" in wording.caveats(result(response())).sentences[2]
    )
    now = wording.caveats(result(response(), lag_months=0)).sentences[2]
    assert "all visits made to it up to the same month, by any mentor" in now


def test_units_have_a_panel_each_and_what_is_not_told_says_so():
    found = result(response(), not_told("few_speak"), response(DEATHS))
    drawn = charts.slopes(found)
    assert drawn is not None
    assert drawn.name == "care_beside_visits"
    assert drawn.alt.count("association only") == 2
    assert drawn.caption.endswith("An association only.")
    assert charts.slopes(result(not_told("few_speak"))) is None


def test_the_table_gives_units_and_keeps_unrounded_numbers():
    table = tables.slopes(result(response(), response(DEATHS, slope(1.234, -0.21, 2.25)), not_told("no_variation")))
    assert table.shown["For each further visit"].tolist() == ["+0.4 points", "+1.2 per 1,000 births", "–"]
    assert table.shown["95% interval"].tolist() == ["−1.2 to +2.0", "−0.21 to +2.2", "–"]
    assert table.shown["Common to all"].tolist() == ["85%", "85%", "–"]
    assert table.shown["Note"].tolist() == ["", "", "not told: all visited alike"]
    assert table.data["estimate"].tolist()[:2] == [0.004, 1.234]
    assert np.isnan(table.data["estimate"].iloc[2])


def test_a_small_collaborative_is_told_what_is_missing_and_shown_nothing():
    found = dose_response(bundled("small"))
    assert len(wording.answer(found).sentences) == 1
    assert wording.caveats(found).sentences == []
    assert charts.slopes(found) is None
