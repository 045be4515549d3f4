"""What became of gains, as sentences, figures and tables."""

import dataclasses

import pytest

from qieval.analyses.after_support import after_support
from qieval.analyses.early_warning import early_warnings
from qieval.analyses.sustainment import sustainment
from qieval.present import sections
from qieval.present.charts import sustainment as charts
from qieval.present.key_figures.sustainment import key_figures
from qieval.present.sections import sustainment as parts
from qieval.present.tables import sustainment as tables
from qieval.present.wording import sustainment as wording
from tests.analyses.conftest import an_indicator, bundled, make_study, monthly
from tests.analyses.test_sustainment import ENDED, levels, only, study_of, study_of_many
from tests.present.test_charts import assert_whole

NO_END = (
    "No facility has a day on which support ended, so nothing can be said of what lasted after it. Once such days are "
    "written into support_ended_on of the facilities table, this section tells it."
)

# --- the definition --------------------------------------------------------------------------------


def test_what_the_words_mean_is_said_first_and_from_the_parameters():
    said = " ".join(wording.definition(sustainment(study_of(levels(0.3, 0.5, 0.5)))).sentences)
    for part in (
        "last 3 months of support", "at least 10%", "first of 3 months in a row", "by over 5%", "99% interval",
        "lies above 50%", "6, 12 and 24 months after",
        "at most 12 months of support, without the first 3 after joining",
    ):  # fmt: skip
        assert part in said
    options = {"window_months": 2, "months_to_lose": 1, "tolerance": 0.1, "follow_up_months": [9]}
    said = " ".join(wording.definition(sustainment(study_of(levels(0.3, 0.5, 0.5), **options))).sentences)
    for part in ("last 2 months of support", "Lost: from a month worse", "by over 10%", "told 9 months after"):
        assert part in said


# --- classes ---------------------------------------------------------------------------------------


def test_the_classes_are_counted_in_words():
    (said,) = wording.answer(sustainment(study_of_many(0.5, 0.5, 0.4, 0.3, 0.5, None))).sentences
    assert said == (
        "Cord clamped late: when support ended, a gain could be told in 6 of 6 facilities. By their last months "
        "reported 3 kept the gain, 2 lost some or all of it and 1 stopped reporting."
    )


def test_no_gain_leaves_nothing_to_keep():
    result = sustainment(study_of(levels(0.3, 0.3, 0.3)))
    assert wording.answer(result).sentences == [
        "Cord clamped late: when support ended, a gain could be told in 0 of 1 facility. There is no gain to follow: "
        "1 never gained."
    ]
    assert wording.loss(result.indicators[0]) is None
    assert wording.kept(result.indicators[0]) is None


def test_a_late_gain_is_said():
    (said,) = wording.answer(sustainment(study_of(levels(0.3, 0.3, 0.5)))).sentences
    assert said.endswith("There is no gain to follow: 1 gained later.")


def test_a_gain_neither_told_nor_ruled_out_is_said_apart_from_none():
    def facility(number, end, people):
        return monthly(f"F{number}", "2021-01-01", levels(0.3, end, end, people=people), people)

    rows = [*facility(0, 0.5, 1000), *facility(1, 0.3, 1000), *facility(2, 0.4, 10), *facility(3, 0.4, 10)]
    facilities = [{"facility_id": f"F{number}"} | ENDED for number in range(4)]
    result = sustainment(make_study(facilities=facilities, indicators=[an_indicator()], measurements=rows))
    assert (
        wording.answer(result)
        .sentences[0]
        .endswith(
            "a gain could be told in 1 of 4 facilities. By their last months reported 1 kept the gain. Of those "
            "without, 1 never gained and in 2 a gain is neither told nor ruled out."
        )
    )
    assert wording.classes_shown(result) == ["gained and kept", "no gain could be told", "never gained"]
    shown = tables.classes(result.indicators[0]).shown.set_index("Facility")
    assert shown.loc["F1", "95% interval of the gain"] == "−2 to +2 points"
    assert shown.loc["F2", "95% interval of the gain"] == "−8 to +29 points"
    assert_whole(charts.classes(result))


def test_no_end_of_support_is_said():
    result = sustainment(study_of(levels(0.3, 0.5, 0.5), facility={"joined_on": "2022-01-01"}))
    assert wording.answer(result).sentences == [NO_END]
    assert wording.definition(result).sentences == []
    assert wording.caveats(result).sentences == []
    assert charts.classes(result) is None


