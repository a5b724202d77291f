"""Witnesses and logs for tests, without a network: checkpoints and proofs of a log of leaves, by RFC 6962's definitions."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent import merkle
from consent.checkpoint import Checkpoint, VerifierKey
from consent.cosignature import CosignerKey
from consent.notes import b64
from consent.witness.memory import Memory
from consent.witness.witness import Answer, Witness

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ORIGIN = "id.example/log"
NOW = 1_790_000_000


def private(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())


def public(seed: str) -> bytes:
    return private(seed).public_key().public_bytes_raw()


def root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1."""
    return merkle.Edge().extend(merkle.leaf_hash(leaf) for leaf in leaves).root


def proof(old: int, leaves: Sequence[bytes], end: int) -> tuple[bytes, ...]:
    spans = merkle.consistency_spans(old, end)
    return tuple(root(leaves[span.start : span.end]) for span in spans)


@dataclasses.dataclass
class SmallLog:
    """A log in memory; another `leaves` under the same `seed` is a fork of it."""

    leaves: list[bytes]
    origin: str = ORIGIN
    seed: str = "log"

    @property
    def key(self) -> VerifierKey:
        return VerifierKey(self.origin, public(self.seed))

    def head(self, size: int | None = None) -> Checkpoint:
        size = len(self.leaves) if size is None else size
        return Checkpoint(self.origin, size, root(self.leaves[:size]))

    def note(self, size: int | None = None, *, seed: str | None = None, extension: str = "") -> str:
        body = self.head(size).body + extension.encode()
        line = self.head(size).note(VerifierKey(self.origin, public(seed or self.seed)), private(seed or self.seed).sign(body))
        return f"{body.decode()}\n{line.rpartition(chr(10) * 2)[2]}"

    def request(self, old: int, size: int | None = None) -> bytes:
        """Give an add-checkpoint request from `old` on."""
        size = len(self.leaves) if size is None else size
        return request(old, proof(old, self.leaves, size), self.note(size))


def request(old: int | str, hashes: Sequence[bytes], note: str) -> bytes:
    return "".join([f"old {old}\n", *(f"{b64(node)}\n" for node in hashes), "\n", note]).encode()


def leaves(count: int, prefix: str = "entry") -> list[bytes]:
    return [f"{prefix} {number}".encode() for number in range(count)]


@dataclasses.dataclass
class SmallWitness:
    """A witness of some logs with a memory in a folder; `now` is its clock, `signed` every message that it signed."""

    folder: Path
    logs: tuple[VerifierKey, ...]
    name: str = "witness.example/w1"
    now: float = NOW
    signed: list[bytes] = dataclasses.field(default_factory=list)
    memory: Memory = None  # type: ignore[assignment] # made below

    def __post_init__(self) -> None:
        self.memory = self.memory or Memory(self.folder / f"{self.name.replace('/', '-')}.sqlite3")
        by_origin: dict[str, list[VerifierKey]] = {}
        for key in self.logs:
            by_origin.setdefault(key.name, []).append(key)
        self.witness = Witness(self.key, self, self.memory, by_origin, lambda: self.now)

    @property
    def key(self) -> CosignerKey:
        return CosignerKey(self.name, public(self.name))

    def sign(self, message: bytes) -> bytes:
        self.signed.append(message)
        return private(self.name).sign(message)

    def add(self, body: bytes) -> Answer:
        return self.witness.add_checkpoint(body)
