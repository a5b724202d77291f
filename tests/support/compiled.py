"""Statements that this process has compiled: SQLAlchemy keeps them per engine, and every test opens three engines of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.util import LRUCache

from keys import database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

STATEMENTS = 5000


class _Compiled(LRUCache[Any, Any]):
    """By the kind of database in place of the engine's own dialect object: all engines of a kind speak to the same server or library."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        super().__setitem__((type(key[0]), *key[1:]), value)


def share() -> None:
    """Let every engine that `keys.database` opens from now on use one cache."""
    compiled, create = _Compiled(STATEMENTS), database.create_async_engine

    def sharing(*arguments: Any, **more: Any) -> AsyncEngine:
        engine = create(*arguments, **more)
        engine.sync_engine._compiled_cache = compiled  # type: ignore[assignment]
        return engine

    database.create_async_engine = sharing
