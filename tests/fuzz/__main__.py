"""Run a target under atheris: ``python -m tests.fuzz TARGET [libFuzzer's own options]``.

Needs the environment of ``make fuzz``; everything else of the tests does without atheris.
"""

import sys
from importlib import import_module

import atheris  # type: ignore[import-untyped]  # of `make fuzz` only

TARGETS = ("request_reader", "response_reader")


def main() -> None:
    """Instrument the product and the oracle, then fuzz."""
    target, *options = sys.argv[1:]
    if target not in TARGETS:
        sys.exit(f"no such target: {target}; there are {', '.join(TARGETS)}")
    with atheris.instrument_imports(include=["steadyhand", "tests"]):
        check = import_module(f"tests.fuzz.{target}").check
    # libFuzzer starts itself again by this when it merges, through a shell.
    again = f"{sys.executable} -m tests.fuzz {target}"
    atheris.Setup([again, *options], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
