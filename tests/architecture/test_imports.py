"""Importing any module has no effect."""

import json
import os
import subprocess
import sys

from tests.support.tree import MODULES, PACKAGE, ROOT

RUN_BY_OTHERS = {
    "steadyhand.__main__",  # is run, not imported
    "steadyhand.storage.migrations.env",  # Alembic runs it with a context of its own
}


def test_importing_any_module_has_no_effect() -> None:
    names = [name for name in MODULES if name not in RUN_BY_OTHERS]
    # Without coverage's variables: measuring is an effect of its own.
    quiet = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    probe = subprocess.run(
        [sys.executable, "-B", "-W", "error", str(ROOT / "tests/architecture/import_probe.py")],
        input="\n".join(names),
        env=quiet | {"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert probe.returncode == 0, probe.stderr
    result = json.loads(probe.stdout)  # a module that prints at import fails here
    assert result == {"imported": len(names), "effects": []}
