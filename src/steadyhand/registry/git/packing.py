"""Put loose objects into packs, so that a repository of many small commits stays small and quick.

Each commit leaves some five loose files. After :data:`MOST_LOOSE` of them, one writer packs them
all and removes what it has packed; it takes some tens of milliseconds, once in some hundred
commits. Packs are not merged here: ``git gc`` does that whenever somebody runs it, and the doctor
says when it is worth it.
"""

from pathlib import Path
from typing import Final

from pygit2 import Oid, Repository
from pygit2.packbuilder import PackBuilder

MOST_LOOSE: Final = 4_096
_SAMPLED: Final = "17"  # one of 256 folders of equal expected size, as git gc --auto looks at it


def pack_if_many(path: Path) -> int:
    """Pack the loose objects of a repository if there are many; return how many were packed.

    Call it under the writer's lock. It opens the repository for itself: nobody reads through this
    one while it works.
    """
    sampled = path / "objects" / _SAMPLED
    if not sampled.is_dir():
        return 0
    if sum(1 for _ in sampled.iterdir()) * 256 < MOST_LOOSE:
        return 0
    return pack(Repository(str(path)), path)


def pack(repository: Repository, path: Path) -> int:
    """Pack every loose object and remove the loose files; return how many there were.

    Call it under the writer's lock. A reader that meets a file just removed looks again and finds
    the pack. A crash in between leaves objects twice, which harms nobody.
    """
    loose = list(_loose(path))
    if not loose:
        return 0

    def add(builder: PackBuilder) -> None:
        for file in loose:
            builder.add(Oid(hex=file.parent.name + file.name))

    repository.pack(pack_delegate=add, n_threads=1)
    for file in loose:
        file.unlink(missing_ok=True)
    return len(loose)


def _loose(path: Path) -> list[Path]:
    return [
        file
        for folder in (path / "objects").iterdir()
        if len(folder.name) == 2 and folder.is_dir()
        for file in folder.iterdir()
        if len(file.name) == 38
    ]
