"""A SQL database: SQLite or Postgres, spoken to in the subset that both share."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from steadyhand.core.errors import SteadyhandError


class DatabaseUnavailable(SteadyhandError):
    """The database did not do what was asked; nothing of it was kept."""

    code, status, retryable = "database_unavailable", 503, True


class Database:
    """Hands out transactions. Stores keep their statements; this keeps the connections.

    Safe to share between threads. Every call may block for as long as the backend's lock time-out.
    """

    def __init__(self, engine: Engine) -> None:
        """Take an engine from :func:`steadyhand.storage.open.open_database`."""
        self.engine = engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run one transaction: committed when the block ends, rolled back if it raises.

        Raises:
            DatabaseUnavailable: The backend is locked, full, gone or not set up. Retryable.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise DatabaseUnavailable(
                f"database {self.name} failed: {_first_line(error)}",
                hint="check that it is reachable, not full, and not locked by another program",
            ) from error

    @property
    def name(self) -> str:
        """The database's address without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close every idle connection."""
        self.engine.dispose()


def _first_line(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).partition("\n")[0]
