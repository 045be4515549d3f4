"""How often the 95% interval of joining in waves holds the truth: prints the table of docs/methods.md.

    .venv/bin/python benchmarks/waves_coverage.py [collaboratives]

Each collaborative is simulated anew: levels, sizes, gains that are kept or not, facility-months that go unreported. The
truth is the mean, over the facilities and months the estimate is about, of the true level less that without the
collaborative: in these very facilities, and in all such facilities (its mean over the collaboratives simulated). The
intervals are for the latter; they hold the former more often, since they also allow for gains that differ by facility.
The last two columns count event studies: whether all estimates since joining lie within their simultaneous band at
once, and how often "moved differently before joining" is said although nobody did.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator

import pandas as pd

from qieval.analyses.series import indicators
from qieval.analyses.waves import Waves, waves
from qieval.study.parameters import check_parameters
from qieval.study.simulate import DEMO, Design, Truth, simulate
from qieval.study.study import Study

SHOWN = ("early_breastfeeding", "low_temperature", "newborn_deaths")
PLAIN = dataclasses.replace(
    DEMO,
    indicators=tuple(one for one in DEMO.indicators if one.indicator_id in SHOWN),
    mentoring=(),
    never_visited=0,
    projects=1,
)
DESIGNS = {
    "24 in 3 waves, no comparison": PLAIN,
    "24 in 3 waves, 8 never joined": dataclasses.replace(PLAIN, comparison_facilities=8),
    "12 in 3 waves, 4 never joined": dataclasses.replace(PLAIN, facilities=12, comparison_facilities=4),
    "12 in 1 wave, 6 never joined": dataclasses.replace(PLAIN, facilities=12, comparison_facilities=6, waves=1),
}


def main() -> None:
    """Print the table in Markdown."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(
        "| design | indicator | covers these | covers all such | mean width | bias | band covers | false alarm before |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for name, design in DESIGNS.items():
        found = pd.DataFrame(row for seed in range(n) for row in rows(dataclasses.replace(design, seed=seed)))
        for indicator, own in found.groupby("indicator", sort=False):
            cells = [
                f"{own['truth'].between(own['low'], own['high']).mean():.3f}",
                f"{own.groupby('months')['truth'].transform('mean').between(own['low'], own['high']).mean():.3f}",
                f"{(own['high'] - own['low']).mean():.3g}",
                f"{(own['estimate'] - own['truth']).mean():+.2g}",
                f"{own['band'].mean():.3f}",
                f"{own['alarm'].mean():.3f}",
            ]
            print(f"| {name} | {indicator} | {' | '.join(cells)} |", flush=True)


def rows(design: Design) -> Iterator[dict[str, object]]:
    """One simulated collaborative: what became of each indicator's interval and band."""
    simulated = simulate(design)
    values = {"collaborative": "simulated", "title": "Simulated", "data": "-", "data_cut": str(design.data_cut)}
    study = Study(parameters=check_parameters(values), tables=simulated.tables)
    for indicator in indicators(study):
        found = waves(study, indicator)
        if found.effect is None or found.event_study is None:
            continue
        truth = true_gains(found, study, simulated.truth)
        effect, study_of = found.effect, found.event_study.set_index("since_joining")
        steps = pd.Series(truth.index // found.width_months * found.width_months, index=truth.index)
        known = truth.groupby(steps).mean().reindex(study_of.index[study_of["band_low"].notna()]).dropna()
        band = study_of.loc[known.index]
        yield {
            "indicator": indicator.indicator_id,
            "truth": truth.loc[effect.first_month : effect.last_month].mean(),
            "months": f"{effect.first_month} to {effect.last_month}",
            "estimate": effect.estimate,
            "low": effect.low,
            "high": effect.high,
            "band": bool(((band["band_low"] <= known) & (known <= band["band_high"])).all()),
            "alarm": found.before == "apart",
        }


def true_gains(found: Waves, study: Study, truth: Truth) -> pd.Series:
    """The mean gain by months since joining, over the facilities of waves that had a comparison then."""
    assert found.event_study is not None
    names = study.facility_names()
    used = set(names.index[~names.isin(found.left_out["facility"])])
    facilities = study["facilities"].set_index("facility_id")["joined_on"].dropna()
    facilities = facilities[[one in used for one in facilities.index]]
    levels = truth.levels[truth.levels["indicator_id"] == found.indicator.indicator_id]
    levels = levels[levels["facility_id"].isin(facilities.index)]
    joined = levels["facility_id"].map(facilities)
    since = (levels["period"].dt.year - joined.dt.year) * 12 + levels["period"].dt.month - joined.dt.month
    # In the order they joined, waves drop out of the event study as their comparison ends.
    order = joined.rank(method="dense").astype(int)
    behind = found.event_study.set_index("since_joining")["n_treated"]
    sizes = facilities.value_counts().sort_index().cumsum().reset_index(drop=True)
    at = (since // found.width_months * found.width_months).map(behind)
    waves_in = at.map(lambda n: int((sizes <= n).sum()) if pd.notna(n) else 0)
    part = (since >= 0) & (order <= waves_in)
    gain = (levels["level"] - levels["untreated"]) * found.indicator.per
    return gain[part].groupby(since[part]).mean()


if __name__ == "__main__":
    main()
