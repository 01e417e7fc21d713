"""Which paths may stand in the registry. Pure.

A name becomes a path in a repository that others check out on machines that we do not know: so no
part may leave the folder, hide, or mean something to Git, a shell or a file system.
"""

import re
from typing import Final

from steadyhand.core.errors import InvalidRequest

MAX_PATH_BYTES: Final = 512
_PART: Final = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_.@+-]*\Z")


class PathRefused(InvalidRequest):
    """The path may not stand in the registry."""

    code = "registry_path_refused"


def checked_path(path: str) -> str:
    """Return ``path`` if it may stand in the registry.

    Raises:
        PathRefused: It is too long, leaves the folder, or has a part that is hidden or not plain.
    """
    if not path or len(path.encode("utf-8", "replace")) > MAX_PATH_BYTES:
        raise PathRefused(f"a path has 1 to {MAX_PATH_BYTES} bytes", hint="use shorter names")
    for part in path.split("/"):
        if _PART.match(part) is None or part.endswith((".", ".lock")):
            raise PathRefused(
                f"{path[:100]!r} has the part {part[:60]!r}",
                hint="a part has letters, digits and . _ @ + -, and does not begin with a dot",
            )
    return path
