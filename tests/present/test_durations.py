"""What is said and drawn of projects, for a collaborative, the pilot, and one too small for claims."""

import ast
import math
import re
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml

from qieval.analyses.duration_groups import duration_groups
from qieval.analyses.durations import durations
from qieval.analyses.intensive_phase import begun_in_intensive
from qieval.analyses.project_outcomes import project_outcomes
from qieval.present.charts import duration_groups as groups_charts
from qieval.present.charts import durations as charts
from qieval.present.charts import project_outcomes as outcomes_charts
from qieval.present.display import Figure, Table, Text
from qieval.present.key_figures.durations import key_figures
from qieval.present.sections import Heading
from qieval.present.sections import durations as parts
from qieval.present.tables import duration_groups as groups_tables
from qieval.present.tables import durations as tables
from qieval.present.tables import project_outcomes as outcomes_tables
from qieval.present.wording import duration_groups as of_groups
from qieval.present.wording import durations as of_durations
from qieval.present.wording import project_outcomes as of_outcomes
from tests.analyses.conftest import bundled, make_study
from tests.analyses.test_duration_groups import LONG, SHORT, of
from tests.analyses.test_duration_groups import study_of as grouped
from tests.analyses.test_durations import of_months, project
from tests.analyses.test_intensive_phase import begun
from tests.analyses.test_project_outcomes import FIVE, ended, outcomes, still_open

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def small():
    return bundled("small")


@cache
def report(study) -> list:
    """Everything the notebook shows of a study, in its order."""
    result = durations(study)
    found, started, groupings = (
        project_outcomes(result),
        begun_in_intensive(study, result),
        duration_groups(study, result),
    )
    shown = [
        of_durations.answer(result),
        *parts.lengths(result),
        *parts.ends(found),
        *parts.starts(started),
        *parts.groups(groupings),
        *parts.each(result),
        of_durations.caveats(result, found),
        key_figures(result, found, started, study),
    ]
    return [thing for thing in shown if thing is not None]


def sentences(study) -> list[str]:
    return [line for thing in report(study) if isinstance(thing, Text) for line in thing.sentences if line]


def figures(study) -> list[Figure]:
    return [thing for thing in report(study) if isinstance(thing, Figure)]


def shown_tables(study) -> dict[str, pd.DataFrame]:
    return {thing.name: thing.shown for thing in report(study) if isinstance(thing, Table)}


# --- how long they took ----------------------------------------------------------------------------


def test_the_pilots_durations_in_words(hub_spoke):
    assert of_durations.answer(durations(hub_spoke)).sentences == [
        "10 projects: 10 completed.",
        "The median duration is 8.0 months (95% interval 3.0 to no upper limit; exact, by their order, 3.0 to 10.0), "
        "from 7 dated projects, all of which have ended.",
        "Every project recorded was completed. Were others begun and not recorded, as they went on or were abandoned, "
        "this is how long the completed took, not how long a project takes.",
        "3 of 10 projects lack a start or an end date and are in no curve. Whatever their durations were, the median "
        "of all would lie between 4.5 months (all shorter than the others) and 9.5 months (all longer).",
    ]
    assert (
        "7 projects are few: read the interval, not the median alone."
        in of_durations.caveats(durations(hub_spoke)).sentences
    )


def test_ten_projects_in_words():
    said = of_durations.answer(durations(make_study(projects=of_months(3, 3, 4, 4, 5, 5, 6, 7, 8, 10)))).sentences
    assert said[1] == (
        "The median duration is 5.0 months (95% interval 3.0 to 7.0; exact, by their order, 3.0 to 8.0), from 10 dated "
        "projects, all of which have ended."
    )


def test_fewer_than_five_projects_are_refused_a_median_with_their_count():
    said = of_durations.answer(durations(make_study(projects=of_months(3, 4)))).sentences
    assert said[1] == (
        "2 projects have the dates needed, 2 of them ended; with fewer than 5 ended no median is given. They are "
        "listed below."
    )
    one = of_durations.answer(durations(make_study(projects=of_months(3)))).sentences
    assert one[:2] == [
        "1 project: 1 completed.",
        "1 project has the dates needed, 1 of them ended; with fewer than 5 ended no median is given. They are "
        "listed below.",
    ]


