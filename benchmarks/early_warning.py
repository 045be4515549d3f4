"""Which chart warns of a loss first, and how often for nothing, where the truth is known: the table of docs/methods.md.

    .venv/bin/python benchmarks/early_warning.py [collaboratives] [processes]

Collaboratives are those of benchmarks/sustainment.py: followed for fifteen months and more, the gain shrinking by 8%
a month where it is not kept. Facilities that had gained are watched; those that truly keep their gain should not be
warned of. Beside what happened stands what the report says chance would do.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import pandas as pd
from sustainment import design_of, draw

from qieval.analyses.early_warning import CHARTS, early_warnings, run_lengths
from qieval.analyses.sustainment import sustainment

SCENARIOS = ("half keep it", "half keep it, small gain", "all keep it")
WAYS = {"ewma": "EWMA", "cusum": "CUSUM", "single": "single month", "told": "three months in a row"}


def main() -> None:
    """Print the tables in Markdown."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print("| truth | chart | facilities | warned | within 6 months | median month of the warning |")
    print("|---|---|---:|---:|---:|---:|")
    false = []
    with ProcessPoolExecutor(processes) as pool:
        for name in SCENARIOS:
            found = pd.concat(pool.map(once, repeat(name), range(repeats), chunksize=5))
            lost, kept = found.loc[~found["keeps"]], found.loc[found["keeps"]]
            if len(lost):
                print("\n".join(lost_rows(name, lost)), flush=True)
            false += kept_rows(name, kept)
    print()
    print("| truth | chart | facilities that keep it | warned of | expected by the report | by the run length alone |")
    print("|---|---|---:|---:|---:|---:|")
    print("\n".join(false))


def once(name: str, seed: int) -> pd.DataFrame:
    """The facilities watched of one collaborative: their warnings, and whether they truly keep the gain."""
    study, truth = draw(design_of(name, 9_000 + seed))
    (found,) = early_warnings(sustainment(study))
    return found.watched.merge(truth, on="facility")


def lost_rows(name: str, lost: pd.DataFrame) -> list[str]:
    """Of facilities that truly lose the gain: how many each chart warned of, and when."""
    rows = []
    for way, label in WAYS.items():
        # A facility never warned of counts as later than all others, not as absent.
        month = lost[way].fillna(float("inf")).median()
        rows.append(
            f"| {name} | {label} | {len(lost):,} | {lost[way].notna().mean():.1%} | {lost[way].le(6).mean():.1%} | "
            f"{month:.0f} |"
        )
    return rows


def kept_rows(name: str, kept: pd.DataFrame) -> list[str]:
    """Of facilities that truly keep it: how many each chart warned of, and how many it was said to."""
    return [
        f"| {name} | {WAYS[chart]} | {len(kept):,} | {kept[chart].notna().mean():.1%} | "
        f"{kept[f'chance_{chart}'].mean():.1%} | {(kept['months'] / run_lengths()[chart]).mean():.1%} |"
        for chart in CHARTS
    ]


if __name__ == "__main__":
    main()
