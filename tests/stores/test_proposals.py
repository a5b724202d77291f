"""What two people must want: decided once and by another, carried out once, whoever races, on both databases."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import pytest

from idp.proposals.records import Proposal, ProposalKind, ProposalState
from idp.proposals.store import KEEP, TO_CARRY_OUT, TO_DECIDE, ProposalStore

if TYPE_CHECKING:
    from keys.database import Database, StoreName

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
A, B, C = "P-00000001", "P-00000002", "P-00000003"


@pytest.fixture
def store(stores: dict[StoreName, Database]) -> ProposalStore:
    return ProposalStore(stores["idp"])


async def proposed(store: ProposalStore) -> Proposal:
    return await store.propose(ProposalKind.UNSEAL, {"pseudonym": C, "law": "UU 27/2022"}, "perkara 12", A, NOW)


async def test_a_proposal_is_kept_as_it_was_made(store: ProposalStore) -> None:
    made = await proposed(store)
    assert await store.get(made.id) == made
    assert list(await store.newest()) == [made]
    assert made.state(NOW) is ProposalState.OPEN
    assert made.state(NOW + TO_DECIDE) is ProposalState.EXPIRED


async def test_nobody_confirms_a_proposal_of_their_own(store: ProposalStore) -> None:
    made = await proposed(store)
    assert await store.confirm(made.id, A, NOW) is None
    confirmed = await store.confirm(made.id, B, NOW)
    assert confirmed is not None
    assert (confirmed.decided_by, confirmed.state(NOW)) == (B, ProposalState.CONFIRMED)


async def test_of_racing_decisions_one_wins(store: ProposalStore) -> None:
    made = await proposed(store)
    both = await asyncio.gather(*(decide(made.id, who, NOW) for who in (B, C) for decide in (store.confirm, store.refuse)))
    assert len([one for one in both if one is not None]) == 1


async def test_what_was_confirmed_is_carried_out_once_and_by_its_proposer(store: ProposalStore) -> None:
    made = await proposed(store)
    assert await store.carry_out(made.id, NOW, by=A) is None
    await store.confirm(made.id, B, NOW)
    assert await store.carry_out(made.id, NOW, by=B) is None
    won = [one for one in await asyncio.gather(*(store.carry_out(made.id, NOW, by=A) for _ in range(4))) if one]
    assert len(won) == 1
    await store.give_back(won[0])
    assert await store.carry_out(made.id, NOW, by=A) is not None


async def test_refused_late_and_expired_ones_cannot_be_carried_out(store: ProposalStore) -> None:
    refused, late, old = [await proposed(store) for _ in range(3)]
    assert (await store.refuse(refused.id, A, NOW)) is not None  # taken back
    assert await store.confirm(refused.id, B, NOW) is None
    assert await store.confirm(late.id, B, NOW + TO_DECIDE) is None
    await store.confirm(old.id, B, NOW)
    assert await store.carry_out(old.id, NOW + TO_CARRY_OUT, by=A) is None
    for one in (refused, late):
        assert await store.carry_out(one.id, NOW, by=A) is None


async def test_what_is_two_years_old_is_swept(store: ProposalStore) -> None:
    made = await proposed(store)
    assert await store.sweep(NOW + KEEP - dt.timedelta(seconds=1)) == 0
    assert await store.sweep(NOW + KEEP + dt.timedelta(seconds=1)) == 1
    assert await store.get(made.id) is None