def test_a_median_not_reached_says_how_long_was_followed():
    going = [project(number, status="ongoing", observed_to="2022-12-31") for number in range(10, 20)]
    said = of_durations.answer(durations(make_study(projects=of_months(3, 3, 4, 4, 5) + going))).sentences
    assert said[1] == (
        "Less than half of the 15 dated projects had ended, so the median is not reached: it is 12.0 months or more, "
        "as long as the longest was followed (95% interval from 4.0 months to no upper limit)."
    )


def test_a_median_needs_projects_that_ended_not_only_projects():
    going = [project(number, status="ongoing", observed_to="2022-02-15") for number in range(2, 7)]
    said = of_durations.answer(durations(make_study(projects=of_months(12) + going))).sentences
    assert said[1] == (
        "6 projects have the dates needed, 1 of them ended; with fewer than 5 ended no median is given. They are "
        "listed below."
    )


def test_no_date_at_all_is_said():
    said = of_durations.answer(durations(make_study(projects=[{"project_id": "P", "status": "completed"}]))).sentences
    assert said[1] == "No project has the dates that a duration needs."


def test_abandoned_and_ongoing_projects_are_named_among_the_caveats():
    projects = [project(1, 3, status="abandoned"), project(2, status="ongoing")]
    said = " ".join(of_durations.caveats(durations(make_study(projects=projects))).sentences)
    assert "1 project was abandoned: the curve tells how long projects lasted, not how many reached their aim." in said
    assert "1 project is still open and counted up to the day last seen" in said


# --- how they ended --------------------------------------------------------------------------------


def test_how_projects_ended_in_words():
    assert of_outcomes.answer(outcomes(*FIVE)).sentences == [
        "By month 9 after they began, 60% (95% interval 13% to 88%) of projects had been completed and 40% (95% "
        "interval 5% to 75%) abandoned; none of 5 dated projects was followed further (the longest for 8.0 months).",
        "Half of all projects begun, those abandoned among them, had been completed by month 7.0 (95% interval 2.0 to "
        "no upper limit).",
        "The mean duration is 5.2 months (95% interval 2.2 to 8.2).",
        "The 3 completed projects alone have a median of 5.0 months, which leaves out 2 abandoned: it is not how long "
        "a project takes.",
    ]


def test_the_mean_of_open_projects_names_its_horizon():
    said = of_outcomes.answer(outcomes(*of_months(2, 4, 6, 8, 10), still_open(6, 12))).sentences
    assert said[1].startswith(
        "Over the first 12.0 months, as far as the curve is known, a project was open for 7.0 months on average (95% "
        "interval "
    )
    assert said[2] == (
        "The 5 completed projects alone have a median of 6.0 months, which leaves out 1 still open: it is not how long "
        "a project takes."
    )


def test_a_half_that_was_never_completed_is_said():
    result = outcomes(*ended((1, "completed"), *[(month, "abandoned") for month in (2, 3, 4, 5)]))
    assert of_outcomes.answer(result).sentences[1] == (
        "Half of all projects begun were not completed within 5.0 months, as long as any was followed."
    )


def test_where_none_was_completed_there_is_no_median_of_the_completed():
    said = of_outcomes.answer(outcomes(*ended(*[(month, "abandoned") for month in (1, 2, 3, 4, 5)]))).sentences
    assert not any("alone" in line for line in said)
    assert said[0].startswith("By month 6 after they began, 0% (95% interval 0% to 52%) of projects had been completed")


def test_where_none_was_abandoned_nothing_is_said_of_abandoning():
    result = outcomes(*of_months(2, 4, 6, 8, 10))
    assert not any("abandoned" in line for line in of_outcomes.answer(result).sentences)
    assert outcomes_tables.outcomes(result).shown.columns.tolist() == ["By month", "Completed", "Followed further"]
    assert outcomes_charts.completed_and_abandoned(result) is None


def test_that_all_were_completed_in_the_end_is_no_news():
    said = of_outcomes.answer(outcomes(*of_months(2, 4, 6, 8, 10))).sentences
    assert said[0].startswith("By month 9 after they began, 80% (95% interval ")
    assert said[0].endswith("of projects had been completed; 1 of 5 dated projects was followed further.")


