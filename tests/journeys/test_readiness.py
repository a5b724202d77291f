"""/readyz says why a process cannot serve; time's work leaves tables flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from consent.access_log import Actor
from consent.checkpoint import Checkpoint
from consent.transition import Change
from idp import housekeeping

if TYPE_CHECKING:
    from tests.support.running import Provider


async def test_a_provider_that_can_serve_says_so(provider: Provider) -> None:
    client = await provider.client()
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {"status": "ready"}


async def test_an_unmigrated_store_makes_it_unready_with_the_command(provider: Provider) -> None:
    async with provider.services.database.statement() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    answer = await (await provider.client()).get("/readyz")
    assert answer.status_code == 503
    assert "the idp store stands at revision 0000" in answer.json()["reasons"][0]
    assert "idp database upgrade" in answer.json()["reasons"][0]


async def test_a_loss_in_the_log_is_told_by_readiness_and_on_the_auditors_page(provider: Provider) -> None:
    """Somebody holds a checkpoint of five entries more than the database has: they are gone, and nobody may forget it."""
    consent = provider.services.consent
    assert consent.signer is not None
    assert consent.transition is not None
    head = await consent.signer.sign_once()
    key, verifier = await consent.signer.key(head.origin)
    final = Checkpoint(head.origin, head.size + 5, bytes(32))
    change = Change(Actor("administrator", pseudonym="rina"), "the disk burnt")
    await consent.transition.after_loss(change, final.note(verifier, key.sign(final.body)))
    client = await provider.client()
    ready = (await client.get("/readyz")).json()
    assert ready["status"] == "ready"
    assert "after a LOSS of 5 entries" in ready["notices"][0]
    page = (await client.get("/audit", headers={"accept-language": "en"})).text
    assert "Records were lost" in page
    assert "the disk burnt" in page
    vkey = await consent.verifier_key()
    assert vkey is not None
    assert vkey.fingerprint in page


async def test_what_has_expired_is_swept_and_what_has_not_stays(provider: Provider) -> None:
    tokens = await provider.tokens()
    await housekeeping.sweep(provider.services)
    assert (await provider.userinfo(tokens["access_token"])).status_code == 200
    provider.clock.move(days=400)
    assert await housekeeping.sweep(provider.services) > 0
    assert await housekeeping.sweep(provider.services) == 0
    provider.clock.move(days=2)  # a session's end is known for a day after it was noticed, so that its services are told
    assert await housekeeping.sweep(provider.services) == 1
    assert await _rows(provider, "codes", "interactions", "sessions", "sign_ins", "refresh_tokens") == 0


async def test_a_month_of_sign_ins_leaves_tables_flat(provider: Provider) -> None:
    sizes = []
    for _ in range(4):
        await provider.tokens()
        provider.clock.move(days=31)
        await housekeeping.sweep(provider.services)
        sizes.append(await _rows(provider, "codes", "interactions", "sessions", "sign_ins"))
    assert sizes[-1] <= sizes[0] + 1


async def _rows(provider: Provider, *tables: str) -> int:
    async with provider.services.database.read() as connection:
        return sum([int((await connection.execute(sa.text(f"SELECT count(*) FROM {table}"))).scalar_one()) for table in tables])
