"""A real collaborative for tests: antenatal care in ten clinics of Mozambique, a stepped-wedge trial.

Betran et al, Lancet Glob Health 2018;6:e57-65. The data stay in the reference folder; what is made of
them here lives as long as the test.
"""

from pathlib import Path
from typing import Any

import pandas as pd

SOURCE = Path("data") / "public" / "moz_anc"


def write_moz_anc(reference: Path, folder: Path) -> Path:
    """The trial as a folder of our tables: facilities, indicators, measurements.

    Table 2 of the paper counts women at their first visit: repeat visits would count the same woman, and
    what was done for her once, again and again. So the measurements are those of first visits alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clinics = pd.read_csv(reference / SOURCE / "clinics.csv", dtype=str)
    clinics.assign(joined_on=clinics["intervention_start"] + "-01").rename(columns={"clinic": "facility_id"})[
        ["facility_id", "joined_on"]
    ].to_csv(folder / "facilities.csv", index=False)
    expected = expected_table_2(reference)
    pd.DataFrame(
        {
            "indicator_id": expected.index,
            "name": expected["label"],
            "kind": "proportion",
            "class": "process",
            "better": "up",
        }
    ).to_csv(folder / "indicators.csv", index=False)
    monthly = pd.read_csv(reference / SOURCE / "clinic_month.csv").query("visit_type == 'first'")
    monthly.assign(period=monthly["period"] + "-01").rename(
        columns={"clinic": "facility_id", "indicator": "indicator_id"}
    )[["facility_id", "indicator_id", "period", "numerator", "denominator"]].to_csv(
        folder / "measurements.csv", index=False
    )
    return folder


def moz_anc_parameters(folder: Path) -> dict[str, Any]:
    """The parameters of a report about that folder."""
    return {
        "collaborative": "moz_anc",
        "title": "Antenatal care kits, Mozambique",
        "data": str(folder),
        "data_cut": "2016-01-31",
    }


def expected_table_2(reference: Path) -> pd.DataFrame:
    """The published counts, one row per indicator: control_num, control_den, intervention_num, intervention_den."""
    return pd.read_csv(reference / SOURCE / "expected_table2.csv", index_col="indicator")
