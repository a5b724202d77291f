"""Complaints about entries of the history (law.md R16): taken, shown to staff after an entry, answered, and passed on when time runs out.

The texts are cells of the citizen. Staff see one through the door `to_staff`, so that the citizen sees who looked, and why.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consent.access_log.records import Denied, Entry, Record, Subject
from consent.disclosure import StaffRead, Withheld
from consent.errors import LogUnavailable
from consent.records import SealedValue
from idp.complaints.records import NewComplaint, binding_of
from idp.pages.formats import Formats, local_date
from idp.staff.records import Role
from keys.opaque import new_id
from keys.sealing.seal import seal_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consent.access_log.records import Actor, HistoryEntry
    from idp.complaints.records import Complaint
    from idp.complaints.store import Statements
    from idp.events.outbox.records import Errand
    from idp.protocol.services import Services

TOPIC: Final = "complaint"
TEXT, ANSWER = "complaint", "complaint_answer"
CHANNEL: Final = "complaint"
BASIS, REFERENCE = "c", "UU 27/2022 Art. 14"
BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class Words:
    """A complaint, opened: what the citizen wrote, what was answered, and where the entry stands in the log."""

    text: str
    answer: str | None
    index: int


async def submit(found: Services, person: str, entry: HistoryEntry, text: str) -> tuple[Complaint, bool]:
    """Take a complaint about an entry that is this person's own; the one that is there already when it was sent before (then False)."""
    number, now = new_id(), found.clock()
    words = json.dumps({"text": text, "index": entry.index}, ensure_ascii=False)
    cell = await _sealed(found, number, "text", person, words)
    new = NewComplaint(number, person, entry.entry_id, entry.record.get("agency"), cell)
    return await found.complaints.submit(new, now, local_date(now).year, lambda made: _told(found, made))


async def entry_at(found: Services, person: str, index: int) -> HistoryEntry | None:
    """Give a person's own entry by its index, None for anybody else's."""
    entries = await found.consent.access_log.history(person, limit=1, before=index + 1)
    return next((entry for entry in entries if entry.index == index and entry.problem is None), None)


async def own_words(found: Services, complaint: Complaint) -> Words:
    """Open a complaint for the citizen whose it is."""
    person = complaint.person or ""
    return _words(await found.consent.disclosure.to_self(person, cells_of(complaint)))


async def shown(found: Services, actor: Actor, complaint: Complaint, reason: str) -> Words:
    """Open a complaint for a member of staff, after the entry that the citizen sees. Raises: LogUnavailable; ValueError, no reason."""
    person = complaint.person or ""
    cells = cells_of(complaint)
    if not reason.strip():
        raise ValueError("a look at a complaint needs a reason")
    read = StaffRead(
        actor=actor,
        person=person,
        claims=frozenset(cell.claim for cell in cells),
        reason=f"{complaint.number}: {reason}",
        legal_basis=BASIS,
        legal_ref=REFERENCE,
        channel=CHANNEL,
        agency=complaint.agency,
    )
    seen = await found.consent.disclosure.to_staff(read, cells)
    if isinstance(seen, Withheld):
        raise LogUnavailable(seen.reason)
    return _words(seen.values)


async def answer(found: Services, actor: Actor, complaint: Complaint, text: str) -> Complaint | None:
    """Answer, once; the entry stands before. None when somebody was faster. Raises: LogUnavailable, ChainClosed."""
    person = complaint.person or ""
    await _enter(found, actor, complaint, (ANSWER,), complaint.number)
    cell = await _sealed(found, complaint.id, "answer", person, text)
    by = actor.pseudonym or actor.type
    return await found.complaints.answer(complaint, cell, found.clock(), by, lambda answered: _told(found, answered))


async def is_about(found: Services, complaint: Complaint, actor: Actor) -> bool:
    """Tell whether a complaint is about what this member of staff did themselves. Raises: ChainClosed, StoreUnavailable."""
    before: int | None = None
    while page := await found.consent.access_log.history(complaint.person or "", limit=BATCH, before=before):
        for entry in page:
            if entry.entry_id == complaint.entry_id:
                return (entry.record.get("actor") or {}).get("pseudonym") == actor.pseudonym
        before = page[-1].index
    return False


