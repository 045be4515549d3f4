"""Interrupted time series in words, figures and tables: what is claimed, what is refused, and what is never said."""

import dataclasses
import math
import re

import pytest

from qieval.analyses.interrupted import interrupted
from qieval.analyses.series import indicators
from qieval.present.charts import interrupted as charts
from qieval.present.tables import interrupted as tables
from qieval.present.wording import interrupted as wording
from qieval.study.study import Study, open_study
from tests.analyses.conftest import bundled
from tests.analyses.test_interrupted import collaborative, one_that_rises, only
from tests.moz_anc import moz_anc_parameters, write_moz_anc


@pytest.fixture(scope="module")
def gained():
    return only(collaborative())


@pytest.fixture(scope="module")
def results(demo):
    return [interrupted(demo, indicator) for indicator in indicators(demo)]


# --- answers ---------------------------------------------------------------------------------------


def test_a_gain_is_told_with_interval_month_facilities_and_where_one_more_may_lie(gained):
    assert re.fullmatch(
        r"Cord clamped late: 12 months after joining, 6 facilities stood on average \d+ percentage points higher than "
        r"their own trends before joining, carried on, would have put them \(95% interval \+\d+ to \+\d+ points\)\. In "
        r"one more facility like these the change may lie anywhere from \+\d+ to \+\d+ points \(95% prediction "
        r"interval\)\. From 6 facilities it can hardly be said how far they truly differ\.",
        wording.answer(gained),
    )


def test_where_no_change_can_be_told_that_is_not_called_none():
    result = only(collaborative(step=0))
    assert "12 months after joining, no change could be told. On average 6 facilities stood" in wording.answer(result)
    said = wording.claims(result).sentences
    assert said[0].startswith("That no change could be told does not mean that there was none: these data agree with")


def test_where_less_is_better_it_is_said():
    result = only(collaborative(step=-20, indicator={"better": "down"}))
    assert "percentage points lower than" in wording.answer(result)
    assert "points; less is better)." in wording.answer(result)


def test_fewer_than_five_facilities_are_refused_an_average():
    said = wording.answer(only(collaborative(4)))
    assert "4 facilities can each tell a change, and below 5 no average over facilities is given." in said
    assert "In 4 facilities together, their people added up, the level 12 months after joining was" in said


def test_without_months_enough_there_is_only_the_run_chart_and_the_reason():
    result = only(collaborative(2, before=2))
    assert wording.answer(result) == (
        "Cord clamped late: no interrupted time series can be fitted, and the run chart is all there is. Left out: F0 "
        "and F1 (fewer than 3 months before joining)."
    )
    assert charts.line(result) is None
    assert charts.forest(result) is None
    assert wording.claims(result).sentences == []
    assert wording.caveats(result).sentences == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"after": 2}, "fewer than 3 months after joining"),
        ({"options": {"smallest_denominator": 101}}, "no month with people enough"),
    ],
)
def test_every_reason_to_be_left_out_is_named(given, reason):
    assert f"({reason})" in wording.answer(only(collaborative(1, **given)))


def test_trends_that_cannot_have_gone_on_are_refused_a_claim():
    result = only(collaborative(rise=2.5, step=-10, base=50))
    said = wording.answer(result)
    assert "no claim can be made. In 6 of 6 facilities, with over 99% of the weight, the trend before joining" in (
        said.replace("100% of the weight", "over 99% of the weight")
    )
    assert "would have passed 0 or 100% by month 12, so it cannot have gone on" in said
    assert wording.claims(result).sentences == []
    assert "The diamond is open, as no claim can be made from it." in wording.forest_caption(result)


def test_a_change_of_level_alone_only_describes():
    result = only(collaborative(before=4, after=6))
    assert "than in the months before joining" in wording.answer(result)
    assert (
        "only describes: with so few months a trend that was under way before joining would be counted"
        in (wording.claims(result).sentences[0])
    )


# --- claims by design ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "whatever else began in the same month is not, as all joined together"),
        ({"joined": {"F0": "2022-03-01"}}, "a single event outside can hardly explain all of it"),
        (
            {"n": 7, "roles": {"F6": "comparison"}},
            "there are comparison facilities, of which this estimate makes no use",
        ),
    ],
)
def test_the_claim_follows_from_the_design(given, said):
    first = wording.claims(only(collaborative(**given))).sentences[0]
    assert first.startswith("This change is associated with the collaborative.")
    assert said in first


