"""The simulator: what it draws is what it says is true, and the bundled examples are what it draws."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats

from qieval.errors import ParameterError
from qieval.study import simulate as simulator
from qieval.study.parameters import read_parameters
from qieval.study.schema import TABLES
from qieval.study.simulate import DEMO, EXAMPLES, SMALL, Design, Indicator, Mentoring, simulate, write_tables
from qieval.study.study import check_study

ROOT = Path(__file__).parents[2]
SHIPPED = Path(simulator.__file__).parents[1] / "examples"

WASHING = Indicator(indicator_id="washing", name="Hands washed", baseline=0.3, effect=1.5)


def shipped_study(name):
    return check_study(read_parameters(ROOT / "params" / f"{name}.yaml"), home=ROOT)


@pytest.fixture(scope="module")
def demo():
    return simulate(DEMO)


@pytest.fixture(scope="module")
def large():
    """Two hundred facilities of the demo's kind, all of which keep their gain."""
    return simulate(replace(DEMO, facilities=200, keeping_share=1.0, never_visited=0, seed=5))


# --- the tables ------------------------------------------------------------------------------------


def test_the_same_design_gives_the_same_tables(demo):
    again = simulate(DEMO)
    for name in TABLES:
        assert_frame_equal(demo.tables[name], again.tables[name])


def test_another_seed_gives_other_counts(demo):
    other = simulate(replace(DEMO, seed=DEMO.seed + 1))
    assert demo.tables["measurements"]["numerator"].sum() != other.tables["measurements"]["numerator"].sum()


def test_no_global_random_state_is_touched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002, the very state that must stay
    simulate(SMALL)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_drawing_more_projects_leaves_measurements_and_visits_as_they_are(demo):
    busier = simulate(replace(DEMO, projects=100))
    assert_frame_equal(demo.tables["measurements"], busier.tables["measurements"])
    assert_frame_equal(demo.tables["visits"], busier.tables["visits"])


def test_all_ten_tables_are_filled_and_have_the_columns_of_the_schema(demo):
    for name, table in TABLES.items():
        assert list(demo.tables[name].columns) == table.column_names
        assert len(demo.tables[name]) > 0


@pytest.mark.parametrize("name", ["demo", "small"])
def test_the_shipped_tables_pass_the_door_with_no_more_than_gaps_to_warn_of(name):
    study, problems = shipped_study(name)
    assert study is not None
    assert [problem.level for problem in problems] in ([], ["warning"])
    assert all("months are missing" in problem.what for problem in problems)


@pytest.mark.parametrize("name", ["demo", "small"])
def test_what_the_door_reads_is_what_was_simulated(name):
    study, _ = shipped_study(name)
    design, shipped = EXAMPLES[name]
    simulated = simulate(design).tables
    assert set(study.tables) == set(shipped)
    for table in shipped:
        assert_frame_equal(study[table], simulated[table])


def test_the_shipped_files_are_what_the_simulator_writes(tmp_path):
    simulator.write_examples(tmp_path)
    for name, (_, shipped) in EXAMPLES.items():
        assert {file.stem for file in (SHIPPED / name).glob("*.csv")} == set(shipped)
        for table in shipped:
            assert (tmp_path / name / f"{table}.csv").read_bytes() == (SHIPPED / name / f"{table}.csv").read_bytes()


@pytest.mark.parametrize("name", ["demo", "small"])
def test_the_parameters_fit_the_design_and_say_that_the_data_are_simulated(name):
    parameters = read_parameters(ROOT / "params" / f"{name}.yaml")
    design, _ = EXAMPLES[name]
    assert parameters.title.endswith("(simulated)")
    assert parameters.data_cut == design.data_cut
    assert parameters.phases == design.phases


