"""The changelog of the site: above what is released, what the fragments say of the next one."""

from pathlib import Path

KINDS = ("added", "changed", "fixed", "removed", "security")
MARK = "<!-- towncrier release notes start -->"


def unreleased(folder: Path) -> str:
    """Return the section of the fragments in ``folder``, empty if there are none."""
    parts = []
    for kind in KINDS:
        entries = [
            " ".join(path.read_text(encoding="utf-8").split())
            for path in sorted(folder.glob(f"*.{kind}.md"))
        ]
        if entries:
            parts += [f"### {kind.capitalize()}", "\n".join(f"- {entry}" for entry in entries)]
    return "\n\n".join(["## Not released yet", *parts]) if parts else ""


def with_fragments(changelog: str, folder: Path) -> str:
    """Return ``changelog`` with the fragments where towncrier would write them."""
    head, mark, released = changelog.partition(MARK)
    return f"{head}{mark}\n\n{unreleased(folder)}\n{released}"
