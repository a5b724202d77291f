"""OIDC Core §5.3.2: a UserInfo answer as plain JSON, or signed, encrypted, or both, as the application registered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from idp.protocol import encrypting
from idp.protocol.answers import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.clients.records import Client
    from idp.protocol.services import Services

JWT: Final = "application/jwt"


async def told(found: Services, client: Client, claims: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """Answer with these claims.

    §5.3.2: "If the UserInfo Response is signed and/or encrypted, then the Claims are returned in a JWT and the content-type MUST be
    application/jwt." Raises: NoKey.
    """
    algorithm = client.userinfo_encrypted_response_alg
    if client.userinfo_signed_response_alg is None and algorithm is None:
        return answer(claims, headers=headers)
    content_type = None
    if client.userinfo_signed_response_alg is not None:
        # §5.3.2: a signed answer "SHOULD contain the Claims iss (issuer) and aud (audience) as members"
        signed = {**claims, "iss": found.settings.issuer, "aud": client.id}
        text = await found.keyring.signing.sign(signed, algorithm=client.userinfo_signed_response_alg, type="JWT")
        content_type = "JWT"
    else:
        text = json.dumps(claims, separators=(",", ":"), ensure_ascii=False)
    if algorithm is not None:
        text = await encrypting.encrypted(found, client, text, algorithm=algorithm, content_type=content_type)
    return Response(text.encode(), 200, {"cache-control": "no-store", "pragma": "no-cache", **headers}, JWT)
