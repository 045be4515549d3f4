"""The bundled examples: a collaborative that shows every analysis, and one too small for most claims."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType

from qieval.study.schema import TABLES
from qieval.study.simulate.collaborative import simulate
from qieval.study.simulate.design import Design, Indicator, Mentoring
from qieval.study.simulate.tables import write_tables

_BREASTFEEDING = Indicator(
    indicator_id="early_breastfeeding",
    name="Early initiation of breastfeeding (within one hour)",
    target=0.9,
    unit="share of live births",
    baseline=0.45,
    effect=1.6,
    eligible=0.95,
    aims=(
        "Breastfeeding within the first hour",
        "First breastfeed in the labour room",
        "Early breastfeeding after caesarean birth",
        "Breastfed before the postnatal ward",
    ),
    ideas=(
        "Baby placed on the mother's chest at birth",
        "Bathing delayed by a day",
        "Birth companion taught",
        "Wall clock",
    ),
)
_SKIN_TO_SKIN = Indicator(
    indicator_id="skin_to_skin",
    name="Babies kept skin to skin for one hour",
    target=0.8,
    unit="share of live births",
    baseline=0.25,
    effect=1.8,
    eligible=0.9,
    aims=(
        "One hour skin to skin",
        "Skin to skin in the labour room",
        "Skin to skin after caesarean birth",
        "Skin to skin on the postnatal ward",
    ),
    ideas=(
        "Baby placed on the mother's chest at birth",
        "Newborn checks on the mother's chest",
        "Birth companion taught",
    ),
)
_LOW_TEMPERATURE = Indicator(
    indicator_id="low_temperature",
    name="Newborns with a temperature below 36.5 °C on admission",
    better="down",
    target=0.1,
    unit="share of newborns admitted",
    baseline=0.4,
    effect=-1.2,
    eligible=0.35,
    aims=(
        "Warm chain at admission",
        "Warm babies from the labour room",
        "Warm babies on the postnatal ward",
        "Warm transport to the newborn unit",
    ),
    ideas=("Transport wrapped with a cap", "Room thermometer in the delivery room", "Warmer switched on before birth"),
)
_DEATHS = Indicator(
    indicator_id="newborn_deaths",
    name="Newborn deaths before discharge",
    kind="rate",
    measures="outcome",
    better="down",
    target=12.0,
    per=1000.0,
    unit="deaths per 1000 live births",
    baseline=0.02,  # and no effect: an honest report shows no signal here
    aims=(
        "Fewer newborn deaths",
        "Fewer newborn deaths in the labour room",
        "Fewer newborn deaths on the postnatal ward",
        "Fewer deaths on the day of birth",
    ),
    ideas=("Resuscitation drill every week", "Checklist before referral"),
)

DEMO = Design(
    seed=20240131,
    indicators=(_BREASTFEEDING, _SKIN_TO_SKIN, _LOW_TEMPERATURE, _DEATHS),
    mentoring=(
        Mentoring(mentor_type="network", setting="rural", every_months=3, coverage=1.4),
        Mentoring(mentor_type="network", setting="urban", every_months=3, coverage=1.1),
        Mentoring(mentor_type="hub", setting="rural", every_months=1.5, coverage=0.3),
        Mentoring(mentor_type="hub", setting="urban", every_months=1.5, coverage=0.8),
        Mentoring(mentor_type="district", setting="rural", every_months=3, coverage=0.6, after_support=True),
        Mentoring(mentor_type="district", setting="urban", every_months=3, coverage=0.7, after_support=True),
    ),
    never_visited=2,
    late_start_share=0.3,
)

SMALL = Design(
    seed=8,
    start=dt.date(2024, 1, 1),
    months=7,
    facilities=3,
    hubs=0,
    waves=1,
    baseline_months=2,
    support_months=6,
    indicators=(_BREASTFEEDING, _LOW_TEMPERATURE),
    births_per_month=MappingProxyType({"primary": 5.0, "secondary": 12.0}),
    mentoring=(
        Mentoring(mentor_type="district", setting="rural", every_months=2, coverage=0.7),
        Mentoring(mentor_type="district", setting="urban", every_months=2, coverage=0.7),
    ),
    projects=4,
)

EXAMPLES: dict[str, tuple[Design, Iterable[str]]] = {  # and the tables shipped of each
    "demo": (DEMO, tuple(TABLES)),
    "small": (SMALL, ("facilities", "indicators", "measurements", "projects", "visits")),
}


def write_examples(folder: Path) -> None:
    """The bundled examples, one folder of CSV files each."""
    for name, (design, shipped) in EXAMPLES.items():
        tables = simulate(design).tables
        write_tables({table: tables[table] for table in shipped}, folder / name)
