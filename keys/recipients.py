"""A key that somebody hands us so that what is meant for them is encrypted to it, and the file in which they keep its private half.

P-256 or X25519, for ECDH-ES (RFC 7518 §4.6, RFC 8037 §3.2). The private half is made on their own machine and rests there as an encrypted
JWK (RFC 7517 §7) under a passphrase; whoever pastes one here is told that it is burnt.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import ECKey, OctKey, OKPKey

from keys.algorithms import AsymmetricKey, read_key
from keys.compact import read_object
from keys.errors import TokenInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

RecipientKey = ECKey | OKPKey
Fault = Literal["private", "size", "unreadable", "kind"]

ALGORITHM: Final = "ECDH-ES+A256KW"
CONTENT: Final = "A256GCM"
LONGEST: Final = 4096
"""Letters of a pasted key. A P-256 key takes 200."""
PASSPHRASE: Final = 12
ROUNDS: Final = 250_000
"""PBKDF2-HMAC-SHA512; OWASP asks for 210,000, joserfc opens nothing from 300,000 on."""
_CURVES: Final = (("EC", "P-256"), ("OKP", "X25519"))
_SECRET: Final = re.compile(r'"(?:d|p|q|dp|dq|qi|oth|k)"\s*:')
"""Members of private keys (RFC 7518 §6), wherever they stand in what was pasted: in a set, or in text that does not parse."""
_LOCK: Final = "PBES2-HS512+A256KW"
_BEGIN: Final = "-----BEGIN"
_KEY_FILES: Final = JWERegistry(algorithms=[_LOCK, CONTENT])


class RecipientRefused(ValueError):
    """What was handed over is no key to encrypt to. `fault`: "private" (a secret was pasted), "size", "unreadable", or "kind"."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Final[Fault] = fault


class KeyFileRefused(ValueError):
    """The file holds no private key, or the passphrase is not its own. The message says which."""


class Recipient(NamedTuple):
    """Whom something is encrypted to: the public JWK in its required members only, and its RFC 7638 thumbprint."""

    jwk: Mapping[str, str]
    thumbprint: str

    @property
    def key(self) -> RecipientKey:
        """Give the key."""
        return _usable(self.jwk)


def read_recipient(text: str) -> Recipient:
    """Read a public key as somebody pastes it: a JWK, a JWK Set of one, or PEM.

    Raises: RecipientRefused.
    """
    pasted = text.strip()
    if "PRIVATE KEY" in pasted or _SECRET.search(pasted):
        raise RecipientRefused("private")
    if len(pasted) > LONGEST:
        raise RecipientRefused("size")
    key = _of_pem(pasted) if pasted.startswith(_BEGIN) else _usable(_object(pasted))
    public = {name: str(value) for name, value in key.as_dict(private=False).items() if name in {"kty", "crv", "x", "y"}}
    return Recipient(public, key.thumbprint())


def _object(text: str) -> Mapping[str, Any]:
    """Read a JWK, or the only one of a set. Raises: RecipientRefused."""
    try:
        found: Any = read_object(text.encode())
    except (TokenInvalid, UnicodeEncodeError):
        raise RecipientRefused("unreadable") from None
    listed = found.get("keys")
    if isinstance(listed, list) and len(listed) == 1:
        found = listed[0]
    if not isinstance(found, dict):
        raise RecipientRefused("unreadable")
    return found


def _of_pem(text: str) -> RecipientKey:
    try:
        loaded = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise RecipientRefused("unreadable") from None
    try:
        return _usable(_wrapped(loaded).as_dict(private=False))
    except (JoseError, TypeError):
        raise RecipientRefused("kind") from None


def _wrapped(key: object) -> RecipientKey:
    """Raises: JoseError, ValueError, TypeError for keys that are neither."""
    kind: Any = ECKey if isinstance(key, (EllipticCurvePublicKey, EllipticCurvePrivateKey)) else OKPKey
    found: RecipientKey = kind.import_key(key)
    return found


def _usable(jwk: Mapping[str, Any]) -> RecipientKey:
    """Build the key, and use it once: some faults (a point of low order) show only then. Raises: RecipientRefused."""
    if (jwk.get("kty"), jwk.get("crv")) not in _CURVES or jwk.get("use", "enc") != "enc":
        raise RecipientRefused("kind")
    try:
        key = read_key({name: jwk[name] for name in ("kty", "crv", "x", "y") if name in jwk})
        if not isinstance(key, (ECKey, OKPKey)):
            raise RecipientRefused("kind")
        jwe.encrypt_compact({"alg": ALGORITHM, "enc": CONTENT}, b"", key, registry=JWERegistry(algorithms=[ALGORITHM, CONTENT]))
    except (JoseError, ValueError, TypeError):
        raise RecipientRefused("unreadable") from None
    return key


def new_pair(passphrase: str) -> tuple[str, Recipient]:
    """Make a key pair. Returns: the text of its file, encrypted under the passphrase, and the public half. Takes half a second."""
    key = ECKey.generate_key("P-256", private=True)
    header = {"alg": _LOCK, "enc": CONTENT, "cty": "jwk+json", "p2c": ROUNDS}
    secret = json.dumps(key.as_dict(private=True)).encode()
    locked = jwe.encrypt_compact(header, secret, OctKey.import_key(passphrase.encode()), registry=_KEY_FILES)
    return locked, read_recipient(json.dumps(key.as_dict(private=False)))


def needs_passphrase(text: str) -> bool:
    """Tell whether a key file is locked."""
    return not text.strip().startswith((_BEGIN, "{")) or "ENCRYPTED" in text


def read_private(text: str, passphrase: str | None) -> RecipientKey:
    """Read the private half: the file that `new_pair` made, a PEM (PKCS #8), or a JWK. Raises: KeyFileRefused."""
    stripped = text.strip()
    try:
        if stripped.startswith(_BEGIN):
            key: AsymmetricKey = _wrapped(load_pem_private_key(stripped.encode(), None if passphrase is None else passphrase.encode()))
        else:
            key = read_key(read_object(stripped.encode() if stripped.startswith("{") else _unlocked(stripped, passphrase or "")))
    except (JoseError, TokenInvalid, ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileRefused("the passphrase is wrong, or the file is damaged or no key file") from None
    if not isinstance(key, (ECKey, OKPKey)) or not key.is_private or (key.key_type, key.curve_name) not in _CURVES:
        raise KeyFileRefused("it holds no private key on P-256 or X25519")
    return key


def _unlocked(text: str, passphrase: str) -> bytes:
    """Raises: JoseError, ValueError."""
    if len(passphrase) < PASSPHRASE:
        raise ValueError("no passphrase of ours is so short")
    return jwe.decrypt_compact(text, OctKey.import_key(passphrase.encode()), registry=_KEY_FILES).plaintext or b""
