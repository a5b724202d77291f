"""RFC 9701: an introspection answer as a signed JWT, for a resource server that must be able to prove what it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from idp.protocol import encrypting
from idp.protocol.answers import answer
from idp.spec import id_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from idp.clients.records import Client
    from idp.protocol.services import Services

TYPE: Final = "token-introspection+jwt"
MEDIA_TYPE: Final = f"application/{TYPE}"


async def told(request: Request, found: Services, caller: Client, members: Mapping[str, Any]) -> Response:
    """Answer as JSON, or as a JWT where the caller accepts nothing else.

    §4: the resource server asks for it by "the value "application/token-introspection+jwt" in the "Accept" HTTP header field". §5: iss, aud
    and iat are REQUIRED, "sub" and "exp" SHOULD NOT be included at the top level, lest the answer pass for a token. Raises: NoKey.
    """
    if MEDIA_TYPE not in request.headers.get("accept", "").lower():
        return answer(members)
    now = int(found.clock().timestamp())
    claims = {"iss": found.settings.issuer, "aud": caller.id, "iat": now, "token_introspection": members}
    algorithm = caller.introspection_signed_response_alg or id_token.ALGORITHMS[0]
    text = await found.keyring.signing.sign(claims, algorithm=algorithm, type=TYPE)
    if caller.introspection_encrypted_response_alg is not None:
        text = await encrypting.encrypted(found, caller, text, algorithm=caller.introspection_encrypted_response_alg)
    return Response(text.encode(), 200, {"cache-control": "no-store", "pragma": "no-cache"}, MEDIA_TYPE)
