"""Erasing a person, in the order that a crash cannot turn into a half-remembered one.

journal (outside the databases) → nothing new begins → permissions end → erase entry, which closes the person's chain and states its
length; one more for the chain of entries that were to be shown later, if there is one → keys → indexes, cells, subject columns →
positions. Each step may be done again; an errand of the outbox does so after a crash, `replay` after a restore. Once the keys are gone,
nothing that is left anywhere, in backups too, opens any more.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from consent.access_log.forgetting import NotErased
from consent.access_log.records import Actor, Denied, Entry, Record, Subject
from consent.errors import ChainClosed, LogUnavailable
from idp.accounts.records import CLAIM_OF, IdentifierKind
from idp.events.records import EventKind
from idp.pages.formats import Formats
from idp.protocol import ending
from idp.protocol.courier import Undelivered, channel_for
from idp.protocol.erasure_journal import Erased, Journal
from keys.errors import KeyDestroyed
from keys.journal.store import JournalPosition
from keys.root_versions import destroyed_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idp.events.outbox.records import Errand
    from idp.protocol.services import Services

TOPIC = "erasure"
LAW = "UU 27/2022 Art. 8"
REPLAY = "idp accounts replay-erasures"

_log = structlog.get_logger()


def journal(found: Services) -> Journal:
    """Give the journal that the settings name."""
    return Journal(found.settings.erasure_journal_file)


def positions(found: Services) -> Mapping[str, JournalPosition]:
    """Give the position of each store."""
    stores = {"idp": found.database, "consent": found.consent.database, "keys": found.keyring.database}
    return {name: JournalPosition(database) for name, database in stores.items()}


async def backups_die(found: Services) -> dt.datetime:
    """Tell when older backups become unreadable for good: with the root version that wraps now."""
    return await destroyed_by(found.keyring.store, dt.timedelta(seconds=found.settings.root_key_lifetime), found.clock())


async def erase(found: Services, person: str, by: Actor | None = None, reason: str | None = None) -> int:
    """Erase a person; `by` and `reason` when an officer does it. Return the journal's line.

    Raises: LogUnavailable when the entry cannot be written now: the errand goes on until it can.
    """
    await _say_goodbye(found, person)
    await ending.purged(found, person)  # while services can still be told under the name by which they know the person
    erased = await asyncio.to_thread(journal(found).begin, person, found.clock())
    await found.erased.refresh()
    how = {"line": erased.line, "by": by.pseudonym if by else None, "role": by.role if by else None, "reason": reason}
    errand = await found.events.outbox.add(TOPIC, how, found.clock())
    await _carry_out(found, erased, by, reason)
    await found.events.outbox.done(errand)
    return erased.line


async def follow(found: Services, errand: Errand) -> None:
    """Finish an erasure that a crash or an unavailable log interrupted. Raises: Undelivered to be asked again."""
    payload = errand.payload
    by = Actor("officer", payload["by"], payload["role"]) if payload["by"] else None
    lines = await asyncio.to_thread(journal(found).read)
    erased = next((one for one in lines if one.line == payload["line"]), None)
    if erased is None:
        return
    try:
        await _carry_out(found, erased, by, payload["reason"])
    except LogUnavailable as error:
        raise Undelivered(type(error).__name__) from None


async def replay(found: Services) -> int:
    """After a restore: erase again whom the journal names beyond the oldest position; return how many."""
    lines = await asyncio.to_thread(journal(found).read)
    await found.erased.refresh()
    behind = min([await position.read() for position in positions(found).values()])
    again = [erased for erased in lines if erased.line > behind]
    for erased in again:
        await _carry_out(found, erased, Actor("system", "restore"), "replay of the erasure journal after a restore")
    return len(again)


async def closings(found: Services) -> Mapping[int, int | None]:
    """Give the erase entries that the journal knows, by index, with the number of entries that each may state."""
    lines = await asyncio.to_thread(journal(found).read)
    first = {erased.entry: erased.count for erased in lines if erased.entry is not None}
    return first | {erased.second.entry: erased.second.count for erased in lines if erased.second is not None}


async def unready(found: Services) -> Sequence[str]:
    """Say why nothing may be served, and how to mend it: a store, or the journal itself, was restored from before an erasure.

    While an erasure is on its way (its errand waits), stores may differ for a moment: that is no restore.
    """
    lines = await asyncio.to_thread(journal(found).read)
    reached = {name: await position.read() for name, position in positions(found).items()}
    known = max((erased.line for erased in lines if erased.entry is not None), default=0)
    late = sorted(name for name, position in reached.items() if position < known)
    reasons = []
    if late and not await found.events.outbox.waiting(TOPIC):
        reasons.append(f"restored from before an erasure: {', '.join(late)}; run: {REPLAY}")
    if max(reached.values()) > (lines[-1].line if lines else 0):
        reasons.append(f"the erasure journal is older than the stores; put its newest copy at {found.settings.erasure_journal_file}")
    return reasons


async def _carry_out(found: Services, erased: Erased, by: Actor | None, reason: str | None) -> None:
    person, now = erased.person, found.clock()
    await found.accounts.close(person)
    await found.sessions.end_all(person, now)
    await found.authorizations.revoke_by_person(person, now)
    await found.consent.ledger.invalidate_all(person, by)
    await found.consent.ledger.flush_queue()
    await found.consent.freezes.flush()
    # while the person's log key lives, the chain is closed by an entry: once, and again when a restore took that entry back
    alive = await found.keyring.subject_keys.exists(person)
    if alive:
        await found.consent.delays.forget((await found.keyring.subject_keys.log_key(person)).delayed)
    entry = await (_enter(found, erased, by, reason) if alive else _enter_orphan(found, erased, reason))
    second = await (_close_second(found, erased, by, reason) if alive else _close_second_orphan(found, erased, reason))
    await found.keyring.subject_keys.destroy(person)
    await found.accounts.erase(person)
    await found.accounts.links.erase(person)
    await found.sessions.erase(person)
    await found.events.erase(person)
    await found.authorizations.erase(person)
    await found.deferred.erase(person)
    await found.staff.erase(person)
    await found.subjects.erase(person)
    await found.complaints.erase(person, now)
    await found.wishes.erase(person)
    await found.consent.ledger.forget(person)
    await found.consent.freezes.forget(person)
    for closing in (entry, second):
        await _forget_entries(found, closing)
    await found.events.record(EventKind.ERASED, at=now)
    for position in positions(found).values():
        await position.advance(erased.line)


async def _enter(found: Services, erased: Erased, by: Actor | None, reason: str | None) -> int | None:
    """Close the person's chain in the access log; None when the chain cannot be told any more (its key is gone already)."""
    entry = _erase_entry(erased.person, by, reason)
    index: int | None
    try:
        receipt = await found.consent.access_log.append(entry)
    except (ChainClosed, KeyDestroyed):
        if erased.entry is not None:
            return erased.entry
        index = await _closing_entry(found, erased.person)
    else:
        if isinstance(receipt, Denied):
            raise LogUnavailable("the erase entry was denied")
        index = receipt.index
    if index is not None:
        await _note(found, erased, index)
    return index


