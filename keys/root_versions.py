"""Recognising the root keys: what this keys store was written with is at hand, and the newest version is known to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from keys.errors import RootKeyWrong, SealBroken

if TYPE_CHECKING:
    from keys.custody import RootKeys
    from keys.records import RootVersion
    from keys.store import KeyStore

PURPOSE: Final = "root-check"
_CHECK: Final = b"gerbang root key check"


async def recognise(store: KeyStore, root: RootKeys) -> None:
    """Check every version the store uses against the root keys, and register the newest one before it first wraps anything.

    Raises: RootKeyWrong(version) when a version is missing or is another key.
    """
    known = await store.roots.root_versions()
    for version in known:
        _check(root, version)
    if root.newest in {version.version for version in known}:
        return
    await store.roots.add_root_version(root.newest, root.wrap(PURPOSE, (), _CHECK))
    for version in await store.roots.root_versions():  # another process may have registered another key under this number
        _check(root, version)


def _check(root: RootKeys, version: RootVersion) -> None:
    try:
        root.unwrap(PURPOSE, (), version.check_value)
    except SealBroken:
        raise RootKeyWrong(version.version) from None
