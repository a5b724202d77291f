"""RFC 9068 §2, §4: the claims of a JWT access token, and how a resource server checks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc9068.claims import JWTAccessTokenClaims
from joserfc.errors import JoseError

from idp.spec.id_token import audience as audiences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.spec.id_token import Authentication

TYPE = "at+jwt"
ALGORITHM = "ES256"
AUTHORIZATION = "authorization_id"  # a private claim (RFC 7519 §4.3): the approval this token stands on
HANDED_ON = "handed_on_from"  # another: the `jti` of each token that it was exchanged from, which it does not outlive


def claims(
    *,
    issuer: str,
    subject: str,
    client_id: str,
    audience: str | list[str],
    now: int,
    expires: int,
    jti: str,
    scope: tuple[str, ...],
    authorization: str | None = None,
    authentication: Authentication | None = None,
    cnf: Mapping[str, str] | None = None,
    actor: Mapping[str, Any] | None = None,
    before: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Put an access token's claims together. §2.2: iss, exp, aud, sub, client_id, iat and jti are REQUIRED.

    `cnf`: what its holder proves (RFC 7800 §3.1: `jkt` of RFC 9449 §6.1, `x5t#S256` of RFC 8705 §3.1). `actor`: `act` of RFC 8693 §4.1.
    `before`: the tokens that it was exchanged from.
    """
    token: dict[str, Any] = {
        "iss": issuer,
        "exp": expires,
        "aud": audience,
        "sub": subject,
        "client_id": client_id,
        "iat": now,
        "jti": jti,
    }
    if scope:
        token["scope"] = " ".join(scope)
    if authorization is not None:
        token[AUTHORIZATION] = authorization
    if authentication is not None:
        token |= {"auth_time": authentication.auth_time, "acr": authentication.acr, "amr": list(authentication.amr)}
    if cnf:
        token["cnf"] = dict(cnf)
    if actor:
        token["act"] = dict(actor)
    if before:
        token[HANDED_ON] = list(before)
    return token


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token of ours whose signature and claims hold. `authorization` is None when a client acts for itself."""

    jti: str
    client_id: str
    subject: str
    scope: tuple[str, ...]
    issued: int
    expires: int
    authorization: str | None
    claims: Mapping[str, Any]

    @property
    def cnf(self) -> Mapping[str, object]:
        """What its holder must prove; empty for a bearer token. Something unreadable binds to nobody."""
        found = self.claims.get("cnf", {})
        return found if isinstance(found, dict) else {"": None}

    @property
    def before(self) -> tuple[str, ...]:
        """The `jti` of each token that this one was exchanged from, the newest first."""
        found = self.claims.get(HANDED_ON, ())
        return tuple(str(jti) for jti in found) if isinstance(found, list) else ()


def read(claims_: Mapping[str, Any], *, issuer: str, audience: str | None, now: int) -> AccessToken | None:
    """Check the claims of a token whose signature and `typ` hold; None when one is missing, wrong or past.

    §4: iss must match exactly, aud must name this resource server (`audience`; None: it is not ours to use, only to tell about), "the
    current time MUST be before the time represented by the "exp" claim".
    """
    required = ("iss", "aud", "sub", "client_id", "iat", "exp", "jti")
    checked = JWTAccessTokenClaims(dict(claims_), {"typ": TYPE}, {name: {"essential": True} for name in required})
    try:
        checked.validate(now=now)
    except JoseError:
        return None
    texts = [claims_[name] for name in ("sub", "client_id", "jti")]
    authorization, scope = claims_.get(AUTHORIZATION), claims_.get("scope", "")
    for_us = audience is None or audience in audiences(claims_)
    if claims_["iss"] != issuer or not for_us or claims_["exp"] <= now or not all(isinstance(text, str) for text in texts):
        return None
    return AccessToken(
        jti=claims_["jti"],
        client_id=claims_["client_id"],
        subject=claims_["sub"],
        scope=tuple(str(scope).split()),
        issued=int(claims_["iat"]),
        expires=int(claims_["exp"]),
        authorization=authorization if isinstance(authorization, str) else None,
        claims=claims_,
    )
