"""The keyring: everything of this package that needs the root key and the keys store, opened together."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Self

from keys.algorithms import ENCRYPTION, SIGNING, AsymmetricKey, generate
from keys.blind_index import KINDS, BlindIndex
from keys.checkpoint_keys import CheckpointKeys
from keys.digests import Digests
from keys.errors import RootVersionGone
from keys.pairwise import Pairwise
from keys.passwords import PasswordCost, Passwords
from keys.root_versions import adopt, recognise
from keys.rotation import Lifetimes
from keys.secrets import Secrets
from keys.signing import SigningKeys
from keys.store import KeyStore
from keys.subject_keys import SubjectKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from keys.custody import RootKeys
    from keys.database import Database
    from keys.ring import SigningKey

PURPOSE: Final = "named-secret"
NAMES: Final = ("digests", "secrets", "pairwise", "forms", "links", "nonces", *(f"index:{kind}" for kind in KINDS))


@dataclass(frozen=True, slots=True)
class KeyringOptions:
    """What may differ between installations. Times in seconds unless said otherwise."""

    password_cost: PasswordCost = field(default_factory=PasswordCost)
    password_threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    password_queue: int = 64
    cache_seconds: float = 60.0
    cache_size: int = 4096
    algorithms: tuple[str, ...] = (*SIGNING, *ENCRYPTION)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    checkpoint_key_file: Path | None = None
    generate: Callable[[str], AsymmetricKey] = generate
    clock: Callable[[], float] = time.monotonic


class Keyring:
    """The open keyring of a process."""

    def __init__(self, database: Database, root: RootKeys, options: KeyringOptions, named: Mapping[str, bytes]) -> None:
        self.database = database
        self.root = root
        self.options = options
        self.store = KeyStore(database)
        self._named = dict(named)
        self.digests = Digests(named["digests"])
        self.secrets = Secrets(named["secrets"])
        self.pairwise = Pairwise(named["pairwise"])
        self.blind_index = BlindIndex({kind: named[f"index:{kind}"] for kind in KINDS})
        self.passwords = Passwords(options.password_cost, threads=options.password_threads, queue=options.password_queue)
        self.log_key = CheckpointKeys(self.store, root, options.checkpoint_key_file)
        self.signing = SigningKeys(
            self.store,
            root,
            self.recognise,
            algorithms=options.algorithms,
            lifetimes=options.lifetimes,
            generate=options.generate,
            clock=options.clock,
        )
        self.subject_keys = SubjectKeys(
            self.store,
            root,
            self.recognise,
            cache_seconds=options.cache_seconds,
            cache_size=options.cache_size,
            clock=options.clock,
        )

    @classmethod
    async def open(cls, database: Database, root: RootKeys, options: KeyringOptions | None = None) -> Self:
        """Recognise the root keys, make what is missing (named secrets, first signing keys), and open.

        Raises: RootKeyWrong(version); StoreUnavailable.
        """
        store = KeyStore(database)
        await recognise(store, root)
        keyring = cls(database, root, options or KeyringOptions(), await _named_secrets(store, root))
        try:
            await keyring.signing.refresh()
        except BaseException:
            await keyring.close()
            raise
        return keyring

    async def refresh(self) -> Sequence[SigningKey]:
        """Do what time demands: read the root keys anew, rotate signing keys, drop destroyed keys. Call it every 20 seconds.

        Returns the signing keys that this process made or removed, for the access log. Raises: RootKeyWrong(version) and others.
        """
        await self.recognise()
        await self.subject_keys.refresh(await self.database.now())
        return await self.signing.refresh()

    async def recognise(self) -> None:
        """Read the root keys anew, check them against the store, and learn which version wraps.

        Raises: RootKeyWrong(version).
        """
        self.root.reload()
        await recognise(self.store, self.root)

    async def adopt_root_version(self) -> int:
        """Let the newest root version wrap from now on, here and (by their next `refresh`) in every process; return it.

        Raises: RootKeyWrong(version).
        """
        self.root.reload()
        await adopt(self.store, self.root)
        return self.root.current

    def named_secret(self, name: Literal["forms", "links", "nonces"]) -> bytes:
        """Give the secret that signs forms or links, or that nonces are made of (32 bytes)."""
        return self._named[name]

    async def close(self) -> None:
        """Stop the threads. The database is its opener's to close."""
        self.passwords.close()
        self.signing.close()


async def _named_secrets(store: KeyStore, root: RootKeys) -> Mapping[str, bytes]:
    """Read every named secret, making the missing ones; when processes race, all read what the first one stored."""
    wrapped = await store.named_secrets.named_secrets()
    missing = [name for name in NAMES if name not in wrapped]
    for name in missing:
        await _add_named_secret(store, root, name)
    if missing:
        wrapped = await store.named_secrets.named_secrets()
    return {name: root.unwrap(PURPOSE, (name,), wrapped[name]) for name in NAMES}


async def _add_named_secret(store: KeyStore, root: RootKeys, name: str) -> None:
    try:
        await store.named_secrets.add_named_secret(name, root.wrap(PURPOSE, (name,), os.urandom(32)))
    except RootVersionGone:
        root.reload()
        await recognise(store, root)
        await store.named_secrets.add_named_secret(name, root.wrap(PURPOSE, (name,), os.urandom(32)))
