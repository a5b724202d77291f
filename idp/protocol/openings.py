"""Subject openings for an auditor, once two people wanted them (log.md: "on a two-person request, encrypted to the auditor, expiring").

The order: what is about to be opened is an entry about nobody → one entry for each person concerned, who sees it → the entries are
opened and encrypted to the auditor's key → whoever calls releases the package. If the log cannot write, nothing is opened. Entries about
the auditor are opened as everybody's are: an account that left some out would not add up, and what opens proves itself.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consent import export
from consent.access_log import openings
from consent.access_log.records import Actor, Denied, Entry, Record, Subject
from consent.errors import ChainClosed, LogUnavailable
from consent.signer import SignerRefused
from consent.verify_openings import Covered, covering_line
from idp.openings.records import HOLDS, Package
from keys.errors import KeyDestroyed
from keys.parcels import Address, Sealer
from keys.recipients import Recipient, read_recipient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from consent.access_log.openings import Holder, Stretch
    from consent.access_log.records import Delay
    from idp.proposals.records import Proposal
    from idp.protocol.services import Services
    from keys.database import Database

MOST: Final = 10_000
"""How many entries one package of the pages covers at most; the operator's command makes larger ones."""
LAW_BASIS: Final = "c"
_AT_ONCE: Final = 200
"""Entries that wait for the log together: a twentieth of what it lets wait, so that services go on reading."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a proposal asks for. Without `since` and `until` it is the whole log; `client`: what one application did."""

    case: str
    law: str
    since: dt.datetime | None
    until: dt.datetime | None
    client: str | None
    recipient: Recipient


@dataclass(frozen=True, slots=True)
class Hand:
    """Who carries it out: as the log names them, and with how strong a sign-in."""

    actor: Actor
    channel: str = "audit"
    agency: str | None = None
    acr: str | None = None


@dataclass(frozen=True, slots=True)
class TooMany:
    """The stretch has more entries than one package may cover."""

    entries: int


class Unsettled(Exception):
    """Somebody is being erased at this moment, so that the account would not add up: in a minute it does."""


def asked(proposal: Proposal) -> Asked:
    """Read what a proposal asks for."""
    about = proposal.subject
    since, until = (dt.datetime.fromisoformat(about[name]) if about[name] else None for name in ("since", "until"))
    return Asked(about["case"], about["law"], since, until, about["client"] or None, read_recipient(about["key"]))


async def stretch(found: Services, what: Asked) -> Stretch:
    """Give the entries that are meant, as the log stands now. Raises: StoreUnavailable, TreeBroken, LogUnavailable (no checkpoint)."""
    database = found.consent.database
    async with database.read() as connection:
        newest = await export.newest(connection)
    if newest is None:
        raise LogUnavailable("no checkpoint was signed yet")
    return await openings.stretch(database, newest.size, what.since, what.until, what.client)


async def sign(found: Services) -> None:
    """Have the newest entries signed, where this process may: an erasure of a minute ago is to stand inside of what is opened."""
    if found.consent.signer is not None and found.settings.log_signer == "embedded":
        try:
            await found.consent.signer.sign_once()
        except SignerRefused:
            return  # another signer is at work


