"""What a wheel is made of: the console's built files too, though Git does not have them."""

import shutil
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[3]


def test_a_wheel_has_the_built_console_and_nothing_else_that_git_ignores(tmp_path: Path) -> None:
    for name in ("pyproject.toml", ".gitignore", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    package = tmp_path / "src" / "steadyhand"
    for name in (
        "__init__.py",
        "console/__init__.py",
        "console/static/index.html",
        "console/static/assets/main-abc.js.br",
        "__pycache__/__init__.pyc",
        ".env",
    ):
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    found = {
        file.distribution_path for file in WheelBuilder(str(tmp_path)).recurse_included_files()
    }
    assert found == {
        "steadyhand/__init__.py",
        "steadyhand/console/__init__.py",
        "steadyhand/console/static/index.html",
        "steadyhand/console/static/assets/main-abc.js.br",
    }