def test_too_few_months_around_support_are_said():
    study = make_study(
        facilities=[{"facility_id": "F1", "joined_on": "2022-01-01", "support_ended_on": "2022-12-31"}],
        indicators=[an_indicator()],
        measurements=monthly("F1", "2021-11-01", [30] * 26),
    )
    result = sustainment(study)
    assert wording.answer(result).sentences == [
        "Cord clamped late: no facility has the months needed before joining and at the end of support."
    ]
    assert wording.caveats(result).sentences[0] == (
        "Cord clamped late: 1 facility has too few months or people before joining or at the end of support."
    )


def test_an_end_of_support_not_recorded_is_said():
    facilities = [{"facility_id": "F0"} | ENDED, {"facility_id": "F1", "joined_on": "2022-01-01"}]
    rows = [row for n in range(2) for row in monthly(f"F{n}", "2021-01-01", levels(0.3, 0.5, 0.5), 1000)]
    result = sustainment(make_study(facilities=facilities, indicators=[an_indicator()], measurements=rows))
    assert wording.caveats(result).sentences[0] == (
        "Cord clamped late: the end of support is not recorded for 1 facility."
    )


def test_too_few_people_and_too_recent_an_end_are_classes_of_their_own():
    few = sustainment(study_of([3] * 12 + [8] * 12 + [6] * 12, people=10))
    assert wording.answer(few).sentences[0].endswith("By their last months reported 1 saw too few people to tell.")
    recent = sustainment(study_of(levels(0.3, 0.5, 0.5)[:29], data_cut="2023-05-31"))
    assert wording.answer(recent).sentences[0].endswith("1 ended support too recently to tell.")
    assert wording.kept(recent.indicators[0]).sentences[0] == "6 months on, it is too early to tell of any of them."


# --- the loss --------------------------------------------------------------------------------------


def test_few_losses_are_named_and_chance_stands_beside_them():
    first, second = wording.loss(only(study_of_many(0.5, 0.5, 0.4, 0.3, 0.5))).sentences
    assert first == (
        "2 of 5 facilities followed lost some or all of the gain (F2 from month 1 on and F3 from month 1 on). With "
        "fewer than 5 losses no median time is given."
    )
    assert second.startswith("Had none of the 5 lost anything, fewer than one would have seemed to by chance;")


def test_five_losses_have_a_median_with_its_interval():
    said = wording.loss(only(study_of_many(0.3, 0.3, 0.3, 0.3, 0.3, 0.5))).sentences[0]
    assert said == (
        "5 of 6 facilities followed lost some or all of the gain. By the curve half of the facilities had lost it by "
        "month 1 after support ended (95% interval 1 to no upper limit). Beyond month 1 fewer than 5 were followed, so "
        "that no more can be told."
    )


def test_a_median_that_is_not_reached_says_up_to_when_more_than_half_held_it():
    said = wording.loss(only(study_of_many(*[0.3] * 5, *[0.5] * 7))).sentences[0]
    assert said == (
        "5 of 12 facilities followed lost some or all of the gain. The median is not reached by month 10 after support "
        "ended: by the curve 58% still held it (95% interval 27% to 80%)."
    )


def study_of_months_seen(*seen):
    """Facilities that lose their gain from so many months after support, or hold it (None) for so long."""
    rows = []
    for number, (loses, months) in enumerate(seen):
        held = months if loses is None else loses - 1
        values = [300] * 12 + [500] * 12 + [500] * held + [300] * (months - held)
        rows += monthly(f"F{number}", "2021-01-01", values, 1000)
    facilities = [{"facility_id": f"F{number}"} | ENDED for number in range(len(seen))]
    return make_study(data_cut="2024-12-31", facilities=facilities, indicators=[an_indicator()], measurements=rows)


def test_a_median_that_rests_on_fewer_than_five_is_not_told():
    # Half have lost it by month 15 only, when the four that are left are not five any more.
    found = only(study_of_months_seen((3, 24), (3, 24), (3, 24), *[(None, 8)] * 4, *[(15, 24)] * 3, (None, 24)))
    said = wording.loss(found).sentences[0]
    assert found.loss.curve.median == 15
    assert said.startswith(
        "6 of 11 facilities followed lost some or all of the gain. The median is not reached by month 6 after support "
        "ended: by the curve 73% still held it (95% interval 37% to 90%). Beyond month 6 fewer than 5 were followed, "
        "so that no more can be told."
    )
    figure = charts.loss_curve(found)
    assert_whole(figure)
    assert "Median" not in figure.svg
    assert wording.loss_labels(found)[0] == "Seen: 73%\nat month 6"