def test_a_month_sooner_than_asked_is_said():
    said = wording.claims(only(collaborative(after=10))).sentences
    assert "Told at month 9 after joining and not at month 12, since the data of too few facilities go further." in said


def test_a_baseline_that_moved_is_named_and_marked_on_both_figures():
    result = only(collaborative(rise=1.0, step=0, base=30))
    assert any(line.startswith("The baseline was itself moving in F") for line in wording.claims(result).sentences)
    assert "†: the baseline was itself moving." in wording.forest_caption(result)
    assert any("All together, the baseline was itself moving" in line for line in wording.caveats(result).sentences)


def test_another_way_that_says_otherwise_is_told_openly(results):
    deaths = results[-1]
    rows = deaths.sensitivity.loc[~deaths.sensitivity["agrees"], "case"].tolist()
    said = [line for line in wording.claims(deaths).sentences if line.startswith("Another way would say otherwise")]
    assert len(said) == len(rows)
    if "newey_west" in rows:
        assert any("Newey-West intervals are too narrow in short series." in line for line in said)


# --- how many months more --------------------------------------------------------------------------


def test_months_more_name_the_gain_aimed_at():
    said = wording.months_more(only(collaborative(step=0, indicator={"target": 0.45})))
    assert "a change at once of " in said
    assert re.search(r"\(from the baseline of 4\d% to the target of 45%\)", said)
    assert said.endswith(("four chances in five.", "to show by now.", "vary too much."))


def test_months_more_are_not_told_without_a_gain_to_wait_for():
    assert wording.months_more(only(collaborative())) == ""
    assert wording.months_more(only(collaborative(step=0))).startswith("Without a target")
    assert wording.months_more(only(collaborative(step=0, indicator={"target": 0.2}))).startswith("The baseline was at")


# --- several comparisons ---------------------------------------------------------------------------


def test_clear_changes_stand_beside_those_expected_by_chance(gained, results):
    assert (
        wording.facilities(gained)
        .sentences[0]
        .endswith("Had nothing changed, fewer than one of their 6 intervals would still have pointed to a change.")
    )
    last = wording.caveats_of_all(results).sentences[-1]
    assert re.search(r"Over all indicators, about \d of the \d+ intervals of single facilities would have", last)


# --- what it rests on ------------------------------------------------------------------------------


def test_caveats_of_all_indicators_say_each_sentence_once_and_name_those_that_differ(results):
    said = wording.caveats_of_all(results).sentences
    check_sentences(said)
    assert len(said) == len(set(said))
    assert sum("Seasons are not in the headline" in line for line in said) == 1
    assert said[0] == "The fit uses all months before joining and months 6 to 18 after it."
    names = [result.indicator.name for result in results]
    (narrow,) = [line for line in said if "the errors by Newey-West" in line and "facilities" in line]
    assert all(f"({name})" in narrow for name in names)
    (alternating,) = [line for line in said if "REML" in line]
    assert alternating.startswith(f"{names[2]}: In 1 of 20 facilities months swing to and fro")


def test_caveats_of_one_indicator_bear_its_name_and_those_of_none_are_empty():
    assert wording.caveats(only(collaborative())).sentences[0].startswith("Cord clamped late: The fit uses")
    assert wording.caveats_of_all([only(collaborative(2, before=2))]).sentences == []


def test_newey_west_narrower_than_least_squares_is_never_silent(results):
    temperature = results[2]
    narrower = temperature.facilities["fit_flags"].map(lambda flags: "newey_west_narrower" in flags)
    said = wording.caveats(temperature).sentences
    assert any(line.startswith(f"In {narrower.sum()} of 20 facilities the errors by Newey-West") for line in said)
    notes = tables.facilities(temperature).shown["Note"]
    assert notes.str.contains("Newey-West narrower than least squares").tolist() == narrower.tolist()
    for result, row in ((temperature, "narrower than least squares"), (results[0], "in 15 of 23 facilities narrower")):
        ways = tables.other_ways(result).shown.set_index("How")["Note"]
        assert ways["Average over facilities, Newey-West, one lag"].startswith(row)