def test_a_share_says_on_how_many_it_rests_however_far_it_is_told():
    said = of_outcomes.answer(outcomes(*FIVE, still_open(6, 3), still_open(7, 5))).sentences[0]
    assert said.endswith(
        "; none of 7 dated projects was followed further (the longest for 8.0 months), and 2 were still open when last "
        "seen."
    )
    said = of_outcomes.answer(outcomes(*FIVE, still_open(6, 9.5))).sentences[0]
    assert said.startswith("By month 9 after they began, ")
    assert said.endswith("; 1 of 6 dated projects was followed further.")


def test_the_interval_of_a_mean_of_few_projects_is_said_to_be_too_narrow():
    said = (
        "With 20 projects or fewer the 95% interval of the mean is somewhat too narrow, since durations are skew: of "
        "simulated collaboratives of 10 and 20 projects it held the true mean in 91%."
    )

    def caveats(*projects):
        result = durations(make_study(projects=list(projects)))
        return of_durations.caveats(result, project_outcomes(result)).sentences

    assert caveats(*of_months(*range(1, 21)))[-1] == said
    assert said not in caveats(*of_months(*range(1, 22)))
    assert said not in caveats(*of_months(6, 6, 6, 6, 6))  # no interval
    assert said not in caveats(*of_months(3, 4))  # no mean


def test_how_often_that_interval_holds_is_what_the_table_of_the_methods_says():
    table = (PROJECT / "docs" / "methods.md").read_text(encoding="utf-8")
    held = re.findall(r"^\| (?:10|20) projects \| mean \|.*?\| ([\d.]+)% \|", table, flags=re.MULTILINE)
    assert [round(float(share)) for share in held] == [round(100 * of_outcomes.HELD_BY_FEW)] * 2


def test_all_that_ended_at_once_have_a_mean_without_scatter():
    said = of_outcomes.answer(outcomes(*of_months(6, 6, 6, 6, 6))).sentences
    assert "The mean duration is 6.0 months (95% interval 6.0 to 6.0)." not in said
    assert "The mean duration is 6.0 months." in said


# --- when they began -------------------------------------------------------------------------------


def test_projects_begun_in_the_phase_in_words():
    found = begun(*["2023-02-01"] * 8, *["2023-06-01"] * 2)
    assert of_outcomes.begun(found).sentences == [
        "8 of 10 projects (80%, exact 95% interval 44% to 97%) began in the intensive phase, which took 25% of the "
        "time that facilities took part (1 Jan 2023 to 31 Dec 2023). That is 3.24 times what an even spread over that "
        "time would give (95% interval 1.80 to 3.95): projects began in it more often than at other times."
    ]


@pytest.mark.parametrize(
    ("inside", "outside", "said"),
    [
        (1, 3, "whether projects began in it more often than at other times cannot be told."),
        (0, 30, "projects began in it less often than at other times."),
    ],
)
def test_what_an_interval_allows_to_say_of_the_phase(inside, outside, said):
    found = begun(*["2023-02-01"] * inside, *["2023-06-01"] * outside)
    assert of_outcomes.begun(found).sentences[0].endswith(said)


def test_a_phase_that_was_all_the_time_is_not_set_beside_another(small):
    assert of_outcomes.begun(begun_in_intensive(small, durations(small))).sentences == [
        "4 of 4 projects began in the intensive phase, which covered all the time up to the data cut, so it cannot be "
        "set beside another."
    ]


def test_projects_in_neither_share_are_said():
    assert of_outcomes.begun(begun("2022-12-01", None, "2023-02-01")).sentences[1:] == [
        "Not counted here: 1 project that began before the facility had joined.",
        "Of 1 further project it is not known when they began.",
    ]


# --- groups ----------------------------------------------------------------------------------------


def said_of_groups(*groups, **given):
    study = grouped(*groups, **given)
    return of_groups.answer(duration_groups(study, durations(study))).sentences


