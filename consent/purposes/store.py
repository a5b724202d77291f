"""Purpose declarations and their versions: the only file that speaks SQL about them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from consent.errors import PurposeRefused
from consent.purposes.declaration import build, content_hash, is_id, parse
from consent.purposes.tables import purpose_versions

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from consent.records import Purpose
    from keys.database import Database

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

CACHE_SECONDS: Final = 30.0
_MOST_CACHED: Final = 4096

_ALL = sa.select(purpose_versions).order_by(purpose_versions.c.purpose, purpose_versions.c.version)
_NEWEST = (
    sa.select(purpose_versions).where(purpose_versions.c.purpose == sa.bindparam("id")).order_by(purpose_versions.c.version.desc()).limit(1)
)
_ONE = sa.select(purpose_versions).where(
    purpose_versions.c.purpose == sa.bindparam("id"), purpose_versions.c.version == sa.bindparam("number")
)


class Purposes:
    """The declarations of one city. A version, once declared, never changes; the newest one is remembered for at most 30 s."""

    def __init__(self, database: Database, clock: Callable[[], dt.datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._newest: dict[str, tuple[float, Purpose | None]] = {}
        self._versions: dict[tuple[str, int], Purpose] = {}

    async def add(self, toml_text: str) -> Purpose:
        """Declare a purpose: the same content again gives the same version, changed content the next one.

        Raises: PurposeRefused, naming the field.
        """
        content = parse(toml_text)
        while True:
            purpose = await self._add(content)
            if purpose is not None:
                self._newest[purpose.id] = (self._monotonic(), purpose)
                return purpose

    async def get(self, purpose: str, version: int | None = None) -> Purpose | None:
        """Find a version, the newest if none is named; None when there is no such declaration."""
        if not is_id(purpose):
            return None
        return await (self._get_newest(purpose) if version is None else self._get_version(purpose, version))

    async def list(self) -> Sequence[Purpose]:
        """Give the newest version of every purpose, by id."""
        async with self._database.read() as connection:
            rows = (await connection.execute(_ALL)).all()
        return [*{row.purpose: _purpose(row) for row in rows}.values()]

    async def versions(self, purpose: str) -> Sequence[Purpose]:
        """Give every version of one purpose, oldest first."""
        async with self._database.read() as connection:
            rows = (await connection.execute(_ALL.where(purpose_versions.c.purpose == purpose))).all()
        return [_purpose(row) for row in rows]

    async def _add(self, content: dict[str, Any]) -> Purpose | None:
        """Insert after the newest version; None when another process was quicker."""
        digest = content_hash(content)
        newest = await self._read(_NEWEST, {"id": content["id"]})
        if newest is not None and newest.text_hash == digest:
            return newest
        if newest is not None and newest.agency != content["agency"]:
            raise PurposeRefused("agency", f"{newest.id} was declared by {newest.agency}: another agency needs another id")
        version, declared_at = (newest.version + 1 if newest else 1), self._clock()
        row = {
            "purpose": content["id"],
            "version": version,
            "content": json.dumps(content, ensure_ascii=False, sort_keys=True),
            "content_hash": digest,
            "declared_at": declared_at,
        }
        try:
            async with self._database.statement() as connection:
                await connection.execute(sa.insert(purpose_versions), row)
        except IntegrityError:
            return None
        return build(content, version, declared_at)

    async def _get_newest(self, purpose: str) -> Purpose | None:
        read_at, found = self._newest.get(purpose, (float("-inf"), None))
        if self._monotonic() - read_at < CACHE_SECONDS:
            return found
        found = await self._read(_NEWEST, {"id": purpose})
        _bounded(self._newest)[purpose] = (self._monotonic(), found)
        return found

    async def _get_version(self, purpose: str, version: int) -> Purpose | None:
        found = self._versions.get((purpose, version))
        if found is None:
            found = await self._read(_ONE, {"id": purpose, "number": version})
            if found is not None:
                _bounded(self._versions)[purpose, version] = found
        return found

    async def _read(self, query: sa.Select[Any], parameters: dict[str, object]) -> Purpose | None:
        async with self._database.read() as connection:
            row = (await connection.execute(query, parameters)).first()
        return None if row is None else _purpose(row)


def _bounded(cache: dict[_Key, _Value]) -> dict[_Key, _Value]:
    """Empty a cache that strangers' made-up ids filled."""
    if len(cache) >= _MOST_CACHED:
        cache.clear()
    return cache


def _purpose(row: sa.Row[Any]) -> Purpose:
    return build(json.loads(row.content), row.version, row.declared_at)