def _erase_entry(person: str, by: Actor | None, reason: str | None) -> Entry:
    record = Record(action="erase", actor=by, channel="self" if by is None else "staff", outcome="ok", reason=reason, legal_ref=LAW)
    return Entry(record, Subject(person, actor=Actor("citizen") if by is None else None))


async def _close_second(found: Services, erased: Erased, by: Actor | None, reason: str | None) -> int | None:
    """Close the chain of entries that were to be shown later, if there is one. The first chain is closed, so that nothing joins it."""
    log = found.consent.access_log
    try:
        exists, index = await log.second_chain(erased.person)
        if not exists:
            return None
        if index is None:
            entry = _erase_entry(erased.person, by, reason)
            receipt = await log.append(replace(entry, record=entry.record._replace(visibility="delayed")))
            index = receipt.index
    except (ChainClosed, KeyDestroyed):  # another process finished the same erasure
        return erased.second.entry if erased.second else None
    if erased.second is None or erased.second.entry != index:
        await _note(found, erased, index, second=True)
    return index


async def _close_second_orphan(found: Services, erased: Erased, reason: str | None) -> int | None:
    """Account for the second chain of a restored log whose person's key is gone. Raises: as `_enter_orphan`."""
    if erased.second is None:
        return None
    closed = await found.consent.access_log.close_orphan(erased.second.chain, _replayed(reason), erased.second.count)
    if closed is None:
        return erased.second.entry
    await asyncio.to_thread(journal(found).entered, erased, closed[0], erased.second.chain, closed[1], second=True)
    return closed[0]


def _replayed(reason: str | None) -> Record:
    return Record(action="erase", actor=Actor("system", "restore"), channel="staff", outcome="ok", reason=reason, legal_ref=LAW)


async def _note(found: Services, erased: Erased, index: int, *, second: bool = False) -> None:
    """Write into the journal what the erase entry may state: what opens as the person's, counted while the key lives.

    The entry itself states what the chain's row says. When the two differ, somebody changed rows; `idp audit verify --live` tells.
    """
    try:
        closing = await found.consent.access_log.closing(erased.person, second=second)
    except (ChainClosed, KeyDestroyed):  # another process finished the same erasure: it wrote the line
        return
    await asyncio.to_thread(journal(found).entered, erased, index, closing.reference, closing.count, second=second)


async def _enter_orphan(found: Services, erased: Erased, reason: str | None) -> int | None:
    """Account for a restored log whose person's key is gone: an entry about nobody closes the chain and states what is left of it.

    Raises: ChainDoubtful when the restored chain is not what the journal remembers.
    """
    if erased.entry is None or erased.chain is None or erased.count is None:
        return erased.entry
    closed = await found.consent.access_log.close_orphan(erased.chain, _replayed(reason), erased.count)
    if closed is None:
        return erased.entry
    index, length = closed
    await asyncio.to_thread(journal(found).entered, erased, index, erased.chain, length)
    return index


async def _forget_entries(found: Services, entry: int | None) -> None:
    """Null the subject columns of the person's entries: nobody can tell any more whose they were."""
    if entry is None:
        return
    try:
        await found.consent.access_log.forget(entry)
    except NotErased:  # a log restored from before, whose person's keys are gone already: nothing in it opens
        _log.warning("erase_entry_lost", index=entry)


async def _closing_entry(found: Services, person: str) -> int | None:
    """Find the erase entry of a crash between the log and the journal, while the person's log key still opens it."""
    try:
        history = await found.consent.access_log.history(person, limit=1, action="erase")
    except (ChainClosed, KeyDestroyed):
        _log.warning("erase_entry_unknown")
        return None
    return history[0].index if history else None


async def _say_goodbye(found: Services, person: str) -> None:
    """Tell every verified channel, addressed now: afterwards nobody knows the address."""
    account = await found.accounts.get(person)
    if account is None:
        return
    for kind in await found.accounts.verified_kinds(person):
        if kind is IdentifierKind.NIK:
            continue
        for sealed in await found.accounts.sealed(person, [CLAIM_OF[kind]]):
            address = await found.consent.disclosure.to_courier(person, sealed)
            channel = channel_for(kind, account.phone_channel)
            until = {"date": Formats(account.locale).date(await backups_die(found))}
            await found.courier.send(None, "erased", channel, account.locale, until, address=address)
