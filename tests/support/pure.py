"""The modules that decide without input or output, as ``[tool.steadyhand.pure]`` lists them.

``python -m tests.support.pure`` prints their files for ``coverage report --include``.
"""

from tests.support.tree import MODULES, ROOT, pyproject


def patterns() -> list[str]:
    """Return the lines of the list: module names, or ``package.*`` for all below a package."""
    return list(pyproject()["tool"]["steadyhand"]["pure"]["modules"])


def matching(pattern: str) -> list[str]:
    """Return the modules that one line stands for."""
    if pattern.endswith(".*"):
        package = pattern.removesuffix(".*")
        return [name for name in MODULES if name == package or name.startswith(f"{package}.")]
    return [name for name in MODULES if name == pattern]


def modules() -> list[str]:
    """Return every pure module, each once."""
    return sorted({name for pattern in patterns() for name in matching(pattern)})


if __name__ == "__main__":
    print(",".join(str(MODULES[name].relative_to(ROOT)) for name in modules()))