async def pass_on(found: Services, actor: Actor, complaint: Complaint, reason: str) -> Complaint | None:
    """Let a member of staff take a complaint to the data protection officer; the entry stands before. Raises: as `answer`."""
    await _enter(found, actor, complaint, (), f"{complaint.number}: {reason}")
    return await escalate(found, complaint)


async def escalate(found: Services, complaint: Complaint) -> Complaint | None:
    """Take a complaint to the data protection officer; None when it is there, or was answered by that officer."""
    return await found.complaints.escalate(complaint.id, found.clock(), lambda passed: _told(found, passed))


async def escalate_due(found: Services) -> int:
    """Take what nobody answered within 72 hours to the data protection officer; return how many."""
    return await found.complaints.escalate_due(found.clock(), BATCH, lambda passed: _told(found, passed))


async def tell(found: Services, errand: Errand) -> None:
    """Tell the citizen that a complaint came, was answered or went on; and the data protection officer what waits for them."""
    said = errand.payload
    if errand.person is None:
        return
    account = await found.accounts.get(errand.person)
    formats = Formats(account.locale if account else "id")
    values = {"number": said["number"], "date": formats.when(dt.datetime.fromtimestamp(said["due"], dt.UTC))}
    await found.courier.tell(errand.person, f"complaint_{said['state']}", values)
    if said["state"] == "escalated":
        for member in await found.staff.all(Role.DPO):
            if member.person is not None:
                await found.courier.tell(member.person, "complaint_waits", {"number": said["number"]})


async def resealed(found: Services, person: str) -> list[bool]:
    """Seal a person's complaints anew under the newest data key. True for each cell that was replaced. Raises: KeyDestroyed."""
    cells = [(complaint.id, cell) for complaint in await found.complaints.of_person(person, None) for cell in cells_of(complaint)]
    fresh = [(row, cell, await found.consent.disclosure.resealed(person, [cell])) for row, cell in cells]
    return [
        await found.complaints.replace(row, cell.binding.column, cell.cell, anew) for row, cell, made in fresh for anew in made.values()
    ]


async def _enter(found: Services, actor: Actor, complaint: Complaint, claims: tuple[str, ...], reason: str) -> None:
    """Record what staff are about to do with a complaint. Raises: LogUnavailable, ChainClosed."""
    record = Record(
        action="update", agency=complaint.agency, actor=actor, legal_basis=BASIS, legal_ref=REFERENCE, claims=claims,
        channel=CHANNEL, outcome="ok", reason=reason,
    )  # fmt: skip
    if isinstance(await found.consent.access_log.append(Entry(record, Subject(complaint.person or ""))), Denied):
        raise LogUnavailable("the entry was denied")


def _told(found: Services, complaint: Complaint) -> Statements:
    """Give what must follow a change of state: the errand that tells of it."""
    payload = {"number": complaint.number, "state": complaint.state.value, "due": complaint.due_at.timestamp()}
    return (found.events.outbox.adding(TOPIC, payload, found.clock(), person=complaint.person),)


def cells_of(complaint: Complaint) -> Sequence[SealedValue]:
    """Give what a complaint keeps sealed, as its citizen's: the text, and the answer when there is one."""
    person = complaint.person or ""
    rest = (("text", TEXT, complaint.text), ("answer", ANSWER, complaint.answer))
    return [
        SealedValue(person, claim, cell, binding_of(complaint.id, column, person), "asserted")
        for column, claim, cell in rest
        if cell is not None
    ]


def _words(values: Mapping[str, str]) -> Words:
    said = json.loads(values[TEXT])
    return Words(said["text"], values.get(ANSWER), said["index"])


async def _sealed(found: Services, complaint: str, column: str, person: str, text: str) -> bytes:
    key = await found.keyring.subject_keys.data_key(person, confirmed=True)
    return seal_cell(key, binding_of(complaint, column, person), text.encode())
