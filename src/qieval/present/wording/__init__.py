"""Sentences made from results, one module per question; every number and name in them comes from the result."""
