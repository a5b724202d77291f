"""The certificate that a client showed in TLS, to us or to a trusted proxy: the ASGI TLS extension says it, in PEM or in DER.

`idp.web.proxies` fills the extension from the header that `IDP_CLIENT_CERTIFICATE_HEADER` names, `idp.server` from our own TLS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from keys import certificates
from keys.certificates import CertificateUnreadable

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from starlette.requests import HTTPConnection

    from keys.certificates import Certificate

_KEY = "gerbang.client_certificate"


def put(scope: MutableMapping[str, Any], certificate: Certificate) -> None:
    """Note the certificate of this request."""
    scope.setdefault("extensions", {})[_KEY] = certificate


def remove(scope: MutableMapping[str, Any]) -> None:
    """Forget it: the proxy that showed it to us acts for somebody else."""
    scope.get("extensions", {}).pop(_KEY, None)


def client_certificate(request: HTTPConnection) -> Certificate | None:
    """Give the certificate whose key the sender of this request holds; None without."""
    found: Certificate | None = request.scope.get("extensions", {}).get(_KEY)
    return found


def read_header(value: str) -> Certificate | None:
    """Read what a proxy wrote: RFC 9440 §2.1 (`:base64:`), or percent-encoded PEM (nginx `$ssl_client_escaped_cert`); None when neither.

    RFC 9440 §2.2: an empty field, or none at all, means that there was no certificate.
    """
    text = value.strip()
    try:
        if text.startswith(":") and text.endswith(":"):
            return certificates.read_base64(text.strip(":"))
        return certificates.read_pem(unquote(text))
    except CertificateUnreadable:
        return None
