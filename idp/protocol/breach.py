"""Who must be told of a breach at an application, and the letters (UU 27/2022 Art. 46; law.md R26).

The list comes from the access log: whoever's data the application read is concerned, and nobody else. To look is an entry; to open a name
for a letter is an entry in that person's own chain, which the person sees.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consent.access_log.records import Entry, Record
from consent.disclosure import Disclosed, StaffRead
from consent.errors import ChainClosed, PersonErased
from idp.pages.formats import Formats
from idp.pages.texts import catalogue
from keys.errors import KeyDestroyed
from keys.log_subjects import LogKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consent.access_log.affected import Reads, ReadsByChain
    from idp.accounts.records import Account
    from idp.clients.records import Client
    from idp.protocol.counter import Officer
    from idp.protocol.services import Services

CHANNEL: Final = "breach"
NOTICE_WITHIN: Final = dt.timedelta(hours=72)  # Art. 46(1): "paling lambat 3 x 24 (tiga kali dua puluh empat) jam"
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """What is known of it: at which application, which kinds of data, read when; noticed when; what happened; what is being done."""

    client: Client
    claims: frozenset[str]
    since: dt.datetime
    until: dt.datetime
    noticed: dt.datetime
    happened: str
    measures: str

    @property
    def deadline(self) -> dt.datetime:
        """By when everybody must have been told."""
        return self.noticed + NOTICE_WITHIN


@dataclass(frozen=True, slots=True)
class Concerned:
    """People whose data was read, with what was read; `nobody` counts entries of people who were erased since."""

    people: Mapping[str, Reads]
    nobody: int
    unknown: int


async def concerned(found: Services, officer: Officer, breach: Breach) -> Concerned:
    """List whom a breach concerns. The question is an entry before it is answered. Raises: LogUnavailable, StoreUnavailable, TreeBroken."""
    record = Record(
        action="audit",
        client=breach.client.id,
        client_name=breach.client.name,
        agency=breach.client.agency.code,
        actor=officer.actor,
        legal_basis=officer.legal_basis,
        legal_ref=officer.legal_ref,
        claims=tuple(sorted(breach.claims)),
        channel=CHANNEL,
        outcome="ok",
        reason=officer.reason,
    )
    await found.consent.access_log.append(Entry(record))
    reads = await found.consent.access_log.reads_by_chain(breach.client.id, breach.claims, breach.since, breach.until)
    people: dict[str, Reads] = {}
    placed = 0
    known = await found.consent.ledger.people_of(breach.client.id)
    for start in range(0, len(known), _AT_ONCE):
        keys = await found.keyring.subject_keys.log_keys(known[start : start + _AT_ONCE])
        people |= {person: about for person, key in keys.items() if (about := reads.of(key)) is not None}
        placed += sum(map(reads.chains_of, keys.values()))
    if placed < len(reads.chains):
        people, placed = await _of_everybody(found, reads)
    return Concerned(people, reads.nobody, len(reads.chains) - placed)


async def _of_everybody(found: Services, reads: ReadsByChain) -> tuple[dict[str, Reads], int]:
    """Look among all living people: an agency reports reads of copies also about people who never allowed this application anything.

    Returns: what was read about whom, and how many chains that accounts for.
    """
    people: dict[str, Reads] = {}
    placed = 0
    async for page in found.keyring.subject_keys.every_log_key():
        keys = {person: LogKey(secret) for person, secret in page.items()}
        people |= {person: about for person, key in keys.items() if (about := reads.of(key)) is not None}
        placed += sum(map(reads.chains_of, keys.values()))
    return people, placed


async def letters(found: Services, officer: Officer, breach: Breach, people: Mapping[str, Reads]) -> Mapping[str, str]:
    """Write a letter to each person, by account number. Each name that is opened is an entry of that person.

    Raises: LogUnavailable, LogBusy. Whoever was erased meanwhile gets none.
    """
    written: dict[str, str] = {}
    named = list(people)
    for start in range(0, len(named), _AT_ONCE):
        group = named[start : start + _AT_ONCE]
        done = await asyncio.gather(*(_letter(found, officer, breach, person, people[person]) for person in group))
        written |= dict(one for one in done if one is not None)
    return written


async def _letter(found: Services, officer: Officer, breach: Breach, person: str, reads: Reads) -> tuple[str, str] | None:
    account = await found.accounts.get(person)
    if account is None or not account.number:
        return None
    read = StaffRead(
        actor=officer.actor,
        person=person,
        claims=frozenset({"name"}),
        reason=officer.reason,
        legal_basis=officer.legal_basis,
        legal_ref=officer.legal_ref,
        channel=CHANNEL,
        agency=breach.client.agency.code,
    )
    try:
        seen = await found.consent.disclosure.to_staff(read, await found.accounts.sealed(person, ["name"]))
    except (ChainClosed, KeyDestroyed, PersonErased):
        return None
    return (account.number, _text(found, breach, account, seen.values.get("name", ""), reads)) if isinstance(seen, Disclosed) else None


def _text(found: Services, breach: Breach, account: Account, name: str, reads: Reads) -> str:
    """Art. 46(2): which data was revealed, when and how, and what is done about it and to recover from it."""
    texts, formats = catalogue(account.locale), Formats(account.locale)
    return texts.text(
        "breach.letter",
        name=name,
        number=account.number,
        operator=found.settings.operator_name,
        contact=found.settings.dpo_contact,
        client=breach.client.name,
        agency=breach.client.agency.name[account.locale],
        data=_kinds(sorted(reads.claims), account.locale),
        read=_when(breach, reads, account.locale),
        noticed=formats.when(breach.noticed),
        happened=breach.happened,
        measures=breach.measures,
        issuer=found.settings.issuer,
    )


def _when(breach: Breach, reads: Reads, locale: str) -> str:
    """Say when data was read; where some of it is shown later (law.md R17), no more than within which time: the letter must be sent."""
    texts, formats = catalogue(locale), Formats(locale)
    if reads.withheld:
        return texts.text("breach.read_within", first=formats.when(breach.since), last=formats.when(breach.until))
    return texts.text("breach.read", times=reads.times, first=formats.when(reads.first), last=formats.when(reads.last))


def form(found: Services, breach: Breach, whom: Concerned) -> str:
    """Write the notice to the authority that Art. 46(1)(b) names: the same items, for all people together. In Indonesian."""
    formats = Formats("id")
    claims = frozenset[str]().union(*(reads.claims for reads in whom.people.values()))
    return catalogue("id").text(
        "breach.form",
        operator=found.settings.operator_name,
        issuer=found.settings.issuer,
        contact=found.settings.dpo_contact,
        client=breach.client.name,
        agency=breach.client.agency.name["id"],
        since=formats.when(breach.since),
        until=formats.when(breach.until),
        data=_kinds(sorted(claims), "id"),
        people=len(whom.people),
        times=sum(reads.times for reads in whom.people.values()),
        nobody=whom.nobody,
        unknown=whom.unknown,
        noticed=formats.when(breach.noticed),
        deadline=formats.when(breach.deadline),
        happened=breach.happened,
        measures=breach.measures,
    )


def _kinds(claims: Sequence[str], language: str) -> str:
    return ", ".join(catalogue(language).text(f"data.{claim}") for claim in claims) or "-"
