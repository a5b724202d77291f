"""Tokens of registration: digests only, one use means one use, on both databases."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from tests.support.running import Provider


async def test_a_token_of_three_registers_three_however_many_race(provider: Provider) -> None:
    tokens, now = provider.services.clients.tokens, provider.clock()
    issued = await tokens.issue("Diskominfo", 3, now, now + dt.timedelta(days=1))
    assert sum(await asyncio.gather(*(tokens.use(issued.token, now) for _ in range(20)))) == 3
    assert not await tokens.usable(issued.token, now)
    (left,) = await tokens.list()
    assert left.remaining == 0


async def test_what_is_stored_cannot_be_presented(provider: Provider) -> None:
    tokens, now = provider.services.clients.tokens, provider.clock()
    issued = await tokens.issue("Diskominfo", 3, now, now + dt.timedelta(days=1))
    async with provider.services.database.read() as connection:
        (row,) = (await connection.execute(sa.text("SELECT * FROM initial_tokens"))).all()
    assert not any(issued.token in str(value) for value in row)
    assert issued.token not in repr(issued)
    assert not await tokens.usable(issued.known.id, now)


async def test_the_token_of_one_registration_is_no_other_ones(provider: Provider) -> None:
    tokens = provider.services.clients.tokens
    assert tokens.registration_digest("a", "b") != tokens.registration_digest("c", "b")
    assert await tokens.registered_at("tidak-ada", "b") is None
    assert await tokens.registered_at("aduan", "b") is None  # staff registered it: nobody manages it over the network