def test_files_hold_iso_dates_whole_numbers_without_a_point_and_blanks_for_what_is_missing(tmp_path):
    costs = pd.DataFrame({"day": pd.to_datetime(["2021-03-01", None]), "n": [4.0, 2.5], "kind": [True, pd.NA]})
    write_tables({"costs": costs.astype({"kind": "boolean"})}, tmp_path / "new")
    assert (tmp_path / "new" / "costs.csv").read_bytes() == b"day,n,kind\n2021-03-01,4,yes\n,2.5,\n"


def test_a_collaborative_without_projects_or_mentors_has_those_tables_empty():
    tables = simulate(replace(DEMO, projects=0, mentoring=(), never_visited=0)).tables
    assert [name for name in TABLES if tables[name].empty] == ["projects", "visits", "visit_totals", "changes"]
    assert list(tables["visits"].columns) == TABLES["visits"].column_names


def test_one_facility_is_a_collaborative_too():
    alone = simulate(Design(indicators=(WASHING,), facilities=1, hubs=0, waves=1))
    assert alone.tables["facilities"]["role"].tolist() == ["participant"]


def test_an_impossible_design_is_refused_with_every_reason_at_once():
    with pytest.raises(ParameterError, match=r"2 things.*missing_share is 1.5.*last wave joins after 18 months"):
        _flat(lambda: replace(DEMO, months=18, missing_share=1.5))


def _flat(call):
    """Its error on one line, so that a pattern can span it."""
    try:
        call()
    except ParameterError as error:
        raise ParameterError(" ".join(str(error).split())) from None


# --- what the demo is made to show -----------------------------------------------------------------


def test_the_demo_has_24_facilities_in_3_waves_and_16_of_them_12_months_after_support(demo):
    facilities = demo.tables["facilities"]
    assert facilities["role"].value_counts().to_dict() == {"participant": 22, "hub": 2}
    assert facilities["wave"].value_counts().to_dict() == {1: 8, 2: 8, 3: 8}
    assert (facilities["support_ended_on"] <= pd.Timestamp("2022-12-31")).sum() == 16
    assert facilities["name"].is_unique


def test_months_not_reported_are_absent_and_never_zero(demo):
    measurements = demo.tables["measurements"]
    possible = 24 * 36
    reported = len(measurements.drop_duplicates(["facility_id", "period"]))
    low, high = stats.binom.interval(0.999, possible, DEMO.missing_share)
    assert low <= possible - reported <= high
    assert len(measurements) == reported * 4
    assert measurements[["numerator", "denominator"]].notna().all(axis=None)


def test_some_facilities_are_so_small_that_their_months_need_protection(demo):
    denominator = demo.tables["measurements"].groupby("facility_id")["denominator"].median()
    assert (denominator < 5).any()
    assert (denominator > 100).any()


def test_visits_are_planned_and_not_made_made_and_not_planned_and_planned_ahead(demo):
    visits = demo.tables["visits"]
    cut = pd.Timestamp(DEMO.data_cut)
    assert (visits["done_on"].isna() & (visits["planned_on"] <= cut)).any()
    assert (visits["planned_on"].isna() & visits["done_on"].notna()).any()
    assert (visits["planned_on"] > cut).any()
    assert visits.loc[visits["planned_on"] > cut, "done_on"].isna().all()


def test_two_facilities_have_visits_planned_and_none_made(demo):
    done = demo.tables["visits"].groupby("facility_id")["done_on"].count()
    assert len(done) == 24
    assert (done == 0).sum() == DEMO.never_visited == 2


def test_visit_totals_are_the_sums_of_the_visits_up_to_the_data_cut(demo):
    setting = demo.tables["facilities"].set_index("facility_id")["setting"]
    visits = demo.tables["visits"].assign(setting=lambda all_: all_["facility_id"].map(setting))
    for total in demo.tables["visit_totals"].to_dict("records"):
        mine = visits[(visits["mentor_type"] == total["mentor_type"]) & (visits["setting"] == total["setting"])]
        assert total["planned"] == mine["planned_on"].between(total["from"], total["to"]).sum()
        assert total["done"] == mine["done_on"].between(total["from"], total["to"]).sum()


