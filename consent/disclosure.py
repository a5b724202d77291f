"""The three doors: the only ways by which a personal value leaves sealed storage (design: no read without a record).

* `to_service` and `to_staff` append to the access log first; only the log's receipt opens a cell, once, within ten seconds, and only for
  the person and the claims that the receipt names. No receipt, no value: an unavailable log raises before anything is opened.
* `to_self` shows people their own values (counted; an export is an entry).
* `resealed` gives cells under a newer key in place of older ones, and no value (counted).
* `to_courier` hands a value to the mail or message that goes to its owner (counted).

No other module may import `keys.sealing.open`: an import contract holds it so.
"""

from __future__ import annotations

import dataclasses
from collections import Counter as Counted
from typing import TYPE_CHECKING, Final, Literal

from prometheus_client import Counter

from consent.access_log.records import Actor, Denied, Entry, Guard, Record, Subject
from consent.errors import PersonErased, ReceiptRefused
from keys.sealing.cells import generation_of
from keys.sealing.open import open_cell
from keys.sealing.seal import seal_cell

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Container, Mapping, Sequence

    from consent.access_log import AccessLog
    from consent.access_log.records import Receipt
    from consent.records import Grant, Purpose, SealedValue
    from keys.subject_keys import SubjectKeys

OPENED: Final = Counter("gerbang_values_opened", "Personal values opened, by the door they left through.", ["door"])

_CITIZEN: Final = Actor("citizen")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRead:
    """A service reads: who, about whom, under which authorization and grant, what. `lasting`: without a session of the citizen."""

    client: str
    client_name: str
    agency: str
    person: str
    authorization: str
    grant: Grant
    purpose: Purpose
    claims: frozenset[str]
    channel: str
    acr: str | None
    auth_time: dt.datetime | None
    lasting: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StaffRead:
    """A member of staff looks: who, at whom, at what, why, and on which ground."""

    actor: Actor
    person: str
    claims: frozenset[str]
    reason: str
    legal_basis: str
    legal_ref: str
    channel: str
    action: Literal["consult", "verify"] = "consult"
    agency: str | None = None
    acr: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A service that was authenticated wanted to read and may not."""

    client: str
    client_name: str
    agency: str
    person: str
    authorization: str
    grant: str
    claims: frozenset[str]
    channel: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Disclosed:
    """Values by claim name, and the id of the entry that records them."""

    values: Mapping[str, str] = dataclasses.field(repr=False)
    entry_id: str


@dataclasses.dataclass(frozen=True, slots=True)
class Exported:
    """What people take away of their own: each value in the place of its cell, and the id of the one entry that records it."""

    values: Sequence[str] = dataclasses.field(repr=False)
    entry_id: str


@dataclasses.dataclass(frozen=True, slots=True)
class Withheld:
    """Nothing left: the permission changed before the read was recorded. The attempt is an entry too."""

    reason: str
    entry_id: str


class Disclosure:
    """The doors of one process."""

    def __init__(self, log: AccessLog, subject_keys: SubjectKeys, erased: Container[str] = ()) -> None:
        self._log = log
        self._erased = erased
        self._keys = subject_keys
        self._uses: Counted[str] = Counted()

    def uses(self) -> Mapping[str, int]:
        """Count how often this process went through each door, and how often it unwrapped a key of somebody ("unwraps")."""
        return {**self._uses, "unwraps": self._keys.unwraps}

    async def to_service(self, read: ServiceRead, sealed: Sequence[SealedValue]) -> Disclosed | Withheld:
        """Record the read under the grant's version, then open. `sealed` may hold only what `read` names.

        Raises: LogUnavailable, LogBusy (answer 503); ReceiptRefused for a cell that the read does not name; KeysError.
        """
        _same(read.person, read.claims, sealed)
        self._refuse_erased(read.person)
        if read.grant.person != read.person or not read.claims <= read.grant.claims & read.purpose.declared:
            raise ReceiptRefused("the grant does not cover this read")
        result = await self._log.append(_service_entry(read), Guard(read.grant.id, read.grant.version))
        if isinstance(result, Denied):
            return Withheld(result.reason, result.entry_id)
        return Disclosed(await self._open_with(result, sealed, "service"), result.entry_id)

    async def denied(self, attempt: Attempt) -> str:
        """Record an attempt that was refused before it came to a read; give the entry's id. The caller asks for one a minute.

        Raises: LogUnavailable, LogBusy.
        """
        entry = _denied_entry(attempt)
        await self._log.append(entry)
        return entry.entry_id

    async def to_staff(self, read: StaffRead, sealed: Sequence[SealedValue]) -> Disclosed | Withheld:
        """Record the look with its reason, then open. Raises: as `to_service`; ValueError when no reason is given."""
        _same(read.person, read.claims, sealed)
        self._refuse_erased(read.person)
        if not read.reason.strip():
            raise ValueError("a look at a citizen needs a reason")
        result = await self._log.append(_staff_entry(read))
        if isinstance(result, Denied):
            return Withheld(result.reason, result.entry_id)
        return Disclosed(await self._open_with(result, sealed, "staff"), result.entry_id)

    async def to_self(self, person: str, sealed: Sequence[SealedValue]) -> dict[str, str]:
        """Open a person's own values for that person's own pages. Raises: ReceiptRefused for anybody else's; KeysError."""
        _same(person, [value.claim for value in sealed], sealed)
        return await self._open(sealed, "self")

    async def to_self_export(self, person: str, sealed: Sequence[SealedValue], channel: str) -> Exported | Withheld:
        """Record that a person takes their own values away, then open; several may be of one kind. Raises: as `to_service`."""
        claims = frozenset(value.claim for value in sealed)
        _same(person, claims, sealed)
        self._refuse_erased(person)
        record = Record(action="export", claims=tuple(sorted(claims)), channel=channel, outcome="ok")
        result = await self._log.append(Entry(record, Subject(person, actor=_CITIZEN)))
        if isinstance(result, Denied):
            return Withheld(result.reason, result.entry_id)
        self._spend(result, sealed)
        return Exported(await self._open_all(sealed, "export"), result.entry_id)

    async def to_courier(self, person: str, sealed: SealedValue) -> str:
        """Open one address of a person for a message that goes to that address. Raises: ReceiptRefused for anybody else's; KeysError."""
        _same(person, [sealed.claim], [sealed])
        return (await self._open([sealed], "courier"))[sealed.claim]

    async def resealed(self, person: str, sealed: Sequence[SealedValue]) -> Mapping[str, bytes]:
        """Seal anew, under the person's newest data key, the cells that an older one sealed; no value leaves. Raises: KeysError."""
        _same(person, [value.claim for value in sealed], sealed)
        newest = await self._keys.data_key(person, confirmed=True)
        old = [value for value in sealed if generation_of(value.cell) < newest.generation]
        opened = await self._open(old, "reseal")
        return {value.claim: seal_cell(newest, value.binding, opened[value.claim].encode()) for value in old}

    async def _open_with(self, receipt: Receipt, sealed: Sequence[SealedValue], door: str) -> dict[str, str]:
        self._spend(receipt, sealed)
        return await self._open(sealed, door)

    @staticmethod
    def _spend(receipt: Receipt, sealed: Sequence[SealedValue]) -> None:
        """Spend a receipt. It is spent even when nothing opens, and the time runs from the commit."""
        person = receipt.person
        if person is None:
            raise ReceiptRefused("the receipt names nobody")
        _same(person, receipt.claims, sealed)
        receipt.spend(person, [value.claim for value in sealed])

    def _refuse_erased(self, person: str) -> None:
        """Stop before the log: what a restored store still holds of an erased person is nobody's to read. Raises: PersonErased."""
        if person in self._erased:
            raise PersonErased("a store was restored from before this person's erasure")

    async def _open(self, sealed: Sequence[SealedValue], door: str) -> dict[str, str]:
        opened = await self._open_all(sealed, door)
        return {value.claim: text for value, text in zip(sealed, opened, strict=True)}

    async def _open_all(self, sealed: Sequence[SealedValue], door: str) -> list[str]:
        for person in {value.person for value in sealed}:
            self._refuse_erased(person)
        opened = []
        for value in sealed:
            key = await self._keys.data_key(value.person, generation_of(value.cell))
            opened.append(open_cell(key, value.binding, value.cell).decode())
        OPENED.labels(door).inc(len(opened))
        self._uses[door] += 1
        return opened


