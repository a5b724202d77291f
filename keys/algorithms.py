"""The signature algorithms in use, and their keys, made and read. joserfc does the JOSE.

RS256 because stock clients lack others, PS256 and ES256 for FAPI, EdDSA over Ed25519 (RFC 8037). "none" and every symmetric algorithm
are not in the table and so do not exist.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from keys.encoding import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joserfc.jwa import JWSAlgModel

AsymmetricKey = RSAKey | ECKey | OKPKey
RSA_BITS: Final = 2048
RSA_BITS_AT_MOST: Final = 8192
RSA_EXPONENT_BITS: Final = 32


class Algorithm(NamedTuple):
    """One algorithm: its name, and whether signing is slow enough to leave the event loop."""

    name: str
    slow: bool


class OneAlgorithm(JWSRegistry):
    """joserfc's rules for one algorithm: the header's shape is checked, members that nobody registered may stand in it."""

    def __init__(self, name: str) -> None:
        super().__init__(algorithms=[name], strict_check_header=False)
        self._model = self.algorithms[name]

    def get_alg(self, name: str) -> JWSAlgModel:
        """Give the one algorithm.

        joserfc's own also warns, at each token, that RFC 9864 renames EdDSA: stock clients know no other name for it yet.
        """
        if name != self._model.name:
            raise UnsupportedAlgorithmError
        return self._model


ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("RS256", slow=True),
        Algorithm("PS256", slow=True),
        Algorithm("ES256", slow=False),
        Algorithm("EdDSA", slow=False),
        Algorithm("Ed25519", slow=False),
    )
}
REGISTRIES: Final[Mapping[str, OneAlgorithm]] = {name: OneAlgorithm(name) for name in ALGORITHMS}


class WithKey(OneAlgorithm):
    """The same for proofs that carry their key: an RSA key of 4096 bits takes a thousand letters of header."""

    max_header_length = 2048


PROOF_REGISTRIES: Final[Mapping[str, OneAlgorithm]] = {name: WithKey(name) for name in ALGORITHMS}
SIGNING: Final = ("RS256", "PS256", "ES256", "EdDSA")
ENCRYPTION: Final[Mapping[str, str]] = {"RSA-OAEP-256": "RSA", "ECDH-ES": "EC"}
"""Our keys that others encrypt to, by the algorithm they are kept under, and their type. The EC key serves ECDH-ES+A256KW as well."""
_RSA_NUMBERS: Final = ("p", "q", "d", "dp", "dq", "qi", "e", "n")
_KEY_TYPES: Final[Mapping[str, type[RSAKey | ECKey | OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


def generate(algorithm: str) -> AsymmetricKey:
    """Make a key for `algorithm`. RSA takes a tenth of a second and more: call it in a thread."""
    key_type = ENCRYPTION.get(algorithm) or REGISTRIES[algorithm].get_alg(algorithm).key_type
    if key_type == "RSA":
        return RSAKey.generate_key(RSA_BITS, private=True)
    if key_type == "EC":
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


def read_own_key(jwk: Mapping[str, Any]) -> AsymmetricKey:
    """Read a private key that `private_bytes` wrote and the root key unwrapped just now.

    The primes of an RSA key are not tested again, which takes 50 ms and more for each key at each start of a process. The test is
    against keys of strangers and damaged files: this one was made by `generate`, and AES-GCM has proven that not a bit of it changed.
    Raises: ValueError.
    """
    if jwk.get("kty") != "RSA":
        return read_key(jwk)
    _check_rsa(jwk)
    p, q, d, dp, dq, qi, e, n = (int.from_bytes(decode(str(jwk[name])), "big") for name in _RSA_NUMBERS)
    numbers = RSAPrivateNumbers(p, q, d, dp, dq, qi, RSAPublicNumbers(e, n))
    return RSAKey.import_key(numbers.private_key(unsafe_skip_rsa_key_validation=True))


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
    """Give the public JWK as published: with `kid` (RFC 7638 thumbprint), `use` and `alg` (one key, one algorithm; the EC key has two)."""
    jwk = {**key.as_dict(private=False), "kid": key.thumbprint()}
    if algorithm == "ECDH-ES":
        return {**jwk, "use": "enc"}
    return {**jwk, "use": "enc" if algorithm in ENCRYPTION else "sig", "alg": algorithm}


def fits(algorithm: str, key: AsymmetricKey) -> bool:
    """Tell whether `key` is of the type and curve that `algorithm` takes, and not meant for another use or algorithm."""
    if algorithm in ENCRYPTION:
        return key.key_type == ENCRYPTION[algorithm]
    try:
        REGISTRIES[algorithm].get_alg(algorithm).check_key(key)
    except JoseError:
        return False
    return True