def test_every_change_belongs_to_a_project_begun_and_was_tested_while_it_ran(demo):
    tables = demo.tables
    changes = tables["changes"].merge(tables["projects"], on="project_id", suffixes=("", "_of_project"))
    assert len(changes) == len(tables["changes"])
    assert (changes["facility_id"] == changes["facility_id_of_project"]).all()
    ended = changes["ended_on"].fillna(pd.Timestamp(DEMO.data_cut))
    assert changes["tested_on"].between(changes["started_on"], ended).all()


def test_projects_are_completed_abandoned_ongoing_and_planned(demo):
    projects = demo.tables["projects"].set_index("status")
    assert set(projects.index) == {"completed", "abandoned", "ongoing", "planned"}
    assert projects.loc[["ongoing", "planned"], "ended_on"].isna().all()
    assert projects.loc[["planned"], "started_on"].isna().all()


def test_project_titles_fit_a_chart_and_differ_within_a_facility(demo):
    projects = demo.tables["projects"]
    assert projects["title"].str.len().max() <= 50
    assert not projects.duplicated(["facility_id", "title"]).any()
    assert projects.groupby("indicator_id")["title"].nunique().tolist() == [4, 4, 4, 4]


def test_the_demo_has_17_events_and_its_learning_sessions_are_about_5_months_apart(demo):
    events = demo.tables["events"]
    assert events["kind"].value_counts().to_dict() == {
        "webinar": 6,
        "learning_session": 4,
        "sharing": 3,
        "training": 2,
        "product": 2,
    }
    sessions = events.loc[events["kind"] == "learning_session", "held_on"]
    assert sessions.iloc[0] < pd.Timestamp("2022-02-01")
    assert sessions.diff().dropna().dt.days.between(120, 180).all()


def test_costs_are_in_the_phases_of_the_parameters(demo):
    assert set(demo.tables["costs"]["phase"]) == set(shipped_study("demo")[0].parameters.phases)


def test_the_small_example_is_too_small():
    tables = shipped_study("small")[0].tables
    assert (len(tables["facilities"]), len(tables["indicators"]), len(tables["projects"])) == (3, 2, 4)
    assert tables["measurements"]["period"].nunique() == 7
    assert (tables["measurements"]["denominator"] < 5).mean() > 0.5
    assert tables["measurements"].loc[lambda all_: all_["period"] < "2024-03-01", "period"].nunique() == 2


# --- the truth is recovered ------------------------------------------------------------------------


def pooled(measurements, facilities, *, before):
    """Events per person eligible, by indicator, before joining or once the ramp is climbed; people, not facilities."""
    joined = measurements["facility_id"].map(facilities.set_index("facility_id")["joined_on"])
    climbed = joined + pd.DateOffset(months=DEMO.ramp_months - 1)
    mine = measurements[measurements["period"] < joined if before else measurements["period"] >= climbed]
    sums = mine.groupby("indicator_id")[["numerator", "denominator"]].sum()
    return sums["numerator"] / sums["denominator"]


def mean_level(baseline, effect, sd):
    """Mean over facilities of a logit-normal level, by numerical integration."""
    node, weight = np.polynomial.hermite_e.hermegauss(40)
    logit = np.log(baseline / (1 - baseline)) + effect + sd * node
    return np.sum(weight / (1 + np.exp(-logit))) / np.sum(weight)


@pytest.mark.parametrize("indicator", DEMO.indicators[:3], ids=lambda one: one.indicator_id)
def test_the_gain_of_a_large_collaborative_is_the_effect_of_the_design(large, indicator):
    measurements, facilities = large.tables["measurements"], large.tables["facilities"]
    gain = pooled(measurements, facilities, before=False) - pooled(measurements, facilities, before=True)
    expected = mean_level(indicator.baseline, indicator.effect, 0.5) - mean_level(indicator.baseline, 0.0, 0.5)
    assert abs(expected) > 0.2
    assert gain[indicator.indicator_id] == pytest.approx(expected, abs=0.02)


