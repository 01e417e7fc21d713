"""The repository as the architecture tests see it: its files, its modules and their imports."""

import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import grimp

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "steadyhand"


def module_name(path: Path) -> str:
    """Return the dotted name that ``path`` is imported by."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES: dict[str, Path] = {
    module_name(path): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "__pycache__" not in path.parts
}


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def import_graph() -> grimp.ImportGraph:
    """Return who imports whom, packages from outside included, as import-linter sees it."""
    return grimp.build_graph("steadyhand", include_external_packages=True, cache_dir=None)


@cache
def repository_files() -> tuple[Path, ...]:
    """Return every file that is in the repository or would be after ``git add``."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    paths = (ROOT / name for name in listing.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))
