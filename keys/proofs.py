"""Proofs of possession: a JWS whose key travels in its own header (RFC 9449 §4.2). It says who holds a key, and nothing else.

Elsewhere such a key is refused (RFC 8725 §3.10); here it is the very matter, and only its thumbprint is believed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from keys.algorithms import PROOF_REGISTRIES, fits, read_key
from keys.compact import proven_claims, take_apart
from keys.errors import TokenInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keys.algorithms import AsymmetricKey

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class Possession:
    """A key that somebody holds: its RFC 7638 thumbprint, and what was signed with it. The claims are still to be checked."""

    thumbprint: str
    claims: Mapping[str, Any]


def verify_possession(token: str, *, algorithms: Sequence[str], type: str) -> Possession:  # noqa: A002 - JOSE's word
    """Verify a proof with the public key in its header. Raises: TokenInvalid, also when that key is a private one."""
    compact = take_apart(token, algorithms, type, carries=frozenset({"jwk"}), registries=PROOF_REGISTRIES)
    jwk = compact.header.get("jwk")
    if not isinstance(jwk, dict):
        raise TokenInvalid("its header carries no jwk")
    if _PRIVATE & set(jwk):
        raise TokenInvalid("its jwk is a private key")
    key, thumbprint = _read(json.dumps(jwk, sort_keys=True))
    if not fits(compact.algorithm, key):
        raise TokenInvalid("its jwk is not for its algorithm")
    return Possession(thumbprint, proven_claims(compact, key))


@lru_cache(maxsize=512)
def _read(jwk: str) -> tuple[AsymmetricKey, str]:
    try:
        key = read_key(json.loads(jwk))
    except ValueError:
        raise TokenInvalid("its jwk is no public key of 2048 bits and more, of P-256, or of Ed25519") from None
    return key, key.thumbprint()
