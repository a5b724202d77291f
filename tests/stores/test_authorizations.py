"""Codes and refresh tokens are used once, also when many race for them, on both databases."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from idp.accounts.tables import accounts
from idp.authorizations.records import Authorization, CodeBinding, Redeemed, Rejected, Rotated
from idp.authorizations.store import AuthorizationStore
from idp.sessions.tables import sessions
from keys.digests import Digests
from keys.opaque import new_id
from tests.support.rows import put

if TYPE_CHECKING:
    from keys.database import Database, StoreName

NOW = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
BINDING = CodeBinding("app", "https://app.test/cb", None, "n-0")


class _Keyring:
    digests = Digests(b"k" * 32)


@pytest.fixture
async def person(stores: dict[StoreName, Database]) -> str:
    later = NOW + dt.timedelta(days=365)
    await put(stores["idp"], accounts, person="person", state="active")
    await put(stores["idp"], sessions, id="session", person="person", idle_until=later, absolute_until=later)
    return "person"


@pytest.fixture
def store(stores: dict[StoreName, Database]) -> AuthorizationStore:
    keyring: Any = _Keyring()
    return AuthorizationStore(stores["idp"], keyring)


def approval(person: str, **changes: object) -> Authorization:
    values: dict[str, Any] = {
        "id": new_id(), "grant": "grant", "client": "app", "person": person, "session": "session", "sid": "sid",
        "scope": ("openid", "profile"), "claims": {"userinfo": frozenset({"name"}), "id_token": frozenset()}, "purpose": "aduan",
        "purpose_version": 1, "acr": "aal1", "amr": ("pwd",), "auth_time": NOW, "created_at": NOW, "ends_at": NOW + dt.timedelta(days=30),
    }  # fmt: skip
    return Authorization(**(values | changes))


async def issued(store: AuthorizationStore, authorization: Authorization) -> str:
    return await store.issue(authorization, BINDING, expires_at=NOW + dt.timedelta(seconds=60))


async def test_a_code_gives_back_what_it_was_bound_to(store: AuthorizationStore, person: str) -> None:
    authorization = approval(person)
    assert await store.redeem(await issued(store, authorization), "app", NOW) == Redeemed(authorization, BINDING)


async def test_two_hundred_racing_redemptions_of_a_code_give_one_success_and_revoke(store: AuthorizationStore, person: str) -> None:
    authorization = approval(person)
    code = await issued(store, authorization)
    outcomes = await asyncio.gather(*(store.redeem(code, "app", NOW) for _ in range(200)))
    assert sum(isinstance(outcome, Redeemed) for outcome in outcomes) == 1
    assert outcomes.count(Rejected.REUSED) >= 198  # one that came after the revocation may find it ended
    assert await store.live(authorization.id, "jti", NOW) is None


async def test_a_code_is_worth_nothing_to_another_client_and_stays_usable_for_its_own(store: AuthorizationStore, person: str) -> None:
    code = await issued(store, approval(person))
    assert await store.redeem(code, "other", NOW) is Rejected.FOREIGN
    assert isinstance(await store.redeem(code, "app", NOW), Redeemed)


async def test_a_code_expires(store: AuthorizationStore, person: str) -> None:
    code = await issued(store, approval(person))
    assert await store.redeem(code, "app", NOW + dt.timedelta(seconds=60)) is Rejected.EXPIRED


@pytest.mark.parametrize("change", ["UPDATE sessions SET ended_at = 1", "UPDATE accounts SET state = 'locked'"])
async def test_what_stands_on_an_ended_session_or_a_locked_account_is_dead(
    store: AuthorizationStore, person: str, stores: dict[StoreName, Database], change: str
) -> None:
    authorization = approval(person)
    code = await issued(store, authorization)
    token = await store.add_refresh_token(authorization, NOW)
    assert await store.live(authorization.id, "jti", NOW) == authorization
    async with stores["idp"].statement() as connection:
        await connection.execute(sa.text(change))
    assert await store.redeem(code, "app", NOW) is Rejected.ENDED
    assert await store.rotate(token, "app", NOW) is Rejected.ENDED
    assert await store.live(authorization.id, "jti", NOW) is None


async def test_offline_access_outlives_the_session(store: AuthorizationStore, person: str, stores: dict[StoreName, Database]) -> None:
    authorization = approval(person, session=None, sid=None)
    await issued(store, authorization)
    async with stores["idp"].statement() as connection:
        await connection.execute(sa.text("DELETE FROM sessions"))
    assert await store.live(authorization.id, "jti", NOW) == authorization


async def test_a_revoked_access_token_is_dead_and_its_siblings_live(store: AuthorizationStore, person: str) -> None:
    authorization = approval(person)
    await issued(store, authorization)
    await store.revoke_token("one", NOW + dt.timedelta(minutes=5))
    await store.revoke_token("one", NOW + dt.timedelta(minutes=5))
    assert await store.live(authorization.id, "one", NOW) is None
    assert await store.live(authorization.id, "two", NOW) == authorization


async def test_a_refresh_token_rotates_and_the_grace_gives_the_same_successor(store: AuthorizationStore, person: str) -> None:
    authorization = approval(person)
    await issued(store, authorization)
    token = await store.add_refresh_token(authorization, NOW)
    first = await store.rotate(token, "app", NOW)
    again = await store.rotate(token, "app", NOW + dt.timedelta(seconds=59))
    assert isinstance(first, Rotated)
    assert isinstance(again, Rotated)
    assert first.successor == again.successor
    assert first.idle_until is not None


async def test_two_hundred_racing_refreshes_give_one_successor(store: AuthorizationStore, person: str) -> None:
    authorization = approval(person)
    await issued(store, authorization)
    token = await store.add_refresh_token(authorization, NOW)
    outcomes = await asyncio.gather(*(store.rotate(token, "app", NOW) for _ in range(200)))
    assert len({outcome.successor for outcome in outcomes if isinstance(outcome, Rotated)}) == 1
    assert all(isinstance(outcome, Rotated) for outcome in outcomes)


async def test_without_a_grace_two_hundred_racing_refreshes_give_one_success(stores: dict[StoreName, Database], person: str) -> None:
    keyring: Any = _Keyring()
    store = AuthorizationStore(stores["idp"], keyring, grace=0)
    authorization = approval(person)
    await issued(store, authorization)
    token = await store.add_refresh_token(authorization, NOW)
    outcomes = await asyncio.gather(*(store.rotate(token, "app", NOW) for _ in range(200)))
    assert sum(isinstance(outcome, Rotated) for outcome in outcomes) == 1
    assert await store.live(authorization.id, "jti", NOW) is None


async def test_a_refresh_token_used_after_its_successor_was_used_revokes_all(store: AuthorizationStore, person: str) -> None:
    authorization = approval(person)
    await issued(store, authorization)
    token = await store.add_refresh_token(authorization, NOW)
    first = await store.rotate(token, "app", NOW)
    assert isinstance(first, Rotated)
    second = await store.rotate(first.successor, "app", NOW)
    assert isinstance(second, Rotated)
    assert await store.rotate(token, "app", NOW) is Rejected.REUSED
    assert await store.rotate(second.successor, "app", NOW) is Rejected.ENDED


async def test_a_refresh_token_used_after_the_grace_revokes_all(store: AuthorizationStore, person: str) -> None:
    authorization = approval(person)
    await issued(store, authorization)
    token = await store.add_refresh_token(authorization, NOW)
    await store.rotate(token, "app", NOW)
    assert await store.rotate(token, "app", NOW + dt.timedelta(seconds=60)) is Rejected.REUSED
    assert await store.live(authorization.id, "jti", NOW) is None


async def test_a_refresh_token_is_worth_nothing_to_another_client(store: AuthorizationStore, person: str) -> None:
    authorization = approval(person)
    await issued(store, authorization)
    token = await store.add_refresh_token(authorization, NOW)
    assert await store.rotate(token, "other", NOW) is Rejected.FOREIGN
    assert await store.rotate("never issued", "app", NOW) is Rejected.UNKNOWN
    assert isinstance(await store.rotate(token, "app", NOW), Rotated)


async def test_revoking_by_session_spares_offline_access(store: AuthorizationStore, person: str) -> None:
    online, offline = approval(person), approval(person, session=None, sid=None)
    for each in (online, offline):
        await issued(store, each)
    assert [revoked.id for revoked in await store.revoke_by_session("session", NOW)] == [online.id]
    assert await store.revoke_by_session("session", NOW) == []
    assert [each.id for each in await store.of_person(person, NOW)] == [offline.id]
    assert [revoked.id for revoked in await store.revoke_by_grant("grant", NOW)] == [offline.id]


async def test_sweeping_keeps_sizes_flat_over_a_simulated_month(
    store: AuthorizationStore, person: str, stores: dict[StoreName, Database]
) -> None:
    sizes = []
    for day in range(40):
        now = NOW + dt.timedelta(days=day)
        authorization = approval(person, created_at=now, ends_at=now + dt.timedelta(days=3))
        await store.issue(authorization, BINDING, expires_at=now + dt.timedelta(seconds=60))
        rotated = await store.rotate(await store.add_refresh_token(authorization, now), "app", now)
        assert isinstance(rotated, Rotated)
        await store.revoke_token(f"jti-{day}", now + dt.timedelta(minutes=5))
        await store.sweep(now)
        async with stores["idp"].read() as connection:
            tables = ("authorizations", "codes", "refresh_tokens", "revoked_tokens")
            sizes.append([(await connection.execute(sa.text(f"SELECT count(*) FROM {table}"))).scalar_one() for table in tables])
    assert sizes[-1] == sizes[10]
    assert max(sizes[-1]) <= 8
