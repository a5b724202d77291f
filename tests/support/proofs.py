"""Holders of keys who prove it (RFC 9449), well and badly."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

if TYPE_CHECKING:
    import datetime as dt

    import httpx2

    from tests.support.running import Provider

Key = ECKey | OKPKey | RSAKey


class _Registry(jws.JWSRegistry):
    """Signs anything: long headers, and under the old name of EdDSA."""

    max_header_length = 8192

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


def encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def hash_of(token: str) -> str:
    return encode(hashlib.sha256(token.encode()).digest())


def sign(key: Key, header: dict[str, Any], payload: bytes | dict[str, Any]) -> str:
    """Sign anything under any header."""
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    registry = _Registry(algorithms=[header["alg"]], strict_check_header=False)
    return jws.serialize_compact(header, content, key, registry=registry)


class Known(Protocol):
    """What a holder must know of a provider."""

    @property
    def issuer(self) -> str: ...

    def clock(self) -> dt.datetime: ...


class Holder:
    """Somebody with a key, who talks to a provider."""

    def __init__(self, provider: Provider | Known, key: Key | None = None, algorithm: str = "ES256") -> None:
        self.provider = provider
        self.key = key or ECKey.generate_key("P-256", private=True)
        self.algorithm = algorithm

    @property
    def thumbprint(self) -> str:
        return self.key.thumbprint()

    def header(self, **changes: object) -> dict[str, Any]:
        usual: dict[str, object] = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.key.as_dict(private=False)}
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def claims(self, method: str, path: str, access_token: str | None = None, **changes: object) -> dict[str, Any]:
        usual: dict[str, object] = {
            "jti": uuid4().hex, "htm": method, "htu": f"{self.provider.issuer}{path}", "iat": int(self.provider.clock().timestamp()),
        }  # fmt: skip
        if access_token is not None:
            usual["ath"] = hash_of(access_token)
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def proof(
        self, method: str = "POST", path: str = "/token", access_token: str | None = None, *, header: Any = None, **changes: object
    ) -> str:
        """Make a proof; `header` and keywords change it, None takes something away."""
        return sign(self.key, self.header(**(header or {})), self.claims(method, path, access_token, **changes))

    async def userinfo(self, http: httpx2.AsyncClient, token: str, proof: str | None = None, scheme: str = "DPoP") -> httpx2.Response:
        """Read with a good proof, or with the one given."""
        sent = self.proof("GET", "/userinfo", token) if proof is None else proof
        return await http.get("/userinfo", headers={"authorization": f"{scheme} {token}", "dpop": sent})
