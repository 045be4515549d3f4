"""What was read: how much, from when to when, and what the check remarked."""

from __future__ import annotations

from qieval.present.display import Text
from qieval.present.numbers import month
from qieval.study.problems import lines_of
from qieval.study.study import Study


def recorded(study: Study) -> Text:
    """The study in a sentence or two, then every warning of the check."""
    return Text(sentences=[summary(study), *warnings(study)], style="note")


def summary(study: Study) -> str:
    """Rows per table, and the months measured."""
    tables = ", ".join(
        f"{len(frame):,} in {name.replace('_', ' ')}" for name, frame in study.tables.items() if len(frame)
    )
    sentence = f"Rows read: {tables or 'none'}. Data cut: {study.parameters.data_cut:%Y-%m-%d}."
    if study.has("measurements"):
        period = study["measurements"]["period"]
        sentence += f" Months measured: {month(period.min())} to {month(period.max())}."
    return sentence


def warnings(study: Study) -> list[str]:
    """What the check remarked without stopping."""
    return lines_of(study.warnings, "warning")
