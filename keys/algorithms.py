"""The signature algorithms in use: their keys, made and read, and the two operations on bytes. joserfc does the mathematics.

RS256 because stock clients lack others, PS256 and ES256 for FAPI, EdDSA over Ed25519 (RFC 8037). "none" and every symmetric algorithm
are not in the table and so do not exist.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from keys.encoding import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joserfc.jwa import JWSAlgModel

AsymmetricKey = RSAKey | ECKey | OKPKey
RSA_BITS: Final = 2048
_ECDSA: Final = ECDSA(SHA256())
RSA_BITS_AT_MOST: Final = 8192
RSA_EXPONENT_BITS: Final = 32


class Algorithm(NamedTuple):
    """One algorithm: the key type and curve it takes, and whether signing is slow enough to leave the event loop."""

    name: str
    key_type: str
    curve: str | None
    slow: bool


ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("RS256", "RSA", None, slow=True),
        Algorithm("PS256", "RSA", None, slow=True),
        Algorithm("ES256", "EC", "P-256", slow=False),
        Algorithm("EdDSA", "OKP", "Ed25519", slow=False),
        Algorithm("Ed25519", "OKP", "Ed25519", slow=False),
    )
}
SIGNING: Final = ("RS256", "PS256", "ES256", "EdDSA")
_KEY_TYPES: Final[Mapping[str, type[RSAKey | ECKey | OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


def generate(algorithm: str) -> AsymmetricKey:
    """Make a key for `algorithm`. RSA takes a tenth of a second and more: call it in a thread."""
    parameters = ALGORITHMS[algorithm]
    if parameters.key_type == "RSA":
        return RSAKey.generate_key(RSA_BITS, private=True)
    if parameters.key_type == "EC":
        return ECKey.generate_key("P-256", private=True)
    return OKPKey.generate_key("Ed25519", private=True)


def read_key(jwk: Mapping[str, Any]) -> AsymmetricKey:
    """Read a JWK.

    Raises: ValueError for symmetric or unknown key types, damaged keys, and RSA keys under 2048 bits
    (RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used").
    """
    key_type = _KEY_TYPES.get(str(jwk.get("kty")))
    if key_type is None:
        raise ValueError("not an asymmetric key")
    if key_type is RSAKey:
        _check_rsa(jwk)
    try:
        key = key_type.import_key(cast("Any", dict(jwk)))
        key.public_key  # noqa: B018 - some faults show only when the key is built
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ValueError("not a readable key") from error
    return key


def _check_rsa(jwk: Mapping[str, Any]) -> None:
    """Refuse keys that are weak, or so large that one verification is an attack on us."""
    try:
        modulus, exponent = (int.from_bytes(decode(str(jwk[name])), "big") for name in ("n", "e"))
    except KeyError:
        raise ValueError("an RSA key without its numbers") from None
    if not RSA_BITS <= modulus.bit_length() <= RSA_BITS_AT_MOST or exponent.bit_length() > RSA_EXPONENT_BITS:
        raise ValueError("an RSA key under 2048 or over 8192 bits, or with a huge exponent")


def private_bytes(key: AsymmetricKey) -> bytes:
    """Give the private key as bytes, to be wrapped."""
    return json.dumps(key.as_dict(private=True)).encode()


def public_jwk(key: AsymmetricKey, algorithm: str) -> dict[str, Any]:
    """Give the public JWK as published: with `kid` (RFC 7638 thumbprint), `use` and `alg` (one key, one algorithm)."""
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": algorithm}


def fits(algorithm: str, key: AsymmetricKey) -> bool:
    """Tell whether `key` is of the type and curve that `algorithm` takes."""
    parameters = ALGORITHMS[algorithm]
    return key.key_type == parameters.key_type and (parameters.curve is None or key.dict_value.get("crv") == parameters.curve)


def sign_bytes(algorithm: str, key: AsymmetricKey, message: bytes) -> bytes:
    """Sign. `key` must fit."""
    if algorithm == "ES256":
        return _sign_es256(cast("ECKey", key).get_op_key("sign"), message)
    return _model(algorithm).sign(message, key)


def verify_bytes(algorithm: str, key: AsymmetricKey, message: bytes, signature: bytes) -> bool:
    """Check a signature. `key` must fit."""
    if algorithm == "ES256":
        return _verify_es256(cast("ECKey", key).get_op_key("verify"), message, signature)
    return _model(algorithm).verify(message, signature, key)


def _sign_es256(key: EllipticCurvePrivateKey, message: bytes) -> bytes:
    """RFC 7518 §3.4: R ‖ S, 32 bytes each. By hand, since it is in every request: a third less time than through joserfc."""
    r, s = decode_dss_signature(key.sign(message, _ECDSA))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _verify_es256(key: EllipticCurvePublicKey, message: bytes, signature: bytes) -> bool:
    """RFC 7518 §3.4: "The JWS Signature value MUST be a 64-octet sequence.  If it is not, the validation has failed."."""
    if len(signature) != 64:  # noqa: PLR2004 - quoted above
        return False
    try:
        key.verify(encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")), message, _ECDSA)
    except InvalidSignature:
        return False
    return True


def _model(algorithm: str) -> JWSAlgModel:
    return JWSRegistry.algorithms[ALGORITHMS[algorithm].name]