def test_the_shape_looked_for_is_named_beside_the_answer_and_in_the_caption(gained):
    said = wording.claims(gained).sentences
    assert any(
        line.startswith(
            "The change is looked for as a jump and a change of slope, with months 0 to 5 after joining left out, since"
        )
        for line in said
    )
    assert "Open dots: the climb in months 0 to 5 after joining, left out of the fit." in wording.line_caption(gained)
    short = wording.claims(only(collaborative(before=4, after=6))).sentences
    assert any("as a jump alone, for want of months to tell a slope" in line for line in short)


def test_the_line_is_told_as_a_share_a_jump_a_slope_and_its_autocorrelation(gained):
    (line,) = [line for line in wording.claims(gained).sentences if line.startswith("In the line of all together")]
    assert re.fullmatch(
        r"In the line of all together the level at month 12 is \d+% above where its trend before would have put it "
        r"\(95% interval \+\d+% to \+\d+% of that\)\. At month 6 the jump is \+\d+ points \(95% interval .*\); from "
        r"there its slope differs from that of the trend by .* points a month \(95% interval .*\), no change of slope "
        r"that could be told\. Its months .* the ones before them \(autocorrelation .*\), which the "
        r"interval allows for\.",
        line,
    )


def test_a_trend_that_may_as_well_be_0_gives_no_share(results):
    assert any(
        "cannot be given as a share, since the trend before, carried on, may as well be 0." in line
        for line in wording.claims(results[-1]).sentences
    )


def test_trends_that_pass_what_is_possible_are_marked_and_the_average_is_told_without_them():
    result = only(one_that_rises())
    (said,) = [line for line in wording.claims(result).sentences if "which cannot be. Without it" in line]
    assert said.startswith("In 1 of 7 facilities, with ")
    assert "‡: the trend carried on would pass 0 or 100%, which cannot be." in wording.forest_caption(result)
    notes = tables.facilities(result).shown.set_index("Facility")["Note"]
    assert notes.str.contains("‡").to_dict() == {name: name == result.facilities.set_index("facility_id").loc[
        "F6", "facility"] for name in notes.index}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"agrees": True}, "which says the same."),
        ({"agrees": False, "low": -0.1}, "the answer is another: the average is"),
        ({"agrees": False, "estimate": math.nan, "k": 4}, "Without it 4 facilities are left, too few for an average"),
    ],
)
def test_an_answer_that_rests_on_impossible_trends_is_told_openly(row, said):
    result = only(one_that_rises())
    ways = result.sensitivity.copy()
    at = ways.index[ways["case"] == "possible_trends"][0]
    for name, value in row.items():
        ways.loc[at, name] = value
    other = dataclasses.replace(result, sensitivity=ways)
    if row.get("k"):
        other = dataclasses.replace(other, pooled=dataclasses.replace(result.pooled, k=5))
    assert any(said in line for line in wording.claims(other).sentences)


def test_a_facility_at_0_and_then_at_100_percent_is_told_in_words():
    study = one_that_rises()
    rows = study["measurements"].copy()
    own = rows["facility_id"] == "F6"
    rows.loc[own, "numerator"] = (rows.loc[own, "period"] >= "2022-01-01") * 100.0
    late = own & (rows["period"] > "2022-06-01")
    rows.loc[late, "numerator"] -= rows.loc[late, "period"].dt.month % 2
    result = only(Study(parameters=study.parameters, tables={**study.tables, "measurements": rows}))
    assert result.pooled.k == 6
    name = result.facilities.set_index("facility_id").loc["F6", "facility"]
    assert any(
        line.startswith(f"The average is without {name} (before: none; after: nearly all): at or next to 0% or 100%")
        for line in wording.claims(result).sentences
    )
    assert "and an interval would look exact." in wording.forest_caption(result)
    notes = tables.facilities(result).shown.set_index("Facility")["Note"]
    assert notes[name].endswith("where months cannot vary (before: none; after: nearly all)")


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("few_months", "Facilities share too few months to be shown together."),
        ("at_edge", "All together, care stood at or next to 0% or 100% before joining or after it"),
        ("nothing_varies", "All together, too little varies about the lines for an interval."),
    ],
)
def test_where_there_is_no_line_of_all_together_the_reason_is_told(why, said):
    result = only(collaborative(4))
    result = dataclasses.replace(result, line=None, why_no_line=why, not_planned=why)
    assert said in wording.answer(result)
    assert wording.months_more(result).startswith("How many months more would be needed cannot be said")
    assert charts.line(result) is None
    check_sentences(everything_said_of(result))


