"""Writes the bundled examples again: ``python -m qieval.study.simulate``."""

from pathlib import Path

from qieval.study.simulate.examples import write_examples

write_examples(Path(__file__).parents[1] / "examples")
