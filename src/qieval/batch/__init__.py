"""From parameters to reports: plan, execute, write, list. Knows nothing of statistics."""

import sys

# nbformat loads this where it is installed, to check addresses in any script, of which a notebook has none; its grammar
# takes a second to load, a third of what a batch needs until it runs.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
