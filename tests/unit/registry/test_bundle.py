"""Digests and manifests."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.registry import bundle
from steadyhand.registry.bundle import (
    DigestInvalid,
    Manifest,
    ReleaseDamaged,
    ReleaseTooBig,
    changes,
    check_files,
    checked_digest,
    decode,
    digest_of,
    encode,
    folder,
    manifest_of,
    short,
)
from steadyhand.registry.paths import PathRefused

FILES = {"routes/support.toml": b"slo = 'instant'\n", "prompts/a.md": b"Be brief.\r\n"}


def test_the_digest_can_be_computed_with_a_checkout_and_sha256sum() -> None:
    prompt = hashlib.sha256(b"Be brief.\r\n").hexdigest()
    route = hashlib.sha256(b"slo = 'instant'\n").hexdigest()
    files = f'{{"prompts/a.md":"{prompt}","routes/support.toml":"{route}"}}'
    by_hand = f'{{"files":{files},"format":1,"route":"support"}}'
    manifest = manifest_of("support", FILES)
    assert encode(manifest).decode() == by_hand
    assert digest_of(manifest) == f"sha256:{hashlib.sha256(by_hand.encode()).hexdigest()}"


PATHS = st.sampled_from([f"{folder}/{name}" for folder in "abc" for name in "xyz"])


@given(st.dictionaries(PATHS, st.binary(max_size=40), max_size=6))
def test_the_order_of_files_does_not_matter_and_every_byte_does(files: dict[str, bytes]) -> None:
    digest = digest_of(manifest_of("r", files))
    assert digest_of(manifest_of("r", dict(reversed(files.items())))) == digest
    assert digest_of(manifest_of("other", files)) != digest
    for path in files:
        assert digest_of(manifest_of("r", files | {path: files[path] + b" "})) != digest
        rest = {other: content for other, content in files.items() if other != path}
        assert digest_of(manifest_of("r", rest)) != digest


def test_a_release_has_a_folder_of_its_own() -> None:
    manifest = manifest_of("support", FILES)
    below = folder("support", digest_of(manifest))
    assert below == f"releases/support/{short(digest_of(manifest))}"
    assert {change.path: change.content for change in changes(manifest, FILES)} == {
        f"{below}/bundle.json": encode(manifest),
        f"{below}/files/prompts/a.md": FILES["prompts/a.md"],
        f"{below}/files/routes/support.toml": FILES["routes/support.toml"],
    }


def test_a_manifest_is_read_back() -> None:
    manifest = manifest_of("support", FILES)
    digest = digest_of(manifest)
    assert decode(encode(manifest), digest) == manifest
    assert decode(encode(manifest), short(digest)) == manifest


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"format":1,"route":"support"}',
        b'{"files":{"../x":"00"},"format":1,"route":"support"}',
        b'{"extra":1,"files":{},"format":1,"route":"support"}',
        encode(manifest_of("support", FILES)) + b"\n",
        encode(manifest_of("support", {})),
    ],
)
def test_what_is_not_the_manifest_of_the_digest_is_damaged(content: bytes) -> None:
    with pytest.raises(ReleaseDamaged):
        decode(content, digest_of(manifest_of("support", FILES)))


@pytest.mark.parametrize(
    "files",
    [{}, FILES | {"x": b""}, {**FILES, "prompts/a.md": b"Be long."}],
)
def test_files_that_are_not_the_manifests_are_damaged(files: dict[str, bytes]) -> None:
    manifest = manifest_of("support", FILES)
    check_files(manifest, FILES)
    with pytest.raises(ReleaseDamaged):
        check_files(manifest, files)


def test_what_is_too_big_or_leaves_the_folder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PathRefused):
        manifest_of("support", {"../../etc/passwd": b""})
    monkeypatch.setattr(bundle, "MAX_FILES", 1)
    with pytest.raises(ReleaseTooBig):
        manifest_of("support", FILES)


@pytest.mark.parametrize(
    "digest", ["", "sha256:", "sha256:" + "g" * 64, "a" * 64, "sha256:" + "a" * 65]
)
def test_what_is_no_digest_is_refused(digest: str) -> None:
    with pytest.raises(DigestInvalid):
        checked_digest(digest)


def test_a_digest_passes() -> None:
    digest = digest_of(Manifest(1, "r", {}))
    assert checked_digest(digest) == digest