def test_an_upper_limit_of_the_median_that_rests_on_fewer_than_five_is_not_told():
    found = only(study_of_months_seen(*[(month, 24) for month in range(2, 13)]))
    assert found.loss.curve.median_high > found.loss.last_told["time"]
    assert "(95% interval 3 to beyond 8). Beyond month 8 fewer than 5 were followed" in wording.loss(found).sentences[0]


def test_few_facilities_have_no_curve():
    found = only(study_of_many(0.5, 0.3))
    assert wording.loss(found).sentences[0].endswith("With fewer than 5 facilities no curve is drawn.")
    assert charts.loss_curve(found) is None


def test_who_stopped_reporting_is_named():
    rows = monthly("F0", "2021-01-01", levels(0.3, 0.5, 0.5)[:30], 1000)
    rows += monthly("F1", "2021-01-01", levels(0.3, 0.5, 0.5), 1000)
    facilities = [{"facility_id": name} | ENDED for name in ("F0", "F1")]
    found = only(make_study(facilities=facilities, indicators=[an_indicator()], measurements=rows))
    assert "F0 stopped reporting and is followed up to then." in wording.loss(found).sentences[0]


def test_nobody_to_follow_is_said():
    found = only(study_of(levels(0.3, 0.5, 0.5)[:25]))
    assert wording.loss(found).sentences == ["No facility reported months enough after support for a loss to be seen."]


def test_of_a_mean_the_losses_by_chance_are_not_known():
    minutes = [600, 620, 580] * 4 + [500] * 9 + [400, 410, 390] * 5
    found = only(study_of(minutes, people=10, indicator={"kind": "mean", "better": "down"}))
    assert wording.loss(found).sentences[1].startswith("How many would have seemed to lose it by chance is not known")


def test_the_curve_is_dotted_where_fewer_than_five_are_still_followed():
    assert "Dotted" not in charts.loss_curve(only(study_of_many(0.5, 0.5, 0.5, 0.5, 0.5, 0.3))).caption
    rows = [row for n in range(4) for row in monthly(f"F{n}", "2021-01-01", levels(0.3, 0.5, 0.5), 1000)]
    rows += monthly("F4", "2021-01-01", levels(0.3, 0.5, 0.5)[:30], 1000)  # silent from July on
    facilities = [{"facility_id": f"F{n}"} | ENDED for n in range(5)]
    found = only(make_study(facilities=facilities, indicators=[an_indicator()], measurements=rows))
    assert "Dotted: fewer than 5 facilities are still followed." in charts.loss_curve(found).caption


# --- the share kept --------------------------------------------------------------------------------


def test_not_reported_is_bounded_from_both_sides():
    said = wording.kept(only(study_of_many(0.5, 0.5, 0.4, 0.3, 0.5, None))).sentences[1]
    assert said.startswith(
        "12 months on, the 5 facilities that reported together kept 70% of their gain (95% interval "
    )
    assert said.endswith(
        "Of the 5 of which it can be told, 3 had kept it (60%, 95% interval 23% to 88%). Of the others 1 did not "
        "report: if all of these lost it, 3 of 6 kept it; if all kept it, 4 of 6."
    )


def test_fewer_than_five_facilities_are_counted_without_a_percentage():
    result = sustainment(study_of_many(0.5, 0.3))
    assert wording.kept(result.indicators[0]).sentences[1] == (
        "12 months on, 2 facilities that reported are too few for an average of the share kept; each is in the table. "
        "Of the 2 of which it can be told, 1 had kept it."
    )
    assert any("no interval is given" in line for line in wording.caveats(result).sentences)


