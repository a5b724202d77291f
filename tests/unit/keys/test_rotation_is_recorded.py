"""A key that time makes or removes stands in the access log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from idp.housekeeping import tend_keys

if TYPE_CHECKING:
    from consent.access_log.records import Entry


async def test_each_key_made_or_removed_by_time_is_one_entry_without_a_person() -> None:
    entries: list[Entry] = []

    async def refresh() -> list[Any]:
        return [
            SimpleNamespace(state="pending", algorithm="ES256", kid="k1"),
            SimpleNamespace(state="removed", algorithm="RS256", kid="k0"),
        ]

    async def append(entry: Entry) -> None:
        entries.append(entry)

    services = SimpleNamespace(keyring=SimpleNamespace(refresh=refresh), consent=SimpleNamespace(access_log=SimpleNamespace(append=append)))
    await tend_keys(cast("Any", services))
    assert [(entry.record.action, entry.record.reason, entry.subject) for entry in entries] == [
        ("key", "pending ES256 k1", None),
        ("key", "removed RS256 k0", None),
    ]
