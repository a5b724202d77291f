"""OIDC Discovery §4, RFC 8414 §3, RFC 7517 §5: the metadata documents under /.well-known/, and /jwks.json."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route

from idp.protocol import cors
from idp.protocol.services import services
from idp.spec import metadata

if TYPE_CHECKING:
    from starlette.requests import Request

_METADATA_CACHE: Final = {"cache-control": "public, max-age=3600"}
# Shorter than a new key is published before it signs (keys.rotation), so that no client meets a kid it cannot find.
_JWKS_CACHE: Final = {"cache-control": "public, max-age=300"}


@lru_cache(maxsize=4)
def _openid(issuer: str, mtls_url: str | None, *, mutual_tls: bool, certification: bool, registration: bool) -> bytes:
    return json.dumps(
        metadata.openid_provider(issuer, mutual_tls=mutual_tls, mtls_url=mtls_url, certification=certification, registration=registration)
    ).encode()


@lru_cache(maxsize=4)
def _oauth(issuer: str, mtls_url: str | None, *, mutual_tls: bool, certification: bool, registration: bool) -> bytes:
    return json.dumps(
        metadata.authorization_server(
            issuer, mutual_tls=mutual_tls, mtls_url=mtls_url, certification=certification, registration=registration
        )
    ).encode()


async def openid_configuration(request: Request) -> Response:
    """Give the OpenID Provider's metadata. §4.2: "The response MUST use the application/json content type"."""
    settings = services(request).settings
    document = _openid(
        settings.issuer,
        settings.mtls_url,
        mutual_tls=settings.mutual_tls,
        certification=settings.certification,
        registration=settings.registration_mode != "off",
    )
    return Response(document, 200, _METADATA_CACHE, "application/json")


async def authorization_server(request: Request) -> Response:
    """Give the OAuth authorization server's metadata."""
    settings = services(request).settings
    document = _oauth(
        settings.issuer,
        settings.mtls_url,
        mutual_tls=settings.mutual_tls,
        certification=settings.certification,
        registration=settings.registration_mode != "off",
    )
    return Response(document, 200, _METADATA_CACHE, "application/json")


async def jwks(request: Request) -> Response:
    """Give the public keys: pending, active and retired ones. RFC 7517 §8.5: media type application/jwk-set+json; clients expect JSON."""
    return Response(json.dumps(services(request).keyring.signing.jwks()).encode(), 200, _JWKS_CACHE, "application/json")


routes = [
    Route("/.well-known/openid-configuration", cors.public(openid_configuration), methods=["GET"]),
    Route("/.well-known/oauth-authorization-server", cors.public(authorization_server), methods=["GET"]),
    Route("/jwks.json", cors.public(jwks), methods=["GET"]),
]
