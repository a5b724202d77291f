"""Our signing keys: the same state in every process, rotated by time and by command, one successor however many rotate."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from joserfc.jwk import ECKey

from keys.compact import sign_compact
from keys.database import Database
from keys.encoding import encode
from keys.encryption import encrypt
from keys.errors import SigningKeyMissing, TokenInvalid
from keys.rotation import Lifetimes
from keys.verification import verify_with_jwks
from tests.support.keyrings import open_keyring

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keys.database import StoreName
    from keys.keyring import Keyring

FAST = ("ES256", "EdDSA")
SECOND = dt.timedelta(seconds=1)
SHORT = Lifetimes(pending=SECOND * 0.4, active=SECOND, retired=SECOND * 0.8)


class Clock:
    """Monotonic seconds that a test moves; the database's clock stands beside it."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
async def ring(stores: dict[StoreName, Database]) -> AsyncIterator[Keyring]:
    ring = await open_keyring(stores["keys"], algorithms=FAST)
    yield ring
    await ring.close()


@pytest.fixture
async def pair(database_urls: dict[StoreName, str]) -> AsyncIterator[tuple[Keyring, Keyring]]:
    """Two processes: each its own engine on the same store."""
    databases = [Database.open(database_urls["keys"]) for _ in range(2)]
    first, second = [await open_keyring(database, algorithms=FAST) for database in databases]
    yield first, second
    for opened, database in zip((first, second), databases, strict=True):
        await opened.close()
        await database.close()


def _states(keys: Any, algorithm: str = "ES256") -> list[str]:
    return [str(key.state) for key in keys if key.algorithm == algorithm]


async def test_every_algorithm_signs_and_the_published_set_verifies(stores: dict[StoreName, Database]) -> None:
    ring = await open_keyring(stores["keys"])
    jwks = ring.signing.jwks()
    assert sorted(key["alg"] for key in jwks["keys"] if key["use"] == "sig") == ["ES256", "EdDSA", "PS256", "RS256"]
    assert not any({"d", "p", "q", "dp", "dq", "qi", "k"} & set(key) for key in jwks["keys"])
    for algorithm in ("RS256", "PS256", "ES256", "EdDSA"):
        token = await ring.signing.sign({"sub": "Ü"}, algorithm=algorithm, type="JWT")
        assert verify_with_jwks(token, jwks, algorithms=[algorithm], type="JWT").claims == {"sub": "Ü"}
        assert await ring.signing.verify(token, algorithms=[algorithm], type="JWT") == {"sub": "Ü"}
    await ring.close()


async def test_a_token_of_another_type_algorithm_or_key_is_refused(ring: Keyring) -> None:
    token = await ring.signing.sign({}, algorithm="ES256", type="at+jwt")
    for algorithms, type_ in ((["ES256"], "JWT"), (["EdDSA"], "at+jwt"), ([], None)):
        with pytest.raises(TokenInvalid):
            await ring.signing.verify(token, algorithms=algorithms, type=type_)
    with pytest.raises(TokenInvalid):
        await ring.signing.verify(token[:-2] + ("AA" if token[-2:] != "AA" else "BA"), algorithms=["ES256"], type="at+jwt")
    with pytest.raises(SigningKeyMissing, match="no active"):
        await ring.signing.sign({}, algorithm="HS256", type="JWT")


async def test_rotation_by_command_publishes_first_and_at_once_signs_now(ring: Keyring) -> None:
    before = await ring.signing.sign({}, algorithm="ES256", type="JWT")
    (successor,) = await ring.signing.rotate("ES256")
    assert _states(await ring.signing.list()) == ["active", "pending"]
    assert successor.kid in {key["kid"] for key in ring.signing.jwks()["keys"]}
    assert (await ring.signing.rotate("ES256"))[0].kid == successor.kid  # asked again: the same one
    (hastened,) = await ring.signing.rotate("ES256", at_once=True)
    assert (hastened.kid, hastened.state) == (successor.kid, "active")
    assert _states(await ring.signing.list()) == ["retired", "active"]
    after = await ring.signing.sign({}, algorithm="ES256", type="JWT")
    for token in (before, after):
        assert await ring.signing.verify(token, algorithms=["ES256"], type="JWT") == {}


