"""The names behind the ids in a citizen's entries and grants: agencies, and titles of purpose versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.me.entries import Names, entry_view, purposes_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consent.access_log.records import HistoryEntry
    from consent.records import Purpose
    from idp.me.entries import EntryView
    from idp.protocol.services import Services


async def agency_names(parts: Services) -> Mapping[str, Mapping[str, str]]:
    """Give every agency's name by its code."""
    return {agency.code: agency.name for agency in await parts.clients.agencies()}


async def purpose_versions(parts: Services, wanted: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], Purpose]:
    """Give purpose versions by (id, version); they are immutable and cached."""
    found = {key: await parts.consent.purposes.get(*key) for key in set(wanted)}
    return {key: purpose for key, purpose in found.items() if purpose is not None}


async def views(parts: Services, entries: Sequence[HistoryEntry]) -> Sequence[EntryView]:
    """Translate entries, with the names that they need."""
    purposes = await purpose_versions(parts, purposes_named(entries))
    names = Names(await agency_names(parts), {key: purpose.title for key, purpose in purposes.items()})
    return [entry_view(entry, names) for entry in entries]
