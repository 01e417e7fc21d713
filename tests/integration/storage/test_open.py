"""A database address becomes a database, or an error that says what to write."""

import re
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from steadyhand.core.errors import ConfigurationError
from steadyhand.storage.database import DatabaseUnavailable
from steadyhand.storage.open import open_database, sqlite_url


def test_sqlite_is_opened_for_many_readers_and_one_writer(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path / "a file.db"), busy_timeout_ms=123)
    with database.read() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        ]
    assert found == ["wal", 2, 123, 1]
    assert (tmp_path / "a file.db").exists()
    database.close()


def test_a_block_that_raises_leaves_nothing(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path / "x.db"))
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")

    def insert_and_fail() -> None:
        with database.write() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")
            connection.exec_driver_sql("CREATE TABLE u (n INTEGER)")
            raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        insert_and_fail()
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
        assert sa.inspect(connection).get_table_names() == ["t"]
    database.close()


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("steadyhand.db", "sqlite:///FILE"),
        ("sqlite://", "sqlite:///FILE"),
        ("sqlite:///:memory:", "sqlite:///FILE"),
        ("mysql://localhost/x", "postgresql://"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_a_hint(url: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_database(url)
    assert hint in caught.value.hint


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"Postgres driver .*pip install"):
        open_database("postgresql://me:secret@localhost/x")


def test_a_file_that_cannot_be_made_is_told_without_secrets(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path / "absent" / "x.db"))
    with pytest.raises(DatabaseUnavailable, match=re.escape("unable to open")), database.read():
        pass
    assert DatabaseUnavailable.retryable
    assert database.name.startswith("sqlite+pysqlite:///")


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"something else entirely, and long enough to be looked at" * 100)
    database = open_database(sqlite_url(path))
    with pytest.raises(DatabaseUnavailable, match="not a database"), database.read():
        pass
