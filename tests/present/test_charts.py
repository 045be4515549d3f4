"""Figures: every edge can be drawn without a warning, labels keep apart, and the same data give the same file."""

import itertools
import warnings

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from qieval.analyses.durations import durations
from qieval.analyses.effectiveness import effectiveness
from qieval.analyses.mentoring import mentoring
from qieval.analyses.sustainment import sustainment
from qieval.present.charts import durations as durations_charts
from qieval.present.charts import effectiveness as effectiveness_charts
from qieval.present.charts import mentoring as mentoring_charts
from qieval.present.charts import sustainment as sustainment_charts
from qieval.present.charts.axes import month_ticks
from qieval.present.display import Figure
from qieval.present.theme import BOXES, drawing, finished, spread
from tests.analyses.conftest import make_study
from tests.analyses.test_durations import of_months
from tests.analyses.test_effectiveness import BEFORE, HIGHER, study_of


def both(study) -> list[Figure]:
    """The two figures of the only indicator."""
    result = effectiveness(study)
    (found,) = result.indicators
    return [
        effectiveness_charts.pooled_run_chart(found, result),
        effectiveness_charts.facility_run_charts(found),
    ]


def assert_whole(figure: Figure) -> None:
    assert figure.svg.lstrip().startswith("<?xml")
    assert figure.svg.rstrip().endswith("</svg>")
    assert figure.png.startswith(b"\x89PNG")
    assert len(figure.alt) > 30
    assert figure.caption.endswith(".")


# --- labels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("positions", [[0.5, 0.52, 0.9], [0.0, 0.0, 0.0], [3, 1, 1.2, 5], [0.3], []])
def test_labels_are_moved_apart_to_the_gap_and_keep_their_order(positions):
    moved = spread(positions, 0.1)
    by_height = sorted(range(len(positions)), key=lambda place: positions[place])
    gaps = [moved[b] - moved[a] for a, b in itertools.pairwise(by_height)]
    assert all(gap >= 0.1 - 1e-12 for gap in gaps)


def test_a_label_with_room_stays_where_it_is():
    assert spread([0.1, 0.5, 0.52], 0.1) == pytest.approx([0.1, 0.46, 0.56])


@pytest.mark.parametrize("months", [1, 2, 5, 13, 24, 36, 60, 120, 240])
def test_an_axis_of_months_is_labelled_but_not_crowded(months):
    span = pd.date_range("2021-02-01", periods=months, freq="MS")
    ticks = month_ticks(span[0], span[-1])
    assert 1 <= len(ticks) <= 21
    assert ticks.isin(span).all()


# --- every edge can be drawn -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [[50], [0, 0, 0], [100] * 5, [None, 40, None, 60], BEFORE + HIGHER, [0] * 24],
    ids=["one month", "all zero", "all full", "gaps", "improved", "never"],
)
@pytest.mark.parametrize("joined", ["2022-01-01", None], ids=["joined", "no baseline"])
def test_a_run_chart_of_any_series_can_be_drawn(values, joined):
    for figure in both(study_of(values, joined=joined)):
        assert_whole(figure)


@pytest.mark.parametrize("kind", ["rate", "count", "mean", "time_between"])
def test_every_kind_of_indicator_has_its_axis(kind):
    indicator = {"kind": kind, "per": 1000, "unit": "days", "target": 3.0, "better": "down"}
    for figure in both(study_of(BEFORE + HIGHER, indicator=indicator)):
        assert_whole(figure)


def test_a_month_in_which_everybody_is_few_leaves_a_chart_without_points():
    for figure in both(study_of([1, 2, 1], denominators=3)):
        assert_whole(figure)


def test_names_are_text_whatever_they_look_like():
    study = study_of([40, 50], indicator={"name": "$x^2$ <b>&amp; प्रसव"})
    for figure in both(study):
        assert_whole(figure)
        assert "<b>" not in figure.svg


def test_letters_that_no_font_can_draw_are_told_under_the_figure_and_nowhere_else():
    for name, told in (("𑄀", True), ("Bébé\n$x$ \u200dα", False)):
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            with drawing(2.0) as figure:
                title = figure.subplots().set_title(name)
                title.get_window_extent(FigureCanvasAgg(figure).get_renderer())
                done = finished(figure, name="t", alt="", caption="Births.")
        assert done.caption == (f"Births. {BOXES}" if told else "Births.")
        assert [str(one.message) for one in heard] == []


def test_five_projects_have_a_curve_and_four_have_not():
    assert durations_charts.share_ended(durations(make_study(projects=of_months(1, 2, 3, 4)))) is None
    figure = durations_charts.share_ended(durations(make_study(projects=of_months(1, 2, 3, 4, 5))))
    assert figure is not None
    assert_whole(figure)


def test_projects_without_dates_have_no_timeline():
    assert (
        durations_charts.timelines(durations(make_study(projects=[{"project_id": "P", "status": "completed"}]))) is None
    )


def test_the_demo_can_be_drawn_whole(demo):
    drawn = [
        durations_charts.share_ended(durations(demo)),
        durations_charts.timelines(durations(demo)),
        mentoring_charts.visits_per_planned(mentoring(demo)),
        mentoring_charts.visits_by_facility(mentoring(demo)),
        sustainment_charts.segments(sustainment(demo).indicators[0]),
    ]
    for figure in drawn:
        assert figure is not None
        assert_whole(figure)


def test_totals_have_no_figure_by_facility(hub_spoke):
    assert mentoring_charts.visits_by_facility(mentoring(hub_spoke)) is None


# --- nothing beside the figure ---------------------------------------------------------------------


def test_the_same_data_give_the_same_file():
    once, again = (both(study_of(BEFORE + HIGHER)) for _ in range(2))
    assert [figure.svg for figure in once] == [figure.svg for figure in again]
    assert [figure.png for figure in once] == [figure.png for figure in again]


def test_drawing_changes_no_setting_of_the_reader():
    before = dict(mpl.rcParams)
    both(study_of(BEFORE))
    assert dict(mpl.rcParams) == before


def test_settings_of_the_reader_change_no_drawing():
    (before, _) = both(study_of(BEFORE))
    with mpl.rc_context({"axes.grid": True, "lines.linestyle": "--", "font.sans-serif": ["x"], "savefig.dpi": 20}):
        (after, _) = both(study_of(BEFORE))
    assert (after.svg, after.png) == (before.svg, before.png)