async def test_a_removed_key_verifies_nothing_and_the_active_one_cannot_be_removed(ring: Keyring) -> None:
    before = await ring.signing.sign({}, algorithm="ES256", type="JWT")
    kid = next(key.kid for key in await ring.signing.list() if key.algorithm == "ES256")
    assert not await ring.signing.remove(kid)
    await ring.signing.rotate("ES256", at_once=True)
    assert await ring.signing.remove(kid)
    assert kid not in {key["kid"] for key in ring.signing.jwks()["keys"]}
    for outlived in (False, True):
        with pytest.raises(TokenInvalid):
            await ring.signing.verify(before, algorithms=["ES256"], type="JWT", outlived=outlived)


@pytest.mark.parametrize("at_once", [False, True])
async def test_processes_that_rotate_together_make_one_successor(pair: tuple[Keyring, Keyring], *, at_once: bool) -> None:
    made = await asyncio.gather(*(ring.signing.rotate("ES256", at_once=at_once) for ring in pair * 4))
    listed = [await ring.signing.list() for ring in pair]
    assert listed[0] == listed[1]
    if not at_once:
        assert len({keys[0].kid for keys in made}) == 1
        assert _states(listed[0]) == ["active", "pending"]
    assert _states(listed[0]).count("active") == 1


async def test_processes_that_tick_together_make_one_successor(database_urls: dict[StoreName, str]) -> None:
    databases = [Database.open(database_urls["keys"]) for _ in range(3)]
    life = Lifetimes(pending=dt.timedelta(days=1), active=dt.timedelta(days=1), retired=dt.timedelta(days=1))  # due at once
    rings = [await open_keyring(database, algorithms=("ES256",)) for database in databases]
    for ring in rings:
        ring.signing._lifetimes = life
    changed = await asyncio.gather(*(ring.refresh() for ring in rings for _ in range(2)))
    assert sum(len(keys) for keys in changed) == 1  # one process tells of it, so that the access log has one entry
    assert _states(await rings[0].signing.list()) == ["active", "pending"]
    for ring, database in zip(rings, databases, strict=True):
        await ring.close()
        await database.close()


async def test_a_key_that_another_process_made_just_now_is_learnt_at_first_sight(pair: tuple[Keyring, Keyring]) -> None:
    first, second = pair
    second.signing._read_at -= 2  # it read the ring two seconds ago
    await first.signing.rotate("ES256", at_once=True)
    token = await first.signing.sign({"a": 1}, algorithm="ES256", type="JWT")
    assert await second.signing.verify(token, algorithms=["ES256"], type="JWT") == {"a": 1}


