"""Names of people in sectors from before names were noted (the idp store's revision 0010): computed once, from permissions.

A name (`sub`) cannot be undone, so POST /report-access looks it up; an agency may report reads about whoever ever answered its card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.protocol import issue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.clients.records import Client
    from idp.protocol.services import Services

AT_ONCE: Final = 500
"""People of one step: a few milliseconds, in which requests wait."""


async def note_earlier(found: Services) -> int:
    """Note for each sector, once, everybody who ever answered a card of its applications; return how many names were looked at."""
    sectors: dict[str, list[Client]] = {}
    for client in await found.clients.list():
        sectors.setdefault(client.sector, []).append(client)
    return sum([await _note(found, sector, clients) for sector, clients in sectors.items() if not await found.subjects.whole(sector)])


async def _note(found: Services, sector: str, clients: Sequence[Client]) -> int:
    seen = 0
    for client in clients:
        people = await found.consent.ledger.people_of(client.id, limit=AT_ONCE)
        while people:
            seen += len(people)
            named = [(issue.subject(found, client, person), person) for person in people if person not in found.erased]
            await found.subjects.note_all(sector, named, last=False)
            people = await found.consent.ledger.people_of(client.id, people[-1], AT_ONCE)
    await found.subjects.note_all(sector, (), last=True)
    return seen
