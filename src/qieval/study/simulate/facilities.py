"""Who takes part: the facilities, when each joins, how large it is, and whether it will keep its gain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from qieval.study.simulate.design import Design
from qieval.study.simulate.tables import numbered

COLOURS = ("Amber", "Blue", "Copper", "Emerald", "Golden", "Ivory", "Lilac")
CREATURES = ("Dragon", "Unicorn", "Griffin", "Phoenix", "Yeti", "Sphinx", "Kraken", "Mermaid")
DISTRICTS = ("Dragonmoor", "Griffin Coast", "Unicorn Vale", "Phoenix Plain")
KIND_OF_FACILITY = {"primary": "Health Centre", "secondary": "District Hospital", "tertiary": "Medical College"}


def draw_facilities(design: Design, rng: np.random.Generator) -> pd.DataFrame:
    """The table, and what only the simulator knows: months `joins` and `ends`, monthly `births`, `keeps`, `visited`."""
    n = design.facilities + design.comparison_facilities
    number = np.arange(n)
    is_hub, is_comparison = number < design.hubs, number >= design.facilities
    level = np.where(is_hub, "tertiary", np.where(rng.random(n) < 0.65, "primary", "secondary"))
    setting = np.where(rng.random(n) < design.rural_share, "rural", "urban")
    middle = pd.Series(level).map(dict(design.births_per_month)).to_numpy(float)
    wave = number * design.waves // design.facilities + 1
    joins = design.baseline_months + (wave - 1) * design.months_between_waves
    ends = joins + design.support_months  # the first month without support
    keeps = np.append(
        rng.permutation(design.facilities) < round(design.keeping_share * design.facilities),
        np.full(design.comparison_facilities, False),
    )
    never = rng.choice(np.arange(design.hubs, design.facilities), design.never_visited, replace=False)
    ids = np.array(numbered("F", n), dtype=object)
    frame = pd.DataFrame(
        {
            "facility_id": ids,
            "name": [_name(one, kind) for one, kind in zip(number, level, strict=True)],
            "level": level,
            "setting": np.where(is_hub, "urban", setting),
            "district": [DISTRICTS[one % len(DISTRICTS)] for one in number],
            "country": "Fabulia",
            "hub_id": ids[number % design.hubs] if design.hubs else None,
            "role": np.select([is_hub, is_comparison], ["hub", "comparison"], "participant"),
            "wave": wave.astype(float),
            "joined_on": design.first_day(joins),
            # What is still to come at the data cut is not known yet.
            "support_ended_on": np.where(ends <= design.months, design.day_before(ends), np.datetime64("NaT")),
            "joins": np.where(is_comparison, design.months, joins),
            "ends": np.where(is_comparison, design.months, ends),
            "births": middle * np.exp(rng.normal(0, 0.6, n)),
            "keeps": keeps,
            "visited": ~np.isin(number, never),
        }
    )
    frame.loc[is_hub | is_comparison, "hub_id"] = None
    frame.loc[is_comparison, ["wave", "joined_on", "support_ended_on"]] = None
    return frame


def _name(number: Any, level: str) -> str:
    """A different name for each number, and one that nobody can take for a real place."""
    colours, creatures = len(COLOURS), len(CREATURES)  # without a common divisor, so that every pair comes up
    again = number // (colours * creatures)
    more = f" {again + 1}" if again else ""
    return f"{COLOURS[number % colours]} {CREATURES[number % creatures]} {KIND_OF_FACILITY[level]}{more}"


def taking_part(facilities: pd.DataFrame) -> pd.DataFrame:
    """Without those that are only compared with."""
    return facilities[facilities["role"] != "comparison"]
