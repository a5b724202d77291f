"""Erasing a person, in the order that a crash cannot turn into a half-remembered one.

journal (outside the databases) → nothing new begins → permissions end → erase entry, which closes the person's chain and states its
length; one more for the chain of entries that were to be shown later, if there is one → keys → indexes, cells, subject columns →
positions. Each step may be done again; an errand of the outbox does so after a crash, `replay` after a restore. Once the keys are gone,
nothing that is left anywhere, in backups too, opens any more.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import structlog

from consent.access_log.forgetting import NotErased
from consent.access_log.records import Actor, Entry, Record, Subject
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
    return {closed.entry: closed.count for erased in lines for closed in (erased.first, erased.second) if closed is not None}


async def unready(found: Services) -> Sequence[str]:
    """Say why nothing may be served, and how to mend it: a store, or the journal itself, was restored from before an erasure.

    While an erasure is on its way (its errand waits), stores may differ for a moment: that is no restore.
    """
    lines = await asyncio.to_thread(journal(found).read)
    reached = {name: await position.read() for name, position in positions(found).items()}
    known = max((erased.line for erased in lines if erased.first is not None), default=0)
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
    # while the person's log key lives, the chains are closed by entries: once, and again when a restore took those entries back
    if await _orders_forgotten(found, person):
        closed = [await _close(found, erased, by, reason, second=second) for second in (False, True)]
    else:
        closed = [await _close_orphan(found, erased, reason, second=second) for second in (False, True)]
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
    for entry in closed:
        await _forget_entries(found, entry)
    await found.events.record(EventKind.ERASED, at=now)
    for position in positions(found).values():
        await position.advance(erased.line)


async def _orders_forgotten(found: Services, person: str) -> bool:
    """Let proposals and orders of delay name the person's chain no more; False when the key that tells the chain is gone."""
    try:
        chain = (await found.keyring.subject_keys.log_key(person)).delayed
    except KeyDestroyed:
        return False
    await found.proposals.forget("chain", chain.hex())
    await found.consent.delays.forget(chain)
    return True


async def _close(found: Services, erased: Erased, by: Actor | None, reason: str | None, *, second: bool) -> int | None:
    """Close one of the person's chains by an entry, once, and write into the journal which entry closed how many.

    Several runs of one erasure may be at it (the request and its errand): each sees both chains in the journal before it destroys the key.
    The entry states what the chain's row says, the journal what opens as the person's, counted while the key lives: when the two differ,
    somebody changed rows, and `idp audit verify --live` tells.

    Returns: the index of the entry; None when there is no such chain.
    """
    log = found.consent.access_log
    try:
        index = await _erase_entry(found, erased.person, by, reason, second=second)
        if index is None:
            return None
        closing = await log.closing(erased.person, second=second)
    except ChainClosed:  # the key is gone: the run that destroyed it had written both lines
        return await _journalled(found, erased, second=second)
    known = erased.second if second else erased.first
    if known is None or known.entry != index:
        await asyncio.to_thread(journal(found).entered, erased, index, closing.reference, closing.count, second=second)
    return index


async def _erase_entry(found: Services, person: str, by: Actor | None, reason: str | None, *, second: bool) -> int | None:
    """Give the index of the entry that closes a chain, which is written unless it is there. Raises: ChainClosed when the key is gone."""
    log = found.consent.access_log
    exists, index = await log.standing(person, second=second)
    if index is not None or (second and not exists):
        return index
    record = Record(action="erase", actor=by, channel="self" if by is None else "staff", outcome="ok", reason=reason, legal_ref=LAW)
    subject = Subject(person, actor=Actor("citizen") if by is None else None)
    try:
        receipt = await log.append(Entry(record._replace(visibility="delayed") if second else record, subject))
    except ChainClosed:  # another run was faster
        return (await log.standing(person, second=second))[1]
    return receipt.index


async def _journalled(found: Services, erased: Erased, *, second: bool) -> int | None:
    lines = await asyncio.to_thread(journal(found).read)
    now = next((one for one in lines if one.line == erased.line), erased)
    closed = now.second if second else now.first
    return closed.entry if closed else None


async def _close_orphan(found: Services, erased: Erased, reason: str | None, *, second: bool) -> int | None:
    """Account for a chain of a restored log whose person's key is gone: an entry about nobody closes it and states what is left of it.

    Raises: ChainDoubtful when the restored chain is not what the journal remembers.
    """
    known = erased.second if second else erased.first
    if known is None:
        return None
    record = Record(action="erase", actor=Actor("system", "restore"), channel="staff", outcome="ok", reason=reason, legal_ref=LAW)
    closed = await found.consent.access_log.close_orphan(known.chain, record, known.count)
    if closed is None:
        return known.entry
    index, length = closed
    await asyncio.to_thread(journal(found).entered, erased, index, known.chain, length, second=second)
    return index


async def _forget_entries(found: Services, entry: int | None) -> None:
    """Null the subject columns of the person's entries: nobody can tell any more whose they were."""
    if entry is None:
        return
    try:
        await found.consent.access_log.forget(entry)
    except NotErased:  # a log restored from before, whose person's keys are gone already: nothing in it opens
        _log.warning("erase_entry_lost", index=entry)


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
