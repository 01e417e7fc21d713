"""Releases in a real repository, found and verified."""

import pytest

from steadyhand.registry import bundle
from steadyhand.registry.bundle import ReleaseDamaged
from steadyhand.registry.git.store import GitStore
from steadyhand.registry.ports import Author, Change
from steadyhand.registry.reading import Listed, ReleaseMissing, find, listed, read

FILES = {"routes/support.toml": b"slo = 'instant'\n"}


def put(store: GitStore, route: str, files: dict[str, bytes]) -> str:
    """Put a release."""
    manifest = bundle.manifest_of(route, files)
    store.commit(bundle.changes(manifest, files), message="m", author=Author("a"))
    return bundle.digest_of(manifest)


def test_a_release_is_found_by_its_first_digits(store: GitStore) -> None:
    digest = put(store, "support", FILES)
    put(store, "other", {"routes/other.toml": b""})
    one = Listed("support", bundle.short(digest))
    assert listed(store, "support") == [one]
    assert len(listed(store)) == 2
    for given in (digest, digest[:30], bundle.short(digest), bundle.short(digest)[:6]):
        assert find(store, given) == one
    assert read(store, one) == (digest, bundle.manifest_of("support", FILES), FILES)


@pytest.mark.parametrize("given", ["", "sha256:", "abc", "0000000000", f"sha256:{0:064}", "../.."])
def test_what_names_no_release_is_not_found(store: GitStore, given: str) -> None:
    put(store, "support", FILES)
    with pytest.raises(ReleaseMissing):
        find(store, given)


def test_a_release_with_another_file_is_damaged(store: GitStore) -> None:
    digest = put(store, "support", FILES)
    one = find(store, digest)
    below = bundle.folder("support", digest)
    store.commit(
        [Change(f"{below}/files/routes/support.toml", b"slo = 'batch'\n")],
        message="m",
        author=Author("mallory"),
    )
    with pytest.raises(ReleaseDamaged, match=r"routes/support\.toml"):
        read(store, one)


def test_a_release_below_another_route_is_damaged(store: GitStore) -> None:
    manifest = bundle.manifest_of("support", FILES)
    digits = bundle.short(bundle.digest_of(manifest))
    store.commit(
        [Change(f"releases/other/{digits}/bundle.json", bundle.encode(manifest))],
        message="m",
        author=Author("mallory"),
    )
    with pytest.raises(ReleaseDamaged, match="is one of support"):
        read(store, Listed("other", digits))
