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


async def note_earlier(found: Services) -> int:
    """Note for each sector, once, everybody who ever answered a card of its applications; return how many names were looked at."""
    sectors: dict[str, list[Client]] = {}
    for client in await found.clients.list():
        sectors.setdefault(client.sector, []).append(client)
    return sum([await _note(found, sector, clients) for sector, clients in sectors.items() if not await found.subjects.whole(sector)])


async def _note(found: Services, sector: str, clients: Sequence[Client]) -> int:
    people = sorted({person for client in clients for person in await found.consent.ledger.people_of(client.id)})
    for first in range(0, len(people) or 1, AT_ONCE):
        some = people[first : first + AT_ONCE]
        named = [(issue.subject(found, clients[0], person), person) for person in some if person not in found.erased]
        await found.subjects.note_all(sector, named, last=first + AT_ONCE >= len(people))
    return len(people)
