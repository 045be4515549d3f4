"""The benchmark of charts runs on a few series, and docs/spc.md tells what its examples and figures show."""

import re
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qieval.methods import spc

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "spc.md"


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    for name in ("spc", "spc_figures"):
        sys.modules.pop(name, None)
    import spc as speed
    import spc_figures as figures

    yield speed, figures
    for name in ("spc", "spc_figures"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("kind", ["run", "p"])
@pytest.mark.parametrize("ragged", [False, True])
def test_the_arrays_that_are_timed_signal_in_as_many_series_as_the_chart(benchmarks, kind, ragged):
    speed, _ = benchmarks
    data = speed.series(300, ragged=ragged)
    series = speed.chart_of(data, kind)().series
    assert speed.core_of(data, kind)() == ((series["n_outside"] > 0) | series["runs_signal"]).sum()
    lengths = data.groupby("facility", observed=True).size()
    assert (lengths.min() < lengths.max()) == ragged


def test_the_memory_of_a_call_is_measured_in_a_process_of_its_own(benchmarks):
    speed, _ = benchmarks
    taken, held = speed.memory("p", ragged=False, n_series=200)
    assert 0 < held < taken


# --- docs/spc.md


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_examples_of_the_page_run_one_after_the_other(monkeypatch):
    folder = resources.files("qieval") / "study" / "examples" / "demo"
    names: dict = {}
    with resources.as_file(folder) as path:
        monkeypatch.chdir(path)
        for block in blocks():
            *lines, last = block.strip().splitlines()
            exec("\n".join(lines), names)
            if re.match(r"\w+ = ", last):
                exec(last, names)
                shown = next(reversed(names.values()))
            else:
                shown = eval(last, names)
            assert len(shown) > 0, f"shows nothing: {last}"
    assert len(blocks()) >= 6


def test_the_table_of_false_signals_is_the_one_of_the_simulations(benchmarks):
    _, figures = benchmarks
    text = PAGE.read_text(encoding="utf-8")
    assert text.split(figures.BEGIN)[1].split(figures.END)[0].strip() == figures.false_signals()
    rates = [spc.false_signal_rate("anhoej", n, baseline=12, has_limits=False) for n in (24, 60)]
    assert f"cry wolf {100 * rates[0]:.0f} to {100 * rates[1]:.0f} times in 100" in (
        PAGE.parent / "methods.md"
    ).read_text(encoding="utf-8")


def test_the_page_tells_what_its_figures_show(benchmarks):
    _, figures = benchmarks
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    data = figures.breastfeeding()
    alt = {draw.__name__: draw(data).alt for draw in (figures.run_chart, figures.p_chart, figures.ewma_chart)}
    longest, by_chance = re.search(r"run has (\d+) months \(by chance up to (\d+)", alt["run_chart"]).groups()
    assert f"the longest run has {longest} months, where chance explains up to {by_chance}: a signal" in text
    n_outside, level = re.search(r"; (\d) of the months .* is (\d+%)", alt["p_chart"]).groups()
    assert n_outside == "5"
    assert "the five months from May to September 2022 lie above them" in text
    assert f"A new phase begins in October 2022, about a level of {level}" in text
    first, alone = re.search(r"limit in (\w+ 2023);.* is (\w+) 2023", alt["ewma_chart"]).groups()
    assert f"Here EWMA sees the loss in {first}, a p chart in {alone}." in text


def test_every_figure_of_the_page_is_there_small_and_told_in_words():
    shown = re.findall(r"!\[(.*?)\]\((spc/\w+\.svg)\)", PAGE.read_text(encoding="utf-8"))
    assert {file for _, file in shown} == {f"spc/{path.name}" for path in (ROOT / "docs" / "spc").iterdir()}
    for alt, file in shown:
        assert len(alt) > 80
        assert (ROOT / "docs" / file).stat().st_size < 60_000


def test_the_kinds_of_the_page_are_those_of_the_program():
    table = PAGE.read_text(encoding="utf-8").split("| kind |")[1].split("\n\n")[0]
    cells = [line.rsplit("|", 2)[-2] for line in table.splitlines()[2:]]
    assert set(re.findall(r"`(\w+)`", " ".join(cells))) == set(spc.KINDS)


def test_a_frame_of_the_benchmark_holds_counts_and_their_ratio(benchmarks):
    speed, _ = benchmarks
    data = speed.series(5, ragged=True)
    assert (data["numerator"] <= data["denominator"]).all()
    assert np.allclose(data["value"], data["numerator"] / data["denominator"])
    assert isinstance(data["facility"].dtype, pd.CategoricalDtype)
