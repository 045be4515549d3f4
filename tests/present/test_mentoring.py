"""What is said and drawn of mentoring, for a collaborative, a small one and one that kept totals."""

import re
from functools import cache

import pandas as pd
import pytest

from qieval.analyses.coverage import coverage
from qieval.analyses.dose_response import dose_response
from qieval.analyses.equity import equity
from qieval.analyses.mentoring import mentoring
from qieval.analyses.visit_gaps import visit_gaps
from qieval.analyses.visit_months import visit_months
from qieval.present.charts import coverage as coverage_charts
from qieval.present.charts import equity as equity_charts
from qieval.present.charts import mentoring as charts
from qieval.present.charts import visit_gaps as gaps_charts
from qieval.present.charts import visit_months as months_charts
from qieval.present.display import Figure, Table, Text
from qieval.present.key_figures.mentoring import key_figures
from qieval.present.sections import mentoring as parts
from qieval.present.tables import coverage as coverage_tables
from qieval.present.tables import mentoring as tables
from qieval.present.wording import coverage as of_coverage
from qieval.present.wording import equity as of_equity
from qieval.present.wording import mentoring as of_mentoring
from qieval.present.wording import visit_gaps as of_gaps
from qieval.present.wording import visit_months as of_months
from tests.analyses.conftest import bundled
from tests.analyses.test_coverage import many
from tests.analyses.test_equity import shared
from tests.analyses.test_mentoring import totals, visits
from tests.analyses.test_visit_gaps import joined


@pytest.fixture(scope="module")
def small():
    return bundled("small")


@cache
def report(study) -> list:
    """Everything the notebook shows of a study, in its order."""
    result, reached, gaps, fair = mentoring(study), coverage(study), visit_gaps(study), equity(study)
    response = dose_response(study)
    return [
        of_mentoring.answer(result),
        *parts.planned_and_done(result),
        *parts.reached(reached, result),
        *parts.when(visit_months(study)),
        *parts.waits(gaps),
        *parts.shares(fair),
        *parts.response(response),
        parts.caveats(result, reached, gaps, fair, response),
        key_figures(result, reached, gaps, fair, response, study),
    ]


def sentences(study) -> list[str]:
    return [line for thing in report(study) if isinstance(thing, Text) for line in thing.sentences]


def figures(study) -> list[Figure]:
    return [thing for thing in report(study) if isinstance(thing, Figure)]


# --- planned and done ------------------------------------------------------------------------------


def test_the_pilots_ratio_of_ratios_and_that_its_groups_went_opposite_ways(hub_spoke):
    assert of_mentoring.compared(mentoring(hub_spoke)).sentences == [
        "The groups went opposite ways: some clearly had more visits than planned, others clearly fewer. The sum of "
        "all, 38 of 32, describes none of them.",
        "Network mentors made 10.9 times as many visits for each planned as hub mentors (95% interval 3.9 to 42.4).",
        "Mentors of one type were not recorded for the same settings as those of the other, so the two may have had "
        "different facilities to visit.",
    ]


def test_the_pilots_report_never_says_42_visits_and_clips_nothing_at_100_percent(hub_spoke):
    said = " ".join(sentences(hub_spoke)) + " ".join(figure.alt for figure in figures(hub_spoke))
    assert not re.search(r"\b42 (visits|of|done)", said)
    assert "34 visits done of 14 planned, 2.43 for each planned" in said
    (table,) = [thing for thing in report(hub_spoke) if isinstance(thing, Table) and thing.name == "visits"]
    assert table.shown["Done per planned"].tolist() == ["2.43", "0.22"]
    assert "38" not in table.shown.to_string()  # no row for the sum


def test_the_drawn_ratio_reaches_beyond_1_where_more_was_done_than_planned(hub_spoke):
    result = mentoring(hub_spoke)
    assert result.groups["high"].max() == pytest.approx(3.39, abs=0.01)
    assert charts.visits_per_planned(result).svg.count("</g>") > 10  # drawn


def test_the_pilots_printed_visits_are_per_facility_and_repeat_on_each_project_row(reference, hub_spoke):
    rows = pd.read_csv(reference / "data" / "published" / "hub_spoke_projects.csv")
    assert rows["network_visits_to_facility"].sum() == 42  # over project rows: more than the 34 that were made
    own = rows.drop_duplicates("facility_code")
    assert own["network_visits_to_facility"].sum() == 18
    made = mentoring(hub_spoke).groups.set_index("mentor_type")["done"]
    assert own["network_visits_to_facility"].sum() <= made["network"] == 34
    assert own["hub_visits_to_facility"].sum() == made["hub"] == 4