def test_facilities_whose_support_ended_too_recently_are_counted_beside_the_others():
    recent = {"joined_on": "2022-01-01", "support_ended_on": "2023-03-31"}
    rows = [row for n in range(5) for row in monthly(f"F{n}", "2021-01-01", levels(0.3, 0.5, 0.5), 1000)]
    rows += monthly("F5", "2021-01-01", [300] * 12 + [500] * 24, 1000)
    facilities = [{"facility_id": f"F{n}"} | (ENDED if n < 5 else recent) for n in range(6)]
    study = make_study(facilities=facilities, indicators=[an_indicator()], measurements=rows)
    assert wording.kept(only(study)).sentences[1].endswith("Of 1 more it is too early to tell.")


def test_levels_without_an_error_have_no_average_of_the_share_kept():
    steady = [600] * 12 + [500] * 9 + [400] * 15  # means that never vary within a segment
    rows = [row for n in range(5) for row in monthly(f"F{n}", "2021-01-01", steady, 10)]
    facilities = [{"facility_id": f"F{n}"} | ENDED for n in range(5)]
    minutes = an_indicator(kind="mean", better="down")
    found = only(make_study(facilities=facilities, indicators=[minutes], measurements=rows))
    assert (
        wording.kept(found)
        .sentences[1]
        .startswith("12 months on, there is no average of the share kept; each is in the table.")
    )


def test_nobody_that_can_be_told_about_is_said():
    said = wording.kept(only(study_of([3] * 12 + [8] * 12 + [6] * 12, people=10))).sentences[1]
    assert said.endswith("Of none of them can it be told whether it kept its gain.")


def test_too_early_and_silent_follow_ups_are_said():
    assert wording.kept(only(study_of(levels(0.3, 0.5, 0.5)))).sentences[2] == (
        "24 months on, it is too early to tell of any of them."
    )
    assert wording.kept(only(study_of(levels(0.3, 0.5, 0.5)[:30]))).sentences[1] == (
        "12 months on, none of the 1 due has reported."
    )


def test_a_gain_too_uncertain_has_no_share():
    found = only(study_of_many(0.5, 0.5, 0.4, 0.3, 0.5)).horizons[1]
    unsure = dataclasses.replace(found, share=dataclasses.replace(found.share, low=float("-inf")))
    assert "the gain is too uncertain for its share kept to be told" in wording._horizon(unsure)


def test_a_share_far_beyond_all_of_the_gain_is_no_number():
    shares = (float("nan"), float("-inf"), -1.5, -0.5, 1.39, 2.0, 9.23)
    assert [wording.share_kept(share) for share in shares] == [
        "–", "no limit", "under −100%", "−50%", "139%", "200%", "over 200%",
    ]  # fmt: skip
    assert tables._share(1.39, 0.53, 9.23) == "139% (53% to over 200%)"


def test_a_chance_of_which_no_draw_was_seen_is_not_none():
    assert [tables.by_chance(share) for share in (0.0, 0.004, 0.012, float("nan"))] == [
        "under 1%",
        "under 1%",
        "1%",
        "–",
    ]


def test_regression_to_the_mean_is_said_in_points(demo):
    said = wording.kept(sustainment(demo).indicators[2]).sentences[-1]
    assert said.startswith(
        "Facilities that happened to stand high at the end of support fall back by chance alone: of "
    )
    assert said.endswith("though nothing is lost (regression to the mean).")


# --- the examples ----------------------------------------------------------------------------------


def test_a_collaborative_too_small_is_refused_in_one_sentence():
    result = sustainment(bundled("small"))
    assert wording.answer(result).sentences == [NO_END]
    assert list(parts.indicators(result, (), ())) == []
    assert key_figures(result, (), (), bundled("small")).cells[0].text == "–"


@pytest.fixture(scope="module")
def lasting(demo):
    return sustainment(demo)


def test_an_indicator_is_told_from_all_facilities_to_each_and_its_caveats_once():
    result = sustainment(study_of_many(0.5, 0.5, 0.4, 0.3, 0.5))
    changed, warned = after_support(result), early_warnings(result)
    shown = list(parts.indicators(result, changed, warned))
    assert [thing.text for thing in shown if isinstance(thing, sections.Heading)] == [
        "Cord clamped late",
        "Did care change once support had ended?",
        "When was it lost?",
        "What would have warned first?",
        "How much was kept?",
        "Facility by facility",
    ]
    lines = parts.caveats(result, changed, warned).sentences
    assert sum("not shown to come of it" in line for line in lines) == 1
    assert len(lines) == len(set(lines))


