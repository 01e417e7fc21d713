"""The database's schema, as numbered steps that are never edited once released.

Alembic's operations and version table are used directly: no ``alembic.ini``, no environment script.
Revision files are packaged, so an installed wheel can upgrade its own database.
"""

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from steadyhand.core.errors import ConfigurationError
from steadyhand.storage.database import Database

VERSION_TABLE = "schema_version"


def upgrade(database: Database, to: str = "heads") -> list[str]:
    """Bring the schema to this version, all steps or none; return the revisions applied.

    To be run at every start. ``to`` names an earlier step, as tests need it.

    Raises:
        ConfigurationError: The schema is of a later version of Steadyhand.
        DatabaseUnavailable: The backend failed; the schema is as it was.
    """
    here = Path(__file__).parent
    scripts = ScriptDirectory(str(here), version_locations=[str(here / "versions")])
    with database.write() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        current = context.get_current_revision()
        known = {script.revision for script in scripts.walk_revisions()}
        if current is not None and current not in known:
            raise ConfigurationError(
                f"the database is at schema {current}, which this version does not know",
                hint="run the version of Steadyhand that upgraded it, or a later one",
            )
        pending = [*scripts.iterate_revisions(to, current or "base")][::-1]
        with Operations.context(context):
            for script in pending:
                script.module.upgrade()
                context.stamp(scripts, script.revision)
    return [script.revision for script in pending]
