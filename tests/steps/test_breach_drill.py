"""law.md R26, a drill: from "data was revealed at this application" to a list, a letter for each person, and the authority's form."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from typing import TYPE_CHECKING

import pytest

from consent.access_log.records import Entry, Record, Subject
from consent.records import Asking, Card
from idp.accounts.records import Account, Value
from idp.protocol import breach, erasure
from idp.protocol.breach import Breach
from idp.protocol.counter import Officer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.running import Provider

PEOPLE = 60
OFFICER = Officer("dpo-01", "kebocoran di layanan aduan", legal_basis="c", legal_ref="UU 27/2022 Art. 46")


async def town(provider: Provider, count: int) -> list[str]:
    """People who allowed the application to read; the first third has been read, twice."""
    services = provider.services
    purpose = await services.consent.purposes.get("aduan")
    assert purpose is not None
    people = []
    for number in range(count):
        made = await services.accounts.create(values=[Value("name", f"Warga {number}")], now=services.clock())
        assert isinstance(made, Account)
        people.append(made.person)
    shown = Card(template="approve/3", language="id", text_hash="0" * 64, offered=frozenset({"name", "email"}), text="kartu")
    for person in people:
        asking = Asking(person=person, client="aduan", client_name="Aduan Warga", contact="x", acr="aal1", auth_time=services.clock())
        await services.consent.ledger.give(asking, purpose, frozenset({"name", "email"}), shown)
    read = people[: count // 3]
    await asyncio.gather(*(_read(provider, person, "email") for person in read for _ in range(2)))
    await _read(provider, people[-1], "name")  # other data
    await _read(provider, people[-2], "email", client="antrean")  # another application
    return read


async def _read(provider: Provider, person: str, claim: str, client: str = "aduan") -> None:
    record = Record(action="disclose", client=client, claims=(claim,), channel="userinfo", outcome="ok", legal_basis="a")
    await provider.services.consent.access_log.append(Entry(record, Subject(person)))


async def known(provider: Provider, **changes: dt.datetime) -> Breach:
    client = await provider.services.clients.get("aduan")
    assert client is not None
    now = provider.services.clock()
    span = {"since": now - dt.timedelta(hours=1), "until": now + dt.timedelta(hours=1)} | changes
    return Breach(client=client, claims=frozenset({"email"}), noticed=now, happened="Sandi pengelola dicuri.", measures="Diganti.", **span)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_everybody_whose_data_was_read_gets_a_letter_and_nobody_else(
    provider: Provider, record_property: Callable[[str, object], None]
) -> None:
    read = await town(provider, PEOPLE)
    began = time.perf_counter()
    what = await known(provider)
    whom = await breach.concerned(provider.services, OFFICER, what)
    letters = await breach.letters(provider.services, OFFICER, what, whom.people)
    form = breach.form(provider.services, what, whom)
    record_property("seconds", time.perf_counter() - began)
    assert set(whom.people) == set(read)
    assert {reads.times for reads in whom.people.values()} == {2}
    assert (len(letters), whom.unknown, whom.nobody) == (len(read), 0, 0)
    for letter in letters.values():
        assert all(said in letter for said in ("Alamat email", "Sandi pengelola dicuri.", "Diganti.", "Pasal 46", "dpo@localhost"))
    assert sum("Kepada Yth. Warga" in letter for letter in letters.values()) == len(read)
    assert all(said in form for said in (f": {len(read)}\n", "Sandi pengelola dicuri.", "Diganti."))
    assert what.deadline - what.noticed == dt.timedelta(hours=72)


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_the_question_is_on_record_and_each_opened_name_in_its_person_s_chain(provider: Provider) -> None:
    read = await town(provider, 3)
    size = (await provider.services.consent.access_log.status()).size
    what = await known(provider)
    whom = await breach.concerned(provider.services, OFFICER, what)
    assert (await provider.services.consent.access_log.status()).size == size + 1
    await breach.letters(provider.services, OFFICER, what, whom.people)
    newest = (await provider.services.consent.access_log.history(read[0]))[0]
    assert (newest.record["action"], newest.record["channel"], newest.claims) == ("consult", "breach", ("name",))
    assert newest.record["reason"] == OFFICER.reason


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_reads_outside_the_span_do_not_count_and_the_erased_are_numbers(provider: Provider) -> None:
    read = await town(provider, 6)
    now = provider.services.clock()
    outside = await breach.concerned(provider.services, OFFICER, await known(provider, since=now + dt.timedelta(hours=1)))
    assert (dict(outside.people), outside.nobody) == ({}, 0)
    await erasure.erase(provider.services, read[0])
    whom = await breach.concerned(provider.services, OFFICER, await known(provider))
    assert (set(whom.people), whom.nobody) == (set(read[1:]), 2)


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_reported_read_counts_by_when_it_happened_and_concerns_people_who_never_allowed_the_application(provider: Provider) -> None:
    services, now = provider.services, provider.services.clock()
    made = await services.accounts.create(values=[Value("name", "Warga")], now=now)
    assert isinstance(made, Account)
    happened = now - dt.timedelta(days=3)
    record = Record(
        action="consult", client="aduan", claims=("email",), channel="reported", outcome="ok", reported_by="aduan", occurred=happened
    )
    await services.consent.access_log.append(Entry(record, Subject(made.person)))
    then = {"since": happened - dt.timedelta(hours=1), "until": happened + dt.timedelta(hours=1)}
    whom = await breach.concerned(services, OFFICER, await known(provider, **then))
    assert (set(whom.people), whom.unknown) == ({made.person}, 0)
    assert whom.people[made.person].first == happened
    assert not (await breach.concerned(services, OFFICER, await known(provider))).people