def test_totals_say_once_what_they_cannot_carry_and_show_nothing_else(hub_spoke):
    said = sentences(hub_spoke)
    (line,) = [one for one in said if one.startswith("With totals only")]
    assert line == (
        "With totals only, equity between facilities, gaps between visits and coverage cannot be assessed, nor when "
        "visits were made and whether care went with them. For that, record one row a visit: facility, day planned "
        "and day done."
    )
    assert [figure.name for figure in figures(hub_spoke)] == ["visits_done_per_planned"]
    assert any("takes visits as independent of each other" in one for one in said)


def test_the_one_with_more_comes_first_and_settings_are_compared_within_a_kind_of_mentor():
    study = totals(("hub", "rural", 100, 20), ("hub", "urban", 100, 80))
    assert (
        of_mentoring.compared(mentoring(study))
        .sentences[-1]
        .startswith(
            "Hub mentors made 4.00 times as many visits for each planned to urban facilities as to rural ones (95% "
            "interval 2.4"
        )
    )


def test_a_ratio_over_no_visit_has_a_lower_limit_only():
    study = totals(("network", "rural", 10, 30), ("hub", "rural", 10, 0))
    (said,) = [line for line in of_mentoring.compared(mentoring(study)).sentences if "times as many" in line]
    assert re.fullmatch(
        r"In rural facilities, network mentors made at least [\d.]+ times as many visits for each planned as hub "
        r"mentors \(95% interval [\d.]+ to no upper limit\)\.",
        said,
    )


def test_groups_that_chance_could_have_parted_are_left_open():
    study = totals(("network", "rural", 10, 5), ("hub", "rural", 10, 4))
    assert of_mentoring.compared(mentoring(study)).sentences == [
        "Between the groups that were compared it remains open which had more visits for each planned."
    ]


def test_of_the_visits_planned_the_share_made_cannot_exceed_all():
    extra = [("F1", "hub", None, f"2023-0{month}-01") for month in range(2, 9)]
    study = visits(("F1", "hub", "2023-01-01", "2023-01-01"), *extra)
    assert of_mentoring.planned_visits_made(mentoring(study)).sentences == [
        "Of the visits planned, these were made: hub mentors, rural 100% (1 of 1, 95% interval 3% to 100%)."
    ]


# --- coverage --------------------------------------------------------------------------------------


def test_coverage_names_whom_each_share_is_of_and_caps_each_plan():
    study = many([(8, 4), (0, 4), (2, 4), (4, 4), (4, 4)])
    assert of_coverage.answer(coverage(study)).sentences[:3] == [
        "4 of 5 facilities to be visited (80%, 95% interval 38% to 96%) had at least one visit by 31 Dec 2023.",
        "3 of 5 facilities with a plan (60%, 95% interval 23% to 88%) had as many visits as planned or more.",
        "With no facility counted beyond its own plan, the average facility had 70% of the visits planned for it (95% "
        "interval 14% to 100%); over all facilities 14 of 20 planned visits were covered, 70% (95% interval 14% to "
        "100%).",
    ]


def test_a_few_facilities_are_counted_without_a_percentage(small):
    said = of_coverage.answer(coverage(small)).sentences
    assert said == [
        "3 of 3 facilities to be visited had at least one visit by 31 Jul 2024.",
        "2 of 3 facilities with a plan had as many visits as planned or more. With no facility counted beyond its own "
        "plan, 7 of 8 planned visits were covered.",
        "Visited within the last 30 days: 1 of 3 facilities; 60 days: 3 of 3 facilities; 90 days: 3 of 3 facilities.",
    ]
    table = coverage_tables.as_planned(coverage(small)).shown
    assert "%" not in table.to_string()
    assert "With 3 facilities no interval over facilities is given." in of_coverage.caveats(coverage(small)).sentences


def test_without_a_plan_nothing_is_held_against_one():
    said = of_coverage.answer(coverage(visits(("F1", "hub", None, "2023-03-01")))).sentences
    assert "No visit was planned by then, so nothing can be held against a plan." in said


def test_nobody_to_visit_is_said():
    only = [{"facility_id": "C", "role": "comparison"}]
    found = coverage(visits(("C", "hub", None, "2023-02-01"), facilities=only))
    assert of_coverage.answer(found).sentences == ["No facility was to be visited, so there is no coverage."]


def test_the_never_visited_are_listed_with_what_had_been_planned(demo):
    found = coverage(demo)
    assert of_coverage.never(found).sentences == ["32 visits had been planned for the 2 facilities never visited."]
    table = coverage_tables.never_visited(found)
    assert table.shown["Facility"].tolist() == list(mentoring(demo).never_visited)


# --- months, waits, shares -------------------------------------------------------------------------