class Making:
    """A package while it is made: `announce`, then every part of `parts`, then `package`."""

    def __init__(self, found: Services, proposal: Proposal, where: Stretch, hand: Hand) -> None:
        self._found = found
        self._proposal = proposal
        self._asked = asked(proposal)
        self._where = where
        self._hand = hand
        self._whose: dict[bytes, Holder] = {}
        self._delays: dict[str, Delay] = {}
        self._opened = self._left = self._parts = 0
        self._made = found.clock()
        self._until = self._made + dt.timedelta(seconds=found.settings.openings_lifetime)

    async def announce(self) -> None:
        """Put on record what is about to be opened, and for each person concerned that it is about them.

        Raises: LogUnavailable, LogBusy (nothing was opened), StoreUnavailable.
        """
        where, key = self._where, self._asked.recipient.thumbprint
        scope = f"entries {where.first} to {where.end - 1}; {where.client or 'every service'}; for key {key}"
        await self._append(Entry(self._record(f"[opens openings {self._proposal.id}: {scope}; {self._decided}]", self._hand.actor)))
        database, keys = self._found.consent.database, self._found.keyring.subject_keys
        wanted = await openings.references(database, where)
        self._whose = await openings.holders(keys.every_log_key(), wanted)
        people = sorted({holder.person for holder in self._whose.values()})
        self._delays = await self._unseen(database)
        gone: set[str] = set()
        for start in range(0, len(people), _AT_ONCE):
            group = people[start : start + _AT_ONCE]
            told = await asyncio.gather(*map(self._tell, group))
            gone |= {person for person, done in zip(group, told, strict=True) if not done}
        self._whose = {reference: holder for reference, holder in self._whose.items() if holder.person not in gone}

    async def parts(self, progress: Callable[[int, int], None] = lambda _done, _all: None) -> AsyncIterator[bytes]:
        """Open and encrypt, part by part; the last one comes only when the account adds up.

        Raises: Unsettled, StoreUnavailable.
        """
        where, what = self._where, self._asked
        sealer = Sealer(Address(self._proposal.id, what.recipient, HOLDS, self._until))
        covered = Covered(where.first, where.end, where.complete, where.client)
        said = {"proposal": self._proposal.id, "case": what.case, "law": what.law, "made": self._made.isoformat(timespec="seconds")}
        yield self._counted(sealer.part(covering_line(covered, said)))
        done = 0
        async for page in openings.opened(self._found.consent.database, where, self._whose):
            self._opened, self._left = self._opened + page.opened, self._left + page.left
            if page.lines:
                yield self._counted(await asyncio.to_thread(sealer.part, page.lines))
            done += openings.PAGE
            progress(min(done, where.entries), where.entries)
        if where.complete and await openings.closed_since(self._found.consent.database, where):
            raise Unsettled
        yield self._counted(sealer.part(b"", last=True))

    @property
    def package(self) -> Package:
        """Say what was made."""
        where = self._where
        return Package(
            proposal=self._proposal.id,
            by=self._proposal.by,
            made_at=self._made,
            expires_at=self._until,
            first=where.first,
            end=where.end,
            opened=self._opened,
            left=self._left,
            people=len({holder.person for holder in self._whose.values()}),
            complete=where.complete,
            parts=self._parts,
        )

    @property
    def _decided(self) -> str:
        return f"proposed by {self._proposal.by}; confirmed by {self._proposal.decided_by}"

    def _counted(self, part: bytes) -> bytes:
        self._parts += 1
        return part

    def _record(self, words: str, actor: Actor) -> Record:
        return Record(
            action="audit",
            agency=self._hand.agency,
            actor=actor,
            legal_basis=LAW_BASIS,
            legal_ref=self._asked.law,
            channel=self._hand.channel,
            acr=self._hand.acr,
            outcome="opened",
            batch=self._proposal.id,
            reason=f"{self._proposal.reason} {words}",
        )

    async def _tell(self, person: str) -> bool:
        """Record in a person's own chain that what it holds was opened; False when they were erased meanwhile."""
        auditor = Actor("auditor", self._proposal.by, "auditor", self._hand.actor.unit)
        words = f"[openings {self._proposal.id}; case {self._asked.case}; {self._decided}]"
        try:
            record, delay = self._record(words, auditor), self._delays.get(person)
            record = record._replace(visibility="delayed", delay=delay) if delay else record
            await self._append(Entry(record, Subject(person)))
        except (ChainClosed, KeyDestroyed):
            return False
        return True

    async def _unseen(self, database: Database) -> dict[str, Delay]:
        """Name those of whom nothing is opened but what they are shown later: that it was opened is shown to them then."""
        seen = {holder.person for holder in self._whose.values() if not holder.second}
        unseen = {holder.person: reference for reference, holder in self._whose.items() if holder.person not in seen}
        delays = {person: await openings.longest_delay(database, self._where, reference) for person, reference in unseen.items()}
        return {person: delay for person, delay in delays.items() if delay is not None and delay.until > self._made}

    async def _append(self, entry: Entry) -> None:
        if isinstance(await self._found.consent.access_log.append(entry), Denied):
            raise LogUnavailable("the entry was denied")


async def kept(found: Services, proposal: Proposal, hand: Hand) -> Package | TooMany:
    """Make a package and keep it for its auditor to fetch.

    Raises: LogUnavailable, LogBusy, StoreUnavailable, TreeBroken, Unsettled: then nothing was released.
    """
    await sign(found)
    where = await stretch(found, asked(proposal))
    if where.entries > MOST:
        return TooMany(where.entries)
    making = Making(found, proposal, where, hand)
    await making.announce()
    parts: Sequence[bytes] = [part async for part in making.parts()]
    await found.openings.keep(making.package, parts)
    return making.package
