"""Versions of every path in SQLite, so that history never walks commits.

It holds nothing that the repository does not: it can be deleted at any time and is made again. So
it needs no durability of its own, only consistency, which WAL gives. It uses the standard library's
driver and no migrations: a file of another format is made again as well.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from steadyhand.registry.ports import Version

FORMAT: Final = "2"
_HAS_FACTS: Final = "SELECT name FROM sqlite_master WHERE name = 'fact'"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS made (id INTEGER PRIMARY KEY, commit_id TEXT NOT NULL,
    author TEXT NOT NULL, time_s INTEGER NOT NULL, subject TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS version (path TEXT NOT NULL, number INTEGER NOT NULL,
    blob TEXT NOT NULL, made INTEGER NOT NULL, PRIMARY KEY (path, number)) WITHOUT ROWID;
"""


class Indexed(tuple[str, str, int, str, tuple[tuple[str, str], ...]]):
    """A commit for the index: id, author, time, subject, and its (path, blob) pairs."""

    __slots__ = ()


class Index:
    """The index of one repository. Not safe beside other threads; each process opens its own."""

    def __init__(self, path: Path) -> None:
        """Take the file; nothing is opened before it is used."""
        self._path = path
        self._opened: sqlite3.Connection | None = None

    def head(self) -> str:
        """Return the commit that it reaches to; empty if it holds nothing."""
        return self._fact("head")

    def add(self, commits: Iterable[Indexed], head: str, *, since: str, anew: bool = False) -> bool:
        """Take ``commits``, the oldest first, up to ``head``; all of them or none.

        Readers of several processes may find at once that it lags. Each does the work; the first to
        end it counts, and the others are told.

        Args:
            commits: As :func:`steadyhand.registry.git.walking.indexed` makes them.
            head: Id of the last one.
            since: What it reached to when ``commits`` were looked for.
            anew: Whether to forget everything before.

        Returns:
            Whether it was still at ``since``; else nothing has changed.
        """
        database = self._database()
        database.execute("BEGIN IMMEDIATE")
        with database:
            if self.head() != since:
                return False
            if anew:
                database.execute("DELETE FROM version")
                database.execute("DELETE FROM made")
            for commit_id, author, time_s, subject, changes in commits:
                made = database.execute(
                    "INSERT INTO made (commit_id, author, time_s, subject) VALUES (?, ?, ?, ?)",
                    (commit_id, author, time_s, subject),
                ).lastrowid
                database.executemany(
                    "INSERT INTO version SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3 "
                    "FROM version WHERE path = ?1",
                    [(path, blob, made) for path, blob in changes],
                )
            database.execute("REPLACE INTO fact VALUES ('head', ?)", (head,))
        return True

    def remove(self) -> None:
        """Remove the file: it cannot be read."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def versions(self, path: str, limit: int) -> Sequence[Version]:
        """Return the versions of ``path``, newest first."""
        rows = self._database().execute(
            "SELECT v.blob, m.commit_id, m.author, m.time_s, m.subject, v.number "
            "FROM version v JOIN made m ON m.id = v.made WHERE v.path = ? "
            "ORDER BY v.number DESC LIMIT ?",
            (path, limit),
        )
        return [Version(path, *row) for row in rows]

    def count(self) -> tuple[int, int]:
        """Return how many commits and versions it holds."""
        database = self._database()
        (commits,) = database.execute("SELECT COALESCE(MAX(id), 0) FROM made").fetchone()
        (versions,) = database.execute("SELECT COUNT(*) FROM version").fetchone()
        return commits, versions

    def close(self) -> None:
        """Close the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _fact(self, name: str) -> str:
        row = self._database().execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return "" if row is None else str(row[0])

    def _database(self) -> sqlite3.Connection:
        if self._opened is None:
            try:
                self._opened = self._open()
            except sqlite3.DatabaseError:  # cut short, of another format, no database at all
                self.remove()
                self._opened = self._open()
        return self._opened

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(
            self._path, timeout=30.0, check_same_thread=False, isolation_level=None
        )
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")
            known = database.execute(_HAS_FACTS).fetchone()
            if known is None:
                database.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
                database.execute("REPLACE INTO fact VALUES ('format', ?)", (FORMAT,))
            row = database.execute("SELECT value FROM fact WHERE name = 'format'").fetchone()
            if row is None or row[0] != FORMAT:
                raise sqlite3.DatabaseError("the index has another format")
        except BaseException:
            database.close()
            raise
        return database