def test_each_kind_of_mentor_is_held_against_its_own_plan_over_time(small):
    assert of_months.answer(visit_months(small)).sentences == [
        "By Jul 2024 district mentors had made 7 visits where 8 were planned; they were furthest behind in May 2024, "
        "by 3 visits. In 2 of 4 months with visits due none was made."
    ]


def test_waits_of_too_few_facilities_are_listed_without_a_median(small):
    assert of_gaps.answer(visit_gaps(small)).sentences == [
        "10 waits for a visit in 3 facilities: 7 ended with a visit, 3 went on at the data cut (31 Jul 2024).",
        "No median is given, for there are fewer than 5 facilities; the waits are listed instead.",
        "The longest took 73 days (Blue Unicorn Health Centre).",
    ]


def test_waits_of_which_hardly_one_ended_have_no_median():
    found = visit_gaps(visits(("F0", "hub", None, "2023-12-11"), facilities=joined(*["2023-12-01"] * 5)))
    said = of_gaps.answer(found).sentences
    assert said[1] == "No median is given, for there are too few that ended; the waits are listed instead."
    assert said[2].endswith(", and went on at the data cut).")


def test_a_median_that_is_not_reached_is_bounded_from_below():
    made = [(f"F{i}", "hub", None, "2023-12-11") for i in range(5)]
    found = visit_gaps(visits(*made, facilities=joined(*["2023-12-01"] * 12)))
    assert "less than half are known to have ended; the median is above" in of_gaps.answer(found).sentences[1]


def test_waits_begun_after_support_are_told_apart_even_where_too_few_ended():
    made = [(f"F{i}", "hub", None, day) for i in range(5) for day in ("2023-03-01", "2023-06-01", "2023-09-01")]
    found = visit_gaps(visits(*made, facilities=joined(*["2023-01-01"] * 5, ended="2023-06-01")))
    said = of_gaps.answer(found).sentences
    assert said[1].startswith("Of 15 waits begun while support lasted (15 ended), half ended within ")
    assert said[2] == "Of 5 waits begun after support had ended, 0 ended with a visit: too few for a median."


def test_a_facility_that_cannot_be_followed_is_named():
    study = visits(("F0", "hub", None, "2023-12-11"), facilities=joined(None, None))
    assert "Never visited and without a joining day, so without a wait to count: N1." in (
        of_gaps.caveats(visit_gaps(study)).sentences
    )


@pytest.mark.parametrize(
    ("made", "settings", "said"),
    [
        ([2, 3] * 4, ("rural", "urban"), "Rural and urban facilities are not compared: of each 5 or more are needed."),
        ([2, 3] * 5, ("rural",), "Rural and urban facilities cannot be compared: one of the two is missing."),
        (
            [2, 0] * 5,
            ("rural", "urban"),
            "Rural and urban facilities are not compared: in one of them fewer than two were visited.",
        ),
    ],
)
def test_why_settings_are_not_compared(made, settings, said):
    assert of_equity.answer(equity(shared(made, settings=settings))).sentences[0] == said


def test_why_there_is_no_curve():
    few = of_equity.answer(equity(shared([1, 2] * 4, sizes=list(range(1, 9))))).sentences
    assert few[1].endswith("is drawn: fewer than 10 facilities can be ranked.")
    assert few[2] == "Visits are not set against the size of facilities: fewer than 10 facilities can be ranked."
    alike = of_equity.answer(equity(shared([1, 2] * 5, sizes=[20] * 10))).sentences
    assert alike[2] == "Visits are not set against the size of facilities: all facilities are alike in it."
    unknown = of_equity.answer(equity(shared([1, 2] * 5))).sentences
    assert unknown[3] == "Visits are not set against need, since it is known for no facility."
    one = of_equity.answer(equity(shared([3] + [0] * 9, sizes=list(range(1, 11))))).sentences
    assert one[2].endswith("fewer than two facilities were visited.")


def test_a_tilt_to_large_facilities_is_said_with_its_interval():
    found = equity(shared([1, 1, 2, 2, 3, 3, 4, 4, 5, 5], sizes=[10 * i for i in range(1, 11)]))
    said = of_equity.answer(found).sentences[2]
    assert "the first half, that of the smallest facilities, had 30% of the visits (95% interval " in said
    assert said.endswith(": the smallest facilities had less than an equal share.")


def test_visits_no_more_uneven_than_by_lot_are_no_sign_of_unequal_treatment():
    even = equity(shared([1, 2, 3, 4, 5] * 2))
    assert of_equity.answer(even).sentences[1].endswith("so this is no sign of unequal treatment.")
    uneven = equity(shared([1, 1, 1, 1, 1, 1, 1, 12, 12, 12]))
    assert "more uneven than visits dealt out by lot" in of_equity.answer(uneven).sentences[1]


