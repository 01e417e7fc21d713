"""Turns a database address into a :class:`Database`; the scheme decides the backend.

Only the backend that is named is imported. One scheme, one function: a new backend is added here.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from steadyhand.core.errors import ConfigurationError
from steadyhand.storage.database import Database

BUSY_TIMEOUT_MS = 5_000


def sqlite_url(path: Path) -> str:
    """Return the address of a SQLite file."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def open_database(url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Database:
    """Open the database at ``url``: ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``.

    No connection is made yet. ``busy_timeout_ms`` is how long a statement waits for a lock that
    another connection holds.

    Raises:
        ConfigurationError: The address cannot be read, names no known backend, or its driver is
            not installed.
    """
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            "the database address cannot be read",
            hint="write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
        ) from error
    backend = address.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(address, busy_timeout_ms)
    if backend == "postgresql":
        return Database(_open_postgres(address, busy_timeout_ms))
    raise ConfigurationError(
        f"no database backend {backend!r}", hint="use sqlite:///FILE or postgresql://HOST/NAME"
    )


def _open_sqlite(url: URL, busy_timeout_ms: int) -> Database:
    if not url.database or url.database == ":memory:":
        raise ConfigurationError(
            "SQLite needs a file: a database in memory would be a different one in each thread",
            hint="write sqlite:///FILE",
        )
    engine = create_engine(url.set(drivername="sqlite+pysqlite"))
    path = url.database

    def prepare(connection: sqlite3.Connection, pooled: ConnectionPoolEntry) -> None:
        pooled.info["file"] = _file(path)
        connection.isolation_level = None  # the driver starts no transaction on its own
        connection.execute(f"PRAGMA busy_timeout = {int(busy_timeout_ms)}")
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a segment of the record log is deleted once its rows are committed, and NORMAL may
        # take a commit back at a power cut
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    def check_out(_: object, pooled: ConnectionPoolEntry, __: object) -> None:
        if pooled.info["file"] != _file(path):
            raise DisconnectionError("the database file was replaced")  # the pool opens it again

    def is_current(connection: Connection) -> bool:
        return bool(connection.info["file"] == _file(path))

    event.listen(engine, "checkout", check_out)
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return Database(engine, is_current)


def _file(path: str) -> tuple[int, int] | None:
    """Return what makes a file itself, whatever its name; ``None`` if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _open_postgres(url: URL, lock_timeout_ms: int) -> Engine:
    options: dict[str, Any] = {"options": f"-c lock_timeout={int(lock_timeout_ms)}"}
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"), connect_args=options, pool_pre_ping=True
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "the Postgres driver is not installed", hint="pip install 'psycopg[binary]'"
        ) from error
