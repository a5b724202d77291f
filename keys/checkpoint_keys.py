"""The log signer's Ed25519 key, apart from all others: only the signer loads its private part.

It lives in a file of its own (mode 0400) when one is named, else wrapped in the keys store. The public part is in the store in
either case, so that every process can verify checkpoints without being able to sign one. The keys of a log's successions have the numbers
2, 3, …, and files of their own beside the first: `<file>.2`.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from keys.encoding import decode, encode
from keys.errors import CheckpointKeyWrong, RootKeyLoose
from keys.files import write_private
from keys.records import StoredCheckpointKey

if TYPE_CHECKING:
    from pathlib import Path

    from keys.custody import RootKeys
    from keys.store import KeyStore

PURPOSE: Final = "checkpoint-key"
FIRST: Final = 1


@dataclass(frozen=True, slots=True)
class CheckpointKey:
    """The signer's key. `public_key` is 32 bytes."""

    public_key: bytes
    _private: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Sign: 64 bytes of Ed25519 (RFC 8032)."""
        return self._private.sign(message)


class CheckpointKeys:
    """Loads the signer's key and tells its public part."""

    def __init__(self, store: KeyStore, root: RootKeys, file: Path | None) -> None:
        self._store = store.checkpoint_keys
        self._root = root
        self._file = file

    async def public_key(self, number: int = FIRST) -> bytes | None:
        """Give a public key (32 bytes); None before it was made."""
        stored = await self._store.checkpoint_key(number)
        return None if stored is None else stored.public_key

    async def in_store(self) -> bool:
        """Tell whether the newest key lies wrapped in the keys store, where every server could open it."""
        newest = await self._store.newest_checkpoint_key()
        return newest is not None and newest.wrapped is not None

    async def load(self, number: int = FIRST) -> CheckpointKey:
        """Give the signer's key of this number; the first is made at the first call, and two processes that make it together get the same.

        Raises: CheckpointKeyWrong when file and store do not belong together, the file is gone, or a later key was never made;
        RootKeyLoose for a file that others can read.
        """
        return await self.make(number) if number == FIRST else await self._loaded(number)

    async def make(self, number: int) -> CheckpointKey:
        """Give the key of this number, made when it is not there. Raises: as `load`."""
        if await self._store.checkpoint_key(number) is None:
            await self._store.add_checkpoint_key(self._new(number))
        return await self._loaded(number)

    async def _loaded(self, number: int) -> CheckpointKey:
        stored = await self._store.checkpoint_key(number)
        if stored is None:
            raise CheckpointKeyWrong(f"the keys store holds no checkpoint key of number {number}")
        private = Ed25519PrivateKey.from_private_bytes(self._seed(stored))
        if private.public_key().public_bytes_raw() != stored.public_key:
            raise CheckpointKeyWrong("the checkpoint key file is not of this log")
        return CheckpointKey(stored.public_key, private)

    def _new(self, number: int) -> StoredCheckpointKey:
        path = self._path(number)
        if path is not None:
            write_private(path, encode(os.urandom(32)) + "\n")
            seed = read_seed(path)
        else:
            seed = os.urandom(32)
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        wrapped = None if path is not None else self._root.wrap(PURPOSE, (str(number),), seed)
        return StoredCheckpointKey(number, public, wrapped)

    def _seed(self, stored: StoredCheckpointKey) -> bytes:
        if stored.wrapped is not None:
            return self._root.unwrap(PURPOSE, (str(stored.number),), stored.wrapped)
        path = self._path(stored.number)
        if path is None:
            raise CheckpointKeyWrong("the checkpoint key of this log lives in a file, and none is named")
        return read_seed(path)

    def _path(self, number: int) -> Path | None:
        if self._file is None or number == FIRST:
            return self._file
        return self._file.with_name(f"{self._file.name}.{number}")


def verify_signature(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Check an Ed25519 signature with a raw public key of 32 bytes; False for anything that is not one."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_seed(path: Path) -> bytes:
    """Read the 32 bytes of a key from its file. Raises: CheckpointKeyWrong, RootKeyLoose when others can read it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise CheckpointKeyWrong(f"no checkpoint key file at {path}") from None
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & ~stat.S_IRUSR:
            raise RootKeyLoose(str(path), f"{mode:04o}")
        text = file.read().strip()
    try:
        seed = decode(text)
    except ValueError:
        seed = b""
    if len(seed) != 32:  # noqa: PLR2004 - RFC 8032 §5.1.5: 32 octets
        raise CheckpointKeyWrong(f"{path} holds no checkpoint key")
    return seed
