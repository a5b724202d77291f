"""Changing and removing what an application registered, and approving a purpose for it; with everything that must end then.

RFC 7592 §2.2, §2.3 and the command line come here. Each act is an entry of the access log before it is done: an auditor sees who widened
what an application may read.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from consent.access_log.records import Actor, Entry, Record
from idp.clients.self_registered import unchecked
from idp.protocol import ending, telling

if TYPE_CHECKING:
    from consent.records import Purpose
    from idp.clients.records import Added, Client
    from idp.protocol.services import Services
    from idp.spec.client_metadata import ClientMetadata

COMMAND_LINE: Final = Actor("administrator", role="command line")
ITSELF: Final = Actor("service", role="registration")
"""The application, by the token of its own registration."""


async def change(found: Services, client: Client, metadata: ClientMetadata, by: Actor) -> Added | None:
    """Replace what an application registered; None when it is gone. Permissions for purposes that it lost end, and what stands on them.

    Doing it again ends what a crash left standing. Raises: LogUnavailable.
    """
    await _enter(found, client, by, "registration changed")
    changed = await found.clients.change(client, metadata, found.clock())
    if changed is None:
        return None
    for grant in await found.consent.ledger.invalidate_client(client.id, by, metadata.purposes):
        await ending.invalidated(found, grant)
    if changed.client.sector != client.sector:
        # OIDC Core §8.1: the sector decides under which names it knows people; what it got under old names must not answer with new ones
        await found.authorizations.revoke_by_client(client.id, found.clock())
    return changed


async def remove(found: Services, client: Client, by: Actor) -> bool:
    """Remove an application: its tokens end, and what citizens allowed it; False when somebody else did. Raises: LogUnavailable.

    RFC 7592 §2.3: "the authorization server SHOULD immediately invalidate all existing authorization grants and currently active access
    tokens, all refresh tokens, and other tokens associated with this client."
    """
    await _enter(found, client, by, "registration removed")
    await telling.client_removed(found, client.id)  # it is told to sign people out while its address is known
    removed = await found.clients.remove(client.id)
    await found.notices.streams.remove(client.id)  # a later application of this name is another one
    await found.authorizations.revoke_by_client(client.id, found.clock())
    await found.consent.ledger.invalidate_client(client.id, by)
    return removed


async def approve(found: Services, client: Client, metadata: ClientMetadata, purpose: Purpose, by: Actor) -> Added | None:
    """Let an application ask for a purpose, on record; None when it is gone. Raises: LogUnavailable."""
    first = client.default_purpose is None or unchecked(client, client.default_purpose)
    purposes = tuple(dict.fromkeys((*client.purposes, purpose.id)))
    widened = dataclasses.replace(metadata, purposes=purposes, default_purpose=purpose.id if first else client.default_purpose)
    await _enter(found, client, by, "purpose approved", purpose)
    return await found.clients.change(client, widened, found.clock())


async def _enter(found: Services, client: Client, by: Actor, reason: str, purpose: Purpose | None = None) -> None:
    record = Record(
        action="update",
        client=client.id,
        client_name=client.name,
        agency=client.agency.code,
        actor=by,
        purpose=None if purpose is None else (purpose.id, purpose.version),
        legal_basis=None if purpose is None else purpose.basis.value,
        legal_ref=None if purpose is None else purpose.legal_ref,
        claims=() if purpose is None else tuple(sorted(purpose.declared)),
        channel="registration",
        outcome="ok",
        reason=reason,
    )
    await found.consent.access_log.append(Entry(record))
