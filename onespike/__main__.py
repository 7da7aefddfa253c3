"""`onespike` and `python -m onespike`."""

import sys


def start() -> int:
    """Load and run the command line; returns the exit status."""
    try:
        from onespike.cli import main
    except KeyboardInterrupt:  # loading takes long enough for somebody to think better of it
        print("onespike: interrupted", file=sys.stderr)
        return 130
    return main()


if __name__ == "__main__":
    sys.exit(start())
