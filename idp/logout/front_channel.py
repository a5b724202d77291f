"""OpenID Connect Front-Channel Logout 1.0 §2, §3: the addresses that the signed-out page loads in hidden frames, one for each service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.spec.response_modes import location

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.protocol.services import Services


async def frames(found: Services, session: str) -> Sequence[str]:
    """Give the addresses for a session that is about to end, or ended just now.

    §2: "frontchannel_logout_session_required: Boolean value specifying whether the RP requires that iss (issuer) and sid (session ID) query
    parameters be included to identify the RP session with the OP".
    """
    addresses = []
    for participant in await found.sessions.participants(sessions_=[session]):
        client = await found.clients.get(participant.client)
        if client is None or client.frontchannel_logout_uri is None:
            continue
        named = {"iss": found.settings.issuer, "sid": participant.sid} if client.frontchannel_logout_session_required else {}
        addresses.append(location(client.frontchannel_logout_uri, named))
    return addresses
