"""Figures made from results, one module per question."""
