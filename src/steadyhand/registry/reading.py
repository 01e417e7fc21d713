"""Read releases and the other values of the registry out of a store."""

from collections.abc import Iterator
from typing import NamedTuple

from steadyhand.core.errors import NotFound
from steadyhand.registry import bundle
from steadyhand.registry.bundle import Manifest
from steadyhand.registry.ports import PathMissing, Store


class ReleaseMissing(NotFound):
    """The registry has no such release, or several begin with these digits."""

    code = "release_missing"


class Release(NamedTuple):
    """A release, whole and verified.

    Attributes:
        digest: ``sha256:`` and 64 hex digits.
        manifest: The list of its files.
        files: Path as in a workspace → content.
    """

    digest: str
    manifest: Manifest
    files: dict[str, bytes]


class Listed(NamedTuple):
    """A release by name.

    Attributes:
        route: Of which it is one.
        short: The first hex digits of its digest.
    """

    route: str
    short: str


def listed(store: Store, route: str = "") -> list[Listed]:
    """Return the releases of ``route``, or of every route, in order of names."""
    prefix = f"{bundle.FOLDER}/{route}/" if route else f"{bundle.FOLDER}/"
    return [
        Listed(parts[1], parts[2])
        for path in store.list(prefix)
        if (parts := path.split("/"))[-1] == bundle.MANIFEST and len(parts) == 4
    ]


def find(store: Store, digest: str, route: str = "") -> Listed:
    """Return the one release whose digest begins with the hex digits of ``digest``.

    Raises:
        ReleaseMissing: None does, or several do.
    """
    digits = digest.removeprefix("sha256:").lower()
    found = sorted(set(_beginning(store, digits, route))) if len(digits) >= 4 else []
    if len(found) != 1:
        many = f"{len(found)} releases begin" if found else "no release begins"
        raise ReleaseMissing(
            f"{many} with {digits[:64]!r}", hint="steadyhand release list shows them"
        )
    return found[0]


def manifest(store: Store, one: Listed) -> tuple[str, Manifest]:
    """Return digest and manifest of a release.

    Raises:
        ReleaseMissing: The registry has none of that name.
        ReleaseDamaged: It is not what its name says.
    """
    below = f"{bundle.FOLDER}/{one.route}/{one.short}"
    try:
        content = store.get(f"{below}/{bundle.MANIFEST}").content
    except PathMissing as error:
        raise ReleaseMissing(f"there is no release {one.short} of {one.route}") from error
    known = bundle.decode(content, one.short)
    if known.route != one.route:
        raise bundle.ReleaseDamaged(
            f"release {one.short} stands below {one.route} and is one of {known.route}"
        )
    return bundle.digest_of(known), known


def read(store: Store, one: Listed) -> Release:
    """Return a release with its files, every hash verified.

    Raises:
        ReleaseMissing: The registry has none of that name.
        ReleaseDamaged: Something in it is missing or differs.
    """
    digest, known = manifest(store, one)
    below = f"{bundle.FOLDER}/{one.route}/{one.short}/files/"
    files = {path.removeprefix(below): store.get(path).content for path in store.list(below)}
    bundle.check_files(known, files)
    return Release(digest, known, files)


def _beginning(store: Store, digits: str, route: str) -> Iterator[Listed]:
    for one in listed(store, route):
        if one.short.startswith(digits[: bundle.SHORT]):
            whole = manifest(store, one)[0].removeprefix("sha256:")
            if whole.startswith(digits):
                yield one
