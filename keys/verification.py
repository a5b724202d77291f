"""Verifying a token that someone else signed with a key of a published set: client assertions, request objects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from keys.algorithms import AsymmetricKey, fits, read_key
from keys.compact import LIMIT, proven_claims, read_object, take_apart
from keys.encoding import decode
from keys.errors import TokenInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keys.compact import Compact

_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Verified:
    """A token whose signature holds. Its claims are still to be checked (iss, aud, exp …)."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def verify_with_jwks(
    token: str,
    jwks: Mapping[str, Any],
    *,
    algorithms: Sequence[str],
    type: str | Sequence[str] | None = None,  # noqa: A002 - JOSE's word
) -> Verified:
    """Verify `token` with the one key of `jwks` that its `kid` names, or with the only key that fits when it names none.

    Raises: TokenInvalid; also when two keys answer, since guessing among keys is not verification.
    """
    compact = take_apart(token, algorithms, type)
    return Verified(compact.header, proven_claims(compact, _choose(jwks, compact)))


def kid_of(token: str, algorithms: Sequence[str], type: str | Sequence[str] | None = None) -> str | None:  # noqa: A002 - JOSE's word
    """Give the `kid` that a token names, once its header is one that could be accepted; nothing is verified. Raises: TokenInvalid."""
    return take_apart(token, algorithms, type).kid


def _choose(jwks: Mapping[str, Any], compact: Compact) -> AsymmetricKey:
    listed = jwks.get("keys")
    candidates = [jwk for jwk in listed if isinstance(jwk, dict) and _may(jwk, compact)] if isinstance(listed, list) else []
    fitting = [key for key in map(_read, candidates) if key is not None and fits(compact.algorithm, key)]
    if len(fitting) != 1:
        raise TokenInvalid("no key of the set fits" if not fitting else "several keys of the set fit")
    return fitting[0]


def _may(jwk: Mapping[str, Any], compact: Compact) -> bool:
    return compact.kid is None or jwk.get("kid") == compact.kid


def _read(jwk: Mapping[str, Any]) -> AsymmetricKey | None:
    try:
        return _read_cached(json.dumps(jwk, sort_keys=True))
    except ValueError:
        return None


@lru_cache(maxsize=512)
def _read_cached(jwk: str) -> AsymmetricKey:
    return read_key(json.loads(jwk))


def read_unsigned(token: str) -> Verified | None:
    """Read a token of algorithm "none" (RFC 7515 appendix A.5), for the few callers that may take what nobody signed; None for any other.

    Raises: TokenInvalid when it says "none" and is not as it should be.
    """
    if len(token) > LIMIT:
        raise TokenInvalid("longer than 16 KiB")
    parts = token.split(".")
    try:
        header = read_object(decode(parts[0]))
        if header.get("alg") != "none":
            return None
        claims = read_object(decode(parts[1])) if len(parts) == _PARTS and not parts[2] else None
    except ValueError:
        raise TokenInvalid("not a compact JWS") from None
    if claims is None or set(header) - {"alg", "typ", "kid"}:
        raise TokenInvalid("an unsigned token has two parts, and a header that says no more")
    return Verified(header, claims)
