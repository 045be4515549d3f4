"""`python -m qieval` is the command `qieval`."""

from qieval.cli import main

if __name__ == "__main__":
    main()
