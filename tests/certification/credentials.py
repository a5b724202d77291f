"""Keys and certificates of applications: the public part goes into the registration, the private part into the suite's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from joserfc.jwk import ECKey, RSAKey

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
    key = _key(place)
    document = document | {"jwks": {"keys": [key.as_dict(private=False)]}}
    secrets: dict[str, Any] = {"client": {"jwks": {"keys": [key.as_dict(private=True)]}}}
    if method == "tls_client_auth":
        certificate = issue(f"certification-{place}", by=authority.root)
        document["tls_client_auth_subject_dn"] = f"CN=certification-{place}"
        secrets[place.replace("client", "mtls")] = {"cert": certificate.pem.decode(), "key": certificate.key_pem.decode()}
    return document, secrets


def _key(place: str) -> ECKey | RSAKey:
    """Make an RSA key for the first application, which some modules then use with an algorithm it is not for; an EC key for the second."""
    if place == "client":
        return RSAKey.generate_key(2048, {"alg": "PS256", "use": "sig", "kid": f"{place}-key"})
    return ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig", "kid": f"{place}-key"})