def _same(person: str, claims: Collection[str], sealed: Sequence[SealedValue]) -> None:
    """Refuse cells of another person or claim; the key of a cell is chosen by its person, so both names must agree."""
    for value in sealed:
        if value.person != person or value.binding.person != person:
            raise ReceiptRefused("a cell of another person")
        if value.claim not in claims:
            raise ReceiptRefused("a cell that the read does not name")


def _service_entry(read: ServiceRead) -> Entry:
    record = Record(
        action="disclose",
        client=read.client,
        client_name=read.client_name,
        agency=read.agency,
        actor=Actor("service"),
        purpose=(read.purpose.id, read.purpose.version),
        legal_basis=read.grant.basis.value,
        legal_ref=read.purpose.legal_ref,
        claims=tuple(sorted(read.claims)),
        channel=read.channel,
        acr=read.acr,
        outcome="ok",
        session="none" if read.lasting else None,
    )
    return Entry(record, Subject(read.person, read.grant.id, read.authorization, read.auth_time))


def _denied_entry(attempt: Attempt) -> Entry:
    record = Record(
        action="denied",
        client=attempt.client,
        client_name=attempt.client_name,
        agency=attempt.agency,
        actor=Actor("service"),
        claims=tuple(sorted(attempt.claims)),
        channel=attempt.channel,
        outcome=attempt.reason,
    )
    return Entry(record, Subject(attempt.person, attempt.grant, attempt.authorization))


def _staff_entry(read: StaffRead) -> Entry:
    record = Record(
        action=read.action,
        agency=read.agency,
        actor=read.actor,
        legal_basis=read.legal_basis,
        legal_ref=read.legal_ref,
        claims=tuple(sorted(read.claims)),
        channel=read.channel,
        acr=read.acr,
        outcome="ok",
        reason=read.reason,
    )
    return Entry(record, Subject(read.person))
