"""From parameters to reports: plan, execute, write, list. Knows nothing of statistics."""
