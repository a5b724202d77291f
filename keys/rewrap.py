"""Rewrapping: everything an old root version wraps is wrapped by the newest, while the provider runs; then the old one can be destroyed.

It can stop anywhere and go on later: what is done carries the new version, what is not carries the old one, and that is all the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keys import checkpoint_keys, keyring, signing, subject_keys
from keys.errors import RootVersionGone
from keys.store.wrapped import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keys.keyring import Keyring
    from keys.records import WrappedRow

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """How far rewrapping is: `done` of `total` values of all tables carry the root version `version`."""

    version: int
    done: int
    total: int


async def rewrap(ring: Keyring, progress: Callable[[Progress], None] | None = None, *, batch: int = BATCH) -> int:
    """Put the newest root version to use and wrap everything under it; return how many values were rewrapped.

    Short transactions of `batch` rows each; readers and writers go on. Raises: RootKeyWrong; SealBroken when the store was tampered with.
    """
    newest = await ring.adopt_root_version()
    total, done = await ring.store.wrapped.count_below(newest), 0
    for table in TABLES:
        while rows := await ring.store.wrapped.below(table, newest, batch):
            await _replace(ring, table, rows)
            done += len(rows)
            if progress is not None:
                progress(Progress(newest, done, max(total, done)))
    return done


async def destroy_old_root_versions(ring: Keyring) -> Sequence[int]:
    """Destroy every root version but the newest that wraps nothing any more, in the store and in the root key file; return them.

    From then on, backups that hold only values wrapped by them are unreadable, wherever they lie.
    """
    destroyed = []
    for known in await ring.store.roots.root_versions():
        if known.version < ring.root.current and await ring.store.wrapped.destroy_root_version(known.version):
            if ring.root.path is not None:
                ring.root.forget_version(known.version)
            destroyed.append(known.version)
    return destroyed


async def _replace(ring: Keyring, table: str, rows: Sequence[WrappedRow]) -> None:
    try:
        await ring.store.wrapped.replace(table, [(row, _rewrapped(ring, row)) for row in rows])
    except RootVersionGone:  # a still newer version was added meanwhile
        await ring.recognise()
        await ring.store.wrapped.replace(table, [(row, _rewrapped(ring, row)) for row in rows])


def _rewrapped(ring: Keyring, row: WrappedRow) -> bytes:
    purpose, ad = _PURPOSES[row.table], tuple(str(part) for part in row.key)  # every table binds its values to its primary key
    return ring.root.wrap(purpose, ad, ring.root.unwrap(purpose, ad, row.wrapped))


_PURPOSES: Final = {
    "named_secrets": keyring.PURPOSE,
    "signing_keys": signing.PURPOSE,
    "subject_keys": subject_keys.LOG,
    "data_keys": subject_keys.DATA,
    "checkpoint_keys": checkpoint_keys.PURPOSE,
}
