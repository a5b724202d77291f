"""Requests with DPoP proofs (RFC 9449), which live for two minutes only and so cannot be prepared long before."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from joserfc.jwk import ECKey

from keys.opaque import new_id
from tests.load.client import request
from tests.support.proofs import hash_of, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_OF_ALL = ECKey.generate_key("P-256", private=True)


class Proofs(Sequence[bytes]):
    """Requests with DPoP proofs, made when the first one is sent: proofs live for a minute around their `iat`, which is near the end."""

    def __init__(self, issuer: str, tokens: Sequence[str]) -> None:
        self._issuer = issuer
        self._tokens = tokens
        self._made: list[bytes] = []

    def __len__(self) -> int:
        return len(self._tokens)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._all()

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        return self._all()[index]

    def _all(self) -> list[bytes]:
        self._made = self._made or [self._request(token, int(time.time()) + 50) for token in self._tokens]
        return self._made

    def _request(self, token: str, iat: int) -> bytes:
        claims = {"jti": new_id(), "htm": "GET", "htu": f"{self._issuer}/userinfo", "iat": iat, "ath": hash_of(token)}
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY_OF_ALL.as_dict(private=False)}
        proof = sign(KEY_OF_ALL, header, claims)
        return request("GET", "/userinfo", headers={"authorization": f"DPoP {token}", "dpop": proof})