def test_the_truth_holds_each_facilitys_own_effect_an_odds_ratio_apart(large):
    effects = large.truth.effects.query("indicator_id == 'skin_to_skin'")
    odds = effects[["baseline", "reached"]] / (1 - effects[["baseline", "reached"]])
    assert np.log(odds["reached"] / odds["baseline"]).to_numpy() == pytest.approx(1.8)
    assert (effects["effect"] == effects["reached"] - effects["baseline"]).all()
    assert effects["baseline"].std() > 0.05


def test_newborn_deaths_do_not_change_for_nothing_was_done_to_them(large, demo):
    for simulated in (large, demo):
        deaths = simulated.tables["measurements"].query("indicator_id == 'newborn_deaths'")
        joined = deaths["facility_id"].map(simulated.tables["facilities"].set_index("facility_id")["joined_on"])
        sums = deaths.groupby(deaths["period"] >= joined)[["numerator", "denominator"]].sum()
        births_after = sums.loc[True, "denominator"] / sums["denominator"].sum()
        # Were the rates equal, deaths would fall after joining in the proportion of the births.
        found = stats.binomtest(int(sums.loc[True, "numerator"]), int(sums["numerator"].sum()), births_after)
        assert found.pvalue > 0.01
        assert (simulated.truth.effects.query("indicator_id == 'newborn_deaths'")["effect"] == 0).all()


def test_counts_scatter_about_their_own_true_level_as_binomial_counts_do(large):
    counts = large.tables["measurements"].merge(large.truth.levels, on=["facility_id", "indicator_id", "period"])
    counts = counts.query("indicator_id == 'early_breastfeeding' and denominator > 0")
    variance = counts["denominator"] * counts["level"] * (1 - counts["level"])
    squared = (counts["numerator"] - counts["denominator"] * counts["level"]) ** 2 / variance
    assert squared.mean() == pytest.approx(1.0, abs=0.06)  # about 6,900 facility-months


def test_the_level_climbs_in_three_months_holds_while_supported_and_then_loses_the_same_share_each_month():
    design = Design(
        indicators=(WASHING,), facilities=1, hubs=0, waves=1, months=24, keeping_share=0.0, decay_per_month=0.1
    )
    truth = simulate(design).truth
    gain = (truth.levels["level"] - truth.levels["untreated"]).to_numpy() / truth.effects["effect"].to_numpy()
    after = [np.exp(-0.1), np.exp(-0.2), np.exp(-0.3)]
    assert gain == pytest.approx([0] * 12 + [1 / 3, 2 / 3] + [1] * 7 + after)
    assert truth.effects["kept_share"].tolist() == pytest.approx([np.exp(-0.3)])


def test_the_loss_after_support_is_recovered_from_the_counts():
    simulated = simulate(replace(DEMO, facilities=200, keeping_share=0.0, seed=6))
    measurements = simulated.tables["measurements"].query("indicator_id == 'skin_to_skin'")
    facilities = simulated.tables["facilities"]
    before = pooled(measurements, facilities, before=True)["skin_to_skin"]
    ended = measurements["facility_id"].map(facilities.set_index("facility_id")["support_ended_on"])
    months = (measurements["period"].dt.to_period("M") - ended.dt.to_period("M")).map(lambda gap: gap.n)
    sums = measurements.groupby(months)[["numerator", "denominator"]].sum().loc[1:9]  # months all waves are seen
    gain = sums["numerator"] / sums["denominator"] - before
    slope, _ = np.polyfit(gain.index, np.log(gain), 1)
    assert -slope == pytest.approx(DEMO.decay_per_month, abs=0.02)


