"""Request objects and applications that sign them, as contract tests send them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from keys.encoding import encode
from tests.support.application import parameters

if TYPE_CHECKING:
    from tests.support.application import Application

EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig", "alg": "ES256"}, private=True)
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True)
STRANGER = ECKey.generate_key("P-256", {"kid": "ec-1"}, private=True)
JWKS = {"keys": [EC.as_dict(private=False), RSA.as_dict(private=False)]}


def claims(app: Application, client_id: str = "app", **changes: object) -> dict[str, Any]:
    """Put an object's claims together; None leaves one out."""
    now = int(app.provider.clock().timestamp())
    usual: dict[str, object] = {
        **parameters(client_id=client_id), "iss": client_id, "aud": app.provider.issuer, "iat": now, "nbf": now, "exp": now + 300,
    }  # fmt: skip
    return {name: value for name, value in (usual | changes).items() if value is not None}


def signed(payload: dict[str, Any] | str, key: Any = EC, algorithm: str = "ES256", **header: object) -> str:
    """Sign claims, or any text; header members given as None are left out."""
    whole = {"alg": algorithm, "kid": key.kid, "typ": "oauth-authz-req+jwt"} | header
    header_ = json.dumps({name: value for name, value in whole.items() if value is not None})
    text = payload if isinstance(payload, str) else json.dumps(payload)
    message = f"{encode(header_.encode())}.{encode(text.encode())}"
    return f"{message}.{encode(jws.JWSRegistry.algorithms[algorithm].sign(message.encode(), key))}"