def test_facilities_without_a_visit_are_not_called_evenly_treated_though_the_index_hardly_sees_them(demo):
    assert (
        of_equity.answer(equity(demo))
        .sentences[1]
        .endswith("rarely above 0.22. Yet a lot would hardly leave any facility without a visit, and 2 had none.")
    )


def test_what_intervals_allow_for_is_said_only_where_there_are_some(small, demo):
    assert not any(
        "Facilities differ by more than chance" in line for line in of_equity.caveats(equity(small)).sentences
    )
    assert any("Facilities differ by more than chance" in line for line in of_equity.caveats(equity(demo)).sentences)


# --- all of it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["demo", "small", "hub_spoke"])
def test_every_sentence_ends_and_none_holds_a_hole(name, request):
    study = request.getfixturevalue(name)
    said = sentences(study) + [text for figure in figures(study) for text in (figure.alt, figure.caption)]
    for line in said:
        assert line.rstrip().endswith((".", ")")), line
        assert not re.search(r"\b(nan|None|NaT|inf)\b", line), line


def test_the_demo_has_every_figure_and_the_small_study_those_it_can_carry(demo, small):
    every = [figure.name for figure in figures(demo)]
    assert every == [
        "visits_done_per_planned",
        "visits_by_facility",
        "days_since_last_visit",
        "visits_added_up",
        "visit_calendar",
        "waits_for_a_visit",
        "visits_shared",
        "care_beside_visits",
    ]
    assert [figure.name for figure in figures(small)] == every[:5]


def test_no_two_tables_or_figures_share_a_file(demo):
    names = [(type(thing), thing.name) for thing in report(demo) if isinstance(thing, Figure | Table)]
    assert len(set(names)) == len(names)


def test_key_figures_are_plain_values(demo, hub_spoke):
    found = next(thing for thing in report(demo)[::-1]).values
    assert found["visited"]["facilities"] == 22
    assert found["wait_days"]["in_support"]["estimate"] == 25
    assert found["rural_to_urban"]["low"] < found["rural_to_urban"]["estimate"] < found["rural_to_urban"]["high"]
    pilot = report(hub_spoke)[-1].values
    assert pilot["comparisons"][0]["ratio_of_ratios"] == pytest.approx(10.92857143)
    assert pilot["opposite"] is True
    assert pilot["visited"] is None


def test_a_calendar_of_many_years_leaves_out_the_numbers_but_no_field():
    days = pd.date_range("2018-01-15", "2023-12-15", freq="MS").strftime("%Y-%m-15")
    study = visits(*[("F0", "hub", None, day) for day in days], facilities=joined("2018-01-01"))
    drawn = months_charts.calendar(visit_months(study))
    assert drawn is not None
    assert "72 made" in drawn.alt or "71 made" in drawn.alt


def test_what_cannot_be_drawn_is_not(hub_spoke):
    assert coverage_charts.days_since_last_visit(coverage(hub_spoke)) is None
    assert gaps_charts.gap_curves(visit_gaps(hub_spoke)) is None
    assert months_charts.calendar(visit_months(hub_spoke)) is None
    assert months_charts.cumulative(visit_months(hub_spoke)) is None
    assert equity_charts.concentration_curves(equity(hub_spoke)) is None


def test_hubs_and_comparisons_have_a_table_each(demo, hub_spoke):
    result = mentoring(demo)
    assert set(tables.by_hub(result).shown["Mentors"]) == {"Network", "Hub", "District"}
    assert "no hub recorded" in set(tables.by_hub(result).shown["Facilities of hub"])
    assert len(tables.comparisons(result).shown) == len(result.comparisons) == 9
    pilot = tables.comparisons(mentoring(hub_spoke)).shown.iloc[0]
    assert pilot.tolist() == ["Network : hub", "all settings", "34 of 14", "4 of 18", "10.9", "3.9 to 42.4"]
    assert tables.by_hub(mentoring(hub_spoke)) is None


@pytest.mark.parametrize(
    "rows",
    [
        [("F1", "hub", "2023-12-01", None)],
        [("F1", "hub", "2024-12-01", None)],
        [("F1", "hub", None, "2023-12-31")],
        [("F1", "hub", "2023-12-31", "2023-12-31"), ("F1", "peer", "2023-12-31", "2023-12-31")],
        [("C", "hub", "2023-12-01", "2023-12-01")],
    ],
    ids=["none made", "all still to come", "on the last day", "two on the last day", "of a comparison facility only"],
)
def test_hardly_any_visits_still_make_a_report_without_a_hole(rows):
    for line in sentences(visits(*rows)):
        assert not re.search(r"\b(nan|None|NaT|inf)\b", line), line