def test_a_difference_is_said_with_medians_means_and_a_ratio():
    (said,) = said_of_groups(of("R1", SHORT * 2), of("H1", LONG * 2))
    assert re.fullmatch(
        r"By setting, the median is 4\.0 months for rural projects and 10\.0 months for urban projects\. They differ "
        r"in length by more than chance explains\. Over the first 24\.0 months, urban ones were open 6\.0 months "
        r"longer on average than rural ones "
        r"\(95% interval \+3\.\d to \+8\.\d months\)\. Set against rural ones, urban ones "
        r"take 2\.\d\d times as long \(95% interval 1\.\d\d to \d\.\d\d\)\.",
        said,
    )


def test_no_difference_is_not_called_none():
    (said,) = said_of_groups(of("R1", (2, 4, 6, 8, 10)), of("H1", (3, 5, 6, 8, 11)))
    assert "A difference in length cannot be told from chance." in said
    assert "times as long (95% interval " in said


def test_several_groupings_are_said_to_be_as_many_tests(demo):
    said = of_groups.answer(duration_groups(demo, durations(demo))).sentences
    assert said[0] == (
        "3 groupings tested for length and 2 for the share completed are 5 tests of the same projects: if nothing "
        "differed, the chance that at least one would still seem to, at 5% each, is up to 23%. What is said to differ "
        "allows for all of them."
    )


def test_one_test_needs_no_such_warning():
    assert not any("tests of the same" in line for line in said_of_groups(of("R1", SHORT), of("H1", LONG)))


@pytest.mark.parametrize(
    ("p_value", "adjusted", "said"),
    [
        (0.01, 0.04, "They differ in length by more than chance explains."),
        (0.03, 0.09, "They seem to differ in length, but not by more than so many tests bring about by chance."),
        (0.4, 0.6, "A difference in length cannot be told from chance."),
    ],
)
def test_what_is_said_to_differ_allows_for_all_tests(p_value, adjusted, said):
    assert of_groups._verdict(p_value, adjusted, "in length") == said


def test_groups_with_fewer_than_ten_ended_are_not_said_to_differ_for_certain():
    (said,) = said_of_groups(of("R1", (1, 1, 2, 2, 3)), of("H1", (9, 10, 11, 12, 13)))
    assert (
        "They seem to differ in length, but of a group fewer than 10 have ended, and so few seem to differ by chance "
        "more often than tests say."
    ) in said


def test_groups_below_five_are_named_with_their_counts(small):
    assert of_groups.answer(duration_groups(small, durations(small))).sentences == [
        "By setting, fewer than 5 have ended of the rural projects (2 of 3 ended) and urban projects (1 of 1 ended): "
        "they have no median and are not compared."
    ]


def test_too_few_ends_for_a_ratio_are_said_with_what_is_needed():
    said = said_of_groups(of("R1", SHORT), of("R2", LONG), of("H2", LONG))
    assert any(
        "No ratio of their times is given: 15 of these projects have ended, and 20 are needed." in x for x in said
    )


def test_times_too_much_alike_for_a_ratio_are_said():
    (said,) = said_of_groups(of("R1", [6] * 5), of("H1", [6] * 5))
    assert said.endswith("No ratio of their times is given: too many of them took the same time for one to be fitted.")


def test_hazards_that_are_not_proportional_are_said_beside_the_ratio():
    early, late = (1, 1, 1, 12, 13, 14, 15, 16) * 2, (5, 6, 6, 7, 7, 8, 8, 9) * 2
    said = " ".join(said_of_groups(of("R1", early), of("H1", late)))
    assert "(proportional hazards do not hold), so a single ratio does not tell all of a difference." in said


def test_projects_of_unknown_group_are_said():
    said = said_of_groups(of("R1", SHORT), of("H1", LONG), of(None, (3, 4)))
    assert said[-1] == "Of 2 projects the setting is not known."


def test_a_median_that_a_group_did_not_reach_is_said():
    going = [project(0, status="ongoing", facility_id="H1") for _ in range(20)]
    said = said_of_groups(of("R1", SHORT), of("H1", SHORT) + going)
    assert said[0].startswith(
        "By setting, the median is 4.0 months for rural projects and not reached for urban projects."
    )


