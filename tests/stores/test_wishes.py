"""ui.md: what a citizen wishes stays, and a month's letters are written once by however many processes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from idp.wishes.records import Wishes
from idp.wishes.store import WishStore

if TYPE_CHECKING:
    from keys.database import Database, StoreName

TWICE = sa.text("INSERT INTO digest_positions (month, last, done) VALUES ('2026-10', '', false)")
SITI, BUDI = "s" * 22, "b" * 22


@pytest.fixture
def wishes(stores: dict[StoreName, Database]) -> WishStore:
    return WishStore(stores["idp"])


async def test_wishes_are_kept_apart_from_one_another_and_forgotten_together(wishes: WishStore) -> None:
    assert await wishes.of(SITI) == Wishes("all", digest=True)
    await wishes.tell_by(SITI, "mail", digest=True)
    await wishes.tell_by(SITI, "mail", digest=False)
    assert (await wishes.of(SITI), await wishes.of(BUDI)) == (Wishes("mail", digest=False), Wishes())
    await wishes.erase(SITI)
    assert await wishes.of(SITI) == Wishes()


async def test_each_step_of_a_months_letters_is_taken_by_one_process(wishes: WishStore) -> None:
    assert await wishes.digest_position("2026-10") == ""
    taken = await asyncio.gather(*(wishes.advance("2026-10", "", BUDI, (), done=False) for _ in range(5)))
    assert (sum(taken), await wishes.digest_position("2026-10")) == (1, BUDI)
    with pytest.raises(sa.exc.SQLAlchemyError):
        await wishes.advance("2026-10", BUDI, SITI, (TWICE,), done=False)
    assert await wishes.digest_position("2026-10") == BUDI  # no letter, no step
    assert await wishes.advance("2026-10", BUDI, SITI, (), done=True)
    assert (await wishes.digest_position("2026-10"), await wishes.advance("2026-10", SITI, SITI, (), done=True)) == (None, False)
    assert (await wishes.sweep("2026-10"), await wishes.sweep("2026-11"), await wishes.digest_position("2026-10")) == (0, 1, "")
