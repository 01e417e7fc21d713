"""Write a workspace that runs at once: a support assistant over a real manual.

All of its texts are files of the package, under ``demo/``; only the key is made here.
"""

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from steadyhand.core.errors import ConfigurationError
from steadyhand.storage.files import create_secret
from steadyhand.tenancy.keyfile import add_key
from steadyhand.tenancy.keys import make_key
from steadyhand.tenancy.settings import HASH_SCHEME, KeySettings

KEYS = "keys.toml"
STATE = ".steadyhand"
DEMO_KEY = "demo.key"

# A file named .gitignore inside the package would act on the package's own repository.
_RENAMED = {"gitignore": ".gitignore"}


class DirectoryNotEmpty(ConfigurationError):
    """A workspace was to be written where there is something already."""

    code = "directory_not_empty"


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What :func:`write_workspace` wrote.

    Attributes:
        directory: The workspace.
        written: Its files, relative to it, in order.
        key_file: The file with the demo key, mode 600.
    """

    directory: Path
    written: tuple[str, ...]
    key_file: Path


def write_workspace(directory: Path, *, overwrite: bool = False) -> Scaffold:
    """Write the demo workspace to ``directory``, with a key made for it.

    Args:
        directory: Made if missing.
        overwrite: Write into a directory that is not empty: files of the same names are
            replaced, the key too; others stay.

    Raises:
        DirectoryNotEmpty: It holds something, and ``overwrite`` is not set.
        OSError: No permission, disk full and the like.
    """
    _check(directory, overwrite=overwrite)
    token, digest = make_key()
    key = KeySettings(hash=HASH_SCHEME + digest, tenant="demo", routes=("*",), models=("*/*",))
    written = []
    for name, source in _templates():
        content = source.read_bytes()
        if name.endswith(".gz"):
            name, content = name.removesuffix(".gz"), gzip.decompress(content)
        if name == KEYS:
            content = add_key(content.decode(), "demo", key).encode()
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        written.append(name)
    return Scaffold(directory, tuple(sorted(written)), _write_key(directory / STATE, token))


def _check(directory: Path, *, overwrite: bool) -> None:
    if directory.exists() and not directory.is_dir():
        raise DirectoryNotEmpty(f"{directory} is a file", hint="name a directory")
    if not overwrite and directory.is_dir() and any(directory.iterdir()):
        raise DirectoryNotEmpty(
            f"{directory} is not empty",
            hint="name a new directory, or add --force to replace the files of the demo in it",
        )


def _templates() -> Iterator[tuple[str, Traversable]]:
    """Yield each packaged file with its path in the workspace."""
    pending = [(PurePosixPath(), files("steadyhand.settings").joinpath("demo"))]
    while pending:
        at, folder = pending.pop()
        for entry in folder.iterdir():
            path = at / _RENAMED.get(entry.name, entry.name)
            if entry.is_dir():
                pending.append((path, entry))
            else:
                yield str(path), entry


def _write_key(state: Path, token: str) -> Path:
    state.mkdir(mode=0o700, exist_ok=True)
    state.chmod(0o700)
    path = state / DEMO_KEY
    if path.exists():
        os.unlink(path)
    create_secret(path, f"{token}\n".encode())
    return path
