"""Invariant 5 by real parts: whatever happens to a grant, the door lets out at most what stands allowed then."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.decision import is_active, readable
from consent.disclosure import Disclosed, ServiceRead, Withheld
from consent.errors import ReceiptRefused
from keys.database import Database, store_urls
from tests.support.consent import DEMO, House, asking, card, house

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consent.records import Grant

ALL = frozenset({"name", "email", "phone_number"})
TEXT = (DEMO / "aduan.toml").read_text(encoding="utf-8")
NARROW = TEXT[: TEXT.index("[[optional]]")]
ACTS = ("give", "give_all", "refuse", "withdraw", "declare_wide", "declare_narrow", "week", "year", "read", "read_stale")


@contextlib.asynccontextmanager
async def opened(folder: Path):  # noqa: ANN201 - an async context manager of a House
    stores = {name: Database.open(url) for name, url in store_urls(f"sqlite:///{folder}/idp.sqlite3", None, None).items()}
    async with house(stores) as home:
        yield home
    for store in stores.values():
        await store.close()


@pytest.fixture
def home(sqlite_template: Path, tmp_path: Path) -> Iterator[tuple[asyncio.Runner, House]]:
    """A house in a loop of its own, in which the examples run one after the other."""
    folder = tmp_path / "data"
    shutil.copytree(sqlite_template, folder)
    with asyncio.Runner() as runner:
        context = opened(folder)
        yield runner, runner.run(context.__aenter__())
        runner.run(context.__aexit__(None, None, None))


class Story:
    """One citizen, one service, and the last grant that the service's side remembers."""

    def __init__(self, home: House, person: str) -> None:
        self.home = home
        self.person = person
        self.remembered: Grant | None = None

    async def act(self, act: str) -> None:
        ledger, purposes, clock = self.home.consent.ledger, self.home.consent.purposes, self.home.clock
        if act in {"declare_wide", "declare_narrow"}:
            await purposes.add(TEXT if act == "declare_wide" else NARROW)
        elif act in {"week", "year"}:
            clock.forward(days=7 if act == "week" else 365)
        elif act in {"give", "give_all", "refuse"}:
            await self._answer(act)
        elif act == "withdraw" and (found := await self._grant()):
            await ledger.withdraw(found.id)
        elif act == "read":
            self.remembered = await self._grant()
            await self._read(self.remembered)
        elif act == "read_stale":
            await self._read(self.remembered)

    async def _answer(self, act: str) -> None:
        purpose = await self.home.consent.purposes.get("aduan")
        assert purpose is not None
        shown = card(*sorted(purpose.declared))
        if act == "refuse":
            await self.home.consent.ledger.refuse(asking(self.person), purpose, shown)
            return
        claims = purpose.declared if act == "give_all" else purpose.required_names
        await self.home.consent.ledger.give(asking(self.person), purpose, claims, shown)

    async def _grant(self) -> Grant | None:
        return await self.home.consent.ledger.find(self.person, "aduan-app", "aduan")

    async def _read(self, grant: Grant | None) -> None:
        """Read as `release` does, with a grant that may be out of date, and hold what leaves against what stands."""
        purposes = self.home.consent.purposes
        if grant is None:
            return
        consented, newest = await purposes.get("aduan", grant.purpose_version), await purposes.get("aduan")
        assert consented is not None
        assert newest is not None
        names = readable(ALL, consented, newest, grant, self.home.clock())
        sealed = [await self.home.sealed(self.person, name, f"value of {name}") for name in sorted(names)]
        read = ServiceRead(
            client="aduan-app",
            client_name="Aduan Warga",
            agency="diskominfo",
            person=self.person,
            authorization="a",
            grant=grant,
            purpose=consented,
            claims=names,
            channel="userinfo",
            acr=None,
            auth_time=None,
        )
        standing = await self.home.consent.ledger.get(grant.id)
        assert standing is not None
        result = await self.home.consent.disclosure.to_service(read, sealed)
        if isinstance(result, Withheld):
            assert standing.version != grant.version or not is_active(standing, self.home.clock())
            return
        assert isinstance(result, Disclosed)
        if result.values:
            assert is_active(standing, self.home.clock())
        assert set(result.values) <= ALL & consented.declared & newest.declared & standing.claims
        newest_entries = await self.home.consent.access_log.history(self.person, limit=10)  # consent events are appended beside it
        (entry,) = [one for one in newest_entries if one.entry_id == result.entry_id]
        assert set(entry.claims) == set(result.values)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=10))
def test_whatever_happens_to_a_grant_no_read_gets_more_than_stands_allowed(home: tuple[asyncio.Runner, House], acts: list[str]) -> None:
    runner, place = home

    async def live() -> None:
        await place.purpose()
        story = Story(place, await place.person())
        for act in ("give", *acts, "read", "read_stale"):
            await story.act(act)

    runner.run(live())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(more=st.frozensets(st.sampled_from(["phone_number", "nik", "birthdate"]), min_size=1))
def test_a_caller_that_asks_the_door_for_more_than_the_grant_breaks_on_it(home: tuple[asyncio.Runner, House], more: frozenset[str]) -> None:
    """The test that breaks the invariant on purpose: no decision is asked, the door is."""
    runner, place = home

    async def greedy() -> None:
        person, purpose = await place.person(), await place.purpose()
        given = await place.consent.ledger.give(asking(person), purpose, frozenset({"name", "email"}), card(*sorted(ALL)))
        sealed = [await place.sealed(person, name, "x") for name in sorted(more)]
        read = ServiceRead(
            client="aduan-app",
            client_name="Aduan Warga",
            agency="diskominfo",
            person=person,
            authorization="a",
            grant=given.grant,
            purpose=purpose,
            claims=more | {"name"},
            channel="userinfo",
            acr=None,
            auth_time=None,
        )
        with pytest.raises(ReceiptRefused):
            await place.consent.disclosure.to_service(read, sealed)

    runner.run(greedy())
