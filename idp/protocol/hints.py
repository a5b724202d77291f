"""OIDC Core §3.1.2.1, RP-Initiated Logout §4: reading an `id_token_hint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.spec import id_token
from keys.errors import TokenInvalid

if TYPE_CHECKING:
    from idp.protocol.services import Services
    from idp.spec.id_token import Hint


async def hint(token: str | None, found: Services) -> Hint | None:
    """Read a hint: signed by us and an ID Token, though it may have expired; else None."""
    if token is None:
        return None
    try:
        claims = await found.keyring.signing.verify(token, algorithms=id_token.ALGORITHMS, type=id_token.TYPE)
    except TokenInvalid:
        return None
    return id_token.hint(claims, found.settings.issuer)
