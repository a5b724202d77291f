"""Compact JWE by joserfc (RFC 7516), in both directions: opened with a key of ours, made for a key that somebody published.

Two key managements, each with AES-256-GCM around the content. No compression (RFC 8725 §3.6: lengths tell what is inside), no password,
no shared secret, no `crit`. Encryption proves nothing: whatever is inside has to be signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry

from keys.algorithms import ENCRYPTION, read_key
from keys.compact import read_object
from keys.encoding import decode as decode_base64url
from keys.errors import EncryptionKeyMissing, TokenInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keys.algorithms import AsymmetricKey

KEY_MANAGEMENT: Final[Mapping[str, str]] = {"RSA-OAEP-256": "RSA-OAEP-256", "ECDH-ES": "ECDH-ES", "ECDH-ES+A256KW": "ECDH-ES"}
"""What we speak, and under which of our algorithms the key for it is kept."""
CONTENT: Final = "A256GCM"
LIMIT: Final = 24 * 1024
HEADER_LIMIT: Final = 1024
_PARTS: Final = 5
_REFUSED: Final = frozenset({"crit", "zip", "jwk", "jku", "x5u", "x5c", "p2s", "p2c"})
_REGISTRIES: Final = {name: JWERegistry(algorithms=[name, CONTENT], strict_check_header=False) for name in KEY_MANAGEMENT}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A compact JWE whose header was read; `kept_under` is the algorithm of the ring that its key is one of."""

    token: str
    algorithm: str
    kid: str | None

    @property
    def kept_under(self) -> str:
        """The algorithm under which our key for it is kept."""
        return KEY_MANAGEMENT[self.algorithm]


def is_encrypted(token: str) -> bool:
    """Tell a compact JWE from a compact JWS by its five parts (RFC 7516 §9)."""
    return token.count(".") == _PARTS - 1


def take_apart(token: str) -> Sealed:
    """Read the header of a token that may be encrypted to us.

    Raises: TokenInvalid.
    """
    if len(token) > LIMIT or not is_encrypted(token):
        raise TokenInvalid("not a compact JWE, or longer than 24 KiB")
    part = token.partition(".")[0]
    if len(part) > HEADER_LIMIT:
        raise TokenInvalid("its header is longer than 1 KiB")
    try:
        header = read_object(decode_base64url(part))
    except ValueError:
        raise TokenInvalid("not a compact JWE") from None
    refused = _REFUSED.intersection(header)
    if refused:
        raise TokenInvalid(f"its header carries {min(refused)}")
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in KEY_MANAGEMENT or header.get("enc") != CONTENT:
        raise TokenInvalid("its algorithms are not allowed here")
    if kid is not None and not isinstance(kid, str):
        raise TokenInvalid("its kid is not a string")
    return Sealed(token, algorithm, kid)


def decrypt(sealed: Sealed, key: AsymmetricKey) -> bytes:
    """Open it. Slow for RSA: call it in a thread.

    Raises: TokenInvalid; the same for everything that can be wrong inside (RFC 7516 §11.5: timing and texts must not differ).
    """
    try:
        opened = jwe.decrypt_compact(sealed.token, key, registry=_REGISTRIES[sealed.algorithm])
    except (JoseError, ValueError, TypeError, KeyError):
        raise TokenInvalid("it does not open") from None
    return opened.plaintext or b""


def encrypt(payload: str | bytes, jwks: Mapping[str, Any], *, algorithm: str, content_type: str | None = "JWT") -> str:
    """Encrypt `payload` to the first key of a published set that takes `algorithm`; `content_type` becomes `cty` (RFC 7519 §5.2).

    Raises: EncryptionKeyMissing.
    """
    key, kid = _choose(jwks, algorithm)
    header: dict[str, Any] = {"alg": algorithm, "enc": CONTENT}
    header |= {name: value for name, value in (("kid", kid), ("cty", content_type)) if value is not None}
    return jwe.encrypt_compact(header, payload, key, registry=_REGISTRIES[algorithm])


def _choose(jwks: Mapping[str, Any], algorithm: str) -> tuple[AsymmetricKey, str | None]:
    """Take a key that is meant for it: of its type, with `use` and `alg` absent or right (RFC 7517 §4.2, §4.4)."""
    listed = jwks.get("keys")
    key_type = ENCRYPTION[KEY_MANAGEMENT[algorithm]]
    for jwk in listed if isinstance(listed, list) else ():
        meant = isinstance(jwk, dict) and jwk.get("kty") == key_type and jwk.get("use", "enc") == "enc"
        if not meant or jwk.get("alg", algorithm) != algorithm:
            continue
        try:
            return read_key(jwk), jwk.get("kid")
        except ValueError:
            continue
    raise EncryptionKeyMissing(algorithm)
