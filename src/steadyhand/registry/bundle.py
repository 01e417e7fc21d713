"""What a release is: the files that shape a route's answers, under one digest. Pure.

The digest is taken over a manifest of the files' own hashes, and the manifest holds nothing else:
no time, no author, no version number. So the same content has the same digest on every machine,
and whoever has a checkout can compute it with ``sha256sum``. The form is canonical JSON: keys in
order, no blanks, UTF-8.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from steadyhand.core.errors import InvalidRequest
from steadyhand.registry.paths import checked_path
from steadyhand.registry.ports import Change

FORMAT: Final = 1
SHORT: Final = 16
"""Hex digits that name a release's folder."""

MAX_FILES: Final = 20_000
MAX_BYTES: Final = 64 << 20
FOLDER: Final = "releases"
MANIFEST: Final = "bundle.json"
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")


class ReleaseDamaged(InvalidRequest):
    """A release in the registry is not what its digest says; it is not served."""

    code, status = "release_damaged", 409


class ReleaseTooBig(InvalidRequest):
    """The files of a release are more, or larger, than one may have."""

    code, status = "release_too_big", 413


class DigestInvalid(InvalidRequest):
    """What was given is no digest: ``sha256:`` and 64 hex digits."""

    code = "digest_invalid"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The list of what is in a release.

    Attributes:
        format: Of this list.
        route: Name of the route that it answers for.
        files: Path as in a workspace → SHA-256 of the content in hex.
    """

    format: int
    route: str
    files: dict[str, str]


def manifest_of(route: str, files: Mapping[str, bytes]) -> Manifest:
    """Return the manifest of ``files``.

    Raises:
        ReleaseTooBig: More than :data:`MAX_FILES` or :data:`MAX_BYTES`.
        PathRefused: A path that the registry does not take.
    """
    size = sum(map(len, files.values()))
    if len(files) > MAX_FILES or size > MAX_BYTES:
        raise ReleaseTooBig(
            f"{len(files):,} files of {size:,} bytes are more than a release may have",
            hint=f"at most {MAX_FILES:,} files and {MAX_BYTES:,} bytes",
        )
    hashes = {
        checked_path(path): hashlib.sha256(content).hexdigest() for path, content in files.items()
    }
    return Manifest(FORMAT, route, hashes)


def encode(manifest: Manifest) -> bytes:
    """Return the canonical JSON of ``manifest``: what the digest is over."""
    return msgspec.json.encode(manifest, order="sorted")


def digest_of(manifest: Manifest) -> str:
    """Return ``sha256:`` and the hex hash of ``manifest``."""
    return f"sha256:{hashlib.sha256(encode(manifest)).hexdigest()}"


def checked_digest(digest: str) -> str:
    """Return ``digest`` if it is one.

    Raises:
        DigestInvalid: It is not.
    """
    if _DIGEST.match(digest) is None:
        raise DigestInvalid(
            f"{digest[:80]!r} is no digest", hint="steadyhand release list shows them"
        )
    return digest


def short(digest: str) -> str:
    """Return the first :data:`SHORT` hex digits of ``digest``."""
    return digest.removeprefix("sha256:")[:SHORT]


def folder(route: str, digest: str) -> str:
    """Return the registry's folder of a release."""
    return f"{FOLDER}/{route}/{short(digest)}"


def changes(manifest: Manifest, files: Mapping[str, bytes]) -> tuple[Change, ...]:
    """Return what puts a release into the registry."""
    below = folder(manifest.route, digest_of(manifest))
    return (
        Change(f"{below}/{MANIFEST}", encode(manifest)),
        *(Change(f"{below}/files/{path}", files[path]) for path in sorted(files)),
    )


def decode(content: bytes, digest: str) -> Manifest:
    """Return the manifest that ``digest`` stands for.

    Args:
        content: Of a ``bundle.json``.
        digest: Whole, or its first hex digits.

    Raises:
        ReleaseDamaged: It is not a manifest, or not that one.
    """
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
        for path in manifest.files:
            checked_path(path)
    except (msgspec.DecodeError, InvalidRequest) as error:
        raise ReleaseDamaged(f"release {short(digest)} has no usable manifest: {error}") from error
    found = digest_of(manifest).removeprefix("sha256:")
    if encode(manifest) != content or not found.startswith(digest.removeprefix("sha256:")):
        raise ReleaseDamaged(
            f"release {short(digest)} has the manifest of {found[:SHORT]}",
            hint="put the release again: steadyhand release create",
        )
    return manifest


def check_files(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Check that ``files`` are those of ``manifest``, none missing, none more.

    Raises:
        ReleaseDamaged: They are not.
    """
    wrong = sorted(
        path
        for path in manifest.files.keys() | files.keys()
        if path not in files or hashlib.sha256(files[path]).hexdigest() != manifest.files.get(path)
    )
    if wrong:
        raise ReleaseDamaged(
            f"release {short(digest_of(manifest))} has another {wrong[0]} than its manifest says",
            hint="put the release again: steadyhand release create",
        )
