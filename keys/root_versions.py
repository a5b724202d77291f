"""Recognising the root keys: what this keys store was written with is at hand, and which version wraps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from keys.errors import RootKeyWrong, SealBroken

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from keys.custody import RootKeys
    from keys.records import RootVersion
    from keys.store import KeyStore

PURPOSE: Final = "root-check"
_CHECK: Final = b"gerbang root key check"


async def recognise(store: KeyStore, root: RootKeys) -> None:
    """Check every version the store uses against the root keys, and let the greatest of them wrap; an empty store takes the newest.

    Raises: RootKeyWrong(version) when a version is missing or is another key.
    """
    known = await store.roots.root_versions() or await _registered(store, root)
    while (wrong := _wrong(root, known)) is not None:
        # Store and file cannot be read as one. A version that was destroyed left the store before the file: ask the store again.
        before, known = known, await store.roots.root_versions()
        if known == before:
            raise wrong
    root.use(known[-1].version)


async def adopt(store: KeyStore, root: RootKeys) -> None:
    """Let the newest root version at hand wrap from now on, in every process. Each machine must have it by then.

    Raises: RootKeyWrong(version).
    """
    await recognise(store, root)
    if root.newest > root.current:
        await _registered(store, root)
        await recognise(store, root)


async def _registered(store: KeyStore, root: RootKeys) -> Sequence[RootVersion]:
    """Register the newest version before it first wraps anything; another process may have registered another key under its number."""
    root.use(root.newest)
    await store.roots.add_root_version(root.newest, root.wrap(PURPOSE, (), _CHECK))
    return await store.roots.root_versions()


def _wrong(root: RootKeys, known: Sequence[RootVersion]) -> RootKeyWrong | None:
    """Give what is wrong with the first version that is; a version that is not at hand has been looked for in the file anew."""
    for version in known:
        try:
            root.unwrap(PURPOSE, (), version.check_value)
        except SealBroken:
            return RootKeyWrong(version.version)
        except RootKeyWrong as wrong:
            return wrong
    return None


async def bind(store: KeyStore, root: RootKeys) -> None:
    """Bind a keys store that is still empty to the root key at hand; what is bound already stays as it is."""
    if not await store.roots.root_versions():
        await _registered(store, root)


async def destroyed_by(store: KeyStore, lifetime: dt.timedelta, now: dt.datetime) -> dt.datetime:
    """Tell when the version that wraps now, and all before it, are destroyed at the latest, if root keys live no longer than `lifetime`.

    design.md §4: "that date is told in the erasure notice, since older backups die with it".
    When the rotation is overdue: one lifetime from now.
    """
    known = await store.roots.root_versions()
    due = (known[-1].created_at if known else now) + lifetime
    return due if due > now else now + lifetime
