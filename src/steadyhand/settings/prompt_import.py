"""Bring prompts of other tools into a workspace."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from steadyhand.core.errors import InvalidValue, SteadyhandError
from steadyhand.prompts.importing import (
    PLACEHOLDERS,
    ExportUnreadable,
    Imported,
    of_langfuse,
    of_mlflow,
    of_text,
)
from steadyhand.prompts.parsed import MAX_BYTES
from steadyhand.settings.problems import nearest
from steadyhand.storage.files import replace_file

KINDS: Final = ("folder", "langfuse", "mlflow")
MAX_EXPORT_BYTES: Final = 64 << 20
_TEXTS: Final = (".txt", ".md", ".prompt")


class PromptExists(SteadyhandError):
    """A file of that name is in ``prompts/`` already; nothing was written."""

    code, status = "prompt_exists", 409


def import_from(source: Path, kind: str, owner: str, placeholders: str) -> list[Imported]:
    """Return the prompts in ``source``.

    Args:
        source: A folder of texts, or a file.
        kind: One of :data:`KINDS`.
        owner: Who answers for them.
        placeholders: For folders, one of :data:`steadyhand.prompts.importing.PLACEHOLDERS`.

    Raises:
        InvalidValue: ``kind`` or ``placeholders`` is something else, or there is no ``source``.
        ExportUnreadable: There is no prompt in it, or two of one name.
    """
    _one_of(kind, KINDS, "--from")
    _one_of(placeholders, tuple(PLACEHOLDERS), "--placeholders")
    if kind == "folder":
        imported = _folder(source, owner, placeholders)
    else:
        read = of_langfuse if kind == "langfuse" else of_mlflow
        imported = read(_text(source, MAX_EXPORT_BYTES), owner)
    names = [one.name for one in imported]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ExportUnreadable(f"two of them would be called {twice[0]!r}", hint="rename one")
    return imported


def write_imported(root: Path, imported: Sequence[Imported], *, overwrite: bool) -> list[str]:
    """Write ``imported`` into the workspace ``root``; return the paths below it.

    Raises:
        PromptExists: One is there already, and ``overwrite`` was not asked; nothing was written.
    """
    paths = [f"prompts/{one.name}.md" for one in imported]
    there = [path for path in paths if (root / path).exists()]
    if there and not overwrite:
        raise PromptExists(
            f"{there[0]} is there already" + (f", and {len(there) - 1} more" if there[1:] else ""),
            hint="--force replaces them",
        )
    for one, path in zip(imported, paths, strict=True):
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_file(place, one.text.encode(), mode=0o644)
    return paths


def _folder(source: Path, owner: str, placeholders: str) -> list[Imported]:
    files = sorted(path for path in source.glob("*") if path.suffix in _TEXTS and path.is_file())
    if not files:
        raise ExportUnreadable(
            f"{source} has no file that ends in {', '.join(_TEXTS)}",
            hint="is it a folder of texts?",
        )
    return [of_text(path.stem, _text(path, MAX_BYTES), owner, placeholders) for path in files]


def _text(path: Path, most: int) -> str:
    try:
        if path.stat().st_size > most:
            raise ExportUnreadable(f"{path} is longer than {most:,} bytes")
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ExportUnreadable(
            f"{path} is not UTF-8 at byte {error.start}", hint="save it as UTF-8"
        ) from error


def _one_of(value: str, known: Sequence[str], option: str) -> None:
    if value not in known:
        near = nearest(value, known)
        hint = f"did you mean {near!r}?" if near else f"one of {', '.join(known)}"
        raise InvalidValue(f"{option} is {value[:63]!r}", hint=hint)
