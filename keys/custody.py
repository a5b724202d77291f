"""Custody of the root key, by version: the one secret that stands outside every database and wraps all others.

Text form, in a file of mode 0400 or (development) in an environment variable: "<version> <base64url of 32 bytes>",
one a line. The store decides which version wraps (the greatest it knows), so that a new one can be brought to every machine
before it is used; the others only unwrap.

Wrapped = format (1) ‖ root version (u32) ‖ nonce (12) ‖ AES-256-GCM ciphertext ‖ tag, under HKDF(root key, purpose);
associated data: length-prefixed ("gerbang-wrap/v1", purpose, root version, *ad).
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys import encoding
from keys.boxes import NONCE, TAG, derive
from keys.errors import RootKeyLoose, RootKeyMalformed, RootKeyMissing, RootKeyWrong, SealBroken
from keys.files import locked, replace_private, write_private

if TYPE_CHECKING:
    from pathlib import Path

FORMAT: Final = b"\x01"
SIZE: Final = 32
_START: Final = len(FORMAT) + 4
_LINE = re.compile(r"([1-9][0-9]{0,8})[ \t]+([A-Za-z0-9_-]{43})=?")


class RootKeys:
    """The root keys of this process. `newest` is the greatest version at hand, `current` the one that wraps."""

    def __init__(self, keys: dict[int, bytes], path: Path | None = None) -> None:
        if not keys:
            raise RootKeyMissing("the root key text holds no key")
        self.path = path
        self._keys = dict(keys)
        self._current: int | None = None
        self._ciphers: dict[tuple[int, str], AESGCM] = {}

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the file.

        Raises: RootKeyMissing, RootKeyLoose when anyone but the owner could read it, or anyone at all change it; RootKeyMalformed.
        """
        return cls(_read(path), path)

    @classmethod
    def from_environment(cls, value: str | None) -> Self:
        """Read the text of a variable (lines may be joined by commas); a lone base64url key is version 1.

        Raises: RootKeyMissing, RootKeyMalformed.
        """
        text = (value or "").strip()
        if not text:
            raise RootKeyMissing("no root key in the environment")
        if re.fullmatch(r"[A-Za-z0-9_-]{43}=?", text):
            text = f"1 {text}"
        return cls(_parse(text.replace(",", "\n")))

    @classmethod
    def create_file(cls, path: Path) -> Self:
        """Make a file of mode 0400 with one new key, or read the one that another process made first."""
        write_private(path, _render({1: os.urandom(SIZE)}))
        return cls.from_file(path)

    @property
    def newest(self) -> int:
        """The greatest version at hand."""
        return max(self._keys)

    @property
    def current(self) -> int:
        """The version that wraps: the one `use` named, before that the newest."""
        return self.newest if self._current is None else self._current

    def use(self, version: int) -> None:
        """Let `version` wrap from now on.

        Raises: RootKeyWrong when it is not at hand.
        """
        if version not in self._keys and not (self.reload() and version in self._keys):
            raise RootKeyWrong(version, "is missing")
        self._current = version

    @property
    def versions(self) -> frozenset[int]:
        """Every version at hand."""
        return frozenset(self._keys)

    def reload(self) -> bool:
        """Read the file again; True when its versions changed. Keys from the environment never change."""
        if self.path is None:
            return False
        found = _read(self.path)
        changed, self._keys = found != self._keys, found
        if changed:
            self._ciphers.clear()
        return changed

    def add_version(self) -> int:
        """Add a new newest key to the file, atomically; return its version. Rewrapping puts it to use, once every machine has the file."""
        path = self._file()
        with locked(path):
            keys = _read(path)
            version = max(keys) + 1
            replace_private(path, _render({**keys, version: os.urandom(SIZE)}))
        self.reload()
        return version

    def forget_version(self, version: int) -> None:
        """Remove a version from the file for good. Whatever it still wraps anywhere, backups included, is lost."""
        path = self._file()
        with locked(path):
            keys = _read(path)
            keys.pop(version, None)
            replace_private(path, _render(keys))
        self.reload()

    def wrap(self, purpose: str, ad: tuple[str, ...], secret: bytes) -> bytes:
        """Wrap `secret` under the current version, bound to `purpose` and `ad`."""
        version = self.current
        nonce = os.urandom(NONCE)
        sealed = self._cipher(version, purpose).encrypt(nonce, secret, _associated(purpose, version, ad))
        return FORMAT + version.to_bytes(4, "big") + nonce + sealed

    def unwrap(self, purpose: str, ad: tuple[str, ...], wrapped: bytes) -> bytes:
        """Unwrap what `wrap` made.

        Raises: RootKeyWrong when its version is not at hand; SealBroken when it was changed, moved, or the key is another.
        """
        version = version_of(wrapped)
        nonce, sealed = wrapped[_START : _START + NONCE], wrapped[_START + NONCE :]
        try:
            return self._cipher(version, purpose).decrypt(nonce, sealed, _associated(purpose, version, ad))
        except InvalidTag:
            raise SealBroken from None

    def _cipher(self, version: int, purpose: str) -> AESGCM:
        cipher = self._ciphers.get((version, purpose))
        if cipher is None:
            if version not in self._keys and not (self.reload() and version in self._keys):
                raise RootKeyWrong(version, "is missing")
            cipher = self._ciphers[version, purpose] = AESGCM(derive(self._keys[version], "gerbang-wrap/v1", purpose))
        return cipher

    def _file(self) -> Path:
        if self.path is None:
            raise RootKeyMissing("the root key comes from the environment: change it there")
        return self.path


def version_of(wrapped: bytes) -> int:
    """Tell which root version wraps this.

    Raises: SealBroken when it is no wrapped value.
    """
    if len(wrapped) < _START + NONCE + TAG or wrapped[: len(FORMAT)] != FORMAT:
        raise SealBroken
    return int.from_bytes(wrapped[len(FORMAT) : _START], "big")


def _associated(purpose: str, version: int, ad: tuple[str, ...]) -> bytes:
    return encoding.length_prefixed("gerbang-wrap/v1", purpose, version.to_bytes(4, "big"), *ad)


def _read(path: Path) -> dict[int, bytes]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise RootKeyMissing(f"no root key file at {path}") from None
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & ~stat.S_IRUSR:
            raise RootKeyLoose(str(path), f"{mode:04o}")
        return _parse(file.read())


def _parse(text: str) -> dict[int, bytes]:
    keys: dict[int, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            raise RootKeyMalformed(f'line {number} of the root key is not "<version> <base64url of 32 bytes>"')
        version = int(match[1])
        if version in keys:
            raise RootKeyMalformed(f"root key version {version} stands there twice")
        try:
            keys[version] = encoding.decode(match[2])
        except ValueError:
            raise RootKeyMalformed(f"line {number} of the root key is not canonical base64url") from None
    return keys


def _render(keys: dict[int, bytes]) -> str:
    return "".join(f"{version} {encoding.encode(key)}\n" for version, key in sorted(keys.items()))