def test_the_comparison_table_gives_each_test_with_and_without_the_others(demo):
    shown = groups_tables.comparisons(duration_groups(demo, durations(demo))).shown
    assert shown["Compared"].tolist() == [
        "Setting: length",
        "Setting: share completed",
        "Hub: length",
        "Hub: share completed",
        "Wave: length",  # wave 3 completed fewer than ten, so its share is not tested
    ]
    assert shown.iloc[0].tolist()[1:] == ["log-rank", "2", "1.08", "1", "0.30", "0.87"]
    assert shown.iloc[1].tolist()[1:] == ["Gray", "2", "0.02", "1", "0.88", "0.88"]


def test_every_cell_of_the_comparison_table_holds_one_number(demo):
    shown = groups_tables.comparisons(duration_groups(demo, durations(demo))).shown
    for column in shown.columns[2:]:
        assert shown[column].map(lambda cell: " " not in cell).all(), column


def test_the_table_of_groups_says_how_often_intervals_of_few_hold(demo):
    caption = groups_tables.groups(duration_groups(demo, durations(demo))).caption
    assert "(those of means of 20 projects or fewer hold in about 91%)" in caption
    study = grouped(of("R1", SHORT * 5), of("H1", LONG * 5))
    assert "fewer" not in groups_tables.groups(duration_groups(study, durations(study))).caption


def test_without_a_comparison_there_is_no_such_table(small):
    assert groups_tables.comparisons(duration_groups(small, durations(small))) is None


def test_ratios_name_the_group_that_others_are_set_against(demo):
    shown = groups_tables.ratios(duration_groups(demo, durations(demo))).shown
    assert shown["Compared"].tolist() == [
        "Setting: urban against rural",
        "Hub: Blue Unicorn Medical College against Amber Dragon Medical College",
        "Wave: wave 2 against wave 1",
        "Wave: wave 3 against wave 1",
    ]
    assert shown.iloc[0].tolist()[1:] == ["1.20 (0.86 to 1.68)", "Weibull", "0.71 (0.37 to 1.35)", "0.23"]


def test_a_ratio_that_could_not_be_given_is_a_dash_and_without_any_there_is_no_table(small):
    study = grouped(of("R1", [6] * 5), of("H1", [6] * 5))
    found = duration_groups(study, durations(study))
    assert found[0].time_ratio is None
    shown = groups_tables.ratios(found).shown
    assert shown.iloc[0].tolist()[1:3] == ["–", "–"]
    assert groups_tables.ratios(duration_groups(small, durations(small))) is None


def test_means_tell_up_to_which_month_they_are():
    study = grouped(of("R1", SHORT), of("H1", (12, 13, 14, 14, 14)))
    shown = groups_tables.groups(duration_groups(study, durations(study))).shown
    assert shown["Mean months"].iloc[1] == "13.4 (12.3 to 14.5)"
    assert shown["Mean up to month"].tolist() == ["24.0", "24.0"]


@pytest.mark.parametrize(("p", "said"), [(0.0002, "under 0.001"), (0.0321, "0.032"), (0.4567, "0.46"), (math.nan, "–")])
def test_a_chance_has_as_many_digits_as_matter(p, said):
    assert groups_tables.p_value(p) == said


# --- all of it -------------------------------------------------------------------------------------


def test_the_pilots_report_never_adds_up_visits_nor_counts_272_days(hub_spoke):
    said = " ".join(sentences(hub_spoke)) + " ".join(figure.alt for figure in figures(hub_spoke))
    assert not re.search(r"\b(42|38|272|8\.9)\b", said)
    (project_2,) = shown_tables(hub_spoke)["projects"].query("Id == '2'")["Months"]
    assert project_2 == "8.0"  # 243 days, by the rule of the other projects


