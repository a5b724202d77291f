"""What signing in costs as the city grows: by NIK with the password, and by single sign-on, among 10^4 and 10^6 synthetic citizens."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncpg

from idp.composition import compose
from keys.opaque import new_id
from tests.load import place
from tests.load.measure import Contender, Row, compare
from tests.load.supplies import FloorSupplies, make
from tests.support.running import settings_for
from tests.support.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.load.measure import Pace
    from tests.load.place import Postgres

SIZES: Final = (10_000, 1_000_000)
CLAIMS: Final = ("birthdate", "email", "gender", "name", "nik", "phone_number")
_HASH: Final = "$argon2id$v=19$m=19456,t=2,p=1$" + "c2FsdHNhbHRzYWx0c2FsdA" + "$" + "A" * 43
_SEALED: Final = 90
"""Bytes of a sealed cell of usual length."""
_CHUNK: Final = 20_000


@dataclass(frozen=True)
class Crowd:
    """Among so many citizens: median milliseconds of a sign-in by NIK, of one Argon2id at its floor, and a redirect that gives a code."""

    size: int
    password: float
    argon2: float
    single_sign_on: float


async def measured(
    database: Postgres, folder: Path, pace: Pace, settings: Mapping[str, object], say: Callable[[str], None]
) -> Sequence[Crowd]:
    """Fill a provider of its own to each size, and sign in one after another, Gerbang and the floor alternating."""
    urls = await place.migrated(await place.make_database(database, "citizens"))
    floor_url = await place.make_database(database, "citizens_floor")
    await place.floor_tables(floor_url)
    ours = Server(urls, folder, 1, {f"IDP_{name.upper()}": str(value) for name, value in settings.items()})
    async with place.floors(floor_url, 1) as floor:
        try:
            ours.start()
            assert ours.process is not None
            pids = ours.process.pid, floor[1]
            async with compose(
                settings_for(urls, folder, **settings, issuer=f"http://localhost:{ours.port}"), background=False
            ) as services:
                raw, mine = FloorSupplies(floor_url), await make(services, pace.citizens)
                await raw.fill(pace.citizens)
            found, there = [], pace.citizens
            for size in SIZES:
                say(f"filling up to {size:,} citizens …")
                await _fill(database.named("citizens"), there, size)
                there = size
                used = [lambda pid=pid: place.used(pid, database) for pid in pids]
                sign_in = Row(
                    "", Contender(ours.port, mine.password("nik"), used[0], 303), Contender(floor[0], raw.password(), used[1]), None
                )
                onward = Row("", Contender(ours.port, mine.single_sign_on(), used[0], 303), None, None)
                await compare(sign_in, pace, 1)
                await compare(onward, pace, 1)
                assert sign_in.floor is not None
                medians = [one.percentile(0.5) for one in (sign_in.ours, sign_in.floor, onward.ours)]
                found.append(Crowd(size, *medians))
        finally:
            ours.stop()
    return found


def lines(found: Sequence[Crowd]) -> Sequence[str]:
    """Write the table."""
    rows = [
        f"| {one.size:,} | {one.password:.1f} | {one.argon2:.1f} | {one.password - one.argon2:.1f} | {one.single_sign_on:.1f} |"
        for one in found
    ]
    head = "| citizens | sign-in by NIK, ms | one Argon2id, ms | beyond it, ms | single sign-on: redirect → code, ms |"
    return [head, "|---|---|---|---|---|", *rows]


async def _fill(url: str, there: int, size: int) -> None:
    """Load accounts as they rest in the store: indexes and cells are random bytes there, whatever they hold."""
    connection = await asyncpg.connect(url)
    try:
        for first in range(there, size, _CHUNK):
            people = [new_id() for _ in range(first, min(first + _CHUNK, size))]
            for table, columns, records in _rows(people, first):
                await connection.copy_records_to_table(table, records=records, columns=columns, schema_name="idp")
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _rows(people: Sequence[str], first: int) -> Iterator[tuple[str, Sequence[str], Iterator[tuple[object, ...]]]]:
    now = int(dt.datetime.now(dt.UTC).timestamp() * 1_000_000)
    yield (
        "accounts",
        ("person", "number", "state", "locale", "password_hash", "created_at", "last_used_at", "minor", "phone_channel"),
        ((person, f"Z{first + at:09d}", "active", "id", _HASH, now, now, False, "sms") for at, person in enumerate(people)),
    )
    yield (
        "account_identifiers",
        ("person", "kind", "digest", "verified"),
        ((person, kind, os.urandom(32), True) for person in people for kind in ("email", "nik", "phone")),
    )
    yield (
        "account_cells",
        ("person", "claim", "cell", "source", "updated_at"),
        ((person, claim, os.urandom(_SEALED), "verified", now) for person in people for claim in CLAIMS),
    )
