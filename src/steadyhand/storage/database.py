"""A SQL database: SQLite or Postgres, spoken to in the subset that both share."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from steadyhand.core.errors import SteadyhandError


class DatabaseUnavailable(SteadyhandError):
    """The database did not do what was asked; nothing of it was kept."""

    code, status, retryable = "database_unavailable", 503, True


class DatabaseReplaced(DatabaseUnavailable):
    """The file that was written to is not the database any more: deleted, or another is there."""

    code = "database_replaced"


class Database:
    """Hands out transactions. Stores keep their statements; this keeps the connections.

    Safe to share between threads. Every call may block for as long as the backend's lock time-out.
    """

    def __init__(
        self, engine: Engine, is_current: Callable[[Connection], bool] = lambda _: True
    ) -> None:
        """Take an engine from :func:`steadyhand.storage.open.open_database`.

        ``is_current`` tells whether a connection still leads to what the address names.
        """
        self.engine = engine
        self._is_current = is_current
        self._writing = engine.execution_options(writes=True)
        self._driver_error: type[Exception] = engine.dialect.loaded_dbapi.Error

    def read(self) -> AbstractContextManager[Connection]:
        """Run the block in one transaction that sees one moment of the database.

        Raises:
            DatabaseUnavailable: The backend is locked, full, gone or not set up.
        """
        return self._transaction(self.engine)

    def write(self) -> AbstractContextManager[Connection]:
        """Run the block in one transaction: committed at its end, rolled back if it raises.

        SQLite takes its one write lock at once, so a reading at the top still holds at the end.

        Raises:
            DatabaseUnavailable: As for ``read``; nothing of the block is kept.
            DatabaseReplaced: The block was committed to a file that is gone from its place.
        """
        return self._transaction(self._writing)

    @property
    def name(self) -> str:
        """The database's address without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close every idle connection."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.connect() as connection:
                with connection.begin():
                    yield connection
                is_current = engine is not self._writing or self._is_current(connection)
        except (SQLAlchemyError, self._driver_error) as error:
            cause = getattr(error, "orig", None) or error
            raise DatabaseUnavailable(
                f"database {self.name} failed: {str(cause).partition(chr(10))[0]}",
                hint="check that it is reachable, not full, and not locked by another program",
            ) from error
        if not is_current:
            self.engine.dispose()
            raise DatabaseReplaced(
                f"database {self.name} was deleted or replaced while it was written to",
                hint="stop steadyhand before you move its database, or copy with VACUUM INTO",
            )
