"""Invariants 1 and 5: no read without a record, never more than was allowed, and no data when consent changed on the way."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from consent.access_log import records as log_records
from consent.access_log.records import Actor, Entry, Receipt, Record, Subject, receipt_for
from consent.disclosure import OPENED, Disclosed, Exported, ServiceRead, StaffRead, Withheld
from consent.errors import LogBusy, LogUnavailable, ReceiptRefused
from tests.support.consent import House, asking, card, house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from consent.records import SealedValue
    from keys.database import Database, StoreName

NAMES = frozenset({"name", "email"})


@dataclasses.dataclass(frozen=True)
class Case:
    """A citizen who allowed name and e-mail, and the read that a service is about to make."""

    home: House
    read: ServiceRead
    sealed: Sequence[SealedValue]

    @property
    def person(self) -> str:
        return self.read.person

    async def size(self) -> int:
        return (await self.home.consent.access_log.status()).size

    async def newest(self) -> dict[str, Any]:
        entry = (await self.home.consent.access_log.history(self.person, limit=1))[0]
        return {**entry.record, "entry_id": entry.entry_id, "grant": entry.grant, "authorization": entry.subject.get("authorization")}


async def case_of(home: House) -> Case:
    person, purpose = await home.person(), await home.purpose()
    given = await home.consent.ledger.give(asking(person), purpose, NAMES, card("name", "email", "phone_number"))
    await home.settled()
    read = ServiceRead(
        client="aduan-app",
        client_name="Aduan Warga",
        agency="diskominfo",
        person=person,
        authorization="auth-1",
        grant=given.grant,
        purpose=purpose,
        claims=NAMES,
        channel="userinfo",
        acr="aal1",
        auth_time=home.clock.now,
    )
    return Case(home, read, [await home.sealed(person, "name", "Siti Rahma"), await home.sealed(person, "email", "siti@example.id")])


@pytest.fixture
async def case(stores: dict[StoreName, Database]) -> AsyncIterator[Case]:
    async with house(stores) as home:
        yield await case_of(home)


@pytest.fixture
def nothing_opens(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make any opening of a cell from now on a failure."""

    def arm() -> None:
        def opened(*_: object) -> bytes:
            pytest.fail("a cell was opened")

        monkeypatch.setattr("consent.disclosure.open_cell", opened)

    return arm


async def test_a_service_gets_its_values_and_the_entry_that_records_them(case: Case) -> None:
    result = await case.home.consent.disclosure.to_service(case.read, case.sealed)
    assert isinstance(result, Disclosed)
    assert result.values == {"name": "Siti Rahma", "email": "siti@example.id"}
    entry = await case.newest()
    assert entry["entry_id"] == result.entry_id
    assert entry["action"] == "disclose"
    assert entry["claims"] == ["email", "name"]
    assert entry["purpose"] == {"declaration": "aduan", "version": 1}
    assert entry["legal_basis"] == "a"
    assert entry["grant"] == case.read.grant.id
    assert entry["authorization"] == "auth-1"


async def test_the_record_holds_no_value_and_tells_no_person(case: Case) -> None:
    await case.home.consent.disclosure.to_service(case.read, case.sealed)
    record = str((await case.home.consent.access_log.history(case.person, limit=1))[0].record)
    assert "Siti" not in record
    assert "siti@" not in record
    assert case.person not in record


