"""Reading compact JWS strictly, before any key is touched (RFC 7515 §5.2, RFC 8725)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NoReturn

from keys.encoding import decode
from keys.errors import TokenInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LIMIT: Final = 16 * 1024
_SHORT: Final = 512
# RFC 8725 §3.10: "Do Not Trust Received Claims"; a key that travels with the token proves nothing. `crit`: RFC 7515 §4.1.11, we
# understand no extension. `zip`, `enc`: encrypted forms. `cty`: RFC 7519 §5.2 uses it for nested tokens, which we do not take.
_REFUSED: Final = frozenset({"crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc", "cty"})


@dataclass(frozen=True, slots=True)
class Compact:
    """A compact JWS taken apart; nothing in it is proven yet."""

    header: Mapping[str, Any]
    payload: bytes
    message: bytes
    signature: bytes
    algorithm: str
    kid: str | None


def take_apart(token: str, algorithms: Sequence[str], types: str | Sequence[str] | None) -> Compact:
    """Take a token apart and check its header against what the caller allows.

    Raises: TokenInvalid.
    """
    if len(token) > LIMIT:
        raise TokenInvalid("longer than 16 KiB")
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - RFC 7515 §7.1: three parts
        raise TokenInvalid("not a compact JWS")
    try:
        payload, signature = decode(parts[1]), decode(parts[2])
        header = _read_header(parts[0]) if len(parts[0]) <= _SHORT else read_object(decode(parts[0]))
    except ValueError:
        raise TokenInvalid("a part is not base64url") from None
    _check_header(header, types)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise TokenInvalid("its algorithm is not allowed here")
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise TokenInvalid("its kid is not a string")
    return Compact(header, payload, token[: token.rindex(".")].encode("ascii"), signature, algorithm, kid)


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


@lru_cache(maxsize=256)
def _read_header(part: str) -> Mapping[str, Any]:
    """Read a header once: a signer's headers are the same letters in every token."""
    return read_object(decode(part))


def _check_header(header: Mapping[str, Any], types: str | Sequence[str] | None) -> None:
    refused = _REFUSED.intersection(header)
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
