"""Made `did_panel.csv` (simulated) and `did_panel_expected.csv`, with Python 3.11 and numpy 2.4.6.

Estimates by wave and by time since joining are those of diff-diff 3.13.0, the overall ones those of csdid 0.4.3, a
translation of R's did. In an environment of its own: pip install diff-diff==3.13.0 csdid==0.4.3 && python did_panel.py
"""

import itertools
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from csdid.att_gt import ATTgt
from diff_diff import CallawaySantAnna

FOLDER = Path(__file__).parent
rng = np.random.default_rng(17)
wave = np.repeat([4, 6, 9, 0], [4, 6, 5, 5])  # month of joining; 0 never
months = np.arange(1, 11)
walk = rng.normal(0, 1, (20, 10)).cumsum(axis=1)
effect = np.where((wave > 0)[:, None] & (months >= wave[:, None]), 0.5 * (months - wave[:, None] + 1), 0)
panel = pd.DataFrame(
    {
        "facility": np.repeat(np.arange(20), 10),
        "month": np.tile(months, 20),
        "joined": np.repeat(wave, 10),
        "value": (50 + walk + effect).ravel().round(3),
    }
)
panel.to_csv(FOLDER / "did_panel.csv", index=False)

rows = []
for control, base, anticipation in itertools.product(["never", "not_yet"], ["varying", "universal"], [0, 1]):
    model = CallawaySantAnna(
        control_group={"never": "never_treated", "not_yet": "not_yet_treated"}[control],
        base_period=base,
        anticipation=anticipation,
        estimation_method="reg",
        cband=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # small groups
        found = model.fit(panel, "value", "facility", "month", "joined", aggregate="all")
    for (group, month), one in found.group_time_effects.items():
        rows.append((control, base, anticipation, f"att_{group}_{month}", one["effect"], one["se"]))
    for since, one in found.event_study_effects.items():
        rows.append((control, base, anticipation, f"event_{since}", one["effect"], one["se"]))
for control, name in {"never": "nevertreated", "not_yet": "notyettreated"}.items():
    model = ATTgt("value", "month", "facility", "joined", panel, control_group=[name], xformla="value~1")
    model = model.fit(est_method="reg", bstrap=False)
    for summary in ("simple", "dynamic", "group", "calendar"):
        found = model.aggte(summary, bstrap=False, cband=False).atte
        rows.append((control, "varying", 0, summary, found["overall_att"], found["overall_se"]))
columns = ["control", "base", "anticipation", "quantity", "estimate", "standard_error"]
pd.DataFrame(rows, columns=columns).to_csv(FOLDER / "did_panel_expected.csv", index=False, float_format="%.12g")
