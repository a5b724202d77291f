"""Applications and running requests rest, come back, and are used once, on both databases."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from idp.clients.records import Added, Agency, Duplicate
from idp.clients.store import ClientStore
from idp.interactions.records import Closed, Interaction, Step
from idp.interactions.store import InteractionStore
from idp.spec.client_metadata import ClientMetadata
from keys.digests import Digests
from keys.secrets import Secrets

if TYPE_CHECKING:
    from keys.database import Database, StoreName

NOW = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
AGENCY = Agency("dinas", {"id": "Dinas", "en": "Office"}, "Bidang", "dpo@contoh.id")
METADATA = ClientMetadata("Aduan", "aduan", redirect_uris=("https://app.test/cb",), purposes=("aduan",), default_purpose="aduan")


class _Keyring:
    digests = Digests(b"k" * 32)
    secrets = Secrets(b"s" * 32)


class _Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def clients(stores: dict[StoreName, Database]) -> ClientStore:
    keyring: Any = _Keyring()
    store = ClientStore(stores["idp"], keyring, _Time())
    await store.put_agency(AGENCY, NOW)
    return store


@pytest.fixture
def interactions(stores: dict[StoreName, Database]) -> InteractionStore:
    keyring: Any = _Keyring()
    return InteractionStore(stores["idp"], keyring)


async def test_an_id_that_no_application_can_have_is_neither_looked_up_nor_remembered(
    clients: ClientStore, stores: dict[StoreName, Database]
) -> None:
    """Strangers choose what a request names: thousands of ids of many kilobytes each must not fill the memory."""
    asked: list[str] = []
    sa.event.listen(stores["idp"].engine.sync_engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    for stranger in ("x" * 65, "y" * 16000, "a b", ""):
        assert await clients.get(stranger) is None
    assert asked == []


async def test_an_application_comes_back_as_it_was_registered(clients: ClientStore) -> None:
    added = await clients.add(METADATA, AGENCY, NOW)
    assert isinstance(added, Added)
    assert added.secret is not None
    assert await clients.get("aduan") == added.client
    assert added.client.secret_digest == clients.secret_digest("aduan", added.secret)
    assert await clients.list() == [added.client]
    assert isinstance(await clients.add(METADATA, AGENCY, NOW), Duplicate)


async def test_a_secret_is_nowhere_in_the_store_and_a_new_one_replaces_it(clients: ClientStore, stores: dict[StoreName, Database]) -> None:
    added = await clients.add(METADATA, AGENCY, NOW, secret="rahasia-yang-diketahui")
    assert isinstance(added, Added)
    async with stores["idp"].read() as connection:
        row = (await connection.execute(sa.text("SELECT * FROM clients"))).one()
    assert "rahasia-yang-diketahui" not in repr(tuple(bytes(value) if isinstance(value, memoryview) else value for value in row))
    fresh = await clients.rotate_secret("aduan", NOW)
    assert fresh is not None
    client = await clients.get("aduan")
    assert client is not None
    assert client.secret_digest == clients.secret_digest("aduan", fresh)
    assert client.secret_digest != clients.secret_digest("other", fresh)


async def test_other_processes_changes_are_seen_within_thirty_seconds(stores: dict[StoreName, Database], clients: ClientStore) -> None:
    keyring: Any = _Keyring()
    time = _Time()
    other = ClientStore(stores["idp"], keyring, time)
    assert await other.get("aduan") is None
    await clients.add(METADATA, AGENCY, NOW)
    time.now = 2.5  # an unknown one is looked up again soon
    assert await other.get("aduan") is not None
    await clients.remove("aduan")
    assert await other.get("aduan") is not None
    time.now += 31
    assert await other.get("aduan") is None


async def test_origins_are_those_of_public_clients(clients: ClientStore) -> None:
    assert await clients.origins() == frozenset()
    await clients.add(replace(METADATA, token_endpoint_auth_method="none", origins=("https://spa.test",)), AGENCY, NOW)
    assert await clients.origins() == {"https://spa.test"}


async def test_an_assertion_is_used_once_by_many_and_forgotten_when_it_expired(clients: ClientStore) -> None:
    until = NOW + dt.timedelta(minutes=1)
    outcomes = await asyncio.gather(*(clients.use_assertion("aduan", "jti", until) for _ in range(50)))
    assert outcomes.count(True) == 1
    assert await clients.use_assertion("other", "jti", until)
    assert await clients.sweep(NOW) == 0
    assert await clients.sweep(until + dt.timedelta(seconds=1)) == 2


async def begun(store: InteractionStore) -> str:
    return await store.begin(client_id="aduan", parameters={"login_hint": "siti@contoh.id"}, browser="peramban-satu", now=NOW, lifetime=60)


async def test_a_request_is_given_to_its_own_browser_only(interactions: InteractionStore) -> None:
    interaction = await begun(interactions)
    found = await interactions.get(interaction, "peramban-satu", NOW)
    assert isinstance(found, Interaction)
    assert found.parameters == {"login_hint": "siti@contoh.id"}
    assert await interactions.get(interaction, "peramban-dua", NOW) is Closed.FOREIGN
    assert await interactions.get(interaction, None, NOW) is Closed.FOREIGN
    assert await interactions.get("never-was", "peramban-satu", NOW) is Closed.UNKNOWN
    assert await interactions.get(interaction, "peramban-satu", NOW + dt.timedelta(seconds=60)) is Closed.EXPIRED


async def test_a_login_hint_is_nowhere_in_the_store(interactions: InteractionStore, stores: dict[StoreName, Database]) -> None:
    await begun(interactions)
    async with stores["idp"].read() as connection:
        row = (await connection.execute(sa.text("SELECT request FROM interactions"))).scalar_one()
    assert b"siti" not in bytes(row)


async def test_steps_are_noted_and_the_answer_goes_out_once(interactions: InteractionStore) -> None:
    interaction = await begun(interactions)
    assert await interactions.passed(interaction, Step.LOGIN, NOW)
    found = await interactions.get(interaction, "peramban-satu", NOW)
    assert isinstance(found, Interaction)
    assert (found.login_at, found.approved_at) == (NOW, None)
    assert sorted(await asyncio.gather(*(interactions.finish(interaction, NOW) for _ in range(20)))) == [False] * 19 + [True]
    assert await interactions.get(interaction, "peramban-satu", NOW) is Closed.FINISHED
    assert await interactions.client_of(interaction) == "aduan"  # the page that says so leads back there
    assert not await interactions.passed(interaction, Step.APPROVE, NOW)


async def test_who_signs_in_has_answered_no_card_yet(interactions: InteractionStore) -> None:
    """Somebody answers the card, somebody else signs in: under prompt=consent the second one is shown a card too."""
    interaction = await begun(interactions)
    for step, answered in ((Step.LOGIN, None), (Step.APPROVE, NOW), (Step.SECOND_FACTOR, NOW), (Step.LOGIN, None)):
        assert await interactions.passed(interaction, step, NOW)
        found = await interactions.get(interaction, "peramban-satu", NOW)
        assert isinstance(found, Interaction)
        assert found.approved_at == answered


async def test_expired_requests_are_swept(interactions: InteractionStore) -> None:
    interaction = await begun(interactions)
    assert await interactions.sweep(NOW) == 0
    assert await interactions.sweep(NOW + dt.timedelta(hours=1)) == 1
    assert await interactions.get(interaction, "peramban-satu", NOW) is Closed.UNKNOWN
