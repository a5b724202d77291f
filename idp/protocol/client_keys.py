"""OIDC Core §10.1.1, RFC 7591 §2: the public keys of an application, by value or from its `jwks_uri`, where it may exchange them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from idp.protocol.fetcher import FetchRefused
from keys.compact import read_object
from keys.errors import TokenInvalid
from keys.verification import kid_of, verify_with_jwks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idp.clients.records import Client
    from idp.protocol.services import Services
    from keys.verification import Verified

_ACCEPT: Final = "application/json, application/jwk-set+json"
MOST: Final = 50
_NOTHING: Final[Mapping[str, Any]] = {"keys": []}


async def jwks_of(found: Services, client: Client, *, kid: str | None = None, fresh: bool = False) -> Mapping[str, Any]:
    """Give the JWK Set of an application.

    A `kid` that the set as we know it does not hold makes us fetch anew, at most twice a minute (OIDC Core §10.1.1: "The decrypter knows
    to go back to the jwks_uri location to re-retrieve the keys when it sees an unfamiliar kid value."). `fresh` does so in any case.
    Raises: FetchRefused.
    """
    if client.jwks_uri is None:
        return client.jwks or _NOTHING
    known = await _fetched(found, client.jwks_uri, fresh=fresh)
    if fresh or kid is None or any(key.get("kid") == kid for key in known["keys"]):
        return known
    return await _fetched(found, client.jwks_uri, fresh=True)


async def verify(
    found: Services,
    client: Client,
    token: str,
    *,
    algorithms: Sequence[str],
    type: str | Sequence[str] | None = None,  # noqa: A002 - JOSE's word
) -> Verified:
    """Verify a token that an application signed; keys that were exchanged without new names are fetched anew as well.

    Raises: TokenInvalid, FetchRefused.
    """
    kid = kid_of(token, algorithms, type)
    jwks = await jwks_of(found, client, kid=kid)
    try:
        return verify_with_jwks(token, jwks, algorithms=algorithms, type=type)
    except TokenInvalid:
        if client.jwks_uri is None:
            raise
        newest = await jwks_of(found, client, fresh=True)
        if newest is jwks:
            raise
        return verify_with_jwks(token, newest, algorithms=algorithms, type=type)


async def _fetched(found: Services, jwks_uri: str, *, fresh: bool) -> Mapping[str, Any]:
    return _read((await found.fetcher.get(jwks_uri, accept=_ACCEPT, fresh=fresh)).body)


@lru_cache(maxsize=128)
def _read(body: bytes) -> Mapping[str, Any]:
    """Read a JWK Set (RFC 7517 §5); what is no key in it is left out. Raises: FetchRefused."""
    try:
        keys = read_object(body).get("keys")
    except TokenInvalid:
        keys = None
    if not isinstance(keys, list) or len(keys) > MOST:
        raise FetchRefused(f"jwks_uri does not answer with a JWK Set: an object with the array keys, of {MOST} at most.")
    return {"keys": [key for key in keys if isinstance(key, dict)]}
