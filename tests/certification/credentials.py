"""Keys and certificates of applications: the public part goes into the registration, the private part into the suite's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from joserfc.jwk import ECKey

from tests.support.certificates import issue

if TYPE_CHECKING:
    from tests.support.certificates import Authority


def credentials(document: dict[str, Any], place: str, authority: Authority) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the registration with what proves the application, and what the suite needs for its place ("client", "client2").

    An application that has no secret gets a key; one that shows certificates also gets one of `authority`.
    """
    method = document["token_endpoint_auth_method"]
    if method.startswith("client_secret"):
        return document, {}
    key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig", "kid": f"{place}-key"})
    document = document | {"jwks": {"keys": [key.as_dict(private=False)]}}
    secrets: dict[str, Any] = {"client": {"jwks": {"keys": [key.as_dict(private=True)]}}}
    if method == "tls_client_auth":
        certificate = issue(f"certification-{place}", by=authority.root)
        document["tls_client_auth_subject_dn"] = f"CN=certification-{place}"
        secrets[place.replace("client", "mtls")] = {"cert": certificate.pem.decode(), "key": certificate.key_pem.decode()}
    return document, secrets