def test_of_the_pilot_only_what_its_paper_prints_is_told_and_marked_as_such(hub_spoke):
    result = sustainment(hub_spoke)
    assert wording.answer(result).sentences == [NO_END]
    (note,) = sections.notes(hub_spoke.parameters.notes, "sustainment")
    assert note.sentences[0].startswith("From elsewhere: Table 3 of the paper")
    assert "R2 reached 100% and then held 77% for 22 weeks" in note.sentences[0]


def test_how_to_read_is_said_of_the_figures_there_are():
    result = sustainment(study_of_many(0.5, 0.5, 0.4, 0.3, 0.5))
    (*_, last) = parts.indicators(result, after_support(result), early_warnings(result))
    for sentence in wording.HOW_TO_READ.values():
        assert sentence in last.sentences[0]
    few = sustainment(study_of(levels(0.3, 0.5, 0.5)))
    (*_, last) = parts.indicators(few, after_support(few), early_warnings(few))
    assert "The small charts show each facility" in last.sentences[0]
    assert "The falling curve" not in last.sentences[0]


def test_without_a_share_together_the_facilities_alone_are_drawn():
    found = only(study_of_many(0.5, 0.3))
    figure = charts.share_kept(found)
    assert_whole(figure)
    assert "Share of the gain kept" not in figure.svg
    assert "with its 95% interval (thick) where these are 5 or more; the grey bar" in figure.caption
    assert figure.alt.startswith("Bars from worst to best case by months since support ended.")
    assert "Left: share of the gain" in charts.share_kept(only(study_of_many(*[0.5] * 5))).caption


def test_every_figure_of_the_demo_can_be_drawn(lasting):
    assert_whole(charts.classes(lasting))
    for found in lasting.indicators:
        for draw in (charts.loss_curve, charts.share_kept, charts.segments):
            figure = draw(found)
            assert (figure is None) == (found.n_gained == 0)
            if figure is not None:
                assert_whole(figure)


def test_the_tables_hold_a_row_per_facility_and_what_the_figures_show(lasting):
    found = lasting.indicators[0]
    table = tables.classes(found)
    assert len(table.shown) == 24
    assert table.shown["Class"].tolist() == found.table["class"].tolist()
    by_horizon = tables.horizons(found)
    assert by_horizon.shown["Months after support"].tolist() == ["6", "12"]  # 24 months are not due yet
    for row, horizon in zip(by_horizon.data.itertuples(), found.horizons, strict=False):
        assert row.kept + row.lost + row.cannot_be_told == row.reported == horizon.n_known
        assert row.worst_case <= row.best_case
    assert len(tables.follow_up(found).shown) == found.n_gained
    assert tables.horizons(lasting.indicators[3]) is None
    assert tables.follow_up(lasting.indicators[3]) is None


def test_a_share_without_limits_says_so():
    assert tables._share(0.5, float("-inf"), float("inf")) == "50% (no limits)"
    assert tables._share(float("nan"), float("nan"), float("nan")) == "–"
    assert tables._share(0.5, float("nan"), float("nan")) == "50%"


def test_one_facility_of_many_people_is_drawn():
    for study in (study_of(levels(0.3, 0.5, 0.4)), study_of(levels(0.3, 0.3, 0.5))):
        assert_whole(charts.segments(only(study)))
        assert_whole(charts.classes(sustainment(study)))


def test_the_key_figure_is_of_those_told(lasting, demo):
    shown = key_figures(lasting, after_support(lasting), early_warnings(lasting), demo)
    assert shown.cells[0].text == "3 of 11 told\nat 12 months"
    found = shown.values["early_breastfeeding"]
    assert sum(found["classes"].values()) == 24
    assert found["kept_at_12"]["share_of_gain_low"] < found["kept_at_12"]["share_of_gain"]
    assert found["kept_at_24"]["share_of_gain"] is None
    assert found["months_after_support"] == 12
    assert found["after_support"]["low"] < found["after_support"]["estimate"] < found["after_support"]["high"] < 0
    assert set(found["warned"]) == {"ewma", "cusum", "single"}
    assert found["warned"]["ewma"]["of_lost"] <= found["lost"]
    assert shown.values["newborn_deaths"]["warned"] == {}


def test_below_five_told_there_is_no_key_figure():
    study = study_of_many(0.5, 0.3, 0.5, 0.5)
    result = sustainment(study)
    assert key_figures(result, after_support(result), early_warnings(result), study).cells[0].text == "–"
