"""OIDC Core §3.2.2.5, §3.3.2.5: answers with tokens in them, which exist for the certification plans only (IDP_CERTIFICATION)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.protocol import issue
from idp.protocol.release import Released, release

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.authorizations.records import Authorization
    from idp.clients.records import Client
    from idp.protocol.services import Services
    from idp.spec.authorization_request import AuthorizationRequest


async def parameters(
    found: Services, client: Client, asked: AuthorizationRequest, authorization: Authorization, code: str
) -> dict[str, str]:
    """Put the answer together: a code, an access token, an ID Token, as the response type says.

    The ID Token binds what travels beside it, by c_hash and at_hash (§3.3.2.11).
    """
    types, now = asked.response_type.split(), found.clock()
    told: dict[str, str] = {"code": code} if "code" in types else {}
    if "token" in types:
        issued = await issue.access_token(found, client, authorization, authorization.scope, now)
        told |= {"access_token": issued.token, "token_type": "Bearer", "expires_in": str(issued.expires_in)}
    if "id_token" in types:
        told["id_token"] = await issue.identity_token(
            found,
            client,
            authorization,
            now,
            access_token=told.get("access_token"),
            code=told.get("code"),
            nonce=asked.nonce,
            personal=await _personal(found, authorization) if types == ["id_token"] else {},
        )
    return told | {"scope": " ".join(authorization.scope)}


async def _personal(found: Services, authorization: Authorization) -> Mapping[str, Any]:
    """Read what the ID Token tells: a read like any other, recorded before it leaves."""
    names = authorization.claims.get("id_token", frozenset())
    released = await release(found, authorization, "id_token", names) if names else None
    return released.claims if isinstance(released, Released) else {}