def test_the_share_of_facilities_that_keep_their_gain_is_exact(demo):
    by_facility = demo.truth.effects.drop_duplicates("facility_id")
    assert by_facility["keeps"].sum() == 12
    assert (by_facility.loc[by_facility["keeps"], "kept_share"] == 1).all()
    assert (by_facility.loc[~by_facility["keeps"], "kept_share"] < 0.5).all()


def test_comparison_facilities_follow_the_trend_and_nothing_else():
    drifting = replace(WASHING, trend_per_year=0.2)
    simulated = simulate(Design(indicators=(drifting,), facilities=4, hubs=0, comparison_facilities=3))
    compared = simulated.tables["facilities"].query("role == 'comparison'")
    assert len(compared) == 3
    assert compared[["wave", "joined_on", "support_ended_on"]].isna().all(axis=None)
    levels = simulated.truth.levels[simulated.truth.levels["facility_id"].isin(compared["facility_id"])]
    assert (levels["level"] == levels["untreated"]).all()
    logit = np.log(levels["level"] / (1 - levels["level"])).to_numpy().reshape(3, 36)
    assert logit[:, 24] - logit[:, 0] == pytest.approx([0.4] * 3)


@pytest.mark.parametrize("plan", DEMO.mentoring, ids=lambda one: f"{one.mentor_type}-{one.setting}")
def test_visits_done_per_visit_planned_agree_with_the_true_coverage(large, plan):
    totals = large.tables["visit_totals"].set_index(["mentor_type", "setting"]).loc[(plan.mentor_type, plan.setting)]
    planned, done = totals["planned"], totals["done"]
    low, high = stats.chi2.ppf(0.0005, 2 * done) / 2, stats.chi2.ppf(0.9995, 2 * done + 2) / 2  # Garwood, 99.9%
    assert low / planned <= plan.coverage <= high / planned
    truth = large.truth.coverage.set_index(["mentor_type", "setting"]).loc[(plan.mentor_type, plan.setting)]
    assert truth["planned"] == planned
    assert truth["coverage"] == pytest.approx(plan.coverage)


def test_facilities_never_visited_lower_the_true_coverage():
    plan = Mentoring(mentor_type="network", setting="rural", every_months=1, coverage=0.8)
    design = Design(indicators=(WASHING,), facilities=4, hubs=0, rural_share=1.0, mentoring=(plan,), never_visited=1)
    truth = simulate(design).truth.coverage.loc[0]
    assert truth["planned"] == 4 * 9
    assert truth["coverage"] == pytest.approx(0.8 * 3 / 4)


@pytest.fixture(scope="module")
def many_projects():
    """Four thousand projects, all begun so long before the data cut that all are over."""
    return simulate(replace(DEMO, projects=4000, months=72, late_start_share=0.0))


def test_the_share_abandoned_and_the_median_duration_agree_with_the_truth(many_projects):
    projects, truth = many_projects.tables["projects"], many_projects.truth
    assert set(projects["status"]) == {"completed", "abandoned"}
    low, high = stats.binom.interval(0.999, 4000, DEMO.abandonment_probability)
    assert truth.abandoned_share == DEMO.abandonment_probability
    assert low <= (projects["status"] == "abandoned").sum() <= high
    months = (projects["ended_on"] - projects["started_on"]).dt.days / (365.25 / 12)
    weibull = stats.weibull_min(DEMO.duration_shape, scale=DEMO.duration_scale_months)
    assert (truth.median_duration_months, truth.mean_duration_months) == pytest.approx(
        (weibull.median(), weibull.mean())
    )
    assert months.median() == pytest.approx(weibull.median(), abs=0.3)
    assert months.mean() == pytest.approx(weibull.mean(), abs=0.3)


def test_a_project_is_abandoned_as_early_or_late_as_it_would_have_been_completed(many_projects):
    projects = many_projects.tables["projects"]
    days = (projects["ended_on"] - projects["started_on"]).dt.days
    abandoned = projects["status"] == "abandoned"
    assert stats.ks_2samp(days[abandoned], days[~abandoned]).pvalue > 0.01
