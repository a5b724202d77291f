"""What SQLite and PostgreSQL say differently. Only the one that is used is loaded: the other's dialect would take 2 MB of each process."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.types import TypeEngine

    Inserting = Callable[[sa.Table], sqlite.Insert | postgresql.Insert]

DialectName = Literal["sqlite", "postgresql"]


def inserting(dialect: DialectName) -> Inserting:
    """Give the function that begins an INSERT which can say ON CONFLICT: both databases have it, SQL's standard has not."""
    found: Inserting = importlib.import_module(f"sqlalchemy.dialects.{dialect}").insert
    return found


def postgresql_type(kind: TypeEngine[Any]) -> str:
    """Name a column's type as PostgreSQL does."""
    return str(kind.compile(dialect=importlib.import_module("sqlalchemy.dialects.postgresql").dialect()))


def partial(condition: str) -> dict[str, str]:
    """Say, as an index's `info`, which rows alone are in it.

    Migrations make the index and its WHERE; `postgresql_where` beside it would only load that dialect in a process that has none.
    """
    return {"where": condition}
