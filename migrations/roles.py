"""What the server's own PostgreSQL role may do in a store: work with rows, change no table, and never a written entry of the log.

Run by the owner after each upgrade (`idp database upgrade --app-role NAME`), since new tables need new grants. Safe to repeat:
everything is taken from the role first, so that what it was given too much is gone as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keys.database import Database, StoreName, Transaction

ROWS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
GROWS: Final = ("SELECT", "INSERT")
MOVES: Final = ("SELECT", "INSERT", "UPDATE")

RIGHTS: Final[dict[StoreName, dict[str, Sequence[str]]]] = {
    "keys": {},
    "consent": {
        **dict.fromkeys(
            ("log_entries", "log_tiles", "log_bundles", "log_delayed", "consent_events", "consent_texts", "purpose_versions"), GROWS
        ),
        **dict.fromkeys(("log_chains", "log_checkpoints"), MOVES),
        "log_head": ("SELECT", "UPDATE"),
        "reported_reads": ("SELECT", "INSERT", "DELETE"),
    },
    "idp": {},
}
"""The tables on which the role has other rights than on rows in general; `alembic_version` it may only read, everywhere."""

FUNCTIONS: Final[dict[StoreName, Sequence[str]]] = {"keys": (), "consent": ("log_forget(bigint)",), "idp": ()}
"""Functions of the owner that the role may call."""


class RoleRefused(Exception):
    """The role cannot be the server's: it says why, and what to do."""


async def check(database: Database, role: str) -> None:
    """Refuse, before anything is changed, what cannot be the server's role here. Raises: RoleRefused, StoreUnavailable."""
    if database.dialect != "postgresql":
        raise RoleRefused("roles are PostgreSQL's: a SQLite store belongs to whoever may open its file")
    query = sa.text("SELECT rolsuper, rolname = current_user AS owner FROM pg_roles WHERE rolname = :role").bindparams(role=role)
    async with database.read() as connection:
        found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise RoleRefused(f"there is no role {role}; make it first: CREATE ROLE {_quoted(role)} LOGIN PASSWORD '…'")
    if found.rolsuper:
        raise RoleRefused(f"{role} is a superuser: no right can be taken from it. Make a plain role for the server")
    if found.owner:
        raise RoleRefused(f"{role} owns the tables: the server needs a role of its own, and --url (--consent-url, --keys-url) the owner's")


async def grant(store: StoreName, database: Database, role: str) -> None:
    """Give `role` exactly its rights in this store; the connection is the owner's, and `check` was passed. Raises: StoreUnavailable."""
    async with database.transaction() as transaction:
        for statement in await _statements(transaction, store, database.schema or "public", role):
            await transaction.execute(sa.text(statement))
        await transaction.commit()


async def may_change_entries(database: Database) -> bool:
    """Tell whether the role that is connected may change written entries of the log: the server's should not."""
    if database.dialect != "postgresql":
        return False
    query = sa.text("SELECT has_table_privilege('log_entries', 'UPDATE') OR has_table_privilege('log_entries', 'DELETE')")
    async with database.read() as connection:
        return bool((await connection.execute(query)).scalar_one())


async def _statements(transaction: Transaction, store: StoreName, schema: str, role: str) -> list[str]:
    where, to = _quoted(schema), _quoted(role)
    names = sa.text("SELECT tablename FROM pg_tables WHERE schemaname = :schema ORDER BY tablename").bindparams(schema=schema)
    tables = list((await transaction.execute(names)).scalars())
    found = [f"REVOKE ALL ON ALL {kind} IN SCHEMA {where} FROM {to}" for kind in ("TABLES", "SEQUENCES", "FUNCTIONS")]
    found += [f"REVOKE ALL ON SCHEMA {where} FROM {to}", f"GRANT USAGE ON SCHEMA {where} TO {to}"]
    for table in tables:
        rights = ("SELECT",) if table == "alembic_version" else RIGHTS[store].get(table, ROWS)
        found.append(f"GRANT {', '.join(rights)} ON {where}.{_quoted(table)} TO {to}")
    for function in FUNCTIONS[store]:
        found.append(f"REVOKE EXECUTE ON FUNCTION {where}.{function} FROM PUBLIC")
        found.append(f"GRANT EXECUTE ON FUNCTION {where}.{function} TO {to}")
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
