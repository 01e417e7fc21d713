"""The ``steadyhand`` command; ``python -m steadyhand`` is the same."""

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from steadyhand.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
