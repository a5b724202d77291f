"""The anchor: the newest signed checkpoint, kept in a file outside the database, so that a database put back to an older state is noticed.

A file lock makes it compare-and-swap among processes of one machine; file and folder are synced before `advance` returns.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from consent import checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class AnchorMoved(Exception):
    """Someone else advanced the anchor: there are two signers, or the note read before is stale."""


class AnchorBackwards(Exception):
    """The new checkpoint is smaller than the anchor's, or another of the same size."""


class Anchor:
    """One anchor file. Its functions block (files are synced): call them in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> str | None:
        """Give the note that is anchored; None when there is no file. A file that is no text gives no note. Raises: OSError."""
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None

    def advance(self, expected: str | None, new: str, *, succession: bool = False) -> None:
        """Put `new` in the place of `expected`, durably. `succession`: it is of another origin, which may begin smaller after a loss.

        Raises: AnchorMoved when another note is there, AnchorBackwards, NoteInvalid, OSError.
        """
        checkpoint_new = checkpoint.parse(new)
        with self._locked(f"{self.path.name}.lock"):
            if self.read() != expected:
                raise AnchorMoved(f"{self.path} was changed by another signer")
            if expected is not None:
                old = checkpoint.parse(expected)
                backwards = checkpoint_new.size < old.size or (checkpoint_new.size == old.size and checkpoint_new != old)
                if backwards and not (succession and checkpoint_new.origin != old.origin):
                    raise AnchorBackwards(f"{self.path} holds size {old.size}; it never goes back to {checkpoint_new.size}")
            self._replace(new.encode())

    @contextlib.contextmanager
    def sole_signer(self) -> Iterator[bool]:
        """Hold the place of the one signer as long as the block runs; gives False when another process holds it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (self.path.parent / f"{self.path.name}.signer").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (self.path.parent / name).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _replace(self, content: bytes) -> None:
        fresh = self.path.parent / f"{self.path.name}.new"
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
