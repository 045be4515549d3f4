"""Writes src/qieval/methods/spc/false_signals.csv: how often rules signal on series in which nothing changed.

    .venv/bin/python benchmarks/false_signals.py

Independent normal values; a control chart is one of individual values with screened moving ranges, a run chart has the
median. A series counts once, whichever of its points signals. Takes some minutes on one core.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from qieval.methods import spc

FILE = Path(__file__).resolve().parents[1] / "src" / "qieval" / "methods" / "spc" / "false_signals.csv"
SERIES = 20_000
LENGTHS = (10, 12, 15, 18, 21, 24, 30, 36, 42, 48, 60, 72, 96, 120)
BASELINES = (0, 6, 9, 12, 18, 24)  # 0: all points
RUNS_RULES = ("anhoej", "best_box", "cut_box")
ALONE = {
    True: ("anhoej", "outside", "ihi", "mdc", "mdc_8_6", "western_electric", "nelson"),
    False: ("anhoej", "ihi"),
}
SERIES_ONLY = {"anhoej": ("few crossings",), "ihi": ("too few runs", "too many runs")}


def main() -> None:
    """Simulate and write the table."""
    random = np.random.default_rng(20201216)
    rows: list[tuple[str, str, int, int, str]] = []
    for n in LENGTHS:
        data = pd.DataFrame(
            {
                "series": np.repeat(np.arange(SERIES), n),
                "period": np.tile(np.arange(n), SERIES),
                "value": random.standard_normal(SERIES * n),
            }
        )
        for baseline in BASELINES:
            if baseline >= n:
                continue
            for has_limits in (True, False):
                for rules, rate in rates(data, baseline or None, has_limits=has_limits).items():
                    rows.append(("yes" if has_limits else "no", rules, baseline, n, f"{rate:.4f}"))
        print(f"{n} points done", flush=True)
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("limits", "rules", "baseline", "points", "rate"))
        writer.writerows(sorted(rows))


def rates(data: pd.DataFrame, baseline: int | None, *, has_limits: bool) -> dict[str, float]:
    """The share of series that signal, by rule set."""
    kind = "i" if has_limits else "run"
    arguments = {"period": "period", "value": "value", "by": "series", "baseline": baseline}
    found = spc.chart(data, kind, rules=ALONE[has_limits], **arguments).series["rules"].astype(str)
    texts = pd.Series(found.unique())
    share = found.value_counts(normalize=True)

    def signals(*rules: str) -> float:
        tests = {test for rule in rules for test in (*spc.RULE_SETS[rule], *SERIES_ONLY.get(rule, ()))}
        return float(share[[text for text in texts if tests & set(text.split("; "))]].sum())

    result = {rule: signals(rule) for rule in ALONE[has_limits]}
    if has_limits:
        result["anhoej+outside"] = signals("anhoej", "outside")
    for rule in ("best_box", "cut_box"):
        result[rule] = float(spc.chart(data, kind, rules=rule, **arguments).series["runs_signal"].mean())
    if baseline and not has_limits:
        # Slow, a simulation for each series: fewer series.
        few = data[data["series"] < 2_000]
        found = spc.chart(few, "run", rules="anhoej_baseline", **arguments).series["runs_signal"]
        result["anhoej_baseline"] = float(found.mean())
    elif not has_limits:
        result["anhoej_baseline"] = result["anhoej"]
    return result


if __name__ == "__main__":
    main()
