"""The registry as it was before a commit, for the service to decide on; nothing is written."""

from collections.abc import Mapping, Sequence

from steadyhand.registry.ports import Author, Change, Expected, Found, PathMissing, Store, Version


class Before:
    """The state before a commit, as the service reads it: a store that keeps what it would write.

    See :class:`steadyhand.registry.ports.Store`.

    Attributes:
        made: What the service has committed.
        message: With which message.
    """

    def __init__(self, store: Store, parent: str, versions: Mapping[str, list[Version]]) -> None:
        """Read ``store`` at ``parent``.

        ``versions`` are those that commits after its branch have made, by path, the newest first.
        """
        self._store = store
        self._parent = parent
        self._versions = versions
        self.made: Sequence[Change] = ()
        self.message = ""

    def head(self) -> str:
        """See :class:`steadyhand.registry.ports.Store`."""
        return self._parent

    def get(self, path: str, at: str = "") -> Found:
        """See :class:`steadyhand.registry.ports.Store`."""
        if not (at or self._parent):
            raise PathMissing(f"the registry has no {path}")
        return self._store.get(path, at or self._parent)

    def list(self, prefix: str, at: str = "") -> list[str]:
        """See :class:`steadyhand.registry.ports.Store`."""
        return self._store.list(prefix, at or self._parent) if at or self._parent else []

    def history(self, path: str, *, limit: int = 100) -> Sequence[Version]:
        """See :class:`steadyhand.registry.ports.Store`."""
        newer = self._versions.get(path, [])
        return [*newer, *self._store.history(path, limit=limit)][:limit]

    def commit(
        self,
        changes: Sequence[Change],
        *,
        message: str,
        author: Author,
        expected: Sequence[Expected] = (),
    ) -> str:
        """Keep ``changes``."""
        del author, expected
        self.made, self.message = changes, message
        return "made"
