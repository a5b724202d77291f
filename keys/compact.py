"""Compact JWS by joserfc, and before it what joserfc leaves to its callers (RFC 8725).

Ours: a smaller size limit, names that stand twice, keys and rules that travel in the header, nested tokens, `typ`. joserfc's: the
serialisation, base64url, `alg` and its key, the signature. It is never given a set of keys: it would choose one by itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NoReturn

from joserfc import jws
from joserfc.errors import JoseError

from keys.algorithms import REGISTRIES
from keys.encoding import decode, encode
from keys.errors import TokenInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keys.algorithms import AsymmetricKey, OneAlgorithm

LIMIT: Final = 16 * 1024
# RFC 8725 §3.10: "Do Not Trust Received Claims"; a key that travels with the token proves nothing. `crit`: RFC 7515 §4.1.11, we
# understand no extension. `zip`, `enc`: encrypted forms. `cty`: RFC 7519 §5.2 uses it for nested tokens, which we do not take.
_REFUSED: Final = frozenset({"crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc", "cty"})


@dataclass(frozen=True, slots=True)
class Compact:
    """A compact JWS taken apart; nothing in it is proven yet."""

    signed: jws.CompactSignature
    header: Mapping[str, Any]
    algorithm: str
    kid: str | None


def take_apart(
    token: str,
    algorithms: Sequence[str],
    types: str | Sequence[str] | None,
    *,
    carries: frozenset[str] = frozenset(),
    registries: Mapping[str, OneAlgorithm] = REGISTRIES,
) -> Compact:
    """Take a token apart and check its header against what the caller allows. `carries`: what else may travel in the header.

    Raises: TokenInvalid.
    """
    if len(token) > LIMIT:
        raise TokenInvalid("longer than 16 KiB")
    try:
        header = _read_header(token[: token.index(".")], registries)
    except ValueError:
        raise TokenInvalid("not a compact JWS") from None
    _check_header(header, types, _REFUSED - carries)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in registries:
        raise TokenInvalid("its algorithm is not allowed here")
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise TokenInvalid("its kid is not a string")
    try:
        signed = jws.extract_compact(token.encode(), registry=registries[algorithm])
    except (JoseError, ValueError):
        raise TokenInvalid("not a compact JWS") from None
    return Compact(signed, header, algorithm, kid)


def proven_claims(compact: Compact, key: AsymmetricKey) -> dict[str, Any]:
    """Give the claims, once the signature of `key` holds; `key` must be one for signatures of this algorithm.

    Raises: TokenInvalid.
    """
    try:
        holds = jws.validate_compact(compact.signed, key, registry=REGISTRIES[compact.algorithm])
    except (JoseError, ValueError):
        holds = False
    if not holds:
        raise TokenInvalid("its signature does not hold")
    return read_object(compact.signed.payload)


def sign_compact(algorithm: str, key: AsymmetricKey, *, kid: str, type: str, payload: bytes) -> str:  # noqa: A002 - JOSE's word
    """Sign `payload` as a compact JWS (RFC 7515 §3.1) with a key of ours; joserfc checks that it fits, and signs. Raises: JoseError."""
    model = REGISTRIES[algorithm].get_alg(algorithm)
    model.check_key(key)
    signed = f"{_own_header(algorithm, kid, type)}.{encode(payload)}"
    return f"{signed}.{encode(model.sign(signed.encode(), key))}"


@lru_cache(maxsize=64)
def _own_header(algorithm: str, kid: str, type: str) -> str:  # noqa: A002
    """Write a header once: a key signs few types of token."""
    return encode(json.dumps({"alg": algorithm, "kid": kid, "typ": type}, separators=(",", ":")).encode())


def read_object(data: bytes) -> dict[str, Any]:
    """Read a JSON object in which every name stands once (RFC 7519 §4: "Claim Names within a JWT Claims Set MUST be unique").

    Raises: TokenInvalid.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise TokenInvalid("not JSON as it should be") from None
    if not isinstance(value, dict):
        raise TokenInvalid("not a JSON object")
    return value


def _read_header(part: str, registries: Mapping[str, OneAlgorithm]) -> Mapping[str, Any]:
    """Read a header with its names standing once; joserfc's limit, usually 512 letters, stands before the cache."""
    limit = registries["ES256"].max_header_length
    if len(part) > limit:
        raise TokenInvalid(f"its header is longer than {limit} letters")
    return _read_short_header(part)


@lru_cache(maxsize=256)
def _read_short_header(part: str) -> Mapping[str, Any]:
    """Read a header once: a signer's headers are the same letters in every token."""
    return read_object(decode(part))


def _check_header(header: Mapping[str, Any], types: str | Sequence[str] | None, forbidden: frozenset[str]) -> None:
    refused = forbidden.intersection(header)
    if refused:
        raise TokenInvalid(f"its header carries {min(refused)}")
    if types is None:
        return
    allowed = (types,) if isinstance(types, str) else types
    found = header.get("typ")
    if not isinstance(found, str) or _type(found) not in {_type(name) for name in allowed}:
        raise TokenInvalid("it is of another type")


def _type(name: str) -> str:
    """RFC 7515 §4.1.9: "A recipient using the media type value MUST treat it as if "application/" were prepended"."""
    lowered = name.lower()
    return lowered.removeprefix("application/")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise TokenInvalid("a name stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    """NaN and Infinity are no JSON (RFC 8259 §6)."""
    raise ValueError(name)
