"""The command line as a process."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.tree import PACKAGE

OURS = ("STEADYHAND_", "NO_COLOR", "CLICOLOR")


def steadyhand(
    *arguments: str,
    workspace: Path | None = None,
    environment: Mapping[str, str] | None = None,
    said: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, its variables of ours only from ``environment``.

    ``said`` is what it reads on its standard input.
    """
    clean = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "steadyhand", *arguments],
        cwd=workspace,
        input=said,
        env=clean | {"PYTHONPATH": str(PACKAGE.parent)} | dict(environment or {}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