def notebook_texts(name: str, params: str) -> list[str]:
    """Every text that a notebook shows with the parameters of a file: its own, sentences, captions, and table rows."""
    given = yaml.safe_load((PROJECT / "params" / f"{params}.yaml").read_text(encoding="utf-8"))
    given["data_cut"] = str(given["data_cut"])
    cells = nbformat.read(PROJECT / "notebooks" / f"{name}.ipynb", as_version=4)["cells"]
    shown = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    names: dict = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.display.display", shown.append)
        for cell in [cell for cell in cells if cell["cell_type"] == "code"]:
            *lines, last = ast.parse(cell["source"]).body
            if isinstance(last, ast.Expr):
                exec(compile(ast.Module(lines, []), name, "exec"), names)
                shown.append(eval(compile(ast.Expression(last.value), name, "eval"), names))
            else:
                exec(cell["source"], names)
            if "parameters" in cell["metadata"].get("tags", []):
                names |= given
    return [text for thing in shown if thing is not None for text in texts_of(thing)]


def texts_of(thing) -> list[str]:
    if isinstance(thing, str):
        return [thing]
    if isinstance(thing, Text):
        return list(thing.sentences)
    if isinstance(thing, Figure):
        return [thing.caption, thing.alt]
    if isinstance(thing, Table):
        return [thing.caption, *(" | ".join(row) for row in thing.shown.itertuples(index=False))]
    return [thing.text] if isinstance(thing, Heading) else [cell.text for cell in thing.cells]


@pytest.mark.parametrize("name", ["durations", "mentoring"])
def test_the_traps_of_the_pilots_paper_are_told_as_traps_or_not_at_all(name):
    texts = notebook_texts(name, "hub_spoke_india")
    with_42, with_272, with_38 = (
        [text for text in texts if re.search(rf"(?<![\d.,]){number}(?!%|[.,]?\d)", text)] for number in (42, 272, 38)
    )
    assert with_42 == []  # visits added up over projects, of which several have one facility
    if name == "durations":
        assert len(with_272) == 1
        assert with_38 == []
        assert "project 2: 272 days, counted to the last day, where the rule of the others gives 243." in with_272[0]
    else:
        assert with_272 == []
        assert with_38 == [
            "The groups went opposite ways: some clearly had more visits than planned, others clearly fewer. The sum "
            "of all, 38 of 32, describes none of them.",
            "The total over all groups, 38 of 32, hides the differences between the groups and should not be quoted "
            "alone.",
        ]


def test_a_median_of_five_months_needs_short_projects_where_the_pilot_has_no_dates(hub_spoke):
    known = durations(hub_spoke).projects["duration_months"].dropna()
    assert np.median(np.append(known, [5.0] * 3)) == pytest.approx(5.0, abs=0.05)
    assert np.median(np.append(known, [5.0, 5.0, 6.0])) > 5.01


def test_the_pilot_has_what_it_can_carry_and_no_more(hub_spoke):
    assert [figure.name for figure in figures(hub_spoke)] == ["share_of_projects_ended", "project_timelines"]
    assert list(shown_tables(hub_spoke)) == ["project_outcomes", "projects"]
    assert "The mean duration is 7.0 months (95% interval 4.3 to 9.7)." in sentences(hub_spoke)


def test_the_small_study_lists_its_projects_and_claims_nothing(small):
    assert [figure.name for figure in figures(small)] == ["project_timelines"]
    assert len(shown_tables(small)["projects"]) == 4
    assert not any(re.search(r"\bmean\b|median is \d|median duration", line) for line in sentences(small))


def test_the_demo_has_every_figure_and_table(demo):
    assert [figure.name for figure in figures(demo)] == [
        "share_of_projects_ended",
        "projects_completed_and_abandoned",
        "durations_by_group",
        "project_timelines",
    ]
    assert list(shown_tables(demo)) == [
        "project_outcomes",
        "durations_by_group",
        "duration_ratios",
        "duration_tests",
        "projects",
    ]


@pytest.mark.parametrize("name", ["demo", "small", "hub_spoke"])
def test_every_sentence_ends_and_none_holds_a_hole(name, request):
    study = request.getfixturevalue(name)
    for line in sentences(study) + [text for figure in figures(study) for text in (figure.alt, figure.caption)]:
        assert line.endswith("."), line
        assert "  " not in line, line
        assert not re.search(r"\b(nan|None|NaT|inf)\b", line), line
        assert not re.search(r"\bp\s*[=<>]|signific|effect of|caused", line), line
    for frame in shown_tables(study).values():
        assert not frame.map(lambda cell: bool(re.search(r"\b(nan|None|NaT|inf)\b|\d\.\d{4}", cell))).to_numpy().any()