def test_after_a_refusal_nothing_goes_on_as_if():
    result = only(collaborative(rise=2.5, step=-10, base=50))
    said = wording.facilities(result).sentences
    assert said[0].startswith("As with the average, no claim can be made from the facilities' own changes")
    assert not any("clear" in line for line in said[:1] if "show one" in line)
    table = tables.other_ways(result)
    assert table.caption.endswith("an average of which no claim can be made, in other ways")
    assert table.shown["How"].iloc[0] == "Average over facilities, refused above"


def test_months_used_are_shown_and_counts_of_facilities_explained(results):
    shown = tables.facilities(only(collaborative())).shown
    assert set(shown["Months used, before + after"]) == {"12 + 13"}
    assert "Months used: before + after joining." in wording.forest_caption(only(collaborative()))
    assert tables.other_ways(results[0]).shown["Note"].iloc[0] == "1 facility tells level alone, not in it"
    deaths = tables.other_ways(results[-1]).shown
    assert deaths["Note"].iloc[2].startswith("1 facility has no estimate this way")


# --- figures and tables ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"n": 1},
        {"n": 5, "before": 4, "after": 6},
        {"joined": {"F0": "2022-03-01", "F1": "2022-03-01"}},
        {"rise": 1.0, "step": 0, "base": 30},
        {"indicator": {"kind": "rate", "per": 1000, "unit": "deaths per 1000", "better": "down"}},
        {"indicator": {"kind": "count", "unit": "births"}},
        {"indicator": {"kind": "mean", "unit": "minutes"}},
    ],
    ids=["gain", "one", "level only", "waves", "moving", "rate", "count", "mean"],
)
def test_every_kind_of_result_can_be_drawn_told_and_listed(given):
    result = only(collaborative(**given))
    for figure in (charts.line(result), charts.forest(result)):
        assert figure is not None
        assert figure.png.startswith(b"\x89PNG")
        assert figure.caption.endswith(".")
        assert len(figure.alt) > 30
    for table in (tables.facilities(result), tables.other_ways(result)):
        assert table is not None
        assert len(table.shown) == len(table.data)
    check_sentences(everything_said_of(result))


def test_facilities_without_an_estimate_are_in_the_table_with_their_reason():
    shown = tables.facilities(only(collaborative(2, before=2))).shown
    assert shown["Note"].tolist() == ["left out: fewer than 3 months before joining"] * 2
    assert shown["Change"].tolist() == ["–", "–"]


# --- what is never said ----------------------------------------------------------------------------


def everything_said_of(result):
    said = [wording.answer(result)]
    for text in (wording.claims, wording.facilities, wording.caveats):
        said += text(result).sentences
    if result.line is not None:
        said += [wording.line_caption(result), wording.line_alt(result)]
    if result.n_told:
        said += [wording.forest_caption(result), wording.forest_alt(result)]
    return said


def check_sentences(said):
    for sentence in said:
        assert not re.search(r"effect of|caused|due to|led to|impact|signific|p-value|\bp [=<]", sentence), sentence
        assert not re.search(r"\b(nan|None|NaT|inf|True|False)\b", sentence), sentence
        assert not re.search(r"(?<![\w-])-\d|\.\d{4,}|  ", sentence), sentence
        assert not re.search(r"(?<![\d,.+−])1 (months|facilities|points)\b", sentence), sentence
        assert re.match(r"[A-Z0-9]", sentence), sentence
        assert sentence.endswith("."), sentence


def test_nothing_that_is_said_claims_too_much(results):
    for result in [*results, *(interrupted(study, one) for study in [bundled("small")] for one in indicators(study))]:
        check_sentences(everything_said_of(result))


def test_the_trial_of_mozambique_is_told_without_claims_from_impossible_trends(reference, tmp_path):
    study = open_study(**moz_anc_parameters(write_moz_anc(reference, tmp_path / "moz")))
    found = {one.indicator_id: interrupted(study, one) for one in indicators(study)}
    assert any(result.is_refused for result in found.values())
    for result in found.values():
        assert result.design == "staggered"
        check_sentences(everything_said_of(result))