async def test_unknown_kids_do_not_make_the_store_busy(ring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0
    load = ring.signing._read_ring

    async def counted() -> None:
        nonlocal reads
        reads += 1
        await load()

    monkeypatch.setattr(ring.signing, "_read_ring", counted)
    ring.signing._read_at -= 2
    token = await ring.signing.sign({}, algorithm="ES256", type="JWT")
    heads = [encode(f'{{"alg":"ES256","kid":"k{number}","typ":"JWT"}}'.encode()) for number in range(50)]
    forged = [f"{head}.{token.split('.', 1)[1]}" for head in heads]
    refused = await asyncio.gather(*(ring.signing.verify(one, algorithms=["ES256"], type="JWT") for one in forged), return_exceptions=True)
    assert all(isinstance(one, TokenInvalid) for one in refused)
    assert reads == 1


async def test_time_alone_carries_keys_through_their_states(stores: dict[StoreName, Database]) -> None:
    ring = await open_keyring(stores["keys"], algorithms=("ES256",), lifetimes=SHORT)
    token = await ring.signing.sign({}, algorithm="ES256", type="JWT")
    seen = set()
    for _ in range(60):
        await ring.refresh()
        keys = await ring.signing.list()
        seen.add(str(keys[0].state))
        assert _states(keys).count("active") == 1
        await ring.signing.sign({}, algorithm="ES256", type="JWT")
        if keys[0].state == "removed":
            break
        await asyncio.sleep(0.1)
    assert seen == {"active", "retired", "removed"}
    with pytest.raises(TokenInvalid):
        await ring.signing.verify(token, algorithms=["ES256"], type="JWT")
    assert await ring.signing.verify(token, algorithms=["ES256"], type="JWT", outlived=True) == {}
    assert all(row.wrapped is None for row in ring.signing._ring.by_kid.values() if row.removed_at)
    await ring.close()


async def test_between_two_ticks_a_pending_key_becomes_active_by_the_clock(stores: dict[StoreName, Database]) -> None:
    clock = Clock()
    ring = await open_keyring(stores["keys"], algorithms=("ES256",), clock=clock)
    (successor,) = await ring.signing.rotate("ES256")
    assert successor.state == "pending"
    clock.time += 86_400 + 1  # no read of the store meanwhile
    token = await ring.signing.sign({}, algorithm="ES256", type="JWT")
    assert await ring.signing.verify(token, algorithms=["ES256"], type="JWT") == {}
    assert ring.signing._ring.active("ES256", ring.signing._now()).kid == successor.kid  # type: ignore[union-attr]
    await ring.close()


async def test_the_private_part_of_a_retired_key_is_destroyed(stores: dict[StoreName, Database]) -> None:
    clock = Clock()
    life = Lifetimes(pending=dt.timedelta(0), active=dt.timedelta(days=90), retired=dt.timedelta(days=30))
    ring = await open_keyring(stores["keys"], algorithms=("ES256",), clock=clock, lifetimes=life)
    now = await stores["keys"].now()
    await ring.signing.rotate("ES256", at_once=True)
    old = int((now - dt.timedelta(minutes=20)).timestamp() * 1_000_000)
    async with stores["keys"].statement() as connection:
        await connection.execute(sa.text(f"UPDATE signing_keys SET not_before = {old} + sequence"))
    await ring.refresh()
    assert _states(await ring.signing.list()) == ["retired", "active"]
    rows = sorted(ring.signing._ring.by_kid.values(), key=lambda row: row.sequence)
    assert [row.wrapped is None for row in rows] == [True, False]
    await ring.close()


async def test_signing_goes_on_while_the_ring_is_exchanged(pair: tuple[Keyring, Keyring], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = pair
    await first.signing.rotate("ES256", at_once=True)
    read = second.signing._store.signing_keys

    async def slow() -> Any:
        found = await read()
        assert await second.signing.sign({}, algorithm="ES256", type="JWT")  # with the old ring, whose key is retired in the new one
        return found

    monkeypatch.setattr(second.signing._store, "signing_keys", slow)
    await second.signing.refresh()
    assert await first.signing.verify(await second.signing.sign({}, algorithm="ES256", type="JWT"), algorithms=["ES256"], type="JWT") == {}


async def test_rsa_signatures_are_made_off_the_event_loop(stores: dict[StoreName, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    ring = await open_keyring(stores["keys"])
    threads: dict[str, str] = {}

    def watched(algorithm: str, *rest: Any, **named: Any) -> str:
        threads[algorithm] = threading.current_thread().name
        return sign_compact(algorithm, *rest, **named)

    monkeypatch.setattr("keys.signing.sign_compact", watched)
    for algorithm in ("RS256", "PS256", "ES256", "EdDSA"):
        await ring.signing.sign({}, algorithm=algorithm, type="JWT")
    here = threading.current_thread().name
    assert [threads[name] == here for name in ("RS256", "PS256", "ES256", "EdDSA")] == [False, False, True, True]
    await ring.close()


async def test_what_is_encrypted_to_us_opens_with_a_retired_key_too_until_it_is_removed(stores: dict[StoreName, Database]) -> None:
    life = Lifetimes(pending=dt.timedelta(0), active=dt.timedelta(days=90), retired=dt.timedelta(days=30))
    ring = await open_keyring(stores["keys"], algorithms=("ECDH-ES", "RSA-OAEP-256"), clock=Clock(), lifetimes=life)
    jwks = ring.signing.jwks()
    assert {(key["use"], key["kty"], key.get("alg")) for key in jwks["keys"]} == {("enc", "EC", None), ("enc", "RSA", "RSA-OAEP-256")}
    tokens = [encrypt("x", jwks, algorithm=name) for name in ("ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256")]
    await ring.signing.rotate(at_once=True)
    assert [await ring.signing.decrypt(token) for token in tokens] == [b"x"] * 3
    for key in jwks["keys"]:
        assert await ring.signing.remove(key["kid"])
    for token in tokens:
        with pytest.raises(TokenInvalid):
            await ring.signing.decrypt(token)
    await ring.close()


async def test_a_token_for_a_key_of_somebody_else_does_not_open(stores: dict[StoreName, Database]) -> None:
    ring = await open_keyring(stores["keys"], algorithms=("ECDH-ES", "ES256"))
    stranger = ECKey.generate_key("P-256", private=True)
    for kid in (None, "?", next(key["kid"] for key in ring.signing.jwks()["keys"] if key["use"] == "sig")):
        jwk = {**stranger.as_dict(private=False), **({"kid": kid} if kid else {})}
        with pytest.raises(TokenInvalid):
            await ring.signing.decrypt(encrypt("x", {"keys": [jwk]}, algorithm="ECDH-ES"))
    await ring.close()