@pytest.mark.parametrize(
    "projects",
    [
        of_months(0, 0, 0, 0, 0),
        of_months(6, 6, 6, 6, 6),
        [project(1, 4, status="abandoned")],
        [still_open(n, 0) for n in range(8)],
        [still_open(n, n) for n in range(8)],
        [*of_months(1, 2, 3, 4, 5), *[still_open(n, 20) for n in range(6, 40)]],
        ended(*[(month, "abandoned") for month in (1, 2, 3, 4, 5)]),
        [project(n, status="planned", started=None) for n in range(3)],
    ],
    ids=["no time", "all alike", "one", "begun today", "all open", "hardly any ended", "all abandoned", "all planned"],
)
def test_any_mixture_of_projects_makes_a_report_without_a_hole(projects):
    study = make_study(projects=projects, phases={"intensive": ["2022-01-01", "2022-06-30"]})
    for line in sentences(study) + [text for figure in figures(study) for text in (figure.alt, figure.caption)]:
        assert not re.search(r"\b(nan|None|NaT|inf)\b", line), line


def test_key_figures_are_plain_values(demo, small):
    found = report(demo)[-1].values
    assert found["median_months"] == pytest.approx(6.242, abs=0.001)
    assert found["mean_months"]["low"] < found["mean_months"]["estimate"] < found["mean_months"]["high"]
    assert found["begun_in_intensive"]["projects"] == 36
    assert found["half_completed_months"] > found["median_months"]
    none = report(small)[-1].values
    assert none["median_months"] is none["mean_months"] is none["half_completed_months"] is None


# --- figures ---------------------------------------------------------------------------------------


def test_two_hundred_projects_are_drawn_on_a_page_without_names():
    many = [project(n, 1 + n % 12, started=pd.Timestamp("2022-01-01") + pd.Timedelta(days=n)) for n in range(200)]
    figure = charts.timelines(durations(make_study(projects=many)))
    assert figure.caption.startswith("Every dated project in order of start, too many to name here (see the table)")
    height = float(re.search(r'height="([\d.]+)pt"', figure.svg).group(1)) / 72
    assert height < 9  # inches


def test_a_project_is_named_by_its_id_and_title_and_shortened():
    row = pd.Series({"project_id": "P1", "title": "Kept warm " * 10})
    assert of_durations.project_label(row) == "P1  Kept warm Kept warm Kept warm Kept warm Kept warm …"
    assert of_durations.project_label(pd.Series({"project_id": "9", "title": None})) == "Project 9"


def test_a_long_list_of_projects_opens_on_a_click(demo, small):
    assert tables.projects(durations(demo)).folded
    assert not tables.projects(durations(small)).folded


def test_the_curve_is_of_the_completed_where_none_was_abandoned(hub_spoke, demo):
    assert of_durations.share_ended_caption(durations(hub_spoke)).startswith("Share of projects completed, by months")
    assert of_durations.share_ended_caption(durations(demo)).startswith(
        "Share of projects ended, completed or abandoned, by months since they began"
    )


def test_groups_without_a_median_are_not_drawn(small):
    assert groups_tables.groups(duration_groups(small, durations(small))) is None
    assert groups_charts.medians(duration_groups(small, durations(small))) is None


def test_a_group_without_an_upper_limit_ends_in_an_arrow():
    study = grouped(of("R1", SHORT), of("H1", LONG))
    found = duration_groups(study, durations(study))
    assert groups_charts.medians(found) is not None
    assert of_groups.caption(found).endswith("An arrow: no upper limit.")
    short, long = found[0].table.itertuples()
    assert of_groups.with_limits(short) == "4.0 (2.0 to no limit)"
    assert of_groups.with_limits(long._replace(median=math.inf, low=math.inf)) == "not reached"


def test_the_stacked_shares_can_be_drawn_where_many_are_open_and_where_none_is():
    assert outcomes_charts.completed_and_abandoned(outcomes(*FIVE)) is not None
    assert (
        outcomes_charts.completed_and_abandoned(outcomes(*FIVE, *[still_open(n, 9) for n in range(6, 20)])) is not None
    )
