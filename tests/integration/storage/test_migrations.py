"""The schema comes to this version from nothing, once, all or none."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from steadyhand.alerting import tables as alerting
from steadyhand.caching import store as caching
from steadyhand.core.errors import ConfigurationError
from steadyhand.evals.grounding import tables as grounding
from steadyhand.objectives import tables as objectives
from steadyhand.records.tables import metadata
from steadyhand.rollouts import tables as rollouts
from steadyhand.storage.database import Database, DatabaseUnavailable
from steadyhand.storage.migrations import VERSION_TABLE, upgrade
from steadyhand.storage.open import open_database, sqlite_url

LATER = {"version_num": "9999"}

ALL = (
    alerting.metadata,
    caching.metadata,
    grounding.metadata,
    metadata,
    objectives.metadata,
    rollouts.metadata,
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(sqlite_url(tmp_path / "x.db"))


def tables(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(sa.inspect(connection).get_table_names())


def test_it_is_applied_once(database: Database) -> None:
    assert upgrade(database) == [
        "0001",
        "0002",
        "0003",
        "0004",
        "0005",
        "0006",
        "0007",
        "0008",
        "0009",
    ]
    assert upgrade(database) == []
    own = [
        "alert_hints",
        "alert_messages",
        "alerts_told",
        "annotations",
        "cache_entries",
        "drains",
        "exposure_numbers",
        "exposures",
        "grounding_samples",
        "incidents",
        "intents",
        "leases",
        "objective_counts",
        "outbox",
        "records",
        "rollout_looks",
        "rollouts",
        "shipments",
    ]
    assert tables(database) == sorted([*own, VERSION_TABLE])


def test_the_schema_is_the_one_that_the_stores_expect(database: Database) -> None:
    upgrade(database)
    expected = sa.MetaData()
    for each in ALL:
        for table in each.tables.values():
            table.to_metadata(expected)
    with database.read() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, expected) == []


def test_a_later_schema_is_refused_and_left_alone(database: Database) -> None:
    upgrade(database)
    with database.write() as connection:
        connection.execute(sa.update(sa.table(VERSION_TABLE, sa.column("version_num"))), LATER)
    with pytest.raises(ConfigurationError, match=r"schema 9999.* a later one"):
        upgrade(database)


def test_a_step_that_fails_leaves_the_schema_as_it_was(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE shipments (in_the_way INTEGER)")
    with pytest.raises(DatabaseUnavailable, match="shipments"):
        upgrade(database)
    assert tables(database) == ["shipments"]
