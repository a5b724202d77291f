"""RFC 8705 §2: applications that prove themselves by the certificate they show in TLS (tls_client_auth, self_signed_tls_client_auth)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import structlog

from idp.protocol.client_keys import jwks_of
from idp.protocol.fetcher import FetchRefused
from idp.spec.errors import ErrorCode, Refusal
from idp.web.certificates import client_certificate
from keys.certificates import CertificateUnreadable, authorities, read_base64, same_ip

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from starlette.requests import Request

    from idp.clients.records import Client
    from idp.protocol.services import Services
    from keys.certificates import Certificate

_log = structlog.get_logger()

PKI: Final = "tls_client_auth"
SELF_SIGNED: Final = "self_signed_tls_client_auth"
METHODS: Final = (PKI, SELF_SIGNED)


async def authenticate(request: Request, client: Client, found: Services) -> Client | Refusal:
    """Compare the certificate of this request with what the application registered."""
    certificate = client_certificate(request)
    if certificate is None:
        return _refused("The client shows no certificate: send the request over mutual TLS.")
    if not certificate.valid_at(found.clock()):
        return _refused("The certificate has expired, or is not valid yet.")
    if client.auth_method == PKI:
        return _by_authority(client, certificate, found)
    try:
        jwks = await jwks_of(found, client)
        if not _registered(jwks, certificate) and client.jwks_uri is not None:
            jwks = await jwks_of(found, client, fresh=True)
    except FetchRefused as refused:
        return _refused(f"The keys of this client cannot be read from its jwks_uri. {refused}")
    return client if _registered(jwks, certificate) else _refused("The certificate is none of the registered ones (x5c in the JWK Set).")


def _by_authority(client: Client, certificate: Certificate, found: Services) -> Client | Refusal:
    """§2.1: an authority of ours issued the certificate, and it names the one thing that was registered (§2.1.2).

    We look ourselves: some proxies are set up to pass certificates on that nobody verified.
    """
    file = found.settings.client_authorities_file
    if not certificate.issued_by(_authorities(file) if file else (), found.clock()):
        return _refused("The certificate was not issued by an authority that this provider trusts for clients.")
    return client if _names(client, certificate) else _refused("The certificate names somebody else than what was registered.")


def _names(client: Client, certificate: Certificate) -> bool:
    """§2.1.2: "A client using the "tls_client_auth" authentication method MUST use exactly one of the below metadata parameters"."""
    checks = (
        (client.tls_client_auth_subject_dn, certificate.names),
        (client.tls_client_auth_san_dns, lambda name: name.lower() in {one.lower() for one in certificate.dns}),
        (client.tls_client_auth_san_uri, lambda name: name in certificate.uris),
        (client.tls_client_auth_san_ip, lambda name: any(same_ip(name, one) for one in certificate.ips)),
        (client.tls_client_auth_san_email, lambda name: name in certificate.emails),
    )
    asked = [check(registered) for registered, check in checks if registered is not None]
    return asked == [True]


def _registered(jwks: Mapping[str, Any], certificate: Certificate) -> bool:
    """§2.2.2: the certificate itself stands in the JWK Set, as `x5c` (RFC 7517 §4.7), or by its thumbprint (§4.9)."""
    return certificate.thumbprint in set(_thumbprints(jwks.get("keys", ())))


def _thumbprints(keys: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for key in keys:
        chain = key.get("x5c")
        if isinstance(chain, list) and chain and isinstance(chain[0], str):
            try:
                yield read_base64(chain[0]).thumbprint
            except CertificateUnreadable:
                continue
        elif isinstance(key.get("x5t#S256"), str):
            yield key["x5t#S256"]


@lru_cache(maxsize=4)
def _authorities(file: Path) -> tuple[Certificate, ...]:
    """Read the authorities once; who changes the file starts the server anew, as for its own certificate."""
    try:
        return authorities(file)
    except (OSError, CertificateUnreadable) as error:
        _log.error("client_authorities_unreadable", file=str(file), error=type(error).__name__)
        return ()


def _refused(why: str) -> Refusal:
    return Refusal(ErrorCode.INVALID_CLIENT, why, 401)
