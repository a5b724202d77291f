"""RFC 9068, OIDC Core §2: making access tokens and ID Tokens. Making one writes no row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from consent.errors import PersonErased
from idp.protocol.encrypting import encrypted
from idp.spec import at_jwt, id_token
from idp.spec.id_token import Authentication
from keys.opaque import new_id

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from idp.authorizations.records import Authorization
    from idp.clients.records import Client
    from idp.protocol.services import Services


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token and for how many seconds it is good."""

    token: str
    expires_in: int


def subject(found: Services, client: Client, person: str) -> str:
    """Give the name under which an application's sector knows a person (OIDC Core §8).

    Raises: PersonErased (503): a restored store still knows an authorization of somebody who was erased.
    """
    if person in found.erased:
        raise PersonErased("a store was restored from before this person's erasure")
    name: str = found.keyring.pairwise.subject(client.sector, person)
    return name


async def access_token(
    found: Services,
    client: Client,
    authorization: Authorization,
    scope: tuple[str, ...],
    now: dt.datetime,
    *,
    cnf: Mapping[str, str] | None = None,
    audience: tuple[str, ...] = (),
    actor: Mapping[str, Any] | None = None,
    until: int | None = None,
    before: tuple[str, ...] = (),
) -> Issued:
    """Make an access token that stands on an authorization, does not outlive it, and is good for whoever `cnf` names.

    `audience`: some of the resources that were granted (RFC 8707), else all of them. `actor`: who acts for the citizen, when the token was
    handed on (RFC 8693 §4.1); `until`: when it ends at the latest, in seconds since the epoch; `before`: the tokens it came from.
    """
    seconds = int(now.timestamp())
    ends = int(authorization.ends_at.timestamp())
    expires = min(seconds + found.settings.access_token_lifetime, ends, ends if until is None else until)
    claims = at_jwt.claims(
        issuer=found.settings.issuer,
        subject=subject(found, client, authorization.person),
        client_id=client.id,
        audience=_audience(audience or authorization.resources, found.settings.issuer),
        now=seconds,
        expires=expires,
        jti=new_id(),
        scope=scope,
        authorization=authorization.id,
        authentication=_authentication(authorization),
        cnf=cnf,
        actor=actor,
        before=before,
    )
    return Issued(await found.keyring.signing.sign(claims, algorithm=at_jwt.ALGORITHM, type=at_jwt.TYPE), expires - seconds)


async def client_token(
    found: Services,
    client: Client,
    scope: tuple[str, ...],
    now: dt.datetime,
    *,
    cnf: Mapping[str, str] | None = None,
    audience: tuple[str, ...] = (),
) -> Issued:
    """Make the access token of an application that acts for itself.

    RFC 9068 §2.2: "In cases of access tokens obtained through grants where no resource owner is involved, such as the client credentials
    grant, the value of "sub" SHOULD correspond to an identifier the authorization server uses to indicate the client application."
    """
    seconds, lifetime = int(now.timestamp()), found.settings.access_token_lifetime
    claims = at_jwt.claims(
        issuer=found.settings.issuer,
        subject=client.id,
        client_id=client.id,
        audience=_audience(audience, found.settings.issuer),
        now=seconds,
        expires=seconds + lifetime,
        jti=new_id(),
        scope=scope,
        cnf=cnf,
    )
    return Issued(await found.keyring.signing.sign(claims, algorithm=at_jwt.ALGORITHM, type=at_jwt.TYPE), lifetime)


async def identity_token(
    found: Services,
    client: Client,
    authorization: Authorization,
    now: dt.datetime,
    *,
    access_token: str | None = None,
    code: str | None = None,
    nonce: str | None = None,
    personal: Mapping[str, Any] | None = None,
) -> str:
    """Make an ID Token, signed and perhaps encrypted as the application registered (OIDC Core §2: "signed and then encrypted").

    Whoever takes no part in signing out gets no `sid`: it would only tell which sign-ins share a session. Raises: NoKey.
    """
    authentication = _authentication(authorization)
    claims = id_token.claims(
        issuer=found.settings.issuer,
        subject=subject(found, client, authorization.person),
        client_id=client.id,
        now=int(now.timestamp()),
        lifetime=found.settings.id_token_lifetime,
        authentication=authentication if client.follows_sessions else replace(authentication, sid=None),
        nonce=nonce,
        access_token=access_token,
        algorithm=client.id_token_alg,
        personal=personal,
        code=code,
    )
    token: str = await found.keyring.signing.sign(claims, algorithm=client.id_token_alg, type=id_token.TYPE)
    if client.id_token_encrypted_response_alg is None:
        return token
    return await encrypted(found, client, token, algorithm=client.id_token_encrypted_response_alg)


def _authentication(authorization: Authorization) -> Authentication:
    return Authentication(int(authorization.auth_time.timestamp()), authorization.acr, authorization.amr, authorization.sid)


def _audience(resources: tuple[str, ...], issuer: str) -> str | list[str]:
    """RFC 9068 §3: the resources asked for, else this provider; one alone as a string (RFC 7519 §4.1.3)."""
    return issuer if not resources else resources[0] if len(resources) == 1 else list(resources)
