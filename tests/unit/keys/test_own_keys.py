"""Our own private keys as they come out of the keys store."""

from __future__ import annotations

import json
import time

import pytest

from keys.algorithms import SIGNING, generate, private_bytes, public_jwk, read_key, read_own_key
from keys.compact import sign_compact
from keys.verification import verify_with_jwks


@pytest.mark.parametrize("algorithm", SIGNING)
def test_an_own_key_read_again_is_the_same_key_and_signs(algorithm: str) -> None:
    made = generate(algorithm)
    read = read_own_key(json.loads(private_bytes(made)))
    assert read.as_dict(private=True) == made.as_dict(private=True)
    jwk = public_jwk(made, algorithm)
    token = sign_compact(algorithm, read, kid=jwk["kid"], type="JWT", payload=b'{"iss":"a"}')
    assert verify_with_jwks(token, {"keys": [jwk]}, algorithms=[algorithm]).claims == {"iss": "a"}


def test_an_own_rsa_key_is_read_without_testing_its_primes_again() -> None:
    written = json.loads(private_bytes(generate("RS256")))
    times = []
    for read in (read_key, read_own_key):
        started = time.thread_time()
        read(written)
        times.append(time.thread_time() - started)
    assert times[1] < times[0] / 5, "a process that starts waits for each key"


def test_an_own_rsa_key_that_is_too_small_is_not_read() -> None:
    written = json.loads(private_bytes(generate("RS256")))
    with pytest.raises(ValueError, match="2048"):
        read_own_key({**written, "n": "AQAB"})
