"""Bring a store to the newest revision, or say where it stands. Alembic is imported here only: no server needs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from keys.database import Database, StoreName

HERE = Path(__file__).parent


def _script(store: StoreName) -> tuple[Config, ScriptDirectory]:
    config = Config()
    config.set_main_option("script_location", str(HERE / store))
    config.set_main_option("path_separator", "os")
    return config, ScriptDirectory.from_config(config)


def newest(store: StoreName) -> str:
    """Give the newest revision this program knows."""
    return _script(store)[1].get_current_head() or ""


async def upgrade(store: StoreName, database: Database) -> Sequence[str]:
    """Apply what is missing, in one transaction on PostgreSQL; return the applied revisions, oldest first."""
    applied: list[str] = []

    def run(connection: Connection) -> None:
        config, script = _script(store)

        def steps(revision: object, context: MigrationContext) -> list[object]:
            del context
            found = script._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001 - the hook alembic documents for env.py
            applied.extend(step.revision.revision for step in found)
            return list(found)

        with EnvironmentContext(config, script, fn=steps) as environment:
            environment.configure(connection=connection)
            with environment.begin_transaction():
                environment.run_migrations()

    async with database.transaction() as transaction:
        if database.schema is not None:
            await transaction.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{database.schema}"'))
        await transaction.connection.run_sync(run)
        await transaction.commit()
    return applied


async def current(database: Database) -> str | None:
    """Give the revision a store stands at; None when it was never migrated."""
    async with database.read() as connection:
        return await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())
