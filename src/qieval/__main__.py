"""The command `qieval`, also as ``python -m qieval``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; whoever stops it while it is still loading is told so in a line."""
    try:
        from qieval.cli import main as command

        command()
    except KeyboardInterrupt:
        print("Stopped. Nothing was made.", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
