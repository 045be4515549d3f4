"""Each notebook runs by itself on the bundled demo, with nothing but papermill; looked at by its numbers."""

from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

from qieval.present.display import KEY_FIGURES

PROJECT = Path(__file__).resolve().parents[2]


def values(name: str, folder: Path) -> dict[str, Any]:
    """The key figures of a notebook run with its own defaults from its own folder, as JupyterLab does."""
    done = papermill.execute_notebook(
        str(PROJECT / "notebooks" / f"{name}.ipynb"),
        str(folder / "out.ipynb"),
        cwd=str(PROJECT / "notebooks"),
        progress_bar=False,
        kernel_name="python3",
    )
    nbformat.validate(done)
    outputs = [output for cell in done["cells"] for output in cell.get("outputs", [])]
    return next(output["data"][KEY_FIGURES]["values"] for output in outputs if KEY_FIGURES in output.get("data", {}))


@pytest.mark.filterwarnings("ignore:.*without encryption")
def test_effectiveness_finds_what_was_put_into_the_demo_and_nothing_else(tmp_path: Path) -> None:
    found = values("effectiveness", tmp_path)
    assert found["early_breastfeeding"]["verdict"] == "improved"
    assert found["skin_to_skin"]["verdict"] == "improved"
    assert found["low_temperature"]["verdict"] == "improved"
    assert found["low_temperature"]["recent_median"] < found["low_temperature"]["baseline_median"]
    assert found["newborn_deaths"]["verdict"] == "no signal"
    assert found["early_breastfeeding"]["facilities"] == 24


def test_durations_gives_the_median_with_its_interval(tmp_path: Path) -> None:
    found = values("durations", tmp_path)
    assert sum(found["projects"].values()) == 44
    assert found["median_low"] < 5.48 < found["median_high"]  # the median the demo was drawn from


def test_mentoring_finds_the_two_facilities_never_visited(tmp_path: Path) -> None:
    found = values("mentoring", tmp_path)
    assert found["never_visited"] == 2
    hub_rural = next(g for g in found["groups"] if (g["mentor_type"], g["setting"]) == ("hub", "rural"))
    assert hub_rural["low"] < 0.279 < hub_rural["high"]  # the coverage the demo was drawn from


def test_sustainment_follows_the_facilities_that_gained(tmp_path: Path) -> None:
    found = values("sustainment", tmp_path)
    assert found["early_breastfeeding"]["gained"] >= 20
    assert found["newborn_deaths"]["gained"] <= 2  # nothing was gained; chance may show one
    assert found["early_breastfeeding"]["kept_at_12"]["due"] <= 16  # the third wave's support ended too late
