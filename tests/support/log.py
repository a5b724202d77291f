"""A log with all its parts for tests: keys derived from names, a signer, an anchor, and the two verifications."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.access_log import AccessLog, Actor, Entry, LogOptions, Record, Subject, leaf, statements, tree, writer
from consent.access_log.batcher import BatchOptions
from consent.access_log.writer import Prepared
from consent.anchor import Anchor
from consent.audit import Accounts, verify_live
from consent.checkpoint import VerifierKey, open_note
from consent.export import export
from consent.signer import LogSigner, verifier_source
from consent.verify import Verdict, verify_folder
from keys.errors import CheckpointKeyWrong, KeyDestroyed
from keys.log_subjects import LogKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from consent.audit import Closings
    from keys.database import Database, StoreName

ORIGIN = "id.example/log"
TOLERANCE = dt.timedelta(seconds=5)


class NamedLogKeys:
    """Log keys derived from names; a destroyed one is gone. Knows everybody it was asked for."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}
        self.destroyed: set[str] = set()

    async def log_key(self, person: str) -> LogKey:
        if person in self.destroyed:
            raise KeyDestroyed
        return LogKey(self.known.setdefault(person, hashlib.sha256(person.encode()).digest()))

    async def every(self) -> AsyncIterator[Mapping[str, bytes]]:
        yield {person: key for person, key in self.known.items() if person not in self.destroyed}


@dataclasses.dataclass
class SeedKey:
    """A checkpoint key from a fixed seed."""

    private: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


class SeedKeys:
    """Where signer and processes find it, and the keys of successions; `lost` ones cannot sign any more."""

    def __init__(self, seed: bytes = b"gerbang test key, never use") -> None:
        self.key = SeedKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest()))
        self.seed = seed
        self.made = {1: self.key}
        self.lost: set[int] = set()

    async def public_key(self, number: int = 1) -> bytes | None:
        return self.made[number].public_key if number in self.made else None

    async def load(self, number: int = 1) -> SeedKey:
        if number in self.lost or number not in self.made:
            raise CheckpointKeyWrong("no such key")
        return self.made[number]

    async def make(self, number: int) -> SeedKey:
        seed = hashlib.sha256(self.seed + bytes([number])).digest()
        return self.made.setdefault(number, SeedKey(Ed25519PrivateKey.from_private_bytes(seed)))


def disclosure(person: str = "p1", client: str = "aduan", claims: tuple[str, ...] = ("email", "name"), grant: str | None = "g1") -> Entry:
    record = Record(action="disclose", client=client, client_name="Aduan Warga", claims=claims, channel="userinfo", outcome="ok")
    return Entry(record, Subject(person, grant=grant))


def key_event(reason: str = "rotasi — kunci baru") -> Entry:
    return Entry(Record(action="key", actor=Actor("system", "signer"), channel="cli", outcome="done", reason=reason))


def erasure(person: str) -> Entry:
    return Entry(Record(action="erase", channel="page", outcome="done"), Subject(person, actor=Actor("citizen")))


async def grow(database: Database, size: int) -> None:
    """Append entries about nobody until there are `size`, in transactions larger than any batch."""
    record, _ = leaf.prepared(key_event())
    item = Prepared(key_event(), record, None, None, None, ())
    async with database.read() as connection:
        have, position = (await tree.head(connection)).size, None
    while have < size:
        count = min(size - have, 20000)
        async with database.transaction(statements.LOCK) as transaction:
            position = (await writer.write(transaction, [item] * count, position, TOLERANCE)).position
            await transaction.commit()
        have += count


@dataclasses.dataclass
class LogHouse:
    """One database's log, as a process sees it."""

    database: Database
    folder: Path
    keys: NamedLogKeys = dataclasses.field(default_factory=NamedLogKeys)
    checkpoint_keys: SeedKeys = dataclasses.field(default_factory=SeedKeys)

    def __post_init__(self) -> None:
        self.anchor = Anchor(self.folder / "anchor" / "log.anchor")
        self.log = self.process()
        self.signer = LogSigner(self.database, self.checkpoint_keys, ORIGIN, self.anchor)

    @property
    def key(self) -> VerifierKey:
        return VerifierKey(ORIGIN, self.checkpoint_keys.key.public_key)

    def process(self, **batch: Any) -> AccessLog:
        """Give the log as another process would have it."""
        source = verifier_source(ORIGIN, self.checkpoint_keys)
        options = LogOptions(source, self.anchor, BatchOptions(**batch), watch_seconds=0.1)
        return AccessLog(self.database, self.keys, options)

    async def export_and_verify(self, name: str = "export", since: str | None = None) -> Verdict:
        """Export what is signed, and verify the folder."""
        await export(self.database, self.folder / name, self.key)
        return verify_folder(self.folder / name, self.key, since)

    async def verify_live(self, closings: Closings | None = None) -> tuple[Verdict, Accounts]:
        """Verify the database, against the anchor and, when given, the journal of erased people."""
        note = self.anchor.read()
        notes = [open_note(note, self.key)] if note else []
        return await verify_live(self.database, self.keys.every(), notes, closings=closings)

    async def execute(self, *statements: str) -> None:
        """Do as an operator with full access to the database does."""
        async with self.database.transaction() as transaction:
            for statement in statements:
                await transaction.execute(sa.text(statement))
            await transaction.commit()

    async def give(self, grant: str = "g1", person: str = "p1") -> None:
        """Let there be an active grant of version 1."""
        columns = "id, person, client, client_name, agency, purpose, purpose_version, basis, claims, offered, state, version, opened_at"
        values = f"'{grant}', '{person}', 'c-{grant}', 'C', 'A', 'p', 1, 'a', '[]', '[]', 'active', 1, 0"
        await self.execute(f"INSERT INTO grants ({columns}) VALUES ({values})")


@pytest.fixture
async def log_house(stores: dict[StoreName, Database], tmp_path: Path) -> AsyncIterator[LogHouse]:
    """A running log on each of both databases."""
    house = LogHouse(stores["consent"], tmp_path)
    await house.log.start()
    yield house
    await house.log.stop()
