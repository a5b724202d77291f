"""The whole walk: what is registered, then what is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.protocol.client_walk import findings, network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.clients.records import Client
    from idp.protocol.client_walk.findings import Finding
    from idp.protocol.services import Services


async def walk(found: Services, client: Client, *, asked: tuple[str, ...] = (), offline: bool = False) -> Sequence[Finding]:
    """Walk one application. `asked`: scopes it will send; `offline`: nothing is fetched."""
    purposes = {name: await found.consent.purposes.get(name) for name in client.purposes}
    told = list(findings.of_registration(client, purposes, asked))
    return told if offline else [*told, *[finding async for finding in network.of_addresses(found, client)]]
