"""Staggered difference-in-differences: by hand, against other programs, and on data with a known effect."""

import math

import numpy as np
import pandas as pd
import pytest

from qieval.errors import DataError, ParameterError
from qieval.methods import did
from tests.methods.conftest import SHIPPED

EXPECTED = pd.read_csv(SHIPPED / "methods" / "did_panel_expected.csv")


def panel(paths: dict[str, tuple[float | None, list[float]]]) -> pd.DataFrame:
    """One row per facility and period, from each facility's time of joining and its outcomes from period 1 on."""
    return pd.concat(
        pd.DataFrame({"facility": name, "period": range(1, len(path) + 1), "value": path, "joined": joined})
        for name, (joined, path) in paths.items()
    ).astype({"joined": float, "value": float})


def fit(frame: pd.DataFrame, **options: object) -> did.StaggeredDifferences:
    names = {"unit": "facility", "period": "period", "outcome": "value", "joined": "joined"}
    return did.fit(frame, **{"draws": 500} | names | options)


def collaborative(
    rng: np.random.Generator, *, waves: tuple[int, ...] = (8, 8, 8), never: int = 8, months: int = 36, gain: float = 0.0
) -> pd.DataFrame:
    """Facilities with levels of their own, a common trend, autocorrelated noise, and so much gained from joining on."""
    size = sum(waves) + never
    joined = np.repeat([months // 4 * (w + 1) for w in range(len(waves))] + [months], [*waves, never])
    noise = rng.normal(0, 1, (size, months))
    for month in range(1, months):
        noise[:, month] += 0.5 * noise[:, month - 1]
    month = np.arange(months)
    value = rng.normal(50, 5, (size, 1)) + 0.2 * month + noise + gain * (month >= joined[:, None])
    dates = pd.date_range("2022-01-01", periods=months + 1, freq="MS")
    return pd.DataFrame(
        {
            "facility": np.repeat([f"F{i:02}" for i in range(size)], months),
            "period": np.tile(dates[:-1], size),
            "value": value.ravel(),
            "joined": np.repeat(dates[joined].where(joined < months, pd.NaT), months),
        }
    )


# Two joined in period 3 and gained 4 and 6; two never did. Everybody moves by 1 a period.
FOUR = {"A": (3, [1, 2, 7, 8]), "B": (3, [5, 6, 13, 14]), "C": (None, [2, 3, 4, 5]), "D": (None, [9, 10, 11, 14])}


# --- by hand ---------------------------------------------------------------------------------------


def test_the_change_since_before_joining_is_set_against_that_of_the_others():
    found = fit(panel(FOUR)).att.set_index("period")
    assert found.index.tolist() == [2, 3, 4]
    # Period 4 against period 2: A and B rose by 6 and 8, C and D by 2 and 4.
    assert found["estimate"].tolist() == [0, 5, 4]
    assert found.loc[4, ["n_treated", "n_control"]].tolist() == [2, 2]


def test_the_error_is_that_of_two_means_whose_variances_differ():
    row = fit(panel(FOUR)).att.set_index("period").loc[4]
    assert row["standard_error"] == pytest.approx(math.sqrt(2 / 2 + 2 / 2))  # both variances are 2, of 2 each
    # Welch's t with 2 degrees of freedom.
    assert row["high"] - row["estimate"] == pytest.approx(4.302653 * math.sqrt(2), rel=1e-6)


def test_the_article_divides_by_n_and_uses_the_normal_distribution():
    row = fit(panel(FOUR), small_sample=False).att.set_index("period").loc[4]
    assert row["standard_error"] == pytest.approx(math.sqrt(1 / 2 + 1 / 2))
    assert row["high"] - row["estimate"] == pytest.approx(1.959964, rel=1e-6)


def test_a_varying_base_shows_single_steps_before_joining_and_a_universal_one_the_distance_to_the_last_period():
    paths = {name: (5 if joined else None, [0, 0, *path]) for name, (joined, path) in FOUR.items()}
    varying = fit(panel(paths)).event_study.set_index("since_joining")["estimate"]
    universal = fit(panel(paths), base="universal").event_study.set_index("since_joining")["estimate"]
    # Periods 1 to 6, joined in 5. A and B from period 2 to 3: 1 and 5; C and D: 2 and 9.
    assert varying.to_dict() == {-3: 0, -2: -2.5, -1: 0, 0: 5, 1: 4}
    assert universal.to_dict() == {-4: 2.5, -3: 2.5, -2: 0, -1: 0, 0: 5, 1: 4}


def test_the_summaries_weigh_waves_times_and_periods_each_in_their_own_way():
    late = {"E": (4, [0, 1, 2, 13]), "F": (4, [0, 1, 2, 15]), "G": (4, [0, 1, 2, 14])}
    found = fit(panel(FOUR | late))
    att = found.att.set_index(["group", "period"])["estimate"]
    # Wave 3 (two facilities): 5, then 4. Wave 4 (three): 12 less the 2 of C and D, whose last step is 1 and 3.
    assert (att[3, 3], att[3, 4], att[4, 4]) == (5, 4, 10)
    overall = found.overall.set_index("summary")["estimate"]
    assert overall["simple"] == pytest.approx((2 * 5 + 2 * 4 + 3 * 10) / 7)
    assert overall["group"] == pytest.approx((2 * 4.5 + 3 * 10) / 5)
    assert overall["dynamic"] == pytest.approx(((2 * 5 + 3 * 10) / 5 + 4) / 2)
    assert overall["calendar"] == pytest.approx((5 + (2 * 4 + 3 * 10) / 5) / 2)


def test_those_that_join_later_serve_as_comparison_only_until_they_join():
    paths = {name: (joined or 4, path) for name, (joined, path) in FOUR.items()}
    found = fit(panel(paths), control="not_yet")
    assert found.att[["group", "period"]].to_numpy().tolist() == [[3, 2], [3, 3], [4, 2]]
    assert found.not_estimated.to_numpy().tolist() == [[3, 4], [4, 3], [4, 4]]
    assert found.n_never == 0


def test_with_anticipation_the_comparison_starts_earlier_and_those_about_to_join_are_not_compared_with():
    paths = {name: (joined or 4, path) for name, (joined, path) in FOUR.items()}
    found = fit(
        panel(paths | {"G": (None, [1, 1, 1, 1]), "H": (None, [1, 1, 1, 2])}), control="not_yet", anticipation=1
    )
    row = found.att.set_index(["group", "period"]).loc[(3, 3)]
    assert row["n_control"] == 2  # C and D join in 4, too soon after 3
    assert row["estimate"] == 7  # since period 1: 6 and 8; G and H stayed


def test_dates_count_in_months_and_come_back_as_dates():
    frame = panel(FOUR)
    months = pd.Series(pd.date_range("2023-11-01", periods=4, freq="MS"), index=range(1, 5))
    frame = frame.assign(period=frame["period"].map(months), joined=frame["joined"].map(months) + pd.Timedelta(days=9))
    found = fit(frame)
    assert found.att["group"].unique().tolist() == [pd.Timestamp("2024-01-01")]
    assert found.att["period"].tolist() == list(pd.date_range("2023-12-01", periods=3, freq="MS"))
    assert found.event_study["since_joining"].tolist() == [-1, 0, 1]


def test_facilities_that_share_a_cluster_count_as_one():
    # Each facility twice, under one hub: nothing was learnt, so the error stays what it was.
    twice = pd.concat([panel(FOUR), panel(FOUR).assign(facility=lambda own: own["facility"] + "2")])
    twice = twice.assign(hub=twice["facility"].str[0])
    once = fit(panel(FOUR)).att
    pd.testing.assert_frame_equal(fit(twice, cluster="hub").att[once.columns[:6]], once[once.columns[:6]])
    assert (fit(twice).att["standard_error"] < once["standard_error"])[1:].all()


def test_hubs_with_facilities_inside_and_outside_bring_degrees_of_freedom_by_hub():
    hubs = {"A": "north", "B": "south", "C": "south", "D": "north"}
    frame = panel(FOUR)
    row = fit(frame.assign(hub=frame["facility"].map(hubs)), cluster="hub").att.set_index("period").loc[4]
    # North: A falls 1 short of the mean of its wave and D exceeds its own by 1; south the other way round.
    assert row["standard_error"] == pytest.approx(2)
    assert row["high"] - row["estimate"] == pytest.approx(12.706205 * 2)  # t with one degree of freedom


def test_the_frame_is_not_changed_and_its_order_does_not_matter():
    frame = panel(FOUR)
    kept = frame.copy()
    one, other = fit(frame), fit(frame.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(frame, kept)
    pd.testing.assert_frame_equal(one.event_study, other.event_study)


# --- against other programs ------------------------------------------------------------------------


def estimates(found: did.StaggeredDifferences) -> pd.DataFrame:
    """Estimate and standard error of all quantities, under the names of the reference files."""
    att = found.att.assign(
        quantity=[f"att_{g:.0f}_{t:.0f}" for g, t in zip(found.att["group"], found.att["period"], strict=True)]
    )
    event = found.event_study.assign(quantity=[f"event_{e:.0f}" for e in found.event_study["since_joining"]])
    tables = [att, event, found.overall.rename(columns={"summary": "quantity"})]
    return pd.concat(tables).set_index("quantity")[["estimate", "standard_error"]]


@pytest.mark.parametrize(
    ("control", "base", "anticipation"), EXPECTED.iloc[:, :3].drop_duplicates().to_numpy().tolist()
)
def test_estimates_and_large_sample_errors_are_those_of_diff_diff_and_csdid(control, base, anticipation):
    settings = {"control": control, "base": base, "anticipation": anticipation}
    expected = EXPECTED.loc[(EXPECTED[list(settings)] == pd.Series(settings)).all(axis=1)].set_index("quantity")
    frame = pd.read_csv(SHIPPED / "methods" / "did_panel.csv").replace({"joined": {0: np.nan}})
    found = estimates(fit(frame, period="month", small_sample=False, **settings))
    assert set(expected.index) <= set(found.index)
    found = found.loc[expected.index]
    assert found["estimate"].to_numpy() == pytest.approx(expected["estimate"].to_numpy(), abs=1e-9)
    pd.testing.assert_series_equal(found["standard_error"], expected["standard_error"], atol=1e-9)


def test_county_employment_is_that_of_the_article(reference):
    folder = reference / "reference" / "methods"
    frame = pd.read_csv(folder / "data" / "mpdta.csv").replace({"first.treat": {0: np.nan}})
    expected = pd.read_csv(folder / "expected" / "c17_did_mpdta.csv", index_col="quantity")["value"].astype(float)
    names = {"unit": "countyreal", "period": "year", "outcome": "lemp", "joined": "first.treat"}
    found = did.fit(frame, **names, small_sample=False)
    for row in found.att.itertuples():
        cell = f"[{row.group:.0f}_{row.period:.0f}]"
        assert (row.estimate, row.standard_error) == pytest.approx(
            (expected["att" + cell], expected["se" + cell]), abs=1e-8
        )
    for row in found.event_study.itertuples():
        pair = expected[f"event{row.since_joining:.0f}_est"], expected[f"event{row.since_joining:.0f}_se"]
        assert (row.estimate, row.standard_error) == pytest.approx(pair, abs=1e-8)
    overall = found.overall.set_index("summary")
    for name, column in {"simple": "simple", "dynamic": "dynamic_overall"}.items():
        pair = expected[f"{column}_est"], expected[f"{column}_se"]
        assert tuple(overall.loc[name, ["estimate", "standard_error"]]) == pytest.approx(pair, abs=1e-8)
    # Many counties: small-sample limits differ little from those of the article.
    usual = did.fit(frame, **names).overall
    assert usual["low"].to_numpy() == pytest.approx(found.overall["low"].to_numpy(), abs=0.003)


# --- intervals -------------------------------------------------------------------------------------


def test_a_known_gain_is_found_within_its_interval():
    found = fit(collaborative(np.random.default_rng(3), gain=5.0))
    overall = found.overall.set_index("summary")
    assert (overall["estimate"] - 5).abs().max() < 1
    assert ((overall["low"] < 5) & (overall["high"] > 5)).all()
    after = found.event_study["since_joining"] >= 0
    assert (found.event_study["band_low"][after] < 5).all()
    assert (found.event_study["band_high"][after] > 5).all()
    assert found.pre_test.p_value > 0.05


def test_where_nothing_happened_intervals_and_bands_hold_as_often_as_they_say():
    # 40 studies of 12 facilities: what holds in 95% of studies holds in at least 32 of 40 all but always.
    held = []
    for seed in range(40):
        frame = collaborative(np.random.default_rng(seed), waves=(4, 4), never=4, months=9)
        found = fit(frame)
        simple, study = found.overall.iloc[0], found.event_study
        held.append(
            {
                "interval": simple["low"] <= 0 <= simple["high"],
                "band": ((study["band_low"] <= 0) & (study["band_high"] >= 0)).all(),
                "test": found.pre_test.p_value > 0.05,
            }
        )
    assert (pd.DataFrame(held).sum() >= 32).all()


def test_bands_are_wider_than_intervals_and_the_same_for_the_same_seed():
    frame = collaborative(np.random.default_rng(4), months=12)
    one, same, other = fit(frame).event_study, fit(frame).event_study, fit(frame, seed=2).event_study
    assert (one["band_high"] > one["high"]).all()
    pd.testing.assert_frame_equal(one, same)
    assert not one["band_high"].equals(other["band_high"])


def test_the_pre_test_finds_the_month_in_which_a_wave_moved_before_it_joined():
    frame = collaborative(np.random.default_rng(5), waves=(8,), never=8, months=12)  # joins in April 2022
    early = frame["joined"].notna() & (frame["period"] >= "2022-02-01")
    found = fit(frame.assign(value=frame["value"] + 20 * early)).pre_test
    assert (found.since_joining, found.n_estimates) == (-2, 2)
    assert found.estimate == pytest.approx(20, abs=2)
    assert found.p_value < 0.01


def test_the_pre_test_leaves_out_the_time_in_which_change_was_anticipated():
    frame = collaborative(np.random.default_rng(5), waves=(8,), never=8, months=12)
    assert fit(frame, anticipation=1).pre_test.n_estimates == 1


def test_a_single_period_before_joining_leaves_nothing_to_test():
    found = fit(panel({name: (joined and 2, path) for name, (joined, path) in FOUR.items()})).pre_test
    assert math.isnan(found.p_value)
    assert found.n_estimates == 0


def test_outcomes_that_never_vary_have_no_error_and_no_interval():
    found = fit(panel({name: (joined, [3, 3, 3, 3]) for name, (joined, _) in FOUR.items()}))
    assert (found.att["estimate"] == 0).all()
    assert found.att[["standard_error", "low", "high"]].isna().all(axis=None)
    assert found.event_study["band_low"].isna().all()


def test_the_base_of_a_universal_base_is_zero_without_an_interval():
    base = fit(panel(FOUR), base="universal").event_study.set_index("since_joining").loc[-1]
    assert base["estimate"] == 0
    assert base[["standard_error", "low", "band_low"]].isna().all()


# --- who is left out, and what is refused ----------------------------------------------------------


def test_those_left_out_are_listed_with_the_reason():
    more = {"E": (1, [1, 2, 3, 4]), "F": (4, [1, 2, 3, 4]), "G": (None, [1, 2, np.nan, 4])}
    found = fit(panel(FOUR | more), incomplete="leave_out")
    assert found.left_out.set_index("unit")["reason"].to_dict() == {
        "E": "joined before there was anything to compare",
        "F": "nobody else joined at the same time",
        "G": "lacks the outcome in some periods",
    }
    assert (found.n_joined, found.n_never) == (2, 2)


def test_those_that_joined_after_the_last_period_count_as_never_joined():
    found = fit(panel(FOUR | {"E": (9, [1, 2, 3, 4])}))
    assert (found.n_never, len(found.left_out)) == (3, 0)


@pytest.mark.parametrize("gap", [FOUR["A"][1][:3], [1, 2, np.nan, 8]], ids=["row absent", "outcome absent"])
def test_incomplete_units_are_refused_with_the_way_to_go_on(gap):
    with pytest.raises(DataError, match=r"^1 of 4 units lack .* 4 periods \(A\)\. Choose .* incomplete='leave_out'"):
        fit(panel(FOUR | {"A": (3, gap)}))


def test_without_any_that_never_joined_the_message_names_the_other_comparison():
    paths = {name: (joined or 4, path) for name, (joined, path) in FOUR.items()}
    with pytest.raises(DataError, match=r"^no two units that never joined are left .* control='not_yet'"):
        fit(panel(paths))


def test_one_that_never_joined_is_not_a_comparison():
    with pytest.raises(DataError, match=r"^no two units that never joined are left to compare with"):
        fit(panel({name: FOUR[name] for name in "ABC"}))


def test_all_in_one_wave_leave_nothing_to_compare():
    with pytest.raises(DataError, match=r"^no period after joining has a comparison: every unit had joined by then"):
        fit(panel({name: (3, path) for name, (_, path) in FOUR.items()}), control="not_yet")


@pytest.mark.parametrize("when", [1, None, 9], ids=["first period", "never", "after the last"])
def test_no_wave_with_a_period_before_it_is_refused(when):
    with pytest.raises(DataError, match=r"^no wave of two or more units has a period before it joined; . of 4 units"):
        fit(panel({name: (joined and when, path) for name, (joined, path) in FOUR.items()}))


def test_a_unit_joins_once_and_has_one_row_a_period():
    frame = panel(FOUR)
    with pytest.raises(DataError, match=r"^A: more than one row in a period\. Keep one row per unit and period\.$"):
        fit(pd.concat([frame, frame.iloc[:1]]))
    with pytest.raises(DataError, match=r"^A: more than one time of joining, or more than one cluster"):
        fit(frame.assign(joined=frame["joined"].mask((frame["facility"] == "A") & (frame["period"] == 1), 2)))


def test_text_and_mixed_kinds_of_time_are_refused():
    frame = panel(FOUR)
    with pytest.raises(DataError, match=r"^period holds neither dates nor numbers: read it as dates"):
        fit(frame.assign(period="January"))
    with pytest.raises(DataError, match=r"differ in kind: give dates for both, or numbers for both$"):
        fit(frame.assign(period=pd.Timestamp("2024-01-01")))


def test_rows_without_a_unit_are_refused():
    frame = panel(FOUR)
    with pytest.raises(DataError, match=r"^1 of 16 rows lack a unit, a period or a cluster: complete or drop them$"):
        fit(frame.assign(facility=frame["facility"].where(np.arange(16) > 0)))


def test_all_mistaken_settings_are_named_at_once():
    with pytest.raises(ParameterError) as error:
        fit(panel(FOUR), control="always", base="first", outcome="births", level=95, anticipation=-1)
    assert str(error.value).splitlines() == [
        "difference-in-differences: 5 things need attention",
        "  - outcome names the column 'births', which the frame lacks",
        "  - control is 'always': give 'never' or 'not_yet'",
        "  - base is 'first': give 'varying' or 'universal'",
        "  - anticipation is -1: give 0 or more",
        "  - level is 95: give a proportion between 0 and 1, for example 0.95",
    ]


def test_a_window_adds_the_times_that_all_waves_share():
    """The early wave is seen for 0 to 3, the late one for 0 and 1."""
    frame = panel(
        {
            "a": (3, [1, 1, 4, 5, 6, 7]),
            "b": (3, [2, 2, 5, 6, 8, 8]),
            "c": (5, [1, 1, 1, 1, 9, 9]),
            "d": (5, [2, 2, 2, 2, 9, 11]),
            "e": (None, [1, 1, 1, 1, 1, 1]),
            "f": (None, [2, 2, 2, 2, 2, 2]),
        }
    )
    found = fit(frame, window=(0, 10))
    assert found.common == (0, 1)
    event = found.event_study.set_index("since_joining")["estimate"]
    overall = found.overall.set_index("summary")["estimate"]
    assert overall["common"] == pytest.approx((event[0] + event[1]) / 2)
    assert fit(frame, window=(1, 1)).common == (1,)
    without = fit(frame)
    assert without.common == ()
    assert "common" not in set(without.overall["summary"])
    assert "common" not in set(fit(frame, window=(2, 9)).overall["summary"])
