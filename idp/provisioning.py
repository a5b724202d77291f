"""Bringing the three stores to the newest revision, and making the root key together with the first keys store."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from idp.composition import open_stores, root_keys
from keys import root_versions
from keys.custody import RootKeys
from keys.errors import RootKeyMissing
from keys.store import KeyStore
from migrations import carried, roles, standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.settings import Settings
    from keys.database import Database, StoreName


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one store stands. `revision` is None when it was never migrated."""

    store: StoreName
    revision: str | None
    newest: str

    @property
    def current(self) -> bool:
        """Whether the program can use it."""
        return self.revision == self.newest


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did: the revisions applied to each store, and the root key file when it was made."""

    applied: dict[StoreName, Sequence[str]]
    root_key_made: Path | None


async def standings(settings: Settings) -> Sequence[Standing]:
    """Say where each store stands. Raises: StoreUnavailable."""
    found = []
    for name, store in open_stores(settings).items():
        try:
            revision = await standing.standing(store)
        finally:
            await store.close()
        found.append(Standing(name, revision, standing.newest(name)))
    return found


async def embedded_is_empty(settings: Settings) -> bool:
    """Whether nothing is there yet: a first start on the embedded default."""
    return all(found.revision is None for found in await standings(settings))


async def upgrade(settings: Settings, app_role: str | None = None) -> Upgraded:
    """Apply what is missing to each store. A keys store that starts from nothing gets a new root key file, unless a root key is there.

    `app_role`: the PostgreSQL role of the server, which gets its rights anew. Raises: StoreUnavailable, RoleRefused,
    RootKeyLoose, RootKeyMalformed.
    """
    if app_role is not None:
        await _check_role(settings, app_role)
    if settings.embedded:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    applied: dict[StoreName, Sequence[str]] = {}
    made: Path | None = None
    stores = open_stores(settings)
    try:
        for name in ("consent", "keys", "idp"):  # what the idp store gives away needs its place first
            store = stores[name]
            if name == "keys" and await standing.standing(store) is None:
                made = _make_root_key(settings)
            if name == "idp":
                await carried.freezes(store, stores["consent"])
            applied[name] = await _upgrade(name, store)
            if name == "keys":
                await _bind(settings, store)
            if app_role is not None:
                await roles.grant(name, store, app_role)
    finally:
        for store in stores.values():
            await store.close()
    return Upgraded(applied, made)


async def _check_role(settings: Settings, role: str) -> None:
    for store in open_stores(settings).values():
        try:
            await roles.check(store, role)
        finally:
            await store.close()


async def _upgrade(name: StoreName, store: Database) -> Sequence[str]:
    from migrations.upgrade import upgrade as apply  # noqa: PLC0415 - alembic takes a third of a second to import

    _make_file(store)
    return await apply(name, store)


async def _bind(settings: Settings, store: Database) -> None:
    """Bind a first keys store to its root key now: a root key put in its place before the first start would be taken for it."""
    with contextlib.suppress(RootKeyMissing):  # an upgrade from a machine without it; the first start binds it then
        await root_versions.bind(KeyStore(store), root_keys(settings))


def _make_file(store: Database) -> None:
    """Make a SQLite file that its user alone can read; SQLite gives its WAL the same mode."""
    if store.absent:
        Path(store.url.database or "").touch(mode=0o600)


def _make_root_key(settings: Settings) -> Path | None:
    path = settings.root_key_file
    if settings.root_key or path.exists():
        return None
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    RootKeys.create_file(path)
    return path