async def test_the_entry_is_committed_before_the_first_cell_opens(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    from consent import disclosure

    before = await case.size()
    sizes: list[int] = []
    data_key = case.home.keyring.subject_keys.data_key

    async def watched(*arguments: Any) -> object:
        sizes.append(await case.size())
        return await data_key(*arguments)

    monkeypatch.setattr(case.home.keyring.subject_keys, "data_key", watched)
    assert isinstance(await case.home.consent.disclosure.to_service(case.read, case.sealed), disclosure.Disclosed)
    assert min(sizes) > before


async def test_withdrawing_between_decision_and_commit_denies_and_opens_nothing(case: Case, nothing_opens: Callable[[], None]) -> None:
    await case.home.consent.ledger.withdraw(case.read.grant.id)
    nothing_opens()
    result = await case.home.consent.disclosure.to_service(case.read, case.sealed)
    assert result == Withheld("withdrawn", result.entry_id)
    denied = await case.home.consent.access_log.history(case.person, action="denied")
    assert [entry.entry_id for entry in denied] == [result.entry_id]


async def test_any_change_of_the_grant_between_decision_and_commit_denies(case: Case, nothing_opens: Callable[[], None]) -> None:
    await case.home.consent.ledger.refuse(asking(case.person), case.read.purpose, card("name", "email"))
    nothing_opens()
    result = await case.home.consent.disclosure.to_service(case.read, case.sealed)
    assert isinstance(result, Withheld)


async def test_after_a_withdrawal_returned_no_read_is_committed_however_many_are_on_their_way(case: Case) -> None:
    reads = [asyncio.create_task(case.home.consent.disclosure.to_service(case.read, case.sealed)) for _ in range(40)]
    await asyncio.sleep(0.005)
    await case.home.consent.ledger.withdraw(case.read.grant.id)
    size = await case.size()
    results = await asyncio.gather(*reads)
    late = [entry for entry in await case.home.consent.access_log.history(case.person, action="disclose") if entry.index >= size]
    assert late == []
    disclosed = [result for result in results if isinstance(result, Disclosed)]
    assert len(await case.home.consent.access_log.history(case.person, action="disclose")) == len(disclosed)


@pytest.mark.parametrize("error", [LogUnavailable("down"), LogBusy(2)])
async def test_with_the_log_down_nothing_is_opened(
    case: Case, monkeypatch: pytest.MonkeyPatch, nothing_opens: Callable[[], None], error: LogUnavailable
) -> None:
    async def down(*_: object) -> None:
        raise error

    monkeypatch.setattr(case.home.consent.access_log, "append", down)
    nothing_opens()
    with pytest.raises(type(error)):
        await case.home.consent.disclosure.to_service(case.read, case.sealed)
    staff = StaffRead(
        actor=Actor("officer"),
        person=case.person,
        claims=NAMES,
        reason="x",
        legal_basis="e",
        legal_ref="y",
        channel="counter",
    )
    with pytest.raises(type(error)):
        await case.home.consent.disclosure.to_staff(staff, case.sealed)


async def test_with_the_log_not_running_nothing_is_opened(stores: dict[StoreName, Database], nothing_opens: Callable[[], None]) -> None:
    async with house(stores) as home:
        case = await case_of(home)
    async with house(stores, started=False) as home:
        nothing_opens()
        with pytest.raises(LogUnavailable):
            await home.consent.disclosure.to_service(case.read, case.sealed)


async def test_more_than_the_grant_allows_is_refused_before_anything_is_written(case: Case) -> None:
    before = await case.size()
    read = dataclasses.replace(case.read, claims=NAMES | {"phone_number"})
    with pytest.raises(ReceiptRefused):
        await case.home.consent.disclosure.to_service(read, case.sealed)
    assert await case.size() == before


async def test_a_grant_of_somebody_else_entitles_to_nothing(case: Case) -> None:
    read = dataclasses.replace(case.read, grant=dataclasses.replace(case.read.grant, person="other"))
    with pytest.raises(ReceiptRefused):
        await case.home.consent.disclosure.to_service(read, case.sealed)


async def test_a_cell_that_the_read_does_not_name_is_refused(case: Case) -> None:
    phone = await case.home.sealed(case.person, "phone_number", "+628115550100")
    with pytest.raises(ReceiptRefused):
        await case.home.consent.disclosure.to_service(case.read, [*case.sealed, phone])


async def test_a_cell_of_another_person_is_refused(case: Case) -> None:
    other = await case.home.person()
    theirs = await case.home.sealed(other, "name", "Budi")
    for cell in (theirs, dataclasses.replace(theirs, person=case.person)):
        with pytest.raises(ReceiptRefused):
            await case.home.consent.disclosure.to_service(case.read, [cell])


async def receipt(case: Case, claims: tuple[str, ...] = ("name", "email")) -> Receipt:
    entry = Entry(Record(action="disclose", claims=claims, channel="userinfo", outcome="ok"), Subject(case.person))
    found = await case.home.consent.access_log.append(entry)
    assert isinstance(found, Receipt)
    return found


async def open_with(case: Case, found: Receipt, sealed: Sequence[SealedValue] | None = None) -> dict[str, str]:
    return await case.home.consent.disclosure._open_with(found, sealed or case.sealed, "service")


async def test_a_receipt_opens_once(case: Case) -> None:
    found = await receipt(case)
    assert await open_with(case, found)
    with pytest.raises(ReceiptRefused, match="used"):
        await open_with(case, found)


async def test_a_receipt_opens_nothing_after_ten_seconds(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await receipt(case)
    later = found.issued + 10.001
    monkeypatch.setattr(log_records.clock, "monotonic", lambda: later)
    with pytest.raises(ReceiptRefused, match="old"):
        await open_with(case, found)


async def test_a_receipt_of_one_person_opens_no_cell_of_another(case: Case) -> None:
    other = await case.home.person()
    with pytest.raises(ReceiptRefused):
        await open_with(case, await receipt(case), [await case.home.sealed(other, "name", "Budi")])


async def test_a_receipt_opens_no_claim_that_it_does_not_name(case: Case) -> None:
    with pytest.raises(ReceiptRefused):
        await open_with(case, await receipt(case, ("name",)))


async def test_a_receipt_about_nobody_opens_nothing(case: Case) -> None:
    entry = Entry(Record(action="disclose", claims=("name",), channel="userinfo", outcome="ok"), None)
    found = await case.home.consent.access_log.append(entry)
    assert isinstance(found, Receipt)
    with pytest.raises(ReceiptRefused):
        await open_with(case, found)


async def test_nobody_but_the_log_makes_a_receipt(case: Case) -> None:
    real = await receipt(case)
    with pytest.raises(ReceiptRefused):
        Receipt(real.entry_id, real.index, real.leaf, real.time, real.person, real.claims, real.issued)
    assert receipt_for.__module__ == "consent.access_log.records"


async def test_a_member_of_staff_sees_values_only_with_a_reason_that_the_citizen_sees_too(case: Case) -> None:
    read = StaffRead(
        actor=Actor("officer", pseudonym="P-17", role="loket", unit="Disdukcapil"),
        person=case.person,
        claims=frozenset({"name"}),
        reason="Memeriksa KTP-el",
        legal_basis="e",
        legal_ref="UU 24/2013",
        channel="counter",
        action="verify",
    )
    with pytest.raises(ValueError, match="reason"):
        await case.home.consent.disclosure.to_staff(dataclasses.replace(read, reason=" "), case.sealed[:1])
    result = await case.home.consent.disclosure.to_staff(read, case.sealed[:1])
    assert isinstance(result, Disclosed)
    assert result.values == {"name": "Siti Rahma"}
    entry = await case.newest()
    assert entry["action"] == "verify"
    assert entry["actor"] == {"type": "officer", "pseudonym": "P-17", "role": "loket", "unit": "Disdukcapil"}
    assert entry["reason"] == "Memeriksa KTP-el"


async def test_own_pages_are_counted_and_write_no_entry(case: Case) -> None:
    before, counted = await case.size(), OPENED.labels("self")._value.get()
    assert await case.home.consent.disclosure.to_self(case.person, case.sealed) == {"name": "Siti Rahma", "email": "siti@example.id"}
    assert await case.size() == before
    assert OPENED.labels("self")._value.get() == counted + 2


async def test_nobody_sees_anothers_values_on_their_own_page(case: Case) -> None:
    other = await case.home.person()
    with pytest.raises(ReceiptRefused):
        await case.home.consent.disclosure.to_self(other, case.sealed)
    with pytest.raises(ReceiptRefused):
        await case.home.consent.disclosure.to_courier(other, case.sealed[1])


async def test_taking_ones_values_away_is_an_entry(case: Case) -> None:
    twice = [*case.sealed, case.sealed[0]]  # several of one kind: complaints, names of passkeys
    result = await case.home.consent.disclosure.to_self_export(case.person, twice, "own_data")
    assert isinstance(result, Exported)
    assert [*result.values] == ["Siti Rahma", "siti@example.id", "Siti Rahma"]
    assert (await case.newest())["action"] == "export"


async def test_a_message_goes_to_its_owners_address_and_is_counted(case: Case) -> None:
    counted = OPENED.labels("courier")._value.get()
    assert await case.home.consent.disclosure.to_courier(case.person, case.sealed[1]) == "siti@example.id"
    assert OPENED.labels("courier")._value.get() == counted + 1


async def test_an_erased_persons_values_open_no_more(case: Case) -> None:
    await case.home.keyring.subject_keys.destroy(case.person)
    from consent.errors import ChainClosed

    with pytest.raises(ChainClosed):
        await case.home.consent.disclosure.to_service(case.read, case.sealed)
