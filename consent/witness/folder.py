"""The folder of a witness: `key` (mode 0400), `vkey` (to be handed out), `memory.sqlite3`. They belong together and are made together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from consent import notes
from consent.cosignature import CosignerKey
from consent.witness.memory import Memory
from keys import witness_key

if TYPE_CHECKING:
    from pathlib import Path

    from consent.witness.witness import Signer


class FolderRefused(Exception):
    """The folder cannot be used as it is. The message says what to do."""


class Opened(NamedTuple):
    """What is in it."""

    key: CosignerKey
    signer: Signer
    memory: Memory


def open_folder(folder: Path, name: str | None = None) -> Opened:
    """Open the folder; the first time, with the witness' name (a URL without its scheme), make what is in it.

    A key without its memory is refused, since it would cosign again what it refused before.

    Raises: FolderRefused, CheckpointKeyWrong, RootKeyLoose, NoteInvalid, OSError, sqlite3.Error.
    """
    key, memory, line = folder / "key", folder / "memory.sqlite3", folder / "vkey"
    if key.exists() and not memory.exists():
        raise FolderRefused(f"{memory} is gone: without its memory this key must cosign no more. Begin anew in another folder")
    if not line.exists():
        _begin(folder, name)
    signer = witness_key.load(key)
    found = CosignerKey.parse(line.read_text(encoding="utf-8"))
    if found.public != signer.public_key:
        raise FolderRefused(f"{line} is not of the key beside it")
    if name is not None and name != found.name:
        raise FolderRefused(f"this witness is called {found.name}: a name is kept for as long as the key")
    return Opened(found, signer, Memory(memory))


def _begin(folder: Path, name: str | None) -> None:
    """Make memory, key and line, in this order: whatever a crash leaves, no key is without its memory."""
    if name is None or not notes.name_is_fine(name):
        raise FolderRefused(f"{folder} holds no witness yet: name the new one, like --name witness.university.example/gerbang")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    Memory(folder / "memory.sqlite3").close()
    witness_key.make(folder / "key")
    made = CosignerKey(name, witness_key.load(folder / "key").public_key)
    (folder / "vkey.new").write_text(f"{made}\n", encoding="utf-8")
    (folder / "vkey.new").replace(folder / "vkey")
