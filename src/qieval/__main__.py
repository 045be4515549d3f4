"""The command `qieval`, also as ``python -m qieval``."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command; whoever stops it while it is still loading is told so in a line."""
    asked: list[int] = []

    def stop(number: int, frame: object) -> None:
        asked.append(number)
        raise KeyboardInterrupt

    try:
        signal.signal(signal.SIGINT, stop)
        from qieval.cli import main as command

        if asked:  # and some library that was loading has taken it for a fault of its own
            raise KeyboardInterrupt
        command()
    except KeyboardInterrupt:
        print("Stopped. Nothing was made.", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
